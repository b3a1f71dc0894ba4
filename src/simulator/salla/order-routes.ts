/** The operations on orders. Which scope each needs: scopes.ts. */
import type { Answer, Call, Route } from '../kit.js';
import { isObject } from '../reader.js';
import { badFilters, invalid, success } from './answers.js';
import { addOrder, changeOrder } from './changes.js';
import { checkDraft, checkExternalOrder, checkOrder, isComplete, type OrderRules } from './check-order.js';
import { COMPLAINT, languageOf } from './language.js';
import { pageOf, Query } from './listing.js';
import { searchedReferences, searchOrders } from './order-search.js';
import { activate, bulkActions, changeStatus, firstStatus } from './order-status.js';
import { type Checked, Complaints } from './reader.js';
import { renderLightOrder, renderOrder, renderOrderRow } from './render-order.js';
import { renderStatusRow } from './statuses.js';
import { API_PREFIX, notFound, orderOf, type Store, written } from './store.js';
import type { OrderBody } from './wire.js';

const ORDERS = `${API_PREFIX}/orders`;

export function orderRoutes(store: Store): Route[] {
  const rules: OrderRules = {
    openPaymentStatus: store.options.openPaymentStatus ?? 'waiting',
    statuses: store.statuses,
  };
  const route = (
    verb: string,
    method: Route['method'],
    path: string,
    handle: (call: Call) => Answer,
    references: Route['references'] = () => [],
  ): Route => ({ verb, method, path: ORDERS + path, references, handle });
  const named = (call: Call) => namesOf(store, call);
  const submit = (kind: 'order' | 'external', check: typeof checkOrder) => (call: Call) =>
    submitOrder(store, kind, check(call.body, rules), call);
  return [
    route('submit', 'POST', '', submit('order', checkOrder), submittedReferences),
    route('submit', 'POST', '/external', submit('external', checkExternalOrder), submittedReferences),
    route('draft', 'POST', '/draft', (call) => draft(store, rules, call), submittedReferences),
    route('list', 'GET', '', (call) => list(store, call), searchedReferences),
    route('statuses', 'GET', '/statuses', (call) => statuses(store, call)),
    route('actions', 'POST', '/actions', (call) => bulkActions(store, call)),
    route('get', 'GET', '/:id', (call) => get(store, call), named),
    route('update', 'PUT', '/:id', (call) => update(store, rules, call), named),
    route('status', 'POST', '/:id/status', (call) => changeStatus(store, call), named),
  ];
}

function submitOrder(
  store: Store,
  kind: 'order' | 'external',
  checked: Checked<OrderBody>,
  call: Call,
): Answer {
  const language = languageOf(call.headers);
  if (!checked.ok) return invalid(checked.complaints, language);
  const body = checked.value;
  const { externalOrderId } = body;
  const isTaken = externalOrderId !== undefined && store.orders.byExternalId(externalOrderId).length > 0;
  if (isTaken && store.options.duplicates === 'reject') {
    const complaints = new Complaints();
    complaints.add('external_order_id', COMPLAINT.taken('external_order_id'));
    return invalid(complaints, language);
  }
  const { statusName } = body;
  const status = statusName === undefined ? firstStatus(store, body) : store.statuses.named(statusName);
  const order = addOrder(store, { kind, body, status, moves: true, hideMs: call.hideMs });
  return written(store, renderOrder(store, order, language));
}

function draft(store: Store, rules: OrderRules, call: Call): Answer {
  const checked = checkDraft(call.body, rules);
  if (!checked.ok) return invalid(checked.complaints, languageOf(call.headers));
  const order = addOrder(store, {
    kind: 'draft',
    body: checked.value,
    status: store.statuses.draft,
    moves: true,
    hideMs: call.hideMs,
  });
  return written(store, { id: order.id, reference_id: order.referenceId });
}

function get(store: Store, call: Call): Answer {
  const found = orderOf(store, call);
  if ('refused' in found) return found.refused;
  const language = languageOf(call.headers);
  if (!store.orders.isVisible(found.order)) return notFound(language);
  const render = call.query.format === 'light' ? renderLightOrder : renderOrder;
  return success(200, render(store, found.order, language));
}

function list(store: Store, call: Call): Answer {
  const language = languageOf(call.headers);
  const query = new Query(call.query);
  const page = query.page(store.options.perPageAboveLimit ?? 'reject');
  const orders = searchOrders(store, query);
  if (query.complaints.any) return badFilters(query.complaints, language);
  const render = query.text('expanded') === 'true' ? renderOrder : renderOrderRow;
  return pageOf(orders, page, (order) => render(store, order, language), ORDERS);
}

function statuses({ statuses: { all } }: Store, call: Call): Answer {
  const language = languageOf(call.headers);
  return success(
    200,
    all.map((status) => renderStatusRow(status, all, language)),
  );
}

/** Takes parts of an order; what is not sent stays. */
function update(store: Store, rules: OrderRules, call: Call): Answer {
  const found = orderOf(store, call);
  if ('refused' in found) return found.refused;
  const { order } = found;
  const language = languageOf(call.headers);
  const checked = checkDraft(call.body, rules);
  if (!checked.ok) return invalid(checked.complaints, language);
  const sent = isObject(call.body) ? call.body : {};
  const { value } = checked;
  changeOrder(store, order, {
    ...order.body,
    ...('customer' in sent ? { customer: value.customer } : {}),
    ...('receiver' in sent ? { receiver: value.receiver } : {}),
    ...('delivery_method' in sent ? { deliveryMethod: value.deliveryMethod } : {}),
    ...('branch_id' in sent ? { branchId: value.branchId } : {}),
    ...('courier_id' in sent ? { courierId: value.courierId } : {}),
    ...('ship_to' in sent ? { shipTo: value.shipTo } : {}),
    ...('payment' in sent ? { payment: value.payment } : {}),
    ...('products' in sent ? { products: value.products } : {}),
  });
  const activates = (store.options.draftActivation ?? 'both') !== 'status';
  if (order.kind === 'draft' && activates && isComplete(order.body)) activate(store, order);
  return written(store, renderOrder(store, order, language));
}

/** The path says an id; a fault rule may name it, the number that people see, or the external id. */
function namesOf(store: Store, call: Call): readonly string[] {
  const id = call.params.id ?? '';
  const order = store.orders.get(Number(id));
  if (order === undefined) return [id];
  const external = order.body.externalOrderId;
  return [id, String(order.referenceId), ...(external === undefined ? [] : [external])];
}

function submittedReferences({ body }: Call): readonly string[] {
  const id = isObject(body) ? body.external_order_id : undefined;
  return typeof id === 'string' || typeof id === 'number' ? [String(id)] : [];
}

/** Changes of an order's status: one by one ("Update Order Status") and in bulk ("Order Actions"). */
import type { Answer, Call } from '../kit.js';
import { done, impossible, invalid, success } from './answers.js';
import { setOrderStatus } from './changes.js';
import { checkStatusChange, isComplete } from './check-order.js';
import { COMPLAINT, KIND, languageOf, SENTENCE, type Text } from './language.js';
import type { StoredOrder } from './orders.js';
import { check, type Fields } from './reader.js';
import { isCancelable, type OrderStatus } from './statuses.js';
import { notFound, orderOf, type Store } from './store.js';
import type { OrderBody } from './wire.js';

/** One that waits for its money is not reviewed yet. */
export function firstStatus(store: Store, { payment }: OrderBody): OrderStatus {
  const isOpen = payment !== undefined && payment.status !== 'paid';
  return store.statuses.named(isOpen ? 'payment_pending' : 'under_review');
}

/** Always a 201, as in the sample. Cancels too: there is no other operation for that. */
export function changeStatus(store: Store, call: Call): Answer {
  const found = orderOf(store, call);
  if ('refused' in found) return found.refused;
  const language = languageOf(call.headers);
  const checked = checkStatusChange(call.body, store.statuses);
  if (!checked.ok) return invalid(checked.complaints, language);
  const { slug, statusId, note } = checked.value;
  const wanted = slug === undefined ? store.statuses.byId(statusId ?? 0) : store.statuses.bySlug(slug);
  if (wanted === undefined) return notFound(language);
  const why = objection(store, found.order, wanted);
  if (why !== undefined) return impossible(slug === undefined ? 'status_id' : 'slug', why, language);
  apply(store, found.order, wanted, note);
  return done(201, SENTENCE.updated[language]);
}

/** Always a 200 when it was understood; each operation tells by itself how it went. */
export function bulkActions(store: Store, call: Call): Answer {
  const language = languageOf(call.headers);
  const checked = check(call.body, (body) => {
    body.need('operations', 'filters');
    const operations = body.objects('operations') ?? [];
    const filters = body.object('filters');
    const ids = filters?.list('order_ids') ?? [];
    const statuses = filters?.list('order_status') ?? [];
    if (filters !== undefined && ids.length + statuses.length === 0) {
      filters.complain('order_ids', (field) => COMPLAINT.kind(field, KIND.filledList));
    }
    return {
      operations: operations.map(readOperation),
      ids: ids.map(Number),
      statuses: statuses.map(Number),
    };
  });
  if (!checked.ok) return invalid(checked.complaints, language);
  const { operations, ids, statuses } = checked.value;
  const results = operations.map((operation, index) => {
    const why = runOperation(store, operation, ids, statuses);
    return {
      operation_id: index + 1,
      action_name: operation.action,
      status: why === undefined ? 'success' : 'failed',
      message: (why ?? SENTENCE.updated)[language],
    };
  });
  return success(200, results);
}

/** Makes a draft an order that goes its way. */
export function activate(store: Store, order: StoredOrder): void {
  setOrderStatus(store, order, firstStatus(store, order.body), true);
}

interface Operation {
  action: string;
  status: string;
  note: string | undefined;
}

function readOperation(operation: Fields): Operation {
  operation.need('action_name', 'value');
  const value = operation.object('value');
  value?.need('status');
  return {
    action: operation.text('action_name') ?? '',
    status: value?.word('status') ?? '',
    note: value?.text('note'),
  };
}

/** Does what can be done and tells the first thing that could not. */
function runOperation(
  store: Store,
  { action, status, note }: Operation,
  ids: readonly number[],
  statusIds: readonly number[],
): Text | undefined {
  const wanted = store.statuses.bySlug(status) ?? store.statuses.byId(Number(status));
  if (action !== 'change_status' || wanted === undefined) return SENTENCE.notFound;
  const named = ids.map((id) => store.orders.get(id));
  const byStatus = store.orders
    .all()
    .filter((order) => statusIds.includes(store.orders.standing(order).status.id));
  let why: Text | undefined;
  for (const order of [...named, ...byStatus]) {
    const objected =
      order === undefined || order.isDeleted ? SENTENCE.notFound : objection(store, order, wanted);
    if (objected !== undefined) why ??= objected;
    else if (order !== undefined) apply(store, order, wanted, note);
  }
  return why;
}

/** Why an order cannot take a status now; undefined: it can. */
function objection(store: Store, order: StoredOrder, wanted: OrderStatus): Text | undefined {
  const { status } = store.orders.standing(order);
  if (wanted === status) return store.options.repeatedStatus === 'accept' ? undefined : SENTENCE.sameStatus;
  if (status.slug === 'canceled') return SENTENCE.final;
  if (wanted.slug === 'canceled') return isCancelable(status) ? undefined : SENTENCE.tooLate;
  if (order.kind !== 'draft') return undefined;
  const isActivation = wanted.slug === 'under_review' && store.options.draftActivation !== 'update';
  return isActivation && isComplete(order.body) ? undefined : SENTENCE.draft;
}

function apply(store: Store, order: StoredOrder, wanted: OrderStatus, note: string | undefined): void {
  order.note = note ?? order.note;
  if (order.kind === 'draft' && wanted.slug === 'under_review') activate(store, order);
  else setOrderStatus(store, order, wanted, false);
}

/** The operations on orders (Wasal document, "Endpoints"). */
import type { Answer, Call, Route } from '../kit.js';
import { created, insufficientFunds, invalid, ok, refusal, refuse } from './answers.js';
import { deliveryFeeTo } from './areas.js';
import type { StoredAddress, StoredCustomer } from './customers.js';
import { byMerchant, findOrder, type House, PREFIX, textsIn } from './house.js';
import { CANCELABLE } from './life.js';
import type { Merchant } from './merchant.js';
import type { Branch, StoredOrder } from './orders.js';
import { renderHistory, renderOrder, renderTracking } from './render.js';
import { checkList, checkStatus } from './validate.js';
import { checkOrder } from './validate-order.js';
import type { Environment, OrderBody } from './wire.js';

/** `activatePath` stands behind the prefix of all routes, with `{id}` where the order's id goes. */
export function orderRoutes(house: House, activatePath: string): Route[] {
  const references = (call: Call) => namesOf(house, call.params.id ?? '');
  const byId = (handle: (merchant: Merchant, order: StoredOrder) => Answer) =>
    byMerchant(house, (merchant, call) => {
      const order = merchant.orders.find(call.params.id ?? '');
      return order === undefined ? refuse('ORDER_NOT_FOUND') : handle(merchant, order);
    });
  const read = (handle: (merchant: Merchant, order: StoredOrder) => Answer) =>
    byId((merchant, order) =>
      merchant.orders.isVisible(order) ? handle(merchant, order) : refuse('ORDER_NOT_FOUND'),
    );
  return [
    {
      verb: 'submit',
      method: 'POST',
      path: `${PREFIX}/order`,
      references: (call) => textsIn(call.body, 'orderMerchantReferenceNumber'),
      handle: byMerchant(house, (merchant, call, environment) => submit(house, merchant, call, environment)),
    },
    {
      verb: 'search',
      method: 'GET',
      path: `${PREFIX}/order`,
      references: (call) => textsIn(call.query, 'referenceNumber'),
      handle: byMerchant(house, list),
    },
    {
      verb: 'track',
      method: 'GET',
      path: `${PREFIX}/order/track/:orderNumber`,
      isPublic: true,
      references: (call) => [call.params.orderNumber ?? ''],
      handle: (call) => track(house, call),
    },
    { verb: 'get', method: 'GET', path: `${PREFIX}/order/:id`, references, handle: read(shown) },
    {
      verb: 'history',
      method: 'GET',
      path: `${PREFIX}/order/:id/history`,
      references,
      handle: read((merchant, order) => ok(renderHistory(merchant.orders, order))),
    },
    {
      verb: 'cancel',
      method: 'PUT',
      path: `${PREFIX}/order/:id/cancel`,
      references,
      handle: byId((merchant, order) => cancel(house, merchant, order)),
    },
    {
      verb: 'activate',
      method: 'PUT',
      path: PREFIX + activatePath.replace('{id}', ':id'),
      references,
      handle: byId((merchant, order) => activate(house, merchant, order)),
    },
    {
      verb: 'advance-status',
      method: 'PUT',
      path: `${PREFIX}/sandbox/order/:id/advance-status`,
      references,
      handle: byMerchant(house, advanceStatus),
    },
  ];
}

function submit(house: House, merchant: Merchant, call: Call, environment: Environment): Answer {
  const { packageSides, packagePhotoField } = house;
  const { photoRequired, customers } = merchant;
  const checked = checkOrder(call.body, { packageSides, packagePhotoField, photoRequired });
  if (!checked.ok) return checked.refusal;
  const body = checked.value;
  const customer = customers.find(body.customerId);
  if (customer === undefined) return refuse('CUSTOMER_NOT_FOUND');
  const address = addressOf(customer, body);
  if ('status' in address) return address;
  const branch = branchOf(merchant, body);
  if ('status' in branch) return branch;
  const isSandbox = environment === 'test';
  if (house.duplicates === 'reject' && isTaken(merchant, body, isSandbox))
    return refusal(409, 'DUPLICATE_REFERENCE', 'Another order has this reference number');
  const deliveryFee = body.pricing.deliveryFee ?? deliveryFeeTo(address.body);
  const isDraft = body.isDraft || merchant.createAsDraft;
  const unpaid = isDraft ? undefined : pay(merchant, deliveryFee, isSandbox);
  if (unpaid !== undefined) return unpaid;
  const status = isDraft ? 'draft' : firstStatus(house);
  const { hideMs } = call;
  const order = merchant.orders.add({
    body,
    customer,
    address,
    branch,
    deliveryFee,
    isSandbox,
    status,
    hideMs,
  });
  return created({ order: renderOrder(merchant.orders, order) });
}

/** "Create-order body": assigned at once within the partner's order window. */
function firstStatus({ window }: House): string {
  return window.isOpen === true ? 'assigned' : 'pending';
}

function addressOf(customer: StoredCustomer, { customerAddressId }: OrderBody): StoredAddress | Answer {
  const address =
    customerAddressId === undefined
      ? customer.addresses[0]
      : customer.addresses.find(({ id }) => id === customerAddressId);
  if (address !== undefined) return address;
  // An address that is not the customer's has no code of its own in the reference.
  if (customer.addresses.length === 0) return refuse('CUSTOMER_NO_DELIVERY_ADDRESS');
  return invalid({ customerAddressId: 'customerAddressId is no address of the customer' });
}

function branchOf({ branches }: Merchant, { branchId, branchCode }: OrderBody): Branch | Answer {
  const branch = branches.find(({ id, code }) =>
    branchId === undefined ? code === branchCode : id === branchId,
  );
  if (branch !== undefined) return branch;
  const field = branchId === undefined ? 'branchCode' : 'branchId';
  return invalid({ [field]: `${field} is no branch of the merchant` });
}

function isTaken({ orders }: Merchant, body: OrderBody, isSandbox: boolean): boolean {
  const reference = body.orderMerchantReferenceNumber;
  return (
    reference !== undefined && orders.withReference(reference).some((order) => order.isSandbox === isSandbox)
  );
}

/** "Errors": the wallet counts in production only. A refund of a cancelled order is not documented. */
function pay(merchant: Merchant, fee: number, isSandbox: boolean): Answer | undefined {
  if (isSandbox) return undefined;
  if (merchant.wallet < fee) return insufficientFunds(fee, merchant.wallet);
  merchant.wallet -= fee;
  return undefined;
}

function list(merchant: Merchant, call: Call): Answer {
  const checked = checkList(call.query);
  if (!checked.ok) return checked.refusal;
  const { page, limit } = checked.value;
  const found = merchant.orders.list(checked.value);
  return ok({
    list: found.page.map((order) => renderOrder(merchant.orders, order)),
    pagination: { page, limit, total: found.total },
  });
}

function track(house: House, call: Call): Answer {
  for (const { orders } of house.merchants) {
    const order = orders.findByNumber(call.params.orderNumber ?? '');
    if (order !== undefined && orders.isVisible(order)) return ok(renderTracking(orders, order));
  }
  return refuse('ORDER_NOT_FOUND');
}

function shown(merchant: Merchant, order: StoredOrder): Answer {
  return ok({ order: renderOrder(merchant.orders, order) });
}

function cancel(house: House, merchant: Merchant, order: StoredOrder): Answer {
  const { status } = merchant.orders.standing(order);
  if (!CANCELABLE.has(status)) {
    const { status: httpStatus, code } = house.cancelRefusal;
    return refusal(httpStatus, code, `The order is ${status}: it cannot be cancelled`);
  }
  merchant.orders.put(order, 'cancelled');
  return shown(merchant, order);
}

function activate(house: House, merchant: Merchant, order: StoredOrder): Answer {
  if (merchant.orders.standing(order).status !== 'draft') return refuse('ORDER_NOT_DRAFT');
  if (house.window.isOpen === false) return refuse('ORDER_WINDOW_CLOSED');
  const unpaid = pay(merchant, order.deliveryFee, order.isSandbox);
  if (unpaid !== undefined) return unpaid;
  merchant.orders.put(order, 'pending');
  return shown(merchant, order);
}

/** "Sandbox errors". Whether a status may be skipped or gone back to is not documented: it may. */
function advanceStatus(merchant: Merchant, call: Call, environment: Environment): Answer {
  if (environment !== 'test') return refuse('SANDBOX_ONLY');
  const order = merchant.orders.find(call.params.id ?? '');
  if (order === undefined || !order.isSandbox) return refuse('ORDER_NOT_FOUND');
  const checked = checkStatus(call.body);
  if (!checked.ok) return checked.refusal;
  merchant.orders.put(order, checked.value);
  return ok({ orderId: order.id, orderNumber: order.orderNumber, status: checked.value });
}

/** The path says an id; a fault rule may name the reference or the number too. */
function namesOf(house: House, id: string): readonly string[] {
  const order = findOrder(house, id)?.[1];
  return order === undefined
    ? [id]
    : [id, order.orderNumber, ...textsIn(order.body, 'orderMerchantReferenceNumber')];
}

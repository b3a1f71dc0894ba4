/**
 * The rules that Salla documents for the bodies of orders ("Create Order", "Create External Order", "Update
 * Order", "Update Order Status"). Where it names a field without saying whether it is required, it is not.
 * Unknown fields are let through: the documentation refuses none.
 */
import { COMPLAINT, KIND } from './language.js';
import { type Checked, check, type Fields } from './reader.js';
import type { StatusCatalogue } from './statuses.js';
import type { Customer, OrderBody, Payment, Product, Receiver, ShipTo, StatusChange } from './wire.js';

/** What a product costs whose price the caller does not say, because the store has it in its catalogue; SAR. */
const CATALOGUE_PRICE = 100;
const CURRENCY = 'SAR';
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));
const EMAIL = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/;
// As in the sample of "Create External Order".
const MINUTE = /^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?$/;

export interface OrderRules {
  openPaymentStatus: string;
  statuses: StatusCatalogue;
}

export function checkOrder(body: unknown, rules: OrderRules): Checked<OrderBody> {
  return check(body, (order) => {
    order.need('delivery_method', 'payment', 'products');
    const read = readOrder(order, rules, readOrdered);
    needSomebody(order, read);
    if (read.deliveryMethod === 'pickup') order.need('branch_id');
    if (read.deliveryMethod === 'shipping') order.need('courier_id', 'ship_to');
    return read;
  });
}

/** An order that was placed elsewhere: it brings its own id, prices and status. */
export function checkExternalOrder(body: unknown, rules: OrderRules): Checked<OrderBody> {
  return check(body, (order) => {
    order.need('external_order_id', 'products', 'delivery_method');
    order.matching('date', KIND.date, isMinute);
    const read = { ...readOrder(order, rules, readSold), ...readOrigin(order, rules.statuses) };
    needSomebody(order, read);
    if (read.deliveryMethod === 'pickup') order.need('branch_id');
    if (read.deliveryMethod === 'shipping') order.need('ship_to');
    return read;
  });
}

/** A draft may lack everything; what it has must be right. */
export function checkDraft(body: unknown, rules: OrderRules): Checked<OrderBody> {
  return check(body, (order) => readOrder(order, rules, readOrdered));
}

/** Whether a draft has become complete enough to be an order. */
export function isComplete(body: OrderBody): boolean {
  const hasPlace =
    body.deliveryMethod === 'pickup'
      ? body.branchId !== undefined
      : body.deliveryMethod === 'shipping' && body.courierId !== undefined && body.shipTo !== undefined;
  const hasSomebody = body.customer?.id !== undefined || body.receiver !== undefined;
  return hasPlace && hasSomebody && body.payment !== undefined && body.products.length > 0;
}

export function checkStatusChange(body: unknown, statuses: StatusCatalogue): Checked<StatusChange> {
  return check(body, (change) => {
    if (!change.has('slug') && !change.has('status_id')) change.need('slug', 'status_id');
    const slug = change.text('slug');
    if (slug !== undefined && statuses.bySlug(slug) === undefined) change.complain('slug', COMPLAINT.unknown);
    const statusId = change.positive('status_id');
    if (statusId !== undefined && statuses.byId(statusId) === undefined) {
      change.complain('status_id', COMPLAINT.unknown);
    }
    return { slug, statusId, note: change.text('note') };
  });
}

/** The id of a customer, or a receiver: a customer without an id does not do. */
function needSomebody(order: Fields, read: OrderBody): void {
  if (read.customer?.id === undefined) order.need('receiver');
}

function readOrder(order: Fields, rules: OrderRules, readProduct: (product: Fields) => Product): OrderBody {
  return {
    externalOrderId: undefined,
    statusName: undefined,
    source: order.text('source'),
    currency: order.matching('currency', KIND.currency, (code) => CURRENCIES.has(code)) ?? CURRENCY,
    customer: readCustomer(order.object('customer')),
    receiver: readReceiver(order.object('receiver')),
    deliveryMethod: order.choice('delivery_method', ['shipping', 'pickup']),
    branchId: order.positive('branch_id'),
    courierId: order.positive('courier_id'),
    shipTo: readShipTo(order),
    payment: readPayment(order.object('payment'), rules.openPaymentStatus),
    products: readProducts(order, readProduct),
    subtotal: order.amount('subtotal'),
    shippingCost: order.amount('shipping_cost') ?? 0,
  };
}

/** What only an order from elsewhere has: the caller's own id, and the name or slug of a status. */
function readOrigin(
  order: Fields,
  statuses: StatusCatalogue,
): Pick<OrderBody, 'externalOrderId' | 'statusName'> {
  const statusName = order.text('status_name');
  if (
    statusName !== undefined &&
    statuses.byName(statusName) === undefined &&
    statuses.bySlug(statusName) === undefined
  ) {
    order.complain('status_name', COMPLAINT.unknown);
  }
  return { externalOrderId: order.word('external_order_id'), statusName };
}

function readCustomer(customer: Fields | undefined): Customer | undefined {
  if (customer === undefined) return undefined;
  if (!customer.has('id')) customer.need('name', 'mobile');
  return {
    id: customer.positive('id'),
    name: customer.text('name'),
    mobile: customer.word('mobile'),
    email: customer.matching('email', KIND.email, isEmail),
  };
}

function readReceiver(receiver: Fields | undefined): Receiver | undefined {
  if (receiver === undefined) return undefined;
  receiver.need('name', 'phone');
  receiver.flag('notify');
  return {
    name: receiver.text('name') ?? '',
    phone: receiver.word('phone') ?? '',
    email: receiver.matching('email', KIND.email, isEmail),
    countryCode: receiver.text('country_code'),
  };
}

/** Countries and cities are ids in the samples, names elsewhere: both do. */
function readShipTo(order: Fields): ShipTo | undefined {
  const shipTo = order.object('ship_to');
  if (shipTo === undefined) return undefined;
  shipTo.need('country', 'city');
  if (!shipTo.has('address')) shipTo.need('address_line');
  for (const name of [
    'country',
    'city',
    'block',
    'street_number',
    'address',
    'address_line',
    'postal_code',
  ]) {
    shipTo.word(name);
  }
  return order.json('ship_to');
}

function readPayment(payment: Fields | undefined, openStatus: string): Payment | undefined {
  if (payment === undefined) return undefined;
  payment.need('status');
  const status = payment.choice('status', ['paid', openStatus]);
  if (status === 'paid') payment.need('method');
  if (status === openStatus) payment.need('accepted_methods');
  const method = payment.text('method');
  if (method === 'cod') payment.need('cash_on_delivery');
  const cash = payment.object('cash_on_delivery');
  cash?.need('amount');
  const acceptedMethods = payment.list('accepted_methods') ?? [];
  if (payment.has('accepted_methods') && acceptedMethods.length === 0) {
    payment.complain('accepted_methods', (field) => COMPLAINT.kind(field, KIND.filledList));
  }
  return {
    status: status ?? '',
    method,
    acceptedMethods: acceptedMethods.map(String),
    cashOnDelivery: cash?.amount('amount') ?? 0,
  };
}

function readProducts(order: Fields, read: (product: Fields) => Product): Product[] {
  const products = order.objects('products') ?? [];
  if (order.has('products') && products.length === 0) {
    order.complain('products', (field) => COMPLAINT.kind(field, KIND.filledList));
  }
  return products.map(read);
}

/** A product of the store's own catalogue. */
function readOrdered(product: Fields): Product {
  product.need('identifier_type', 'identifier', 'quantity');
  const type = product.choice('identifier_type', ['id', 'sku']);
  const identifier = type === 'id' ? product.positive('identifier') : product.word('identifier');
  return {
    sku: typeof identifier === 'string' ? identifier : undefined,
    productId: typeof identifier === 'number' ? identifier : undefined,
    name: undefined,
    quantity: product.positive('quantity') ?? 0,
    price: CATALOGUE_PRICE,
  };
}

/** A product as another shop has sold it. */
function readSold(product: Fields): Product {
  product.need('quantity');
  if (!product.has('sku') && !product.has('name')) product.need('identifier');
  return {
    sku: product.text('sku') ?? product.word('identifier'),
    productId: undefined,
    name: product.text('name'),
    quantity: product.positive('quantity') ?? 0,
    price: product.amount('price') ?? CATALOGUE_PRICE,
  };
}

function isEmail(text: string): boolean {
  return EMAIL.test(text);
}

function isMinute(text: string): boolean {
  return MINUTE.test(text) && !Number.isNaN(Date.parse(text));
}

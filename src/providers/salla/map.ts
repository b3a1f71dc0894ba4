/**
 * Between our words and Salla's: an order becomes a request, an answer becomes a state, a page of a list an answer
 * to "is it there?". Pure.
 */
import type { JsonObject } from '../../json.js';
import type { OrderBody } from '../../orders/body.js';
import type { OrderStatus, OrderView, ProviderState, Tracking } from '../../orders/order.js';
import type { Outcome } from '../../policy/outcome.js';
import { wireNumber } from '../amounts.js';
import { foundOrders, onceEach, webAddress } from '../reading.js';
import { given, present } from '../requests.js';
import {
  type CatalogueOrder,
  type ExternalOrder,
  isWhole,
  type Moment,
  type OrderRow,
  type OrdersPage,
  type OrderUpdate,
  orderOptions,
  type ShipmentBody,
  type ShipmentRow,
  type ShipmentsPage,
  type StatusBody,
  shipmentOptions,
  statusOptions,
  updateParams,
  type WirePayment,
  type WireReceiver,
  type WireShipTo,
  type WireStatus,
} from './wire.js';

/** What of the configuration decides between words. */
export interface Words {
  /** How the open state of a payment is spelled; the documentation has both. */
  openPaymentStatus: 'waiting' | 'pending_payment';
  /** What Salla's `completed` is here: most stores mean "packed", some the end. */
  completedMeans: 'in_progress' | 'delivered';
}

/** Salla is told times in Riyadh, which has kept three hours ahead of UTC since 1947. */
const RIYADH_AHEAD_MS = 3 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

/**
 * The body of "Create External Order".
 * @param order one whose body has passed `bodyProblems`; anything else throws, being a mistake of ours
 */
export function externalOrder(order: OrderView, words: Words): ExternalOrder {
  const { body } = order;
  return {
    external_order_id: order.providerReference,
    date: riyadh(order.createdAt.getTime()).slice(0, 16).replace('T', ' '),
    ...given({ currency: body.currency }),
    ...(body.totals?.subtotal === undefined ? {} : { subtotal: wireNumber(body.totals.subtotal) }),
    ...(body.totals?.shipping === undefined ? {} : { shipping_cost: wireNumber(body.totals.shipping) }),
    ...placedOrder(body, words),
    products: (body.items ?? []).map(({ sku, name, quantity, unitPrice }) => ({
      sku: present(sku, 'sku'),
      name: name ?? present(sku, 'sku'),
      quantity,
      ...(unitPrice === undefined ? {} : { price: wireNumber(unitPrice) }),
    })),
  };
}

/** The body of "Create Order"; as above. */
export function catalogueOrder({ body }: OrderView, words: Words): CatalogueOrder {
  return {
    ...placedOrder(body, words),
    products: (body.items ?? []).map(({ sku, quantity }) => ({
      identifier_type: 'sku',
      identifier: present(sku, 'sku'),
      quantity,
    })),
  };
}

function placedOrder(body: OrderBody, words: Words) {
  const { customer } = body;
  const { deliveryMethod, courierId, branchId, ...rest } = orderOptions.parse(body.options);
  const receiver = wireReceiver(body);
  return {
    ...(customer?.id === undefined ? {} : { customer: { id: Number(customer.id) } }),
    ...(receiver === null ? {} : { receiver }),
    delivery_method: deliveryMethod,
    ...given({ courier_id: courierId, branch_id: branchId }),
    ...(deliveryMethod === 'shipping'
      ? { ship_to: wireShipTo(present(body.shippingAddress, 'shippingAddress'), rest) }
      : {}),
    payment: wirePayment(body, words, rest),
  };
}

/** Null where neither name nor number is given: then the customer's id stands for both. */
function wireReceiver({ customer, shippingAddress }: OrderBody): WireReceiver | null {
  const name = fullName(customer);
  const phone = wirePhone(customer?.phone);
  if (name === '' || phone === '') return null;
  return {
    name,
    phone,
    ...given({ country_code: shippingAddress?.country, email: customer?.email }),
    notify: false,
  };
}

function fullName(customer: OrderBody['customer']): string {
  return [customer?.firstName, customer?.lastName]
    .map((part) => part?.trim() ?? '')
    .filter((part) => part !== '')
    .join(' ');
}

/** As the samples write it: no spaces, dashes or brackets. */
function wirePhone(phone = ''): string {
  return phone.replace(/[^\d+]/g, '');
}

type Place = Pick<ReturnType<typeof orderOptions.parse>, 'countryId' | 'cityId' | 'block' | 'streetNumber'>;

function wireShipTo(address: NonNullable<OrderBody['shippingAddress']>, place: Partial<Place>): WireShipTo {
  const { line1, line2, city, postCode, country } = address;
  return {
    country: place.countryId ?? country,
    city: place.cityId ?? city,
    address_line: line1,
    ...given({
      address: line2,
      block: place.block,
      street_number: place.streetNumber,
      postal_code: postCode,
    }),
  };
}

/** `cash_on_delivery` is the store's charge for collecting and part of the total; a shop's order names none. */
function wirePayment(
  { payment, currency }: OrderBody,
  words: Words,
  options: Pick<ReturnType<typeof orderOptions.parse>, 'paymentStatus' | 'paymentMethod'>,
): WirePayment {
  const method = options.paymentMethod ?? (payment?.method === 'cod' ? 'cod' : 'credit_card');
  if (options.paymentStatus === 'waiting')
    return { status: words.openPaymentStatus, accepted_methods: [method] };
  if (method !== 'cod') return { status: 'paid', method };
  return { status: 'paid', method, cash_on_delivery: { amount: 0, ...given({ currency }) } };
}

/** The body of "Update Order": only what is to change. The receiver is taken whole. */
export function orderUpdate({ body }: OrderView, params: JsonObject): OrderUpdate {
  const { shippingAddress, customer } = updateParams.parse(params);
  const { deliveryMethod, courierId } = orderOptions.parse(body.options);
  const receiver =
    customer === undefined
      ? null
      : wireReceiver({ ...body, customer, shippingAddress: shippingAddress ?? body.shippingAddress });
  return {
    ...(receiver === null ? {} : { receiver }),
    ...(shippingAddress === undefined
      ? {}
      : {
          delivery_method: deliveryMethod,
          ...given({ courier_id: courierId }),
          // The ids of the old place do not go with a new one.
          ship_to: wireShipTo(shippingAddress, {}),
        }),
  };
}

/** The body of "Create Shipment". */
export function shipmentRequest(order: OrderView): ShipmentBody {
  const { body } = order;
  const { orderId, courierId, shipmentType, packages } = shipmentOptions.parse(body.options);
  const { payment, currency, shippingAddress, customer } = body;
  const isCod = payment?.method === 'cod';
  const name = fullName(customer);
  const phone = wirePhone(customer?.phone);
  return {
    order_id: orderId,
    external_id: order.providerReference,
    courier_id: courierId,
    shipment_type: shipmentType ?? 'shipment',
    payment_method: isCod ? 'cod' : 'pre_paid',
    ...(isCod
      ? {
          cash_on_delivery: {
            amount: wireNumber(present(payment.amountToCollect, 'payment.amountToCollect')),
            currency: present(currency, 'currency'),
          },
        }
      : {}),
    overwrite_exists_pending: false,
    packages: packages.map(({ name, sku, quantity, price, weight }) => ({
      ...given({ name, sku, quantity }),
      ...(price === undefined
        ? {}
        : { price: { amount: wireNumber(price.amount), currency: price.currency } }),
      ...given({ weight }),
    })),
    ...(shippingAddress === undefined
      ? {}
      : {
          ship_to: {
            ...wireShipTo(shippingAddress, {}),
            ...(name === '' ? {} : { name }),
            ...(phone === '' ? {} : { phone }),
            ...given({ email: customer?.email }),
          },
        }),
    ...given({ remarks: body.notes }),
  };
}

/** The order of the store that a shipment is for. */
export function shippedOrder({ body }: Pick<OrderView, 'body'>): string {
  return String(shipmentOptions.parse(body.options).orderId);
}

/** What a status write-back asks for. */
export interface StatusTarget {
  orderId: string;
  slug: string | null;
  statusId: string | null;
}

export function statusTarget({ body }: Pick<OrderView, 'body'>): StatusTarget {
  const { orderId, statusSlug, statusId } = statusOptions.parse(body.options);
  return {
    orderId: String(orderId),
    slug: statusSlug ?? null,
    statusId: statusId === undefined ? null : String(statusId),
  };
}

/** The body of "Update Order Status". */
export function statusBody(order: OrderView): StatusBody {
  const { slug, statusId } = statusTarget(order);
  const { notes } = order.body;
  return {
    ...(slug === null ? { status_id: Number(statusId) } : { slug }),
    ...given({ note: notes }),
  };
}

/**
 * What a write-back is known by: the store's order and our reference. The order alone would not do, for it takes
 * one status after another, and may take the same one twice.
 */
export function writeBackId(order: OrderView): string {
  return `${statusTarget(order).orderId}:${order.providerReference}`;
}

/** The order has the status that is asked for. */
export function hasStatus(target: StatusTarget, status: WireStatus | null | undefined): boolean {
  if (!status) return false;
  if (target.slug !== null) return status.slug === target.slug;
  return target.statusId !== null && [status.customId, status.id].includes(target.statusId);
}

/** By what a status is told from another; null where the answer tells of none. */
export function statusKey(status: WireStatus | null | undefined): string | null {
  return status?.customId ?? status?.id ?? status?.slug ?? null;
}

/** A moment as Riyadh's clocks tell it, in ISO 8601 without a zone. */
function riyadh(ms: number): string {
  return new Date(ms + RIYADH_AHEAD_MS).toISOString().slice(0, -1);
}

/**
 * The day from which a list is sure to show an order that came in at `createdAt`. Whether the day of `from_date`
 * counts in is not documented, so it is the day before.
 */
export function listedFrom(createdAt: Date): string {
  return new Date(createdAt.getTime() - DAY_MS).toISOString().slice(0, 10);
}

/** Order slugs in our words ("Status lifecycle"). `completed` is the configuration's. */
const ORDER_STATUSES: ReadonlyMap<string, OrderStatus> = new Map<string, OrderStatus>([
  ['draft', 'draft'],
  ['payment_pending', 'submitted'],
  ['waiting_for_payment_confirmation', 'submitted'],
  ['under_review', 'submitted'],
  ['in_progress', 'in_progress'],
  ['delivering', 'shipped'],
  ['shipped', 'shipped'],
  ['delivered', 'delivered'],
  ['canceled', 'canceled'],
  ['cancelled', 'canceled'],
  ['payment_failed', 'failed'],
]);

/** Shipment statuses in our words ("Shipment statuses"). */
const SHIPMENT_STATUSES: ReadonlyMap<string, OrderStatus> = new Map<string, OrderStatus>([
  ['pending', 'submitted'],
  ['creating', 'submitted'],
  ['created', 'in_progress'],
  ['in_progress', 'in_progress'],
  ['shipped', 'shipped'],
  ['in_transit', 'shipped'],
  ['received_at_final_hub', 'shipped'],
  ['delivering', 'shipped'],
  ['delivered', 'delivered'],
  ['cancelled', 'canceled'],
  ['canceled', 'canceled'],
  ['lost', 'failed'],
  ['damaged', 'failed'],
  ['return_to_origin', 'failed'],
]);

/** Words under which things stand still, or go another way, until a person acts in the store. */
const NEEDS_A_PERSON: ReadonlySet<string> = new Set([
  'request_quote',
  'restoring',
  'restored',
  'partially_delivered',
  'to_be_reattempted',
  'reattempted',
  'unable_to_deliver',
  'return_in_progress',
]);

/** Our word for the slug of an order's status; null where there is none. */
export function orderStatus(slug: string | null | undefined, words: Words): OrderStatus | null {
  const word = slug?.toLowerCase() ?? '';
  return word === 'completed' ? words.completedMeans : (ORDER_STATUSES.get(word) ?? null);
}

/** Our word for a shipment's status; null where there is none. */
export function shipmentStatus(slug: string | null | undefined): OrderStatus | null {
  return SHIPMENT_STATUSES.get(slug?.toLowerCase() ?? '') ?? null;
}

/** Salla's own word, for people: of a status of the merchant's own, its name. */
export function rawStatus(status: WireStatus | null | undefined): string {
  return status?.slug || status?.label || '';
}

function standing(
  what: 'order' | 'shipment',
  status: WireStatus | null | undefined,
  known: OrderStatus | null,
): Pick<ProviderState, 'status' | 'rawStatus' | 'failure' | 'attention'> {
  const word = rawStatus(status);
  if (known === 'failed') {
    const message = `Salla says of the ${what}: ${word}`;
    return { status: known, rawStatus: word, failure: { code: word, message } };
  }
  if (known !== null) return { status: known, rawStatus: word };
  return { status: null, rawStatus: word, attention: attentionTo(what, word) };
}

function attentionTo(what: 'order' | 'shipment', word: string): NonNullable<ProviderState['attention']> {
  if (NEEDS_A_PERSON.has(word.toLowerCase()))
    return {
      code: 'provider_attention',
      detail: `Salla holds the ${what} as ${word}: see to it in the store`,
    };
  const detail =
    word === ''
      ? `Salla names no status of the ${what}`
      : `the ${what}'s status "${word}" in Salla is not known here`;
  return { code: 'unknown_status', detail };
}

/**
 * An order of the store as a state.
 * @param partial it is a row of a list, which tells no shipments
 */
export function orderState(row: OrderRow, words: Words, partial: boolean): ProviderState {
  const tracking = (row.shipments ?? []).flatMap((shipment) =>
    shipment === null ? [] : toTracking(shipment),
  );
  const createdAt = toMs(row.date);
  return {
    providerOrderId: row.id,
    reference: row.external_order_id ?? null,
    ...standing('order', row.status, orderStatus(row.status?.slug, words)),
    ...(tracking.length === 0 ? {} : { tracking }),
    ...(partial ? { partial } : {}),
    ...(createdAt === null ? {} : { createdAt: new Date(createdAt).toISOString() }),
    ...(row.reference_id == null ? {} : { data: { orderNumber: row.reference_id } }),
  };
}

/** A shipment as a state; rows of lists tell as much as "Shipment Details". */
export function shipmentState(row: ShipmentRow): ProviderState {
  const tracking = toTracking(row);
  const createdAt = toMs(row.created_at);
  return {
    providerOrderId: row.id,
    reference: row.reference?.external_id ?? null,
    ...standing('shipment', row.status, shipmentStatus(row.status?.slug)),
    ...(tracking.length === 0 ? {} : { tracking }),
    ...(createdAt === null ? {} : { createdAt: new Date(createdAt).toISOString() }),
    ...(row.order_id == null ? {} : { data: { orderId: row.order_id } }),
  };
}

/** Nothing, where it leads nowhere: while a shipment is being created, no carrier has given it a number. */
function toTracking(row: ShipmentRow): Tracking[] {
  const code = row.tracking_number || row.shipping_number || null;
  const url = webAddress(row.tracking_link);
  if (code === null && url === null) return [];
  return [{ carrier: row.courier_name || null, code, url, status: rawStatus(row.status) || null }];
}

/** The zones that samples tell times in. */
const ZONES: ReadonlyMap<string, string> = new Map([
  ['Asia/Riyadh', '+03:00'],
  ['UTC', 'Z'],
]);

/** Epoch ms; null where the text is no time, or is told in a zone that is not known here. */
function toMs(moment: Moment): number | null {
  if (!moment?.date) return null;
  const local = moment.date.replace(' ', 'T');
  const named = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(local);
  const zone = ZONES.get(moment.timezone ?? '');
  if (!named && zone === undefined) return null;
  const ms = Date.parse(named ? local : `${local}${zone}`);
  return Number.isNaN(ms) ? null : ms;
}

/** Whether a row of a list is the order that is looked for. */
type Fit = 'ours' | 'maybe' | 'other';

/** What stands in a list beside a day's reach of our own clock may have been told in another zone than it says. */
const CLOCKS_DIFFER_MS = DAY_MS;
/** How much earlier than here an order may be dated there, where only its time tells it from an earlier one. */
const SLACK_MS = 10 * 60_000;

/**
 * What a page of orders says of one of ours.
 * @param by its own reference, or what else it is known by: "Create Order" takes no reference
 */
export function judgeOrders(
  order: OrderView,
  page: OrdersPage,
  by: 'reference' | 'correlation',
  words: Words,
): Outcome {
  // A store that shows the field in one row shows it in all: a row without it has no reference of ours.
  const shows = page.data.some((row) => row.external_order_id !== undefined);
  const fitOf = (row: OrderRow): Fit => {
    if (by === 'correlation') return row.external_order_id == null ? correlation(order, row) : 'other';
    if (row.external_order_id != null)
      return compareReference(order.providerReference, row.external_order_id);
    return shows || isAnother(order, row) ? 'other' : 'maybe';
  };
  const toState = (row: OrderRow): ProviderState => ({
    ...orderState(row, words, true),
    sameContent: sameItems(order.body, row),
  });
  return judge(
    page.data.map((row) => ({ fit: fitOf(row), state: toState(row) })),
    isWhole(page),
  );
}

/** What the list of an order's shipments says of one of ours; null where it holds those of other orders. */
export function judgeShipments(order: OrderView, page: ShipmentsPage): Outcome | null {
  const { courierId, shipmentType } = shipmentOptions.parse(order.body.options);
  const orderId = shippedOrder(order);
  if (page.data.some((row) => row.order_id != null && row.order_id !== orderId)) return null;
  const shows = page.data.some((row) => row.reference?.external_id !== undefined);
  const fitOf = (row: ShipmentRow): Fit => {
    const reference = row.reference?.external_id;
    if (reference != null) return compareReference(order.providerReference, reference);
    const isOther =
      (row.courier_id != null && row.courier_id !== String(courierId)) ||
      (row.type != null && row.type !== (shipmentType ?? 'shipment')) ||
      isEarlier(order, row.created_at, CLOCKS_DIFFER_MS);
    return shows || isOther ? 'other' : 'maybe';
  };
  return judge(
    page.data.map((row) => ({ fit: fitOf(row), state: shipmentState(row) })),
    isWhole(page),
  );
}

/** Found, or not there in a list that was read to its end; everything else proves nothing. */
function judge(rows: readonly { fit: Fit; state: ProviderState }[], whole: boolean): Outcome {
  const pick = (fit: Fit) => rows.filter((row) => row.fit === fit).map(({ state }) => state);
  const ours = foundOrders(pick('ours'), whole);
  if (ours !== null) return ours;
  const candidates = onceEach(pick('maybe'));
  if (candidates.length > 0) return { kind: 'done', states: candidates, ...(whole ? { whole: true } : {}) };
  return whole
    ? { kind: 'missing', code: 'not_listed', message: 'the list, read to its end, does not hold it' }
    : {
        kind: 'failed',
        code: 'list_too_long',
        message: 'what a page of a longer list lacks may stand on the next',
      };
}

/** A store may write a reference in its own way: what is nearly ours proves neither. */
function compareReference(ours: string, theirs: string): Fit {
  if (theirs === ours) return 'ours';
  const plain = (reference: string) =>
    reference
      .trim()
      .toLowerCase()
      .replace(/^0+(?=\d)/, '');
  return plain(theirs) === plain(ours) ? 'maybe' : 'other';
}

/** Ours by its customer, its items and its time together; another's where one of them says so. */
function correlation(order: OrderView, row: OrderRow): Fit {
  if (isAnother(order, row)) return 'other';
  const placedAt = toMs(row.date);
  const isOfTime = placedAt !== null && !isEarlier(order, row.date, SLACK_MS);
  return isOfTime && sameCustomer(order.body, row) === true && sameItems(order.body, row) === true
    ? 'ours'
    : 'maybe';
}

function isAnother({ body, createdAt }: OrderView, row: OrderRow): boolean {
  return (
    isEarlier({ createdAt }, row.date, CLOCKS_DIFFER_MS) ||
    sameCustomer(body, row) === false ||
    sameItems(body, row) === false
  );
}

function isEarlier({ createdAt }: Pick<OrderView, 'createdAt'>, moment: Moment, slackMs: number): boolean {
  const ms = toMs(moment);
  return ms !== null && ms < createdAt.getTime() - slackMs;
}

// Shorter runs of digits are no phone number, and would be the end of many.
const LEAST_PHONE_DIGITS = 7;

/** By id, else by phone, which lists show without the country's code; null where it cannot be told. */
function sameCustomer({ customer }: OrderBody, row: OrderRow): boolean | null {
  if (customer?.id !== undefined) return row.customer?.id == null ? null : row.customer.id === customer.id;
  const [ours, theirs] = [customer?.phone, row.customer?.mobile].map(nationalNumber);
  if (!ours || !theirs) return null;
  return ours.endsWith(theirs) || theirs.endsWith(ours);
}

function nationalNumber(phone: string | null | undefined): string | null {
  const digits = phone?.replace(/\D/g, '').replace(/^0+/, '') ?? '';
  return digits.length < LEAST_PHONE_DIGITS ? null : digits;
}

/** Rows tell quantities, and perhaps not of all items: more than was ordered is another order. */
function sameItems({ items = [] }: OrderBody, row: OrderRow): boolean | null {
  const shown = (row.items ?? []).map((item) => item?.quantity ?? null);
  if (shown.length === 0 || shown.includes(null)) return null;
  const left = items.map(({ quantity }) => quantity);
  for (const quantity of shown) {
    const at = quantity === null ? -1 : left.indexOf(quantity);
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return left.length === 0 ? true : null;
}

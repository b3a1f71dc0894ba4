/**
 * Between our words and Wasal's: an order becomes requests, answers become states, what is known becomes the steps
 * that are needed. Pure.
 */
import { createHash } from 'node:crypto';
import { Decimal } from 'decimal.js';
import { z } from 'zod';
import type { JsonObject } from '../../json.js';
import type { OrderBody, OrderItem } from '../../orders/body.js';
import type { OrderStatus, OrderView, ProviderState, Tracking } from '../../orders/order.js';
import type { Outcome } from '../../policy/outcome.js';
import { wireNumber } from '../amounts.js';
import type { Known, Preparation } from '../provider.js';
import { statusWord, timestamp, unknownStatus } from '../reading.js';
import { given, present } from '../requests.js';
import {
  type AddressBody,
  type CustomerBody,
  type ListPage,
  MAX_ADDRESSES,
  type OrderAnswer,
  orderOptions,
  PLACE_FIELDS,
  type Place,
  type SubmitBody,
  type WireItem,
  type WirePricing,
} from './wire.js';

/** How an account writes its orders. */
export interface OrderSettings {
  packagePhotoField: string;
  /** The field that asks for a draft; without it the account has none. */
  draftField?: 'status' | 'draft' | undefined;
}

/** What an address is called where the shop gives it no label; Wasal wants one. */
const LABEL = 'Delivery';

/** The phone number as Wasal is told it, and as we remember the customer by: without spaces, brackets and dashes. */
export function phoneOf({ customer }: OrderBody): string | null {
  const phone = customer?.phone?.replace(/[\s()-]/g, '') ?? '';
  return phone === '' ? null : phone;
}

/**
 * The body of an upsert.
 * @param withoutEmail the e-mail address is another customer's, so this one goes without
 */
export function customerBody({ body }: OrderView, withoutEmail: boolean): CustomerBody {
  const { email } = body.customer ?? {};
  return {
    phoneNumber: present(phoneOf(body), 'customer.phone'),
    name: nameOf(body),
    ...(email === undefined || withoutEmail ? {} : { email }),
  };
}

function nameOf({ customer }: OrderBody): string {
  const { firstName, lastName } = customer ?? {};
  return `${present(firstName, 'customer.firstName')} ${present(lastName, 'customer.lastName')}`.trim();
}

/** What the shop says of the customer, as a short text that changes with it. */
export function customerDigest(body: OrderBody): string {
  return digestOf([
    body.customer?.firstName ?? null,
    body.customer?.lastName ?? null,
    body.customer?.email ?? null,
  ]);
}

/** The address that an order describes; null where it names one of Wasal's, or leaves it to the customer's default. */
export function addressOf(body: OrderBody): AddressBody | null {
  const { shippingAddress } = body;
  const { customerAddressId, address } = optionsOf(body);
  if (customerAddressId !== undefined || (address === undefined && shippingAddress === undefined))
    return null;
  const { label = LABEL, ...fields } = address ?? {};
  // Without an area id the city is all that says where in Kuwait the street is.
  const city = fields.neighborhoodId === undefined ? shippingAddress?.city : undefined;
  const line1 = [shippingAddress?.line1, shippingAddress?.line2, city].filter((part) => part !== undefined);
  return {
    label,
    ...given(fields),
    ...(line1.length === 0 ? {} : { line1: line1.join(', ') }),
  };
}

/** The address that an order names by its id. */
export function namedAddress(body: OrderBody): string | null {
  return optionsOf(body).customerAddressId ?? null;
}

function placeOf(address: AddressBody): Place {
  // Every field of the type stands in the list.
  return Object.fromEntries(PLACE_FIELDS.map((field) => [field, address[field] ?? null])) as Place;
}

/** An address without its label, as a short text: equal for equal places. */
export function placeDigest(place: Place): string {
  return digestOf(PLACE_FIELDS.map((field) => plain(place[field])));
}

/** As `placeDigest`, for an address that we send. */
export function addressDigest(address: AddressBody): string {
  return placeDigest(placeOf(address));
}

/**
 * Whether an address that Wasal holds is the place that an order describes. What Wasal may fill in by itself is
 * not held against it: the kind of address, and the governorate that a neighborhood lies in.
 */
export function isSamePlace(address: AddressBody, held: Place): boolean {
  const wanted = placeOf(address);
  return PLACE_FIELDS.every((field) => {
    const filledIn = field === 'addressType' || (field === 'governorateId' && wanted.neighborhoodId !== null);
    return plain(wanted[field]) === plain(held[field]) || (filledIn && wanted[field] === null);
  });
}

function plain(value: string | null): string | null {
  return value?.normalize('NFC').trim().replace(/\s+/g, ' ') || null;
}

function digestOf(parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/**
 * The body of a new order.
 * @param order one whose body has passed `bodyProblems`; anything else throws, being a mistake of ours
 * @param carry what the steps before have found out: `customerId`, `customerAddressId`
 */
export function submitBody(
  order: OrderView,
  carry: JsonObject,
  settings: OrderSettings,
): SubmitBody & Record<string, unknown> {
  const { body, providerReference } = order;
  const { branchId, branchCode, specialHandlingTags, packageSide, packagePhoto } = optionsOf(body);
  const customerId = textIn(carry, 'customerId') ?? body.customer?.id;
  const customerAddressId = namedAddress(body) ?? textIn(carry, 'customerAddressId') ?? undefined;
  const pricing = wirePricing(body.totals);
  return {
    customerId: present(customerId, 'customer'),
    ...given({ customerAddressId, branchId, branchCode }),
    specialHandlingTags: [...specialHandlingTags],
    ...given({ packageSide }),
    ...wirePayment(body.payment),
    ...(pricing === null ? {} : { pricing }),
    ...(body.items === undefined ? {} : { items: body.items.map(wireItem) }),
    ...(body.notes === undefined ? {} : { merchantNotes: body.notes }),
    orderMerchantReferenceNumber: providerReference,
    ...(packagePhoto === undefined ? {} : { [settings.packagePhotoField]: packagePhoto }),
    ...(asksForDraft(body, settings) ? draft(settings) : {}),
  };
}

/** The shop wants the order held, and the account knows how to say so to Wasal. */
export function asksForDraft(body: OrderBody, { draftField }: OrderSettings): boolean {
  return body.activate === false && draftField !== undefined;
}

function draft({ draftField }: OrderSettings): { status: 'draft' } | { draft: true } {
  return draftField === 'status' ? { status: 'draft' } : { draft: true };
}

function wirePayment(payment: OrderBody['payment']): Pick<SubmitBody, 'paymentMethod' | 'amountToCollect'> {
  if (payment === undefined) return {};
  const { method, amountToCollect } = payment;
  if (method === 'prepaid') return { paymentMethod: method };
  return {
    paymentMethod: method,
    amountToCollect: wireNumber(present(amountToCollect, 'payment.amountToCollect')),
  };
}

function wirePricing(totals: OrderBody['totals']): WirePricing | null {
  const { subtotal, shipping, total } = totals ?? {};
  if (subtotal === undefined && shipping === undefined && total === undefined) return null;
  return {
    ...(subtotal === undefined ? {} : { subtotal: wireNumber(subtotal) }),
    ...(shipping === undefined ? {} : { deliveryFee: wireNumber(shipping) }),
    ...(total === undefined ? {} : { total: wireNumber(total) }),
  };
}

function wireItem({ name, sku, reference, quantity, unitPrice }: OrderItem): WireItem {
  return {
    name: name ?? sku ?? reference,
    ...(sku === undefined ? {} : { sku }),
    qty: quantity,
    ...(unitPrice === undefined ? {} : { price: wireNumber(unitPrice) }),
  };
}

function optionsOf(body: OrderBody) {
  return orderOptions.parse(body.options ?? {});
}

/** A text of an operation's carry; null where there is none. */
export function textIn(carry: JsonObject, key: string): string | null {
  const value = carry[key];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Wasal's words in ours ("Status lifecycle"). */
const STATUSES: ReadonlyMap<string, OrderStatus> = new Map<string, OrderStatus>([
  ['draft', 'draft'],
  ['pending', 'submitted'],
  ['assigned', 'in_progress'],
  ['on_way_to_merchant', 'in_progress'],
  ['picked_up', 'shipped'],
  ['in_transit', 'shipped'],
  ['delivered', 'delivered'],
  ['failed', 'failed'],
  ['returned', 'returned'],
  ['cancelled', 'canceled'],
  ['canceled', 'canceled'],
]);

/** Our word for a status; null where it is not known here. */
export function statusOf(answer: Pick<OrderAnswer, 'status'>): OrderStatus | null {
  return STATUSES.get(statusWord(answer.status)) ?? null;
}

/** An order of the provider as a state. */
export function toState(answer: OrderAnswer): ProviderState {
  const rawStatus = answer.status ?? '';
  const createdAt = timestamp(answer.createdAt);
  const tracking = toTracking(answer);
  return {
    providerOrderId: answer._id,
    reference: answer.orderMerchantReferenceNumber ?? null,
    rawStatus,
    ...standing(answer, rawStatus),
    ...(tracking === null ? {} : { tracking: [tracking] }),
    ...(createdAt === null ? {} : { createdAt }),
    data: toData(answer),
  };
}

/** What a delivery that ended badly comes to is for a person to decide: it is no verdict on the customer's order. */
function standing(
  answer: OrderAnswer,
  rawStatus: string,
): Pick<ProviderState, 'status' | 'failure' | 'attention'> {
  const status = statusOf(answer);
  switch (status) {
    case 'failed':
      return {
        status,
        failure: { code: 'delivery_failed', message: 'Wasal could not deliver the package' },
        attention: {
          code: 'delivery_failed',
          detail: 'Wasal could not deliver the package: decide whether it goes out again',
        },
      };
    case 'returned':
      return {
        status,
        attention: { code: 'returned', detail: 'the package came back: decide what becomes of the order' },
      };
    case null:
      return { status, attention: unknownStatus('Wasal', rawStatus) };
    default:
      return { status };
  }
}

/** The number by which Wasal's public tracking finds the order ("Endpoints"); a page for people is not documented. */
function toTracking({ orderNumber, status }: OrderAnswer): Tracking | null {
  if (orderNumber == null) return null;
  return { carrier: 'Wasal', code: orderNumber, url: null, status: status || null };
}

/** What later steps need: which address an order uses, above all. */
export function toData({ orderNumber, customerId, customerAddressId }: OrderAnswer): JsonObject {
  return {
    ...(orderNumber == null ? {} : { orderNumber }),
    ...(customerId == null ? {} : { customerId }),
    ...(customerAddressId == null ? {} : { customerAddressId }),
  };
}

/**
 * Whether Wasal's order is what this one asks for, by what the answer tells of it; null where it tells nothing
 * that could be compared. What was not sent is not compared: Wasal works it out by itself.
 */
export function sameContent(body: OrderBody, carry: JsonObject, answer: OrderAnswer): boolean | null {
  const customerId = textIn(carry, 'customerId') ?? body.customer?.id ?? null;
  const verdicts = [
    isSame(customerId, answer.customerId),
    isSame(namedAddress(body) ?? textIn(carry, 'customerAddressId'), answer.customerAddressId),
    isSame(body.payment?.method ?? 'prepaid', answer.paymentMethod),
    body.payment?.method === 'cod'
      ? isSameAmount(body.payment.amountToCollect, answer.amountToCollect)
      : null,
    body.totals?.total === undefined ? null : isSameAmount(body.totals.total, answer.pricing?.total),
    sameItems(body.items ?? [], answer.items ?? []),
  ];
  if (verdicts.includes(false)) return false;
  return verdicts.includes(true) ? true : null;
}

function isSame(ours: string | null, theirs: string | null | undefined): boolean | null {
  return ours === null || theirs == null || theirs === '' ? null : ours === theirs;
}

function isSameAmount(ours: string | undefined, theirs: string | null | undefined): boolean | null {
  return ours === undefined || theirs == null ? null : new Decimal(ours).equals(theirs);
}

/** Quantities by sku, where both sides name a sku for each item. */
function sameItems(ours: readonly OrderItem[], theirs: NonNullable<OrderAnswer['items']>): boolean | null {
  const wanted = bySku(ours.map(({ sku, quantity }) => [sku, String(quantity)]));
  const held = bySku(theirs.map((item) => [item?.sku, item?.qty]));
  return wanted === null || held === null ? null : wanted === held;
}

function bySku(items: readonly (readonly [sku: unknown, quantity: unknown])[]): string | null {
  const named = items.filter(([sku, quantity]) => typeof sku === 'string' && typeof quantity === 'string');
  if (items.length === 0 || named.length < items.length) return null;
  return JSON.stringify(named.map(([sku, quantity]) => `${sku} ${quantity}`).sort());
}

/** Whose order it is and where it goes, as far as the steps before have found out. */
export function idsOf({ body }: OrderView, carry: JsonObject): JsonObject {
  const customerId = textIn(carry, 'customerId') ?? body.customer?.id ?? null;
  const customerAddressId = namedAddress(body) ?? textIn(carry, 'customerAddressId');
  return {
    ...(customerId === null ? {} : { customerId }),
    ...(customerAddressId === null ? {} : { customerAddressId }),
  };
}

/**
 * What a page of the list says of one of ours. That `referenceNumber` finds exact matches only is not documented, so
 * rows that merely contain it are passed over.
 */
export function judgeList(order: OrderView, carry: JsonObject, page: ListPage): Outcome | null {
  const { providerReference: asked, body } = order;
  const orders = page.orders.filter((row) => row !== null);
  // A row that has nothing of what was asked for: the filter is being ignored, and an absence proves nothing.
  const fits = (reference: string | null | undefined) =>
    reference?.toLowerCase().includes(asked.toLowerCase()) === true;
  if (orders.length < page.orders.length) return null;
  if (!orders.every((row) => fits(row.orderMerchantReferenceNumber))) return null;
  const named = orders.filter((row) => row.orderMerchantReferenceNumber === asked);
  const [found, second] = named;
  if (found === undefined) {
    const message = 'the list holds no order of this reference';
    return page.isWhole ? { kind: 'missing', code: 'not_listed', message } : null;
  }
  // Two of one reference: which of them is ours cannot be told.
  if (second !== undefined) return { kind: 'done', states: named.map(toState) };
  const state = toState(found);
  return {
    kind: 'observed',
    state: {
      ...state,
      data: { ...idsOf(order, carry), ...state.data },
      sameContent: sameContent(body, carry, found),
    },
  };
}

/** An address that Wasal holds, as the carry of an operation keeps it. */
export const heldAddresses = z.array(z.object({ id: z.string(), digest: z.string() }));
export type HeldAddress = z.output<typeof heldAddresses>[number];

/** The addresses that the last read of the customer told of; null where none is to be relied on. */
function heldIn(carry: JsonObject): HeldAddress[] | null {
  return heldAddresses.safeParse(carry.addresses).data ?? null;
}

/** The fact under which an address is remembered: by its content, and of whom. */
export function addressFact(digest: string): string {
  return `address/${digest}`;
}

/** Which steps of a submit are needed, from what is known: each claim asks anew, so the carry is the whole memory. */
export const prepare = {
  facts: (kind, { order, carry }) => {
    if (kind !== 'submit' || order === undefined) return { facts: [] };
    const phone = phoneOf(order.body);
    const wanted = addressOf(order.body);
    const customerId = textIn(carry, 'customerId');
    const isFull = (heldIn(carry)?.length ?? 0) >= MAX_ADDRESSES;
    // Whoever corrected an order may have corrected what we remembered wrongly, too.
    const mayRemember = order.generation === 1;
    const isNameless = customerId === null && order.body.customer?.id === undefined;
    return {
      facts: [
        ...(mayRemember && isNameless && phone !== null ? [{ kind: 'customer', key: phone }] : []),
        ...(mayRemember && wanted !== null ? [{ kind: addressFact(addressDigest(wanted)) }] : []),
      ],
      ...(isFull && customerId !== null ? { openOrders: { customerId } } : {}),
    };
  },
  begin: (kind, { order, carry }, known: Known) => {
    if (kind !== 'submit' || order === undefined) return null;
    const learned = lessonOf(known.last);
    const customerId = textIn(carry, 'customerId') ?? order.body.customer?.id ?? knownCustomer(order, known);
    if (customerId === null) return { step: 'customer', carry: learned };
    const ids = { ...learned, customerId };
    const wanted = addressOf(order.body);
    if (wanted === null)
      return { step: 'order', carry: { ...ids, customerAddressId: namedAddress(order.body) } };
    const customerAddressId = textIn(carry, 'customerAddressId') ?? knownAddress(wanted, customerId, known);
    if (customerAddressId !== null) return { step: 'order', carry: { ...ids, customerAddressId } };
    const held = heldIn({ ...carry, ...learned });
    if (held === null) return { step: 'customer-get', carry: ids };
    if (held.length < MAX_ADDRESSES) return { step: 'address', carry: ids };
    const free = replaceable(held, known.openOrders);
    return free === null
      ? { step: 'address-sixth', carry: ids }
      : { step: 'address-replace', carry: { ...ids, replaces: { ...free } } };
  },
} satisfies Preparation;

/** What the end of the last call changes about the next one. */
function lessonOf(last: Known['last']): JsonObject {
  if (last?.kind !== 'failed') return {};
  if (last.step === 'customer') return last.code === 'CUSTOMER_EMAIL_DUPLICATE' ? { withoutEmail: true } : {};
  // Whether the address is there, or how many there are, only the customer itself tells now.
  return last.step.startsWith('address') ? { addresses: null } : {};
}

/** A customer whom we have told Wasal of, in just these words. */
function knownCustomer({ body }: OrderView, { facts }: Known): string | null {
  const value = facts.find(({ kind, key }) => kind === 'customer' && key === phoneOf(body))?.value;
  return value?.told === customerDigest(body) ? textIn(value, 'customerId') : null;
}

function knownAddress(wanted: AddressBody, customerId: string, { facts }: Known): string | null {
  const kind = addressFact(addressDigest(wanted));
  const fact = facts.find((one) => one.kind === kind && one.key === customerId);
  return fact === undefined ? null : textIn(fact.value, 'addressId');
}

/**
 * An address that no open order uses; null where there is none, or where it cannot be told. The first is the
 * customer's default ("Create-order body"), so it is the last to be taken.
 */
function replaceable(held: readonly HeldAddress[], openOrders: readonly JsonObject[]): HeldAddress | null {
  const used = openOrders.map((data) => textIn(data, 'customerAddressId'));
  // An order without a named address goes to a default one, which can be any of them.
  if (used.includes(null)) return null;
  const free = held.filter(({ id }) => !used.includes(id));
  return free.find(({ id }) => id !== held[0]?.id) ?? free[0] ?? null;
}

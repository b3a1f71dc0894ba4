/**
 * Wasal's wire format: what it accepts (types of the requests, and everything that a shop's order can be wrong
 * about) and what it answers. Its answers are untrusted: every reader here takes any value and throws on none.
 * All amounts are Kuwaiti dinars, which have three decimals.
 */
import { Decimal } from 'decimal.js';
import { z } from 'zod';
import { optionProblems, type Path, problem, unless } from '../../field-problems.js';
import type { FieldProblem, OrderBody, OrderItem } from '../../orders/body.js';
import type { Answer, ProviderError } from '../../policy/answer.js';
import { hasText, isFetchable, type PhoneRule, phoneProblems } from '../body-checks.js';
import { canStandInPath, clean, exactText, isObject, name, objectId, text } from '../reading.js';

/** What a driver has to know about a package ("Create-order body"). */
export const SPECIAL_HANDLING_TAGS = [
  'fragile',
  'liquid',
  'heavy',
  'oversized',
  'temperature_sensitive',
  'food',
  'flowers',
  'other',
  'none',
] as const;

/** "Endpoints", addresses: a customer has so many at most. */
export const MAX_ADDRESSES = 5;

/** "What it is": amounts in KWD, three decimals. */
const CURRENCY = 'KWD';
const DECIMALS = 3;

export interface CustomerBody {
  phoneNumber: string;
  name: string;
  email?: string;
}

/** What makes two addresses the same place; the label is only what it is called. */
export const PLACE_FIELDS = [
  'addressType',
  'governorateId',
  'neighborhoodId',
  'blockId',
  'streetId',
  'houseNumber',
  'buildingName',
  'floorNumber',
  'apartmentNumber',
  'line1',
] as const;
type PlaceField = (typeof PLACE_FIELDS)[number];

export type AddressBody = { label: string } & { [field in PlaceField]?: string };
/** The fields of an address that Wasal holds; null where it has none. */
export type Place = Record<PlaceField, string | null>;

export interface WireItem {
  name: string;
  sku?: string;
  qty: number;
  price?: number;
}

export interface WirePricing {
  subtotal?: number;
  deliveryFee?: number;
  total?: number;
}

/** Beside these, the photo of the package under a name that the account configures. */
export interface SubmitBody {
  customerId: string;
  customerAddressId?: string;
  branchId?: string;
  branchCode?: string;
  specialHandlingTags: string[];
  packageSide?: string;
  paymentMethod?: 'cod' | 'prepaid';
  amountToCollect?: number;
  pricing?: WirePricing;
  items?: WireItem[];
  merchantNotes?: string;
  orderMerchantReferenceNumber: string;
}

const idOption = z
  .union([z.string(), z.int()], 'must be an id: text or a whole number')
  .transform((id) => String(id).trim())
  .refine(
    (id) => id.length > 0 && id.length <= 200 && canStandInPath(id) && !/\p{Cc}/u.test(id),
    'must be an id of 1 to 200 characters',
  );

const textOption = z
  .union([z.string(), z.int()], 'must be text')
  .transform((value) => String(value).trim())
  .refine((value) => value.length > 0 && value.length <= 200, 'must have 1 to 200 characters');

const addressOption = z.strictObject({
  label: textOption.optional(),
  addressType: textOption.optional(),
  governorateId: idOption.optional(),
  neighborhoodId: idOption.optional(),
  blockId: idOption.optional(),
  streetId: idOption.optional(),
  houseNumber: textOption.optional(),
  buildingName: textOption.optional(),
  floorNumber: textOption.optional(),
  apartmentNumber: textOption.optional(),
});

/** What this provider takes under `options` of an order. */
export const orderOptions = z.strictObject({
  branchId: idOption.optional(),
  branchCode: idOption.optional(),
  specialHandlingTags: z
    .array(
      z.enum(SPECIAL_HANDLING_TAGS, `must be one of ${SPECIAL_HANDLING_TAGS.join(', ')}`),
      `must be a list of at least one of ${SPECIAL_HANDLING_TAGS.join(', ')}`,
    )
    .min(1, `must name at least one of ${SPECIAL_HANDLING_TAGS.join(', ')}`),
  packageSide: textOption.optional(),
  packagePhoto: z
    .string('must be the URL of a photo')
    .refine(
      (url) => isFetchable(url, 'http or https'),
      'must be an absolute http or https URL without user name and password',
    )
    .optional(),
  customerAddressId: idOption.optional(),
  address: addressOption.optional(),
});

/**
 * What Wasal would refuse about a body, or do wrong with it; all of it at once.
 * @param packageSides what `packageSide` may be, where the account says so
 */
export function bodyProblems(body: OrderBody, packageSides?: readonly string[]): FieldProblem[] {
  return [
    ...currencyProblems(body.currency),
    ...customerProblems(body.customer),
    ...addressProblems(body),
    ...(body.items ?? []).flatMap(itemProblems),
    ...moneyProblems(body),
    ...branchProblems(body.options),
    ...optionProblems(orderOptions, body.options, ['options']),
    ...sideProblems(body.options?.packageSide, packageSides),
  ];
}

function currencyProblems(currency: string | undefined): FieldProblem[] {
  const detail = `must be ${CURRENCY}, the currency of all of Wasal's amounts, or be left out`;
  return unless(currency === undefined || currency === CURRENCY, ['currency'], 'invalid', detail);
}

/** A customer is either one that Wasal knows, or described well enough to be found or made by phone number. */
function customerProblems(customer: OrderBody['customer']): FieldProblem[] {
  if (customer?.id !== undefined) {
    return unless(
      canStandInPath(customer.id),
      ['customer', 'id'],
      'invalid',
      "must be Wasal's id of a customer",
    );
  }
  return [
    ...(['firstName', 'lastName', 'phone'] as const).flatMap((field) =>
      unless(
        hasText(customer?.[field]),
        ['customer', field],
        'required',
        "is required, unless customer.id gives Wasal's id of the customer",
      ),
    ),
    ...phoneProblems(customer?.phone, PHONE),
  ];
}

/** Which spellings Wasal takes is not documented; numbers of Kuwait have 8 digits. */
const PHONE: PhoneRule = {
  form: /^\s*\+?\d[\d ()-]*$/,
  leastDigits: 8,
  detail:
    'must be 8 to 15 digits, with + and the country code where it is not of Kuwait, such as "+965 5000 1234"',
};

function addressProblems({ shippingAddress, options }: OrderBody): FieldProblem[] {
  const named = options?.customerAddressId !== undefined;
  const both = 'must be left out beside customerAddressId, which names an address already';
  const abroad = 'must be KW: Wasal delivers in Kuwait';
  return [
    ...unless(!(named && options?.address !== undefined), ['options', 'address'], 'conflict', both),
    ...unless(
      named || shippingAddress === undefined || shippingAddress.country === 'KW',
      ['shippingAddress', 'country'],
      'invalid',
      abroad,
    ),
  ];
}

function itemProblems({ unitPrice, options }: OrderItem, index: number): FieldProblem[] {
  return [
    ...amountProblems(unitPrice, ['items', index, 'unitPrice']),
    ...Object.keys(options ?? {}).map((key) =>
      problem(
        ['items', index, 'options', key],
        'unknown_option',
        'is not known here: items have no options at Wasal',
      ),
    ),
  ];
}

function moneyProblems({ payment, totals }: OrderBody): FieldProblem[] {
  const { subtotal, shipping, total } = totals ?? {};
  return [
    ...amountProblems(subtotal, ['totals', 'subtotal']),
    ...amountProblems(shipping, ['totals', 'shipping']),
    ...amountProblems(total, ['totals', 'total']),
    ...amountProblems(payment?.amountToCollect, ['payment', 'amountToCollect']),
    ...collectProblems(payment, total),
  ];
}

function amountProblems(amount: string | undefined, path: Path): FieldProblem[] {
  const fits = amount === undefined || new Decimal(amount).decimalPlaces() <= DECIMALS;
  return unless(fits, path, 'invalid', `must have ${DECIMALS} decimals at most, as ${CURRENCY} has`);
}

/** "Create-order body" and "Errors": INVALID_AMOUNT_TO_COLLECT, AMOUNT_EXCEEDS_TOTAL. Zero may be collected. */
function collectProblems(payment: OrderBody['payment'], total: string | undefined): FieldProblem[] {
  const path = ['payment', 'amountToCollect'];
  const amount = payment?.amountToCollect;
  if (payment?.method !== 'cod') {
    const none = new Decimal(amount ?? 0).isZero();
    return unless(none, path, 'conflict', 'must be left out where the order is prepaid');
  }
  if (amount === undefined)
    return [
      problem(path, 'required', 'is required for cash on delivery: the amount that the driver collects'),
    ];
  const covered = total === undefined || new Decimal(amount).lte(total);
  return unless(covered, path, 'invalid', `must not be more than totals.total, which is ${total}`);
}

function branchProblems(options: OrderBody['options']): FieldProblem[] {
  const given = ['branchId', 'branchCode'].filter((field) => options?.[field] !== undefined);
  if (given.length === 2) {
    const detail = 'must be left out beside branchId: one of the two names the branch';
    return [problem(['options', 'branchCode'], 'conflict', detail)];
  }
  const detail = 'give branchId or branchCode: the branch where the driver picks the package up';
  return unless(given.length === 1, ['options', 'branchId'], 'required', detail);
}

function sideProblems(side: unknown, sides: readonly string[] | undefined): FieldProblem[] {
  if (sides === undefined || typeof side !== 'string') return [];
  const detail = `must be one of ${sides.join(', ')}`;
  return unless(sides.includes(side.trim()), ['options', 'packageSide'], 'invalid', detail);
}

/** A field that names another object: its id, or the object itself. Null where it is neither. */
const link = z
  .union([objectId, z.object({ _id: objectId }).transform(({ _id }) => _id)])
  .nullish()
  .catch(null);

/** As a plain decimal string; null where it is no amount. */
const amount = z
  .union([z.number(), z.string().regex(/^-?\d{1,15}(\.\d{1,9})?$/)])
  .transform((value) => new Decimal(value).toFixed())
  .nullish()
  .catch(null);

const answeredItem = z.object({ sku: exactText, qty: amount }).nullable().catch(null);

/** An order. Only `_id`, `orderNumber` and `status` are known to be told ("Endpoints", get). */
const order = z.object({
  _id: objectId,
  orderNumber: name.nullish().catch(null),
  status: text,
  orderMerchantReferenceNumber: name.nullish().catch(null),
  customerId: link,
  customerAddressId: link,
  paymentMethod: exactText,
  amountToCollect: amount,
  pricing: z.object({ total: amount }).nullish().catch(null),
  items: z.array(answeredItem).nullish().catch(null),
  createdAt: text,
});
export type OrderAnswer = z.output<typeof order>;

const place = z.object(Object.fromEntries(PLACE_FIELDS.map((field) => [field, exactText])));

/** An address of a customer's. */
export interface StoredAddress {
  id: string;
  place: Place;
}

/** A customer with as many addresses as the answer tells of; null where it tells of no list. */
export interface StoredCustomer {
  id: string;
  addresses: StoredAddress[] | null;
  /** The call made it, so that nothing of it was there before. */
  isNew: boolean;
}

/** One page of the list ("Endpoints", list / search). */
export interface ListPage {
  /** Null: a row that cannot be read. */
  orders: (OrderAnswer | null)[];
  /** Nothing follows and nothing goes before: these are all. */
  isWhole: boolean;
}

/** The order of a success, which may stand in `data` itself; null where there is none. */
export function readOrder(answer: Answer): OrderAnswer | null {
  return order.safeParse(within(answer, 'order')).data ?? null;
}

/** The customer of a success; null where there is none. */
export function readCustomer(answer: Answer): StoredCustomer | null {
  const found = within(answer, 'customer');
  const parsed = z.object({ _id: objectId }).safeParse(found);
  if (!parsed.success) return null;
  const { addresses } = objectOf(found);
  return {
    id: parsed.data._id,
    // An address without an id cannot be named, so it can be neither reused nor replaced.
    addresses: Array.isArray(addresses) ? addresses.flatMap((one) => readStored(one) ?? []) : null,
    isNew: objectOf(objectOf(answer.json).data).created === true,
  };
}

/** The address of a success; null where there is none. */
export function readAddress(answer: Answer): StoredAddress | null {
  return readStored(within(answer, 'address'));
}

function readStored(value: unknown): StoredAddress | null {
  const named = z.object({ _id: objectId }).safeParse(value);
  if (!named.success) return null;
  const told: Record<string, string | null | undefined> = place.safeParse(value).data ?? {};
  // Every field of the type stands in the list.
  const fields = Object.fromEntries(PLACE_FIELDS.map((field) => [field, told[field] ?? null])) as Place;
  return { id: named.data._id, place: fields };
}

/** A page of a list; null where it is none. */
export function readList(answer: Answer): ListPage | null {
  const data = objectOf(successOf(answer));
  const { list } = data;
  if (!Array.isArray(list)) return null;
  const { page, total } = objectOf(data.pagination);
  return {
    orders: list.map((row) => order.safeParse(row).data ?? null),
    isWhole: page === 1 && total === list.length,
  };
}

/** The envelope says that it went well ("Auth and environments"). */
export function isSuccess(answer: Answer): boolean {
  return successOf(answer) !== undefined;
}

/** `data` of a success; undefined where the envelope is another. */
function successOf({ json }: Answer): unknown {
  const { success, data } = objectOf(json);
  return success === true ? (data ?? null) : undefined;
}

/** What `data` holds under a name, or `data` itself where it has no such thing inside. */
function within(answer: Answer, what: string): unknown {
  const data = successOf(answer);
  const inside = objectOf(data)[what];
  return typeof inside === 'object' && inside !== null ? inside : data;
}

/** The value's own fields; none where it is no object. */
function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

/** A code as the reference writes them; anything else is not handed on as one. */
const code = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/);
const errorEnvelope = z.object({
  success: z.literal(false),
  message: z.string().nullish().catch(null),
  code: code.nullish().catch(null),
});

const shortfall = z.object({ required: amount, balance: amount, currency: text });

// More fields than a form has; an answer that names more is not read by anybody.
const MOST_FIELDS = 100;

/** Reads the error envelope ("Errors"): the code decides, the message is for people. */
export function readError(answer: Answer): ProviderError {
  const parsed = errorEnvelope.safeParse(answer.json);
  if (!parsed.success)
    return { own: false, message: `HTTP ${answer.status} without the provider's envelope` };
  const { errors, data } = objectOf(answer.json);
  const fields = readFields(errors);
  const said = clean(parsed.data.message ?? '') || `Wasal says ${parsed.data.code ?? answer.status}`;
  return {
    own: true,
    message: said + moneyIn(data),
    ...(parsed.data.code == null ? {} : { code: parsed.data.code }),
    ...(fields === null ? {} : { fields }),
  };
}

/** `errors` maps each field to one text; a list of texts is taken too. */
function readFields(errors: unknown): Record<string, string[]> | null {
  const entries = Object.entries(objectOf(errors)).slice(0, MOST_FIELDS);
  const fields = entries.flatMap(([field, told]) => {
    const texts = (Array.isArray(told) ? told.slice(0, MOST_FIELDS) : [told])
      .filter((one) => typeof one === 'string')
      .map((one) => clean(one))
      .filter((one) => one !== '');
    return texts.length === 0 ? [] : [[clean(field), texts] as const];
  });
  return fields.length === 0 ? null : Object.fromEntries(fields);
}

/** With INSUFFICIENT_WALLET_BALANCE: what it takes and what there is, behind the message. */
function moneyIn(data: unknown): string {
  const parsed = shortfall.safeParse(data);
  if (!parsed.success || parsed.data.required == null || parsed.data.balance == null) return '';
  const { required, balance, currency } = parsed.data;
  const figure = (value: string) => `${new Decimal(value).toFixed(DECIMALS)} ${currency || CURRENCY}`;
  return ` (needs ${figure(required)}, holds ${figure(balance)})`;
}

/**
 * GelatoConnect's wire format: what it accepts (types of the requests, and everything that a shop's order can
 * be wrong about) and what it answers. Its answers are untrusted: every reader here takes any value and
 * throws on none. The `...InclVat` fields hold amounts WITHOUT VAT ("Special Notes for International
 * Orders"); those names stay in this file and in map.ts.
 */
import { z } from 'zod';
import { optionProblems, type Path, problem, unless } from '../../field-problems.js';
import type { JsonObject } from '../../json.js';
import { type FieldProblem, type OrderBody, type OrderItem, orderBody } from '../../orders/body.js';
import type { Answer, ProviderError } from '../../policy/answer.js';
import { Exact, exactNumber } from '../amounts.js';
import {
  countryProblems,
  hasText,
  isFetchable,
  type PhoneRule,
  phoneProblems,
  prepaidOnlyProblems,
  readUpdateParams,
} from '../body-checks.js';
import { canStandInPath, clean, exactText, name, objectId, text } from '../reading.js';

/** Where a design goes on the product ("Type of file"). */
export const FILE_TYPES = [
  'default',
  'front',
  'back',
  'cover',
  'neck-inner',
  'neck-outer',
  'sleeve-left',
  'sleeve-right',
  'inside',
  'chest-left-embroidery',
  'chest-center-embroidery',
  'chest-large-embroidery',
  'sleeve-left-embroidery',
  'sleeve-right-embroidery',
  'wrist-left-embroidery',
  'wrist-right-embroidery',
] as const;

/** `draft` is held at the provider until it is turned into an `order`. */
export type OrderType = 'order' | 'draft';

export interface WireMetadata {
  key: string;
  value: string;
}

export interface WireAddress {
  country: string;
  firstName: string;
  lastName: string;
  addressLine1: string;
  addressLine2?: string;
  city: string;
  postCode: string;
  /** Empty outside the US, Canada and Australia where the shop gives none. */
  state: string;
  email: string;
  phone: string;
  companyName?: string;
  isBusiness?: boolean;
  federalTaxId?: string;
  stateTaxId?: string;
  registrationState?: string;
}

export interface WireItem {
  itemReferenceId: string;
  productUid?: string;
  productName?: string;
  productVariant?: Record<string, string>;
  quantity: number;
  /** Without VAT; for all pieces of the item together. */
  retailPriceInclVat?: number;
  files: { type: string; url: string }[];
  metadata?: WireMetadata[];
}

export interface SubmitBody {
  orderReferenceId: string;
  orderType: OrderType;
  currency: string;
  retailCurrency?: string;
  /** Without VAT. */
  retailShippingPriceInclVat?: number;
  shipmentMethodUid?: string;
  shippingAddress: WireAddress;
  items: WireItem[];
  metadata?: WireMetadata[];
  preventDuplicate?: true;
}

export interface UpdateBody {
  shipmentMethodUid?: string;
  shippingAddress?: WireAddress;
}

export interface SearchBody {
  orderReferenceIds?: string[];
  /** ISO 8601, of creation. */
  startDate?: string;
  offset?: number;
  limit: number;
}

/** What this provider takes under `options` of an order. */
export const orderOptions = z.strictObject({
  retailCurrency: z.string().refine(isCurrency, 'must be an ISO 4217 currency code in capitals').optional(),
  isBusiness: z.boolean().optional(),
  stateTaxId: z.string().max(60).optional(),
  registrationState: z.string().max(60).optional(),
});

/** What this provider takes under `options` of an item. */
export const itemOptions = z.strictObject({
  productName: z.string().trim().min(1).max(500).optional(),
  productVariant: z.record(z.string().min(1).max(200), z.string().max(500)).optional(),
});

/** The parameters of an `update`, in the shop's words. */
export const updateParams = orderBody.pick({ shippingMethod: true, shippingAddress: true, customer: true });

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

function isCurrency(code: string): boolean {
  return CURRENCIES.has(code);
}

/** The price of all pieces of an item without VAT, as a decimal string; null where no price is given. */
export function itemPriceExVat(item: OrderItem): string | null {
  return item.unitPrice === undefined ? null : new Exact(item.unitPrice).times(item.quantity).toFixed();
}

/** What GelatoConnect would refuse about a body, or do wrong with it; all of it at once. */
export function bodyProblems(body: OrderBody): FieldProblem[] {
  return [
    ...unless(
      canStandInPath(body.reference),
      ['reference'],
      'invalid',
      'goes into URLs: "." and ".." and broken characters cannot stand there',
    ),
    ...currencyProblems(body.currency),
    ...REQUIRED_OF_CUSTOMER.flatMap((name) => required(body.customer?.[name], ['customer', name])),
    ...phoneProblems(body.customer?.phone, PHONE),
    ...(body.shippingAddress === undefined
      ? [problem(['shippingAddress'], 'required', 'is required: give line1, city, postCode and country')]
      : addressProblems(body.shippingAddress)),
    ...itemsProblems(body.items ?? []),
    ...prepaidOnlyProblems(body.payment, 'GelatoConnect'),
    ...amountProblems(body.totals?.shipping ?? null, ['totals', 'shipping']),
    ...optionProblems(orderOptions, body.options, ['options']),
  ];
}

/** Reads the parameters of an `update`, or says what is wrong with them. */
export function readUpdate(params: unknown): { params: JsonObject } | { problems: FieldProblem[] } {
  return readUpdateParams(updateParams, params, updateProblems);
}

function updateProblems(update: z.output<typeof updateParams>): FieldProblem[] {
  const { shippingMethod, shippingAddress, customer } = update;
  const given = REQUIRED_OF_CUSTOMER.filter((name) => customer?.[name] !== undefined);
  return [
    ...unless(
      [shippingMethod, shippingAddress, customer].some((part) => part !== undefined),
      [],
      'required',
      'give shippingMethod, shippingAddress or customer: at least one of them',
    ),
    ...given.flatMap((name) => required(customer?.[name], ['customer', name])),
    ...phoneProblems(customer?.phone, PHONE),
    ...(shippingAddress === undefined ? [] : addressProblems(shippingAddress)),
  ];
}

const REQUIRED_OF_CUSTOMER = ['firstName', 'lastName', 'email', 'phone'] as const;

/** The countries whose addresses need a state ("Shipping Address Parameters"). */
const COUNTRIES_WITH_STATE: readonly string[] = ['US', 'CA', 'AU'];

function required(
  value: string | undefined,
  path: Path,
  detail = 'is required by GelatoConnect',
): FieldProblem[] {
  return unless(hasText(value), path, 'required', detail);
}

function currencyProblems(currency: string | undefined): FieldProblem[] {
  if (currency === undefined) return required(currency, ['currency']);
  return unless(
    isCurrency(currency),
    ['currency'],
    'invalid',
    'must be an ISO 4217 currency code in capitals',
  );
}

/** "With country code", of which none begins with 0. */
const PHONE: PhoneRule = {
  form: /^\+[1-9][\d ()-]*$/,
  leastDigits: 6,
  detail: 'must be + with the country code and 6 to 15 digits in all, such as "+47 22 22 22 22"',
};

function addressProblems(address: NonNullable<OrderBody['shippingAddress']>): FieldProblem[] {
  const { country, state } = address;
  const at = (name: string): Path => ['shippingAddress', name];
  return [
    ...(['line1', 'city', 'postCode'] as const).flatMap((name) => required(address[name], at(name))),
    ...countryProblems(country, at('country')),
    ...(COUNTRIES_WITH_STATE.includes(country)
      ? required(state, at('state'), `is required in ${country}: give the code of the state or province`)
      : []),
  ];
}

function itemsProblems(items: readonly OrderItem[]): FieldProblem[] {
  if (items.length === 0) return [problem(['items'], 'required', 'is required: give at least one item')];
  return [
    ...items.flatMap((item, index) => [
      ...productProblems(item, ['items', index]),
      ...filesProblems(item.files ?? [], ['items', index, 'files']),
      ...amountProblems(itemPriceExVat(item), ['items', index, 'unitPrice']),
      ...optionProblems(itemOptions, item.options, ['items', index, 'options']),
    ]),
    ...repeatedReferences(items),
    ...mixedMethods(items),
  ];
}

/** Two ways to name a product, of which an item uses one ("Selecting a Product"). */
function productProblems(item: OrderItem, path: Path): FieldProblem[] {
  const { productName, productVariant } = item.options ?? {};
  const sku = [...path, 'sku'];
  if (productName === undefined && productVariant === undefined) {
    return required(
      item.sku,
      sku,
      'give sku (the productUid), or options.productName with options.productVariant',
    );
  }
  if (item.sku !== undefined) {
    const detail = 'give either sku, or options.productName with options.productVariant, not both';
    return [problem(sku, 'conflict', detail)];
  }
  const at = (name: string): Path => [...path, 'options', name];
  return [
    ...unless(productName !== undefined, at('productName'), 'required', 'is required beside productVariant'),
    ...unless(
      productVariant !== undefined,
      at('productVariant'),
      'required',
      'is required beside productName',
    ),
  ];
}

/** One order names all its products in the same way ("Selecting a Product"); an item that uses both ways counts as neither. */
function mixedMethods(items: readonly OrderItem[]): FieldProblem[] {
  const methods = items.map(({ sku, options }) => {
    const byName = options?.productName !== undefined || options?.productVariant !== undefined;
    if (byName === (sku !== undefined)) return null;
    return byName ? 'options' : 'sku';
  });
  const first = methods.find((method) => method !== null);
  const detail =
    'all items of an order must name their product in the same way: by sku, or by productName and productVariant';
  return methods.flatMap((method, index) =>
    method === null ? [] : unless(method === first, ['items', index, method], 'conflict', detail),
  );
}

function repeatedReferences(items: readonly OrderItem[]): FieldProblem[] {
  return items.flatMap(({ reference }, index) => {
    const first = items.findIndex((item) => item.reference === reference);
    const detail = `is that of item ${first} too: each item needs its own`;
    return unless(first === index, ['items', index, 'reference'], 'conflict', detail);
  });
}

function filesProblems(files: NonNullable<OrderItem['files']>, path: Path): FieldProblem[] {
  if (files.length === 0) return [problem(path, 'required', 'is required: give at least one print file')];
  const types: readonly string[] = FILE_TYPES;
  const aboutType = `must be one of ${FILE_TYPES.join(', ')}`;
  const aboutUrl = 'must be an absolute https URL without user name and password';
  return files.flatMap(({ type, url }, index) => [
    ...unless(types.includes(type), [...path, index, 'type'], 'invalid', aboutType),
    ...unless(isFetchable(url, 'https'), [...path, index, 'url'], 'invalid', aboutUrl),
  ]);
}

function amountProblems(amount: string | null, path: Path): FieldProblem[] {
  const fits = amount === null || exactNumber(amount) !== null;
  return unless(
    fits,
    path,
    'invalid',
    `makes the amount ${amount}, too many digits for a JSON number: shorten it`,
  );
}

const quantity = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,9}(\.0+)?$/)
      .transform(Number),
  ])
  .nullish()
  .catch(null);

const trackingCode = z.object({ code: text, url: text }).nullish().catch(null);

const parcel = z
  .object({ trackingCode: text, trackingUrl: text, tracking: trackingCode, carrier: text, status: text })
  .nullable()
  .catch(null);

const shipment = z
  .object({
    shipmentMethodName: text,
    shipmentMethodUid: text,
    tracking: trackingCode,
    packages: z.array(parcel).nullish().catch(null),
  })
  .nullish()
  .catch(null);

const answeredItem = z.object({
  itemReferenceId: exactText,
  productUid: exactText,
  finalProductUid: exactText,
  quantity,
});

/** An order as "Get Order" tells it; rows of "Search Orders" are the same with most of it left out. */
export const orderAnswer = z.object({
  id: objectId,
  orderReferenceId: name.nullish().catch(null),
  orderType: text,
  fulfillmentStatus: text,
  financialStatus: text,
  refusalReason: text,
  refusalReasonCode: text,
  comment: text,
  createdAt: text,
  updatedAt: text,
  shippingAddress: z.object({ country: exactText }).nullish().catch(null),
  items: z.array(answeredItem).nullish().catch(null),
  shipment,
});
export type OrderAnswer = z.output<typeof orderAnswer>;

/** The answer to a submit. */
export const submitAnswer = z.object({ id: objectId, orderReferenceId: name.nullish() });

/** A page of "Search Orders"; one unreadable row makes the page unreadable, so that no order is overlooked. */
export const searchAnswer = z.object({ orders: z.array(orderAnswer) });

const errorEnvelope = z.object({ code: z.number(), message: z.string() });

/** Statuses under which the provider speaks of the content or of the order's state. */
const SPEAKS_OF_THE_ORDER: readonly number[] = [400, 409, 422];

/**
 * Reads the error envelope. Its number repeats the HTTP status, so the code is taken from the sentence: only
 * for the two cases in which it decides what follows (policy.ts).
 */
export function readError(answer: Answer): ProviderError {
  const parsed = errorEnvelope.safeParse(answer.json);
  if (!parsed.success)
    return { own: false, message: `HTTP ${answer.status} without the provider's envelope` };
  const message = clean(parsed.data.message);
  const code = SPEAKS_OF_THE_ORDER.includes(answer.status) ? codeOf(message) : null;
  return { own: true, message, ...(code === null ? {} : { code }) };
}

/** The wordings are not documented. A miss leaves the rule of the status; a false hit costs one look at the order. */
function codeOf(message: string): 'duplicate_reference' | 'order_state' | null {
  if (/\bduplicat|\balready (?:exist|been (?:used|submitted)|in use|used|submitted)/i.test(message))
    return 'duplicate_reference';
  const ofState = /\b(?:already|status|no longer|has been|until|updat\w*|chang\w*|modif\w*)\b/i;
  const ended = /\b(?:shipped|delivered|returned|in[ _]transit|cancell?ed)\b/i;
  return ofState.test(message) && ended.test(message) ? 'order_state' : null;
}

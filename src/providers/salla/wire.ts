/**
 * Salla's wire format: what it accepts (types of the requests, and everything that a shop's order can be wrong
 * about) and what it answers. Its answers are untrusted: every reader here takes any value and throws on none.
 * `status` of the envelope repeats the HTTP number; `status` of an order is an object, of a shipment a word, or
 * the other way round ("Traps").
 */
import { z } from 'zod';
import { optionProblems, type Path, problem, unless } from '../../field-problems.js';
import type { JsonObject } from '../../json.js';
import { type FieldProblem, money, type OrderBody, type OrderItem, orderBody } from '../../orders/body.js';
import type { Answer, ProviderError } from '../../policy/answer.js';
import { Exact, exactNumber } from '../amounts.js';
import {
  countryProblems,
  hasText,
  type PhoneRule,
  phoneProblems,
  readUpdateParams,
  referenceSpaceProblems,
} from '../body-checks.js';
import { clean, exactText, name, objectId, text } from '../reading.js';

/** How an account fulfils: it puts orders into a store, ships orders of the store, or writes their status. */
export type Mode = 'A' | 'B' | 'C';

/** The two calls that create an order; only the second takes a reference of ours. */
export const ORDER_PATHS = ['/orders', '/orders/external'] as const;
export type OrderPath = (typeof ORDER_PATHS)[number];

export interface WireReceiver {
  name: string;
  phone: string;
  country_code?: string;
  email?: string;
  /** Whether the store writes to the receiver by itself. */
  notify: false;
}

export interface WireShipTo {
  /** Salla's id, or a code or name. */
  country: string | number;
  city: string | number;
  address_line: string;
  address?: string;
  block?: string;
  street_number?: string;
  postal_code?: string;
}

export interface WireMoney {
  amount: number;
  currency: string;
}

export interface WirePayment {
  /** `paid`, or the open state, which the documentation spells in two ways. */
  status: string;
  method?: string;
  accepted_methods?: string[];
  /** What the store charges for collecting, on top of the order's total; not the sum to collect. */
  cash_on_delivery?: { amount: number; currency?: string };
}

/** What both ways to create an order take. */
interface PlacedOrder {
  customer?: { id: number };
  receiver?: WireReceiver;
  delivery_method: 'shipping' | 'pickup';
  courier_id?: number;
  branch_id?: number;
  ship_to?: WireShipTo;
  payment: WirePayment;
}

/** "Create Order": products of the store's catalogue, at its prices. */
export interface CatalogueOrder extends PlacedOrder {
  products: { identifier_type: 'sku'; identifier: string; quantity: number }[];
}

/** "Create External Order": sold elsewhere, with the seller's own id, names and prices. */
export interface ExternalOrder extends PlacedOrder {
  external_order_id: string;
  /** `YYYY-MM-DD HH:mm`, in the store's time. */
  date: string;
  currency?: string;
  subtotal?: number;
  shipping_cost?: number;
  products: { sku: string; name: string; quantity: number; price?: number }[];
}

/** "Update Order": parts of an order. */
export interface OrderUpdate {
  receiver?: WireReceiver;
  delivery_method?: 'shipping' | 'pickup';
  courier_id?: number;
  ship_to?: WireShipTo;
}

/** "Update Order Status". */
export interface StatusBody {
  slug?: string;
  status_id?: number;
  note?: string;
}

/** "Create Shipment". */
export interface ShipmentBody {
  order_id: number;
  external_id: string;
  courier_id: number;
  shipment_type: 'shipment' | 'return';
  payment_method: 'cod' | 'pre_paid';
  cash_on_delivery?: WireMoney;
  /** An order's pending shipment is never replaced behind somebody's back. */
  overwrite_exists_pending: false;
  packages: WirePackage[];
  ship_to?: WireShipTo & { name?: string; email?: string; phone?: string };
  remarks?: string;
}

export interface WirePackage {
  name?: string;
  sku?: string;
  quantity?: number;
  price?: WireMoney;
  weight?: { value: number; units: string };
}

/** Ids have nine or ten digits today; fifteen is what a JSON number holds exactly. */
const storeId = z.union(
  [
    z.int().min(1),
    z
      .string()
      .regex(/^[1-9]\d{0,14}$/)
      .transform(Number),
  ],
  { error: "must be Salla's id: a whole number above 0" },
);
const line = z.string().trim().min(1).max(200);

/** The slugs of Salla's own statuses ("Order Status"); a merchant's own statuses go by id. */
export const STATUS_SLUGS = [
  'payment_pending',
  'waiting_for_payment_confirmation',
  'request_quote',
  'under_review',
  'in_progress',
  'completed',
  'delivering',
  'shipped',
  'delivered',
  'canceled',
  'payment_failed',
  'restoring',
  'restored',
] as const;

/** What mode A takes under `options`. */
export const orderOptions = z.strictObject({
  deliveryMethod: z.enum(['shipping', 'pickup'], { error: 'must be shipping or pickup' }),
  courierId: storeId.optional(),
  branchId: storeId.optional(),
  paymentStatus: z.enum(['paid', 'waiting'], { error: 'must be paid or waiting' }).optional(),
  /** Salla's word, such as `credit_card` or `bank`; taken from `payment` where it is left out. */
  paymentMethod: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,49}$/, 'must be a payment method of Salla, such as credit_card')
    .optional(),
  /** Where the store goes by its own ids of countries and cities. */
  countryId: storeId.optional(),
  cityId: storeId.optional(),
  block: line.optional(),
  streetNumber: line.optional(),
});

const wirePackage = z.strictObject({
  name: line.optional(),
  sku: line.optional(),
  quantity: z.int().min(1).max(1_000_000).optional(),
  price: z.strictObject({ amount: money, currency: line }).optional(),
  weight: z.strictObject({ value: z.number().min(0), units: line }).optional(),
});

/** What mode B takes under `options`. */
export const shipmentOptions = z.strictObject({
  orderId: storeId,
  courierId: storeId,
  shipmentType: z.enum(['shipment', 'return'], { error: 'must be shipment or return' }).optional(),
  packages: z
    .array(wirePackage, { error: 'give a list of at least one package' })
    .min(1, 'give at least one package')
    .max(100),
});

/** What mode C takes under `options`; exactly one of the last two. */
export const statusOptions = z.strictObject({
  orderId: storeId,
  statusSlug: z
    .enum(STATUS_SLUGS, {
      error: `must be one of ${STATUS_SLUGS.join(', ')}; a status of the merchant's own goes by statusId`,
    })
    .optional(),
  statusId: storeId.optional(),
});

/** No item of an order takes options. */
const itemOptions = z.strictObject({});

/** The parameters of an `update` in mode A, in the shop's words. */
export const updateParams = orderBody.pick({ shippingAddress: true, customer: true });

/** What Salla would refuse about a body, or what would go wrong with it; all of it at once. */
export function bodyProblems(
  body: OrderBody,
  settings: { mode: Mode; orderPath: OrderPath },
): FieldProblem[] {
  switch (settings.mode) {
    case 'A':
      return orderProblems(body, settings.orderPath);
    case 'B':
      return shipmentProblems(body);
    case 'C':
      return statusProblems(body);
    default: {
      const unhandled: never = settings.mode;
      return unhandled;
    }
  }
}

function orderProblems(body: OrderBody, orderPath: OrderPath): FieldProblem[] {
  const { options, items = [], totals } = body;
  const isExternal = orderPath === '/orders/external';
  return [
    ...(isExternal ? referenceSpaceProblems(body.reference) : []),
    ...customerProblems(body.customer),
    ...deliveryProblems(body, isExternal),
    ...unless(items.length > 0, ['items'], 'required', 'is required: give at least one item'),
    ...items.flatMap((item, index) => itemProblems(item, ['items', index])),
    ...(isExternal
      ? [
          ...amountProblems(totals?.subtotal, ['totals', 'subtotal']),
          ...amountProblems(totals?.shipping, ['totals', 'shipping']),
        ]
      : []),
    ...collectedByStore(body),
    ...optionProblems(orderOptions, options, ['options']),
  ];
}

/** "Customer id or receiver" ("Create Order"); a receiver needs a name and a phone number. */
function customerProblems(customer: OrderBody['customer']): FieldProblem[] {
  const { id, firstName, lastName } = customer ?? {};
  const how = "is required: give the receiver's name and phone, or customer.id of the store";
  return [
    ...(id === undefined
      ? [
          ...unless(hasText(firstName) || hasText(lastName), ['customer', 'firstName'], 'required', how),
          ...unless(hasText(customer?.phone), ['customer', 'phone'], 'required', how),
        ]
      : unless(
          storeId.safeParse(id).success,
          ['customer', 'id'],
          'invalid',
          "must be the customer's id in the store: a whole number above 0",
        )),
    ...phoneProblems(customer?.phone, PHONE),
  ];
}

/** With or without the country's code. */
const PHONE: PhoneRule = {
  form: /^\+?\d[\d ()-]*$/,
  leastDigits: 7,
  detail: 'must be a phone number of 7 to 15 digits, such as "+966 50 123 4567"',
};

/** Shipping needs a place, pickup a branch ("Create Order"). */
function deliveryProblems({ shippingAddress, options }: OrderBody, isExternal: boolean): FieldProblem[] {
  const { deliveryMethod, branchId, courierId } = options ?? {};
  if (deliveryMethod === 'pickup')
    return unless(branchId !== undefined, ['options', 'branchId'], 'required', 'is required for pickup');
  if (deliveryMethod !== 'shipping') return [];
  return [
    ...unless(
      isExternal || courierId !== undefined,
      ['options', 'courierId'],
      'required',
      'is required for shipping: give the id of a shipping company of the store',
    ),
    ...addressProblems(shippingAddress),
  ];
}

function addressProblems(address: OrderBody['shippingAddress']): FieldProblem[] {
  if (address === undefined)
    return [problem(['shippingAddress'], 'required', 'is required: give line1, city and country')];
  return countryProblems(address.country, ['shippingAddress', 'country']);
}

function itemProblems({ sku, unitPrice, options }: OrderItem, path: Path): FieldProblem[] {
  return [
    ...unless(hasText(sku), [...path, 'sku'], 'required', 'is required: Salla knows products by their sku'),
    ...amountProblems(unitPrice, [...path, 'unitPrice']),
    ...optionProblems(itemOptions, options, [...path, 'options']),
  ];
}

/** There is no field for the sum: the store collects what the order comes to. */
function collectedByStore({ payment, totals }: OrderBody): FieldProblem[] {
  const { amountToCollect } = payment ?? {};
  if (amountToCollect === undefined) return [];
  const at: Path = ['payment', 'amountToCollect'];
  if (payment?.method !== 'cod') return prepaidProblems(amountToCollect);
  const isWhole = totals?.total === undefined || new Exact(amountToCollect).equals(totals.total);
  return unless(
    isWhole,
    at,
    'invalid',
    "must equal totals.total or be left out: the store collects the whole of the order's total",
  );
}

function prepaidProblems(amountToCollect: string | undefined): FieldProblem[] {
  return unless(
    amountToCollect === undefined || new Exact(amountToCollect).isZero(),
    ['payment', 'amountToCollect'],
    'invalid',
    'must be left out where payment.method is prepaid',
  );
}

function shipmentProblems(body: OrderBody): FieldProblem[] {
  const { payment, currency, shippingAddress, options } = body;
  const packages = shipmentOptions.shape.packages.safeParse(options?.packages).data ?? [];
  return [
    ...referenceSpaceProblems(body.reference),
    ...phoneProblems(body.customer?.phone, PHONE),
    ...(shippingAddress === undefined ? [] : addressProblems(shippingAddress)),
    ...(payment?.method === 'cod'
      ? [
          ...unless(
            payment.amountToCollect !== undefined,
            ['payment', 'amountToCollect'],
            'required',
            'is required for cash on delivery',
          ),
          ...amountProblems(payment.amountToCollect, ['payment', 'amountToCollect']),
          ...unless(
            currency !== undefined,
            ['currency'],
            'required',
            'is required for cash on delivery: the currency of payment.amountToCollect',
          ),
        ]
      : prepaidProblems(payment?.amountToCollect)),
    ...packages.flatMap(({ price }, index) =>
      amountProblems(price?.amount, ['options', 'packages', index, 'price', 'amount']),
    ),
    ...optionProblems(shipmentOptions, options, ['options']),
  ];
}

function statusProblems({ options }: OrderBody): FieldProblem[] {
  const { statusSlug, statusId } = options ?? {};
  return [
    ...unless(
      statusSlug !== undefined || statusId !== undefined,
      ['options', 'statusSlug'],
      'required',
      'is required: give options.statusSlug, or options.statusId',
    ),
    ...unless(
      statusSlug === undefined || statusId === undefined,
      ['options', 'statusId'],
      'conflict',
      'give either statusSlug or statusId, not both',
    ),
    ...optionProblems(statusOptions, options, ['options']),
  ];
}

/** Reads the parameters of an `update`, or says what is wrong with them. */
export function readUpdate(params: unknown): { params: JsonObject } | { problems: FieldProblem[] } {
  return readUpdateParams(updateParams, params, updateProblems);
}

function updateProblems({ shippingAddress, customer }: z.output<typeof updateParams>): FieldProblem[] {
  return [
    ...unless(
      shippingAddress !== undefined || customer !== undefined,
      [],
      'required',
      'give shippingAddress or customer: at least one of them',
    ),
    ...(customer === undefined
      ? []
      : [
          ...unless(
            customer.id === undefined,
            ['customer', 'id'],
            'invalid',
            'must be left out: an update changes the receiver, not whose order it is',
          ),
          ...customerProblems({ ...customer, id: undefined }),
        ]),
    ...(shippingAddress === undefined ? [] : addressProblems(shippingAddress)),
  ];
}

function amountProblems(amount: string | undefined, path: Path): FieldProblem[] {
  const fits = amount === undefined || exactNumber(amount) !== null;
  return unless(fits, path, 'invalid', 'has too many digits for a JSON number: shorten it');
}

const otherId = name.nullish().catch(null);
/** Ours. Absent, where the store does not show it; null, where it shows that there is none. */
const externalId = name.nullish().catch(undefined);

/** A time with the zone that it is told in, or a text that names its own. */
const moment = z
  .union([
    z.object({ date: text, timezone: text }),
    z.string().transform((date) => ({ date, timezone: null })),
  ])
  .nullish()
  .catch(null);
export type Moment = z.output<typeof moment>;

const slugHolder = z.object({ slug: text }).nullish().catch(null);

/** A status in any of its shapes: a word, or an object whose slug may be missing for statuses of the merchant's own. */
const status = z
  .union([
    z.string().transform((word) => ({ slug: clean(word), id: null, customId: null, label: null })),
    z
      .object({
        id: otherId,
        slug: text,
        name: text,
        customized: z.object({ id: otherId, name: text }).nullish().catch(null),
        parent: slugHolder,
        original: slugHolder,
      })
      .transform((told) => ({
        slug: told.slug || told.parent?.slug || told.original?.slug || null,
        id: told.id ?? null,
        customId: told.customized?.id ?? null,
        label: told.customized?.name || told.name || null,
      })),
  ])
  .nullish()
  .catch(null);
export type WireStatus = NonNullable<z.output<typeof status>>;

/** A shipment of "Shipment Details", of lists, and inside orders. */
export const shipmentRow = z.object({
  id: objectId,
  order_id: otherId,
  type: text,
  courier_id: otherId,
  courier_name: text,
  shipping_number: text,
  tracking_number: text,
  tracking_link: text,
  status,
  reference: z.object({ external_id: externalId }).nullish().catch(undefined),
  created_at: moment,
});
export type ShipmentRow = z.output<typeof shipmentRow>;

const quantity = z.int().nullish().catch(null);

/** An order of "Order Details"; rows of "List Orders" are the same with most of it left out. */
export const orderRow = z.object({
  id: objectId,
  reference_id: otherId,
  external_order_id: externalId,
  status,
  date: moment,
  actions: z
    .object({ cancellable: z.boolean().nullish().catch(null) })
    .nullish()
    .catch(null),
  customer: z.object({ id: otherId, mobile: exactText }).nullish().catch(null),
  items: z.array(z.object({ quantity }).nullable().catch(null)).nullish().catch(null),
  shipments: z.array(shipmentRow.nullable().catch(null)).nullish().catch(null),
});
export type OrderRow = z.output<typeof orderRow>;

/** "Success response": the envelope of whatever is found, inserted or updated. */
const success = <Data extends z.ZodType>(data: Data) => z.object({ success: z.literal(true), data });
export const orderAnswer = success(orderRow);
export const shipmentAnswer = success(shipmentRow);
/** Of an answer that has no object to show. */
export const doneAnswer = z.object({ success: z.literal(true) });

const count = z.int().min(0).nullish().catch(null);
const pagination = z.object({ total: count, currentPage: count, totalPages: count }).nullish().catch(null);

/** A page of a list; one unreadable row makes it unreadable, so that nothing is overlooked. */
const page = <Row extends z.ZodType>(row: Row) =>
  z.object({ success: z.literal(true), data: z.array(row), pagination });
export const ordersPage = page(orderRow);
export const shipmentsPage = page(shipmentRow);
/** Whatever its rows are: that it came is proof enough of the credentials. */
export const anyPage = page(z.unknown());
export type OrdersPage = z.output<typeof ordersPage>;
export type ShipmentsPage = z.output<typeof shipmentsPage>;

/** The page holds the whole list: by its own count, and nothing comes after it. */
export function isWhole(list: {
  data: readonly unknown[];
  pagination?: z.output<typeof pagination>;
}): boolean {
  const { total, currentPage, totalPages } = list.pagination ?? {};
  return (
    typeof total === 'number' &&
    total <= list.data.length &&
    (currentPage ?? 1) === 1 &&
    (totalPages ?? 1) <= 1
  );
}

const code = z.union([z.string(), z.number()]).transform((value) => clean(String(value), 100).toLowerCase());

const fieldMessages = z
  .record(z.string(), z.union([z.array(z.unknown()), z.string().transform((one) => [one])]).catch([]))
  .nullish()
  .catch(null);

const errorEnvelope = z.object({
  success: z.literal(false),
  error: z.object({ code: code.nullish().catch(null), message: text, fields: fieldMessages }),
});

/** RFC 6749, section 5.2: neither `status` nor `success`. */
const oauthEnvelope = z.object({ error: z.string().min(1).max(100), error_description: text });

/** The slugs of the table in "Responses". The samples beside it spell some in another way, so the status decides. */
const SLUGS: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  410: 'gone',
  422: 'validation_failed',
  429: 'too_many_requests',
  500: 'server_error',
  503: 'service_unavailable',
};

/** Reads the error envelope, or the bare one of OAuth. Messages come in Arabic too, whatever is asked for. */
export function readError(answer: Answer): ProviderError {
  const parsed = errorEnvelope.safeParse(answer.json);
  if (!parsed.success) {
    const bare = oauthEnvelope.safeParse(answer.json);
    if (!bare.success) return { own: false, message: `HTTP ${answer.status} without Salla's envelope` };
    const word = clean(bare.data.error, 100);
    return { own: true, code: word, message: bare.data.error_description || `Salla says ${word}` };
  }
  const { code: slug, message: said, fields: told } = parsed.data.error;
  const fields = readFields(told ?? {});
  const stands = statusOf(answer);
  return {
    own: true,
    code: codeOf(stands, said ?? '', fields) ?? SLUGS[stands] ?? slug ?? `http_${stands}`,
    message: sentence(said || slug || `HTTP ${stands}`, fields),
    ...(Object.keys(fields).length === 0 ? {} : { fields }),
  };
}

/**
 * The status that an answer stands for. An envelope that refuses is a refusal, whatever HTTP says; one that names
 * an order all the same contradicts itself, and is left to the step.
 */
export function statusOf(answer: Answer): number {
  if (answer.status < 200 || answer.status > 299) return answer.status;
  const refused = z
    .object({ status: z.int().min(400).max(599), success: z.literal(false), data: z.null().optional() })
    .safeParse(answer.json);
  return refused.success && errorEnvelope.safeParse(answer.json).success
    ? refused.data.status
    : answer.status;
}

// A body has a few dozen fields; what is longer is no list of mistakes.
const MOST_FIELDS = 100;
const MOST_MESSAGES = 20;

function readFields(told: Record<string, unknown[]>): Record<string, string[]> {
  const fields = Object.entries(told)
    .slice(0, MOST_FIELDS)
    .map(([field, messages]) => {
      const texts = messages
        .filter((message) => typeof message === 'string')
        .map((message) => clean(message));
      return [clean(field, 200), texts.slice(0, MOST_MESSAGES)] as const;
    });
  return Object.fromEntries(fields.filter(([, messages]) => messages.length > 0));
}

/** Where the sentence is but the key of a translation, as in the sample, the fields say what is meant. */
function sentence(said: string, fields: Record<string, string[]>): string {
  const isKey = /^[a-z_]+(?:\.[a-z_]+)+$/.test(said);
  const told = Object.entries(fields).map(([field, messages]) => `${field}: ${messages.join(' ')}`);
  return isKey && told.length > 0 ? clean(`${said}: ${told.join('; ')}`) : said;
}

/** "401 Cases": told apart by their texts alone. */
const UNAUTHORIZED: readonly (readonly [RegExp, string])[] = [
  [/^the access token should have access to one of those scopes/i, 'missing_scope'],
  [/access token is invalid/i, 'invalid_access_token'],
  [/user (?:is|does) not exist/i, 'deleted_user'],
  [/غير مفعل/, 'inactive_user'],
];

/**
 * What a sentence says beyond its status, where something else follows from it. Of a 422 no wording is documented:
 * a miss rejects, a false hit costs a look at the order.
 */
function codeOf(stands: number, message: string, fields: Record<string, string[]>): string | null {
  if (stands === 401) return UNAUTHORIZED.find(([words]) => words.test(message))?.[1] ?? null;
  if (stands !== 422) return null;
  const ofReference = [...(fields.external_order_id ?? []), ...(fields.external_id ?? [])].join(' ');
  if (/\b(?:taken|used|exists?|duplicat\w*)\b|مستخدم|مكرر/i.test(ofReference)) return 'duplicate_reference';
  return /\balready (?:has|in|is)\b|\bsame status\b/i.test(message) ? 'same_status' : null;
}

/**
 * WUPEX's wire format: what it accepts (and everything that a shop's order can be wrong about) and what it
 * answers. Its answers are untrusted: every reader here takes any value and throws on none. Codes pass through
 * exactly as they came, and through nothing but deliverables.
 */
import { Decimal } from 'decimal.js';
import { z } from 'zod';
import { optionProblems, type Path, unless } from '../../field-problems.js';
import type { FieldProblem, OrderBody, OrderItem } from '../../orders/body.js';
import type { Answer, ProviderError } from '../../policy/answer.js';
import { hasText, prepaidOnlyProblems, referenceSpaceProblems } from '../body-checks.js';
import { clean, isObject, name, text } from '../reading.js';

/** One line of the bare array that pull-codes takes ("Place Order (Pull Codes)"). */
export interface PullLine {
  merchant: string;
  /** The product list's `productCode`. */
  sku: string;
  quantity: number;
}

/** What the order list takes ("Sample Order Payloads"). Its column is `ReferenceId`, with a capital R. */
export interface ListBody {
  page: number;
  pageSize: number;
  orderColumn: 'orderDate';
  order: 'DESC';
  search: { column: 'ReferenceId'; operator: 'Equals'; value: string }[];
}

/** Merchants and products are compared by WUPEX as they are, so a space at either end is a slip. */
const trimmed = z
  .string()
  .min(1)
  .max(500)
  .regex(/^(?!\s)[^\p{Cc}\p{Cs}]*(?<!\s)$/u, 'must not begin or end with a space, nor be empty');

/** What this provider takes under `options`, of an order and of an item; the item's wins. */
export const wupexOptions = z.strictObject({ merchant: trimmed.optional() });

/** An answer may have 4 MiB (http.ts); this many codes fit into a detail with 800 bytes for each. */
export const MOST_CODES = 5_000;

/** What WUPEX would refuse about a body, or what would go wrong with it; all of it at once. */
export function bodyProblems(body: OrderBody): FieldProblem[] {
  const { items = [], options, reference } = body;
  return [
    ...referenceSpaceProblems(reference),
    ...unless(items.length > 0, ['items'], 'required', 'is required: give at least one item'),
    ...items.flatMap((item, index) => itemProblems(item, options?.merchant, ['items', index])),
    ...amountProblems(items),
    ...prepaidOnlyProblems(body.payment, 'WUPEX'),
    ...optionProblems(wupexOptions, options, ['options']),
  ];
}

function itemProblems(item: OrderItem, merchantOfOrder: unknown, path: Path): FieldProblem[] {
  const { sku = '', options } = item;
  const noMerchant = options?.merchant === undefined && merchantOfOrder === undefined;
  return [
    ...unless(hasText(sku), [...path, 'sku'], 'required', 'is required: give the productCode of WUPEX'),
    ...unless(
      !hasText(sku) || trimmed.safeParse(sku).success,
      [...path, 'sku'],
      'invalid',
      'must be the productCode exactly: it must not begin or end with a space',
    ),
    ...unless(
      !noMerchant,
      [...path, 'options', 'merchant'],
      'required',
      'is required: give options.merchant here, or once for all items in the options of the order',
    ),
    ...optionProblems(wupexOptions, options, [...path, 'options']),
  ];
}

/** Codes that were paid for and whose answer is too large to be read would have to be fetched by hand. */
function amountProblems(items: readonly OrderItem[]): FieldProblem[] {
  const codes = items.reduce((sum, { quantity }) => sum + quantity, 0);
  const detail = `ask for ${codes} codes in one order; split it into orders of at most ${MOST_CODES}`;
  return unless(codes <= MOST_CODES, ['items'], 'invalid', detail);
}

// Far above any order's total, and within what a double holds exactly to three decimals.
const LARGEST_AMOUNT = 1e12;

/** An amount as a plain decimal string; no currency goes with it. */
const givenAmount = z
  .union([z.number().min(-LARGEST_AMOUNT).max(LARGEST_AMOUNT), z.string().regex(/^-?\d{1,12}(\.\d{1,12})?$/)])
  .transform((value) => new Decimal(value).toFixed());

/** Null where there is none. */
const amount = givenAmount.nullish().catch(null);

/** A code or its serial, exactly as it came; null where there is none yet. */
const secret = z
  .union([z.string(), z.number()])
  .transform((value) => (String(value).trim() === '' ? null : String(value)))
  .nullish()
  .catch(null);

/** A product's code, compared with those of the order. */
const sku = z
  .union([z.string(), z.number()])
  .transform((value) => clean(String(value)) || null)
  .nullish()
  .catch(null);

/** One code; which of the two is the secret is not documented, so both are treated as such. */
const serial = z
  .object({ sku, serialCode: secret, serialNumber: secret, expiry: text })
  .nullable()
  .catch(null);

const serials = z.array(serial).nullish().catch(null);

export type Serial = NonNullable<z.output<typeof serial>>;

/** Success and refusal share an envelope whose `status` is a boolean, never the HTTP number ("Common Errors"). */
const success = <Data extends z.ZodType>(data: Data) => z.object({ status: z.literal(true), data });

/** The answer of pull-codes; the name alone says that the order was placed, the serials may come later. */
export const pulledAnswer = success(z.object({ orderName: name, totalAmount: amount, serials }));

const line = z.object({ sku, productCode: sku, serials }).nullable().catch(null);

/** The order detail. Only `orderData[].serials[]` is known for certain. */
export const detailAnswer = success(
  z.object({
    orderName: name.nullish(),
    status: text,
    orderAmount: amount,
    totalAmount: amount,
    orderData: z.array(line),
  }),
);
export type Detail = z.output<typeof detailAnswer>['data'];

const ROW_FIELDS = ['ordername', 'referenceid', 'orderamount', 'orderdate', 'status'] as const;

/** A row of the order list; how it spells the reference is not documented, so names are compared without case. */
const row = z
  .record(z.string(), z.unknown())
  .transform((fields) => {
    const lower = new Map(Object.entries(fields).map(([key, value]) => [key.toLowerCase(), value]));
    return Object.fromEntries(ROW_FIELDS.map((field) => [field, lower.get(field)]));
  })
  .pipe(
    z.object({
      ordername: name,
      referenceid: name.nullish().catch(null),
      orderamount: amount,
      orderdate: text,
      status: text,
    }),
  );
export type Row = z.output<typeof row>;

/** A page of the order list; one unreadable row makes it unreadable, so that no order is overlooked. */
export const listAnswer = z.object({
  status: z.literal(true),
  data: z.array(row),
  pageInfo: z
    .object({ totalCount: z.number().nullish().catch(null) })
    .nullish()
    .catch(null),
});

/** Bare as documented ("Check Account Balance"), or in the envelope as seen in practice. */
const balance = z.object({ balance: givenAmount });
export const balanceAnswer = z.union([balance, success(balance).transform(({ data }) => data)]);

const documentedError = z.object({
  status: z.literal(false),
  error: z.object({ code: z.union([z.string().regex(/\S/), z.number()]).transform(String), message: text }),
});

/** Seen in practice: the message on top, and no code. */
const shortError = z.object({ status: z.literal(false), message: text });

/** Codes by which the table goes, where the provider's own word is not fixed. */
export const INSUFFICIENT_BALANCE = 'INSUFFICIENT_BALANCE';
export const NOT_ENTITLED = 'NOT_ENTITLED';

/** An envelope that refuses, whatever HTTP status it came under. */
export function isRefusal(json: unknown): boolean {
  return isObject(json) && json.status === false;
}

/** A refusal that names an order all the same contradicts itself. */
export function namesOrder(json: unknown): boolean {
  return z.object({ data: z.object({ orderName: name }) }).safeParse(json).success;
}

// Longer than any documented code; what is longer is no code.
const LONGEST_CODE = 100;

/**
 * Reads the error envelope. Only the documented one, with a code, counts as the provider's own word: a 404 in
 * any other shape may be a proxy's and proves no absence.
 * @param balanceCodes the words that say, for this account, that its money does not suffice
 */
export function readError(answer: Answer, balanceCodes: readonly string[]): ProviderError {
  const documented = documentedError.safeParse(answer.json);
  if (documented.success) {
    const { error } = documented.data;
    const word = clean(error.code, LONGEST_CODE);
    const message = error.message || `WUPEX says ${word} and no more`;
    return { own: true, code: canonical(word, message, answer.status, balanceCodes), message };
  }
  const short = shortError.safeParse(answer.json);
  const message = short.success ? short.data.message : null;
  if (!message) return { own: false, message: `HTTP ${answer.status} without WUPEX's envelope` };
  return {
    own: false,
    message,
    ...(answer.status === 403 && isOfProduct(message) ? { code: NOT_ENTITLED } : {}),
  };
}

function canonical(word: string, message: string, status: number, balanceCodes: readonly string[]): string {
  if (balanceCodes.includes(word)) return INSUFFICIENT_BALANCE;
  const forbidden = word === 'FORBIDDEN' || status === 403;
  return forbidden && isOfProduct(`${word} ${message}`) ? NOT_ENTITLED : word;
}

/**
 * Whether a 403 is about one product rather than about the key. The wordings are not documented: a miss pauses the
 * account, a false hit puts one order before a human, and pauses after the third.
 */
function isOfProduct(said: string): boolean {
  const words = said.replaceAll('_', ' ');
  const ofProduct = /\b(?:entitle\w*|sku|product\w*|voucher\w*|merchant)\b/i;
  const ofAccount =
    /\b(?:api[ -]?key|ip|address|credentials?|account (?:is |has been )?(?:suspended|inactive|disabled|blocked|locked))\b/i;
  return ofProduct.test(words) && !ofAccount.test(words);
}

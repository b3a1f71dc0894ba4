/**
 * Zupy's wire format (Partner API v2): what it accepts, with everything that a shop's order can be wrong about,
 * and what it answers. Its answers are untrusted: every reader here takes any value and throws on none. Most
 * come as `{data, meta}`, some guides show the bare object and `{count, next, previous, results}`: both are read.
 */
import { z } from 'zod';
import { optionProblems, type Path, problem, unless } from '../../field-problems.js';
import type { FieldProblem, OrderBody, OrderItem } from '../../orders/body.js';
import type { Answer, ProviderError } from '../../policy/answer.js';
import { hasText, prepaidOnlyProblems } from '../body-checks.js';
import { clean, exactText, name, objectId, text, timestamp } from '../reading.js';

export interface RedeemBody {
  /** Lets Z$ pay for missing points, up to a fifth of the cost ("Z$ Tokens"). */
  use_z_tokens: boolean;
}

export interface RequestOtpBody {
  /** A phone number, an e-mail address or a CPF. */
  identifier: string;
}

export interface VerifyOtpBody extends RequestOtpBody {
  otp_code: string;
}

/**
 * A customer's or reward's id. A KSUID has 27 letters and digits; the documents disagree about their case, so they
 * are taken as written, and anything that cannot be one (a phone number, an address, a path) is refused.
 */
const ID = /^[0-9A-Za-z_-]{1,64}$/;

/** What somebody who gets a code can be known by: an e-mail address, or at least eight digits of a phone number or CPF. */
const IDENTIFIER = /^(?:[^\s@]+@[^\s@]+\.[^\s@]+|\+?(?=(?:\D*\d){8})[\d\s().-]+)$/;

/** What this provider takes under `options` of an order. */
export const orderOptions = z.strictObject({
  useZTokens: z.boolean().optional(),
  otpIdentifier: z
    .string()
    .max(254)
    .regex(IDENTIFIER, 'must be a phone number with country code, an e-mail address or a CPF')
    .optional(),
});

/** An item is a reward's id and nothing else. */
const itemOptions = z.strictObject({});

/** What Zupy would refuse about a body; all of it at once. */
export function bodyProblems(body: OrderBody): FieldProblem[] {
  return [
    ...idProblems(body.customer?.id, ['customer', 'id'], "give the customer's id at Zupy"),
    ...itemsProblems(body.items ?? []),
    ...prepaidOnlyProblems(body.payment, 'Zupy'),
    ...optionProblems(orderOptions, body.options, ['options']),
  ];
}

function idProblems(id: string | undefined, path: Path, what: string): FieldProblem[] {
  if (id === undefined || !hasText(id)) return [problem(path, 'required', `is required: ${what}`)];
  const detail = `must be an id as Zupy writes it, of letters and digits: ${what}`;
  return unless(ID.test(id), path, 'invalid', detail);
}

/** One redeem is one reward: a second item would be a second call that cannot be taken back. */
function itemsProblems(items: readonly OrderItem[]): FieldProblem[] {
  const [item] = items;
  if (item === undefined)
    return [problem(['items'], 'required', 'is required: give one item, the reward to redeem')];
  const at = (name: string): Path => ['items', 0, name];
  const alone = 'must hold exactly one item: write an order for each reward';
  return [
    ...unless(items.length === 1, ['items'], 'invalid', alone),
    ...idProblems(item.sku, at('sku'), "give the reward's id at Zupy"),
    ...unless(
      item.quantity === 1,
      at('quantity'),
      'invalid',
      'must be 1: write an order for each coupon that is wanted',
    ),
    ...optionProblems(itemOptions, item.options, at('options')),
  ];
}

/** The code of a coupon in the one spelling that stands for it: codes have no case ("Coupon Lifecycle"). */
export function couponName(code: string): string {
  return code.toUpperCase();
}

const couponCode = objectId.transform(couponName);

const count = z
  .union([
    z.int().min(0),
    z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number),
  ])
  .nullish()
  .catch(null);

/** An amount of Z$ is a decimal string of six places, and stays one. */
const amount = z
  .string()
  .regex(/^\d{1,20}(?:\.\d{1,18})?$/)
  .nullish()
  .catch(null);

/** A time as ISO 8601 in UTC; null where it is none. */
const time = z
  .string()
  .max(60)
  .transform(timestamp)
  .nullish()
  .catch(null)
  .transform((value) => value ?? null);

const couponRow = z.object({
  id: name.nullish().catch(null),
  coupon_code: couponCode,
  status: text,
  customer_id: exactText,
  reward_id: exactText,
  remaining_usages: count,
  total_usages_allowed: count,
  valid_until: time,
  created_at: time,
  usage_date: time,
});
export type CouponRow = z.output<typeof couponRow>;

/** One page of the coupons list. */
export interface CouponPage {
  rows: CouponRow[];
  /** The list ends with it, and nothing about it says that a row is missing: what it does not show is not there. */
  whole: boolean;
  /** What the following page is asked for with; null where there is none. */
  next: string | null;
}

// One unreadable row makes the page unreadable, so that no coupon is overlooked.
const rows = z.array(couponRow);
const wrappedPage = z.object({
  data: rows,
  meta: z
    .object({ cursor: z.string().nullish(), has_next: z.boolean().nullish(), count })
    .nullish()
    .catch(null),
});
const plainPage = z.object({ results: rows, next: z.string().nullish(), count });

/** Reads a page of the coupons list; null where it is none. `whole` is meant of one that was asked for from its start. */
export function readPage(json: unknown): CouponPage | null {
  const wrapped = wrappedPage.safeParse(json);
  if (wrapped.success) {
    const { data, meta } = wrapped.data;
    const ends = meta?.has_next === false || (meta?.has_next == null && meta?.cursor === null);
    return {
      rows: data,
      whole: ends && isAll(data, meta?.count),
      next: ends ? null : (meta?.cursor ?? null),
    };
  }
  const plain = plainPage.safeParse(json);
  if (!plain.success) return null;
  const { results, next } = plain.data;
  const whole = next === null && isAll(results, plain.data.count);
  return { rows: results, whole, next: cursorIn(next) };
}

/** The cursor of the URL that leads on. */
function cursorIn(url: string | null | undefined): string | null {
  return url == null || !URL.canParse(url) ? null : new URL(url).searchParams.get('cursor');
}

/** `count` is of the page or of the list, which is the same on the only page. */
function isAll(shown: readonly CouponRow[], counted: number | null | undefined): boolean {
  return counted == null || counted === shown.length;
}

const bare = z.object({ data: z.record(z.string(), z.unknown()) });

/** An answer of one object, without its envelope. */
function readOne<T>(schema: z.ZodType<T>, json: unknown): T | null {
  const wrapped = bare.safeParse(json);
  const parsed = schema.safeParse(wrapped.success ? wrapped.data.data : json);
  return parsed.success ? parsed.data : null;
}

const redeemAnswer = z.object({
  /** The coupon's KSUID: the prose promises it, schema and samples do not have it. */
  id: name.nullish().catch(null),
  coupon_code: couponCode,
  customer_id: exactText,
  /** Not in the schema; read where it is there. */
  status: text,
  points_used: count,
  z_tokens_used: amount,
  valid_until: time,
});
export type RedeemAnswer = z.output<typeof redeemAnswer>;

const validateAnswer = z.object({
  coupon_code: couponCode,
  customer_id: exactText,
  status: text,
  remaining_usages: count,
  total_usages_allowed: count,
  validated_at: time,
});
export type ValidateAnswer = z.output<typeof validateAnswer>;

const pointsAnswer = z.object({
  customer_id: exactText,
  points_balance: z.union([z.int(), z.string().regex(/^-?\d{1,15}$/)]).transform(Number),
});
export type PointsAnswer = z.output<typeof pointsAnswer>;

/** A session is sent as a header's value: visible ASCII (RFC 9110, "Field Values"). */
const SESSION = /^[\x21-\x7e]{1,4096}$/;

const sessionAnswer = z.object({ otp_session: z.string().regex(SESSION), customer_id: exactText });
export type SessionAnswer = z.output<typeof sessionAnswer>;

export const readRedeemed = (json: unknown): RedeemAnswer | null => readOne(redeemAnswer, json);
export const readValidated = (json: unknown): ValidateAnswer | null => readOne(validateAnswer, json);
export const readPoints = (json: unknown): PointsAnswer | null => readOne(pointsAnswer, json);
export const readSession = (json: unknown): SessionAnswer | null => readOne(sessionAnswer, json);

/** A token that may be sent as a header. */
export function isSession(token: unknown): token is string {
  return typeof token === 'string' && SESSION.test(token);
}

/** Field errors that are kept: no form has as many. */
const MOST_FIELDS = 50;

const fieldError = z.object({ field: text, detail: text }).nullable().catch(null);
const problemBody = z.object({
  type: z.string().min(1).max(2_000),
  title: text,
  detail: text,
  errors: z
    .array(z.unknown())
    .transform((list) => list.slice(0, MOST_FIELDS).map((entry) => fieldError.parse(entry)))
    .nullish()
    .catch(null),
});
type ProblemBody = z.output<typeof problemBody>;

/**
 * Reads a problem (RFC 7807). Its code is the last segment of `type`, whichever of its URLs the type stands under.
 * Two types cover what is handled in different ways; there the detail decides, and the code has a second part:
 * `permission-denied/otp`, `validation-error/points`, `validation-error/already-redeemed`.
 */
export function readError(answer: Answer): ProviderError {
  const parsed = problemBody.safeParse(answer.json);
  if (!parsed.success || (parsed.data.title == null && parsed.data.detail == null))
    return { own: false, message: `HTTP ${answer.status} without Zupy's problem body` };
  const body = parsed.data;
  const fields = fieldsOf(body);
  const type = lastSegment(body.type);
  const code = type === null ? null : qualified(type, body, fields);
  return {
    own: true,
    message: messageOf(body, fields),
    ...(code === null ? {} : { code }),
    ...(fields.size === 0 ? {} : { fields: Object.fromEntries(fields) }),
  };
}

function lastSegment(type: string): string | null {
  const segment = type
    .split(/[#/]/)
    .findLast((part) => part !== '')
    ?.toLowerCase();
  return segment !== undefined && /^[a-z0-9][a-z0-9_-]{0,99}$/.test(segment) ? segment : null;
}

function fieldsOf({ errors }: ProblemBody): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const error of errors ?? []) {
    if (error === null || !error.detail) continue;
    const field = error.field || 'non_field_errors';
    fields.set(field, [...(fields.get(field) ?? []), error.detail]);
  }
  return fields;
}

/** "Read errors[].detail first, errors[].field second": the top-level detail is a summary ("validation-error"). */
function messageOf({ title, detail }: ProblemBody, fields: Map<string, string[]>): string {
  const told = [...fields].map(([field, details]) => `${field}: ${details.join(' ')}`);
  return told.length > 0 ? clean(told.join('; ')) : (detail ?? title ?? '');
}

const OF_OTP = /\botp\b|one-time/i;
const OF_POINTS = /(?<!\p{L})(?:pontos?|points?|pts)(?!\p{L})/iu;
// "Prêmio gratuito já resgatado por este cliente" ("Coupon Lifecycle").
const TAKEN = /j[áa] resgatad|already (?:been )?redeemed/iu;

/** The wordings are public at best, so a miss falls back to the rule of the bare type. */
function qualified(type: string, body: ProblemBody, fields: Map<string, string[]>): string {
  const detail = body.detail ?? '';
  if (type === 'permission-denied') return OF_OTP.test(detail) ? 'permission-denied/otp' : type;
  if (type !== 'validation-error') return type;
  const said = (fields.size > 0 ? [...fields].flat(2).join(' ') : detail).normalize('NFC');
  if (TAKEN.test(said)) return 'validation-error/already-redeemed';
  return OF_POINTS.test(said) ? 'validation-error/points' : type;
}

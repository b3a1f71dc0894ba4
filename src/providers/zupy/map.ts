/**
 * Between our words and Zupy's: an order becomes a redeem, a coupon becomes a state, and lists become what they
 * prove. Pure.
 */
import type { JsonObject } from '../../json.js';
import type { OrderStatus, OrderView, ProviderState } from '../../orders/order.js';
import type { Deliverable, Outcome } from '../../policy/outcome.js';
import { statusWord, unknownStatus } from '../reading.js';
import {
  type CouponPage,
  type CouponRow,
  couponName,
  orderOptions,
  type PointsAnswer,
  type RedeemAnswer,
  type RedeemBody,
  type ValidateAnswer,
} from './wire.js';

/** A coupon is not older than its order, but for clocks that differ; timestamps have whole seconds. Assumed. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** How soon a coupon that is not active yet is tried again, ms: as long as the grace that lists are given (document, "Exactly-once submit"). */
const PENDING_MS = 30_000;

/** Who redeems what. Validation has seen to it; a body without them is a mistake of ours. */
export function pairOf({ body }: OrderView): { customerId: string; rewardId: string } {
  const customerId = body.customer?.id;
  const rewardId = body.items?.[0]?.sku;
  if (customerId === undefined || rewardId === undefined)
    throw new TypeError('the order names no customer or no reward');
  return { customerId, rewardId };
}

export function redeemBody({ body }: OrderView): RedeemBody {
  return { use_z_tokens: orderOptions.parse(body.options ?? {}).useZTokens ?? false };
}

/**
 * Whom a one-time password is sent to: `options.otpIdentifier`, else the phone number, else the e-mail address
 * (contract, "HTTP"). Empty where the order names none: Zupy then refuses and sends nothing.
 */
export function identifierOf({ body }: OrderView): string {
  const { otpIdentifier } = orderOptions.parse(body.options ?? {});
  return otpIdentifier ?? body.customer?.phone ?? body.customer?.email ?? '';
}

/** A coupon's status in our words ("Status lifecycle"); the error list has used, expired and cancelled, the OpenAPI document the rest. */
const STATUSES: ReadonlyMap<string, OrderStatus> = new Map<string, OrderStatus>([
  ['pending', 'submitted'],
  ['pending_blockchain', 'submitted'],
  ['active', 'in_progress'],
  ['used', 'delivered'],
  ['completed', 'delivered'],
  ['cancelled', 'canceled'],
  ['canceled', 'canceled'],
  ['expired', 'failed'],
  ['failed', 'failed'],
  ['blockchain_error', 'failed'],
]);

function statusOf(word: string | null | undefined): OrderStatus | null {
  return STATUSES.get(statusWord(word)) ?? null;
}

/** A coupon as a state, whoever's it is. */
export function couponState(row: CouponRow): ProviderState {
  return {
    providerOrderId: row.coupon_code,
    // Zupy keeps none.
    reference: null,
    rawStatus: row.status ?? '',
    ...standing(row),
    ...(row.created_at === null ? {} : { createdAt: row.created_at }),
  };
}

/** A coupon of a list, with what is known of its use. */
export function listedState(row: CouponRow): ProviderState {
  return { ...couponState(row), data: usageOf(row) };
}

/** A coupon of this order as a state; the code is its name (README). */
export function toState(order: OrderView, row: CouponRow): ProviderState {
  return { ...couponState(row), data: { ...pairOf(order), ...usageOf(row) } };
}

function usageOf(row: CouponRow): JsonObject {
  return present({
    couponId: row.id,
    validUntil: row.valid_until,
    remainingUsages: row.remaining_usages,
    totalUsages: row.total_usages_allowed,
    usedAt: row.usage_date,
  });
}

function standing(row: CouponRow): Pick<ProviderState, 'status' | 'failure' | 'attention'> {
  const status = statusOf(row.status);
  if (status === null) return { status, attention: unknownStatus('Zupy', row.status ?? '') };
  if (status !== 'failed') return { status };
  const word = statusWord(row.status);
  if (word === 'expired') {
    const when = row.valid_until === null ? '' : ` on ${row.valid_until}`;
    return { status, failure: { code: word, message: `the coupon expired${when}` } };
  }
  const failure = { code: word, message: `Zupy failed the coupon: ${word}` };
  if (word !== 'blockchain_error') return { status, failure };
  const detail = 'the coupon failed on the blockchain: ask Zupy what became of the points';
  return { status, failure, attention: { code: word, detail } };
}

/** Without what is not known. */
function present(data: Record<string, string | number | boolean | null | undefined>): JsonObject {
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) => (value == null ? [] : [[key, value] as const])),
  );
}

/** The coupon was issued: the points are gone, and its code is what the customer gets for them. */
export function accepted(order: OrderView, answer: RedeemAnswer): Outcome {
  const pair = pairOf(order);
  const told = answer.status ?? null;
  return {
    kind: 'accepted',
    providerOrderId: answer.coupon_code,
    // The answer need not name a status: a coupon that was handed out is taken for an active one.
    status: statusOf(told) === 'submitted' ? 'submitted' : 'in_progress',
    ...(told === null ? {} : { rawStatus: told }),
    data: present({
      ...pair,
      couponId: answer.id,
      pointsUsed: answer.points_used,
      zTokensUsed: answer.z_tokens_used,
      validUntil: answer.valid_until,
      takenForActive: told === null ? true : null,
    }),
    deliverables: [deliverableOf(order, answer)],
  };
}

function deliverableOf(order: OrderView, coupon: RedeemAnswer | CouponRow): Deliverable {
  const { rewardId: sku } = pairOf(order);
  return { position: 0, sku, code: coupon.coupon_code, serial: null, expiresAt: coupon.valid_until };
}

/** What there was before a redeem. Ids, for the codes of other coupons are nobody's business here. */
export function baselineOf(order: OrderView, page: CouponPage): JsonObject | null {
  const ids = idsOf(order, page);
  if (ids === null) return null;
  // Of a list of several pages no later one can be compared with this: a lost answer will need a human.
  return page.whole
    ? { baselineCoupons: ids, baselineWhole: true }
    : { baselineCoupons: [], baselineWhole: false };
}

/** The ids of a page; null where a row has none, or is of others and the filter so ignored. */
function idsOf(order: OrderView, { rows }: CouponPage): string[] | null {
  const ids = rows.flatMap((row) => (row.id == null || isOfOthers(order, row) ? [] : [row.id]));
  return ids.length === rows.length ? ids : null;
}

function isOfOthers(order: OrderView, row: CouponRow): boolean {
  const { customerId, rewardId } = pairOf(order);
  return (
    (row.customer_id != null && row.customer_id !== customerId) ||
    (row.reward_id != null && row.reward_id !== rewardId)
  );
}

/**
 * What a list of the customer's coupons of this reward says about a redeem whose answer was lost. Nothing, unless
 * it is whole and holds every coupon that there was before: with the key of another company it would be empty.
 */
export function findNew(order: OrderView, carry: JsonObject, page: CouponPage): Outcome | null {
  const { baselineCoupons, baselineWhole } = carry;
  const ids = idsOf(order, page);
  if (ids === null || !page.whole || baselineWhole !== true || !Array.isArray(baselineCoupons)) return null;
  if (!baselineCoupons.every((id) => typeof id === 'string' && ids.includes(id))) return null;
  const fresh = page.rows.filter(({ id }) => id != null && !baselineCoupons.includes(id));
  const earliest = order.createdAt.getTime() - CLOCK_SKEW_MS;
  if (fresh.some(({ created_at }) => created_at === null)) return null;
  const ours = fresh.filter(({ created_at }) => created_at !== null && Date.parse(created_at) >= earliest);
  const [row, ...more] = ours;
  if (row === undefined) {
    const message = 'the customer has no coupon of this reward that was not there before';
    return { kind: 'missing', code: 'no_new_coupon', message };
  }
  const stateOf = (coupon: CouponRow): ProviderState => ({ ...toState(order, coupon), sameContent: true });
  // Whose is whose cannot be told from here.
  if (more.length > 0) return { kind: 'done', states: ours.map(stateOf), whole: true, alike: true };
  return {
    kind: 'observed',
    state: stateOf(row),
    whole: true,
    deliverables: [deliverableOf(order, row)],
  };
}

/** A redeem that was not done has taken no points. Points that have changed prove neither, for there are other ways. */
export function findUnspent(carry: JsonObject, points: PointsAnswer): Outcome | null {
  if (points.points_balance !== carry.baselinePoints) return null;
  return { kind: 'missing', code: 'points_unchanged', message: 'the customer has as many points as before' };
}

/** The coupon of a page that was asked for by its code: a row, `absent`, or null where the page cannot be trusted. */
function rowOf(code: string, { rows, whole }: CouponPage): CouponRow | 'absent' | null {
  const [row, ...more] = rows;
  if (row === undefined) return whole ? 'absent' : null;
  return more.length === 0 && row.coupon_code === couponName(code) ? row : null;
}

const ABSENT: Outcome = { kind: 'missing', code: 'not_listed', message: 'Zupy lists no coupon of this code' };

/**
 * A read of the order's coupon.
 * @param code what the order's coupon is called
 * @param carry of the operation: what a refused activation left, if this read is to find out about it
 */
export function readCoupon(
  order: OrderView,
  code: string,
  carry: JsonObject,
  page: CouponPage,
): Outcome | null {
  const row = rowOf(code, page);
  if (row === null) return null;
  if (row === 'absent') return ABSENT;
  if (isOfOthers(order, row)) {
    const message = 'the coupon of this code is of another customer or reward';
    return { kind: 'missing', code: 'other_coupon', message };
  }
  const told = toState(order, row);
  if (carry.checkedStep !== undefined) return afterRefusal(told, carry);
  const { takenForActive } = order.providerData;
  // A coupon that was handed out and is still on its way to `active` does not take the order back.
  const state = told.status === 'submitted' && takenForActive === true ? { ...told, status: null } : told;
  return { kind: 'observed', state, deliverables: [deliverableOf(order, row)] };
}

/**
 * The use of a coupon was refused, and this is how it stands. Used up, where it had one use and that was left when
 * we looked: by us. A use of many cannot be told apart, and one that is left was not taken.
 */
function afterRefusal(state: ProviderState, carry: JsonObject): Outcome {
  const ended = state.status === 'failed' || state.status === 'canceled';
  if (ended || (state.status === 'delivered' && carry.totalUsages === 1)) return { kind: 'observed', state };
  const { checkedCode, checkedMessage } = carry;
  return {
    kind: 'rejected',
    code: typeof checkedCode === 'string' ? checkedCode : 'refused',
    message: typeof checkedMessage === 'string' ? checkedMessage : `the coupon is ${state.rawStatus}`,
  };
}

/** What is left of a coupon before it is used. */
export function remainingOf(
  order: OrderView,
  code: string,
  page: CouponPage,
  receivedAt: number,
): Outcome | null {
  const row = rowOf(code, page);
  if (row === null) return null;
  if (row === 'absent') return ABSENT;
  const state = toState(order, row);
  const { remaining_usages: remaining, total_usages_allowed: total } = row;
  if (state.status === 'delivered' || (state.status === 'in_progress' && remaining === 0)) {
    const when = row.usage_date === null ? '' : ` on ${row.usage_date}`;
    // Not by us, or an earlier activation would have said so: a second use must not pass for ours.
    return { kind: 'rejected', code: 'already_used', message: `the coupon was used up${when}` };
  }
  if (state.status === 'failed' || state.status === 'canceled') return { kind: 'observed', state };
  if (state.status === 'submitted') {
    const message = `the coupon is ${state.rawStatus}, and can be used once it is active`;
    const again = { code: 'coupon_pending', message, retryAt: receivedAt + PENDING_MS };
    return { kind: 'waiting', reason: 'window', scope: 'order', ...again };
  }
  return { kind: 'done', data: { remainingUsages: remaining ?? null, totalUsages: total ?? null } };
}

/** The coupon was used, or used once more. */
export function used(code: string, carry: JsonObject, answer: ValidateAnswer): Outcome | null {
  const status = statusOf(answer.status);
  if (answer.coupon_code !== couponName(code) || status === 'failed' || status === 'canceled') return null;
  const remaining = answer.remaining_usages ?? null;
  const isUsedUp = remaining === null ? carry.totalUsages === 1 : remaining === 0;
  const state: ProviderState = {
    providerOrderId: answer.coupon_code,
    reference: null,
    status: isUsedUp ? 'delivered' : 'in_progress',
    rawStatus: answer.status ?? 'validated',
    data: present({
      remainingUsages: remaining,
      totalUsages: answer.total_usages_allowed,
      usedAt: answer.validated_at,
    }),
  };
  return { kind: 'observed', state };
}

/**
 * What became of the use of a coupon of several, whose answer was lost: fewer uses left than before, and it was
 * taken; as many, and it was not.
 */
export function findUse(order: OrderView, code: string, carry: JsonObject, page: CouponPage): Outcome | null {
  const row = rowOf(code, page);
  // That it is not listed says nothing about its use.
  if (row === null || row === 'absent') return null;
  const told = toState(order, row);
  const state: ProviderState = { ...told, status: told.status ?? 'in_progress', sameContent: true };
  const before = carry.remainingUsages;
  const now = row.remaining_usages ?? (state.status === 'delivered' ? 0 : null);
  if (typeof before !== 'number' || now === null || now > before) return null;
  if (now < before) return { kind: 'observed', state };
  return { kind: 'missing', code: 'not_used', message: 'the coupon has as many uses left as before' };
}

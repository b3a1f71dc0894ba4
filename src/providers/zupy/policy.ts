/**
 * Zupy's error handling, as data. Problems are told apart by the last segment of their `type`, then by HTTP
 * status; three codes have a second part that was read out of the detail (`readError` in wire.ts).
 */
import { DEFAULT_POLICY, type PolicyRule, type ProviderPolicy } from '../../policy/policy.js';
import type { Backoff } from '../../policy/schedule.js';

const ERRORS = 'Errors';
const BELOW = "Errors, 'What's NOT in this list'";
const OPENAPI = 'OpenAPI document, verify-otp';
const UNKNOWN_TYPE = 'Not documented: a type that is not in the list goes by its status';

/** Calls of which each one that gets through redeems or uses once more. */
const ONCE = ['redeem', 'validate-multi'] as const;
const VERIFY = ['verify-otp'] as const;
const LOOK = ['look', 'look-points'] as const;

/** "Retry after a short delay (5–30 seconds)" ("service-unavailable"). */
const SHORTLY: Backoff = { baseMs: 5_000, capMs: 30_000, floorMs: 5_000, jitter: 'full' };
/** "Retry after 30s" ("wallet-temporarily-unavailable"). */
const AFTER_HALF_A_MINUTE: Backoff = { baseMs: 30_000, capMs: 300_000, floorMs: 30_000, jitter: 'full' };

const OTP: Pick<PolicyRule, 'outcome' | 'wait'> = {
  outcome: 'waiting',
  wait: { reason: 'otp', scope: 'order' },
};
const FUNDS: Pick<PolicyRule, 'outcome' | 'wait'> = {
  outcome: 'waiting',
  wait: { reason: 'funds', scope: 'order' },
};

/**
 * An answer that does not say whether the call was done: `…-once` for calls that may not be repeated, which are
 * looked for, and a second rule for all others, of which `unknown` makes another try.
 */
function unclear(
  rule: Pick<PolicyRule, 'id' | 'status' | 'code' | 'backoff' | 'alert' | 'source' | 'evidence'> & {
    meaning: string;
  },
): PolicyRule[] {
  const { backoff, ...both } = rule;
  return [
    {
      ...both,
      id: `${rule.id}-once`,
      steps: ONCE,
      outcome: 'unknown',
      meaning: `${rule.meaning}; it may have been done all the same, so the coupons are looked at`,
      // "Retry" is all that the document says, and of no verb: not to repeat these calls is our stricter reading.
      evidence: rule.status === 504 ? rule.evidence : 'assumed',
    },
    {
      ...both,
      ...(backoff === undefined ? {} : { backoff }),
      outcome: 'unknown',
      meaning: `${rule.meaning}; tried again`,
    },
  ];
}

/** The answers of verify-otp that are about the code and not about the key, whether they come with their type or without. */
const aboutTheCode: readonly PolicyRule[] = (
  [
    ['wrong', 401, 'authentication-required', 'The one-time password is wrong or too old: ask for it again'],
    ['not-requested', 404, 'not-found', 'No one-time password was requested: request one'],
    ['attempts', 429, 'rate-limit-exceeded', 'Too many wrong one-time passwords: request another one'],
  ] as const
).flatMap(([what, status, code, meaning]): PolicyRule[] => {
  const rule = { status, steps: VERIFY, ...OTP, meaning, source: OPENAPI } as const;
  return [
    { ...rule, id: `zupy/otp-${what}`, code, evidence: 'public' },
    { ...rule, id: `zupy/otp-${what}-untyped`, evidence: 'assumed' },
  ];
});

const typed: readonly PolicyRule[] = [
  {
    id: 'zupy/look-not-found',
    status: 404,
    code: 'not-found',
    steps: LOOK,
    outcome: 'failed',
    meaning: "A lookup is no proof of absence here: what is another company's is a 404 as well",
    source: `${ERRORS}, 'not-found'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/not-found',
    status: 404,
    code: 'not-found',
    outcome: 'missing',
    meaning:
      "Customer, reward or coupon is not there, or is another company's: check the ids, and the key if many come",
    source: `${ERRORS}, 'not-found'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/points-short',
    status: 422,
    code: 'validation-error/points',
    steps: ['redeem'],
    ...FUNDS,
    meaning: 'The customer has too few points, told as a broken rule; waits until there are enough',
    source: `${ERRORS}, 'validation-error'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/already-redeemed',
    status: 422,
    code: 'validation-error/already-redeemed',
    outcome: 'rejected',
    meaning: 'A free reward, of which each customer gets one: this customer has had it',
    source: `${ERRORS}, 'validation-error'; the wording: 'Coupon Lifecycle'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/validation-error',
    status: 422,
    code: 'validation-error',
    outcome: 'rejected',
    meaning: 'A field is missing or wrong, or a rule forbids it: mend what the field messages name',
    source: `${ERRORS}, 'validation-error'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/bad-request',
    status: 400,
    code: 'validation-error',
    outcome: 'rejected',
    meaning: 'Unreadable JSON, or input of the one-time password calls that is wrong',
    source: 'OpenAPI document',
    evidence: 'public',
  },
  {
    id: 'zupy/authentication-required',
    status: 401,
    code: 'authentication-required',
    outcome: 'blocked',
    block: 'auth',
    meaning: 'The key is missing, malformed or revoked',
    source: `${ERRORS}, 'authentication-required'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/otp-by-permission',
    status: 403,
    code: 'permission-denied/otp',
    ...OTP,
    meaning: 'The merchant wants a one-time password of the customer, told as a missing permission',
    source: `${ERRORS}, 'permission-denied'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/permission-denied',
    status: 403,
    code: 'permission-denied',
    outcome: 'blocked',
    block: 'auth',
    meaning: 'The key is read-only or may not call this: ask the merchant for a read-write key',
    source: `${ERRORS}, 'permission-denied'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/otp-required',
    status: 403,
    code: 'otp-required',
    ...OTP,
    meaning: 'The merchant wants a one-time password of the customer, and no session of theirs holds',
    source: `${ERRORS}, 'otp-required'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/integration-not-found',
    status: 403,
    code: 'integration-not-found',
    outcome: 'blocked',
    block: 'auth',
    meaning: 'The company has no active integration: open a ticket at Zupy, where a person has to look',
    source: `${ERRORS}, 'integration-not-found'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/insufficient-balance',
    status: 422,
    code: 'insufficient-balance',
    ...FUNDS,
    meaning:
      'The customer has too few points, and no Z$ that may make up for them; waits until there are enough',
    source: `${ERRORS}, 'insufficient-balance'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/conflict',
    status: 409,
    code: 'conflict',
    outcome: 'settled',
    meaning: 'The coupon is used, expired or canceled, or another call was faster: read it and see',
    source: `${ERRORS}, 'conflict'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/rate-limited',
    status: 429,
    code: 'rate-limit-exceeded',
    outcome: 'throttled',
    meaning:
      'Over the limit of the key: the account waits as long as Retry-After says, else 5 s, doubled up to 60 s',
    source: `${ERRORS}, 'rate-limit-exceeded'`,
    evidence: 'documented',
  },
  {
    id: 'zupy/gone',
    status: 410,
    code: 'gone',
    outcome: 'gone',
    meaning: 'Retired for good; the message names the successor',
    source: `${ERRORS}, 'gone'`,
    evidence: 'documented',
  },
  ...unclear({
    id: 'zupy/service-unavailable',
    status: 503,
    code: 'service-unavailable',
    backoff: SHORTLY,
    meaning: 'Something that Zupy depends on is down, or it is overloaded',
    source: `${ERRORS}, 'service-unavailable'`,
    evidence: 'documented',
  }),
  ...unclear({
    id: 'zupy/wallet-unavailable',
    status: 503,
    code: 'wallet-temporarily-unavailable',
    backoff: AFTER_HALF_A_MINUTE,
    meaning: 'A wallet pass could not be made, while the coupon itself may exist',
    source: `${ERRORS}, 'wallet-temporarily-unavailable'`,
    evidence: 'documented',
  }),
];

/** What stands between us and the application answers without a type ("What's NOT in this list"). */
const infrastructure: readonly PolicyRule[] = [
  ...unclear({
    id: 'zupy/bad-gateway',
    status: 502,
    meaning: 'Zupy is being deployed or briefly out of reach',
    source: BELOW,
    evidence: 'documented',
  }),
  ...unclear({
    id: 'zupy/gateway-timeout',
    status: 504,
    meaning: 'A gateway gave up waiting, and the request may have succeeded',
    source: BELOW,
    evidence: 'documented',
  }),
  ...unclear({
    id: 'zupy/internal-error',
    status: 500,
    alert: true,
    meaning: 'An unexpected error that did not come from the application',
    source: BELOW,
    evidence: 'documented',
  }),
  ...unclear({
    id: 'zupy/server-error',
    status: [501, 599],
    meaning: 'A server error that did not come from the application',
    source: BELOW,
    evidence: 'documented',
  }),
];

const untyped: readonly PolicyRule[] = (
  [
    ['bad-request', 400, { outcome: 'rejected' }, 'The content is at fault'],
    ['unauthorized', 401, { outcome: 'blocked', block: 'auth' }, 'The key is refused'],
    ['forbidden', 403, { outcome: 'blocked', block: 'auth' }, 'The key may not do this'],
    ['not-found', 404, { outcome: 'missing' }, 'Not there'],
    ['conflict', 409, { outcome: 'settled' }, 'In conflict with what is there: look and adopt it'],
    ['gone', 410, { outcome: 'gone' }, 'Retired for good'],
    ['unprocessable', 422, { outcome: 'rejected' }, 'The content is at fault'],
    ['throttled', 429, { outcome: 'throttled' }, 'Too many requests'],
  ] as const
).map(
  ([what, status, handling, meaning]): PolicyRule => ({
    id: `zupy/untyped-${what}`,
    status,
    ...handling,
    meaning,
    source: UNKNOWN_TYPE,
    evidence: 'assumed',
  }),
);

const rules: readonly PolicyRule[] = [
  ...aboutTheCode,
  ...typed,
  ...infrastructure,
  {
    id: 'zupy/untyped-look-not-found',
    status: 404,
    steps: LOOK,
    outcome: 'failed',
    meaning: 'A lookup is no proof of absence here, whoever says so',
    source: UNKNOWN_TYPE,
    evidence: 'assumed',
  },
  ...untyped,
];

/** Attempts and their backoff are not documented; the throttle is ("rate-limit-exceeded"), and resets are epochs ("Authentication"). */
export const policy: ProviderPolicy = {
  ...DEFAULT_POLICY,
  throttle: { baseMs: 5_000, capMs: 60_000, floorMs: 5_000, jitter: 'equal' },
  resetDialect: 'epoch',
  rules,
};

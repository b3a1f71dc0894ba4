/**
 * WUPEX's error handling, as data. Its guide pairs seven codes with seven HTTP statuses and calls them the most
 * common ones, so others must be expected; its code goes before the status. Two codes are not its own words:
 * `INSUFFICIENT_BALANCE` stands for those that the account's configuration names, `NOT_ENTITLED` for a 403 about
 * one product (`readError` in wire.ts).
 */
import { DEFAULT_POLICY, type PolicyRule, type ProviderPolicy } from '../../policy/policy.js';
import { INSUFFICIENT_BALANCE, NOT_ENTITLED } from './wire.js';

const ERRORS = "WUPEX integration guide, 'Common Errors'";
const STATUSES = "WUPEX integration guide, 'Status Responses'";
const RETRY = "WUPEX integration guide, 'Retry Logic'";
const PULL = "WUPEX integration guide, 'Place Order (Pull Codes)'";
const NOT_DOCUMENTED = 'Not in the WUPEX integration guide';

/** The calls that can spend money. */
const ORDERING = ['submit'] as const;

type Meaning = Pick<PolicyRule, 'outcome' | 'block' | 'alert' | 'meaning'> & {
  id: string;
  status: number;
  code: string;
};

/** The seven rows of 'Common Errors'. */
const DOCUMENTED: readonly Meaning[] = [
  {
    id: 'invalid-payload',
    status: 400,
    code: 'INVALID_PAYLOAD',
    outcome: 'rejected',
    meaning: 'The request is invalid or malformed: show the message to whoever can mend the order',
  },
  {
    id: 'unauthorized',
    status: 401,
    code: 'UNAUTHORIZED',
    outcome: 'blocked',
    block: 'auth',
    meaning: 'The API key is missing or wrong: nothing goes out until a person has put it right',
  },
  {
    id: 'forbidden',
    status: 403,
    code: 'FORBIDDEN',
    outcome: 'blocked',
    block: 'auth',
    meaning: 'The key is good but may not do this (rights, or a list of allowed addresses): review them',
  },
  {
    id: 'not-found',
    status: 404,
    code: 'NOT_FOUND',
    outcome: 'missing',
    meaning: 'No such order or product: no data, and no second try; in a lookup by reference, an absence',
  },
  {
    id: 'too-many-requests',
    status: 429,
    code: 'TOO_MANY_REQUESTS',
    outcome: 'throttled',
    meaning: 'The rate limit is exceeded: the account pauses and comes back after a backoff',
  },
  {
    id: 'internal-error',
    status: 500,
    code: 'INTERNAL_ERROR',
    outcome: 'unknown',
    alert: true,
    meaning:
      'An unexpected server error: tell a human; reads go again, pulled codes are looked up by reference',
  },
  {
    id: 'service-unavailable',
    status: 503,
    code: 'SERVICE_UNAVAILABLE',
    outcome: 'unknown',
    meaning:
      'Temporary trouble: reads go again with growing waits, pulled codes are looked up by reference before',
  },
];

/** Where no other number is the code's own; the lowest must not be it either, so that every row can be met. */
function elsewhere(status: number): readonly [number, number] {
  return [status === 400 ? 401 : 400, 599];
}

const documented = DOCUMENTED.flatMap(({ id, status, code, meaning, ...handling }): PolicyRule[] => [
  { id: `wupex/${id}`, status, code, ...handling, meaning, source: ERRORS, evidence: 'documented' },
  {
    id: `wupex/${id}-elsewhere`,
    status: elsewhere(status),
    code,
    ...handling,
    meaning: `Its code under another status than ${status}: the code says more`,
    source: NOT_DOCUMENTED,
    evidence: 'assumed',
  },
  {
    id: `wupex/${id}-by-status`,
    status,
    ...handling,
    meaning: `${status} with another code or none: handled as ${code} is`,
    source: ERRORS,
    evidence: 'documented',
  },
]);

/**
 * The 4xx that are documented only as a class ('413+'), or not at all. Left out, and so with the general rules:
 * 402 (a matter of the account), 405, 406 (our configuration), 408, 425 (not processed), 410 (retired).
 */
const OTHER_REQUEST_ERRORS = [
  [407, 407],
  [411, 412],
  [414, 414],
  [416, 421],
  [423, 424],
  [426, 428],
  [430, 499],
] as const;

const otherRequestErrors = OTHER_REQUEST_ERRORS.map(
  ([from, to]): PolicyRule => ({
    id: `wupex/request-error-${from === to ? from : `${from}-${to}`}`,
    status: [from, to],
    outcome: 'rejected',
    meaning: 'WUPEX blames the request: no second try',
    source: from > 413 ? STATUSES : NOT_DOCUMENTED,
    evidence: from > 413 ? 'public' : 'assumed',
  }),
);

const rules: readonly PolicyRule[] = [
  {
    id: 'wupex/insufficient-stock',
    status: [400, 599],
    code: 'INSUFFICIENT_STOCK',
    steps: ORDERING,
    outcome: 'waiting',
    wait: { reason: 'stock', scope: 'order' },
    meaning:
      'Not enough codes left: the order waits for stock. The code is public, its HTTP status is not (200 as well)',
    source: PULL,
    evidence: 'assumed',
  },
  {
    id: 'wupex/insufficient-balance',
    status: [400, 599],
    code: INSUFFICIENT_BALANCE,
    steps: ORDERING,
    outcome: 'waiting',
    wait: { reason: 'funds', scope: 'account' },
    meaning:
      'Balance and credit do not suffice: orders of the account wait until it is topped up. The words are configured',
    source: NOT_DOCUMENTED,
    evidence: 'assumed',
  },
  {
    id: 'wupex/not-entitled',
    status: 403,
    code: NOT_ENTITLED,
    outcome: 'blocked',
    block: 'misconfigured',
    meaning:
      'The account may not have this product or merchant: a human reviews the entitlement; the third such order pauses the account',
    source: `${ERRORS}; that 403 may be about one product is assumed`,
    evidence: 'assumed',
  },
  ...documented,
  {
    id: 'wupex/conflict',
    status: 409,
    outcome: 'settled',
    meaning: 'A duplicate, or in conflict with what is: look up the reference, never pull again',
    source: STATUSES,
    evidence: 'public',
  },
  {
    id: 'wupex/too-large',
    status: 413,
    outcome: 'rejected',
    meaning: 'The order is too large: split it',
    source: STATUSES,
    evidence: 'public',
  },
  {
    id: 'wupex/media-type',
    status: 415,
    outcome: 'blocked',
    block: 'misconfigured',
    meaning: 'Our media type is refused: no order is at fault, what stands between us and WUPEX is',
    source: STATUSES,
    evidence: 'public',
  },
  {
    id: 'wupex/unprocessable',
    status: 422,
    outcome: 'rejected',
    meaning: 'The content makes no sense to WUPEX, such as a quantity that it does not sell',
    source: STATUSES,
    evidence: 'public',
  },
  ...otherRequestErrors,
  {
    id: 'wupex/gateway-error',
    status: [501, 502],
    outcome: 'unknown',
    meaning: 'A server error: reads go again, pulled codes are looked up by reference',
    source: RETRY,
    evidence: 'public',
  },
  {
    id: 'wupex/server-error',
    status: [504, 599],
    outcome: 'unknown',
    meaning: 'A server error: reads go again, pulled codes are looked up by reference',
    source: RETRY,
    evidence: 'public',
  },
];

/**
 * 'Retry Logic' names at most 5 repeats, 500 ms at first, doubled up to 10 s, anything between 0 and that drawn.
 * It ignores that pulled codes are paid for: here it holds for reads. After a 429 the first wait is a floor and
 * only half is drawn, for no header tells when the limit ends.
 */
export const policy: ProviderPolicy = {
  ...DEFAULT_POLICY,
  attempts: 6,
  backoff: { baseMs: 500, capMs: 10_000, floorMs: 0, jitter: 'full' },
  throttle: { baseMs: 500, capMs: 10_000, floorMs: 500, jitter: 'equal' },
  rules,
};

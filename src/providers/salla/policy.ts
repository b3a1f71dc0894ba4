/**
 * Salla's error handling, as data. The table of "Responses" has a slug per status, and its samples spell some of
 * them in another way, so the status decides. The codes below are read out of sentences and fields (`readError` in
 * wire.ts), where one status has several meanings.
 */
import { DEFAULT_POLICY, type PolicyRule, type ProviderPolicy } from '../../policy/policy.js';

const RESPONSES = "Merchant API, 'Responses'";
const CASES = "Merchant API, 'Responses', '401 Cases'";
const LIMITS = "Merchant API, 'Rate Limiting'";
const STATUS = "Merchant API, 'Update Order Status'";
const NOT_DOCUMENTED = 'Not in the Merchant API documentation';

/** Steps that create something which the store then knows by our reference. */
const CREATING = ['order', 'shipment'] as const;
/** Steps that read a list, where an absence is an empty one. */
const LISTING = ['look', 'look-recent', 'list', 'probe'] as const;
/** Steps about an order whose id the shop has given. */
const OF_GIVEN_ORDER = ['current', 'status'] as const;

const rules: readonly PolicyRule[] = [
  {
    id: 'salla/invalid-grant',
    status: 401,
    code: 'invalid_grant',
    outcome: 'blocked',
    block: 'reinstall',
    meaning:
      'A refresh token was used twice, and both tokens are revoked: the merchant has to install the app again',
    source: CASES,
    evidence: 'documented',
  },
  {
    id: 'salla/missing-scope',
    status: 401,
    code: 'missing_scope',
    outcome: 'blocked',
    block: 'auth',
    meaning:
      'The app was not granted what this call needs: grant it in the store. Another token would not have it either',
    source: CASES,
    evidence: 'documented',
  },
  {
    id: 'salla/invalid-access-token',
    status: 401,
    code: 'invalid_access_token',
    outcome: 'blocked',
    block: 'token',
    meaning: 'The access token has ended, or never was one: it is refreshed, once',
    source: CASES,
    evidence: 'documented',
  },
  {
    id: 'salla/deleted-user',
    status: 401,
    code: 'deleted_user',
    outcome: 'blocked',
    block: 'reinstall',
    meaning: 'The user who installed the app is no more: somebody has to install it again',
    source: CASES,
    evidence: 'documented',
  },
  {
    id: 'salla/inactive-user',
    status: 401,
    code: 'inactive_user',
    outcome: 'blocked',
    block: 'auth',
    meaning:
      'The account of the user who installed the app is not active: nothing goes out until it is again',
    source: CASES,
    evidence: 'documented',
  },
  {
    id: 'salla/unauthorized',
    status: 401,
    outcome: 'blocked',
    block: 'token',
    meaning:
      'Not authorised, in words that are not known: the token is refreshed once, and if that does not help the account pauses',
    source: RESPONSES,
    evidence: 'assumed',
  },
  {
    id: 'salla/bad-request',
    status: 400,
    outcome: 'rejected',
    meaning: 'Parameters, fields or filters are invalid: mend what the message names',
    source: RESPONSES,
    evidence: 'documented',
  },
  {
    id: 'salla/forbidden',
    status: 403,
    outcome: 'blocked',
    block: 'auth',
    meaning:
      'Blocked for a while after too many errors, or not allowed; one slug for both. The account stands still, a human is told, and one cheap read every 15 minutes finds out whether it is over: more calls would lengthen it',
    source: `${RESPONSES}; ${LIMITS}`,
    evidence: 'documented',
  },
  {
    id: 'salla/no-such-order',
    status: 404,
    code: 'not_found',
    steps: OF_GIVEN_ORDER,
    outcome: 'rejected',
    meaning: 'The store has no order of the id that the shop gave: correct options.orderId',
    source: `${RESPONSES}; ${STATUS}`,
    evidence: 'documented',
  },
  {
    id: 'salla/no-such-list',
    status: 404,
    steps: LISTING,
    outcome: 'failed',
    meaning: 'A list is there even when it is empty: our URL is wrong, and nothing is proven absent',
    source: RESPONSES,
    evidence: 'documented',
  },
  {
    id: 'salla/not-found',
    status: 404,
    outcome: 'missing',
    meaning: 'No such resource or path: of an order whose id is known no verdict, on a submit a wrong URL',
    source: RESPONSES,
    evidence: 'documented',
  },
  {
    id: 'salla/method-not-allowed',
    status: 405,
    outcome: 'blocked',
    block: 'misconfigured',
    alert: true,
    meaning: 'The path does not take this method: our configuration is wrong, not the order',
    source: RESPONSES,
    evidence: 'documented',
  },
  {
    id: 'salla/not-acceptable',
    status: 406,
    outcome: 'blocked',
    block: 'misconfigured',
    alert: true,
    meaning: 'The format is not understood or cannot be given: our configuration is wrong, not the order',
    source: RESPONSES,
    evidence: 'documented',
  },
  {
    id: 'salla/conflict',
    status: 409,
    outcome: 'settled',
    meaning: 'In conflict with what is there: read it and adopt its state; of a submit, look whose it is',
    source: NOT_DOCUMENTED,
    evidence: 'assumed',
  },
  {
    id: 'salla/gone',
    status: 410,
    outcome: 'gone',
    meaning: 'The resource is there no longer, and will not be again: a human is told what is gone',
    source: RESPONSES,
    evidence: 'documented',
  },
  {
    id: 'salla/duplicate-reference',
    status: 422,
    code: 'duplicate_reference',
    steps: CREATING,
    outcome: 'settled',
    meaning: 'The store holds something of this reference: look whose it is, never send it again',
    source: NOT_DOCUMENTED,
    evidence: 'assumed',
  },
  {
    id: 'salla/same-status',
    status: 422,
    code: 'same_status',
    steps: ['status'],
    outcome: 'settled',
    meaning: 'The order has this status already: read it and see',
    source: NOT_DOCUMENTED,
    evidence: 'assumed',
  },
  {
    id: 'salla/cancel-refused',
    status: 422,
    steps: ['cancel'],
    outcome: 'settled',
    meaning: 'Canceled already, or too late for it: read the state and see',
    source: `${RESPONSES}; ${STATUS}`,
    evidence: 'public',
  },
  {
    id: 'salla/validation-failed',
    status: 422,
    outcome: 'rejected',
    meaning: 'What was sent cannot be processed: the fields say why, each in its own words',
    source: RESPONSES,
    evidence: 'documented',
  },
  {
    id: 'salla/too-many-requests',
    status: 429,
    outcome: 'throttled',
    meaning:
      "The budget of the store's plan is used up: wait until Retry-After, else until the reset in epoch seconds",
    source: `${RESPONSES}; ${LIMITS}`,
    evidence: 'documented',
  },
  {
    id: 'salla/server-error',
    status: 500,
    outcome: 'unknown',
    alert: true,
    meaning:
      'Perhaps an update of their services: after a while again, with growing waits; what may have been created or written is looked up before',
    source: RESPONSES,
    evidence: 'documented',
  },
  {
    id: 'salla/service-unavailable',
    status: 503,
    outcome: 'unknown',
    meaning: 'Overload or maintenance: as after 500, but nobody needs to be told',
    source: RESPONSES,
    evidence: 'documented',
  },
  {
    id: 'salla/gateway-error',
    status: [501, 599],
    outcome: 'unknown',
    meaning: 'The server or what stands before it is in trouble: as after 503',
    source: NOT_DOCUMENTED,
    evidence: 'assumed',
  },
];

/** No wait is documented beyond "a while" and "later", so the general figures hold. */
export const policy: ProviderPolicy = { ...DEFAULT_POLICY, resetDialect: 'epoch', rules };

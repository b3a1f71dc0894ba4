/**
 * GelatoConnect's error handling, as data. The provider documents an envelope of one number and one sentence,
 * so rules go by HTTP status; the two codes below are read out of that sentence (`readError` in wire.ts).
 */
import { DEFAULT_POLICY, type PolicyRule, type ProviderPolicy } from '../../policy/policy.js';

const ERRORS = "Order Management API, 'Error Handling'";
const CLASSES = "Order Management API, 'Response Codes'";
const RATE_LIMITS = "Order Management API, 'Rate Limits'";
const UNTIL_SHIPPED = "Order Management API, 'Cancel Order' and 'Update Shipment'";
const NOT_DOCUMENTED = 'Not in the Order Management API document';

/** Verbs whose request holds nothing that could be wrong but the order's own state. */
const STATE_STEPS = ['cancel', 'activate'] as const;

/**
 * The 4xx that the document covers only as a class. Left out, and so with the general rules: 402 (a matter of
 * the account), 405, 406, 415 (our configuration), 408, 425 (not processed), 410 (retired).
 */
const OTHER_REQUEST_ERRORS = [
  [407, 407],
  [411, 414],
  [416, 421],
  [423, 424],
  [426, 428],
  [430, 499],
] as const;

const otherRequestErrors = OTHER_REQUEST_ERRORS.flatMap(([from, to]): PolicyRule[] => {
  const range = from === to ? `${from}` : `${from}-${to}`;
  return [
    {
      id: `gelato-connect/state-refused-${range}`,
      status: [from, to],
      steps: STATE_STEPS,
      outcome: 'settled',
      meaning: "The order's state forbids it: read the order and see",
      source: UNTIL_SHIPPED,
      evidence: 'assumed',
    },
    {
      id: `gelato-connect/request-error-${range}`,
      status: [from, to],
      outcome: 'rejected',
      meaning: 'A structural or data error in the request',
      source: CLASSES,
      evidence: 'documented',
    },
  ];
});

const rules: readonly PolicyRule[] = [
  {
    id: 'gelato-connect/duplicate-reference',
    status: [400, 422],
    code: 'duplicate_reference',
    steps: ['submit'],
    outcome: 'settled',
    meaning: 'The provider holds an order of this reference: look whose it is, never send it again',
    source: "Order intake, 'Submit order' (preventDuplicate); the answer to a duplicate is not documented",
    evidence: 'assumed',
  },
  {
    id: 'gelato-connect/update-too-late',
    status: [400, 422],
    code: 'order_state',
    steps: ['update'],
    outcome: 'settled',
    meaning: 'The message speaks of the order being shipped or canceled: read the order and see',
    source: UNTIL_SHIPPED,
    evidence: 'assumed',
  },
  {
    id: 'gelato-connect/state-refused-400',
    status: 400,
    steps: STATE_STEPS,
    outcome: 'settled',
    meaning: "The order's state forbids it: read the order and see",
    source: UNTIL_SHIPPED,
    evidence: 'assumed',
  },
  {
    id: 'gelato-connect/bad-request',
    status: 400,
    outcome: 'rejected',
    meaning: 'A parameter is invalid or missing: mend what the message names',
    source: ERRORS,
    evidence: 'documented',
  },
  {
    id: 'gelato-connect/unauthorized',
    status: 401,
    outcome: 'blocked',
    block: 'auth',
    meaning: 'Key or secret is missing or wrong',
    source: ERRORS,
    evidence: 'documented',
  },
  {
    id: 'gelato-connect/forbidden',
    status: 403,
    outcome: 'blocked',
    block: 'auth',
    meaning: 'The credentials may not do this',
    source: NOT_DOCUMENTED,
    evidence: 'assumed',
  },
  {
    id: 'gelato-connect/not-found',
    status: 404,
    outcome: 'missing',
    meaning: 'There is no such order; in a lookup by reference this is the proof of absence',
    source: ERRORS,
    evidence: 'documented',
  },
  {
    id: 'gelato-connect/cancel-conflict',
    status: 409,
    steps: ['cancel'],
    outcome: 'settled',
    meaning: 'Too late to cancel: read the order and adopt its state',
    source: "Gelato order API v4, 'Cancel order'",
    evidence: 'public',
  },
  {
    id: 'gelato-connect/conflict',
    status: 409,
    outcome: 'settled',
    meaning: 'In conflict with what is there: read the order and adopt its state',
    source: NOT_DOCUMENTED,
    evidence: 'assumed',
  },
  {
    id: 'gelato-connect/state-refused-422',
    status: 422,
    steps: STATE_STEPS,
    outcome: 'settled',
    meaning: "The order's state forbids it: read the order and see",
    source: UNTIL_SHIPPED,
    evidence: 'assumed',
  },
  {
    id: 'gelato-connect/unprocessable',
    status: 422,
    outcome: 'rejected',
    meaning: 'The content is at fault',
    source: NOT_DOCUMENTED,
    evidence: 'assumed',
  },
  {
    id: 'gelato-connect/rate-limited',
    status: 429,
    outcome: 'throttled',
    meaning: 'More than 100 requests in a second: wait ever longer, with a ceiling and a random part',
    source: RATE_LIMITS,
    evidence: 'documented',
  },
  ...otherRequestErrors,
  {
    id: 'gelato-connect/internal-error',
    status: 500,
    outcome: 'unknown',
    alert: true,
    meaning:
      'An unexpected server error; a submit may have been done all the same, anything else is repeated',
    source: `${ERRORS} and 'Rate Limits'`,
    evidence: 'documented',
  },
  {
    id: 'gelato-connect/gateway-error',
    status: [502, 504],
    outcome: 'unknown',
    meaning: 'The server or what stands before it is in trouble; handled as 500 is',
    source: CLASSES,
    evidence: 'assumed',
  },
  {
    id: 'gelato-connect/server-error',
    status: [501, 599],
    outcome: 'unknown',
    meaning: 'A server error; handled as 500 is',
    source: CLASSES,
    evidence: 'assumed',
  },
];

/**
 * The document asks for exponential waits with a ceiling, a cap on retries and jitter, and gives no figures
 * ("Rate Limits"), so the general figures hold.
 */
export const policy: ProviderPolicy = { ...DEFAULT_POLICY, rules };

/**
 * Wasal's error handling, as data. The reference asks to go by `code` first; the status alone decides only where
 * a code is missing or not in the reference. Business states arrive as 400 (funds, window, not a draft), so the
 * rows of codes stand before those of statuses.
 */
import { DEFAULT_POLICY, type PolicyRule, type ProviderPolicy } from '../../policy/policy.js';

const STATUSES = "Wasal Error Reference, 'HTTP status codes'";
const AUTH = "Wasal Error Reference, 'Authentication errors'";
const CUSTOMERS = "Wasal Error Reference, 'Customer errors'";
const ORDERS = "Wasal Error Reference, 'Order errors'";
const WEBHOOKS = "Wasal Error Reference, 'Webhook errors'";
const SANDBOX = "Wasal Error Reference, 'Sandbox errors'";
const RATE = "Wasal Error Reference, 'Rate limiting'";
const ADVICE = "Wasal Error Reference, 'Handling errors well'";
const NOT_DOCUMENTED = 'Not in the Wasal documents';

/** Steps that speak of a customer and its addresses only. */
const CUSTOMER_STEPS = ['customer', 'customer-get', 'address', 'address-sixth', 'address-replace'] as const;
/** Steps that name a customer who has to be there. */
const CUSTOMER_BY_ID = ['customer-get', 'address', 'address-sixth', 'address-replace', 'order'] as const;
/** Steps that name an order in their path. */
const ORDER_BY_ID = ['get', 'activate', 'cancel'] as const;
/** Steps whose path names nothing that could be missing. */
const LISTS = ['look', 'look-cancelled', 'list', 'probe'] as const;

type Told = Pick<PolicyRule, 'id' | 'status' | 'code' | 'meaning' | 'source'>;

const refusedKey = (rule: Told): PolicyRule => ({
  ...rule,
  outcome: 'blocked',
  block: 'auth',
  evidence: 'documented',
});

/** The content is at fault: the shop mends it, nothing else helps. */
const rejected = (rule: Told): PolicyRule => ({ ...rule, outcome: 'rejected', evidence: 'documented' });

const authentication: readonly PolicyRule[] = [
  refusedKey({
    id: 'wasal/missing-api-key',
    status: 401,
    code: 'MISSING_API_KEY',
    meaning: 'The Authorization header did not arrive: something between us and Wasal takes it away',
    source: AUTH,
  }),
  refusedKey({
    id: 'wasal/invalid-api-key-format',
    status: 401,
    code: 'INVALID_API_KEY_FORMAT',
    meaning: 'The key begins with neither pk_live_ nor pk_test_',
    source: AUTH,
  }),
  refusedKey({
    id: 'wasal/invalid-api-key',
    status: 401,
    code: 'INVALID_API_KEY',
    meaning: 'The key belongs to no merchant; making a new one ends the old one at once',
    source: AUTH,
  }),
  refusedKey({
    id: 'wasal/merchant-inactive',
    status: 403,
    code: 'MERCHANT_INACTIVE',
    meaning: "The merchant's account has been deactivated",
    source: AUTH,
  }),
];

const customers: readonly PolicyRule[] = [
  {
    ...rejected({
      id: 'wasal/customer-validation',
      status: 400,
      code: 'VALIDATION_FAILED',
      meaning: 'Fields of the customer or of the address are wrong; the error names each of them',
      source: CUSTOMERS,
    }),
    steps: CUSTOMER_STEPS,
  },
  {
    id: 'wasal/max-addresses',
    status: 400,
    code: 'MAX_ADDRESSES_EXCEEDED',
    steps: ['address'],
    outcome: 'failed',
    meaning:
      'Another order has just given the customer a fifth address: read them anew, reuse one or replace one that no open order uses',
    source: CUSTOMERS,
    evidence: 'documented',
  },
  {
    ...rejected({
      id: 'wasal/max-addresses-in-use',
      status: 400,
      code: 'MAX_ADDRESSES_EXCEEDED',
      meaning:
        'The customer has five addresses and open orders use all of them: wait for one to end, or name one of the five',
      source: CUSTOMERS,
    }),
    steps: ['address-sixth'],
  },
  {
    ...rejected({
      id: 'wasal/customer-not-found',
      status: 404,
      code: 'CUSTOMER_NOT_FOUND',
      meaning: "Wasal has no such customer of this merchant's: correct customer.id, or give phone and name",
      source: CUSTOMERS,
    }),
    steps: CUSTOMER_BY_ID,
  },
  {
    id: 'wasal/customer-phone-duplicate',
    status: 409,
    code: 'CUSTOMER_PHONE_DUPLICATE',
    steps: ['customer'],
    outcome: 'failed',
    attempts: 3,
    meaning: 'The customer came into being meanwhile: the upsert, made again, finds it by its phone number',
    source: CUSTOMERS,
    evidence: 'documented',
  },
  {
    id: 'wasal/customer-email-duplicate',
    status: 409,
    code: 'CUSTOMER_EMAIL_DUPLICATE',
    steps: ['customer'],
    outcome: 'failed',
    meaning: 'Another customer has this e-mail address: made again without it',
    source: CUSTOMERS,
    evidence: 'documented',
  },
  {
    id: 'wasal/customer-has-orders',
    status: 409,
    code: 'CUSTOMER_HAS_ORDERS',
    steps: ORDER_BY_ID,
    outcome: 'settled',
    meaning: 'A customer with orders cannot be deleted; packline deletes none',
    source: CUSTOMERS,
    evidence: 'documented',
  },
];

const orders: readonly PolicyRule[] = [
  rejected({
    id: 'wasal/customer-required',
    status: 400,
    code: 'CUSTOMER_REQUIRED',
    meaning: 'The order names no customer',
    source: ORDERS,
  }),
  rejected({
    id: 'wasal/special-handling-required',
    status: 400,
    code: 'SPECIAL_HANDLING_REQUIRED',
    meaning: 'The order has no special handling tag; `none` is one',
    source: ORDERS,
  }),
  rejected({
    id: 'wasal/invalid-special-handling-tag',
    status: 400,
    code: 'INVALID_SPECIAL_HANDLING_TAG',
    meaning: 'A special handling tag is not on the list',
    source: ORDERS,
  }),
  rejected({
    id: 'wasal/invalid-package-side',
    status: 400,
    code: 'INVALID_PACKAGE_SIDE',
    meaning: 'The package side is not on the list; configure the list as packageSides to hear of it sooner',
    source: ORDERS,
  }),
  rejected({
    id: 'wasal/invalid-amount-to-collect',
    status: 400,
    code: 'INVALID_AMOUNT_TO_COLLECT',
    meaning: 'Cash on delivery without an amount, or with one below zero',
    source: ORDERS,
  }),
  rejected({
    id: 'wasal/amount-exceeds-total',
    status: 400,
    code: 'AMOUNT_EXCEEDS_TOTAL',
    meaning: "The driver would collect more than the order's total",
    source: ORDERS,
  }),
  rejected({
    id: 'wasal/package-photo-required',
    status: 400,
    code: 'PACKAGE_PHOTO_REQUIRED',
    meaning: 'This merchant has to send a photo of each package: give options.packagePhoto',
    source: ORDERS,
  }),
  rejected({
    id: 'wasal/no-delivery-address',
    status: 400,
    code: 'CUSTOMER_NO_DELIVERY_ADDRESS',
    meaning: 'The customer has no address: give shippingAddress or options.address',
    source: ORDERS,
  }),
  {
    id: 'wasal/insufficient-wallet-balance',
    status: 400,
    code: 'INSUFFICIENT_WALLET_BALANCE',
    steps: ['order'],
    outcome: 'waiting',
    wait: { reason: 'funds', scope: 'account' },
    meaning: "The wallet does not cover the delivery fee: all of the account's orders wait until it does",
    source: ORDERS,
    evidence: 'documented',
  },
  {
    id: 'wasal/insufficient-wallet-balance-activate',
    status: 400,
    code: 'INSUFFICIENT_WALLET_BALANCE',
    steps: ['activate'],
    outcome: 'waiting',
    wait: { reason: 'funds', scope: 'account' },
    meaning: 'The wallet does not cover the delivery fee, which a draft may owe only now',
    source: `${ORDERS}, which ties the code to no single call`,
    evidence: 'assumed',
  },
  {
    id: 'wasal/order-not-draft',
    status: 400,
    code: 'ORDER_NOT_DRAFT',
    steps: ['activate'],
    outcome: 'settled',
    meaning: 'The order is a draft no longer: read it, an earlier try may have activated it',
    source: ORDERS,
    evidence: 'documented',
  },
  {
    id: 'wasal/order-window-closed',
    status: 400,
    code: 'ORDER_WINDOW_CLOSED',
    steps: ['activate'],
    outcome: 'waiting',
    wait: { reason: 'window', scope: 'account' },
    meaning: 'The delivery partner takes no orders now: activations wait until its window opens',
    source: ORDERS,
    evidence: 'documented',
  },
  {
    id: 'wasal/order-window-closed-order',
    status: 400,
    code: 'ORDER_WINDOW_CLOSED',
    steps: ['order'],
    outcome: 'waiting',
    wait: { reason: 'window', scope: 'account' },
    meaning: 'The delivery partner takes no orders now: new ones wait until its window opens',
    source: `${ORDERS}, which names activate alone`,
    evidence: 'assumed',
  },
  {
    id: 'wasal/order-not-found',
    status: 404,
    code: 'ORDER_NOT_FOUND',
    steps: ORDER_BY_ID,
    outcome: 'missing',
    meaning: "Wasal has no such order of this merchant's",
    source: ORDERS,
    evidence: 'documented',
  },
  rejected({
    id: 'wasal/validation-failed',
    status: 400,
    code: 'VALIDATION_FAILED',
    meaning: 'Other fields of the request are wrong; the error names each of them',
    source: `${ORDERS} and 'Webhook errors'`,
  }),
];

/** Of calls that packline does not make; listed so that none of their codes can pause or mislead an account. */
const others: readonly PolicyRule[] = [
  {
    id: 'wasal/webhook-not-found',
    status: 404,
    code: 'WEBHOOK_NOT_FOUND',
    steps: ORDER_BY_ID,
    outcome: 'missing',
    meaning: "Wasal has no such webhook of this merchant's; packline asks for none",
    source: WEBHOOKS,
    evidence: 'documented',
  },
  rejected({
    id: 'wasal/sandbox-only',
    status: 403,
    code: 'SANDBOX_ONLY',
    meaning: 'A production key was used to move an order by hand; the key itself is good, so nothing pauses',
    source: SANDBOX,
  }),
  rejected({
    id: 'wasal/invalid-status',
    status: 400,
    code: 'INVALID_STATUS',
    meaning: 'A sandbox order cannot be moved to this status: it is none of the life cycle',
    source: SANDBOX,
  }),
];

const statuses: readonly PolicyRule[] = [
  {
    id: 'wasal/state-refused',
    status: 400,
    steps: ['activate', 'cancel'],
    outcome: 'settled',
    meaning: "The order's state forbids it, such as a cancel after pickup: read the order and see",
    source: `${NOT_DOCUMENTED}: how a cancel that comes too late is refused`,
    evidence: 'assumed',
  },
  {
    id: 'wasal/bad-request',
    status: 400,
    outcome: 'rejected',
    meaning: 'A field or a business rule is violated, under a code that is not in the reference',
    source: STATUSES,
    evidence: 'documented',
  },
  {
    id: 'wasal/unauthorized',
    status: 401,
    outcome: 'blocked',
    block: 'auth',
    meaning: 'Authentication failed',
    source: STATUSES,
    evidence: 'documented',
  },
  {
    id: 'wasal/forbidden',
    status: 403,
    outcome: 'blocked',
    block: 'auth',
    meaning: 'The key is known and may not do this, for a reason that is not in the reference',
    source: STATUSES,
    evidence: 'assumed',
  },
  {
    id: 'wasal/list-not-found',
    status: 404,
    steps: LISTS,
    outcome: 'blocked',
    block: 'misconfigured',
    meaning: 'A list is never missing: the base URL is wrong. It proves no order absent',
    source: `${NOT_DOCUMENTED}: an empty list is a list`,
    evidence: 'assumed',
  },
  {
    id: 'wasal/not-found',
    status: 404,
    outcome: 'missing',
    meaning: "What was asked for is not there, or another merchant's",
    source: STATUSES,
    evidence: 'documented',
  },
  {
    id: 'wasal/customer-conflict',
    status: 409,
    steps: CUSTOMER_STEPS,
    outcome: 'rejected',
    meaning: 'The customer or the address is in conflict with another; no order has been sent yet',
    source: `${NOT_DOCUMENTED}: a conflict of customers that is not in the reference`,
    evidence: 'assumed',
  },
  {
    id: 'wasal/conflict',
    status: 409,
    outcome: 'settled',
    meaning: 'In conflict with what is there: of a new order look whose it is, of others read the state',
    source: STATUSES,
    evidence: 'documented',
  },
  {
    id: 'wasal/rate-limited',
    status: 429,
    outcome: 'throttled',
    meaning: 'More than 600 requests in 15 minutes: wait the seconds of RateLimit-Reset',
    source: RATE,
    evidence: 'documented',
  },
  {
    id: 'wasal/internal-error',
    status: 500,
    outcome: 'unknown',
    alert: true,
    meaning: 'An unexpected server error; a new order may be there all the same, anything else is repeated',
    source: `${STATUSES} and 'Handling errors well'`,
    evidence: 'documented',
  },
  {
    id: 'wasal/server-error',
    status: [501, 599],
    outcome: 'unknown',
    meaning: 'Server trouble that passes; handled as 500 is',
    source: ADVICE,
    evidence: 'documented',
  },
];

/**
 * After 5xx the reference asks for growing waits with a sensible cap, so the general figures hold. After a 429 it
 * names the header; should that be missing, the window's own 15 minutes are the cap ("Rate limiting").
 */
export const policy: ProviderPolicy = {
  ...DEFAULT_POLICY,
  throttle: { baseMs: 15_000, capMs: 900_000, floorMs: 1_000, jitter: 'equal' },
  resetDialect: 'delta',
  rules: [...authentication, ...customers, ...orders, ...others, ...statuses],
};

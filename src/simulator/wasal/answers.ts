/** Wasal's two envelopes, and every refusal that its error reference lists. */
import { STATUS_CODES } from 'node:http';
import type { Answer } from '../kit.js';
import type { ErrorEnvelope, SuccessEnvelope } from './wire.js';

/** The codes of the reference, "Error Reference", that carry nothing but a message, with their statuses. */
const REFUSALS = {
  MISSING_API_KEY: [401, 'The Authorization header must be: Bearer <API key>'],
  INVALID_API_KEY_FORMAT: [401, 'An API key begins with pk_live_ or pk_test_'],
  INVALID_API_KEY: [401, 'The API key belongs to no merchant'],
  MERCHANT_INACTIVE: [403, 'The merchant account is not active'],
  MAX_ADDRESSES_EXCEEDED: [400, 'A customer can have 5 addresses at most'],
  CUSTOMER_NOT_FOUND: [404, 'No such customer of this merchant'],
  CUSTOMER_PHONE_DUPLICATE: [409, 'Another customer has this phone number'],
  CUSTOMER_EMAIL_DUPLICATE: [409, 'Another customer has this email address'],
  CUSTOMER_HAS_ORDERS: [409, 'A customer who has orders cannot be deleted'],
  CUSTOMER_REQUIRED: [400, 'customerId is required'],
  SPECIAL_HANDLING_REQUIRED: [400, 'At least one special handling tag is required'],
  INVALID_SPECIAL_HANDLING_TAG: [400, 'A special handling tag is not one of those allowed'],
  INVALID_PACKAGE_SIDE: [400, 'packageSide is not one of those allowed'],
  INVALID_AMOUNT_TO_COLLECT: [400, 'amountToCollect must be zero or more for cash on delivery'],
  AMOUNT_EXCEEDS_TOTAL: [400, 'amountToCollect is more than the total of the order'],
  PACKAGE_PHOTO_REQUIRED: [400, 'This merchant has to send a photo of the package'],
  CUSTOMER_NO_DELIVERY_ADDRESS: [400, 'The customer has no address to deliver to'],
  ORDER_NOT_DRAFT: [400, 'Only a draft can be activated'],
  ORDER_WINDOW_CLOSED: [400, 'The delivery partner takes no orders at this time'],
  ORDER_NOT_FOUND: [404, 'No such order of this merchant'],
  WEBHOOK_NOT_FOUND: [404, 'No such webhook of this merchant'],
  SANDBOX_ONLY: [403, 'This operation works with a sandbox key only'],
  INVALID_STATUS: [400, 'The status is not one of the life cycle'],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type RefusalCode = keyof typeof REFUSALS;

export function ok(data: unknown): Answer {
  return { status: 200, body: success(data) };
}

export function created(data: unknown): Answer {
  return { status: 201, body: success(data) };
}

export function refuse(code: RefusalCode): Answer {
  const [status, message] = REFUSALS[code];
  return refusal(status, code, message);
}

/** A refusal in words of its own; for those that the reference does not list. */
export function refusal(status: number, code: string, message: string): Answer {
  const body: ErrorEnvelope = { success: false, message, code };
  return { status, body };
}

export function invalid(errors: Readonly<Record<string, string>>): Answer {
  const body: ErrorEnvelope = {
    success: false,
    message: 'Some fields are not valid',
    code: 'VALIDATION_FAILED',
    errors,
  };
  return { status: 400, body };
}

/** The wallet holds less than the delivery costs; both in fils. */
export function insufficientFunds(requiredFils: number, balanceFils: number): Answer {
  const body: ErrorEnvelope = {
    success: false,
    message: 'The wallet does not cover the delivery fee',
    code: 'INSUFFICIENT_WALLET_BALANCE',
    data: { required: dinars(requiredFils), balance: dinars(balanceFils), currency: 'KWD' },
  };
  return { status: 400, body };
}

/**
 * The envelope of an answer that no operation gave: a fault without a body, an unknown path, a body that is no
 * JSON. Where the reference has no code for the status, it is the words of the HTTP status.
 */
export function envelopeOf(status: number, message: string, verb: string): ErrorEnvelope | SuccessEnvelope {
  if (status < 300) return success({});
  const code = generalCode(status, verb);
  return { success: false, message, code, ...(status === 400 ? { errors: { body: message } } : {}) };
}

function generalCode(status: number, verb: string): string {
  switch (status) {
    case 400:
      return 'VALIDATION_FAILED';
    case 401:
      return 'INVALID_API_KEY';
    case 403:
      return verb === 'advance-status' ? 'SANDBOX_ONLY' : 'MERCHANT_INACTIVE';
    case 404:
      return NOT_FOUND.find(([verbs]) => verbs.test(verb))?.[1] ?? 'NOT_FOUND';
    case 429:
      // Not documented.
      return 'RATE_LIMITED';
    default:
      return (STATUS_CODES[status] ?? 'Unknown').toUpperCase().replaceAll(/[^A-Z]+/g, '_');
  }
}

const NOT_FOUND: readonly (readonly [verbs: RegExp, code: RefusalCode])[] = [
  [/^(get|history|cancel|activate|track|advance-status)$/, 'ORDER_NOT_FOUND'],
  [/^(customer|address)-/, 'CUSTOMER_NOT_FOUND'],
  [/^webhook-/, 'WEBHOOK_NOT_FOUND'],
];

function success(data: unknown): SuccessEnvelope {
  return { success: true, data };
}

// "KWD, three decimals".
const FILS_PER_DINAR = 1_000;

export function dinars(fils: number): number {
  return fils / FILS_PER_DINAR;
}

/** Undefined for an amount with more than three decimals, such as a sum of floats. */
export function fils(amount: number): number | undefined {
  return Number(amount.toFixed(3)) === amount ? Math.round(amount * FILS_PER_DINAR) : undefined;
}

/** The identifiers that Zupy hands out. Not from the passed-in randomness: they must differ even where a test holds chance still. */
import { randomBytes } from 'node:crypto';

const BASE_62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE_36 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
// A KSUID is 4 bytes of seconds since 13 May 2014 and 16 random ones, in base 62 (KSUID specification).
const KSUID_EPOCH_S = 1_400_000_000;
const KSUID_LENGTH = 27;
const CODE_LENGTH = 8;

/**
 * A KSUID of a moment in milliseconds since the epoch. Mixed-case, as in the documents' samples, although
 * one sentence there calls it lower-case: who folds its case finds nothing.
 */
export function ksuid(at: number): string {
  const seconds = Math.max(0, Math.floor(at / 1000) - KSUID_EPOCH_S);
  let rest = BigInt(`0x${seconds.toString(16).padStart(8, '0')}${randomBytes(16).toString('hex')}`);
  let text = '';
  while (text.length < KSUID_LENGTH) {
    text = BASE_62.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}

/** What the customer shows at the till: `CZ-` and eight capitals or digits. */
export function couponCode(): string {
  let code = 'CZ-';
  for (const byte of randomBytes(CODE_LENGTH)) code += BASE_36.charAt(byte % BASE_36.length);
  return code;
}

/** An opaque token for a session that was opened with a code. */
export function sessionToken(): string {
  return randomBytes(24).toString('hex');
}

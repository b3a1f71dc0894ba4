/**
 * Z$ amounts: on the wire a decimal string with six places, here millionths as a bigint, because twelve
 * digits before the point do not fit into a float with six behind it.
 */

/** A Z$ amount on the wire and in the control API. */
export const Z_AMOUNT = /^\d{1,12}(\.\d{1,6})?$/;

const PLACES = 6;
const MILLION = 1_000_000n;

/** `"2418.4"` → 2418400000n; `text` matches `Z_AMOUNT`. */
export function toMicro(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole) * MILLION + BigInt(fraction.padEnd(PLACES, '0'));
}

/** 2418400000n → `"2418.400000"`. */
export function fromMicro(micro: bigint): string {
  return `${micro / MILLION}.${String(micro % MILLION).padStart(PLACES, '0')}`;
}

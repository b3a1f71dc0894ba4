/** Amounts as JSON numbers. Ours are decimal strings, and money must not change on its way into a double. */
import { Decimal } from 'decimal.js';

/** For products: a price has up to 18 digits and a quantity 7 (orders/body.ts), which the default of 20 digits would round. */
export const Exact = Decimal.clone({ precision: 40 });

/** The amount as a JSON number (a double), or null where it would come out as another amount. */
export function exactNumber(amount: string): number | null {
  const number = Number(amount);
  return new Exact(number).equals(amount) ? number : null;
}

/** The same for an amount that validation has let through: one that does not fit is a mistake of ours, and throws. */
export function wireNumber(amount: string): number {
  const number = exactNumber(amount);
  if (number === null) throw new RangeError(`the amount ${amount} does not fit a JSON number`);
  return number;
}

/** The account's money: what it has paid in, and what it may owe. Whole thousandths inside, so that sums are exact. */
import type { BalanceBody } from './wire.js';

// Three decimals are as many as any currency in use has (ISO 4217: BHD, KWD, OMR, ...).
const THOUSANDTHS = 1_000;

/** From an amount of the wire to thousandths; further decimals are rounded. */
export function toThousandths(amount: number): number {
  return Math.round(amount * THOUSANDTHS);
}

export function fromThousandths(thousandths: number): number {
  return thousandths / THOUSANDTHS;
}

export class Wallet {
  #balance: number;
  #credit: number;

  /** Both as amounts. */
  constructor(balance: number, credit: number) {
    this.#balance = toThousandths(balance);
    this.#credit = toThousandths(credit);
  }

  /** Changes what is given; both as amounts. */
  put(change: { balance?: number | undefined; credit?: number | undefined }): void {
    if (change.balance !== undefined) this.#balance = toThousandths(change.balance);
    if (change.credit !== undefined) this.#credit = toThousandths(change.credit);
  }

  /** Takes so many thousandths, the balance before the credit; false, and nothing taken, if there are too few. */
  pay(thousandths: number): boolean {
    if (thousandths > this.#balance + this.#credit) return false;
    const fromBalance = Math.min(thousandths, this.#balance);
    this.#balance -= fromBalance;
    this.#credit -= thousandths - fromBalance;
    return true;
  }

  show(): BalanceBody {
    return {
      balance: fromThousandths(this.#balance),
      credit: fromThousandths(this.#credit),
      creditBalance: fromThousandths(this.#balance + this.#credit),
    };
  }
}

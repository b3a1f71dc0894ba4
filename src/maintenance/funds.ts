/**
 * Verbs that wait for funds, at providers with a balance call: money that has come is seen within a minute, instead of
 * by the order that tries the verb every quarter of an hour.
 */
import { Decimal } from 'decimal.js';
import type { Sql } from '../database/connect.js';
import { dueBalances, seeBalance } from '../gate/closures.js';

/** How often an account's balance is asked for while it is too low, ms. */
export const BALANCE_EVERY_MS = 60_000;

export interface FundsDeps {
  db: Sql;
  /** The account's balance as a decimal string; null where the provider tells none, or did not answer. */
  readBalance(account: string): Promise<string | null>;
}

/**
 * Asks for the balances that are due; where one has risen since it was first seen too low, an order may try at once.
 * @returns whether any has
 */
export async function watchBalances({ db, readBalance }: FundsDeps): Promise<boolean> {
  const asked = await Promise.allSettled(
    (await dueBalances(db, BALANCE_EVERY_MS)).map(async (short) => {
      const balance = await readBalance(short.account);
      if (balance === null) return false;
      const risen = short.seen !== null && new Decimal(balance).greaterThan(short.seen);
      await seeBalance(db, short, balance, risen);
      return risen;
    }),
  );
  const failed = asked.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return asked.some((end) => end.status === 'fulfilled' && end.value);
}

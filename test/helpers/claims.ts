/** Two claims at once, the second of which finds the first one's locks. */
import type { Database } from '../../src/database/connect.js';
import { type ClaimResult, claimOperations } from '../../src/orders/store/claim.js';
import { until } from './until.js';

/** A presence key and class under which nobody else lives. */
const OWNER = 1;
const CLASS = 1;

const claim = (sql: Parameters<typeof claimOperations>[0], operationId: string) =>
  claimOperations(sql, [{ operationId, timeoutMs: 1_000 }], OWNER, CLASS);

/** Claims `first`, holds the commit back until the claim of `second` waits for it, and tells what became of that one. */
export async function claimedMeanwhile(db: Database, first: string, second: string): Promise<ClaimResult[]> {
  let later: Promise<ClaimResult[]> | undefined;
  const [earlier] = await db.transaction(async (sql) => {
    const claimed = await claim(sql, first);
    later = claim(db, second);
    await until('the second claim waits for the first', async () => {
      const waiting = await db.query(
        `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return waiting.length > 0;
    });
    return claimed;
  });
  if (earlier?.ok !== true || later === undefined) throw new Error('the first claim did not go through');
  return later;
}

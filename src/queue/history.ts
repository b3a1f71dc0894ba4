/**
 * How far the database had come, as the queue remembers it. A dump that was restored into the same place has the
 * same identity; but a Redis that outlived it knows of attempts that the database does not know any more.
 */
import type { Logger } from 'pino';
import type { Sql } from '../database/connect.js';
import { highestAttempt, historyId, holdSending } from '../database/identity.js';
import type { QueueBackend } from './backend.js';

export interface HistoryDeps {
  db: Sql;
  queue: Pick<QueueBackend, 'rememberHighest'>;
  log: Logger;
}

/** Lets nothing be sent where the queue has seen attempts that the database lacks. Returns whether it does. */
export async function compareHistories({ db, queue, log }: HistoryDeps): Promise<boolean> {
  const history = await historyId(db);
  if (history === null) return false;
  const seen = await queue.rememberHighest(history, await highestAttempt(db));
  // Read anew: between the two questions others may have made attempts, and told the queue.
  if (BigInt(seen) <= BigInt(await highestAttempt(db))) return false;
  const reason = `the queue has seen attempt ${seen}, which this database does not have: it was restored to an earlier time`;
  await holdSending(db, reason);
  log.error({ event: 'database.behind', seen }, reason);
  return true;
}

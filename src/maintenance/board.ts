/** Mirrors open dead letters into a queue of their own, so that the board shows them. The rows stay the truth. */
import type { Sql } from '../database/connect.js';
import { DEAD_LETTER_QUEUE, type QueueBackend } from '../queue/backend.js';

/** Letters of one round at most. */
const ROUND = 200;

const NEW = `
select l.id::text as id, l.operation_id::text as "operationId", l.account_id as account, l.kind, l.code
from packline.dead_letters l where l.state = 'open' and l.boarded_at is null order by l.id limit ${ROUND}`;

const DECIDED = `
select l.id::text as id from packline.dead_letters l where l.state <> 'open' and l.boarded_at is not null order by l.id limit ${ROUND}`;

const MARK = `
update packline.dead_letters set boarded_at = case when $2::boolean then now() end where id = any($1::bigint[])`;

const FORGET = `update packline.dead_letters set boarded_at = null where state = 'open' and boarded_at is not null`;

const jobId = (id: string): string => `dead-letter-${id}`;
const idsOf = (letters: readonly { id: string }[]): string[] => letters.map(({ id }) => id);

/** Puts new letters onto the board and takes decided ones off. Returns how many changed. */
export async function mirrorLetters(sql: Sql, queue: QueueBackend): Promise<number> {
  const fresh = await sql.query<{
    id: string;
    operationId: string;
    account: string;
    kind: string;
    code: string;
  }>(NEW);
  const board = queue.queue(DEAD_LETTER_QUEUE);
  // The queue first: what it refuses is tried again, and what it has already it swallows.
  if (fresh.length > 0) {
    await board.addBulk(
      fresh.map(({ id, operationId, account, kind, code }) => ({
        name: `${kind} ${code}`,
        data: { v: 1, deadLetterId: id, operationId, account, code },
        opts: { jobId: jobId(id) },
      })),
    );
    await sql.query(MARK, idsOf(fresh), true);
  }
  const decided = await sql.query<{ id: string }>(DECIDED);
  for (const { id } of decided) await board.remove(jobId(id));
  if (decided.length > 0) await sql.query(MARK, idsOf(decided), false);
  return fresh.length + decided.length;
}

/** The queue was emptied: all open letters go onto the board again. */
export async function forgetBoard(sql: Sql): Promise<void> {
  await sql.query(FORGET);
}

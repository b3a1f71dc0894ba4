/** Mirrors open dead letters into a queue of their own, so that the board shows them. The rows stay the truth. */
import type { Sql } from '../database/connect.js';
import { DEAD_LETTER_QUEUE, type QueueBackend } from '../queue/backend.js';

/** Letters of one round at most. */
const ROUND = 200;

const NEW = `
update packline.dead_letters l set boarded_at = now()
where l.id in (select id from packline.dead_letters where state = 'open' and boarded_at is null order by id limit ${ROUND} for update skip locked)
returning l.id::text as id, l.operation_id::text as "operationId", l.account_id as account, l.kind, l.code`;

const DECIDED = `
update packline.dead_letters l set boarded_at = null
where l.id in (select id from packline.dead_letters where state <> 'open' and boarded_at is not null order by id limit ${ROUND} for update skip locked)
returning l.id::text as id`;

const FORGET = `update packline.dead_letters set boarded_at = null where state = 'open' and boarded_at is not null`;

const jobId = (id: string): string => `dead-letter-${id}`;

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
  await board.addBulk(
    fresh.map(({ id, operationId, account, kind, code }) => ({
      name: `${kind} ${code}`,
      data: { v: 1, deadLetterId: id, operationId, account, code },
      opts: { jobId: jobId(id) },
    })),
  );
  const decided = await sql.query<{ id: string }>(DECIDED);
  for (const { id } of decided) await board.remove(jobId(id));
  return fresh.length + decided.length;
}

/** The queue was emptied: all open letters go onto the board again. */
export async function forgetBoard(sql: Sql): Promise<void> {
  await sql.query(FORGET);
}

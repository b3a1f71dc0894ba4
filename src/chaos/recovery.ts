/** How long it takes after a kill until the victim's work goes on. */
import type { Sql } from '../database/connect.js';
import { ALIVE_KEYS_SQL } from '../database/presence.js';
import type { Time } from '../time.js';
import { unlessAway } from './away.js';
import { SEATS, type Seat } from './plan.js';

export interface Recovery {
  seat: Seat;
  /** Operations that a process now dead had in hand. */
  interrupted: number;
  /** Until all of them were taken over and some order was being called again; null: not before the run's end. */
  ms: number | null;
}

const LOOK_EVERY_MS = 100;

interface Look {
  /** Operations, claimed before the kill, of processes that are gone. */
  orphans: string[];
  /** An attempt was begun since. */
  calling: boolean;
  /** Something is to be done that no gate and no pause holds back. */
  due: boolean;
}

const LOOK = `
select
  array(select o.id::text from packline.operations o where o.state = 'running' and o.updated_at <= $1::timestamptz
    and o.owner not in (${ALIVE_KEYS_SQL})) as orphans,
  exists (select 1 from packline.attempts t where t.started_at > $1::timestamptz) as calling,
  exists (select 1 from packline.operations o join packline.accounts a on a.id = o.account_id
    where o.state in ('pending', 'queued', 'retrying', 'unconfirmed') and o.due_at <= now() and a.pause_code is null
      and not exists (select 1 from packline.gates g where g.account_id = a.id
        and (g.blocked_until > now() or g.opened_at is not null))) as due`;

/** Whether every process runs, by its sign of life. */
export async function allLive(sql: Sql): Promise<boolean> {
  const alive = await unlessAway(() => sql.query(ALIVE_KEYS_SQL));
  return alive !== null && alive.length >= SEATS.length;
}

/** The database's time as text. */
export async function databaseNow(sql: Sql): Promise<string> {
  const [row] = await sql.query<{ now: string }>('select now()::text as now');
  if (row === undefined) throw new Error('a select without a table gave no row');
  return row.now;
}

/**
 * Watches a recovery to its end. Where nothing was in hand and nothing is due, the time counts from when there is work.
 *
 * @param killedAt the database's time of the kill
 * @param signal ends the watching
 * @returns null where there was nothing to recover and no work came any more
 */
export async function watchRecovery(
  sql: Sql,
  { clock, sleep }: Time,
  seat: Seat,
  killedAt: string,
  signal: AbortSignal,
): Promise<Recovery | null> {
  let since = clock.monotonic();
  let hadWork = false;
  const orphans = new Set<string>();
  while (!signal.aborted) {
    const [look] = (await unlessAway(() => sql.query<Look>(LOOK, killedAt))) ?? [];
    if (look !== undefined) {
      for (const id of look.orphans) orphans.add(id);
      hadWork ||= look.due || orphans.size > 0;
      if (look.orphans.length === 0 && look.calling)
        return { seat, interrupted: orphans.size, ms: Math.round(clock.monotonic() - since) };
      if (!hadWork) since = clock.monotonic();
    }
    await sleep(LOOK_EVERY_MS, signal);
  }
  return hadWork ? { seat, interrupted: orphans.size, ms: null } : null;
}

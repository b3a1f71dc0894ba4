/** The dispatcher's statement: what is due is marked as rung for, per open account and never above its high-water mark. */
import { json, type Sql } from '../../database/connect.js';
import type { OperationKind } from '../order.js';
import { passesBreaker, TRYING } from './claim.js';

/** How much of an account's work the queue may hold. */
export interface HighWater {
  account: string;
  /** Jobs at most. */
  jobs: number;
  /** When an unanswered bell rings again, ms. */
  againMs: number;
}

export interface RungOperation {
  id: string;
  account: string;
  kind: OperationKind;
  /** Of its job. */
  priority: number;
  ringNo: number;
  attempts: number;
}

/** Bells of one round and account at most: one statement stays short, and accounts take turns. */
const ROUND = 1_000;
/** The least urgent priority of what may pass an open breaker (cancels 1, looks 2), and of all (a smallint). */
const PASSING = 2;
const LAST = 32_767;
/** Of so many bells one is for what has been due for longest, and in a backlog it is as urgent as any (design, "Queue"). */
const OLDEST_EVERY = 5;
const MOST_URGENT = 1;
const LEAST_URGENT = 6;

// A verb that waits for funds or its window is rung for by nobody but the operation that tries it.
const OPEN_VERB = `not exists (
        select 1 from packline.gates v where v.account_id = o.account_id and v.verb = o.kind::text and o.state <> 'unconfirmed'
          and (v.blocked_until > now() or (v.blocked_why is not null and v.probe_operation_id <> o.id and exists (
            select 1 from packline.operations b where b.id = v.probe_operation_id and b.state in (${TRYING})))))`;

const RING = `
with acc as materialized (
  select a.id, x.jobs - (select count(*) from packline.operations q where q.account_id = a.id and q.state = 'queued') as room, x."againMs",
    -- Behind an open breaker only what is urgent may pass: the index need not be read any further.
    case when g.opened_at is null then ${LAST} else ${PASSING} end as "lastPriority",
    g.opened_at is not null as broken,
    case when g.opened_at is not null and g.open_until <= now() then
      not exists (select 1 from packline.operations b where b.id = g.probe_operation_id and b.state = 'running' and g.probe_until > now())
      and not exists (select 1 from packline.operations q where q.account_id = a.id and q.state = 'queued' and q.ring_at > now() and q.kind <> 'cancel')
      else false end as "mayTry"
  from jsonb_to_recordset($1::jsonb) as x(account text, jobs int, "againMs" int)
  join packline.accounts a on a.id = x.account
  left join packline.gates g on g.account_id = a.id and g.verb = '*'
  where (select packline.may_send()) and a.pause_code is null and (g.blocked_until is null or g.blocked_until <= now())
), oldest as materialized (
  -- Whatever its priority, so that nothing starves; the heads of each priority, since the index is by that.
  select d.id, acc.id as account, acc."againMs" from acc cross join lateral (
    select h.id from generate_series(1, ${LEAST_URGENT}) p cross join lateral (
      select o.id, o.ring_at from packline.operations o
      where o.account_id = acc.id and o.ring_at <= now() and o.priority = p and ${OPEN_VERB} and not acc.broken
      order by o.ring_at limit greatest(floor(least(acc.room, ${ROUND}) / ${OLDEST_EVERY}.0 + $2::float8), 0)
      for update of o skip locked) h
    order by h.ring_at limit greatest(floor(least(acc.room, ${ROUND}) / ${OLDEST_EVERY}.0 + $2::float8), 0)) d
), due as materialized (
  select d.id, acc.id as account, acc."againMs" from acc cross join lateral (
    select o.id from packline.operations o
    where o.account_id = acc.id and o.ring_at <= now() and o.priority <= acc."lastPriority" and ${OPEN_VERB}
      and (not acc.broken or ${passesBreaker('o')}) and not exists (select 1 from oldest x where x.id = o.id)
    order by o.priority, o.ring_at
    limit greatest(least(acc.room, ${ROUND}) - (select count(*) from oldest x where x.account = acc.id), 0)
    for update of o skip locked) d
), one as materialized (
  -- Of everything else one bell, whose call tries for an open breaker.
  select d.id, acc."againMs" from acc cross join lateral (
    select o.id from packline.operations o
    where acc."mayTry" and o.account_id = acc.id and o.ring_at <= now() and ${OPEN_VERB} and not ${passesBreaker('o')}
    order by o.priority, o.ring_at limit 1
    for update of o skip locked) d
)
update packline.operations o set
  state = case when o.state = 'unconfirmed' then o.state else 'queued' end,
  ring_no = o.ring_no + 1,
  ring_at = now() + due."againMs" * interval '1 ms',
  updated_at = now()
from (
  select id, "againMs", false as first from due union all select id, "againMs", false from one
  -- Where there was room for everything, nothing has to be pushed forward.
  union all select x.id, x."againMs", (select count(*) from due d where d.account = x.account)
    + (select count(*) from oldest y where y.account = x.account) >= (select least(acc.room, ${ROUND}) from acc where acc.id = x.account) from oldest x
) due where o.id = due.id
returning o.id::text as id, o.account_id as account, o.kind, case when due.first then ${MOST_URGENT} else o.priority end as priority,
  o.ring_no as "ringNo", o.attempts`;

/**
 * Marks what is due as rung for. The caller then puts the jobs into the queue; where that fails, `ring_at` heals it.
 * @param random in [0, 1): where there is room for less than five, only some rounds ring for the oldest
 */
export function ringDue(sql: Sql, marks: readonly HighWater[], random: number): Promise<RungOperation[]> {
  return sql.query<RungOperation>(RING, json([...marks]), random);
}

const RING_ALL = `
update packline.operations o set
  ring_at = case when o.state = 'retrying' then greatest(o.due_at, now()) else now() end, updated_at = now()
where (o.state in ('queued', 'retrying') or (o.state = 'unconfirmed' and o.due_at <= now())) and o.ring_no > 0
returning o.id`;

/** The queue was emptied: everything that it held rings again. Returns how many. */
export async function ringAllAgain(sql: Sql): Promise<number> {
  return (await sql.query(RING_ALL)).length;
}

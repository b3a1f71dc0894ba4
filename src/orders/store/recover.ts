/** What a process left behind: operations whose owner is gone, or whose lease has ended. */
import type { Sql } from '../../database/connect.js';

export interface Recovered {
  operationId: string;
  orderId: string | null;
  account: string;
  /** `pending` where nothing can have been done twice, else `unconfirmed`. */
  state: 'pending' | 'unconfirmed';
  why: 'owner_gone' | 'lease_ended';
}

// The grace is the account's own: a call has certainly ended that long after its last moment to send plus its timeout.
// A claim writes its attempt in the same statement; where there is none, somebody has removed it, and what became of
// the call nobody can tell but the provider.
const RECOVER = `
with alive as materialized (
  select k.objid::bigint as key from pg_locks k where k.locktype = 'advisory' and k.classid = $1::int and k.granted
    and k.database = (select oid from pg_database where datname = current_database())
), lost as materialized (
  select o.id, o.purpose = 'look' as looks, exists (select 1 from alive where alive.key = o.owner) as alive
  from packline.operations o
  where o.state = 'running' and (o.lease_until < now() or not exists (select 1 from alive where alive.key = o.owner))
  order by o.id limit 500 for update of o skip locked
), bare as (
  select o.id from lost join packline.operations o on o.id = lost.id
  where o.purpose = 'call' and not o.step_repeatable
    and not exists (select 1 from packline.attempts a where a.operation_id = o.id and a.fence = o.fence)
), open as (
  select a.operation_id, max(case when a.report is not null then coalesce(a.ended_at, now())
    else a.send_by + (a.timeout_ms + coalesce((c.config->'confirm'->>'graceMs')::int, 5000)) * interval '1 ms' end) as ended
  from packline.attempts a join lost on lost.id = a.operation_id join packline.accounts c on c.id = a.account_id
  where not a.repeatable and a.verdict is null
  group by a.operation_id
), moved as (
  update packline.operations o set
    state = (case when doubt.yes then 'unconfirmed' else 'pending' end)::packline.operation_state,
    purpose = case when o.purpose = 'look' then 'call'::packline.purpose else o.purpose end,
    priority = case when doubt.yes then 2 else o.priority end,
    fence = o.fence + 1, owner = null, lease_until = null, due_at = now(), ring_at = now(), updated_at = now(),
    absent_looks = case when o.purpose = 'look' then o.absent_looks else 0 end,
    -- The first look sets what is left out here.
    confirm_from = case when bare.id is null then greatest(o.confirm_from, open.ended) end,
    wait_since = case when doubt.yes then coalesce(o.wait_since, now()) end,
    deadline = case when doubt.yes then coalesce(o.deadline, now() + interval '24 hours') end
  from lost left join open on open.operation_id = lost.id left join bare on bare.id = lost.id cross join lateral (
    -- A look proves nothing until it is judged, and not each looks for an attempt: after a restore there may be none.
    select open.operation_id is not null or bare.id is not null or lost.looks as yes) doubt
  where o.id = lost.id
  returning o.id, o.order_id, o.account_id, o.state, lost.alive
), freed as (
  update packline.orders d set busy_op = null, updated_at = now() from moved m where d.id = m.order_id and d.busy_op = m.id
), told as (
  insert into packline.events (type, account_id, order_id, operation_id, data)
  select 'operation.recovered', account_id, order_id, id,
    jsonb_build_object('state', state, 'why', case when alive then 'lease_ended' else 'owner_gone' end)
  from moved
)
select id::text as "operationId", order_id::text as "orderId", account_id as account, state,
  case when alive then 'lease_ended' else 'owner_gone' end as why
from moved`;

/**
 * Takes over what nobody owns any more. Whatever may have been sent becomes `unconfirmed`, whatever its verb.
 * @param presenceClass the advisory-lock class of living processes
 */
export function recoverLost(sql: Sql, presenceClass: number): Promise<Recovered[]> {
  return sql.query<Recovered>(RECOVER, presenceClass);
}

// Whoever is about to take the order holds its row, so the state is asked for once that lock is ours.
const FREE = `
update packline.orders d set busy_op = null, updated_at = now()
where d.busy_op is not null and d.id in (select o.order_id from packline.operations o where o.wait_reason = 'busy')
  and packline.state_now(d.busy_op) is distinct from 'running'
returning d.id::text as "orderId"`;

/**
 * Frees orders that others wait for, although nothing runs that holds them: every end of a call frees its order in the
 * same statement, so this is for rows that were edited. Returns their ids.
 */
export async function freeOrders(sql: Sql): Promise<string[]> {
  return (await sql.query<{ orderId: string }>(FREE)).map(({ orderId }) => orderId);
}

/**
 * Claims: one statement moves operations to `running`, takes their orders, and records the attempts before
 * their first byte. Many jobs of one process at a time; each row for itself.
 */
import { json, type Sql } from '../../database/connect.js';
import type { JsonObject } from '../../json.js';
import type { OrderBody } from '../body.js';
import type { OperationKind, OrderStatus, Purpose } from '../order.js';

/** How long after the claim a request may still start. Past it, another process may take over safely. */
export const SEND_BY_MS = 5_000;
/** Added to the lease for writing down what was seen. */
export const LEASE_SLACK_MS = 10_000;

export interface ClaimRequest {
  operationId: string;
  /** Whose bell it is, and whether it is one of a read: a bell can name any operation, and may only ring for its own. */
  account?: string;
  reads?: boolean;
  /** The account's request timeout, ms. */
  timeoutMs: number;
  /** The fence that the operation had when it was prepared: claimed by anybody since, it has to be prepared anew. */
  fence?: number;
}

/** A claimed operation with its attempt: everything that the call needs. */
export interface Claim {
  operationId: string;
  attemptId: string;
  fence: number;
  account: string;
  kind: OperationKind;
  step: string;
  stepRepeatable: boolean;
  purpose: Purpose;
  params: JsonObject;
  carry: JsonObject;
  /** Budget spent, attempt rows and looks before this attempt. */
  attempts: number;
  calls: number;
  looks: number;
  absentLooks: number;
  /** Epoch ms, or null. */
  deadline: number | null;
  waitSince: number | null;
  mayRepeat: boolean;
  /** This look began after the call had certainly ended, so finding nothing counts. */
  counts: boolean;
  /** The caller of the attempt that is looked for: it has said what it saw, its process is gone, or neither. */
  caller: 'none' | 'spoken' | 'gone' | 'silent';
  strikes: number;
  /** The verb was closed for lack of funds or outside its window: this call tries whether it goes through again. */
  tries: boolean;
  /** The account's breaker is open: this call tries whether the provider is well again. */
  probes: boolean;
  ringNo: number;
  startedAt: number;
  order: ClaimedOrder | null;
}

export interface ClaimedOrder {
  id: string;
  reference: string;
  generation: number;
  body: OrderBody;
  status: OrderStatus;
  providerOrderId: string | null;
  providerData: JsonObject;
  missingReads: number;
  createdAt: string;
}

/** Why an operation was not claimed: the job ends, the row says what is next. */
export type Refusal =
  | 'not_due'
  | 'busy'
  | 'no_provider_order'
  | 'paused'
  | 'gate_closed'
  | 'tried'
  | 'unrecovered'
  | 'gone';

export type ClaimResult = { ok: true; claim: Claim } | { ok: false; operationId: string; refusal: Refusal };

/**
 * Whoever has claimed a serial key keeps it until it is over or waits: the calls between, and the looks at them, must
 * not have another one of the same key among what they find.
 */
export const NOT_HOLDING = `'succeeded', 'rejected', 'dead', 'canceled', 'waiting'`;

/** While the one operation that tries a verb is in these states, no other one does. */
export const TRYING = `'pending', 'queued', 'running'`;

/** What goes through an open breaker: lookups, since somebody waits for what became of a call, and cancels. */
export const passesBreaker = (operation: string) =>
  `(${operation}.state = 'unconfirmed' or ${operation}.kind = 'cancel')`;

const CLAIM = `
with want as materialized (
  select * from jsonb_to_recordset($1::jsonb) as w("operationId" bigint, account text, reads boolean, "timeoutMs" int, fence int)
), locked as materialized (
  select o.*, w."timeoutMs",
    (w.fence is null or w.fence = o.fence) and coalesce(w.account = o.account_id, true)
      and coalesce(w.reads = (o.kind = 'poll'), true) and o.state in ('pending', 'queued', 'retrying', 'waiting', 'unconfirmed') and o.due_at <= now() as due,
    ${passesBreaker('o')} as passes
  from packline.operations o join want w on w."operationId" = o.id
  where o.id = any($6::bigint[])
  order by o.id for update of o
), keys as materialized (
  select k.account_id, k.key, k.busy_op
  from (select distinct account_id, serial_key from locked where serial_key is not null order by 1, 2) l
  cross join lateral (
    select s.account_id, s.key, s.busy_op from packline.serial_keys s
    where s.account_id = l.account_id and s.key = l.serial_key for update of s) k
), doors as materialized (
  select d.*
  from (select account_id, kind::text as verb from locked union select account_id, '*' from locked where not passes order by 1, 2) l
  cross join lateral (
    select v.account_id, v.verb, v.probe_operation_id, v.open_until, v.probe_until from packline.gates v
    where v.account_id = l.account_id and v.verb = l.verb
      and case when v.verb = '*' then v.opened_at is not null else v.blocked_why is not null end for update of v) d
), whole as materialized (
  select packline.may_send() as yes
), judged as materialized (
  select l.*, g.strikes, a.pause_code is not null or not (select yes from whole) as paused,
    coalesce(g.blocked_until > now(), false) or (l.state <> 'unconfirmed' and coalesce(v.blocked_until > now(), false))
      or (not l.passes and coalesce(b.open_until > now(), false)) as closed,
    row_number() over (partition by l.order_id order by l.priority, l.id) as turn,
    l.state <> 'unconfirmed' and (exists (
        select 1 from keys k
        where k.account_id = l.account_id and k.key = l.serial_key and k.busy_op <> l.id
          and packline.state_now(k.busy_op) not in (${NOT_HOLDING}))
      or (l.serial_key is not null
        and row_number() over (partition by l.account_id, l.serial_key, l.state = 'unconfirmed' order by l.priority, l.id) > 1)) as held,
    n.verb is not null and l.state <> 'unconfirmed' as tries, b.verb is not null and not l.passes as probes,
    (l.state <> 'unconfirmed' and n.verb is not null and (exists (
        select 1 where n.probe_operation_id <> l.id and packline.state_now(n.probe_operation_id) in (${TRYING}))
      or row_number() over (partition by l.account_id, l.kind, l.state = 'unconfirmed' order by l.priority, l.id) > 1))
    or (not l.passes and b.verb is not null and (exists (
        select 1 where b.probe_until > now() and packline.state_now(b.probe_operation_id) = 'running')
      or row_number() over (partition by l.account_id, l.passes, l.due order by l.priority, l.id) > 1)) as tried
  from locked l
  join packline.accounts a on a.id = l.account_id
  left join packline.gates g on g.account_id = l.account_id and g.verb = '*'
  left join packline.gates v on v.account_id = l.account_id and v.verb = l.kind::text
  left join doors n on n.account_id = l.account_id and n.verb = l.kind::text
  left join doors b on b.account_id = l.account_id and b.verb = '*'
), taken as (
  update packline.orders d set busy_op = j.id
  from judged j
  where d.id = j.order_id and j.kind <> 'poll' and j.due and not j.paused and not j.closed and not j.held and not j.tried and j.turn = 1
    and d.busy_op is null
    and (j.kind = 'submit' or d.provider_order_id is not null)
  returning d.id, j.id as operation_id
), moved as (
  update packline.operations o set
    state = 'running', fence = o.fence + 1, owner = $2::int, calls = o.calls + 1, ring_at = null,
    lease_until = now() + ($3::int + j."timeoutMs" + $4::int) * interval '1 ms', updated_at = now(),
    purpose = case when j.state = 'unconfirmed' then 'look'::packline.purpose else o.purpose end,
    -- An unconfirmed operation has all three; where somebody has edited it, it must not be looked for in vain for ever.
    confirm_from = case when j.state = 'unconfirmed' then coalesce(o.confirm_from, now() + ($3::int + j."timeoutMs" + $4::int) * interval '1 ms')
      else o.confirm_from end,
    wait_since = case when j.state = 'unconfirmed' then coalesce(o.wait_since, now()) else o.wait_since end,
    deadline = case when j.state = 'unconfirmed' then coalesce(o.deadline, now() + interval '24 hours') else o.deadline end
  from judged j
  where o.id = j.id and j.due and not j.paused and not j.closed and not j.tried
    and (j.kind = 'poll' or exists (select 1 from taken t where t.operation_id = j.id))
  returning o.*, j."timeoutMs", j.strikes, j.tries, j.probes
), keyed as (
  update packline.serial_keys k set busy_op = m.id from moved m
  where k.account_id = m.account_id and k.key = m.serial_key and m.purpose = 'call' and k.busy_op is distinct from m.id
), trying as (
  update packline.gates v set probe_operation_id = m.id from moved m
  where m.tries and v.account_id = m.account_id and v.verb = m.kind::text and v.probe_operation_id is distinct from m.id
), probing as (
  update packline.gates g set probe_operation_id = m.id, probe_until = m.lease_until, breaker_no = g.breaker_no + 1
  from moved m where m.probes and g.account_id = m.account_id and g.verb = '*'
), tried as (
  insert into packline.attempts
    (operation_id, order_id, account_id, generation, step, purpose, repeatable, fence, owner, send_by, timeout_ms)
  select m.id, m.order_id, m.account_id, m.generation, case when m.purpose = 'look' then 'look' else m.step end,
    case when m.purpose = 'look' and jsonb_typeof(m.carry->'control') = 'object' then 'control'::packline.purpose else m.purpose end,
    m.purpose <> 'call' or m.step_repeatable, m.fence, $2::int, now() + $3::int * interval '1 ms', m."timeoutMs"
  from moved m
  returning id, operation_id
), heard as (
  select m.id, bool_and(a.report is not null) as spoken,
    bool_and(a.report is not null or not exists (
      select 1 from pg_locks k where k.locktype = 'advisory' and k.classid = $5::int and k.objid = a.owner
        and k.database = (select oid from pg_database where datname = current_database()))) as safe
  from moved m join packline.attempts a on a.operation_id = m.id and not a.repeatable and a.verdict is null
  where m.purpose = 'look'
  group by m.id
)
select m.id::text as "operationId", t.id::text as "attemptId", m.fence, m.account_id as account, m.kind, m.step,
  m.step_repeatable as "stepRepeatable", m.purpose, m.params, m.carry, m.attempts, m.calls - 1 as calls, m.looks,
  m.absent_looks as "absentLooks", extract(epoch from m.deadline)::float8 * 1000 as deadline,
  extract(epoch from m.wait_since)::float8 * 1000 as "waitSince", m.may_repeat as "mayRepeat",
  coalesce(m.confirm_from <= now(), false) as counts,
  case when h.id is null then 'none' when h.spoken then 'spoken' when h.safe then 'gone' else 'silent' end as caller,
  coalesce(m.strikes, 0) as strikes, m.tries, m.probes, m.ring_no as "ringNo", extract(epoch from now())::float8 * 1000 as "startedAt",
  case when d.id is null then null else jsonb_build_object(
    'id', d.id, 'reference', d.reference, 'generation', d.generation, 'body', d.body, 'status', d.status,
    'providerOrderId', d.provider_order_id, 'providerData', d.provider_data, 'missingReads', d.missing_reads,
    'createdAt', d.created_at) end as "order", null as refusal
from moved m join tried t on t.operation_id = m.id left join heard h on h.id = m.id
left join packline.orders d on d.id = m.order_id
union all
select w."operationId"::text, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
  null, null, null, null, null, null, null, null, null,
  case when j.id is null then 'gone' when not (select yes from whole) then 'unrecovered' when not j.due then 'not_due' when j.paused then 'paused' when j.closed then 'gate_closed'
    when j.kind not in ('poll', 'submit') and (select d.provider_order_id from packline.orders d where d.id = j.order_id) is null
      then 'no_provider_order'
    when j.tried then 'tried'
    else 'busy' end
from want w left join judged j on j.id = w."operationId"
where not exists (select 1 from moved m where m.id = w."operationId")`;

type ClaimRow = Claim & { refusal: Refusal | null };

/**
 * @param owner the presence key of this process
 * @param presenceClass the advisory-lock class under which living processes hold their keys
 * @returns one result per request, in no particular order
 */
export async function claimOperations(
  sql: Sql,
  requests: readonly ClaimRequest[],
  owner: number,
  presenceClass: number,
): Promise<ClaimResult[]> {
  // Beside the recordset, of whose size the planner knows nothing: an array leads it to the index.
  const ids = requests.map(({ operationId }) => operationId);
  const rows = await sql.query<ClaimRow>(
    CLAIM,
    json([...requests]),
    owner,
    SEND_BY_MS,
    LEASE_SLACK_MS,
    presenceClass,
    ids,
  );
  return rows.map(({ refusal, ...claim }) =>
    refusal === null ? { ok: true, claim } : { ok: false, operationId: claim.operationId, refusal },
  );
}

const DOUBT = `
update packline.operations o set state = 'unconfirmed', purpose = 'call', priority = 2, wait_reason = null, absent_looks = 0, looks = 0,
  confirm_from = null, wait_since = null, deadline = null, due_at = now(), ring_at = now(), updated_at = now()
where o.id = $1::bigint and o.state in ('pending', 'queued', 'retrying', 'waiting') and exists (
  select 1 from packline.attempts a where a.operation_id = o.id and not a.repeatable and a.verdict is null)
returning o.id`;

/**
 * An operation was to be claimed although nobody knows what became of its last call (somebody has edited it): it is
 * looked up instead. Returns whether it was so.
 */
export async function doubtUnclaimed(sql: Sql, operationId: string): Promise<boolean> {
  return (await sql.query(DOUBT, operationId)).length > 0;
}

const GIVE_BACK = `
update packline.operations o set
  state = case when o.state = 'unconfirmed' then o.state else 'pending' end,
  ring_at = greatest(o.due_at, now() + x."delayMs" * interval '1 ms'), updated_at = now()
from jsonb_to_recordset($1::jsonb) as x("operationId" bigint, "delayMs" int)
where o.id = x."operationId" and o.state in ('queued', 'unconfirmed')`;

/** Bells that were answered, yet whose operation could not run now: back to the dispatcher, nothing spent. */
export async function giveBackRings(
  sql: Sql,
  rings: readonly { operationId: string; delayMs: number }[],
): Promise<void> {
  await sql.query(GIVE_BACK, json([...rings]));
}

const BURY = `
with o as (
  update packline.operations o set state = 'dead', ring_at = null, wait_reason = null, finished_at = now(), updated_at = now(),
    last_outcome = jsonb_build_object('kind', 'unknown', 'code', 'order_gone', 'message', $2::text, 'at', now())
  where o.id = $1::bigint and o.kind <> 'poll' and o.order_id is null and o.state in ('pending', 'queued', 'retrying', 'waiting', 'unconfirmed')
  returning o.id, o.account_id, o.kind
), told as (
  insert into packline.events (type, account_id, operation_id, data)
  select 'operation.dead', account_id, id, jsonb_build_object('kind', kind, 'code', 'order_gone', 'ambiguous', true) from o
)
insert into packline.dead_letters (operation_id, account_id, kind, code, message, ambiguous)
select id, account_id, kind, 'order_gone', $2, true from o returning id`;

const ORDER_GONE =
  'its order was removed from the database: see at the provider whether it was sent, then discard this letter';

/** An operation whose order somebody has removed: a dead letter. Returns whether it was so. */
export async function buryOrphan(sql: Sql, operationId: string): Promise<boolean> {
  return (await sql.query(BURY, operationId, ORDER_GONE)).length > 0;
}

const PARK_BUSY = `
update packline.operations o set
  state = case when d.busy_op is null and d.provider_order_id is not null then 'pending' else 'waiting' end::packline.operation_state,
  wait_reason = case when d.busy_op is null and d.provider_order_id is not null then null else 'busy' end::packline.wait_reason,
  wait_since = coalesce(o.wait_since, now()), due_at = now(), updated_at = now(),
  ring_at = case when d.busy_op is null and d.provider_order_id is not null then now() else now() + interval '10 s' end
from jsonb_to_recordset($1::jsonb) as x("operationId" bigint), packline.orders d
where o.id = x."operationId" and d.id = o.order_id and o.state in ('queued', 'pending', 'waiting')
returning o.id`;

/**
 * Another operation of the order has to settle first; its settling wakes these. The late bell is only a backstop.
 * Returns whether any was parked.
 */
export async function parkBusy(sql: Sql, operationIds: readonly string[]): Promise<boolean> {
  const parked = await sql.query(PARK_BUSY, json(operationIds.map((operationId) => ({ operationId }))));
  return parked.length > 0;
}

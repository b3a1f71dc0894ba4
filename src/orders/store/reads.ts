/** Reading statuses: which orders a page asks about, and what the answers change. A read moves no operation but its own. */
import { json, type Sql } from '../../database/connect.js';
import type { Json, JsonObject } from '../../json.js';
import type { Attention, Failure, OrderStatus, Tracking } from '../order.js';

export interface ReadOrder {
  id: string;
  reference: string;
  generation: number;
  status: OrderStatus;
  providerOrderId: string;
  missingReads: number;
}

const PAGE = `
select d.id::text as id, d.reference, d.generation, d.status, d.provider_order_id as "providerOrderId", d.missing_reads as "missingReads"
from packline.orders d
where d.account_id = $1 and d.provider_order_id is not null
  and d.status in ('draft', 'submitted', 'in_progress', 'shipped')
  and (d.read_due_at <= now() or ($2::text is not null and (d.observed_at is null or d.observed_at < $2::timestamptz)))
order by d.read_due_at nulls first limit $3::int`;

/** Open orders of an account whose read is due, or whose last read began before `before` (ISO; null: only the due ones). */
export function pageOfReads(
  sql: Sql,
  account: string,
  before: string | null,
  size: number,
): Promise<ReadOrder[]> {
  return sql.query<ReadOrder>(PAGE, account, before, size);
}

const REMAINING = `
select count(*)::int as n from packline.orders d
where d.account_id = $1 and d.provider_order_id is not null
  and d.status in ('draft', 'submitted', 'in_progress', 'shipped')
  and (d.read_due_at <= now() or ($2::text is not null and (d.observed_at is null or d.observed_at < $2::timestamptz)))`;

/** How many orders a page would still find, over all pages. */
export async function remainingReads(sql: Sql, account: string, before: string | null): Promise<number> {
  return (await sql.query<{ n: number }>(REMAINING, account, before))[0]?.n ?? 0;
}

/** What one read means for one order. */
export interface ReadEffect {
  orderId: string;
  /** The status that the effect was computed from: another one by now, and the read is repeated instead. */
  from: OrderStatus;
  to: OrderStatus | null;
  reopened: boolean;
  rawStatus: string | null;
  failure: Failure | null;
  attention: Attention | 'clear' | null;
  tracking: Tracking[] | null;
  providerData: JsonObject | null;
  missingReads: number;
  /** When the read started, epoch ms of the database's clock. */
  startedAt: number;
  /** When the next scheduled read is due, ms from now. */
  readMs: number;
  /** Name of the single-read step where the change calls for one. */
  followStep: string | null;
}

/** A read neither clears nor covers what something else put before a human: a double, a dead letter. */
const BY_READS = `coalesce(d.attention_code in ('status_conflict', 'missing_at_provider', 'unknown_status', 'provider_attention'), true)`;

const APPLY = `
with i as materialized (
  select * from jsonb_to_recordset($1::jsonb) as x(
    "orderId" uuid, "from" packline.order_status, "to" packline.order_status, reopened boolean, "rawStatus" text, failure jsonb,
    "attentionCode" text, "attentionDetail" text, "attentionClear" boolean, tracking jsonb, "providerData" jsonb,
    "missingReads" int, "startedAt" float8, "readMs" float8, "followStep" text)
), changed as (
  update packline.orders d set
    status = coalesce(i."to", d.status), raw_status = coalesce(i."rawStatus", d.raw_status),
    failure = case when i.reopened then i.failure else coalesce(i.failure, d.failure) end,
    attention_code = case when not ${BY_READS} then d.attention_code
      when i."attentionClear" then null else coalesce(i."attentionCode", d.attention_code) end,
    attention_since = case when not ${BY_READS} then d.attention_since
      when i."attentionClear" then null
      when i."attentionCode" is not null and i."attentionCode" is distinct from d.attention_code then now() else d.attention_since end,
    attention_detail = case when not ${BY_READS} then d.attention_detail
      when i."attentionClear" then null else coalesce(i."attentionDetail", d.attention_detail) end,
    tracking = coalesce(i.tracking, d.tracking), provider_data = d.provider_data || coalesce(i."providerData", '{}'),
    missing_reads = i."missingReads", observed_at = to_timestamp(i."startedAt" / 1000),
    read_due_at = now() + i."readMs" * interval '1 ms', updated_at = now()
  from i
  where d.id = i."orderId" and d.status = i."from"
    and (d.observed_at is null or d.observed_at <= to_timestamp(i."startedAt" / 1000))
  returning d.id, d.account_id, d.reference, d.generation, i."from", i."to", i.reopened, i."rawStatus", i.failure, i.tracking, i."followStep"
), followed as (
  insert into packline.operations (order_id, account_id, kind, generation, priority, step, step_repeatable, actor)
  select id, account_id, 'poll', generation, 6, "followStep", true, 'packline' from changed where "followStep" is not null
  on conflict do nothing
), told as (
  insert into packline.events (type, account_id, order_id, reference, data)
  select case when reopened then 'order.reopened' else 'order.status_changed' end, account_id, id, reference,
    jsonb_build_object('from', "from", 'to', "to", 'rawStatus', "rawStatus", 'failure', failure, 'tracking', tracking)
  from changed where "to" is not null and "to" <> "from"
)
select id::text as id from changed`;

/** Applies what reads found; older reads and orders that moved meanwhile are left alone. Returns the ids that took it. */
export async function applyReads(sql: Sql, effects: readonly ReadEffect[]): Promise<string[]> {
  if (effects.length === 0) return [];
  const rows = effects.map(({ attention, ...effect }): { [key: string]: Json | object | undefined } => ({
    ...effect,
    attentionClear: attention === 'clear',
    ...(attention === null || attention === 'clear'
      ? {}
      : { attentionCode: attention.code, attentionDetail: attention.detail }),
  }));
  return (await sql.query<{ id: string }>(APPLY, json(rows))).map(({ id }) => id);
}

const START_SYNC = `
insert into packline.operations (account_id, kind, priority, step, step_repeatable, params, actor)
select a.id, 'poll', 6, 'list', true, jsonb_build_object('before', $2::text), $3
from packline.accounts a
where ($1::text is null or a.id = $1)
  and ($2::text is not null or exists (
    select 1 from packline.orders d
    where d.account_id = a.id and d.provider_order_id is not null
      and d.status in ('draft', 'submitted', 'in_progress', 'shipped') and d.read_due_at <= now()))
on conflict (account_id) where kind = 'poll' and order_id is null and state not in ('succeeded', 'rejected', 'dead', 'canceled')
do update set params = jsonb_build_object('before',
    greatest(packline.operations.params->>'before', excluded.params->>'before')),
  due_at = least(packline.operations.due_at, now()),
  ring_at = case when packline.operations.state in ('running', 'queued') then packline.operations.ring_at else now() end,
  updated_at = now()
returning id::text as id, account_id as account`;

/**
 * Starts a sync of one account or of all, or widens the one that is under way: overlapping requests share the work.
 * @param before every open order whose last read began before this (ISO); null: only those that are due
 */
export function startSync(
  sql: Sql,
  account: string | null,
  before: string | null,
  actor: string,
): Promise<{ id: string; account: string }[]> {
  return sql.query<{ id: string; account: string }>(START_SYNC, account, before, actor);
}

const FINISH_IDLE = `
update packline.operations o set state = 'succeeded', ring_at = null, finished_at = now(), updated_at = now()
where o.id = $1::bigint and o.state in ('pending', 'queued', 'retrying', 'waiting') and o.params->>'before' is not distinct from $2
returning o.id`;

/** A sync that has nothing (more) to ask ends without a call, unless it was widened meanwhile. */
export async function finishIdleSync(sql: Sql, operationId: string, before: string | null): Promise<boolean> {
  return (await sql.query(FINISH_IDLE, operationId, before)).length > 0;
}

const DROP_READ = `
update packline.operations set state = 'rejected', ring_at = null, finished_at = now(), updated_at = now(),
  last_outcome = jsonb_build_object('kind', 'rejected', 'code', 'nothing_to_read', 'message', 'the provider holds no such order', 'at', now())
where id = $1::bigint and kind = 'poll' and state in ('pending', 'queued', 'retrying', 'waiting')`;

/** A read of an order that the provider does not hold (any more) ends without a call. */
export async function dropRead(sql: Sql, operationId: string): Promise<void> {
  await sql.query(DROP_READ, operationId);
}

const RESET_READ = `
update packline.operations set state = 'pending', purpose = 'call', params = '{}', wait_reason = null, due_at = now(), ring_at = now(), updated_at = now()
where id = $1::bigint and kind = 'poll' and state in ('pending', 'queued', 'retrying', 'waiting', 'unconfirmed')`;

/** A read whose row cannot be worked from (somebody has edited it) begins anew: a read can be repeated at will. */
export async function resetRead(sql: Sql, operationId: string): Promise<void> {
  await sql.query(RESET_READ, operationId);
}

const POLL_FACTS = `
select o.account_id as account, o.order_id::text as "orderId", d.provider_order_id as "providerOrderId", o.params, o.state
from packline.operations o left join packline.orders d on d.id = o.order_id where o.id = $1::bigint and o.kind = 'poll'`;

export interface PollFacts {
  account: string;
  orderId: string | null;
  providerOrderId: string | null;
  /** As somebody may have edited it. */
  params: unknown;
  state: string;
}

/** What a poll operation is about. */
export async function pollFacts(sql: Sql, operationId: string): Promise<PollFacts | null> {
  const [row] = await sql.query<PollFacts>(POLL_FACTS, operationId);
  return row ?? null;
}

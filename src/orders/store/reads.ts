/** Reading statuses: what the answers change, and the syncs that ask. A read moves no operation but its own. */
import { json, type Sql } from '../../database/connect.js';
import type { Json, JsonObject } from '../../json.js';
import type { Attention, Failure, OrderStatus, Tracking } from '../order.js';

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
  /** When the read started, epoch ms of the database's clock; null: now. */
  startedAt: number | null;
  /** When the next scheduled read is due, ms from now. */
  readMs: number;
  /** Name of the single-read step where the change calls for one. */
  followStep: string | null;
}

/** A read neither clears nor covers what something else put before a human: a double, a dead letter. */
const BY_READS = `coalesce(d.attention_code in ('status_conflict', 'missing_at_provider', 'unknown_status', 'provider_attention'), true)`;

/** Whether a read tells of an order anything that is not known. */
const DIFFERS = `(i.reopened or coalesce(i."to" <> d.status or i.tracking <> d.tracking or i."missingReads" <> d.missing_reads, false)
    or (i."rawStatus" is not null and i."rawStatus" is distinct from d.raw_status)
    or coalesce(i.failure <> coalesce(d.failure, 'null'), false) or not d.provider_data @> coalesce(i."providerData", '{}')
    or (${BY_READS} and case when i."attentionClear" then d.attention_code is not null
      else i."attentionCode" is not null and (i."attentionCode", i."attentionDetail") is distinct from (d.attention_code, d.attention_detail) end))`;

const APPLY = `
with i as materialized (
  select * from jsonb_to_recordset($1::jsonb) as x(
    "orderId" uuid, "from" packline.order_status, "to" packline.order_status, reopened boolean, "rawStatus" text, failure jsonb,
    "attentionCode" text, "attentionDetail" text, "attentionClear" boolean, tracking jsonb, "providerData" jsonb,
    "missingReads" int, "startedAt" float8, "readMs" float8, "followStep" text)
), taken as materialized (
  select i.*, coalesce(to_timestamp(i."startedAt" / 1000), now()) as "startsAt",
    d.id, d.account_id, d.reference, d.generation, ${BY_READS} as "byReads",
    coalesce(i.tracking <> d.tracking, false) as retracked, ${DIFFERS} as differs
  from packline.orders d join i on i."orderId" = d.id
  where d.id = any($2::uuid[]) and d.status = i."from"
    and (d.observed_at is null or i."startedAt" is null or d.observed_at <= to_timestamp(i."startedAt" / 1000))
  order by d.id for update of d
), still as (
  update packline.orders d set observed_at = j."startsAt", read_due_at = now() + j."readMs" * interval '1 ms'
  from taken j where d.id = j.id and not j.differs
), changed as (
  update packline.orders d set
    status = coalesce(i."to", d.status), raw_status = coalesce(i."rawStatus", d.raw_status),
    failure = case when i.reopened then i.failure else coalesce(i.failure, d.failure) end,
    attention_code = case when not i."byReads" then d.attention_code
      when i."attentionClear" then null else coalesce(i."attentionCode", d.attention_code) end,
    attention_since = case when not i."byReads" then d.attention_since
      when i."attentionClear" then null
      when i."attentionCode" is not null and i."attentionCode" is distinct from d.attention_code then now() else d.attention_since end,
    attention_detail = case when not i."byReads" then d.attention_detail
      when i."attentionClear" then null else coalesce(i."attentionDetail", d.attention_detail) end,
    tracking = coalesce(i.tracking, d.tracking), provider_data = d.provider_data || coalesce(i."providerData", '{}'),
    missing_reads = i."missingReads", observed_at = i."startsAt",
    read_due_at = now() + i."readMs" * interval '1 ms', updated_at = now()
  from taken i where d.id = i.id and i.differs
), followed as (
  insert into packline.operations (order_id, account_id, kind, generation, priority, step, step_repeatable, actor)
  select id, account_id, 'poll', generation, 6, "followStep", true, 'packline' from taken where "followStep" is not null
  on conflict do nothing
), told as (
  insert into packline.events (type, account_id, order_id, reference, data)
  select case when reopened then 'order.reopened' when "to" <> "from" then 'order.status_changed' else 'order.tracking_changed' end,
    account_id, id, reference,
    jsonb_build_object('from', "from", 'to', coalesce("to", "from"), 'rawStatus', "rawStatus", 'failure', failure, 'tracking', tracking)
  from taken where ("to" is not null and "to" <> "from") or retracked
)
select id::text as id from taken`;

/**
 * Applies what reads found; older reads and orders that moved meanwhile are left alone. Of an order that is as it was,
 * nothing is written but when it was read and when it is due again. Returns the ids that took it.
 */
export async function applyReads(sql: Sql, effects: readonly ReadEffect[]): Promise<string[]> {
  if (effects.length === 0) return [];
  const rows = effects.map(({ attention, ...effect }): { [key: string]: Json | object | undefined } => ({
    ...effect,
    attentionClear: attention === 'clear',
    ...(attention === null || attention === 'clear'
      ? {}
      : { attentionCode: attention.code, attentionDetail: attention.detail }),
  }));
  // Beside the recordset, of whose size the planner knows nothing: an array leads it to the index.
  const ids = effects.map(({ orderId }) => orderId);
  return (await sql.query<{ id: string }>(APPLY, json(rows), ids)).map(({ id }) => id);
}

const START_SYNC = `
insert into packline.operations (account_id, kind, priority, step, step_repeatable, params, actor)
select a.id, 'poll', 6, 'list', true, jsonb_build_object('before', $2::text), $3
from packline.accounts a
where ($1::text is null or a.id = $1)
  and ($2::text is not null or exists (
    select 1 from packline.orders d
    where d.account_id = a.id and d.provider_order_id is not null
      and d.status in ('draft', 'submitted', 'in_progress', 'shipped') and (d.read_due_at <= now() or d.read_due_at is null)))
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

/** Word of changes comes in bursts: so long it is gathered before a page is read, ms. */
const GATHER_MS = 2_000;

const READ_SOON = `
with due as (
  update packline.orders d set read_due_at = now()
  where d.id = any($1::uuid[]) and d.provider_order_id is not null
    and d.status in ('draft', 'submitted', 'in_progress', 'shipped') and (d.read_due_at > now() or d.read_due_at is null)
  returning d.id, d.account_id
), begun as (
  insert into packline.operations (account_id, kind, priority, step, step_repeatable, params, actor, due_at, ring_at)
  select a.account_id, 'poll', 6, 'list', true, '{"before":null}', $2, now() + $3::float8 * interval '1 ms', now() + $3::float8 * interval '1 ms'
  from (select distinct account_id from due order by 1) a
  on conflict do nothing
)
select id::text as id from due`;

/**
 * Something was heard of these orders: their next read is due now, and a page of their account's reads follows shortly.
 * Word of many of them costs one page, not a call for each.
 * @param actor who said it
 * @returns the orders whose read was not due yet
 */
export async function readSoon(sql: Sql, orderIds: readonly string[], actor: string): Promise<string[]> {
  if (orderIds.length === 0) return [];
  return (await sql.query<{ id: string }>(READ_SOON, [...orderIds], actor, GATHER_MS)).map(({ id }) => id);
}

const REST = `
update packline.operations o set state = 'pending', ring_at = now() + $2::float8 * interval '1 ms', updated_at = now()
where o.id = $1::bigint and o.state in ('pending', 'queued')`;

/** A sync that has to wait for the single reads that it has asked for looks again after so many ms. */
export async function restSync(sql: Sql, operationId: string, ms: number): Promise<void> {
  await sql.query(REST, operationId, ms);
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
select o.account_id as account, o.order_id::text as "orderId", d.provider_order_id as "providerOrderId", o.params, o.carry, o.state
from packline.operations o left join packline.orders d on d.id = o.order_id where o.id = $1::bigint and o.kind = 'poll'`;

export interface PollFacts {
  account: string;
  orderId: string | null;
  providerOrderId: string | null;
  /** As somebody may have edited it. */
  params: unknown;
  carry: unknown;
  state: string;
}

/** What a poll operation is about. */
export async function pollFacts(sql: Sql, operationId: string): Promise<PollFacts | null> {
  const [row] = await sql.query<PollFacts>(POLL_FACTS, operationId);
  return row ?? null;
}

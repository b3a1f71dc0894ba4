/** The audit's rows: its calls, what our own orders say of what a provider holds, and what it has found. */
import { json, type Sql } from '../../database/connect.js';
import type { JsonObject } from '../../json.js';
import type { OrderStatus } from '../order.js';
import { SEND_BY_MS } from './claim.js';

/** How often an account is audited. */
const EVERY = '24 hours';
/** An audit that did not come to its end is begun anew after this. */
const AGAIN = '1 hour';

// The first one comes a day after the account did: there is nothing to compare before.
const DUE = `
select a.id as account from packline.accounts a
left join packline.installation i on i.key = 'audit:' || a.id
where a.pause_code is null
  and coalesce((i.value->>'finishedAt')::timestamptz, a.created_at) <= now() - interval '${EVERY}'
  and coalesce((i.value->>'begunAt')::timestamptz, '-infinity') <= now() - interval '${AGAIN}'
order by i.value->>'finishedAt' nulls first, a.id`;

/** Accounts that are to be audited. */
export async function dueAudits(sql: Sql): Promise<string[]> {
  return (await sql.query<{ account: string }>(DUE)).map(({ account }) => account);
}

// Over from the start, so that nothing ever rings for it; an audit that is cut short stays `canceled`.
const BEGIN = `
with op as (
  insert into packline.operations (account_id, kind, state, priority, step, step_repeatable, purpose, ring_at, finished_at, actor)
  values ($1, 'poll', 'canceled', 6, 'inventory', true, 'watch', null, now(), $2)
  returning id
), noted as (
  insert into packline.installation (key, value) values ('audit:' || $1, jsonb_build_object('begunAt', now()))
  on conflict (key) do update set value = packline.installation.value || excluded.value, updated_at = now()
)
select op.id::text as id, (select i.value->'report' from packline.installation i where i.key = 'audit:' || $1) as last from op`;

/** An audit that was begun. */
export interface BegunAudit {
  /** The operation that its attempts belong to. */
  operationId: string;
  /** The account's last report, as it was stored. */
  last: unknown;
}

/** Records that an account is being audited. */
export async function beginAudit(sql: Sql, account: string, actor: string): Promise<BegunAudit> {
  const [row] = await sql.query<{ id: string; last: unknown }>(BEGIN, account, actor);
  if (row === undefined) throw new Error('an insert returned nothing');
  return { operationId: row.id, last: row.last };
}

const BEGIN_CALL = `
with o as (
  update packline.operations set calls = calls + 1, updated_at = now() where id = $1::bigint returning id, account_id, fence
)
insert into packline.attempts
  (operation_id, order_id, account_id, step, purpose, repeatable, fence, owner, send_by, timeout_ms)
select o.id, $2::uuid, o.account_id, $3, 'watch', true, o.fence, 0, now() + ${SEND_BY_MS} * interval '1 ms', $4::int from o
returning id::text as id`;

/** Records that an audit is about to call. Returns the attempt. @param orderId null: the call is about the whole account */
export async function beginAuditCall(
  sql: Sql,
  operationId: string,
  orderId: string | null,
  step: string,
  timeoutMs: number,
): Promise<string> {
  const [row] = await sql.query<{ id: string }>(BEGIN_CALL, operationId, orderId, step, timeoutMs);
  if (row === undefined) throw new Error(`the audit ${operationId} is gone`);
  return row.id;
}

const FINISH = `
with op as (
  update packline.operations set state = $3::packline.operation_state, finished_at = now(), updated_at = now(),
    last_outcome = jsonb_build_object('kind', 'done', 'code', 'audited', 'message', $4::jsonb->>'why', 'at', now())
  where id = $1::bigint
), noted as (
  update packline.installation set updated_at = now(), value = value || jsonb_build_object('report', $4::jsonb)
    || case when $3 = 'succeeded' then jsonb_build_object('finishedAt', now()) else '{}' end
  where key = 'audit:' || $2
)
insert into packline.events (type, account_id, operation_id, actor, data) values ('audit.finished', $2, $1::bigint, $5, $4::jsonb)`;

/** Stores a report, with its event. @param complete false: it is begun anew within the hour */
export async function finishAudit(
  sql: Sql,
  audit: { operationId: string; account: string; actor: string; complete: boolean; report: JsonObject },
): Promise<void> {
  const { operationId, account, actor, complete, report } = audit;
  await sql.query(FINISH, operationId, account, complete ? 'succeeded' : 'canceled', json(report), actor);
}

/** One order as the provider lists it. */
export interface ListedOrder {
  providerOrderId: string;
  /** What it knows it by, without the account's prefix; null where it tells none, or one that is not ours. */
  reference: string | null;
}

/** What our rows say of one listed order. */
export interface KnownOrder {
  providerOrderId: string;
  /** An order here holds the id, or one of its earlier generations did. */
  known: boolean;
  /** The order here of that reference; null where there is none. */
  orderId: string | null;
  /** Its submit is under way, or a person is to decide about it. */
  unsettled: boolean;
}

// A reference may itself end like the mark of a generation, so both readings are tried, the plain one first.
const KNOWN = `
with listed as (
  select * from jsonb_to_recordset($2::jsonb) as x("providerOrderId" text, reference text, base text, generation int)
)
select l."providerOrderId", d.id::text as "orderId",
  exists (select 1 from packline.orders h where h.provider_order_id = l."providerOrderId" and h.account_id = $1)
    or exists (
      select 1 from packline.operations o join packline.attempts a on a.operation_id = o.id
      where o.order_id = d.id and a.verdict = 'accepted' and a.provider_order_id = l."providerOrderId") as known,
  exists (
    select 1 from packline.operations o where o.order_id = d.id and o.kind = 'submit'
      and (o.state not in ('succeeded', 'rejected', 'dead', 'canceled')
        or exists (select 1 from packline.dead_letters t where t.operation_id = o.id and t.state = 'open' and t.code <> 'duplicate'))) as unsettled
from listed l left join lateral (
  select d.id from packline.orders d
  where d.account_id = $1 and (d.reference = l.reference or (d.reference = l.base and d.generation >= l.generation))
  order by d.reference = l.reference desc limit 1) d on true`;

const GENERATION = /^(.*)~(\d{1,6})$/s;

/** Compares a page of the provider's list with our rows. */
export function knownOrders(
  sql: Sql,
  account: string,
  listed: readonly ListedOrder[],
): Promise<KnownOrder[]> {
  const rows = listed.map(({ providerOrderId, reference }) => {
    const [, base, generation] = GENERATION.exec(reference ?? '') ?? [];
    return {
      providerOrderId,
      reference,
      base: base ?? null,
      generation: generation === undefined ? null : Number(generation),
    };
  });
  return sql.query<KnownOrder>(KNOWN, account, json(rows));
}

/** An order of ours that the provider has accepted, and has to have. */
export interface ExpectedOrder {
  orderId: string;
  reference: string;
  providerOrderId: string;
}

// Ids of orders grow with time, so a span of time is a range of the primary key (RFC 9562, version 7: 48 bits of ms).
const EXPECTED = `
with span as (
  select lpad(to_hex((extract(epoch from $2::timestamptz) * 1000)::bigint), 12, '0') as first
)
select d.id::text as "orderId", d.reference, d.provider_order_id as "providerOrderId"
from packline.orders d
where d.id > greatest($4::uuid, (select (s.first || repeat('0', 20))::uuid from span s)) and d.account_id = $1
  and d.created_at >= $2::timestamptz and d.provider_order_id is not null
  and d.status in ('draft', 'submitted', 'in_progress', 'shipped', 'delivered')
  and exists (
    select 1 from packline.operations o where o.order_id = d.id and o.kind = 'submit' and o.generation = d.generation
      and o.state = 'succeeded' and o.finished_at <= $3::timestamptz)
order by d.id limit $5::int`;

/**
 * A page of the orders that were stored since `since` and accepted until `until` (ISO 8601), in the order of their ids.
 * @param after the last id of the page before; null: the first page
 */
export function expectedOrders(
  sql: Sql,
  account: string,
  span: { since: string; until: string },
  after: string | null,
  size: number,
): Promise<ExpectedOrder[]> {
  const nil = '00000000-0000-0000-0000-000000000000';
  return sql.query<ExpectedOrder>(EXPECTED, account, span.since, span.until, after ?? nil, size);
}

const SURPLUS = `
with op as (
  select o.id, o.order_id, o.account_id, o.kind from packline.operations o
  where o.order_id = $1::uuid and o.kind = 'submit' order by o.id desc limit 1
), letter as (
  insert into packline.dead_letters (operation_id, order_id, account_id, kind, code, message, ambiguous, candidates)
  select op.id, op.order_id, op.account_id, op.kind, 'duplicate', $3, true, jsonb_build_array($4::jsonb) from op
  where not exists (
    select 1 from packline.operations p join packline.dead_letters l on l.operation_id = p.id
    where p.order_id = op.order_id and l.code = 'duplicate' and l.candidates @> jsonb_build_array(jsonb_build_object('providerOrderId', $2::text)))
  returning order_id, account_id, operation_id
), seen as (
  update packline.orders d set attention_code = 'duplicate', attention_detail = $3, attention_since = now(), updated_at = now()
  from letter where d.id = letter.order_id
)
insert into packline.events (type, account_id, order_id, operation_id, data)
select 'order.duplicate', account_id, order_id, operation_id, $4::jsonb from letter returning id`;

/** The provider holds a second order beside this one: put before a person, once. Returns whether it is news. */
export async function reportSurplus(
  sql: Sql,
  orderId: string,
  candidate: { providerOrderId: string; reference: string | null; rawStatus: string },
): Promise<boolean> {
  const message = `the provider holds ${candidate.providerOrderId} under this reference as well: see which of the two is right, and cancel the other one there`;
  const { providerOrderId } = candidate;
  return (await sql.query(SURPLUS, orderId, providerOrderId, message, json(candidate))).length > 0;
}

const MISSING = `
update packline.orders set attention_code = 'missing_at_provider', attention_since = now(), attention_detail = $2, updated_at = now()
where id = $1::uuid and attention_code is null`;

/** The provider neither lists nor finds an order that it had accepted: a person should look. */
export async function reportMissing(sql: Sql, order: ExpectedOrder): Promise<void> {
  await sql.query(MISSING, order.orderId, `the provider no longer finds order ${order.providerOrderId}`);
}

/** What the shops' orders look like there that nobody has to settle any more. */
export const OVER_AT_PROVIDER: readonly (OrderStatus | null)[] = ['canceled', 'failed', 'returned'];

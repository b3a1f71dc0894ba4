/**
 * Watching for late arrivals: a call that was judged absent is looked for again, for a day. What is found then is
 * adopted, canceled, or put before a human, by the same rows that everything else goes through.
 */
import { json, type Sql } from '../../database/connect.js';
import type { Json, JsonObject } from '../../json.js';
import { SEND_BY_MS } from './claim.js';

/** A watch that found out nothing is taken up again after this. */
const AGAIN = '5 minutes';

/** An attempt that is due to be looked for. */
export interface DueWatch {
  attemptId: string;
  operationId: string;
  orderId: string;
  account: string;
  generation: number;
  /** Watches that were finished. */
  watchNo: number;
  /** What the submit's steps had left, such as what there was before it. */
  carry: JsonObject;
}

const DUE = `
with due as (
  select a.id from packline.attempts a where a.watch_at <= now() order by a.watch_at limit 50 for update skip locked
)
update packline.attempts a set watch_at = now() + interval '${AGAIN}'
from due, packline.operations o
where a.id = due.id and o.id = a.operation_id and a.order_id is not null
returning a.id::text as "attemptId", a.operation_id::text as "operationId", a.order_id::text as "orderId",
  a.account_id as account, a.generation, a.watch_no as "watchNo", o.carry`;

/** Attempts whose watch is due; each is handed out once in five minutes. */
export function dueWatches(sql: Sql): Promise<DueWatch[]> {
  return sql.query<DueWatch>(DUE);
}

const BEGIN = `
with o as (
  update packline.operations set calls = calls + 1 where id = $1::bigint returning id, order_id, account_id, fence
)
insert into packline.attempts
  (operation_id, order_id, account_id, generation, step, purpose, repeatable, fence, owner, send_by, timeout_ms)
select o.id, o.order_id, o.account_id, $2::int, $3, 'watch', true, o.fence, 0, now() + ${SEND_BY_MS} * interval '1 ms', $4::int from o
returning id::text as id`;

/** Records that a watch is about to call. @returns the attempt; null where the operation is gone */
export async function beginWatchCall(
  sql: Sql,
  watch: Pick<DueWatch, 'operationId' | 'generation'>,
  step: string,
  timeoutMs: number,
): Promise<string | null> {
  const rows = await sql.query<{ id: string }>(BEGIN, watch.operationId, watch.generation, step, timeoutMs);
  return rows[0]?.id ?? null;
}

const KNOWN = `
select d.provider_order_id as id from packline.orders d where d.account_id = $1 and d.provider_order_id = any($3::text[])
union
select a.provider_order_id from packline.operations o join packline.attempts a on a.operation_id = o.id
where o.order_id = $2::uuid and a.verdict = 'accepted' and a.provider_order_id is not null`;

/** Which of the found orders are accounted for: held by an order here, or known to be accepted for this one. */
export async function knownIds(
  sql: Sql,
  { account, orderId }: DueWatch,
  found: readonly string[],
): Promise<ReadonlySet<string>> {
  return new Set((await sql.query<{ id: string }>(KNOWN, account, orderId, [...found])).map(({ id }) => id));
}

const NEXT = `
update packline.attempts set watch_no = watch_no + 1, watch_at = now() + $2::float8 * interval '1 ms'
where id = $1::bigint and verdict = 'absent'`;

/** Nothing was there. @param nextMs until the next watch, ms; null after the last one */
export async function finishWatch(sql: Sql, attemptId: string, nextMs: number | null): Promise<void> {
  await sql.query(NEXT, attemptId, nextMs);
}

/** What became of a late arrival. */
export type LateArrival =
  /** The order had been canceled: it is canceled there as well. */
  | 'canceled'
  /** The submit had not gone out again: it is looked for, and adopted. */
  | 'adopted'
  /** There may be two now: a human decides. */
  | 'duplicate'
  /** It is, or may be, what was sent again meanwhile: seen again by the next watch. */
  | 'later'
  /** Somebody else has decided meanwhile. */
  | 'settled';

const FACTS = `
select o.state, d.status, d.provider_order_id as "providerOrderId", d.generation, d.cancel_asked_at is not null as "cancelAsked"
from packline.operations o join packline.orders d on d.id = o.order_id
join packline.attempts a on a.operation_id = o.id
where a.id = $1::bigint and a.verdict = 'absent' for update of o, d, a`;

const ACCEPT = `
update packline.attempts set verdict = 'accepted', provider_order_id = $2, watch_at = null where id = $1::bigint`;

const CANCEL = `
with d as (
  update packline.orders set provider_order_id = $2, updated_at = now() where id = $1::uuid
  returning id, account_id, generation, reference
), op as (
  insert into packline.operations (order_id, account_id, kind, generation, priority, step, step_repeatable, actor)
  select id, account_id, 'cancel', generation, 1, $3, $4::boolean, 'packline' from d
  returning id
)
insert into packline.events (type, account_id, order_id, operation_id, reference, data)
select 'submit.late', account_id, d.id, op.id, reference, jsonb_build_object('providerOrderId', $2::text, 'end', 'canceled') from d, op`;

const LOOK = `
with o as (
  update packline.operations set state = 'unconfirmed', priority = 2, absent_looks = 0, looks = 0, confirm_from = now(),
    due_at = now(), ring_at = now(), wait_reason = null, wait_since = now(), deadline = now() + interval '24 hours', updated_at = now()
  where id = $1::bigint
  returning id, order_id, account_id
)
insert into packline.events (type, account_id, order_id, operation_id, data)
select 'submit.late', account_id, order_id, id, jsonb_build_object('providerOrderId', $2::text, 'end', 'adopted') from o`;

const DUPLICATE = `
with letter as (
  insert into packline.dead_letters (operation_id, order_id, account_id, kind, code, message, ambiguous, candidates)
  select o.id, o.order_id, o.account_id, o.kind, 'duplicate', $2, true, $3::jsonb from packline.operations o where o.id = $1::bigint
  returning order_id, account_id
), seen as (
  update packline.orders d set attention_code = 'duplicate', attention_detail = $2, attention_since = now(), updated_at = now()
  from letter where d.id = letter.order_id
)
insert into packline.events (type, account_id, order_id, operation_id, attempt_id, data)
select 'submit.late', account_id, order_id, $1::bigint, $4::bigint, jsonb_build_object('candidates', $3::jsonb, 'end', 'duplicate') from letter`;

/** States in which a submit has not gone out again, and nobody is about to send it. */
const NOT_SENT_AGAIN: readonly string[] = ['pending', 'queued', 'retrying', 'waiting'];

/** States in which what was found may as well be a later call's, and somebody is finding that out. */
const UNDER_WAY: readonly string[] = ['running', 'unconfirmed'];

/**
 * Settles a late arrival, in one transaction with everything that could change meanwhile.
 * @param found the provider's orders that nothing here accounted for when they were looked up
 * @param cancelStep the adapter's first cancel step, or null where the provider has no such verb
 */
export async function settleLateArrival(
  sql: Sql,
  watch: DueWatch,
  found: readonly JsonObject[],
  cancelStep: { name: string; repeatable: boolean } | null,
): Promise<LateArrival> {
  const [now] = await sql.query<{
    state: string;
    status: string;
    providerOrderId: string | null;
    generation: number;
    cancelAsked: boolean;
  }>(FACTS, watch.attemptId);
  if (now === undefined) return 'settled';
  const ids = found.map(({ providerOrderId }) => String(providerOrderId));
  // The submit that went out again may have been settled between the lookup and this lock: then it was that one.
  const known = await knownIds(sql, watch, ids);
  const [first, ...more] = ids.filter((id) => !known.has(id));
  if (first === undefined) return 'later';
  const alone = now.providerOrderId === null && more.length === 0 && now.generation === watch.generation;
  if (alone && UNDER_WAY.includes(now.state)) return 'later';
  await sql.query(ACCEPT, watch.attemptId, first);
  if (alone && now.status === 'canceled' && cancelStep !== null) {
    await sql.query(CANCEL, watch.orderId, first, cancelStep.name, cancelStep.repeatable);
    return 'canceled';
  }
  if (alone && NOT_SENT_AGAIN.includes(now.state)) {
    await sql.query(LOOK, watch.operationId, first);
    return 'adopted';
  }
  const message = `an order that had been judged absent arrived late at the provider: ${first}`;
  const candidates: Json[] = found.filter(({ providerOrderId }) => !known.has(String(providerOrderId)));
  await sql.query(DUPLICATE, watch.operationId, message, json(candidates), watch.attemptId);
  return 'duplicate';
}

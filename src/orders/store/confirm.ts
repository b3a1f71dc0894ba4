/** The ends of a confirmation: an absence that is proven, and evidence that came late. */

import type { Control } from '../../confirm/round.js';
import type { Sql } from '../../database/connect.js';
import type { ClaimedOrder } from './claim.js';
import { type Settlement, settleAttempts } from './settle.js';

const CONTROL = `
select d.id::text as "orderId", d.provider_order_id as "providerOrderId"
from packline.orders d join packline.operations o on o.order_id = d.id and o.kind = 'submit' and o.state = 'succeeded'
where d.account_id = $1 and d.id <> $2::uuid and d.provider_order_id is not null and d.status <> 'canceled'
  and o.generation = d.generation and o.finished_at <= now() - $3::float8 * interval '1 ms'
order by d.id desc limit 1`;

/** The account's newest order that was accepted so long ago (ms) that lookups must show it; null where there is none. */
export async function findControl(
  sql: Sql,
  account: string,
  orderId: string,
  lagMs: number,
): Promise<Control | null> {
  return (await sql.query<Control>(CONTROL, account, orderId, lagMs))[0] ?? null;
}

const CONTROL_ORDER = `
select d.id::text as id, d.reference, d.generation, d.body, d.status, d.provider_order_id as "providerOrderId",
  d.provider_data as "providerData", d.missing_reads as "missingReads", d.created_at::text as "createdAt"
from packline.orders d where d.id = $1::uuid`;

/** An order as a claim has it. */
export async function controlOrder(sql: Sql, orderId: string): Promise<ClaimedOrder | null> {
  return (await sql.query<ClaimedOrder>(CONTROL_ORDER, orderId))[0] ?? null;
}

const ADOPTED = `
select d.provider_order_id as id from packline.orders d
where d.account_id = $1 and d.provider_order_id = any($2::text[]) and d.id <> $3::uuid`;

/** Which of these provider ids other orders of the account hold. */
export async function adoptedIds(
  sql: Sql,
  account: string,
  orderId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  return new Set((await sql.query<{ id: string }>(ADOPTED, account, [...ids], orderId)).map(({ id }) => id));
}

/** When a call that was judged absent is first looked for again (design, "Confirm": 1 min, 10 min, 1 h, 24 h). */
const FIRST_WATCH = '1 minute';

export type AbsentEnd =
  /** Goes out again. */
  | 'pending'
  /** The shop had canceled: nothing is sent. */
  | 'canceled'
  /** May not be sent again: a human decides. */
  | 'dead'
  /** Not closed: the operation moved on, a verdict came, or the caller may still send. */
  | 'refused';

const LOCK = `
select o.id, o.order_id::text as "orderId", d.cancel_asked_at is not null as "cancelAsked", o.may_repeat as "mayRepeat"
from packline.operations o join packline.orders d on d.id = o.order_id
where o.id = $1::bigint and o.fence = $2::int and o.state = 'running'
for update of o, d`;

const CLOSE = `
update packline.attempts a set verdict = 'absent', watch_at = now() + interval '${FIRST_WATCH}', watch_no = 0
where a.operation_id = $1::bigint and not a.repeatable and a.verdict is null
  and (a.report is not null or not exists (
    select 1 from pg_locks k where k.locktype = 'advisory' and k.classid = $2::int and k.objid = a.owner
      and k.database = (select oid from pg_database where datname = current_database())))
returning a.id`;

const OPEN = `
select count(*) filter (where a.verdict is null)::int as open, count(*) filter (where a.verdict = 'accepted')::int as accepted
from packline.attempts a join packline.operations o on o.id = a.operation_id
where a.operation_id = $1::bigint and not a.repeatable and a.generation = o.generation`;

/**
 * Closes the open attempt as `absent` and moves the operation, together; the settlement of the last look goes
 * with it. Its transition's state is what a repeat would be; a cancel that was asked for, or a reference that
 * another order may hold, overrides it.
 */
export async function closeAbsent(sql: Sql, look: Settlement, presenceClass: number): Promise<AbsentEnd> {
  const [locked] = await sql.query<{ cancelAsked: boolean; mayRepeat: boolean; orderId: string }>(
    LOCK,
    look.operationId,
    look.fence,
  );
  if (locked === undefined) return 'refused';
  const [facts] = await sql.query<{ open: number; accepted: number }>(OPEN, look.operationId);
  if (facts === undefined || facts.accepted > 0) return 'refused';
  // None is open where an earlier absence is looked at again, before a cancel or after a replay.
  const closed = facts.open === 0 ? [] : await sql.query(CLOSE, look.operationId, presenceClass);
  if (facts.open > 0 && closed.length === 0) return 'refused';
  if (closed.length !== facts.open) {
    // Rolls the transaction back; the lease ends and the operation is looked up again.
    throw new Error(
      `operation ${look.operationId} has ${facts.open} open attempts, of which ${closed.length} could be closed`,
    );
  }
  const end = locked.cancelAsked ? 'canceled' : locked.mayRepeat ? 'pending' : 'dead';
  await settleAttempts(sql, [absentSettlement(look, end)]);
  if (end === 'canceled') await cancelOrder(sql, locked.orderId, look.operationId);
  return end;
}

function absentSettlement(look: Settlement, end: Exclude<AbsentEnd, 'refused'>): Settlement {
  const lastOutcome = {
    kind: 'missing',
    code: 'absent',
    message: 'looked up as often as configured, and not there',
  };
  const base: Settlement = {
    ...look,
    event: { type: 'submit.absent', data: { end } },
    transition: {
      ...look.transition,
      state: end,
      delayMs: 0,
      ringMs: end === 'pending' ? 0 : null,
      priority: 5,
      purpose: 'call',
      lastOutcome,
    },
  };
  if (end !== 'dead') return base;
  const message =
    'the provider said that the reference is taken, yet no order of that reference can be found';
  return {
    ...base,
    order: {
      from: [],
      to: null,
      rawStatus: null,
      providerOrderId: null,
      providerData: null,
      failure: null,
      attention: { code: 'reference_taken', detail: message },
      tracking: null,
      readMs: null,
    },
    deadLetter: { code: 'reference_taken', message, ambiguous: true, candidates: [] },
  };
}

const CANCEL_ORDER = `
with done as (
  update packline.orders set status = 'canceled', busy_op = null, updated_at = now()
  where id = $1::uuid and status in ('received', 'draft')
  returning id, account_id, reference
), ops as (
  update packline.operations o set state = 'succeeded', ring_at = null, wait_reason = null, finished_at = now(), updated_at = now()
  from done where o.order_id = done.id and o.kind = 'cancel' and o.state in ('pending', 'queued', 'waiting')
)
insert into packline.events (type, account_id, order_id, operation_id, reference, data)
select 'order.canceled', account_id, id, $2::bigint, reference, '{"where":"here"}' from done`;

/** The order ends here, since nothing of it is at the provider. */
export async function cancelOrder(sql: Sql, orderId: string, operationId: string): Promise<void> {
  await sql.query(CANCEL_ORDER, orderId, operationId);
}

const LATE_FACTS = `
select o.state, o.order_id::text as "orderId", d.provider_order_id as "providerOrderId", a.repeatable,
  exists (select 1 from packline.attempts t
    where t.operation_id = o.id and t.id <> a.id and not t.repeatable and t.verdict is null) as "otherOpen"
from packline.operations o join packline.attempts a on a.id = $2::bigint and a.operation_id = o.id
left join packline.orders d on d.id = o.order_id
where o.id = $1::bigint for update of o`;

const DUPLICATE = `
with letter as (
  insert into packline.dead_letters (operation_id, order_id, account_id, kind, code, message, ambiguous, candidates)
  select o.id, o.order_id, o.account_id, o.kind, 'duplicate', $2, true, $3::jsonb from packline.operations o where o.id = $1::bigint
  returning id, order_id, account_id
), seen as (
  update packline.orders d set attention_code = 'duplicate', attention_detail = $2, attention_since = now(), updated_at = now()
  from letter where d.id = letter.order_id
)
insert into packline.events (type, account_id, order_id, operation_id, attempt_id, data)
select 'order.duplicate', account_id, order_id, $1::bigint, $4::bigint, $3::jsonb->0 from letter`;

interface LateFacts {
  state: string;
  providerOrderId: string | null;
  /** Of the attempt that the evidence is about. */
  repeatable: boolean;
  /** Of another call of the operation nobody knows yet what became. */
  otherOpen: boolean;
}

const ENDED: readonly string[] = ['succeeded', 'rejected', 'dead', 'canceled'];

function sparesLooks({ state, repeatable, otherOpen }: LateFacts, { evidence }: Settlement): boolean {
  return state === 'unconfirmed' && evidence.verdict !== null && !repeatable && !otherOpen;
}

export type LateEnd = 'applied' | 'duplicate' | 'recorded';

/**
 * Evidence that arrived after its caller had lost the operation (it is stored already). An acceptance settles
 * an operation that is still open; another provider id than the one that is known opens a dead letter. A proof
 * that nothing was done spares an unconfirmed operation its looks, where it is about the call that is looked for.
 * What else it says was the owner's to act on: others may be beyond it by now.
 */
export async function absorbLate(sql: Sql, late: Settlement): Promise<LateEnd> {
  const [now] = await sql.query<LateFacts>(LATE_FACTS, late.operationId, late.attemptId);
  if (now === undefined) return 'recorded';
  const accepted = late.evidence.verdict === 'accepted';
  const open = !ENDED.includes(now.state);
  if (open && (accepted ? ENDED.includes(late.transition.state) : sparesLooks(now, late))) {
    const [settled] = await settleAttempts(sql, [{ ...late, late: true }]);
    return settled?.applied === true ? 'applied' : 'recorded';
  }
  const theirs = late.evidence.providerOrderId;
  if (accepted && theirs !== null && theirs !== now.providerOrderId) {
    const message = `a call that had been given up was accepted after all: the provider holds ${theirs} as well`;
    await sql.query(
      DUPLICATE,
      late.operationId,
      message,
      JSON.stringify([{ providerOrderId: theirs, known: now.providerOrderId }]),
      late.attemptId,
    );
    return 'duplicate';
  }
  return 'recorded';
}

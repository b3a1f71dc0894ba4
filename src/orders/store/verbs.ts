/** What a shop or an operator asks of an order that is stored: each commits the operation with its event. */
import { json, type Sql } from '../../database/connect.js';
import type { JsonObject } from '../../json.js';
import type { OrderStatus } from '../order.js';
import type { NewOrder } from './intake.js';

const CANCEL_FACTS = `
select d.status, d.held, d.provider_order_id as "providerOrderId", d.busy_op is not null as busy, d.account_id as account, d.generation,
  (select o.id::text from packline.operations o where o.order_id = d.id and o.kind = 'cancel'
     and o.generation = d.generation and o.state not in ('rejected', 'dead') order by o.id desc limit 1) as "cancelOp",
  (select o.id::text from packline.operations o where o.order_id = d.id and o.kind = 'submit'
     and o.state not in ('succeeded', 'rejected', 'canceled') limit 1) as "submitOp",
  (select o.state from packline.operations o where o.order_id = d.id and o.kind = 'submit'
     and o.state not in ('succeeded', 'rejected', 'canceled') limit 1) as "submitState",
  exists (select 1 from packline.dead_letters l where l.order_id = d.id and l.state = 'open' and l.ambiguous) as ambiguous,
  exists (select 1 from packline.attempts a join packline.operations p on p.id = a.operation_id where p.order_id = d.id and a.generation = d.generation and not a.repeatable
     and a.verdict is null) as open,
  exists (select 1 from packline.attempts a join packline.operations p on p.id = a.operation_id where p.order_id = d.id and a.generation = d.generation and not a.repeatable
     and a.verdict = 'absent') as absent
from packline.orders d where d.id = $1::uuid`;

interface CancelFacts {
  status: OrderStatus;
  held: boolean;
  providerOrderId: string | null;
  busy: boolean;
  account: string;
  generation: number;
  cancelOp: string | null;
  submitOp: string | null;
  submitState: string | null;
  ambiguous: boolean;
  open: boolean;
  absent: boolean;
}

// Operations first, then the order: the sequence of claims and settles, so that none waits for another in a circle.
const LOCK_ORDER = `
with ops as (select id from packline.operations where order_id = $1::uuid order by id for update)
select d.id from packline.orders d where d.id = $1::uuid and (select count(*) from ops) >= 0 for update of d`;

const INSERT_OP = `
with d as (select id, account_id, generation, reference from packline.orders where id = $1::uuid), op as (
  insert into packline.operations (order_id, account_id, kind, generation, priority, step, step_repeatable, params, state,
    wait_reason, wait_since, ring_at, finished_at, actor, serial_key)
  select d.id, d.account_id, $2::packline.operation_kind, d.generation, $3::smallint, $4, $5::boolean, $6::jsonb,
    $7::packline.operation_state, case when $7 = 'waiting' then 'busy'::packline.wait_reason end, case when $7 = 'waiting' then now() end,
    case when $7 = 'waiting' then now() + interval '10 s' when $7 = 'succeeded' then null else now() end,
    case when $7 = 'succeeded' then now() end, $8, $9
  from d returning id, order_id
), keyed as (
  insert into packline.serial_keys (account_id, key) select d.account_id, $9 from d where $9::text is not null
  on conflict do nothing
), told as (
  insert into packline.events (type, account_id, order_id, operation_id, reference, actor, data)
  select 'operation.asked', d.account_id, d.id, op.id, d.reference, $8, jsonb_build_object('kind', $2)
  from d, op
)
select id::text as id from op`;

export interface NewOperation {
  orderId: string;
  kind: 'submit' | 'activate' | 'cancel' | 'update' | 'poll';
  priority: number;
  step: string;
  stepRepeatable: boolean;
  params: JsonObject;
  state: 'pending' | 'waiting' | 'succeeded';
  actor: string;
  /** Of a submit, where the adapter names one. */
  serialKey?: string | null;
}

/** Adds an operation of an order, with its event. Returns its id. */
export async function insertOperation(sql: Sql, op: NewOperation): Promise<string> {
  const [row] = await sql.query<{ id: string }>(
    INSERT_OP,
    op.orderId,
    op.kind,
    op.priority,
    op.step,
    op.stepRepeatable,
    json(op.params),
    op.state,
    op.actor,
    op.serialKey ?? null,
  );
  if (row === undefined) throw new Error(`order ${op.orderId} is gone`);
  return row.id;
}

const END_HERE = `
with subs as (
  update packline.operations o set state = 'canceled', ring_at = null, wait_reason = null, finished_at = now(), updated_at = now()
  where o.order_id = $1::uuid and o.kind in ('submit', 'activate', 'update') and o.state not in ('succeeded', 'rejected', 'canceled', 'running')
), cancels as (
  update packline.operations o set state = 'succeeded', ring_at = null, wait_reason = null, finished_at = now(), updated_at = now()
  where o.order_id = $1::uuid and o.kind = 'cancel' and o.state in ('pending', 'queued', 'waiting')
), letters as (
  update packline.dead_letters l set state = 'discarded', decided_at = now(), decided_by = $2, reason = 'the order was canceled'
  where l.order_id = $1::uuid and l.state = 'open'
), d as (
  update packline.orders set status = 'canceled', cancel_asked_at = coalesce(cancel_asked_at, now()), held = false,
    attention_code = null, attention_since = null, attention_detail = null, updated_at = now()
  where id = $1::uuid returning id, account_id, reference
)
insert into packline.events (type, account_id, order_id, reference, actor, data)
select 'order.canceled', account_id, id, reference, $2, '{"where":"here"}' from d`;

/** Of a submit that is unfinished: the provider is asked before anything is sent. */
const LOOK_FIRST = `
update packline.operations set state = 'unconfirmed', priority = 2, absent_looks = 0, looks = 0, confirm_from = now(),
  due_at = now(), ring_at = now(), wait_reason = null, wait_since = now(), deadline = now() + interval '24 hours', updated_at = now()
where id = $1::bigint and state in ('pending', 'queued', 'retrying', 'waiting')`;

const MARK_CANCEL = `update packline.orders set cancel_asked_at = coalesce(cancel_asked_at, now()), updated_at = now() where id = $1::uuid`;

export type CancelResult = { kind: 'asked' } | { kind: 'ended' } | { kind: 'impossible'; why: string };

/**
 * Cancels here what was never sent; else asks the provider, after the submit has settled or been confirmed.
 * @param cancelStep the adapter's first cancel step, or null where the provider has no such verb
 */
export async function cancel(
  sql: Sql,
  orderId: string,
  cancelStep: { name: string; repeatable: boolean } | null,
  actor: string,
): Promise<CancelResult> {
  await sql.query(LOCK_ORDER, orderId);
  const [facts] = await sql.query<CancelFacts>(CANCEL_FACTS, orderId);
  if (facts === undefined) return { kind: 'impossible', why: 'there is no such order' };
  if (facts.cancelOp !== null) {
    await endIfUnsent(sql, orderId, facts, actor);
    return { kind: 'asked' };
  }
  if (['canceled', 'failed', 'delivered', 'returned', 'shipped'].includes(facts.status)) {
    return { kind: 'impossible', why: `the order is ${facts.status}` };
  }
  const neverSent = facts.providerOrderId === null && !facts.open && !facts.absent && !inDoubt(facts);
  if (!neverSent && cancelStep === null) {
    return {
      kind: 'impossible',
      why: 'this provider cannot cancel, and the order was or may have been sent',
    };
  }
  const waits = facts.providerOrderId === null || facts.busy;
  const op = { orderId, kind: 'cancel' as const, priority: 1, params: {}, actor };
  const step = { step: cancelStep?.name ?? 'cancel', stepRepeatable: cancelStep?.repeatable ?? true };
  await insertOperation(sql, { ...op, ...step, state: neverSent || waits ? 'waiting' : 'pending' });
  await sql.query(MARK_CANCEL, orderId);
  const ended = await endIfUnsent(sql, orderId, facts, actor);
  return { kind: ended ? 'ended' : 'asked' };
}

/** A call is under way, or it is being looked up: after a restore also one of which there is no attempt. */
function inDoubt({ submitState }: CancelFacts): boolean {
  return submitState === 'running' || submitState === 'unconfirmed';
}

/** Locally only if no attempt of this generation is open or was judged absent; an absent one is looked for again first. */
async function endIfUnsent(sql: Sql, orderId: string, facts: CancelFacts, actor: string): Promise<boolean> {
  if (facts.providerOrderId !== null || facts.open || inDoubt(facts) || facts.ambiguous) return false;
  if (facts.absent && facts.submitOp !== null) {
    await sql.query(LOOK_FIRST, facts.submitOp);
    return false;
  }
  if (!['received', 'draft'].includes(facts.status)) return false;
  await sql.query(END_HERE, orderId, actor);
  return true;
}

const IDLE_CANCEL = `
update packline.operations set state = 'rejected', ring_at = null, wait_reason = null, finished_at = now(), updated_at = now(),
  last_outcome = jsonb_build_object('kind', 'rejected', 'code', 'not_possible', 'message', $2::text, 'at', now())
where order_id = $1::uuid and kind in ('cancel', 'activate', 'update') and state in ('pending', 'queued', 'waiting')`;

/**
 * An operation came up for an order that the provider does not hold: ends a cancel here where nothing was
 * sent, gives it up where the order has failed, or leaves it waiting for the submit.
 */
export async function settleWithoutOrder(sql: Sql, orderId: string): Promise<'ended' | 'waits'> {
  await sql.query(LOCK_ORDER, orderId);
  const [facts] = await sql.query<CancelFacts>(CANCEL_FACTS, orderId);
  if (facts === undefined || facts.providerOrderId !== null) return 'waits';
  if (facts.cancelOp !== null && (await endIfUnsent(sql, orderId, facts, 'packline'))) return 'ended';
  // A dead submit may be replayed yet, unless it was given up: then the order has failed.
  if (!facts.held && (facts.submitOp === null || facts.status === 'failed')) {
    await sql.query(IDLE_CANCEL, orderId, `the order is ${facts.status}`);
    return 'ended';
  }
  return 'waits';
}

const LOOKS_FIRST = `select 1 where packline.looks_first($1::boolean)`;

const RELEASE = `
update packline.orders set held = false, updated_at = now() where id = $1::uuid and held and status = 'received' returning id`;

/** A held order is to be sent now. False where it is not held any more. */
export async function releaseHeld(
  sql: Sql,
  orderId: string,
  submit: Pick<NewOrder, 'step' | 'stepRepeatable' | 'priority' | 'serialKey' | 'lookable'>,
  actor: string,
): Promise<boolean> {
  const released = await sql.query(RELEASE, orderId);
  if (released.length === 0) return false;
  const { lookable, ...first } = submit;
  const id = await insertOperation(sql, {
    ...first,
    orderId,
    kind: 'submit',
    params: {},
    state: 'pending',
    actor,
  });
  if ((await sql.query(LOOKS_FIRST, lookable)).length > 0) await sql.query(LOOK_FIRST, id);
  return true;
}

const OPEN_OP = `
select id::text as id from packline.operations
where order_id = $1::uuid and kind = $2::packline.operation_kind and state not in ('succeeded', 'rejected', 'dead', 'canceled')
order by id limit 1`;

/** The operation of this kind that is under way for an order, if any: asked twice, the same operation. */
export async function openOperation(
  sql: Sql,
  orderId: string,
  kind: NewOperation['kind'],
): Promise<string | null> {
  await sql.query(LOCK_ORDER, orderId);
  const [row] = await sql.query<{ id: string }>(OPEN_OP, orderId, kind);
  return row?.id ?? null;
}

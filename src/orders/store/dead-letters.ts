/** Decisions on dead letters: compare-and-set on the letter and its operation; the loser is told. */
import type { Sql } from '../../database/connect.js';
import type { OperationKind } from '../order.js';

export interface LetterFacts {
  id: string;
  operationId: string;
  orderId: string | null;
  account: string;
  kind: OperationKind;
  code: string;
  state: 'open' | 'replayed' | 'adopted' | 'discarded';
  ambiguous: boolean;
  generation: number;
  operationState: string;
}

// Operation first, then the letter and the order: the sequence of claims and settles.
const LOCK = `
with l as (select operation_id from packline.dead_letters where id = $1::bigint),
op as (select o.id, o.state, o.generation from packline.operations o join l on l.operation_id = o.id for update of o)
select x.id::text as id, x.operation_id::text as "operationId", x.order_id::text as "orderId", x.account_id as account, x.kind, x.code,
  x.state, x.ambiguous, op.generation, op.state as "operationState"
from packline.dead_letters x join op on op.id = x.operation_id where x.id = $1::bigint for update of x`;

/** Locks a letter with its operation; null where there is none. Inside a transaction. */
export async function lockLetter(sql: Sql, id: string): Promise<LetterFacts | null> {
  const [row] = await sql.query<LetterFacts>(LOCK, id);
  return row ?? null;
}

const DECIDE = `
with l as (
  update packline.dead_letters set state = $2::packline.dead_letter_state, decided_at = now(), decided_by = $3, reason = $4
  where id = $1::bigint and state = 'open' returning id, operation_id, order_id, account_id, code
)
insert into packline.events (type, account_id, order_id, operation_id, reference, actor, data)
select 'dead_letter.' || $2, l.account_id, l.order_id, l.operation_id,
  (select reference from packline.orders where id = l.order_id), $3, jsonb_build_object('deadLetterId', l.id::text, 'code', l.code, 'reason', $4::text)
from l returning id`;

export async function decideLetter(
  sql: Sql,
  id: string,
  state: 'replayed' | 'adopted' | 'discarded',
  actor: string,
  reason: string | null,
): Promise<boolean> {
  return (await sql.query(DECIDE, id, state, actor, reason)).length > 0;
}

const REOPEN = `
with op as (
  update packline.operations o set
    state = (case when $2::boolean then 'unconfirmed' else 'pending' end)::packline.operation_state,
    priority = case when $2::boolean then 2 else o.priority end,
    attempts = 0, absent_looks = 0, looks = 0, confirm_from = case when $2::boolean then now() end,
    may_repeat = case when $3::boolean then true else o.may_repeat end,
    wait_reason = null, wait_since = case when $2::boolean then now() end,
    deadline = case when $2::boolean then now() + interval '24 hours' end,
    step = coalesce($4, o.step), step_repeatable = coalesce($5::boolean, o.step_repeatable),
    carry = case when $4::text is null then o.carry else '{}' end,
    purpose = 'call', fence = o.fence + 1, due_at = now(), ring_at = now(), finished_at = null, updated_at = now()
  where o.id = $1::bigint and o.state = 'dead' returning o.id, o.order_id
)
update packline.orders d set attention_code = null, attention_since = null, attention_detail = null, updated_at = now()
from op where d.id = op.order_id`;

/**
 * Puts a dead operation back to work.
 * @param look begins with looks, since the call may have been done
 * @param repeat lets a call whose repetition was forbidden (409) go out again once it is proven absent
 * @param from begins at this step, with nothing that earlier ones left; null: where it stood
 */
export async function reopenOperation(
  sql: Sql,
  operationId: string,
  look: boolean,
  repeat: boolean,
  from: { name: string; repeatable: boolean } | null,
): Promise<void> {
  await sql.query(REOPEN, operationId, look, repeat, from?.name ?? null, from?.repeatable ?? null);
}

const DISCARD = `
with op as (
  select order_id, kind, state = 'dead' as dead from packline.operations where id = $1::bigint
)
update packline.orders d set
  status = case when op.kind = 'submit' and op.dead and d.status = 'received' then 'failed'::packline.order_status else d.status end,
  failure = case when op.kind = 'submit' and op.dead and d.status = 'received'
    then jsonb_build_object('code', 'discarded', 'message', $2::text) else d.failure end,
  attention_code = null, attention_since = null, attention_detail = null, updated_at = now()
from op where d.id = op.order_id returning d.id`;

/** A dead letter was given up: a submit's order becomes `failed`. An operation that lives on, as beside a double, does so. */
export async function discardOperation(sql: Sql, operationId: string, reason: string): Promise<void> {
  await sql.query(DISCARD, operationId, reason);
}

const ADOPT = `
with tries as (
  update packline.attempts set verdict = 'accepted', provider_order_id = $2
  where operation_id = $1::bigint and not repeatable and verdict is null
), op as (
  update packline.operations set state = 'succeeded', ring_at = null, finished_at = now(), updated_at = now(),
    last_outcome = jsonb_build_object('kind', 'accepted', 'code', 'adopted', 'message', 'adopted by an operator', 'at', now())
  where id = $1::bigint and state = 'dead' returning id, order_id
)
update packline.orders d set provider_order_id = $2, raw_status = $3,
  status = case when d.status in ('received', 'draft') then $4::packline.order_status else d.status end,
  failure = null, attention_code = null, attention_since = null, attention_detail = null, read_due_at = now(), updated_at = now()
from op where d.id = op.order_id returning d.id`;

/** The provider's order is this one. */
export async function adoptOrder(
  sql: Sql,
  operationId: string,
  providerOrderId: string,
  rawStatus: string,
  status: string,
): Promise<boolean> {
  return (await sql.query(ADOPT, operationId, providerOrderId, rawStatus, status)).length > 0;
}

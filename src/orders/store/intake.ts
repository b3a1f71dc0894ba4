/** Orders come in: order, submit operation and event in one statement, many orders at a time. */
import { json, type Sql } from '../../database/connect.js';
import type { OrderBody } from '../body.js';

export interface NewOrder {
  /** UUID, made by the caller. */
  id: string;
  accountId: string;
  reference: string;
  body: OrderBody;
  /** SHA-256 of the canonical JSON as the shop sent it. */
  bodyHash: string;
  /** Stored unsent until activated. */
  held: boolean;
  /** The first step of the account's submit. */
  step: string;
  stepRepeatable: boolean;
  priority: number;
  serialKey: string | null;
  /** The provider can be asked by reference whether it holds the order. */
  lookable: boolean;
  actor: string;
}

/** `created`, `same` (it was there with this body), or `taken` (there with another body). */
export interface Stored {
  orderId: string;
  result: 'created' | 'same' | 'taken';
}

/** State, priority and the times of a confirmation: of a new submit, or of one that is looked for first. */
export function firstState(looks: string, priority: string): string {
  return `case when ${looks} then 'unconfirmed' else 'pending' end::packline.operation_state,
    case when ${looks} then 2 else ${priority} end::smallint, case when ${looks} then now() end, case when ${looks} then now() end,
    case when ${looks} then now() + interval '24 hours' end`;
}

const INSERT = `
with i as materialized (
  select * from jsonb_to_recordset($1::jsonb) as x(
    n int, id uuid, "accountId" text, reference text, body jsonb, "bodyHash" text, held boolean,
    step text, "stepRepeatable" boolean, priority smallint, "serialKey" text, lookable boolean, actor text)
), stored as (
  insert into packline.orders (id, account_id, reference, body, body_hash, held)
  select id, "accountId", reference, body, "bodyHash", held from i order by "accountId", reference
  on conflict (account_id, reference) do nothing
  returning id
), keyed as (
  insert into packline.serial_keys (account_id, key)
  select distinct i."accountId", i."serialKey" from i join stored using (id) where i."serialKey" is not null
  on conflict do nothing
), submit as (
  insert into packline.operations (order_id, account_id, kind, step, step_repeatable, serial_key, actor,
    state, priority, confirm_from, wait_since, deadline)
  select i.id, i."accountId", 'submit', i.step, i."stepRepeatable", i."serialKey", i.actor,
    ${firstState('i.lookable and l.first', 'i.priority')}
  from i join stored using (id) cross join (select packline.looks_first(true) as first) l where not i.held order by i.n
  returning id, order_id
), told as (
  insert into packline.events (type, account_id, order_id, operation_id, reference, actor, data)
  select 'order.received', i."accountId", i.id, s.id, i.reference, i.actor, jsonb_build_object('held', i.held)
  from i join stored using (id) left join submit s on s.order_id = i.id order by i.n
)
select i.n, i.id::text as id from i join stored using (id)`;

const FIND = `
select i.n, o.id::text as id, o.body_hash as hash
from jsonb_to_recordset($1::jsonb) as i(n int, "accountId" text, reference text)
join packline.orders o on o.account_id = i."accountId" and o.reference = i.reference`;

/**
 * Stores each order once. Of two equal references in one call the first wins.
 * @returns one result per order, in their order
 */
export async function insertOrders(sql: Sql, orders: readonly NewOrder[]): Promise<Stored[]> {
  const rows = orders.map((order, n) => ({ n, ...order }));
  const created = await sql.query<{ n: number; id: string }>(INSERT, json(rows));
  const results = new Map<number, Stored>(
    created.map(({ n, id }) => [n, { orderId: id, result: 'created' }]),
  );
  const rest = rows
    .filter(({ n }) => !results.has(n))
    .map(({ n, accountId, reference }) => ({ n, accountId, reference }));
  if (rest.length > 0) {
    // A statement of its own: the first one's snapshot cannot see an order that another writer committed meanwhile.
    const found = await sql.query<{ n: number; id: string; hash: string }>(FIND, json(rest));
    for (const { n, id, hash } of found) {
      results.set(n, { orderId: id, result: rows[n]?.bodyHash === hash ? 'same' : 'taken' });
    }
  }
  return orders.map((order, n) => {
    const stored = results.get(n);
    if (stored === undefined)
      throw new Error(`order ${order.accountId}/${order.reference} is neither stored nor found`);
    return stored;
  });
}

// The new submit reads what was ended, and so comes after it: both at once would be two open submits of one order.
const CORRECT = `
with taken as (
  select o.id, o.generation from packline.orders o
  where o.id = $1::uuid and o.busy_op is null
    -- Not by the attempts alone: after a restore the one that was or may have been accepted can be missing.
    and o.provider_order_id is null
    and not exists (
      select 1 from packline.attempts a join packline.operations p on p.id = a.operation_id
      where p.order_id = o.id and a.generation = o.generation and not a.repeatable
        and (a.verdict is null or a.verdict in ('accepted', 'absent')))
    and not exists (
      select 1 from packline.operations s where s.order_id = o.id and s.kind = 'submit' and s.state = 'unconfirmed')
    and not exists (select 1 from packline.dead_letters l where l.order_id = o.id and l.state = 'open' and l.ambiguous)
  for update of o
), ended as (
  update packline.operations p set state = 'canceled', ring_at = null, finished_at = now(), updated_at = now()
  from taken where p.order_id = taken.id and p.state not in ('succeeded', 'rejected', 'canceled', 'running') and p.kind <> 'poll'
  returning p.id
), closed as (
  update packline.dead_letters d set state = 'discarded', decided_at = now(), decided_by = $7, reason = 'replaced by a corrected body'
  from taken where d.order_id = taken.id and d.state = 'open'
), changed as (
  update packline.orders o set
    generation = o.generation + 1, body = $2::jsonb, body_hash = $3, held = $4::boolean, status = 'received',
    raw_status = null, failure = null, attention_code = null, attention_since = null, attention_detail = null,
    provider_order_id = null, cancel_asked_at = null, missing_reads = 0, updated_at = now()
  from taken where o.id = taken.id
  returning o.id, o.account_id, o.reference, o.generation
), keyed as (
  insert into packline.serial_keys (account_id, key) select c.account_id, $9 from changed c where $9::text is not null
  on conflict do nothing
), submit as (
  insert into packline.operations (order_id, account_id, kind, generation, step, step_repeatable, serial_key, actor,
    state, priority, confirm_from, wait_since, deadline)
  select c.id, c.account_id, 'submit', c.generation, $6, $8::boolean, $9, $7, ${firstState('l.first', '$5::smallint')}
  from changed c cross join (select packline.looks_first($10::boolean) as first) l
  where not $4::boolean and (select count(*) from ended) >= 0
  returning id
), told as (
  insert into packline.events (type, account_id, order_id, operation_id, reference, actor, data)
  select 'order.corrected', c.account_id, c.id, (select id from submit), c.reference, $7, jsonb_build_object('generation', c.generation)
  from changed c
)
select generation from changed`;

/**
 * Replaces the body and begins the next generation, unless anything of this one was or may have been accepted.
 * @returns false where it was refused
 */
export async function correctOrder(
  sql: Sql,
  order: Omit<NewOrder, 'accountId' | 'reference'>,
): Promise<boolean> {
  const rows = await sql.query<{ generation: number }>(
    CORRECT,
    order.id,
    json(order.body),
    order.bodyHash,
    order.held,
    order.priority,
    order.step,
    order.actor,
    order.stepRepeatable,
    order.serialKey,
    order.lookable,
  );
  return rows.length > 0;
}

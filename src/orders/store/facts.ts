/** What earlier calls brought, and what a verb wants to know before it begins. */
import { json, type Sql } from '../../database/connect.js';
import type { JsonObject } from '../../json.js';
import type { OrderBody } from '../body.js';
import type { OperationKind, OrderStatus, Purpose } from '../order.js';

export interface FactRow {
  kind: string;
  key: string;
  value: JsonObject | null;
  sealed: string | null;
}

const FACTS = `
select f.kind, f.key, f.value, f.sealed from packline.provider_facts f
join jsonb_to_recordset($2::jsonb) as q(kind text, key text) on q.kind = f.kind and (q.key is null or q.key = f.key)
where f.account_id = $1 and (f.value is not null or f.sealed is not null) and (f.expires_at is null or f.expires_at > now())`;

/** The facts of an account that still hold. */
export function findFacts(
  sql: Sql,
  account: string,
  queries: readonly { kind: string; key?: string }[],
): Promise<FactRow[]> {
  return queries.length === 0 ? Promise.resolve([]) : sql.query<FactRow>(FACTS, account, json([...queries]));
}

const OPEN_DATA = `
select d.provider_data as data from packline.orders d
where d.account_id = $1 and d.id <> $2::uuid and d.provider_data @> $3::jsonb
  and d.status in ('received', 'draft', 'submitted', 'in_progress', 'shipped')
union all
select o.carry from packline.operations o
where o.account_id = $1 and o.order_id <> $2::uuid and o.kind = 'submit' and o.carry @> $3::jsonb
  and o.state not in ('succeeded', 'rejected', 'canceled') limit 1000`;

/** What the provider told of the account's other orders that are not over. */
export async function openOrderData(
  sql: Sql,
  account: string,
  orderId: string,
  containing: JsonObject,
): Promise<JsonObject[]> {
  return (await sql.query<{ data: JsonObject }>(OPEN_DATA, account, orderId, json(containing))).map(
    ({ data }) => data,
  );
}

/** An operation before its claim. */
export interface UnclaimedOperation {
  kind: OperationKind;
  step: string;
  purpose: Purpose;
  state: string;
  /** Counts claims. */
  fence: number;
  params: JsonObject;
  carry: JsonObject;
  lastOutcome: { kind: string; code: string } | null;
  order: {
    id: string;
    reference: string;
    generation: number;
    body: OrderBody;
    status: OrderStatus;
    providerOrderId: string | null;
    providerData: JsonObject;
    missingReads: number;
    createdAt: string;
  };
}

const UNCLAIMED = `
select o.kind, o.step, o.purpose, o.state, o.fence, o.params, o.carry, o.last_outcome as "lastOutcome", jsonb_build_object(
    'id', d.id, 'reference', d.reference, 'generation', d.generation, 'body', d.body, 'status', d.status,
    'providerOrderId', d.provider_order_id, 'providerData', d.provider_data, 'missingReads', d.missing_reads,
    'createdAt', d.created_at) as "order"
from packline.operations o join packline.orders d on d.id = o.order_id where o.id = $1::bigint`;

export async function unclaimedOperation(sql: Sql, operationId: string): Promise<UnclaimedOperation | null> {
  return (await sql.query<UnclaimedOperation>(UNCLAIMED, operationId))[0] ?? null;
}

const BEGIN_AT = `
update packline.operations set step = $2, step_repeatable = $3::boolean, carry = carry || $4::jsonb, updated_at = now()
where id = $1::bigint and state in ('pending', 'queued', 'retrying', 'waiting') and step = $5 and fence = $6::int`;

/** Moves an operation that nobody has claimed to the step where it is to begin. */
export async function beginAt(
  sql: Sql,
  operationId: string,
  from: { step: string; fence: number },
  to: { step: string; repeatable: boolean; carry: JsonObject },
): Promise<void> {
  await sql.query(BEGIN_AT, operationId, to.step, to.repeatable, json(to.carry), from.step, from.fence);
}

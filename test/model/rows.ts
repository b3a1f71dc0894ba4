/** The rows of the model's account: read whole after every command, moved in time, and cleared between sequences. */
import type { Sql } from '../../src/database/connect.js';
import type {
  OperationKind,
  OperationState,
  OrderStatus,
  Purpose,
  Report,
  Verdict,
} from '../../src/orders/order.js';

export interface OrderRow {
  id: string;
  reference: string;
  generation: number;
  status: OrderStatus;
  held: boolean;
  attention: string | null;
  providerOrderId: string | null;
  cancelAsked: boolean;
  busyOp: string | null;
}

export interface OperationRow {
  id: string;
  orderId: string | null;
  kind: OperationKind;
  state: OperationState;
  generation: number;
  purpose: Purpose;
  priority: number;
  waitReason: string | null;
  /** ms from now; null where nothing rings. */
  ringMs: number | null;
  owned: boolean;
  lastCode: string | null;
  /** How often it was proven that its call had not been done: by looks, or by its caller. */
  proofs: number;
}

export interface AttemptRow {
  id: string;
  operationId: string;
  orderId: string | null;
  generation: number;
  step: string;
  purpose: Purpose;
  repeatable: boolean;
  report: Report | null;
  verdict: Verdict | null;
  providerOrderId: string | null;
  /** ms from now; null where none is due. */
  watchMs: number | null;
  watchNo: number;
}

export interface LetterRow {
  id: string;
  operationId: string;
  orderId: string | null;
  code: string;
  ambiguous: boolean;
  state: 'open' | 'replayed' | 'adopted' | 'discarded';
  candidates: { providerOrderId: string }[];
}

export interface Rows {
  orders: OrderRow[];
  operations: OperationRow[];
  attempts: AttemptRow[];
  letters: LetterRow[];
  /** Orders of which an `order.reopened` was told. */
  reopened: string[];
  /** Types of the events so far. */
  told: string[];
}

const READ = `
select
  (select coalesce(json_agg(json_build_object('id', d.id, 'reference', d.reference, 'generation', d.generation, 'status', d.status,
    'held', d.held, 'attention', d.attention_code, 'providerOrderId', d.provider_order_id, 'cancelAsked', d.cancel_asked_at is not null,
    'busyOp', d.busy_op::text) order by d.id), '[]') from packline.orders d where d.account_id = $1) as orders,
  (select coalesce(json_agg(json_build_object('id', o.id::text, 'orderId', o.order_id, 'kind', o.kind, 'state', o.state,
    'generation', o.generation, 'purpose', o.purpose, 'priority', o.priority, 'waitReason', o.wait_reason,
    'ringMs', extract(epoch from o.ring_at - now()) * 1000, 'owned', o.owner is not null and o.lease_until is not null,
    'lastCode', o.last_outcome->>'code', 'proofs',
    (select count(*) from packline.events e where e.operation_id = o.id and e.type = 'submit.absent')
    + (select count(*) from packline.attempts u where u.operation_id = o.id and not u.repeatable and u.verdict in ('refused', 'not_sent')))
    order by o.id), '[]') from packline.operations o where o.account_id = $1) as operations,
  (select coalesce(json_agg(json_build_object('id', t.id::text, 'operationId', t.operation_id::text, 'orderId', t.order_id,
    'generation', t.generation, 'step', t.step, 'purpose', t.purpose, 'repeatable', t.repeatable, 'report', t.report,
    'verdict', t.verdict, 'providerOrderId', t.provider_order_id, 'watchMs', extract(epoch from t.watch_at - now()) * 1000,
    'watchNo', t.watch_no) order by t.id), '[]') from packline.attempts t where t.account_id = $1) as attempts,
  (select coalesce(json_agg(json_build_object('id', l.id::text, 'operationId', l.operation_id::text, 'orderId', l.order_id,
    'code', l.code, 'ambiguous', l.ambiguous, 'state', l.state, 'candidates', l.candidates) order by l.id), '[]')
    from packline.dead_letters l where l.account_id = $1) as letters,
  (select coalesce(json_agg(e.order_id), '[]') from packline.events e where e.type = 'order.reopened' and e.account_id = $1) as reopened,
  (select coalesce(json_agg(distinct e.type), '[]') from packline.events e where e.account_id = $1) as told`;

/** Everything that stands in the rows of an account. */
export async function readRows(sql: Sql, account: string): Promise<Rows> {
  const [rows] = await sql.query<Rows>(READ, account);
  if (rows === undefined) throw new Error(`there is no account ${account}`);
  return rows;
}

/**
 * Every time that is compared with the database's clock. Left out is `observed_at`: reads are compared with each
 * other by the real order in which they started. In the sequence of claims, so that none waits for another in a circle.
 */
const TIMES: readonly [table: string, columns: readonly string[]][] = [
  [
    'operations',
    ['due_at', 'ring_at', 'wait_since', 'deadline', 'confirm_from', 'lease_until', 'finished_at'],
  ],
  ['gates', ['blocked_until', 'next_permit_at', 'seen_reset_at']],
  ['orders', ['read_due_at', 'attention_since', 'cancel_asked_at']],
  ['attempts', ['started_at', 'send_by', 'ended_at', 'watch_at']],
];

/** Statements that let so much time pass for every row; one text, for one round trip. @param ms whole milliseconds */
export function passing(ms: number): string {
  const earlier = `interval '${Math.round(ms)} ms'`;
  return TIMES.map(([table, columns]) => {
    const changes = columns.map((column) => `${column} = ${column} - ${earlier}`);
    return `update packline.${table} set ${changes.join(', ')}`;
  }).join(';');
}

/** Statements after which an order was never here. @param orderId a UUID */
export function forgetting(orderId: string): string {
  const of = (table: string) => `delete from packline.${table} where order_id = '${orderId}'`;
  const rows = ['attempts', 'dead_letters', 'events', 'operations'].map(of);
  return [...rows, `delete from packline.orders where id = '${orderId}'`].join(';');
}

/** Statements that leave the accounts alone and nothing else. */
export const CLEARING = [
  'delete from packline.attempts',
  'delete from packline.dead_letters',
  'delete from packline.events',
  'delete from packline.operations',
  'delete from packline.orders',
  `delete from packline.gates where verb <> '*'`,
  'update packline.gates set blocked_until = null, blocked_why = null, strikes = 0, next_permit_at = now()',
  `update packline.accounts set pause_code = null, paused_at = null, pause_until = null, probe_at = null, probe_no = 0,
     misconfigured_orders = '{}' where pause_code is not null or probe_no > 0 or misconfigured_orders <> '{}'`,
  `delete from packline.installation where key = 'look_first'`,
].join(';');

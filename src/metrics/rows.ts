/** The rows that metrics are made of. Whole tables are read by one statement alone, which an index serves. */
import type { Sql } from '../database/connect.js';
import { TERMINAL_STATES } from '../orders/states.js';

// x_orders_tally serves it without looking at an order: a million are counted in a tenth of a second.
const ORDERS = `
select o.account_id as account, o.status::text as status, o.count
from (select account_id, status, count(*)::int as count from packline.orders group by 1, 2) o`;

/** How many orders of an account have a status. */
export interface OrderCount {
  account: string;
  status: string;
  count: number;
}

/** Counts every order. */
export function countOrders(sql: Sql): Promise<OrderCount[]> {
  return sql.query<OrderCount>(ORDERS);
}

// What waits for another operation of its order is not due, whatever its row says; nor is what runs.
const OPERATIONS = `
select o.account_id as account, o.kind::text as kind, o.state::text as state, count(*)::int as count,
  coalesce(extract(epoch from now() - min(o.due_at) filter (
    where o.due_at <= now() and o.state <> 'running' and o.wait_reason is distinct from 'busy')), 0)::float8 as "dueFor"
from packline.operations o where o.state not in (${TERMINAL_STATES.map((state) => `'${state}'`).join(', ')})
group by o.account_id, o.kind, o.state`;

/** Operations of one account, kind and state. */
export interface OperationCount {
  account: string;
  kind: string;
  state: string;
  count: number;
  /** For how long the oldest of them has been due, s; 0 where none is. */
  dueFor: number;
}

/** Counts the operations that are not over. */
export function countOperations(sql: Sql): Promise<OperationCount[]> {
  return sql.query<OperationCount>(OPERATIONS);
}

const LETTERS = `
select account_id as account, code, count(*)::int as count from packline.dead_letters where state = 'open' group by 1, 2`;

/** Open dead letters of one account and code. */
export interface LetterCount {
  account: string;
  code: string;
  count: number;
}

/** Counts the dead letters that wait for a person. */
export function countLetters(sql: Sql): Promise<LetterCount[]> {
  return sql.query<LetterCount>(LETTERS);
}

const ACCOUNTS = `select a.id as account, a.pause_code is not null as paused from packline.accounts a order by a.id`;

/** Whether an account is paused. */
export interface AccountPause {
  account: string;
  paused: boolean;
}

/** Every account there is. */
export function accountPauses(sql: Sql): Promise<AccountPause[]> {
  return sql.query<AccountPause>(ACCOUNTS);
}

const GATES = `
select g.account_id as account, g.verb, greatest(coalesce(extract(epoch from g.blocked_until - now()), 0), 0)::float8 as blocked,
  greatest(extract(epoch from g.next_permit_at - now()), 0)::float8 as ahead,
  case when g.seen_reset_at > now() then g.seen_remaining end as remaining, g.opened_at is not null as open
from packline.gates g`;

/** A gate, or one verb of it. */
export interface GateState {
  account: string;
  /** `*` for the whole account. */
  verb: string;
  /** How long it stays closed, s; 0 where it is open. */
  blocked: number;
  /** How far ahead its permits are given out, s; only the whole account's has a pace. */
  ahead: number;
  /** Calls that the provider says are left in its window; null where no answer said so. */
  remaining: number | null;
  /** Whether the account's breaker is open. */
  open: boolean;
}

/** Every gate there is. */
export function gateStates(sql: Sql): Promise<GateState[]> {
  return sql.query<GateState>(GATES);
}

const AUDITS = `
select substr(i.key, 7) as account, i.value->'report' as report,
  extract(epoch from now() - (i.value->>'finishedAt')::timestamptz)::float8 as age
from packline.installation i where i.key like 'audit:%'`;

/** The audits of an account. */
export interface AuditRow {
  account: string;
  /** The last one's report, as it was stored. */
  report: unknown;
  /** How long ago the last one came to its end, s; null where none did. */
  age: number | null;
}

/** What audits have left. */
export function auditRows(sql: Sql): Promise<AuditRow[]> {
  return sql.query<AuditRow>(AUDITS);
}

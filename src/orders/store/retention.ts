/**
 * What may be forgotten of orders that are over, a page at a time. Each row is judged by itself, so that nothing
 * that protects an order goes, whatever becomes of the order meanwhile.
 */
import { json, type Sql } from '../../database/connect.js';
import type { JsonObject } from '../../json.js';
import { TERMINAL_STATES } from '../states.js';

const OVER = TERMINAL_STATES.map((state) => `'${state}'`).join(', ');

/** Events of one page, and so orders of one transaction at most. */
export const PAGE = 1_000;
/** Reads of whole accounts that one transaction deletes. */
const READS = 500;

/** How often history is looked through. */
const EVERY = '24 hours';
/** A run that did not come to its end is begun anew after this. */
const AGAIN = '1 hour';

const KEY = 'retention';

const DUE = `
select 1 from (select 1) one left join packline.installation i on i.key = '${KEY}'
where coalesce((i.value->>'finishedAt')::timestamptz, '-infinity') <= now() - interval '${EVERY}'
  and coalesce((i.value->>'begunAt')::timestamptz, '-infinity') <= now() - interval '${AGAIN}'`;

/** Whether the daily run is due. */
export async function retentionDue(sql: Sql): Promise<boolean> {
  return (await sql.query(DUE)).length > 0;
}

const NOTE = `
insert into packline.installation (key, value) values ('${KEY}', jsonb_build_object($1::text, now()) || $2::jsonb)
on conflict (key) do update set value = packline.installation.value || excluded.value, updated_at = now()`;

/** Notes that the daily run has begun. */
export async function beginRetention(sql: Sql): Promise<void> {
  await sql.query(NOTE, 'begunAt', '{}');
}

/** Notes that the daily run came to its end, and what it did. */
export async function finishRetention(sql: Sql, report: JsonObject): Promise<void> {
  await sql.query(NOTE, 'finishedAt', json({ report }));
}

const TELL = `insert into packline.events (type, actor, data) values ('retention.finished', $1, $2::jsonb)`;

/** Leaves an event that says who has deleted how much. */
export async function tellRetention(sql: Sql, actor: string, report: JsonObject): Promise<void> {
  await sql.query(TELL, actor, json(report));
}

/** Rows that went, or would go. */
export interface Forgotten {
  orders: number;
  /** Rows deleted. */
  events: number;
  attempts: number;
  operations: number;
  /** Rows that stay, emptied of what only explains them. */
  excerpts: number;
}

// An order is over for as long as nothing has changed it, and none of its rows waits for anything.
const eligible = (days: string): string => `
  d.status in ('delivered', 'canceled', 'failed', 'returned') and d.attention_code is null and d.busy_op is null
  and d.updated_at < now() - ${days}::int * interval '1 day'
  and not exists (select 1 from packline.operations o where o.order_id = d.id and o.state not in (${OVER}))
  and not exists (select 1 from packline.attempts a where a.order_id = d.id and not a.repeatable and a.verdict is null)
  and not exists (
    select 1 from packline.operations o join packline.attempts a on a.operation_id = o.id
    where o.order_id = d.id and a.watch_at is not null)
  and not exists (
    select 1 from packline.operations o join packline.dead_letters l on l.operation_id = o.id
    where o.order_id = d.id and l.state = 'open')`;

/**
 * Calls that were, or may have been, accepted keep an order from being sent again, and tell a late arrival from a
 * stranger. The newest attempt of all stays too: by its id a restored database is known.
 */
const FORGETTABLE = `a.watch_at is null and not coalesce(a.verdict = 'accepted' and a.provider_order_id is not null, false)
  and (a.repeatable or a.verdict in ('refused', 'not_sent')) and a.id < (select max(n.id) from packline.attempts n)`;

/** What a read found stands in its order; every other verb stays as one row, which says that it was asked for. */
const FINISHED_READ = `o.kind = 'poll' and o.state in (${OVER})
  and not exists (select 1 from packline.dead_letters l where l.operation_id = o.id)
  and not exists (select 1 from packline.attempts a where a.operation_id = o.id and not (${FORGETTABLE}))`;

const EXPLAINED = `a.evidence is not null or a.data is not null`;

// An order is met at the first of its events, once: ids of events grow with time, so the oldest come first.
const LOOK = `
with page as materialized (
  select e.id, e.order_id, e.at < now() - $2::int * interval '1 day' as old
  from packline.events e where e.id > $1::bigint order by e.id limit ${PAGE}
)
select (select max(p.id)::text from page p) as last, (select count(*)::int from page) as events,
  coalesce((select bool_and(p.old) from page p), false) as old,
  array(
    select distinct d.id::text from page p join packline.orders d on d.id = p.order_id
    where p.old and ${eligible('$2')}
      and not exists (select 1 from packline.events f where f.order_id = p.order_id and f.id < p.id)) as orders`;

/** A page of the oldest events. */
export interface HistoryPage {
  /** Id of its last event; null where there is none. */
  last: string | null;
  events: number;
  /** All of them are old, so that the next page may hold old ones as well. */
  old: boolean;
  /** Orders that may be forgotten, each met once. */
  orders: string[];
}

/**
 * Looks at the next page of events.
 * @param after id of the last event of the page before; `0` to begin
 * @param days for how long an order has to be over
 */
export async function lookAtHistory(sql: Sql, after: string, days: number): Promise<HistoryPage> {
  const [page] = await sql.query<HistoryPage>(LOOK, after, days);
  if (page === undefined) throw new Error('a select without from returned nothing');
  return page;
}

// Operations first, then the order, as everywhere. What anybody else has locked is left for another day: nobody
// waits for a retention, and it waits for nobody.
const LOCK = `
with ops as materialized (
  select o.id from packline.operations o where o.order_id = any($1::uuid[]) order by o.id for update skip locked
)
select d.id::text as id from packline.orders d
where d.id = any($1::uuid[]) and (select count(*) from ops) >= 0 and ${eligible('$2')}
  and not exists (select 1 from packline.operations o where o.order_id = d.id and o.id not in (select x.id from ops x))
for update of d skip locked`;

const OF_ORDERS = `o.order_id = any($1::uuid[])`;
const ATTEMPTS = `packline.operations o where ${OF_ORDERS} and o.id = a.operation_id`;
// A dead submit that was given up may have left something at the provider, which its carry names.
const DETAILED = `${OF_ORDERS} and o.state in ('succeeded', 'rejected', 'canceled') and (o.params <> '{}' or o.carry <> '{}')`;

/** Deletes first, then empties what stays; each statement takes the ids of orders. */
const FORGET = {
  attempts: `with gone as (delete from packline.attempts a using ${ATTEMPTS} and ${FORGETTABLE} returning 1) select count(*)::int as n from gone`,
  operations: `with gone as (delete from packline.operations o where ${OF_ORDERS} and ${FINISHED_READ} returning 1) select count(*)::int as n from gone`,
  events: `with gone as (delete from packline.events e where e.order_id = any($1::uuid[]) returning 1) select count(*)::int as n from gone`,
  excerpts: `with bare as (update packline.attempts a set evidence = null, data = null from ${ATTEMPTS} and (${EXPLAINED}) returning 1) select count(*)::int as n from bare`,
} as const;

const EMPTY_OPERATIONS = `update packline.operations o set params = '{}', carry = '{}' where ${DETAILED}`;
// What a double was found by keeps it from being reported anew. An array leads to the index, where a join may not.
const EMPTY_LETTERS = `update packline.dead_letters l set candidates = '[]'
where l.operation_id = any(array(select o.id from packline.operations o where ${OF_ORDERS}))
  and l.state <> 'open' and l.code <> 'duplicate' and l.candidates <> '[]'`;

/** The same rows, counted. */
const COUNT = {
  attempts: `select count(*)::int as n from packline.attempts a, ${ATTEMPTS} and ${FORGETTABLE}`,
  operations: `select count(*)::int as n from packline.operations o where ${OF_ORDERS} and ${FINISHED_READ}`,
  events: `select count(*)::int as n from packline.events e where e.order_id = any($1::uuid[])`,
  excerpts: `select count(*)::int as n from packline.attempts a, ${ATTEMPTS} and (${EXPLAINED}) and not (${FORGETTABLE})`,
} as const;

async function each(sql: Sql, statements: typeof FORGET | typeof COUNT, ids: string[]): Promise<Forgotten> {
  const count = async (text: string) => (await sql.query<{ n: number }>(text, ids))[0]?.n ?? 0;
  const attempts = await count(statements.attempts);
  const operations = await count(statements.operations);
  const events = await count(statements.events);
  const excerpts = await count(statements.excerpts);
  return { orders: ids.length, attempts, operations, events, excerpts };
}

/** What forgetting these orders would come to. */
export function countForgettable(sql: Sql, orders: readonly string[]): Promise<Forgotten> {
  return each(sql, COUNT, [...orders]);
}

/**
 * Forgets what only tells the story of these orders. Orders that anybody is at work on, or that are not over any
 * more, are left out. Inside a transaction.
 * @param days for how long an order has to be over
 */
export async function forgetOrders(sql: Sql, orders: readonly string[], days: number): Promise<Forgotten> {
  const locked = await sql.query<{ id: string }>(LOCK, [...orders], days);
  const ids = locked.map(({ id }) => id);
  const forgotten = await each(sql, FORGET, ids);
  await sql.query(EMPTY_OPERATIONS, ids);
  await sql.query(EMPTY_LETTERS, ids);
  return forgotten;
}

const LOOSE = `packline.events e
where e.id > $1::bigint and e.id <= $2::bigint and e.at < now() - $3::int * interval '1 day'
  and not exists (select 1 from packline.orders d where d.id = e.order_id)`;
const FORGET_LOOSE = `with gone as (delete from ${LOOSE} returning 1) select count(*)::int as n from gone`;
const COUNT_LOOSE = `select count(*)::int as n from ${LOOSE}`;

/** Deletes, or counts, the old events of a page that are about no order. Returns how many. */
export async function forgetLooseEvents(
  sql: Sql,
  span: { after: string; last: string; days: number; dryRun: boolean },
): Promise<number> {
  const { after, last, days, dryRun } = span;
  const text = dryRun ? COUNT_LOOSE : FORGET_LOOSE;
  return (await sql.query<{ n: number }>(text, after, last, days))[0]?.n ?? 0;
}

const ACCOUNT_READS = `
select o.id::text as id from packline.operations o
where o.order_id is null and o.id > $1::bigint and o.finished_at < now() - $2::int * interval '1 day' and ${FINISHED_READ}
order by o.id limit ${READS}`;

const FORGET_READS = {
  attempts: `with gone as (delete from packline.attempts a where a.operation_id = any($1::bigint[]) and ${FORGETTABLE} returning 1) select count(*)::int as n from gone`,
  operations: `with gone as (delete from packline.operations o where o.id = any($1::bigint[]) and ${FINISHED_READ} returning 1) select count(*)::int as n from gone`,
} as const;
const COUNT_READS = `select count(*)::int as n from packline.attempts a where a.operation_id = any($1::bigint[]) and ${FORGETTABLE}`;

/** A page of reads of whole accounts, syncs and audits, that ended so many days ago. */
export async function oldAccountReads(sql: Sql, after: string, days: number): Promise<string[]> {
  return (await sql.query<{ id: string }>(ACCOUNT_READS, after, days)).map(({ id }) => id);
}

/** Deletes, or counts, reads of whole accounts with their attempts. Inside a transaction where it deletes. */
export async function forgetAccountReads(
  sql: Sql,
  operations: readonly string[],
  dryRun: boolean,
): Promise<Pick<Forgotten, 'attempts' | 'operations'>> {
  const ids = [...operations];
  const count = async (text: string) => (await sql.query<{ n: number }>(text, ids))[0]?.n ?? 0;
  if (dryRun) return { attempts: await count(COUNT_READS), operations: ids.length };
  const attempts = await count(FORGET_READS.attempts);
  return { attempts, operations: await count(FORGET_READS.operations) };
}

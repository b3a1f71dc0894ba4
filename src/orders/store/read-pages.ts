/** Which orders are to be read: a page of them, or how many there are. Changes nothing. */
import type { Sql } from '../../database/connect.js';
import type { OrderStatus } from '../order.js';

export interface ReadOrder {
  id: string;
  reference: string;
  generation: number;
  status: OrderStatus;
  rawStatus: string | null;
  providerOrderId: string;
  missingReads: number;
  /** A parcel of it is known. */
  isTracked: boolean;
  /** Since it was stored here, ms. */
  ageMs: number;
}

const FIELDS = `d.id::text as id, d.reference, d.generation, d.status, d.raw_status as "rawStatus",
  d.provider_order_id as "providerOrderId", d.missing_reads as "missingReads", d.tracking <> '[]' as "isTracked",
  extract(epoch from now() - d.created_at)::float8 * 1000 as "ageMs"`;

/** Orders that reads follow, of the account $1. */
const OPEN = `d.account_id = $1 and d.provider_order_id is not null and d.status in ('draft', 'submitted', 'in_progress', 'shipped')`;

// Branches, each of which an index serves in its order: one condition with "or" would walk all open orders per page.
const PAGE = `
with asked as materialized (
  (select d.id, 1 as turn, d.observed_at as at from packline.orders d where ${OPEN} and $2::text is not null and d.observed_at is null limit $3::int)
  union all
  (select d.id, 1, d.observed_at from packline.orders d where ${OPEN} and d.observed_at < $2::timestamptz order by d.observed_at limit $3::int)
  union all
  (select d.id, 2, d.read_due_at from packline.orders d where ${OPEN} and d.read_due_at <= now() order by d.read_due_at limit $3::int)
  union all
  (select d.id, 2, null from packline.orders d where ${OPEN} and d.read_due_at is null limit $3::int)
), soon as materialized (
  select d.id, 3 as turn, d.read_due_at as at from packline.orders d
  where ${OPEN} and d.read_due_at > now() and d.read_due_at <= now() + $4::float8 * interval '1 ms' and exists (select 1 from asked)
  order by d.read_due_at limit $3::int
), page as (
  select w.id, min(w.turn) as turn, min(w.at) as at from (select * from asked union all select * from soon) w
  group by w.id order by 2, 3 nulls first limit $3::int
)
select ${FIELDS} from page p join packline.orders d on d.id = p.id order by p.turn, p.at nulls first`;

/**
 * A page of open orders of an account that are to be read: those whose last read began before `before`, then those
 * whose read is due. Where there is any, the page is filled up with what is due soon: it costs no more.
 * @param before ISO 8601; null: only the due ones
 * @param soonMs how soon, ms; 0 fills up nothing
 */
export function pageOfReads(
  sql: Sql,
  account: string,
  before: string | null,
  size: number,
  soonMs = 0,
): Promise<ReadOrder[]> {
  return sql.query<ReadOrder>(PAGE, account, before, size, soonMs);
}

const NAMED = `select ${FIELDS} from packline.orders d where ${OPEN} and d.provider_order_id = any($2::text[])`;

/** The open orders of an account among these ids of the provider's, due or not. */
export function openOrdersNamed(
  sql: Sql,
  account: string,
  providerOrderIds: readonly string[],
): Promise<ReadOrder[]> {
  return sql.query<ReadOrder>(NAMED, account, [...providerOrderIds]);
}

const WANTED = `(d.observed_at is null or d.read_due_at is null or d.read_due_at <= now() or d.observed_at < $2::timestamptz)`;

const UNSEEN = `
select ${FIELDS} from packline.orders d
where ${OPEN} and ${WANTED} and (d.observed_at is null or d.observed_at < to_timestamp($3::float8 / 1000))
order by d.read_due_at nulls first limit $4::int`;

/** Orders that are to be read, and that no read which began at `since` (epoch ms) or later has told of. */
export function unseenReads(
  sql: Sql,
  account: string,
  before: string | null,
  since: number,
  size: number,
): Promise<ReadOrder[]> {
  return sql.query<ReadOrder>(UNSEEN, account, before, since, size);
}

const SPAN = `
select count(*)::int as count, extract(epoch from min(w.created_at))::float8 * 1000 as "oldestAt"
from (select d.created_at from packline.orders d
  where ${OPEN} and ${WANTED} and ($3::float8 is null or d.observed_at is null or d.observed_at < to_timestamp($3::float8 / 1000))
  limit $4::int) w`;

/** How many orders are to be read, and since when (epoch ms) there are such; null where there are none. */
export interface ReadSpan {
  count: number;
  oldestAt: number | null;
}

/**
 * What is to be read of an account.
 * @param unseenSince epoch ms: of that, only what no read that began then or later has told of
 * @param most counts no further
 */
export async function spanOfReads(
  sql: Sql,
  account: string,
  before: string | null,
  unseenSince: number | null = null,
  most: number | null = null,
): Promise<ReadSpan> {
  const [span] = await sql.query<ReadSpan>(SPAN, account, before, unseenSince, most);
  return span ?? { count: 0, oldestAt: null };
}

const SINGLE = `
select count(*)::int as open, (count(*) filter (where o.state in ('pending', 'queued', 'running')))::int as busy,
  (count(*) filter (where o.state <> 'waiting'))::int as moving
from packline.operations o
where o.account_id = $1 and o.kind = 'poll' and o.order_id is not null
  and o.state not in ('succeeded', 'rejected', 'dead', 'canceled')`;

/** Reads of single orders that are not over. */
export interface SingleReads {
  open: number;
  /** Those to be made now. */
  busy: number;
  /** All but those that wait for something else. */
  moving: number;
}

/** How many orders of an account are being read singly. */
export async function singleReads(sql: Sql, account: string): Promise<SingleReads> {
  const [row] = await sql.query<SingleReads>(SINGLE, account);
  return row ?? { open: 0, busy: 0, moving: 0 };
}

const REMAINING = `
select (select count(*) from packline.orders d where ${OPEN} and d.observed_at < $2::timestamptz)::int
  + (select count(*) from packline.orders d where ${OPEN} and $2::text is not null and d.observed_at is null)::int
  + (select count(*) from packline.orders d where ${OPEN} and $2::text is null and d.read_due_at <= now())::int
  + (select count(*) from packline.operations o
    where o.account_id = $1 and o.kind = 'poll' and o.order_id is not null and $2::text is not null
      and o.state not in ('succeeded', 'rejected', 'dead', 'canceled', 'waiting')
      and not exists (select 1 from packline.orders d where d.id = o.order_id and ${OPEN}
        and (d.observed_at is null or d.observed_at < $2::timestamptz)))::int as n`;

/** How many orders are still to be read: those that no page has asked for, and others that are read singly. */
export async function remainingReads(sql: Sql, account: string, before: string | null): Promise<number> {
  return (await sql.query<{ n: number }>(REMAINING, account, before))[0]?.n ?? 0;
}

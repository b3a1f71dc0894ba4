/**
 * Closing and opening an account's gate, or one verb of it. A verb that was closed for lack of funds, or outside its
 * window, is tried again by one operation once the time is over; only when that goes through do the others follow.
 */
import type { Sql } from '../database/connect.js';
import type { GateClosure } from '../policy/decide.js';

const CLOSE = `
with before as (
  select blocked_why from packline.gates where account_id = $1 and verb = $2
)
insert into packline.gates (account_id, verb, blocked_until, blocked_why, strikes)
values ($1, $2, now() + $3::float8 * interval '1 ms', $4, $5::int)
on conflict (account_id, verb) do update set
  blocked_why = case when excluded.blocked_until > coalesce(packline.gates.blocked_until, '-infinity') then excluded.blocked_why
    else packline.gates.blocked_why end,
  blocked_until = greatest(packline.gates.blocked_until, excluded.blocked_until),
  strikes = greatest(packline.gates.strikes, excluded.strikes), updated_at = now()
returning coalesce((select blocked_why from before), '') <> $4 as first`;

/**
 * Closes an account's gate, or one verb of it; never shortens a closure.
 * @param strikes closures in a row with this one, as its caller saw them: a burst of answers is one of them
 * @returns whether it was not closed for this reason before: a verb that was tried and closes again still is
 */
export async function closeGate(
  sql: Sql,
  account: string,
  closure: Omit<GateClosure, 'verb'> & { verb: string | null },
  strikes = 1,
): Promise<boolean> {
  const [row] = await sql.query<{ first: boolean }>(
    CLOSE,
    account,
    closure.verb ?? '*',
    closure.forMs,
    closure.why,
    closure.strike ? strikes : 0,
  );
  return row?.first ?? true;
}

const FORGIVE = `update packline.gates set strikes = 0, updated_at = now() where account_id = $1 and verb = '*' and strikes > 0`;

/** An answer that was no 429 came: the next backoff begins anew. */
export async function forgiveStrikes(sql: Sql, account: string): Promise<void> {
  await sql.query(FORGIVE, account);
}

const OPEN_VERB = `
with opened as (
  update packline.gates set blocked_until = null, blocked_why = null, probe_operation_id = null, seen_balance = null,
    balance_at = null, updated_at = now()
  where account_id = $1 and verb = $2 and blocked_why is not null
  returning account_id
)
select pg_notify('packline_ring', '')::text as rung from opened`;

/** The operation that tried the verb went through: whatever waits behind it rings. */
export async function openVerb(sql: Sql, account: string, verb: string): Promise<void> {
  await sql.query(OPEN_VERB, account, verb);
}

const ASK_BALANCES = `
update packline.gates g set balance_at = now()
where g.verb <> '*' and g.blocked_why = 'funds' and g.blocked_until > now()
  and (g.balance_at is null or g.balance_at <= now() - $1::float8 * interval '1 ms')
returning g.account_id as account, g.verb, g.seen_balance as seen`;

/** A verb that waits for funds, and what the balance was when it was last asked for. */
export interface ShortOfFunds {
  account: string;
  verb: string;
  /** Decimal; null where it has not been asked for. */
  seen: string | null;
}

/**
 * Verbs that wait for funds and whose account's balance is due to be asked for; each is handed out once per interval.
 * @param everyMs ms
 */
export function dueBalances(sql: Sql, everyMs: number): Promise<ShortOfFunds[]> {
  return sql.query<ShortOfFunds>(ASK_BALANCES, everyMs);
}

const SEE_BALANCE = `
with g as (
  update packline.gates set seen_balance = $3, updated_at = now(),
    blocked_until = case when $4::boolean then now() else blocked_until end
  where account_id = $1 and verb = $2 and blocked_why = 'funds'
  returning account_id
)
select case when $4::boolean then pg_notify('packline_ring', '')::text end as rung from g`;

/** Keeps what the balance is; where it has risen, an operation may try the verb now. */
export async function seeBalance(
  sql: Sql,
  { account, verb }: Pick<ShortOfFunds, 'account' | 'verb'>,
  balance: string,
  risen: boolean,
): Promise<void> {
  await sql.query(SEE_BALANCE, account, verb, balance, risen);
}

const TRY_NOW = `
with g as (
  update packline.gates set blocked_until = now(), updated_at = now()
  where account_id = $1 and verb <> '*' and blocked_why in ('funds', 'window') and blocked_until > now()
  returning 1
), o as (
  update packline.operations set due_at = now(), ring_at = now(), updated_at = now()
  where account_id = $1 and state = 'waiting' and wait_reason in ('funds', 'window', 'stock')
  returning 1
)
select pg_notify('packline_ring', '')::text as rung where exists (select from g) or exists (select from o)`;

/**
 * A human says that what was missing is there: of each closed verb one operation tries now, and so does every
 * operation that waits by itself.
 * @returns whether anything waited
 */
export async function tryNow(sql: Sql, account: string): Promise<boolean> {
  return (await sql.query(TRY_NOW, account)).length > 0;
}

/** Pauses survive restarts: they stand in the account's row, with who, why and until when. */
import type { Sql } from '../database/connect.js';

export interface Pause {
  /** `operator`, or why packline paused it by itself: `auth`, `misconfigured`, `reinstall`. */
  code: string;
  reason: string;
  by: string;
  /** ISO; null until somebody resumes. */
  until: string | null;
}

/** How often a pause for refused credentials tries one cheap read (design, "Outcome and decision"). */
const PROBE_EVERY = '15 minutes';

/**
 * A read may be allowed where what was refused is not (a missing scope, a read-only key): then a probe ends the
 * pause and the next write brings it back. Each such round doubles the time until the first probe, up to 8 hours.
 */
const MOST_DOUBLINGS = 5;

const PAUSE = `
with a as (
  update packline.accounts set pause_code = $2, pause_reason = $3, paused_by = $4, paused_at = now(), pause_until = $5::timestamptz,
    probe_at = case when $2 = 'auth' then now() + interval '${PROBE_EVERY}' * power(2, probe_no) end, updated_at = now()
  where id = $1 and pause_code is null
  returning id, probe_no
), told as (
  insert into packline.events (type, account_id, actor, data)
  select 'account.paused', id, $4, jsonb_build_object('code', $2::text, 'reason', $3::text, 'until', $5::text) from a
)
select probe_no = 0 as news, pg_notify('packline_accounts', '')::text from a`;

/**
 * Pauses an account.
 * @returns whether a human should hear of it: not where it was paused already (the first reason stays), nor where a
 *   probe had ended the pause and nothing has been accepted since
 */
export async function pauseAccount(sql: Sql, account: string, pause: Pause): Promise<boolean> {
  const [row] = await sql.query<{ news: boolean }>(
    PAUSE,
    account,
    pause.code,
    pause.reason,
    pause.by,
    pause.until,
  );
  return row?.news ?? false;
}

const RESUME = `
with a as (
  update packline.accounts set pause_code = null, pause_reason = null, paused_by = null, paused_at = null, pause_until = null,
    probe_at = null, misconfigured_orders = '{}', updated_at = now(),
    probe_no = case when $3::boolean then least(probe_no + 1, ${MOST_DOUBLINGS}) else 0 end
  where id = $1 and pause_code is not null
  returning id
), told as (
  insert into packline.events (type, account_id, actor) select 'account.resumed', id, $2 from a
)
select id, pg_notify('packline_accounts', '')::text, pg_notify('packline_ring', '')::text as rung from a`;

/**
 * Resumes an account; what waited for it rings at once. False where it was not paused.
 * @param probed a probe got through, which does not prove that writes do
 */
export async function resumeAccount(sql: Sql, account: string, by: string, probed = false): Promise<boolean> {
  return (await sql.query(RESUME, account, by, probed)).length > 0;
}

const EXPIRED = `select id from packline.accounts where pause_code is not null and pause_until <= now()`;

/** Accounts whose pause has run out. */
export async function expiredPauses(sql: Sql): Promise<string[]> {
  return (await sql.query<{ id: string }>(EXPIRED)).map(({ id }) => id);
}

const DUE_PROBES = `
update packline.accounts set probe_at = now() + interval '${PROBE_EVERY}' where pause_code = 'auth' and probe_at <= now() returning id`;

/** Accounts that are due for a probe; each is handed out once per interval. */
export async function dueProbes(sql: Sql): Promise<string[]> {
  return (await sql.query<{ id: string }>(DUE_PROBES)).map(({ id }) => id);
}

const MISCONFIGURED = `
update packline.accounts set misconfigured_orders = case
  when $2 = any(misconfigured_orders) then misconfigured_orders else array_append(misconfigured_orders, $2) end
where id = $1 returning cardinality(misconfigured_orders) as n, pg_notify('packline_accounts', '')::text as told`;

/** Counts an order that was refused as misconfigured; returns how many different ones in a row there are now. */
export async function countMisconfigured(sql: Sql, account: string, orderId: string): Promise<number> {
  return (await sql.query<{ n: number }>(MISCONFIGURED, account, orderId))[0]?.n ?? 0;
}

const PROVEN = `
update packline.accounts set misconfigured_orders = '{}', probe_no = 0
where id = $1 and (cardinality(misconfigured_orders) > 0 or probe_no > 0)`;

/** An order was taken: the row of misconfigured ones is broken, and the credentials are good for more than reads. */
export async function markProven(sql: Sql, account: string): Promise<void> {
  await sql.query(PROVEN, account);
}

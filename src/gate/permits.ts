/**
 * The row of an account's gate: slots that all processes take from one pace, slowed down by what the provider says is
 * left and by what it refused.
 *
 * The row runs the generic cell rate algorithm: permits are slots `interval` apart, at most `burst` of them at
 * once, and no window of `perMs` holds more than `requests`.
 */
import type { Sql } from '../database/connect.js';
import type { Limits } from '../providers/provider.js';

/** How far ahead slots are reserved, ms: long enough that the row is not hot, short enough that a dead process wastes little. */
const HORIZON_MS = 100;
/**
 * What of a window is not used, so that calls may leave their slots a little and no window overflows: the stalls of a
 * process and the way to the provider take as long in a short window as in a long one, clocks drift with its length.
 */
const SLACK_MS = 25;
const SLACK_SHARE = 0.005;
/** In windows shorter than the slack. */
const MOST_SLACK_SHARE = 0.05;
/** Why a gate is closed whose provider has said that nothing is left. */
const USED_UP = 'the limit is used up';
/** Good calls that a row counts at most: far more than any breaker's window asks for. */
const MOST_WELLS = 1_000_000;
/** What an integer column holds. */
const MOST_INT = 2_147_483_647;

export interface Pace {
  /** Between two slots, ms. */
  intervalMs: number;
  /** How much earlier than its slot a call may go, ms. */
  toleranceMs: number;
}

/**
 * From a documented limit to slots. Calls that stay within a span of the slack around their slots leave no window
 * above the limit; of that span one third each is for bursts, for spare permits and for being late.
 */
export function paceOf({ requests, perMs }: Pick<Limits, 'requests' | 'perMs'>): Pace {
  const slackMs = Math.min(perMs * MOST_SLACK_SHARE, SLACK_MS + perMs * SLACK_SHARE);
  return { intervalMs: (perMs + slackMs) / Math.max(1, requests), toleranceMs: slackMs / 3 };
}

/** What an answer's headers said of the window that it was counted in. */
export interface Seen {
  limit: number | null;
  remaining: number;
  /** When that window ends, epoch ms. */
  resetAt: number;
}

/** Two resets that are no further apart are of one window: most senders count whole seconds, ms. */
export const SAME_WINDOW_MS = 1_100;
/**
 * How long a share takes to grow from nothing to all, ms: each time that it meets the limit costs a refusal, so in
 * short windows it takes many of them; in long ones nobody waits for more than an hour.
 */
const recoveryMs = (perMs: number): number => Math.min(Math.max(60_000, 1_000 * perMs), 3_600_000);

// What the provider says is left can only slow the pace down: it is spread over the rest of its window, and counted down
// by what is taken until the next answer. Of several resets of one window the earliest counts, since whole seconds are
// rounded up; should the sender round them down, the worst of it is one 429.
const ACQUIRE = `
with told as (
  select $6::int as remaining, now() + $7::float8 * interval '1 ms' as reset_at, $8::int as most where $6::int is not null
), g as materialized (
  select x.account_id, x.share, x.share_at, t.most,
    greatest(extract(epoch from x.next_permit_at - now()) * 1000, 0)::float8 as ahead,
    greatest(extract(epoch from x.blocked_until - now()) * 1000, 0)::float8 as blocked,
    coalesce(greatest(extract(epoch from x.open_until - now()) * 1000, 0), 0)::float8 as shut,
    case when t.reset_at is null or (x.seen_reset_at > now() and t.reset_at < x.seen_reset_at - $9::float8 * interval '1 ms') then x.seen_remaining
      when x.seen_reset_at > now() and t.reset_at <= x.seen_reset_at + $9::float8 * interval '1 ms' then least(x.seen_remaining, t.remaining)
      else t.remaining end as remaining,
    case when t.reset_at is null or (x.seen_reset_at > now() and t.reset_at < x.seen_reset_at - $9::float8 * interval '1 ms') then x.seen_reset_at
      when x.seen_reset_at > now() and t.reset_at <= x.seen_reset_at + $9::float8 * interval '1 ms' then least(x.seen_reset_at, t.reset_at)
      else t.reset_at end as reset_at
  from packline.gates x left join told t on true where x.account_id = $1 and x.verb = '*' for update of x
), p as (
  select g.*, coalesce(g.reset_at > now() and g.remaining is not null, false) as seen,
    greatest(extract(epoch from g.reset_at - now()) * 1000, 0)::float8 as reset_ms,
    least(1, g.share + greatest(0, extract(epoch from now() - g.share_at)) * 1000 / $10::float8)::float8 as part
  from g
), q as (
  select p.*, greatest($5::float8 / p.part, case when p.seen and p.remaining > 0 then p.reset_ms / p.remaining else 0 end)::float8 as every,
    greatest(coalesce(p.blocked, 0), case when p.seen and p.remaining <= 0 then p.reset_ms else 0 end)::float8 as closed
  from p
), n as (
  select q.*, case when q.closed > 0 then 0 else greatest(0, least(case when q.shut > 0 then $11::int else $2::int end, case when q.seen then q.remaining else $2::int end,
    floor(($3::float8 + $4::float8 - q.ahead) / q.every)::int + 1)) end as granted from q
), taken as (
  update packline.gates x set next_permit_at = case when n.granted > 0 then now() + (n.ahead + n.granted * n.every) * interval '1 ms'
      else x.next_permit_at end,
    seen_limit = coalesce(n.most, x.seen_limit), seen_reset_at = n.reset_at,
    seen_remaining = case when n.seen then greatest(0, n.remaining - n.granted) else n.remaining end,
    blocked_why = case when n.closed > coalesce(n.blocked, 0) then '${USED_UP}' else x.blocked_why end,
    blocked_until = case when n.closed > coalesce(n.blocked, 0) then n.reset_at else x.blocked_until end,
    wells = case when n.granted > 0 and x.opened_at is null then least(x.wells + $12::int, ${MOST_WELLS}) else x.wells end
  from n where x.account_id = n.account_id and x.verb = '*' and (n.granted > 0 or $6::int is not null or n.closed > coalesce(n.blocked, 0))
)
select granted, ahead, closed as blocked, shut, every,
  (extract(epoch from now()) * 1000 + ahead + granted * every)::float8 as next from n`;

/** What was taken of an account's pace. */
export interface Taken {
  granted: number;
  /** Until the first slot, ms; negative: now. */
  firstMs: number;
  /** From slot to slot, ms. */
  everyMs: number;
  /** How long the gate stays closed, ms. */
  blockedMs: number;
  /** How long the breaker lets nothing through but what passes it, ms. */
  shutMs: number;
  /** The slot after the last one, epoch ms of the database. */
  nextAt: number;
}

interface Row {
  granted: number;
  ahead: number;
  blocked: number;
  shut: number;
  every: number;
  next: number;
}

/** What permits are taken by. */
export interface Taking {
  pace: Pace;
  perMs: number;
  /** What answers have said since the last time; null where they said nothing. */
  seen: Seen | null;
  /** Epoch ms. */
  now: number;
  /** How many of those asked for pass an open breaker; none where it is left out. */
  passing?: number;
  /** Calls that went well since the last time: the row counts them where any permit is granted. */
  wells?: number;
}

/** Takes up to `asked` permits of an account. */
export async function takePermits(
  sql: Sql,
  account: string,
  asked: number,
  { pace, perMs, seen, now, passing = 0, wells = 0 }: Taking,
): Promise<Taken> {
  const [row] = await sql.query<Row>(
    ACQUIRE,
    account,
    asked,
    HORIZON_MS,
    pace.toleranceMs,
    pace.intervalMs,
    seen === null ? null : Math.min(seen.remaining, MOST_INT),
    seen === null ? null : Math.max(0, seen.resetAt - now),
    seen?.limit === null || seen === null ? null : Math.min(seen.limit, MOST_INT),
    SAME_WINDOW_MS,
    recoveryMs(perMs),
    passing,
    wells,
  );
  if (row === undefined) throw new Error(`account ${account} has no gate`);
  return {
    granted: row.granted,
    firstMs: row.ahead - pace.toleranceMs,
    everyMs: row.every,
    blockedMs: row.blocked,
    shutMs: row.shut,
    nextAt: row.next,
  };
}

// Only the newest slots: those that others have taken since would come twice.
const GIVE_BACK = `
update packline.gates set next_permit_at = next_permit_at - $3::float8 * interval '1 ms',
  seen_remaining = case when seen_reset_at > now() then seen_remaining + $4::int else seen_remaining end
where account_id = $1 and verb = '*' and abs(extract(epoch from next_permit_at) * 1000 - $2::float8) < 0.01`;

/** Gives back permits that nobody wanted, where nobody has taken any since. */
export async function giveBack(
  sql: Sql,
  account: string,
  { nextAt, everyMs }: Pick<Taken, 'nextAt' | 'everyMs'>,
  count: number,
): Promise<void> {
  await sql.query(GIVE_BACK, account, nextAt, count * everyMs, count);
}

/** What part of the share a refusal leaves, and the least that is ever left. */
const CUT = 0.92;
const LEAST_SHARE = 0.05;

const CUT_SHARE = `
update packline.gates set share = greatest($3::float8, $4::float8 * least(1, share + greatest(0, extract(epoch from now() - share_at)) * 1000 / $2::float8)),
  share_at = now()
where account_id = $1 and verb = '*' and share_at < now() - $5::float8 * interval '1 ms'`;

/** Refusals that come within this are one: all calls under way get them, ms. */
const ONE_REFUSAL_MS = 1_000;

/** The limit was met although the pace was kept: others use the same key, or it is lower than documented. */
export async function cutShare(sql: Sql, account: string, perMs: number): Promise<void> {
  await sql.query(CUT_SHARE, account, recoveryMs(perMs), LEAST_SHARE, CUT, ONE_REFUSAL_MS);
}

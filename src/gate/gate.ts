/**
 * An account's shared permission to call. The pace stands in one row per account, so that all processes keep
 * one limit; each process takes permits in small chunks and hands them to its own calls in order of urgency.
 *
 * The row runs the generic cell rate algorithm: permits are slots `interval` apart, at most `burst` of them at
 * once, and no window of `perMs` holds more than `requests`.
 */
import type { Sql } from '../database/connect.js';
import type { Limits } from '../providers/provider.js';
import type { Time } from '../time.js';

/** How far ahead slots are reserved, ms: long enough that the row is not hot, short enough that a dead process wastes little. */
const HORIZON_MS = 100;
/** Part of a limit that is not used, so that calls may leave their slots a little and no window overflows. */
const SLACK_SHARE = 0.05;
/** A gate that opens within this is waited for on the spot, ms; a longer closure sends the jobs back. */
const SHORT_WAIT_MS = 5_000;
/** Accounts faster than a call per this many ms take permits ahead of need, so that the row is not asked at every turn. */
const FAST_MS = 1;
/** How far ahead, and how long such permits keep, ms at most; never longer than the pace tolerates. */
const SPARE_MS = 20;
const MOST_SPARE = 1_000;
/** Every so many permits go to the oldest due, so that nothing starves (design, "Queue"). */
const OLDEST_EVERY = 5;

export interface Asking {
  /** Lower is more urgent. */
  priority: number;
  /** Since when it is due, epoch ms. */
  dueAt: number;
  signal?: AbortSignal;
}

export type Permit = { granted: true } | { granted: false; retryMs: number };

export interface Gate {
  acquire(asking: Asking): Promise<Permit>;
}

export interface Pace {
  /** Between two slots, ms. */
  intervalMs: number;
  /** How much earlier than its slot a call may go, ms. */
  toleranceMs: number;
}

/**
 * From a documented limit to slots. Calls that stay within a span of `perMs * SLACK_SHARE` around their slots leave
 * no window above the limit; of that span one third each is for bursts, for spare permits and for being late.
 */
export function paceOf({ requests, perMs }: Pick<Limits, 'requests' | 'perMs'>): Pace {
  const slackMs = perMs * SLACK_SHARE;
  return { intervalMs: (perMs + slackMs) / Math.max(1, requests), toleranceMs: slackMs / 3 };
}

const ACQUIRE = `
with g as materialized (
  select account_id, greatest(extract(epoch from next_permit_at - now()) * 1000, 0)::float8 as ahead,
    greatest(extract(epoch from blocked_until - now()) * 1000, 0)::float8 as blocked
  from packline.gates where account_id = $1 and verb = '*' for update
), n as (
  select g.*, case when coalesce(g.blocked, 0) > 0 then 0
    else greatest(0, least($2::int, floor(($3::float8 + $4::float8 - g.ahead) / $5::float8)::int + 1)) end as granted from g
), taken as (
  update packline.gates x set next_permit_at = now() + (n.ahead + n.granted * $5::float8) * interval '1 ms'
  from n where x.account_id = n.account_id and x.verb = '*' and n.granted > 0
)
select granted, ahead, coalesce(blocked, 0) as blocked from n`;

/**
 * Takes up to `asked` permits of an account.
 * @returns how many, in how many ms the first slot is (negative: now), and how long the gate stays closed
 */
export async function takePermits(
  sql: Sql,
  account: string,
  asked: number,
  pace: Pace,
): Promise<{ granted: number; firstMs: number; blockedMs: number }> {
  const [row] = await sql.query<{ granted: number; ahead: number; blocked: number }>(
    ACQUIRE,
    account,
    asked,
    HORIZON_MS,
    pace.toleranceMs,
    pace.intervalMs,
  );
  if (row === undefined) throw new Error(`account ${account} has no gate`);
  return { granted: row.granted, firstMs: row.ahead - pace.toleranceMs, blockedMs: row.blocked };
}

interface Waiter extends Asking {
  resolve(permit: Permit): void;
  reject(error: unknown): void;
}

/** The gate of one account in this process. `limits` is asked each time, since the accounts file may change it. */
export function createGate(options: { sql: Sql; account: string; limits(): Limits; time: Time }): Gate {
  const { sql, account, time } = options;
  const waiters = new Set<Waiter>();
  let nap = new AbortController();
  let pumping = false;
  let served = 0;
  let spare = { count: 0, until: 0 };
  /** When the next call would be due, had those of this process kept their distance: monotonic ms. */
  let paced = 0;

  const pick = (): Waiter | undefined => {
    served += 1;
    const all = [...waiters];
    const byDue = (a: Waiter, b: Waiter) => a.dueAt - b.dueAt;
    const byUrgency = (a: Waiter, b: Waiter) => a.priority - b.priority || byDue(a, b);
    const order = served % OLDEST_EVERY === 0 ? byDue : byUrgency;
    return all.reduce<Waiter | undefined>(
      (best, next) => (best === undefined || order(next, best) < 0 ? next : best),
      undefined,
    );
  };

  /** Ends early when nobody waits any more, so that a process that stops is not held up. */
  const rest = async (ms: number): Promise<void> => {
    nap = new AbortController();
    await time.sleep(ms, nap.signal);
  };

  const sendBack = (retryMs: number) => {
    for (const waiter of waiters) waiter.resolve({ granted: false, retryMs });
    waiters.clear();
  };

  const serveSpare = () => {
    const pace = paceOf(options.limits());
    if (time.clock.monotonic() > spare.until) spare.count = 0;
    while (spare.count > 0 && waiters.size > 0 && tooEarlyMs(pace) <= 0) {
      spare.count -= 1;
      serveOne(pace);
    }
  };

  const pump = async (): Promise<void> => {
    for (serveSpare(); waiters.size > 0; serveSpare()) {
      const pace = paceOf(options.limits());
      const spareMs = Math.min(SPARE_MS, pace.toleranceMs);
      const ahead =
        pace.intervalMs < FAST_MS ? Math.min(Math.ceil(spareMs / pace.intervalMs), MOST_SPARE) : 0;
      const { granted, firstMs, blockedMs } = await takePermits(
        sql,
        account,
        Math.max(waiters.size, ahead),
        pace,
      );
      if (blockedMs > SHORT_WAIT_MS) {
        sendBack(blockedMs);
        return;
      }
      if (granted === 0) {
        const waitMs = Math.max(blockedMs, firstMs);
        if (waitMs > SHORT_WAIT_MS) {
          sendBack(waitMs);
          return;
        }
        await rest(Math.max(1, waitMs));
        continue;
      }
      const left = await handOut(granted, firstMs, pace);
      // A crowd of waiters may have asked for more than keeps.
      if (ahead > 0) spare = { count: Math.min(left, ahead), until: time.clock.monotonic() + spareMs };
    }
  };

  /**
   * The row keeps the pace of the slots, this the pace of what was really called: after a stall the slots that were
   * missed, called at once, would overflow a window.
   */
  const tooEarlyMs = ({ toleranceMs }: Pace): number => paced - 2 * toleranceMs - time.clock.monotonic();

  const serveOne = ({ intervalMs }: Pace): boolean => {
    const waiter = pick();
    if (waiter === undefined) return false;
    paced = Math.max(paced, time.clock.monotonic()) + intervalMs;
    waiters.delete(waiter);
    waiter.resolve({ granted: true });
    return true;
  };

  /** Hands out permits as their slots come; returns how many nobody wanted. */
  const handOut = async (granted: number, firstMs: number, pace: Pace): Promise<number> => {
    const start = time.clock.monotonic();
    for (let n = 0; n < granted; n += 1) {
      const slot = start + firstMs + n * pace.intervalMs;
      const earlyMs = () => Math.max(slot - time.clock.monotonic(), tooEarlyMs(pace));
      // Timers have a grain of one millisecond; sleeping for less would only slow the fast accounts down.
      for (let early = earlyMs(); early >= 1 && waiters.size > 0; early = earlyMs()) await rest(early);
      if (!serveOne(pace)) return granted - n;
    }
    return 0;
  };

  const start = () => {
    if (pumping) return;
    pumping = true;
    pump()
      .catch((error: unknown) => {
        for (const waiter of waiters) waiter.reject(error);
        waiters.clear();
      })
      .finally(() => {
        pumping = false;
        if (waiters.size > 0) start();
      });
  };

  return {
    acquire: (asking) =>
      new Promise((resolve, reject) => {
        if (asking.signal?.aborted) return resolve({ granted: false, retryMs: 0 });
        const waiter: Waiter = { ...asking, resolve, reject };
        const onAbort = () => {
          if (waiters.delete(waiter)) resolve({ granted: false, retryMs: 0 });
          if (waiters.size === 0) nap.abort();
        };
        asking.signal?.addEventListener('abort', onAbort, { once: true });
        waiter.resolve = (permit) => {
          asking.signal?.removeEventListener('abort', onAbort);
          resolve(permit);
        };
        waiter.reject = (error) => {
          asking.signal?.removeEventListener('abort', onAbort);
          reject(error);
        };
        waiters.add(waiter);
        // The next turn: the jobs of one turn ask together.
        setImmediate(start);
      }),
  };
}

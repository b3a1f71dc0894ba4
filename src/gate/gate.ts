/**
 * An account's shared permission to call. The pace stands in one row per account, so that all processes keep
 * one limit; each process takes permits in small chunks and hands them to its own calls in order of urgency.
 * While the account's breaker is open, only those calls get any that pass it.
 */
import type { Sql } from '../database/connect.js';
import type { Limits } from '../providers/provider.js';
import type { Time } from '../time.js';
import type { Sign } from './breaker.js';
import { type BreakerWatch, createCounter } from './counter.js';
import {
  giveBack,
  type Pace,
  paceOf,
  SAME_WINDOW_MS,
  type Seen,
  type Taken,
  takePermits,
} from './permits.js';

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
  /** Goes through an open breaker, as lookups and cancels do. */
  passes?: boolean;
  signal?: AbortSignal;
}

export type Permit = { granted: true } | { granted: false; retryMs: number };

export interface Gate {
  acquire(asking: Asking): Promise<Permit>;
  /** An answer said what is left; it counts from the next permit on. */
  see(seen: Seen): void;
  /**
   * Counts what a call says of the provider's health. Never rejects: the call's own evidence matters more than this.
   * @param probe the operation, where its call was the one that tries for an open breaker
   */
  count(sign: Sign, probe: string | null): Promise<void>;
}

interface Waiter extends Asking {
  resolve(permit: Permit): void;
  reject(error: unknown): void;
}

export interface GateOptions {
  sql: Sql;
  account: string;
  /** Asked each time, since the accounts file may change it; so is what `watch` has. */
  limits(): Limits;
  /** Watches over the provider's health; nothing is counted without it. */
  watch?: BreakerWatch;
  time: Time;
}

/** The gate of one account in this process. */
export function createGate(options: GateOptions): Gate {
  const { sql, account, time } = options;
  const counter = options.watch === undefined ? null : createCounter(sql, account, options.watch);
  const waiters = new Set<Waiter>();
  let nap = new AbortController();
  let pumping = false;
  let served = 0;
  let spare = { count: 0, until: 0 };
  /** When the next call would be due, had those of this process kept their distance: monotonic ms. */
  let paced = 0;
  /** Not told yet. */
  let seen: Seen | null = null;

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

  const sendBack = (retryMs: number, whom: (waiter: Waiter) => boolean = () => true) => {
    for (const waiter of [...waiters].filter(whom)) {
      waiters.delete(waiter);
      waiter.resolve({ granted: false, retryMs });
    }
  };

  const serveSpare = () => {
    const pace = paceOf(options.limits());
    if (time.clock.monotonic() > spare.until) spare.count = 0;
    while (spare.count > 0 && waiters.size > 0 && tooEarlyMs(pace) <= 0) {
      spare.count -= 1;
      serveOne(pace);
    }
  };

  /** `none`: waited instead. `closed`: all who waited were sent back. */
  const take = async (pace: Pace, asked: number): Promise<Taken | 'none' | 'closed'> => {
    const { perMs } = options.limits();
    const told = seen;
    seen = null;
    const passing = [...waiters].filter(({ passes }) => passes === true).length;
    const wells = counter?.takeWells() ?? 0;
    const about = { pace, perMs, seen: told, now: time.clock.now(), passing, wells };
    const taken = await takePermits(sql, account, asked, about);
    if (taken.granted === 0) counter?.giveBack(wells);
    if (taken.shutMs > 0) sendBack(taken.shutMs, ({ passes }) => passes !== true);
    if (taken.granted > 0) return taken;
    if (waiters.size === 0) return 'closed';
    const waitMs = Math.max(taken.blockedMs, taken.firstMs);
    if (waitMs > SHORT_WAIT_MS) {
      sendBack(waitMs);
      return 'closed';
    }
    await rest(Math.max(1, waitMs));
    return 'none';
  };

  const pump = async (): Promise<void> => {
    for (serveSpare(); waiters.size > 0; serveSpare()) {
      const pace = paceOf(options.limits());
      const spareMs = Math.min(SPARE_MS, pace.toleranceMs);
      const ahead =
        pace.intervalMs < FAST_MS ? Math.min(Math.ceil(spareMs / pace.intervalMs), MOST_SPARE) : 0;
      const taken = await take(pace, Math.max(waiters.size, ahead));
      if (taken === 'closed') return;
      if (taken === 'none') continue;
      const left = await handOut(taken, pace);
      // A crowd of waiters may have asked for more than keeps.
      const kept = Math.min(left, ahead);
      if (kept > 0) spare = { count: kept, until: time.clock.monotonic() + spareMs };
      if (left > kept) await giveBack(sql, account, taken, left - kept);
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
  const handOut = async ({ granted, firstMs, everyMs }: Taken, { toleranceMs }: Pace): Promise<number> => {
    const pace = { intervalMs: everyMs, toleranceMs };
    const start = time.clock.monotonic();
    for (let n = 0; n < granted; n += 1) {
      const slot = start + firstMs + n * everyMs;
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
    see: (now) => {
      // Answers overtake each other: of one window the least is true, of two the later one.
      const sameWindow = seen !== null && Math.abs(seen.resetAt - now.resetAt) <= SAME_WINDOW_MS;
      if (seen === null || (!sameWindow && now.resetAt > seen.resetAt)) seen = now;
      else if (sameWindow)
        seen = {
          limit: now.limit,
          remaining: Math.min(seen.remaining, now.remaining),
          resetAt: Math.min(seen.resetAt, now.resetAt),
        };
    },
    count: async (sign, probe) => counter?.count(sign, probe),
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

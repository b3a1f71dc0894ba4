/** How long to wait before the next attempt when the provider named no time. Pure. */
import type { Random } from '../time.js';

/** A capped exponential backoff with jitter; all times in whole milliseconds, 0 or more. */
export interface Backoff {
  /** The longest wait after the first failed attempt, before cap and floor. */
  baseMs: number;
  /** The growing wait stops here. */
  capMs: number;
  /** No wait is shorter than this, whatever the cap: a documented minimum outranks our own ceiling. */
  floorMs: number;
  /** By what the wait grows from one attempt to the next; 2 if absent. */
  factor?: number;
  /**
   * `full`: anywhere between 0 and the grown wait, for 5xx and for what was not sent; it spreads callers
   * best. `equal`: the upper half only, for a 429 that names no time, where coming back almost at once
   * would draw the next 429 (standards document, "Backoff").
   */
  jitter: 'full' | 'equal';
}

/** The waits that are possible after one failed attempt, both ends included. */
export interface ScheduleRow {
  /** The attempt that failed, counted from 1. */
  attempt: number;
  minMs: number;
  maxMs: number;
}

/**
 * The wait after a failed attempt.
 *
 * @param attempt the attempt that just failed, counted from 1; any size
 * @returns whole milliseconds, at least `floorMs` and at most the larger of `capMs` and `floorMs`
 */
export function backoffDelay(backoff: Backoff, attempt: number, random: Random): number {
  const grownMs = grownWait(backoff, attempt);
  return Math.max(Math.ceil(backoff.floorMs), Math.floor(jittered(grownMs, backoff.jitter, random)));
}

/**
 * The waits after the attempts 1 to `attempts`, for printing a policy. A budget of n attempts has n - 1
 * waits: nothing follows the last one.
 */
export function describeSchedule(backoff: Backoff, attempts: number): ScheduleRow[] {
  return Array.from({ length: attempts }, (_, index) => ({
    attempt: index + 1,
    minMs: backoffDelay(backoff, index + 1, () => 0),
    // Random numbers stay below 1, so this end is approached rather than drawn.
    maxMs: backoffDelay(backoff, index + 1, () => 1),
  }));
}

function grownWait({ baseMs, capMs, factor = 2 }: Backoff, attempt: number): number {
  // 0 times the infinity that a high attempt grows to would be NaN.
  if (baseMs === 0) return 0;
  return Math.min(baseMs * factor ** (attempt - 1), capMs, Number.MAX_SAFE_INTEGER);
}

function jittered(grownMs: number, jitter: Backoff['jitter'], random: Random): number {
  switch (jitter) {
    case 'full':
      return random() * grownMs;
    case 'equal':
      return grownMs / 2 + (random() * grownMs) / 2;
    default: {
      const unhandled: never = jitter;
      return unhandled;
    }
  }
}

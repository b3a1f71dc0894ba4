/**
 * The time of a plan. It stands still while a strike waits for its turn: on a slow machine the run takes longer, and
 * orders still come in until the last strike.
 */
import type { Clock } from '../time.js';

export interface PlanTime {
  /** Ms since the first order, less the time that it stood still. */
  now(): number;
  /** It is `atMs` now, and goes on until `untilMs` at most. */
  set(atMs: number, untilMs: number): void;
}

/** A plan's time, at 0 and not going on yet. */
export function planTime(clock: Clock): PlanTime {
  let at = 0;
  let until = 0;
  let since = clock.monotonic();
  return {
    now: () => Math.min(at + clock.monotonic() - since, until),
    set(atMs, untilMs) {
      at = atMs;
      until = untilMs;
      since = clock.monotonic();
    },
  };
}

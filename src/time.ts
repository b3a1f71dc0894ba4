/**
 * Time and chance, as things that are passed in: whoever needs the clock, a pause or a random number
 * takes it as a parameter, so that a test can hold it still. Only this file touches the real ones.
 */

/** The wall clock and a monotonic clock, both in milliseconds. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back. For durations and deadlines. */
  monotonic(): number;
}

/** A number in [0, 1), as `Math.random` gives. */
export type Random = () => number;

/** Resolves after `ms` milliseconds, or at once when `signal` aborts; never rejects. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** Everything time-like that a component may need. */
export interface Time {
  clock: Clock;
  random: Random;
  sleep: Sleep;
}

// Node fires a timer above 2^31 - 1 ms at once instead of waiting (Node.js documentation, "setTimeout").
const LONGEST_TIMER_MS = 2_147_483_647;

const sleep: Sleep = (ms, signal) =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    signal?.addEventListener('abort', done, { once: true });
  });

/** The machine's own time. */
export const systemTime: Time = {
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  random: Math.random,
  sleep,
};

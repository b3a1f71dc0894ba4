import type { Sleep, Time } from '../../src/time.js';

/** A time that stands still until it is told to go on. */
export interface FakeTime extends Time {
  /** Moves both clocks and wakes, in the order of their alarms, those whose sleep has ended. */
  advance(ms: number): void;
  /** Resolves once at least `count` sleepers are waiting: then `advance` is sure to reach them. */
  whenAsleep(count?: number): Promise<void>;
}

interface Sleeper {
  wakeAt: number;
  wake(): void;
}

// 2026-01-01T00:00:00Z: whole seconds, so that timestamps without milliseconds compare equal.
const DEFAULT_START = 1_767_225_600_000;

/** Starts at `start` (milliseconds since the epoch); its random numbers are the same in every run. */
export function fakeTime(start: number = DEFAULT_START): FakeTime {
  let elapsed = 0;
  let sleepers: Sleeper[] = [];
  let watchers: { count: number; tell(): void }[] = [];
  let state = 1;

  const sleep: Sleep = (ms, signal) =>
    new Promise((resolve) => {
      if (ms <= 0 || signal?.aborted) return resolve();
      const sleeper: Sleeper = { wakeAt: elapsed + ms, wake: () => resolve() };
      sleepers.push(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          resolve();
        },
        { once: true },
      );
      for (const watcher of watchers) if (sleepers.length >= watcher.count) watcher.tell();
      watchers = watchers.filter((watcher) => sleepers.length < watcher.count);
    });

  return {
    clock: { now: () => start + elapsed, monotonic: () => elapsed },
    // The constants of Numerical Recipes' linear congruential generator (modulus 2^32).
    random: () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    },
    sleep,
    advance: (ms) => {
      elapsed += ms;
      const due = sleepers.filter((sleeper) => sleeper.wakeAt <= elapsed).sort((a, b) => a.wakeAt - b.wakeAt);
      sleepers = sleepers.filter((sleeper) => sleeper.wakeAt > elapsed);
      for (const sleeper of due) sleeper.wake();
    },
    whenAsleep: (count = 1) =>
      new Promise((resolve) => {
        if (sleepers.length >= count) resolve();
        else watchers.push({ count, tell: () => resolve() });
      }),
  };
}

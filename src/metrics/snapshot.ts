/** What is read from the rows, kept for a while: however many ask, and however often, the database is asked seldom. */
import type { Clock } from '../time.js';

/** What was read. */
export interface Taken<T> {
  value: T;
  /** So much that reading takes its time: from then on an older answer is given while the next one is read. */
  large: boolean;
}

/** A reading that is kept. */
export interface Snapshot<T> {
  /**
   * The last reading, or a new one where that is too old. Calls that overlap share it.
   * @throws what the reading threw, until it succeeds
   */
  get(): Promise<Reading<T>>;
  /**
   * The last reading; null where there is none yet. A new one is begun where that is due, and not waited for.
   * @throws what the last reading threw
   */
  peek(): Reading<T> | null;
}

/** A reading and its age. */
export interface Reading<T> extends Taken<T> {
  ageMs: number;
}

/** A large reading, or one that fails, takes one part in so many of the time at most. */
const SHARE = 50;
/** What is older is not told any more, ms: who asks for the first time in a while would take it for the present. */
const OLDEST_MS = 60_000;

interface Held<T> {
  at: number;
  tookMs: number;
  end: { ok: true; taken: Taken<T> } | { ok: false; error: unknown };
}

/**
 * @param options.freshMs younger readings are told without asking again
 */
export function createSnapshot<T>(options: {
  take(): Promise<Taken<T>>;
  freshMs: number;
  clock: Clock;
}): Snapshot<T> {
  const { take, freshMs, clock } = options;
  let held: Held<T> | null = null;
  let underWay: Promise<Held<T>> | null = null;

  const run = async (): Promise<Held<T>> => {
    const at = clock.monotonic();
    let end: Held<T>['end'];
    try {
      end = { ok: true, taken: await take() };
    } catch (error) {
      end = { ok: false, error };
    }
    held = { at, tookMs: clock.monotonic() - at, end };
    underWay = null;
    return held;
  };

  /** What may be told at once, or else what is worth waiting for. */
  const look = (): { last: Held<T> } | { next: Promise<Held<T>> } => {
    const last = held;
    if (last === null) {
      underWay ??= run();
      return { next: underWay };
    }
    const ageMs = clock.monotonic() - last.at;
    // One that is small was slow by chance.
    const small = last.end.ok && !last.end.taken.large;
    const restMs = small ? freshMs : Math.max(freshMs, last.tookMs * SHARE);
    if (ageMs < restMs) return { last };
    underWay ??= run();
    const mayBeOld = last.end.ok && !small && ageMs < Math.max(OLDEST_MS, 2 * restMs);
    return mayBeOld ? { last } : { next: underWay };
  };

  const told = ({ at, end }: Held<T>): Reading<T> => {
    if (!end.ok) throw end.error;
    return { ...end.taken, ageMs: clock.monotonic() - at };
  };

  return {
    async get() {
      const seen = look();
      return told('last' in seen ? seen.last : await seen.next);
    },
    peek() {
      const seen = look();
      return 'last' in seen ? told(seen.last) : null;
    },
  };
}

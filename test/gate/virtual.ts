import type { Database, Sql, SqlValue } from '../../src/database/connect.js';
import type { Time } from '../../src/time.js';

/** A time that passes only by sleeping, in which PostgreSQL's `now()` takes part. */
export interface VirtualTime extends Time {
  /** Lets time pass. */
  pass(ms: number): void;
  /** The database, living in this time. */
  sql: Sql;
}

/** @param oversleep how many ms longer than asked a sleep takes, as on a machine that stalls */
export function virtualTime(db: Database, oversleep: () => number = () => 0): VirtualTime {
  let ms = 0;
  return {
    clock: { now: () => ms, monotonic: () => ms },
    random: () => 0.5,
    // First a turn of the event loop, so that whoever was woken goes on before time does.
    sleep: async (asked) => {
      await new Promise((resolve) => setImmediate(resolve));
      ms += asked + oversleep();
    },
    pass: (more) => {
      ms += more;
    },
    sql: {
      async query<Row>(text: string, ...values: SqlValue[]): Promise<Row[]> {
        const { rows } = await db.pool.query(
          text.replaceAll('now()', `to_timestamp(${1_000_000 + ms / 1_000})`),
          values,
        );
        return rows;
      },
    },
  };
}

/**
 * The most that any window holds: half-open windows that begin at a call, which are the fullest ones.
 *
 * @param at when the calls were, in ms, in order
 */
export function fullest(at: readonly number[], windowMs: number): number {
  let most = 0;
  for (let first = 0, next = 0; first < at.length; first += 1) {
    // PostgreSQL counts microseconds, so slots are off by parts of one.
    while (next < at.length && (at[next] ?? 0) < (at[first] ?? 0) + windowMs - 0.01) next += 1;
    most = Math.max(most, next - first);
  }
  return most;
}

/**
 * What one process counts for an account's breaker. Calls that went well cost nothing: they are added to the row
 * together with the next request for permits. Trouble is written at once, that of many calls together.
 */
import type { Sql } from '../database/connect.js';
import {
  afterProbe,
  afterTrouble,
  type BreakerSettings,
  type BreakerState,
  callsIn,
  type Sign,
  type Tally,
} from './breaker.js';
import { type BreakerChange, changeBreaker } from './breaker-row.js';

/** A breaker has opened. */
export interface Opening {
  calls: number;
  troubles: number;
  /** Epoch ms, on the database's clock. */
  until: number;
}

/** What a breaker works by, and whom it tells. */
export interface BreakerWatch {
  /** Null: this account has none. */
  settings(): BreakerSettings | null;
  /** Told once by the process that opened it, and not again where it opens in a row. */
  opened(opening: Opening): void;
  /** Something could not be counted. */
  onError(error: unknown): void;
}

export interface Counter {
  /** Hands over the calls that went well and are not in the row yet. */
  takeWells(): number;
  /** So many of them did not get there. */
  giveBack(wells: number): void;
  /** @param probe the operation whose call tried; null for all other calls */
  count(sign: Sign, probe: string | null): Promise<void>;
}

/** Counts for one account in this process. */
export function createCounter(sql: Sql, account: string, watch: BreakerWatch): Counter {
  let wells = 0;
  let troubles = 0;
  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;

  const change = async (
    work: (state: BreakerState, now: number, settings: BreakerSettings) => BreakerState,
  ): Promise<void> => {
    const settings = watch.settings();
    if (settings === null) return;
    try {
      const done = await changeBreaker(sql, account, 'packline', (state, now) => work(state, now, settings));
      if (done !== null) tell(done);
    } catch (error) {
      watch.onError(error);
    }
  };

  const tell = ({ before, after }: BreakerChange): void => {
    if (before.kind === 'open' || after.kind === 'closed' || after.openings > 1) return;
    watch.opened({ ...callsIn(after.window), until: after.until });
  };

  const writeTrouble = async (): Promise<void> => {
    next = null;
    const seen: Tally = { wells, troubles };
    wells = 0;
    troubles = 0;
    await change((state, now, settings) => afterTrouble(state, seen, now, settings));
  };

  /** What comes while one statement is under way goes along with the next. */
  const flush = (): Promise<void> => {
    if (next === null) {
      next = writing.then(writeTrouble);
      writing = next;
    }
    return next;
  };

  return {
    takeWells() {
      const taken = wells;
      wells = 0;
      return taken;
    },
    giveBack(count) {
      wells += count;
    },
    async count(sign, probe) {
      if (probe !== null)
        return change((state, now, settings) => afterProbe(state, probe, sign, now, settings));
      if (sign === 'well') wells += 1;
      if (sign === 'trouble') {
        troubles += 1;
        await flush();
      }
    },
  };
}

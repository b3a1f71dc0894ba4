/** The hot path's statements, grouped: concurrent jobs of one process claim and settle together. */
import type { Database } from '../database/connect.js';
import { sqlState } from '../database/connect.js';
import { isUnavailable } from '../database/unavailable.js';
import type { Meter } from '../metrics/meter.js';
import { type ClaimRequest, type ClaimResult, claimOperations } from '../orders/store/claim.js';
import { applyReads, type ReadEffect } from '../orders/store/reads.js';
import { type Settled, type Settlement, settleAttempts } from '../orders/store/settle.js';
import type { Time } from '../time.js';
import { createBatcher } from './batcher.js';

/** Rows of one statement at most (measured: beyond some hundreds a larger batch gains nothing). */
const MAX_BATCH = 200;
/** Statements of a kind under way at once: one runs while the next one fills. */
const IN_FLIGHT = 2;

export interface HotPath {
  claim(request: ClaimRequest): Promise<ClaimResult>;
  settle(settlement: Settlement): Promise<Settled>;
  /** A page of reads is a batch by itself. Returns the ids of the orders that took their change. */
  applyReads(effects: readonly ReadEffect[]): Promise<string[]>;
}

export interface HotPathOptions {
  db: Database;
  /** The presence key of this process. */
  owner(): number;
  presenceClass: number;
  time: Time;
  /** Counts what is done. */
  meter?: Meter;
}

export function createHotPath({ db, owner, presenceClass, time, meter }: HotPathOptions): HotPath {
  const claims = createBatcher<ClaimRequest, ClaimResult>({
    max: MAX_BATCH,
    inFlight: IN_FLIGHT,
    run: async (requests) => {
      // Two bells of one operation may ring together; the second one finds it taken. What was prepared last counts.
      const byFence = [...requests].sort((a, b) => (a.fence ?? 0) - (b.fence ?? 0));
      const unique = [...new Map(byFence.map((request) => [request.operationId, request])).values()];
      const results = await again(() => claimOperations(db, unique, owner(), presenceClass), time);
      const byId = new Map(
        results.map((result) => [result.ok ? result.claim.operationId : result.operationId, result]),
      );
      return requests.map(({ operationId }) => {
        const result = byId.get(operationId);
        if (result === undefined) throw new Error(`operation ${operationId} was neither claimed nor refused`);
        byId.set(operationId, { ok: false, operationId, refusal: 'not_due' });
        return result;
      });
    },
  });
  const settles = createBatcher<Settlement, Settled>({
    max: MAX_BATCH,
    inFlight: IN_FLIGHT,
    run: async (settlements) => {
      const results = await patiently(() => settleAttempts(db, settlements), time);
      const byAttempt = new Map(results.map((result) => [result.attemptId, result]));
      return settlements.map(({ attemptId }) => {
        const result = byAttempt.get(attemptId);
        if (result === undefined) throw new Error(`attempt ${attemptId} was not settled`);
        return result;
      });
    },
  });
  return {
    async claim(request) {
      const result = await claims.submit(request);
      meter?.claimed(result.ok ? 'claimed' : result.refusal);
      return result;
    },
    async settle(settlement) {
      const settled = await settles.submit(settlement);
      meter?.settled(settlement.transition.state, settled.applied);
      return settled;
    },
    applyReads: (effects) => patiently(() => applyReads(db, effects), time),
  };
}

/** Deadlock and serialisation failures roll a statement back whole, and these statements are safe to repeat. */
const REPEATABLE = new Set(['40P01', '40001']);
const TRIES = 5;

async function again<T>(work: () => Promise<T>, { sleep, random }: Time): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await work();
    } catch (error) {
      const state = sqlState(error);
      if (state === null || !REPEATABLE.has(state) || tried >= TRIES) throw error;
      await sleep(random() * 10 * tried);
    }
  }
}

/** What a provider answered is not given up while the database restarts: longer than that takes, ms. */
const PATIENCE_MS = 60_000;
const TROUBLE_MS = 500;

/** Evidence is written as soon as the database answers again; it counts even after the lease has ended. */
async function patiently<T>(work: () => Promise<T>, time: Time): Promise<T> {
  const until = time.clock.monotonic() + PATIENCE_MS;
  for (;;) {
    try {
      return await again(work, time);
    } catch (error) {
      if (!isUnavailable(error) || time.clock.monotonic() >= until) throw error;
      await time.sleep(TROUBLE_MS);
    }
  }
}

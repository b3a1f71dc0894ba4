/**
 * The dispatcher: marks what is due and rings the queue for it. A plain loop, woken by hints and backed by a
 * poll; several may run at once. The backlog stays in PostgreSQL, the queue short.
 */
import type { Logger } from 'pino';
import type { AccountCache, CachedAccount } from './accounts/cache.js';
import type { Sql } from './database/connect.js';
import { forgetBoard } from './maintenance/board.js';
import { type HighWater, type RungOperation, ringAllAgain, ringDue } from './orders/store/dispatch.js';
import { jobOptions } from './policy/job-options.js';
import { type QueueBackend, queueName } from './queue/backend.js';
import { compareHistories } from './queue/history.js';
import type { Time } from './time.js';

export interface DispatcherDeps {
  db: Sql;
  accounts: AccountCache;
  queue: QueueBackend;
  time: Time;
  log: Logger;
}

/** Without a hint the table is read this often, ms: what bounds the lateness of a wait or a step that nobody hints at. */
const POLL_MS = 100;
/** After a failure of database or queue, ms. */
const TROUBLE_MS = 1_000;
/** How often the queue's epoch is looked at, ms (design, "Queue"). */
const EPOCH_MS = 2_000;
/** A bell that nobody answered rings again after this at the earliest, ms (design, "Queue"). */
const AGAIN_MS = 30_000;
/** Seconds of an account's rate that the queue holds beside twice its concurrency (contract, "Numbers"). */
const HIGH_WATER_SECONDS = 2;

/** How much of an account's work the queue may hold, from its limits. */
export function highWater({ id, limits }: Pick<CachedAccount, 'id' | 'limits'>): HighWater {
  const perSecond = (limits.requests / limits.perMs) * 1_000;
  const jobs = Math.ceil(2 * limits.concurrency + HIGH_WATER_SECONDS * perSecond);
  return { account: id, jobs, againMs: Math.max(AGAIN_MS, Math.ceil((3 * jobs * 1_000) / perSecond)) };
}

/** Marks and rings once. Returns how many bells. */
export async function dispatchOnce({ db, accounts, queue, time }: DispatcherDeps): Promise<number> {
  const open = accounts.all();
  if (open.length === 0) return 0;
  const rung = await ringDue(db, open.map(highWater), time.random());
  const ring = async ([account, operations]: [string, RungOperation[]]): Promise<void> => {
    const policy = accounts.get(account)?.policy;
    if (policy === undefined) return;
    await queue.add(
      queueName(account),
      operations.map((operation) => ({
        name: operation.kind,
        data: { v: 1, operationId: operation.id },
        opts: jobOptions({ ...operation, operationId: operation.id }, policy, queue.kind),
      })),
    );
  };
  // One account's queue that cannot be rung keeps no other waiting.
  const ends = await Promise.allSettled([...groupBy(rung)].map(ring));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return rung.length;
}

function groupBy(rung: readonly RungOperation[]): Map<string, RungOperation[]> {
  const groups = new Map<string, RungOperation[]>();
  for (const operation of rung) {
    const group = groups.get(operation.account);
    if (group === undefined) groups.set(operation.account, [operation]);
    else group.push(operation);
  }
  return groups;
}

/** Where the queue has lost what it held, everything rings again. Returns how many, or null where it has not. */
export async function repairEpoch({
  db,
  queue,
  log,
}: Pick<DispatcherDeps, 'db' | 'queue' | 'log'>): Promise<number | null> {
  if (!(await queue.wasEmptied())) return null;
  const again = await ringAllAgain(db);
  await forgetBoard(db);
  await queue.markFilled();
  log.warn(
    { event: 'queue.refilled', operations: again },
    'the queue was empty of its epoch: what it held rings again',
  );
  return again;
}

export interface Dispatcher {
  /** Something is due: look now. */
  wake(): void;
  stop(): Promise<void>;
}

/** Runs until stopped. */
export function startDispatcher(deps: DispatcherDeps): Dispatcher {
  const { time, log } = deps;
  const stop = new AbortController();
  let nap = new AbortController();
  let woken = false;
  let nextEpoch = 0;

  const runOnce = async (): Promise<number> => {
    if (time.clock.monotonic() >= nextEpoch) {
      await repairEpoch(deps);
      await compareHistories(deps);
      nextEpoch = time.clock.monotonic() + EPOCH_MS;
    }
    return dispatchOnce(deps);
  };

  const rest = async (ms: number): Promise<void> => {
    if (woken || stop.signal.aborted) return;
    nap = new AbortController();
    await time.sleep(ms, nap.signal);
  };

  const loop = (async () => {
    while (!stop.signal.aborted) {
      woken = false;
      try {
        const count = await runOnce();
        // Full hands: look again at once. Else until the next poll, or a hint.
        if (count === 0) await rest(POLL_MS);
      } catch (error) {
        log.error(
          { event: 'dispatcher.trouble', err: error },
          'the dispatcher could not ring; it goes on trying',
        );
        // Hints do not shorten this: under load each of them would be another failure.
        await time.sleep(TROUBLE_MS, stop.signal);
      }
    }
  })();

  return {
    wake() {
      woken = true;
      nap.abort();
    },
    async stop() {
      stop.abort();
      nap.abort();
      await loop;
    },
  };
}

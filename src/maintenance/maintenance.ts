/**
 * Maintenance: plain loops. Every process of this role recovers what others left behind; the leader also keeps
 * the schedules, the dead-letter board, expired pauses and probes.
 */
import type { Logger } from 'pino';
import type { AccountCache } from '../accounts/cache.js';
import { dueProbes, expiredPauses, resumeAccount } from '../accounts/pause.js';
import type { Database } from '../database/connect.js';
import { identityTrouble } from '../database/identity.js';
import { alert } from '../events/alerts.js';
import { startSync } from '../orders/store/reads.js';
import { freeOrders, recoverLost } from '../orders/store/recover.js';
import { type QueueBackend, SCHEDULE_QUEUE } from '../queue/backend.js';
import type { Time } from '../time.js';
import { auditDue } from './audit.js';
import { mirrorLetters } from './board.js';
import { watchBalances } from './funds.js';
import { invariantWatch } from './invariants.js';
import { seekLeadership } from './leader.js';
import { retainDaily } from './retention.js';
import { type WatchDeps, watchAbsent } from './watch.js';

export interface MaintenanceDeps {
  db: Database;
  queue: QueueBackend;
  accounts: AccountCache;
  time: Time;
  log: Logger;
  presenceClass: number;
  /** Something is due now. */
  hint(): void;
  /** One cheap read with an account's credentials: true where they are taken. */
  probe(account: string): Promise<boolean>;
  /** What the watch over absent calls needs beside the rest. */
  watch: Pick<WatchDeps, 'http' | 'key' | 'tell' | 'meter'>;
  /** The account's balance; null where the provider tells none, or did not answer. */
  readBalance(account: string): Promise<string | null>;
  /** For how many days history is kept; 0: for ever. */
  retentionDays: number;
}

/** Lost operations are looked for this often, ms: a dead worker's orders go on within seconds. */
const RECOVER_MS = 1_000;
const BOARD_MS = 1_000;
const PAUSES_MS = 5_000;
/** A flush cannot remove for longer what repairs it (design, "Maintenance"). */
const SCHEDULES_MS = 30_000;
/** How often accounts are looked for whose daily audit is due, ms. */
const AUDITS_MS = 60_000;
/** How often it is asked whether the daily retention is due, ms. */
const RETENTION_MS = 60_000;
/** How often the rows are checked against each other, ms. */
const INVARIANTS_MS = 5 * 60_000;
/** How often open orders whose read is due are looked for, ms. */
const SYNC_EVERY_MS = 30_000;

interface Task {
  name: string;
  everyMs: number;
  leaderOnly: boolean;
  /** The first time comes `everyMs` after the start. */
  waits?: true;
  run(): Promise<void>;
}

export interface Maintenance {
  stop(): Promise<void>;
}

export function startMaintenance(deps: MaintenanceDeps): Maintenance {
  const { db, log, time, queue } = deps;
  const stop = new AbortController();
  const onError = (error: Error) =>
    log.warn({ event: 'maintenance.connection', err: error }, 'the leader connection is in trouble');
  const leadership = seekLeadership({ url: db.url, time, onError });

  const tasks: Task[] = [
    { name: 'recover', everyMs: RECOVER_MS, leaderOnly: false, run: () => recover(deps) },
    {
      name: 'board',
      everyMs: BOARD_MS,
      leaderOnly: true,
      run: async () => void (await mirrorLetters(db, queue)),
    },
    { name: 'pauses', everyMs: PAUSES_MS, leaderOnly: true, run: () => pauses(deps) },
    {
      name: 'watch',
      everyMs: PAUSES_MS,
      leaderOnly: true,
      run: async () => {
        if (await watchAbsent({ ...deps, ...deps.watch })) deps.hint();
      },
    },
    {
      name: 'funds',
      everyMs: PAUSES_MS,
      leaderOnly: true,
      run: async () => {
        if (await watchBalances(deps)) deps.hint();
      },
    },
    { name: 'identity', everyMs: PAUSES_MS, leaderOnly: true, run: identityWatch(deps) },
    {
      name: 'invariants',
      everyMs: INVARIANTS_MS,
      leaderOnly: true,
      // Not at once: after a stop of the whole house, what it left behind is taken over first.
      waits: true,
      run: invariantWatch({ ...deps, tell: deps.watch.tell }),
    },
    {
      name: 'audits',
      everyMs: AUDITS_MS,
      leaderOnly: true,
      run: () => auditDue({ ...deps, ...deps.watch, signal: stop.signal }),
    },
    {
      name: 'retention',
      everyMs: RETENTION_MS,
      leaderOnly: true,
      // Not at once: a process that has just started has more urgent things to do.
      waits: true,
      run: () => retainDaily({ ...deps, signal: stop.signal }, deps.retentionDays),
    },
    { name: 'schedules', everyMs: SCHEDULES_MS, leaderOnly: true, run: () => schedule(queue) },
  ];

  const loops = tasks.map(async (task) => {
    if (task.waits === true) await time.sleep(task.everyMs, stop.signal);
    while (!stop.signal.aborted) {
      const due = !task.leaderOnly || leadership.leads();
      try {
        if (due) await task.run();
      } catch (error) {
        log.error(
          { event: 'maintenance.trouble', task: task.name, err: error },
          'maintenance failed; it goes on trying',
        );
      }
      // A follower looks more often whether it leads by now, so that a take-over is not delayed by a slow task.
      await time.sleep(due ? task.everyMs : Math.min(task.everyMs, RECOVER_MS), stop.signal);
    }
  });

  const worker = queue.worker(
    SCHEDULE_QUEUE,
    async (job) => {
      if (job.name !== 'sync') return `nothing to do for ${job.name}`;
      const started = await startSync(db, null, null, 'schedule');
      deps.hint();
      return `${started.length} accounts`;
    },
    {
      concurrency: 1,
      onError: (error) =>
        log.warn({ event: 'queue.trouble', err: error }, 'the schedule queue is in trouble'),
    },
  );

  return {
    async stop() {
      stop.abort();
      await Promise.all([...loops, worker.close(), leadership.close()]);
    },
  };
}

async function recover({ db, log, presenceClass, hint }: MaintenanceDeps): Promise<void> {
  const recovered = await recoverLost(db, presenceClass);
  for (const operation of recovered) {
    log.warn(
      { event: 'operation.recovered', ...operation },
      'an operation was taken over from a process that is gone or silent',
    );
  }
  const freed = await freeOrders(db);
  for (const orderId of freed)
    log.error({ event: 'order.freed', orderId }, 'an order was held by an operation that does not run');
  if (recovered.length + freed.length > 0) hint();
}

/** Tells once when it turns out that this database is not the one that sent last. */
function identityWatch({ db, log, time, watch }: MaintenanceDeps): () => Promise<void> {
  let told: string | null = null;
  return async () => {
    const trouble = await identityTrouble(db);
    if (trouble !== null && trouble !== told) {
      log.error({ event: 'database.unrecovered' }, trouble);
      watch.tell(alert('unrecovered', { account: '*', message: trouble }, time.clock.now()));
    }
    told = trouble;
  };
}

async function pauses({ db, accounts, probe, hint, log }: MaintenanceDeps): Promise<void> {
  for (const account of await expiredPauses(db)) {
    if (await resumeAccount(db, account, 'packline')) hint();
  }
  const probeOne = async (account: string): Promise<void> => {
    const taken = await probe(account);
    log.info({ event: 'account.probed', account, taken }, 'a paused account was probed');
    if (taken && (await resumeAccount(db, account, 'packline', true))) hint();
  };
  // Each for itself: a probe that fails, or takes its time, must not cost the others theirs.
  const probes = await Promise.allSettled((await dueProbes(db)).map(probeOne));
  await accounts.refresh();
  const failed = probes.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** BullMQ's job scheduler, visible on the board. Upserted by the leader alone: several at once make doubles. */
async function schedule(queue: QueueBackend): Promise<void> {
  await queue
    .queue(SCHEDULE_QUEUE)
    .upsertJobScheduler(
      'sync',
      { every: SYNC_EVERY_MS },
      { name: 'sync', data: { v: 1 }, opts: { removeOnComplete: true, removeOnFail: true } },
    );
}

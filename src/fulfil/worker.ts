/** The fulfilment role: one BullMQ worker per account, each job one bell. */
import { type Job, UnrecoverableError, type Worker } from 'bullmq';
import { z } from 'zod';
import type { AccountCache } from '../accounts/cache.js';
import { isOperationKind, type OperationKind } from '../orders/order.js';
import { type JobData, PRIORITY } from '../policy/job-options.js';
import { type QueueBackend, queueName, RetryLater } from '../queue/backend.js';
import type { Bell, FulfilDeps, Fulfilled } from './deps.js';
import { fulfil } from './fulfil.js';
import { type Counts, type WatchDeps, watchWorkers } from './liveness.js';
import { poll } from './poll.js';

/** The job data that this code understands. */
const jobData = z.object({ v: z.literal(1), operationId: z.string().regex(/^\d{1,18}$/) });

export interface FulfilmentDeps extends FulfilDeps, WatchDeps {
  queue: QueueBackend;
  accounts: AccountCache;
}

interface Hand extends Counts {
  worker: Worker<JobData, string>;
}

export interface Fulfilment {
  /** Lets jobs in hand finish; `abandon` of the deps ends what does not. */
  stop(): Promise<void>;
}

/** Starts workers for all accounts, and for those that come later. */
export function startFulfilment(deps: FulfilmentDeps): Fulfilment {
  const workers = new Map<string, Hand>();
  const onError = (error: Error) =>
    deps.log.warn(
      { event: 'queue.trouble', err: error },
      'the queue is in trouble; its worker goes on trying',
    );

  const sync = () => {
    for (const account of deps.accounts.all()) {
      const { concurrency } = account.limits;
      const known = workers.get(account.id);
      if (known === undefined) {
        const take = async (job: Job<JobData, string>): Promise<string> => {
          hand.taken += 1;
          hand.busy += 1;
          try {
            return await answer(deps, account.id, job);
          } finally {
            hand.busy -= 1;
          }
        };
        const worker = deps.queue.worker(queueName(account.id), take, { concurrency, onError });
        const { at } = deps;
        if (at !== undefined) worker.on('completed', ({ data }) => void at('acked', data.operationId));
        const hand: Hand = { worker, concurrency, taken: 0, busy: 0 };
        workers.set(account.id, hand);
      } else if (known.concurrency !== concurrency) {
        known.worker.concurrency = concurrency;
        known.concurrency = concurrency;
      }
    }
  };
  sync();
  const unsubscribe = deps.accounts.onChange(sync);
  const stop = new AbortController();
  // Not waited for at the stop: it may hang on a queue that does not answer, and changes nothing.
  void watchWorkers(deps, workers, stop.signal);

  return {
    async stop() {
      unsubscribe();
      stop.abort();
      await Promise.all([...workers.values()].map(({ worker }) => worker.close()));
    },
  };
}

/** Answers one job: runs its operation until there is nothing to do at once. */
async function answer(deps: FulfilDeps, accountId: string, job: Job<JobData, string>): Promise<string> {
  const account = deps.accounts.get(accountId);
  if (account === null) return 'the account is not usable; the bell rings again';
  // Anybody can have put it there: a newer version of packline, or a person.
  const data = jobData.safeParse(job.data).data;
  if (data === undefined || !isOperationKind(job.name)) {
    const version: unknown = Object(job.data).v;
    deps.log.error(
      { event: 'job.unknown', jobId: job.id, version, name: job.name },
      'a job of another version, or of somebody else, was left alone; if there is a row for it, that rings again',
    );
    return `left alone: version ${String(version)}, name ${job.name}`;
  }
  const { operationId } = data;
  const bell: Bell = {
    operationId,
    account,
    priority: job.priority || PRIORITY[job.name],
    dueAt: job.timestamp,
  };
  for (;;) {
    const result = await ring(deps, bell, job.name);
    deps.meter?.answered({ account: accountId, kind: job.name, result: result.kind });
    deps.log.debug(
      {
        event: 'job.answered',
        account: accountId,
        operationId,
        kind: job.name,
        result: result.kind,
        what: 'what' in result ? result.what : null,
      },
      'job.answered',
    );
    switch (result.kind) {
      case 'again':
        if (deps.stopping.aborted) return 'stopping';
        break;
      case 'done':
        return result.what;
      case 'retry':
        throw new RetryLater(result.delayMs, `${result.why}: again in ${Math.round(result.delayMs)} ms`);
      case 'dead':
        throw new UnrecoverableError(`dead letter: ${result.why}`);
    }
  }
}

/** What fails here is stored nowhere but in the job: the lease ends, the operation is recovered, and the log says why. */
async function ring(deps: FulfilDeps, bell: Bell, kind: OperationKind): Promise<Fulfilled> {
  try {
    return await (kind === 'poll' ? poll(deps, bell) : fulfil(deps, bell));
  } catch (error) {
    deps.meter?.answered({ account: bell.account.id, kind, result: 'failed' });
    deps.log.error(
      { event: 'job.failed', account: bell.account.id, operationId: bell.operationId, kind, err: error },
      'a job failed before its operation could be settled; it is recovered when its lease ends',
    );
    throw error;
  }
}

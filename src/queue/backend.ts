/**
 * The doorbell: BullMQ on Redis, or on its own PostgreSQL backend. One code path; what differs is how a queue
 * and a worker are made. Everything here may be wiped at any moment, since the rows ring again.
 */

import { once } from 'node:events';
import { type JobsOptions, type PostgresConnectionOptions, type Processor, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { JobData } from '../policy/job-options.js';
import { systemTime } from '../time.js';
import { EvictingRedis, readEviction, UNREADABLE } from './eviction.js';
import { PatientPool, patientBackend } from './patience.js';

/** The hash tag keeps all keys of a queue in one slot of a Redis Cluster. */
export const PREFIX = '{packline}';
/** Set when the queue was filled; missing, Redis was emptied. */
const EPOCH_KEY = `${PREFIX}:epoch`;
/** Open dead letters, for the board. Nothing consumes it. */
export const DEAD_LETTER_QUEUE = 'dead-letters';
/** Scheduled work of packline itself. */
export const SCHEDULE_QUEUE = 'schedules';

/** The queue of an account. */
export function queueName(account: string): string {
  return `fulfil-${account}`;
}

/** A policy retry: BullMQ's alarm clock for a decision that is stored already. */
export class RetryLater extends Error {
  override name = 'RetryLater';
  readonly delayMs: number;
  constructor(delayMs: number, why: string) {
    super(why);
    this.delayMs = delayMs;
  }
}

export interface WorkerSettings {
  concurrency: number;
  onError(error: Error): void;
}

export interface QueueBackend {
  kind: 'redis' | 'postgres';
  /** The queue of this name; made once per process. */
  queue(name: string): Queue;
  /** All queues made so far. */
  queues(): Queue[];
  worker(
    name: string,
    processor: Processor<JobData, string>,
    settings: WorkerSettings,
  ): Worker<JobData, string>;
  add(name: string, jobs: { name: string; data: JobData; opts: JobsOptions }[]): Promise<void>;
  /**
   * Waits a little for the first connection, so that a start is no trouble. Resolves even where there is none.
   * @throws EvictingRedis where it would throw jobs away
   */
  opened(): Promise<void>;
  /** True where the queue has lost what it held (and, for PostgreSQL, never by itself). */
  wasEmptied(): Promise<boolean>;
  /** Remembers that the queue holds what was rung for. */
  markFilled(): Promise<void>;
  /**
   * Remembers how far a history has come; never goes back.
   * @param attempt decimal digits
   * @returns the furthest that was ever told (for PostgreSQL, which has no memory of its own, always `attempt`)
   */
  rememberHighest(history: string, attempt: string): Promise<string>;
  close(): Promise<void>;
}

// A dead worker's job is taken over after about lockDuration + stalledInterval (13 s measured with these). A second
// run of a job is harmless: the claim decides.
const LOCK_MS = 10_000;
const STALLED_MS = 5_000;
/** How long a closing worker whose jobs have ended waits for its server, ms. */
const CLOSE_MS = 2_000;
/** After a refused connection a worker asks again, ms; BullMQ's own 15 s would outlast most restarts of a server. */
const REFUSED_MS = 1_000;

/** Reads the delay of the stored decision; anything else that was thrown is not retried by the queue. */
function policyBackoff(_attempts: number, _type: string | undefined, error: Error | undefined): number {
  return error instanceof RetryLater ? error.delayMs : -1;
}

interface Parts {
  makeQueue(name: string): Queue;
  makeWorker(
    name: string,
    processor: Processor<JobData, string>,
    options: ReturnType<typeof workerOptions>,
  ): Worker<JobData, string>;
  opened(): Promise<void>;
  wasEmptied(): Promise<boolean>;
  markFilled(): Promise<void>;
  rememberHighest(history: string, attempt: string): Promise<string>;
  closeConnections(): Promise<void>;
}

function workerOptions(settings: WorkerSettings) {
  return {
    concurrency: settings.concurrency,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_MS,
    runRetryDelay: REFUSED_MS,
    // The row decides how often: a stalled job must never end as failed for that reason alone.
    maxStalledCount: 1_000,
    settings: { backoffStrategy: policyBackoff },
  };
}

function assemble(kind: QueueBackend['kind'], parts: Parts, onError: (error: Error) => void): QueueBackend {
  const queues = new Map<string, Queue>();
  const queue = (name: string): Queue => {
    let found = queues.get(name);
    if (found === undefined) {
      found = parts.makeQueue(name);
      found.on('error', onError);
      queues.set(name, found);
    }
    return found;
  };
  return {
    kind,
    queue,
    queues: () => [...queues.values()],
    worker(name, processor, settings) {
      const inHand = new Set<Promise<string>>();
      const tracked: Processor<JobData, string> = (...call) => {
        const job = processor(...call).finally(() => inHand.delete(job));
        inHand.add(job);
        return job;
      };
      const worker = parts.makeWorker(name, tracked, workerOptions(settings));
      worker.on('error', settings.onError);
      const close = worker.close.bind(worker);
      // Its own way of waiting for the jobs in hand never ends where Redis is away; by force it does not wait.
      worker.close = () => untilIdle(worker.pause(), inHand, settings.onError).then(() => close(true));
      return worker;
    },
    async add(name, jobs) {
      await queue(name).addBulk(jobs);
    },
    opened: parts.opened,
    wasEmptied: parts.wasEmptied,
    markFilled: parts.markFilled,
    rememberHighest: parts.rememberHighest,
    async close() {
      await Promise.allSettled([...queues.values()].map((each) => each.close()));
      await parts.closeConnections();
    },
  };
}

/** Resolves when a worker has paused with its jobs written down, or some time after the last job has ended. */
async function untilIdle(
  paused: Promise<void>,
  inHand: ReadonlySet<Promise<string>>,
  onError: (error: Error) => void,
): Promise<void> {
  const timer = new AbortController();
  const idle = async () => {
    do {
      await Promise.allSettled(inHand);
      await systemTime.sleep(CLOSE_MS, timer.signal);
    } while (inHand.size > 0);
  };
  const orIdle = (error: Error) => {
    onError(error);
    return idle();
  };
  await Promise.race([paused.catch(orIdle), idle()]).finally(() => timer.abort());
}

export interface RedisOptions {
  url: string;
  onError(error: Error): void;
  /** A Redis that came back evicts, or (null) does not say whether it does. */
  onEviction?(found: EvictingRedis | null): void;
}

/** Redis through ioredis: single, Sentinel or Cluster entry, Valkey. */
export function redisBackend(options: RedisOptions): QueueBackend {
  // Commands of the dispatcher fail fast: a bell that cannot be rung is rung again, a loop that hangs is not.
  const commands = new Redis(options.url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 10_000,
    connectTimeout: 5_000,
  });
  // Blocking reads of the workers wait for Redis as long as it takes.
  const blocking = new Redis(options.url, { maxRetriesPerRequest: null, connectTimeout: 5_000 });
  commands.on('error', options.onError);
  let first = true;
  /** Whoever is connected to may be another server than before, or one that was set up anew. */
  const checkEviction = async (): Promise<void> => {
    const policy = await readEviction(commands);
    if (policy === UNREADABLE) options.onEviction?.(null);
    else if (policy !== null) throw new EvictingRedis(policy);
  };
  commands.on('ready', () => {
    if (first) return;
    checkEviction().catch((error: unknown) => {
      if (error instanceof EvictingRedis) options.onEviction?.(error);
      else throw error;
    });
  });
  blocking.on('error', options.onError);
  return assemble(
    'redis',
    {
      // A queue that waited for Redis would hang, and one that asked for its version in vain would never work again.
      makeQueue: (name) =>
        new Queue(name, {
          connection: commands,
          prefix: PREFIX,
          skipWaitingForReady: true,
          skipVersionCheck: true,
        }),
      makeWorker: (name, processor, rest) =>
        new Worker<JobData, string>(name, processor, { connection: blocking, prefix: PREFIX, ...rest }),
      opened: async () => {
        await readyOrSoon(commands);
        if (commands.status === 'ready') await checkEviction();
        first = false;
      },
      wasEmptied: async () => (await commands.get(EPOCH_KEY)) === null,
      markFilled: async () => {
        await commands.set(EPOCH_KEY, 'filled');
      },
      rememberHighest: async (history, attempt) =>
        String(await commands.eval(KEEP_HIGHEST, 1, `${PREFIX}:highest-attempt:${history}`, attempt)),
      closeConnections: async () => {
        commands.disconnect();
        blocking.disconnect();
      },
    },
    options.onError,
  );
}

// Lua's numbers are exact up to 2^53, far beyond any id of an attempt.
const KEEP_HIGHEST = `
local seen = redis.call('get', KEYS[1])
if seen and tonumber(seen) > tonumber(ARGV[1]) then return seen end
redis.call('set', KEYS[1], ARGV[1])
return ARGV[1]`;

/** How long a start waits for Redis, ms; beyond it the dispatcher says what is wrong. */
const OPEN_WITHIN_MS = 2_000;

async function readyOrSoon(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return;
  // Aborting rejects the wait, which is one of its two ends: the connection goes on trying by itself.
  await once(redis, 'ready', { signal: AbortSignal.timeout(OPEN_WITHIN_MS) }).catch(() => undefined);
}

/**
 * BullMQ's tables beside ours, in the schema `bullmq`.
 *
 * @param options.max connections that work; every worker has one more, on which it listens
 */
export function postgresBackend(options: {
  url: string;
  max: number;
  onError(error: Error): void;
}): QueueBackend {
  // Losing the queue's last writes in a crash loses nothing, since the rows ring again; ours are never written so.
  const pool = new PatientPool({
    connectionString: options.url,
    max: options.max,
    application_name: 'packline queue',
    keepAlive: true,
    options: '-c search_path=bullmq -c synchronous_commit=off',
  });
  pool.on('error', options.onError);
  // Every queue and worker listens to the one pool, so that the number of accounts is no sign of a leak.
  pool.setMaxListeners(0);
  // BullMQ asks for the part of a pg pool that it uses, with looser event types; a pg.Pool has all of it.
  const connection = pool as unknown as PostgresConnectionOptions;
  return assemble(
    'postgres',
    {
      // Both classes are the same for either backend; only their type parameters name the backend's own class.
      makeQueue: (name) => new Queue(name, { connection }, patientBackend) as unknown as Queue,
      makeWorker: (name, processor, rest) => {
        // It takes one out of the pool and keeps it; without this, accounts that come later would use the pool up.
        pool.options.max += 1;
        return new Worker(name, processor, { connection, ...rest }, patientBackend) as unknown as Worker<
          JobData,
          string
        >;
      },
      opened: async () => undefined,
      wasEmptied: async () => false,
      markFilled: async () => undefined,
      rememberHighest: async (_history, attempt) => attempt,
      closeConnections: () => pool.end(),
    },
    options.onError,
  );
}

/**
 * Whether the workers still consume. One that answers to nothing after an outage looks like one that has nothing to
 * do, except that its queue is not empty: a job that was taken, or an empty queue that was seen, is a sign of life,
 * and a connection that answers is none.
 */
import { type QueueBackend, queueName } from '../queue/backend.js';
import type { Time } from '../time.js';

/** What a process knows of its own worker. */
export interface Counts {
  /** Jobs that it has taken so far. */
  taken: number;
  /** Jobs in hand. */
  busy: number;
  concurrency: number;
}

/** What one look sees of one account. */
export interface Sight extends Counts {
  /** Jobs that wait for any worker; null where the queue did not answer. */
  waiting: number | null;
  /** The queue was paused from elsewhere. */
  paused: boolean;
}

/** How often each queue is looked at, ms. */
const LOOK_EVERY_MS = 5_000;
/** Looks in a row without a sign of life: half a minute. Looks and not time, since a frozen process sees time jump. */
const LOOKS = 6;

export interface Liveness {
  /** Takes what a look has seen of an account. Returns whether its worker has stopped consuming. */
  see(account: string, sight: Sight): boolean;
}

/** Judges looks that come at equal distances. */
export function createLiveness(): Liveness {
  const silent = new Map<string, { taken: number; looks: number }>();
  return {
    see(account, { waiting, paused, taken, busy, concurrency }) {
      const before = silent.get(account);
      // Full hands take nothing; how long a call may last is bounded elsewhere.
      const excused = waiting === null || waiting === 0 || paused || busy >= concurrency;
      const looks = excused || before?.taken !== taken ? 0 : before.looks + 1;
      silent.set(account, { taken, looks });
      return looks >= LOOKS;
    },
  };
}

export interface WatchDeps {
  queue: Pick<QueueBackend, 'queue'>;
  time: Time;
  /** Told where a worker does not consume any more: only a new process helps. */
  onStuck(reason: string): void;
  /** How often each queue is looked at, ms. */
  lookEveryMs?: number;
}

/** Looks at all workers again and again, until stopped or until one has stopped consuming. */
export async function watchWorkers(
  { queue, time, onStuck, lookEveryMs = LOOK_EVERY_MS }: WatchDeps,
  workers: ReadonlyMap<string, Counts>,
  stop: AbortSignal,
): Promise<void> {
  const liveness = createLiveness();
  for (;;) {
    await time.sleep(lookEveryMs, stop);
    for (const [account, counts] of workers) {
      const seen = await look(queue, account);
      if (stop.aborted) return;
      if (liveness.see(account, { ...counts, ...seen })) {
        onStuck(`the worker of account ${account} takes no jobs any more, though ${seen.waiting} wait`);
        return;
      }
    }
    if (stop.aborted) return;
  }
}

async function look(queue: WatchDeps['queue'], account: string): Promise<Pick<Sight, 'waiting' | 'paused'>> {
  const jobs = queue.queue(queueName(account));
  try {
    const [waiting, paused] = await Promise.all([
      jobs.getJobCountByTypes('waiting', 'prioritized'),
      jobs.isPaused(),
    ]);
    return { waiting, paused };
  } catch {
    // The dispatcher tells of a queue that does not answer; of the worker that says nothing.
    return { waiting: null, paused: false };
  }
}

import type { JobsOptions } from 'bullmq';
import type { JobData } from '../src/policy/job-options.js';
import type { QueueBackend } from '../src/queue/backend.js';

/** One job as it was added. */
export interface Bell {
  queue: string;
  name: string;
  data: JobData;
  opts: JobsOptions;
}

/** A queue that writes down who was rung for. */
export interface Board extends QueueBackend {
  bells: Bell[];
  /** The operations that a queue was rung for. */
  rung(queue: string): string[];
  /** Names of queues that cannot be rung. */
  broken: Set<string>;
  /** False as after a flush of Redis. */
  filled: boolean;
}

export function board(): Board {
  const made: Board = {
    kind: 'redis',
    bells: [],
    broken: new Set(),
    filled: true,
    rung: (queue) => made.bells.filter((bell) => bell.queue === queue).map(({ data }) => data.operationId),
    add: async (queue, jobs) => {
      if (made.broken.has(queue)) throw new Error('Redis is away');
      for (const { name, data, opts } of jobs) made.bells.push({ queue, name, data, opts });
    },
    opened: async () => undefined,
    wasEmptied: async () => !made.filled,
    markFilled: async () => {
      made.filled = true;
    },
    rememberHighest: async (_history, attempt) => attempt,
    queue: () => {
      throw new Error('the dispatcher adds by name');
    },
    queues: () => [],
    worker: () => {
      throw new Error('the dispatcher works nothing');
    },
    close: async () => undefined,
  };
  return made;
}

/**
 * BullMQ's job options, built from the policy. The rows decide what happens; these options make the queue
 * show and time it the same way.
 */
import type { JobsOptions } from 'bullmq';
import type { OperationKind } from '../orders/order.js';
import type { ProviderPolicy } from './policy.js';

/** Order of work; BullMQ serves lower numbers first. `confirm` stands for the looks of an unconfirmed operation. */
export const PRIORITY: Record<OperationKind | 'confirm', number> = {
  cancel: 1,
  confirm: 2,
  activate: 3,
  update: 4,
  submit: 5,
  poll: 6,
};

/** What a job carries: ids only, since queues are looked at by many and kept for long. */
export interface JobData {
  /** Version of this shape; a worker parks what is newer than itself. */
  v: 1;
  operationId: string;
}

/** What of an operation its job depends on. */
export interface Ring {
  operationId: string;
  kind: OperationKind;
  priority: number;
  /** How often it was rung for; makes the job id new each time, since a kept job swallows an equal id. */
  ringNo: number;
  /** Budget spent so far. */
  attempts: number;
}

/** How many finished jobs the board keeps on Redis. The PostgreSQL backend keeps none: retention by count runs jobs twice there. */
export const KEPT_JOBS = 1000;

/**
 * @param ring the operation to ring for
 * @param policy the provider's policy
 * @param backend retention by count is only safe on Redis
 */
export function jobOptions(ring: Ring, policy: ProviderPolicy, backend: 'redis' | 'postgres'): JobsOptions {
  const keep = backend === 'redis' ? { count: KEPT_JOBS } : true;
  return {
    jobId: `${ring.kind}-${ring.operationId}-${ring.ringNo}`,
    priority: ring.priority,
    attempts: Math.max(1, policy.attempts - ring.attempts),
    // The custom strategy reads the delay of the stored decision; BullMQ's own knows neither cap nor floor.
    backoff: { type: 'policy' },
    removeOnComplete: keep,
    removeOnFail: keep,
  };
}

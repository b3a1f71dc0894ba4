/** What a read means for an order: pure. */
import type { OrderStatus, ProviderState } from '../orders/order.js';
import { move } from '../orders/states.js';
import type { ReadEffect, ReadOrder } from '../orders/store/reads.js';

/** Reads in a row that do not find an order whose id we hold, before a human is asked (design, "States"). */
const MISSING_READS = 3;

const MINUTE_MS = 60_000;
/** How soon a status is read again, ms; spread by the jitter below so that reads do not bunch. */
const READ_AGAIN_MS: Record<OrderStatus, number> = {
  received: 5 * MINUTE_MS,
  draft: 60 * MINUTE_MS,
  submitted: 2 * MINUTE_MS,
  in_progress: 10 * MINUTE_MS,
  shipped: 60 * MINUTE_MS,
  delivered: 24 * 60 * MINUTE_MS,
  canceled: 24 * 60 * MINUTE_MS,
  failed: 24 * 60 * MINUTE_MS,
  returned: 24 * 60 * MINUTE_MS,
};
const SPREAD = 0.2;

/** When an order of this status is read next, ms from now. */
export function readAgainMs(status: OrderStatus, random: number): number {
  return READ_AGAIN_MS[status] * (1 - SPREAD / 2 + SPREAD * random);
}

export interface ReadContext {
  /** Epoch ms of the database's clock, when the read started. */
  startedAt: number;
  /** In [0, 1). */
  random: number;
  /** The single-read step, for rows that lack what a single read would tell. */
  getStep: string;
}

/** The provider told a state of this order. */
export function foundEffect(order: ReadOrder, state: ProviderState, context: ReadContext): ReadEffect {
  const told = state.status === null ? { kind: 'same' as const } : move(order.status, state.status, 'read');
  const moves = told.kind === 'move' || told.kind === 'reopen';
  const to = moves ? told.to : null;
  const wantsMore = state.partial === true && moves;
  const conflict = told.kind === 'reopen' || told.kind === 'ignored';
  const settled = state.attention ?? 'clear';
  return {
    orderId: order.id,
    from: order.status,
    // Where a single read follows, it moves the status together with what it alone knows.
    to: wantsMore ? null : to,
    reopened: told.kind === 'reopen' && !wantsMore,
    rawStatus: wantsMore ? null : state.rawStatus,
    failure:
      to === 'failed' && !wantsMore
        ? (state.failure ?? { code: 'failed', message: `the provider says ${state.rawStatus}` })
        : null,
    attention: conflict
      ? { code: 'status_conflict', detail: `was ${order.status} here, the provider says ${state.rawStatus}` }
      : settled,
    tracking: state.tracking ?? null,
    providerData: state.data ?? null,
    missingReads: 0,
    startedAt: context.startedAt,
    readMs: readAgainMs(wantsMore ? order.status : (to ?? order.status), context.random),
    followStep: wantsMore ? context.getStep : null,
  };
}

/** The provider did not find an order whose id we hold: never a verdict, but the third time a human should look. */
export function missingEffect(order: ReadOrder, context: ReadContext): ReadEffect {
  const missingReads = order.missingReads + 1;
  return {
    orderId: order.id,
    from: order.status,
    to: null,
    reopened: false,
    rawStatus: null,
    failure: null,
    attention:
      missingReads >= MISSING_READS
        ? {
            code: 'missing_at_provider',
            detail: `the provider no longer finds order ${order.providerOrderId}`,
          }
        : null,
    tracking: null,
    providerData: null,
    missingReads,
    startedAt: context.startedAt,
    readMs: readAgainMs(order.status, context.random),
    followStep: null,
  };
}

/** A list row of this order is missing: only a single read can say that the order is. */
export function unlistedEffect(order: ReadOrder, context: ReadContext): ReadEffect {
  return {
    ...missingEffect(order, context),
    attention: null,
    missingReads: order.missingReads,
    followStep: context.getStep,
  };
}

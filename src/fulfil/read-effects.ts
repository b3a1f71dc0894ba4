/** What a read means for an order: pure. */
import type { OrderStatus, ProviderState } from '../orders/order.js';
import { move } from '../orders/states.js';
import type { ReadOrder } from '../orders/store/read-pages.js';
import type { ReadEffect } from '../orders/store/reads.js';
import type { Random } from '../time.js';

/** Reads in a row that do not find an order whose id we hold, before a human is asked (design, "States"). */
const MISSING_READS = 3;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * How soon an order of a status is read again: at `freshMs` as long as it is young, then after a twentieth of its age,
 * and never later than `lateMs`. Webhooks and syncs come in between (design, "States").
 */
const PACE: Record<OrderStatus, { freshMs: number; lateMs: number }> = {
  // Nothing is at the provider yet: not read at all.
  received: { freshMs: 5 * MINUTE_MS, lateMs: HOUR_MS },
  // Waits for a person here; nothing at the provider moves it but that it is thrown away.
  draft: { freshMs: HOUR_MS, lateMs: 24 * HOUR_MS },
  // Refusals after the acceptance come within minutes, and the shop wants to hear of them while the customer is near.
  submitted: { freshMs: 2 * MINUTE_MS, lateMs: HOUR_MS },
  // Production takes hours to days.
  in_progress: { freshMs: 10 * MINUTE_MS, lateMs: 6 * HOUR_MS },
  // Parcels travel for days.
  shipped: { freshMs: HOUR_MS, lateMs: 12 * HOUR_MS },
  // Over: a schedule reads them no more.
  delivered: { freshMs: 24 * HOUR_MS, lateMs: 24 * HOUR_MS },
  canceled: { freshMs: 24 * HOUR_MS, lateMs: 24 * HOUR_MS },
  failed: { freshMs: 24 * HOUR_MS, lateMs: 24 * HOUR_MS },
  returned: { freshMs: 24 * HOUR_MS, lateMs: 24 * HOUR_MS },
};

/** So much of its age may pass before a change is seen: a week's order is read every eight hours. */
const SHARE_OF_AGE = 1 / 20;

/** Orders that were due together are due again spread over so much of their pace: one page of many, not all at once. */
const SPREAD = 0.5;

/**
 * When an order is read next, ms from now.
 * @param ageMs how long it has been known; 0 where it has just moved, for then it may well move on
 * @param random in [0, 1)
 */
export function readAgainMs(status: OrderStatus, ageMs: number, random: number): number {
  const { freshMs, lateMs } = PACE[status];
  const paceMs = Math.min(lateMs, Math.max(freshMs, ageMs * SHARE_OF_AGE));
  return paceMs * (1 - SPREAD / 2 + SPREAD * random);
}

export interface ReadContext {
  /** Epoch ms of the database's clock, when the read started; null: when it is written down. */
  startedAt: number | null;
  /** Drawn anew for each order, so that those of one page part. */
  random: Random;
  /** The single-read step, for rows that lack what a single read would tell. */
  getStep: string;
}

/**
 * Whether a single read would tell what is missing here: the parcel of an order that has left, the reason of one that
 * has failed. Any other change of a list's row is complete as it stands.
 */
function wantsMore(order: ReadOrder, state: ProviderState, to: OrderStatus | null): boolean {
  if (state.partial !== true) return false;
  if (to === 'failed') return true;
  const moves = to !== null || state.rawStatus !== order.rawStatus;
  return moves && TRACKED.includes(to ?? order.status) && !order.isTracked && state.tracking === undefined;
}

/** Statuses in which a parcel is, or was, under way. */
const TRACKED: readonly OrderStatus[] = ['shipped', 'delivered'];

/** The provider told a state of this order. */
export function foundEffect(order: ReadOrder, state: ProviderState, context: ReadContext): ReadEffect {
  const told = state.status === null ? { kind: 'same' as const } : move(order.status, state.status, 'read');
  const moves = told.kind === 'move' || told.kind === 'reopen';
  const to = moves ? told.to : null;
  const more = wantsMore(order, state, to);
  const conflict = told.kind === 'reopen' || told.kind === 'ignored';
  const settled = state.attention ?? 'clear';
  return {
    orderId: order.id,
    from: order.status,
    // Where a single read follows, it moves the status together with what it alone knows.
    to: more ? null : to,
    reopened: told.kind === 'reopen' && !more,
    rawStatus: more ? null : state.rawStatus,
    failure:
      to === 'failed' && !more
        ? (state.failure ?? { code: 'failed', message: `the provider says ${state.rawStatus}` })
        : null,
    attention: conflict
      ? { code: 'status_conflict', detail: `was ${order.status} here, the provider says ${state.rawStatus}` }
      : settled,
    tracking: state.tracking ?? null,
    providerData: state.data ?? null,
    missingReads: 0,
    startedAt: context.startedAt,
    readMs: readAgainMs(
      more || to === null ? order.status : to,
      more || to === null ? order.ageMs : 0,
      context.random(),
    ),
    followStep: more ? context.getStep : null,
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
    readMs: readAgainMs(order.status, order.ageMs, context.random()),
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

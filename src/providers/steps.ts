/**
 * What the steps of all providers are made of: how often they may be sent, and what they take from their work. The
 * core hands each step what it was declared with, so whatever is missing here is a mistake of ours, and is thrown.
 */
import type { OrderView } from '../orders/order.js';
import type { Work } from './provider.js';

/** A step that changes nothing. */
export const READ = { writes: false, repeatable: true } as const;

/** A write that may go out again: it sets what it sets. */
export const REPEATABLE_WRITE = { writes: true, repeatable: true } as const;

/** A write that does something anew each time: after a lost answer it is never sent again blindly. */
export const SINGLE_WRITE = { writes: true, repeatable: false } as const;

/** The order that the step is about. */
export function orderOf(work: Work): OrderView {
  if (work.order === undefined) throw new TypeError('this step needs an order');
  return work.order;
}

/**
 * What the provider calls the order: its own id, never our reference.
 * @param wanted in the words of the provider, for whoever reads of the mistake
 */
export function placedAs(work: Work, wanted = 'an order that was placed'): string {
  const { providerOrderId } = orderOf(work);
  if (providerOrderId === null) throw new TypeError(`this step needs ${wanted}`);
  return providerOrderId;
}

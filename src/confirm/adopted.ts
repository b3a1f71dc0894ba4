/** What a lookup by correlation finds may be another order's: those are left out before it is judged. Pure. */
import type { ProviderState } from '../orders/order.js';
import type { Outcome } from '../policy/outcome.js';

/** The orders that a lookup has found; none for any other outcome. */
export function foundBy(outcome: Outcome): readonly ProviderState[] {
  if (outcome.kind === 'observed') return [outcome.state];
  return outcome.kind === 'done' ? (outcome.states ?? []) : [];
}

/**
 * The outcome without orders that are other orders' already.
 * @param adopted provider ids that other orders of the account hold
 */
export function withoutAdopted(outcome: Outcome, adopted: ReadonlySet<string>): Outcome {
  if (outcome.kind !== 'observed' && outcome.kind !== 'done') return outcome;
  const found = foundBy(outcome);
  const left = found.filter(({ providerOrderId }) => !adopted.has(providerOrderId));
  if (left.length === found.length) return outcome;
  const [state, ...more] = left;
  if (state === undefined) {
    const message = 'whatever could be this order belongs to others already';
    return outcome.whole === true
      ? { kind: 'missing', code: 'others_only', message }
      : { kind: 'failed', code: 'others_only', message: `${message}, and the list may go on` };
  }
  const alike = outcome.kind === 'done' && outcome.alike === true;
  return alike && more.length === 0 ? { kind: 'observed', state } : { kind: 'done', states: left };
}

/** What packline promises for an account, computed from what its provider can do. Pure. */
import type { Capabilities, CommonConfig } from '../providers/provider.js';

export interface Guarantee {
  level: 'exactly_once' | 'at_most_once';
  /** A sentence for people: by what means, or why no more. */
  reason: string;
}

/**
 * `exactly_once`: a submit whose answer was lost ends as one order without a human. `at_most_once`: never two,
 * but an unclear one may wait for a human.
 *
 * @param exclusive nobody but packline places orders with these credentials
 * @param confirm the account's `confirm` settings: an order must show within their window for a look to prove anything
 */
export function guaranteeOf(
  capabilities: Capabilities,
  exclusive: boolean,
  confirm?: CommonConfig['confirm'],
): Guarantee {
  if (capabilities.idempotencyKey) {
    return {
      level: 'exactly_once',
      reason: 'the provider honours an idempotency key: a repeated submit is the same order',
    };
  }
  if (capabilities.uniqueReference) {
    return { level: 'exactly_once', reason: 'the provider takes each reference only once' };
  }
  switch (capabilities.lookup) {
    case 'reference':
      return byReference(capabilities.lagMs, confirm);
    case 'correlation':
      return {
        level: 'at_most_once',
        reason: exclusive
          ? 'the provider keeps no reference: a lost answer is matched by what changed there, which nobody else changes, and put before a human where that is unclear'
          : 'the provider keeps no reference: a lost answer is matched by what changed there, which others may change too (exclusive is off), and put before a human where that is unclear',
      };
    case 'none':
      return {
        level: 'at_most_once',
        reason: 'the provider offers no way to find an order again: a lost answer is put before a human',
      };
    default: {
      const unhandled: never = capabilities.lookup;
      return unhandled;
    }
  }
}

function byReference(lagMs: number, confirm: CommonConfig['confirm'] | undefined): Guarantee {
  const reason = `a lost answer is looked up by reference, given that an accepted order shows there within ${seconds(lagMs)}`;
  if (confirm === undefined) return { level: 'exactly_once', reason };
  // From the end of the call to the start of the last look, where the caller itself said that the call had ended.
  const windowMs = (confirm.looks - 1) * confirm.spacingMs;
  if (lagMs <= windowMs) return { level: 'exactly_once', reason };
  return {
    level: 'at_most_once',
    reason: `an accepted order may take ${seconds(lagMs)} to show, longer than the ${seconds(windowMs)} that confirm looks for it, and a late one could then be sent again: raise confirm.looks or confirm.spacingMs`,
  };
}

function seconds(ms: number): string {
  return `${ms / 1_000} s`;
}

/**
 * What a look means. Pure. A look finds the order, finds that it is absent, or finds out nothing; only enough
 * absences, all begun after the call had certainly ended, prove that it may go out again.
 */
import type { ProviderState } from '../orders/order.js';
import { type Outcome, outcomeCode } from '../policy/outcome.js';
import type { CommonConfig } from '../providers/provider.js';

/** What of the operation the judgement depends on, before this look is counted. */
export interface LookFacts {
  /** Begun after the call had certainly ended. */
  counts: boolean;
  caller: 'none' | 'spoken' | 'gone' | 'silent';
  absentLooks: number;
  looks: number;
  /** Epoch ms. */
  deadline: number | null;
  waitSince: number | null;
}

export type LookResult =
  | { kind: 'found'; state: ProviderState }
  /** The reference is another order's. */
  | { kind: 'taken'; state: ProviderState }
  /** Several orders could be it. */
  | { kind: 'several'; states: ProviderState[] }
  /** Proven absent. */
  | { kind: 'absent' }
  /** Look again in `delayMs`. */
  | { kind: 'again'; counted: boolean; delayMs: number }
  /** A human must decide. */
  | { kind: 'expired'; code: 'unconfirmed' | 'worker_frozen'; message: string };

/** A caller that is alive and says nothing for this long is put before a human (design, "Confirm"). */
const FROZEN_AFTER_MS = 600_000;
/** Looks that found out nothing are spaced twice as far each time, up to this, ms. */
const INCONCLUSIVE_CAP_MS = 300_000;
/** Looks that prove nothing are never closer than this, ms, however short the configured spacing. */
const LEAST_SPACING_MS = 250;
/** The first look comes this soon: an order that was accepted is usually there at once. */
export const FIRST_LOOK_MS = 1_000;

/**
 * @param outcome what the lookup learned
 * @param config the account's `confirm` settings
 * @param now epoch ms of the clock that `deadline` was written by
 */
export function judgeLook(
  outcome: Outcome,
  facts: LookFacts,
  config: CommonConfig['confirm'],
  now: number,
): LookResult {
  if (outcome.kind === 'observed') {
    return outcome.state.sameContent === false
      ? { kind: 'taken', state: outcome.state }
      : { kind: 'found', state: outcome.state };
  }
  const { states = [] } = outcome.kind === 'done' ? outcome : {};
  if (states.length > 1) return { kind: 'several', states };
  const absent = outcome.kind === 'missing' && facts.counts;
  if (absent && facts.absentLooks + 1 >= config.looks && facts.caller !== 'silent') return { kind: 'absent' };
  if (facts.caller === 'silent' && facts.waitSince !== null && now - facts.waitSince >= FROZEN_AFTER_MS) {
    return {
      kind: 'expired',
      code: 'worker_frozen',
      message: 'the process that made the call is alive and has not said what became of it',
    };
  }
  if (facts.deadline !== null && now >= facts.deadline) {
    return {
      kind: 'expired',
      code: 'unconfirmed',
      message: `no trustworthy answer in time; the last look ended as ${outcomeCode(outcome)}`,
    };
  }
  const spacingMs = Math.max(config.spacingMs, LEAST_SPACING_MS);
  if (absent) return { kind: 'again', counted: true, delayMs: config.spacingMs };
  // "Not there" before it counts is no trouble, only early.
  const delayMs =
    outcome.kind === 'missing'
      ? spacingMs
      : Math.min(spacingMs * 2 ** Math.min(facts.looks, 10), INCONCLUSIVE_CAP_MS);
  return { kind: 'again', counted: false, delayMs };
}

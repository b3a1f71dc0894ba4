/**
 * A round of looks. Where a provider needs several lookups, an order is absent only if each of them misses it; and
 * an absence counts only if the same lookups find an order that is certainly there (the control). Pure.
 */
import { z } from 'zod';
import type { JsonObject } from '../json.js';
import type { Claim } from '../orders/store/claim.js';
import type { Outcome } from '../policy/outcome.js';
import type { OpenAccount, Step } from '../providers/provider.js';
import { foundBy } from './adopted.js';

/** An accepted order of the account, old enough to show. */
export interface Control {
  orderId: string;
  providerOrderId: string;
}

export interface LookRound {
  /** The lookup to make now; null where the provider has none. */
  step: Step | null;
  index: number;
  /** No further lookup follows in this round. */
  last: boolean;
  /** Every lookup of the round so far began after the call had certainly ended. */
  counts: boolean;
  /** The order that is looked for instead, once the own one was missed. */
  control: Control | null;
  /** Looks that were made before this one. */
  looks: number;
}

const carried = z.object({
  lookAt: z.int(),
  roundCounts: z.boolean(),
  control: z.object({ orderId: z.string(), providerOrderId: z.string() }).nullable(),
  /** How many looks there were when the round went on: another number, and something has begun anew since. */
  roundLooks: z.int(),
});

/** Where an operation stands in its round; a claim carries it from look to look. */
export function lookRound(
  { carry, counts, looks }: Pick<Claim, 'carry' | 'counts' | 'looks'>,
  reads: OpenAccount['reads'],
): LookRound {
  const steps = [...(reads.look === undefined ? [] : [reads.look]), ...(reads.furtherLooks ?? [])];
  const round = carried.safeParse(carry).data;
  const goesOn = round?.roundLooks === looks && round.lookAt < steps.length;
  const { lookAt: index, roundCounts, control } = goesOn ? round : FIRST;
  return {
    step: steps[index] ?? null,
    index,
    last: index >= steps.length - 1,
    counts: control === null ? counts && roundCounts : roundCounts,
    control,
    looks,
  };
}

const FIRST = { lookAt: 0, roundCounts: true, control: null } as const;

/** What follows from one lookup, with what the next look has to know. */
export type RoundStep =
  /** The round goes on at once. */
  | { kind: 'on'; carry: JsonObject }
  /** The round is over, and this is what it learned. */
  | { kind: 'over'; outcome: Outcome };

/**
 * @param outcome of the lookup that was made
 * @param candidate an order for the control, if there is one
 */
export function advanceRound(round: LookRound, outcome: Outcome, candidate: Control | null): RoundStep {
  const { index, last, control } = round;
  const missed = outcome.kind === 'missing';
  if (missed && !last) return goOn(round, index + 1, control);
  if (control !== null) return { kind: 'over', outcome: controlled(control, outcome) };
  return missed && candidate !== null ? goOn(round, 0, candidate) : { kind: 'over', outcome };
}

function goOn({ counts, looks }: LookRound, lookAt: number, control: Control | null): RoundStep {
  return {
    kind: 'on',
    carry: {
      lookAt,
      roundCounts: counts,
      control: control === null ? null : { ...control },
      roundLooks: looks + 1,
    },
  };
}

/** An absence, where the control was found; nothing at all, where it was not. */
function controlled({ providerOrderId }: Control, outcome: Outcome): Outcome {
  if (foundBy(outcome).some((state) => state.providerOrderId === providerOrderId)) {
    const message = 'not there, in lookups that find an order which is';
    return { kind: 'missing', code: 'absent', message };
  }
  const message = `the lookup does not find order ${providerOrderId} either, which is certainly there: it proves nothing`;
  return { kind: 'failed', code: 'control_not_found', message };
}

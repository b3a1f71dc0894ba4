/** A round of looks: where a provider needs several lookups, an order is absent only if each of them misses it. Pure. */
import type { Claim } from '../orders/store/claim.js';
import type { OpenAccount, Step } from '../providers/provider.js';

export interface LookRound {
  /** The lookup to make now; null where the provider has none. */
  step: Step | null;
  index: number;
  /** No further lookup follows in this round. */
  last: boolean;
  /** Every lookup of the round so far began after the call had certainly ended. */
  counts: boolean;
}

/** Where an operation stands in its round; a claim carries it from look to look. */
export function lookRound(claim: Pick<Claim, 'carry' | 'counts'>, reads: OpenAccount['reads']): LookRound {
  const looks = [...(reads.look === undefined ? [] : [reads.look]), ...(reads.furtherLooks ?? [])];
  const carried = typeof claim.carry.lookAt === 'number' ? claim.carry.lookAt : 0;
  const index = carried < looks.length ? carried : 0;
  const before = index === 0 || claim.carry.roundCounts === true;
  return {
    step: looks[index] ?? null,
    index,
    last: index >= looks.length - 1,
    counts: claim.counts && before,
  };
}

/** What the next look has to know: the round goes on where this lookup missed the order, else it begins anew. */
export function carriedRound(round: LookRound, missed: boolean): { lookAt: number; roundCounts: boolean } {
  return missed && !round.last
    ? { lookAt: round.index + 1, roundCounts: round.counts }
    : { lookAt: 0, roundCounts: false };
}

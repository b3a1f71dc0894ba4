/** What a success brings beside its answer, made ready for the store: codes and sessions are sealed here. */
import type { JsonObject } from '../json.js';
import type { Claim } from '../orders/store/claim.js';
import type { Settlement, StoredDeliverable, StoredFact } from '../orders/store/settle.js';
import type { Outcome } from '../policy/outcome.js';

/** What a sealed fact is bound to. */
export function factContext(account: string, kind: string, key: string): string {
  return `fact:${account}:${kind}:${key}`;
}

/** What a sealed deliverable is bound to. */
export function deliverableContext(orderId: string, generation: number, position: number): string {
  return `deliverable:${orderId}:${generation}:${position}`;
}

export type Sealer = (value: JsonObject, context: string) => string;

/** The settlement with the outcome's facts and deliverables. */
export function withGains(settlement: Settlement, claim: Claim, outcome: Outcome, seal: Sealer): Settlement {
  if (outcome.kind !== 'accepted' && outcome.kind !== 'done' && outcome.kind !== 'observed')
    return settlement;
  const facts = outcome.facts?.map(
    ({ kind, key, value, ttlMs, secret }): StoredFact => ({
      kind,
      key,
      value: secret === true ? null : value,
      sealed: secret === true && value !== null ? seal(value, factContext(claim.account, kind, key)) : null,
      ttlMs: ttlMs ?? null,
    }),
  );
  const { order } = claim;
  const deliverables =
    order === null
      ? undefined
      : outcome.deliverables?.map(
          ({ position, sku, code, serial, expiresAt }): StoredDeliverable => ({
            generation: order.generation,
            position,
            sku,
            sealed: seal({ code, serial }, deliverableContext(order.id, order.generation, position)),
            expiresAt,
          }),
        );
  return {
    ...settlement,
    ...(facts === undefined ? {} : { facts }),
    ...(deliverables === undefined ? {} : { deliverables }),
  };
}

/** The simulators' own books, and what they show when they lie beside ours. Pure but for the reading. */
import { z } from 'zod';
import type { JsonObject } from '../json.js';
import { look, type Stage } from './stage.js';

const ledgerSchema = z.object({
  orders: z.array(
    z.object({ id: z.string(), code: z.string().optional(), reference: z.string(), status: z.string() }),
  ),
  requests: z.array(z.object({ verb: z.string().nullable(), status: z.number() })),
});
export type Ledger = z.output<typeof ledgerSchema>;

/** One of our orders, as far as the comparison goes. */
export interface OurOrder {
  reference: string;
  body: JsonObject;
  status: string;
  providerOrderId: string | null;
  /** A person has been told. */
  attention: string | null;
  held: boolean;
}

export interface Comparison {
  atProvider: number;
  /** Orders of ours that name one of the provider's. */
  here: number;
  /** Orders that the provider holds beyond those that the shop has sent. */
  doubled: number;
  /** Orders that we took and that are neither at the provider, nor ended with a reason, nor before a human. */
  lost: number;
  /** Orders at the provider that no order of ours names. */
  orphans: number;
}

/** What a simulator has heard and holds. */
export async function readLedger(stage: Stage): Promise<Ledger> {
  return ledgerSchema.parse(await look(stage, '/_ledger'));
}

/**
 * Under which reference a provider's ledger lists an order. A redeem at Zupy carries none of ours: there it is the
 * customer and the reward, which several orders may have in common.
 */
export function ledgerName(provider: string, body: JsonObject): string {
  if (provider !== 'zupy') return String(body.reference);
  const { customer, items } = zupyNames.parse(body);
  return `${customer.id}/${items[0].sku}`;
}

const zupyNames = z.object({
  customer: z.object({ id: z.string() }),
  items: z.tuple([z.object({ sku: z.string() })]),
});

/** Compares the books of one provider with the orders of one account. */
export function compareBooks(provider: string, ours: readonly OurOrder[], { orders }: Ledger): Comparison {
  // A coupon goes by its code: no answer to a redeem has the id.
  const names = new Set(orders.map(({ id, code }) => code ?? id));
  const known = new Set(
    ours.flatMap(({ providerOrderId }) => (providerOrderId === null ? [] : [providerOrderId])),
  );
  const sent = counted(ours.map(({ body }) => ledgerName(provider, body)));
  const held = counted(orders.map(({ reference }) => reference));
  // What nobody here has sent at all is no double but an orphan.
  const surplus = [...held].map(([name, times]) => Math.max(0, times - (sent.get(name) ?? times)));
  return {
    atProvider: orders.length,
    here: known.size,
    doubled: surplus.reduce((sum, more) => sum + more, 0),
    lost: ours.filter((order) => isLost(order, names)).length,
    orphans: [...names].filter((name) => !known.has(name)).length,
  };
}

function isLost({ status, providerOrderId, attention, held }: OurOrder, names: ReadonlySet<string>): boolean {
  if (providerOrderId !== null) return !names.has(providerOrderId);
  return !['canceled', 'failed'].includes(status) && attention === null && !held;
}

function counted(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

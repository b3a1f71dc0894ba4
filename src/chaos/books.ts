/** The verdict: what the shop was told, our rows, and the providers' own ledgers, side by side. Pure. */
import { type Ledger, ledgerName } from '../demo/ledger.js';
import type { JsonObject } from '../json.js';

/** One of our orders, as far as the verdict goes. */
export interface ChaosRow {
  id: string;
  account: string;
  reference: string;
  body: JsonObject;
  status: string;
  providerOrderId: string | null;
  held: boolean;
  attention: string | null;
  /** An open dead letter stands for it. */
  letter: boolean;
  /** An operation of it is not over. */
  open: boolean;
  /** A call that makes it was accepted, or nobody knows what became of it. */
  maybeThere: boolean;
}

/** Where an order stands at the end: exactly one of these, or it is lost. */
export const FATES = ['accepted', 'rejected', 'canceled', 'open', 'human', 'lost'] as const;
export type Fate = (typeof FATES)[number];

/** What came of one account's orders. */
export interface Books extends Record<Fate, number> {
  account: string;
  /** Orders that the shop was told are taken. */
  taken: number;
  /** Orders in the provider's ledger. */
  atProvider: number;
  /** Orders in the ledger beyond those that were sent, whether or not a dead letter tells of them. */
  doubled: number;
  /** Orders in the ledger that no order here names, and that no human was asked about. */
  unknownHere: number;
}

/** One account: what to compare. */
export interface Part {
  account: string;
  provider: string;
  /** Ids of orders that the shop was told are taken. */
  taken: readonly string[];
  rows: readonly ChaosRow[];
  ledger: Pick<Ledger, 'orders'>;
}

/** Where an order stands, by our own rows. */
export function fateOf(row: ChaosRow): Fate {
  if (row.providerOrderId !== null) return 'accepted';
  if (row.letter) return 'human';
  if (row.status === 'failed') return 'rejected';
  if (row.status === 'canceled') return 'canceled';
  if (row.held || row.open) return 'open';
  return row.attention === null ? 'lost' : 'human';
}

/** Compares the books of one account. */
export function compareAll({ account, provider, taken, rows, ledger }: Part): Books {
  const ids = new Set(ledger.orders.map(nameOfEntry));
  const fates = rows.map((row) => ({ row, fate: fateOf(row) }));
  const stored = new Set(rows.map(({ id }) => id));
  const count = (wanted: Fate) => fates.filter(({ fate }) => fate === wanted).length;
  // Believed accepted, and unknown to who is believed to have accepted it.
  const imagined = rows.filter(
    ({ providerOrderId }) => providerOrderId !== null && !ids.has(providerOrderId),
  );
  const forgotten = taken.filter((id) => !stored.has(id));
  return {
    account,
    taken: taken.length,
    accepted: count('accepted') - imagined.length,
    rejected: count('rejected'),
    canceled: count('canceled'),
    open: count('open'),
    human: count('human'),
    lost: count('lost') + imagined.length + forgotten.length,
    atProvider: ledger.orders.length,
    ...surplus(provider, fates, ledger),
  };
}

type Entry = Ledger['orders'][number];

/** A coupon goes by its code: no answer to a redeem has the id. */
function nameOfEntry({ id, code }: Entry): string {
  return code ?? id;
}

function surplus(
  provider: string,
  fates: readonly { row: ChaosRow; fate: Fate }[],
  { orders }: Part['ledger'],
): Pick<Books, 'doubled' | 'unknownHere'> {
  const named = new Set(fates.map(({ row }) => row.providerOrderId));
  const ours = groupBy(fates, ({ row }) => ledgerName(provider, row.body));
  let doubled = 0;
  let unknownHere = 0;
  for (const [name, entries] of groupBy(orders, ({ reference }) => reference)) {
    const mine = ours.get(name) ?? [];
    const most = mostOf(provider, mine);
    const more = mine.length === 0 ? 0 : Math.max(0, entries.length - most);
    const strange = entries.filter((entry) => !named.has(nameOfEntry(entry))).length;
    const asked = mine.filter(({ fate }) => fate === 'human' || fate === 'open').length;
    doubled += more;
    unknownHere += Math.max(0, strange - asked - more);
  }
  return { doubled, unknownHere };
}

function groupBy<T>(list: readonly T[], nameOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of list) {
    const name = nameOf(value);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [value]);
    else group.push(value);
  }
  return groups;
}

/** A reference is there once. A customer's coupons of one reward are as many as were, or may have been, redeemed. */
function mostOf(provider: string, mine: readonly { row: ChaosRow }[]): number {
  return provider === 'zupy' ? mine.filter(({ row }) => row.maybeThere).length : 1;
}

/** Whether nothing is lost, doubled, or at a provider without anybody here knowing. */
export function isInOrder(books: readonly Books[]): boolean {
  return books.every(({ lost, doubled, unknownHere }) => lost + doubled + unknownHere === 0);
}

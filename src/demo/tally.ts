/** What came of the demo: our rows beside the provider's own ledger. */
import Table from 'cli-table3';
import { z } from 'zod';
import type { Sql } from '../database/connect.js';

const ledgerSchema = z.object({
  orders: z.array(z.object({ id: z.string(), reference: z.string(), status: z.string() })),
  requests: z.array(z.object({ verb: z.string().nullable(), status: z.number() })),
});
export type Ledger = z.output<typeof ledgerSchema>;

export interface Tally {
  statuses: Record<string, number>;
  attempts: number;
  retries: number;
  throttled: number;
  confirmed: number;
  deadLetters: number;
  held: number;
  atProvider: number;
  here: number;
  /** References that the provider holds more than once. */
  doubled: number;
  /** Orders that we took and that are neither at the provider, nor ended with a reason, nor before a human. */
  lost: number;
  /** Orders at the provider that no order of ours names. */
  orphans: number;
}

export async function readLedger(url: string): Promise<Ledger> {
  const answer = await fetch(new URL('/_ledger', url));
  return ledgerSchema.parse(await answer.json());
}

/** How many operations are still under way. */
export async function openOperations(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ n: number }>(
    `select count(*)::int as n from packline.operations where kind <> 'poll' and state not in ('succeeded', 'rejected', 'dead', 'canceled')`,
  );
  return row?.n ?? 0;
}

/** Orders that the provider still works on. */
export async function openOrders(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ n: number }>(
    `select count(*)::int as n from packline.orders where status in ('received', 'submitted', 'in_progress', 'shipped') and not held`,
  );
  return row?.n ?? 0;
}

export async function statusCounts(sql: Sql): Promise<Record<string, number>> {
  const rows = await sql.query<{ status: string; n: number }>(
    `select status, count(*)::int as n from packline.orders group by status order by status`,
  );
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
}

export async function takeTally(sql: Sql, ledger: Ledger): Promise<Tally> {
  const [facts] = await sql.query<
    Pick<Tally, 'attempts' | 'retries' | 'confirmed' | 'deadLetters' | 'held'>
  >(`
    select (select count(*)::int from packline.attempts) as attempts,
      (select count(*)::int from packline.events where type = 'operation.retrying') as retries,
      (select count(*)::int from packline.attempts a where a.verdict = 'accepted' and a.report = 'unknown') as confirmed,
      (select count(*)::int from packline.dead_letters where state = 'open') as "deadLetters",
      (select count(*)::int from packline.orders where held) as held`);
  const orders = await sql.query<{
    reference: string;
    status: string;
    providerOrderId: string | null;
    attention: string | null;
    held: boolean;
  }>(
    `select reference, status, provider_order_id as "providerOrderId", attention_code as attention, held from packline.orders`,
  );
  const byReference = new Map<string, number>();
  for (const { reference } of ledger.orders)
    byReference.set(reference, (byReference.get(reference) ?? 0) + 1);
  const known = new Set(
    orders.flatMap(({ providerOrderId }) => (providerOrderId === null ? [] : [providerOrderId])),
  );
  const ids = new Set(ledger.orders.map(({ id }) => id));
  const missing = orders.filter(({ status, providerOrderId, attention, held }) =>
    providerOrderId === null
      ? !['canceled', 'failed'].includes(status) && attention === null && !held
      : !ids.has(providerOrderId),
  );
  return {
    statuses: await statusCounts(sql),
    ...(facts ?? { attempts: 0, retries: 0, confirmed: 0, deadLetters: 0, held: 0 }),
    throttled: ledger.requests.filter(({ status }) => status === 429).length,
    atProvider: ledger.orders.length,
    here: known.size,
    doubled: [...byReference.values()].filter((times) => times > 1).length,
    lost: missing.length,
    orphans: ledger.orders.filter(({ id }) => !known.has(id)).length,
  };
}

/** The tally as a table for a terminal. */
export function tallyTable(tally: Tally, sent: { orders: number; refused: number }, seconds: number): string {
  const table = new Table({ head: ['what', 'how many'], style: { head: [], border: [] } });
  table.push(
    ['orders sent by the shop', String(sent.orders)],
    ['refused at intake (invalid)', String(sent.refused)],
    ...Object.entries(tally.statuses).map(([status, n]) => [`orders ${status}`, String(n)]),
    ['attempts (HTTP calls, reads included)', String(tally.attempts)],
    ['retries', String(tally.retries)],
    ['answers of 429', String(tally.throttled)],
    ['lost answers confirmed by lookup', String(tally.confirmed)],
    ['dead letters', String(tally.deadLetters)],
    ['orders at the provider / here', `${tally.atProvider} / ${tally.here}`],
    ['doubled', String(tally.doubled)],
    ['lost', String(tally.lost)],
    ['at the provider, unknown here', String(tally.orphans)],
    ['seconds', seconds.toFixed(1)],
  );
  return table.toString();
}

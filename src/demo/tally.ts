/** What came of the demo: our rows beside the providers' own ledgers, account by account. */
import Table from 'cli-table3';
import type { Sql } from '../database/connect.js';
import { ORDER_STATUSES } from '../orders/order.js';
import { type Comparison, compareBooks, type Ledger, type OurOrder } from './ledger.js';

/** What was sent to one account. */
export interface Sent {
  orders: number;
  refused: number;
  /** Valid orders that were refused, or invalid ones that were taken. */
  unexpected: number;
}

/** What our own rows say of one account. */
export interface Rows {
  statuses: Readonly<Record<string, number>>;
  held: number;
  attempts: number;
  retries: number;
  confirmed: number;
  deadLetters: number;
}

export interface Tally extends Sent, Rows, Comparison {
  account: string;
  throttled: number;
}

type Figures = Omit<Rows, 'statuses' | 'held'>;

const FIGURES = `
select a.id as account,
  (select count(*)::int from packline.attempts t where t.account_id = a.id) as attempts,
  (select count(*)::int from packline.events e where e.account_id = a.id and e.type = 'operation.retrying') as retries,
  (select count(*)::int from packline.attempts t where t.account_id = a.id and t.verdict = 'accepted' and t.report = 'unknown') as confirmed,
  (select count(*)::int from packline.dead_letters l where l.account_id = a.id and l.state = 'open') as "deadLetters"
from packline.accounts a`;

const OUR_ORDERS = `
select account_id as account, reference, body, status, provider_order_id as "providerOrderId",
  attention_code as attention, held
from packline.orders`;

/** @param parts the accounts in the order of the table, with what was sent to each and its provider's ledger */
export async function takeTally(
  sql: Sql,
  parts: readonly { account: string; provider: string; sent: Sent; ledger: Ledger }[],
): Promise<Tally[]> {
  const figures = await sql.query<Figures & { account: string }>(FIGURES);
  const orders = await sql.query<OurOrder & { account: string }>(OUR_ORDERS);
  return parts.map(({ account, provider, sent, ledger }) => {
    const ours = orders.filter((order) => order.account === account);
    const own = figures.find((row) => row.account === account);
    if (own === undefined) throw new Error(`there is no account ${account}`);
    return { ...own, ...sent, ...standing(ours), ...compared(provider, ours, ledger) };
  });
}

function compared(
  provider: string,
  ours: readonly OurOrder[],
  ledger: Ledger,
): Comparison & { throttled: number } {
  const throttled = ledger.requests.filter(({ status }) => status === 429).length;
  return { ...compareBooks(provider, ours, ledger), throttled };
}

function standing(ours: readonly OurOrder[]): Pick<Rows, 'statuses' | 'held'> {
  const statuses: Record<string, number> = {};
  for (const { status, held } of ours) if (!held) statuses[status] = (statuses[status] ?? 0) + 1;
  return { statuses, held: ours.filter(({ held }) => held).length };
}

/** Whether nothing was lost or doubled, nothing is at a provider that we do not know of, and intake was right. */
export function isClean(tally: readonly Tally[]): boolean {
  return tally.every(({ lost, doubled, orphans, unexpected }) => lost + doubled + orphans + unexpected === 0);
}

type Line = [label: string, of: (tally: Tally) => number];

const BEFORE: readonly Line[] = [
  ['orders sent by the shop', ({ orders }) => orders],
  ['refused at intake (invalid)', ({ refused }) => refused],
];

const AFTER: readonly Line[] = [
  ['held here, unsent', ({ held }) => held],
  ['attempts (HTTP calls, reads included)', ({ attempts }) => attempts],
  ['retries', ({ retries }) => retries],
  ['answers of 429', ({ throttled }) => throttled],
  ['lost answers confirmed by lookup', ({ confirmed }) => confirmed],
  ['dead letters', ({ deadLetters }) => deadLetters],
  ['orders at the provider', ({ atProvider }) => atProvider],
  ['orders at the provider, known here', ({ here }) => here],
  ['doubled', ({ doubled }) => doubled],
  ['lost', ({ lost }) => lost],
  ['at the provider, unknown here', ({ orphans }) => orphans],
];

/** The tally as a table for a terminal, one column per account and one for all. */
export function tallyTable(tally: readonly Tally[]): string {
  const seen = ORDER_STATUSES.filter((status) => tally.some(({ statuses }) => (statuses[status] ?? 0) > 0));
  const lines = [
    ...BEFORE,
    ...seen.map((status): Line => [`orders ${status}`, ({ statuses }) => statuses[status] ?? 0]),
    ...AFTER,
  ];
  const table = new Table({
    head: ['', ...tally.map(({ account }) => account), 'all'],
    colAligns: ['left', ...tally.map(() => 'right' as const), 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const [label, of] of lines) {
    const figures = tally.map(of);
    table.push([label, ...[...figures, figures.reduce((sum, figure) => sum + figure, 0)].map(String)]);
  }
  return table.toString();
}

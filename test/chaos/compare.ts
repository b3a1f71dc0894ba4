/** What the providers hold against what the database says. */
import type { Ledger, Listed, Shop } from './shop.js';

/** Where the two differ; every list is empty where they do not. Orders are named `account/reference` or `account/id`. */
export interface Comparison {
  /** Orders that the provider does not hold, and that nobody is asked about. */
  lost: string[];
  /** Orders at the provider that no order here holds, and that no letter tells of. */
  doubled: string[];
  /** Operations that are still said to be under way. */
  running: string[];
  /** Attempts of which nobody knows what became, without a letter. */
  unaccounted: string[];
  /** Orders with more than one accepted call of one generation, without a letter. */
  acceptedTwice: string[];
  /** Accounts whose provider was asked for more or fewer orders than there are. */
  askedOften: string[];
}

const ORDERS = `
select d.account_id as account, d.reference, d.provider_order_id as "providerOrderId",
  exists (select 1 from packline.dead_letters l where l.order_id = d.id and l.state = 'open') as letter
from packline.orders d order by d.id`;

interface OrderRow {
  account: string;
  reference: string;
  providerOrderId: string | null;
  letter: boolean;
}

const RUNNING = `
select o.account_id || '/' || o.id as name from packline.operations o where o.state = 'running' and o.kind <> 'poll'`;

const UNACCOUNTED = `
select a.account_id || '/' || a.id as name from packline.attempts a
where not a.repeatable and a.verdict is null
  and not exists (select 1 from packline.dead_letters l where l.operation_id = a.operation_id and l.state = 'open')`;

const ACCEPTED_TWICE = `
select d.account_id || '/' || d.reference as name from packline.attempts a join packline.orders d on d.id = a.order_id
where not a.repeatable and a.verdict = 'accepted'
  and not exists (select 1 from packline.dead_letters l where l.order_id = d.id and l.code = 'duplicate')
group by d.id, a.generation having count(*) > 1`;

const LETTERS = `select candidates::text as name from packline.dead_letters where state = 'open'`;

/** Compares the simulators' ledgers with the rows. */
export async function compare({ query, ledgers }: Pick<Shop, 'query' | 'ledgers'>): Promise<Comparison> {
  const names = async (sql: string) => (await query<{ name: string }>(sql)).map(({ name }) => name);
  const rows = await query<OrderRow>(ORDERS);
  const letters = await names(LETTERS);
  const shops = [...(await ledgers())].map(([account, ledger]) => ({
    account,
    ledger,
    rows: rows.filter((row) => row.account === account),
  }));
  return {
    lost: shops.flatMap(({ ledger, rows: ours }) => missingAt(ledger, ours)),
    doubled: shops.flatMap(({ account, ledger, rows: ours }) =>
      unknownHere(ledger, ours)
        .filter((name) => !letters.some((text) => text.includes(name)))
        .map((name) => `${account}/${name}`),
    ),
    running: await names(RUNNING),
    unaccounted: await names(UNACCOUNTED),
    acceptedTwice: await names(ACCEPTED_TWICE),
    askedOften: shops
      .map(({ account, ledger, rows: ours }) => ({ account, asked: submitsIn(ledger), orders: ours.length }))
      .filter(({ asked, orders }) => asked !== orders)
      .map(({ account, asked, orders }) => `${account}: ${asked} for ${orders}`),
  };
}

const nameOf = ({ id, code }: Listed) => code ?? id;

function missingAt({ orders }: Ledger, ours: readonly OrderRow[]): string[] {
  const theirs = new Set(orders.map(nameOf));
  return ours
    .filter(({ letter, providerOrderId }) => !letter && !theirs.has(providerOrderId ?? ''))
    .map(({ account, reference }) => `${account}/${reference}`);
}

function unknownHere({ orders }: Ledger, ours: readonly OrderRow[]): string[] {
  const held = new Set(ours.map(({ providerOrderId }) => providerOrderId));
  return orders.map(nameOf).filter((name) => !held.has(name));
}

/** How many requests for a new order have reached the provider. */
function submitsIn({ requests }: Ledger): number {
  return requests.filter(({ verb }) => verb === 'submit').length;
}

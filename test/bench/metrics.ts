/** How long a scrape of `/metrics` takes with 100 accounts and 1,000,000 orders. */
import type { Database } from '../../src/database/connect.js';
import { createLog } from '../../src/log.js';
import { type Role, type Running, startProcess } from '../../src/process.js';
import { systemTime } from '../../src/time.js';
import { accountsFile, configOf } from './orders.js';
import type { Rig } from './rig.js';

/** How large the database is. */
export interface MetricsSize {
  accounts: number;
  orders: number;
  scrapes: number;
}

/** What scrapes took, ms. */
export interface MetricsFigures {
  /** The first one of a process that has just started. */
  firstMs: number;
  p50Ms: number;
  p95Ms: number;
  maxMs: number;
  lines: number;
}

const SIZE: MetricsSize = { accounts: 100, orders: 1_000_000, scrapes: 200 };
/** So far apart that readings of the rows are renewed many times in a run. */
const BETWEEN_MS = 100;

// Of a thousand orders one has failed, one waits for its call, eight are on their way; the rest is delivered.
const ORDERS = `
insert into packline.orders (id, account_id, reference, body, body_hash, status, provider_order_id)
select (lpad(to_hex(1767225600000 + n), 12, '0') || '7000800' || lpad(to_hex(n), 13, '0'))::uuid, 'bench-' || n % $2::int,
  'bench-' || n, jsonb_build_object('reference', 'bench-' || n, 'filler', repeat(md5(n::text), 16)), md5(n::text),
  (case when n % 1000 = 0 then 'failed' when n % 1000 = 1 then 'received' when n % 1000 < 10 then 'in_progress' else 'delivered' end)::packline.order_status,
  case when n % 1000 > 1 then 'p-' || n end
from generate_series(1, $1::int) n`;

const OPERATIONS = `
insert into packline.operations (order_id, account_id, kind, state, priority, step, step_repeatable, ring_at, finished_at)
select o.id, o.account_id, 'submit', (case o.status when 'received' then 'pending' when 'failed' then 'rejected' else 'succeeded' end)::packline.operation_state,
  5, 'submit', false, case when o.status = 'received' then now() end, case when o.status <> 'received' then now() end
from packline.orders o`;

const ATTEMPTS = `
insert into packline.attempts (operation_id, order_id, account_id, step, repeatable, fence, owner, send_by, timeout_ms, report, verdict, provider_order_id)
select p.id, p.order_id, p.account_id, 'submit', false, 1, 1, now(), 30000, 'accepted', 'accepted', o.provider_order_id
from packline.operations p join packline.orders o on o.id = p.order_id where p.state = 'succeeded'`;

async function fill(db: Database, { accounts, orders }: MetricsSize): Promise<void> {
  await db.query(ORDERS, orders, accounts);
  await db.query(OPERATIONS);
  await db.query(ATTEMPTS);
  // What autovacuum does by itself where rows come in one after the other.
  await db.pool.query('vacuum analyze packline.orders, packline.operations, packline.attempts');
}

function start(databaseUrl: string, roles: Role[], migrate: boolean): Promise<Running> {
  return startProcess({
    config: configOf(databaseUrl, null),
    roles,
    migrate,
    log: createLog('silent'),
    time: systemTime,
    env: {},
    onFatal: (reason) => {
      throw new Error(reason);
    },
  });
}

async function scrape({ url, base }: Running): Promise<{ ms: number; text: string }> {
  const began = systemTime.clock.monotonic();
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${base.apiKey}` } });
  const text = await answer.text();
  const ms = systemTime.clock.monotonic() - began;
  if (answer.status !== 200 || !/^packline_collect_failed 0$/m.test(text))
    throw new Error(`${answer.status}: ${text.slice(0, 500)}`);
  return { ms, text };
}

/** Fills a database and scrapes a process that runs on it. @throws where a scrape tells less than everything */
export async function measureMetrics(databaseUrl: string, size: MetricsSize): Promise<MetricsFigures> {
  const filling = await start(databaseUrl, ['api'], true);
  const [account] = accountsFile('https://provider.example', {
    requests: 10,
    perMs: 1_000,
    concurrency: 1,
  }).accounts;
  const accounts = Array.from({ length: size.accounts }, (_, n) => ({ ...account, id: `bench-${n}` }));
  const applied = await filling.base.operator.applyAccounts({ accounts }, {});
  if (!applied.ok) throw new Error(JSON.stringify(applied.problem));
  await fill(filling.base.db, size);
  await filling.stop();
  // A role that changes nothing: the figures are those of the scrape alone.
  const running = await start(databaseUrl, ['api'], false);
  try {
    const first = await scrape(running);
    const took: number[] = [];
    for (let n = 0; n < size.scrapes; n += 1) {
      await systemTime.sleep(BETWEEN_MS);
      took.push((await scrape(running)).ms);
    }
    took.sort((a, b) => a - b);
    const at = (part: number) =>
      took[Math.min(took.length - 1, Math.floor(took.length * part))] ?? Number.NaN;
    const lines = first.text.split('\n').length;
    return { firstMs: first.ms, p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1), lines };
  } finally {
    await running.stop();
  }
}

/** Prints one JSON line. */
export async function metrics(rig: Rig): Promise<void> {
  const figures = await measureMetrics(await rig.database('metrics'), SIZE);
  const rounded = Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(1))]),
  );
  process.stdout.write(`${JSON.stringify({ bench: 'metrics', ...SIZE, ...rounded })}\n`);
}

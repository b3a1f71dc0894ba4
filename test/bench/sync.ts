/**
 * Provider calls per open order, when all open orders of an account are looked at and a few have changed: packline
 * against the simulator, at the documented pace.
 */
import { request } from 'undici';
import { createLog } from '../../src/log.js';
import { type Running, startProcess } from '../../src/process.js';
import type { LedgerRequest } from '../../src/simulator/control.js';
import { startGelatoSimulator } from '../../src/simulator/gelato-connect/index.js';
import type { Simulator } from '../../src/simulator/kit.js';
import { systemTime } from '../../src/time.js';
import { until } from '../helpers/until.js';
import { configOf } from './orders.js';
import type { Rig } from './rig.js';

/** A run that stands still ends with an error. */
const LONGEST_RUN_MS = 600_000;
/** Seldom enough not to weigh on the run that it measures. */
const POLL_MS = 250;
/** Requests under way while the simulator is filled. */
const AT_ONCE = 50;
const ACCOUNT = 'bench';

export interface SyncBench {
  databaseUrl: string;
  /** Null: the queue is in PostgreSQL too. */
  redisUrl: string | null;
  orders: number;
  /** Of all orders, which part has changed. */
  share: number;
  /**
   * `passing`: of those that changed, a third has gone into production, has left, has arrived, as each order does
   * once. `leaving`: all of them have left, so that each needs a call of its own for its parcel.
   */
  changes: 'passing' | 'leaving';
}

export interface SyncFigures {
  callsPerOrder: number;
  calls: Record<string, number>;
  /** Answers of 429. */
  refused: number;
  /** Until every changed order is as the provider has it, and all reads are over. */
  seconds: number;
  /** Rows that it took. */
  operations: number;
  attempts: number;
}

/** What an order is at the provider before and after its change, and what it is here. */
const STAGES = [
  { here: 'submitted', there: 'created', next: 'in_production', becomes: 'in_progress' },
  { here: 'in_progress', there: 'in_production', next: 'shipped', becomes: 'shipped' },
  { here: 'shipped', there: 'shipped', next: 'delivered', becomes: 'delivered' },
] as const;

const stageOf = (n: number, changes: SyncBench['changes']) =>
  changes === 'leaving' ? STAGES[1] : STAGES[n % 3 === 0 ? 0 : n % 3 === 1 ? 1 : 2];

/** One sync of so many open orders. */
export async function measureSync(bench: SyncBench): Promise<SyncFigures> {
  // The simulator counts all calls of its filling; a limit of its own would only slow that down.
  const simulator = await startGelatoSimulator({
    apiKey: 'k',
    apiSecret: 's',
    stepMs: 0,
    requestsPerSecond: 1_000_000,
    time: systemTime,
  });
  try {
    const running = await startPackline(bench);
    try {
      return await measureOn(running, simulator, bench);
    } finally {
      await running.stop();
    }
  } finally {
    await simulator.close();
  }
}

async function measureOn(running: Running, simulator: Simulator, bench: SyncBench): Promise<SyncFigures> {
  const { operator, db } = running.base;
  const { limits: _, ...entry } = simulator.account(ACCOUNT);
  const applied = await operator.applyAccounts({ accounts: [entry] }, {});
  if (!applied.ok) throw new Error(JSON.stringify(applied.problem));
  const ids = await inParallel(bench.orders, (n) => place(simulator, n, stageOf(n, bench.changes).there));
  await insertRows(running, ids, bench);
  const changed = Array.from({ length: Math.round(bench.orders * bench.share) }, (_, k) =>
    Math.floor(k / bench.share),
  );
  await inParallel(changed.length, (k) =>
    advance(simulator, changed[k] ?? 0, stageOf(changed[k] ?? 0, bench.changes).next),
  );
  const before = await requestsOf(simulator);

  const started = systemTime.clock.monotonic();
  const asked = await operator.sync({ account: ACCOUNT }, 'bench');
  if (!asked.ok) throw new Error(JSON.stringify(asked.problem));
  const [operation] = asked.value.accounts;
  if (operation?.orders !== bench.orders) throw new Error(`${operation?.orders} orders are to be read`);
  const isOver = async () => (await operator.syncProgress([operation.operationId]))[0]?.state === 'succeeded';
  await until('the sync is over', isOver, LONGEST_RUN_MS, POLL_MS);
  const seconds = (systemTime.clock.monotonic() - started) / 1_000;

  const wrong = await stillAsBefore(running, changed, bench);
  if (wrong > 0) throw new Error(`${wrong} changes were not seen`);
  const requests = (await requestsOf(simulator)).slice(before.length);
  const calls: Record<string, number> = {};
  for (const { verb } of requests) calls[verb] = (calls[verb] ?? 0) + 1;
  const [rows] = await db.query<{ operations: number; attempts: number }>(
    'select (select count(*) from packline.operations)::int as operations, (select count(*) from packline.attempts)::int as attempts',
  );
  return {
    callsPerOrder: Number((requests.length / bench.orders).toFixed(4)),
    calls,
    refused: requests.filter(({ status }) => status === 429).length,
    seconds: Number(seconds.toFixed(1)),
    operations: rows?.operations ?? 0,
    attempts: rows?.attempts ?? 0,
  };
}

function startPackline({ databaseUrl, redisUrl }: SyncBench): Promise<Running> {
  return startProcess({
    config: configOf(databaseUrl, redisUrl),
    roles: ['dispatcher', 'fulfilment', 'maintenance'],
    migrate: true,
    log: createLog('silent'),
    time: systemTime,
    env: {},
    onFatal: (reason) => {
      throw new Error(reason);
    },
  });
}

/** Puts an order into the simulator, as a shop's submit would. Returns its id. */
async function place(simulator: Simulator, n: number, status: string): Promise<string> {
  const { config, credentials } = simulator.account(ACCOUNT);
  const headers = {
    'content-type': 'application/json',
    'X-API-KEY': `${credentials.apiKey}:${credentials.apiSecret}`,
  };
  const answer = await request(String(config.submitUrl), {
    method: 'POST',
    headers,
    body: JSON.stringify({
      orderReferenceId: referenceOf(n),
      currency: 'EUR',
      shippingAddress: {
        country: 'DE',
        firstName: 'Ada',
        lastName: 'Winter',
        addressLine1: 'Long Street 1',
        city: 'Berlin',
        postCode: '10115',
        email: 'ada@example.com',
        phone: '+49301234567',
      },
      items: [
        {
          itemReferenceId: `i-${n}`,
          quantity: 1,
          productUid: 'poster_a3',
          files: [{ type: 'default', url: 'https://files.example.com/a.pdf' }],
        },
      ],
    }),
  });
  // What a submit answers is documented (GelatoConnect, "Submit Order").
  const { id } = (await answer.body.json()) as { id?: unknown };
  if (typeof id !== 'string') throw new Error(`the simulator refused order ${n}: ${answer.statusCode}`);
  if (status !== 'created') await advance(simulator, n, status);
  return id;
}

const referenceOf = (n: number) => `sync-${n}`;

async function advance({ url }: Simulator, n: number, status: string): Promise<void> {
  const answer = await request(`${url}/_control/advance`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reference: referenceOf(n), status }),
  });
  await answer.body.dump();
  if (answer.statusCode !== 200)
    throw new Error(`order ${n} does not become ${status}: ${answer.statusCode}`);
}

async function requestsOf({ url }: Simulator): Promise<LedgerRequest[]> {
  const answer = await request(`${url}/_ledger`);
  // What the ledger holds is declared by the server itself (simulator/kit.ts).
  return ((await answer.body.json()) as { requests: LedgerRequest[] }).requests.filter(
    ({ verb }) => verb !== 'submit',
  );
}

/** As they stand some time after they were accepted; none is due, so that the schedule leaves them to the sync. */
async function insertRows(running: Running, ids: readonly string[], { changes }: SyncBench): Promise<void> {
  const statuses = ids.map((_, n) => stageOf(n, changes));
  await running.base.db.query(
    `insert into packline.orders (id, account_id, reference, body, body_hash, status, raw_status, provider_order_id, tracking,
       observed_at, read_due_at, created_at)
     select gen_random_uuid(), $1, 'sync-' || (x.n - 1), '{}', 'h', x.status::packline.order_status, x.raw, x.id,
       case when x.status = 'shipped' then '[{"carrier":"DHL","code":"T1","url":null,"status":null}]'::jsonb else '[]' end,
       now() - interval '1 hour', now() + interval '1 hour', now() - interval '2 days'
     from unnest($2::text[], $3::text[], $4::text[]) with ordinality as x(id, status, raw, n)`,
    ACCOUNT,
    [...ids],
    statuses.map(({ here }) => here),
    statuses.map(({ there }) => there),
  );
  await running.base.db.query('analyze packline.orders');
}

async function stillAsBefore(
  running: Running,
  changed: readonly number[],
  { changes }: SyncBench,
): Promise<number> {
  const [row] = await running.base.db.query<{ n: number }>(
    `select count(*)::int as n from unnest($1::text[], $2::text[]) as x(reference, status)
     join packline.orders d on d.reference = x.reference where d.status::text <> x.status`,
    changed.map(referenceOf),
    changed.map((n) => stageOf(n, changes).becomes),
  );
  return row?.n ?? -1;
}

/** Does something `count` times, some at once. */
async function inParallel<T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const results = new Array<T>(count);
  let next = 0;
  const hand = async () => {
    for (let n = next++; n < count; n = next++) results[n] = await work(n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, hand));
  return results;
}

/** Prints a line per kind of changes. */
export async function sync(rig: Rig): Promise<void> {
  const [orders, share] = [20_000, 0.02];
  for (const [nth, changes] of (['passing', 'leaving'] as const).entries()) {
    const databaseUrl = await rig.database(`sync_${changes}`);
    // A queue of its own: the kept jobs of another database would swallow those of the same names.
    const redisUrl = new URL(`/${nth + 1}`, rig.redisUrl).href;
    const figures = await measureSync({ databaseUrl, redisUrl, orders, share, changes });
    const line = {
      bench: 'sync',
      provider: 'gelato-connect',
      orders,
      changed: orders * share,
      changes,
      ...figures,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

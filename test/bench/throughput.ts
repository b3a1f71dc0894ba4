/**
 * Orders per second, end to end, against an instant provider: packline beside a worker as one would write it by
 * hand (BullMQ, one HTTP call, two plain statements, no guarantees), in one run, in one process each.
 */
import { createPostgresBackend, type PostgresConnectionOptions, Queue, runMigrations, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Agent, request } from 'undici';
import { createLog } from '../../src/log.js';
import { startProcess } from '../../src/process.js';
import { systemTime } from '../../src/time.js';
import { until } from '../helpers/until.js';
import { accountsFile, configOf, orderBody } from './orders.js';
import type { Rig } from './rig.js';

type Backend = 'redis' | 'postgres';

const ORDERS: Record<Backend, number> = { redis: 10_000, postgres: 4_000 };
/** Calls under way, for both. */
const CONCURRENCY = 100;
const BATCH = 500;
/** Far above what any machine takes for so many orders: a run that stands still ends with an error. */
const LONGEST_RUN_MS = 600_000;
/** Often enough for the figures, and seldom enough not to weigh on the run that it measures. */
const POLL_MS = 20;

/** Seconds until all orders are stored, called and settled. */
async function packline(rig: Rig, backend: Backend, orders: number): Promise<number> {
  const config = configOf(
    await rig.database(`packline_${backend}`),
    backend === 'redis' ? rig.redisUrl : null,
  );
  const running = await startProcess({
    config,
    roles: ['dispatcher', 'fulfilment', 'maintenance'],
    migrate: true,
    log: createLog('silent'),
    time: systemTime,
    env: {},
    onFatal: (reason) => {
      throw new Error(reason);
    },
  });
  const applied = await running.base.operator.applyAccounts(
    accountsFile(rig.providerUrl, { requests: 1_000_000, perMs: 1_000, concurrency: CONCURRENCY }),
    {},
  );
  if (!applied.ok) throw new Error(JSON.stringify(applied.problem));
  const started = systemTime.clock.monotonic();
  for (let at = 0; at < orders; at += BATCH) {
    await running.base.operator.submitMany(
      Array.from({ length: Math.min(BATCH, orders - at) }, (_, n) => orderBody(at + n)),
      'bench',
    );
  }
  const areSubmitted = async () => {
    const [row] = await running.base.db.query<{ n: number }>(
      `select count(*)::int as n from packline.orders where status = 'submitted'`,
    );
    return (row?.n ?? 0) >= orders;
  };
  await until('all orders are submitted', areSubmitted, LONGEST_RUN_MS, POLL_MS);
  const seconds = (systemTime.clock.monotonic() - started) / 1_000;
  await running.stop();
  return seconds;
}

/** The same work, written by hand: order rows, a job each, one call, one update. */
async function byHand(rig: Rig, backend: Backend, orders: number): Promise<number> {
  const url = await rig.database(`by_hand_${backend}`);
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  await pool.query('create table orders (id int primary key, body jsonb, status text, provider_id text)');
  const parts = backend === 'redis' ? onRedis(rig.redisUrl) : await onPostgres(url);
  const agent = new Agent({ connections: 256, pipelining: 1 });
  let done = 0;
  const worker = parts.worker(async (id) => {
    const { rows } = await pool.query<{ body: unknown }>('select body from orders where id = $1', [id]);
    const answer = await request(rig.providerUrl, {
      method: 'POST',
      body: JSON.stringify(rows[0]?.body),
      headers: { 'content-type': 'application/json' },
      dispatcher: agent,
    });
    const read = await answer.body.json();
    const providerId = typeof read === 'object' && read !== null && 'id' in read ? String(read.id) : null;
    await pool.query(`update orders set status = 'submitted', provider_id = $2 where id = $1`, [
      id,
      providerId,
    ]);
    done += 1;
  });
  const started = systemTime.clock.monotonic();
  for (let at = 0; at < orders; at += BATCH) {
    const ids = Array.from({ length: Math.min(BATCH, orders - at) }, (_, n) => at + n);
    await pool.query(
      `insert into orders (id, body, status) select n, b, 'received' from unnest($1::int[], $2::jsonb[]) as x(n, b)`,
      [ids, ids.map((n) => JSON.stringify(orderBody(n)))],
    );
    await parts.queue.addBulk(
      ids.map((id) => ({ name: 'submit', data: { id }, opts: { removeOnComplete: true } })),
    );
  }
  await until('all jobs are done', () => done >= orders, LONGEST_RUN_MS, POLL_MS);
  const seconds = (systemTime.clock.monotonic() - started) / 1_000;
  await worker.close();
  await parts.close();
  await agent.close();
  await pool.end();
  return seconds;
}

interface Parts {
  queue: Queue;
  worker(run: (id: number) => Promise<void>): { close(): Promise<void> };
  close(): Promise<void>;
}

function onRedis(url: string): Parts {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  const queue = new Queue('by-hand', { connection });
  return {
    queue,
    worker: (run) =>
      new Worker<{ id: number }>('by-hand', (job) => run(job.data.id), {
        connection,
        concurrency: CONCURRENCY,
      }),
    async close() {
      await queue.close();
      connection.disconnect();
    },
  };
}

async function onPostgres(url: string): Promise<Parts> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await runMigrations(client);
  await client.end();
  const pool = new pg.Pool({ connectionString: url, max: 20, options: '-c search_path=bullmq' });
  // BullMQ names the part of a pool that it uses with looser types; a pg.Pool has all of it.
  const connection = pool as unknown as PostgresConnectionOptions;
  const queue = new Queue('by-hand', { connection }, createPostgresBackend) as unknown as Queue;
  return {
    queue,
    worker: (run) =>
      new Worker(
        'by-hand',
        (job: { data: { id: number } }) => run(job.data.id),
        { connection, concurrency: CONCURRENCY },
        createPostgresBackend,
      ),
    async close() {
      await queue.close();
      await pool.end();
    },
  };
}

/** Prints one JSON line per backend. */
export async function throughput(rig: Rig): Promise<void> {
  for (const backend of ['redis', 'postgres'] as const) {
    const orders = ORDERS[backend];
    const hand = orders / (await byHand(rig, backend, orders));
    const ours = orders / (await packline(rig, backend, orders));
    const line = {
      bench: 'throughput',
      backend,
      orders,
      ordersPerSecond: Math.round(ours),
      byHandPerSecond: Math.round(hand),
      ratio: Number((ours / hand).toFixed(2)),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

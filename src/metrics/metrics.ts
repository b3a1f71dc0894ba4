/**
 * `/metrics`: what this process saw, and what the rows say, which is the same from whichever process is asked.
 *
 * Orders are counted as they stand, those that are over included, since "how many have failed" is asked of all of
 * them. That is one index scan, a tenth of a second for a million; it is not done at each scrape (see snapshot.ts).
 * Of operations only those that are not over are counted, which an index as short as the backlog serves: the table
 * grows with every read of a status, and nobody asks how many there ever were. What becomes of them is a counter.
 */
import type { Logger } from 'pino';
import type { AccountCache } from '../accounts/cache.js';
import type { Database, Sql } from '../database/connect.js';
import { checkInvariants } from '../maintenance/invariants.js';
import type { Provider } from '../providers/provider.js';
import type { Time } from '../time.js';
import { codeLabels } from './codes.js';
import type { Pool, ProcessMetrics } from './process-metrics.js';
import { invariantMetrics, orderMetrics, workMetrics } from './row-metrics.js';
import { accountPauses, auditRows, countLetters, countOperations, countOrders, gateStates } from './rows.js';
import { createSnapshot, type Reading, type Snapshot, type Taken } from './snapshot.js';

/** What metrics are made of. */
export interface MetricsDeps {
  process: ProcessMetrics;
  db: Pick<Database, 'transaction'> & { pool: Pool };
  accounts: Pick<AccountCache, 'all'>;
  providers: readonly Provider[];
  time: Time;
  log: Logger;
  /** How long readings of the rows are kept, ms. */
  freshMs?: Partial<Record<Part, number>>;
}

/** What is read from the rows together. */
type Part = 'orders' | 'work' | 'invariants';

/** A part that was read; `later` where there is no reading yet, `failed` where it cannot be had. */
type Read = (Reading<string> & { part: Part }) | 'later' | 'failed';

/** What `/metrics` answers. */
export interface Metrics {
  /** Reads what takes its time in a large database, so that the first scrape need not. Never rejects. */
  warm(): Promise<void>;
  /** Prometheus' text format. What cannot be read is left out, and said to be. */
  text(): Promise<string>;
}

/** Scrapes come every 15 s or so, from a few places: these share a reading. */
const FRESH_MS: Record<Part, number> = { orders: 2_000, work: 2_000, invariants: 60_000 };
/** A statement that takes longer is given up, ms: metrics must never be what slows the database down. */
const STATEMENT_MS = 5_000;
/** A reading is waited for no longer, ms: Prometheus gives up after 10 s by default, and two may come one after the other. */
const PATIENCE_MS = 4_000;
/** From so many rows on, a reading takes longer than a scrape should. */
const MANY = 100_000;

/** @returns what `/metrics` answers, read as it is asked for */
export function createMetrics(deps: MetricsDeps): Metrics {
  const { time, log } = deps;
  const parts = partsOf(deps);
  const failing = new Set<Part>();

  const read = async (part: Part, waits = true): Promise<Read> => {
    try {
      const reading = waits ? await patiently(parts[part].get(), time) : parts[part].peek();
      if (reading === null) return 'later';
      failing.delete(part);
      return { part, ...reading };
    } catch (error) {
      if (!failing.has(part))
        log.error(
          { event: 'metrics.trouble', part, err: error },
          'a part of the metrics cannot be read and is left out; this is said once',
        );
      failing.add(part);
      return 'failed';
    }
  };

  /** In a large database the invariants take longer than any scrape should: it does without them until they are there. */
  const readAll = async () => {
    const work = read('work');
    const orders = await read('orders');
    return [orders, ...(await Promise.all([work, read('invariants', !isLarge(orders))]))];
  };

  return {
    async warm() {
      if (isLarge(await read('orders'))) await readAll();
    },
    async text() {
      const taken = await readAll();
      const readings = taken.filter((reading) => typeof reading === 'object');
      const ages = new Map(readings.map(({ part, ageMs }) => [part, ageMs / 1_000]));
      const failed = taken.includes('failed');
      const own = await deps.process.text({ pool: deps.db.pool, failed, ages });
      return [own, ...readings.map(({ value }) => value)].join('\n');
    },
  };
}

function partsOf(deps: MetricsDeps): Record<Part, Snapshot<string>> {
  const { accounts, providers, time, freshMs } = deps;
  const codeOf = codeLabels(providers);
  const kept = (part: Part, take: (sql: Sql) => Promise<Taken<string>>) =>
    createSnapshot({
      take: () => bounded(deps, take),
      freshMs: freshMs?.[part] ?? FRESH_MS[part],
      clock: time.clock,
    });
  let many = false;
  return {
    orders: kept('orders', async (sql) => {
      const counts = await countOrders(sql);
      many = total(counts) > MANY;
      return { value: await orderMetrics(counts), large: many };
    }),
    work: kept('work', async (sql) => {
      const work = {
        accounts: await accountPauses(sql),
        operations: await countOperations(sql),
        letters: await countLetters(sql),
        gates: await gateStates(sql),
        audits: await auditRows(sql),
      };
      const limits = accounts.all().map((account) => ({ account: account.id, limits: account.limits }));
      const large = total(work.operations) + total(work.letters) > MANY;
      return { value: await workMetrics(work, { codeOf, limits }), large };
    }),
    invariants: kept('invariants', async (sql) => ({
      value: await invariantMetrics(await checkInvariants(sql, 'recent')),
      large: many,
    })),
  };
}

const isLarge = (read: Read): boolean => typeof read === 'object' && read.large;

const total = (rows: readonly { count: number }[]): number => rows.reduce((sum, { count }) => sum + count, 0);

/** In a transaction of its own, so that its limits are no other statement's: of time, and of one processor. */
function bounded<T>({ db }: Pick<MetricsDeps, 'db'>, work: (sql: Sql) => Promise<T>): Promise<T> {
  return db.transaction(async (sql) => {
    await sql.query(
      `select set_config('statement_timeout', $1, true), set_config('max_parallel_workers_per_gather', '0', true)`,
      `${STATEMENT_MS}ms`,
    );
    return work(sql);
  });
}

async function patiently<T extends object>(reading: Promise<T>, { sleep }: Time): Promise<T> {
  const over = new AbortController();
  const late = sleep(PATIENCE_MS, over.signal).then(() => 'late' as const);
  try {
    const end = await Promise.race([reading, late]);
    if (end === 'late') throw new Error(`the rows were not read within ${PATIENCE_MS} ms`);
    return end;
  } finally {
    over.abort();
  }
}

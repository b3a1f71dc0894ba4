/**
 * Whether history slows work: what a claim and its settlement take beside a million orders that are over, against the
 * same without them. Both databases take turns, so that whatever else the machine does falls on both.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import pg from 'pg';
import { v7 as uuid } from 'uuid';
import { connect, type Database } from '../../src/database/connect.js';
import { migrate } from '../../src/database/migrate.js';
import { openPresence, PRESENCE_CLASS } from '../../src/database/presence.js';
import { createHotPath, type HotPath } from '../../src/fulfil/hot.js';
import type { Claim } from '../../src/orders/store/claim.js';
import { ringDue } from '../../src/orders/store/dispatch.js';
import { insertOrders } from '../../src/orders/store/intake.js';
import type { Settlement } from '../../src/orders/store/settle.js';
import { systemTime } from '../../src/time.js';
import { makeHistory } from '../helpers/history.js';
import { orderBody } from './orders.js';
import type { Rig } from './rig.js';

/** How large the two databases are. */
export interface BacklogSizes {
  /** Orders that are due, in both. */
  due: number;
  /** Orders in the large one, those that are due included. */
  orders: number;
}

const SIZES: BacklogSizes = { due: 10_000, orders: 1_000_000 };
const ACCOUNT = 'bench';
/** Bells of one turn; a process holds as many at once. */
const TURN = 100;
/** Turns that are not counted: connections plan their statements in them. */
const WARM_UP = 6;
const BATCH = 500;

/** One database under measurement. */
interface Side {
  db: Database;
  hot: HotPath;
  /** Of each order, ms from the wish to claim it until it is settled. */
  tookMs: number[];
  /** Of each round of bells, ms. */
  rangMs: number[];
  close(): Promise<void>;
}

async function openSide(url: string, due: number): Promise<Side> {
  const db = await connect({ url, max: 8, applicationName: 'bench', onError: () => undefined });
  const presence = await openPresence(url, {
    applicationName: 'bench',
    time: systemTime,
    log: () => undefined,
  });
  for (let at = 0; at < due; at += BATCH) {
    await insertOrders(
      db,
      Array.from({ length: Math.min(BATCH, due - at) }, (_, n) => ({
        id: uuid(),
        accountId: ACCOUNT,
        reference: `bench-${at + n}`,
        body: orderBody(at + n),
        bodyHash: `${at + n}`,
        held: false,
        step: 'submit',
        stepRepeatable: false,
        priority: 5,
        serialKey: null,
        lookable: true,
        actor: 'bench',
      })),
    );
  }
  const hot = createHotPath({
    db,
    owner: () => presence.key,
    presenceClass: PRESENCE_CLASS,
    time: systemTime,
  });
  return {
    db,
    hot,
    tookMs: [],
    rangMs: [],
    async close() {
      await presence.close();
      await db.close();
    },
  };
}

function accepted({ operationId, attemptId, fence }: Claim): Settlement {
  return {
    operationId,
    attemptId,
    fence,
    evidence: {
      report: 'accepted',
      verdict: 'accepted',
      outcome: 'accepted',
      code: 'ok',
      httpStatus: 200,
      providerOrderId: `p-${operationId}`,
      rule: null,
      durationMs: 10,
      excerpt: null,
      data: null,
    },
    transition: {
      state: 'succeeded',
      delayMs: 0,
      ringMs: null,
      spend: 1,
      lastOutcome: { kind: 'accepted', code: 'ok', message: null },
    },
    order: {
      from: ['received'],
      to: 'submitted',
      rawStatus: 'created',
      providerOrderId: `p-${operationId}`,
      providerData: null,
      failure: null,
      attention: null,
      tracking: null,
      readMs: 120_000,
    },
    event: { type: 'order.submitted', data: {} },
    deadLetter: null,
    found: null,
    followUp: null,
  };
}

/** Rings for some orders, claims and settles each. Returns how many there were. */
async function turn({ db, hot, tookMs, rangMs }: Side, counts: boolean): Promise<number> {
  const { monotonic } = systemTime.clock;
  const begun = monotonic();
  const rung = await ringDue(db, [{ account: ACCOUNT, jobs: TURN, againMs: 60_000 }], 0.5);
  const rang = monotonic() - begun;
  const one = async (operationId: string): Promise<void> => {
    const wished = monotonic();
    const claim = await hot.claim({ operationId, timeoutMs: 30_000 });
    if (!claim.ok) throw new Error(`operation ${operationId} was refused: ${claim.refusal}`);
    await hot.settle(accepted(claim.claim));
    if (counts) tookMs.push(monotonic() - wished);
  };
  // As jobs come out of a queue: several in each turn of the event loop, not all in one.
  const under: Promise<void>[] = [];
  for (const [n, { id }] of rung.entries()) {
    under.push(one(id));
    if (n % 10 === 9) await nextTurn();
  }
  await Promise.all(under);
  if (counts && rung.length > 0) rangMs.push(rang);
  return rung.length;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const rounded = (value: number): number => Number(value.toFixed(2));

async function prepare(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `insert into packline.accounts (id, provider, config, credentials) values ($1, 'gelato-connect', '{}', 'none')`,
    [ACCOUNT],
  );
  await client.query(`insert into packline.gates (account_id) values ($1)`, [ACCOUNT]);
  await client.end();
}

/** What one run found. Times in ms, of an order from the wish to claim it until it is settled. */
export interface BacklogLine {
  bench: 'backlog';
  orders: number;
  due: number;
  p50: number;
  p99: number;
  p50Without: number;
  p99Without: number;
  /** Of the 99th percentiles. */
  ratio: number;
  /** Of the medians of a round of bells. */
  ringRatio: number;
}

/**
 * @param urls two migrated, empty databases
 * @param sizes how much goes into them
 */
export async function measureBacklog(
  urls: { small: string; large: string },
  sizes: BacklogSizes,
): Promise<BacklogLine> {
  await prepare(urls.small);
  await prepare(urls.large);
  await makeHistory(urls.small, ACCOUNT, 0);
  await makeHistory(urls.large, ACCOUNT, sizes.orders - sizes.due);
  const small = await openSide(urls.small, sizes.due);
  const large = await openSide(urls.large, sizes.due);
  try {
    // What was just written is on the disk before anything is measured.
    await small.db.query('checkpoint');
    for (let n = 0, left = 1; left > 0; n += 1) {
      const counts = n >= WARM_UP;
      const [first, second] = n % 2 === 0 ? [small, large] : [large, small];
      left = (await turn(first, counts)) + (await turn(second, counts));
    }
    const [p99, p99Without] = [quantile(large.tookMs, 0.99), quantile(small.tookMs, 0.99)];
    return {
      bench: 'backlog',
      orders: sizes.orders,
      due: sizes.due,
      p50: rounded(quantile(large.tookMs, 0.5)),
      p99: rounded(p99),
      p50Without: rounded(quantile(small.tookMs, 0.5)),
      p99Without: rounded(p99Without),
      ratio: rounded(p99 / p99Without),
      ringRatio: rounded(quantile(large.rangMs, 0.5) / quantile(small.rangMs, 0.5)),
    };
  } finally {
    await small.close();
    await large.close();
  }
}

/** Prints one JSON line. */
export async function backlog(rig: Rig): Promise<void> {
  const urls = { small: await rig.database('backlog_small'), large: await rig.database('backlog_large') };
  for (const url of Object.values(urls)) await migrate(url, { log: () => undefined });
  process.stdout.write(`${JSON.stringify(await measureBacklog(urls, SIZES))}\n`);
}

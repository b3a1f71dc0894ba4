/**
 * Whether a worker grows with what it has done: the memory of a fulfilment process after a hundred thousand orders,
 * against the same process after ten thousand.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';
import { createLog } from '../../src/log.js';
import { type Running, startProcess } from '../../src/process.js';
import { systemTime } from '../../src/time.js';
import { until } from '../helpers/until.js';
import { accountsFile, configOf, environmentOf, orderBody } from './orders.js';
import type { Rig } from './rig.js';

/** After how many orders its memory is looked at. */
export interface MemorySizes {
  first: number;
  last: number;
}

const SIZES: MemorySizes = { first: 10_000, last: 100_000 };
const CONCURRENCY = 100;
const BATCH = 500;
/** Orders that wait at most, so that it is the worker that is measured and not a backlog. */
const WAITING = 4_000;
const LONGEST_RUN_MS = 1_800_000;
const POLL_MS = 50;
/** Looks at the memory, whose median counts: a collection of garbage may fall upon any of them. */
const LOOKS = 15;
const LOOK_EVERY_MS = 200;

/** What one run found, in MiB. */
export interface MemoryLine {
  bench: 'memory';
  first: number;
  last: number;
  firstMib: number;
  lastMib: number;
  ratio: number;
  ordersPerSecond: number;
}

const run = promisify(execFile);

/** Resident memory of a process, MiB; the median of some looks. */
async function residentMib(pid: number): Promise<number> {
  const looks: number[] = [];
  for (let n = 0; n < LOOKS; n += 1) {
    const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)]);
    looks.push(Number(stdout) / 1_024);
    await systemTime.sleep(LOOK_EVERY_MS);
  }
  looks.sort((a, b) => a - b);
  return looks[Math.floor(LOOKS / 2)] ?? 0;
}

/** What a run stands on: a migrated database, a Redis, an instant provider, and the compiled worker. */
export interface MemoryStage {
  databaseUrl: string;
  redisUrl: string;
  providerUrl: string;
  /** File of the fulfilment process. */
  worker: string;
}

/** Sends orders to a worker in a process of its own, and looks at its memory on the way. */
export async function measureMemory(stage: MemoryStage, sizes: MemorySizes): Promise<MemoryLine> {
  const running = await startProcess({
    config: configOf(stage.databaseUrl, stage.redisUrl),
    roles: ['dispatcher', 'maintenance'],
    migrate: true,
    log: createLog('silent'),
    time: systemTime,
    env: {},
    onFatal: (reason) => {
      throw new Error(reason);
    },
  });
  const applied = await running.base.operator.applyAccounts(
    accountsFile(stage.providerUrl, { requests: 1_000_000, perMs: 1_000, concurrency: CONCURRENCY }),
    {},
  );
  if (!applied.ok) throw new Error(JSON.stringify(applied.problem));
  const worker = spawn(process.execPath, [stage.worker], {
    // At this level every call writes its line, as it does at a shop.
    env: {
      PATH: process.env.PATH,
      ...environmentOf(stage.databaseUrl, stage.redisUrl),
      LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const ended = once(worker, 'close');
  const { pid } = worker;
  if (pid === undefined) throw new Error('the worker could not be started');
  try {
    const begun = systemTime.clock.monotonic();
    await sendUntil(running, 0, sizes.first);
    const firstMib = await residentMib(pid);
    await sendUntil(running, sizes.first, sizes.last);
    const seconds = (systemTime.clock.monotonic() - begun) / 1_000;
    const lastMib = await residentMib(pid);
    return {
      bench: 'memory',
      ...sizes,
      firstMib: Math.round(firstMib),
      lastMib: Math.round(lastMib),
      ratio: Number((lastMib / firstMib).toFixed(2)),
      ordersPerSecond: Math.round(sizes.last / seconds),
    };
  } finally {
    worker.kill('SIGTERM');
    await ended;
    await running.stop();
  }
}

/** Stores orders as fast as they are worked off, and waits until the last one is submitted. */
async function sendUntil({ base }: Running, from: number, to: number): Promise<void> {
  const waiting = async () => {
    const [row] = await base.db.query<{ n: number }>(
      `select count(*)::int as n from packline.operations where state not in ('succeeded', 'rejected', 'dead', 'canceled') and kind = 'submit'`,
    );
    return row?.n ?? 0;
  };
  for (let at = from; at < to; at += BATCH) {
    await until('there is room', async () => (await waiting()) <= WAITING, LONGEST_RUN_MS, POLL_MS);
    const bodies = Array.from({ length: Math.min(BATCH, to - at) }, (_, n) => orderBody(at + n));
    const taken = await base.operator.submitMany(bodies, 'bench');
    const refused = taken.find((each) => !each.ok);
    if (refused !== undefined) throw new Error(JSON.stringify(refused));
  }
  await until('all orders are submitted', async () => (await waiting()) === 0, LONGEST_RUN_MS, POLL_MS);
}

/** Prints one JSON line. */
export async function memory(rig: Rig): Promise<void> {
  const stage: MemoryStage = {
    databaseUrl: await rig.database('memory'),
    redisUrl: rig.redisUrl,
    providerUrl: rig.providerUrl,
    worker: path.join(import.meta.dirname, '..', '..', 'workers', 'fulfilment.js'),
  };
  process.stdout.write(`${JSON.stringify(await measureMemory(stage, SIZES))}\n`);
}

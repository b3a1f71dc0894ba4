/**
 * How much of a provider's limit is used: orders through four worker processes against a provider that keeps the
 * limit strictly, alone and beside another client of the same key. The share is of what the limit allows (what the
 * other client leaves) in the time from the first order that was taken to the last.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Agent, request } from 'undici';
import { createLog } from '../../src/log.js';
import { startProcess } from '../../src/process.js';
import { systemTime } from '../../src/time.js';
import { until } from '../helpers/until.js';
import { accountsFile, configOf, environmentOf, orderBody } from './orders.js';
import type { Rig } from './rig.js';

/** A strict limit, and whether the answers tell of it. */
interface Kept {
  requests: number;
  perMs: number;
  form: 'fixed' | 'sliding';
  headers: boolean;
}

// GelatoConnect's limit as it is; Wasal's, 600 in a quarter of an hour, in six seconds.
const LIMITS: readonly Kept[] = [
  { requests: 100, perMs: 1_000, form: 'sliding', headers: false },
  { requests: 600, perMs: 6_000, form: 'fixed', headers: true },
];
const ORDERS = 3_000;
const WORKERS = 4;
const CONCURRENCY = 20;
const BATCH = 500;
/** What another client takes of the same key. */
const OTHERS = 0.3;
const LONGEST_RUN_MS = 600_000;
const POLL_MS = 100;

interface Counts {
  ours: number;
  oursRefused: number;
  others: number;
  othersRefused: number;
  firstMs: number;
  lastMs: number;
}

interface LimitedProvider {
  url: string;
  counts(): Promise<Counts>;
  stop(): void;
}

async function startLimited({ requests, perMs, form, headers }: Kept): Promise<LimitedProvider> {
  const child = program('limited-provider.js', [
    String(requests),
    String(perMs),
    form,
    headers ? 'yes' : 'no',
  ]);
  const [port] = await once(createInterface({ input: child.stdout ?? process.stdin }), 'line');
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    counts: async () => {
      const answer = await request(`${url}/_count`);
      // The provider is ours (limited-provider.ts).
      return (await answer.body.json()) as Counts;
    },
    stop: () => child.stdin?.end(),
  };
}

function program(file: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const found = path.isAbsolute(file) ? file : path.join(import.meta.dirname, file);
  return spawn(process.execPath, [found, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
}

/** Sends evenly until told to stop, whatever the answers are. */
function startOther(url: string, { requests, perMs }: Kept): { stop(): void } {
  const stopping = new AbortController();
  const agent = new Agent({ connections: 4 });
  const everyMs = perMs / (requests * OTHERS);
  void (async () => {
    const began = systemTime.clock.monotonic();
    for (let n = 1; !stopping.signal.aborted; n += 1) {
      void request(url, {
        method: 'POST',
        headers: { 'x-other-client': 'yes' },
        body: '{}',
        dispatcher: agent,
      }).then((answer) => answer.body.dump());
      await systemTime.sleep(
        Math.max(0, began + n * everyMs - systemTime.clock.monotonic()),
        stopping.signal,
      );
    }
    await agent.close();
  })();
  return { stop: () => stopping.abort() };
}

async function drain(rig: Rig, kept: Kept, shared: boolean): Promise<void> {
  const database = await rig.database(`limit_${kept.requests}_${kept.perMs}_${shared ? 'shared' : 'alone'}`);
  const provider = await startLimited(kept);
  const running = await startProcess({
    config: configOf(database, rig.redisUrl),
    roles: ['dispatcher', 'maintenance'],
    migrate: true,
    log: createLog('silent'),
    time: systemTime,
    env: {},
    onFatal: (reason) => {
      throw new Error(reason);
    },
  });
  const { requests, perMs } = kept;
  const file = accountsFile(provider.url, { requests, perMs, concurrency: CONCURRENCY });
  const applied = await running.base.operator.applyAccounts(file, {});
  if (!applied.ok) throw new Error(JSON.stringify(applied.problem));
  const worker = path.join(import.meta.dirname, '..', '..', 'workers', 'fulfilment.js');
  const workers = Array.from({ length: WORKERS }, () =>
    program(worker, [], environmentOf(database, rig.redisUrl)),
  );
  const other = shared ? startOther(provider.url, kept) : null;
  const bodies = Array.from({ length: ORDERS }, (_, n) => orderBody(n));
  for (let at = 0; at < ORDERS; at += BATCH)
    await running.base.operator.submitMany(bodies.slice(at, at + BATCH), 'bench');
  const states = async () =>
    running.base.db.query<{ status: string; n: number }>(
      'select status::text, count(*)::int as n from packline.orders group by status',
    );
  const areOver = async () => (await states()).every(({ status }) => status !== 'received');
  await until('all orders are over', areOver, LONGEST_RUN_MS, POLL_MS);
  const counts = await provider.counts();
  other?.stop();
  const failed = (await states())
    .filter(({ status }) => status !== 'submitted')
    .reduce((sum, { n }) => sum + n, 0);
  for (const child of workers) child.kill('SIGTERM');
  await Promise.all(workers.map((child) => once(child, 'exit')));
  await running.stop();
  provider.stop();
  print(kept, shared, counts, failed);
}

function print(kept: Kept, shared: boolean, counts: Counts, failed: number): void {
  const spanMs = counts.lastMs - counts.firstMs;
  const allowed = (kept.requests * spanMs) / kept.perMs;
  const leftToUs = shared ? allowed - (counts.others * spanMs) / (spanMs + POLL_MS) : allowed;
  const line = {
    bench: shared ? 'limit-shared' : 'limit',
    ...kept,
    orders: ORDERS,
    workers: WORKERS,
    seconds: Number((spanMs / 1_000).toFixed(1)),
    share: Number((counts.ours / leftToUs).toFixed(3)),
    refusedShare: Number((counts.oursRefused / (counts.ours + counts.oursRefused)).toFixed(4)),
    failed,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Prints one JSON line per limit. */
export async function limit(rig: Rig): Promise<void> {
  for (const kept of LIMITS) await drain(rig, kept, false);
}

/** The same beside another client of the same key. */
export async function limitShared(rig: Rig): Promise<void> {
  for (const kept of LIMITS) await drain(rig, kept, true);
}

/** The demo: everything on this machine, a provider that misbehaves, and the books compared at the end. */
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import cliProgress from 'cli-progress';
import type { Config, LogLevel } from '../config.js';
import { createLog } from '../log.js';
import { type Running, startProcess } from '../process.js';
import { simulators } from '../simulator/index.js';
import type { Simulator } from '../simulator/kit.js';
import { systemTime } from '../time.js';
import { type DemoOrder, demoOrders, seeded } from './orders.js';
import { openOperations, openOrders, readLedger, statusCounts, takeTally, tallyTable } from './tally.js';

export interface DemoOptions {
  /** Ends by itself; else it stays up until a signal. */
  exit: boolean;
  orders: number;
  /** The table is the demo's answer; its log is for whoever looks for a fault. */
  logLevel?: LogLevel;
}

const ACCOUNT = 'gelato-demo';
const SEED = 20_241_202;
/** How long each status of the simulated life cycle lasts, ms: an order is delivered within seconds. */
const STEP_MS = 1_500;
/** The demo gives up waiting after this, ms: it promises to end within 90 s. */
const PATIENCE_MS = 75_000;
const SYNC_EVERY_MS = 1_500;
const LOOK_EVERY_MS = 250;
/** Bursts of 429: when they come, ms after the start, and how many answers long. Each one costs the account its Retry-After. */
const BURSTS_AT_MS = [500, 2_500, 5_000];
const BURST = 4;
/** Orders of one batch, and the pause after it, ms: a shop sends over a while. */
const BATCH = 20;
const BATCH_PAUSE_MS = 200;

/** Runs the demo. Resolves with the exit code: 0 only if nothing was lost or doubled. */
export async function runDemo({ exit, orders: count, logLevel = 'silent' }: DemoOptions): Promise<number> {
  const started = systemTime.clock.monotonic();
  const dataDir = await mkdtemp(path.join(tmpdir(), 'packline-demo-'));
  const stop = new AbortController();
  // Every order that is followed up waits on it; that is no leak.
  setMaxListeners(0, stop.signal);
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const simulator = await startMisbehaving();
  try {
    const running = await startProcess({
      config: demoConfig(dataDir),
      roles: ['api', 'dispatcher', 'fulfilment', 'maintenance'],
      migrate: true,
      log: createLog(logLevel),
      time: systemTime,
      env: {},
      onFatal: onSignal,
    });
    try {
      return await run(running, simulator, count, exit, started, stop.signal);
    } finally {
      await running.stop();
    }
  } finally {
    await simulator.close();
    await rm(dataDir, { recursive: true, force: true });
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function demoConfig(dataDir: string): Config {
  return {
    databaseUrl: null,
    redisUrl: null,
    port: 0,
    host: '127.0.0.1',
    apiKey: null,
    encryptionKey: null,
    accountsFile: null,
    dataDir,
    logLevel: 'silent',
    alertWebhookUrl: null,
    slackWebhookUrl: null,
    eventsWebhook: null,
    allowHttpHosts: [],
  };
}

async function startMisbehaving(): Promise<Simulator> {
  const start = simulators['gelato-connect'];
  if (start === undefined) throw new Error('the GelatoConnect simulator is not there');
  const simulator = await start({ time: systemTime, stepMs: STEP_MS });
  await control(simulator, {
    match: { verb: 'submit' },
    probability: 0.05,
    seed: 1,
    do: { status: 500, body: { code: 500, message: 'Internal error' } },
  });
  // biome-ignore lint/suspicious/noThenProperty: the control API's own word; the object is only sent, never awaited.
  const drop = { accept: true, then: 'drop' };
  await control(simulator, { match: { verb: 'submit' }, probability: 0.02, seed: 2, do: drop });
  return simulator;
}

async function control(simulator: Simulator, rule: object): Promise<void> {
  const answer = await fetch(new URL('/_control', simulator.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rule),
  });
  if (!answer.ok) throw new Error(`the simulator refused a fault: ${await answer.text()}`);
}

async function run(
  running: Running,
  simulator: Simulator,
  count: number,
  exit: boolean,
  started: number,
  signal: AbortSignal,
): Promise<number> {
  const { operator } = running.base;
  const entry = simulator.account(ACCOUNT);
  // Looks and spacing of the contract are made for real providers; here an order shows at once.
  const account = {
    ...entry,
    config: { ...entry.config, confirm: { graceMs: 500, looks: 2, spacingMs: 800 } },
  };
  const applied = await operator.applyAccounts({ accounts: [account] }, {});
  if (!applied.ok) throw new Error(`the demo's account was refused: ${JSON.stringify(applied.problem)}`);
  process.stderr.write(`packline runs on ${running.url}, the simulated provider on ${simulator.url}\n`);

  const orders = demoOrders(ACCOUNT, count, seeded(SEED));
  const view = progressView(count);
  const done = new AbortController();
  const both = AbortSignal.any([signal, done.signal]);
  const side = [burstsOf429(simulator, both), syncs(running, both)];
  const sent = await sendAll(running, orders, signal);
  const settled = await waitUntilSettled(running, view, signal);
  done.abort();
  await Promise.all(side);
  view.stop();

  const tally = await takeTally(running.base.db, await readLedger(simulator.url));
  const seconds = (systemTime.clock.monotonic() - started) / 1_000;
  process.stdout.write(`${tallyTable(tally, sent, seconds)}\n`);
  const good =
    settled && tally.lost === 0 && tally.doubled === 0 && tally.orphans === 0 && sent.unexpected === 0;
  process.stdout.write(
    good
      ? 'Nothing was lost, nothing was doubled.\n'
      : `Not good: ${settled ? 'see the table' : 'orders were still open when the patience ended'}.\n`,
  );
  if (!exit && !signal.aborted) await stayUp(running, signal);
  return good ? 0 : 1;
}

async function stayUp(running: Running, signal: AbortSignal): Promise<void> {
  process.stdout.write(
    [
      '',
      `Bull Board   ${running.url}/queues`,
      `API docs     ${running.url}/docs`,
      `key          ${running.base.apiKey}`,
      'Everything stays up until Ctrl-C.',
      '',
    ].join('\n'),
  );
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

interface Sent {
  orders: number;
  refused: number;
  /** Valid orders that were refused, or invalid ones that were taken. */
  unexpected: number;
}

async function sendAll(running: Running, orders: readonly DemoOrder[], signal: AbortSignal): Promise<Sent> {
  const { operator } = running.base;
  const sent: Sent = { orders: 0, refused: 0, unexpected: 0 };
  const later: Promise<void>[] = [];
  for (let at = 0; at < orders.length && !signal.aborted; at += BATCH) {
    const batch = orders.slice(at, at + BATCH);
    const results = await operator.submitMany(
      batch.map(({ body }) => body),
      'shop',
    );
    for (const [n, result] of results.entries()) {
      const order = batch[n];
      if (order === undefined) continue;
      sent.orders += 1;
      if (!result.ok) sent.refused += 1;
      if (result.ok === order.invalid) sent.unexpected += 1;
      if (result.ok && result.value.order !== null)
        later.push(followUp(running, order, result.value.order.id, signal));
    }
    await systemTime.sleep(BATCH_PAUSE_MS, signal);
  }
  await Promise.all(later);
  return sent;
}

/** The shop changes its mind, or releases a draft. A provider that has shipped meanwhile refuses, which is fine. */
async function followUp({ base }: Running, order: DemoOrder, id: string, signal: AbortSignal): Promise<void> {
  const wait = order.cancelAfterMs ?? order.activateAfterMs;
  if (wait === null) return;
  await systemTime.sleep(wait, signal);
  if (signal.aborted) return;
  if (order.cancelAfterMs !== null) await base.operator.cancel(id, 'shop');
  else await base.operator.activate(id, 'shop');
}

async function burstsOf429(simulator: Simulator, signal: AbortSignal): Promise<void> {
  let waited = 0;
  for (const at of BURSTS_AT_MS) {
    await systemTime.sleep(at - waited, signal);
    waited = at;
    if (signal.aborted) return;
    await control(simulator, {
      times: BURST,
      do: {
        status: 429,
        headers: { 'retry-after': '1' },
        body: { code: 429, message: 'Rate limit exceeded' },
      },
    });
  }
}

async function syncs({ base }: Running, signal: AbortSignal): Promise<void> {
  for (;;) {
    await systemTime.sleep(SYNC_EVERY_MS, signal);
    if (signal.aborted) return;
    await base.operator.sync({}, 'schedule');
  }
}

/** Until nothing is under way and the provider has finished with every order, or the patience ends. */
async function waitUntilSettled(
  { base }: Running,
  view: ProgressView,
  signal: AbortSignal,
): Promise<boolean> {
  const until = systemTime.clock.monotonic() + PATIENCE_MS;
  while (systemTime.clock.monotonic() < until && !signal.aborted) {
    const [operations, orders, counts] = await Promise.all([
      openOperations(base.db),
      openOrders(base.db),
      statusCounts(base.db),
    ]);
    view.show(counts);
    if (operations === 0 && orders === 0) return true;
    await systemTime.sleep(LOOK_EVERY_MS, signal);
  }
  return false;
}

interface ProgressView {
  show(counts: Record<string, number>): void;
  stop(): void;
}

/** A live bar on a terminal; elsewhere a line whenever something changed. */
function progressView(total: number): ProgressView {
  const text = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([status, n]) => `${status} ${n}`)
      .join('  ');
  const over = (counts: Record<string, number>) =>
    (counts.delivered ?? 0) + (counts.canceled ?? 0) + (counts.failed ?? 0) + (counts.draft ?? 0);
  if (process.stderr.isTTY !== true) {
    let last = '';
    return {
      show(counts) {
        const line = text(counts);
        if (line !== last) process.stderr.write(`${line}\n`);
        last = line;
      },
      stop: () => undefined,
    };
  }
  const bar = new cliProgress.SingleBar(
    { format: '{bar} {value}/{total}  {text}', hideCursor: true },
    cliProgress.Presets.shades_classic,
  );
  bar.start(total, 0, { text: '' });
  return { show: (counts) => bar.update(over(counts), { text: text(counts) }), stop: () => bar.stop() };
}

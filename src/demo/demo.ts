/** The demo: everything on this machine, providers that misbehave, and the books compared at the end. */
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Config, LogLevel } from '../config.js';
import { createLog } from '../log.js';
import { type Running, startProcess } from '../process.js';
import { systemTime } from '../time.js';
import { mixedDay } from './accounts.js';
import { openDay } from './day.js';
import { readLedger } from './ledger.js';
import { type DemoOrder, seeded } from './orders/order.js';
import type { Office } from './people.js';
import { sendAll } from './sending.js';
import { accountEntries, type Stage, startStages } from './stage.js';
import { isClean, type Sent, type Tally, takeTally, tallyTable } from './tally.js';
import { progressView } from './view.js';
import { waitUntilSettled } from './waiting.js';

export interface DemoOptions {
  /** Ends by itself; else it stays up until a signal. */
  exit: boolean;
  orders: number;
  /** The table is the demo's answer; its log is for whoever looks for a fault. */
  logLevel?: LogLevel;
}

const SEED = 20_241_202;

/** Runs the demo. Resolves with the exit code: 0 only if everything settled and nothing was lost or doubled. */
export async function runDemo({ exit, orders: count, logLevel = 'silent' }: DemoOptions): Promise<number> {
  const started = systemTime.clock.monotonic();
  const dataDir = await mkdtemp(path.join(tmpdir(), 'packline-demo-'));
  const stop = new AbortController();
  // Every order that is followed up waits on it; that is no leak.
  setMaxListeners(0, stop.signal);
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const stages = await startStages(systemTime);
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
      const good = await runDay(running, stages, mixedDay(count, seeded(SEED)), started, stop.signal);
      if (!exit && !stop.signal.aborted) await stayUp(running, stop.signal);
      return good ? 0 : 1;
    } finally {
      await running.stop();
    }
  } finally {
    await Promise.all(stages.map(({ simulator }) => simulator.close()));
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
    retentionDays: 0,
  };
}

/** @returns whether all went well */
async function runDay(
  running: Running,
  stages: readonly Stage[],
  orders: readonly DemoOrder[],
  started: number,
  signal: AbortSignal,
): Promise<boolean> {
  const { operator, db } = running.base;
  const applied = await operator.applyAccounts({ accounts: accountEntries(stages) }, {});
  if (!applied.ok) throw new Error(`the demo's accounts were refused: ${JSON.stringify(applied.problem)}`);
  const where = stages.map(({ simulator }) => `${simulator.provider} ${simulator.url}`).join(', ');
  process.stderr.write(`packline runs on ${running.url}, the simulated providers are ${where}\n`);

  const view = progressView(process.stderr, orders.filter(({ invalid }) => !invalid).length);
  const done = new AbortController();
  const day = AbortSignal.any([signal, done.signal]);
  // Here, too, many wait.
  setMaxListeners(0, day);
  const office: Office = { sql: db, operator, time: systemTime, signal: day };
  const beside = Promise.all(await openDay(office, stages, orders));
  // What fails beside the orders ends the day at once, and is told below.
  beside.catch(() => done.abort());
  const sent = await sendAll(operator, orders, systemTime, day);
  const settled = await waitUntilSettled(db, systemTime, view, day);
  done.abort();
  view.stop();
  await beside;

  const tally = await takeTally(db, await Promise.all(stages.map((stage) => part(stage, sent))));
  return tell(tally, settled, (systemTime.clock.monotonic() - started) / 1_000);
}

async function part(stage: Stage, sent: ReadonlyMap<string, Sent>) {
  const { id, provider } = stage.account;
  return {
    account: id,
    provider,
    sent: sent.get(id) ?? { orders: 0, refused: 0, unexpected: 0 },
    ledger: await readLedger(stage),
  };
}

/** Prints the tally and the verdict. */
function tell(tally: readonly Tally[], settled: boolean, seconds: number): boolean {
  process.stdout.write(`${tallyTable(tally)}\n${seconds.toFixed(1)} seconds\n`);
  const good = settled && isClean(tally);
  process.stdout.write(
    good
      ? 'Nothing was lost, nothing was doubled.\n'
      : `Not good: ${settled ? 'see the table' : 'orders were still open when the patience ended'}.\n`,
  );
  return good;
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

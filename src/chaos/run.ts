/** One chaos run on one backend: everything of its own, struck as planned, and compared at the end. */
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import path from 'node:path';
import { CannotStart, openBase, problemText } from '../app.js';
import type { Config } from '../config.js';
import type { Database, Sql } from '../database/connect.js';
import { connect } from '../database/connect.js';
import { freePort } from '../database/embedded/processes.js';
import { readLedger } from '../demo/ledger.js';
import { control, forgetFaults, type Stage, startStages } from '../demo/stage.js';
import { createLog } from '../log.js';
import type { Time } from '../time.js';
import { chaosEntries, chaosOrders, chaosRules } from './accounts.js';
import { type ChaosRow, compareAll } from './books.js';
import { type Crew, startCrew } from './crew.js';
import { type Backend, type ChaosOptions, planOf, type Seat } from './plan.js';
import { planTime } from './plan-time.js';
import { allLive } from './recovery.js';
import { type ChaosReport, reportOf } from './report.js';
import { type OwnDatabase, type OwnRedis, startDatabase, startRedis } from './servers.js';
import { readFigures, readRows, waitUntilQuiet } from './settle.js';
import { type Receipts, runShop } from './shop.js';
import { type Struck, strikeAll } from './strikes.js';

export interface RunSettings {
  backend: Backend;
  options: ChaosOptions;
  /** Takes all that the run writes: data and logs. */
  folder: string;
  time: Time;
  /** Ends the run early; it is not clean then. */
  signal: AbortSignal;
  say(line: string): void;
}

type Closer = () => unknown;

/** Runs to the end and leaves no process behind. */
export async function runBackend(settings: RunSettings): Promise<ChaosReport> {
  const opened: Closer[] = [];
  try {
    return await run(settings, opened);
  } finally {
    for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close();
  }
}

async function run(settings: RunSettings, opened: Closer[]): Promise<ChaosReport> {
  const { backend, options, time, say } = settings;
  const started = time.clock.monotonic();
  const house = await openHouse(settings, opened);
  say('everything runs');
  const day = await live(house, settings);
  const forced = await house.crew.stop();
  if (forced.length > 0) say(`did not stop in time: ${forced.join(', ')}`);
  const ownEnds = house.crew.ownEnds();
  const rows = await readRows(house.sql);
  const parts = house.stages.map(async (stage) => partOf(stage, day.receipts, rows, await readLedger(stage)));
  return reportOf({
    backend,
    options,
    accounts: (await Promise.all(parts)).map(compareAll),
    refused: day.receipts.refused,
    unanswered: day.receipts.unanswered,
    settled: day.settled,
    strikes: day.struck.counts,
    recoveries: day.struck.recoveries,
    ...(await readFigures(house.sql)),
    ownEnds,
    forced: forced.length,
    seconds: (time.clock.monotonic() - started) / 1_000,
  });
}

/** What happened while everything ran. */
interface Day {
  receipts: Receipts;
  struck: Struck;
  settled: boolean;
}

/** Orders come in and strikes fall, until both are over and all has come to rest. */
async function live(house: House, { backend, options, time, say, ...settings }: RunSettings): Promise<Day> {
  const { sql, stages, apiUrl: url, apiKey } = house;
  const over = new AbortController();
  const signal = AbortSignal.any([settings.signal, over.signal]);
  const watching = new AbortController();
  setMaxListeners(0, signal, watching.signal);
  const plan = planOf(options, backend);
  const passing = planTime(time.clock);
  const share = () => passing.now() / plan.durationMs;
  const orders = chaosOrders(options.orders, options.seed);
  const selling = runShop(orders, { url, apiKey, share, time, signal });
  // What fails on one side ends the other, and is told below.
  selling.catch(() => over.abort());
  try {
    const told = await strikeAll(plan, { ...house, time, planTime: passing, say }, watching.signal, signal);
    const receipts = await selling;
    // What is left now comes to its end; the strikes have been.
    await Promise.all(stages.map(forgetFaults));
    const settled = await waitUntilQuiet(sql, time, signal, say);
    watching.abort();
    return { receipts, struck: await told(), settled };
  } finally {
    over.abort();
    watching.abort();
  }
}

function partOf({ account }: Stage, { taken }: Receipts, rows: readonly ChaosRow[], ledger: Ledger) {
  return {
    account: account.id,
    provider: account.provider,
    taken: taken.get(account.id) ?? [],
    rows: rows.filter((row) => row.account === account.id),
    ledger,
  };
}

type Ledger = Awaited<ReturnType<typeof readLedger>>;

/** Everything of a run that lasts as long as it. */
interface House {
  database: OwnDatabase;
  redis: OwnRedis | null;
  stages: Stage[];
  sql: Sql;
  crew: Crew;
  apiUrl: string;
  apiKey: string;
}

/** @param opened takes how to close each part; last opened, first closed */
async function openHouse(settings: RunSettings, opened: Closer[]): Promise<House> {
  const { backend, options, folder, time, say } = settings;
  say('starting its own servers, simulators and processes');
  const database = await startDatabase(path.join(folder, 'data'), time);
  opened.push(() => database.stop());
  const redis = backend === 'redis' ? await startRedis(path.join(folder, 'redis'), time) : null;
  if (redis !== null) opened.push(() => redis.stop());
  const stages = await startStages(time);
  opened.push(() => Promise.all(stages.map(({ simulator }) => simulator.close())));
  for (const stage of stages)
    for (const rule of chaosRules(options.seed)) await control(stage, '/_control', rule);
  const config = configOf(database, redis, folder);
  await prepare(config, stages, time);
  const sql = await ownConnection(database.url, opened);
  const apiPort = await freePort(null);
  const crew = await startCrew(
    (seat) => environment(seat, config, apiPort),
    path.join(folder, 'processes.log'),
    time,
  );
  opened.push(() => crew.stop());
  await untilAllLive(sql, settings);
  return {
    database,
    redis,
    stages,
    sql,
    crew,
    apiUrl: `http://127.0.0.1:${apiPort}`,
    apiKey: config.apiKey,
  };
}

type OwnConfig = Config & { apiKey: string; encryptionKey: Buffer; databaseUrl: string };

function configOf(database: OwnDatabase, redis: OwnRedis | null, folder: string): OwnConfig {
  return {
    databaseUrl: database.url,
    redisUrl: redis?.url ?? null,
    port: 0,
    host: '127.0.0.1',
    apiKey: randomBytes(24).toString('hex'),
    encryptionKey: randomBytes(32),
    accountsFile: null,
    dataDir: path.join(folder, 'keys'),
    logLevel: 'warn',
    alertWebhookUrl: null,
    slackWebhookUrl: null,
    eventsWebhook: null,
    allowHttpHosts: [],
    retentionDays: 0,
  };
}

/** Nothing of the user's own environment reaches a process, so nothing can point it elsewhere. */
function environment(seat: Seat, config: OwnConfig, apiPort: number): Record<string, string> {
  return {
    DATABASE_URL: config.databaseUrl,
    ...(config.redisUrl === null ? {} : { REDIS_URL: config.redisUrl }),
    PORT: seat === 'api' ? String(apiPort) : '0',
    PACKLINE_API_KEY: config.apiKey,
    PACKLINE_ENCRYPTION_KEY: config.encryptionKey.toString('base64'),
    PACKLINE_DATA_DIR: config.dataDir,
    LOG_LEVEL: config.logLevel,
  };
}

/** Migrates and applies the accounts, as `packline migrate` and `packline accounts apply` do. */
async function prepare(config: Config, stages: readonly Stage[], time: Time): Promise<void> {
  const base = await openBase({
    config,
    log: createLog('silent'),
    time,
    purpose: 'client',
    migrate: true,
    name: 'packline chaos',
  });
  try {
    const applied = await base.operator.applyAccounts({ accounts: chaosEntries(stages) }, {});
    if (!applied.ok) throw new CannotStart(problemText(applied.problem));
  } finally {
    await base.close();
  }
}

async function ownConnection(url: string, opened: Closer[]): Promise<Database> {
  // A restart of the database ends it; the pool opens another.
  const database = await connect({
    url,
    max: 4,
    applicationName: 'packline chaos',
    onError: () => undefined,
  });
  opened.push(() => database.close());
  return database;
}

/** How long all processes may take to start, ms: each is a second of a processor, and the machine may be busy. */
const START_MS = 90_000;
const LOOK_EVERY_MS = 100;

async function untilAllLive(sql: Sql, { time, signal }: RunSettings): Promise<void> {
  const until = time.clock.monotonic() + START_MS;
  while (time.clock.monotonic() < until && !signal.aborted) {
    if (await allLive(sql)) return;
    await time.sleep(LOOK_EVERY_MS, signal);
  }
  throw new CannotStart('the processes of this run did not start in time; its folder has their log');
}

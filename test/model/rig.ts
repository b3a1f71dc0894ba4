/** What all sequences of the model share: a database, one account at the house, and signs of life to hand out. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type Base, openBase } from '../../src/app.js';
import { PRESENCE_CLASS } from '../../src/database/presence.js';
import { createLog } from '../../src/log.js';
import { systemTime } from '../../src/time.js';
import { createDatabase } from '../helpers/postgres.js';
import { taken } from '../providers/conformance/world.js';
import { HOUSE_URLS } from './house.js';
import { CLEARING } from './rows.js';

export const ACCOUNT = 'house';
export const TIMEOUT_MS = 1_000;
export const GRACE_MS = 1_000;
export const SPACING_MS = 5_000;
/** Two looks, so that one alone is told from enough. */
export const LOOKS = 2;

export interface Rig {
  base: Base;
  log: ReturnType<typeof createLog>;
  /** Statements beside the product's own, in one round trip. */
  run(statements: string): Promise<void>;
  /** Shows a process alive, if it is not yet. @param key its presence key; a new process has none. @returns the key */
  live(key?: number): Promise<number>;
  /** Its sign of life ends. */
  die(key: number): Promise<void>;
  /** Takes away what the last sequence left. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** @param loud the log on standard error, for looking at one sequence */
export async function openRig(loud = false): Promise<Rig> {
  const database = await createDatabase();
  const log = createLog(loud ? 'debug' : 'silent');
  const base = await openBase({
    config: {
      databaseUrl: database.url,
      redisUrl: null,
      port: 0,
      host: '127.0.0.1',
      apiKey: randomBytes(24).toString('hex'),
      encryptionKey: randomBytes(32),
      accountsFile: null,
      dataDir: '/nowhere',
      logLevel: 'silent',
      alertWebhookUrl: null,
      slackWebhookUrl: null,
      eventsWebhook: null,
      allowHttpHosts: [],
      retentionDays: 0,
    },
    log,
    time: systemTime,
    purpose: 'client',
    migrate: false,
    name: 'packline model',
  });
  taken(await base.operator.applyAccounts({ accounts: [ENTRY] }, {}));
  const hand = new pg.Client({ connectionString: database.url });
  await hand.connect();
  let keys = 0;
  const living = new Set<number>();
  const die = async (key: number) => {
    if (!living.delete(key)) return;
    await hand.query('select pg_advisory_unlock($1, $2)', [PRESENCE_CLASS, key]);
  };
  return {
    base,
    log,
    async run(statements) {
      await hand.query(statements);
    },
    async live(known) {
      keys += known === undefined ? 1 : 0;
      const key = known ?? keys;
      if (!living.has(key)) await hand.query('select pg_advisory_lock($1, $2)', [PRESENCE_CLASS, key]);
      living.add(key);
      return key;
    },
    die,
    async clear() {
      for (const key of living) await die(key);
      await hand.query(CLEARING);
      await base.accounts.refresh();
    },
    async close() {
      await hand.end();
      await base.close();
      await database.drop();
    },
  };
}

const ENTRY = {
  id: ACCOUNT,
  provider: 'gelato-connect',
  config: {
    ...HOUSE_URLS,
    requestTimeoutMs: TIMEOUT_MS,
    confirm: { graceMs: GRACE_MS, looks: LOOKS, spacingMs: SPACING_MS },
  },
  credentials: { apiKey: 'key', apiSecret: 'secret' },
  // No pace of ours.
  limits: { requests: 100_000, perMs: 1_000, concurrency: 20 },
};

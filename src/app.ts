/** The composition root: everything that a process is made of is put together here and nowhere else. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from 'pino';
import { type AccountCache, createAccountCache } from './accounts/cache.js';
import { readAccountsFile } from './accounts/file.js';
import type { Config } from './config.js';
import { connect, type Database } from './database/connect.js';
import { type EmbeddedPostgres, startEmbedded } from './database/embedded.js';
import { identityKnown, rememberIdentity } from './database/identity.js';
import { ACCOUNTS_CHANNEL, createHinter, listen, RING_CHANNEL } from './database/listen.js';
import { migrate, migrateQueue, waitForMigrations } from './database/migrate.js';
import { resolveKeys } from './keys.js';
import type { Meter } from './metrics/meter.js';
import { createOperator, type Operator } from './operator.js';
import type { Problem } from './problem.js';
import { createHttp, type Http } from './providers/http.js';
import type { Provider } from './providers/provider.js';
import { providers as registered } from './providers/registry.js';
import { postgresBackend, type QueueBackend, redisBackend } from './queue/backend.js';
import { checkQueue } from './queue/checkup.js';
import { type EncryptionKey, encryptionKey } from './secrets.js';
import type { Time } from './time.js';

/** Something the operator has to mend before packline can start; the message is for a person, without a stack. */
export class CannotStart extends Error {
  override name = 'CannotStart';
}

export interface BaseOptions {
  config: Config;
  log: Logger;
  time: Time;
  /** `owner` runs roles; `client` is a verb of the command line. */
  purpose: 'owner' | 'client';
  /** Apply migrations, or wait until somebody has. */
  migrate: boolean;
  /** For the connection list of the database. */
  name: string;
  signal?: AbortSignal;
  /** The registry's unless a test brings others. */
  providers?: readonly Provider[];
  /** Counts calls to providers. */
  meter?: Meter;
}

/** What every process has: the database, the accounts, a way to call providers, and the operator's verbs. */
export interface Base {
  url: string;
  db: Database;
  accounts: AccountCache;
  http: Http;
  operator: Operator;
  key: EncryptionKey;
  apiKey: string;
  /** For cookies; outlives restarts. */
  sessionSecret: Buffer;
  /** Sentences to print once. */
  generated: string[];
  /** Says that something is due. */
  hint(): void;
  /** Called at every hint, of this process and of others. */
  onHint(listener: () => void): void;
  close(): Promise<void>;
}

/** Connections of our own pool per process; the queue's and the direct ones come on top. */
const POOL_SIZE = 20;
/** Connections of the queue's pool that work, on the PostgreSQL backend. */
const QUEUE_CONNECTIONS = 10;
/** Sockets per provider host and process: above every documented concurrency. */
const SOCKETS = 256;
/** How often accounts are looked at without a hint, ms. */
const ACCOUNTS_EVERY_MS = 5_000;

/** The version in package.json. */
export function packageVersion(): string {
  // Both src/ and dist/src/ lie below the package's folder; prisma/ is where migrations are found as well.
  const file = path.join(import.meta.dirname, '..', 'package.json');
  const other = path.join(import.meta.dirname, '..', '..', 'package.json');
  for (const candidate of [file, other]) {
    try {
      const parsed: { version?: unknown } = JSON.parse(readFileSync(candidate, 'utf8'));
      if (typeof parsed.version === 'string') return parsed.version;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  return '0.0.0';
}

/** Opens what every process has. */
export async function openBase(options: BaseOptions): Promise<Base> {
  const { config, log, time, providers = registered } = options;
  const keys = await resolveKeys(config);
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of closers.reverse()) await close();
  };
  try {
    const embedded = config.databaseUrl === null ? await embed(options) : null;
    if (embedded !== null) closers.push(() => embedded.stop());
    const url = config.databaseUrl ?? embedded?.url ?? '';
    await prepare(url, options);
    const onError = (error: Error) =>
      log.warn({ event: 'database.trouble', err: error }, 'a database connection broke');
    const db = await connect({ url, max: POOL_SIZE, applicationName: options.name, onError });
    closers.push(() => db.close());
    // A database that cannot say what it is cannot be told from its copies either; everything else goes on.
    if (options.purpose === 'owner') {
      await rememberIdentity(db);
      if (!(await identityKnown(db)))
        log.warn(
          { event: 'database.unknown' },
          'this role may not read pg_control_system(): a restored or copied database will not be noticed',
        );
    }
    const key = encryptionKey(keys.encryptionKey);
    const accounts = createAccountCache({ db, key, providers, log });
    await accounts.refresh();
    const http = createHttp({ clock: time.clock, connections: SOCKETS });
    closers.push(() => http.close());
    const listeners: (() => void)[] = [];
    const hinter = createHinter({
      time,
      notify: () => db.query(`select pg_notify('${RING_CHANNEL}', '')::text as sent`),
      local: () => {
        for (const listener of listeners) listener();
      },
      onError: (error) =>
        log.warn(
          { event: 'database.trouble', err: error },
          'a hint could not be sent; the poll finds what is due',
        ),
    });
    const operator = createOperator({
      db,
      accounts,
      http,
      time,
      log,
      key,
      providers,
      allowHttpHosts: config.allowHttpHosts,
      retentionDays: config.retentionDays,
      checkQueue: () => checkQueue(config.redisUrl),
      hint: hinter.hint,
      ...(options.meter === undefined ? {} : { meter: options.meter }),
    });
    return {
      url,
      db,
      accounts,
      http,
      operator,
      key,
      apiKey: keys.apiKey,
      sessionSecret: createHmac('sha256', keys.encryptionKey).update('packline session cookies').digest(),
      generated: keys.generated,
      hint: hinter.hint,
      onHint: (listener) => listeners.push(listener),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function embed({ config, log, time, purpose }: BaseOptions): Promise<EmbeddedPostgres> {
  return startEmbedded({
    dataDir: config.dataDir,
    purpose,
    time,
    log: (line) => log.debug({ event: 'postgres.line' }, line),
  });
}

async function prepare(
  url: string,
  { config, log, time, migrate: apply, signal }: BaseOptions,
): Promise<void> {
  const queue = config.redisUrl === null;
  if (apply) {
    const { applied } = await migrate(url, { log: (line) => log.info({ event: 'migrate.line' }, line) });
    if (queue) await migrateQueue(url);
    if (applied.length > 0) log.info({ event: 'migrate.applied', applied }, 'migrations were applied');
    return;
  }
  const ready = await waitForMigrations({
    databaseUrl: url,
    queue,
    sleep: time.sleep,
    signal: signal ?? new AbortController().signal,
    log: (line) => log.warn({ event: 'migrate.waiting' }, line),
  });
  if (!ready) throw new CannotStart('stopped while waiting for migrations');
}

/** Applies the configured accounts file. */
export async function applyAccountsFile(
  base: Base,
  file: string,
  env: Record<string, string | undefined>,
): Promise<void> {
  const read = await readAccountsFile(file);
  if (!read.ok) throw new CannotStart(read.message);
  const applied = await base.operator.applyAccounts(read.file, env);
  if (!applied.ok) throw new CannotStart(`${file}: ${problemText(applied.problem)}`);
}

/** A problem as lines for a terminal. */
export function problemText({ title, detail, errors }: Problem): string {
  return [
    `${title}: ${detail}`,
    ...(errors ?? []).map(({ pointer, detail: wrong }) => `  ${pointer || '/'}  ${wrong}`),
  ].join('\n');
}

/** Keeps the cache of accounts and the hints of other processes up to date, until closed. */
export function followDatabase(
  base: Base,
  { log, time }: Pick<BaseOptions, 'log' | 'time'>,
  onRing: () => void,
): { close(): Promise<void> } {
  const stop = new AbortController();
  const refresh = () =>
    void base.accounts
      .refresh()
      .catch((error: unknown) =>
        log.warn({ event: 'accounts.trouble', err: error }, 'accounts could not be read; trying again'),
      );
  const listener = listen({
    url: base.url,
    time,
    handlers: { [RING_CHANNEL]: onRing, [ACCOUNTS_CHANNEL]: refresh },
    onError: (error) =>
      log.warn({ event: 'database.trouble', err: error }, 'the listening connection broke; polls go on'),
  });
  const loop = (async () => {
    while (!stop.signal.aborted) {
      await time.sleep(ACCOUNTS_EVERY_MS, stop.signal);
      refresh();
    }
  })();
  return {
    async close() {
      stop.abort();
      await Promise.all([listener.close(), loop]);
    },
  };
}

/**
 * The queue's backend as configured.
 * @param onFatal told where a Redis that came back would throw jobs away
 */
export function openQueue(
  base: Pick<Base, 'url'>,
  config: Config,
  log: Logger,
  onFatal: (reason: string) => void,
): QueueBackend {
  const onError = (error: Error) =>
    log.warn({ event: 'queue.trouble', err: error }, 'the queue does not answer; it is tried again');
  if (config.redisUrl !== null) {
    const onEviction = (found: Error | null) => {
      if (found !== null) onFatal(found.message);
      else
        log.warn(
          { event: 'queue.eviction_unknown' },
          'this Redis does not say whether it evicts; make sure that its maxmemory-policy is noeviction',
        );
    };
    return redisBackend({ url: config.redisUrl, onError, onEviction });
  }
  return postgresBackend({ url: base.url, max: QUEUE_CONNECTIONS, onError });
}

/** One running process: its roles, its health, its stop. */
import { setMaxListeners } from 'node:events';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createHealth, type HealthDeps } from './api/health-server.js';
import { createApi } from './api/server.js';
import {
  applyAccountsFile,
  type Base,
  CannotStart,
  followDatabase,
  openBase,
  openQueue,
  packageVersion,
} from './app.js';
import type { Config } from './config.js';
import { errorCode } from './database/embedded/errors.js';
import { identityTrouble } from './database/identity.js';
import { migrationsPending } from './database/migrate.js';
import { openPresence, PRESENCE_CLASS, presenceName } from './database/presence.js';
import { type Dispatcher, startDispatcher } from './dispatcher.js';
import { createNotifier } from './events/notify.js';
import { createGates } from './fulfil/gates.js';
import { createHotPath } from './fulfil/hot.js';
import type { At } from './fulfil/points.js';
import { createTokenKeeper } from './fulfil/tokens.js';
import { type Fulfilment, startFulfilment } from './fulfil/worker.js';
import type { JsonObject } from './json.js';
import { type Maintenance, startMaintenance } from './maintenance/maintenance.js';
import { createMetrics } from './metrics/metrics.js';
import { createProcessMetrics } from './metrics/process-metrics.js';
import { readBalance } from './operator/read-once.js';
import { providers } from './providers/registry.js';
import { DEAD_LETTER_QUEUE, type QueueBackend, queueName, SCHEDULE_QUEUE } from './queue/backend.js';
import { compareHistories } from './queue/history.js';
import { seal, unseal } from './secrets.js';
import type { Time } from './time.js';

export type Role = 'api' | 'dispatcher' | 'fulfilment' | 'maintenance';

export interface RunOptions {
  config: Config;
  roles: readonly Role[];
  migrate: boolean;
  log: Logger;
  time: Time;
  env: Record<string, string | undefined>;
  /** Why the process must end by itself, where it must. */
  onFatal(reason: string): void;
  signal?: AbortSignal;
  /** Told where fulfilment stands; tests kill or freeze the process there. */
  at?: At;
}

export interface Running {
  /** Where it listens. */
  url: string;
  base: Base;
  queue: QueueBackend;
  /** Whether everything is in place, and if not, why. */
  readiness(): Promise<Readiness>;
  /** Stops claiming, lets calls in flight finish, and closes; what does not end in time is written as unknown. */
  stop(): Promise<void>;
  /** How long `stop` may take, ms; beyond it the process ends as it is, which leaves nothing that is not recovered. */
  stopWithinMs(): number;
}

export interface Readiness {
  ready: boolean;
  reasons: string[];
}

/** Added to the longest request timeout for the stop's deadline (contract, "Numbers"). */
const STOP_SLACK_MS = 5_000;

/** Starts the roles. Resolves when they run and the process listens; where it rejects, nothing of it is left. */
export async function startProcess(options: RunOptions): Promise<Running> {
  const opened: Closer[] = [];
  try {
    return await open(options, opened);
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

type Closer = () => unknown;

/** Last opened, first closed. */
async function closeAll(opened: Closer[]): Promise<void> {
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close();
}

/** @param opened takes how to close each part, as soon as there is something to close */
async function open(options: RunOptions, opened: Closer[]): Promise<Running> {
  const { config, roles, log, time } = options;
  const counted = createProcessMetrics();
  const { meter } = counted;
  const base = await openBase({
    ...options,
    meter,
    purpose: 'owner',
    name: `packline ${roles.length > 1 ? 'up' : roles[0]}`,
  });
  opened.push(() => base.close());
  for (const sentence of base.generated) log.warn({ event: 'key.generated' }, sentence);
  const presence = await openPresence(base.url, {
    applicationName: presenceName(roles),
    time,
    log: (line) => log.warn({ event: 'presence.trouble' }, line),
  });
  opened.push(() => presence.close());
  presence.onLost((loss) => {
    if (loss === 'gone') options.onFatal('another process holds the sign of life of this one');
  });
  if (config.accountsFile !== null) await applyAccountsFile(base, config.accountsFile, options.env);
  const queue = openQueue(base, config, log, options.onFatal);
  opened.push(() => queue.close());
  await queue.opened();
  await compareHistories({ db: base.db, queue, log }).catch((error: unknown) =>
    log.warn({ event: 'queue.trouble', err: error }, 'the queue cannot be asked how far this database was'),
  );
  const notifier = createNotifier({
    log,
    time,
    webhookUrl: config.alertWebhookUrl ?? undefined,
    slackUrl: config.slackWebhookUrl ?? undefined,
  });
  opened.push(() => notifier.close());

  const stopping = new AbortController();
  const abandon = new AbortController();
  // Every call under way listens to both; that is no leak.
  setMaxListeners(0, stopping.signal, abandon.signal);
  const parts: { dispatcher?: Dispatcher; fulfilment?: Fulfilment; maintenance?: Maintenance } = {};
  opened.push(async () => {
    stopping.abort();
    await parts.dispatcher?.stop();
    await Promise.all([parts.fulfilment?.stop(), parts.maintenance?.stop()]);
  });
  const has = (role: Role) => roles.includes(role);

  const sealer = {
    seal: (value: JsonObject, context: string) => seal(JSON.stringify(value), base.key, context),
    // Whatever opens was sealed by the line above.
    unseal: (sealed: string, context: string) => JSON.parse(unseal(sealed, base.key, context)) as JsonObject,
  };
  if (has('fulfilment')) {
    const shared = {
      db: base.db,
      http: base.http,
      time,
      log,
      presenceClass: PRESENCE_CLASS,
      tell: notifier.tell,
      meter,
      ...sealer,
    };
    const hot = createHotPath({
      db: base.db,
      owner: () => presence.key,
      presenceClass: PRESENCE_CLASS,
      time,
      meter,
    });
    parts.fulfilment = startFulfilment({
      ...shared,
      hot,
      accounts: base.accounts,
      gate: createGates({ ...shared, accounts: base.accounts }),
      tokens: createTokenKeeper({ ...shared, owner: () => presence.key }),
      stopping: stopping.signal,
      abandon: abandon.signal,
      ...(options.at === undefined ? {} : { at: options.at }),
      queue,
      onStuck: options.onFatal,
    });
  }
  if (has('dispatcher'))
    parts.dispatcher = startDispatcher({ db: base.db, accounts: base.accounts, queue, time, log });
  if (has('maintenance')) {
    parts.maintenance = startMaintenance({
      db: base.db,
      queue,
      accounts: base.accounts,
      time,
      log,
      presenceClass: PRESENCE_CLASS,
      hint: base.hint,
      watch: { http: base.http, key: base.key, tell: notifier.tell, meter },
      probe: async (account) => {
        const checked = await base.operator.checkAccount(account);
        return checked.ok && checked.value.ok;
      },
      retentionDays: config.retentionDays,
      readBalance: (account) =>
        readBalance({ db: base.db, http: base.http, key: base.key, time, meter }, base.accounts.get(account)),
    });
  }
  base.onHint(() => parts.dispatcher?.wake());
  const following = followDatabase(base, { log, time }, () => parts.dispatcher?.wake());
  opened.push(() => following.close());

  const metrics = createMetrics({
    process: counted,
    db: base.db,
    accounts: base.accounts,
    providers,
    time,
    log,
  });
  void metrics.warm();
  const health = { readiness: () => readiness(base), metrics: metrics.text, meter, log };
  const server = has('api')
    ? await apiServer(options, base, queue, health)
    : await createHealth({ ...health, key: base.apiKey });
  opened.push(() => server.close());
  const url = await listen(server, config);

  const shutDown = async () => {
    const giveUp = setTimeout(() => abandon.abort(), longestTimeout(base));
    stopping.abort();
    await closeAll(opened);
    clearTimeout(giveUp);
  };
  let stopped: Promise<void> | null = null;
  return {
    url,
    base,
    queue,
    readiness: () => readiness(base),
    stopWithinMs: () => longestTimeout(base) + STOP_SLACK_MS,
    stop: () => {
      stopped ??= shutDown();
      return stopped;
    },
  };
}

/** Somebody else on the port is the mistake that people make first. */
async function listen(server: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    const reason = LISTEN_FAULTS[errorCode(error) ?? ''];
    if (reason === undefined) throw error;
    throw new CannotStart(
      `cannot listen on ${host}, port ${port}: ${reason}. Set PORT and HOST, or --port and --host.`,
    );
  }
}

// The system's codes that a person can do something about (bind(2)).
const LISTEN_FAULTS: Record<string, string> = {
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user may not use that port',
  ENOTFOUND: 'there is no such host',
};

function longestTimeout(base: Base): number {
  return Math.max(0, ...base.accounts.all().map(({ common }) => common.requestTimeoutMs));
}

async function readiness(base: Base): Promise<Readiness> {
  const reasons: string[] = [];
  const pending = await migrationsPending(base.db.pool).catch(() => null);
  if (pending === null) reasons.push('the database does not answer');
  else if (pending.length > 0) reasons.push(`migrations are missing: ${pending.join(', ')}`);
  else {
    const trouble = await identityTrouble(base.db);
    if (trouble !== null) reasons.push(trouble);
  }
  return { ready: reasons.length === 0, reasons };
}

function apiServer(
  options: RunOptions,
  base: Base,
  queue: QueueBackend,
  health: Omit<HealthDeps, 'key'>,
): Promise<FastifyInstance> {
  const boardQueues = () =>
    [DEAD_LETTER_QUEUE, SCHEDULE_QUEUE, ...base.accounts.all().map(({ id }) => queueName(id))].map((name) =>
      queue.queue(name),
    );
  return createApi({
    ...health,
    operator: base.operator,
    keys: { bootstrap: base.apiKey },
    sessionSecret: base.sessionSecret,
    board: { queues: boardQueues, onChange: (callback) => void base.accounts.onChange(callback) },
    version: packageVersion(),
    // Off loopback a proxy in front is expected to speak TLS.
    secureCookies: !['127.0.0.1', 'localhost', '::1'].includes(options.config.host),
    clock: options.time.clock,
  });
}

/** A whole packline in this process, on real PostgreSQL and either queue backend, asked over real HTTP. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { jest } from '@jest/globals';
import type { Config } from '../../src/config.js';
import type { Alert } from '../../src/events/alerts.js';
import type { JsonObject } from '../../src/json.js';
import { createLog } from '../../src/log.js';
import { type Role, type Running, startProcess } from '../../src/process.js';
import { systemTime } from '../../src/time.js';
import type { OrderJson } from '../../src/views.js';
import { type Client, clientOf, KEY } from './client.js';
import { findLeaks } from './leaks.js';
import { createDatabase } from './postgres.js';
import { startRedis, type TestRedis } from './redis.js';
import { type AccountChanges, startSimulator, type TestSimulator } from './simulator.js';
import { until } from './until.js';

// Many cases of one file run at once, and share the processors with other files.
jest.setTimeout(60_000);

export type Backend = 'postgres' | 'redis';
export const BACKENDS: readonly Backend[] = ['postgres', 'redis'];
export const ALL_ROLES: readonly Role[] = ['api', 'dispatcher', 'fulfilment', 'maintenance'];

/** A customer whose every word is found again wherever it was written. */
export const PERSON = {
  firstName: 'Perpetua',
  lastName: 'Quisling-Oyelaran',
  email: 'perpetua.q@kunde-privat.example',
  phone: '+34 612 998 877',
  line1: 'Calle Escondida 71',
} as const;

/** What a packline runs on: a database, and a Redis where its queue lives there. */
export interface Stage {
  backend: Backend;
  redis: TestRedis | null;
  config: Config;
  /** The same as variables, for processes of their own. */
  env: Record<string, string>;
  remove(): Promise<void>;
}

/** @param options.empty without any table, as a shop's new database is */
export async function createStage(backend: Backend, options: { empty?: boolean } = {}): Promise<Stage> {
  const [database, redis] = await Promise.all([
    createDatabase(options),
    backend === 'redis' ? startRedis() : Promise.resolve(null),
  ]);
  const encryptionKey = randomBytes(32);
  const config: Config = {
    databaseUrl: database.url,
    redisUrl: redis?.url ?? null,
    port: 0,
    host: '127.0.0.1',
    apiKey: KEY,
    encryptionKey,
    accountsFile: null,
    dataDir: '/nowhere',
    logLevel: 'trace',
    alertWebhookUrl: null,
    slackWebhookUrl: null,
    eventsWebhook: null,
    allowHttpHosts: [],
    retentionDays: 0,
  };
  return {
    backend,
    redis,
    config,
    env: {
      DATABASE_URL: database.url,
      ...(redis === null ? {} : { REDIS_URL: redis.url }),
      PORT: '0',
      PACKLINE_API_KEY: KEY,
      PACKLINE_ENCRYPTION_KEY: encryptionKey.toString('base64'),
    },
    remove: async () => {
      await redis?.stop();
      await database.drop();
    },
  };
}

/**
 * Runs the same tests on both backends: one packline each, which they share.
 *
 * @param tests given a function that returns the packline, once the tests run
 */
export function onBothBackends(tests: (packline: () => TestPackline, backend: Backend) => void): void {
  describe.each(BACKENDS)('with the queue on %s', (backend) => {
    let stage: Stage;
    let packline: TestPackline;

    beforeAll(async () => {
      stage = await createStage(backend);
      packline = await startPackline(stage);
    });

    afterAll(async () => {
      await packline.stop();
      await stage.remove();
    });

    tests(() => packline, backend);

    test('nothing secret and nothing personal stands in its log, its alerts, its queue or its records', async () => {
      expect(await findLeaks(packline)).toEqual([]);
    });
  });
}

export interface TestPackline extends Client {
  stage: Stage;
  running: Running;
  url: string;
  /** Every line of its log so far, at level trace. */
  log: string[];
  /** What came to its alert webhook so far. */
  alerts: Alert[];
  /** Waits for an alert with this code about this order or account. */
  alert(code: string, about: { orderId?: string; account?: string }): Promise<Alert>;
  /** Brings accounts in as an accounts file would. */
  apply(accounts: object[]): Promise<void>;
  /** A simulator of its own, and an account there: what one test needs to be left alone by the others. */
  scene(options?: SceneOptions): Promise<Scene>;
  stop(): Promise<void>;
}

export interface SceneOptions extends AccountChanges {
  /** False: drafts cannot be held at the provider. */
  activation?: boolean;
  cancelTooLateStatus?: 400 | 409;
}

/** One account with a provider of its own. */
export interface Scene {
  account: string;
  simulator: TestSimulator;
  /** The body of a valid order for this account. */
  body(reference: string, changes?: JsonObject): JsonObject;
  /** Sends a new order; it must be taken. */
  send(reference: string, changes?: JsonObject): Promise<OrderJson>;
  /** Brings the account in again, changed. */
  change(changes: AccountChanges): Promise<void>;
}

/** Starts the roles in this process. The stage stays when it stops. */
export async function startPackline(stage: Stage, roles: readonly Role[] = ALL_ROLES): Promise<TestPackline> {
  const alerts: Alert[] = [];
  const sink = await startSink(alerts);
  const log: string[] = [];
  const running = await startProcess({
    config: { ...stage.config, alertWebhookUrl: sink.url },
    roles,
    migrate: false,
    log: createLog('trace', { write: (line: string) => void log.push(line) }),
    time: systemTime,
    env: {},
    onFatal: (reason) => log.push(`fatal: ${reason}`),
  });
  const client = clientOf(running.url);
  const simulators: TestSimulator[] = [];
  const apply = (accounts: object[]) => applyTo(running, accounts);
  return {
    stage,
    running,
    url: running.url,
    log,
    alerts,
    ...client,
    alert: (code, about) => until(`an alert ${code}`, () => alerts.find((one) => isAbout(one, code, about))),
    apply,
    scene: (options) => makeScene(options ?? {}, simulators, apply, client),
    stop: async () => {
      await client.close();
      await running.stop();
      await sink.close();
      await Promise.all(simulators.map((simulator) => simulator.stop()));
    },
  };
}

function isAbout(alert: Alert, code: string, { orderId, account }: { orderId?: string; account?: string }) {
  return (
    alert.code === code &&
    (orderId === undefined || alert.orderId === orderId) &&
    (account === undefined || alert.account === account)
  );
}

async function applyTo(running: Running, accounts: object[]): Promise<void> {
  // What a test writes here is JSON; undefined fields are left out on the way.
  const file: unknown = JSON.parse(JSON.stringify({ accounts }));
  const applied = await running.base.operator.applyAccounts(file, {});
  if (!applied.ok) throw new Error(JSON.stringify(applied.problem));
}

/** A receiver of alerts. */
async function startSink(alerts: Alert[]): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    // packline's own contract says what it posts; a test looks at every field.
    alerts.push((await json(request)) as Alert);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server on a TCP port has an address of this kind.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/alerts`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function makeScene(
  { activation = true, cancelTooLateStatus = 400, ...changes }: SceneOptions,
  simulators: TestSimulator[],
  apply: (accounts: object[]) => Promise<void>,
  { expecting }: Client,
): Promise<Scene> {
  const simulator = await startSimulator({ activation, cancelTooLateStatus });
  simulators.push(simulator);
  const account = `shop-${simulators.length}`;
  const change = (further: AccountChanges) => apply([simulator.account(account, further)]);
  await change(changes);
  const body: Scene['body'] = (reference, more) => orderBody(account, reference, more);
  return {
    account,
    simulator,
    body,
    send: (reference, more) => expecting(201, 'POST', '/v1/orders', body(reference, more)),
    change,
  };
}

/** The body of a valid order. */
export function orderBody(account: string, reference: string, changes: JsonObject = {}): JsonObject {
  const { line1, ...customer } = PERSON;
  return {
    account,
    reference,
    currency: 'EUR',
    customer,
    shippingAddress: { line1, city: 'Cuenca', postCode: '16001', country: 'ES' },
    items: [
      {
        reference: 'line-1',
        sku: 'poster_a3_170gsm',
        quantity: 2,
        unitPrice: '9.90',
        files: [{ type: 'default', url: 'https://files.example.com/poster.pdf' }],
      },
    ],
    ...changes,
  };
}

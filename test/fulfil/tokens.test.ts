/** Access tokens that rotate: a refresh token goes out once, whatever becomes of the answer. */
import { request } from 'undici';
import type { LedgerRequest } from '../../src/simulator/control.js';
import type { Simulator } from '../../src/simulator/kit.js';
import { type SallaSimulatorOptions, startSallaSimulator } from '../../src/simulator/salla/index.js';
import { systemTime } from '../../src/time.js';
import { accepting } from '../helpers/faults.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import type { Scene, Subject } from '../providers/conformance/subject.js';
import { countAt, openScene, ringToEnd, ringUntil } from '../providers/conformance/walk.js';
import { openWorld, type World } from '../providers/conformance/world.js';
import { salla } from '../providers/salla/subject.js';

const SECRET = 'secret-of-these-tests';

let database: TestDatabase;
let world: World;
let store: Simulator;

beforeAll(async () => {
  database = await createDatabase();
  world = await openWorld({ databaseUrl: database.url });
});
afterAll(async () => {
  await world.close();
  await database.drop();
});
afterEach(() => store.close());

/** A store whose access tokens die with their refresh, and one account there. */
async function open(
  options: Partial<SallaSimulatorOptions> = {},
  credentials: Record<string, string> = {},
): Promise<{ scene: Scene; subject: Subject; orders: string[] }> {
  const [intoStore] = salla;
  store = await startSallaSimulator({
    clientId: 'client-of-these-tests',
    clientSecret: SECRET,
    accessToken: 'access-of-these-tests',
    refreshToken: 'refresh-of-these-tests',
    oldAccessToken: 'revoked',
    requestsPerMinute: 1_000_000,
    errorBlock: false,
    stepMs: 0,
    time: systemTime,
    ...options,
  });
  const subject: Subject = {
    ...intoStore,
    entry: (entry) => ({ ...entry, credentials: { ...entry.credentials, ...credentials } }),
  };
  const scene = await openScene(world, subject, store);
  const orders: string[] = [];
  for (let n = 1; n <= 4; n += 1) {
    const order = await world.send({ ...(await subject.body(scene)), reference: `order-${scene.nth}-${n}` });
    orders.push(await world.operation(order, 'submit'));
  }
  return { scene, subject, orders };
}

/** Requests to the token endpoint, with their answers. */
async function refreshes(): Promise<number[]> {
  const answer = await request(`${store.url}/_ledger`);
  // What the ledger holds is declared by the server itself (simulator/kit.ts).
  const { requests } = (await answer.body.json()) as { requests: LedgerRequest[] };
  return requests.filter(({ verb }) => verb === 'token').map(({ status }) => status);
}

const soon = () => new Date(systemTime.clock.now() + 3_600_000).toISOString();
const alertsOf = ({ account }: Scene) => world.alertsOf(account).map(({ code }) => code);
const standing = (operation = '') => world.standing(operation);

test('an expired token is refreshed once, however many orders meet it, and all of them go out', async () => {
  const { scene, subject, orders } = await open();
  await scene.control('/_control/tokens', { expire: true });
  await Promise.all(orders.map((order) => world.ring(order)));
  for (const order of orders) expect(await ringToEnd(world, order)).toMatchObject({ state: 'succeeded' });
  expect(await refreshes()).toEqual([200]);
  expect(await countAt(store, subject)).toBe(4);
  expect(alertsOf(scene)).toEqual([]);
});

test('the accounts file, applied again, leaves a rotated token alone', async () => {
  const { scene, subject, orders } = await open();
  const entry = store.account(scene.account);
  await scene.control('/_control/tokens', { expire: true });
  expect(await ringToEnd(world, orders[0] ?? '')).toMatchObject({ state: 'succeeded' });
  await world.apply({ ...entry, config: { ...entry.config, requestTimeoutMs: 9_000 } });
  expect(await ringToEnd(world, orders[1] ?? '')).toMatchObject({ state: 'succeeded' });
  expect(await refreshes()).toEqual([200]);
  expect(await countAt(store, subject)).toBe(2);
});

test('a lost answer is told at once and never asked for again; work goes on until the old token is refused', async () => {
  const { scene, orders } = await open({ oldAccessToken: 'valid' }, { expiresAt: soon() });
  await scene.control('/_control', { match: { verb: 'token' }, times: 1, do: accepting('drop') });
  expect(await ringToEnd(world, orders[0] ?? '')).toMatchObject({ state: 'succeeded' });
  expect(alertsOf(scene)).toEqual(['token_refresh_lost']);
  expect(await ringToEnd(world, orders[1] ?? '')).toMatchObject({ state: 'succeeded' });

  await scene.control('/_control/tokens', { expire: true });
  await world.ring(orders[2] ?? '');
  expect(await standing(orders[2])).toMatchObject({
    state: 'waiting',
    waitReason: 'auth',
    attempts: 0,
    pause: 'reinstall',
  });
  expect(alertsOf(scene)).toEqual(['token_refresh_lost', 'account_paused']);
  // Somebody resumes it without having installed the app again: it pauses once more, and the spent token stays here.
  await world.openDoors(scene.account);
  await world.ring(orders[2] ?? '');
  expect(await standing(orders[2])).toMatchObject({ pause: 'reinstall', attempts: 0 });
  expect(await refreshes()).toHaveLength(1);
});

test('after the app was installed again, the new tokens of the accounts file begin a new chain', async () => {
  const { scene, orders } = await open({ oldAccessToken: 'valid' }, { expiresAt: soon() });
  await scene.control('/_control', { match: { verb: 'token' }, times: 1, do: accepting('drop') });
  await scene.control('/_control/tokens', { expire: true });
  await ringUntil(world, orders[0] ?? '', ({ pause }) => pause === 'reinstall');
  await scene.control('/_control/reinstall', {});
  await world.apply(store.account(scene.account));
  await world.openDoors(scene.account);
  expect(await ringToEnd(world, orders[0] ?? '')).toMatchObject({ state: 'succeeded', attempts: 1 });
  expect(await refreshes()).toHaveLength(1);
});

test('a refresh that was throttled comes again after its Retry-After, and nobody calls with the dead token meanwhile', async () => {
  const { scene, subject, orders } = await open();
  await scene.control('/_control/tokens', { expire: true });
  await scene.control('/_control', {
    match: { verb: 'token' },
    times: 1,
    do: { status: 429, headers: { 'retry-after': '30' } },
  });
  await world.ring(orders[0] ?? '');
  expect(await standing(orders[0])).toMatchObject({
    state: 'waiting',
    pause: null,
    gates: { '*': 'token_refresh' },
  });
  await world.ring(orders[1] ?? '');
  expect((await standing(orders[1])).calls).toBe(0);
  await world.db.query(
    `update packline.token_refreshes set expires_at = now() where account_id = $1 and report = 'not_sent'`,
    scene.account,
  );
  await world.waitOver(scene.account);
  expect(await ringToEnd(world, orders[0] ?? '')).toMatchObject({ state: 'succeeded', attempts: 1 });
  expect(await refreshes()).toEqual([429, 200]);
  expect(await countAt(store, subject)).toBe(1);
  expect(alertsOf(scene)).toEqual([]);
});

test('a missing scope is no matter of the token: it pauses, and no refresh token is spent on it', async () => {
  const { scene, orders } = await open();
  const message = 'The access token should have access to one of those scopes: orders.read_write';
  await scene.control('/_control', {
    match: { verb: 'submit' },
    times: 1,
    do: { status: 401, body: { status: 401, success: false, error: { code: 'Unauthorized', message } } },
  });
  await world.ring(orders[0] ?? '');
  expect(await standing(orders[0])).toMatchObject({ state: 'waiting', attempts: 0, pause: 'auth' });
  expect(await refreshes()).toEqual([]);
});

test('a wrong client secret pauses for credentials; corrected, the same refresh token is good', async () => {
  const { scene, orders } = await open({}, { clientSecret: 'wrong' });
  await scene.control('/_control/tokens', { expire: true });
  await world.ring(orders[0] ?? '');
  expect(await standing(orders[0])).toMatchObject({ state: 'waiting', waitReason: 'auth', pause: 'auth' });
  const entry = store.account(scene.account);
  const { clientSecret } = entry.credentials;
  expect(clientSecret).toBe(SECRET);
  await world.apply(entry);
  expect(await standing(orders[0])).toMatchObject({ pause: null });
  await world.db.query(
    `update packline.token_refreshes set ended_at = now() - interval '1 hour' where account_id = $1`,
    scene.account,
  );
  expect(await ringToEnd(world, orders[0] ?? '')).toMatchObject({ state: 'succeeded', attempts: 1 });
  expect(await refreshes()).toEqual([401, 200]);
});

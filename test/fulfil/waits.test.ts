/** "Why is this waiting, and until when": what an account's operations wait for. */
import type { Simulator } from '../../src/simulator/kit.js';
import { systemTime } from '../../src/time.js';
import type { WaitJson } from '../../src/views.js';
import { losing } from '../helpers/faults.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import type { Scene } from '../providers/conformance/subject.js';
import { openScene, ringUntil } from '../providers/conformance/walk.js';
import { openWorld, taken, type World } from '../providers/conformance/world.js';
import { wasal } from '../providers/wasal/subject.js';

let database: TestDatabase;
let world: World;
let simulator: Simulator;
let scene: Scene;

beforeAll(async () => {
  database = await createDatabase();
  world = await openWorld({ databaseUrl: database.url });
});
afterAll(async () => {
  await world.close();
  await database.drop();
});
beforeEach(async () => {
  simulator = await wasal.start();
  scene = await openScene(world, wasal, simulator);
});
afterEach(() => simulator.close());

async function submits(count: number): Promise<string[]> {
  const made: string[] = [];
  for (let n = 1; n <= count; n += 1) {
    const order = await world.send({ ...(await wasal.body(scene)), reference: `order-${scene.nth}-${n}` });
    made.push(await world.operation(order, 'submit'));
  }
  return made;
}

const waits = async (): Promise<WaitJson[]> =>
  taken(await world.base.operator.getAccount(scene.account)).waits ?? [];

const fate = (told: object) => scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: told });

test('nothing waits where nothing is to be done', async () => {
  expect(await waits()).toEqual([]);
});

test('those in line are told by when the pace lets the last of them through', async () => {
  await submits(3);
  const limits = { requests: 1, perMs: 60_000, concurrency: 1 };
  await world.apply({ ...simulator.account(scene.account), limits });
  const [wait, ...others] = await waits();
  expect(others).toEqual([]);
  expect(wait).toMatchObject({ kind: 'submit', reason: 'in_line', operations: 3 });
  const inMs = Date.parse(wait?.until ?? '') - systemTime.clock.now();
  expect(inMs).toBeGreaterThan(120_000);
  expect(inMs).toBeLessThan(181_000);
});

test('those behind an empty wallet say so, with the time of the next try, and the lost one that it is looked for', async () => {
  const [lost = '', poor = ''] = await submits(4);
  await fate(losing('drop'));
  await ringUntil(world, lost, ({ state }) => state === 'unconfirmed');
  await fate({
    status: 400,
    body: {
      success: false,
      message: 'Insufficient balance',
      code: 'INSUFFICIENT_WALLET_BALANCE',
      data: { required: 1.5, balance: 0, currency: 'KWD' },
    },
  });
  await ringUntil(world, poor, ({ state }) => state === 'waiting');
  const found = await waits();
  expect(found).toMatchObject([
    { kind: 'submit', reason: 'funds', operations: 3 },
    { kind: 'submit', reason: 'unconfirmed', operations: 1 },
  ]);
  expect(Date.parse(found[0]?.until ?? '')).toBeGreaterThan(systemTime.clock.now() + 10 * 60_000);
});

test('a pause holds everything up, until a person resumes it or the time that was named', async () => {
  await submits(2);
  const { operator } = world.base;
  taken(await operator.pauseAccount(scene.account, { actor: 'someone', reason: 'stock count' }));
  expect(await waits()).toMatchObject([{ reason: 'paused', operations: 2, until: null }]);
  const until = '2099-01-01T00:00:00.000Z';
  taken(await operator.resumeAccount(scene.account, 'someone'));
  taken(await operator.pauseAccount(scene.account, { actor: 'someone', reason: 'stock count', until }));
  expect(await waits()).toMatchObject([{ reason: 'paused', operations: 2, until }]);
});

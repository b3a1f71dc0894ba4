/** Orders with one serial key: only one of them is between its first call and its end at a time. */

import type { Simulator } from '../../src/simulator/kit.js';
import { claimedMeanwhile } from '../helpers/claims.js';
import { losing } from '../helpers/faults.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import type { Scene } from '../providers/conformance/subject.js';
import { countAt, openScene, ringToEnd, ringUntil } from '../providers/conformance/walk.js';
import { openWorld, type World } from '../providers/conformance/world.js';
import { zupy } from '../providers/zupy/subject.js';

let database: TestDatabase;
let world: World;
let simulator: Simulator;

beforeAll(async () => {
  database = await createDatabase();
  world = await openWorld({ databaseUrl: database.url });
});
afterAll(async () => {
  await world.close();
  await database.drop();
});
beforeEach(async () => {
  simulator = await zupy.start();
});
afterEach(() => simulator.close());

/** Orders of one customer for one reward. */
async function redeems(count: number): Promise<{ scene: Scene; submits: string[] }> {
  const scene = await openScene(world, zupy, simulator);
  const submits: string[] = [];
  for (let n = 1; n <= count; n += 1) {
    const order = await world.send({ ...(await zupy.body(scene)), reference: `order-${scene.nth}-${n}` });
    submits.push(await world.operation(order, 'submit'));
  }
  return { scene, submits };
}

test('the second waits from the first call of the first until that one is over, and then rings', async () => {
  const {
    submits: [first = '', second = ''],
  } = await redeems(2);
  await world.ring(first);
  await world.ring(second);
  expect(await world.standing(second)).toMatchObject({ state: 'waiting', waitReason: 'busy', calls: 0 });
  await ringToEnd(world, first);
  expect(await world.standing(second)).toMatchObject({ state: 'pending', waitReason: null });
  expect(await ringToEnd(world, second)).toMatchObject({ state: 'succeeded', attempts: 1 });
  expect(await countAt(simulator, zupy)).toBe(2);
});

test('rung at once, one is claimed and the others are not', async () => {
  const { submits } = await redeems(5);
  await Promise.all(submits.map((submit) => world.ring(submit)));
  const calls = await Promise.all(submits.map(async (submit) => (await world.standing(submit)).calls));
  expect([...calls].sort()).toEqual([0, 0, 0, 0, 1]);
  const first = submits[calls.indexOf(1)] ?? '';
  for (const submit of [first, ...submits]) await ringToEnd(world, submit);
  expect(await countAt(simulator, zupy)).toBe(5);
});

test('while it is not known whether the first was done, the second is not sent, and both are there once in the end', async () => {
  const {
    scene,
    submits: [first = '', second = ''],
  } = await redeems(2);
  await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: losing('drop') });
  await ringUntil(world, first, ({ state }) => state === 'unconfirmed');
  await world.ring(second);
  expect(await world.standing(second)).toMatchObject({ state: 'waiting', waitReason: 'busy', calls: 0 });
  expect(await ringToEnd(world, first)).toMatchObject({ state: 'succeeded', attempts: 2 });
  expect(await ringToEnd(world, second)).toMatchObject({ state: 'succeeded', attempts: 1 });
  expect(await countAt(simulator, zupy)).toBe(2);
});

test('one that waits for something else lets the others through', async () => {
  const {
    scene,
    submits: [first = '', second = ''],
  } = await redeems(2);
  await scene.control('/_control', {
    match: { verb: 'submit' },
    times: 1,
    do: {
      status: 422,
      body: {
        type: 'https://docs.zupy.com/errors#insufficient-balance',
        title: 'No',
        status: 422,
        detail: 'No',
      },
    },
  });
  await ringUntil(world, first, ({ state }) => state === 'waiting');
  expect(await ringToEnd(world, second)).toMatchObject({ state: 'succeeded' });
  expect(await ringToEnd(world, first)).toMatchObject({ state: 'succeeded' });
  expect(await countAt(simulator, zupy)).toBe(2);
});

test('a coupon that another order has adopted is not taken for the one that was lost', async () => {
  const {
    scene,
    submits: [first = '', second = ''],
  } = await redeems(2);
  await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: losing('drop') });
  await ringUntil(world, first, ({ state }) => state === 'unconfirmed');
  // A human gives the first one up and takes it up again; meanwhile the second has got its coupon.
  await world.db.query(`update packline.operations set state = 'dead' where id = $1::bigint`, first);
  expect(await ringToEnd(world, second)).toMatchObject({ state: 'succeeded' });
  await world.db.query(
    `update packline.operations set state = 'unconfirmed', due_at = now() where id = $1::bigint`,
    first,
  );
  for (const _lookup of ['coupons', 'points']) await world.ring(first);
  const { state, order, tries } = await world.standing(first);
  // Its points were spent by the other one, so nothing is proven either way.
  expect({ state, id: order?.providerOrderId, looks: tries.slice(-2).map(({ outcome }) => outcome) }).toEqual(
    {
      state: 'unconfirmed',
      id: null,
      looks: ['missing', 'failed'],
    },
  );
});

test('a claim that begins while another one of the key is being committed is refused', async () => {
  const {
    submits: [first = '', second = ''],
  } = await redeems(2);
  // As one that waited and was rung again: in the later claim's view the key is free until the first one commits.
  await world.db.query(
    `update packline.operations set state = 'waiting', wait_reason = 'rate_limited' where id = $1::bigint`,
    first,
  );
  await world.db.query(
    `update packline.serial_keys set busy_op = $1::bigint
     where (account_id, key) = (select account_id, serial_key from packline.operations where id = $1::bigint)`,
    first,
  );
  expect(await claimedMeanwhile(world.db, first, second)).toMatchObject([{ ok: false, refusal: 'busy' }]);
});

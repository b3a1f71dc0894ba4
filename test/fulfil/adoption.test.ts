/** An order that a human adopts goes on like one that was submitted or found. */

import { request } from 'undici';
import type { Simulator } from '../../src/simulator/kit.js';
import { accepting } from '../helpers/faults.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { openScene, ringToEnd, ringUntil } from '../providers/conformance/walk.js';
import { openWorld, taken, type World } from '../providers/conformance/world.js';
import { zupy } from '../providers/zupy/subject.js';

let database: TestDatabase;
let world: World;
let simulator: Simulator;

beforeAll(async () => {
  database = await createDatabase();
  world = await openWorld({ databaseUrl: database.url });
  simulator = await zupy.start();
});
afterAll(async () => {
  await simulator.close();
  await world.close();
  await database.drop();
});

test('a coupon that was to be used at once is used after its order was adopted', async () => {
  const scene = await openScene(world, zupy, simulator);
  await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: accepting('drop') });
  const orderId = await world.send({ ...(await zupy.body(scene)), activate: true });
  const submit = await world.operation(orderId, 'submit');
  await ringUntil(world, submit, ({ state }) => state === 'unconfirmed');
  // Nobody finds it in time, and a human has to.
  await world.db.query(`update packline.operations set deadline = now() where id = $1::bigint`, submit);
  await scene.control('/_control', { match: { verb: 'search' }, times: 1, do: { status: 503 } });
  await world.ring(submit);
  expect(await world.standing(submit)).toMatchObject({
    state: 'dead',
    letters: [{ code: 'unconfirmed', ambiguous: true }],
  });

  const { operator } = world.base;
  const [letter] = taken(await operator.listDeadLetters({ account: scene.account })).deadLetters;
  const answer = await request(`${simulator.url}/_ledger`);
  // What the ledger holds is declared by the server itself (simulator/kit.ts).
  const { orders } = (await answer.body.json()) as { orders: { code: string }[] };
  const [coupon] = orders;
  const adopted = await operator.adopt(letter?.id ?? '', {
    actor: 'operator:ada',
    providerOrderId: coupon?.code ?? '',
  });
  expect(adopted).toMatchObject({ ok: true, value: { state: 'adopted' } });
  expect(await ringToEnd(world, await world.operation(orderId, 'activate'))).toMatchObject({
    state: 'succeeded',
    order: { status: 'delivered' },
  });
});

/** Several bells of one operation at once: every step is taken once, and only where it was prepared. */
import type { Simulator } from '../../src/simulator/kit.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { countAt, openScene } from '../providers/conformance/walk.js';
import { openWorld, type World } from '../providers/conformance/world.js';
import { wasal } from '../providers/wasal/subject.js';

let database: TestDatabase;
let world: World;
let simulator: Simulator;

beforeAll(async () => {
  database = await createDatabase();
  world = await openWorld({ databaseUrl: database.url });
  simulator = await wasal.start();
});
afterAll(async () => {
  await simulator.close();
  await world.close();
  await database.drop();
});

/** Rings as a dispatcher and several workers do, each for itself, until the operation is over. */
async function ringWildly(submit: string): Promise<void> {
  const ended = async () => ['succeeded', 'dead', 'rejected'].includes((await world.standing(submit)).state);
  const bell = async () => {
    while (!(await ended())) await world.ring(submit);
  };
  await Promise.all(Array.from({ length: 6 }, bell));
}

test('no step is taken that another call has made unnecessary meanwhile', async () => {
  const scene = await openScene(world, wasal, simulator);
  for (let n = 1; n <= 25; n += 1) {
    const body = await wasal.body({ ...scene, nth: 100 * scene.nth + n });
    const submit = await world.operation(await world.send(body), 'submit');
    await ringWildly(submit);
    const { state, tries } = await world.standing(submit);
    expect({ state, steps: tries.map(({ step }) => step) }).toEqual({
      state: 'succeeded',
      steps: ['customer', 'address', 'order'],
    });
  }
  expect(await countAt(simulator, wasal)).toBe(25);
});

/** An absence is believed only where the same lookup finds an order that is certainly there. */
import { request } from 'undici';
import type { LedgerRequest } from '../../src/simulator/control.js';
import type { Simulator } from '../../src/simulator/kit.js';
import { accepting, losing } from '../helpers/faults.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import type { Scene, Subject } from '../providers/conformance/subject.js';
import { countAt, openScene, ringToEnd, ringUntil } from '../providers/conformance/walk.js';
import { openWorld, type World } from '../providers/conformance/world.js';
import { gelatoConnect } from '../providers/gelato-connect/subject.js';
import { salla } from '../providers/salla/subject.js';
import { wasal } from '../providers/wasal/subject.js';
import { wupex } from '../providers/wupex/subject.js';

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
afterEach(() => simulator.close());

const ofStore: Subject = salla[0];
const SUBJECTS = [gelatoConnect, ofStore, wasal, wupex].map((subject) => [subject.id, subject] as const);

async function order(scene: Scene, subject: Subject, name: string): Promise<string> {
  const body = { ...(await subject.body(scene)), reference: `${name}-${scene.nth}` };
  return world.operation(await world.send(body), 'submit');
}

/** An account with an order that was accepted long ago, and one whose submit was lost on its way. */
async function lost(subject: Subject, fate = losing('drop')): Promise<{ scene: Scene; submit: string }> {
  simulator = await subject.start();
  const scene = await openScene(world, subject, simulator);
  await ringToEnd(world, await order(scene, subject, 'old'));
  await world.db.query(
    `update packline.operations set finished_at = now() - interval '1 hour' where account_id = $1`,
    scene.account,
  );
  const submit = await order(scene, subject, 'lost');
  const last = world.base.accounts.get(scene.account)?.open.verbs.submit.at(-1)?.name ?? '';
  await scene.control('/_control', { match: { verb: subject.verbs[last] }, times: 1, do: fate });
  await ringUntil(world, submit, ({ state }) => state === 'unconfirmed');
  return { scene, submit };
}

/** What the last attempt was for. */
const purposes = async (submit: string) => (await world.standing(submit)).tries.map(({ purpose }) => purpose);

test.each(SUBJECTS)(
  '%s: absent, and the old order is found: it goes out again, once',
  async (_id, subject) => {
    const { submit } = await lost(subject);
    const end = await ringToEnd(world, submit);
    expect(end).toMatchObject({ state: 'succeeded', attempts: 2, letters: [] });
    expect((await purposes(submit)).filter((purpose) => purpose === 'control').length).toBeGreaterThanOrEqual(
      2,
    );
    expect(await countAt(simulator, subject)).toBe(2);
  },
);

test.each(SUBJECTS)(
  '%s: a lookup that finds nothing at all proves nothing, however often',
  async (_id, subject) => {
    const { scene, submit } = await lost(subject);
    const look = world.base.accounts.get(scene.account)?.open.reads.look?.name ?? '';
    // The same lookup, of another company as it were: well-formed, and without any order.
    const nothing = await emptyAnswer(subject);
    await scene.control('/_control', { match: { verb: subject.verbs[look] }, times: 100, do: nothing });
    for (let rings = 0; rings < 12; rings += 1) await world.ring(submit);
    expect(await world.standing(submit)).toMatchObject({
      state: 'unconfirmed',
      absentLooks: 0,
      lastOutcome: { code: 'control_not_found' },
    });
    expect(await submits(subject, scene)).toBe(2);
    expect(await countAt(simulator, subject)).toBe(1);
  },
);

test.each(SUBJECTS)(
  '%s: an index that lags behind is waited for, and the order is adopted once it shows',
  async (_id, subject) => {
    const { scene, submit } = await lost(subject, accepting('drop'));
    const look = world.base.accounts.get(scene.account)?.open.reads.look?.name ?? '';
    const nothing = await emptyAnswer(subject);
    await scene.control('/_control', { match: { verb: subject.verbs[look] }, times: 8, do: nothing });
    expect(await ringToEnd(world, submit)).toMatchObject({ state: 'succeeded', attempts: 1, letters: [] });
    expect(await submits(subject, scene)).toBe(2);
    expect(await countAt(simulator, subject)).toBe(2);
  },
);

async function submits(subject: Subject, { account }: Scene): Promise<number> {
  const last = world.base.accounts.get(account)?.open.verbs.submit.at(-1)?.name ?? '';
  const answer = await request(`${simulator.url}/_ledger`);
  // What the ledger holds is declared by the server itself (simulator/kit.ts).
  const { requests } = (await answer.body.json()) as { requests: LedgerRequest[] };
  return requests.filter(({ verb }) => verb === subject.verbs[last]).length;
}

/** What a fresh simulator says to the lookup of an order that it never had. */
async function emptyAnswer(subject: Subject): Promise<object> {
  const other = await subject.start();
  try {
    const scene = await openScene(world, subject, other);
    const submit = await order(scene, subject, 'never');
    const last = world.base.accounts.get(scene.account)?.open.verbs.submit.at(-1)?.name ?? '';
    await scene.control('/_control', { match: { verb: subject.verbs[last] }, times: 1, do: losing('drop') });
    await ringUntil(world, submit, ({ state }) => state === 'unconfirmed');
    await world.ring(submit);
    const { status, body } = world.heard(other.url);
    return { status, body };
  } finally {
    await other.close();
  }
}

/** A provider in trouble: its account stands still but for lookups and cancels, and one call at a time finds out when it is over. */
import { closeGate } from '../../src/gate/closures.js';
import { claimOperations } from '../../src/orders/store/claim.js';
import { ringDue } from '../../src/orders/store/dispatch.js';
import { recoverLost } from '../../src/orders/store/recover.js';
import type { Simulator } from '../../src/simulator/kit.js';
import { systemTime } from '../../src/time.js';
import type { AccountJson } from '../../src/views.js';
import { claimedMeanwhile } from '../helpers/claims.js';
import { accepting } from '../helpers/faults.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import type { Scene, Subject } from '../providers/conformance/subject.js';
import { openScene, ringToEnd, ringUntil, send } from '../providers/conformance/walk.js';
import { openWorld, taken, type World } from '../providers/conformance/world.js';
import { gelatoConnect } from '../providers/gelato-connect/subject.js';

const BREAKER = { minCalls: 4, ratio: 0.8, openMs: 60_000, maxOpenMs: 300_000 };
const BROKEN = { match: { verb: 'submit' }, times: 100, do: { status: 503 } };
/** A presence class and key under which nobody lives. */
const NOBODY = 1;

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
  simulator = await gelatoConnect.start();
});
afterEach(() => simulator.close());

/** An account of its own, with so many submits to be done. */
async function shop(
  count: number,
  breaker: object | false | undefined = BREAKER,
): Promise<{ scene: Scene; submits: string[]; orders: string[] }> {
  const subject: Subject = { ...gelatoConnect, entry: (entry) => ({ ...entry, breaker }) };
  const scene = await openScene(world, subject, simulator);
  const orders: string[] = [];
  const submits: string[] = [];
  for (let n = 1; n <= count; n += 1) {
    const body = await gelatoConnect.body(scene);
    const order = await world.send({ ...body, reference: `${scene.account}-${n}` });
    orders.push(order);
    submits.push(await world.operation(order, 'submit'));
  }
  return { scene, submits, orders };
}

/** The same, after the first four submits have met trouble. */
async function brokenShop(count: number) {
  const { scene, submits, orders } = await shop(count);
  await scene.control('/_control', BROKEN);
  for (const submit of submits.slice(0, 4)) await world.ring(submit);
  expect((await account(scene)).breaker).toMatchObject({ state: 'open' });
  return { scene, failed: submits.slice(0, 4), waiting: submits.slice(4), orders };
}

const account = async ({ account: id }: Scene): Promise<AccountJson> =>
  taken(await world.base.operator.getAccount(id));

/** Lets the time run out for which nothing is tried. */
const pass = ({ account: id }: Scene) =>
  world.db.query(`update packline.gates set open_until = now() where account_id = $1`, id);

const heal = (scene: Scene) => send(scene.simulator, 'DELETE', '/_control');

async function callsOf(submits: readonly string[]): Promise<number[]> {
  return Promise.all(submits.map(async (submit) => (await world.standing(submit)).calls));
}

const alerts = ({ account: id }: Scene) =>
  world.alertsOf(id).filter(({ code }) => code === 'breaker_open').length;

/** What the dispatcher rings for, by operation. */
const rung = async ({ account: id }: Scene): Promise<string[]> =>
  (await ringDue(world.db, [{ account: id, jobs: 100, againMs: 30_000 }], 0)).map((each) => each.id);

describe('while it is open', () => {
  test('submits wait and spend nothing, and their order, their account and one alert say so', async () => {
    const { scene, waiting, orders } = await brokenShop(7);
    for (const submit of waiting) {
      expect(await world.ring(submit)).toEqual({ kind: 'done', what: 'given back: the gate is closed' });
      expect(await world.standing(submit)).toMatchObject({ state: 'pending', attempts: 0, calls: 0 });
    }
    const shown = await account(scene);
    expect(shown.breaker).toEqual({
      state: 'open',
      failureRate: 1,
      calls: 4,
      openUntil: expect.any(String),
    });
    expect(shown.gate).toMatchObject({ blockedUntil: shown.breaker?.openUntil, why: 'breaker' });
    expect(shown.waits).toContainEqual(
      expect.objectContaining({ kind: 'submit', reason: 'breaker', operations: 3 }),
    );
    const order = taken(await world.base.operator.findOrder(orders[6] ?? ''));
    expect(order.operations).toMatchObject([
      { state: 'pending', waitReason: 'rate_limited', dueAt: shown.breaker?.openUntil },
    ]);
    expect(alerts(scene)).toBe(1);
  });

  test('a claim is refused as well, whatever the gate has let through before', async () => {
    const { waiting } = await brokenShop(5);
    const [result] = await claimOperations(
      world.db,
      [{ operationId: waiting[0] ?? '', timeoutMs: 1_000 }],
      NOBODY,
      NOBODY,
    );
    expect(result).toMatchObject({ ok: false, refusal: 'gate_closed' });
  });

  test('lookups go through, and what they find does not close it', async () => {
    const { scene, failed } = await brokenShop(4);
    const [first = ''] = failed;
    expect(await world.standing(first)).toMatchObject({ state: 'unconfirmed' });
    await ringUntil(world, first, ({ looks }) => looks > 0);
    expect((await account(scene)).breaker).toMatchObject({ state: 'open', calls: 4 });
  });

  test('an order whose answer was lost is found and settled', async () => {
    const { scene, submits } = await shop(4);
    await scene.control('/_control', {
      match: { verb: 'submit' },
      times: 4,
      do: accepting({ status: 502 }),
    });
    for (const submit of submits) await world.ring(submit);
    expect((await account(scene)).breaker).toMatchObject({ state: 'open' });
    for (const submit of submits)
      expect(await ringToEnd(world, submit)).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect((await account(scene)).breaker).toMatchObject({ state: 'open' });
  });

  test('cancels go through, and reads wait', async () => {
    const { scene, submits, orders } = await shop(6);
    await ringToEnd(world, submits[5] ?? '');
    await scene.control('/_control', BROKEN);
    for (const submit of submits.slice(0, 5)) await world.ring(submit);
    expect((await account(scene)).breaker).toMatchObject({ state: 'open' });

    const sync = await world.sync(scene.account);
    await world.ring(sync);
    expect(await world.standing(sync)).toMatchObject({ calls: 0, state: 'pending' });

    taken(await world.base.operator.cancel(orders[5] ?? '', 'shop'));
    const cancel = await world.operation(orders[5] ?? '', 'cancel');
    expect(await rung(scene)).toContain(cancel);
    expect(await ringToEnd(world, cancel)).toMatchObject({
      state: 'succeeded',
      order: { status: 'canceled' },
    });
  });

  test('a resume by hand lets everything go on at once', async () => {
    const { scene, waiting } = await brokenShop(6);
    await heal(scene);
    expect(taken(await world.base.operator.resumeAccount(scene.account, 'operator:ada'))).toMatchObject({
      breaker: { state: 'closed', calls: 0, failureRate: null, openUntil: null },
      gate: { blockedUntil: null, why: null },
    });
    expect((await rung(scene)).filter((id) => waiting.includes(id)).sort()).toEqual([...waiting].sort());
    for (const submit of waiting) expect(await ringToEnd(world, submit)).toMatchObject({ attempts: 1 });
  });

  test('a changed account is tried at once, and one that is to have no breaker has none', async () => {
    const { scene, waiting } = await brokenShop(5);
    const entry = simulator.account(scene.account);
    await world.apply({ ...entry, breaker: false });
    expect((await account(scene)).breaker).toBeNull();
    expect(await rung(scene)).toContain(waiting[0]);
    await world.ring(waiting[0] ?? '');
    expect(await callsOf(waiting)).toEqual([1]);
  });

  test('a longer closure of the gate is what is shown', async () => {
    const { scene } = await brokenShop(4);
    await closeGate(world.db, scene.account, {
      forMs: 3_600_000,
      why: 'rate_limited',
      verb: null,
      strike: false,
    });
    expect((await account(scene)).gate.why).toBe('rate_limited');
  });
});

describe('once its time is over', () => {
  test('the dispatcher rings for one order, and for no further one while that is on its way', async () => {
    const { scene, waiting } = await brokenShop(8);
    const among = (ids: readonly string[]) => ids.filter((id) => waiting.includes(id));
    // As urgent as a lookup, and yet none.
    await world.db.query(
      `update packline.operations set priority = 2 where id = $1::bigint`,
      waiting[3] ?? '',
    );
    expect(among(await rung(scene))).toEqual([]);
    await pass(scene);
    const [first = '', ...more] = among(await rung(scene));
    expect(more).toEqual([]);
    expect(among(await rung(scene))).toEqual([]);
    await claimOperations(world.db, [{ operationId: first, timeoutMs: 60_000 }], NOBODY, NOBODY);
    expect(among(await rung(scene))).toEqual([]);
  });

  test('exactly one of all calls that ask at once goes out; once it is through all others follow', async () => {
    const { scene, waiting } = await brokenShop(12);
    await heal(scene);
    await pass(scene);
    // Slow enough that all bells ring while it is on its way.
    await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: { delayMs: 1_000 } });
    await Promise.all(waiting.map((submit) => world.ring(submit)));
    const calls = await callsOf(waiting);
    expect(calls.reduce((sum, each) => sum + each, 0)).toBe(1);
    expect((await account(scene)).breaker).toMatchObject({ state: 'closed' });
    for (const submit of waiting)
      expect(await ringToEnd(world, submit)).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(alerts(scene)).toBe(1);
  });

  test('where it fails the account waits for longer, with one attempt spent and nobody told', async () => {
    const { scene, waiting } = await brokenShop(6);
    const [first = '', second = ''] = waiting;
    await pass(scene);
    await world.ring(first);
    expect(await callsOf(waiting)).toEqual([1, 0]);
    const { breaker } = await account(scene);
    expect(breaker).toMatchObject({ state: 'open' });
    expect(Date.parse(breaker?.openUntil ?? '') - systemTime.clock.now()).toBeGreaterThan(100_000);
    await world.ring(second);
    expect(await callsOf(waiting)).toEqual([1, 0]);
    expect(alerts(scene)).toBe(1);
  });

  test('a 429 says nothing of it, and the next call tries', async () => {
    const { scene, waiting } = await brokenShop(6);
    await heal(scene);
    await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: { status: 429 } });
    await pass(scene);
    await world.ring(waiting[0] ?? '');
    expect((await account(scene)).breaker).toMatchObject({ state: 'half_open' });
    await world.waitOver(scene.account);
    await world.ring(waiting[1] ?? '');
    expect(await callsOf(waiting)).toEqual([1, 1]);
    expect((await account(scene)).breaker).toMatchObject({ state: 'closed' });
  });

  test('a read may be what tries', async () => {
    const { scene, submits } = await shop(6);
    await ringToEnd(world, submits[5] ?? '');
    await scene.control('/_control', BROKEN);
    for (const submit of submits.slice(0, 5)) await world.ring(submit);
    await pass(scene);
    const sync = await world.sync(scene.account);
    expect(await ringUntil(world, sync, ({ calls }) => calls > 0)).toMatchObject({ calls: 1 });
    expect((await account(scene)).breaker).toMatchObject({ state: 'closed' });
  });

  test('a read waits while a submit tries', async () => {
    const { scene, submits } = await shop(6);
    const [last = '', tries = ''] = submits.slice(4).reverse();
    await ringToEnd(world, last);
    await scene.control('/_control', BROKEN);
    for (const submit of submits.slice(0, 4)) await world.ring(submit);
    await pass(scene);
    const sync = await world.sync(scene.account);
    await claimOperations(world.db, [{ operationId: tries, timeoutMs: 60_000 }], NOBODY, NOBODY);
    await world.db.query(`update packline.operations set state = 'queued' where id = $1::bigint`, sync);
    expect(await world.ring(sync)).toEqual({ kind: 'done', what: 'not claimed: tried' });
    expect(await world.standing(sync)).toMatchObject({ calls: 0, state: 'pending' });
  });

  test('a claim that begins while the one that tries is being committed is refused', async () => {
    const { scene, waiting } = await brokenShop(6);
    await pass(scene);
    const [first = '', second = ''] = waiting;
    expect(await claimedMeanwhile(world.db, first, second)).toMatchObject([{ ok: false, refusal: 'tried' }]);
  });

  test('a process that is killed while it tries keeps the others waiting no longer than its operation', async () => {
    const { scene, waiting } = await brokenShop(6);
    const [first = '', second = ''] = waiting;
    await heal(scene);
    await pass(scene);
    const claim = (operationId: string) =>
      claimOperations(world.db, [{ operationId, timeoutMs: 60_000 }], NOBODY, NOBODY);
    expect(await claim(first)).toMatchObject([{ ok: true, claim: { probes: true } }]);
    expect(await world.ring(second)).toEqual({ kind: 'done', what: 'not claimed: tried' });
    // Its owner is gone.
    expect((await recoverLost(world.db, NOBODY)).map(({ operationId }) => operationId)).toContain(first);
    expect(await ringToEnd(world, second)).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect((await account(scene)).breaker).toMatchObject({ state: 'closed' });
  });

  test('one that is never heard of again keeps them waiting no longer than its lease', async () => {
    const { scene, waiting } = await brokenShop(6);
    const [first = '', second = ''] = waiting;
    await heal(scene);
    await pass(scene);
    await claimOperations(world.db, [{ operationId: first, timeoutMs: 60_000 }], NOBODY, NOBODY);
    const [lease] = await world.db.query<{ same: boolean }>(
      `select g.probe_until = o.lease_until as same from packline.gates g join packline.operations o on o.id = g.probe_operation_id
       where g.account_id = $1`,
      scene.account,
    );
    expect(lease).toEqual({ same: true });
    expect(await world.ring(second)).toEqual({ kind: 'done', what: 'not claimed: tried' });
    await world.db.query(
      `update packline.gates set probe_until = now() where account_id = $1`,
      scene.account,
    );
    expect(await ringToEnd(world, second)).toMatchObject({ state: 'succeeded', attempts: 1 });
  });
});

describe('it does not open', () => {
  test('on what is said about orders, on a 429, or on fewer failures than it asks for', async () => {
    const { scene, submits } = await shop(14);
    const answers = [422, 422, 400, 422, 422, 429, 429, 503, 503, 503];
    for (const status of answers)
      await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: { status } });
    for (const submit of submits) {
      await world.ring(submit);
      await world.waitOver(scene.account);
    }
    expect((await account(scene)).breaker).toMatchObject({ state: 'closed' });
    expect(alerts(scene)).toBe(0);
    expect((await world.standing(submits.at(-1) ?? '')).state).toBe('succeeded');
  });

  test('where the account has none', async () => {
    const { scene, submits } = await shop(8, false);
    await scene.control('/_control', BROKEN);
    for (const submit of submits) await world.ring(submit);
    expect(await callsOf(submits)).toEqual(submits.map(() => 1));
    expect((await account(scene)).breaker).toBeNull();
  });
});

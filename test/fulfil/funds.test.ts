/** A wallet that is empty: one order at a time finds out whether it has been filled, and a human is told once. */

import { request } from 'undici';
import { watchBalances } from '../../src/maintenance/funds.js';
import { readBalance } from '../../src/operator/read-once.js';
import type { Simulator } from '../../src/simulator/kit.js';
import { systemTime } from '../../src/time.js';
import { claimedMeanwhile } from '../helpers/claims.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import type { Scene } from '../providers/conformance/subject.js';
import { countAt, openScene, ringToEnd, ringUntil } from '../providers/conformance/walk.js';
import { openWorld, taken, type World } from '../providers/conformance/world.js';
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
beforeEach(async () => {
  simulator = await wasal.start();
});
afterEach(() => simulator.close());

const EMPTY = {
  match: { verb: 'submit' },
  do: {
    status: 400,
    body: {
      success: false,
      message: 'Insufficient balance',
      code: 'INSUFFICIENT_WALLET_BALANCE',
      data: { required: 1.5, balance: 0, currency: 'KWD' },
    },
  },
};

async function orders(count: number): Promise<{ scene: Scene; submits: string[] }> {
  const scene = await openScene(world, wasal, simulator);
  const submits: string[] = [];
  for (let n = 1; n <= count; n += 1) {
    const order = await world.send({ ...(await wasal.body(scene)), reference: `order-${scene.nth}-${n}` });
    submits.push(await world.operation(order, 'submit'));
  }
  return { scene, submits };
}

/** How many submits have reached the provider. */
async function submitted(): Promise<number> {
  const answer = await request(`${simulator.url}/_ledger`);
  // What the ledger holds is declared by the server itself (simulator/kit.ts).
  const { requests } = (await answer.body.json()) as { requests: { verb: string }[] };
  return requests.filter(({ verb }) => verb === 'submit').length;
}

async function callsOf(submits: readonly string[]): Promise<number> {
  const standings = await Promise.all(submits.map((submit) => world.standing(submit)));
  return standings.reduce((sum, { calls }) => sum + calls, 0);
}

const funds = (account: string) => world.alertsOf(account).filter(({ code }) => code === 'funds').length;

test('after the wait one order tries, the others stay, and nobody is told again; once it goes through they follow', async () => {
  const { scene, submits } = await orders(4);
  const [first = '', ...others] = submits;
  await scene.control('/_control', { ...EMPTY, times: 2 });
  await ringUntil(world, first, ({ state }) => state === 'waiting');
  expect(await world.standing(first)).toMatchObject({
    waitReason: 'funds',
    attempts: 0,
    gates: { submit: 'funds' },
  });
  for (const other of others) await world.ring(other);
  expect(await submitted()).toBe(1);
  expect(funds(scene.account)).toBe(1);

  await world.waitOver(scene.account);
  await ringUntil(world, first, ({ state, tries }) => state === 'waiting' && tries.length > 3);
  for (const other of others) expect((await world.standing(other)).calls).toBe(0);
  expect(await submitted()).toBe(2);
  expect(funds(scene.account)).toBe(1);

  await world.waitOver(scene.account);
  // Slow enough that all bells ring while the one that tries is on its way.
  await scene.control('/_control', { times: 1, do: { delayMs: 500 } });
  const before = await callsOf(submits);
  await Promise.all(submits.map((submit) => world.ring(submit)));
  expect((await callsOf(submits)) - before).toBe(1);
  expect(await ringToEnd(world, first)).toMatchObject({ state: 'succeeded', attempts: 1, gates: {} });
  for (const other of others)
    expect(await ringToEnd(world, other)).toMatchObject({ state: 'succeeded', attempts: 1 });
  expect(await countAt(simulator, wasal)).toBe(4);
  expect(funds(scene.account)).toBe(1);
});

test('a claim that begins while the one that tries is being committed is refused', async () => {
  const {
    scene,
    submits: [first = '', second = ''],
  } = await orders(2);
  await scene.control('/_control', { ...EMPTY, times: 1 });
  await ringUntil(world, first, ({ state }) => state === 'waiting');
  await world.waitOver(scene.account);
  await world.db.query(`update packline.operations set due_at = now() where id = $1::bigint`, first);
  expect(await claimedMeanwhile(world.db, first, second)).toMatchObject([{ ok: false, refusal: 'tried' }]);
});

test('an order behind a closed verb or a paused account says what it waits for, and until when', async () => {
  const {
    scene,
    submits: [first = ''],
  } = await orders(2);
  const { operator } = world.base;
  const second = async () => {
    const found = taken(await operator.findOrder(`${scene.account}/order-${scene.nth}-2`));
    return found.operations.find(({ kind }) => kind === 'submit');
  };
  expect(await second()).toMatchObject({ state: 'pending', waitReason: null });
  await scene.control('/_control', { ...EMPTY, times: 1 });
  await ringUntil(world, first, ({ state }) => state === 'waiting');
  const behind = await second();
  expect(behind).toMatchObject({ state: 'pending', waitReason: 'funds' });
  expect(Date.parse(behind?.dueAt ?? '')).toBeGreaterThan(systemTime.clock.now() + 10 * 60_000);
  await world.waitOver(scene.account);
  expect(await second()).toMatchObject({ waitReason: 'funds' });
  await operator.pauseAccount(scene.account, { actor: 'operator:ada', reason: 'stocktaking' });
  expect(await second()).toMatchObject({ state: 'pending', waitReason: 'paused' });
  await world.openDoors(scene.account);
  expect(await second()).toMatchObject({ state: 'pending', waitReason: null });
});

test('where the provider tells the balance, money that has come lets one order try at once', async () => {
  const codes = await wupex.start();
  try {
    const scene = await openScene(world, wupex, codes);
    await scene.control('/_control/balance', { balance: 1 });
    const orderId = await world.send(await wupex.body(scene));
    const submit = await world.operation(orderId, 'submit');
    await ringUntil(world, submit, ({ state }) => state === 'waiting');
    const account = world.base.accounts.get(scene.account);
    const { db, base } = world;
    const deps = { db, http: base.http, key: base.key, time: systemTime };
    const watch = async () => {
      // Not to wait for the minute between two questions.
      await db.query('update packline.gates set balance_at = null');
      return watchBalances({ db, readBalance: () => readBalance(deps, account) });
    };
    expect(await watch()).toBe(false);
    expect(await watch()).toBe(false);
    expect((await world.standing(submit)).gates).toEqual({ submit: 'funds' });
    await scene.control('/_control/balance', { balance: 1_000 });
    expect(await watch()).toBe(true);
    expect((await world.standing(submit)).gates).toEqual({});
    expect(await ringToEnd(world, submit)).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(funds(scene.account)).toBe(1);
  } finally {
    await codes.close();
  }
});

test('cancels go out while submits wait for funds', async () => {
  const {
    scene,
    submits: [first = '', second = ''],
  } = await orders(2);
  await ringToEnd(world, first);
  await scene.control('/_control', { ...EMPTY, times: 1 });
  await ringUntil(world, second, ({ state }) => state === 'waiting');
  const [{ id } = { id: '' }] = await world.base.operator
    .findOrder(`order-${scene.nth}-1`)
    .then((found) => (found.ok ? [found.value] : []));
  await world.base.operator.cancel(id, 'shop');
  expect(await ringToEnd(world, await world.operation(id, 'cancel'))).toMatchObject({ state: 'succeeded' });
});

test('a resume by hand lets one order try at once, though the account was never paused', async () => {
  const {
    scene,
    submits: [first = '', second = ''],
  } = await orders(2);
  await scene.control('/_control', { ...EMPTY, times: 1 });
  await ringUntil(world, first, ({ state }) => state === 'waiting');
  await world.ring(second);
  expect(await submitted()).toBe(1);
  taken(await world.base.operator.resumeAccount(scene.account, 'someone'));
  expect(await ringToEnd(world, first)).toMatchObject({ state: 'succeeded', gates: {} });
  expect(await ringToEnd(world, second)).toMatchObject({ state: 'succeeded' });
});

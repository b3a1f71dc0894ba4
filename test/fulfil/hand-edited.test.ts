/**
 * Rows that no code of ours writes, because somebody edited them or another version did: each is worked off, or put
 * before a person with a reason. Nothing is lost, nothing is sent twice, and no bell fails for ever.
 */

import { request } from 'undici';
import { PRESENCE_CLASS } from '../../src/database/presence.js';
import type { JsonObject } from '../../src/json.js';
import { freeOrders, recoverLost } from '../../src/orders/store/recover.js';
import type { LedgerOrder, Simulator } from '../../src/simulator/kit.js';
import { accepting, losing } from '../helpers/faults.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import type { Scene, Subject } from '../providers/conformance/subject.js';
import { openScene, ringToEnd, ringUntil } from '../providers/conformance/walk.js';
import { openWorld, type Standing, taken, type World } from '../providers/conformance/world.js';
import { gelatoConnect } from '../providers/gelato-connect/subject.js';
import { wasal } from '../providers/wasal/subject.js';
import { zupy } from '../providers/zupy/subject.js';

let database: TestDatabase;
let world: World;
let simulator: Simulator;
let scene: Scene;

beforeAll(async () => {
  database = await createDatabase();
  world = await openWorld({ databaseUrl: database.url });
  simulator = await gelatoConnect.start();
});
afterAll(async () => {
  await simulator.close();
  await world.close();
  await database.drop();
});
beforeEach(async () => {
  scene = await openScene(world, gelatoConnect, simulator);
});

interface Sent {
  orderId: string;
  submit: string;
  reference: string;
}

async function send(changes: JsonObject = {}): Promise<Sent> {
  const reference = `edited-${scene.nth}`;
  const orderId = await world.send({ ...(await gelatoConnect.body(scene)), reference, ...changes });
  return { orderId, reference, submit: await world.operation(orderId, 'submit') };
}

/** Orders of a reference at the provider. */
async function held(reference: string, at: Simulator = simulator): Promise<number> {
  const answer = await request(`${at.url}/_ledger`);
  // What the ledger holds is declared by the server itself (simulator/kit.ts).
  const { orders } = (await answer.body.json()) as { orders: LedgerOrder[] };
  return orders.filter((order) => order.reference === reference).length;
}

const edit = (set: string, operation: string) =>
  world.db.query(`update packline.operations set ${set} where id = $1::bigint`, operation);

const replay = async (operation: string) => {
  const [letter] = await world.db.query<{ id: string }>(
    `select id::text as id from packline.dead_letters where operation_id = $1::bigint and state = 'open'`,
    operation,
  );
  taken(await world.base.operator.replay(letter?.id ?? '', { actor: 'operator' }));
};

/** Parked: a dead letter with this code, the order in view, no call that could have sent anything. */
function parked(code: string): object {
  return {
    state: 'dead',
    order: { status: 'received', attention: code },
    letters: [{ code, state: 'open' }],
  };
}

describe('an operation that is running', () => {
  test('without an owner goes on, and is sent once', async () => {
    const { submit, reference } = await send();
    await edit(`state = 'running', ring_at = null`, submit);
    expect(await recoverLost(world.db, PRESENCE_CLASS)).toMatchObject([{ operationId: submit }]);
    await edit(`confirm_from = now()`, submit);
    expect(await ringToEnd(world, submit)).toMatchObject({ state: 'succeeded' });
    expect(await held(reference)).toBe(1);
  });

  test('and whose attempt is gone may have been sent: it is looked up, and not sent again', async () => {
    const { submit, reference, orderId } = await send();
    await ringToEnd(world, submit);
    await world.db.query('delete from packline.attempts where operation_id = $1::bigint', submit);
    await world.db.query(
      `update packline.orders set status = 'received', provider_order_id = null, busy_op = $2::bigint where id = $1::uuid`,
      orderId,
      submit,
    );
    await edit(
      `state = 'running', ring_at = null, owner = 7, lease_until = now(), finished_at = null`,
      submit,
    );
    expect(await recoverLost(world.db, PRESENCE_CLASS)).toMatchObject([{ state: 'unconfirmed' }]);
    expect(await ringToEnd(world, submit)).toMatchObject({
      state: 'succeeded',
      order: { status: 'submitted', providerOrderId: expect.any(String) },
    });
    expect(await held(reference)).toBe(1);
  });

  test('keeps what its call brings, although its attempt was removed meanwhile', async () => {
    const { submit, orderId } = await send();
    await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: { delayMs: 400 } });
    const ring = world.ring(submit);
    await until('the call is on its way', async () => (await world.standing(submit)).tries.length > 0);
    await world.db.query('delete from packline.attempts where order_id = $1::uuid', orderId);
    await ring;
    expect(await world.standing(submit)).toMatchObject({
      state: 'succeeded',
      order: { status: 'submitted', providerOrderId: expect.any(String) },
    });
  });
});

describe('an unconfirmed operation', () => {
  test('without an attempt and without times is looked up, and goes out once it is certainly not there', async () => {
    const { submit, reference } = await send();
    await edit(`state = 'unconfirmed', confirm_from = null, deadline = null, wait_since = null`, submit);
    await world.ring(submit);
    const [row] = await world.db.query(
      `select confirm_from > now() as later, deadline > now() + interval '23 hours' as bounded, absent_looks as absent
       from packline.operations where id = $1::bigint`,
      submit,
    );
    expect(row).toEqual({ later: true, bounded: true, absent: 0 });
    await edit(`confirm_from = now()`, submit);
    expect(await ringToEnd(world, submit)).toMatchObject({ state: 'succeeded' });
    expect(await held(reference)).toBe(1);
  });

  test('that was made pending is not sent while nobody knows what became of its call', async () => {
    const { submit, reference } = await send();
    await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: accepting('drop') });
    await ringUntil(world, submit, ({ state }) => state === 'unconfirmed');
    await edit(`state = 'pending'`, submit);
    expect(await world.ring(submit)).toMatchObject({ kind: 'done' });
    expect(await world.standing(submit)).toMatchObject({ state: 'unconfirmed' });
    expect(await ringToEnd(world, submit)).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(await held(reference)).toBe(1);
  });
});

const IMPOSSIBLE: readonly (readonly [what: string, set: string, why: string])[] = [
  ['a step that the adapter does not have', `step = 'levitate'`, 'has no step "levitate" for submit'],
  ['a submit that calls itself a check', `purpose = 'check'`, 'the row calls it a check'],
  ['a submit that calls itself a watch', `purpose = 'watch'`, 'the row calls it a watch'],
  ['a submit that may be repeated', 'step_repeatable = true', 'may not be repeated'],
];

test.each(IMPOSSIBLE)('%s is put before a person, and a replay sends it once', async (_what, set, why) => {
  const { submit, reference } = await send();
  await edit(set, submit);
  expect(await world.ring(submit)).toMatchObject({ kind: 'dead' });
  const end = await world.standing(submit);
  expect(end).toMatchObject(parked('impossible_row'));
  expect(end.lastOutcome?.message).toContain(why);
  expect(await held(reference)).toBe(0);
  await replay(submit);
  expect(await ringToEnd(world, submit)).toMatchObject({ state: 'succeeded' });
  expect(await held(reference)).toBe(1);
});

test('a lookup that was asked for, and not of an unconfirmed call, learns what there is', async () => {
  const { submit, reference } = await send();
  await edit(`purpose = 'look'`, submit);
  await world.ring(submit);
  expect(await world.standing(submit)).toMatchObject({ state: 'unconfirmed' });
  await edit(`confirm_from = now()`, submit);
  // The first look after it still counts as too early.
  expect(await ringToEnd(world, submit)).toMatchObject({ state: 'succeeded' });
  expect(await held(reference)).toBe(1);
});

const ODD: readonly (readonly [what: string, set: string])[] = [
  ['negative counts', 'attempts = -5, calls = -5, looks = -3, absent_looks = -3'],
  ['a deadline that is long past', `deadline = '2001-01-01', wait_since = '2001-01-01'`],
  ['params that are null', `params = 'null'`],
  ['params of another kind', `params = '[1, "two"]'`],
  ['a carry that is text', `carry = '"carried"'`],
  ['a carry that is a list', `carry = '[{"lookAt": 7}]'`],
  ['a carry that is null', `carry = 'null'`],
  ['a last outcome of another kind', `last_outcome = '[]'`],
  ['a priority that is none', 'priority = 99'],
];

const SUBJECTS: readonly Subject[] = [gelatoConnect, wasal, zupy];

describe.each(SUBJECTS.map((subject) => [subject.id, subject] as const))('at %s', (_id, subject) => {
  let own: Simulator;
  beforeAll(async () => {
    own = await subject.start();
  });
  afterAll(() => own.close());

  /** Rings until it is over; no bell may fail. */
  const endOf = (operation: string) => ringToEnd(world, operation);

  const settledOrParked = ({ state, letters }: Standing) =>
    state === 'succeeded' ? state : letters.map(({ code }) => code).join();

  test.each(ODD)('%s: the submit goes out, or is put before a person who is told why', async (_what, set) => {
    const here = await openScene(world, subject, own);
    const submit = await world.operation(await world.send(await subject.body(here)), 'submit');
    await edit(set, submit);
    expect(settledOrParked(await endOf(submit))).toMatch(/^(succeeded|bug|impossible_row)$/);
  });

  test.each([
    ['an empty body', '{}'],
    ['a body that is text', '"body"'],
    ['items that are none', '{"items": 7, "customer": [], "shippingAddress": null}'],
  ])('%s: sent to nobody who would take it, and a person is told', async (_what, body) => {
    const here = await openScene(world, subject, own);
    const orderId = await world.send(await subject.body(here));
    const submit = await world.operation(orderId, 'submit');
    await world.db.query('update packline.orders set body = $2::jsonb where id = $1::uuid', orderId, body);
    const { state, order } = await endOf(submit);
    expect([state, order?.status]).toEqual(state === 'dead' ? ['dead', 'received'] : ['rejected', 'failed']);
    expect(taken(await world.base.operator.getOrder(orderId)).id).toBe(orderId);
  });

  test('a read of an order whose body cannot be read ends, without a dead letter', async () => {
    const here = await openScene(world, subject, own);
    const orderId = await world.send(await subject.body(here));
    await endOf(await world.operation(orderId, 'submit'));
    await world.db.query(`update packline.orders set body = '7' where id = $1::uuid`, orderId);
    taken(await world.base.operator.syncOrder(orderId, 'shop'));
    const end = await endOf(await world.operation(orderId, 'poll'));
    expect(['succeeded', 'rejected']).toContain(end.state);
    expect(end.letters).toEqual([]);
  });
});

test('attempts beyond every budget end at the next failure, before a person', async () => {
  const { submit } = await send();
  await edit('attempts = 1000', submit);
  await scene.control('/_control', { match: { verb: 'submit' }, times: 9, do: { status: 500 } });
  const end = await ringUntil(world, submit, ({ state }) => state === 'unconfirmed' || state === 'dead');
  expect(['unconfirmed', 'dead']).toContain(end.state);
});

describe('a read', () => {
  const READS: readonly (readonly [what: string, set: string])[] = [
    ['whose params are null', `params = 'null'`],
    ['whose time is none', `params = '{"before": "the other day"}'`],
    ['that is unconfirmed', `state = 'unconfirmed'`],
  ];

  test.each(READS)('%s begins anew, and ends', async (_what, set) => {
    const { submit } = await send();
    await ringToEnd(world, submit);
    const sync = await world.sync(scene.account);
    await edit(set, sync);
    expect(await ringToEnd(world, sync)).toMatchObject({ state: 'succeeded' });
  });

  test('is not run by the bell of another kind', async () => {
    const { submit } = await send();
    await ringToEnd(world, submit);
    const sync = await world.sync(scene.account);
    expect(await world.ringAs(sync, { kind: 'submit' })).toMatchObject({ what: 'not claimed: not_due' });
    expect(await ringToEnd(world, sync)).toMatchObject({ state: 'succeeded' });
  });
});

test('the bell of another account runs nothing', async () => {
  const { submit, reference } = await send();
  const other = await openScene(world, gelatoConnect, simulator);
  expect(await world.ringAs(submit, { account: other.account })).toMatchObject({
    what: 'not claimed: not_due',
  });
  expect(await world.standing(submit)).toMatchObject({ state: 'pending', calls: 0 });
  expect(await ringToEnd(world, submit)).toMatchObject({ state: 'succeeded' });
  expect(await held(reference)).toBe(1);
});

test('an operation whose order was removed is put before a person', async () => {
  const { submit, orderId, reference } = await send();
  await world.db.query('delete from packline.orders where id = $1::uuid', orderId);
  expect(await world.ring(submit)).toEqual({ kind: 'dead', why: 'order_gone' });
  expect(await world.standing(submit)).toMatchObject({
    state: 'dead',
    letters: [{ code: 'order_gone', ambiguous: true, state: 'open' }],
  });
  expect(await held(reference)).toBe(0);
});

test('an order that is held by an operation which is over is freed, and goes on', async () => {
  const { submit, orderId } = await send();
  await ringToEnd(world, submit);
  await world.db.query(
    'update packline.orders set busy_op = $2::bigint where id = $1::uuid',
    orderId,
    submit,
  );
  taken(await world.base.operator.cancel(orderId, 'shop'));
  const cancel = await world.operation(orderId, 'cancel');
  expect(await world.standing(cancel)).toMatchObject({ state: 'waiting', waitReason: 'busy' });
  expect(await freeOrders(world.db)).toEqual([orderId]);
  expect(await freeOrders(world.db)).toEqual([]);
  expect(await ringToEnd(world, cancel)).toMatchObject({
    state: 'succeeded',
    order: { status: 'canceled' },
  });
});

test('an order that something runs for is not freed', async () => {
  const { submit, orderId } = await send();
  await ringToEnd(world, submit);
  taken(await world.base.operator.cancel(orderId, 'shop'));
  const cancel = await world.operation(orderId, 'cancel');
  await scene.control('/_control', { match: { verb: 'cancel' }, times: 1, do: { delayMs: 600 } });
  const ring = world.ring(cancel);
  await until('the cancel runs', async () => (await world.standing(cancel)).state === 'running');
  taken(await world.base.operator.updateShipment(orderId, { shippingMethod: 'fed_ex_2_day' }, 'shop'));
  await world.ring(await world.operation(orderId, 'update'));
  expect(await freeOrders(world.db)).toEqual([]);
  await ring;
});

test('a lost answer of a submit that is looked for stays one order, whatever the counts say', async () => {
  const { submit, reference } = await send();
  await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: losing('drop') });
  await ringUntil(world, submit, ({ state }) => state === 'unconfirmed');
  await edit('looks = -7, absent_looks = 900, attempts = -1', submit);
  expect(await ringToEnd(world, submit)).toMatchObject({ state: 'succeeded' });
  expect(await held(reference)).toBe(1);
});

/** What is forgotten of old orders, what never is, and that nothing can be sent again because of it. */
import { highestAttempt } from '../../src/database/identity.js';
import { createLog } from '../../src/log.js';
import { checkInvariants } from '../../src/maintenance/invariants.js';
import { retainDaily, runRetention } from '../../src/maintenance/retention.js';
import { correctOrder } from '../../src/orders/store/intake.js';
import type { Simulator } from '../../src/simulator/kit.js';
import { systemTime } from '../../src/time.js';
import { losing } from '../helpers/faults.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import type { Scene } from '../providers/conformance/subject.js';
import { openScene, ringToEnd, ringUntil } from '../providers/conformance/walk.js';
import { openWorld, taken, type World } from '../providers/conformance/world.js';
import { gelatoConnect } from '../providers/gelato-connect/subject.js';

let database: TestDatabase;
let world: World;
let simulator: Simulator;
let scene: Scene;

beforeAll(async () => {
  simulator = await gelatoConnect.start();
});
afterAll(() => simulator.close());

beforeEach(async () => {
  database = await createDatabase();
  world = await openWorld({ databaseUrl: database.url });
  scene = await openScene(world, gelatoConnect, simulator);
});
afterEach(async () => {
  await world.close();
  await database.drop();
});

/** A time whose sleeps are over at once. */
const time = { ...systemTime, sleep: async () => undefined };

const edit = (sql: string, ...values: string[]) => world.db.query(sql, ...values);

let references = 0;

async function sent(): Promise<{ orderId: string; submit: string; body: Record<string, unknown> }> {
  references += 1;
  const body = { ...(await gelatoConnect.body(scene)), reference: `kept-${references}` };
  const orderId = await world.send(body);
  return { orderId, submit: await world.operation(orderId, 'submit'), body };
}

/** Accepted, read, and delivered. */
async function delivered() {
  const order = await sent();
  await ringToEnd(world, order.submit);
  taken(await world.base.operator.syncOrder(order.orderId, 'shop'));
  await ringToEnd(world, await world.operation(order.orderId, 'poll'));
  await become(order.orderId, 'delivered');
  return order;
}

/** Refused for its content. */
async function failed() {
  const order = await sent();
  const do422 = { status: 422, body: { message: 'no such product' } };
  await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: do422 });
  await ringToEnd(world, order.submit);
  return order;
}

/** The newest attempt of all is never deleted: another order's, then. */
async function newer(): Promise<void> {
  const { submit } = await sent();
  await ringToEnd(world, submit);
}

const become = (orderId: string, status: string) =>
  edit(`update packline.orders set status = $2::packline.order_status where id = $1::uuid`, orderId, status);

/** Everything that there is happened so many days ago. */
async function age(days = 500): Promise<void> {
  const ago = `interval '${days} days'`;
  await edit(`update packline.orders set updated_at = updated_at - ${ago}, created_at = created_at - ${ago}`);
  await edit(`update packline.events set at = at - ${ago}`);
  await edit(
    `update packline.operations set finished_at = finished_at - ${ago} where finished_at is not null`,
  );
}

const run = (options: { dryRun?: boolean; days?: number } = {}) =>
  runRetention(
    { db: world.db, time },
    { olderThanDays: options.days ?? 400, dryRun: options.dryRun ?? false },
  );

interface Rows {
  order: Record<string, unknown> | null;
  operations: { kind: string; state: string; params: object; carry: object }[];
  attempts: { step: string; verdict: string | null; evidence: object | null }[];
  events: number;
}

async function rowsOf(orderId: string): Promise<Rows> {
  const [row] = await world.db.query<Rows>(
    `select (select to_jsonb(d) from packline.orders d where d.id = $1::uuid) as "order",
      (select coalesce(jsonb_agg(jsonb_build_object('kind', o.kind, 'state', o.state, 'params', o.params, 'carry', o.carry) order by o.id), '[]')
        from packline.operations o where o.order_id = $1::uuid) as operations,
      (select coalesce(jsonb_agg(jsonb_build_object('step', a.step, 'verdict', a.verdict, 'evidence', a.evidence) order by a.id), '[]')
        from packline.attempts a where a.order_id = $1::uuid) as attempts,
      (select count(*)::int from packline.events e where e.order_id = $1::uuid) as events`,
    orderId,
  );
  if (row === undefined) throw new Error('a select without from returned nothing');
  return row;
}

const violated = async () =>
  (await checkInvariants(world.db, 'whole')).filter(({ count }) => count > 0).map(({ name }) => name);

test('of an order that is long over, its story goes; the order, its verbs and its accepted call stay', async () => {
  const { orderId, submit } = await delivered();
  await edit(
    `update packline.attempts set evidence = '{"request": "…"}', data = '{}' where operation_id = $1::bigint`,
    submit,
  );
  await edit(
    `update packline.operations set params = '{"a": 1}', carry = '{"b": 2}' where id = $1::bigint`,
    submit,
  );
  await newer();
  await age();
  const before = await rowsOf(orderId);
  expect(before).toMatchObject({ operations: [{ kind: 'submit' }, { kind: 'poll' }] });
  expect(before.attempts.length).toBeGreaterThan(1);
  const report = await run();
  expect(report).toMatchObject({ complete: true, orders: 1, excerpts: 1 });
  const after = await rowsOf(orderId);
  expect(after).toEqual({
    order: before.order,
    operations: [{ kind: 'submit', state: 'succeeded', params: {}, carry: {} }],
    attempts: [{ step: 'submit', verdict: 'accepted', evidence: null }],
    events: 0,
  });
  expect(await violated()).toEqual([]);
});

test('a reference that was sent is known for ever: the same order, a conflict, and no correction', async () => {
  const { orderId, body } = await delivered();
  await newer();
  await age();
  await run();
  const { operator } = world.base;
  const again = taken(await operator.submit(body, { actor: 'shop' }));
  expect(again).toMatchObject({ created: false, order: { id: orderId } });
  const changed = { ...body, notes: 'another body' };
  expect(await operator.submit(changed, { actor: 'shop' })).toMatchObject({
    ok: false,
    problem: { title: 'The reference belongs to another order' },
  });
  expect(await operator.correct(orderId, changed, 'shop')).toMatchObject({
    ok: false,
    problem: { status: 409 },
  });
});

test('what is left can be shown: the order, and the timeline of what stayed', async () => {
  const { orderId } = await delivered();
  await newer();
  await age();
  await run();
  const { operator } = world.base;
  expect(taken(await operator.getOrder(orderId))).toMatchObject({
    status: 'delivered',
    operations: [{ kind: 'submit', state: 'succeeded' }],
  });
  const { timeline } = taken(await operator.timeline(orderId, {}));
  expect(timeline).toMatchObject([{ type: 'attempt.call', data: { step: 'submit', verdict: 'accepted' } }]);
});

/** Judged absent once, then canceled, its watch over: sending it again was never allowed. */
async function absent() {
  const order = await sent();
  await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: losing('drop') });
  await ringUntil(world, order.submit, ({ state }) => state === 'unconfirmed');
  await edit(`update packline.orders set cancel_asked_at = now() where id = $1::uuid`, order.orderId);
  await ringToEnd(world, order.submit);
  return order;
}

test('an order that may not be sent again, since a call was judged absent, may not after it either', async () => {
  const { orderId, submit } = await absent();
  await edit(`update packline.attempts set watch_at = null where operation_id = $1::bigint`, submit);
  await newer();
  await age();
  const correct = () =>
    correctOrder(world.db, {
      id: orderId,
      body: { account: scene.account, reference: 'x' },
      bodyHash: 'x',
      held: false,
      step: 'submit',
      stepRepeatable: false,
      priority: 5,
      serialKey: null,
      lookable: true,
      actor: 'shop',
    });
  expect(await correct()).toBe(false);
  expect(await run()).toMatchObject({ orders: 1 });
  expect((await rowsOf(orderId)).attempts).toMatchObject([{ step: 'submit', verdict: 'absent' }]);
  expect(await correct()).toBe(false);
});

describe('nothing goes of an order', () => {
  const kept: readonly (readonly [why: string, make: () => Promise<{ orderId: string }>])[] = [
    [
      'that is on its way',
      async () => {
        const order = await delivered();
        await become(order.orderId, 'shipped');
        return order;
      },
    ],
    [
      'that asks for attention',
      async () => {
        const order = await delivered();
        await edit(
          `update packline.orders set attention_code = 'duplicate', attention_since = now() where id = $1::uuid`,
          order.orderId,
        );
        return order;
      },
    ],
    [
      'with an open dead letter',
      async () => {
        const order = await delivered();
        await edit(
          `insert into packline.dead_letters (operation_id, order_id, account_id, kind, code, message, ambiguous)
         select id, order_id, account_id, kind, 'duplicate', '', true from packline.operations where id = $1::bigint`,
          order.submit,
        );
        return order;
      },
    ],
    ['with a call under watch', absent],
    [
      'with something to do',
      async () => {
        const order = await delivered();
        taken(await world.base.operator.syncOrder(order.orderId, 'shop'));
        return order;
      },
    ],
  ];
  test.each(kept)('%s', async (_why, make) => {
    const { orderId } = await make();
    await newer();
    await age();
    const before = await rowsOf(orderId);
    expect(await run()).toMatchObject({ complete: true, orders: 0, attempts: 0 });
    expect(await rowsOf(orderId)).toEqual(before);
  });

  test('that was changed within the time', async () => {
    const { orderId } = await delivered();
    await age(300);
    const before = await rowsOf(orderId);
    expect(await run()).toMatchObject({ orders: 0, events: 0 });
    expect(await rowsOf(orderId)).toEqual(before);
    expect(await run({ days: 200 })).toMatchObject({ orders: 1 });
  });

  test('that somebody else has locked, and nobody waits for it', async () => {
    const { orderId } = await delivered();
    await age();
    const before = await rowsOf(orderId);
    await world.db.transaction(async (sql) => {
      await sql.query(
        'select id from packline.operations where order_id = $1::uuid limit 1 for update',
        orderId,
      );
      expect(await run()).toMatchObject({ complete: true, orders: 0 });
    });
    expect(await rowsOf(orderId)).toEqual(before);
    expect(await run()).toMatchObject({ orders: 1 });
  });
});

test('an order that was refused can be corrected after its refused call is forgotten', async () => {
  const { orderId, body } = await failed();
  await newer();
  await age();
  expect(await run()).toMatchObject({ orders: 1 });
  expect(await rowsOf(orderId)).toMatchObject({
    attempts: [],
    operations: [{ kind: 'submit', state: 'rejected' }],
  });
  taken(await world.base.operator.correct(orderId, { ...body, notes: 'mended' }, 'shop'));
  await ringToEnd(world, await world.operation(orderId, 'submit'));
  expect(taken(await world.base.operator.getOrder(orderId))).toMatchObject({
    generation: 2,
    status: 'submitted',
  });
  expect(await violated()).toEqual([]);
});

test('a dry run counts what a run then deletes, and deletes nothing', async () => {
  const orders = [await delivered(), await failed(), await delivered()];
  await newer();
  await age();
  const before = await Promise.all(orders.map(({ orderId }) => rowsOf(orderId)));
  const dry = await run({ dryRun: true });
  expect(await Promise.all(orders.map(({ orderId }) => rowsOf(orderId)))).toEqual(before);
  expect(dry.orders).toBe(3);
  const wet = await run();
  expect({ ...wet, looked: 0 }).toEqual({ ...dry, dryRun: false, looked: 0 });
  expect(await run()).toMatchObject({ orders: 0, attempts: 0, operations: 0, excerpts: 0 });
});

test('reads of whole accounts go after a month, but never the newest attempt, by which a database is known', async () => {
  const order = await sent();
  await ringToEnd(world, order.submit);
  for (let n = 0; n < 3; n += 1) await ringToEnd(world, await world.sync(scene.account));
  await age(40);
  const highest = await highestAttempt(world.db);
  const reads = () =>
    world.db.query<{ id: string }>(
      `select id::text as id from packline.operations where order_id is null order by id`,
    );
  const before = await reads();
  expect(before).toHaveLength(3);
  expect(await run()).toMatchObject({ orders: 0, events: 0, operations: 2 });
  expect(await reads()).toEqual(before.slice(2));
  expect(await highestAttempt(world.db)).toBe(highest);
});

test('a run that is told to stop ends before the next page, and says that it did not come to the end', async () => {
  await delivered();
  await age();
  const stop = new AbortController();
  const report = await runRetention(
    { db: world.db, time, signal: stop.signal },
    { olderThanDays: 400, dryRun: false, onPage: () => stop.abort() },
  );
  expect(report).toMatchObject({ complete: false, orders: 1 });
  stop.abort();
  const deps = { db: world.db, time, log: createLog('silent'), signal: stop.signal };
  await retainDaily(deps, 400);
  const [noted] = await world.db.query<{ value: object }>(
    `select value from packline.installation where key = 'retention'`,
  );
  expect(noted?.value).not.toHaveProperty('finishedAt');
});

test('the daily run comes once a day, leaves an event, and never where history is kept for ever', async () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line: string) => void lines.push(line) });
  const deps = { db: world.db, time, log };
  const { orderId } = await delivered();
  await age();
  await retainDaily(deps, 0);
  expect((await rowsOf(orderId)).events).toBeGreaterThan(0);
  await retainDaily(deps, 400);
  expect((await rowsOf(orderId)).events).toBe(0);
  await retainDaily(deps, 400);
  expect(lines.filter((line) => line.includes('retention.finished'))).toHaveLength(1);
  const told = await world.db.query(
    `select actor, data->>'orders' as orders from packline.events where type = 'retention.finished'`,
  );
  expect(told).toEqual([{ actor: 'schedule', orders: '1' }]);
  await edit(
    `update packline.installation set value = value || jsonb_build_object('begunAt', now() - interval '2 days', 'finishedAt', now() - interval '2 days') where key = 'retention'`,
  );
  await retainDaily(deps, 400);
  expect(lines.filter((line) => line.includes('retention.finished'))).toHaveLength(2);
});

test('two runs at once forget everything, once', async () => {
  const orders = [await delivered(), await delivered(), await failed()];
  await newer();
  await age();
  await Promise.all([run(), run()]);
  await run();
  for (const { orderId } of orders) expect((await rowsOf(orderId)).events).toBe(0);
  expect(await violated()).toEqual([]);
});

test('the verb of the operator is refused where history is kept for ever, unless days are named', async () => {
  await delivered();
  await age();
  const { operator } = world.base;
  expect(await operator.runRetention({ actor: 'cli:x', dryRun: false })).toMatchObject({
    ok: false,
    problem: { detail: expect.stringContaining('--older-than') },
  });
  expect(
    taken(await operator.runRetention({ actor: 'cli:x', olderThanDays: 400, dryRun: false })),
  ).toMatchObject({
    orders: 1,
  });
});

/** What must hold of the rows holds after real work, and each contradiction is found by its name and no other. */
import type { Alert } from '../../src/events/alerts.js';
import { createLog } from '../../src/log.js';
import { checkInvariants, INVARIANTS, invariantWatch } from '../../src/maintenance/invariants.js';
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

// A database of its own for each test, for what one has broken would be found by the next.
beforeEach(async () => {
  database = await createDatabase();
  world = await openWorld({ databaseUrl: database.url });
  scene = await openScene(world, gelatoConnect, simulator);
});
afterEach(async () => {
  await world.close();
  await database.drop();
});

let references = 0;

async function sent(): Promise<{ orderId: string; submit: string }> {
  references += 1;
  const body = { ...(await gelatoConnect.body(scene)), reference: `invariant-${references}` };
  const orderId = await world.send(body);
  return { orderId, submit: await world.operation(orderId, 'submit') };
}

async function accepted(): Promise<{ orderId: string; submit: string }> {
  const order = await sent();
  await ringToEnd(world, order.submit);
  return order;
}

/** One that a person has to decide about. */
async function dead(): Promise<{ orderId: string; submit: string }> {
  const order = await sent();
  const do404 = { status: 404, body: { code: 404, message: 'Not found' } };
  await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: do404 });
  await ringUntil(world, order.submit, ({ state }) => state === 'dead');
  return order;
}

async function unconfirmed(): Promise<{ orderId: string; submit: string }> {
  const order = await sent();
  await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: losing('drop') });
  await ringUntil(world, order.submit, ({ state }) => state === 'unconfirmed');
  return order;
}

const violated = async (scope: 'whole' | 'recent' = 'whole') =>
  (await checkInvariants(world.db, scope))
    .filter(({ count }) => count > 0)
    .map(({ name, count, rows }) => ({ name, count, named: rows.length }));

const edit = (sql: string, ...values: string[]) => world.db.query(sql, ...values);

test('all hold of orders that are received, sent, lost, judged absent, canceled, dead and discarded', async () => {
  await sent();
  const { orderId } = await accepted();
  await unconfirmed();
  await dead();
  const given = await dead();
  const [letter] = await edit(
    `select id::text as id from packline.dead_letters where operation_id = ${given.submit}`,
  );
  const { id } = letter as { id: string };
  taken(await world.base.operator.discard(id, { actor: 'operator', reason: 'not wanted' }));
  const absent = await unconfirmed();
  await ringToEnd(world, absent.submit);
  taken(await world.base.operator.cancel(orderId, 'shop'));
  await ringToEnd(world, await world.operation(orderId, 'cancel'));
  const here = await sent();
  taken(await world.base.operator.cancel(here.orderId, 'shop'));
  await world.ring(await world.sync(scene.account));
  expect(await violated('whole')).toEqual([]);
  expect(await violated('recent')).toEqual([]);
});

/** A second acceptance under another id, as a late answer writes it. */
const doubled = async () => {
  const { submit } = await accepted();
  await edit(
    `insert into packline.attempts (operation_id, order_id, account_id, generation, step, repeatable, fence, owner, send_by, timeout_ms,
       ended_at, report, verdict, provider_order_id)
     select operation_id, order_id, account_id, generation, step, repeatable, fence, owner, send_by, timeout_ms, ended_at, report, verdict, 'another'
     from packline.attempts where operation_id = $1::bigint and not repeatable`,
    submit,
  );
  return submit;
};

const BROKEN: readonly (readonly [name: string, how: string, breakIt: () => Promise<unknown>])[] = [
  ['one_provider_order', 'a second acceptance under another id', doubled],
  ['constraints', 'the index against doubles dropped', () => edit('drop index packline.x_attempts_one_open')],
  [
    'open_attempt',
    'an unanswered call whose operation would go out again',
    async () =>
      edit(
        `update packline.operations set state = 'pending' where id = $1::bigint`,
        (await unconfirmed()).submit,
      ),
  ],
  [
    'unfinished',
    'a received order whose submit is gone',
    async () =>
      edit(
        `update packline.operations set state = 'canceled', ring_at = null where id = $1::bigint`,
        (await sent()).submit,
      ),
  ],
  [
    'stranded',
    'an operation without a bell',
    async () =>
      edit(`update packline.operations set ring_at = null where id = $1::bigint`, (await sent()).submit),
  ],
  [
    'stranded',
    'one that waits without a bell',
    async () =>
      edit(
        `update packline.operations set state = 'waiting', wait_reason = 'funds', ring_at = null where id = $1::bigint`,
        (await sent()).submit,
      ),
  ],
  [
    'unowned',
    'a running operation that nobody owns',
    async () =>
      edit(
        `update packline.operations set state = 'running', ring_at = null where id = $1::bigint`,
        (await sent()).submit,
      ),
  ],
  [
    'unowned',
    'a running operation without its attempt',
    async () =>
      edit(
        `update packline.operations set state = 'running', ring_at = null, owner = 1, lease_until = now() + interval '1 minute' where id = $1::bigint`,
        (await sent()).submit,
      ),
  ],
  [
    'busy',
    'an order held by what is over',
    async () => {
      const { orderId, submit } = await accepted();
      await edit(`update packline.orders set busy_op = ${submit} where id = $1::uuid`, orderId);
      taken(await world.base.operator.cancel(orderId, 'shop'));
    },
  ],
  [
    'bells',
    'a bell for what is over',
    async () =>
      edit(`update packline.operations set ring_at = now() where id = $1::bigint`, (await accepted()).submit),
  ],
  [
    'letters',
    'a dead operation that nobody is told of',
    async () => {
      const { orderId, submit } = await dead();
      await edit(`update packline.orders set status = 'failed' where id = $1::uuid`, orderId);
      await edit(`delete from packline.dead_letters where operation_id = $1::bigint`, submit);
    },
  ],
  [
    'letters',
    'an open letter of what has succeeded',
    async () => {
      const { submit } = await accepted();
      await edit(
        `insert into packline.dead_letters (operation_id, order_id, account_id, kind, code, message, ambiguous)
         select id, order_id, account_id, kind, 'bug', 'x', false from packline.operations where id = $1::bigint`,
        submit,
      );
    },
  ],
  [
    'status',
    'a submitted order without a provider id',
    async () =>
      edit(
        `update packline.orders set provider_order_id = null where id = $1::uuid`,
        (await accepted()).orderId,
      ),
  ],
];

test.each(BROKEN)('%s finds %s, whichever part is looked at', async (name, _how, breakIt) => {
  await breakIt();
  const found = [{ name, count: 1, named: 1 }];
  expect(await violated('recent')).toEqual(found);
  expect(await violated('whole')).toEqual(found);
});

test('an ended lease that nobody takes over is found', async () => {
  const { submit } = await unconfirmed();
  await edit(
    `update packline.operations set state = 'running', ring_at = null, owner = 1, lease_until = now() - interval '2 minutes' where id = $1::bigint`,
    submit,
  );
  expect(await violated()).toEqual([{ name: 'overdue', count: 1, named: 1 }]);
});

test('each invariant is broken by a test', () => {
  const broken = new Set([...BROKEN.map(([name]) => name), 'overdue']);
  expect(INVARIANTS.map(({ name }) => name).filter((name) => !broken.has(name))).toEqual([]);
});

test('a double that a person has dealt with is one no longer', async () => {
  const submit = await doubled();
  await edit(
    `insert into packline.dead_letters (operation_id, order_id, account_id, kind, code, message, ambiguous, state)
     select id, order_id, account_id, kind, 'duplicate', 'x', true, 'discarded' from packline.operations where id = $1::bigint`,
    submit,
  );
  expect(await violated()).toEqual([]);
});

test('of many violations twenty are named, and all are counted', async () => {
  for (let n = 0; n < 22; n += 1) await sent();
  await edit('update packline.operations set ring_at = null');
  expect(await violated()).toEqual([{ name: 'stranded', count: 22, named: 20 }]);
});

test('a person is told once for as long as it lasts, and again when it comes back', async () => {
  const told: Alert[] = [];
  const check = invariantWatch({
    db: world.db,
    log: createLog('silent'),
    time: systemTime,
    tell: (alert) => void told.push(alert),
  });
  const { submit } = await sent();
  const other = await accepted();
  await check();
  expect(told).toEqual([]);
  await edit('update packline.operations set ring_at = null where id = $1::bigint', submit);
  await edit('update packline.operations set ring_at = now() where id = $1::bigint', other.submit);
  await check();
  await check();
  expect(told).toMatchObject([
    {
      code: 'invariant',
      severity: 'critical',
      account: scene.account,
      dedupeKey: `invariant:${scene.account}:stranded`,
    },
    {
      code: 'invariant',
      severity: 'critical',
      account: scene.account,
      dedupeKey: `invariant:${scene.account}:bells`,
    },
  ]);
  expect(told[0]?.message).toContain(`operation ${submit} (submit of order`);
  await edit('update packline.operations set ring_at = now() where id = $1::bigint', submit);
  await check();
  await edit('update packline.operations set ring_at = null where id = $1::bigint', submit);
  await check();
  expect(told.map(({ dedupeKey }) => dedupeKey.split(':')[2])).toEqual(['stranded', 'bells', 'stranded']);
});

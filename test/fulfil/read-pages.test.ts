/** Reads of a whole account, with real rows and real HTTP: how many calls they take, and what they write. */

import { request } from 'undici';
import { ringDue } from '../../src/orders/store/dispatch.js';
import { pageOfReads, remainingReads } from '../../src/orders/store/read-pages.js';
import { readSoon } from '../../src/orders/store/reads.js';
import type { LedgerRequest } from '../../src/simulator/control.js';
import type { Simulator } from '../../src/simulator/kit.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import type { Scene, Subject } from '../providers/conformance/subject.js';
import { openScene, ringToEnd } from '../providers/conformance/walk.js';
import { openWorld, type World } from '../providers/conformance/world.js';
import { gelatoConnect } from '../providers/gelato-connect/subject.js';
import { wasal } from '../providers/wasal/subject.js';
import { wupex } from '../providers/wupex/subject.js';

let database: TestDatabase;
let world: World;

beforeAll(async () => {
  database = await createDatabase();
  world = await openWorld({ databaseUrl: database.url });
});
afterAll(async () => {
  await world.close();
  await database.drop();
});

interface Shop extends Scene {
  /** Ids of our orders, in the order in which they were sent. */
  orders: string[];
}

/** An account whose provider has accepted so many orders. */
async function shopOf(subject: Subject, simulator: Simulator, count: number): Promise<Shop> {
  const scene = await openScene(world, subject, simulator);
  const orders: string[] = [];
  for (let n = 1; n <= count; n += 1) {
    const order = await world.send({ ...(await subject.body(scene)), reference: referenceOf(scene, n) });
    await ringToEnd(world, await world.operation(order, 'submit'));
    orders.push(order);
  }
  return { ...scene, orders };
}

const referenceOf = ({ nth }: Pick<Scene, 'nth'>, n: number) => `order-${nth}-${n}`;

/** More orders of the account, as rows alone: the provider knows nothing of them. */
async function addRows(
  { account }: Pick<Scene, 'account'>,
  count: number,
  status = 'submitted',
): Promise<void> {
  await world.db.query(
    `insert into packline.orders (id, account_id, reference, body, body_hash, status, provider_order_id, read_due_at)
     select gen_random_uuid(), $1, 'row-' || n, '{}', 'h', $3::packline.order_status, 'p-' || n, now() - n * interval '1 ms'
     from generate_series(1, $2::int) n`,
    account,
    count,
    status,
  );
}

async function calls(simulator: Simulator, ...verbs: string[]): Promise<LedgerRequest[]> {
  const answer = await request(`${simulator.url}/_ledger`);
  // What the ledger holds is declared by the server itself (simulator/kit.ts).
  const { requests } = (await answer.body.json()) as { requests: LedgerRequest[] };
  return requests.filter(({ verb }) => verbs.includes(verb));
}

interface Row {
  status: string;
  observed: boolean;
  dueInMs: number;
  updatedAt: string;
}

const rows = (ids: readonly string[]) =>
  world.db.query<Row & { id: string }>(
    `select id::text as id, status, observed_at is not null as observed, updated_at::text as "updatedAt",
       extract(epoch from read_due_at - now())::float8 * 1000 as "dueInMs"
     from packline.orders where id = any($1::uuid[]) order by id`,
    [...ids],
  );

const events = (ids: readonly string[]) =>
  world.db.query<{ type: string; id: string; data: Record<string, unknown> }>(
    `select type, order_id::text as id, data from packline.events where order_id = any($1::uuid[])
       and type in ('order.status_changed', 'order.tracking_changed') order by events.id`,
    [...ids],
  );

const openReads = async ({ account }: Scene) =>
  (
    await world.db.query<{ id: string }>(
      `select id::text as id from packline.operations where account_id = $1 and kind = 'poll' and order_id is not null
       and state not in ('succeeded', 'rejected', 'dead', 'canceled') order by operations.id`,
      account,
    )
  ).map(({ id }) => id);

/** Rings a sync and the single reads that it asks for until all is over. */
async function syncToEnd(scene: Scene): Promise<void> {
  const operation = await world.sync(scene.account);
  for (let n = 0; n < 1_000; n += 1) {
    await world.ring(operation);
    for (const read of await openReads(scene)) await ringToEnd(world, read);
    if ((await world.standing(operation)).state === 'succeeded') return;
  }
  throw new Error('the sync does not end');
}

describe('where the provider can be asked for given orders', () => {
  let simulator: Simulator;
  beforeEach(async () => {
    simulator = await gelatoConnect.start();
  });
  afterEach(() => simulator.close());

  test('a hundred orders are one call, and only those whose change needs more are read singly', async () => {
    const shop = await shopOf(gelatoConnect, simulator, 6);
    const [first = '', second = '', third = ''] = shop.orders;
    await shop.control('/_control/advance', { reference: referenceOf(shop, 1), status: 'shipped' });
    await shop.control('/_control/advance', { reference: referenceOf(shop, 2), status: 'in_production' });
    await shop.control('/_control/advance', { reference: referenceOf(shop, 3), status: 'canceled' });
    await syncToEnd(shop);
    expect(await calls(simulator, 'search')).toHaveLength(1);
    expect((await calls(simulator, 'get')).map(({ path }) => path)).toHaveLength(1);
    const now = await rows(shop.orders);
    expect(now.map(({ status }) => status)).toEqual(
      now.map(({ id }) =>
        id === first ? 'shipped' : id === second ? 'in_progress' : id === third ? 'canceled' : 'submitted',
      ),
    );
    expect((await events(shop.orders)).map(({ id }) => id).sort()).toEqual([first, second, third].sort());
  });

  test('a page that brings nothing new writes no event, and leaves the orders as they were changed last', async () => {
    const shop = await shopOf(gelatoConnect, simulator, 3);
    await syncToEnd(shop);
    const before = await rows(shop.orders);
    await syncToEnd(shop);
    const after = await rows(shop.orders);
    expect(after.map(({ updatedAt }) => updatedAt)).toEqual(before.map(({ updatedAt }) => updatedAt));
    expect(await calls(simulator, 'search')).toHaveLength(2);
    expect(await events(shop.orders)).toEqual([]);
  });

  test('a parcel that becomes known after the order has left is told', async () => {
    const shop = await shopOf(gelatoConnect, simulator, 1);
    await world.db.query(
      `update packline.orders set status = 'shipped', raw_status = 'packaged', tracking = '[]' where id = any($1::uuid[])`,
      shop.orders,
    );
    await shop.control('/_control/advance', { reference: referenceOf(shop, 1), status: 'shipped' });
    await syncToEnd(shop);
    expect(await events(shop.orders)).toEqual([
      expect.objectContaining({
        type: 'order.tracking_changed',
        data: expect.objectContaining({
          to: 'shipped',
          tracking: [expect.objectContaining({ code: expect.any(String) })],
        }),
      }),
    ]);
  });

  test('a page is filled up with what is due soon, and asked for only where something is due', async () => {
    const shop = await shopOf(gelatoConnect, simulator, 3);
    const due = (inMs: readonly number[]) =>
      world.db.query(
        `update packline.orders d set read_due_at = now() + x.ms::float8 * interval '1 ms', observed_at = now()
         from unnest($1::uuid[], $2::text[]) as x(id, ms) where d.id = x.id`,
        shop.orders,
        inMs.map(String),
      );
    const page = async () =>
      (await pageOfReads(world.db, shop.account, null, 100, 60_000)).map(({ id }) => id);
    await due([30_000, 50_000, 600_000]);
    expect(await page()).toEqual([]);
    await due([-1_000, 50_000, 600_000]);
    expect(await page()).toEqual(shop.orders.slice(0, 2));
  });

  test('orders that were due at once are due again spread over half of their pace', async () => {
    const shop = await shopOf(gelatoConnect, simulator, 1);
    await addRows(shop, 400);
    const ids = (
      await world.db.query<{ id: string }>(
        `select id::text as id from packline.orders where account_id = $1`,
        shop.account,
      )
    ).map(({ id }) => id);
    // Whatever a page tells of them, each gets a time of its own.
    const operation = await world.sync(shop.account);
    await world.ring(operation);
    const due = (await rows(ids)).map(({ dueInMs }) => dueInMs).filter((ms) => ms > 60_000);
    expect(due).toHaveLength(100);
    const [soonest, latest] = [Math.min(...due), Math.max(...due)];
    // A hundred draws out of the minute around two minutes.
    expect(soonest).toBeGreaterThan(80_000);
    expect(latest).toBeLessThan(151_000);
    expect(latest - soonest).toBeGreaterThan(45_000);
    const tenths = new Set(due.map((ms) => Math.floor((ms - soonest) / 6_000)));
    expect(tenths.size).toBeGreaterThanOrEqual(8);
  });

  test('a sync asks for nothing more while a hundred single reads are open, however many orders are missing', async () => {
    const shop = await shopOf(gelatoConnect, simulator, 1);
    await addRows(shop, 350);
    const operation = await world.sync(shop.account);
    await world.ring(operation);
    const open = (await openReads(shop)).length;
    // All of a page, whether the one that the provider has is among them or not.
    expect([99, 100]).toContain(open);
    if (open < 100) await world.ring(operation);
    const most = (await openReads(shop)).length;
    expect(most).toBeLessThanOrEqual(199);
    expect(await world.ring(operation)).toEqual({ kind: 'done', what: 'waits for reads of single orders' });
    expect(await openReads(shop)).toHaveLength(most);
    expect((await world.standing(operation)).state).toBe('pending');
  });

  test('a sync of everything is over only when its single reads are', async () => {
    const shop = await shopOf(gelatoConnect, simulator, 1);
    await shop.control('/_control/advance', { reference: referenceOf(shop, 1), status: 'shipped' });
    const operation = await world.sync(shop.account);
    await world.ring(operation);
    expect(await world.ring(operation)).toMatchObject({
      kind: 'done',
      what: 'waits for reads of single orders',
    });
    const [standing] = await world.base.operator.syncProgress([operation]);
    expect(standing).toMatchObject({ remaining: 1, state: 'pending' });
    for (const read of await openReads(shop)) await ringToEnd(world, read);
    await ringToEnd(world, operation);
    expect((await world.base.operator.syncProgress([operation]))[0]).toMatchObject({
      remaining: 0,
      state: 'succeeded',
    });
  });

  test('syncs that overlap are one operation, and what was read before the later one is read again', async () => {
    const shop = await shopOf(gelatoConnect, simulator, 2);
    const operation = await world.sync(shop.account);
    await world.ring(operation);
    expect(await world.sync(shop.account)).toBe(operation);
    await ringToEnd(world, operation);
    expect(await calls(simulator, 'search')).toHaveLength(2);
  });

  test('word of many orders makes them due and costs one page', async () => {
    const shop = await shopOf(gelatoConnect, simulator, 5);
    expect(await readSoon(world.db, shop.orders, 'webhook')).toHaveLength(5);
    expect(await readSoon(world.db, shop.orders, 'webhook')).toEqual([]);
    const begun = await world.db.query<{ id: string; params: object }>(
      `select id::text as id, params from packline.operations where account_id = $1 and kind = 'poll' and state = 'pending'`,
      shop.account,
    );
    expect(begun).toEqual([expect.objectContaining({ params: { before: null } })]);
    await ringToEnd(world, begun[0]?.id ?? '');
    expect(await calls(simulator, 'search')).toHaveLength(1);
    expect((await rows(shop.orders)).every(({ observed }) => observed)).toBe(true);
  });

  test('word of an order that is over, or not at the provider, changes nothing', async () => {
    const shop = await shopOf(gelatoConnect, simulator, 1);
    const unsent = await world.send({ ...(await gelatoConnect.body(shop)), reference: 'unsent' });
    await world.db.query(
      `update packline.orders set status = 'delivered' where id = any($1::uuid[])`,
      shop.orders,
    );
    expect(await readSoon(world.db, [...shop.orders, unsent], 'webhook')).toEqual([]);
  });
});

describe('where the provider only lists what it holds', () => {
  let simulator: Simulator;
  beforeEach(async () => {
    simulator = await wasal.start();
  });
  afterEach(() => simulator.close());

  test('its list is walked page after page, and what it does not show is read singly', async () => {
    const shop = await shopOf(wasal, simulator, 103);
    const [first = '', , third = ''] = shop.orders;
    await shop.control('/_control/advance', { reference: referenceOf(shop, 1), status: 'delivered' });
    await shop.control('/_control/advance', { reference: referenceOf(shop, 3), status: 'cancelled' });
    await syncToEnd(shop);
    const pages = (await calls(simulator, 'search')).map(({ path }) =>
      new URL(path, 'http://x').searchParams.get('page'),
    );
    expect(pages).toEqual(['1', '2']);
    // The list leaves out what is cancelled.
    expect(await calls(simulator, 'get')).toHaveLength(1);
    const now = await rows(shop.orders);
    expect(
      now
        .filter(({ status }) => status !== 'submitted')
        .map(({ id, status }) => [id, status])
        .sort(),
    ).toEqual(
      [
        [first, 'delivered'],
        [third, 'canceled'],
      ].sort(),
    );
    expect(now.every(({ observed }) => observed)).toBe(true);
  });

  test('a page tells of orders that were not due yet, and they need not be read when they are', async () => {
    const shop = await shopOf(wasal, simulator, 3);
    const [first = ''] = shop.orders;
    await world.db.query(
      `update packline.orders set read_due_at = now() + interval '1 s' where account_id = $1`,
      shop.account,
    );
    await readSoon(world.db, [first], 'webhook');
    const [begun] = await world.db.query<{ id: string }>(
      `select id::text as id from packline.operations where account_id = $1 and kind = 'poll' and order_id is null`,
      shop.account,
    );
    await ringToEnd(world, begun?.id ?? '');
    expect(await calls(simulator, 'search')).toHaveLength(1);
    expect((await rows(shop.orders)).every(({ dueInMs }) => dueInMs > 60_000)).toBe(true);
  });
});

describe('where the provider lists nothing', () => {
  test('an order that is being read singly already is counted once', async () => {
    const simulator = await wupex.start();
    try {
      const { account } = await openScene(world, wupex, simulator);
      await addRows({ account }, 2);
      await world.db.query(
        `insert into packline.operations (order_id, account_id, kind, priority, step, step_repeatable, ring_at, actor)
         select d.id, d.account_id, 'poll', 6, 'get', true, now(), 'packline' from packline.orders d
         where d.account_id = $1 and d.reference = 'row-1'`,
        account,
      );
      expect(await remainingReads(world.db, account, new Date().toISOString())).toBe(2);
    } finally {
      await simulator.close();
    }
  });

  test('a submit is rung for before all the reads that were there first', async () => {
    const simulator = await wupex.start();
    try {
      const scene = await openScene(world, wupex, simulator);
      await addRows(scene, 250);
      await world.ring(await world.sync(scene.account));
      const order = await world.send(await wupex.body(scene));
      const submit = await world.operation(order, 'submit');
      const rung = await ringDue(world.db, [{ account: scene.account, jobs: 3, againMs: 30_000 }], 0);
      expect(rung.map(({ kind }) => kind).sort()).toEqual(['poll', 'poll', 'submit']);
      expect(rung.find(({ kind }) => kind === 'submit')?.id).toBe(submit);
    } finally {
      await simulator.close();
    }
  });

  test('each order is a call of its own, a hundred at a time', async () => {
    const simulator = await wupex.start();
    try {
      const scene = await openScene(world, wupex, simulator);
      await addRows(scene, 250);
      const operation = await world.sync(scene.account);
      expect(await world.ring(operation)).toEqual({ kind: 'again' });
      expect(await openReads(scene)).toHaveLength(100);
      expect(await world.ring(operation)).toMatchObject({ what: 'waits for reads of single orders' });
      expect(await world.standing(operation)).toMatchObject({ calls: 0, state: 'pending' });
    } finally {
      await simulator.close();
    }
  });
});

test('a read that began before a later one was applied is not applied, and is made again', async () => {
  const simulator = await gelatoConnect.start();
  try {
    const shop = await shopOf(gelatoConnect, simulator, 1);
    const [order = ''] = shop.orders;
    await world.base.operator.syncOrder(order, 'shop');
    // Somebody else's read began meanwhile, by rows that are a little ahead of it.
    await world.db.query(
      `update packline.orders set observed_at = now() + interval '1 minute' where id = $1::uuid`,
      order,
    );
    await ringToEnd(world, await world.operation(order, 'poll'));
    const [row] = await rows([order]);
    expect(row?.dueInMs).toBeLessThanOrEqual(0);
  } finally {
    await simulator.close();
  }
});

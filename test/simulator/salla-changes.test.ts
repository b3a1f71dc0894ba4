import { simulators } from '../../src/simulator/index.js';
import { fakeTime } from '../helpers/fake-time.js';
import {
  ACCESS_TOKEN,
  data,
  externalOrder,
  fields,
  REFRESH_TOKEN,
  type Rig,
  rig,
  rows,
  send,
  stopAll,
} from './salla-calls.js';

afterEach(stopAll);

const ENGLISH = { headers: { 'accept-language': 'en' } };

async function idOfSlug({ call }: Rig, slug: string): Promise<unknown> {
  return rows(await call('GET', '/orders/statuses')).find((row) => row.slug === slug)?.id;
}

describe('a change of status', () => {
  test('is a 201 without an object, and stays where it was put', async () => {
    const { place, setStatus, slug, time } = await rig();
    const id = await place('ref-1');
    const heard = await setStatus(id, { slug: 'in_progress', note: 'picked' }, ENGLISH);
    expect([heard.status, heard.json()]).toEqual([
      201,
      { status: 201, success: true, data: { message: 'The data has been updated', code: 201 } },
    ]);
    time.advance(60_000);
    expect(await slug(id)).toBe('in_progress');
  });

  test('takes the ids of the list of statuses, those of the merchant too', async () => {
    const salla = await rig();
    const { call, place, setStatus } = salla;
    const id = await place('ref-1');
    const list = rows(await call('GET', '/orders/statuses'));
    const own = list.filter((row) => row.type === 'custom');
    expect(own.map(({ slug, parent }) => [slug, Object(parent).id])).toEqual([
      ['in_progress', await idOfSlug(salla, 'in_progress')],
      [null, await idOfSlug(salla, 'in_progress')],
    ]);
    for (const status of own) {
      expect((await setStatus(id, { status_id: status.id })).status).toBe(201);
      expect(data(await call('GET', `/orders/${id}`), 'status')).toEqual({
        id: status.id,
        name: status.name,
        slug: status.slug,
        customized: { id: status.id, name: status.name },
      });
    }
  });

  test('shows ids that are the same in every store, and the ones of the store in customized', async () => {
    const stores = await Promise.all([rig({ merchantId: 1 }), rig({ merchantId: 2 })]);
    const [one, two] = await Promise.all(
      stores.map(async ({ call, place }) =>
        Object(data(await call('GET', `/orders/${await place('a')}`), 'status')),
      ),
    );
    expect(one.id).toBe(two.id);
    expect(one.customized.id).not.toBe(two.customized.id);
    expect([await idOfSlug(stores[0], 'under_review'), await idOfSlug(stores[1], 'under_review')]).toEqual([
      one.customized.id,
      two.customized.id,
    ]);
  });

  test('wants one of slug and id, known to the store', async () => {
    const { place, setStatus } = await rig();
    const id = await place('ref-1');
    expect(fields(await setStatus(id, {}))).toEqual(['slug', 'status_id']);
    expect(fields(await setStatus(id, { slug: 'cancelled' }))).toEqual(['slug']);
    expect(fields(await setStatus(id, { status_id: 5 }))).toEqual(['status_id']);
    expect((await setStatus(1, { slug: 'shipped' })).status).toBe(404);
  });

  test('to the present status is a 422, unless the store takes it', async () => {
    const strict = await rig();
    const id = await strict.place('ref-1');
    const heard = await strict.setStatus(id, { slug: 'under_review' });
    expect([heard.status, fields(heard)]).toEqual([422, ['slug']]);
    const lenient = await rig({ repeatedStatus: 'accept' });
    expect((await lenient.setStatus(await lenient.place('ref-1'), { slug: 'under_review' })).status).toBe(
      201,
    );
  });

  test('cancels as long as the order has not left the house, and a canceled order stays so', async () => {
    const { call, place, setStatus, slug, time } = await rig();
    const id = await place('ref-1');
    expect((await setStatus(id, { slug: 'canceled' })).status).toBe(201);
    expect([await slug(id), data(await call('GET', `/orders/${id}`), 'can_cancel')]).toEqual([
      'canceled',
      false,
    ]);
    expect((await setStatus(id, { slug: 'canceled' })).status).toBe(422);
    expect((await setStatus(id, { slug: 'in_progress' })).status).toBe(422);
    const late = await place('ref-2');
    time.advance(3_000);
    expect([await slug(late), (await setStatus(late, { slug: 'canceled' })).status]).toEqual([
      'shipped',
      422,
    ]);
    expect(data(await call('GET', `/orders/${late}`), 'actions.cancellable')).toBe(false);
  });
});

describe('an order of a shopper', () => {
  test('is in the store from the start or placed by hand, and stays where it is', async () => {
    const { shop, slug, found, time, setStatus } = await rig({ storeOrders: 2 });
    const [id = 0] = await shop({ status: 'in_progress', sku: 'CUP' });
    expect(await found()).toHaveLength(3);
    time.advance(60_000);
    expect(await slug(id)).toBe('in_progress');
    expect((await setStatus(id, { slug: 'delivered' })).status).toBe(201);
    expect(await slug(id)).toBe('delivered');
  });
});

describe('an update', () => {
  test('changes what it names and leaves the rest', async () => {
    const { call, place } = await rig();
    const id = await place('ref-1');
    const heard = await call('PUT', `/orders/${id}`, { receiver: { name: 'B', phone: '+966500000009' } });
    expect([heard.status, data(heard, 'receiver.name'), data(heard, 'external_order_id')]).toEqual([
      201,
      'B',
      'ref-1',
    ]);
    expect(data(heard, 'items.0.sku')).toBe('MUG-1');
    expect(fields(await call('PUT', `/orders/${id}`, { delivery_method: 'x' }))).toEqual(['delivery_method']);
    expect((await call('PUT', '/orders/1', {})).status).toBe(404);
  });
});

describe('bulk actions', () => {
  const change = (status: string) => ({ action_name: 'change_status', value: { status } });

  test('are a 200 in which single operations can have failed', async () => {
    const { call, place, slug } = await rig();
    const [a, b] = [await place('a'), await place('b')];
    const heard = await call('POST', '/orders/actions', {
      operations: [
        change('in_progress'),
        change('nowhere'),
        { action_name: 'paint', value: { status: 'shipped' } },
      ],
      filters: { order_ids: [a, b] },
    });
    expect([heard.status, rows(heard).map((row) => row.status)]).toEqual([
      200,
      ['success', 'failed', 'failed'],
    ]);
    expect([await slug(a), await slug(b)]).toEqual(['in_progress', 'in_progress']);
    const late = await call('POST', '/orders/actions', {
      operations: [change('shipped'), change('canceled')],
      filters: { order_ids: [a, 1] },
    });
    expect(rows(late)).toEqual([
      { operation_id: 1, action_name: 'change_status', status: 'failed', message: expect.any(String) },
      { operation_id: 2, action_name: 'change_status', status: 'failed', message: expect.any(String) },
    ]);
    expect(await slug(a)).toBe('shipped');
  });

  test('find orders by status too', async () => {
    const salla = await rig();
    const id = await salla.place('a');
    await salla.call('POST', '/orders/actions', {
      operations: [change('completed')],
      filters: { order_status: [await idOfSlug(salla, 'under_review')] },
    });
    expect(await salla.slug(id)).toBe('completed');
  });

  test('are a 422 when they say nothing', async () => {
    const { call } = await rig();
    expect(fields(await call('POST', '/orders/actions', {}))).toEqual(['operations', 'filters']);
    expect(fields(await call('POST', '/orders/actions', { operations: [{}], filters: {} }))).toEqual([
      'filters.order_ids',
      'operations.0.action_name',
      'operations.0.value',
    ]);
  });
});

describe('by hand', () => {
  test('an order goes on from the status that it is put into; another word is a status of the merchant', async () => {
    const { advance, call, place, slug, time } = await rig();
    const id = await place('ref-1');
    expect((await advance('ref-1', 'shipped')).status).toBe(200);
    time.advance(1_000);
    expect(await slug(id)).toBe('delivering');
    await advance(String(id), 'at the tailor');
    expect(data(await call('GET', `/orders/${id}`), 'status')).toMatchObject({
      name: 'at the tailor',
      slug: null,
    });
    expect((await advance('zz', 'shipped')).status).toBe(404);
  });
});

describe('the entry for the accounts file', () => {
  test('holds the URLs and the newest tokens, and a limit only where it is not the smallest plan', async () => {
    const { simulator, refresh } = await rig({ webhookSecret: 'hook-secret' });
    const { url } = simulator;
    expect(simulator.account('shop')).toEqual({
      id: 'shop',
      provider: 'salla',
      config: { baseUrl: `${url}/admin/v2`, tokenUrl: `${url}/oauth2/token` },
      credentials: {
        clientId: 'client-1',
        clientSecret: 'secret-1',
        accessToken: ACCESS_TOKEN,
        refreshToken: REFRESH_TOKEN,
        expiresAt: '2026-01-15T00:00:00.000Z',
        webhookSecret: 'hook-secret',
      },
    });
    await refresh(REFRESH_TOKEN);
    expect(simulator.account('shop').credentials.refreshToken).not.toBe(REFRESH_TOKEN);
    const fast = await rig({ requestsPerSecond: 6 });
    expect(fast.simulator.account('a').limits).toEqual({ requests: 360, perMs: 60_000, concurrency: 4 });
  });

  test('lets in whoever uses it, also when the simulator made the credentials itself', async () => {
    const start = simulators.salla;
    if (start === undefined) throw new Error('salla has no simulator');
    const simulator = await start({ time: fakeTime() });
    const { config, credentials } = simulator.account('a');
    const heard = await send('POST', `${config.baseUrl}/orders/external`, externalOrder('a'), {
      token: credentials.accessToken ?? null,
    });
    expect(heard.status).toBe(201);
    await simulator.close();
  });
});

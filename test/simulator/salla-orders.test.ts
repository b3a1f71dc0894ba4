import { simulators } from '../../src/simulator/index.js';
import { fakeTime } from '../helpers/fake-time.js';
import {
  ACCESS_TOKEN,
  afterAccepting,
  data,
  error,
  externalOrder,
  fields,
  order,
  RECEIVER,
  REFRESH_TOKEN,
  type Rig,
  rig,
  rows,
  SHIP_TO,
  send,
  stopAll,
} from './salla-calls.js';

afterEach(stopAll);

const ENGLISH = { headers: { 'accept-language': 'en' } };

async function idOfSlug({ call }: Rig, slug: string): Promise<unknown> {
  return rows(await call('GET', '/orders/statuses')).find((row) => row.slug === slug)?.id;
}

describe('an external order', () => {
  test('is accepted with a 201, whose envelope repeats the status, and begins under review', async () => {
    const { submit } = await rig();
    const heard = await submit('ref-1');
    expect(heard.headers['content-type']).toBe('application/json; charset=utf-8');
    expect([heard.status, heard.json()]).toMatchObject([
      201,
      {
        status: 201,
        success: true,
        data: {
          id: expect.any(Number),
          reference_id: 40_000_001,
          external_order_id: 'ref-1',
          status: { slug: 'under_review', name: 'بإنتظار المراجعة', customized: { id: expect.any(Number) } },
          amounts: { total: { amount: 99.8, currency: 'SAR' } },
          can_cancel: true,
          date: { date: '2026-01-01 03:00:00.000000', timezone_type: 3, timezone: 'Asia/Riyadh' },
        },
      },
    ]);
  });

  test('goes its way by itself, one status after the other', async () => {
    const { place, slug, time } = await rig({ stepMs: 1_000 });
    const id = await place('ref-1');
    const seen = [];
    for (let step = 0; step < 7; step += 1) {
      seen.push(await slug(id));
      time.advance(1_000);
    }
    expect(seen).toEqual([
      'under_review',
      'in_progress',
      'completed',
      'shipped',
      'delivering',
      'delivered',
      'delivered',
    ]);
  });

  test('may bring its status, by name or slug', async () => {
    const { place, slug, submit } = await rig();
    expect(await slug(await place('a', { status_name: 'تم التوصيل' }))).toBe('delivered');
    expect(await slug(await place('b', { status_name: 'in_progress' }))).toBe('in_progress');
    expect(fields(await submit('c', { status_name: 'nowhere' }))).toEqual(['status_name']);
  });

  test('waits for its money while it is not paid', async () => {
    const { place, slug, submit, time } = await rig();
    const id = await place('a', { payment: { status: 'waiting', accepted_methods: ['credit_card'] } });
    time.advance(60_000);
    expect(await slug(id)).toBe('payment_pending');
    expect(
      fields(await submit('b', { payment: { status: 'pending_payment', accepted_methods: ['cod'] } })),
    ).toEqual(['payment.status']);
    const other = await rig({ openPaymentStatus: 'pending_payment' });
    const heard = await other.submit('c', {
      payment: { status: 'pending_payment', accepted_methods: ['cod'] },
    });
    expect(heard.status).toBe(201);
  });

  test('with an id in use makes a second order, unless the store is told to refuse it', async () => {
    const lenient = await rig();
    expect(await lenient.place('ref-1')).not.toBe(await lenient.place('ref-1'));
    expect((await lenient.ledger()).orders).toHaveLength(2);
    const strict = await rig({ duplicates: 'reject' });
    await strict.place('ref-1');
    const heard = await strict.submit('ref-1');
    expect([heard.status, fields(heard)]).toEqual([422, ['external_order_id']]);
    expect((await strict.ledger()).orders).toHaveLength(1);
  });

  test('can be answered with 200, or with a 204 that has no body and so no id', async () => {
    expect((await (await rig({ writeStatus: 200 })).submit('a')).json()).toMatchObject({ status: 200 });
    const silent = await rig({ writeStatus: 204 });
    const heard = await silent.submit('a');
    expect([heard.status, heard.text]).toEqual([204, '']);
    expect((await silent.ledger()).orders).toMatchObject([{ reference: 'a' }]);
  });

  test('can be accepted, answered by a fault, and hidden for a while', async () => {
    const { submit, fault, found, time, ledger } = await rig();
    await fault('submit', afterAccepting({ status: 504 }, { hideMs: 5_000 }));
    expect((await submit('ref-1')).status).toBe(504);
    const [held] = (await ledger()).orders;
    expect(held).toMatchObject({ reference: 'ref-1', status: 'under_review', orderType: 'external' });
    expect(await found('?keyword=ref-1')).toEqual([]);
    time.advance(5_000);
    expect(await found('?keyword=ref-1')).toEqual(['ref-1']);
  });

  test('can be answered by a fault with 204, which has no body whatever the rule says', async () => {
    const { submit, fault } = await rig();
    await fault('submit', afterAccepting({ status: 204 }));
    expect(await submit('ref-1')).toMatchObject({ status: 204, text: '' });
  });

  test('draws faults by its external id', async () => {
    const { submit, control, call, place } = await rig();
    const id = await place('ref-2');
    await control('', { match: { reference: 'ref-2' }, times: 3, do: { status: 500 } });
    expect((await submit('ref-1')).status).toBe(201);
    expect((await submit('ref-2')).status).toBe(500);
    expect((await call('GET', `/orders/${id}`)).status).toBe(500);
    expect((await call('GET', '/orders?keyword=ref-2')).status).toBe(500);
  });
});

describe('what is wrong with a body', () => {
  test('is told for all fields at once, in Arabic unless English is asked for', async () => {
    const { call } = await rig();
    const heard = await call('POST', '/orders/external', {});
    expect([heard.status, heard.json()]).toEqual([
      422,
      {
        status: 422,
        success: false,
        error: {
          code: 'error',
          message: 'alert.invalid_fields',
          fields: {
            external_order_id: [expect.stringMatching(/[\u0600-\u06ff]/)],
            products: [expect.stringMatching(/[\u0600-\u06ff]/)],
            delivery_method: [expect.stringMatching(/[\u0600-\u06ff]/)],
            receiver: [expect.stringMatching(/[\u0600-\u06ff]/)],
          },
        },
      },
    ]);
    const english = await call('POST', '/orders/external', {}, ENGLISH);
    expect(error(english).fields?.products).toEqual(['The field products is required']);
  });

  test.each<[string, Record<string, unknown>, string[]]>([
    [
      'a customer without an id is no receiver',
      { receiver: undefined, customer: { name: 'A', mobile: '1' } },
      ['receiver'],
    ],
    [
      'a customer needs an id or a name and a mobile',
      { customer: { email: 'a@b.example' } },
      ['customer.name', 'customer.mobile'],
    ],
    [
      'a receiver needs a name and a phone',
      { receiver: { email: 'x' } },
      ['receiver.name', 'receiver.phone', 'receiver.email'],
    ],
    ['shipping needs an address', { ship_to: undefined }, ['ship_to']],
    [
      'an address needs its places',
      { ship_to: { city: '' } },
      ['ship_to.country', 'ship_to.city', 'ship_to.address_line'],
    ],
    ['a pickup needs a branch', { delivery_method: 'pickup' }, ['branch_id']],
    ['the method is one of two', { delivery_method: 'pigeon' }, ['delivery_method']],
    ['there are products', { products: [] }, ['products']],
    [
      'products are objects',
      { products: ['mug'] },
      ['products.0', 'products.0.quantity', 'products.0.identifier'],
    ],
    ['a quantity is a whole number', { products: [{ sku: 'A', quantity: 0.5 }] }, ['products.0.quantity']],
    ['a price is not negative', { products: [{ sku: 'A', quantity: 1, price: -1 }] }, ['products.0.price']],
    ['what is paid has a method', { payment: { status: 'paid' } }, ['payment.method']],
    [
      'what is open has accepted methods',
      { payment: { status: 'waiting', accepted_methods: [] } },
      ['payment.accepted_methods'],
    ],
    [
      'cash on delivery has an amount',
      { payment: { status: 'paid', method: 'cod' } },
      ['payment.cash_on_delivery'],
    ],
    ['a currency is one', { currency: 'XXQ' }, ['currency']],
    ['a date is one', { date: '2026-13-01 00:00' }, ['date']],
  ])('is a 422: %s', async (_title, changes, expected) => {
    const { submit, ledger } = await rig();
    const heard = await submit('ref-1', changes);
    expect([heard.status, fields(heard).sort()]).toEqual([422, [...expected].sort()]);
    expect((await ledger()).orders).toEqual([]);
  });

  test('is a 400 when it is no JSON, and a 406 when it is of another type', async () => {
    const { call } = await rig();
    const broken = await call('POST', '/orders/external', '{"external_order_id":');
    expect([broken.status, error(broken).code]).toEqual([400, 'bad_request']);
    const form = await call('POST', '/orders/external', '<order/>', {
      headers: { 'content-type': 'application/xml' },
    });
    expect([form.status, error(form).code]).toEqual([406, 'not_acceptable']);
  });
});

describe('an order of the own catalogue', () => {
  test('needs identifiers for its products, a courier and a payment', async () => {
    const { call } = await rig();
    const heard = await call('POST', '/orders', order());
    expect([heard.status, data(heard, 'status.slug'), data(heard, 'source')]).toEqual([
      201,
      'under_review',
      'dashboard-api',
    ]);
    const bad = await call(
      'POST',
      '/orders',
      order({ courier_id: undefined, payment: undefined, products: [{ sku: 'A' }] }),
    );
    expect(fields(bad).sort()).toEqual([
      'courier_id',
      'payment',
      'products.0.identifier',
      'products.0.identifier_type',
      'products.0.quantity',
    ]);
  });

  test('has no reference of the caller: the ledger shows the number that people see', async () => {
    const { call, ledger } = await rig();
    const heard = await call(
      'POST',
      '/orders',
      order({ products: [{ identifier_type: 'id', identifier: 7, quantity: 1 }] }),
    );
    expect(data(heard, 'external_order_id')).toBeUndefined();
    expect((await ledger()).orders).toMatchObject([{ reference: '40000001', orderType: 'order' }]);
  });
});

describe('a draft', () => {
  const complete = order();

  test('may lack everything and stays one', async () => {
    const { call, slug, time } = await rig();
    const heard = await call('POST', '/orders/draft', {});
    expect([heard.status, data(heard)]).toEqual([201, { id: expect.any(Number), reference_id: 40_000_001 }]);
    time.advance(60_000);
    expect(await slug(Number(data(heard, 'id')))).toBe('draft');
  });

  test('becomes an order by the status under_review, once it is complete', async () => {
    const { call, slug, setStatus, time } = await rig({ draftActivation: 'status' });
    const id = Number(data(await call('POST', '/orders/draft', { products: complete.products }), 'id'));
    const early = await setStatus(id, { slug: 'under_review' });
    expect([early.status, fields(early)]).toEqual([422, ['slug']]);
    expect((await call('PUT', `/orders/${id}`, complete)).status).toBe(201);
    expect(await slug(id)).toBe('draft');
    expect((await setStatus(id, { slug: 'shipped' })).status).toBe(422);
    expect((await setStatus(id, { slug: 'under_review' })).status).toBe(201);
    time.advance(1_000);
    expect(await slug(id)).toBe('in_progress');
  });

  test('becomes an order by an update, where that is how it works', async () => {
    const { call, slug, setStatus } = await rig({ draftActivation: 'update' });
    const id = Number(data(await call('POST', '/orders/draft', complete), 'id'));
    expect((await setStatus(id, { slug: 'under_review' })).status).toBe(422);
    await call('PUT', `/orders/${id}`, { receiver: RECEIVER });
    expect(await slug(id)).toBe('under_review');
  });

  test('can be canceled', async () => {
    const { call, slug, setStatus } = await rig();
    const id = Number(data(await call('POST', '/orders/draft', {}), 'id'));
    expect((await setStatus(id, { slug: 'canceled' })).status).toBe(201);
    expect(await slug(id)).toBe('canceled');
  });
});

describe('get', () => {
  test('shows what was sent, and less of it in the light format', async () => {
    const { call, place } = await rig();
    const id = await place('ref-1');
    const whole = await call('GET', `/orders/${id}`);
    expect(whole.json()).toMatchObject({
      status: 200,
      success: true,
      data: {
        id,
        external_order_id: 'ref-1',
        source: 'packline',
        actions: { cancellable: true },
        receiver: { name: RECEIVER.name, phone: RECEIVER.phone },
        shipping: { courier_id: 700_000_001, address: SHIP_TO },
        items: [{ sku: 'MUG-1', quantity: 2 }],
        shipments: [],
      },
    });
    const light = Object(data(await call('GET', `/orders/${id}?format=light`)));
    const missing = Object.keys(Object(data(whole))).filter((name) => !(name in light));
    expect(missing.sort()).toEqual(['items', 'pickup_branch', 'shipments']);
    expect([light.external_order_id, light.customer.groups]).toEqual(['ref-1', undefined]);
  });

  test('shows shipping as an empty list where nothing is shipped', async () => {
    const { call, place } = await rig();
    const id = await place('ref-1', { delivery_method: 'pickup', branch_id: 3, ship_to: undefined });
    const heard = await call('GET', `/orders/${id}`);
    expect([data(heard, 'shipping'), data(heard, 'pickup_branch')]).toEqual([[], { id: 3 }]);
  });

  test('hides the external id where the store does not show it', async () => {
    const { call, place, found } = await rig({ externalId: 'hidden' });
    const id = await place('ref-1');
    expect(data(await call('GET', `/orders/${id}`), 'external_order_id')).toBeUndefined();
    expect(await found('?keyword=ref-1')).toEqual([]);
    const shown = await rig({ externalId: 'shown' });
    await shown.place('ref-1');
    expect([await shown.found(), await shown.found('?keyword=ref-1')]).toEqual([['ref-1'], []]);
  });

  test('says 404 for what never was and 410 for what was deleted', async () => {
    const { call, place, advance, found, ledger } = await rig();
    const id = await place('ref-1');
    const never = await call('GET', '/orders/1', undefined, ENGLISH);
    expect([never.status, never.json()]).toEqual([
      404,
      {
        status: 404,
        success: false,
        error: { code: 'not_found', message: 'The requested item was not found' },
      },
    ]);
    expect((await call('GET', '/orders/ref-1')).status).toBe(404);
    await advance('ref-1', 'deleted');
    const gone = await call('GET', `/orders/${id}`);
    expect([gone.status, error(gone).code, await found()]).toEqual([410, 'gone', []]);
    expect((await ledger()).orders).toMatchObject([{ status: 'deleted' }]);
  });
});

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

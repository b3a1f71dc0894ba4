import { accepting } from '../helpers/faults.js';
import { data, error, fields, order, RECEIVER, rig, SHIP_TO, stopAll } from './salla-calls.js';

afterEach(stopAll);

const ENGLISH = { headers: { 'accept-language': 'en' } };

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
    await fault('submit', accepting({ status: 504 }, { hideMs: 5_000 }));
    expect((await submit('ref-1')).status).toBe(504);
    const [held] = (await ledger()).orders;
    expect(held).toMatchObject({ reference: 'ref-1', status: 'under_review', orderType: 'external' });
    expect(await found('?keyword=ref-1')).toEqual([]);
    time.advance(5_000);
    expect(await found('?keyword=ref-1')).toEqual(['ref-1']);
  });

  test('can be answered by a fault with 204, which has no body whatever the rule says', async () => {
    const { submit, fault } = await rig();
    await fault('submit', accepting({ status: 204 }));
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
      order({
        external_order_id: 'ref-1',
        products: [{ identifier_type: 'id', identifier: 7, quantity: 1 }],
      }),
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

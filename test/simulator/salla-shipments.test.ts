import { accepting } from '../helpers/faults.js';
import { data, fields, type Rig, rig, rows, shipment, stopAll } from './salla-calls.js';

afterEach(stopAll);

const LINK = 'https://carrier.example/track/9';

async function ship({ call }: Rig, changes?: Record<string, unknown>): Promise<number> {
  const heard = await call('POST', '/shipments', shipment(changes));
  expect(heard.status).toBe(201);
  return Number(data(heard, 'id'));
}

async function status({ call }: Rig, id: number): Promise<unknown> {
  return data(await call('GET', `/shipments/${id}`), 'status');
}

async function listed({ call }: Rig, query: string): Promise<unknown[]> {
  return rows(await call('GET', `/shipments?${query}`)).map((row) => row.id);
}

describe('a shipment', () => {
  test('is created for an order, with the id of the caller beside it', async () => {
    const salla = await rig();
    const [orderId = 0] = await salla.shop();
    const heard = await salla.call(
      'POST',
      '/shipments',
      shipment({ order_id: orderId, external_id: 'ref-1' }),
    );
    expect([heard.status, heard.json()]).toMatchObject([
      201,
      {
        status: 201,
        success: true,
        data: {
          id: expect.any(Number),
          order_id: orderId,
          order_reference_id: 40_000_001,
          reference: { external_id: 'ref-1' },
          type: 'shipment',
          status: 'creating',
          courier_name: 'Simulated Express',
          shipping_number: null,
          label: null,
          packages: [{ sku: 'MUG-1', quantity: 2 }],
        },
      },
    ]);
    const order = await salla.call('GET', `/orders/${orderId}`);
    expect(data(order, 'shipments')).toMatchObject([{ id: data(heard, 'id') }]);
    expect((await salla.ledger()).orders).toMatchObject([
      { orderType: 'store' },
      { orderType: 'shipment', reference: 'ref-1', status: 'creating' },
    ]);
  });

  test('goes its way by itself and gets a number and a label on it', async () => {
    const salla = await rig({ stepMs: 1_000 });
    const id = await ship(salla);
    const seen = [];
    for (let step = 0; step < 8; step += 1) {
      seen.push(await status(salla, id));
      salla.time.advance(1_000);
    }
    expect(seen).toEqual([
      'creating',
      'created',
      'in_progress',
      'shipped',
      'in_transit',
      'received_at_final_hub',
      'delivering',
      'delivered',
    ]);
    expect(data(await salla.call('GET', `/shipments/${id}`))).toMatchObject({
      shipping_number: `SIM${id}`,
      tracking_link: expect.stringContaining('https://'),
      label: { format: 'pdf', url: expect.stringContaining('https://') },
    });
  });

  test.each<[string, Record<string, unknown>, string[]]>([
    [
      'what is required',
      { courier_id: undefined, shipment_type: undefined, payment_method: undefined, packages: undefined },
      ['courier_id', 'packages', 'payment_method', 'shipment_type'],
    ],
    ['a type', { shipment_type: 'gift' }, ['shipment_type']],
    ['a payment', { payment_method: 'prepaid' }, ['payment_method']],
    ['packages', { packages: [] }, ['packages']],
    ['packages that are objects', { packages: 'one' }, ['packages']],
    ['an order that exists', { order_id: 5 }, ['order_id']],
    ['an amount for cash on delivery', { payment_method: 'cod' }, ['cash_on_delivery']],
    [
      'a whole amount for cash on delivery',
      { payment_method: 'cod', cash_on_delivery: { amount: 'x' } },
      ['cash_on_delivery.amount', 'cash_on_delivery.currency'],
    ],
    ['a branch to ship from', { ship_from: { type: 'branch' } }, ['ship_from.branch_id']],
  ])('is a 422 without %s', async (_title, changes, expected) => {
    const { call, ledger } = await rig();
    const heard = await call('POST', '/shipments', shipment(changes));
    expect([heard.status, fields(heard).sort()]).toEqual([422, expected]);
    expect((await ledger()).orders).toEqual([]);
  });

  test('comes twice when it is asked for twice, unless the store is told to refuse it', async () => {
    const lenient = await rig();
    const [orderId] = await lenient.shop();
    const twice = { order_id: orderId, external_id: 'ref-1' };
    const ids = [await ship(lenient, twice), await ship(lenient, twice)];
    expect(await listed(lenient, `order_id=${orderId}`)).toEqual(ids.reverse());
    const strict = await rig({ duplicates: 'reject' });
    await ship(strict, { external_id: 'ref-1' });
    const heard = await strict.call('POST', '/shipments', shipment({ external_id: 'ref-1' }));
    expect([heard.status, fields(heard)]).toEqual([422, ['external_id']]);
  });

  test('takes the place of a pending one only when told', async () => {
    const salla = await rig();
    const [orderId] = await salla.shop();
    const first = await ship(salla, { order_id: orderId });
    await ship(salla, { order_id: orderId });
    expect(await status(salla, first)).toBe('creating');
    await ship(salla, { order_id: orderId, overwrite_exists_pending: true });
    expect(await status(salla, first)).toBe('cancelled');
  });

  test('can be accepted, dropped and hidden for a while', async () => {
    const salla = await rig();
    const [orderId] = await salla.shop();
    await salla.fault('ship', accepting('drop', { hideMs: 5_000 }));
    await expect(ship(salla, { order_id: orderId, external_id: 'ref-1' })).rejects.toThrow();
    expect((await salla.ledger()).orders).toHaveLength(2);
    expect(await listed(salla, `order_id=${orderId}`)).toEqual([]);
    expect(data(await salla.call('GET', `/orders/${orderId}`), 'shipments')).toEqual([]);
    salla.time.advance(5_000);
    expect(await listed(salla, `order_id=${orderId}`)).toHaveLength(1);
  });

  test('does not show the id of the caller where the store hides it', async () => {
    const salla = await rig({ externalId: 'hidden' });
    const id = await ship(salla, { external_id: 'ref-1' });
    expect(data(await salla.call('GET', `/shipments/${id}`), 'reference')).toBeUndefined();
  });
});

describe('what the carrier tells', () => {
  test('stays, and comes back with the status as an object', async () => {
    const salla = await rig();
    const id = await ship(salla);
    const heard = await salla.call('PUT', `/shipments/${id}`, {
      shipment_number: 'AWB-9',
      status: 'in_transit',
      tracking_link: LINK,
      pdf_label: 'https://carrier.example/label/9.pdf',
      cost: 40,
      status_note: 'picked up',
    });
    expect([heard.status, data(heard)]).toMatchObject([
      201,
      {
        shipping_number: 'AWB-9',
        tracking_link: LINK,
        total: { amount: 40 },
        status: { slug: 'in_transit' },
      },
    ]);
    salla.time.advance(60_000);
    expect(await status(salla, id)).toBe('in_transit');
    expect(data(await salla.call('GET', `/shipments/${id}/tracking`))).toMatchObject({
      id,
      tracking_link: LINK,
      status: 'in_transit',
      history: [
        { status: 'creating', create_at: { timezone: 'Asia/Riyadh' } },
        { status: 'in_transit', note: 'picked up' },
      ],
    });
  });

  test('needs a number and a known status, and links of at most 300 characters', async () => {
    const salla = await rig();
    const id = await ship(salla);
    const put = (body: unknown) => salla.call('PUT', `/shipments/${id}`, body);
    expect(fields(await put({})).sort()).toEqual(['shipment_number', 'status']);
    expect(fields(await put({ shipment_number: 'A', status: 'pending' }))).toEqual(['status']);
    const long = await put({ shipment_number: 'A', status: 'shipped', tracking_link: 'x'.repeat(301) });
    // Too long and no link: one field, two messages.
    expect(Object(long.json()).error.fields).toEqual({
      tracking_link: [expect.any(String), expect.any(String)],
    });
    const fits = await put({ shipment_number: 'A', status: 'shipped', pdf_label: LINK.padEnd(300, '0') });
    expect(fits.status).toBe(201);
    expect((await salla.call('PUT', '/shipments/1', {})).status).toBe(404);
  });
});

describe('cancel', () => {
  test('spells it with two Ls, works until the carrier has it, and once', async () => {
    const salla = await rig();
    const id = await ship(salla);
    const heard = await salla.call('POST', `/shipments/${id}/cancel`);
    expect([heard.status, data(heard, 'status')]).toEqual([201, 'cancelled']);
    expect((await salla.call('POST', `/shipments/${id}/cancel`)).status).toBe(422);
    const late = await ship(salla, { external_id: 'late' });
    await salla.advance('late', 'in_transit');
    expect((await salla.call('POST', `/shipments/${late}/cancel`)).status).toBe(422);
    expect((await salla.call('POST', '/shipments/1/cancel')).status).toBe(404);
  });

  test('may be repeated where the store takes it', async () => {
    const salla = await rig({ repeatedStatus: 'accept' });
    const id = await ship(salla);
    await salla.call('POST', `/shipments/${id}/cancel`);
    expect((await salla.call('POST', `/shipments/${id}/cancel`)).status).toBe(201);
  });
});

describe('return', () => {
  test('is possible only after delivery', async () => {
    const salla = await rig();
    const id = await ship(salla, { external_id: 'ref-1' });
    expect((await salla.call('POST', `/shipments/${id}/return`)).status).toBe(422);
    await salla.advance('ref-1', 'delivered');
    const heard = await salla.call('POST', `/shipments/${id}/return`);
    expect([heard.status, data(heard)]).toMatchObject([201, { type: 'return', status: 'creating' }]);
    expect((await salla.call('POST', `/shipments/${id}/return`)).status).toBe(422);
    expect((await salla.call('POST', '/shipments/1/return')).status).toBe(404);
  });
});

describe('the lists', () => {
  test('of shipments know all filters, and pages', async () => {
    const salla = await rig({ stepMs: 0 });
    const [orderId] = await salla.shop();
    const a = await ship(salla, {
      order_id: orderId,
      external_id: 'a',
      ship_to: { city_id: 12, country_code: 'SA' },
    });
    salla.time.advance(86_400_000);
    const b = await ship(salla, {
      courier_id: 700_000_002,
      shipment_type: 'return',
      payment_method: 'cod',
      cash_on_delivery: { amount: 5, currency: 'SAR' },
    });
    await salla.advance('a', 'delivered');
    const found = (query: string) => listed(salla, query);
    expect(await found('')).toEqual([b, a]);
    expect(await found(`order_id=${orderId}`)).toEqual([a]);
    expect(await found('courier_id=700000002')).toEqual([b]);
    expect(await found('courier_slug=simulated-express')).toEqual([a]);
    expect(await found('status=delivered')).toEqual([a]);
    expect(await found('shipment_type=return')).toEqual([b]);
    expect(await found('payment_method=cod')).toEqual([b]);
    expect(await found('from_date=2026-01-02')).toEqual([b]);
    expect(await found('to_date=2026-01-02')).toEqual([a]);
    expect(await found('ship_to[city_id]=12&ship_to[country_code]=SA')).toEqual([a]);
    expect(await found('ship_from[city_id]=12')).toEqual([]);
    expect(await found('source=api')).toEqual([b, a]);
    expect(await found('source=store')).toEqual([]);
    expect(await found('per_page=1&page=2')).toEqual([a]);
    expect((await salla.call('GET', '/shipments?status=creating')).status).toBe(400);
  });

  test('of companies come with and without a slash', async () => {
    const { call } = await rig();
    const companies = rows(await call('GET', '/shipping/companies/'));
    expect(companies).toEqual([
      expect.objectContaining({ activation_type: 'api', slug: 'simulated-express' }),
      expect.objectContaining({ activation_type: 'manual', slug: null }),
    ]);
    expect(rows(await call('GET', '/shipping/companies'))).toEqual(companies);
    expect(data(await call('GET', `/shipping/companies/${companies[0]?.id}`))).toEqual(companies[0]);
    expect((await call('GET', '/shipping/companies/1')).status).toBe(404);
  });
});

/** Mode B: orders of the store are shipped. */
import { judge, sentBody, stepOf, workFor } from '../fixtures.js';
import {
  answerOf,
  BASE,
  listed,
  ORDER_ID,
  ok,
  openAccount,
  orderView,
  refused,
  SHIPMENT_ID,
  shipmentBody,
  shipmentRow,
} from './fixtures.js';

const account = openAccount({ mode: 'B' });
const { verbs, reads } = account;
const sent = workFor(orderView(shipmentBody()));
const placed = workFor(orderView(shipmentBody(), { providerOrderId: SHIPMENT_ID }));

describe('submit', () => {
  const step = stepOf(verbs.submit, 'shipment');

  test('posts a shipment for an order of the store, and replaces no pending one', () => {
    expect(step.request(sent)).toMatchObject({ method: 'POST', url: `${BASE}/shipments` });
    expect(sentBody(step, sent)).toEqual({
      order_id: 1017120475,
      external_id: 'parcel:7',
      courier_id: 1927161457,
      shipment_type: 'shipment',
      payment_method: 'pre_paid',
      overwrite_exists_pending: false,
      packages: [{ name: 'Mug', sku: 'MUG-1', quantity: 2 }],
    });
  });

  test('sends everything that it can hold', () => {
    const body = shipmentBody({
      currency: 'KWD',
      notes: 'fragile',
      customer: { firstName: 'Sara', email: 's@example.com', phone: '+965 9999 0000' },
      shippingAddress: { line1: 'Street 5', city: 'Kuwait', country: 'KW', postCode: '13001' },
      payment: { method: 'cod', amountToCollect: '12.345' },
      options: {
        orderId: 5,
        courierId: '6',
        shipmentType: 'return',
        packages: [
          {
            price: { amount: '0.1', currency: 'KWD' },
            weight: { value: 0.5, units: 'kg' },
          },
        ],
      },
    });
    expect(sentBody(step, workFor(orderView(body)))).toEqual({
      order_id: 5,
      external_id: 'parcel:7',
      courier_id: 6,
      shipment_type: 'return',
      payment_method: 'cod',
      cash_on_delivery: { amount: 12.345, currency: 'KWD' },
      overwrite_exists_pending: false,
      packages: [{ price: { amount: 0.1, currency: 'KWD' }, weight: { value: 0.5, units: 'kg' } }],
      ship_to: {
        name: 'Sara',
        phone: '+96599990000',
        email: 's@example.com',
        country: 'KW',
        city: 'Kuwait',
        address_line: 'Street 5',
        postal_code: '13001',
      },
      remarks: 'fragile',
    });
  });

  test('reads the shipment as accepted', () => {
    expect(judge(account, step, sent, ok(shipmentRow(), 201)).outcome).toEqual({
      kind: 'accepted',
      providerOrderId: SHIPMENT_ID,
      status: 'submitted',
      rawStatus: 'creating',
      data: { orderId: ORDER_ID },
    });
  });

  test.each([
    ['for another reference', ok(shipmentRow({ reference: { external_id: 'parcel:8' } }))],
    ['without an id', ok(shipmentRow({ id: null }))],
    ['without content', answerOf(204, '')],
    ['that says that something was deleted', ok(shipmentRow(), 202)],
    ['that is a list', ok([shipmentRow()])],
  ])('does not trust an answer %s', (_what, answer) => {
    expect(judge(account, step, sent, answer).outcome.kind).toBe('unknown');
  });

  test('looks whose it is when the reference is in use', () => {
    const answer = refused(422, 'alert.invalid_fields', {
      fields: { external_id: ['has been used before'] },
    });
    expect(judge(account, step, sent, answer).outcome).toMatchObject({
      kind: 'settled',
      code: 'duplicate_reference',
    });
  });
});

describe('cancel', () => {
  const cancel = stepOf(verbs.cancel, 'cancel');

  test('posts to the shipment itself', () => {
    const request = cancel.request(placed);
    expect(request).toMatchObject({ method: 'POST', url: `${BASE}/shipments/${SHIPMENT_ID}/cancel` });
    expect(request).not.toHaveProperty('body');
    expect(cancel.read(placed, ok(shipmentRow({ status: 'cancelled' })))).toEqual({ kind: 'done' });
  });

  test('is tried again where the shipment goes on', () => {
    expect(cancel.read(placed, ok(shipmentRow({ status: 'created' })))).toBeNull();
  });

  test('reads the shipment when it is refused', () => {
    expect(judge(account, cancel, placed, refused(422, 'too late')).outcome.kind).toBe('settled');
  });
});

describe('get', () => {
  test('reads the state with its tracking, whichever shape the status has', () => {
    const row = shipmentRow({
      status: { id: 5, name: 'Out', slug: 'delivering' },
      shipping_number: 'S1',
      tracking_link: 'javascript:alert(1)',
    });
    expect(reads.get.request(placed).url).toBe(`${BASE}/shipments/${SHIPMENT_ID}`);
    expect(judge(account, reads.get, placed, ok(row)).outcome).toEqual({
      kind: 'observed',
      state: {
        providerOrderId: SHIPMENT_ID,
        reference: 'parcel:7',
        status: 'shipped',
        rawStatus: 'delivering',
        tracking: [{ carrier: 'Salla Express', code: 'S1', url: null, status: 'delivering' }],
        createdAt: '2026-03-02T11:00:41.000Z',
        data: { orderId: ORDER_ID },
      },
    });
  });

  test('does not trust another shipment', () => {
    expect(reads.get.read(placed, ok(shipmentRow({ id: 5 })))).toBeNull();
  });
});

describe('look', () => {
  const look = stepOf(reads.look === undefined ? [] : [reads.look], 'look');
  const seen = (rows: unknown[], pagination = {}) =>
    judge(account, look, sent, listed(rows, pagination)).outcome;

  test("asks for the order's shipments", () => {
    expect(look.request(sent).url).toBe(`${BASE}/shipments?order_id=${ORDER_ID}&per_page=60`);
  });

  test('finds it by its reference among the others', () => {
    const other = shipmentRow({ id: 5, reference: { external_id: 'parcel:6' } });
    expect(seen([other, shipmentRow()])).toMatchObject({
      kind: 'observed',
      state: { providerOrderId: SHIPMENT_ID, reference: 'parcel:7' },
    });
  });

  test('is sure that it is absent where the order has no other, or only of other references', () => {
    expect(seen([]).kind).toBe('missing');
    expect(seen([shipmentRow({ reference: { external_id: 'parcel:6' } })]).kind).toBe('missing');
    // A store that shows references shows that this one has none.
    expect(seen([shipmentRow({ reference: { external_id: null } })]).kind).toBe('missing');
  });

  test('proves nothing where a shipment without a reference could be it', () => {
    const { reference: _reference, ...hidden } = shipmentRow();
    expect(seen([hidden])).toMatchObject({ kind: 'done', states: [{ providerOrderId: SHIPMENT_ID }] });
    expect(seen([{ ...hidden, courier_id: 5 }]).kind).toBe('missing');
    expect(seen([{ ...hidden, type: 'return' }]).kind).toBe('missing');
    const lastWeek = { date: '2026-02-23 10:00:00.000000', timezone: 'Asia/Riyadh' };
    expect(seen([{ ...hidden, created_at: lastWeek }]).kind).toBe('missing');
  });

  test('proves nothing by rows of another order: the filter is being ignored', () => {
    expect(look.read(sent, listed([shipmentRow({ order_id: 5 })]))).toBeNull();
  });

  test('proves nothing by a page that is not the whole', () => {
    expect(seen([], { total: 61, totalPages: 2 }).kind).toBe('failed');
    expect(judge(account, look, sent, ok([])).outcome.kind).toBe('failed');
  });

  test('names all candidates where there are two of the reference', () => {
    expect(seen([shipmentRow(), shipmentRow({ id: 9 })])).toMatchObject({
      kind: 'done',
      states: [{ providerOrderId: SHIPMENT_ID }, { providerOrderId: '9' }],
    });
  });
});

describe('list and probe', () => {
  test('read the shipments of the last days', () => {
    const list = stepOf(reads.list === undefined ? [] : [reads.list.step], 'list');
    const work = workFor(undefined, { params: { since: '2026-03-12T07:00:00.000Z', page: null } });
    expect(list.request(work).url).toBe(`${BASE}/shipments?from_date=2026-03-11&page=1&per_page=60`);
    const rows = [shipmentRow({ status: 'delivered' }), shipmentRow({ id: 5 })];
    expect(list.read(work, listed(rows))).toMatchObject({
      kind: 'done',
      states: [{ providerOrderId: SHIPMENT_ID, status: 'delivered' }, { providerOrderId: '5' }],
      data: { next: null },
    });
    expect(list.read(work, ok({}))).toBeNull();
    expect(reads.probe.request(work).url).toBe(`${BASE}/shipments?per_page=1`);
  });
});

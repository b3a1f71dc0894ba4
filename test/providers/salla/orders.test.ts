/** Mode A: orders go into the store. */
import { judge, sentBody, stepOf, workFor } from '../fixtures.js';
import {
  answerOf,
  BASE,
  goodBody,
  listed,
  ORDER_ID,
  ORDER_NUMBER,
  ok,
  openAccount,
  orderRow,
  orderView,
  refused,
  statusOf,
} from './fixtures.js';

const account = openAccount();
const catalogue = openAccount({ orderPath: '/orders' });
const { verbs, reads } = account;
const sent = workFor(orderView());
const placed = workFor(orderView(goodBody(), { providerOrderId: ORDER_ID }));

describe('submit', () => {
  const step = stepOf(verbs.submit, 'order');

  test('posts an external order under the names of the document', () => {
    expect(step.request(sent)).toMatchObject({
      method: 'POST',
      url: `${BASE}/orders/external`,
      headers: { 'Content-Type': 'application/json' },
    });
    expect(sentBody(step, sent)).toEqual({
      external_order_id: 'shop:1001',
      date: '2026-03-02 14:00',
      currency: 'SAR',
      receiver: {
        name: 'نورة السالم',
        phone: '+966501234567',
        country_code: 'SA',
        email: 'noura@example.com',
        notify: false,
      },
      delivery_method: 'shipping',
      courier_id: 665151403,
      ship_to: { country: 'SA', city: 'الرياض', address_line: 'شارع التحلية 5', postal_code: '12345' },
      payment: { status: 'paid', method: 'credit_card' },
      products: [{ sku: 'MUG-1', name: 'Mug', quantity: 2, price: 49.9 }],
    });
  });

  test('sends everything that an order can hold', () => {
    const body = goodBody({
      currency: 'KWD',
      customer: { id: '1298199463', firstName: 'Sara', phone: '00 966 (50) 123-4567' },
      shippingAddress: { line1: 'Street 5', line2: 'Flat 2', city: 'Kuwait', country: 'KW' },
      items: [
        { reference: '1', sku: 'A', quantity: 1, unitPrice: '1.125' },
        { reference: '2', sku: 'B', quantity: 3 },
      ],
      totals: { subtotal: '1.125', shipping: '0.500' },
      options: {
        deliveryMethod: 'shipping',
        courierId: '5',
        branchId: 6,
        paymentStatus: 'waiting',
        paymentMethod: 'bank',
        countryId: 1473353380,
        cityId: '1473353381',
        block: 'B',
        streetNumber: '12',
      },
    });
    expect(sentBody(step, workFor(orderView(body)))).toEqual({
      external_order_id: 'shop:1001',
      date: '2026-03-02 14:00',
      currency: 'KWD',
      subtotal: 1.125,
      shipping_cost: 0.5,
      customer: { id: 1298199463 },
      receiver: { name: 'Sara', phone: '00966501234567', country_code: 'KW', notify: false },
      delivery_method: 'shipping',
      courier_id: 5,
      branch_id: 6,
      ship_to: {
        country: 1473353380,
        city: 1473353381,
        address_line: 'Street 5',
        address: 'Flat 2',
        block: 'B',
        street_number: '12',
      },
      payment: { status: 'waiting', accepted_methods: ['bank'] },
      products: [
        { sku: 'A', name: 'A', quantity: 1, price: 1.125 },
        { sku: 'B', name: 'B', quantity: 3 },
      ],
    });
  });

  test('sends a customer of the store without a receiver, and a pickup without a place', () => {
    const body = goodBody({
      customer: { id: '7' },
      options: { deliveryMethod: 'pickup', branchId: 9 },
    });
    const request = sentBody(step, workFor(orderView(body)));
    expect(request).toMatchObject({ customer: { id: 7 }, delivery_method: 'pickup', branch_id: 9 });
    expect(request).not.toHaveProperty('receiver');
    expect(request).not.toHaveProperty('ship_to');
  });

  test.each<[string, object, object, object]>([
    [
      'money at the door, for which the store charges nothing more',
      { payment: { method: 'cod', amountToCollect: '99.80' } },
      {},
      { status: 'paid', method: 'cod', cash_on_delivery: { amount: 0, currency: 'SAR' } },
    ],
    [
      'an open payment',
      { options: { deliveryMethod: 'pickup', branchId: 1, paymentStatus: 'waiting' } },
      {},
      { status: 'waiting', accepted_methods: ['credit_card'] },
    ],
    [
      'an open payment in the other spelling',
      { options: { deliveryMethod: 'pickup', branchId: 1, paymentStatus: 'waiting' } },
      { openPaymentStatus: 'pending_payment' },
      { status: 'pending_payment', accepted_methods: ['credit_card'] },
    ],
    [
      'a method of its own',
      { options: { deliveryMethod: 'pickup', branchId: 1, paymentMethod: 'mada' } },
      {},
      { status: 'paid', method: 'mada' },
    ],
  ])('tells of %s', (_what, changes, config, payment) => {
    const order = stepOf(openAccount({ ...config }).verbs.submit, 'order');
    expect(sentBody(order, workFor(orderView(goodBody(changes))))).toMatchObject({ payment });
  });

  test("tells the reference of the order's generation", () => {
    const order = orderView(goodBody(), { generation: 2, providerReference: 'riyadh-shop:1001~2' });
    expect(sentBody(step, workFor(order))).toMatchObject({ external_order_id: 'riyadh-shop:1001~2' });
  });

  test('posts products of the catalogue where the account says so: without reference, price and currency', () => {
    const order = stepOf(catalogue.verbs.submit, 'order');
    expect(order.request(sent).url).toBe(`${BASE}/orders`);
    const request = sentBody(order, sent);
    expect(request).toMatchObject({
      products: [{ identifier_type: 'sku', identifier: 'MUG-1', quantity: 2 }],
      payment: { status: 'paid', method: 'credit_card' },
    });
    expect(Object.keys(Object(request)).sort()).toEqual([
      'courier_id',
      'delivery_method',
      'payment',
      'products',
      'receiver',
      'ship_to',
    ]);
  });

  test.each([200, 201])('reads %d as accepted, with the id and the number that people see', (status) => {
    expect(judge(account, step, sent, ok(orderRow(), status)).outcome).toEqual({
      kind: 'accepted',
      providerOrderId: ORDER_ID,
      status: 'submitted',
      rawStatus: 'under_review',
      data: { orderNumber: ORDER_NUMBER },
    });
  });

  test('reads an order that shows no reference, and one whose status is not known', () => {
    const { external_order_id: _reference, reference_id: _number, ...row } = orderRow({ status: null });
    expect(judge(account, step, sent, ok(row, 201)).outcome).toEqual({
      kind: 'accepted',
      providerOrderId: ORDER_ID,
      status: 'submitted',
    });
  });

  test.each<[string, ReturnType<typeof answerOf>]>([
    ['without an id', ok(orderRow({ id: undefined }), 201)],
    ['with an id that would leave its place in a URL', ok(orderRow({ id: '..' }), 201)],
    ['with an id that no database takes', ok(orderRow({ id: 'a\u0000' }), 201)],
    ['for another reference', ok(orderRow({ external_order_id: 'shop:1002' }), 201)],
    ['without its envelope', answerOf(201, orderRow())],
    ['of HTML', answerOf(200, '<html>maintenance</html>')],
    ['that is empty', answerOf(201, '')],
    ['without content', answerOf(204, '')],
    ['that says that something was deleted', ok(orderRow(), 202)],
    ['that refuses and names an order', answerOf(200, { status: 422, success: false, data: orderRow() })],
    ['that refuses without saying why', answerOf(200, { success: false })],
  ])('does not trust an answer %s: the order may have been placed', (_what, answer) => {
    expect(judge(account, step, sent, answer).outcome).toMatchObject({
      kind: 'unknown',
      code: 'unreadable_answer',
    });
  });

  test('reads an envelope that refuses under 200 by the status that stands in it', () => {
    const answer = {
      ...refused(422, 'alert.invalid_fields', { fields: { 'receiver.phone': ['مطلوب'] } }),
      status: 200,
    };
    expect(judge(account, step, sent, answer)).toMatchObject({
      outcome: { kind: 'rejected', code: 'validation_failed', fields: { 'receiver.phone': ['مطلوب'] } },
      rule: { id: 'salla/validation-failed' },
    });
  });
});

describe('cancel', () => {
  const before = stepOf(verbs.cancel, 'cancellable');
  const cancel = stepOf(verbs.cancel, 'cancel');

  test('asks the store first whether it still takes one', () => {
    expect(before.request(placed)).toMatchObject({
      method: 'GET',
      url: `${BASE}/orders/${ORDER_ID}?format=light`,
    });
    expect(judge(account, before, placed, ok(orderRow())).outcome).toEqual({ kind: 'done' });
  });

  test('goes on where the store does not say, for `can_cancel` is about its shoppers', () => {
    const row = orderRow({ actions: undefined, can_cancel: false });
    expect(before.read(placed, ok(row))).toEqual({ kind: 'done' });
  });

  test('is over where the order is canceled already', () => {
    const row = orderRow({ status: statusOf('canceled'), actions: { cancellable: false } });
    expect(before.read(placed, ok(row))).toMatchObject({ kind: 'observed', state: { status: 'canceled' } });
  });

  test('reads the order when the store says that it is too late', () => {
    const row = orderRow({ status: statusOf('shipped'), actions: { cancellable: false } });
    expect(before.read(placed, ok(row))).toEqual({
      kind: 'settled',
      code: 'not_cancellable',
      message: 'Salla no longer cancels this order: it is shipped',
    });
  });

  test('does not trust another order', () => {
    expect(before.read(placed, ok(orderRow({ id: 5 })))).toBeNull();
  });

  test('changes the status, spelled with one L', () => {
    expect(cancel.request(placed)).toMatchObject({
      method: 'POST',
      url: `${BASE}/orders/${ORDER_ID}/status`,
    });
    expect(sentBody(cancel, placed)).toEqual({ slug: 'canceled' });
    expect(cancel.read(placed, ok({ message: 'updated', code: 201 }, 201))).toEqual({ kind: 'done' });
    expect(cancel.read(placed, answerOf(204, ''))).toEqual({ kind: 'done' });
  });

  test('is tried again after a page of somebody else, and after word of a deletion', () => {
    expect(judge(account, cancel, placed, answerOf(200, '<html>sign in</html>')).outcome.kind).toBe('failed');
    expect(judge(account, cancel, placed, ok({ message: null, code: 202 }, 202)).outcome.kind).toBe('failed');
  });

  test('reads the order when it is refused', () => {
    expect(judge(account, cancel, placed, refused(422, 'It cannot be canceled')).outcome).toMatchObject({
      kind: 'settled',
      code: 'validation_failed',
    });
  });
});

describe('update', () => {
  const update = stepOf(verbs.update, 'update');
  const withParams = (params: object) => ({ ...placed, params: JSON.parse(JSON.stringify(params)) });

  test('puts a new receiver whole', () => {
    const work = withParams({ customer: { firstName: 'Sara', lastName: 'K', phone: '0501111111' } });
    expect(update.request(work)).toMatchObject({ method: 'PUT', url: `${BASE}/orders/${ORDER_ID}` });
    expect(sentBody(update, work)).toEqual({
      receiver: { name: 'Sara K', phone: '0501111111', country_code: 'SA', notify: false },
    });
  });

  test('puts a new place, without the ids of the old one', () => {
    const body = goodBody({ options: { deliveryMethod: 'shipping', courierId: 5, cityId: 6, countryId: 7 } });
    const work = {
      ...workFor(orderView(body, { providerOrderId: ORDER_ID })),
      params: { shippingAddress: { line1: 'S', city: 'Jeddah', country: 'SA' } },
    };
    expect(sentBody(update, work)).toEqual({
      delivery_method: 'shipping',
      courier_id: 5,
      ship_to: { country: 'SA', city: 'Jeddah', address_line: 'S' },
    });
  });

  test('is done when the store answers with the order', () => {
    expect(update.read(placed, ok(orderRow(), 201))).toEqual({ kind: 'done' });
  });

  test('is rejected in the words of the store', () => {
    const answer = refused(422, 'alert.invalid_fields', { fields: { 'ship_to.city': ['Unknown city'] } });
    expect(judge(account, update, placed, answer).outcome).toMatchObject({
      kind: 'rejected',
      message: 'alert.invalid_fields: ship_to.city: Unknown city',
    });
  });
});

describe('get', () => {
  const { get } = reads;

  test('reads the state with its tracking', () => {
    const row = orderRow({
      status: statusOf('shipped'),
      shipments: [
        {
          id: 5,
          courier_name: 'Salla Express',
          shipping_number: 'S1',
          tracking_number: 'T1',
          tracking_link: 'https://track.example.com/T1',
          status: { id: 1, name: 'x', slug: 'in_transit' },
        },
      ],
    });
    expect(get.request(placed).url).toBe(`${BASE}/orders/${ORDER_ID}`);
    expect(judge(account, get, placed, ok(row)).outcome).toEqual({
      kind: 'observed',
      state: {
        providerOrderId: ORDER_ID,
        reference: 'shop:1001',
        status: 'shipped',
        rawStatus: 'shipped',
        tracking: [
          {
            carrier: 'Salla Express',
            code: 'T1',
            url: 'https://track.example.com/T1',
            status: 'in_transit',
          },
        ],
        createdAt: '2026-03-02T11:00:41.000Z',
        data: { orderNumber: ORDER_NUMBER },
      },
    });
  });

  test('tells the id of an order that was asked for by its number', () => {
    const work = workFor(orderView(goodBody(), { providerOrderId: ORDER_NUMBER }));
    expect(get.read(work, ok(orderRow()))).toMatchObject({ state: { providerOrderId: ORDER_ID } });
  });

  test('does not trust an order that was not asked for, nor another status than 200', () => {
    expect(get.read(placed, ok(orderRow({ id: 5, reference_id: 6 })))).toBeNull();
    expect(get.read(placed, ok(orderRow(), 202))).toBeNull();
  });

  test("takes the store's own 404 as missing, and a proxy's as no answer", () => {
    expect(judge(account, get, placed, refused(404, 'Not found')).outcome.kind).toBe('missing');
    expect(judge(account, get, placed, answerOf(404, '<h1>Not Found</h1>')).outcome.kind).toBe('failed');
  });

  test('asks for an id that could leave its place as for one that is not there', () => {
    const url = get.request(workFor(orderView(goodBody(), { providerOrderId: '..' }))).url;
    expect(new URL(url).pathname).toBe('/admin/v2/orders/%252E%252E');
  });
});

describe('the list', () => {
  const list = stepOf(reads.list === undefined ? [] : [reads.list.step], 'list');
  const workAt = (page: number | null) =>
    workFor(undefined, { params: { since: '2026-03-12T07:00:00.000Z', page } });
  const work = workAt(null);

  test('is read from its first page on, back to the day before the oldest order was made', () => {
    expect(list.request(work).url).toBe(`${BASE}/orders?from_date=2026-03-11&page=1&per_page=60`);
    expect(list.request(workAt(4)).url).toBe(`${BASE}/orders?from_date=2026-03-11&page=4&per_page=60`);
    expect(reads.list).toMatchObject({ pageSize: 60, walked: true });
  });

  test('tells of all orders that it shows, for packline knows its own by their ids', () => {
    const rows = [orderRow({ status: statusOf('in_progress') }), orderRow({ id: 8 })];
    expect(judge(account, list, work, listed(rows, { total: 4_000, totalPages: 67 })).outcome).toMatchObject({
      kind: 'done',
      states: [{ providerOrderId: ORDER_ID, status: 'in_progress', partial: true }, { providerOrderId: '8' }],
    });
  });

  test('leaves out a row without a slug, so that the order is read alone', () => {
    expect(list.read(work, listed([orderRow({ status: { id: 1, name: 'ملغي' } })]))).toEqual({
      kind: 'done',
      states: [],
      data: { next: null },
    });
  });

  test('goes on after a page that is full, whatever stands in its rows', () => {
    const rows = Array.from({ length: 60 }, (_, n) => orderRow({ id: n, status: { id: 1, name: 'x' } }));
    expect(list.read(workAt(2), listed(rows))).toEqual({ kind: 'done', states: [], data: { next: 3 } });
    expect(list.read(workAt(2), listed(rows.slice(1)))).toMatchObject({ data: { next: null } });
  });

  test.each([
    ['no list', ok({ message: 'x' })],
    ['a row without an id', listed([{ reference_id: 5 }])],
    ['HTML', answerOf(200, '<html>')],
  ])('does not trust %s', (_what, answer) => {
    expect(list.read(work, answer)).toBeNull();
  });
});

describe('the probe', () => {
  const { probe } = reads;

  test('is one row, whatever is in it', () => {
    expect(probe.request(workFor()).url).toBe(`${BASE}/orders?per_page=1`);
    expect(probe.read(workFor(), listed([{}]))).toEqual({ kind: 'done' });
    expect(probe.read(workFor(), listed([]))).toEqual({ kind: 'done' });
    expect(probe.read(workFor(), answerOf(200, '<html>'))).toBeNull();
    expect(probe.read(workFor(), answerOf(200, { success: false, data: [] }))).toBeNull();
  });
});

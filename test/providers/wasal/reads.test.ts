import type { JsonObject } from '../../../src/json.js';
import { answerOf, judge, stepNamed } from '../fixtures.js';
import {
  ADDRESS_ID,
  BASE,
  CUSTOMER_ID,
  goodBody,
  listOf,
  ORDER_ID,
  openAccount,
  orderView,
  refusal,
  success,
  TEST_KEY,
  toldOrder,
  workFor,
} from './fixtures.js';

const account = openAccount();
const sandbox = openAccount({}, TEST_KEY);
const placed = workFor(orderView({ providerOrderId: ORDER_ID }));
const sent = workFor(orderView(), { customerId: CUSTOMER_ID, customerAddressId: ADDRESS_ID });
const urlOf = (name: string, work = sent, of = account) => new URL(stepNamed(of, name).request(work).url);

describe('get', () => {
  const get = stepNamed(account, 'get');

  test('asks by the id', () => {
    expect(get.request(placed)).toEqual({
      method: 'GET',
      url: `${BASE}/order/${ORDER_ID}`,
      headers: { Accept: 'application/json', Authorization: 'Bearer pk_live_abc' },
    });
  });

  test('by an id that a person has mistyped as dots does not move to another resource', () => {
    const { pathname } = urlOf('get', workFor(orderView({ providerOrderId: '..' })));
    expect(pathname).toBe('/api/v1/integration/merchant/order/%252E%252E');
  });

  test.each([
    ['under its name', { order: toldOrder({ status: 'assigned' }) }],
    ['alone', toldOrder({ status: 'assigned' })],
  ])('reads the order %s', (_what, data) => {
    expect(get.read(placed, success(data))).toEqual({
      kind: 'observed',
      state: {
        providerOrderId: ORDER_ID,
        reference: 'shop-1001',
        status: 'in_progress',
        rawStatus: 'assigned',
        tracking: [{ carrier: 'Wasal', code: 'MAIN-000123', url: null, status: 'assigned' }],
        createdAt: '2026-03-02T11:05:09.000Z',
        data: { orderNumber: 'MAIN-000123', customerId: CUSTOMER_ID, customerAddressId: ADDRESS_ID },
      },
    });
  });

  test('reads customer and address where they stand in the order as objects', () => {
    const order = toldOrder({ customerId: { _id: 'c-1', name: 'N' }, customerAddressId: { _id: 'a-1' } });
    expect(get.read(placed, success({ order }))).toMatchObject({
      state: { data: { customerId: 'c-1', customerAddressId: 'a-1' } },
    });
  });

  test.each([
    ['another order', success({ order: toldOrder({ _id: 'other' }) })],
    ['no order', success({})],
    ['an error under 200', answerOf(200, { success: false, code: 'X', message: 'no' })],
  ])('does not trust an answer with %s', (_what, answer) => {
    expect(judge(account, get, placed, answer).outcome).toMatchObject({ kind: 'failed' });
  });

  test("takes Wasal's own 404 as missing, and a proxy's as no answer", () => {
    expect(judge(account, get, placed, refusal(404, 'ORDER_NOT_FOUND')).outcome.kind).toBe('missing');
    expect(judge(account, get, placed, answerOf(404, '<h1>Not Found</h1>')).outcome).toMatchObject({
      kind: 'failed',
      code: 'foreign_not_found',
    });
  });
});

describe('a round of looks', () => {
  const look = stepNamed(account, 'look');
  const read = (...orders: unknown[]) => look.read(sent, listOf(orders));

  test('asks twice, for the list leaves out what is cancelled', () => {
    const { furtherLooks } = account.reads;
    expect(furtherLooks?.map(({ name }) => name)).toEqual(['look-cancelled']);
    expect(urlOf('look').href).toBe(`${BASE}/order?referenceNumber=shop-1001&limit=100`);
    expect(urlOf('look-cancelled').href).toBe(
      `${BASE}/order?referenceNumber=shop-1001&limit=100&status=cancelled`,
    );
  });

  test('asks for sandbox orders where the key is one of the sandbox', () => {
    for (const name of ['look', 'look-cancelled', 'list', 'probe'])
      expect(urlOf(name, sent, sandbox).searchParams.get('sandbox')).toBe('1');
    expect(urlOf('look').searchParams.has('sandbox')).toBe(false);
  });

  test('asks for a reference of any letters', () => {
    const odd = workFor(orderView({ providerReference: 'ض/ø?&=%2F#~2' }));
    expect(urlOf('look', odd).searchParams.get('referenceNumber')).toBe('ض/ø?&=%2F#~2');
  });

  test('finds the order, which is the one that was asked for', () => {
    expect(read(toldOrder({ status: 'cancelled' }))).toMatchObject({
      kind: 'observed',
      state: { providerOrderId: ORDER_ID, status: 'canceled', sameContent: true },
    });
  });

  test('knows where the order goes, whether or not the row tells', () => {
    const { customerId: _c, customerAddressId: _a, ...bare } = toldOrder();
    expect(read(bare)).toMatchObject({
      state: { data: { customerId: CUSTOMER_ID, customerAddressId: ADDRESS_ID } },
    });
  });

  test('passes over references that merely contain the one in question', () => {
    const longer = toldOrder({ _id: 'x', orderMerchantReferenceNumber: 'SHOP-1001~2' });
    expect(read(longer)).toMatchObject({ kind: 'missing' });
    expect(read(longer, toldOrder())).toMatchObject({
      kind: 'observed',
      state: { providerOrderId: ORDER_ID },
    });
  });

  test('does not choose between two orders of one reference', () => {
    expect(read(toldOrder(), toldOrder({ _id: 'second' }))).toMatchObject({
      kind: 'done',
      states: [{ providerOrderId: ORDER_ID }, { providerOrderId: 'second' }],
    });
  });

  test('says that the order is absent where a whole list says so', () => {
    expect(read()).toEqual({
      kind: 'missing',
      code: 'not_listed',
      message: 'the list holds no order of this reference',
    });
  });

  test.each([
    ['more rows on other pages', listOf([], { total: 3 })],
    ['a page that is not the first', listOf([], { page: 2 })],
    ['a total that is none', listOf([], { total: '0' })],
    ['no pagination', success({ list: [] })],
    ['a row that has another reference', listOf([toldOrder({ orderMerchantReferenceNumber: 'shop-2' })])],
    ['a row without a reference', listOf([toldOrder({ orderMerchantReferenceNumber: null })])],
    ['a row that cannot be read', listOf([{ orderNumber: 'MAIN-1' }])],
    ['a row that is none', listOf([null])],
    ['no list', success({ orders: [] })],
    ['an error under 200', answerOf(200, { success: false, code: 'X', message: 'no' })],
    ['HTML', answerOf(200, '<html></html>')],
  ])('proves nothing by %s', (_what, answer) => {
    expect(judge(account, look, sent, answer).outcome).toMatchObject({
      kind: 'failed',
      code: 'unreadable_answer',
    });
  });

  test('never takes a 404 for an absence, for a list is not missing', () => {
    for (const code of ['ORDER_NOT_FOUND', 'CUSTOMER_NOT_FOUND', 'WEBHOOK_NOT_FOUND', 'NOT_FOUND'])
      expect(judge(account, look, sent, refusal(404, code))).toMatchObject({
        outcome: { kind: 'blocked', code: 'misconfigured' },
        rule: { id: 'wasal/list-not-found' },
      });
  });
});

describe('the content of an order that was found', () => {
  const look = stepNamed(account, 'look');
  const same = (changes: Record<string, unknown>, work = sent) => {
    const outcome = look.read(work, listOf([toldOrder(changes)]));
    return outcome?.kind === 'observed' ? outcome.state.sameContent : 'not observed';
  };

  test.each<[string, Record<string, unknown>, boolean]>([
    ['all of it', {}, true],
    ['amounts as text', { amountToCollect: '3.7550', pricing: { total: '3.755' } }, true],
    [
      'nothing but the customer',
      { items: null, pricing: null, paymentMethod: null, amountToCollect: null },
      true,
    ],
    ['another customer', { customerId: 'other' }, false],
    ['another address', { customerAddressId: 'other' }, false],
    ['another way to pay', { paymentMethod: 'prepaid' }, false],
    ['another amount to collect', { amountToCollect: 3.754 }, false],
    ['another total', { pricing: { total: 3.756 } }, false],
    ['other quantities', { items: [{ sku: 'mug', qty: 3 }] }, false],
    [
      'another item',
      {
        items: [
          { sku: 'mug', qty: 2 },
          { sku: 'cup', qty: 1 },
        ],
      },
      false,
    ],
    ['items without names', { items: [{ qty: 2 }] }, true],
    ['items that are none', { items: [7] }, true],
  ])('is compared by %s', (_what, changes, expected) => {
    expect(same(changes)).toBe(expected);
  });

  test('cannot be compared where the row tells nothing of it', () => {
    const bare = { customerId: null, customerAddressId: null, paymentMethod: null, amountToCollect: null };
    expect(same({ ...bare, pricing: null, items: null })).toBeNull();
  });

  test('is not compared in what was not sent', () => {
    const body = goodBody({ totals: undefined, items: undefined, payment: undefined });
    const work = workFor(orderView({ body }), sent.carry);
    expect(same({ paymentMethod: 'prepaid', amountToCollect: null, pricing: { total: 9 } }, work)).toBe(true);
  });
});

describe('list', () => {
  const list = stepNamed(account, 'list');

  test('is read from its first page on, a hundred orders at a time, back to when the oldest was made', () => {
    const asked = (params: JsonObject) =>
      Object.fromEntries(urlOf('list', workFor(undefined, {}, params)).searchParams);
    const since = '2024-03-12T07:09:56.000Z';
    expect(asked({ since, page: null })).toEqual({ dateFrom: since, page: '1', limit: '100' });
    expect(asked({ since, page: 3 })).toEqual({ dateFrom: since, page: '3', limit: '100' });
  });

  test('goes on after a page that is full, whatever stands in its rows', () => {
    const pageOf = (rows: number) =>
      list.read(workFor(undefined, {}, { page: 2 }), listOf(Array.from({ length: rows }, () => null)));
    expect(pageOf(100)).toMatchObject({ kind: 'done', states: [], data: { next: 3 } });
    expect(pageOf(99)).toMatchObject({ kind: 'done', data: { next: null } });
  });

  test('reads the rows as states, and passes over what cannot be read', () => {
    expect(
      list.read(workFor(), listOf([toldOrder(), { x: 1 }, null, toldOrder({ _id: 'b' })])),
    ).toMatchObject({
      kind: 'done',
      states: [{ providerOrderId: ORDER_ID, status: 'submitted' }, { providerOrderId: 'b' }],
    });
  });

  test('does not trust what is no list', () => {
    expect(list.read(workFor(), success({}))).toBeNull();
  });
});

describe('probe', () => {
  const probe = stepNamed(account, 'probe');

  test('is a list of one row, and proves the key by being one', () => {
    expect(urlOf('probe', workFor()).href).toBe(`${BASE}/order?limit=1`);
    expect(probe.read(workFor(), listOf([toldOrder()], { limit: 1, total: 7 }))).toEqual({ kind: 'done' });
    expect(probe.read(workFor(), answerOf(200, '<html>'))).toBeNull();
  });

  test('says when the key is refused', () => {
    expect(judge(account, probe, workFor(), refusal(401, 'INVALID_API_KEY')).outcome).toMatchObject({
      kind: 'blocked',
      code: 'auth',
    });
  });
});

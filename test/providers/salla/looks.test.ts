/** Mode A: what a list says of an order whose answer was lost. */
import type { OrderBody } from '../../../src/orders/body.js';
import { judge, stepOf, workFor } from '../fixtures.js';
import {
  answerOf,
  BASE,
  goodBody,
  listed,
  ORDER_ID,
  ok,
  openAccount,
  orderRow,
  orderView,
  refused,
  statusOf,
} from './fixtures.js';

const account = openAccount();
const catalogue = openAccount({ orderPath: '/orders' });
const lookOf = ({ reads }: typeof account) => stepOf(reads.look === undefined ? [] : [reads.look], 'look');
const recentOf = ({ reads }: typeof account) => stepOf(reads.furtherLooks, 'look-recent');
const work = workFor(orderView());
const withBody = (changes: Partial<OrderBody>) => workFor(orderView(goodBody(changes)));

const { external_order_id: _reference, ...unnamed } = orderRow();
const riyadh = (date: string) => ({ date, timezone_type: 3, timezone: 'Asia/Riyadh' });

describe('a round of lookups', () => {
  test('searches for the reference, then reads the list of the days', () => {
    expect(lookOf(account).request(work).url).toBe(`${BASE}/orders?keyword=shop%3A1001&per_page=60`);
    expect(recentOf(account).request(work).url).toBe(`${BASE}/orders?from_date=2026-03-01&per_page=60`);
  });

  test('searches for the customer where the store is told no reference', () => {
    expect(lookOf(catalogue).request(work).url).toBe(
      `${BASE}/orders?keyword=966501234567&from_date=2026-03-01&per_page=60`,
    );
    expect(lookOf(catalogue).request(withBody({ customer: { id: '7' } })).url).toBe(
      `${BASE}/orders?customer_id=7&from_date=2026-03-01&per_page=60`,
    );
  });
});

describe('by reference', () => {
  const look = lookOf(account);
  const seen = (rows: unknown[], pagination = {}, asked = work) =>
    judge(account, look, asked, listed(rows, pagination)).outcome;

  test('an order is found whatever the words around it', () => {
    const rows = [
      orderRow({ id: 5, external_order_id: 'shop:10010' }),
      orderRow({ status: statusOf('shipped') }),
    ];
    expect(seen(rows)).toMatchObject({
      kind: 'observed',
      state: {
        providerOrderId: ORDER_ID,
        reference: 'shop:1001',
        status: 'shipped',
        partial: true,
        sameContent: true,
      },
    });
  });

  test('a reference that comes back as a number is the same', () => {
    const asked = withBody({ reference: '1001' });
    expect(seen([orderRow({ external_order_id: 1001 })], {}, asked)).toMatchObject({ kind: 'observed' });
  });

  test.each([
    ['with more than was ordered', [{ quantity: 2 }, { quantity: 1 }], false],
    ['with another quantity', [{ quantity: 3 }], false],
    ['without items', [], null],
    ['with items that cannot be read', [{ quantity: 'two' }, null], null],
  ])('an order %s says so', (_what, items, sameContent) => {
    expect(seen([orderRow({ items })])).toMatchObject({ state: { sameContent } });
  });

  test('rows that show part of the items are not taken for another order', () => {
    const items = [
      { reference: '1', sku: 'A', quantity: 2 },
      { reference: '2', sku: 'B', quantity: 5 },
    ];
    expect(seen([orderRow()], {}, withBody({ items }))).toMatchObject({ state: { sameContent: null } });
  });

  test('it is absent only in a list that was read to its end', () => {
    expect(seen([])).toMatchObject({ kind: 'missing', code: 'not_listed' });
    expect(seen([orderRow({ external_order_id: 'shop:9' })]).kind).toBe('missing');
    expect(seen([], { total: 61, totalPages: 2 })).toMatchObject({ kind: 'failed', code: 'list_too_long' });
    expect(seen([], { currentPage: 2 }).kind).toBe('failed');
    expect(judge(account, look, work, ok([])).outcome.kind).toBe('failed');
  });

  test.each([' shop:1001', 'SHOP:1001'])(
    'a reference that the store writes as %j proves neither',
    (theirs) => {
      expect(seen([orderRow({ external_order_id: theirs })])).toMatchObject({ kind: 'done' });
    },
  );

  test('leading zeros that got lost prove neither', () => {
    const asked = withBody({ reference: '0042' });
    expect(seen([orderRow({ external_order_id: 42 })], {}, asked)).toMatchObject({ kind: 'done' });
  });

  test('two orders of the reference are put forward, not chosen from', () => {
    expect(seen([orderRow(), orderRow({ id: 9 })])).toMatchObject({
      kind: 'done',
      states: [{ providerOrderId: ORDER_ID }, { providerOrderId: '9' }],
    });
  });

  test.each([
    ['a row without an id', listed([{ external_order_id: 'shop:1001' }])],
    ['no list', ok({ message: 'x' })],
    ['HTML', answerOf(200, '<html>')],
    ['a list under 202', answerOf(202, { success: true, data: [], pagination: { total: 0 } })],
  ])('%s proves nothing', (_what, answer) => {
    expect(look.read(work, answer)).toBeNull();
  });

  test("neither does a 404, not even the store's own: a list is there even when it is empty", () => {
    expect(judge(account, look, work, refused(404, 'Not found'))).toMatchObject({
      outcome: { kind: 'failed' },
      rule: { id: 'salla/no-such-list' },
    });
    expect(judge(account, recentOf(account), work, refused(404, 'Not found')).outcome.kind).toBe('failed');
  });
});

describe('where rows show no references', () => {
  const seen = (row: object, asked = work) => judge(account, recentOf(account), asked, listed([row])).outcome;

  test('a row that could be the order proves nothing, and is put forward', () => {
    expect(seen(unnamed)).toMatchObject({ kind: 'done', states: [{ providerOrderId: ORDER_ID }] });
    expect(seen({ id: 5 })).toMatchObject({ kind: 'done' });
  });

  test.each([
    ['another phone', { customer: { id: 5, mobile: 559_876_543 } }],
    ['another quantity', { items: [{ quantity: 1 }] }],
    ['a day that is long past', { date: riyadh('2026-02-27 10:00:00.000000') }],
  ])('a row of %s is another order', (_what, changes) => {
    expect(seen({ ...unnamed, ...changes }).kind).toBe('missing');
  });

  test.each([
    ['the phone without the code of the country', { customer: { mobile: '0501234567' } }],
    ['no phone', { customer: { mobile: null } }],
    ['no customer', { customer: [] }],
    ['a zone that is not known', { date: { date: '2026-02-27 10:00:00', timezone: 'Asia/Dubai' } }],
    ['a day that could be this one in another zone', { date: riyadh('2026-03-01 20:00:00.000000') }],
  ])('a row of %s could be it', (_what, changes) => {
    expect(seen({ ...unnamed, ...changes }).kind).toBe('done');
  });

  test('a row of another customer of the store is another order', () => {
    const asked = withBody({ customer: { id: '1298199463' } });
    expect(seen({ ...unnamed, customer: { id: 5 } }, asked).kind).toBe('missing');
    expect(seen({ ...unnamed, customer: { id: 1298199463, mobile: 1 } }, asked).kind).toBe('done');
  });

  test('one row that shows a reference says that the others have none', () => {
    const rows = [unnamed, orderRow({ id: 5, external_order_id: 'shop:9' })];
    expect(judge(account, recentOf(account), work, listed(rows)).outcome.kind).toBe('missing');
    const none = [unnamed, { ...unnamed, id: 5, external_order_id: null }];
    expect(judge(account, recentOf(account), work, listed(none)).outcome.kind).toBe('missing');
  });
});

describe('by correlation', () => {
  const seen = (row: object) => judge(catalogue, lookOf(catalogue), work, listed([row])).outcome;

  test('an order is found by customer, items and time together', () => {
    expect(seen(unnamed)).toMatchObject({
      kind: 'observed',
      state: { providerOrderId: ORDER_ID, reference: null, sameContent: true },
    });
  });

  test.each([
    ['no customer', { customer: null }],
    ['no items', { items: null }],
    ['no time', { date: null }],
    ['a time before it came in here', { date: riyadh('2026-03-02 13:30:00.000000') }],
  ])('a row with %s could be it, and proves nothing', (_what, changes) => {
    expect(seen({ ...unnamed, ...changes }).kind).toBe('done');
  });

  test.each([
    ['another customer', { customer: { mobile: 559_876_543 } }],
    ['other items', { items: [{ quantity: 2 }, { quantity: 2 }] }],
    ['an earlier day', { date: riyadh('2026-03-01 10:00:00.000000') }],
    ["another seller's reference", { external_order_id: 'other:1' }],
  ])('a row with %s is another order', (_what, changes) => {
    expect(seen({ ...unnamed, ...changes }).kind).toBe('missing');
  });

  test('of two that fit, neither is chosen', () => {
    const rows = [unnamed, { ...unnamed, id: 9 }];
    expect(judge(catalogue, lookOf(catalogue), work, listed(rows)).outcome).toMatchObject({
      kind: 'done',
      states: [{ providerOrderId: ORDER_ID }, { providerOrderId: '9' }],
    });
  });
});

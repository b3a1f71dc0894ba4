import type { OrderStatus } from '../../../src/orders/order.js';
import { judge, stepOf, workFor } from '../fixtures.js';
import {
  answerOf,
  BASE,
  CODE,
  COUPON_ID,
  CUSTOMER,
  issued,
  listOf,
  openAccount,
  orderView,
  problem,
  REWARD,
  row,
} from './fixtures.js';

const account = openAccount({ baseUrl: 'https://api.zupy.com/api/v2/' });
const { get, probe, list } = account.reads;
const placed = workFor(issued());

describe('get', () => {
  test('asks for the coupon by its code, encoded', () => {
    expect(get.request(placed)).toMatchObject({
      method: 'GET',
      url: `${BASE}/coupons/issued/?code=${CODE}`,
    });
    const odd = workFor(orderView({ providerOrderId: 'a b/c&status=used\ud800' }));
    expect(get.request(odd).url).toBe(`${BASE}/coupons/issued/?code=a+b%2Fc%26status%3Dused%EF%BF%BD`);
  });

  test('reads the state of the coupon', () => {
    expect(judge(account, get, placed, answerOf(200, listOf(row()))).outcome).toEqual({
      kind: 'observed',
      state: {
        providerOrderId: CODE,
        reference: null,
        status: 'in_progress',
        rawStatus: 'active',
        createdAt: '2026-03-02T11:04:00.000Z',
        data: {
          couponId: COUPON_ID,
          customerId: CUSTOMER,
          rewardId: REWARD,
          validUntil: '2026-04-01T11:04:00.000Z',
          remainingUsages: 1,
          totalUsages: 1,
        },
      },
      deliverables: [
        { position: 0, sku: REWARD, code: CODE, serial: null, expiresAt: '2026-04-01T11:04:00.000Z' },
      ],
    });
  });

  test('knows the coupon by its code in any case', () => {
    const typed = workFor(orderView({ providerOrderId: CODE.toLowerCase() }));
    expect(get.read(typed, answerOf(200, listOf(row())))).toMatchObject({ state: { providerOrderId: CODE } });
  });

  test.each<[string, OrderStatus | null]>([
    ['pending', 'submitted'],
    ['pending_blockchain', 'submitted'],
    ['active', 'in_progress'],
    ['used', 'delivered'],
    ['completed', 'delivered'],
    ['cancelled', 'canceled'],
    ['Cancelled', 'canceled'],
    ['expired', 'failed'],
    ['failed', 'failed'],
    ['blockchain_error', 'failed'],
    ['Blockchain Error', 'failed'],
    ['on_hold', null],
    ['', null],
  ])('takes the status "%s" as %s', (status, ours) => {
    const work = workFor(orderView({ providerOrderId: CODE }));
    expect(get.read(work, answerOf(200, listOf(row({ status }))))).toMatchObject({
      kind: 'observed',
      state: { status: ours, rawStatus: status },
    });
  });

  test('leaves a coupon of several uses in progress until the last', () => {
    const partly = row({ remaining_usages: 1, total_usages_allowed: 3 });
    expect(get.read(placed, answerOf(200, listOf(partly)))).toMatchObject({
      state: { status: 'in_progress', data: { remainingUsages: 1, totalUsages: 3 } },
    });
  });

  test('says why a coupon failed, and who should look', () => {
    const stateOf = (status: string | null) =>
      get.read(placed, answerOf(200, listOf(row({ status })))) ?? { kind: 'none' };
    expect(stateOf('expired')).toMatchObject({
      state: { failure: { code: 'expired', message: 'the coupon expired on 2026-04-01T11:04:00.000Z' } },
    });
    expect(stateOf('failed')).toMatchObject({ state: { failure: { code: 'failed' } } });
    expect(stateOf('blockchain_error')).toMatchObject({
      state: { failure: { code: 'blockchain_error' }, attention: { code: 'blockchain_error' } },
    });
    expect(stateOf('odd')).toMatchObject({ state: { attention: { code: 'unknown_status' } } });
    expect(stateOf(null)).toMatchObject({ state: { attention: { code: 'unknown_status' } } });
  });

  test('does not take an order back whose coupon was handed out before it was active', () => {
    expect(get.read(placed, answerOf(200, listOf(row({ status: 'pending' }))))).toMatchObject({
      state: { status: null, rawStatus: 'pending' },
    });
  });

  test.each([
    ['customer', { customer_id: 'other' }],
    ['reward', { reward_id: 'other' }],
  ])('does not know a coupon of another %s', (_what, change) => {
    expect(get.read(placed, answerOf(200, listOf(row(change))))).toMatchObject({
      kind: 'missing',
      code: 'other_coupon',
    });
  });

  test("takes an empty list and Zupy's own 404 as missing, and a proxy's as no answer", () => {
    expect(judge(account, get, placed, answerOf(200, listOf())).outcome).toMatchObject({ kind: 'missing' });
    expect(judge(account, get, placed, problem(404, 'not-found')).outcome).toMatchObject({ kind: 'missing' });
    expect(judge(account, get, placed, answerOf(404, { error_msg: '404 Route Not Found' })).outcome).toEqual({
      kind: 'failed',
      code: 'foreign_not_found',
      message: "HTTP 404 without Zupy's problem body",
    });
  });

  test.each([
    ['another code: the filter is being ignored', listOf(row({ coupon_code: 'CZ-OTHER' }))],
    ['two rows', listOf(row(), row({ id: 'second' }))],
    ['an empty page that goes on', { data: [], meta: { has_next: true, cursor: 'c' } }],
    ['a row without a code', listOf({ id: COUPON_ID })],
    ['HTML', '<html>'],
  ])('does not trust a list with %s', (_what, body) => {
    expect(judge(account, get, placed, answerOf(200, body)).outcome).toMatchObject({
      kind: 'failed',
      code: 'unreadable_answer',
    });
  });
});

describe('the list', () => {
  const step = stepOf(list === undefined ? [] : [list.step], 'list');
  const at = (page: string | null) =>
    workFor(undefined, { params: { since: '2026-01-01T00:00:00.000Z', page } });

  test('is that of the active coupons of all customers, page after page', () => {
    expect(step.request(at(null)).url).toBe(`${BASE}/coupons/issued/?status=active&page_size=100`);
    expect(step.request(at('c-2')).url).toBe(
      `${BASE}/coupons/issued/?status=active&page_size=100&cursor=c-2`,
    );
    const page = { data: [row()], meta: { has_next: true, cursor: 'c-3' } };
    expect(step.read(at(null), answerOf(200, page))).toMatchObject({ kind: 'done', data: { next: 'c-3' } });
    expect(step.read(at('c-3'), answerOf(200, listOf(row())))).toMatchObject({ data: { next: null } });
    expect(step.read(at(null), answerOf(200, '<html>'))).toBeNull();
  });

  test('tells how a coupon stands and what is left of it, and not whose it is', () => {
    const outcome = step.read(
      at(null),
      answerOf(200, listOf(row({ remaining_usages: 2, total_usages_allowed: 3 }))),
    );
    expect(outcome).toMatchObject({
      states: [
        {
          providerOrderId: CODE,
          status: 'in_progress',
          data: { couponId: COUPON_ID, remainingUsages: 2, totalUsages: 3 },
        },
      ],
    });
    expect(JSON.stringify(outcome)).not.toContain(CUSTOMER);
  });
});

describe('probe', () => {
  test('is the shortest list', () => {
    expect(probe.request(workFor())).toMatchObject({
      method: 'GET',
      url: `${BASE}/coupons/issued/?page_size=1`,
    });
  });

  test('proves the key by a list, whatever is in it', () => {
    expect(probe.read(workFor(), answerOf(200, listOf()))).toEqual({ kind: 'done' });
    expect(probe.read(workFor(), answerOf(200, { data: [row()], meta: { has_next: true } }))).toEqual({
      kind: 'done',
    });
    expect(probe.read(workFor(), answerOf(200, '<html>'))).toBeNull();
  });

  test('says when the key is refused', () => {
    expect(judge(account, probe, workFor(), problem(401, 'authentication-required')).outcome).toMatchObject({
      kind: 'blocked',
      code: 'auth',
    });
  });
});

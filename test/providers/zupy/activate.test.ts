import type { JsonObject } from '../../../src/json.js';
import type { Work } from '../../../src/providers/provider.js';
import { judge, stepNamed, workFor } from '../fixtures.js';
import {
  answerOf,
  BASE,
  CODE,
  CUSTOMER,
  issued,
  KEY,
  listOf,
  NOW,
  openAccount,
  orderView,
  problem,
  row,
} from './fixtures.js';

const account = openAccount();
const remaining = stepNamed(account, 'remaining');
const validate = stepNamed(account, 'validate');
const validateMulti = stepNamed(account, 'validate-multi');
const get = stepNamed(account, 'get');
const look = stepNamed(account, 'look');

const SINGLE: JsonObject = { remainingUsages: 1, totalUsages: 1 };
const MULTI: JsonObject = { remainingUsages: 3, totalUsages: 3 };
const at = (carry: JsonObject = {}, more: Partial<Work> = {}) => workFor(issued(), { carry, ...more });

describe('remaining', () => {
  test('asks for the coupon by its code', () => {
    expect(remaining.request(at())).toMatchObject({
      method: 'GET',
      url: `${BASE}/coupons/issued/?code=${CODE}`,
    });
  });

  test('keeps what is left, for later', () => {
    const body = listOf(row({ remaining_usages: 2, total_usages_allowed: 3 }));
    expect(judge(account, remaining, at(), answerOf(200, body)).outcome).toEqual({
      kind: 'done',
      data: { remainingUsages: 2, totalUsages: 3 },
    });
  });

  test('goes on where the counts are not told, or the status is a new word: Zupy decides', () => {
    const counts = { remaining_usages: null, total_usages_allowed: null };
    expect(remaining.read(at(), answerOf(200, listOf(row(counts))))).toEqual({
      kind: 'done',
      data: { remainingUsages: null, totalUsages: null },
    });
    expect(remaining.read(at(), answerOf(200, listOf(row({ status: 'frozen' }))))).toMatchObject({
      kind: 'done',
    });
  });

  test.each([
    ['used', 0],
    ['completed', 0],
    ['active', 0],
  ])('does not let a use by others pass for ours: %s, %d left', (status, left) => {
    const used = row({ status, remaining_usages: left, usage_date: '2026-03-02T11:04:30Z' });
    expect(remaining.read(at(), answerOf(200, listOf(used)))).toEqual({
      kind: 'rejected',
      code: 'already_used',
      message: 'the coupon was used up on 2026-03-02T11:04:30.000Z',
    });
  });

  test.each([
    ['expired', 'failed'],
    ['cancelled', 'canceled'],
  ])('tells of a coupon that is %s', (status, ours) => {
    expect(remaining.read(at(), answerOf(200, listOf(row({ status }))))).toMatchObject({
      kind: 'observed',
      state: { status: ours, rawStatus: status },
    });
  });

  test('waits for a coupon that is not active yet', () => {
    expect(remaining.read(at(), answerOf(200, listOf(row({ status: 'pending_blockchain' }))))).toMatchObject({
      kind: 'waiting',
      reason: 'window',
      scope: 'order',
      retryAt: NOW + 30_000,
    });
  });

  test('says that a coupon is missing only by a whole list', () => {
    expect(remaining.read(at(), answerOf(200, listOf()))).toMatchObject({ kind: 'missing' });
    expect(remaining.read(at(), answerOf(200, { data: [] }))).toBeNull();
    expect(remaining.read(at(), answerOf(200, listOf(row({ coupon_code: 'CZ-OTHER' }))))).toBeNull();
    expect(remaining.read(at(), answerOf(200, '<html>'))).toBeNull();
  });
});

describe('what comes next', () => {
  const begin = (kind: 'activate' | 'submit', carry: JsonObject) =>
    account.prepare?.begin(kind, at(carry), { facts: [], openOrders: [] });

  test('is a use that may be repeated for a coupon of one, else one that may not', () => {
    expect(begin('activate', SINGLE)).toEqual({ step: 'validate', carry: {} });
    expect(begin('activate', MULTI)).toEqual({ step: 'validate-multi', carry: {} });
    expect(begin('activate', { remainingUsages: 1, totalUsages: 3 })).toEqual({
      step: 'validate-multi',
      carry: {},
    });
    expect(begin('activate', { remainingUsages: null, totalUsages: null })).toEqual({
      step: 'validate-multi',
      carry: {},
    });
  });

  test('is as it stands before that is known, and for other verbs; no fact is asked for', () => {
    expect(begin('activate', {})).toBeNull();
    expect(begin('submit', {})).toBeNull();
    expect(account.prepare?.facts('activate', at())).toEqual({ facts: [] });
  });

  test('would be the use that may not be repeated, if nobody prepared it', () => {
    expect(account.verbs.activate?.map(({ name }) => name)).toEqual([
      'remaining',
      'validate-multi',
      'validate',
    ]);
  });
});

const answer = {
  customer_id: CUSTOMER,
  coupon_code: CODE,
  status: 'validated',
  remaining_usages: 0,
  total_usages_allowed: 1,
  validated_at: '2026-03-02T11:05:00Z',
  new_balance: 1_250,
  new_z_balance: '0.000000',
};

describe.each([
  ['validate', validate, SINGLE],
  ['validate-multi', validateMulti, MULTI],
])('%s', (_name, step, carry) => {
  test('posts nothing but the session to the coupon', () => {
    expect(step.request(at(carry, { session: { token: 'sess_1' } }))).toEqual({
      method: 'POST',
      url: `${BASE}/customers/${CUSTOMER}/coupons/${CODE}/validate/`,
      headers: { Accept: 'application/json', 'X-API-Key': KEY, 'X-OTP-Session': 'sess_1' },
    });
  });

  test('ends the verb with the state of the coupon, and never leads on to the next step', () => {
    expect(judge(account, step, at(carry), answerOf(200, { data: answer })).outcome).toEqual({
      kind: 'observed',
      state: {
        providerOrderId: CODE,
        reference: null,
        status: 'delivered',
        rawStatus: 'validated',
        data: { remainingUsages: 0, totalUsages: 1, usedAt: '2026-03-02T11:05:00.000Z' },
      },
    });
  });

  test('leaves a coupon with uses left in progress', () => {
    const left = { ...answer, remaining_usages: 2, total_usages_allowed: 3 };
    expect(step.read(at(carry), answerOf(200, left))).toMatchObject({
      kind: 'observed',
      state: { status: 'in_progress', data: { remainingUsages: 2, totalUsages: 3 } },
    });
  });

  test.each([
    ['without a code', { ...answer, coupon_code: null }],
    ["of another coupon's code", { ...answer, coupon_code: 'CZ-OTHER' }],
    ['for another customer', { ...answer, customer_id: 'other' }],
    ['that says it failed', { ...answer, status: 'failed' }],
    ['that is a problem under 200', { type: 'https://docs.zupy.com/errors#conflict', title: 'No' }],
    ['of HTML', '<html>'],
    ['that is empty', ''],
  ])('does not trust an answer %s', (_what, body) => {
    expect(judge(account, step, at(carry), answerOf(200, body)).outcome).toMatchObject({
      kind: step.repeatable ? 'failed' : 'unknown',
      code: 'unreadable_answer',
    });
  });

  test.each(['Cupom já Used', 'Cupom já Expired', 'Cupom já Cancelled'])(
    'reads the coupon after the conflict "%s"',
    (detail) => {
      expect(judge(account, step, at(carry), problem(409, 'conflict', { detail }))).toMatchObject({
        outcome: { kind: 'settled', code: 'conflict', message: detail },
        rule: { id: 'zupy/conflict' },
      });
    },
  );
});

test('a use that tells no count is the last one of a coupon of one, and only that', () => {
  const body = answerOf(200, { data: { coupon_code: CODE.toLowerCase() } });
  expect(validate.read(at(SINGLE), body)).toMatchObject({ state: { status: 'delivered' } });
  expect(validateMulti.read(at(MULTI), body)).toMatchObject({ state: { status: 'in_progress' } });
});

describe('the coupon after a use that was refused', () => {
  const refused = (step: string, uses: JsonObject): Work =>
    at({ ...uses, checkedStep: step, checkedCode: 'conflict', checkedMessage: 'Cupom já Used' });
  const found = (work: Work, changes: Record<string, unknown>) =>
    judge(account, get, work, answerOf(200, listOf(row(changes)))).outcome;

  test('was used by us, where it had one use and that was left before', () => {
    expect(found(refused('validate', SINGLE), { status: 'used', remaining_usages: 0 })).toMatchObject({
      kind: 'observed',
      state: { status: 'delivered' },
    });
  });

  test('was not used by us, where others may have taken the last of several uses', () => {
    expect(found(refused('validate-multi', MULTI), { status: 'used', remaining_usages: 0 })).toEqual({
      kind: 'rejected',
      code: 'conflict',
      message: 'Cupom já Used',
    });
  });

  test.each([
    ['expired', 'failed'],
    ['cancelled', 'canceled'],
  ])('is no success when it is %s', (status, ours) => {
    expect(found(refused('validate', SINGLE), { status })).toMatchObject({
      kind: 'observed',
      state: { status: ours },
    });
  });

  test('is no success when it can still be used', () => {
    expect(found(refused('validate', SINGLE), {})).toMatchObject({ kind: 'rejected', code: 'conflict' });
  });

  test('may be missing', () => {
    expect(get.read(refused('validate', SINGLE), answerOf(200, listOf()))).toMatchObject({ kind: 'missing' });
  });
});

describe('a use of several whose answer was lost', () => {
  const seen = (changes: Record<string, unknown>, carry: JsonObject = MULTI) =>
    look.read(at(carry), answerOf(200, listOf(row({ total_usages_allowed: 3, ...changes }))));

  test('is looked for at the coupon', () => {
    expect(look.request(at(MULTI))).toEqual(get.request(at()));
  });

  test('was done where fewer are left', () => {
    expect(seen({ remaining_usages: 2 })).toMatchObject({
      kind: 'observed',
      state: { providerOrderId: CODE, status: 'in_progress', sameContent: true },
    });
    expect(seen({ remaining_usages: 0, status: 'used' })).toMatchObject({ state: { status: 'delivered' } });
  });

  test('was not done where as many are left', () => {
    expect(seen({ remaining_usages: 3 })).toMatchObject({ kind: 'missing', code: 'not_used' });
    expect(seen({ remaining_usages: 3, status: 'expired' })).toMatchObject({ kind: 'missing' });
  });

  test('is unclear where more are left, or nobody counted', () => {
    expect(seen({ remaining_usages: 4 })).toBeNull();
    expect(seen({ remaining_usages: null })).toBeNull();
    expect(seen({ remaining_usages: 2 }, { remainingUsages: null, totalUsages: null })).toBeNull();
    expect(look.read(at(MULTI), answerOf(200, listOf()))).toBeNull();
  });

  test('is asked for once more before it is taken for not done', () => {
    const further = stepNamed(account, 'look-points');
    expect(further.request(at(MULTI))).toEqual(look.request(at(MULTI)));
    const body = listOf(row({ total_usages_allowed: 3, remaining_usages: 3 }));
    expect(further.read(at(MULTI), answerOf(200, body))).toMatchObject({ code: 'not_used' });
    expect(further.read(at(MULTI), answerOf(200, '<html>'))).toBeNull();
  });

  test('leaves a coupon of an unknown status in progress', () => {
    expect(seen({ remaining_usages: 2, status: 'frozen' })).toMatchObject({
      state: { status: 'in_progress', rawStatus: 'frozen' },
    });
  });

  test('was done where the coupon is used and the count is not told', () => {
    expect(seen({ remaining_usages: null, status: 'used' })).toMatchObject({ kind: 'observed' });
  });
});

test('nothing can be used before there is a coupon: that would be a mistake of ours', () => {
  expect(() => validate.request(workFor(orderView()))).toThrow(TypeError);
  expect(() => validate.request(workFor())).toThrow(TypeError);
});

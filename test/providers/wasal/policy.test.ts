import fc from 'fast-check';
import type { OutcomeKind } from '../../../src/policy/outcome.js';
import { DEFAULT_POLICY, type PolicyRule } from '../../../src/policy/policy.js';
import type { Step } from '../../../src/providers/provider.js';
import { policy } from '../../../src/providers/wasal/policy.js';
import { answerOf, expectNamedRules, judge, stepNamed, stepsOf, strangeSteps } from '../fixtures.js';
import {
  ADDRESS_ID,
  CUSTOMER_ID,
  ORDER_ID,
  openAccount,
  orderView,
  refusal,
  toldOrder,
  workFor,
} from './fixtures.js';

const account = openAccount({ openingHours: { days: { mon: ['09:00', '18:00'] } } });
const steps = stepsOf(account);
const work = workFor(
  orderView({ providerOrderId: ORDER_ID }),
  { customerId: CUSTOMER_ID, customerAddressId: ADDRESS_ID, replaces: { id: ADDRESS_ID, digest: 'd' } },
  { ids: [ORDER_ID], references: ['shop-1001'] },
);
const on = (name: string, answer: ReturnType<typeof answerOf>) =>
  judge(account, stepNamed(account, name), work, answer);

/** The 28 rows of the error reference, which tie 25 codes to a status. */
const REFERENCE: readonly (readonly [code: string, status: number])[] = [
  ['MISSING_API_KEY', 401],
  ['INVALID_API_KEY_FORMAT', 401],
  ['INVALID_API_KEY', 401],
  ['MERCHANT_INACTIVE', 403],
  ['VALIDATION_FAILED', 400],
  ['MAX_ADDRESSES_EXCEEDED', 400],
  ['CUSTOMER_NOT_FOUND', 404],
  ['CUSTOMER_PHONE_DUPLICATE', 409],
  ['CUSTOMER_EMAIL_DUPLICATE', 409],
  ['CUSTOMER_HAS_ORDERS', 409],
  ['CUSTOMER_REQUIRED', 400],
  ['SPECIAL_HANDLING_REQUIRED', 400],
  ['INVALID_SPECIAL_HANDLING_TAG', 400],
  ['INVALID_PACKAGE_SIDE', 400],
  ['INVALID_AMOUNT_TO_COLLECT', 400],
  ['AMOUNT_EXCEEDS_TOTAL', 400],
  ['PACKAGE_PHOTO_REQUIRED', 400],
  ['INSUFFICIENT_WALLET_BALANCE', 400],
  ['CUSTOMER_NO_DELIVERY_ADDRESS', 400],
  ['ORDER_NOT_DRAFT', 400],
  ['ORDER_WINDOW_CLOSED', 400],
  ['ORDER_NOT_FOUND', 404],
  ['WEBHOOK_NOT_FOUND', 404],
  ['SANDBOX_ONLY', 403],
  ['INVALID_STATUS', 400],
];

const isRuled = (rule: PolicyRule, status: number) =>
  typeof rule.status === 'number'
    ? rule.status === status
    : status >= rule.status[0] && status <= rule.status[1];

describe('the table', () => {
  test('has a row for each of the 25 codes, under its status', () => {
    expect(REFERENCE).toHaveLength(25);
    const ruled = (code: string, status: number) =>
      policy.rules.some((rule) => rule.code === code && isRuled(rule, status));
    expect(REFERENCE.filter(([code, status]) => !ruled(code, status))).toEqual([]);
    const known = REFERENCE.map(([code]) => code);
    expect(policy.rules.filter(({ code }) => code !== undefined && !known.includes(code))).toEqual([]);
  });

  test('has a row for each status class of the reference', () => {
    for (const status of [400, 401, 403, 404, 409, 429, 500, 502, 599])
      expect(policy.rules.filter((rule) => rule.code === undefined && isRuled(rule, status))).not.toEqual([]);
  });

  test('names each rule once, with a meaning and a source, and only steps that exist', () => {
    expect(policy.rules).toHaveLength(40);
    expectNamedRules(policy, /^wasal\/[a-z0-9-]+$/);
    expect(strangeSteps(policy, steps)).toEqual([]);
  });

  test('keeps the general figures, except that resets are seconds and a 429 waits up to its window', () => {
    const { rules: _rules, resetDialect, throttle, ...figures } = policy;
    const { resetDialect: _dialect, throttle: _throttle, ...general } = DEFAULT_POLICY;
    expect(figures).toEqual(general);
    expect(resetDialect).toBe('delta');
    expect(throttle).toEqual({ baseMs: 15_000, capMs: 900_000, floorMs: 1_000, jitter: 'equal' });
  });

  test('alerts at once of 500 alone', () => {
    expect(policy.rules.filter(({ alert }) => alert === true).map(({ status }) => status)).toEqual([500]);
  });

  test.each(policy.rules.map((rule) => [rule.id, rule] as const))('%s is hit', (id, rule) => {
    const status = typeof rule.status === 'number' ? rule.status : rule.status[0];
    const answer = refusal(status, rule.code ?? 'NOT_IN_THE_REFERENCE');
    const named = rule.steps ?? steps.map(({ name }) => name);
    const hits = named.map((name) => on(name, answer)).filter((classified) => classified.rule?.id === id);
    // A row that names its steps holds for each of them; one for all may stand behind a row of one of them.
    expect(hits.length).toBeGreaterThanOrEqual(rule.steps?.length ?? 1);
    for (const { outcome } of hits) {
      const kind = rule.outcome === 'unknown' && outcome.kind === 'failed' ? 'unknown' : outcome.kind;
      expect(kind).toBe(rule.outcome);
      if (outcome.kind === 'waiting') expect(outcome).toMatchObject(rule.wait ?? {});
      if (outcome.kind === 'blocked') expect(outcome.code).toBe(rule.block);
    }
  });
});

describe('every code of the reference, at every step', () => {
  const everywhere = (kind: OutcomeKind) => Object.fromEntries(steps.map(({ name }) => [name, kind]));
  const at = (names: readonly string[], kind: OutcomeKind) =>
    Object.fromEntries(names.map((name) => [name, kind]));
  const BY_ID = ['activate', 'cancel'];
  const LISTS = ['look', 'look-cancelled', 'list', 'probe'];
  const BY_CUSTOMER = ['customer-get', 'address', 'address-sixth', 'address-replace'];
  const CUSTOMER = ['customer', ...BY_CUSTOMER];

  test.each<[string, number, OutcomeKind, Record<string, OutcomeKind>]>([
    ['MISSING_API_KEY', 401, 'blocked', {}],
    ['INVALID_API_KEY_FORMAT', 401, 'blocked', {}],
    ['INVALID_API_KEY', 401, 'blocked', {}],
    ['MERCHANT_INACTIVE', 403, 'blocked', {}],
    ['SANDBOX_ONLY', 403, 'rejected', {}],
    ['VALIDATION_FAILED', 400, 'rejected', {}],
    ['CUSTOMER_REQUIRED', 400, 'rejected', {}],
    ['PACKAGE_PHOTO_REQUIRED', 400, 'rejected', {}],
    ['MAX_ADDRESSES_EXCEEDED', 400, 'rejected', { ...at(BY_ID, 'settled'), address: 'failed' }],
    [
      'INSUFFICIENT_WALLET_BALANCE',
      400,
      'rejected',
      { order: 'waiting', activate: 'waiting', cancel: 'settled' },
    ],
    ['ORDER_WINDOW_CLOSED', 400, 'rejected', { order: 'waiting', activate: 'waiting', cancel: 'settled' }],
    ['ORDER_NOT_DRAFT', 400, 'rejected', at(BY_ID, 'settled')],
    ['ORDER_NOT_CANCELLABLE', 400, 'rejected', at(BY_ID, 'settled')],
    ['ORDER_NOT_FOUND', 404, 'missing', at(LISTS, 'blocked')],
    ['WEBHOOK_NOT_FOUND', 404, 'missing', at(LISTS, 'blocked')],
    [
      'CUSTOMER_NOT_FOUND',
      404,
      'missing',
      { ...at([...BY_CUSTOMER, 'order'], 'rejected'), ...at(LISTS, 'blocked') },
    ],
    ['CUSTOMER_PHONE_DUPLICATE', 409, 'settled', { ...at(BY_CUSTOMER, 'rejected'), customer: 'failed' }],
    ['CUSTOMER_EMAIL_DUPLICATE', 409, 'settled', { ...at(BY_CUSTOMER, 'rejected'), customer: 'failed' }],
    ['CUSTOMER_HAS_ORDERS', 409, 'settled', at(CUSTOMER, 'rejected')],
    ['DUPLICATE_REFERENCE', 409, 'settled', at(CUSTOMER, 'rejected')],
    ['RATE_LIMITED', 429, 'throttled', {}],
    ['INTERNAL_ERROR', 500, 'failed', { order: 'unknown' }],
    ['SERVICE_UNAVAILABLE', 503, 'failed', { order: 'unknown' }],
    ['BAD_GATEWAY', 502, 'failed', { order: 'unknown' }],
  ])('%s under %d is %s, with exceptions %j', (code, status, kind, exceptions) => {
    const outcomes = Object.fromEntries(
      steps.map(({ name }) => [name, on(name, refusal(status, code)).outcome.kind]),
    );
    expect(outcomes).toEqual({ ...everywhere(kind), ...exceptions });
  });

  test.each<[number, OutcomeKind]>([
    [301, 'blocked'],
    [402, 'blocked'],
    [405, 'blocked'],
    [408, 'unknown'],
    [410, 'gone'],
    [413, 'rejected'],
    [415, 'blocked'],
    [422, 'rejected'],
    [425, 'throttled'],
  ])('%d stays with the general rules: %s', (status, kind) => {
    const { outcome, rule } = on('order', refusal(status, 'X'));
    expect(outcome.kind).toBe(kind);
    expect(rule?.id).toMatch(/^general\//);
  });

  test('a 429 of plain text waits the seconds of RateLimit-Reset', () => {
    const answer = {
      ...answerOf(429, 'Too many requests'),
      headers: { 'ratelimit-reset': '417' },
      receivedAt: 5_000,
    };
    expect(on('order', answer).outcome).toMatchObject({ kind: 'throttled', retryAt: 422_000 });
  });
});

describe('the error envelope', () => {
  test('tells its code, its words and its fields, in any script', () => {
    const errors = { phoneNumber: 'رقم غير صالح', 'items.0.qty': ['too many', ' '], other: 7 };
    expect(account.readError(refusal(400, 'VALIDATION_FAILED', { errors }))).toEqual({
      own: true,
      code: 'VALIDATION_FAILED',
      message: 'said VALIDATION_FAILED',
      fields: { phoneNumber: ['رقم غير صالح'], 'items.0.qty': ['too many'] },
    });
  });

  test.each([
    ['HTML', '<html>Bad Gateway</html>'],
    ['nothing', ''],
    ['a success', { success: true, data: {} }],
    ['another envelope', { code: 'ORDER_NOT_FOUND', message: 'no' }],
    ['a list', [{ success: false }]],
    ['null', 'null'],
  ])('is not seen in %s', (_what, body) => {
    expect(account.readError(answerOf(404, body))).toEqual({
      own: false,
      message: "HTTP 404 without the provider's envelope",
    });
  });

  test.each([
    ['no message', { success: false, code: 'X_Y' }, { own: true, code: 'X_Y', message: 'Wasal says X_Y' }],
    ['no code', { success: false, message: 'no' }, { own: true, message: 'no' }],
    ['a code that is none', { success: false, message: 'no', code: '\n' }, { own: true, message: 'no' }],
    ['errors that are none', { success: false, message: 'no', errors: 'x' }, { own: true, message: 'no' }],
  ])('is read with %s', (_what, body, expected) => {
    expect(account.readError(answerOf(400, body))).toEqual(expected);
  });

  test('names the amounts of a shortfall where both are told', () => {
    const told = (data: unknown) =>
      account.readError(refusal(400, 'INSUFFICIENT_WALLET_BALANCE', { data })).message;
    expect(told({ required: '1.5', balance: 0, currency: null })).toContain(
      '(needs 1.500 KWD, holds 0.000 KWD)',
    );
    for (const data of [null, { required: 1.5 }, { required: {}, balance: 1 }, 'x'])
      expect(told(data)).toBe('said INSUFFICIENT_WALLET_BALANCE');
  });

  test('gives texts that are bounded and can be stored', () => {
    const bad = `a\u0000b\ud800${'x'.repeat(10_000)}`;
    const { message, fields } = account.readError(
      answerOf(400, { success: false, message: bad, errors: { [bad]: bad } }),
    );
    expect(message).toMatch(/^a b\ufffdx+$/);
    expect(message).toHaveLength(500);
    expect(JSON.stringify(fields)).not.toMatch(/\\u(0000|d[89a-f])/i);
  });
});

describe('whatever comes back', () => {
  const order = fc.record(
    {
      ...Object.fromEntries(Object.keys(toldOrder()).map((key) => [key, fc.jsonValue()])),
      _id: fc.oneof(fc.constant(ORDER_ID), fc.jsonValue()),
      orderMerchantReferenceNumber: fc.oneof(fc.constant('shop-1001'), fc.jsonValue()),
      items: fc.oneof(fc.jsonValue(), fc.array(fc.record({ sku: fc.jsonValue(), qty: fc.jsonValue() }))),
      pricing: fc.oneof(fc.jsonValue(), fc.record({ total: fc.jsonValue() })),
      createdAt: fc.oneof(fc.jsonValue(), fc.string()),
    },
    { requiredKeys: [] },
  );
  const named = fc.record({ _id: fc.oneof(fc.constant(CUSTOMER_ID), fc.jsonValue()), line1: fc.jsonValue() });
  const data = fc.oneof(
    fc.jsonValue(),
    order,
    fc.record({ order }),
    fc.record({
      customer: fc.record({
        _id: fc.constant(CUSTOMER_ID),
        addresses: fc.oneof(fc.jsonValue(), fc.array(named)),
      }),
    }),
    fc.record({ address: named }),
    fc.record({
      list: fc.array(fc.oneof(order, fc.jsonValue())),
      pagination: fc.oneof(fc.jsonValue(), fc.record({ page: fc.jsonValue(), total: fc.jsonValue() })),
    }),
  );
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record({ success: fc.oneof(fc.boolean(), fc.jsonValue()), data }),
    fc.record({
      success: fc.constant(false),
      code: fc.oneof(fc.constantFrom(...REFERENCE.map(([code]) => code)), fc.jsonValue()),
      message: fc.jsonValue(),
      errors: fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue())),
      data: fc.oneof(
        fc.jsonValue(),
        fc.record({ required: fc.jsonValue(), balance: fc.jsonValue(), currency: fc.jsonValue() }),
      ),
    }),
  );
  const status = fc.constantFrom(200, 201, 204, 301, 400, 401, 403, 404, 409, 422, 429, 500, 503);
  const cases = steps.map((step): [string, Step] => [step.name, step]);

  test.each(cases)('%s reads any JSON without throwing, into what can be stored', (_name, step) => {
    fc.assert(
      fc.property(status, body, (code, json) => {
        const { outcome } = judge(account, step, work, answerOf(code, json));
        expect(JSON.stringify(outcome)).not.toMatch(/\\u(0000|d[89a-f])/i);
      }),
      { numRuns: 60 },
    );
  });

  test.each(cases)('%s reads any text without throwing', (_name, step) => {
    fc.assert(
      fc.property(
        status,
        fc.string({ unit: 'binary' }),
        (code, text) => judge(account, step, work, answerOf(code, text)).outcome.kind !== null,
      ),
    );
  });

  test.each(cases)('%s reads a huge body without throwing', (_name, step) => {
    const huge = {
      success: true,
      data: { list: Array(2_000).fill(toldOrder()), order: { _id: 'x'.repeat(1_000_000) } },
    };
    expect(judge(account, step, work, answerOf(200, huge)).outcome.kind).toBeDefined();
  });
});

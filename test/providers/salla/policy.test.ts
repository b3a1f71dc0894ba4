import fc from 'fast-check';
import type { Answer } from '../../../src/policy/answer.js';
import type { OutcomeKind } from '../../../src/policy/outcome.js';
import { DEFAULT_POLICY } from '../../../src/policy/policy.js';
import type { OpenAccount, Step, Work } from '../../../src/providers/provider.js';
import { policy } from '../../../src/providers/salla/policy.js';
import { expectNamedRules, judge, stepsOf, strangeSteps, workFor } from '../fixtures.js';
import {
  answerOf,
  goodBody,
  ORDER_ID,
  openAccount,
  orderRow,
  orderView,
  refused,
  SHIPMENT_ID,
  shipmentBody,
  shipmentRow,
  statusBody,
} from './fixtures.js';

interface Stand {
  account: OpenAccount;
  step: Step;
  work: Work;
}

const params = { since: '2026-03-12T07:00:00.000Z', page: null };
const stands = (
  [
    [{}, orderView(goodBody(), { providerOrderId: ORDER_ID })],
    [{ orderPath: '/orders' }, orderView(goodBody(), { providerOrderId: ORDER_ID })],
    [{ mode: 'B' }, orderView(shipmentBody(), { providerOrderId: SHIPMENT_ID })],
    [{ mode: 'C' }, orderView(statusBody(), { providerOrderId: `${ORDER_ID}:event:3` })],
  ] as const
).flatMap(([config, order]): Stand[] => {
  const account = openAccount(config);
  const work = workFor(order, { params, carry: { before: '101' } });
  return stepsOf(account).map((step) => ({ account, step, work }));
});
const names = [...new Set(stands.map(({ step }) => step.name))];

/** What an answer comes to at every step, by name; modes that share a name must agree. */
function outcomesOf(answer: Answer): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { account, step, work } of stands) {
    const { outcome } = judge(account, step, work, answer);
    const told = outcome.kind === 'blocked' ? outcome.code : outcome.kind;
    expect([step.name, found[step.name] ?? told]).toEqual([step.name, told]);
    found[step.name] = told;
  }
  return found;
}

const everywhere = (kind: string) => Object.fromEntries(names.map((name) => [name, kind]));
const ONCE = { order: 'unknown', shipment: 'unknown', status: 'unknown' };
const LISTS = { look: 'failed', 'look-recent': 'failed', list: 'failed', probe: 'failed' };

const SCOPES = 'The access token should have access to one of those scopes: products.read_write';
const GRANT = { error: 'invalid_grant', error_description: 'The provided authorization grant is invalid.' };
const TAKEN = { fields: { external_order_id: ['The value of external_order_id has been used before'] } };

describe('every documented answer', () => {
  test('is tried against all steps of all modes', () => {
    expect(names.sort()).toEqual(
      [
        ['cancel', 'cancellable', 'current', 'get', 'list', 'look', 'look-recent', 'look-status'],
        ['order', 'probe', 'shipment', 'status', 'update'],
      ].flat(),
    );
  });

  test.each<[string, Answer, string, Record<string, string>]>([
    ['400', refused(400, 'No'), 'rejected', {}],
    ['401 in words that are not known', refused(401, 'Unauthenticated'), 'token', {}],
    ['401 of a proxy', answerOf(401, '<html>'), 'token', {}],
    ['401 for the access token', refused(401, 'The access token is invalid'), 'token', {}],
    ['401 for a scope', refused(401, SCOPES), 'auth', {}],
    ['401 for a deleted user', refused(401, 'The User is not exists.'), 'reinstall', {}],
    ['401 for an inactive user', refused(401, 'عفوا لا يمكنك تسجيل الدخول, حسابك غير مفعل'), 'auth', {}],
    ['401 for a refresh token used twice', answerOf(401, GRANT), 'reinstall', {}],
    ['403', refused(403, 'No'), 'auth', {}],
    ['403 of a proxy', answerOf(403, '<html>'), 'auth', {}],
    ['404', refused(404, 'No'), 'missing', { ...LISTS, current: 'rejected', status: 'rejected' }],
    ['405', refused(405, 'No'), 'misconfigured', {}],
    ['406', refused(406, 'No'), 'misconfigured', {}],
    ['409', refused(409, 'No'), 'settled', {}],
    ['410', refused(410, 'No'), 'gone', {}],
    ['422', refused(422, 'No'), 'rejected', { cancel: 'settled' }],
    [
      '422 for a reference in use',
      refused(422, 'alert.invalid_fields', TAKEN),
      'rejected',
      { cancel: 'settled', order: 'settled', shipment: 'settled' },
    ],
    [
      '422 for the same status',
      refused(422, 'It already has the requested status'),
      'rejected',
      { cancel: 'settled', status: 'settled' },
    ],
    ['429', refused(429, 'No'), 'throttled', {}],
    ['500', refused(500, 'No'), 'failed', ONCE],
    ['502', answerOf(502, '<html>'), 'failed', ONCE],
    ['503', refused(503, 'No'), 'failed', ONCE],
    ['504', answerOf(504, ''), 'failed', ONCE],
    ['520', answerOf(520, ''), 'failed', ONCE],
  ])('%s is read as it should at each step', (_what, answer, kind, exceptions) => {
    expect(outcomesOf(answer)).toEqual({ ...everywhere(kind), ...exceptions });
  });

  test.each<[number, string, Record<string, string>]>([
    [301, 'misconfigured', {}],
    [402, 'auth', {}],
    [408, 'failed', ONCE],
    [413, 'rejected', {}],
    [415, 'misconfigured', {}],
    [425, 'throttled', {}],
  ])('%d stays with the general rules', (status, kind, exceptions) => {
    expect(outcomesOf(refused(status, 'No'))).toEqual({ ...everywhere(kind), ...exceptions });
    const [first] = stands;
    const rule =
      first === undefined ? null : judge(first.account, first.step, first.work, refused(status, 'No')).rule;
    expect(rule?.id).toMatch(/^general\//);
  });

  test("a 404 that is not the store's own proves no absence to a read, and rejects nothing", () => {
    expect(outcomesOf(answerOf(404, '<h1>Not Found</h1>'))).toEqual({
      ...everywhere('failed'),
      order: 'missing',
      shipment: 'missing',
      status: 'missing',
      update: 'missing',
      cancel: 'missing',
    });
  });
});

/** An answer that each row is made for. */
const MADE: Record<string, Answer> = {
  'salla/invalid-grant': answerOf(401, GRANT),
  'salla/missing-scope': refused(401, SCOPES),
  'salla/invalid-access-token': refused(401, 'The access token is invalid'),
  'salla/deleted-user': refused(401, 'The User is not exists.'),
  'salla/inactive-user': refused(401, 'حسابك غير مفعل'),
  'salla/duplicate-reference': refused(422, 'x', TAKEN),
  'salla/same-status': refused(422, 'It already has the requested status'),
  'salla/gateway-error': answerOf(502, '<html>'),
};

describe('the table', () => {
  test.each(policy.rules)('$id decides where it is meant to', (rule) => {
    const answer = MADE[rule.id] ?? refused(Number(rule.status), 'No');
    const meant = stands.filter(({ step }) => rule.steps?.includes(step.name) ?? true);
    const hit = meant.filter(
      ({ account, step, work }) => judge(account, step, work, answer).rule?.id === rule.id,
    );
    // A row for given steps decides at all of them; another one wherever no such row does.
    expect(rule.steps === undefined ? Math.min(hit.length, 1) : hit.length).toBe(
      rule.steps === undefined ? 1 : meant.length,
    );
    const kinds = new Set(
      hit.map(({ account, step, work }) => judge(account, step, work, answer).outcome.kind),
    );
    const expected: OutcomeKind[] = rule.outcome === 'unknown' ? ['failed', 'unknown'] : [rule.outcome];
    expect([...kinds].sort()).toEqual(expected);
  });

  test('names each rule once, with a meaning, a source and steps that exist', () => {
    expectNamedRules(policy, /^salla\/[a-z-]+$/);
    const steps = stands.map(({ step }) => step);
    expect(strangeSteps(policy, steps)).toEqual([]);
  });

  test('has a row for each status of the document', () => {
    const documented = [400, 401, 403, 404, 405, 406, 410, 422, 429, 500, 503];
    const rows = policy.rules.filter(({ evidence }) => evidence === 'documented').map(({ status }) => status);
    expect(documented.filter((status) => !rows.includes(status))).toEqual([]);
  });

  test('keeps the general figures, for the document gives none', () => {
    const { rules: _rules, resetDialect, ...figures } = policy;
    expect({ ...figures, resetDialect: 'auto' }).toEqual(DEFAULT_POLICY);
    expect(resetDialect).toBe('epoch');
  });

  test('tells a human at once of a 500, and where our own configuration is wrong', () => {
    expect(policy.rules.filter(({ alert }) => alert === true).map(({ status }) => status)).toEqual([
      405, 406, 500,
    ]);
  });
});

describe('a 429', () => {
  const account = openAccount();
  const step = account.verbs.submit[0];
  const work = workFor(orderView());
  const throttled = (headers: Answer['headers']) =>
    judge(account, step, work, { ...refused(429, 'No'), headers }).outcome;
  const receivedAt = refused(429, 'No').receivedAt;

  test('is over when Retry-After says so, whatever the reset says', () => {
    const reset = String(receivedAt / 1_000 + 55);
    expect(throttled({ 'retry-after': '7', 'x-ratelimit-reset': reset })).toMatchObject({
      kind: 'throttled',
      retryAt: receivedAt + 7_000,
    });
  });

  test('is over at the reset, which is an epoch', () => {
    expect(throttled({ 'x-ratelimit-reset': String(receivedAt / 1_000 + 55) })).toMatchObject({
      retryAt: receivedAt + 55_000,
    });
  });

  test('without a time leaves it to the backoff', () => {
    expect(throttled({})).not.toHaveProperty('retryAt');
  });
});

describe('the error envelope', () => {
  const readError = (answer: Answer) => openAccount().readError(answer);

  test('keeps the messages of each field, in Arabic too', () => {
    const fields = { first_name: ['الاسم الاول للعميل مطلوب', 'قصير'], mobile: ['مستخدم'] };
    expect(readError(refused(422, 'alert.invalid_fields', { fields }))).toEqual({
      own: true,
      code: 'validation_failed',
      message: 'alert.invalid_fields: first_name: الاسم الاول للعميل مطلوب قصير; mobile: مستخدم',
      fields,
    });
  });

  test('says a sentence as it is', () => {
    expect(readError(refused(400, 'The filters are invalid', { fields: { page: ['x'] } }))).toMatchObject({
      code: 'bad_request',
      message: 'The filters are invalid',
    });
  });

  test('takes the slug of the status, for the samples spell codes in their own way', () => {
    expect(readError(refused(401, 'x', { code: 'Unauthorized' })).code).toBe('unauthorized');
    expect(readError(refused(404, 'x', { code: 404 })).code).toBe('not_found');
    expect(readError(refused(418, 'x', { code: 'Teapot' })).code).toBe('teapot');
    expect(readError(refused(418, 'x', { code: null })).code).toBe('http_418');
  });

  test('reads wordings only where something follows from them', () => {
    expect(readError(refused(400, 'It is already in use', TAKEN)).code).toBe('bad_request');
    expect(readError(refused(403, 'The access token is invalid')).code).toBe('forbidden');
  });

  test('of OAuth is bare', () => {
    expect(readError(answerOf(401, { error: 'invalid_token' }))).toEqual({
      own: true,
      code: 'invalid_token',
      message: 'Salla says invalid_token',
    });
  });

  test.each([
    ['HTML', '<html>Bad Gateway</html>'],
    ['nothing', ''],
    ['another envelope', { code: 404, message: 'no Route matched' }],
    ['a success', { success: true, error: { code: 'x', message: 'x' } }],
    ['a list', [{ success: false }]],
    ['null', 'null'],
  ])('is not seen in %s', (_what, body) => {
    expect(readError(answerOf(404, body))).toEqual({
      own: false,
      message: "HTTP 404 without Salla's envelope",
    });
  });

  test('gives messages and fields that are bounded and can be stored', () => {
    const fields = {
      [`a\u0000${'f'.repeat(500)}`]: Array.from({ length: 50 }, () => `m\ud800${'x'.repeat(1_000)}`),
      odd: 'one message',
      none: 7,
      empty: [],
      mixed: [1, 'two', null],
    };
    const error = readError(refused(422, `a\u0000b${'x'.repeat(10_000)}`, { fields }));
    expect(error.message).toHaveLength(500);
    expect(Object.keys(error.fields ?? {})).toEqual([`a ${'f'.repeat(198)}`, 'odd', 'mixed']);
    expect(error.fields).toMatchObject({ odd: ['one message'], mixed: ['two'] });
    expect(JSON.stringify(error)).not.toMatch(/\\u(0000|d[89a-f])/i);
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${n}`, ['m']]));
    expect(Object.keys(readError(refused(422, 'x', { fields: many })).fields ?? {})).toHaveLength(100);
  });
});

describe('whatever comes back', () => {
  const part = fc.jsonValue();
  const row = fc
    .record(
      {
        reference_id: part,
        external_order_id: fc.oneof(fc.constant('shop:1001'), part),
        status: fc.oneof(part, fc.record({ slug: part, id: part, customized: part, parent: part })),
        date: fc.oneof(part, fc.record({ date: fc.oneof(fc.string(), part), timezone: fc.constant('UTC') })),
        actions: part,
        customer: fc.oneof(part, fc.record({ id: part, mobile: part })),
        items: fc.oneof(part, fc.array(fc.record({ quantity: part }))),
        shipments: fc.oneof(part, fc.array(part)),
        order_id: part,
        courier_id: part,
        tracking_link: part,
        tracking_number: part,
        reference: fc.oneof(part, fc.record({ external_id: part })),
        created_at: part,
      },
      { requiredKeys: [] },
    )
    .chain((fields) =>
      fc.constantFrom(
        { ...orderRow(), ...fields },
        { ...shipmentRow(), ...fields },
        { ...fields, id: ORDER_ID },
      ),
    );
  const body = fc.oneof(
    part,
    row,
    fc.record({
      success: fc.constant(true),
      data: fc.oneof(part, row, fc.array(row, { maxLength: 3 })),
      pagination: part,
    }),
    fc.record({
      status: part,
      success: fc.constant(false),
      error: fc.oneof(part, fc.record({ code: part, message: part, fields: part })),
    }),
    fc.record({ error: part, error_description: part }),
  );
  const status = fc.constantFrom(200, 201, 202, 204, 301, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503);

  test.each(names)('%s reads any JSON without throwing, and what it reads can be stored', (name) => {
    const these = stands.filter(({ step }) => step.name === name);
    fc.assert(
      fc.property(status, body, fc.constantFrom(...these), (code, json, { account, step, work }) => {
        const { outcome } = judge(account, step, work, answerOf(code, json));
        expect(JSON.stringify(outcome)).not.toMatch(/\\u(0000|d[89a-f])/i);
      }),
    );
  });

  test.each(names)('%s reads any text without throwing', (name) => {
    const these = stands.filter(({ step }) => step.name === name);
    fc.assert(
      fc.property(
        status,
        fc.string({ unit: 'binary' }),
        fc.constantFrom(...these),
        (code, text, { account, step, work }) =>
          judge(account, step, work, answerOf(code, text)).outcome.kind !== null,
      ),
    );
  });

  test.each(['order', 'shipment', 'status'])(
    '%s is never accepted under 202, nor without the envelope',
    (name) => {
      const these = stands.filter(({ step }) => step.name === name);
      fc.assert(
        fc.property(body, fc.constantFrom(...these), (json, { account, step, work }) => {
          expect(judge(account, step, work, answerOf(202, json)).outcome.kind).not.toBe('accepted');
        }),
      );
    },
  );
});

import fc from 'fast-check';
import type { OutcomeKind } from '../../../src/policy/outcome.js';
import { DEFAULT_POLICY } from '../../../src/policy/policy.js';
import { policy } from '../../../src/providers/gelato-connect/policy.js';
import { answerOf, expectNamedRules, judge, strangeSteps } from '../fixtures.js';
import { envelope, openAccount, orderView, PROVIDER_ORDER_ID, workFor } from './fixtures.js';

const account = openAccount({ activateUrl: 'https://api.example.com/v4/orders/{id}' });
const work = workFor(orderView({ providerOrderId: PROVIDER_ORDER_ID }), { references: ['shop:1001'] });

const { verbs, reads } = account;
const allSteps = [
  ...Object.values(verbs).flat(),
  reads.get,
  reads.look,
  reads.list?.step,
  reads.probe,
].filter((step) => step !== undefined);

function outcomesOf(status: number): Record<string, OutcomeKind> {
  return Object.fromEntries(
    allSteps.map((step) => [step.name, judge(account, step, work, envelope(status, 'No')).outcome.kind]),
  );
}

const everywhere = (kind: OutcomeKind) => Object.fromEntries(allSteps.map(({ name }) => [name, kind]));

describe('every documented answer', () => {
  test('is tried against all eight steps', () => {
    expect(allSteps).toHaveLength(8);
  });

  test.each<[number, OutcomeKind, Record<string, OutcomeKind>]>([
    [400, 'rejected', { activate: 'settled', cancel: 'settled' }],
    [401, 'blocked', {}],
    [403, 'blocked', {}],
    [404, 'missing', {}],
    [409, 'settled', {}],
    [418, 'rejected', { activate: 'settled', cancel: 'settled' }],
    [422, 'rejected', { activate: 'settled', cancel: 'settled' }],
    [451, 'rejected', { activate: 'settled', cancel: 'settled' }],
    [429, 'throttled', {}],
    [500, 'failed', { submit: 'unknown' }],
    [502, 'failed', { submit: 'unknown' }],
    [503, 'failed', { submit: 'unknown' }],
    [504, 'failed', { submit: 'unknown' }],
    [520, 'failed', { submit: 'unknown' }],
  ])('%d is %s, with exceptions %j', (status, kind, exceptions) => {
    expect(outcomesOf(status)).toEqual({ ...everywhere(kind), ...exceptions });
    const { rule } = judge(account, account.verbs.submit[0], work, envelope(status, 'No'));
    expect(rule?.id).toMatch(/^gelato-connect\//);
  });

  test.each<[number, OutcomeKind]>([
    [301, 'blocked'],
    [402, 'blocked'],
    [405, 'blocked'],
    [406, 'blocked'],
    [408, 'unknown'],
    [410, 'gone'],
    [415, 'blocked'],
    [425, 'throttled'],
  ])('%d stays with the general rules: %s', (status, kind) => {
    const { outcome, rule } = judge(account, account.verbs.submit[0], work, envelope(status, 'No'));
    expect(outcome.kind).toBe(kind);
    expect(rule?.id).toMatch(/^general\//);
  });

  test('500 alone alerts', () => {
    expect(policy.rules.filter(({ alert }) => alert === true).map(({ status }) => status)).toEqual([500]);
  });
});

describe('the table', () => {
  test('names each rule once, with a meaning and a source', () => {
    expectNamedRules(policy, /^gelato-connect\/[a-z0-9-]+$/);
  });

  test('names only steps that exist', () => {
    expect(strangeSteps(policy, allSteps)).toEqual([]);
  });

  test('keeps the general figures, for the document gives none', () => {
    const { rules: _rules, ...figures } = policy;
    expect(figures).toEqual(DEFAULT_POLICY);
  });
});

describe('the error envelope', () => {
  test('is recognised by its number and its sentence', () => {
    expect(account.readError(answerOf(404, { code: 404, message: 'Order not found' }))).toEqual({
      own: true,
      message: 'Order not found',
    });
  });

  test.each([
    ['HTML', '<html>Bad Gateway</html>'],
    ['nothing', ''],
    ['a code in words', { code: 'NOT_FOUND', message: 'no' }],
    ['no code', { message: 'no Route matched' }],
    ['no sentence', { code: 404 }],
    ['a list', [{ code: 404, message: 'x' }]],
    ['null', 'null'],
  ])('is not seen in %s', (_what, body) => {
    expect(account.readError(answerOf(404, body))).toEqual({
      own: false,
      message: "HTTP 404 without the provider's envelope",
    });
  });

  test('gives a message that is bounded and can be stored', () => {
    const { message } = account.readError(envelope(400, `a\u0000b\ud800${'x'.repeat(10_000)}`));
    expect(message).toHaveLength(500);
    expect(message).toMatch(/^a b\ufffdx+$/);
  });

  test.each([
    [400, 'Duplicate order reference', 'duplicate_reference'],
    [422, 'Order with this reference already exists', 'duplicate_reference'],
    [400, 'Order can no longer be updated: it was shipped', 'order_state'],
    [400, 'Invalid shipping address: Email is not a valid format', undefined],
    [400, 'Cannot be delivered to this address', undefined],
    [401, 'Duplicate credentials', undefined],
    [404, 'Order has been canceled', undefined],
    [500, 'Duplicate key', undefined],
  ])('of %d "%s" has the code %s', (status, message, code) => {
    expect(account.readError(envelope(status, message)).code).toBe(code);
  });
});

describe('whatever comes back', () => {
  const known = fc.record(
    {
      id: fc.jsonValue(),
      code: fc.jsonValue(),
      message: fc.jsonValue(),
      orderReferenceId: fc.oneof(fc.constant('shop:1001'), fc.jsonValue()),
      orderType: fc.jsonValue(),
      fulfillmentStatus: fc.jsonValue(),
      createdAt: fc.jsonValue(),
      refusalReason: fc.jsonValue(),
      shippingAddress: fc.jsonValue(),
      items: fc.oneof(
        fc.jsonValue(),
        fc.array(fc.record({ itemReferenceId: fc.jsonValue(), quantity: fc.jsonValue() })),
      ),
      shipment: fc.oneof(
        fc.jsonValue(),
        fc.record({ packages: fc.array(fc.jsonValue()), tracking: fc.jsonValue() }),
      ),
    },
    { requiredKeys: [] },
  );
  const named = known.map((order) => ({ ...order, id: 'x', orderReferenceId: 'shop:1001' }));
  const body = fc.oneof(
    fc.jsonValue(),
    known,
    named,
    fc.record({ orders: fc.array(fc.oneof(known, named)) }),
  );
  const status = fc.constantFrom(200, 201, 204, 301, 400, 404, 409, 422, 429, 500, 503);

  test.each(allSteps.map((step) => [step.name, step] as const))(
    '%s reads any JSON without throwing',
    (_name, step) => {
      fc.assert(
        fc.property(
          status,
          body,
          (code, json) => judge(account, step, work, answerOf(code, json)).outcome.kind !== null,
        ),
      );
    },
  );

  test.each(allSteps.map((step) => [step.name, step] as const))(
    '%s reads any text without throwing',
    (_name, step) => {
      fc.assert(
        fc.property(
          status,
          fc.string({ unit: 'binary' }),
          (code, text) => judge(account, step, work, answerOf(code, text)).outcome.kind !== null,
        ),
      );
    },
  );

  test('what is read can be stored: no NUL, no half characters', () => {
    fc.assert(
      fc.property(named, (order) => {
        const outcome = account.reads.get.read(work, answerOf(200, order));
        expect(JSON.stringify(outcome)).not.toMatch(/\\u(0000|d[89a-f])/i);
      }),
    );
  });
});

import fc from 'fast-check';
import type { OutcomeKind } from '../../../src/policy/outcome.js';
import type { PolicyRule } from '../../../src/policy/policy.js';
import { backoffDelay, describeSchedule } from '../../../src/policy/schedule.js';
import type { Step } from '../../../src/providers/provider.js';
import { policy } from '../../../src/providers/wupex/policy.js';
import { answerOf, existing, expectNamedRules, judge, strangeSteps } from '../fixtures.js';
import {
  detail,
  listOf,
  ORDER_NAME,
  openAccount,
  placed,
  pulled,
  refused,
  refusedShortly,
  row,
  SERIALS,
} from './fixtures.js';

const account = openAccount();
const work = placed();
const { verbs, reads } = account;
const [submit] = verbs.submit;
const allSteps = [submit, reads.get, existing(reads.look), reads.probe];

const everywhere = (kind: OutcomeKind) => Object.fromEntries(allSteps.map(({ name }) => [name, kind]));
const outcomesOf = (status: number, code: string) =>
  Object.fromEntries(
    allSteps.map((step) => [step.name, judge(account, step, work, refused(status, code)).outcome.kind]),
  );

describe('every documented answer', () => {
  test('is tried against all four steps', () => {
    expect(allSteps.map(({ name }) => name)).toEqual(['submit', 'get', 'look', 'probe']);
  });

  test.each<[number, string, OutcomeKind, Record<string, OutcomeKind>]>([
    [400, 'INVALID_PAYLOAD', 'rejected', {}],
    [401, 'UNAUTHORIZED', 'blocked', {}],
    [403, 'FORBIDDEN', 'blocked', {}],
    [404, 'NOT_FOUND', 'missing', {}],
    [409, 'CONFLICT', 'settled', {}],
    [413, 'PAYLOAD_TOO_LARGE', 'rejected', {}],
    [415, 'UNSUPPORTED_MEDIA_TYPE', 'blocked', {}],
    [422, 'UNPROCESSABLE_ENTITY', 'rejected', {}],
    [429, 'TOO_MANY_REQUESTS', 'throttled', {}],
    [500, 'INTERNAL_ERROR', 'failed', { submit: 'unknown' }],
    [502, 'BAD_GATEWAY', 'failed', { submit: 'unknown' }],
    [503, 'SERVICE_UNAVAILABLE', 'failed', { submit: 'unknown' }],
    [504, 'GATEWAY_TIMEOUT', 'failed', { submit: 'unknown' }],
    [520, 'ODD', 'failed', { submit: 'unknown' }],
    [400, 'INSUFFICIENT_STOCK', 'rejected', { submit: 'waiting' }],
    [409, 'INSUFFICIENT_STOCK', 'settled', { submit: 'waiting' }],
    [400, 'INSUFFICIENT_BALANCE', 'rejected', { submit: 'waiting' }],
    [400, 'ODD', 'rejected', {}],
    [418, 'ODD', 'rejected', {}],
    [451, 'ODD', 'rejected', {}],
    [400, 'TOO_MANY_REQUESTS', 'throttled', {}],
    [400, 'INTERNAL_ERROR', 'failed', { submit: 'unknown' }],
    [422, 'SERVICE_UNAVAILABLE', 'failed', { submit: 'unknown' }],
    [400, 'UNAUTHORIZED', 'blocked', {}],
    [500, 'INVALID_PAYLOAD', 'rejected', {}],
  ])('%d %s is %s, with exceptions %j', (status, code, kind, exceptions) => {
    expect(outcomesOf(status, code)).toEqual({ ...everywhere(kind), ...exceptions });
    expect(judge(account, submit, work, refused(status, code)).rule?.id).toMatch(/^wupex\//);
  });

  test.each<[number, OutcomeKind]>([
    [301, 'blocked'],
    [402, 'blocked'],
    [405, 'blocked'],
    [406, 'blocked'],
    [408, 'unknown'],
    [410, 'gone'],
    [425, 'throttled'],
  ])('%d stays with the general rules: %s', (status, kind) => {
    const { outcome, rule } = judge(account, submit, work, refused(status, 'ODD'));
    expect(outcome.kind).toBe(kind);
    expect(rule?.id).toMatch(/^general\//);
  });

  test('is handled alike with the message on top and no code', () => {
    for (const [status, kind] of [
      [400, 'rejected'],
      [401, 'blocked'],
      [403, 'blocked'],
      [429, 'throttled'],
      [500, 'unknown'],
      [503, 'unknown'],
    ] as const) {
      expect(judge(account, submit, work, refusedShortly(status, 'Why')).outcome).toMatchObject({
        kind,
        message: 'Why',
      });
    }
  });

  test('INTERNAL_ERROR alone alerts, SERVICE_UNAVAILABLE does not', () => {
    const alerting = policy.rules.filter(({ alert }) => alert === true);
    expect(alerting.map(({ id }) => id)).toEqual([
      'wupex/internal-error',
      'wupex/internal-error-elsewhere',
      'wupex/internal-error-by-status',
    ]);
  });

  test('of no order pauses the account for its credentials', () => {
    const pausing = policy.rules.filter(({ block }) => block === 'auth');
    expect(new Set(pausing.map(({ code }) => code))).toEqual(
      new Set(['UNAUTHORIZED', 'FORBIDDEN', undefined]),
    );
    expect(new Set(pausing.filter(({ code }) => code === undefined).map(({ status }) => status))).toEqual(
      new Set([401, 403]),
    );
  });
});

describe('the table', () => {
  /** An answer made from a rule alone: its code if it has one, and a status at which no narrower rule stands before it. */
  const madeFrom = (rule: PolicyRule) => {
    const message = rule.code === 'NOT_ENTITLED' ? 'Not entitled to this product' : 'No';
    const code = rule.code === 'NOT_ENTITLED' ? 'FORBIDDEN' : (rule.code ?? 'ANY_OTHER');
    const status = typeof rule.status === 'number' ? rule.status : rule.status[0];
    return refused(status, code, message);
  };
  const stepFor = (rule: PolicyRule): Step =>
    existing(allSteps.find(({ name }) => rule.steps === undefined || rule.steps.includes(name)));

  test.each(policy.rules.map((rule) => [rule.id, rule] as const))('%s is met by an answer', (_id, rule) => {
    const step = stepFor(rule);
    const { outcome, rule: met } = judge(account, step, work, madeFrom(rule));
    expect(met).toBe(rule);
    expect(outcome.kind).toBe(rule.outcome);
    if (rule.block !== undefined) expect(outcome).toMatchObject({ code: rule.block });
    if (rule.wait !== undefined) expect(outcome).toMatchObject(rule.wait);
  });

  test('has so many rows', () => {
    expect(policy.rules).toHaveLength(37);
  });

  test('names each rule once, with a meaning and a source', () => {
    expectNamedRules(policy, /^wupex\/[a-z0-9-]+$/);
  });

  test('names only steps that exist', () => {
    expect(strangeSteps(policy, allSteps)).toEqual([]);
  });

  test('documents exactly the seven pairs of the guide, and their statuses', () => {
    const documented = policy.rules.filter(({ evidence }) => evidence === 'documented');
    expect(documented.flatMap(({ status, code }) => (code === undefined ? [] : [[status, code]]))).toEqual([
      [400, 'INVALID_PAYLOAD'],
      [401, 'UNAUTHORIZED'],
      [403, 'FORBIDDEN'],
      [404, 'NOT_FOUND'],
      [429, 'TOO_MANY_REQUESTS'],
      [500, 'INTERNAL_ERROR'],
      [503, 'SERVICE_UNAVAILABLE'],
    ]);
    expect(documented).toHaveLength(14);
  });

  test('repeats reads at most five times, 500 ms doubled up to 10 s, fully drawn', () => {
    expect(policy.attempts).toBe(6);
    expect(describeSchedule(policy.backoff, 6).map(({ minMs, maxMs }) => [minMs, maxMs])).toEqual([
      [0, 500],
      [0, 1_000],
      [0, 2_000],
      [0, 4_000],
      [0, 8_000],
      [0, 10_000],
    ]);
  });

  test('never comes back at once after a 429 that names no time', () => {
    expect([1, 2, 6, 50].map((strike) => backoffDelay(policy.throttle, strike, () => 0))).toEqual([
      500, 500, 5_000, 5_000,
    ]);
  });
});

describe('the error envelope', () => {
  test('is read with its code', () => {
    expect(account.readError(refused(404, 'NOT_FOUND', 'Order not found'))).toEqual({
      own: true,
      code: 'NOT_FOUND',
      message: 'Order not found',
    });
    expect(account.readError(answerOf(400, { status: false, error: { code: 17 } }))).toEqual({
      own: true,
      code: '17',
      message: 'WUPEX says 17 and no more',
    });
  });

  test('with its message on top is read, and proves nothing', () => {
    expect(account.readError(refusedShortly(404, 'Order not found'))).toEqual({
      own: false,
      message: 'Order not found',
    });
  });

  test.each([
    ['HTML', '<html>Bad Gateway</html>'],
    ['nothing', ''],
    ['an HTTP number for the flag', { status: 404, title: 'Not Found', message: 'x' }],
    ['no flag', { error: { code: 'NOT_FOUND', message: 'x' } }],
    ['a success', { status: true, error: { code: 'NOT_FOUND', message: 'x' } }],
    ['a list', [{ status: false, error: { code: 'NOT_FOUND' } }]],
    ['null', 'null'],
  ])('is not seen in %s', (_what, body) => {
    expect(account.readError(answerOf(404, body))).toEqual({
      own: false,
      message: "HTTP 404 without WUPEX's envelope",
    });
  });

  test('gives code and message that are bounded and can be stored', () => {
    const long = `a\u0000b\ud800${'x'.repeat(10_000)}`;
    const { code, message } = account.readError(refused(400, long, long));
    expect(message).toMatch(/^a b\ufffdx+$/);
    expect(message).toHaveLength(500);
    expect(code).toHaveLength(100);
  });
});

describe('whatever comes back', () => {
  const serial = fc.record(
    { sku: fc.jsonValue(), serialCode: fc.jsonValue(), serialNumber: fc.jsonValue(), expiry: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const serials = fc.oneof(fc.jsonValue(), fc.array(fc.oneof(serial, fc.constantFrom(...SERIALS))));
  const error = fc.oneof(fc.jsonValue(), fc.record({ code: fc.jsonValue(), message: fc.jsonValue() }));
  const own = fc.oneof(
    serials.map((list) => pulled({ serials: list })),
    fc.jsonValue().map((totalAmount) => pulled({ totalAmount })),
    fc
      .array(fc.oneof(fc.jsonValue(), fc.record({ sku: fc.jsonValue(), serials })))
      .map((orderData) => detail({ orderData })),
    fc.jsonValue().map((status) => detail({ status })),
    fc
      .array(
        fc.oneof(
          fc.jsonValue(),
          fc.jsonValue().map((orderDate) => row({ orderDate })),
        ),
      )
      .map((rows) => listOf(rows)),
    fc.record({
      status: fc.oneof(fc.boolean(), fc.jsonValue()),
      data: fc.jsonValue(),
      error,
      message: fc.jsonValue(),
    }),
  );
  const body = fc.oneof(fc.jsonValue(), own);
  const status = fc.constantFrom(200, 201, 204, 301, 400, 403, 404, 409, 422, 429, 500, 503);
  const steps = allSteps.map((step) => [step.name, step] as const);

  test.each(steps)('%s reads any JSON without throwing', (_name, step) => {
    fc.assert(
      fc.property(status, body, (code, json) => {
        expect(judge(account, step, work, answerOf(code, json)).outcome.kind).toBeTruthy();
      }),
    );
  });

  test.each(steps)('%s reads any text without throwing', (_name, step) => {
    fc.assert(
      fc.property(status, fc.string({ unit: 'binary' }), (code, text) => {
        expect(judge(account, step, work, answerOf(code, text)).outcome.kind).toBeTruthy();
      }),
    );
  });

  test.each(steps)('%s reads a megabyte, deep or broken', (_name, step) => {
    const deep = '['.repeat(5_000) + ']'.repeat(5_000);
    const bodies = [
      pulled({ serials: Array.from({ length: 10_000 }, () => SERIALS[0]) }),
      pulled({ orderName: 'x'.repeat(1_000_000) }),
      `${JSON.stringify(pulled())}\ufffd`,
      JSON.stringify(detail({ orderData: [] })).replace('"Completed"', deep),
      'x'.repeat(1_000_000),
    ];
    for (const each of bodies)
      expect(judge(account, step, work, answerOf(200, each)).outcome.kind).toBeTruthy();
  });

  test('a submit is accepted only under a name, and never failed, rejected or given back by a bare 2xx', () => {
    fc.assert(
      fc.property(fc.constantFrom(200, 201, 204), body, (code, json) => {
        const { outcome } = judge(account, submit, work, answerOf(code, json));
        expect(['accepted', 'unknown', 'rejected', 'missing', 'blocked', 'waiting', 'throttled']).toContain(
          outcome.kind,
        );
        if (outcome.kind === 'accepted') expect(outcome.providerOrderId).toBe(ORDER_NAME);
        if (outcome.kind !== 'accepted' && outcome.kind !== 'unknown')
          expect(Reflect.get(Object(json), 'status')).toBe(false);
      }),
    );
  });

  test('what is read can be stored: no NUL, no half characters, but in codes, which are sealed', () => {
    fc.assert(
      fc.property(status, body, (code, json) => {
        for (const step of allSteps) {
          const { deliverables, ...rest } = Object(judge(account, step, work, answerOf(code, json)).outcome);
          const told = [rest, (deliverables ?? []).map((each: { sku: string }) => each.sku)];
          expect(JSON.stringify(told)).not.toMatch(/\\u(0000|d[89a-f])/i);
        }
      }),
    );
  });
});

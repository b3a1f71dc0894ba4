import fc from 'fast-check';
import type { JsonObject } from '../../../src/json.js';
import type { OrderBody } from '../../../src/orders/body.js';
import { classify } from '../../../src/policy/classify.js';
import { judge, stepNamed, stepsOf, workFor } from '../fixtures.js';
import {
  answerOf,
  baseline,
  CODE,
  CUSTOMER,
  issued,
  listOf,
  openAccount,
  orderView,
  problem,
  row,
} from './fixtures.js';

const account = openAccount();
const steps = stepsOf(account);

/** Values that look like Zupy's without being it. */
const nearly = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.record({ data: fc.jsonValue(), meta: fc.jsonValue() }),
  fc.record({ results: fc.jsonValue(), next: fc.jsonValue(), count: fc.jsonValue() }),
  fc.record({ type: fc.jsonValue(), title: fc.jsonValue(), detail: fc.jsonValue(), errors: fc.jsonValue() }),
  fc
    .dictionary(
      fc.constantFrom(
        'id',
        'coupon_code',
        'status',
        'customer_id',
        'reward_id',
        'valid_until',
        'created_at',
        'remaining_usages',
        'total_usages_allowed',
      ),
      fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.double(), fc.constant(null)),
    )
    .map((change) => listOf(row(change), row())),
);

/** What an operation may have left, and what it may not. */
const carries: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.constantFrom<JsonObject>(
    {},
    baseline('a'),
    { remainingUsages: 1, totalUsages: 1 },
    { remainingUsages: null, totalUsages: null },
    { checkedStep: 'validate' },
    { baselineCoupons: [7], baselineWhole: true },
    { baselineCoupons: 'x', baselineWhole: true },
  ),
);

const bodies = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constant(`[${'{"data":[],'.repeat(100_000)}`),
  nearly.map((value) => JSON.stringify(value)),
);

describe('any answer', () => {
  test('is read by every step without an exception', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), bodies, carries, (status, body, carry) => {
        for (const step of steps)
          for (const order of [orderView({ providerOrderId: CODE }), issued()])
            expect(() =>
              judge(account, step, workFor(order, { carry }), answerOf(status, body)),
            ).not.toThrow();
      }),
      { numRuns: 150 },
    );
  });

  test('brings nothing that cannot be stored', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), bodies, carries, (status, body, carry) => {
        for (const step of steps) {
          const { outcome } = judge(account, step, workFor(issued(), { carry }), answerOf(status, body));
          const text = JSON.stringify(outcome);
          expect(text.includes('\\u0000') || /\\ud[89a-f]/i.test(text)).toBe(false);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('but a success never accepts a redeem that names no coupon', () => {
    const redeem = stepNamed(account, 'redeem');
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { outcome } = judge(account, redeem, workFor(orderView()), answerOf(200, value));
        if (!JSON.stringify(value).includes('coupon_code')) expect(outcome.kind).toBe('unknown');
      }),
    );
  });

  test('of an error never accepts, observes or finishes anything', () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), bodies, (status, body) => {
        for (const step of steps) {
          const { outcome } = judge(account, step, workFor(issued()), answerOf(status, body));
          expect(['accepted', 'observed', 'done']).not.toContain(outcome.kind);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('a lookup', () => {
  const look = stepNamed(account, 'look');

  test('finds absence in a whole list only, and a coupon only where it was not there before', () => {
    const coupon = fc.record({ known: fc.boolean(), late: fc.boolean(), own: fc.boolean() });
    fc.assert(
      fc.property(fc.array(coupon, { maxLength: 6 }), fc.boolean(), (coupons, whole) => {
        const rows = coupons.map(({ late, own }, index) =>
          row({
            id: `id-${index}`,
            coupon_code: `CZ-${index}`,
            created_at: late ? '2026-03-02T11:04:00Z' : '2025-03-02T11:04:00Z',
            customer_id: own ? CUSTOMER : 'other',
          }),
        );
        const known = coupons.flatMap((one, index) => (one.known ? [`id-${index}`] : []));
        const body = { data: rows, meta: { has_next: !whole, cursor: null, count: rows.length } };
        const found = look.read(workFor(orderView(), { carry: baseline(...known) }), answerOf(200, body));
        const ours = coupons.filter((one) => !one.known && one.late).length;
        if (!whole || coupons.some(({ own }) => !own)) expect(found).toBeNull();
        else expect(found?.kind).toBe(['missing', 'observed'][ours] ?? 'done');
      }),
    );
  });

  test('takes no error for an absence', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 300, max: 599 }),
        fc.constantFrom('not-found', 'gone', 'conflict', 'x'),
        (status, type) => {
          for (const step of [look, stepNamed(account, 'look-points')]) {
            const { outcome } = judge(account, step, workFor(orderView()), problem(status, type));
            expect(outcome.kind).not.toBe('missing');
          }
        },
      ),
    );
  });
});

describe('any order', () => {
  const text = fc.string({ unit: 'binary', maxLength: 30 });

  test('is validated without an exception, and what passes can be requested', () => {
    const body: fc.Arbitrary<OrderBody> = fc.record({
      account: fc.constant('zupy-br'),
      reference: fc.constant('r'),
      customer: fc.oneof(fc.constant(undefined), fc.record({ id: fc.oneof(text, fc.constant(CUSTOMER)) })),
      items: fc.oneof(
        fc.constant(undefined),
        fc.array(
          fc.record({
            reference: text,
            sku: fc.oneof(text, fc.constant('abc')),
            quantity: fc.constantFrom(1, 2),
          }),
          { maxLength: 2 },
        ),
      ),
      options: fc.oneof(
        fc.constant(undefined),
        fc.dictionary(
          fc.constantFrom('useZTokens', 'otpIdentifier', 'x'),
          fc.constantFrom(true, 'joao@x.br', 1),
        ),
      ),
    });
    fc.assert(
      fc.property(body, text, (one, code) => {
        const problems = account.validate(one);
        expect(typeof account.serialKey?.(one)).toBe('string');
        if (problems.length > 0) return;
        const work = workFor(orderView({ body: one, providerOrderId: code }), { params: { code } });
        for (const step of steps) {
          const { url } = step.request(work);
          expect(new URL(url).pathname.startsWith('/api/v2/')).toBe(true);
        }
      }),
    );
  });
});

test('a call that was cut off is unknown where a repeat could do it twice', () => {
  const lost = { kind: 'unknown', code: 'timeout', message: 'no whole answer' } as const;
  const outcomes = steps.map((step) => [
    step.name,
    classify(lost, step, account.policy, () => null, account.readError).outcome.kind,
  ]);
  expect(Object.fromEntries(outcomes)).toMatchObject({
    points: 'failed',
    coupons: 'failed',
    redeem: 'unknown',
    remaining: 'failed',
    validate: 'failed',
    'validate-multi': 'unknown',
    get: 'failed',
  });
});

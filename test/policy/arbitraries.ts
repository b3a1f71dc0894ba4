/** Random outcomes, facts and answers, for the properties that must hold whatever comes. */
import fc from 'fast-check';
import { OPERATION_KINDS, ORDER_STATUSES } from '../../src/orders/order.js';
import type { HttpResult } from '../../src/policy/answer.js';
import type { OperationFacts } from '../../src/policy/decide.js';
import type { Outcome } from '../../src/policy/outcome.js';
import type { PolicyRule } from '../../src/policy/policy.js';

/** The moment at which the tests decide, epoch ms. */
export const NOW = 1_767_225_600_000;

const words = { code: fc.string({ maxLength: 20 }), message: fc.string({ maxLength: 50 }) };
const DAY_MS = 86_400_000;
const someTime = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: NOW - DAY_MS, max: NOW }),
  fc.integer({ min: NOW, max: NOW + 30 * DAY_MS }),
);
/** What a provider can tell: `received` is a word of ours, for what no provider has taken. */
export const toldStatuses = fc.constantFrom(...ORDER_STATUSES.filter((status) => status !== 'received'));

const withTime = <T extends object>(outcome: T, retryAt: number | undefined): T & { retryAt?: number } => ({
  ...outcome,
  ...(retryAt === undefined ? {} : { retryAt }),
});

const observed = fc
  .record({
    providerOrderId: fc.string({ minLength: 1, maxLength: 10 }),
    reference: fc.option(fc.string()),
    status: fc.option(toldStatuses),
    rawStatus: fc.string(),
    sameContent: fc.option(fc.boolean()),
  })
  .map((state): Outcome => ({ kind: 'observed', state }));

const throttled = fc
  .tuple(fc.record(words), someTime)
  .map(([said, retryAt]): Outcome => withTime({ kind: 'throttled', ...said } as const, retryAt));

const waiting = fc
  .tuple(
    fc.record({
      ...words,
      reason: fc.constantFrom('funds', 'window', 'stock', 'otp'),
      scope: fc.constantFrom('account', 'order'),
    }),
    someTime,
  )
  .map(([said, retryAt]): Outcome => withTime({ kind: 'waiting', ...said } as const, retryAt));

const plain = (kind: 'rejected' | 'missing' | 'settled' | 'failed' | 'gone' | 'unknown' | 'notSent') =>
  fc.record(words).map((said): Outcome => ({ kind, ...said }));

/** Every kind of outcome, equally often. */
export const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
  fc
    .record({
      providerOrderId: fc.string(),
      status: fc.constantFrom('draft', 'submitted', 'in_progress'),
    })
    .map((told): Outcome => ({ kind: 'accepted', ...told })),
  observed,
  fc.constant<Outcome>({ kind: 'done' }),
  plain('rejected'),
  plain('missing'),
  plain('settled'),
  plain('failed'),
  throttled,
  fc
    .record({ code: fc.constantFrom('auth', 'misconfigured', 'reinstall', 'token'), message: fc.string() })
    .map((said): Outcome => ({ kind: 'blocked', ...said })),
  waiting,
  plain('gone'),
  plain('unknown'),
  plain('notSent'),
  fc.constant<Outcome>({ kind: 'interrupted' }),
);

/** Any operation at any point of its life. */
export const facts: fc.Arbitrary<OperationFacts> = fc.record({
  kind: fc.constantFrom(...OPERATION_KINDS),
  purpose: fc.constantFrom('call', 'look', 'check', 'control', 'watch'),
  attempts: fc.nat({ max: 200 }),
  calls: fc.nat({ max: 10_000 }),
  strikes: fc.nat({ max: 10_000 }),
  deadline: fc.option(fc.integer({ min: NOW - DAY_MS, max: NOW + DAY_MS })),
  hasNextStep: fc.boolean(),
  repeatable: fc.boolean(),
  checked: fc.option(fc.record(words)),
});

/** Rules with a budget, a backoff and an alert of their own. */
export const rules: fc.Arbitrary<PolicyRule | null> = fc.option(
  fc
    .record({
      attempts: fc.integer({ min: 1, max: 20 }),
      alert: fc.boolean(),
      floorMs: fc.nat({ max: 60_000 }),
    })
    .map(
      ({ attempts, alert, floorMs }): PolicyRule => ({
        id: 'test/rule',
        status: [100, 599],
        outcome: 'unknown',
        attempts,
        alert,
        backoff: { baseMs: 1_000, capMs: 60_000, floorMs, jitter: 'full' },
        meaning: 'any',
        source: 'this test',
        evidence: 'assumed',
      }),
    ),
);

/** As `Math.random` gives. */
export const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const headers: fc.Arbitrary<Record<string, string | string[] | undefined>> = fc.dictionary(
  fc.constantFrom(
    'date',
    'retry-after',
    'age',
    'ratelimit-reset',
    'x-ratelimit-reset',
    'x-ratelimit-remaining',
  ),
  fc.oneof(
    fc.string(),
    fc.array(fc.string(), { maxLength: 3 }),
    fc.constantFrom('0', '-1', '1.5', '99999999999999999999', 'Thu, 01 Jan 2026 00:00:10 GMT', '1767225700'),
    fc.constant(undefined),
  ),
);

/** Whatever a server, or the way to it, can do to us. */
export const results: fc.Arbitrary<HttpResult> = fc.oneof(
  fc.record({ kind: fc.constant('notSent' as const), ...words }),
  fc.record({ kind: fc.constant('unknown' as const), ...words }),
  fc.record({
    kind: fc.constant('answered' as const),
    status: fc.integer({ min: 100, max: 999 }),
    headers,
    body: fc.string({ unit: 'binary' }),
    json: fc.option(fc.jsonValue(), { nil: undefined }),
    receivedAt: fc.constant(NOW),
  }),
);

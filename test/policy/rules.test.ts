/** The rules of the decision by name, from an answer off the wire to what is done about it. */
import fc from 'fast-check';
import type { Answer, HttpResult } from '../../src/policy/answer.js';
import { classify } from '../../src/policy/classify.js';
import { type Decision, decide, type OperationFacts } from '../../src/policy/decide.js';
import { RETRY_AFTER_CAP_MS } from '../../src/policy/retry-after.js';
import type { Step } from '../../src/providers/provider.js';
import {
  envelope,
  openAccount,
  orderView,
  PROVIDER_ORDER_ID,
  workFor,
} from '../providers/gelato-connect/fixtures.js';
import { chance, NOW } from './arbitraries.js';

const account = openAccount({ activateUrl: 'https://api.example.com/v4/orders/{id}' });
const { policy, verbs, reads } = account;
const work = workFor(orderView({ providerOrderId: PROVIDER_ORDER_ID }), { references: ['shop:1001'] });

const FRESH: OperationFacts = {
  kind: 'submit',
  purpose: 'call',
  attempts: 0,
  calls: 0,
  strikes: 0,
  deadline: null,
  hasNextStep: false,
  repeatable: false,
  checked: null,
};

const SUBMIT = { step: verbs.submit[0], facts: FRESH };
const REPEATABLE = [
  ...(['activate', 'cancel', 'update'] as const).flatMap((kind) =>
    (verbs[kind] ?? []).map((step) => ({ step, facts: { ...FRESH, kind, repeatable: true } })),
  ),
  ...[reads.get, reads.list?.step]
    .filter((step) => step !== undefined)
    .map((step) => ({ step, facts: { ...FRESH, kind: 'poll' as const, repeatable: true } })),
].map((call) => [call.step.name, call] as const);
const EVERY = [['submit', SUBMIT], ...REPEATABLE] as const;

interface Called {
  step: Step;
  facts: OperationFacts;
}

/** What is decided when this comes back, the way that a job does it. */
function decideOn(result: HttpResult, { step, facts: operation }: Called, draw = 0): Decision {
  const { outcome, rule } = classify(
    result,
    { name: step.name, repeatable: operation.repeatable, writes: step.writes },
    policy,
    (answer) => step.read(work, answer),
    account.readError,
  );
  return decide(outcome, operation, policy, rule, NOW, () => draw);
}

function answer(status: number, headers: Answer['headers'] = {}): Answer {
  return { ...envelope(status, 'No'), headers, receivedAt: NOW };
}

/** A get that finds out what a refusal of this verb meant. */
const checkOf = (kind: 'activate' | 'cancel' | 'update'): Called => ({
  step: reads.get,
  facts: { ...FRESH, kind, purpose: 'check', repeatable: true, checked: { code: 'http_409', message: 'No' } },
});

const SENT_AGAIN: readonly Decision['kind'][] = ['retry', 'giveBack', 'wait', 'next'];

describe('404 and 409', () => {
  test.each(EVERY)('are never retried: %s', (_name, call) => {
    for (const status of [404, 409]) expect(SENT_AGAIN).not.toContain(decideOn(answer(status), call).kind);
  });

  test('on a submit, 409 is looked up and never sent again', () => {
    expect(decideOn(answer(409), SUBMIT)).toMatchObject({ kind: 'confirm', mayRepeat: false });
  });

  test('on a submit, 404 says that our URL is wrong: a dead letter that counts as misconfigured', () => {
    expect(decideOn(answer(404), SUBMIT)).toMatchObject({
      kind: 'die',
      code: 'misconfigured',
      misconfigured: true,
      ambiguous: false,
    });
  });

  test.each(['activate', 'cancel', 'update'] as const)(
    'on %s, they are answered by reading the state, once',
    (kind) => {
      const call = { step: verbs[kind]?.[0] ?? reads.get, facts: { ...FRESH, kind, repeatable: true } };
      for (const status of [404, 409]) {
        expect(decideOn(answer(status), call)).toEqual({ kind: 'check', spend: 1 });
        expect(SENT_AGAIN).not.toContain(decideOn(answer(status), checkOf(kind)).kind);
      }
    },
  );

  test.each(['received', 'draft', 'submitted', 'in_progress', null] as const)(
    'a cancel that was refused with them is not repeated, though the order is still open: %s',
    (status) => {
      const state = { providerOrderId: 'p-1', reference: null, status, rawStatus: 'x' };
      const decision = decide(
        { kind: 'observed', state },
        checkOf('cancel').facts,
        policy,
        null,
        NOW,
        () => 0,
      );
      expect(decision).toEqual({ kind: 'reject', code: 'http_409', message: 'No', spend: 1 });
    },
  );
});

describe('429', () => {
  test.each(EVERY)('closes the gate of the whole account and spends nothing: %s', (_name, call) => {
    for (const attempts of [0, policy.attempts - 1, 1_000]) {
      const decision = decideOn(answer(429), { ...call, facts: { ...call.facts, attempts } });
      expect(decision).toMatchObject({
        kind: 'wait',
        reason: 'rate_limited',
        spend: 0,
        gate: { verb: null, strike: true },
      });
    }
  });

  test('without a time backs off ever longer with half of it random, above the floor, up to the cap', () => {
    const waits = [0, 1, 2, 7, 8, 50].map((strikes) => {
      const call = { ...SUBMIT, facts: { ...FRESH, strikes } };
      return [decideOn(answer(429), call, 0), decideOn(answer(429), call, 1)].map(
        (decision) => decision.gate?.forMs,
      );
    });
    expect(waits).toEqual([
      [1_000, 1_000],
      [1_000, 2_000],
      [2_000, 4_000],
      [64_000, 128_000],
      [128_000, 256_000],
      [150_000, 300_000],
    ]);
  });

  test('closes the gate for as long as the call waits', () => {
    const decision = decideOn(answer(429, { 'retry-after': '7' }), SUBMIT, 0.5);
    expect(decision).toMatchObject({ kind: 'wait', delayMs: decision.gate?.forMs });
  });

  test.each([
    ['seconds', { 'retry-after': '90' }, 90_000],
    ['an HTTP date', { 'retry-after': 'Thu, 01 Jan 2026 00:02:00 GMT' }, 120_000],
    [
      'an HTTP date, by the clock of the one who wrote it',
      { 'retry-after': 'Thu, 01 Jan 2026 01:00:30 GMT', date: 'Thu, 01 Jan 2026 01:00:00 GMT' },
      30_000,
    ],
    ['a fraction, rounded up', { 'retry-after': '1.5' }, 2_000],
    ['Retry-After, which wins over a shorter reset', { 'retry-after': '90', 'ratelimit-reset': '5' }, 90_000],
    ['Retry-After, which wins over a longer reset', { 'retry-after': '5', 'x-ratelimit-reset': '90' }, 5_000],
    [
      'the reset, where Retry-After cannot be read',
      { 'retry-after': 'soon', 'ratelimit-reset': '40' },
      40_000,
    ],
    ['the reset alone', { 'x-ratelimit-reset': String(NOW / 1_000 + 25) }, 25_000],
    ['the floor, where it says "now"', { 'retry-after': '0' }, 1_000],
    ['the floor, where the time has passed', { 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, 1_000],
  ])('honours %s', (_what, headers, leastMs) => {
    const [least, most] = [0, 0.999999].map((draw) => decideOn(answer(429, headers), SUBMIT, draw).gate);
    expect(least).toMatchObject({ forMs: leastMs, strike: false });
    expect(most?.forMs).toBeLessThanOrEqual(leastMs + 5_000);
  });

  test('is never answered sooner than Retry-After says, and at most a tenth or 5 s later', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1_000_000 }), chance, (seconds, draw) => {
        const { gate } = decideOn(answer(429, { 'retry-after': String(seconds) }), SUBMIT, draw);
        expect(gate?.forMs).toBeGreaterThanOrEqual(Math.max(seconds * 1_000, policy.throttle.floorMs));
        expect(gate?.forMs).toBeLessThanOrEqual(
          Math.max(seconds * 1_000 + Math.min(seconds * 100, 5_000), policy.throttle.floorMs),
        );
      }),
    );
  });

  test('for longer than an hour parks the operation and tells a human', () => {
    expect(RETRY_AFTER_CAP_MS).toBe(3_600_000);
    expect(decideOn(answer(429, { 'retry-after': '3600' }), SUBMIT)).not.toHaveProperty('alert');
    expect(decideOn(answer(429, { 'retry-after': '3601' }), SUBMIT)).toMatchObject({
      kind: 'wait',
      delayMs: 3_601_000,
      alert: 'long_wait',
    });
  });

  test.each(EVERY)('is also what 425 means: %s', (_name, call) => {
    expect(decideOn(answer(425), call)).toMatchObject({ kind: 'wait', reason: 'rate_limited', spend: 0 });
  });
});

const TROUBLE: readonly (readonly [what: string, result: HttpResult])[] = [
  ...[408, 500, 501, 502, 503, 504, 520, 599].map((status) => [String(status), answer(status)] as const),
  ['a timeout', { kind: 'unknown', code: 'timeout', message: 'no answer' }],
  ['a reset connection', { kind: 'unknown', code: 'ECONNRESET', message: 'reset' }],
  ['a 2xx of HTML', { ...answer(200), body: '<html>', json: undefined }],
  ['a 2xx of a list', { ...answer(201), body: '[]', json: [] }],
];

describe('5xx, timeouts and answers that cannot be trusted', () => {
  test.each(TROUBLE)('on a submit: %s is looked up, never retried', (_what, result) => {
    for (const attempts of [0, policy.attempts - 1, 1_000]) {
      expect(decideOn(result, { ...SUBMIT, facts: { ...FRESH, attempts } })).toMatchObject({
        kind: 'confirm',
        mayRepeat: true,
      });
    }
  });

  test.each(REPEATABLE)(
    'on %s, they are tried again, exponentially, with full jitter and a cap',
    (_name, call) => {
      for (const [, result] of TROUBLE) {
        const bounds = [0, 1, 2, 4].map((attempts) => {
          const again = { ...call, facts: { ...call.facts, attempts } };
          return [decideOn(result, again, 0), decideOn(result, again, 1)];
        });
        expect(bounds).toMatchObject([
          [{ kind: 'retry', delayMs: 0, spend: 1 }, { delayMs: 1_000 }],
          [{ kind: 'retry', delayMs: 0 }, { delayMs: 2_000 }],
          [{ kind: 'retry', delayMs: 0 }, { delayMs: 4_000 }],
          [{ kind: 'retry', delayMs: 0 }, { delayMs: 16_000 }],
        ]);
      }
    },
  );

  test('never wait beyond the cap, nor below a floor', () => {
    const [, call] = REPEATABLE[0] ?? EVERY[0];
    const operation = { ...call.facts, attempts: 60 };
    const patient = { ...policy, attempts: 100, backoff: { ...policy.backoff, floorMs: 700 } };
    const outcome = { kind: 'failed', code: 'http_500', message: 'x' } as const;
    expect(decide(outcome, operation, patient, null, NOW, () => 0)).toMatchObject({ delayMs: 700 });
    expect(decide(outcome, operation, patient, null, NOW, () => 1)).toMatchObject({ delayMs: 300_000 });
  });

  test.each(EVERY)('an unexpected 500 alerts at once, at every attempt: %s', (_name, call) => {
    for (const attempts of [0, policy.attempts - 1]) {
      expect(decideOn(answer(500), { ...call, facts: { ...call.facts, attempts } })).toMatchObject({
        alert: 'internal_error',
      });
    }
    expect(decideOn(answer(502), call)).not.toHaveProperty('alert');
  });

  test('end in a dead letter once the budget is spent', () => {
    const [, cancel] = REPEATABLE.find(([name]) => name === 'cancel') ?? EVERY[0];
    const last = { ...cancel, facts: { ...cancel.facts, attempts: policy.attempts - 1 } };
    expect(decideOn(answer(500), last)).toMatchObject({ kind: 'die', ambiguous: false, spend: 1 });
  });

  test.each(REPEATABLE)('of a 503 the Retry-After is honoured: %s', (_name, call) => {
    const decision = decideOn(answer(503, { 'retry-after': '60' }), call);
    expect('delayMs' in decision ? decision.delayMs : 0).toBeGreaterThanOrEqual(60_000);
  });
});

describe('the account kind of refusal', () => {
  test.each([401, 402, 403])('%d pauses the account, and its operations wait unspent for ever', (status) => {
    for (const [, call] of EVERY) {
      expect(decideOn(answer(status), call)).toMatchObject({
        kind: 'wait',
        reason: 'auth',
        deadlineMs: null,
        spend: 0,
        pause: { code: 'auth' },
        alert: 'account_paused',
      });
    }
  });

  test.each([300, 301, 307, 308, 404, 405, 406, 410, 415])(
    '%d on a submit means that our configuration is wrong',
    (status) => {
      expect(decideOn(answer(status), SUBMIT)).toMatchObject({
        kind: 'die',
        misconfigured: true,
        ambiguous: false,
      });
    },
  );

  test.each([400, 413, 422])('%d on a submit means that the content is wrong', (status) => {
    expect(decideOn(answer(status), SUBMIT)).toMatchObject({ kind: 'reject', spend: 1 });
  });
});

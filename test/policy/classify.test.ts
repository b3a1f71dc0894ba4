import fc from 'fast-check';
import type { Answer, HttpResult, ProviderError } from '../../src/policy/answer.js';
import { type Classified, classify, GENERAL_RULES, type StepFacts } from '../../src/policy/classify.js';
import type { Outcome, OutcomeKind } from '../../src/policy/outcome.js';
import { DEFAULT_POLICY, type PolicyRule, type ProviderPolicy } from '../../src/policy/policy.js';
import { NOW, results } from './arbitraries.js';

const SUBMIT: StepFacts = { name: 'submit', repeatable: false, writes: true };
const CANCEL: StepFacts = { name: 'cancel', repeatable: true, writes: true };
const GET: StepFacts = { name: 'get', repeatable: true, writes: false };

const SILENT: ProviderPolicy = { ...DEFAULT_POLICY, rules: [] };
const ACCEPTED: Outcome = { kind: 'accepted', providerOrderId: 'p-1' };

function answer(status: number, headers: Answer['headers'] = {}): Answer {
  return { kind: 'answered', status, headers, body: '{}', json: {}, receivedAt: NOW };
}

function classified(
  result: HttpResult,
  step: StepFacts,
  options: { policy?: ProviderPolicy; read?: Outcome | null; error?: Partial<ProviderError> } = {},
): Classified {
  const { policy = SILENT, read = ACCEPTED, error = {} } = options;
  return classify(
    result,
    step,
    policy,
    () => read,
    () => ({ own: true, message: 'said so', ...error }),
  );
}

const kindsOf = (result: HttpResult, read?: Outcome | null): OutcomeKind[] =>
  [SUBMIT, CANCEL, GET].map(
    (step) => classified(result, step, read === undefined ? {} : { read }).outcome.kind,
  );

describe('an observation, where the provider documents nothing', () => {
  test.each<[string, number[], submit: OutcomeKind, repeatableWrite: OutcomeKind, read: OutcomeKind]>([
    ['the content is at fault', [400, 413, 422], 'rejected', 'rejected', 'rejected'],
    [
      'our URL or method is wrong',
      [300, 301, 302, 303, 304, 307, 308, 399, 405, 406, 415],
      'blocked',
      'blocked',
      'blocked',
    ],
    ['it is not there', [404], 'missing', 'missing', 'missing'],
    ['it conflicts', [409], 'settled', 'settled', 'settled'],
    ['it is retired', [410], 'gone', 'gone', 'gone'],
    ['the account is refused', [401, 402, 403], 'blocked', 'blocked', 'blocked'],
    ['it was not executed', [425, 429], 'throttled', 'throttled', 'throttled'],
    ['nobody knows', [408, 500, 501, 502, 503, 504, 505, 520, 599], 'unknown', 'failed', 'failed'],
    ['it is no final answer', [100, 101, 103, 199], 'unknown', 'failed', 'failed'],
    ['it is no HTTP status', [600, 999], 'unknown', 'failed', 'failed'],
  ])('%s: %j', (_why, statuses, submit, repeatableWrite, read) => {
    for (const status of statuses) expect(kindsOf(answer(status))).toEqual([submit, repeatableWrite, read]);
  });

  test.each<[number, string]>([
    [401, 'auth'],
    [402, 'auth'],
    [403, 'auth'],
    [301, 'misconfigured'],
    [405, 'misconfigured'],
    [406, 'misconfigured'],
    [415, 'misconfigured'],
  ])('%d blocks as %s', (status, code) => {
    expect(classified(answer(status), SUBMIT).outcome).toEqual({ kind: 'blocked', code, message: 'said so' });
  });

  test.each(['timeout', 'ECONNRESET', 'EPIPE', 'headers_timeout', 'body_timeout', 'too_large', 'aborted'])(
    'a %s after the first byte is unknown, and harmless only where the step may be repeated',
    (code) => {
      const result: HttpResult = { kind: 'unknown', code, message: 'no whole answer' };
      expect(classified(result, SUBMIT)).toEqual({ outcome: { ...result }, rule: null });
      for (const step of [CANCEL, GET]) {
        expect(classified(result, step)).toEqual({ outcome: { ...result, kind: 'failed' }, rule: null });
      }
    },
  );

  test.each(['ENOTFOUND', 'ECONNREFUSED', 'connect_timeout', 'tls', 'send_by'])(
    '%s before the first byte was not sent, whatever the step',
    (code) => {
      const result: HttpResult = { kind: 'notSent', code, message: 'never left' };
      for (const step of [SUBMIT, CANCEL, GET]) {
        expect(classified(result, step)).toEqual({ outcome: result, rule: null });
      }
    },
  );

  test.each([200, 201, 202, 204, 226, 299])('%d is what the step reads in it', (status) => {
    expect(classified(answer(status), SUBMIT)).toEqual({ outcome: ACCEPTED, rule: null });
  });

  test.each([200, 201, 202, 204, 299])(
    '%d that cannot be read is unknown on a submit, and failed elsewhere',
    (status) => {
      expect(kindsOf(answer(status), null)).toEqual(['unknown', 'failed', 'failed']);
      expect(classified(answer(status), SUBMIT, { read: null }).outcome).toMatchObject({
        code: 'unreadable_answer',
      });
    },
  );

  test('an unexpected 500 alerts, other server errors do not', () => {
    const alerts = [500, 501, 502, 503, 504].filter(
      (status) => classified(answer(status), GET).rule?.alert === true,
    );
    expect(alerts).toEqual([500]);
  });

  test('every rule of it has a name of its own and says what it means', () => {
    const ids = GENERAL_RULES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const rule of GENERAL_RULES) {
      expect(rule.id).toMatch(/^general\/[a-z-]+$/);
      expect(rule.meaning).not.toBe('');
      expect(rule.evidence).toBe('assumed');
    }
  });

  test('no rule of it is hidden behind an earlier one', () => {
    const statuses = Array.from({ length: 500 }, (_, index) => index + 100).filter(
      (status) => status < 200 || status > 299,
    );
    const used = new Set(statuses.map((status) => classified(answer(status), SUBMIT).rule?.id));
    expect(used).toEqual(new Set(GENERAL_RULES.map(({ id }) => id)));
  });
});

describe('404', () => {
  const foreign = { error: { own: false } };

  test('in words that are not the provider’s own is inconclusive on a read', () => {
    expect(classified(answer(404), GET, foreign).outcome).toMatchObject({
      kind: 'failed',
      code: 'foreign_not_found',
    });
  });

  test('in words that are not the provider’s own says on a write that our URL is wrong', () => {
    for (const step of [SUBMIT, CANCEL])
      expect(classified(answer(404), step, foreign).outcome.kind).toBe('missing');
  });

  test('in the provider’s own words says of a read that it is not there', () => {
    expect(classified(answer(404), GET).outcome).toEqual({
      kind: 'missing',
      code: 'http_404',
      message: 'said so',
    });
  });
});

const documented = (
  rule: Partial<PolicyRule> & Pick<PolicyRule, 'id' | 'status' | 'outcome'>,
): PolicyRule => ({
  meaning: 'as documented',
  source: 'the document of this test',
  evidence: 'documented',
  ...rule,
});

describe('which rule decides', () => {
  const policy: ProviderPolicy = {
    ...DEFAULT_POLICY,
    rules: [
      documented({ id: 'p/status', status: 400, outcome: 'rejected' }),
      documented({ id: 'p/late', status: 400, outcome: 'gone' }),
      documented({
        id: 'p/any-4xx-funds',
        status: [400, 499],
        code: 'FUNDS',
        outcome: 'waiting',
        wait: { reason: 'funds', scope: 'account' },
      }),
      documented({ id: 'p/cancel-only', status: 422, steps: ['cancel'], outcome: 'settled' }),
      documented({ id: 'p/range', status: [403, 404], outcome: 'gone' }),
      documented({ id: 'p/not-processed', status: 503, outcome: 'failed' }),
      documented({
        id: 'p/reinstall',
        status: 401,
        code: 'invalid_grant',
        outcome: 'blocked',
        block: 'reinstall',
      }),
    ],
  };
  const ruleOf = (status: number, step: StepFacts, code?: string) =>
    classified(answer(status), step, { policy, error: code === undefined ? {} : { code } }).rule?.id;

  test('the provider’s code comes before the status alone, wherever it stands in the table', () => {
    expect(ruleOf(400, SUBMIT, 'FUNDS')).toBe('p/any-4xx-funds');
    expect(ruleOf(402, SUBMIT, 'FUNDS')).toBe('p/any-4xx-funds');
  });

  test('a code that the table does not know falls back to the status', () => {
    expect(ruleOf(400, SUBMIT, 'OTHER')).toBe('p/status');
  });

  test('a code counts only under its own status', () => {
    expect(ruleOf(500, SUBMIT, 'FUNDS')).toBe('general/internal-error');
  });

  test('a rule for a code is none for its status', () => {
    expect(ruleOf(401, SUBMIT)).toBe('general/unauthorized');
    expect(ruleOf(401, SUBMIT, 'invalid_grant')).toBe('p/reinstall');
  });

  test('of two rules for one status the first wins, and a range includes both its ends', () => {
    expect([403, 404, 405].map((status) => ruleOf(status, SUBMIT))).toEqual([
      'p/range',
      'p/range',
      'general/method',
    ]);
    expect(ruleOf(400, SUBMIT)).toBe('p/status');
  });

  test('a rule of some steps leaves the others to the general rules', () => {
    expect(ruleOf(422, CANCEL)).toBe('p/cancel-only');
    expect(ruleOf(422, SUBMIT)).toBe('general/rejected');
  });

  test('the provider comes before the general rules: a documented 503 may certainly be repeated', () => {
    const { outcome, rule } = classified(answer(503), SUBMIT, { policy });
    expect([outcome.kind, rule?.id]).toEqual(['failed', 'p/not-processed']);
  });

  test('what is waited for, and what blocks, is the rule’s', () => {
    expect(classified(answer(400), SUBMIT, { policy, error: { code: 'FUNDS' } }).outcome).toEqual({
      kind: 'waiting',
      reason: 'funds',
      scope: 'account',
      code: 'FUNDS',
      message: 'said so',
    });
    expect(classified(answer(401), SUBMIT, { policy, error: { code: 'invalid_grant' } }).outcome).toEqual({
      kind: 'blocked',
      code: 'reinstall',
      message: 'said so',
    });
  });

  test('the fields that a rejection names are passed on', () => {
    const fields = { email: ['is not valid'] };
    expect(classified(answer(422), SUBMIT, { error: { fields, code: 'VALIDATION' } }).outcome).toEqual({
      kind: 'rejected',
      code: 'VALIDATION',
      message: 'said so',
      fields,
    });
  });
});

describe('the time that an answer names', () => {
  const DATE = 'Thu, 01 Jan 2026 00:00:00 GMT';

  test.each<[string, Answer['headers'], number | undefined]>([
    ['none', {}, undefined],
    ['Retry-After', { 'retry-after': '30' }, 30_000],
    [
      'Retry-After before any reset header',
      { 'retry-after': '30', 'ratelimit-reset': '5', 'x-ratelimit-reset': '600' },
      30_000,
    ],
    ['the largest of several Retry-After', { 'retry-after': ['5', '50'] }, 50_000],
    ['a reset header where Retry-After is nonsense', { 'retry-after': '-3', 'ratelimit-reset': '5' }, 5_000],
    [
      'a date, measured by the answer’s own clock',
      { 'retry-after': 'Thu, 01 Jan 2026 00:00:10 GMT', date: DATE },
      10_000,
    ],
    ['no reset from a cache', { 'ratelimit-reset': '5', age: '3' }, undefined],
    ['nothing of headers that came twice as a Date', { date: [DATE, DATE] }, undefined],
  ])('is %s', (_what, headers, aheadMs) => {
    const { outcome } = classified(answer(429, headers), SUBMIT);
    const expected = aheadMs === undefined ? {} : { retryAt: NOW + aheadMs };
    expect(outcome).toEqual({ kind: 'throttled', code: 'http_429', message: 'said so', ...expected });
  });

  test('is read in the provider’s own dialect', () => {
    const delta = { ...SILENT, resetDialect: 'delta' as const };
    const headers = { 'ratelimit-reset': String(NOW / 1_000 + 60) };
    expect(classified(answer(429, headers), SUBMIT, { policy: delta }).outcome).not.toHaveProperty('retryAt');
    expect(classified(answer(429, headers), SUBMIT).outcome).toHaveProperty('retryAt', NOW + 60_000);
  });

  const outOfStock: ProviderPolicy = {
    ...SILENT,
    rules: [
      documented({
        id: 'p/stock',
        status: 400,
        outcome: 'waiting',
        wait: { reason: 'stock', scope: 'order' },
      }),
    ],
  };

  test('is honoured by what waits for stock or funds as well', () => {
    const { outcome } = classified(answer(400, { 'retry-after': '120' }), SUBMIT, { policy: outOfStock });
    expect(outcome).toHaveProperty('retryAt', NOW + 120_000);
  });

  test('is not the reset of the rate limit for what waits for stock or funds', () => {
    const { outcome } = classified(answer(400, { 'x-ratelimit-reset': '1' }), SUBMIT, { policy: outOfStock });
    expect(outcome).not.toHaveProperty('retryAt');
  });
});

describe('whatever a server answers', () => {
  const steps = fc.record({ name: fc.string(), repeatable: fc.boolean(), writes: fc.boolean() });

  test('is classified without an exception, and never as a success that the step has not read', () => {
    fc.assert(
      fc.property(results, steps, fc.string(), (result, step, code) => {
        const { outcome } = classified(result, step, { read: null, error: { code } });
        expect(['accepted', 'observed', 'done', 'interrupted']).not.toContain(outcome.kind);
      }),
      { numRuns: 1_000 },
    );
  });

  test('is never "certainly not done" on a step that may not be repeated, unless the provider has said so', () => {
    fc.assert(
      fc.property(results, (result) => {
        expect(classified(result, SUBMIT, { read: null }).outcome.kind).not.toBe('failed');
      }),
      { numRuns: 1_000 },
    );
  });

  test('names a time that is never before the answer', () => {
    fc.assert(
      fc.property(results, (result) => {
        const { outcome } = classified(result, SUBMIT, { read: null });
        if ('retryAt' in outcome) expect(outcome.retryAt).toBeGreaterThanOrEqual(NOW);
      }),
      { numRuns: 1_000 },
    );
  });
});

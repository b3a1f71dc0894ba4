import type { Answer } from '../../../src/policy/answer.js';
import type { OutcomeKind } from '../../../src/policy/outcome.js';
import type { PolicyRule } from '../../../src/policy/policy.js';
import type { Step } from '../../../src/providers/provider.js';
import { policy } from '../../../src/providers/zupy/policy.js';
import { expectNamedRules, judge, stepNamed, stepsOf, strangeSteps, workFor } from '../fixtures.js';
import { answerOf, issued, NOW, openAccount, problem } from './fixtures.js';

const account = openAccount();
const work = workFor(issued());
const allSteps = stepsOf(account);
const ONCE = ['redeem', 'validate-multi', 'request-otp', 'verify-otp'];

/** The words by which a code gets its second part. */
const DETAILS: Readonly<Record<string, Record<string, unknown>>> = {
  'permission-denied/otp': { detail: 'OTP verification required' },
  'validation-error/points': { errors: [{ field: 'x', detail: 'Pontos insuficientes' }] },
  'validation-error/already-redeemed': { errors: [{ field: 'x', detail: 'Prêmio gratuito já resgatado' }] },
};

/** An answer that a rule is about: of its code, else without any type. */
function answerFor({ status, code }: PolicyRule): Answer {
  // 500 to 504 have rules of their own.
  const exact = typeof status === 'number' ? status : 520;
  if (code !== undefined) return problem(exact, code.split('/')[0] ?? '', DETAILS[code] ?? {});
  return exact < 500 ? problem(exact, 'a-new-type') : answerOf(exact, '<html>Bad Gateway</html>');
}

function kindAt(step: Step, rule: PolicyRule): OutcomeKind {
  if (rule.outcome === 'unknown') return step.repeatable ? 'failed' : 'unknown';
  return rule.outcome;
}

describe('every rule', () => {
  test.each(policy.rules.map((rule) => [rule.id, rule] as const))(
    '%s decides about its answers',
    (id, rule) => {
      const answer = answerFor(rule);
      const named = rule.steps === undefined ? allSteps : rule.steps.map((name) => stepNamed(account, name));
      const decided = named.filter((step) => judge(account, step, work, answer).rule?.id === id);
      // A rule for all steps gives way to those for some; one that names its steps decides at all of them.
      if (rule.steps !== undefined) expect(decided).toEqual(named);
      expect(decided.length).toBeGreaterThan(0);
      for (const step of decided)
        expect(judge(account, step, work, answer).outcome.kind).toBe(kindAt(step, rule));
    },
  );
});

describe('every documented answer', () => {
  const otherwise: Record<string, OutcomeKind> = { 'verify-otp': 'waiting' };
  const looks: Record<string, OutcomeKind> = { look: 'failed', 'look-points': 'failed' };
  const once: Record<string, OutcomeKind> = Object.fromEntries(ONCE.map((name) => [name, 'unknown']));

  test.each<[number, string, OutcomeKind, Record<string, OutcomeKind>]>([
    [400, 'validation-error', 'rejected', {}],
    [401, 'authentication-required', 'blocked', otherwise],
    [403, 'permission-denied', 'blocked', {}],
    [403, 'otp-required', 'waiting', {}],
    [403, 'integration-not-found', 'blocked', {}],
    [404, 'not-found', 'missing', { ...looks, ...otherwise }],
    [409, 'conflict', 'settled', {}],
    [410, 'gone', 'gone', {}],
    [422, 'validation-error', 'rejected', {}],
    [422, 'insufficient-balance', 'waiting', {}],
    [429, 'rate-limit-exceeded', 'throttled', otherwise],
    [503, 'service-unavailable', 'failed', once],
    [503, 'wallet-temporarily-unavailable', 'failed', once],
    [400, 'a-new-type', 'rejected', {}],
    [401, 'a-new-type', 'blocked', otherwise],
    [403, 'a-new-type', 'blocked', {}],
    [404, 'a-new-type', 'missing', { ...looks, ...otherwise }],
    [409, 'a-new-type', 'settled', {}],
    [410, 'a-new-type', 'gone', {}],
    [422, 'a-new-type', 'rejected', {}],
    [429, 'a-new-type', 'throttled', otherwise],
    [500, 'a-new-type', 'failed', once],
    [503, 'a-new-type', 'failed', once],
  ])('%d %s is %s, with exceptions %j', (status, type, kind, exceptions) => {
    const outcomes = allSteps.map((step) => [
      step.name,
      judge(account, step, work, problem(status, type)).outcome.kind,
    ]);
    const expected = allSteps.map(({ name }) => [name, exceptions[name] ?? kind]);
    expect(outcomes).toEqual(expected);
  });

  test.each([500, 501, 502, 503, 504, 520, 599])(
    '%d from below the application is unknown where a repeat could do it twice, else tried again',
    (status) => {
      for (const step of allSteps) {
        const { outcome, rule } = judge(account, step, work, answerOf(status, '<html></html>'));
        expect([step.name, outcome.kind]).toEqual([
          step.name,
          ONCE.includes(step.name) ? 'unknown' : 'failed',
        ]);
        expect(rule?.id).toMatch(/^zupy\//);
      }
    },
  );

  test.each<[number, OutcomeKind]>([
    [301, 'blocked'],
    [402, 'blocked'],
    [405, 'blocked'],
    [408, 'unknown'],
    [413, 'rejected'],
    [415, 'blocked'],
    [425, 'throttled'],
  ])('%d stays with the general rules: %s', (status, kind) => {
    const { outcome, rule } = judge(account, stepNamed(account, 'redeem'), work, problem(status, 'x'));
    expect(outcome.kind).toBe(kind);
    expect(rule?.id).toMatch(/^general\//);
  });

  test('only a shortage of points in a redeem waits for points', () => {
    const { steps } = policy.rules.find(({ id }) => id === 'zupy/points-short') ?? {};
    expect(steps).toEqual(['redeem']);
    const answer = problem(422, 'validation-error', DETAILS['validation-error/points']);
    expect(judge(account, stepNamed(account, 'validate'), work, answer).outcome.kind).toBe('rejected');
  });

  test('500 alone alerts each time', () => {
    const alerting = policy.rules.filter(({ alert }) => alert === true);
    expect(new Set(alerting.map(({ status }) => status))).toEqual(new Set([500]));
  });

  test('a limit without a time waits 5 s, doubled up to 60 s; one with a time, until then', () => {
    expect(policy.throttle).toEqual({ baseMs: 5_000, capMs: 60_000, floorMs: 5_000, jitter: 'equal' });
    const step = stepNamed(account, 'redeem');
    const body = { type: 'https://docs.zupy.com/errors#rate-limit-exceeded', title: 'No', status: 429 };
    const at = (headers: Answer['headers']) =>
      judge(account, step, work, answerOf(429, body, headers)).outcome;
    expect(at({})).not.toHaveProperty('retryAt');
    expect(at({ 'retry-after': '12' })).toMatchObject({ kind: 'throttled', retryAt: NOW + 12_000 });
    const reset = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW / 1_000 + 42) };
    expect(at(reset)).toMatchObject({ retryAt: NOW + 42_000 });
    expect(at({ ...reset, 'retry-after': '7' })).toMatchObject({ retryAt: NOW + 7_000 });
  });

  test('a 503 is tried again after 5 to 30 s, one about wallet passes after 30 s', () => {
    const backoffOf = (wanted: string) => policy.rules.find(({ id }) => id === wanted)?.backoff;
    expect(backoffOf('zupy/service-unavailable')).toMatchObject({ floorMs: 5_000, capMs: 30_000 });
    expect(backoffOf('zupy/wallet-unavailable')).toMatchObject({ baseMs: 30_000, floorMs: 30_000 });
  });
});

describe('the table', () => {
  test('names each rule once, with a meaning and a source', () => {
    expectNamedRules(policy, /^zupy\/[a-z0-9-]+$/);
  });

  test('names only steps that exist', () => {
    expect(strangeSteps(policy, allSteps)).toEqual([]);
  });

  test('waits for an order, never for the account: points are the customer’s', () => {
    const waits = policy.rules.filter(({ outcome }) => outcome === 'waiting');
    expect(waits.map(({ wait }) => wait?.scope)).toEqual(waits.map(() => 'order'));
    expect(policy.rules.filter(({ wait }) => wait !== undefined)).toEqual(waits);
  });
});

describe('the problem', () => {
  test.each([
    ['behind a #', 'https://docs.zupy.com/errors#otp-required'],
    ['as the end of a path', 'https://api.zupy.com/errors/otp-required'],
    ['with a slash at its end', 'https://api.zupy.com/errors/otp-required/'],
    ['bare, in capitals', 'OTP-Required'],
  ])('is known by its type, %s', (_what, type) => {
    const title = 'Permission Denied';
    expect(account.readError(answerOf(403, { type, title, detail: 'OTP verification required' }))).toEqual({
      own: true,
      code: 'otp-required',
      message: 'OTP verification required',
    });
  });

  test.each([
    ['about:blank', undefined],
    ['https://docs.zupy.com/errors#<b>', undefined],
    ['##', undefined],
    [`#${'x'.repeat(101)}`, undefined],
  ])('has no code where the type is none: %s', (type, code) => {
    const error = account.readError(answerOf(403, { type, title: 'Forbidden', status: 403 }));
    expect(error).toMatchObject({ own: true, message: 'Forbidden' });
    expect(error.code).toBe(code);
  });

  test.each([
    ['HTML', '<html>Bad Gateway</html>'],
    ['nothing', ''],
    ['another envelope', { error_msg: 'no Route matched' }],
    ['a type alone', { type: 'https://docs.zupy.com/errors#gone' }],
    ['a title alone', { title: 'Not Found' }],
    ['a type that is no text', { type: 7, title: 'Not Found' }],
    ['a list', []],
  ])('is not Zupy’s with %s', (_what, body) => {
    expect(account.readError(answerOf(502, body))).toEqual({
      own: false,
      message: "HTTP 502 without Zupy's problem body",
    });
  });

  test('reads the field errors that can be read, and no more than a form has', () => {
    const errors = [
      null,
      'x',
      { detail: 'Ainda não.' },
      { field: 'a' },
      { field: 7, detail: 8 },
      { field: '__proto__', detail: 'p' },
      ...Array.from({ length: 100 }, (_, index) => ({ field: `f${index}`, detail: 'x' })),
    ];
    const { fields = {} } = account.readError(problem(422, 'validation-error', { errors }));
    expect(fields).toMatchObject({ non_field_errors: ['Ainda não.'], 7: ['8'] });
    expect(Object.keys(fields)).toContain('__proto__');
    expect(Object.keys(fields).length).toBeLessThanOrEqual(50);
  });

  test('takes out of a text what no database takes', () => {
    const detail = 'Cupom\u0000já\nUsed \ud800';
    expect(account.readError(problem(409, 'conflict', { detail })).message).toBe('Cupom já Used \ufffd');
  });
});

import fc from 'fast-check';
import { FIRST_LOOK_MS, judgeLook, type LookFacts, type LookResult } from '../../src/confirm/judge.js';
import type { Outcome } from '../../src/policy/outcome.js';
import type { CommonConfig } from '../../src/providers/provider.js';
import { NOW, outcomes } from '../policy/arbitraries.js';

const CONFIG: CommonConfig['confirm'] = { graceMs: 5_000, looks: 4, spacingMs: 30_000 };
const MINUTE_MS = 60_000;

/** The fourth look, of a call that has certainly ended, three of them having found nothing. */
const READY: LookFacts = {
  counts: true,
  caller: 'spoken',
  absentLooks: 3,
  looks: 3,
  deadline: NOW + 24 * 60 * MINUTE_MS,
  waitSince: NOW - 2 * MINUTE_MS,
};

const MISSING: Outcome = { kind: 'missing', code: 'http_404', message: 'no such order' };
const FAILED: Outcome = { kind: 'failed', code: 'http_500', message: 'trouble' };
const state = { providerOrderId: 'p-1', reference: 'r', status: 'submitted', rawStatus: 'created' } as const;

const judged = (outcome: Outcome, facts: Partial<LookFacts> = {}, config = CONFIG, now = NOW) =>
  judgeLook(outcome, { ...READY, ...facts }, config, now);

const again = (counted: boolean, delayMs: number): LookResult => ({ kind: 'again', counted, delayMs });

describe('a look that finds the order', () => {
  test.each([true, null, undefined])(
    'adopts it where the content is the same, or cannot be told: %s',
    (same) => {
      const found = { ...state, ...(same === undefined ? {} : { sameContent: same }) };
      expect(judged({ kind: 'observed', state: found })).toEqual({ kind: 'found', state: found });
    },
  );

  test('finds that the reference is taken where the content is another', () => {
    const other = { ...state, sameContent: false };
    expect(judged({ kind: 'observed', state: other })).toEqual({ kind: 'taken', state: other });
  });

  test.each<[string, Partial<LookFacts>]>([
    ['before absences count', { counts: false }],
    ['while the caller is silent', { caller: 'silent', waitSince: NOW - 60 * MINUTE_MS }],
    ['after the deadline', { deadline: NOW - 1 }],
    ['at the very first look', { looks: 0, absentLooks: 0 }],
  ])('is believed at any time: %s', (_when, facts) => {
    expect(judged({ kind: 'observed', state }, facts).kind).toBe('found');
  });
});

describe('a look that finds that it is not there', () => {
  test.each<[string, Partial<LookFacts>, LookResult]>([
    ['the last of enough looks: proven absent', {}, { kind: 'absent' }],
    ['one too few', { absentLooks: 2 }, again(true, 30_000)],
    ['the first', { absentLooks: 0, looks: 0 }, again(true, 30_000)],
    ['many looks, few of which counted', { absentLooks: 2, looks: 99 }, again(true, 30_000)],
    ['the call may still be on its way', { counts: false }, again(false, 30_000)],
    ['its caller is gone', { caller: 'gone' }, { kind: 'absent' }],
    ['there is no open call: a replay, or a cancel that looks first', { caller: 'none' }, { kind: 'absent' }],
    ['its caller lives and is silent', { caller: 'silent' }, again(true, 30_000)],
    ['more than enough', { absentLooks: 20 }, { kind: 'absent' }],
  ])('%s', (_what, facts, expected) => {
    expect(judged(MISSING, facts)).toEqual(expected);
  });

  test('is proof at once where one look is configured', () => {
    expect(judged(MISSING, { absentLooks: 0, looks: 0 }, { ...CONFIG, looks: 1 })).toEqual({
      kind: 'absent',
    });
  });

  test('is proof at the deadline as well', () => {
    expect(judged(MISSING, { deadline: NOW - 1 })).toEqual({ kind: 'absent' });
  });
});

describe('a look that finds out nothing', () => {
  test.each([
    [0, 30_000],
    [1, 60_000],
    [2, 120_000],
    [3, 240_000],
    [4, 300_000],
    [5_000, 300_000],
  ])('after %d looks comes again in %d ms: twice as far each time, up to five minutes', (looks, delayMs) => {
    expect(judged(FAILED, { looks })).toEqual(again(false, delayMs));
  });

  test.each<Outcome>([
    FAILED,
    { kind: 'done' },
    { kind: 'done', states: [] },
    { kind: 'settled', code: 'x', message: 'x' },
    { kind: 'gone', code: 'x', message: 'x' },
    { kind: 'rejected', code: 'x', message: 'x' },
    { kind: 'blocked', code: 'auth', message: 'x' },
    { kind: 'throttled', code: 'x', message: 'x' },
    { kind: 'unknown', code: 'x', message: 'x' },
    { kind: 'notSent', code: 'x', message: 'x' },
    { kind: 'interrupted' },
  ])('does not count: $kind', (outcome) => {
    expect(judged(outcome)).toMatchObject({ kind: 'again', counted: false });
  });
});

describe('a human is asked', () => {
  test('when no trustworthy answer came in time, with the last one named', () => {
    expect(judged(FAILED, { deadline: NOW })).toEqual({
      kind: 'expired',
      code: 'unconfirmed',
      message: 'no trustworthy answer in time; the last look ended as http_500',
    });
    expect(judged(FAILED, { deadline: NOW + 1 }).kind).toBe('again');
    expect(judged(FAILED, { deadline: null }).kind).toBe('again');
  });

  test('when absences are still too few at the deadline', () => {
    expect(judged(MISSING, { deadline: NOW, absentLooks: 2 })).toMatchObject({
      kind: 'expired',
      code: 'unconfirmed',
    });
  });

  test('when the caller lives and has been silent for ten minutes, whatever the looks say', () => {
    const frozen = { caller: 'silent', waitSince: NOW - 10 * MINUTE_MS } as const;
    for (const outcome of [MISSING, FAILED]) {
      expect(judged(outcome, frozen)).toMatchObject({ kind: 'expired', code: 'worker_frozen' });
      expect(judged(outcome, { ...frozen, waitSince: NOW - 10 * MINUTE_MS + 1 }).kind).toBe('again');
      expect(judged(outcome, { ...frozen, waitSince: null }).kind).toBe('again');
    }
  });

  test('as for a frozen worker, where both times are up: that says what to look at', () => {
    expect(judged(FAILED, { caller: 'silent', waitSince: 0, deadline: 0 })).toMatchObject({
      code: 'worker_frozen',
    });
  });
});

describe('whatever a look brings', () => {
  const times = fc.option(fc.integer({ min: NOW - 86_400_000, max: NOW + 86_400_000 }));
  const facts: fc.Arbitrary<LookFacts> = fc.record({
    counts: fc.boolean(),
    caller: fc.constantFrom('none', 'spoken', 'gone', 'silent'),
    absentLooks: fc.nat({ max: 30 }),
    looks: fc.nat({ max: 3_000 }),
    deadline: times,
    waitSince: times,
  });
  const configs: fc.Arbitrary<CommonConfig['confirm']> = fc.record({
    graceMs: fc.nat({ max: 3_600_000 }),
    looks: fc.integer({ min: 1, max: 20 }),
    spacingMs: fc.nat({ max: 3_600_000 }),
  });
  const anything = fc.oneof(outcomes, fc.constant(MISSING));

  test('absence is proven only by enough counted absences in the provider’s own words, of a call whose caller is not silent', () => {
    fc.assert(
      fc.property(anything, facts, configs, (outcome, known, config) => {
        const proven = judgeLook(outcome, known, config, NOW).kind === 'absent';
        const may =
          outcome.kind === 'missing' &&
          known.counts &&
          known.caller !== 'silent' &&
          known.absentLooks + 1 >= config.looks;
        expect(proven).toBe(may);
      }),
      { numRuns: 2_000 },
    );
  });

  test('an absence is counted only once the call had certainly ended', () => {
    fc.assert(
      fc.property(anything, facts, configs, (outcome, known, config) => {
        const result = judgeLook(outcome, known, config, NOW);
        if (result.kind === 'again') expect(result.counted).toBe(outcome.kind === 'missing' && known.counts);
      }),
      { numRuns: 1_000 },
    );
  });

  test('looking goes on neither beyond the deadline nor, for a silent caller, beyond ten minutes', () => {
    fc.assert(
      fc.property(anything, facts, configs, (outcome, known, config) => {
        if (judgeLook(outcome, known, config, NOW).kind !== 'again') return;
        expect(known.deadline === null || known.deadline > NOW).toBe(true);
        const silentFor = known.waitSince === null ? 0 : NOW - known.waitSince;
        expect(known.caller !== 'silent' || silentFor < 10 * MINUTE_MS).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test('a found order is found, and nothing else is', () => {
    fc.assert(
      fc.property(anything, facts, configs, (outcome, known, config) => {
        const { kind } = judgeLook(outcome, known, config, NOW);
        const same = outcome.kind === 'observed' && outcome.state.sameContent !== false;
        expect(kind === 'found').toBe(same);
        expect(kind === 'taken').toBe(outcome.kind === 'observed' && !same);
      }),
    );
  });

  test('enough absent looks in a row end in proof after exactly as many as configured', () => {
    fc.assert(
      fc.property(configs, (config) => {
        let absentLooks = 0;
        while (
          judgeLook(MISSING, { ...READY, absentLooks, looks: absentLooks }, config, NOW).kind === 'again'
        )
          absentLooks += 1;
        expect(absentLooks + 1).toBe(config.looks);
      }),
    );
  });

  test('the first look comes soon, before the usual spacing', () => {
    expect(FIRST_LOOK_MS).toBe(1_000);
  });
});

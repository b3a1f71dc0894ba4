/** The breaker's arithmetic, held against a plain list of all calls. */
import fc from 'fast-check';
import {
  afterProbe,
  afterTrouble,
  type BreakerSettings,
  type BreakerState,
  callsIn,
  closedByHand,
  counted,
  EMPTY_WINDOW,
  openMs,
  type Sign,
  shownWindow,
  signOf,
  type Tally,
  type Window,
} from '../../src/gate/breaker.js';
import type { HttpResult } from '../../src/policy/answer.js';
import type { Outcome } from '../../src/policy/outcome.js';

const SETTINGS: BreakerSettings = {
  minCalls: 4,
  ratio: 0.5,
  windowMs: 9_000,
  openMs: 1_000,
  maxOpenMs: 5_000,
};

const closed = (last: { openings: number; closedAt: number } | null = null): BreakerState => ({
  kind: 'closed',
  window: EMPTY_WINDOW,
  last,
});

const trouble = (n: number): Tally => ({ wells: 0, troubles: n });

interface Step {
  /** Since the step before, ms. */
  passed: number;
  trouble: boolean;
}

const steps = fc.array(fc.record({ passed: fc.integer({ min: 0, max: 8_000 }), trouble: fc.boolean() }), {
  minLength: 1,
  maxLength: 60,
});
const figures = fc.record({
  minCalls: fc.integer({ min: 1, max: 12 }),
  windowMs: fc.integer({ min: 1_000, max: 30_000 }),
});

/** After each step: the window, and all calls so far with their times. */
function play(made: readonly Step[], settings: Pick<BreakerSettings, 'minCalls' | 'windowMs'>) {
  const calls: { at: number; trouble: boolean }[] = [];
  let now = 0;
  let window: Window = EMPTY_WINDOW;
  return made.map((step) => {
    now += step.passed;
    calls.push({ at: now, trouble: step.trouble });
    const seen = step.trouble ? trouble(1) : { wells: 1, troubles: 0 };
    window = counted(window, seen, now, settings);
    return { now, window, calls: [...calls] };
  });
}

describe('the window', () => {
  test('holds the last calls, without a gap', () => {
    fc.assert(
      fc.property(steps, figures, (made, settings) => {
        for (const { window, calls } of play(made, settings)) {
          const counts = callsIn(window);
          const last = calls.slice(-counts.calls);
          expect(last).toHaveLength(counts.calls);
          expect(last.filter((call) => call.trouble)).toHaveLength(counts.troubles);
        }
      }),
    );
  });

  test('holds none that is older than it', () => {
    fc.assert(
      fc.property(steps, figures, (made, settings) => {
        for (const { now, window, calls } of play(made, settings)) {
          const oldest = calls.at(-callsIn(window).calls)?.at ?? Number.NaN;
          expect(now - oldest).toBeLessThanOrEqual(settings.windowMs);
        }
      }),
    );
  });

  test('holds those of its last third, unless so many younger ones are in it as the breaker asks for', () => {
    fc.assert(
      fc.property(steps, figures, (made, settings) => {
        for (const { now, window, calls } of play(made, settings)) {
          const young = calls.filter(({ at }) => now - at < settings.windowMs / 3).length;
          expect(callsIn(window).calls).toBeGreaterThanOrEqual(Math.min(young, settings.minCalls));
        }
      }),
    );
  });

  test('forgets old successes so soon that a sudden outage is seen after twice the calls that it takes', () => {
    fc.assert(
      fc.property(figures, fc.integer({ min: 1, max: 100_000 }), (settings, wells) => {
        let window = counted(EMPTY_WINDOW, { wells, troubles: 1 }, 0, settings);
        for (let n = 0; n < 2 * settings.minCalls; n += 1) window = counted(window, trouble(1), 1, settings);
        const { calls, troubles } = callsIn(window);
        expect(troubles).toBe(calls);
        expect(calls).toBeGreaterThanOrEqual(settings.minCalls);
      }),
    );
  });

  test('is looked at without what is too old to count', () => {
    const state = afterTrouble(closed(), trouble(3), 0, SETTINGS);
    expect(callsIn(shownWindow(state, 1_000, SETTINGS))).toEqual({ calls: 3, troubles: 3 });
    expect(callsIn(shownWindow(state, 9_000, SETTINGS))).toEqual({ calls: 0, troubles: 0 });
  });
});

describe('opening', () => {
  test('happens if and only if enough calls were made and enough of them met trouble', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 50 }),
        fc.integer({ min: 0, max: 50 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 100 }),
        (wells, troubles, minCalls, percent) => {
          const settings = { ...SETTINGS, minCalls, ratio: percent / 100 };
          const { kind } = afterTrouble(closed(), { wells, troubles }, 0, settings);
          const enough = wells + troubles >= minCalls && troubles * 100 >= percent * (wells + troubles);
          expect(kind).toBe(enough ? 'open' : 'closed');
        },
      ),
    );
  });

  test('does not happen again while it is open, whatever comes back from before', () => {
    const open = afterTrouble(closed(), trouble(4), 0, SETTINGS);
    expect(open).toMatchObject({ kind: 'open', since: 0, until: 1_000, openings: 1, probe: null });
    expect(afterTrouble(open, trouble(50), 500, SETTINGS)).toBe(open);
  });

  test('lasts longer each time in a row, never less than the first time and never longer than the most', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.integer({ min: 100, max: 100_000 }),
        fc.integer({ min: 100, max: 1_000_000 }),
        (openings, first, most) => {
          const settings = { openMs: first, maxOpenMs: most };
          const ms = openMs(openings, settings);
          expect(ms).toBeGreaterThanOrEqual(first);
          expect(ms).toBeLessThanOrEqual(Math.max(first, most));
          expect(openMs(openings + 1, settings)).toBeGreaterThanOrEqual(ms);
        },
      ),
    );
    expect([1, 2, 3, 4, 5].map((n) => openMs(n, SETTINGS))).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  test('counts as the same row if it was closed a short while ago, else as the first', () => {
    const last = { openings: 2, closedAt: 10_000 };
    const again = (now: number) => afterTrouble(closed(last), trouble(4), now, SETTINGS);
    expect(again(14_999)).toMatchObject({ kind: 'open', openings: 3, until: 14_999 + 4_000 });
    expect(again(15_000)).toMatchObject({ kind: 'open', openings: 1, until: 15_000 + 1_000 });
  });
});

describe('the call that tries', () => {
  const open: BreakerState = {
    kind: 'open',
    window: counted(EMPTY_WINDOW, trouble(4), 0, SETTINGS),
    since: 0,
    until: 1_000,
    openings: 1,
    probe: '7',
  };
  const tried = (sign: Sign, operation = '7', now = 1_500) =>
    afterProbe(open, operation, sign, now, SETTINGS);

  test('closes the breaker where it goes well, and the counting begins anew', () => {
    expect(tried('well')).toEqual(closed({ openings: 1, closedAt: 1_500 }));
  });

  test('opens it again, for longer, where it does not', () => {
    expect(tried('trouble')).toEqual({ ...open, openings: 2, until: 1_500 + 2_000, probe: null });
  });

  test('makes room for another one where it says nothing', () => {
    expect(tried('none')).toEqual({ ...open, probe: null });
  });

  test('says nothing any more where another one tries, or where it was closed by hand', () => {
    for (const sign of ['well', 'trouble', 'none'] as const) {
      expect(tried(sign, '8')).toBe(open);
      const shut = closedByHand(open);
      expect(afterProbe(shut, '7', sign, 1_500, SETTINGS)).toBe(shut);
    }
    expect(closedByHand(open)).toEqual(closed());
  });
});

describe('what a call says of its provider', () => {
  const answered = (status: number): HttpResult => ({
    kind: 'answered',
    status,
    headers: {},
    body: '',
    json: undefined,
    receivedAt: 0,
  });
  const notSent = (code: string): HttpResult => ({ kind: 'notSent', code, message: '' });
  const lost = (code: string): HttpResult => ({ kind: 'unknown', code, message: '' });
  const outcome = (
    kind: 'failed' | 'unknown' | 'rejected' | 'missing' | 'settled' | 'throttled' | 'notSent',
  ) => ({
    kind,
    code: '',
    message: '',
  });
  const blocked: Outcome = { kind: 'blocked', code: 'auth', message: '' };
  const waiting: Outcome = { kind: 'waiting', reason: 'window', scope: 'account', code: '', message: '' };

  test.each<[string, HttpResult, Outcome, Sign]>([
    ['a 500', answered(500), outcome('unknown'), 'trouble'],
    ['a 503 to what may be repeated', answered(503), outcome('failed'), 'trouble'],
    ['a 408', answered(408), outcome('unknown'), 'trouble'],
    ['a 2xx that cannot be read', answered(200), outcome('unknown'), 'trouble'],
    ['a timeout', lost('timeout'), outcome('unknown'), 'trouble'],
    ['a connection that broke', lost('econnreset'), outcome('unknown'), 'trouble'],
    ['a refused connection', notSent('econnrefused'), outcome('notSent'), 'trouble'],
    ['a name that nobody knows', notSent('enotfound'), outcome('notSent'), 'trouble'],
    ['a call that came too late to be sent', notSent('send_by'), outcome('notSent'), 'none'],
    ['a process that stopped before it sent', notSent('aborted'), outcome('notSent'), 'none'],
    ['a process that stopped while it waited', lost('aborted'), outcome('unknown'), 'none'],
    ['a 429', answered(429), outcome('throttled'), 'none'],
    ['a rejection', answered(422), outcome('rejected'), 'well'],
    ['a 404', answered(404), outcome('missing'), 'well'],
    ['a 404 of somebody else', answered(404), outcome('failed'), 'well'],
    ['a 409 that is tried again', answered(409), outcome('failed'), 'well'],
    ['refused credentials', answered(401), blocked, 'well'],
    ['a documented 503 that names a wait', answered(503), waiting, 'well'],
    ['an order', answered(201), { kind: 'accepted', providerOrderId: '1' }, 'well'],
  ])('%s', (_what, result, said, sign) => {
    expect(signOf(result, said, result.kind === 'answered' ? result.status : null)).toBe(sign);
  });
});

import fc from 'fast-check';
import { type Backoff, backoffDelay, describeSchedule } from '../../src/policy/schedule.js';

const usual: Backoff = { baseMs: 1_000, capMs: 300_000, floorMs: 0, jitter: 'full' };
const zupy: Backoff = { baseMs: 5_000, capMs: 60_000, floorMs: 5_000, jitter: 'equal' };

const milliseconds = fc.integer({ min: 0, max: 7 * 24 * 3_600_000 });
const backoffs: fc.Arbitrary<Backoff> = fc.record(
  {
    baseMs: milliseconds,
    capMs: milliseconds,
    floorMs: milliseconds,
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
    jitter: fc.constantFrom('full', 'equal'),
  },
  { requiredKeys: ['baseMs', 'capMs', 'floorMs', 'jitter'] },
);
const attempts = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1_000_000 }));
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffDelay', () => {
  test.each([
    [1, 500],
    [2, 1_000],
    [3, 2_000],
    [9, 128_000],
    [10, 150_000],
    [1_000_000, 150_000],
  ])('full jitter, a middling draw: attempt %d waits %d ms', (attempt, expected) => {
    expect(backoffDelay(usual, attempt, () => 0.5)).toBe(expected);
  });

  test.each([
    [1, 0, 5_000],
    [2, 0, 5_000],
    [3, 0, 10_000],
    [3, 0.5, 15_000],
    [4, 0.5, 30_000],
    [5, 0, 30_000],
    [99, 0.999999, 59_999],
  ])('equal jitter above a floor: attempt %d with the draw %d waits %d ms', (attempt, draw, expected) => {
    expect(backoffDelay(zupy, attempt, () => draw)).toBe(expected);
  });

  test('grows by its own factor', () => {
    const waits = [1, 2, 3].map((attempt) => backoffDelay({ ...usual, factor: 3 }, attempt, () => 1));
    expect(waits).toEqual([1_000, 3_000, 9_000]);
  });

  test('a floor above the cap wins', () => {
    expect(backoffDelay({ ...usual, floorMs: 400_000 }, 20, () => 0.9)).toBe(400_000);
  });

  test('no base means no wait beyond the floor, however many attempts', () => {
    expect(backoffDelay({ ...usual, baseMs: 0 }, 1_000_000, () => 0.9)).toBe(0);
  });

  test('a cap without end still gives a whole number', () => {
    const endless = { ...usual, capMs: Number.POSITIVE_INFINITY };
    expect(backoffDelay(endless, 1_000_000, () => 0)).toBe(0);
    expect(Number.isSafeInteger(backoffDelay(endless, 1_000_000, () => 0.9))).toBe(true);
  });

  test('is a whole number, never below the floor and never above both cap and floor', () => {
    fc.assert(
      fc.property(backoffs, attempts, chance, (backoff, attempt, draw) => {
        const wait = backoffDelay(backoff, attempt, () => draw);
        expect(Number.isSafeInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(backoff.floorMs);
        expect(wait).toBeLessThanOrEqual(Math.max(backoff.capMs, backoff.floorMs));
      }),
      { numRuns: 1000 },
    );
  });

  test('lies within the bounds that the schedule prints for its attempt', () => {
    fc.assert(
      fc.property(backoffs, fc.integer({ min: 1, max: 50 }), chance, (backoff, attempt, draw) => {
        const wait = backoffDelay(backoff, attempt, () => draw);
        const row = describeSchedule(backoff, attempt).at(-1);
        expect(row?.attempt).toBe(attempt);
        expect(wait).toBeGreaterThanOrEqual(row?.minMs ?? Number.NaN);
        expect(wait).toBeLessThanOrEqual(row?.maxMs ?? Number.NaN);
      }),
    );
  });

  test('a larger draw never waits less', () => {
    fc.assert(
      fc.property(backoffs, attempts, chance, chance, (backoff, attempt, one, other) => {
        const shorter = backoffDelay(backoff, attempt, () => Math.min(one, other));
        const longer = backoffDelay(backoff, attempt, () => Math.max(one, other));
        expect(shorter).toBeLessThanOrEqual(longer);
      }),
    );
  });

  test('equal jitter never waits less than half of what full jitter might', () => {
    fc.assert(
      fc.property(backoffs, attempts, chance, (backoff, attempt, draw) => {
        const most = backoffDelay({ ...backoff, jitter: 'full' }, attempt, () => 1);
        const wait = backoffDelay({ ...backoff, jitter: 'equal' }, attempt, () => draw);
        expect(wait).toBeGreaterThanOrEqual(Math.floor(most / 2));
      }),
    );
  });
});

describe('describeSchedule', () => {
  test('prints the default of full jitter', () => {
    expect(describeSchedule(usual, 5)).toEqual([
      { attempt: 1, minMs: 0, maxMs: 1_000 },
      { attempt: 2, minMs: 0, maxMs: 2_000 },
      { attempt: 3, minMs: 0, maxMs: 4_000 },
      { attempt: 4, minMs: 0, maxMs: 8_000 },
      { attempt: 5, minMs: 0, maxMs: 16_000 },
    ]);
  });

  test('prints the backoff that Zupy documents for a 429', () => {
    expect(describeSchedule(zupy, 5)).toEqual([
      { attempt: 1, minMs: 5_000, maxMs: 5_000 },
      { attempt: 2, minMs: 5_000, maxMs: 10_000 },
      { attempt: 3, minMs: 10_000, maxMs: 20_000 },
      { attempt: 4, minMs: 20_000, maxMs: 40_000 },
      { attempt: 5, minMs: 30_000, maxMs: 60_000 },
    ]);
  });

  test('has no rows for no attempts', () => {
    expect(describeSchedule(usual, 0)).toEqual([]);
  });

  test('its bounds never shrink from one attempt to the next, nor cross', () => {
    fc.assert(
      fc.property(backoffs, fc.integer({ min: 1, max: 60 }), (backoff, count) => {
        const rows = describeSchedule(backoff, count);
        expect(rows).toHaveLength(count);
        rows.forEach((row, index) => {
          const before = rows[index - 1] ?? row;
          expect(row.minMs).toBeGreaterThanOrEqual(before.minMs);
          expect(row.maxMs).toBeGreaterThanOrEqual(before.maxMs);
          expect(row.maxMs).toBeGreaterThanOrEqual(row.minMs);
        });
      }),
    );
  });
});

import fc from 'fast-check';
import { type RateLimitDialect, readRateLimit } from '../../src/policy/rate-limit.js';

const NOW = Date.UTC(2026, 10, 6, 8, 49, 37);
const NOW_S = NOW / 1000;
const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DIALECTS: RateLimitDialect[] = ['delta', 'epoch', 'auto'];

const imf = (ms: number) => new Date(ms).toUTCString();

function read(
  headers: Record<string, string | string[] | undefined>,
  dialect: RateLimitDialect = 'auto',
  date?: string,
) {
  return readRateLimit(headers, { dialect, receivedAt: NOW, date });
}

function resetAt(value: string | string[], dialect: RateLimitDialect = 'auto', date?: string) {
  return read({ 'x-ratelimit-reset': value }, dialect, date)?.resetAt;
}

describe('readRateLimit', () => {
  test('reads the triple with a delta, as Wasal sends it', () => {
    const headers = { 'ratelimit-limit': '600', 'ratelimit-remaining': '0', 'ratelimit-reset': '420' };
    expect(read(headers, 'delta')).toEqual({ limit: 600, remaining: 0, resetAt: NOW + 420 * SECOND });
  });

  test.each([
    ['salla', '720', '719'],
    ['zupy', '60', '0'],
  ])('reads the vendor fields with an epoch, as %s sends them', (_provider, limit, remaining) => {
    const headers = {
      'x-ratelimit-limit': limit,
      'x-ratelimit-remaining': remaining,
      'x-ratelimit-reset': String(NOW_S + 42),
    };
    const expected = { limit: Number(limit), remaining: Number(remaining), resetAt: NOW + 42 * SECOND };
    expect(read(headers, 'epoch')).toEqual(expected);
  });

  test('gives null where there is nothing to read', () => {
    expect(read({})).toBeNull();
    expect(read({ 'content-type': 'application/json', 'x-ratelimit-limit': undefined })).toBeNull();
    expect(read({ 'x-ratelimit-limit': 'many', 'x-ratelimit-reset': '-1' })).toBeNull();
  });

  test('leaves the dictionary and list shapes of later drafts alone', () => {
    expect(read({ ratelimit: 'limit=100, remaining=0, reset=5', 'ratelimit-policy': '100;w=10' })).toBeNull();
    expect(read({ ratelimit: '"default";r=0;t=30', 'ratelimit-policy': '"burst";q=100;w=60' })).toBeNull();
  });

  test('takes one family of fields, the standard one first, and never mixes two counters', () => {
    const headers = { 'ratelimit-remaining': '5', 'x-ratelimit-remaining': '9', 'x-ratelimit-reset': '60' };
    expect(read(headers)).toEqual({ remaining: 5 });
    expect(read({ ...headers, 'ratelimit-remaining': 'five' })).toEqual({
      remaining: 9,
      resetAt: NOW + 60 * SECOND,
    });
    expect(read({ 'x-rate-limit-reset': '60' })).toEqual({ resetAt: NOW + 60 * SECOND });
  });

  test('a malformed field does not spoil the others', () => {
    const headers = { 'ratelimit-limit': '', 'ratelimit-remaining': '3', 'ratelimit-reset': 'soon' };
    expect(read(headers)).toEqual({ remaining: 3 });
  });
});

describe('limit and window', () => {
  test.each([
    ['100', { limit: 100 }],
    ['100, 100;w=60', { limit: 100, windowMs: 60_000 }],
    ['100;w=60', { limit: 100, windowMs: 60_000 }],
    ['100 ; w=60', { limit: 100, windowMs: 60_000 }],
    ['100;comment="per key";w=60;burst=5', { limit: 100, windowMs: 60_000 }],
    ['10, 10;w=1, 50;w=60, 1000;w=3600', { limit: 10, windowMs: 1_000 }],
    ['50, 10;w=1, 50;w=60', { limit: 50, windowMs: 60_000 }],
    ['100, 5000;w=3600', { limit: 100 }],
    ['100, 100;w=0', { limit: 100 }],
    ['100, 100;w=-60', { limit: 100 }],
    ['100, 100;w=60.5', { limit: 100 }],
    ['100, 100;w=99999999999', { limit: 100 }],
    ['100, 100;window=60', { limit: 100 }],
    ['0', { limit: 0 }],
    ['999999999999999', { limit: 999_999_999_999_999 }],
  ])('limit "%s"', (value, expected) => {
    expect(read({ 'ratelimit-limit': value })).toEqual(expected);
  });

  test.each([
    ['-1'],
    ['+1'],
    ['1.5'],
    ['1e3'],
    ['100 per minute'],
    ['1000000000000000'],
    [''],
    [';w=60'],
    ['NaN'],
  ])('limit "%s" is ignored', (value) => {
    expect(read({ 'ratelimit-limit': value })).toBeNull();
  });

  test('the window may stand on a line or in a field of its own', () => {
    const expected = { limit: 600, windowMs: 900_000 };
    expect(read({ 'ratelimit-limit': ['600', '600;w=900'] })).toEqual(expected);
    expect(read({ 'ratelimit-limit': '600', 'ratelimit-policy': '600;w=900' })).toEqual(expected);
  });
});

describe('remaining', () => {
  test.each([
    ['0', 0],
    ['42', 42],
    [' 42 ', 42],
    ['10, 5', 5],
    [['5', '10'], 5],
    ['10, -5', 10],
  ])('remaining %j', (value, expected) => {
    expect(read({ 'x-ratelimit-remaining': value })).toEqual({ remaining: expected });
  });
});

describe('reset', () => {
  test.each<[string, RateLimitDialect, number | undefined]>([
    ['0', 'delta', NOW],
    ['50', 'delta', NOW + 50 * SECOND],
    ['0.5', 'delta', NOW + 500],
    ['50', 'auto', NOW + 50 * SECOND],
    ['50', 'epoch', undefined],
    [String(NOW_S + 50), 'epoch', NOW + 50 * SECOND],
    [String(NOW_S + 50), 'auto', NOW + 50 * SECOND],
    [String(NOW_S + 50), 'delta', undefined],
    [String(NOW + 50_250), 'epoch', NOW + 50_250],
    [String(NOW + 50_250), 'auto', NOW + 50_250],
    [String(NOW + 50_250), 'delta', undefined],
    [`${NOW_S + 50}.25`, 'auto', NOW + 50_250],
    [String(NOW_S - 50), 'auto', NOW],
    ['31622400', 'delta', NOW + 366 * DAY],
    ['31622401', 'delta', undefined],
    ['999999999', 'auto', undefined],
    ['1000000000', 'auto', undefined],
    [String(NOW_S + 367 * 86_400), 'epoch', undefined],
  ])('reset "%s" in the dialect %s', (value, dialect, expected) => {
    expect(resetAt(value, dialect)).toBe(expected);
  });

  test.each(DIALECTS)('an ISO date is understood in the dialect %s', (dialect) => {
    expect(resetAt('2026-11-06T08:50:37Z', dialect)).toBe(NOW + 60 * SECOND);
    expect(resetAt('2026-11-06T08:50:37.500Z', dialect)).toBe(NOW + 60_500);
    expect(resetAt('2026-11-06T11:50:37+03:00', dialect)).toBe(NOW + 60 * SECOND);
    expect(resetAt('2026-11-06T07:50:37Z', dialect)).toBe(NOW);
  });

  test('an ISO date without a zone is UTC', () => {
    expect(resetAt('2026-11-06T08:50:37')).toBe(NOW + 60 * SECOND);
  });

  test.each([
    ['-5'],
    ['+5'],
    ['1e3'],
    ['0x10'],
    [''],
    ['soon'],
    ['2026-13-01T00:00:00Z'],
    ['2026-11-06'],
    ['60s'],
  ])('reset "%s" is ignored in every dialect', (value) => {
    for (const dialect of DIALECTS) expect(resetAt(value, dialect)).toBeUndefined();
  });

  test('of several resets the latest counts', () => {
    expect(resetAt('10, 60')).toBe(NOW + 60 * SECOND);
    expect(resetAt(['60', '10'])).toBe(NOW + 60 * SECOND);
  });

  test('an absolute time is measured from the Date header, a delta is not', () => {
    const date = imf(NOW - 3 * HOUR);
    const theirReset = NOW - 3 * HOUR + 60 * SECOND;
    expect(resetAt(String(theirReset / 1000), 'epoch', date)).toBe(NOW + 60 * SECOND);
    expect(resetAt(String(theirReset), 'auto', date)).toBe(NOW + 60 * SECOND);
    expect(resetAt(new Date(theirReset).toISOString(), 'auto', date)).toBe(NOW + 60 * SECOND);
    expect(resetAt('60', 'delta', date)).toBe(NOW + 60 * SECOND);
  });

  test('a Date header that cannot be believed changes nothing', () => {
    expect(resetAt(String(NOW_S + 60), 'epoch', imf(0))).toBe(NOW + 60 * SECOND);
  });
});

describe('answers from a cache', () => {
  const limits = { 'ratelimit-remaining': '0', 'ratelimit-reset': '60' };

  test.each([['1'], ['120'], [' 120 '], ['9'.repeat(50)], ['5, 0']])('Age "%s" says nothing', (age) => {
    expect(read({ ...limits, age })).toBeNull();
  });

  test.each([['0'], ['00'], ['-1'], ['old'], ['']])('Age "%s" is no obstacle', (age) => {
    expect(read({ ...limits, age })).not.toBeNull();
  });
});

describe('hostile headers', () => {
  const header = fc.constantFrom(
    'ratelimit-limit',
    'ratelimit-remaining',
    'ratelimit-reset',
    'ratelimit-policy',
    'x-ratelimit-limit',
    'x-ratelimit-remaining',
    'x-ratelimit-reset',
    'x-rate-limit-reset',
    'age',
  );
  const headerLike = fc
    .array(
      fc.constantFrom(
        '0',
        '60',
        '100',
        '1e9',
        '.',
        '-',
        ', ',
        ';',
        ' w=',
        '"',
        'T',
        'Z',
        ':',
        '2026',
        String(NOW_S),
      ),
      {
        maxLength: 10,
      },
    )
    .map((parts) => parts.join(''));
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'binary-ascii' }),
    headerLike,
    fc.nat().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  );
  const value = fc.oneof(text, fc.array(text), fc.constant(undefined));

  test('whatever the headers say, every member is a whole number within its bounds', () => {
    fc.assert(
      fc.property(
        fc.dictionary(header, value),
        fc.constantFrom(...DIALECTS),
        fc.option(text, { nil: undefined }),
        (headers, dialect, date) => {
          const reading = readRateLimit(headers, { dialect, receivedAt: NOW, date });
          if (reading === null) return;
          const members = Object.values(reading);
          expect(members.length).toBeGreaterThan(0);
          expect(members.every((member) => Number.isSafeInteger(member) && member >= 0)).toBe(true);
          expect(reading.resetAt ?? NOW).toBeGreaterThanOrEqual(NOW);
          expect(reading.resetAt ?? NOW).toBeLessThanOrEqual(NOW + 366 * DAY);
          expect(reading.windowMs ?? 1).toBeGreaterThan(0);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('every delta within a year is kept to the millisecond', () => {
    fc.assert(
      fc.property(
        fc.nat(366 * 86_400),
        fc.constantFrom('delta' as const, 'auto' as const),
        (seconds, dialect) => {
          expect(resetAt(String(seconds), dialect)).toBe(NOW + seconds * SECOND);
        },
      ),
    );
  });

  test.each([
    ['digits', '1'.repeat(10_000)],
    ['quotas', '100;w=60,'.repeat(1_200)],
    ['parameters', `100${';a'.repeat(5_000)}`],
    ['spaces', `100${' '.repeat(10_000)};w=60`],
    ['a megabyte of commas', ','.repeat(1_000_000)],
  ])('kilobytes of %s are ignored', (_what, long) => {
    const headers = { 'ratelimit-limit': long, 'ratelimit-reset': long, 'ratelimit-remaining': long };
    expect(read({ ...headers, age: long, 'x-ratelimit-reset': long })).toBeNull();
  });

  test('a thousand answers with the longest headers that are read take no time worth naming', () => {
    const worst = [
      `${' '.repeat(1_000)}x`,
      `100${' ;'.repeat(500)}`,
      '1,'.repeat(500),
      `${'1'.repeat(1_000)}.x`,
    ];
    const startedAt = performance.now();
    for (let round = 0; round < 250; round += 1) {
      for (const long of worst) {
        read({ 'ratelimit-limit': long, 'ratelimit-remaining': long, 'ratelimit-reset': long, age: '0' });
      }
    }
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

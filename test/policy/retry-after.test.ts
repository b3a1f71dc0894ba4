import fc from 'fast-check';
import {
  LONGEST_DELAY_MS,
  parseHttpDate,
  parseRetryAfter,
  RETRY_AFTER_CAP_MS,
  senderTime,
  waitFor,
} from '../../src/policy/retry-after.js';

const NOW = Date.UTC(2026, 10, 6, 8, 49, 37);
const SECOND = 1000;
const HOUR = 3_600_000;
const YEAR = 365.25 * 24 * HOUR;

const imf = (ms: number) => new Date(ms).toUTCString();

/** `Friday, 06-Nov-26 08:49:37 GMT` */
function rfc850(ms: number): string {
  const [, day, month, year, time] = imf(ms).split(' ');
  const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' }).format(ms);
  return `${weekday}, ${day}-${month}-${year?.slice(2)} ${time} GMT`;
}

/** `Fri Nov  6 08:49:37 2026` */
function asctime(ms: number): string {
  const [weekday, day, month, year, time] = imf(ms).split(' ');
  return `${weekday?.slice(0, 3)} ${month} ${day?.replace(/^0/, ' ')} ${time} ${year}`;
}

describe('parseRetryAfter', () => {
  const at = { receivedAt: NOW };

  test.each([
    ['seconds', '120', 120_000],
    ['zero', '0', 0],
    ['leading zeros', '007', 7_000],
    ['spaces and tabs around', ' \t120 ', 120_000],
    ['a decimal, rounded up', '1.2', 2_000],
    ['a decimal that is whole', '5.0', 5_000],
    ['a small decimal, rounded up', '0.001', 1_000],
    ['more seconds than a clock can hold', '9'.repeat(400), LONGEST_DELAY_MS],
    ['an IMF-fixdate', 'Fri, 06 Nov 2026 08:51:37 GMT', 120_000],
    ['an rfc850 date', 'Friday, 06-Nov-26 08:51:37 GMT', 120_000],
    ['an asctime date', 'Fri Nov  6 08:51:37 2026', 120_000],
    ['an asctime date with a day of two digits', 'Mon Nov 16 08:49:37 2026', 240 * HOUR],
    ['a date with the wrong day of the week', 'Mon, 06 Nov 2026 08:51:37 GMT', 120_000],
    ['a leap second', 'Fri, 06 Nov 2026 08:49:60 GMT', 23_000],
    ['the 29th of February of a leap year', 'Tue, 29 Feb 2028 08:49:37 GMT', 480 * 24 * HOUR],
    ['a date in the past', 'Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['this very second', 'Fri, 06 Nov 2026 08:49:37 GMT', 0],
    ['a date in the first century', 'Sat, 06 Nov 0050 08:49:37 GMT', 0],
    ['several values on one line', '30, 120,60', 120_000],
    ['several lines', ['30', '120'], 120_000],
    ['a date and seconds on one line', 'Fri, 06 Nov 2026 08:51:37 GMT, 30', 120_000],
    ['seconds and an rfc850 date on one line', '180, Friday, 06-Nov-26 08:51:37 GMT', 180_000],
    ['an invalid value beside a valid one', ['soon', '30, -1'], 30_000],
  ])('understands %s', (_what, value, expected) => {
    expect(parseRetryAfter(value, at)).toBe(expected);
  });

  test.each([
    ['an absent header', undefined],
    ['no lines', []],
    ['an empty value', ''],
    ['only commas', ' , ,'],
    ['a negative number', '-5'],
    ['a sign', '+5'],
    ['NaN', 'NaN'],
    ['Infinity', 'Infinity'],
    ['an exponent', '1e3'],
    ['a hexadecimal number', '0x10'],
    ['a unit', '120s'],
    ['digits of another script', '١٢٠'],
    ['an ISO date', '2026-11-06T08:51:37Z'],
    ['another zone than GMT', 'Fri, 06 Nov 2026 08:51:37 CET'],
    ['an offset', 'Fri, 06 Nov 2026 08:51:37 +0100'],
    ['lower case', 'fri, 06 nov 2026 08:51:37 gmt'],
    ['a day that does not exist', 'Fri, 31 Nov 2026 08:51:37 GMT'],
    ['a day zero', 'Fri, 00 Nov 2026 08:51:37 GMT'],
    ['the 29th of February of a common year', 'Mon, 29 Feb 2027 08:49:37 GMT'],
    ['an hour that does not exist', 'Fri, 06 Nov 2026 24:00:00 GMT'],
    ['a minute that does not exist', 'Fri, 06 Nov 2026 08:60:00 GMT'],
    ['a second that does not exist', 'Fri, 06 Nov 2026 08:51:61 GMT'],
    ['something behind the date', 'Fri, 06 Nov 2026 08:51:37 GMT!'],
    ['ten thousand digits', '1'.repeat(10_000)],
  ])('gives null for %s', (_what, value) => {
    expect(parseRetryAfter(value, at)).toBeNull();
  });

  test('measures a date from the Date header, so that clocks that differ do no harm', () => {
    const theirs = NOW - 3 * HOUR;
    const value = imf(theirs + 90 * SECOND);
    expect(parseRetryAfter(value, { receivedAt: NOW, date: imf(theirs) })).toBe(90 * SECOND);
    expect(parseRetryAfter(value, { receivedAt: NOW })).toBe(0);
  });

  test.each([
    ['more than a day behind our clock', imf(NOW - 24 * HOUR - SECOND)],
    ['more than a day ahead of our clock', imf(NOW + 24 * HOUR + SECOND)],
    ['from 1970', imf(0)],
    ['no date', 'yesterday'],
    ['empty', ''],
  ])('measures a date from our clock when the Date header is %s', (_what, date) => {
    expect(parseRetryAfter(imf(NOW + 90 * SECOND), { receivedAt: NOW, date })).toBe(90 * SECOND);
  });

  test('a Date header does not touch a delay in seconds', () => {
    expect(parseRetryAfter('120', { receivedAt: NOW, date: imf(NOW - HOUR) })).toBe(120 * SECOND);
  });

  test('any number of whole seconds comes back as that many milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seconds) => {
        expect(parseRetryAfter(String(seconds), at)).toBe(seconds * 1000);
      }),
    );
  });

  test('a decimal is never shortened and grows by less than a second', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(999), (whole, thousandths) => {
        const value = `${whole}.${String(thousandths).padStart(3, '0')}`;
        const delay = parseRetryAfter(value, at) ?? Number.NaN;
        expect(delay).toBeGreaterThanOrEqual(whole * 1000 + thousandths);
        expect(delay).toBeLessThan(whole * 1000 + thousandths + 1000);
      }),
    );
  });

  test('all three forms of a date give the same delay, from whichever clock it is measured', () => {
    const seconds = (spread: number) => fc.integer({ min: -spread, max: spread }).map((n) => n * SECOND);
    fc.assert(
      fc.property(seconds(40 * 365 * 86_400), seconds(86_400), (ahead, skew) => {
        const time = { receivedAt: NOW + 123, date: imf(NOW + skew) };
        const sane = Math.abs(NOW + skew - time.receivedAt) <= 24 * HOUR;
        const expected = Math.max(0, NOW + ahead - (sane ? NOW + skew : time.receivedAt));
        for (const form of [imf, rfc850, asctime]) {
          expect(parseRetryAfter(form(NOW + ahead), time)).toBe(expected);
        }
      }),
    );
  });

  test('of several values the largest counts, however they are spread over lines', () => {
    const value = fc.oneof(
      fc.nat(100_000).map((seconds) => ({ text: String(seconds), delay: seconds * SECOND })),
      fc
        .tuple(fc.nat(100_000), fc.constantFrom(imf, rfc850, asctime))
        .map(([seconds, form]) => ({ text: form(NOW + seconds * SECOND), delay: seconds * SECOND })),
      fc.constantFrom('', '-1', 'later').map((text) => ({ text, delay: 0 })),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 10 }), fc.nat(10_000), (others, seconds) => {
        const values = [...others, { text: String(seconds), delay: seconds * SECOND }];
        const expected = Math.max(...values.map(({ delay }) => delay));
        const texts = values.map(({ text }) => text);
        expect(parseRetryAfter(texts, at)).toBe(expected);
        expect(parseRetryAfter(texts.join(', '), at)).toBe(expected);
      }),
    );
  });

  test('whatever the headers say, the answer is null or a bounded whole number', () => {
    const headerLike = fc
      .array(
        fc.constantFrom(
          'Sun',
          'Sunday',
          ', ',
          ',',
          ' ',
          '06',
          '-',
          'Nov',
          '94',
          '1994',
          '08:49:37',
          'GMT',
          '.',
          '9',
        ),
        {
          maxLength: 14,
        },
      )
      .map((parts) => parts.join(''));
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary-ascii' }), headerLike);
    fc.assert(
      fc.property(fc.oneof(text, fc.array(text)), fc.option(text, { nil: undefined }), (value, date) => {
        const delay = parseRetryAfter(value, { receivedAt: NOW, date });
        if (delay === null) return;
        expect(Number.isSafeInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(LONGEST_DELAY_MS);
      }),
      { numRuns: 1000 },
    );
  });

  test('the longest delay still ends on a date that exists', () => {
    expect(Number.isNaN(new Date(NOW + LONGEST_DELAY_MS).getTime())).toBe(false);
    expect(parseRetryAfter('Fri, 31 Dec 9999 23:59:59 GMT', at)).toBe(LONGEST_DELAY_MS);
  });

  test('the cap is an hour', () => {
    expect(RETRY_AFTER_CAP_MS).toBe(HOUR);
  });
});

describe('parseHttpDate', () => {
  test.each([
    ['50 years ahead stays ahead', 2026, '06-Nov-76 08:49:37', Date.UTC(2076, 10, 6, 8, 49, 37)],
    ['a second more is of the past century', 2026, '06-Nov-76 08:49:38', Date.UTC(1976, 10, 6, 8, 49, 38)],
    ['the example of the standard', 2026, '06-Nov-94 08:49:37', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['the turn of a century is ahead', 2099, '01-Jan-01 00:00:00', Date.UTC(2101, 0, 1)],
    ['the last century seen from this one', 2001, '31-Dec-99 00:00:00', Date.UTC(1999, 11, 31)],
  ])('a year of two digits: %s', (_what, thisYear, text, expected) => {
    const now = Date.UTC(thisYear, 10, 6, 8, 49, 37);
    expect(parseHttpDate(`Sunday, ${text} GMT`, now)).toBe(expected);
  });

  test('a year of two digits is never more than 50 years ahead, and never a century behind', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 99 }), (years, twoDigits) => {
        const now = Date.UTC(1970 + years, 5, 15);
        const text = `Monday, 15-Jun-${String(twoDigits).padStart(2, '0')} 00:00:00 GMT`;
        const instant = parseHttpDate(text, now) ?? Number.NaN;
        expect(new Date(instant).getUTCFullYear() % 100).toBe(twoDigits);
        expect(instant - now).toBeLessThanOrEqual(50 * YEAR + 24 * HOUR);
        expect(now - instant).toBeLessThanOrEqual(50 * YEAR);
      }),
    );
  });
});

describe('senderTime', () => {
  test.each([
    ['the Date header', imf(NOW - HOUR), NOW - HOUR],
    ['the Date header when it is just a day off', imf(NOW + 24 * HOUR), NOW + 24 * HOUR],
    ['our clock without a Date header', undefined, NOW],
    ['our clock when the Date header is not believable', imf(NOW + 25 * HOUR), NOW],
  ])('is %s', (_what, date, expected) => {
    expect(senderTime({ receivedAt: NOW, date })).toBe(expected);
  });
});

describe('waitFor', () => {
  test.each([
    [0, 0, 0],
    [1_000, 1_000, 1_100],
    [30_000, 30_000, 33_000],
    [50_000, 50_000, 55_000],
    [900_000, 900_000, 905_000],
  ])('told to wait %d ms, waits between %d and %d ms', (delayMs, least, most) => {
    expect(waitFor(delayMs, () => 0)).toBe(least);
    expect(waitFor(delayMs, () => 1)).toBe(most);
  });

  test('never waits less than told, nor more than a tenth or 5 s beyond', () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LONGEST_DELAY_MS }), chance, (delayMs, random) => {
        const wait = waitFor(delayMs, () => random);
        expect(Number.isSafeInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(delayMs);
        expect(wait).toBeLessThanOrEqual(delayMs + Math.min(delayMs / 10, 5_000));
      }),
    );
  });
});

/**
 * Retry-After, as RFC 9110 §10.2.3 defines it and as servers really send it: from the header's text to
 * a delay. Pure; the caller passes in the clock and the random numbers.
 */
import type { Random } from '../time.js';

/** When an answer arrived, on our clock and, if it said so, on its sender's. */
export interface AnswerTime {
  /** Our wall clock at the arrival of the answer, milliseconds since the Unix epoch. */
  receivedAt: number;
  /** The answer's `Date` header, as it came. */
  date?: string | undefined;
}

/**
 * The longest pause that one header may order by itself, in milliseconds (standards document, "Retry-After").
 * A caller that is told to wait longer parks the operation with a due time in the database and alerts:
 * an hour of silence is for a human to know about, and Node fires timers above 2^31 - 1 ms at once.
 */
export const RETRY_AFTER_CAP_MS = 3_600_000;

/**
 * The longest delay that `parseRetryAfter` gives, in milliseconds: larger ones become this one. RFC 9111
 * §1.2.2 has 2^31 seconds stand for a delta that is too large to hold; it also keeps "now + delay" a
 * date that both JavaScript and PostgreSQL can represent.
 */
export const LONGEST_DELAY_MS = 2 ** 31 * 1000;

/**
 * How far a `Date` header may be from our clock and still be believed. A server that prints its local
 * time as GMT is at most 14 h off, and then its Retry-After is off by the same; beyond a day the header
 * is more likely an old copy or a clock that was never set.
 */
const SANE_DATE_MS = 24 * 3_600_000;

/** Beyond this many characters a field is not read at all; the longest valid value has 33 of them. */
const LONGEST_FIELD = 1024;

// RFC 9110 §10.2.3 knows whole seconds only; decimals are against the grammar, but seen.
const SECONDS = /^\d+(?:\.\d+)?$/;

// The comma of "Sun, 06 Nov 1994 …" and "Sunday, 06-Nov-94 …" separates nothing.
const SEPARATOR = /,(?! \d{2}[ -][A-Z])/;

// RFC 9110 says nothing of jitter; the share and its bound are ours (standards document, "Retry-After").
const JITTER_SHARE = 0.1;
const LONGEST_JITTER_MS = 5_000;

/**
 * Reads a Retry-After header.
 *
 * Decimals are rounded up to the next second; of several values (several lines, or one line with commas)
 * the largest counts; a date is measured from the answer's own `Date` header where that can be believed,
 * else from our clock; a date in the past is 0.
 *
 * @returns the delay in whole milliseconds, 0 to `LONGEST_DELAY_MS`, without jitter; null if the header
 * is absent or none of its values follows the grammar. Never throws.
 */
export function parseRetryAfter(value: string | string[] | undefined, at: AnswerTime): number | null {
  const delays = fieldLines(value)
    .flatMap((line) => line.split(SEPARATOR))
    .map((text) => parseOne(text.trim(), at))
    .filter((delay) => delay !== null);
  return delays.length === 0 ? null : delays.reduce((longest, delay) => Math.max(longest, delay));
}

function parseOne(text: string, at: AnswerTime): number | null {
  if (SECONDS.test(text)) return Math.min(Math.ceil(Number(text)) * 1000, LONGEST_DELAY_MS);
  const instant = parseHttpDate(text, at.receivedAt);
  if (instant === null) return null;
  return Math.min(Math.max(Math.ceil(instant - senderTime(at)), 0), LONGEST_DELAY_MS);
}

/**
 * How long to really wait when told to wait `delayMs` (0 or more): never less, and up to a tenth or 5 s
 * more, whichever is smaller, so that all the workers of an account do not come back in one moment.
 */
export function waitFor(delayMs: number, random: Random): number {
  return Math.ceil(delayMs) + Math.floor(random() * Math.min(delayMs * JITTER_SHARE, LONGEST_JITTER_MS));
}

/**
 * The moment of an answer on its sender's clock, in milliseconds since the Unix epoch: its `Date` header
 * if that is a date within a day of ours, else our own clock. Absolute times that came with the answer
 * are measured from here, so that a difference between the two clocks cancels out.
 */
export function senderTime(at: AnswerTime): number {
  const date = at.date === undefined ? null : parseHttpDate(at.date.trim(), at.receivedAt);
  return date !== null && Math.abs(date - at.receivedAt) <= SANE_DATE_MS ? date : at.receivedAt;
}

/** The lines of a header field, without those that are too long to be an honest value. */
export function fieldLines(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).filter((line) => line.length <= LONGEST_FIELD);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = '(?<hour>\\d{2}):(?<minute>\\d{2}):(?<second>\\d{2})';
const SHORT_DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';

/** The three forms that a recipient must accept (RFC 9110 §5.6.7): IMF-fixdate, rfc850, asctime. */
const HTTP_DATES = [
  new RegExp(`^${SHORT_DAY}, (?<day>\\d{2}) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^${LONG_DAY}, (?<day>\\d{2})-${MONTH}-(?<year>\\d{2}) ${TIME} GMT$`),
  new RegExp(`^${SHORT_DAY} ${MONTH} (?<day>\\d{2}| \\d) ${TIME} (?<year>\\d{4})$`),
];

/**
 * Reads an HTTP-date (RFC 9110 §5.6.7), always as UTC. The name of the day is not compared with the
 * date: a server that errs there still means the date.
 *
 * @param now milliseconds since the Unix epoch, by which a year of two digits is given its century
 * @returns milliseconds since the Unix epoch; null if the text is none of the three forms, or a day or a
 * time that does not exist. Never throws.
 */
export function parseHttpDate(text: string, now: number): number | null {
  const groups = HTTP_DATES.map((form) => form.exec(text)?.groups).find((found) => found !== undefined);
  if (groups === undefined) return null;
  const { year = '', month = '', day, hour, minute, second } = groups;
  // A 60th second is a leap second, which Unix time counts as the next one.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const inYear = (fullYear: number) => utcTime(fullYear, MONTHS.indexOf(month), Number(day), seconds);
  return year.length === 2 ? withCentury(Number(year), inYear, now) : inYear(Number(year));
}

/** Midnight of the day plus `seconds`, or null if the month has no such day. */
function utcTime(year: number, month: number, day: number, seconds: number): number | null {
  const date = new Date(0);
  // Date.UTC would take the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month, day);
  return date.getUTCMonth() === month ? date.getTime() + seconds * 1000 : null;
}

/** RFC 9110 §5.6.7: what looks more than 50 years ahead is of the newest such year in the past. */
function withCentury(twoDigits: number, inYear: (year: number) => number | null, now: number): number | null {
  const horizon = new Date(now);
  horizon.setUTCFullYear(horizon.getUTCFullYear() + 50);
  const newest = horizon.getUTCFullYear() - ((horizon.getUTCFullYear() - twoDigits) % 100);
  const instant = inYear(newest);
  return instant !== null && instant > horizon.getTime() ? inYear(newest - 100) : instant;
}

/**
 * What an answer's headers say about the sender's rate limit: the `RateLimit-*` triple (drafts up to 06
 * of draft-ietf-httpapi-ratelimit-headers) and the vendors' `X-RateLimit-*`. The later shapes, a
 * dictionary or list in one `RateLimit` field, are not read: no provider that we know sends them. Pure.
 *
 * Retry-After wins over anything read here (the draft's MUST), and a positive `remaining` promises
 * nothing: the caller never goes faster than its own configuration because of a reading.
 */
import { type AnswerTime, fieldLines, senderTime } from './retry-after.js';

/**
 * What a number in a reset field counts: `delta`, seconds from now (wasal document, "Rate limits");
 * `epoch`, seconds or milliseconds since 1970 (salla and zupy documents, "Rate limits"); `auto`, told by
 * its size: from 1e12 an epoch in ms, from 1e9 an epoch in s, below that seconds from now.
 */
export type RateLimitDialect = 'delta' | 'epoch' | 'auto';

/** What could be read; at least one member is there. */
export interface LimitReading {
  /** Requests per window. */
  limit?: number;
  /** Requests left in the present window. */
  remaining?: number;
  /** When the window ends, milliseconds since the Unix epoch on *our* clock; never before the answer. */
  resetAt?: number;
  /** The window's length in milliseconds, where the sender names it. */
  windowMs?: number;
}

/** Beside when the answer came, the dialect of the account's provider. */
export interface RateLimitOptions extends AnswerTime {
  dialect: RateLimitDialect;
}

/** The triple first; then the spellings that vendors use. Families are not mixed: each is one counter. */
const FAMILIES = ['ratelimit', 'x-ratelimit', 'x-rate-limit'];

// Both bounds, read as an epoch, are a day in 2001; read as seconds from now, the lower one is 31 years
// (standards document, "RateLimit fields").
const EPOCH_SECONDS_FROM = 1e9;
const EPOCH_MS_FROM = 1e12;

/** A year: no one advertises a longer window, so a reset or window beyond it is taken for nonsense. */
const LONGEST_WINDOW_MS = 366 * 86_400_000;

// The integers of structured fields have at most 15 digits (RFC 9651 §3.3.1).
const COUNT = /^\d{1,15}$/;
const RESET = /^\d{1,15}(?:\.\d{1,9})?$/;
// `100` or `100;w=60`, with other parameters before or after; spaces around the semicolons are allowed.
const QUOTA = /^(?<limit>\d{1,15})(?<parameters>[ \t]*;.*)?$/;
const WINDOW = /^[ \t]*w=(?<seconds>\d{1,15})[ \t]*$/;
const ISO_DATE = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(Z|[+-]\d{2}:\d{2})?$/;

/**
 * Reads the rate-limit headers of an answer.
 *
 * A field that is malformed, too long or absurdly large is ignored, the others still count. Where a
 * field came several times (two layers, two counters), the smallest `remaining` and the latest reset are
 * taken. An answer from a cache (`Age` above 0) says nothing about the present.
 *
 * @param headers names in lower case
 * @returns the reading, or null if there is nothing to read. Never throws.
 */
export function readRateLimit(
  headers: Record<string, string | string[] | undefined>,
  options: RateLimitOptions,
): LimitReading | null {
  if (isFromCache(headers.age)) return null;
  for (const family of FAMILIES) {
    const reading = readFamily(headers, family, options);
    if (Object.keys(reading).length > 0) return reading;
  }
  return null;
}

function readFamily(
  headers: Record<string, string | string[] | undefined>,
  family: string,
  options: RateLimitOptions,
): LimitReading {
  const reading: LimitReading = {};
  const quotas = fieldItems(headers[`${family}-limit`]).map(parseQuota);
  const limit = quotas.find((quota) => quota !== null)?.limit;
  if (limit !== undefined) reading.limit = limit;

  const remaining = fieldItems(headers[`${family}-remaining`])
    .filter((item) => COUNT.test(item))
    .map(Number);
  if (remaining.length > 0) reading.remaining = remaining.reduce((least, count) => Math.min(least, count));

  const resets = fieldItems(headers[`${family}-reset`])
    .map((item) => parseReset(item, options))
    .filter((reset) => reset !== null);
  if (resets.length > 0) reading.resetAt = resets.reduce((latest, reset) => Math.max(latest, reset));

  // The limit in force is one of the policies, which stand behind it or, from draft 04, in a field of
  // their own.
  const policies = [...quotas, ...fieldItems(headers[`${family}-policy`]).map(parseQuota)];
  const inForce = policies.find((policy) => policy?.limit === limit && policy?.windowMs !== undefined);
  if (inForce?.windowMs !== undefined) reading.windowMs = inForce.windowMs;
  return reading;
}

function fieldItems(value: string | string[] | undefined): string[] {
  return fieldLines(value)
    .flatMap((line) => line.split(','))
    .map((item) => item.trim());
}

// RFC 9111 §5.1: of several values the first counts, and an invalid field is ignored.
function isFromCache(age: string | string[] | undefined): boolean {
  const [first = ''] = fieldItems(age);
  return /^\d+$/.test(first) && Number(first) > 0;
}

interface Quota {
  limit: number;
  windowMs?: number;
}

function parseQuota(item: string): Quota | null {
  const groups = QUOTA.exec(item)?.groups;
  if (groups === undefined) return null;
  const limit = Number(groups.limit);
  for (const parameter of (groups.parameters ?? '').split(';')) {
    const windowMs = Number(WINDOW.exec(parameter)?.groups?.seconds ?? 0) * 1000;
    if (windowMs > 0 && windowMs <= LONGEST_WINDOW_MS) return { limit, windowMs };
  }
  return { limit };
}

/** The end of the window on our clock, or null if the text is no time or one too far away. */
function parseReset(text: string, options: RateLimitOptions): number | null {
  const aheadMs = RESET.test(text)
    ? numericReset(Number(text), options)
    : isoReset(text, senderTime(options));
  if (aheadMs === null || Math.abs(aheadMs) > LONGEST_WINDOW_MS) return null;
  return options.receivedAt + Math.max(Math.ceil(aheadMs), 0);
}

/** Milliseconds from the answer to the reset; far below 0 if a small number is read as an epoch. */
function numericReset(value: number, options: RateLimitOptions): number {
  switch (options.dialect) {
    case 'delta':
      return value * 1000;
    case 'epoch':
      return epochMs(value) - senderTime(options);
    case 'auto':
      return value < EPOCH_SECONDS_FROM ? value * 1000 : epochMs(value) - senderTime(options);
    default: {
      const unhandled: never = options.dialect;
      return unhandled;
    }
  }
}

function epochMs(value: number): number {
  return value < EPOCH_MS_FROM ? value * 1000 : value;
}

/** As `numericReset`, for an ISO 8601 date; null if it is none. Without a zone it is UTC, never local. */
function isoReset(text: string, sentAt: number): number | null {
  const [, local, zone = 'Z'] = ISO_DATE.exec(text) ?? [];
  const instant = local === undefined ? Number.NaN : Date.parse(local + zone);
  return Number.isNaN(instant) ? null : instant - sentAt;
}

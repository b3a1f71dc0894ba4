/**
 * Readers of what providers answer, shared by the adapters. Answers are untrusted: what these bring back can be
 * stored, printed and indexed, and none of them throws.
 */
import { z } from 'zod';
import type { Attention, ProviderState } from '../orders/order.js';
import type { Answer } from '../policy/answer.js';
import type { Outcome } from '../policy/outcome.js';

// A provider's sentence in full is welcome, a page of HTML is not.
const LONGEST_TEXT = 500;

// UUIDs and numbers today; a name of any other make is kept as long as it can be stored, indexed and put into a URL.
const LONGEST_NAME = 300;

/** Provider text, made fit to be stored and printed: PostgreSQL takes neither NUL nor half a surrogate pair. */
export function clean(text: string, longest = LONGEST_TEXT): string {
  return text
    .slice(0, longest)
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/\p{Cs}/gu, '\uFFFD')
    .trim();
}

/**
 * Names go into URLs, where a segment of dots would name another resource and half a character none; nor does one
 * whose bytes were no text on their way here, for which the HTTP layer puts U+FFFD.
 */
export function canStandInPath(text: string): boolean {
  return text !== '.' && text !== '..' && !/[\p{Cs}\uFFFD]/u.test(text);
}

/** What a provider calls something: its id or our reference, exactly as it is. */
export const name = z
  .union([z.string(), z.int()])
  .transform(String)
  .refine((text) => text.length > 0 && text.length <= LONGEST_NAME && !/[\p{Cc}\p{Cs}]/u.test(text));

/** What a provider calls an object. It is put into URLs, so one that would name another resource is no id. */
export const objectId = name.refine(canStandInPath);

/** For people. A field that may be missing, null, or of another type than shown: then it is null. */
export const text = z
  .union([z.string(), z.number()])
  .transform((value) => clean(String(value)))
  .nullish()
  .catch(null);

/** To be compared or handed on: nothing is cut or replaced. */
export const exactText = z.union([z.string(), z.number()]).transform(String).nullish().catch(null);

/** An object of JSON, which is neither null nor a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether an answer that has nothing to tell may be an API's: no body, or an object. A page of HTML or a list is neither. */
export function isPlausible(answer: Pick<Answer, 'body' | 'json'>): boolean {
  return answer.body.trim() === '' || isObject(answer.json);
}

/** A time as ISO 8601 in UTC; null where it is none. */
export function timestamp(value: string | null | undefined): string | null {
  const ms = value ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

/** Shown to people as a link, so nothing but a web address may pass. */
export function webAddress(url: string | null | undefined): string | null {
  return url && /^https?:\/\//i.test(url) && URL.canParse(url) ? url : null;
}

/** A provider's word for a status as tables spell it: in lower case, its words joined by underscores. */
export function statusWord(status: string | null | undefined): string {
  return (status ?? '').toLowerCase().replace(/[\s-]+/g, '_');
}

/** What an operator is told of a status that no table has. */
export function unknownStatus(provider: string, status: string): Attention {
  const detail =
    status === '' ? `${provider} names no status` : `${provider}'s status "${status}" is not known here`;
  return { code: 'unknown_status', detail };
}

/** Each order once: a list that changes while it is read may show one twice. */
export function onceEach(states: readonly ProviderState[]): ProviderState[] {
  return [...new Map(states.map((state) => [state.providerOrderId, state])).values()];
}

/**
 * What a lookup has found; several are handed on, for none of them can be chosen. Null where there is none.
 * @param isWhole the list was read to its end
 */
export function foundOrders(states: readonly ProviderState[], isWhole = false): Outcome | null {
  const [state, ...more] = onceEach(states);
  if (state === undefined) return null;
  const whole = isWhole ? ({ whole: true } as const) : {};
  return more.length === 0
    ? { kind: 'observed', state, ...whole }
    : { kind: 'done', states: [state, ...more], alike: true, ...whole };
}

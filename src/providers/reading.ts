/**
 * Readers of what providers answer, shared by the adapters. Answers are untrusted: what these bring back can be
 * stored, printed and indexed, and none of them throws.
 */
import { z } from 'zod';

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

/** Names go into URLs, where a segment of dots would name another resource and half a character none. */
export function canStandInPath(text: string): boolean {
  return text !== '.' && text !== '..' && !/\p{Cs}/u.test(text);
}

/** What a provider calls something: its id or our reference, exactly as it is. */
export const name = z
  .union([z.string(), z.int()])
  .transform(String)
  .refine((text) => text.length > 0 && text.length <= LONGEST_NAME && !/[\p{Cc}\p{Cs}]/u.test(text));

/** For people. A field that may be missing, null, or of another type than shown: then it is null. */
export const text = z
  .union([z.string(), z.number()])
  .transform((value) => clean(String(value)))
  .nullish()
  .catch(null);

/** To be compared or handed on: nothing is cut or replaced. */
export const exactText = z.union([z.string(), z.number()]).transform(String).nullish().catch(null);

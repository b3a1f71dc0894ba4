/** How requests are written: their head and body, the names in their URLs, and the parts that have to be there. */
import type { HttpRequest } from './provider.js';

/** Writes one request of an account, with its address, credentials and whatever else every call carries. */
export type Call = (method: HttpRequest['method'], path: string, body?: object) => HttpRequest;

/**
 * A request that takes JSON and wants JSON back.
 * @param headers what goes with it beside those that say so
 */
export function jsonRequest(
  method: HttpRequest['method'],
  url: string,
  headers: Record<string, string>,
  body?: object,
): HttpRequest {
  return {
    method,
    url,
    headers: {
      Accept: 'application/json',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

/**
 * A name as one segment of a path. One of dots alone would move to another resource even when encoded (WHATWG URL,
 * "double-dot URL path segment"), so it is encoded twice: it then names something that is not there.
 */
export function pathSegment(name: string): string {
  return /^\.{1,2}$/.test(name) ? name.replaceAll('.', '%252E') : queryValue(name);
}

/** A text behind the question mark; half a character, which no URL can hold, becomes U+FFFD. */
export function queryValue(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/**
 * A part of an order's body that validation has seen to; a body without it is a mistake of ours, and throws.
 * @param name what it is called in the body
 * @param owner what lacks it, where that is not the order as a whole
 */
export function present<T>(value: T | null | undefined, name: string, owner = 'the order'): T {
  if (value === undefined || value === null) throw new TypeError(`${owner} has no ${name}`);
  return value;
}

/** The fields that are there, for a body whose optional fields are absent rather than undefined. */
export function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // What is left has the type of its field, without undefined.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

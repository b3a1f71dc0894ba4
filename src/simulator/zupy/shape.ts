/**
 * How answers are wrapped and lists are paged. The OpenAPI document has `{data, meta}` with cursors; one
 * guide shows bare objects and `{count, next, previous, results}`. A caller has to bear both.
 */
import type { Answer } from '../kit.js';

export type Envelope = 'data' | 'results';

/** The part of a list that a page shows. */
export interface Page<T> {
  rows: readonly T[];
  /** Of the page that follows; undefined: this is the last one. */
  next: string | undefined;
  /** How many there are on all pages. */
  count: number;
}

/** What a query says about the page it wants. */
export interface PageWish {
  size: number;
  /** Only what comes behind the place that a cursor names; undefined: from the start. */
  after: number | undefined;
}

// Neither number is documented; both are this framework's usual ones.
const PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 100;

export class Shape {
  readonly #envelope: Envelope;
  readonly #pageSize: number;

  /** `pageSize`: for lists that ask for none. */
  constructor(envelope: Envelope, pageSize = PAGE_SIZE) {
    this.#envelope = envelope;
    this.#pageSize = pageSize;
  }

  /** One object, as the answer to a call. */
  one(body: object, status = 200): Answer {
    return { status, body: this.#envelope === 'data' ? { data: body, meta: {} } : body };
  }

  /** A page of a list; `path` is that of the request. */
  many<T>(page: Page<T>, path: string): Answer {
    if (this.#envelope === 'results') return this.results(page, path);
    const meta = { cursor: page.next ?? null, has_next: page.next !== undefined, count: page.count };
    return { status: 200, body: { data: page.rows, meta } };
  }

  /** The lists that the OpenAPI document itself has in the guide's form. */
  results<T>({ rows, next, count }: Page<T>, path: string): Answer {
    const following = next === undefined ? null : withCursor(path, next);
    return { status: 200, body: { count, next: following, previous: null, results: rows } };
  }

  /** A size that is no number counts as none, one that is too large as the largest; undefined: a bad cursor. */
  wish(size: string | undefined, cursor: string | undefined): PageWish | undefined {
    const wanted = Number(size);
    const after = cursor === undefined || cursor === '' ? undefined : readCursor(cursor);
    if (Number.isNaN(after)) return undefined;
    return {
      size: Number.isInteger(wanted) && wanted > 0 ? Math.min(wanted, MAX_PAGE_SIZE) : this.#pageSize,
      after,
    };
  }
}

/** The cursor that continues behind a place. */
export function cursorAt(place: number): string {
  return Buffer.from(`p=${place}`).toString('base64url');
}

/** A page of a list that is in memory as a whole; places are counted from its start. */
export function pageOf<T>(list: readonly T[], wish: PageWish): Page<T> {
  const start = wish.after ?? 0;
  const rows = list.slice(start, start + wish.size);
  const end = start + rows.length;
  return { rows, next: end < list.length ? cursorAt(end) : undefined, count: list.length };
}

function readCursor(cursor: string): number {
  const match = /^p=(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString());
  return match === null ? Number.NaN : Number(match[1]);
}

function withCursor(path: string, cursor: string): string {
  const url = new URL(path, 'https://api.zupy.com');
  url.searchParams.set('cursor', cursor);
  return url.href;
}

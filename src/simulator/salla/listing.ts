/** Query parameters, and the pages that lists come in ("Pagination"). */
import type { Answer, Call } from '../kit.js';
import { type Pagination, success } from './answers.js';
import { startOfDay } from './dates.js';
import { COMPLAINT, KIND } from './language.js';
import { Complaints } from './reader.js';

const PER_PAGE_DEFAULT = 15;
export const PER_PAGE_MOST = 60;
const WHOLE_NUMBER = /^\d+$/;

export interface Page {
  number: number;
  perPage: number;
}

/** Reads filters, and keeps what is wrong with them: that makes a 400, "invalid parameters, fields or filters". */
export class Query {
  readonly complaints = new Complaints();
  readonly #query: Call['query'];

  constructor(query: Call['query']) {
    this.#query = query;
  }

  /** All values of a list; PHP's spellings `name[]` and `name[0]` mean the same as `name`. */
  list(name: string): string[] {
    return Object.entries(this.#query)
      .filter(
        ([key]) => key === name || (key.startsWith(`${name}[`) && /^\[\d*\]$/.test(key.slice(name.length))),
      )
      .flatMap(([, value]) => value)
      .filter((value) => value !== '');
  }

  text(name: string): string | undefined {
    return this.list(name)[0];
  }

  /** The value of a parameter that is spelled just so, such as `ship_to[city_id]`. */
  exact(name: string): string | undefined {
    return [this.#query[name] ?? []].flat()[0];
  }

  integer(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (WHOLE_NUMBER.test(text)) return Number(text);
    this.complaints.add(name, COMPLAINT.kind(name, KIND.integer));
    return undefined;
  }

  integers(name: string): number[] {
    const values = this.list(name);
    if (values.every((value) => WHOLE_NUMBER.test(value))) return values.map(Number);
    this.complaints.add(name, COMPLAINT.kind(name, KIND.integer));
    return [];
  }

  choice(name: string, choices: readonly string[]): string | undefined {
    const text = this.text(name);
    if (text === undefined || choices.includes(text)) return text;
    this.complaints.add(name, COMPLAINT.choice(name, choices));
    return undefined;
  }

  /** The beginning of a day in the store, in milliseconds since the epoch. */
  day(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const day = startOfDay(text);
    if (day === undefined) this.complaints.add(name, COMPLAINT.kind(name, KIND.date));
    return day;
  }

  page(aboveLimit: 'reject' | 'clamp'): Page {
    const number = this.integer('page') ?? 1;
    const perPage = this.integer('per_page') ?? PER_PAGE_DEFAULT;
    if (number < 1) this.complaints.add('page', COMPLAINT.kind('page', KIND.positive));
    if (perPage < 1 || (perPage > PER_PAGE_MOST && aboveLimit === 'reject')) {
      this.complaints.add('per_page', COMPLAINT.kind('per_page', KIND.positive));
    }
    return { number, perPage: Math.min(perPage, PER_PAGE_MOST) };
  }
}

/** The page that was asked for of all rows that fit; only its own rows are rendered. */
export function pageOf<T>(rows: readonly T[], page: Page, render: (row: T) => unknown, path: string): Answer {
  const from = (page.number - 1) * page.perPage;
  const shown = rows.slice(from, from + page.perPage);
  const totalPages = Math.max(1, Math.ceil(rows.length / page.perPage));
  const pagination: Pagination = {
    count: shown.length,
    total: rows.length,
    perPage: page.perPage,
    currentPage: page.number,
    totalPages,
    links: {
      ...(page.number > 1 ? { previous: `${path}?page=${page.number - 1}` } : {}),
      ...(page.number < totalPages ? { next: `${path}?page=${page.number + 1}` } : {}),
    },
  };
  return success(200, shown.map(render), pagination);
}

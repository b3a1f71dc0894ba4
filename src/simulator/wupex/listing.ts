/**
 * The body that both lists take: page, sort order and search. Only the operators seen in samples are known, and
 * column names are exact (WUPEX document, "Endpoints" and "Traps").
 */
import { isObject } from '../reader.js';
import { type Checked, refuse } from './refusal.js';
import type { PageInfo } from './wire.js';

/** A column of a list. Dates are milliseconds since the epoch here and ISO 8601 on the wire. */
export interface Column<T> {
  kind: 'text' | 'number' | 'date';
  of(row: T): string | number;
}

export type Columns<T> = ReadonlyMap<string, Column<T>>;

/** What one list can do: its columns, and by which of them it sorts unless told otherwise. */
export interface Listing<T> {
  columns: Columns<T>;
  orderColumn: string;
}

interface Condition<T> {
  name: string;
  column: Column<T>;
  operator: 'Equals' | 'GreaterThan';
  value: string | number;
}

export interface ListQuery<T> {
  page: number;
  pageSize: number;
  descending: boolean;
  sortBy: Column<T>;
  conditions: readonly Condition<T>[];
}

// The product list's; the order list's own are not documented.
const LARGEST_PAGE = 100;
// Not documented.
const USUAL_PAGE = 10;

/** Reads a list's body; none at all asks for the first page of everything, newest first. */
export function readListQuery<T>(body: unknown, listing: Listing<T>): Checked<ListQuery<T>> {
  const source = body ?? {};
  if (!isObject(source)) return refuse(400, 'The body must be a JSON object');
  const { page = 1, pageSize = USUAL_PAGE, orderColumn = listing.orderColumn, order = 'DESC' } = source;
  if (!isWhole(page) || page < 1) return refuse(400, 'page must be a whole number of at least 1');
  if (!isWhole(pageSize) || pageSize < 1 || pageSize > LARGEST_PAGE)
    return refuse(400, `pageSize must be a whole number from 1 to ${LARGEST_PAGE}`);
  const sortBy = typeof orderColumn === 'string' ? listing.columns.get(orderColumn) : undefined;
  if (sortBy === undefined) return refuse(400, `orderColumn must be ${namesOf(listing)}`);
  if (order !== 'ASC' && order !== 'DESC') return refuse(400, 'order must be ASC or DESC');
  const conditions = readSearch(source.search ?? [], listing);
  if (!conditions.ok) return conditions;
  return {
    ok: true,
    value: { page, pageSize, descending: order === 'DESC', sortBy, conditions: conditions.value },
  };
}

/** The value that a column must equal, if the query says so. */
export function wantedValue<T>(query: ListQuery<T>, name: string): string | number | undefined {
  return query.conditions.find((condition) => condition.name === name && condition.operator === 'Equals')
    ?.value;
}

/** The page that the query asks for, out of rows oldest first; those with equal sort values keep their order. */
export function pageOf<T>(rows: readonly T[], query: ListQuery<T>): { rows: T[]; pageInfo: PageInfo } {
  const { page, pageSize, sortBy, conditions } = query;
  const found = rows
    .filter((row) => conditions.every((condition) => meets(row, condition)))
    .sort((a, b) => compare(sortBy.of(a), sortBy.of(b)));
  if (query.descending) found.reverse();
  return {
    rows: found.slice((page - 1) * pageSize, page * pageSize),
    pageInfo: {
      totalPage: Math.ceil(found.length / pageSize),
      totalCount: found.length,
      pageSize,
      currentPage: page,
    },
  };
}

function readSearch<T>(search: unknown, listing: Listing<T>): Checked<Condition<T>[]> {
  if (!Array.isArray(search)) return refuse(400, 'search must be an array');
  const conditions: Condition<T>[] = [];
  for (const entry of search) {
    const condition = readCondition(entry, listing);
    if (!condition.ok) return condition;
    conditions.push(condition.value);
  }
  return { ok: true, value: conditions };
}

function readCondition<T>(entry: unknown, listing: Listing<T>): Checked<Condition<T>> {
  if (!isObject(entry)) return refuse(400, 'search must hold objects with column, operator and value');
  const { column: name, operator } = entry;
  const column = typeof name === 'string' ? listing.columns.get(name) : undefined;
  if (typeof name !== 'string' || column === undefined)
    return refuse(400, `A search column must be ${namesOf(listing)}`);
  if (operator !== 'Equals' && operator !== 'GreaterThan')
    return refuse(400, 'A search operator must be Equals or GreaterThan');
  const value = readValue(entry.value, column.kind);
  if (value === undefined) return refuse(400, `The search value of ${name} is not a ${column.kind}`);
  return { ok: true, value: { name, column, operator, value } };
}

function readValue(value: unknown, kind: Column<unknown>['kind']): string | number | undefined {
  if (kind === 'text') return typeof value === 'string' ? value : undefined;
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  if (value === '') return undefined;
  const number = kind === 'date' ? new Date(value).getTime() : Number(value);
  return Number.isFinite(number) ? number : undefined;
}

function meets<T>(row: T, { column, operator, value }: Condition<T>): boolean {
  const own = column.of(row);
  return operator === 'Equals' ? own === value : compare(own, value) > 0;
}

function compare(a: string | number, b: string | number): number {
  if (a === b) return 0;
  return a > b ? 1 : -1;
}

function namesOf<T>(listing: Listing<T>): string {
  return `one of ${[...listing.columns.keys()].join(', ')}`;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

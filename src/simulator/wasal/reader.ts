/**
 * Reads fields out of a JSON object and keeps the first complaint about each, as Wasal's `errors` has them. A
 * field that is wrong reads as undefined, or as a harmless value of its type where it is required; whoever
 * reads looks at the complaints before using any of it.
 */
import { fils } from './answers.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export class Complaints {
  readonly byField: Record<string, string> = {};

  get none(): boolean {
    return Object.keys(this.byField).length === 0;
  }

  add(field: string, what: string): void {
    this.byField[field] ??= what;
  }
}

/** The fields of one object; `path` says where it stands in the body, such as `items.0.`. */
export class Reader {
  readonly #source: JsonObject;
  readonly #path: string;
  readonly #complaints: Complaints;

  constructor(source: JsonObject, complaints: Complaints, path = '') {
    this.#source = source;
    this.#path = path;
    this.#complaints = complaints;
  }

  /** Absent, null or an empty string. */
  lacks(name: string): boolean {
    const value = this.#source[name];
    return value === undefined || value === null || value === '';
  }

  raw(name: string): unknown {
    return this.#source[name];
  }

  complain(name: string, what: string): void {
    this.complainAs(name, `${name} ${what}`);
  }

  /** In words of the caller's own, without the name before them. */
  complainAs(name: string, text: string): void {
    this.#complaints.add(this.#path + name, text);
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined || value.trim() === '') {
      this.complain(name, 'is required');
      return '';
    }
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.#optional(name, 'a string', isString);
  }

  /** An amount of dinars, in fils. */
  optionalAmount(name: string): number | undefined {
    const value = this.#optional(name, 'a number', isNumber);
    if (value === undefined) return undefined;
    const exact = fils(value);
    if (exact === undefined) this.complain(name, 'must have three decimals at most');
    return exact;
  }

  /** An amount of dinars that is not negative, in fils. */
  optionalPrice(name: string): number | undefined {
    const value = this.optionalAmount(name);
    if (value !== undefined && value < 0) this.complain(name, 'must not be negative');
    return value;
  }

  optionalCount(name: string): number | undefined {
    const value = this.#optional(name, 'a number', isNumber);
    if (value !== undefined && (!Number.isInteger(value) || value < 1))
      this.complain(name, 'must be a whole number of at least 1');
    return value;
  }

  /** The fields of an object inside; of an empty one where there is none. */
  inner(name: string): Reader {
    const value = this.#optional(name, 'an object', isObject) ?? {};
    return new Reader(value, this.#complaints, `${this.#path}${name}.`);
  }

  /** The objects of a list inside; none where there is no list. */
  each(name: string): Reader[] {
    const list = this.#optional(name, 'a list', isList) ?? [];
    return list.map((entry, index) => {
      if (!isObject(entry)) this.complain(`${name}.${index}`, 'must be an object');
      return new Reader(isObject(entry) ? entry : {}, this.#complaints, `${this.#path}${name}.${index}.`);
    });
  }

  #optional<T>(name: string, kind: string, fits: (value: unknown) => value is T): T | undefined {
    const value = this.#source[name];
    if (value === undefined) return undefined;
    if (fits(value)) return value;
    this.complain(name, `must be ${kind}`);
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

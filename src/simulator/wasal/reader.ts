/**
 * Reads fields out of a JSON object and keeps the first complaint about each, as Wasal's `errors` has them. Whoever
 * reads looks at the complaints before using any of it.
 */
import { FieldReader, isList, isNumber, isObject, type JsonObject } from '../reader.js';
import { fils } from './answers.js';

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
export class Reader extends FieldReader {
  readonly #path: string;
  readonly #complaints: Complaints;

  constructor(source: JsonObject, complaints: Complaints, path = '') {
    super(source);
    this.#path = path;
    this.#complaints = complaints;
  }

  /** Absent, null or an empty string. */
  lacks(name: string): boolean {
    const value = this.source[name];
    return value === undefined || value === null || value === '';
  }

  raw(name: string): unknown {
    return this.source[name];
  }

  override complain(name: string, what: string): void {
    this.complainAs(name, `${name} ${what}`);
  }

  /** In words of the caller's own, without the name before them. */
  complainAs(name: string, text: string): void {
    this.#complaints.add(this.#path + name, text);
  }

  /** An amount of dinars, in fils. */
  optionalAmount(name: string): number | undefined {
    const value = this.optional(name, 'a number', isNumber);
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
    const value = this.optional(name, 'a number', isNumber);
    if (value !== undefined && (!Number.isInteger(value) || value < 1))
      this.complain(name, 'must be a whole number of at least 1');
    return value;
  }

  /** The fields of an object inside; of an empty one where there is none. */
  inner(name: string): Reader {
    const value = this.optional(name, 'an object', isObject) ?? {};
    return new Reader(value, this.#complaints, `${this.#path}${name}.`);
  }

  /** The objects of a list inside; none where there is no list. */
  each(name: string): Reader[] {
    const list = this.optional(name, 'a list', isList) ?? [];
    return list.map((entry, index) => {
      if (!isObject(entry)) this.complain(`${name}.${index}`, 'must be an object');
      return new Reader(isObject(entry) ? entry : {}, this.#complaints, `${this.#path}${name}.${index}.`);
    });
  }
}

/** What every simulator reads of a request's body: which kind of value it is, and the fields of an object. */

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The fields of one object. A field that is wrong is complained of, in the provider's own manner, and reads as
 * undefined, or as a harmless value of its type where it is required.
 */
export abstract class FieldReader {
  protected readonly source: JsonObject;

  constructor(source: JsonObject) {
    this.source = source;
  }

  /** Keeps what is wrong with a field: `what` goes on from its name, as in "must be a string". */
  abstract complain(name: string, what: string): void;

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined || value.trim() === '') {
      this.complain(name, 'is required');
      return '';
    }
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.optional(name, 'a string', isString);
  }

  protected optional<T>(name: string, kind: string, fits: (value: unknown) => value is T): T | undefined {
    const value = this.source[name];
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

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

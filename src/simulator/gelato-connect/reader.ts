/**
 * Reads fields out of a JSON object and keeps the first complaint, because GelatoConnect's envelope has room
 * for one message. A field that is wrong reads as a harmless value of its type; whoever reads looks at
 * `Complaints.first` before using any of it.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** The first thing found wrong, in the words of the documented message: "Invalid <section>: <what>". */
export class Complaints {
  first: string | undefined;

  add(section: string, what: string): void {
    this.first ??= `Invalid ${section}: ${what}`;
  }
}

/** The fields of one object; `section` says in messages which object it is. */
export class Reader {
  readonly #source: JsonObject;
  readonly #section: string;
  readonly #complaints: Complaints;

  constructor(source: JsonObject, section: string, complaints: Complaints) {
    this.#source = source;
    this.#section = section;
    this.#complaints = complaints;
  }

  has(name: string): boolean {
    return this.#source[name] !== undefined;
  }

  complain(name: string, what: string): void {
    this.#complaints.add(this.#section, `${label(name)} ${what}`);
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

  optionalFlag(name: string): boolean | undefined {
    return this.#optional(name, 'a boolean', isBoolean);
  }

  optionalAmount(name: string): number | undefined {
    const value = this.#optional(name, 'a number', isNumber);
    if (value !== undefined && value < 0) this.complain(name, 'must not be negative');
    return value;
  }

  optionalInteger(name: string, least: number, most: number): number | undefined {
    const value = this.#optional(name, 'a number', isNumber);
    if (value !== undefined && (!Number.isInteger(value) || value < least || value > most)) {
      this.complain(
        name,
        most < Number.MAX_SAFE_INTEGER
          ? `must be a whole number from ${least} to ${most}`
          : `must be a whole number of at least ${least}`,
      );
    }
    return value;
  }

  optionalTexts(name: string): readonly string[] | undefined {
    return this.#optional(name, 'an array of strings', isStrings);
  }

  optionalObject(name: string): JsonObject | undefined {
    return this.#optional(name, 'an object', isObject);
  }

  optionalList(name: string): readonly unknown[] | undefined {
    return this.#optional(name, 'an array', isList);
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

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isString);
}

/** `postCode` → `Post code`. */
function label(name: string): string {
  const words = name.replace(/([A-Z])/g, ' $1').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

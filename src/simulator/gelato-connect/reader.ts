/**
 * Reads fields out of a JSON object and keeps the first complaint, because GelatoConnect's envelope has room
 * for one message. Whoever reads looks at `Complaints.first` before using any of it.
 */
import { FieldReader, isList, isNumber, isObject, isString, type JsonObject } from '../reader.js';

/** The first thing found wrong, in the words of the documented message: "Invalid <section>: <what>". */
export class Complaints {
  first: string | undefined;

  add(section: string, what: string): void {
    this.first ??= `Invalid ${section}: ${what}`;
  }
}

/** The fields of one object; `section` says in messages which object it is. */
export class Reader extends FieldReader {
  readonly #section: string;
  readonly #complaints: Complaints;

  constructor(source: JsonObject, section: string, complaints: Complaints) {
    super(source);
    this.#section = section;
    this.#complaints = complaints;
  }

  has(name: string): boolean {
    return this.source[name] !== undefined;
  }

  override complain(name: string, what: string): void {
    this.#complaints.add(this.#section, `${label(name)} ${what}`);
  }

  optionalFlag(name: string): boolean | undefined {
    return this.optional(name, 'a boolean', isBoolean);
  }

  optionalAmount(name: string): number | undefined {
    const value = this.optional(name, 'a number', isNumber);
    if (value !== undefined && value < 0) this.complain(name, 'must not be negative');
    return value;
  }

  optionalInteger(name: string, least: number, most: number): number | undefined {
    const value = this.optional(name, 'a number', isNumber);
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
    return this.optional(name, 'an array of strings', isStrings);
  }

  optionalObject(name: string): JsonObject | undefined {
    return this.optional(name, 'an object', isObject);
  }

  optionalList(name: string): readonly unknown[] | undefined {
    return this.optional(name, 'an array', isList);
  }
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isString);
}

/** `postCode` → `Post code`. */
function label(name: string): string {
  const words = name.replace(/([A-Z])/g, ' $1').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

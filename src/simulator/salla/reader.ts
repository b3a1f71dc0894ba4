/**
 * Reads fields out of a JSON object and collects everything that is wrong with them, because Salla's envelope
 * tells all fields at once. A field that is wrong reads as undefined; whoever reads looks at `Complaints.any`
 * before using any of it.
 */
import { isList, isObject, isString, type JsonObject } from '../reader.js';
import { COMPLAINT, KIND, type Language, type Text } from './language.js';

/** A value as it is meant, or what is wrong with it. */
export type Checked<T> = { ok: true; value: T } | { ok: false; complaints: Complaints };

/** Messages by field; a field may have several. */
export class Complaints {
  readonly #fields = new Map<string, Text[]>();

  get any(): boolean {
    return this.#fields.size > 0;
  }

  add(field: string, text: Text): void {
    const texts = this.#fields.get(field);
    if (texts === undefined) this.#fields.set(field, [text]);
    else texts.push(text);
  }

  render(language: Language): Record<string, string[]> {
    return Object.fromEntries(
      [...this.#fields].map(([field, texts]) => [field, texts.map((text) => text[language])]),
    );
  }
}

/** Reads a whole body: a body that is no object lacks every field. */
export function check<T>(body: unknown, read: (fields: Fields) => T): Checked<T> {
  const complaints = new Complaints();
  const value = read(new Fields(isObject(body) ? body : {}, '', complaints));
  return complaints.any ? { ok: false, complaints } : { ok: true, value };
}

/** The fields of one object; `prefix` is where it stands, as in `receiver.`. */
export class Fields {
  readonly source: JsonObject;
  readonly #prefix: string;
  readonly #complaints: Complaints;

  constructor(source: JsonObject, prefix: string, complaints: Complaints) {
    this.source = source;
    this.#prefix = prefix;
    this.#complaints = complaints;
  }

  /** Null and an empty text count as absent. */
  has(name: string): boolean {
    const value = this.source[name];
    return value !== undefined && value !== null && (typeof value !== 'string' || value.trim() !== '');
  }

  complain(name: string, text: (field: string) => Text): void {
    const field = this.#prefix + name;
    this.#complaints.add(field, text(field));
  }

  /** Complains of each that is absent. */
  need(...names: string[]): void {
    for (const name of names) if (!this.has(name)) this.complain(name, COMPLAINT.required);
  }

  text(name: string): string | undefined {
    return this.#read(name, KIND.text, isString);
  }

  /** What Salla's samples write as a number or as a text. */
  word(name: string): string | undefined {
    const value = this.#read(name, KIND.text, isWord);
    return value === undefined ? undefined : String(value);
  }

  /** Complains of a text that has more than `most` characters. */
  shortText(name: string, most: number): string | undefined {
    const value = this.text(name);
    if (value !== undefined && value.length > most) {
      this.complain(name, (field) => COMPLAINT.tooLong(field, most));
    }
    return value;
  }

  matching(name: string, kind: Text, fits: (text: string) => boolean): string | undefined {
    return this.#read(name, kind, (value): value is string => isString(value) && fits(value));
  }

  amount(name: string): number | undefined {
    return this.#read(name, KIND.amount, isAmount);
  }

  /** A number of at least 1. */
  positive(name: string): number | undefined {
    return this.#read(name, KIND.positive, isPositive);
  }

  flag(name: string): boolean | undefined {
    const value = this.#read(name, KIND.flag, isFlag);
    return value === undefined ? undefined : value === true || value === 1;
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    if (!this.has(name)) return undefined;
    const found = choices.find((choice) => choice === this.source[name]);
    if (found === undefined) this.complain(name, (field) => COMPLAINT.choice(field, choices));
    return found;
  }

  json(name: string): JsonObject | undefined {
    return this.#read(name, KIND.object, isObject);
  }

  /** The fields of an object within. */
  object(name: string): Fields | undefined {
    const value = this.json(name);
    return value === undefined ? undefined : new Fields(value, `${this.#prefix}${name}.`, this.#complaints);
  }

  list(name: string): readonly unknown[] | undefined {
    return this.#read(name, KIND.list, isList);
  }

  /** The fields of each object in a list; something else in it is complained of. */
  objects(name: string): Fields[] | undefined {
    return this.list(name)?.map((entry, index) => {
      if (!isObject(entry)) this.complain(`${name}.${index}`, (field) => COMPLAINT.kind(field, KIND.object));
      return new Fields(isObject(entry) ? entry : {}, `${this.#prefix}${name}.${index}.`, this.#complaints);
    });
  }

  #read<T>(name: string, kind: Text, fits: (value: unknown) => value is T): T | undefined {
    if (!this.has(name)) return undefined;
    const value = this.source[name];
    if (fits(value)) return value;
    this.complain(name, (field) => COMPLAINT.kind(field, kind));
    return undefined;
  }
}

function isWord(value: unknown): value is string | number {
  return isString(value) || isPositive(value);
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

function isFlag(value: unknown): value is boolean | 0 | 1 {
  return typeof value === 'boolean' || value === 0 || value === 1;
}

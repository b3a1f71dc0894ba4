/**
 * What the command line says: JSON documents and tables on stdout, everything else on stderr. Text for people
 * is stripped of control characters, because much of it was written by providers and shops.
 */
import Table from 'cli-table3';
import type { FieldProblem } from '../orders/body.js';
import type { Problem } from '../problem.js';

export interface OutputOptions {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
  /** Print answers as JSON instead of text for people. */
  json: boolean;
  /** A person is reading stdout: bold names, indented JSON. */
  isTTY: boolean;
  env: Record<string, string | undefined>;
}

/** Cells that are absent print as a dash. */
export type Cell = string | number | null | undefined;

// Everything a terminal may act upon instead of showing: control characters (Cc), and the marks that reorder text (UAX #9).
const UNPRINTABLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
// JSON.stringify leaves these as they are; DEL and the C1 controls act on some terminals.
const LEFT_BY_JSON = /[\u007f-\u009f]/g;

const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text that a terminal only shows: control characters are written out as `\u001b`. */
export function plain(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** The same for text of several lines. */
export function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n');
}

/** At most `max` characters, with an ellipsis where something was cut. */
export function shorten(text: string, max: number): string {
  const characters = [...text];
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`;
}

const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
];

/**
 * A time for people: how far from now, and the time itself.
 * @param iso ISO 8601; anything else is printed as it is
 * @param now milliseconds since the epoch
 */
export function when(iso: string | null | undefined, now: number): string | null {
  if (iso === null || iso === undefined) return null;
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return iso;
  const seconds = Math.round(Math.abs(at - now) / 1000);
  const [name, size] = UNITS.find(([, length]) => seconds >= length) ?? ['s', 1];
  const distance = `${Math.floor(seconds / size)} ${name}`;
  if (seconds === 0) return `now (${iso})`;
  return at < now ? `${distance} ago (${iso})` : `in ${distance} (${iso})`;
}

const show = (cell: Cell) => (cell === null || cell === undefined || cell === '' ? '-' : plain(String(cell)));

// No borders: rows can be cut and searched by other tools, and copied by people.
const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

function layOut(rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** One field that is wrong, on one line: its pointer, and what to do. */
export function fieldLine(error: FieldProblem): string {
  return plain(`${error.pointer === '' ? '(the whole)' : error.pointer}: ${error.detail}`);
}

export class Output {
  readonly json: boolean;
  readonly #options: OutputOptions;
  readonly #bolds: boolean;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.json = options.json;
    // NO_COLOR: any value but an empty one (no-color.org).
    this.#bolds = options.isTTY && (options.env.NO_COLOR ?? '') === '';
  }

  /** A line on stdout, or several. */
  line(text: string): void {
    this.#print(plainLines(text));
  }

  /** A line on stderr, or several, for what is not the answer. */
  note(text: string): void {
    this.#options.stderr.write(`${plainLines(text)}\n`);
  }

  /** One JSON document on stdout: one line, or indented for a person. */
  document(value: unknown): void {
    const text = JSON.stringify(value, null, this.#options.isTTY ? 2 : 0);
    this.#print(text.replace(LEFT_BY_JSON, escaped));
  }

  /** The answer: as a document where JSON is asked for, else as `people` prints it. */
  answer(value: unknown, people: () => void): void {
    if (this.json) this.document(value);
    else people();
  }

  heading(text: string): void {
    this.#print(`\n${this.#bold(plain(text))}`);
  }

  /** Columns under their names; `empty` instead where there are no rows. */
  table(head: readonly string[], rows: readonly (readonly Cell[])[], empty: string): void {
    const lines = [head.map((name) => this.#bold(name)), ...rows.map((row) => row.map(show))];
    this.#print(rows.length === 0 ? empty : layOut(lines));
  }

  /** Names and values below each other. Fields whose value is undefined are left out. */
  fields(pairs: readonly (readonly [name: string, value: Cell])[]): void {
    const rows = pairs
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [this.#bold(name), show(value)]);
    this.#print(layOut(rows));
  }

  /** A problem for people on stderr; with JSON also its document on stdout, as the API would answer. */
  problem(problem: Problem): void {
    if (this.json) this.document(problem);
    this.note(`${problem.title}.`);
    if (problem.detail !== '') this.note(problem.detail);
    for (const error of problem.errors ?? []) this.note(`  ${fieldLine(error)}`);
  }

  /** May hold escapes made here, so what is foreign in it is `plain` already. */
  #print(text: string): void {
    this.#options.stdout.write(`${text}\n`);
  }

  #bold(text: string): string {
    return this.#bolds ? `\u001b[1m${text}\u001b[22m` : text;
  }
}

/**
 * JSON as text: where it stops being JSON, and where the elements of an array begin. `JSON.parse` names no
 * place in half of its messages (V8: "Unexpected end of JSON input"), and quotes the file, which may hold
 * personal data, in the others.
 */
import type { Json } from './json.js';

/** A place in a text; both count from 1, the column in UTF-16 units as editors do. */
export interface Place {
  line: number;
  column: number;
}

/** `elements`: where the elements of the outermost array begin; empty for anything but an array. */
export type JsonScan = { ok: true; elements: number[] } | { ok: false; at: number; expected: string };

export type JsonRead = { ok: true; value: Json } | { ok: false; place: Place; expected: string };

/** What may come next, with what a person is told when it does not. */
const EXPECTED = {
  value: 'a value',
  'value-or-close': 'a value or ]',
  key: 'a name in double quotes',
  'key-or-close': 'a name in double quotes, or }',
  colon: 'a colon',
  'comma-or-close': { object: 'a comma or }', array: 'a comma or ]' },
  end: 'nothing more after the JSON value',
} as const;

type State = keyof typeof EXPECTED;
type Token = { end: number } | { fault: number; expected: string };

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const HEX_4 = /^[0-9a-fA-F]{4}$/;
const ESCAPES = '"\\/bfnrt';

/** Reads a string token from its opening quote on; `end` is behind the closing one. */
function scanString(text: string, start: number): Token {
  let at = start + 1;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '"') return { end: at + 1 };
    // RFC 8259, section 7: control characters must be escaped.
    if (char < ' ')
      return { fault: at, expected: 'the end of the string (control characters must be escaped)' };
    if (char !== '\\') at += 1;
    else if (ESCAPES.includes(text.charAt(at + 1)) && at + 1 < text.length) at += 2;
    else if (text.charAt(at + 1) === 'u' && HEX_4.test(text.slice(at + 2, at + 6))) at += 6;
    else return { fault: at, expected: 'a valid escape such as \\n or \\u00e9' };
  }
  return { fault: text.length, expected: 'the closing quote of a string' };
}

/** Reads a string, number or literal. */
function scanScalar(text: string, at: number, expected: string): Token {
  if (text.charAt(at) === '"') return scanString(text, at);
  for (const word of ['true', 'false', 'null']) {
    if (text.startsWith(word, at)) return { end: at + word.length };
  }
  NUMBER.lastIndex = at;
  const number = NUMBER.exec(text);
  return number === null ? { fault: at, expected } : { end: at + number[0].length };
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at += 1;
  return at;
}

/** What is open, innermost last, and the places where elements of an outermost array begin. */
interface Nesting {
  open: ('object' | 'array')[];
  elements: number[];
}

type Step = { at: number; next: State } | { fault: number; expected: string };

const afterValue = (nesting: Nesting): State => (nesting.open.length === 0 ? 'end' : 'comma-or-close');

function valueStep(text: string, at: number, state: 'value' | 'value-or-close', nesting: Nesting): Step {
  const char = text.charAt(at);
  if (state === 'value-or-close' && char === ']') return closeStep(at, nesting);
  if (nesting.open.length === 1 && nesting.open[0] === 'array') nesting.elements.push(at);
  if (char === '{' || char === '[') {
    nesting.open.push(char === '{' ? 'object' : 'array');
    return { at: at + 1, next: char === '{' ? 'key-or-close' : 'value-or-close' };
  }
  const token = scanScalar(text, at, EXPECTED[state]);
  return 'fault' in token ? token : { at: token.end, next: afterValue(nesting) };
}

function closeStep(at: number, nesting: Nesting): Step {
  nesting.open.pop();
  return { at: at + 1, next: afterValue(nesting) };
}

/** One token, and what may follow it. */
function step(text: string, at: number, state: State, nesting: Nesting): Step {
  const char = text.charAt(at);
  switch (state) {
    case 'value':
    case 'value-or-close':
      return valueStep(text, at, state, nesting);
    case 'key':
    case 'key-or-close': {
      if (state === 'key-or-close' && char === '}') return closeStep(at, nesting);
      if (char !== '"') return { fault: at, expected: EXPECTED[state] };
      const token = scanString(text, at);
      return 'fault' in token ? token : { at: token.end, next: 'colon' };
    }
    case 'colon':
      return char === ':' ? { at: at + 1, next: 'value' } : { fault: at, expected: EXPECTED.colon };
    case 'comma-or-close': {
      const inside = nesting.open.at(-1) ?? 'array';
      if (char === ',') return { at: at + 1, next: inside === 'object' ? 'key' : 'value' };
      if (char === (inside === 'object' ? '}' : ']')) return closeStep(at, nesting);
      return { fault: at, expected: EXPECTED['comma-or-close'][inside] };
    }
    case 'end':
      return { fault: at, expected: EXPECTED.end };
    default: {
      const never: never = state;
      return never;
    }
  }
}

/**
 * Reads a text as JSON (RFC 8259) without building its value; any depth, never throws.
 * @returns where the elements of an outermost array begin, or the offset of the first character that does not
 *   fit and what would have
 */
export function scanJson(text: string): JsonScan {
  const nesting: Nesting = { open: [], elements: [] };
  let state: State = 'value';
  let at = skipBlanks(text, 0);
  while (!(state === 'end' && at === text.length)) {
    const result = step(text, at, state, nesting);
    if ('fault' in result) return { ok: false, at: result.fault, expected: result.expected };
    state = result.next;
    at = skipBlanks(text, result.at);
  }
  return { ok: true, elements: nesting.elements };
}

/** Line and column of an offset; lines end with a line feed. */
export function placeOf(text: string, offset: number): Place {
  let line = 1;
  let start = 0;
  for (let feed = text.indexOf('\n'); feed !== -1 && feed < offset; feed = text.indexOf('\n', feed + 1)) {
    line += 1;
    start = feed + 1;
  }
  return { line, column: offset - start + 1 };
}

/** The value of a JSON text, or where it is broken. Never throws. */
export function readJson(text: string): JsonRead {
  try {
    // JSON.parse is typed as returning `any`; what it returns is JSON by definition.
    return { ok: true, value: JSON.parse(text) as Json };
  } catch {
    const scan = scanJson(text);
    const fault = scan.ok ? { at: text.length, expected: EXPECTED.value } : scan;
    return { ok: false, place: placeOf(text, fault.at), expected: fault.expected };
  }
}

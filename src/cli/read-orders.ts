/** A file of orders, from bytes to bodies with their positions: one object, an array, or NDJSON. Pure. */
import type { Json } from '../json.js';
import { type Place, placeOf, readJson, scanJson } from '../json-text.js';

/** One order of the file: its body, or why the line is not JSON. `index` counts orders from 0, `line` from 1. */
export type OrderEntry =
  | { index: number; line: number; ok: true; body: Json }
  | { index: number; line: number; ok: false; column: number; expected: string };

/** What a file held. `place` is missing where the file as a whole is wrong. */
export type OrdersFile =
  | { ok: true; form: 'object' | 'array' | 'lines'; entries: OrderEntry[] }
  | { ok: false; detail: string; place?: Place };

export type DecodedText = { ok: true; text: string } | { ok: false; detail: string; place?: Place };

// V8's longest string is 2^29 - 24 characters; half of that, so that a whole file and its parts fit beside each other.
const MAX_BYTES = 256 * 1024 * 1024;

const decodes = (bytes: Uint8Array): boolean => {
  try {
    // `stream` leaves a character that is cut off at the end to the next piece instead of refusing it.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
};

/** The number of leading bytes that are UTF-8, up to a character cut off at the end. */
function validLength(bytes: Uint8Array): number {
  if (decodes(bytes)) return bytes.length;
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 1) {
    const middle = Math.floor((valid + invalid) / 2);
    if (decodes(bytes.subarray(0, middle))) valid = middle;
    else invalid = middle;
  }
  return valid;
}

/** Text of a file in UTF-8; a byte order mark is accepted and dropped. Never throws. */
export function decodeText(bytes: Uint8Array): DecodedText {
  if (bytes.length > MAX_BYTES) {
    return {
      ok: false,
      detail: `it is larger than ${MAX_BYTES / 1024 / 1024} MiB; split it into several files`,
    };
  }
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    const before = new TextDecoder('utf-8').decode(bytes.subarray(0, validLength(bytes)), { stream: true });
    return { ok: false, detail: 'it is not UTF-8; save it as UTF-8', place: placeOf(before, before.length) };
  }
}

const isBlank = (text: string) => /^[ \t\r\n]*$/.test(text);
const isObject = (value: Json) => typeof value === 'object' && value !== null && !Array.isArray(value);

function readLines(text: string): OrderEntry[] {
  const entries: OrderEntry[] = [];
  for (const [number, line] of text.split('\n').entries()) {
    if (isBlank(line)) continue;
    const position = { index: entries.length, line: number + 1 };
    const read = readJson(line);
    entries.push(
      read.ok
        ? { ...position, ok: true, body: read.value }
        : { ...position, ok: false, column: read.place.column, expected: read.expected },
    );
  }
  return entries;
}

/**
 * Whether a text that is no JSON document was meant as one order per line: its first line stands by itself, or
 * half of its lines do. A document with a mistake in it has lines that do not.
 */
function looksLikeLines(text: string, entries: readonly OrderEntry[]): boolean {
  if (text.trimStart().startsWith('[')) return false;
  const whole = entries.map((entry) => entry.ok && isObject(entry.body));
  return entries.length > 1 && (whole[0] === true || whole.filter(Boolean).length * 2 >= entries.length);
}

function readArray(text: string, values: readonly Json[]): OrderEntry[] {
  const scan = scanJson(text);
  const starts = scan.ok ? scan.elements : [];
  let line = 1;
  let from = 0;
  return values.map((body, index) => {
    const start = starts[index] ?? from;
    for (
      let feed = text.indexOf('\n', from);
      feed !== -1 && feed < start;
      feed = text.indexOf('\n', feed + 1)
    ) {
      line += 1;
    }
    from = start;
    return { index, line, ok: true, body };
  });
}

/**
 * The orders of a file, by its content: a JSON object is one order, a JSON array several, and lines that each
 * hold a JSON value are NDJSON. Broken lines of NDJSON come back as entries, so that the others can be stored.
 * Never throws.
 */
export function readOrders(bytes: Uint8Array): OrdersFile {
  const decoded = decodeText(bytes);
  if (!decoded.ok) return decoded;
  const { text } = decoded;
  if (isBlank(text)) return { ok: false, detail: 'it is empty' };
  const read = readJson(text);
  if (!read.ok) {
    const entries = readLines(text);
    if (looksLikeLines(text, entries)) return { ok: true, form: 'lines', entries };
    return { ok: false, detail: `it is not JSON: expected ${read.expected}`, place: read.place };
  }
  if (Array.isArray(read.value)) return { ok: true, form: 'array', entries: readArray(text, read.value) };
  const place = placeOf(text, text.search(/[^ \t\r\n]/));
  if (isObject(read.value)) {
    return {
      ok: true,
      form: 'object',
      entries: [{ index: 0, line: place.line, ok: true, body: read.value }],
    };
  }
  return { ok: false, detail: 'it is JSON, but neither an order (an object) nor an array of orders', place };
}

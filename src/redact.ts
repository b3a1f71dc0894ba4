/**
 * What may be written down about a value: for logs, and for the excerpts that an attempt keeps as evidence.
 * Pure. Three things decide about a string: the name it stands under (secret and personal names are masked,
 * names of ids and states are kept), whether a person's record surrounds it (then only ids and states are
 * kept), and what it looks like (scrub.ts).
 */
import { isIP } from 'node:net';
import type { Json, JsonObject } from './json.js';
import { arePersonFields, isIdentifier, isMasked, isPersonRecord } from './redact/names.js';
import { scrub } from './redact/scrub.js';

export { scrub } from './redact/scrub.js';

/** What stands in the place of a masked value. */
export const MASK = '[redacted]';

// Deeper and longer than anything worth reading in a log line or a piece of evidence.
const MAX_DEPTH = 12;
const MAX_ENTRIES = 200;

/** Text that claims to be JSON is parsed up to this size, in characters; beyond it, it is scrubbed as text. */
const MAX_NESTED_JSON = 65_536;

/** How the surroundings of a value bear on it. */
interface Place {
  /** The name it stands under; `null` at the top and where a person's record surrounds it. */
  name: string | null;
  /** Inside a record of a person: an unknown string may be their name. */
  personal: boolean;
  depth: number;
  /** The objects around it, against circles. */
  above: readonly object[];
}

/**
 * A copy of any value that holds no secret and nothing personal, as JSON. Cuts circles, depth and length; takes
 * errors, dates, maps and class instances; never throws.
 */
export function redact(value: unknown): Json {
  return visit(value, { name: null, personal: false, depth: 0, above: [] });
}

/**
 * A bounded, redacted excerpt of a body for evidence: whole or a sentence, never half a body.
 *
 * @param body a JSON value, or text, which may be JSON
 * @param maxBytes of the excerpt as JSON
 * @param mediaType as the sender named it; guessed where absent
 */
export function excerpt(body: unknown, maxBytes = 4096, mediaType?: string): Json {
  if (typeof body !== 'string') return bounded(redact(body), maxBytes);
  const bytes = Buffer.byteLength(body);
  if (body.trim() === '') return 'an empty body';
  const parsed = bytes <= maxBytes * EXCERPT_SLACK ? parseJson(body) : undefined;
  if (parsed !== undefined) return bounded(redact(parsed), maxBytes, bytes);
  if (looksLikeJson(body)) return tooLong(bytes, maxBytes);
  const kind = mediaType === undefined ? guessMediaType(body) : scrub(mediaType.slice(0, 100));
  return `a body of ${bytes} bytes, ${kind}, no JSON; it begins: ${scrub(body.slice(0, EXCERPT_TEXT_READ)).slice(0, EXCERPT_TEXT)}`;
}

/** Masks are shorter than what they hide, white space goes: up to so many times the cap a body may still fit. */
const EXCERPT_SLACK = 8;
/** Of a text that is no JSON, so many characters are kept, … */
const EXCERPT_TEXT = 200;
/** … taken from so many, so that what is cut off at the end of the reading never shows. */
const EXCERPT_TEXT_READ = 2_000;

function bounded(value: Json, maxBytes: number, bytes?: number): Json {
  const size = Buffer.byteLength(JSON.stringify(value));
  return size <= maxBytes ? value : tooLong(bytes ?? size, maxBytes);
}

function tooLong(bytes: number, maxBytes: number): string {
  return `a body of ${bytes} bytes, JSON, more than the ${maxBytes} bytes that are kept`;
}

function guessMediaType(text: string): string {
  return /^\s*<(?:!doctype|html|\?xml|[a-z])/i.test(text) ? 'markup' : 'plain text';
}

function looksLikeJson(text: string): boolean {
  return /^\s*[[{]/.test(text);
}

function parseJson(text: string): Json | undefined {
  try {
    // JSON.parse is typed as returning `any`; what it returns is JSON by definition.
    return JSON.parse(text) as Json;
  } catch {
    // Not JSON: the caller treats it as text.
    return undefined;
  }
}

function visit(value: unknown, place: Place): Json {
  switch (typeof value) {
    case 'string':
      return text(value, place);
    case 'number':
      if (!Number.isFinite(value)) return null;
      // A house number or a phone may be a number too.
      return place.personal && !keeps(place) ? MASK : value;
    case 'boolean':
      return value;
    case 'bigint':
      return text(String(value), place);
    case 'object':
      return value === null ? null : inside(value, place);
    default:
      return null;
  }
}

function keeps({ name, personal }: Place): boolean {
  return name !== null && isIdentifier(name, personal);
}

function text(value: string, place: Place): string {
  const identifier = keeps(place);
  if (place.personal && !identifier) return MASK;
  if (looksLikeJson(value) && value.length <= MAX_NESTED_JSON) {
    const parsed = parseJson(value);
    if (parsed !== undefined) return JSON.stringify(redact(parsed));
  }
  return scrub(value, identifier ? 'identifier' : 'text');
}

function inside(value: object, place: Place): Json {
  if (place.above.includes(value)) return '[circular]';
  if (place.depth >= MAX_DEPTH) return '[deeper]';
  const within: Place = { ...place, depth: place.depth + 1, above: [...place.above, value] };
  try {
    return read(value, within);
  } catch {
    // A getter or toJSON of somebody else's object threw: that is all there is to say of it.
    return '[unreadable]';
  }
}

function read(value: object, place: Place): Json {
  if (Array.isArray(value)) return list(value, place);
  if (value instanceof Error) return errorFields(value, place);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return text(value.href, place);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map)
    return record(
      [...value].map(([key, entry]) => [String(key), entry]),
      place,
    );
  if (value instanceof Set) return list([...value], place);
  if ('toJSON' in value && typeof value.toJSON === 'function') return visit(value.toJSON(), place);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return record(Object.entries(value), place);
  // Clients, sockets and pools hold credentials in fields that nobody can list.
  return `[${value.constructor?.name ?? 'object'}]`;
}

function list(values: readonly unknown[], place: Place): Json[] {
  const kept = values.slice(0, MAX_ENTRIES).map((entry) => visit(entry, place));
  return values.length > kept.length ? [...kept, `[${values.length - kept.length} more]`] : kept;
}

function record(entries: readonly (readonly [string, unknown])[], around: Place): JsonObject {
  const personal = around.personal || arePersonFields(entries.map(([name]) => name));
  const place = { ...around, personal };
  const fields: [string, Json][] = [];
  const names = new Set<string>();
  for (const [name, value] of entries.slice(0, MAX_ENTRIES)) {
    if (value === undefined || typeof value === 'function') continue;
    // An object may be keyed by e-mail addresses; two masked names must not become one.
    const clean = scrub(name, 'identifier');
    let unique = clean;
    for (let n = 2; names.has(unique); n += 1) unique = `${clean}#${n}`;
    names.add(unique);
    fields.push([unique, isMasked(clean) ? masked(value) : field(name, value, place)]);
  }
  if (entries.length > MAX_ENTRIES) fields.push(['[more]', entries.length - MAX_ENTRIES]);
  // Unlike an assignment, this makes `__proto__` a field like any other.
  return Object.fromEntries(fields);
}

function field(name: string, value: unknown, place: Place): Json {
  if (isMasked(name)) return masked(value);
  const personal =
    place.personal || (isPersonRecord(name) && !(typeof value === 'string' && isIP(value) !== 0));
  return visit(value, { ...place, name, personal });
}

/** That something was there, and nothing of it. */
function masked(value: unknown): Json {
  return value === null || value === undefined || typeof value === 'boolean' ? (value ?? null) : MASK;
}

/** Fields of errors that hold what a database or a server was given: rows, commands, whole clients. */
const NEVER_OF_ERRORS: ReadonlySet<string> = new Set([
  'detail',
  'where',
  'command',
  'args',
  'parameters',
  'params',
  'query',
  'sql',
  'internalQuery',
  'input',
]);

function errorFields(error: Error, place: Place): JsonObject {
  const told = new Set(['name', 'message', 'stack', 'type']);
  // `cause` and `errors` of the language's own errors are not enumerable, and wanted all the same.
  const own = ['cause', 'errors', ...Object.keys(error)]
    .filter((name, at, all) => Object.hasOwn(error, name) && all.indexOf(name) === at)
    .filter((name) => !told.has(name) && !NEVER_OF_ERRORS.has(name))
    .map((name): [string, unknown] => [name, Reflect.get(error, name)]);
  return {
    type: scrub(error.name, 'identifier'),
    message: text(error.message, { ...place, name: null }),
    stack: error.stack === undefined ? null : scrub(error.stack),
    ...record(own, place),
  };
}

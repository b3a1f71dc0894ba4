/**
 * Takes secrets and personal data out of free text by what they look like. Errs on the side of taking too much:
 * a log with a gap can be lived with. Linear in the length of the text.
 */
import { isIPv4 } from 'node:net';
import { isMasked } from './names.js';

// Longer texts are cut: an error message of more than this says nothing new.
const LONGEST = 8_192;

/**
 * @param as `identifier` for a value that stands under the name of an id or state: plain digits and long opaque
 *   words are then what one wants to read. Addresses, phone numbers with + or spaces, and keys go all the same.
 */
export function scrub(text: string, as: 'text' | 'identifier' = 'text'): string {
  if (isPlain(text, as)) return text;
  let clean = withoutCredentials(cut(text));
  clean = withoutNamedValues(clean);
  clean = clean.replace(EMAIL, '[email]');
  if (as === 'text') clean = clean.replace(OPAQUE, (word) => (isOpaque(word) ? '[secret]' : word));
  return clean.replace(DIGITS, (run, time: string | undefined, uuid: string | undefined) =>
    time !== undefined || uuid !== undefined || mayStay(run, as) ? run : '[digits]',
  );
}

/** Most of what is logged is a short word, an id or a time: seen at one glance, nothing in it can be meant below. */
function isPlain(text: string, as: 'text' | 'identifier'): boolean {
  if (/^[A-Za-z0-9._-]{0,23}$/.test(text)) {
    return !TOKEN_START.test(text) && (as === 'identifier' || text.replace(/\D/g, '').length < FEWEST_DIGITS);
  }
  return UUID.test(text) || ISO_TIME.test(text);
}

const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/;

function cut(text: string): string {
  if (text.length <= LONGEST) return text;
  // A word or number that the cut goes through could not be recognised any more: it goes too.
  const kept = text
    .slice(0, LONGEST)
    .replace(/\S{0,8192}$/u, '')
    .replace(/[\p{Nd}\p{Pd}\s+().]{1,100}$/u, '');
  return `${kept} [${text.length - kept.length} more characters]`;
}

/** `scheme://user:password@`; in the URLs of databases a password may hold anything, unencoded. */
const DATABASE_URL = /\b((?:postgres(?:ql)?|rediss?|mysql|mongodb(?:\+srv)?|amqps?):\/\/)\S*@/gi;
const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#"'<>]{1,512}@/gi;
const BEARER = /\b(bearer)\s+[^\s,;"'\\]+/gi;
const BASIC = /\b(Basic)\s+[A-Za-z0-9+/_-]{8,}=*/g;
/** JSON Web Tokens, and keys that wear a prefix. */
const TOKEN_START = /\beyJ|\b(?:sk|pk|rk|whsec|whsk|zupy_pk|xox[abprs]|gh[oprsu])[_-]/;
const TOKEN =
  /\beyJ[\w-]{5,}(?:\.[\w-]*){0,3}|\b(?:sk|pk|rk|whsec|whsk|zupy_pk|xox[abprs]|gh[oprsu])[_-][\w-]{6,}/g;
/** The path of a Slack webhook is its key. */
const SLACK = /(hooks\.slack\.com\/(?:services|workflows)\/)[^\s"'<>]+/gi;
/** PostgreSQL quotes the row that a constraint refused. */
const FAILING_ROW = /(Failing row contains )\([^\n]*/g;

function withoutCredentials(text: string): string {
  return text
    .replace(DATABASE_URL, '$1[secret]@')
    .replace(URL_CREDENTIALS, '$1[secret]@')
    .replace(SLACK, '$1[secret]')
    .replace(BEARER, '$1 [secret]')
    .replace(BASIC, '$1 [secret]')
    .replace(TOKEN, '[secret]')
    .replace(FAILING_ROW, '$1[redacted]');
}

/** A name and what parts it from its value: `password=`, `"email": `, `\"phone\":`, `x-api-key: `, `customer[email]=`. Not a mask of our own. */
const NAME =
  /(?<![\p{L}\p{N}_.-]|(?<![\p{L}\p{N}])\[)([\p{L}\p{N}_.-]{1,200})\\{0,4}["'\]]{0,2}\s{0,3}([:=])\s{0,3}/gu;
/** A quoted value; inside text that quotes JSON, with escaped quotes. */
const QUOTED = /"(?:[^"\\]|\\.)*"?|'[^']*'?|\\{1,4}"[^"]*"?/sy;
/** An unquoted value ends with its word in a query string, with its phrase behind a colon; masks inside count as parts of it. */
const AFTER_EQUALS = /(?:\[(?:secret|redacted|email|digits)\]|[^\s,;&)}\]])+/y;
const AFTER_COLON = /(?:\[(?:secret|redacted|email|digits)\]|[^\n,;&)}\]])+/y;

function withoutNamedValues(text: string): string {
  let clean = '';
  let at = 0;
  for (const found of text.matchAll(NAME)) {
    const [whole, name = '', parted] = found;
    const start = found.index + whole.length;
    // The name itself may have lain inside a value that was taken out already.
    if (found.index < at || !isMasked(name)) continue;
    const length = valueLength(text, start, parted === '=' ? AFTER_EQUALS : AFTER_COLON);
    if (length === 0) continue;
    clean += `${text.slice(at, start)}[redacted]`;
    at = start + length;
  }
  return clean + text.slice(at);
}

function valueLength(text: string, start: number, unquoted: RegExp): number {
  for (const shape of [QUOTED, unquoted]) {
    shape.lastIndex = start;
    const value = shape.exec(text);
    if (value !== null) return value[0].length;
  }
  return 0;
}

// RFC 5321, section 4.5.3.1: a local part of at most 64 octets, a path of at most 256; `%40` is an @ in a URL. Package scopes
// (`/@prisma/client`) have neither a local part nor a dot.
const EMAIL =
  /(?:(?:"[^"\n]{1,64}"|[^\s@"<>,;:()[\]\\/=?&]{1,256})(?:@|%40)|(?<!\])(?:@|%40)(?=[^\s@"'<>/]{1,64}\.))[^\s@"'<>,;:()[\]{}\\/?&=#]{1,256}/giu;

/** Words that only a machine writes, of the length of a key. */
const OPAQUE = /[A-Za-z0-9_+=-]{24,}/g;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function isOpaque(word: string): boolean {
  if (UUID.test(word)) return false;
  const mixed = /[A-Z]/.test(word) && /[a-z]/.test(word) && /\d/.test(word);
  return mixed || /^[0-9a-f]{32,}$/i.test(word);
}

/**
 * Points in time and UUIDs, which stay; and runs of seven digits or more with what people put between the digits
 * of a phone number. Digits of any script.
 */
const DIGITS =
  /(\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?(?![\p{Nd}]))|(\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b)|(?:\+\s{0,2})?\(?\p{Nd}(?:[\s().\p{Pd}\p{Cf}/]{0,3}\p{Nd}){6,}/giu;

/** Phone numbers have at least seven digits (E.164: up to fifteen). */
const FEWEST_DIGITS = 7;

function mayStay(run: string, as: 'text' | 'identifier'): boolean {
  if (/^(?:19|20)\d{2}-(?:0[1-9]|1[0-2])-(?:[0-2]\d|3[01])$/.test(run) || isIPv4(run)) return true;
  return as === 'identifier' && !/[+\s()]/.test(run);
}

/**
 * Intake: from what the shop wrote to what the store keeps. Shape first, then what the chosen provider needs;
 * all mistakes at once, each with its pointer. Pure.
 */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { CachedAccount } from '../accounts/cache.js';
import { fieldProblems, oncePerField } from '../field-problems.js';
import { type FieldProblem, jsonPointer, type OrderBody, orderBody } from '../orders/body.js';
import type { NewOrder } from '../orders/store/intake.js';
import { PRIORITY } from '../policy/job-options.js';

/** Deeper than any documented option; recursive validators would overflow their stack far above it. */
const MAX_DEPTH = 20;
/** Values that one order holds at most: 500 items with all their fields and options stay far below it. */
const MAX_VALUES = 50_000;
/** Problems that one answer lists at most. */
const MAX_PROBLEMS = 200;

export type Checked =
  | { ok: true; order: Omit<NewOrder, 'id' | 'actor'> }
  | { ok: false; problems: FieldProblem[] };

/**
 * @param raw the parsed JSON, whatever it is
 * @param findAccount the usable account of an id
 */
export function checkOrder(raw: unknown, findAccount: (id: string) => CachedAccount | null): Checked {
  const unstorable = oncePerField(storabilityProblems(raw));
  if (unstorable.length > 0) return { ok: false, problems: unstorable };
  const parsed = orderBody.safeParse(raw);
  const accountId = textAt(raw, 'account');
  const account = accountId === null ? null : findAccount(accountId);
  const problems = parsed.success ? [] : fieldProblems(parsed.error.issues, raw);
  if (accountId !== null && account === null && !problems.some(({ pointer }) => pointer === '/account')) {
    problems.push({
      pointer: '/account',
      code: 'unknown_account',
      detail: `there is no account "${accountId.slice(0, 100)}"; packline accounts list names them`,
    });
  }
  if (account !== null) {
    // What the provider misses is told together with what the shape lacks, as far as the body can be read.
    const readable = parsed.success ? parsed.data : readablePart(raw, problems);
    if (readable !== null) problems.push(...newProblems(account.open.validate(readable), problems));
  }
  if (!parsed.success || account === null || problems.length > 0)
    return { ok: false, problems: problems.slice(0, MAX_PROBLEMS) };
  return { ok: true, order: toOrder(parsed.data, raw, account) };
}

function toOrder(body: OrderBody, raw: unknown, account: CachedAccount): Omit<NewOrder, 'id' | 'actor'> {
  const [first] = account.open.verbs.submit;
  return {
    accountId: account.id,
    reference: body.reference,
    body,
    bodyHash: hashOf(raw),
    held: body.activate === false && !account.open.capabilities.drafts,
    step: first.name,
    stepRepeatable: first.repeatable,
    priority: PRIORITY.submit,
    serialKey: account.open.serialKey?.(body) ?? null,
    lookable: account.open.capabilities.lookup === 'reference',
  };
}

/** SHA-256 of the canonical JSON (RFC 8785) as the shop sent it. */
export function hashOf(raw: unknown): string {
  return createHash('sha256')
    .update(canonicalize(raw) ?? '')
    .digest('hex');
}

function textAt(raw: unknown, key: string): string | null {
  if (typeof raw !== 'object' || raw === null) return null;
  const value: unknown = Reflect.get(raw, key);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Stands in for a wrong field that the shape requires, so that the rest can be read; nothing of it is ever stored. */
const PLACEHOLDERS: Readonly<Record<string, unknown>> = {
  account: 'placeholder',
  reference: 'placeholder',
  quantity: 1,
  line1: 'placeholder',
  city: 'placeholder',
  country: 'DE',
  method: 'prepaid',
  type: 'default',
  url: 'https://placeholder.invalid/',
};
const PLACEHOLDER_FILE = { type: 'default', url: 'https://placeholder.invalid/' };
const PLACEHOLDER_ITEM = { reference: 'placeholder', quantity: 1 };

/** The body with its wrong fields left out or stood in for, so that the provider's rules can be told as well. */
function readablePart(raw: unknown, problems: readonly FieldProblem[]): OrderBody | null {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return null;
  const copy: unknown = structuredClone(raw);
  for (const { pointer } of problems) mend(copy, pathOf(pointer));
  const again = orderBody.safeParse(copy);
  return again.success ? again.data : null;
}

function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function mend(copy: unknown, path: readonly string[]): void {
  const name = path.at(-1);
  let parent: unknown = copy;
  for (const part of path.slice(0, -1)) {
    // Own properties only: a hostile name must not lead into a prototype.
    parent =
      typeof parent === 'object' && parent !== null
        ? Object.getOwnPropertyDescriptor(parent, part)?.value
        : undefined;
  }
  if (name === undefined || typeof parent !== 'object' || parent === null) return;
  // An element keeps its place, so that the pointers to its neighbours stay right.
  if (Array.isArray(parent)) {
    Reflect.set(parent, name, { ...(path.at(-2) === 'files' ? PLACEHOLDER_FILE : PLACEHOLDER_ITEM) });
  } else if (Object.hasOwn(PLACEHOLDERS, name)) Reflect.set(parent, name, PLACEHOLDERS[name]);
  else Reflect.deleteProperty(parent, name);
}

/** Without those about fields that are known to be wrong already, or left out of the readable part. */
function newProblems(found: readonly FieldProblem[], known: readonly FieldProblem[]): FieldProblem[] {
  const tops = known.map(({ pointer }) => pointer);
  return found.filter(
    ({ pointer }) =>
      !tops.some((top) => pointer === top || pointer.startsWith(`${top}/`) || top.startsWith(`${pointer}/`)),
  );
}

/** What neither validators nor the database can take: NUL and lone surrogates in strings and names, bottomless nesting. */
function storabilityProblems(raw: unknown): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const stack: { value: unknown; path: (string | number)[] }[] = [{ value: raw, path: [] }];
  let values = 0;
  for (let entry = stack.pop(); entry !== undefined && problems.length < MAX_PROBLEMS; entry = stack.pop()) {
    const { value, path } = entry;
    values += 1;
    if (values > MAX_VALUES) {
      return [{ pointer: '', code: 'too_large', detail: `must not hold more than ${MAX_VALUES} values` }];
    }
    if (typeof value === 'string' && !storable(value)) {
      problems.push({
        pointer: jsonPointer(path),
        code: 'invalid',
        detail: 'must not contain NUL or lone surrogates',
      });
    }
    if (typeof value !== 'object' || value === null) continue;
    if (path.length >= MAX_DEPTH) {
      problems.push({
        pointer: jsonPointer(path),
        code: 'too_deep',
        detail: `must not be nested deeper than ${MAX_DEPTH} levels`,
      });
      continue;
    }
    for (const [key, inner] of Object.entries(value)) {
      if (!storableName(key))
        problems.push({
          pointer: jsonPointer(path),
          code: 'invalid',
          detail: 'a field name contains NUL or a lone surrogate, or is __proto__',
        });
      else stack.push({ value: inner, path: [...path, Array.isArray(value) ? Number(key) : key] });
    }
  }
  return problems;
}

/** Neither kept as a name: the database refuses the one, and zod drops the other without a word. */
function storableName(name: string): boolean {
  return storable(name) && name !== '__proto__';
}

function storable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

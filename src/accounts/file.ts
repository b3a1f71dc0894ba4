/**
 * The accounts file: what the operator wrote, checked wholly, with all mistakes at once, each with its pointer.
 * No message holds a credential.
 */
import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { errorCode } from '../database/embedded/errors.js';
import { fieldProblems, type Path } from '../field-problems.js';
import type { Json, JsonObject } from '../json.js';
import { type JsonRead, readJson } from '../json-text.js';
import { type FieldProblem, jsonPointer } from '../orders/body.js';
import { URL_FAULTS, urlFault } from '../plain-http.js';
import type { Provider } from '../providers/provider.js';
import { interpolate } from './interpolate.js';
import {
  type Breaker,
  breaker,
  commonConfig,
  isPlausible,
  type LimitsOverride,
  limitsOverride,
  mergeLimits,
  mergePolicy,
  type PolicyOverride,
  policyOverride,
  splitConfig,
} from './settings.js';

/** An account as the file wants it. */
export interface AccountSpec {
  id: string;
  provider: string;
  mode: 'live' | 'test';
  /** The common settings and the provider's own, defaults filled in. */
  config: JsonObject;
  /** As written, with the environment's values. */
  credentials: JsonObject;
  /** Over the provider's documented limits. */
  limits: LimitsOverride;
  /** Over the provider's documented policy. */
  policy: PolicyOverride;
  /** Null: the default. */
  breaker: Breaker | null;
}

export interface ParseOptions {
  providers: readonly Provider[];
  /** Hosts off this machine that may be called without TLS. */
  allowHttpHosts: readonly string[];
}

export type AccountsParsed = { ok: true; accounts: AccountSpec[] } | { ok: false; problems: FieldProblem[] };

// It becomes part of a queue's name, where a colon would end it, and of URLs.
const ID = /^[a-z0-9][a-z0-9_-]{0,59}$/;

const object = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
);

const accountsFile = z.strictObject({ accounts: z.array(object) });

const entry = z.strictObject({
  id: z
    .string()
    .regex(ID, 'must be 1 to 60 lower-case letters, digits, "-" and "_", and begin with a letter or digit'),
  provider: z.string(),
  config: object.default({}),
  credentials: object.default({}),
  limits: limitsOverride.default({}),
  policy: policyOverride.default({}),
  breaker: breaker.optional(),
});

/**
 * @param file the file's JSON value
 * @param env fills `${NAME}`
 */
export function parseAccountsFile(
  file: unknown,
  env: Record<string, string | undefined>,
  options: ParseOptions,
): AccountsParsed {
  // Whatever is no JSON inside fails its own schema below.
  const filled = interpolate(file as Json, env);
  const shape = accountsFile.safeParse(filled.value);
  const problems = [...filled.problems, ...fieldProblems(shape.error?.issues ?? [], filled.value)];
  const read = entriesOf(filled.value).map((value, index) => readEntry(value, ['accounts', index], options));
  problems.push(...read.flatMap((each) => each.problems), ...repeatedIds(filled.value));
  if (problems.length > 0) return { ok: false, problems: firstPerPointer(problems) };
  return { ok: true, accounts: read.flatMap(({ account }) => (account === null ? [] : [account])) };
}

function entriesOf(value: Json): Json[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Array.isArray(value.accounts) ? value.accounts : [];
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A variable that is missing explains whatever else is wrong with its field. */
function firstPerPointer(problems: readonly FieldProblem[]): FieldProblem[] {
  const unfilled = new Set(
    problems.filter(({ code }) => code === 'missing_variable').map(({ pointer }) => pointer),
  );
  return problems.filter(({ pointer, code }) => code === 'missing_variable' || !unfilled.has(pointer));
}

function repeatedIds(value: Json): FieldProblem[] {
  const firstAt = new Map<string, number>();
  return entriesOf(value).flatMap((account, index) => {
    const id = isObject(account) ? account.id : undefined;
    if (typeof id !== 'string') return [];
    const first = firstAt.get(id);
    if (first === undefined) {
      firstAt.set(id, index);
      return [];
    }
    const detail = `The account at /accounts/${first} has this id too: each account needs its own.`;
    return [{ pointer: jsonPointer(['accounts', index, 'id']), code: 'conflict', detail }];
  });
}

type Read = { account: AccountSpec | null; problems: FieldProblem[] };

function readEntry(value: Json, path: Path, options: ParseOptions): Read {
  // That it is no object, the file's own schema has said.
  if (!isObject(value)) return { account: null, problems: [] };
  const parsed = entry.safeParse(value);
  const problems = fieldProblems(parsed.error?.issues ?? [], value, path);
  const provider = options.providers.find(({ id }) => id === value.provider);
  if (provider === undefined && typeof value.provider === 'string') {
    const known = options.providers.map(({ id }) => id).join(', ');
    problems.push({
      pointer: jsonPointer([...path, 'provider']),
      code: 'unknown_provider',
      detail: `There is no such provider; known are ${known}.`,
    });
  }
  const config = readConfig(
    isObject(value.config) ? value.config : {},
    [...path, 'config'],
    provider,
    options,
  );
  problems.push(...config.problems);
  if (provider === undefined) return { account: null, problems };
  const credentials = isObject(value.credentials) ? value.credentials : {};
  const keys = provider.credentials.safeParse(credentials);
  problems.push(...fieldProblems(keys.error?.issues ?? [], credentials, [...path, 'credentials']));
  if (!parsed.success) return { account: null, problems };
  problems.push(...paceProblems(provider, parsed.data.limits, [...path, 'limits']));
  if (problems.length > 0) return { account: null, problems };
  return { account: open(provider, { ...parsed.data, config: config.value, credentials }), problems };
}

function readConfig(
  config: JsonObject,
  path: Path,
  provider: Provider | undefined,
  { allowHttpHosts }: ParseOptions,
): { value: JsonObject; problems: FieldProblem[] } {
  const { common, own } = splitConfig(config);
  const parsedCommon = commonConfig.safeParse(common);
  const problems = fieldProblems(parsedCommon.error?.issues ?? [], common, path);
  if (provider === undefined) return { value: {}, problems };
  const parsedOwn = provider.config.safeParse(own);
  problems.push(...fieldProblems(parsedOwn.error?.issues ?? [], own, path));
  if (!parsedOwn.success) return { value: {}, problems };
  for (const { path: name, url } of provider.urls(own)) {
    const fault = urlFault(url, allowHttpHosts);
    if (fault === null) continue;
    problems.push({
      pointer: jsonPointer([...path, ...name.split('.')]),
      code: 'invalid',
      detail: URL_FAULTS[fault],
    });
  }
  // Settings are JSON by convention; the copy drops what is undefined.
  const filled = JSON.parse(
    JSON.stringify({ ...parsedCommon.data, ...Object(parsedOwn.data) }),
  ) as JsonObject;
  return { value: filled, problems };
}

function paceProblems(provider: Provider, over: LimitsOverride, path: Path): FieldProblem[] {
  const limits = mergeLimits(provider.limits, over);
  if (isPlausible(limits)) return [];
  const detail = `${limits.requests} requests per ${limits.perMs} ms cannot be meant: give a pace between one a minute and a million a second.`;
  return [{ pointer: jsonPointer(path), code: 'invalid', detail }];
}

/** Opens the account once, since only the adapter can tell the mode of its credentials. */
function open(provider: Provider, spec: z.output<typeof entry>): AccountSpec {
  const { id, config, credentials, limits, policy } = spec;
  const { own } = splitConfig(config);
  const { mode } = provider.open({
    id,
    config: own,
    credentials,
    policy: mergePolicy(provider.policy, policy),
  });
  return {
    id,
    provider: provider.id,
    mode,
    config,
    credentials,
    limits,
    policy,
    breaker: spec.breaker ?? null,
  };
}

export type AccountsFileRead = { ok: true; file: Json } | { ok: false; message: string };

// The system's codes that a person can do something about (errno(3)).
const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read by this user',
  EPERM: 'it may not be read by this user',
  EISDIR: 'it is a directory',
};

/** Reads the file as JSON; else a sentence on what is wrong and where, without a word of its content. */
export async function readAccountsFile(path: string): Promise<AccountsFileRead> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const code = errorCode(error) ?? 'unknown error';
    return { ok: false, message: `cannot read the accounts file ${path}: ${REASONS[code] ?? code}` };
  }
  // Decoding that replaces what it cannot read would alter a credential without a word.
  if (!isUtf8(bytes)) return { ok: false, message: `the accounts file ${path} is not UTF-8` };
  const read: JsonRead = readJson(new TextDecoder().decode(bytes));
  if (read.ok) return { ok: true, file: read.value };
  const { line, column } = read.place;
  const where = `line ${line}, column ${column}`;
  return {
    ok: false,
    message: `the accounts file ${path} is not JSON: expected ${read.expected} at ${where}`,
  };
}

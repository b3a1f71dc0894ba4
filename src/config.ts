/**
 * The environment, read once and wholly: one schema, all mistakes at once, no value of a secret in any message.
 */
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { URL_FAULTS, urlFault } from './plain-http.js';

export { type Keys, resolveKeys } from './keys.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Config {
  /** Null: an embedded PostgreSQL in the data folder. */
  databaseUrl: string | null;
  /** Null: the queue lives in PostgreSQL. */
  redisUrl: string | null;
  /** 0 picks one. */
  port: number;
  host: string;
  /** Null: generated, see `resolveKeys`. */
  apiKey: string | null;
  /** 32 bytes. Null only without a `databaseUrl`: generated, see `resolveKeys`. */
  encryptionKey: Buffer | null;
  /** Path of the accounts file to apply at start. */
  accountsFile: string | null;
  dataDir: string;
  logLevel: LogLevel;
  alertWebhookUrl: string | null;
  slackWebhookUrl: string | null;
  /** The first endpoint of the outbound webhooks. */
  eventsWebhook: { url: string; secret: string } | null;
  /** Hosts off this machine that may be called without TLS; lower case, without port. */
  allowHttpHosts: string[];
  /** For how many days the history of an order is kept after it is over; 0: for ever. */
  retentionDays: number;
}

export type ConfigRead =
  | { ok: true; config: Config; warnings: string[] }
  /** One screen: each variable with what is wrong and what to write. */
  | { ok: false; message: string };

const MIN_KEY_CHARACTERS = 24;
const ENCRYPTION_KEY_BYTES = 32;
const MAKE_A_KEY = 'make one with: openssl rand -base64 32';

/** A variable; `write` says what to put there. */
const variable = <Schema extends z.ZodType>(schema: Schema, write: string) =>
  schema.optional().describe(write);

const urlOf = (schemes: readonly string[]) =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol), {
    error: `is not a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  });

const key = z
  .string()
  // It travels in a header (RFC 9110, "Field Values").
  .regex(/^[\x21-\x7e]*$/, 'holds characters other than visible ASCII')
  .min(MIN_KEY_CHARACTERS, `has fewer than ${MIN_KEY_CHARACTERS} characters`);

const encryptionKey = z.string().transform((text, ctx) => {
  const bytes = Buffer.from(text, 'base64');
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(text) && bytes.length === ENCRYPTION_KEY_BYTES) return bytes;
  ctx.addIssue({ code: 'custom', message: `is not the base64 of ${ENCRYPTION_KEY_BYTES} bytes` });
  return z.NEVER;
});

/** A year, and the time to look back at it. */
const RETENTION_DAYS = 400;
const MOST_RETENTION_DAYS = 36_500;

const days = z
  .string()
  .regex(/^\d{1,5}$/, 'is not a whole number')
  .transform(Number)
  .refine((number) => number <= MOST_RETENTION_DAYS, { error: `is above ${MOST_RETENTION_DAYS}` });

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'is not a whole number')
  .transform(Number)
  .refine((number) => number <= 65_535, { error: 'is above 65535' });

const host = z.string().transform((text, ctx) => {
  const known = hostOf(text);
  if (known !== null) return known;
  ctx.addIssue({ code: 'custom', message: 'is not a host name or address' });
  return z.NEVER;
});

const hostList = z.string().transform((text, ctx) => {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  const hosts = parts.map((part) => hostOf(part.trim())).filter((known) => known !== null);
  if (hosts.length === parts.length) return hosts;
  ctx.addIssue({ code: 'custom', message: 'holds something other than host names' });
  return z.NEVER;
});

/** A name or address as URLs spell it; null for anything with a scheme, a port or a path. */
function hostOf(text: string): string | null {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (!isIPv6(bare) && !/^[\p{L}\p{N}_.-]+$/u.test(text)) return null;
  const url = `http://${isIPv6(bare) ? `[${bare}]` : text}/`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : null;
}

const logLevel = z
  .string()
  .toLowerCase()
  .pipe(z.enum(LOG_LEVELS, { error: 'is not a log level' }));

// Standard Webhooks, "Signature scheme": a symmetric secret has 24 to 64 bytes and is written as base64 behind `whsec_`.
const webhookSecret = z
  .string()
  .refine((text) => !text.startsWith('whsec_') || /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text), {
    error: 'is not base64 behind whsec_',
  })
  .refine((text) => !text.startsWith('whsec_') || withinWebhookBytes(text.slice('whsec_'.length)), {
    error: 'does not hold 24 to 64 bytes behind whsec_',
  })
  .refine((text) => text.startsWith('whsec_') || text.length >= MIN_KEY_CHARACTERS, {
    error: `has fewer than ${MIN_KEY_CHARACTERS} characters`,
  });

function withinWebhookBytes(base64: string): boolean {
  const { length } = Buffer.from(base64, 'base64');
  return length >= 24 && length <= 64;
}

const WEBHOOK = 'an https URL';

/** Exactly the variables of the contract; all strings, white space around them taken off, empty ones left out. */
const environment = z.object({
  DATABASE_URL: variable(
    urlOf(['postgresql:', 'postgres:']),
    'postgresql://user:password@host:5432/database; leave it out for an embedded PostgreSQL',
  ),
  REDIS_URL: variable(
    urlOf(['redis:', 'rediss:']),
    'redis://:password@host:6379; leave it out to keep the queue in PostgreSQL',
  ),
  PORT: variable(port, 'a whole number from 0 to 65535; 0 picks a free port; 4000 if left out'),
  HOST: variable(host, 'a host name or address to listen on; 127.0.0.1 if left out'),
  PACKLINE_API_KEY: variable(key, `at least ${MIN_KEY_CHARACTERS} characters; ${MAKE_A_KEY}`),
  PACKLINE_ENCRYPTION_KEY: variable(
    encryptionKey,
    `${ENCRYPTION_KEY_BYTES} random bytes as base64, the same for every process; ${MAKE_A_KEY}`,
  ),
  PACKLINE_ACCOUNTS: variable(z.string(), 'the path of an accounts file'),
  PACKLINE_DATA_DIR: variable(z.string(), 'the path of a folder; .packline if left out'),
  LOG_LEVEL: variable(logLevel, `one of ${LOG_LEVELS.join(', ')}; info if left out`),
  PACKLINE_ALERT_WEBHOOK_URL: variable(z.string(), WEBHOOK),
  PACKLINE_SLACK_WEBHOOK_URL: variable(z.string(), WEBHOOK),
  PACKLINE_EVENTS_WEBHOOK_URL: variable(
    z.string(),
    `${WEBHOOK}, together with PACKLINE_EVENTS_WEBHOOK_SECRET`,
  ),
  PACKLINE_EVENTS_WEBHOOK_SECRET: variable(
    webhookSecret,
    'whsec_ and the base64 of 24 to 64 random bytes; make one with: echo whsec_$(openssl rand -base64 32)',
  ),
  PACKLINE_ALLOW_HTTP_HOSTS: variable(
    hostList,
    'host names parted by commas, without scheme, port and path, such as simulator,10.0.0.5',
  ),
  PACKLINE_RETENTION_DAYS: variable(
    days,
    `a whole number of days; 0 keeps all history; ${RETENTION_DAYS} if left out`,
  ),
});

type Variable = keyof typeof environment.shape;
type Given = Partial<Record<Variable, string>>;

const VARIABLES: readonly Variable[] = environment.keyof().options;

/**
 * @param env the process's environment; an empty variable counts as absent
 * @returns the configuration, or one message that lists every mistake
 */
export function readConfig(env: Record<string, string | undefined>): ConfigRead {
  const given = givenOf(env);
  const parsed = environment.safeParse(given);
  const mistakes = new Map<Variable, string>(relationMistakes(given));
  for (const issue of parsed.error?.issues ?? []) {
    // The schema is a flat object, so an issue's path is the variable's name.
    mistakes.set(String(issue.path[0]) as Variable, issue.message);
  }
  if (!parsed.success || mistakes.size > 0) return { ok: false, message: screen(mistakes) };
  return { ok: true, config: configOf(parsed.data), warnings: unknownNames(env) };
}

function givenOf(env: Record<string, string | undefined>): Given {
  return Object.fromEntries(
    VARIABLES.map((name) => [name, env[name]?.trim()] as const).filter(
      ([, value]) => value !== undefined && value !== '',
    ),
  );
}

/** What is wrong with variables in relation to each other. */
function relationMistakes(given: Given): [Variable, string][] {
  const mistakes: [Variable, string][] = [];
  if (given.DATABASE_URL !== undefined && given.PACKLINE_ENCRYPTION_KEY === undefined) {
    mistakes.push([
      'PACKLINE_ENCRYPTION_KEY',
      'is needed where DATABASE_URL is set: it seals credentials and codes there',
    ]);
  }
  const { PACKLINE_EVENTS_WEBHOOK_URL: url, PACKLINE_EVENTS_WEBHOOK_SECRET: secret } = given;
  if (url !== undefined && secret === undefined) {
    mistakes.push(['PACKLINE_EVENTS_WEBHOOK_SECRET', 'is needed where PACKLINE_EVENTS_WEBHOOK_URL is set']);
  }
  if (url === undefined && secret !== undefined) {
    mistakes.push(['PACKLINE_EVENTS_WEBHOOK_URL', 'is needed where PACKLINE_EVENTS_WEBHOOK_SECRET is set']);
  }
  const hosts = environment.shape.PACKLINE_ALLOW_HTTP_HOSTS.safeParse(given.PACKLINE_ALLOW_HTTP_HOSTS);
  for (const name of WEBHOOK_URLS) {
    const fault = given[name] === undefined ? null : urlFault(given[name], hosts.data ?? []);
    // With an unreadable list of hosts nobody knows whether this one is meant to be on it.
    if (fault !== null && !(fault === 'plain_http' && !hosts.success))
      mistakes.push([name, URL_FAULTS[fault]]);
  }
  return mistakes;
}

const WEBHOOK_URLS = [
  'PACKLINE_ALERT_WEBHOOK_URL',
  'PACKLINE_SLACK_WEBHOOK_URL',
  'PACKLINE_EVENTS_WEBHOOK_URL',
] as const;

function screen(mistakes: ReadonlyMap<Variable, string>): string {
  const lines = VARIABLES.flatMap((name) => {
    const mistake = mistakes.get(name);
    if (mistake === undefined) return [];
    return [
      `  ${name} ${mistake}.`,
      `      Write ${environment.shape[name].description ?? 'another value'}.`,
    ];
  });
  const count = mistakes.size === 1 ? 'one mistake' : `${mistakes.size} mistakes`;
  return [`The environment has ${count}:`, '', ...lines].join('\n');
}

function configOf(given: z.output<typeof environment>): Config {
  const { PACKLINE_EVENTS_WEBHOOK_URL: url, PACKLINE_EVENTS_WEBHOOK_SECRET: secret } = given;
  return {
    databaseUrl: given.DATABASE_URL ?? null,
    redisUrl: given.REDIS_URL ?? null,
    port: given.PORT ?? 4000,
    host: given.HOST ?? '127.0.0.1',
    apiKey: given.PACKLINE_API_KEY ?? null,
    encryptionKey: given.PACKLINE_ENCRYPTION_KEY ?? null,
    accountsFile: given.PACKLINE_ACCOUNTS ?? null,
    dataDir: given.PACKLINE_DATA_DIR ?? '.packline',
    logLevel: given.LOG_LEVEL ?? 'info',
    alertWebhookUrl: given.PACKLINE_ALERT_WEBHOOK_URL ?? null,
    slackWebhookUrl: given.PACKLINE_SLACK_WEBHOOK_URL ?? null,
    eventsWebhook: url === undefined || secret === undefined ? null : { url, secret },
    allowHttpHosts: given.PACKLINE_ALLOW_HTTP_HOSTS ?? [],
    retentionDays: given.PACKLINE_RETENTION_DAYS ?? RETENTION_DAYS,
  };
}

/** So far may a name be from a known one, in edits, to count as its misspelling. */
const MISSPELLING_EDITS = 4;

function unknownNames(env: Record<string, string | undefined>): string[] {
  const known: readonly string[] = VARIABLES;
  return Object.keys(env)
    .filter((name) => name.startsWith('PACKLINE_') && !known.includes(name) && env[name] !== undefined)
    .sort()
    .map((name) => {
      const [nearest] = known
        .map((other) => ({ other, edits: editDistance(name, other) }))
        .filter(({ edits }) => edits <= MISSPELLING_EDITS)
        .sort((a, b) => a.edits - b.edits);
      const hint = nearest === undefined ? '' : `; did you mean ${nearest.other}?`;
      return `the environment variable ${name} is not known and has no effect${hint}`;
    });
}

/** Levenshtein's: insertions, deletions and replacements that lead from one word to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [i, char] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const replaced = (row[j] ?? 0) + (char === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

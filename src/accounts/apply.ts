/**
 * Brings the accounts of a file into the database: creates or updates by id, and leaves alone what the file does
 * not speak of: pauses, gates, rotated tokens, other accounts.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Database, json, type Sql } from '../database/connect.js';
import { closeBreaker } from '../gate/breaker-row.js';
import type { Json, JsonObject } from '../json.js';
import { jsonPointer } from '../orders/body.js';
import { ok, type Result, refused } from '../problem.js';
import { digest, type EncryptionKey, seal, unseal } from '../secrets.js';
import type { AccountSpec } from './file.js';
import { resumeAccount } from './pause.js';

export interface AccountChange {
  id: string;
  change: 'created' | 'updated' | 'unchanged';
}

/** Two processes that start together apply one after the other ("PKL" and 4). */
const APPLY_LOCK = 0x50_4b_4c_04;

/** What an account's sealed credentials are bound to. */
export function credentialsContext(account: string): string {
  return `account:${account}`;
}

/**
 * All accounts in one transaction. A credential is replaced only where its value in the file changed since the
 * last apply, so that a token that was rotated meanwhile stays; a changed credential ends a pause of code `auth`.
 *
 * @param specs in the order of the file: problems point at their places there
 * @returns one change per account, in that order; nothing is changed where any account keeps its id for another provider
 * @throws SealError where an account's credentials were sealed with another key
 */
export async function applyAccounts(
  db: Pick<Database, 'transaction'>,
  specs: readonly AccountSpec[],
  key: EncryptionKey,
): Promise<Result<AccountChange[]>> {
  return db.transaction(async (sql) => {
    await sql.query('select pg_advisory_xact_lock($1::bigint)::text', APPLY_LOCK);
    const stored = await findStored(
      sql,
      specs.map(({ id }) => id),
    );
    const moved = specs.flatMap((spec, index) => providerProblem(spec, stored.get(spec.id), index));
    if (moved.length > 0) return refused('invalid', 'Correct the accounts listed in errors.', moved);
    const changes: AccountChange[] = [];
    for (const spec of specs)
      changes.push({ id: spec.id, change: await applyOne(sql, spec, stored.get(spec.id), key) });
    await sql.query(`select pg_notify('packline_accounts', '')::text`);
    return ok(changes);
  });
}

interface StoredAccount {
  id: string;
  provider: string;
  mode: string;
  config: Json;
  limits: Json;
  policy: Json;
  breaker: Json;
  /** A sealed envelope. */
  credentials: string;
  /** By credential, the fingerprint of the file's value at the last apply. */
  digests: Record<string, string>;
  pauseCode: string | null;
}

// Not "for update": the foreign keys of new orders must not wait for it.
const FIND = `
select id, provider, mode, config, limits, policy, breaker, credentials, credentials_digest as digests, pause_code as "pauseCode"
from packline.accounts where id = any($1::text[]) order by id for no key update`;

async function findStored(sql: Sql, ids: string[]): Promise<Map<string, StoredAccount>> {
  const rows = await sql.query<StoredAccount>(FIND, ids);
  return new Map(rows.map((row) => [row.id, row]));
}

function providerProblem(spec: AccountSpec, stored: StoredAccount | undefined, index: number) {
  if (stored === undefined || stored.provider === spec.provider) return [];
  const detail = `The account ${spec.id} exists with the provider ${stored.provider}, and its orders are there: give this one another id.`;
  return [{ pointer: jsonPointer(['accounts', index, 'provider']), code: 'conflict', detail }];
}

async function applyOne(
  sql: Sql,
  spec: AccountSpec,
  stored: StoredAccount | undefined,
  key: EncryptionKey,
): Promise<AccountChange['change']> {
  const digests = digestsOf(spec, key);
  if (stored === undefined) {
    await insert(sql, spec, digests, key);
    return 'created';
  }
  const credentials = mergeCredentials(spec, stored, digests, key);
  if (credentials === null && !settingsDiffer(spec, stored)) {
    return 'unchanged';
  }
  await update(
    sql,
    spec,
    digests,
    credentials === null ? stored.credentials : sealed(spec.id, credentials, key),
  );
  if (credentials !== null && stored.pauseCode === 'auth') await resumeAccount(sql, spec.id, 'packline');
  // What failed was another URL, or other credentials; or it is to have no breaker any more.
  await closeBreaker(sql, spec.id, 'packline');
  return 'updated';
}

function settingsDiffer(spec: AccountSpec, stored: StoredAccount): boolean {
  return !isDeepStrictEqual(settingsOf(spec), settingsOf(stored));
}

/** In the form that the database returns them in. */
function settingsOf({ mode, config, limits, policy, breaker }: AccountSpec | StoredAccount): Json {
  // These are JSON values; the copy only drops fields that are present and undefined.
  return JSON.parse(JSON.stringify({ mode, config, limits, policy, breaker })) as Json;
}

function digestsOf({ id, credentials }: AccountSpec, key: EncryptionKey): Record<string, string> {
  return Object.fromEntries(
    // Account and name are part of it: equal credentials of two accounts must not look alike.
    Object.entries(credentials).map(([name, value]) => [
      name,
      digest(JSON.stringify([id, name, value]), key),
    ]),
  );
}

/** The credentials to store, or null where the file changed none of them since the last apply. */
function mergeCredentials(
  spec: AccountSpec,
  stored: StoredAccount,
  digests: Record<string, string>,
  key: EncryptionKey,
): JsonObject | null {
  const changed = Object.keys(digests).filter((name) => digests[name] !== stored.digests[name]);
  const removed = Object.keys(stored.digests).filter((name) => !Object.hasOwn(digests, name));
  if (changed.length === 0 && removed.length === 0) return null;
  // What we have sealed ourselves is the JSON of an object.
  const current = JSON.parse(unseal(stored.credentials, key, credentialsContext(spec.id))) as JsonObject;
  return Object.fromEntries([
    ...Object.entries(current).filter(([name]) => !removed.includes(name)),
    ...Object.entries(spec.credentials).filter(([name]) => changed.includes(name)),
  ]);
}

function sealed(account: string, credentials: JsonObject, key: EncryptionKey): string {
  return seal(JSON.stringify(credentials), key, credentialsContext(account));
}

const INSERT = `
with a as (
  insert into packline.accounts (id, provider, mode, config, limits, policy, breaker, credentials, credentials_digest, updated_at)
  values ($1, $2, $3, $4::jsonb, $5::jsonb, $6::jsonb, $7::jsonb, $8, $9::jsonb, now())
  returning id
)
insert into packline.gates (account_id, verb) select id, '*' from a on conflict do nothing`;

const UPDATE = `
with a as (
  update packline.accounts set mode = $3, config = $4::jsonb, limits = $5::jsonb, policy = $6::jsonb, breaker = $7::jsonb,
    credentials = $8, credentials_digest = $9::jsonb, updated_at = now()
  where id = $1 and provider = $2
  returning id
)
insert into packline.gates (account_id, verb) select id, '*' from a on conflict do nothing`;

async function insert(
  sql: Sql,
  spec: AccountSpec,
  digests: Record<string, string>,
  key: EncryptionKey,
): Promise<void> {
  await write(sql, INSERT, spec, digests, sealed(spec.id, spec.credentials, key));
}

async function update(
  sql: Sql,
  spec: AccountSpec,
  digests: Record<string, string>,
  envelope: string,
): Promise<void> {
  await write(sql, UPDATE, spec, digests, envelope);
}

async function write(
  sql: Sql,
  statement: string,
  spec: AccountSpec,
  digests: Record<string, string>,
  envelope: string,
): Promise<void> {
  await sql.query(
    statement,
    spec.id,
    spec.provider,
    spec.mode,
    json(spec.config),
    json(spec.limits),
    json(spec.policy),
    spec.breaker === null ? null : json(spec.breaker),
    envelope,
    json(digests),
  );
}

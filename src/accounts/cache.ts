/**
 * The accounts, opened, in memory: who works asks here, and somebody refreshes it when the database says that
 * accounts changed.
 */
import type { Logger } from 'pino';
import type { Sql } from '../database/connect.js';
import type { JsonObject } from '../json.js';
import type { ProviderPolicy } from '../policy/policy.js';
import type { CommonConfig, Limits, OpenAccount, Provider } from '../providers/provider.js';
import { type EncryptionKey, unseal } from '../secrets.js';
import { credentialsContext } from './apply.js';
import {
  type Breaker,
  breaker,
  commonConfig,
  limitsOverride,
  mergeLimits,
  mergePolicy,
  policyOverride,
  splitConfig,
} from './settings.js';

/** An account as work needs it. A new object whenever its row changed. */
export interface CachedAccount {
  id: string;
  open: OpenAccount;
  provider: Provider;
  common: CommonConfig;
  /** The documented limits with the account's own over them. */
  limits: Limits;
  /** The documented policy with the account's own figures. */
  policy: ProviderPolicy;
  /** Null: the default. */
  breaker: Breaker | null;
  mode: OpenAccount['mode'];
  paused: boolean;
  /** Orders in a row were refused as misconfigured, too few yet to pause it, or a mere probe has ended its last pause. */
  inDoubt: boolean;
  updatedAt: Date;
}

export interface AccountCache {
  /** Null where there is no such account, or none that can be opened. */
  get(id: string): CachedAccount | null;
  all(): CachedAccount[];
  /**
   * Reads what changed. Calls that overlap are done one after the other, so that each sees what was committed before it.
   * @returns whether anything had changed
   */
  refresh(): Promise<boolean>;
  /** Calls back after each refresh that found a change. @returns ends that */
  onChange(callback: () => void): () => void;
}

export interface AccountCacheOptions {
  db: Sql;
  key: EncryptionKey;
  providers: readonly Provider[];
  log: Logger;
}

// xmin, the transaction that wrote a row, tells versions apart where times cannot: a transaction that began
// earlier may commit later, with the earlier time.
const FINGERPRINT = `
select coalesce(md5(string_agg(a.id || ' ' || a.xmin::text, ',' order by a.id)), '') as fingerprint from packline.accounts a`;

const IDS = `select coalesce(array_agg(a.id order by a.id), '{}') as ids from packline.accounts a`;

// Rows that are known as they are need not come again: an installation may have a thousand, and one of them changes.
const ROWS = `
select a.id, a.xmin::text as version, a.provider, a.mode, a.config, a.limits, a.policy, a.breaker, a.credentials,
  a.pause_code is not null as paused, cardinality(a.misconfigured_orders) > 0 or a.probe_no > 0 as "inDoubt", a.updated_at as "updatedAt"
from packline.accounts a where a.id || ' ' || a.xmin::text <> all($1::text[])`;

interface AccountRow {
  id: string;
  version: string;
  provider: string;
  mode: string;
  /** This and the next three as somebody may have edited them: checked again. */
  config: unknown;
  limits: unknown;
  policy: unknown;
  breaker: unknown;
  credentials: string;
  paused: boolean;
  inDoubt: boolean;
  updatedAt: Date;
}

/** An account of the last reading: null where it could not be opened, which was said then. */
interface Entry {
  version: string;
  account: CachedAccount | null;
}

/** Starts empty: call `refresh` first. */
export function createAccountCache(options: AccountCacheOptions): AccountCache {
  const { db, log } = options;
  const callbacks = new Set<() => void>();
  let entries = new Map<string, Entry>();
  let fingerprint: string | null = null;
  let last: Promise<unknown> = Promise.resolve();

  const read = async (): Promise<boolean> => {
    const [now] = await db.query<{ fingerprint: string }>(FINGERPRINT);
    if (now === undefined || now.fingerprint === fingerprint) return false;
    const known = [...entries].map(([id, { version }]) => `${id} ${version}`);
    const changed = new Map((await db.query<AccountRow>(ROWS, known)).map((row) => [row.id, entryOf(row)]));
    const [all] = await db.query<{ ids: string[] }>(IDS);
    entries = new Map(
      (all?.ids ?? []).flatMap((id) => {
        const entry = changed.get(id) ?? entries.get(id);
        // One that came between the two statements: the next refresh reads it.
        return entry === undefined ? [] : [[id, entry] as const];
      }),
    );
    // Should the rows be newer than this, the next refresh reads them once more.
    fingerprint = now.fingerprint;
    for (const callback of callbacks) tell(callback);
    return true;
  };

  const entryOf = (row: AccountRow): Entry => {
    try {
      return { version: row.version, account: openRow(row, options) };
    } catch (error) {
      log.error(
        { event: 'account.unusable', account: row.id, provider: row.provider, err: error },
        'the account cannot be opened and is left out; correct it with the accounts file',
      );
      return { version: row.version, account: null };
    }
  };

  const tell = (callback: () => void): void => {
    try {
      callback();
    } catch (error) {
      log.error({ event: 'account.listener_failed', err: error }, 'a listener for changed accounts failed');
    }
  };

  return {
    get: (id) => entries.get(id)?.account ?? null,
    all: () => [...entries.values()].flatMap(({ account }) => (account === null ? [] : [account])),
    refresh: () => {
      const mine = last.then(read);
      // The next in line runs whether or not this one failed; its caller hears of the failure.
      last = mine.catch(() => undefined);
      return mine;
    },
    onChange: (callback) => {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
  };
}

/** @throws Error where the row does not fit: an unknown provider or key, settings that no file could have brought */
function openRow(row: AccountRow, { key, providers }: AccountCacheOptions): CachedAccount {
  const provider = providers.find(({ id }) => id === row.provider);
  if (provider === undefined) throw new Error(`there is no provider ${row.provider}`);
  if (typeof row.config !== 'object' || row.config === null || Array.isArray(row.config)) {
    throw new Error('its config is no object');
  }
  // An object out of a jsonb column holds JSON.
  const { common, own } = splitConfig(row.config as JsonObject);
  const policy = mergePolicy(provider.policy, policyOverride.parse(row.policy));
  const credentials: unknown = JSON.parse(unseal(row.credentials, key, credentialsContext(row.id)));
  const open = provider.open({ id: row.id, config: own, credentials, policy });
  return {
    id: row.id,
    open,
    provider,
    common: commonConfig.parse(common),
    limits: mergeLimits(provider.limits, limitsOverride.parse(row.limits)),
    policy,
    breaker: row.breaker === null ? null : breaker.parse(row.breaker),
    mode: open.mode,
    paused: row.paused,
    inDoubt: row.inDoubt,
    updatedAt: row.updatedAt,
  };
}

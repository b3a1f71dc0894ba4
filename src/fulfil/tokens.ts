/**
 * Rotating access tokens. A refresh token may be sent once: a second time revokes everything, so each refresh is
 * a row before it is a call, and a lost answer is never repeated.
 */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { CachedAccount } from '../accounts/cache.js';
import { pauseAccount } from '../accounts/pause.js';
import type { Sql } from '../database/connect.js';
import { type Alert, alert } from '../events/alerts.js';
import { closeGate } from '../gate/closures.js';
import type { JsonObject } from '../json.js';
import { beginRefresh, endRefresh, type RefreshRow, refreshChain } from '../orders/store/tokens.js';
import type { Http } from '../providers/http.js';
import type { Refreshed, TokenRotation, Tokens } from '../providers/provider.js';
import type { Time } from '../time.js';

export interface CurrentToken {
  accessToken: string;
  /** 0: the accounts file's own. */
  generation: number;
}

export interface TokenKeeper {
  /** The access token to call with, refreshed ahead of its expiry; null for accounts whose credentials do not rotate. */
  current(account: CachedAccount): Promise<CurrentToken | null>;
  /** The provider refused the token of this generation: refreshed if it is still the current one. */
  refused(account: CachedAccount, generation: number): Promise<void>;
}

export interface TokenDeps {
  db: Sql;
  http: Http;
  time: Time;
  log: Logger;
  owner(): number;
  presenceClass: number;
  seal(value: JsonObject, context: string): string;
  unseal(sealed: string, context: string): JsonObject;
  tell(alert: Alert): void;
}

/** After a refresh that was not sent, or not looked at, the next one waits so long, ms; twice as long each time, … */
const RETRY_MS = 5_000;
/** … and never longer than this, ms: work stands still meanwhile where the old token is dead. */
const RETRY_CAP_MS = 300_000;
/** A token that was refreshed this recently and is refused again is no matter of its age, ms. */
const FRESH_MS = 60_000;
/** A refresh that cannot be sent within this is not sent, ms. */
const SEND_WITHIN_MS = 5_000;

interface Chain {
  rotation: TokenRotation;
  root: string;
  generation: number;
  tokens: Tokens;
  /** How long ago the current tokens were made, ms; null for the file's own. */
  ageMs: number | null;
  /** A later refresh that was sent, or may have been, and brought nothing. */
  pending: RefreshRow | null;
  /** When the refresh token may be sent again after refreshes that certainly did not use it, ms from now. */
  waitMs: number;
}

/**
 * The access token of the moment, as it is, for a read on behalf of an operator: never refreshed, for that is the
 * workers' matter. Null for accounts whose credentials do not rotate.
 */
export async function accessTokenOf(
  deps: Pick<TokenDeps, 'db' | 'unseal' | 'presenceClass'>,
  account: CachedAccount,
): Promise<string | null> {
  const { tokens: rotation } = account.open;
  return rotation === undefined ? null : (await loadChain(deps, account.id, rotation)).tokens.accessToken;
}

/** What a chain of refreshes is known by: the accounts file's refresh token, with which it began. */
export function chainRoot({ initial }: TokenRotation): string {
  return createHash('sha256').update(initial.refreshToken).digest('hex').slice(0, 32);
}

async function loadChain(
  { db, unseal, presenceClass }: Pick<TokenDeps, 'db' | 'unseal' | 'presenceClass'>,
  account: string,
  rotation: TokenRotation,
): Promise<Chain> {
  const root = chainRoot(rotation);
  const rows = await refreshChain(db, account, root, presenceClass);
  const accepted = rows.findLast(({ report }) => report === 'accepted');
  const generation = accepted?.generation ?? 0;
  const sealed = accepted?.tokens ?? null;
  return {
    rotation,
    root,
    generation,
    tokens: sealed === null ? rotation.initial : tokensOf(unseal(sealed, tokenContext(account, generation))),
    ageMs: accepted?.endedMsAgo ?? null,
    pending: rows.findLast((row) => row.generation > generation && row.report !== 'not_sent') ?? null,
    waitMs: waitAfter(rows.filter((row) => row.generation > generation && row.report === 'not_sent')),
  };
}

/** The provider's own time where its answer named one, else growing waits. */
function waitAfter(unsent: readonly RefreshRow[]): number {
  const last = unsent.at(-1);
  if (last === undefined) return 0;
  if (last.retryInMs !== null) return Math.max(0, last.retryInMs);
  const grown = Math.min(RETRY_MS * 2 ** Math.min(unsent.length - 1, 10), RETRY_CAP_MS);
  return Math.max(0, grown - (last.endedMsAgo ?? 0));
}

export function createTokenKeeper(deps: TokenDeps): TokenKeeper {
  const { db, time } = deps;

  const load = (account: CachedAccount, rotation: TokenRotation) => loadChain(deps, account.id, rotation);

  const pause = async (account: CachedAccount, code: 'auth' | 'reinstall', reason: string): Promise<void> => {
    const first = await pauseAccount(db, account.id, { code, reason, by: 'packline', until: null });
    if (first)
      deps.tell(
        alert('account_paused', { account: account.id, message: `${code}: ${reason}` }, time.clock.now()),
      );
  };

  const refresh = async (account: CachedAccount, chain: Chain): Promise<Tokens | null> => {
    const generation = await beginRefresh(db, account.id, chain.root, chain.generation, deps.owner());
    if (generation === null) return null;
    const { clock } = time;
    const result = await deps.http.call(chain.rotation.request(chain.tokens), {
      sendBy: { monotonic: clock.monotonic() + SEND_WITHIN_MS, wall: clock.now() + SEND_WITHIN_MS },
      timeoutMs: account.common.requestTimeoutMs,
    });
    const nothing = { tokens: null, expiresAt: null };
    const unused = (code: string, retryAt: number | null) =>
      endRefresh(db, account.id, generation, { report: 'not_sent', code, tokens: null, expiresAt: retryAt });
    if (result.kind === 'notSent') {
      await unused(result.code, null);
      return null;
    }
    const read: Refreshed | null = result.kind === 'answered' ? await chain.rotation.read(result) : null;
    if (read?.kind === 'later') {
      await unused(read.code, read.retryAt ?? null);
      return null;
    }
    if (read === null) {
      await endRefresh(db, account.id, generation, { report: 'unknown', code: 'lost', ...nothing });
      const message =
        'the answer to a token refresh was lost: work goes on with the old token until it is refused; then the app must be installed again';
      deps.tell(alert('token_refresh_lost', { account: account.id, message }, clock.now()));
      return null;
    }
    if (read.kind === 'tokens') {
      const sealed = deps.seal({ ...read.tokens }, tokenContext(account.id, generation));
      await endRefresh(db, account.id, generation, {
        report: 'accepted',
        tokens: sealed,
        expiresAt: read.tokens.expiresAt,
        code: null,
      });
      deps.log.info(
        { event: 'token.refreshed', account: account.id, generation },
        'an access token was refreshed',
      );
      return read.tokens;
    }
    const reason = `the token refresh was refused: ${read.code}`;
    if (read.kind === 'refused') {
      // The client's own credentials are wrong; once they are right, the same refresh token is still good.
      await unused(read.code, null);
      await pause(account, 'auth', reason);
      return null;
    }
    await endRefresh(db, account.id, generation, { report: 'refused', code: read.code, ...nothing });
    await pause(account, 'reinstall', reason);
    return null;
  };

  return {
    async current(account) {
      const rotation = account.open.tokens;
      if (rotation === undefined) return null;
      const chain = await load(account, rotation);
      const { expiresAt } = chain.tokens;
      const old = expiresAt !== null && expiresAt - time.clock.now() <= rotation.aheadMs;
      if (old && chain.pending === null && chain.waitMs === 0 && (await refresh(account, chain)) !== null) {
        const next = await load(account, rotation);
        return { accessToken: next.tokens.accessToken, generation: next.generation };
      }
      return { accessToken: chain.tokens.accessToken, generation: chain.generation };
    },

    async refused(account, generation) {
      const rotation = account.open.tokens;
      if (rotation === undefined) return;
      const chain = await load(account, rotation);
      if (chain.generation !== generation) return;
      const { pending } = chain;
      if (pending !== null) {
        // Somebody is refreshing right now: the operation waits and comes again.
        if (pending.report === null && pending.alive) return;
        await pause(
          account,
          'reinstall',
          'the access token was refused, and its refresh was lost or refused',
        );
        return;
      }
      if (chain.ageMs !== null && chain.ageMs < FRESH_MS) {
        await pause(account, 'auth', 'an access token that was just refreshed was refused');
        return;
      }
      if (chain.waitMs === 0 && (await refresh(account, chain)) !== null) return;
      // The old token is dead and there is no new one yet: calls would only draw more refusals.
      const { pending: lost, waitMs } = await load(account, rotation);
      if (lost === null && waitMs > 0)
        await closeGate(db, account.id, { forMs: waitMs, why: 'token_refresh', verb: null, strike: false });
    },
  };
}

function tokenContext(account: string, generation: number): string {
  return `token:${account}:${generation}`;
}

function tokensOf({ accessToken, refreshToken, expiresAt }: JsonObject): Tokens {
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string')
    throw new Error('a sealed pair of tokens holds none');
  return { accessToken, refreshToken, expiresAt: typeof expiresAt === 'number' ? expiresAt : null };
}

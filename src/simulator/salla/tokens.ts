/** The tokens that one merchant's installation of the app lives on, and what becomes of them. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../time.js';

/** Times are milliseconds since the epoch. */
export interface TokenPair {
  accessToken: string;
  refreshToken: string;
  expiresAt: number;
  refreshExpiresAt: number;
}

/** What the owner of the access token is; it changes what a valid token is answered. */
export type UserState = 'active' | 'inactive' | 'deleted';

export interface TokenOptions {
  accessToken: string;
  refreshToken: string;
  /** Lifetimes in milliseconds; Infinity: for ever. */
  accessTokenMs: number;
  refreshTokenMs: number;
  /** What a refresh does to the access token before: it lives on until it expires, or dies at once. */
  oldAccessToken: 'valid' | 'revoked';
  scopes: readonly string[];
}

// "For ever" must still be a date that can be written.
const LONGEST_LIFE_MS = 100 * 365 * 86_400_000;

export class TokenVault {
  readonly #options: TokenOptions;
  readonly #clock: Clock;
  #pair: TokenPair;
  #alive = true;
  /** Access tokens before the present one, with their end. */
  #older = new Map<string, number>();
  /** Refresh tokens of this installation that have been used. */
  #spent = new Set<string>();
  #refreshes = 0;
  #reuses = 0;
  user: UserState = 'active';
  scopes: readonly string[];

  constructor(options: TokenOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.scopes = options.scopes;
    this.#pair = this.#make(options.accessToken, options.refreshToken);
  }

  /** The newest tokens, also when they are worth nothing any more. */
  get pair(): TokenPair {
    return this.#pair;
  }

  get state(): { alive: boolean; refreshes: number; reuses: number } {
    return { alive: this.#alive, refreshes: this.#refreshes, reuses: this.#reuses };
  }

  accepts(accessToken: string): boolean {
    if (!this.#alive) return false;
    const expiresAt =
      accessToken === this.#pair.accessToken ? this.#pair.expiresAt : this.#older.get(accessToken);
    return expiresAt !== undefined && this.#clock.now() < expiresAt;
  }

  /**
   * A new pair for a refresh token that has never been used; undefined for any other. One that has been used
   * before takes all tokens of the installation with it, for good ("Responses", 401 case 3).
   */
  refresh(refreshToken: string): TokenPair | undefined {
    if (this.#spent.has(refreshToken)) {
      this.#reuses += 1;
      this.#alive = false;
      return undefined;
    }
    if (!this.#alive || refreshToken !== this.#pair.refreshToken) return undefined;
    if (this.#clock.now() >= this.#pair.refreshExpiresAt) return undefined;
    this.#spent.add(refreshToken);
    if (this.#options.oldAccessToken === 'valid') {
      this.#older.set(this.#pair.accessToken, this.#pair.expiresAt);
    }
    this.#refreshes += 1;
    this.#pair = this.#makeNew();
    return this.#pair;
  }

  /** Ends the access tokens; a refresh helps. */
  expire(): void {
    this.#older.clear();
    this.#pair = { ...this.#pair, expiresAt: this.#clock.now() };
  }

  /** Ends everything, as an uninstallation of the app does; only `reinstall` helps. */
  revoke(): void {
    this.#alive = false;
  }

  /** What follows when the merchant installs the app again: a new chain of tokens. */
  reinstall(): TokenPair {
    this.#older.clear();
    this.#spent.clear();
    this.#alive = true;
    this.#pair = this.#makeNew();
    return this.#pair;
  }

  #makeNew(): TokenPair {
    // Not from the passed-in randomness: tokens must differ even where a test holds chance still.
    return this.#make(
      `sim_at_${randomBytes(24).toString('hex')}`,
      `sim_rt_${randomBytes(24).toString('hex')}`,
    );
  }

  #make(accessToken: string, refreshToken: string): TokenPair {
    const now = this.#clock.now();
    return {
      accessToken,
      refreshToken,
      expiresAt: now + Math.min(this.#options.accessTokenMs, LONGEST_LIFE_MS),
      refreshExpiresAt: now + Math.min(this.#options.refreshTokenMs, LONGEST_LIFE_MS),
    };
  }
}

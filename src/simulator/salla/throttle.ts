/** How Salla slows its callers down: a budget per store ("Rate Limiting"), and a block after too many errors. */
import type { Clock } from '../../time.js';

// "Rate Limiting".
const WINDOW_MS = 60_000;

/** `Retry-After`: until the window ends, or until the next call that leaks through. */
export type RetryAfter = 'window' | 'leak';

/**
 * So many calls per minute; once they are used up, one call leaks through each `leakMs` until the minute
 * ends. A window begins with the first call after the last one. Its length runs on the monotonic clock, what
 * callers hear of it is wall time.
 */
export class StoreBudget {
  readonly #requests: number;
  readonly #leakMs: number;
  readonly #retryAfter: RetryAfter;
  readonly #clock: Clock;
  #endsAt = Number.NEGATIVE_INFINITY;
  #used = 0;
  #leaksAt = 0;

  constructor(requests: number, leakMs: number, retryAfter: RetryAfter, clock: Clock) {
    this.#requests = requests;
    this.#leakMs = leakMs;
    this.#retryAfter = retryAfter;
    this.#clock = clock;
  }

  /** Counts a call and tells whether it may pass. */
  take(): boolean {
    const now = this.#clock.monotonic();
    if (now >= this.#endsAt) {
      this.#endsAt = now + WINDOW_MS;
      this.#used = 0;
    }
    if (this.#used < this.#requests) {
      this.#used += 1;
      if (this.#used === this.#requests) this.#leaksAt = now + this.#leakMs;
      return true;
    }
    if (now < this.#leaksAt) return false;
    this.#leaksAt = now + this.#leakMs;
    return true;
  }

  /** What stands on every answer; `Reset` is epoch seconds in UTC. */
  headers(): Record<string, string> {
    const left = this.#endsAt - this.#clock.monotonic();
    const isOpen = left > 0;
    const endsAt = this.#clock.now() + (isOpen ? left : WINDOW_MS);
    return {
      'X-RateLimit-Limit': String(this.#requests),
      'X-RateLimit-Remaining': String(isOpen ? this.#requests - this.#used : this.#requests),
      'X-RateLimit-Reset': String(Math.ceil(endsAt / 1000)),
    };
  }

  /** What a refused call hears beside that: whole seconds, at least one. */
  retryHeaders(): Record<string, string> {
    const until = this.#retryAfter === 'window' ? this.#endsAt : Math.min(this.#leaksAt, this.#endsAt);
    const seconds = Math.ceil((until - this.#clock.monotonic()) / 1000);
    return { 'Retry-After': String(Math.max(1, seconds)) };
  }
}

/** So many errors within `perMs` close the store for `blockMs`. */
export interface ErrorBlockOptions {
  errors: number;
  perMs: number;
  blockMs: number;
}

/** Who draws too many errors is refused altogether for a while, and each call within that while begins it anew. */
export class ErrorBlock {
  readonly #options: ErrorBlockOptions | false;
  readonly #clock: Clock;
  #since = Number.NEGATIVE_INFINITY;
  #errors = 0;
  #blockedUntil = Number.NEGATIVE_INFINITY;
  #renewMs = 0;

  constructor(options: ErrorBlockOptions | false, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Notes an error that a caller has drawn. */
  count(): void {
    if (this.#options === false) return;
    const now = this.#clock.monotonic();
    if (now >= this.#since + this.#options.perMs) {
      this.#since = now;
      this.#errors = 0;
    }
    this.#errors += 1;
    if (this.#errors >= this.#options.errors) this.block(this.#options.blockMs);
  }

  /** Closes the store by hand for so long; 0 opens it. */
  block(ms: number): void {
    this.#blockedUntil = this.#clock.monotonic() + ms;
    this.#renewMs = ms;
    this.#errors = 0;
  }

  /** Whether a call is refused now; that it was made lengthens the block. */
  refuses(): boolean {
    const now = this.#clock.monotonic();
    if (now >= this.#blockedUntil) return false;
    this.#blockedUntil = now + this.#renewMs;
    return true;
  }
}

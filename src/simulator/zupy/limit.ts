/**
 * Zupy's limit: so many calls a minute for each key, counted from the key's first one, with headers on every
 * answer ("Rate Limits"). Unlike others it tells the end of the window as seconds since the epoch.
 */
import type { Clock } from '../../time.js';

interface Window {
  /** On the monotonic clock. */
  endsAt: number;
  used: number;
}

const WINDOW_MS = 60_000;

export class RateLimit {
  readonly #clock: Clock;
  readonly #requests: number;
  readonly #windows = new Map<string, Window>();

  /** `requests`: how many calls a minute each key has. */
  constructor(clock: Clock, requests: number) {
    this.#clock = clock;
    this.#requests = requests;
  }

  /** Counts a call; false: one too many, which counts no further. */
  take(key: string): boolean {
    const window = this.#current(key) ?? { endsAt: this.#clock.monotonic() + WINDOW_MS, used: 0 };
    this.#windows.set(key, window);
    if (window.used >= this.#requests) return false;
    window.used += 1;
    return true;
  }

  /** As they stand for this key; a key that has not called has all of a minute before it. */
  headers(key: string): Record<string, string> {
    return {
      'X-RateLimit-Limit': String(this.#requests),
      'X-RateLimit-Remaining': String(this.#requests - (this.#current(key)?.used ?? 0)),
      'X-RateLimit-Reset': String(Math.ceil((this.#clock.now() + this.#leftMs(key)) / 1000)),
    };
  }

  /** Whole seconds until the window ends; at least 1. */
  retryAfter(key: string): string {
    return String(Math.max(1, Math.ceil(this.#leftMs(key) / 1000)));
  }

  #current(key: string): Window | undefined {
    const window = this.#windows.get(key);
    return window !== undefined && this.#clock.monotonic() < window.endsAt ? window : undefined;
  }

  #leftMs(key: string): number {
    const window = this.#current(key);
    return window === undefined ? WINDOW_MS : window.endsAt - this.#clock.monotonic();
  }
}

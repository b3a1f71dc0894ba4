/** Who may call, and how often (Wasal document, "Auth and environments" and "Rate limits"). */
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../time.js';
import type { Answer } from '../kit.js';
import { envelopeOf, refuse } from './answers.js';
import type { Merchant } from './merchant.js';
import type { Environment } from './wire.js';

export interface Caller {
  merchant: Merchant;
  environment: Environment;
}

export interface Limit {
  requests: number;
  windowMs: number;
}

/** A window of one key, begun by its first request; on the monotonic clock. */
interface Window {
  startedAt: number;
  used: number;
}

const BEARER = /^Bearer +(\S+) *$/i;
const KEY_FORMAT = /^pk_(live|test)_/;

export class Gate {
  readonly #clock: Clock;
  readonly #limit: Limit;
  readonly #plainText: boolean;
  readonly #callers = new Map<string, Caller>();
  readonly #windows = new Map<string, Window>();

  /** `plainText`: whether a 429 has a text for a body instead of the envelope; which one is not documented. */
  constructor(clock: Clock, limit: Limit, plainText: boolean) {
    this.#clock = clock;
    this.#limit = limit;
    this.#plainText = plainText;
  }

  /** A key works from here on; false: it is no key, or somebody has it. */
  issue(key: string, merchant: Merchant): boolean {
    const environment = environmentOf(key);
    if (environment === undefined || this.#callers.has(key)) return false;
    this.#callers.set(key, { merchant, environment });
    return true;
  }

  /** A key works no longer. */
  revoke(key: string): void {
    this.#callers.delete(key);
  }

  /** Whose call this is, or its refusal. */
  identify(headers: IncomingHttpHeaders): Caller | Answer {
    const key = keyIn(headers);
    if (key === undefined) return refuse('MISSING_API_KEY');
    const caller = this.#callers.get(key);
    if (caller !== undefined) return caller;
    return refuse(KEY_FORMAT.test(key) ? 'INVALID_API_KEY' : 'INVALID_API_KEY_FORMAT');
  }

  /** Counts a call; an answer means that it is refused with that. Calls that are nobody's count for nobody. */
  admit(headers: IncomingHttpHeaders): Answer | undefined {
    const caller = this.identify(headers);
    if ('status' in caller) return caller;
    if (!this.#count(keyIn(headers) ?? '')) return this.#tooMany();
    return caller.merchant.isActive ? undefined : refuse('MERCHANT_INACTIVE');
  }

  /** `RateLimit-*`, on every answer; the reset as seconds from now, rounded up so that waiting them is enough. */
  headers(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
    const window = this.#current(keyIn(headers) ?? '');
    const remaining = this.#limit.requests - (window?.used ?? 0);
    const startedAt = window?.startedAt ?? this.#clock.monotonic();
    const resetMs = startedAt + this.#limit.windowMs - this.#clock.monotonic();
    return {
      'RateLimit-Limit': String(this.#limit.requests),
      'RateLimit-Remaining': String(remaining),
      'RateLimit-Reset': String(Math.ceil(resetMs / 1_000)),
    };
  }

  /** Leaves a key so many calls in a window that ends in `resetMs`. */
  setRemaining(key: string, remaining: number, resetMs: number): void {
    const { requests, windowMs } = this.#limit;
    this.#windows.set(key, {
      startedAt: this.#clock.monotonic() - windowMs + Math.min(resetMs, windowMs),
      used: requests - Math.min(remaining, requests),
    });
  }

  #count(key: string): boolean {
    const window = this.#current(key);
    if (window === undefined) {
      this.#windows.set(key, { startedAt: this.#clock.monotonic(), used: 1 });
      return this.#limit.requests > 0;
    }
    if (window.used >= this.#limit.requests) return false;
    window.used += 1;
    return true;
  }

  #current(key: string): Window | undefined {
    const window = this.#windows.get(key);
    if (window === undefined) return undefined;
    return this.#clock.monotonic() < window.startedAt + this.#limit.windowMs ? window : undefined;
  }

  #tooMany(): Answer {
    const message = 'Too many requests, wait until the window resets';
    if (!this.#plainText) return { status: 429, body: envelopeOf(429, message, 'unknown') };
    return { status: 429, headers: { 'Content-Type': 'text/plain' }, body: message };
  }
}

/** Undefined: it is no key. */
export function environmentOf(key: string): Environment | undefined {
  const prefix = KEY_FORMAT.exec(key)?.[1];
  return prefix === 'live' || prefix === 'test' ? prefix : undefined;
}

function keyIn(headers: IncomingHttpHeaders): string | undefined {
  return BEARER.exec(headers.authorization ?? '')?.[1];
}

/** Who is let in, and to what ("Authentication"). */
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../time.js';
import type { Answer, Asked } from '../kit.js';
import { RateLimit } from './limit.js';
import type { Problems } from './problems.js';
import type { Settings } from './settings.js';

export const KEY_KINDS = ['read-write', 'read-only', 'revoked', 'other-company'] as const;
/** What a key is good for; one of another company sees nothing of this one. */
export type KeyKind = (typeof KEY_KINDS)[number];

const KEY_PREFIX = 'zupy_pk_';
// "Endpoint allowlist": the prefix of the version that partners may use.
const CURRENT = '/api/v2/';
const RETIRED = '/api/v1/';

export interface DoorOptions {
  clock: Clock;
  problems: Problems;
  settings: Settings;
  /** For each key. */
  requestsPerMinute: number;
  /** For each key, on the route for inbound orders only. */
  inboundPerMinute: number;
  /** Whether the header's name counts only when spelled `X-API-Key`, as some gateways have it. */
  strictHeaderName: boolean;
  /** The verbs that a read-only key is refused. */
  writes: ReadonlySet<string>;
  /** The media type of problems. */
  problemType: string;
}

/** The verb of the route with a limit of its own. */
export const INBOUND = 'inbound';

export class Door {
  readonly #options: DoorOptions;
  readonly #keys = new Map<string, KeyKind>();
  readonly #limit: RateLimit;
  readonly #inboundLimit: RateLimit;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#limit = new RateLimit(options.clock, options.requestsPerMinute);
    this.#inboundLimit = new RateLimit(options.clock, options.inboundPerMinute);
  }

  /** Makes a key known, or makes a known one good for something else. */
  put(key: string, kind: KeyKind): void {
    this.#keys.set(key, kind);
  }

  isOfOtherCompany(headers: IncomingHttpHeaders): boolean {
    return this.#keys.get(keyOf(headers)) === 'other-company';
  }

  /** An answer where the call is refused. Calls without a good key belong to nobody and count for nobody. */
  admit(headers: IncomingHttpHeaders, asked: Asked): Answer | undefined {
    const { problems, settings, writes } = this.#options;
    const key = keyOf(headers);
    const kind = this.#keys.get(key);
    const refuse = (detail: string) => problems.answer('authentication-required', detail, asked.path);
    if (key === '' || (this.#options.strictHeaderName && !asked.rawHeaders.includes('X-API-Key')))
      return refuse('API key was not provided.');
    if (!key.startsWith(KEY_PREFIX)) return refuse('Malformed API key.');
    if (kind === undefined) return refuse('Invalid API key.');
    if (kind === 'revoked') return refuse('The API key was revoked.');
    if (!this.#limitOf(asked).take(key))
      return problems.answer('rate-limit-exceeded', 'Request limit of this key reached.', asked.path);
    if (asked.verb === 'unknown') return this.#refuseUnknown(asked.path);
    if (kind === 'read-only' && writes.has(asked.verb))
      return problems.answer('permission-denied', 'The API key is read-only.', asked.path);
    if (settings.overloaded)
      return problems.answer('service-unavailable', 'Temporarily overloaded.', asked.path);
    return undefined;
  }

  /** The limit's headers on what comes from the application; a string comes from below it. */
  standingHeaders(headers: IncomingHttpHeaders, answer: Answer, asked: Asked): Record<string, string> {
    if (typeof answer.body === 'string') return { 'Content-Type': 'text/html; charset=utf-8' };
    const key = keyOf(headers);
    const limit = this.#limitOf(asked);
    return {
      ...(answer.status < 400 ? {} : { 'Content-Type': this.#options.problemType }),
      ...limit.headers(key),
      ...(answer.status === 429 ? { 'Retry-After': limit.retryAfter(key) } : {}),
    };
  }

  #limitOf({ verb }: Asked): RateLimit {
    return verb === INBOUND ? this.#inboundLimit : this.#limit;
  }

  /** What partners may not reach is a 403 whether it exists or not; the retired version names its successor. */
  #refuseUnknown(path: string): Answer | undefined {
    const { problems } = this.#options;
    if (path.startsWith(RETIRED)) {
      const successor = path.replace(RETIRED, CURRENT).split('?', 1)[0] ?? '';
      return problems.answer('gone', `Retired. Use ${successor} instead.`, path);
    }
    if (!path.startsWith(CURRENT)) return undefined;
    return problems.answer('permission-denied', 'This endpoint is not open to partner API keys.', path);
  }
}

function keyOf(headers: IncomingHttpHeaders): string {
  const value = headers['x-api-key'];
  return typeof value === 'string' ? value : '';
}

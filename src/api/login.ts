/** The way in for people: a page that asks for the key, and gives a session for it. */
import formbody from '@fastify/formbody';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Clock } from '../time.js';
import { type AuthOptions, endSession, hasSession, isKey, startSession } from './auth.js';
import { keyPage, sessionPage } from './login-page.js';

// A form of two short fields; 4 KiB hold any key and any path of ours.
const FORM_LIMIT_BYTES = 4096;
const DEFAULT_TARGET = '/queues';

const form = z.object({ key: z.string().default(''), next: z.string().optional() });
const query = z.object({ next: z.string().optional() });

/** Adds `/login` and `/logout`. */
export function registerLogin(app: FastifyInstance, options: AuthOptions): void {
  const guesses = new GuessLimit(options.clock);
  app.register(async (scope) => {
    await scope.register(formbody, { bodyLimit: FORM_LIMIT_BYTES });
    const hidden = { schema: { hide: true } };

    scope.get('/login', hidden, async (request, reply) => {
      const next = targetOf(query.safeParse(request.query).data?.next);
      return page(reply, hasSession(request, options.clock) ? sessionPage(next) : keyPage({ next }));
    });

    scope.post('/login', hidden, async (request, reply) => {
      const { key = '', next: wanted } = form.safeParse(request.body).data ?? {};
      const next = targetOf(wanted);
      const waitS = guesses.secondsToWait();
      if (waitS > 0) {
        reply.code(429).header('retry-after', String(waitS));
        return page(reply, keyPage({ next, mistake: `Too many wrong keys. Try again in ${waitS} seconds.` }));
      }
      if (!isKey(key, options.key)) {
        guesses.missed();
        reply.code(401);
        return page(reply, keyPage({ next, mistake: 'This is not the key. Check it and try again.' }));
      }
      startSession(reply, options);
      return reply.redirect(next, 303);
    });

    scope.post('/logout', hidden, async (_request, reply) => {
      endSession(reply, options);
      return reply.redirect('/login', 303);
    });
  });
}

function page(reply: FastifyReply, html: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(html);
}

/**
 * Where to go after the login: a path of this server, or else the board. Browsers drop tabs and line ends from a URL
 * and read `\` as `/`, so the address is resolved as they do it before it is judged.
 */
export function targetOf(next: string | undefined): string {
  if (next === undefined || !next.startsWith('/')) return DEFAULT_TARGET;
  const here = 'http://here.invalid';
  if (!URL.canParse(next, here)) return DEFAULT_TARGET;
  const { origin, pathname, search } = new URL(next, here);
  return origin === here && !pathname.startsWith('//') ? `${pathname}${search}` : DEFAULT_TARGET;
}

/** A pause after too many wrong keys, whoever sent them: this process counts, not an address that can be changed. */
export class GuessLimit {
  // Ten typing mistakes a minute are more than a person makes, and nothing to a guesser of 24 characters.
  static readonly MOST = 10;
  static readonly WINDOW_MS = 60_000;
  readonly #clock: Clock;
  /** When the latest wrong keys came, oldest first, on the monotonic clock; at most {@link GuessLimit.MOST}. */
  #misses: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whole seconds until the next guess is heard; 0 for at once. */
  secondsToWait(): number {
    const oldest = this.#misses.at(-GuessLimit.MOST);
    if (oldest === undefined) return 0;
    const leftMs = oldest + GuessLimit.WINDOW_MS - this.#clock.monotonic();
    return Math.max(0, Math.ceil(leftMs / 1000));
  }

  missed(): void {
    this.#misses = [...this.#misses, this.#clock.monotonic()].slice(-GuessLimit.MOST);
  }
}

/**
 * Who may ask what. Scripts and shops send `Authorization: Bearer <key>`; a browser gets a session from the login
 * page, which opens the pages for people and nothing else.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import cookie from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../operator.js';
import { problem } from '../problem.js';
import type { Clock } from '../time.js';
import { ProblemError } from './problems.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, for the audit; empty where no key was needed. */
    actor: Actor;
  }
}

/** The key's SHA-256: keys are compared by digests of one length, in constant time. */
export type KeyDigest = Buffer;

export interface AuthOptions {
  key: KeyDigest;
  /** At least 32 bytes. */
  sessionSecret: Buffer;
  secureCookies: boolean;
  clock: Clock;
}

const BOOTSTRAP_ACTOR: Actor = 'operator:bootstrap';
const COOKIE = 'packline_session';
const SESSION_S = 12 * 60 * 60;

// The contract's list ("Without a key"), as route patterns: what a URL looks like cannot open anything.
const OPEN_ROUTES: ReadonlySet<string> = new Set([
  '/healthz',
  '/readyz',
  '/openapi.json',
  '/login',
  '/v1/webhooks/:account',
]);
const OPEN_PREFIX = '/docs';
const PAGE_PREFIXES = ['/queues', '/console'];

/** The digest that {@link isKey} compares with. */
export function digestOf(key: string): KeyDigest {
  return createHash('sha256').update(key).digest();
}

/** True if the text is the key. */
export function isKey(text: string, key: KeyDigest): boolean {
  return timingSafeEqual(digestOf(text), key);
}

/** @param route a route's pattern, such as `/v1/orders/:id` */
export function isOpen(route: string): boolean {
  return OPEN_ROUTES.has(route) || isUnder(OPEN_PREFIX, route);
}

/** Lets nobody pass to a route that is not open, unless by key or, on the pages for people, by session. */
export async function registerAuth(app: FastifyInstance, options: AuthOptions): Promise<void> {
  // Bound to the key: whoever changes the key ends all sessions.
  const secret = createHmac('sha256', options.sessionSecret).update(options.key).digest();
  await app.register(cookie, { secret });
  app.decorateRequest('actor', '');
  app.addHook('onRequest', async (request, reply) => {
    const route = request.is404 ? null : (request.routeOptions.url ?? null);
    if (route !== null && isOpen(route)) return;
    if (
      hasKey(request, options.key) ||
      (takesSession(request, route) && hasSession(request, options.clock))
    ) {
      request.actor = BOOTSTRAP_ACTOR;
      return;
    }
    if (isBrowserOnPage(request)) {
      return reply.redirect(`/login?next=${encodeURIComponent(request.url)}`, 303);
    }
    throw keyless();
  });
}

const keyless = (): ProblemError =>
  new ProblemError(problem('unauthorized', 'Send the header Authorization: Bearer <key>.'), {
    'www-authenticate': 'Bearer realm="packline"',
  });

/** Lets nobody pass to a route that is not open without the key; what is not there is a 404. */
export function registerKey(app: FastifyInstance, key: KeyDigest): void {
  app.addHook('onRequest', async (request) => {
    const route = request.is404 ? null : (request.routeOptions.url ?? null);
    if (route === null || isOpen(route) || hasKey(request, key)) return;
    throw keyless();
  });
}

/** Gives the browser a session of twelve hours. */
export function startSession(reply: FastifyReply, options: AuthOptions): void {
  const ends = options.clock.now() + SESSION_S * 1000;
  reply.setCookie(COOKIE, String(ends), { ...cookieAttributes(options), maxAge: SESSION_S, signed: true });
}

/** Takes the session from the browser. */
export function endSession(reply: FastifyReply, options: AuthOptions): void {
  reply.clearCookie(COOKIE, cookieAttributes(options));
}

/** True while the browser's session lasts. */
export function hasSession(request: FastifyRequest, clock: Clock): boolean {
  const signed = request.cookies[COOKIE];
  if (signed === undefined) return false;
  const { valid, value } = request.unsignCookie(signed);
  return valid && Number(value) > clock.now();
}

const cookieAttributes = (options: AuthOptions) =>
  ({ path: '/', httpOnly: true, sameSite: 'strict', secure: options.secureCookies }) as const;

function hasKey(request: FastifyRequest, key: KeyDigest): boolean {
  // RFC 6750, section 2.1; RFC 9110, section 11.1: the scheme's case does not matter.
  const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  return token !== undefined && isKey(token, key);
}

/** Sessions open the pages and end themselves; that the pages change nothing is the pages' own affair. */
function takesSession(request: FastifyRequest, route: string | null): boolean {
  return route === '/logout' || isPage(route ?? pathOf(request));
}

function isBrowserOnPage(request: FastifyRequest): boolean {
  const reads = request.method === 'GET' || request.method === 'HEAD';
  return reads && isPage(pathOf(request)) && (request.headers.accept ?? '').includes('text/html');
}

const isPage = (path: string) => PAGE_PREFIXES.some((prefix) => isUnder(prefix, path));
const isUnder = (prefix: string, path: string) => path === prefix || path.startsWith(`${prefix}/`);
const pathOf = (request: FastifyRequest) => request.url.split('?', 1)[0] ?? '';

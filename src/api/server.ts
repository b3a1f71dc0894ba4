/** The HTTP API: what a shop, an operator's script and a browser may ask of packline. */
import helmet from '@fastify/helmet';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import type { Meter } from '../metrics/meter.js';
import type { Operator } from '../operator.js';
import { type Clock, systemTime } from '../time.js';
import { digestOf, registerAuth } from './auth.js';
import { type BoardSource, registerBoard } from './board.js';
import { registerDocs } from './docs.js';
import { registerJsonBody } from './json-body.js';
import { registerLogin } from './login.js';
import { STYLE_SOURCE } from './login-page.js';
import { answerUnreadable, answerUnroutable, registerProblems } from './problems.js';
import { accountRoutes } from './routes/accounts.js';
import { deadLetterRoutes } from './routes/dead-letters.js';
import { type HealthSource, healthRoutes } from './routes/health.js';
import { orderRoutes } from './routes/orders.js';
import { providerRoutes } from './routes/providers.js';
import { syncRoutes } from './routes/sync.js';
import { validatorCompiler } from './validation.js';

/** What the API stands on. */
export interface ApiDeps extends HealthSource {
  operator: Operator;
  /** `bootstrap` opens everything. */
  keys: { bootstrap: string };
  /** 32 random bytes that outlive restarts, or sessions end with the process. */
  sessionSecret: Buffer;
  board: BoardSource;
  log: Logger;
  /** Shown in the reference. */
  version: string;
  /** True where browsers reach this server through https. */
  secureCookies: boolean;
  /** The machine's own by default. */
  clock?: Clock;
  /** Counts requests. */
  meter?: Pick<Meter, 'requested'>;
}

const BODY_LIMIT_BYTES = 1024 * 1024;
// 16 MiB within a minute is 2.2 Mbit/s; a slower sender keeps a connection busy for nothing.
const REQUEST_TIMEOUT_MS = 60_000;
// A request's head fits into one packet or two.
const HEADERS_TIMEOUT_MS = 10_000;
// Silence on a socket. Above the longest answer: adopting asks the provider, whose time limit is 30 s by default.
const SOCKET_TIMEOUT_MS = 120_000;
// How often Node looks for requests that are over their time.
const TIMEOUT_CHECK_MS = 5_000;
// An account's id may be 100 characters, each up to twelve of a percent-encoded URL.
const MOST_PARAM_CHARACTERS = 1200;
const SESSION_SECRET_BYTES = 32;

// Our own pages are one form; everything else of ours is JSON, which loads nothing.
const CONTENT_SECURITY_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    styleSrc: [STYLE_SOURCE],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

/**
 * Builds the API, ready to `listen` or `inject`.
 * @throws if the session secret is too short, or a route is wrongly declared
 */
export async function createApi(deps: ApiDeps): Promise<FastifyInstance> {
  if (deps.sessionSecret.length < SESSION_SECRET_BYTES) {
    throw new Error(`The session secret must have at least ${SESSION_SECRET_BYTES} bytes.`);
  }
  const app = bareServer(deps.log);
  registerProblems(app);
  registerJsonBody(app);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  await app.register(helmet, {
    contentSecurityPolicy: CONTENT_SECURITY_POLICY,
    // For this host alone: what else its domain serves is not ours to decide.
    strictTransportSecurity: deps.secureCookies ? { includeSubDomains: false } : false,
    xFrameOptions: { action: 'deny' },
  });
  const auth = {
    key: digestOf(deps.keys.bootstrap),
    sessionSecret: deps.sessionSecret,
    secureCookies: deps.secureCookies,
    clock: deps.clock ?? systemTime.clock,
  };
  await registerAuth(app, auth);
  registerHabits(app, deps.meter);

  await registerDocs(app, deps.version);
  registerLogin(app, auth);
  registerBoard(app, deps.board);
  healthRoutes(app, deps);
  orderRoutes(app, deps.operator);
  deadLetterRoutes(app, deps.operator);
  accountRoutes(app, deps.operator);
  syncRoutes(app, deps.operator);
  providerRoutes(app, deps.operator);
  await app.ready();
  return app;
}

/** A server with our limits, and no route. */
export function bareServer(log: FastifyBaseLogger): FastifyInstance {
  return Fastify({
    loggerInstance: log,
    // Fastify's own lines hold URLs, whose queries hold personal data.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: SOCKET_TIMEOUT_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    routerOptions: { maxParamLength: MOST_PARAM_CHARACTERS },
    // A stop ends connections that wait for their next request, and answers the requests that are there.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: answerUnroutable,
    clientErrorHandler: answerUnreadable,
  });
}

/** What holds for every route. @param meter counts requests */
export function registerHabits(app: FastifyInstance, meter?: Pick<Meter, 'requested'>): void {
  app.addHook('preValidation', async (request) => {
    if (request.method === 'GET') dropEmptyFilters(request.query);
  });
  let stopping = false;
  app.addHook('preClose', async () => {
    stopping = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    // Closing ends idle connections once; one that was busy then would wait for its next request and hold up the end.
    if (stopping) reply.header('connection', 'close');
    // Orders are personal data: no proxy or browser keeps an answer unless it says so itself, as static files do.
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request;
    const line = {
      method,
      route: routeOptions.url ?? null,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    request.log.debug(line, 'api.request');
    meter?.requested(line);
  });
}

/** `?account=` is what forms and scripts send for "any account". */
function dropEmptyFilters(query: unknown): void {
  if (typeof query !== 'object' || query === null) return;
  for (const [name, value] of Object.entries(query)) {
    if (value === '') Reflect.deleteProperty(query, name);
  }
}

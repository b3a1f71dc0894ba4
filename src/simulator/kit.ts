/**
 * The server that every provider's simulator runs in: routes as data, admission, faults, the control API
 * and the ledger. A provider says what it answers; this file says what becomes of that on the wire.
 */
import { setMaxListeners } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Time } from '../time.js';
import {
  type AdvanceInput,
  type Fault,
  FaultRules,
  type LedgerRequest,
  RequestLedger,
  readAdvance,
  readRule,
} from './control.js';

/** An entry of packline's accounts file. */
export interface AccountFileEntry {
  id: string;
  provider: string;
  config: Record<string, string | number | boolean | readonly string[]>;
  credentials: Record<string, string>;
  limits?: { requests: number; perMs: number; concurrency: number };
}

/** A simulator that is listening. */
export interface Simulator {
  provider: string;
  /** Where it listens, without a slash at the end. */
  url: string;
  port: number;
  /** An entry for the accounts file that fits this server: its URLs, credentials and limit. */
  account(id: string): AccountFileEntry;
  /** Stops at once: connections are cut, requests that hang or wait are dropped. */
  close(): Promise<void>;
}

/** What every simulator can be told. `port` 0 (the default) takes a free one. */
export interface SimulatorOptions {
  port?: number;
  /** Where to listen; loopback unless told otherwise. */
  host?: string;
  time: Time;
  /** How long an order stays in each status, in milliseconds; 0 or Infinity: until advanced by hand. */
  stepMs?: number;
  requestsPerSecond?: number;
}

/** One request, as a provider's code sees it: parameters decoded, body parsed (undefined when empty). */
export interface Call {
  /** As sent, with what stands behind the question mark. */
  path: string;
  params: Readonly<Record<string, string>>;
  /** What stands behind the question mark, decoded; a name that was given several times has a list. */
  query: Readonly<Record<string, string | readonly string[]>>;
  body: unknown;
  headers: IncomingHttpHeaders;
  /** How long an order accepted by this call is to stay invisible to reads, in milliseconds; usually 0. */
  hideMs: number;
}

/** An answer of the provider. A string is sent as it is, anything else as JSON. */
export interface Answer {
  status: number;
  body: unknown;
  headers?: Readonly<Record<string, string>>;
}

/** One operation of a provider. `handle` does its work before it returns. */
export interface Route {
  verb: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `:name` for what `Call.params` holds. */
  path: string;
  /** Answered without a look at credentials and limits; false unless told otherwise. */
  isPublic?: boolean;
  /** The references and ids of the orders that a call is about; for fault rules that name one. */
  references(call: Call): readonly string[];
  /** A promise only where the answer tells of something that takes time, such as a call to a webhook. */
  handle(call: Call): Answer | Promise<Answer>;
}

/** A request to any path, before its body is read. */
export interface Asked {
  /** The route's; `unknown` where the path is none of the operations. */
  verb: string;
  method: string;
  /** As sent, with what stands behind the question mark. */
  path: string;
  /** Names and values by turns, spelled as sent. */
  rawHeaders: readonly string[];
}

/** An order as the ledger lists it. */
export interface LedgerOrder {
  id: string;
  reference: string;
  status: string;
  createdAt: string;
  /** Only of providers that have drafts. */
  orderType?: string;
}

/** A control route of one provider beside those of all, such as `POST /_control/balance`. */
export interface ControlRoute {
  method: 'GET' | 'POST' | 'DELETE';
  /** Begins with `/_control/`. */
  path: string;
  /** Does its work before it returns. By convention mistakes are a 400 with `{mistakes: string[]}`. */
  handle(body: unknown): Answer;
}

/** A provider, as data for `startServer`. */
export interface ProviderServer {
  provider: string;
  routes: readonly Route[];
  controls?: readonly ControlRoute[];
  /** Looks at credentials and limits of a call to any path; an answer means that it is refused with that. */
  admit(headers: IncomingHttpHeaders, asked: Asked): Answer | undefined;
  /** What stands on every answer of the provider, refusals and faults included; an answer's own headers win. */
  standingHeaders?(
    headers: IncomingHttpHeaders,
    answer: Answer,
    asked: Asked,
  ): Readonly<Record<string, string>>;
  /** The provider's own status for what the server finds wrong by itself: 404 (no route), 400, 413, 415. */
  refusedStatus?(status: number, asked: Asked): number;
  /** Takes forms (`application/x-www-form-urlencoded`) beside JSON; their fields become an object of strings. */
  takesForms?: boolean;
  /** The provider's error envelope; a string is sent as it is. */
  envelope(status: number, message: string, asked: Asked): unknown;
  /** Puts an order into a status; false: there is no such order. */
  advance(change: AdvanceInput): boolean;
  orders(): LedgerOrder[];
  account(id: string, url: string): AccountFileEntry;
  /** Ends what it does beside answering, such as webhooks under way. */
  onClose?(): void;
}

// About 40 MB of rows; a benchmark of a minute at 3,000 requests/s still fits.
const LEDGER_CAPACITY = 200_000;
// Not documented by any provider; packline itself takes orders of up to 1 MiB.
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;
// A reference has up to 200 characters, each up to 12 when percent-encoded; Fastify's own limit is 100.
const LONGEST_PARAM = 2_400;
const JSON_TYPE = 'application/json; charset=utf-8';
const ROW = 'ledgerRow';

/** Starts a provider's server. Rejects when the port is taken. */
export async function startServer(
  server: ProviderServer,
  options: Pick<SimulatorOptions, 'port' | 'host' | 'time'>,
): Promise<Simulator> {
  const running = new RunningServer(server, options.time);
  const app = running.build();
  const host = options.host ?? '127.0.0.1';
  await app.listen({ port: options.port ?? 0, host });
  const address = app.server.address();
  if (address === null || typeof address === 'string')
    throw new Error('the simulator listens on no TCP port');
  const { port } = address;
  const url = `http://${reachable(host)}:${port}`;
  return {
    provider: server.provider,
    url,
    port,
    account: (id) => server.account(id, url),
    close: () => running.close(app),
  };
}

class RunningServer {
  readonly #server: ProviderServer;
  readonly #time: Time;
  readonly #faults: FaultRules;
  readonly #requests = new RequestLedger(LEDGER_CAPACITY);
  readonly #closing = new AbortController();

  constructor(server: ProviderServer, time: Time) {
    this.#server = server;
    this.#time = time;
    this.#faults = new FaultRules(time.random);
    // Every request that a fault delays waits on it; many at once are no leak.
    setMaxListeners(0, this.#closing.signal);
  }

  build(): FastifyInstance {
    const app = Fastify({
      logger: false,
      forceCloseConnections: true,
      bodyLimit: BODY_LIMIT_BYTES,
      routerOptions: { maxParamLength: LONGEST_PARAM },
      exposeHeadRoutes: false,
      frameworkErrors: (error, request, reply) => {
        const row = this.#record(request.raw.method, request.raw.url, 'unknown');
        this.#answer(
          reply,
          row,
          this.#refusal(error.statusCode ?? 400, 'The address of the request is malformed', request),
        );
      },
    });
    app.decorateRequest(ROW, null);
    acceptJsonOnly(app);
    if (this.#server.takesForms === true) acceptForms(app);
    app.setErrorHandler<Error & { statusCode?: number }>((error, request, reply) => {
      const status = error.statusCode ?? 500;
      // A fault of the simulator itself must not pass for one of the provider.
      if (status >= 500) process.emitWarning(error);
      const row = request.getDecorator<LedgerRequest | null>(ROW);
      this.#answer(
        reply,
        row,
        this.#ownRefusal(status, status >= 500 ? 'The simulator is broken' : error.message, request, row),
      );
    });
    app.setNotFoundHandler((request, reply) => {
      const row = this.#record(request.method, request.url, 'unknown');
      const refused = this.#server.admit(request.headers, asked(request, row.verb));
      this.#answer(
        reply,
        row,
        refused ?? this.#ownRefusal(404, 'The requested resource does not exist', request, row),
      );
    });
    for (const route of this.#server.routes) this.#serve(app, route);
    this.#serveControl(app);
    return app;
  }

  async close(app: FastifyInstance): Promise<void> {
    this.#closing.abort();
    this.#server.onClose?.();
    await app.close();
  }

  #serve(app: FastifyInstance, route: Route): void {
    app.route<{ Params: Record<string, string>; Querystring: Call['query'] }>({
      method: route.method,
      url: route.path,
      onRequest: (request, reply, done) => {
        const row = this.#record(request.method, request.url, route.verb);
        request.setDecorator(ROW, row);
        const refused =
          route.isPublic === true
            ? undefined
            : this.#server.admit(request.headers, asked(request, route.verb));
        if (refused === undefined) done();
        else this.#answer(reply, row, refused);
      },
      handler: (request, reply) => {
        const row = request.getDecorator<LedgerRequest>(ROW);
        const { url: path, params, query, body, headers } = request;
        const call = { path, params, query, body, headers, hideMs: 0 };
        const fault = this.#faults.take(route.verb, () => route.references(call));
        if (fault !== undefined) return this.#misbehave(fault, route, call, request, reply);
        const answer = route.handle(call);
        if (answer instanceof Promise) return answer.then((late) => this.#answer(reply, row, late));
        this.#answer(reply, row, answer);
        return undefined;
      },
    });
  }

  async #misbehave(
    fault: Fault,
    route: Route,
    call: Call,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const row = request.getDecorator<LedgerRequest>(ROW);
    if (fault.delayMs > 0) await this.#time.sleep(fault.delayMs, this.#closing.signal);
    if (this.#closing.signal.aborted) return drop(request, reply);
    const own = fault.work ? await route.handle({ ...call, hideMs: fault.hideMs }) : undefined;
    if (fault.ending === 'drop') return drop(request, reply);
    if (fault.ending === 'hang') {
      reply.hijack();
      return;
    }
    if (fault.ending !== 'own-answer') {
      const { status, headers } = fault.ending;
      const body =
        'body' in fault.ending
          ? fault.ending.body
          : this.#refusal(status, status < 400 ? 'OK' : 'A simulated failure', request, route.verb).body;
      this.#answer(reply, row, { status, headers, body });
    } else if (own !== undefined) {
      this.#answer(reply, row, own);
    }
  }

  #serveControl(app: FastifyInstance): void {
    const verbs = this.#server.routes.map((route) => route.verb);
    const onRequest = loopbackOnly;
    app.post('/_control', { onRequest }, (request, reply) => {
      const read = readRule(request.body, verbs);
      if (!read.ok) return reply.code(400).send({ mistakes: read.mistakes });
      return reply.code(201).send({ rules: this.#faults.add(read.value) });
    });
    app.delete('/_control', { onRequest }, (_request, reply) => {
      this.#faults.clear();
      return reply.code(204).send();
    });
    app.post('/_control/advance', { onRequest }, (request, reply) => {
      const read = readAdvance(request.body);
      if (!read.ok) return reply.code(400).send({ mistakes: read.mistakes });
      if (!this.#server.advance(read.value))
        return reply.code(404).send({ mistakes: ['reference: no such order'] });
      return reply.send({ reference: read.value.reference, status: read.value.status });
    });
    for (const { method, path, handle } of this.#server.controls ?? []) {
      app.route({
        method,
        url: path,
        onRequest,
        handler: (request, reply) => {
          const { status, headers, body } = handle(request.body);
          return reply
            .code(status)
            .headers(headers ?? {})
            .send(body);
        },
      });
    }
    app.get('/_ledger', { onRequest }, (_request, reply) =>
      reply.send({ orders: this.#server.orders(), requests: this.#requests.list() }),
    );
  }

  #record(method: string | undefined, path: string | undefined, verb: string): LedgerRequest {
    const at = new Date(this.#time.clock.now()).toISOString();
    const row = { at, method: method ?? '', path: path ?? '', verb, status: 0 };
    this.#requests.add(row);
    return row;
  }

  #refusal(status: number, message: string, request: FastifyRequest, verb = 'unknown'): Answer {
    return { status, body: this.#server.envelope(status, message, asked(request, verb)) };
  }

  #standingHeaders(
    request: FastifyRequest,
    row: LedgerRequest | null,
    answer: Answer,
  ): Readonly<Record<string, string>> {
    const server = this.#server;
    return server.standingHeaders?.(request.headers, answer, asked(request, row?.verb ?? 'unknown')) ?? {};
  }

  #ownRefusal(status: number, message: string, request: FastifyRequest, row: LedgerRequest | null): Answer {
    const verb = row?.verb ?? 'unknown';
    const told = this.#server.refusedStatus?.(status, asked(request, verb)) ?? status;
    return this.#refusal(told, message, request, verb);
  }

  #answer(reply: FastifyReply, row: LedgerRequest | null, answer: Answer): void {
    // Whoever asked may have hung up while a fault let it wait: then nobody hears this status.
    if (row !== null && !reply.raw.destroyed) row.status = answer.status;
    const { body } = answer;
    reply
      .code(answer.status)
      .type(JSON_TYPE)
      .headers(this.#standingHeaders(reply.request, row, answer))
      .headers(answer.headers ?? {})
      .send(typeof body === 'string' ? body : JSON.stringify(body));
  }
}

/** A name that comes twice keeps its last value. */
function acceptForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, text, done) => done(null, Object.fromEntries(new URLSearchParams(text.toString()))),
  );
}

function asked({ raw }: FastifyRequest, verb: string): Asked {
  return { verb, method: raw.method ?? '', path: raw.url ?? '', rawHeaders: raw.rawHeaders };
}

function drop(request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack();
  request.raw.socket.destroy();
}

/** Bodies are JSON or nothing; Fastify's own parser refuses an empty body that calls itself JSON. */
function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    if (text === '') return done(null, undefined);
    let body: unknown;
    try {
      body = JSON.parse(text.toString());
    } catch {
      return done(Object.assign(new Error('The body is not valid JSON'), { statusCode: 400 }), undefined);
    }
    done(null, body);
  });
}

/** Faults and ledger have no key of their own, so they answer nobody but this machine. */
function loopbackOnly(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const address = request.socket.remoteAddress ?? '';
  if (/^(::ffff:)?127\./.test(address) || address === '::1') done();
  else reply.code(403).send({ mistakes: ['the control API answers on the loopback interface only'] });
}

/** A listening address as one to connect to. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

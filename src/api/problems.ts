/** How the API says no: every refusal leaves through here, as RFC 9457 asks, and nothing internal with it. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { stdSerializers } from 'pino';
import { isUnavailable } from '../database/unavailable.js';
import { type Problem, type ProblemName, problem, type Result } from '../problem.js';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

// Seconds. Long enough for a database to come back from a restart, short enough that a shop's retry is no outage.
const RETRY_AFTER_S = 5;

type Headers = Readonly<Record<string, string>>;

/** Carries a refusal out of a handler: Fastify's error handler is the one place that writes problems. */
export class ProblemError extends Error {
  readonly problem: Problem;
  readonly headers: Headers;

  constructor(refusal: Problem, headers: Headers = {}) {
    super(refusal.title);
    this.name = 'ProblemError';
    this.problem = refusal;
    this.headers = headers;
  }
}

/** The value of a verb's answer; a refusal is thrown for the error handler to send. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new ProblemError(result.problem);
}

/** A refusal of HTTP itself, for which RFC 9457 has `about:blank`: its title is the status's own phrase. */
export function httpProblem(status: number, detail: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail };
}

/** Sends a problem. As bytes, because Fastify would add a charset that this media type does not have. */
export function sendProblem(reply: FastifyReply, refusal: Problem, headers: Headers = {}): FastifyReply {
  return reply
    .code(refusal.status)
    .headers(headers)
    .header('content-type', PROBLEM_MEDIA_TYPE)
    .send(Buffer.from(JSON.stringify(refusal)));
}

/** Answers unknown routes and everything that is thrown. */
export function registerProblems(app: FastifyInstance): void {
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, problem('not-found', 'There is no such route.')),
  );
  app.setErrorHandler((error, request, reply) => {
    const { refusal, headers } = refusalOf(error, request);
    // Fastify would close the connection on a client that still sends, which then reads a reset instead of the
    // answer. Node reads such a body to its end, within the request timeout.
    reply.removeHeader('connection');
    return sendProblem(reply, refusal, headers);
  });
}

/** Answers what fails before a route is found: a path that cannot be decoded, or a longer id than any of ours. */
export function answerUnroutable(error: { code: string }, _request: unknown, reply: FastifyReply): void {
  const refusal =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? problem('not-found', 'There is no such route.')
      : problem('bad-request', 'The path cannot be decoded.');
  sendProblem(reply, refusal);
}

/** Answers bytes that are no HTTP request, or that come too slowly or in too large a head. */
export function answerUnreadable(error: { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = unreadableProblem(error.code);
  const body = JSON.stringify(refusal);
  socket.write(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\nConnection: close\r\n` +
      `Content-Type: ${PROBLEM_MEDIA_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  socket.destroySoon();
}

function unreadableProblem(code: string | undefined): Problem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return httpProblem(408, 'The request did not arrive in time.');
    case 'HPE_HEADER_OVERFLOW':
      return httpProblem(431, 'The header fields are too large.');
    default:
      return problem('bad-request', 'This is not an HTTP request.');
  }
}

interface Refusal {
  refusal: Problem;
  headers?: Headers;
}

function refusalOf(error: unknown, request: FastifyRequest): Refusal {
  if (error instanceof ProblemError) return { refusal: error.problem, headers: error.headers };
  const mistake = clientMistake(error, request);
  if (mistake !== null) return { refusal: mistake };
  const where = { method: request.method, route: request.routeOptions.url ?? null, error: loggable(error) };
  if (isUnavailable(error)) {
    request.log.warn(where, 'api.not_available');
    const detail = `The store does not answer. Try again in ${RETRY_AFTER_S} seconds.`;
    return { refusal: problem('not-available', detail), headers: { 'retry-after': String(RETRY_AFTER_S) } };
  }
  request.log.error(where, 'api.failed');
  return { refusal: problem('internal', 'The request met an unexpected error, which was logged.') };
}

const MISTAKES_BY_CODE: Readonly<Record<string, { name: ProblemName; detail: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    name: 'too-large',
    detail: 'A body may hold 1 MiB, a batch 16 MiB. Send the orders in several requests.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    name: 'unsupported-media-type',
    detail: 'Set the Content-Type header to application/json.',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { name: 'bad-request', detail: 'The body is not JSON.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    name: 'bad-request',
    detail: 'The body has another length than its Content-Length header says.',
  },
};

/** The properties by which Fastify and http-errors say whose mistake an error is. */
interface Claims {
  code?: unknown;
  statusCode?: unknown;
  expose?: unknown;
}
const NOTHING_CLAIMED: Claims = {};

/** What HTTP, as Fastify and its plugins read it, blames the request for; null where it is not to blame. */
function clientMistake(error: unknown, request: FastifyRequest): Problem | null {
  if (!request.raw.complete && request.raw.errored !== null) {
    return problem('bad-request', 'The body ended before it was complete.');
  }
  const { code, statusCode, expose } =
    error instanceof Error ? { ...NOTHING_CLAIMED, ...error } : NOTHING_CLAIMED;
  const known = typeof code === 'string' ? MISTAKES_BY_CODE[code] : undefined;
  if (known !== undefined) return problem(known.name, known.detail);
  // Only Fastify's own errors (FST_…) and those marked for the client's eyes (http-errors) may choose a status.
  const chosen = (typeof code === 'string' && code.startsWith('FST_')) || expose === true;
  const status = typeof statusCode === 'number' && chosen ? statusCode : 500;
  return status >= 400 && status < 500
    ? httpProblem(status, 'The request cannot be answered as it is.')
    : null;
}

/**
 * Only these fields: errors of libraries carry URLs, arguments and hosts as properties. Not under pino's own name
 * `err`, whose serializer would take this object for an error.
 */
function loggable(error: unknown): { type: string; message: string; stack: string } {
  const { type, message, stack } = stdSerializers.err(
    error instanceof Error ? error : new Error(String(error)),
  );
  return { type, message, stack };
}

/**
 * The only place that calls a provider. One request is one request: no retry, no redirect, no interceptor, no
 * HTTP/2 and no pipelining, since undici may send a request again with any of them. The last look at the clock
 * happens here, as the socket is about to be written.
 */
import { Agent, type Dispatcher } from 'undici';
import type { Answer, HttpResult } from '../policy/answer.js';
import type { Clock } from '../time.js';
import type { HttpRequest } from './provider.js';

/** An answer above this is cut off and counts as unreadable: no documented answer comes near 4 MiB. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** For a connection with TLS, ms. undici's timers are up to a second late. */
const CONNECT_TIMEOUT_MS = 3_000;

/** Until when a request may start, by two clocks: a frozen process wakes with both past, a set-back wall clock does not help it. */
export interface SendBy {
  monotonic: number;
  wall: number;
}

export interface CallLimits {
  sendBy: SendBy;
  /** For the whole answer, from the moment the socket is written. */
  timeoutMs: number;
  /** Aborts a call; what was sent by then is `unknown`. */
  signal?: AbortSignal;
  /** Called as the socket is about to be written, before the last look at the clock. */
  beforeWrite?: () => void;
}

export interface Http {
  /** Never throws, except for a request that cannot be built (a bug). */
  call(request: HttpRequest, limits: CallLimits): Promise<HttpResult>;
  close(): Promise<void>;
}

export interface HttpOptions {
  clock: Clock;
  /** Sockets per origin; waiting requests that outlive their `sendBy` are not sent. */
  connections: number;
}

/** An HTTP client of its own agent; one per process. */
export function createHttp(options: HttpOptions): Http {
  const agent = new Agent({
    pipelining: 1,
    allowH2: false,
    connections: options.connections,
    keepAliveTimeout: 10_000,
    // Longer than any server should hint: a socket that the server has closed is the usual cause of an unknown.
    keepAliveMaxTimeout: 30_000,
    // The timers below are ours; undici's own are switched off so that one place decides.
    headersTimeout: 0,
    bodyTimeout: 0,
    // Shorter than the time within which a call has to be sent: else a host that swallows packets would never show as
    // one that cannot be reached, only as calls that came too late, and those go again without any backoff.
    connect: { timeout: CONNECT_TIMEOUT_MS },
  });
  return {
    call: (request, limits) => dispatchOnce(agent, request, limits, options),
    close: () => agent.destroy(),
  };
}

function dispatchOnce(
  agent: Agent,
  request: HttpRequest,
  limits: CallLimits,
  { clock }: HttpOptions,
): Promise<HttpResult> {
  const url = new URL(request.url);
  return new Promise((resolve) => {
    let started = false;
    let answer: { status: number; headers: Answer['headers'] } | null = null;
    const chunks: Buffer[] = [];
    let size = 0;
    let controller: Dispatcher.DispatchController | null = null;
    let settled = false;

    const finish = (result: HttpResult) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      limits.signal?.removeEventListener('abort', onAbort);
      resolve(result);
    };
    const giveUp = (code: string, message: string) => {
      finish({ kind: started ? 'unknown' : 'notSent', code, message });
      // A request that still waits for a socket is stopped in onRequestStart.
      controller?.abort(new Error(code));
    };
    const onAbort = () => giveUp('aborted', 'the process is stopping');
    let timer = setTimeout(
      () => giveUp('send_by', 'no socket was free in time'),
      Math.max(0, limits.sendBy.monotonic - clock.monotonic()),
    );
    if (limits.signal?.aborted) return onAbort();
    limits.signal?.addEventListener('abort', onAbort, { once: true });

    agent.dispatch(
      {
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
      },
      {
        onRequestStart(ctl) {
          controller = ctl;
          limits.beforeWrite?.();
          if (settled) {
            ctl.abort(new Error('given up'));
            return;
          }
          if (started) {
            // undici would send it a second time: what the first one did is not known.
            giveUp('sent_again', 'the connection broke while the request was on its way');
            return;
          }
          if (clock.monotonic() > limits.sendBy.monotonic || clock.now() > limits.sendBy.wall) {
            giveUp('send_by', 'the time to send had passed');
            return;
          }
          started = true;
          clearTimeout(timer);
          timer = setTimeout(
            () => giveUp('timeout', `no whole answer within ${limits.timeoutMs} ms`),
            limits.timeoutMs,
          );
        },
        onResponseStart(_ctl, status, headers) {
          answer = { status, headers };
        },
        onResponseData(_ctl, chunk) {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES)
            giveUp('answer_too_large', `the answer exceeds ${MAX_ANSWER_BYTES} bytes`);
          else chunks.push(chunk);
        },
        onResponseEnd() {
          if (answer === null)
            return finish({ kind: 'unknown', code: 'no_answer', message: 'the answer had no head' });
          const body = Buffer.concat(chunks).toString('utf8');
          finish({ kind: 'answered', ...answer, body, json: parseJson(body), receivedAt: clock.now() });
        },
        onResponseError(_ctl, error) {
          finish({ kind: started ? 'unknown' : 'notSent', code: errorCode(error), message: error.message });
        },
      },
    );
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is an answer too: the reader of the step decides what it is worth.
    return undefined;
  }
}

/** Node's and undici's error codes in lower case (`econnrefused`, `und_err_connect_timeout`), never message texts. */
function errorCode(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  return (code ?? error.name).toLowerCase();
}

import { request } from 'undici';
import type { HttpResult } from '../../src/policy/answer.js';
import { createHttp, type Http, type HttpOptions } from '../../src/providers/http.js';
import type { HttpRequest } from '../../src/providers/provider.js';
import type { LedgerOrder, Simulator } from '../../src/simulator/kit.js';
import { systemTime } from '../../src/time.js';
import { type RawRequest, type RawServer, rawServer } from './raw-server.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that ends with the test. */
export async function serve(answer: (request: RawRequest) => void): Promise<RawServer> {
  const server = await rawServer(answer);
  closers.push(() => server.close());
  return server;
}

/** A client that ends with the test. */
export function client(options: Partial<HttpOptions> = {}): Http {
  const http = createHttp({ clock: systemTime.clock, connections: 4, ...options });
  closers.push(() => http.close());
  return http;
}

/** Times in ms from now. */
export interface Patience {
  sendMs?: number;
  timeoutMs?: number;
  signal?: AbortSignal;
  beforeWrite?: () => void;
}

/** One call, with seconds of patience unless told otherwise. */
export function call(
  http: Http,
  asked: HttpRequest,
  { sendMs = 5_000, timeoutMs = 5_000, ...more }: Patience = {},
) {
  const { clock } = systemTime;
  const sendBy = { monotonic: clock.monotonic() + sendMs, wall: clock.now() + sendMs };
  return http.call(asked, { sendBy, timeoutMs, ...more });
}

export const post = (url: string, body = '{"reference":"A-1"}'): HttpRequest => ({
  method: 'POST',
  url,
  headers: { 'content-type': 'application/json', authorization: 'Bearer x' },
  body,
});
export const get = (url: string): HttpRequest => ({ method: 'GET', url, headers: {} });

/** What a result is, without its message. */
export const kindOf = (result: HttpResult) =>
  result.kind === 'answered' ? result.status : [result.kind, result.code];

/** Tells a simulator by its control API what no customer of the provider could; its answer, or null where it has none. */
export async function control(simulator: Simulator, path: string, body: object = {}): Promise<unknown> {
  const answer = await request(`${simulator.url}/_control${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.body.text();
  if (answer.statusCode > 299) throw new Error(`${path} of the simulator: ${text}`);
  return text === '' ? null : JSON.parse(text);
}

/** The orders that a simulator holds. */
export async function ordersAt(simulator: Simulator): Promise<LedgerOrder[]> {
  const answer = await request(`${simulator.url}/_ledger`);
  // What the ledger holds is declared by the server itself (simulator/kit.ts).
  return ((await answer.body.json()) as { orders: LedgerOrder[] }).orders;
}

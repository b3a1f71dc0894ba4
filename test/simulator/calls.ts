/**
 * What the callers of all simulators share. It knows HTTP and nothing of the adapters, so that a document which one
 * of them has misread shows.
 */
import { request } from 'undici';
import type { Simulator } from '../../src/simulator/kit.js';

export interface Heard {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The body read as JSON; throws if it is none. */
  json(): unknown;
}

/** One call. A string body is sent as it is; `headers` win over the type that a body has by itself. */
export async function ask(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Heard> {
  const response = await request(url, {
    // undici's type is a union of method names; those used here are all in it.
    method: method as 'GET',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await response.body.text();
  return { status: response.statusCode, headers: response.headers, text, json: () => JSON.parse(text) };
}

/** What a simulator has taken; each test looks at the fields that it is about. */
export interface Ledger {
  orders: Record<string, unknown>[];
  requests: Record<string, unknown>[];
}

export async function ledgerOf({ url }: Simulator): Promise<Ledger> {
  const heard = await ask('GET', `${url}/_ledger`);
  // The server declares both lists (simulator/kit.ts).
  return heard.json() as Ledger;
}

const started: Simulator[] = [];

/** `stopAll` ends it. */
export function stopLater(simulator: Simulator): void {
  started.push(simulator);
}

export async function stopAll(): Promise<void> {
  await Promise.all(started.splice(0).map((simulator) => simulator.close()));
}

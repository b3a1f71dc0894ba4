/** A GelatoConnect simulator over real HTTP, with its control API and its ledger as methods. */
import { request } from 'undici';
import type { LedgerRequest, RuleInput } from '../../src/simulator/control.js';
import {
  type GelatoSimulatorOptions,
  startGelatoSimulator,
} from '../../src/simulator/gelato-connect/index.js';
import type { AccountFileEntry, LedgerOrder } from '../../src/simulator/kit.js';
import { systemTime } from '../../src/time.js';

/** What an account of these tests may be told beside what its simulator says. */
export interface AccountChanges {
  config?: Record<string, unknown>;
  credentials?: Record<string, string>;
  policy?: Record<string, unknown>;
  limits?: Record<string, unknown>;
  breaker?: Record<string, unknown> | false;
}

export interface TestSimulator {
  readonly url: string;
  /** An accounts-file entry for this server, with waits so short that a test need not wait for them. */
  account(id: string, changes?: AccountChanges): object;
  /** Adds a fault rule. */
  fault(rule: RuleInput): Promise<void>;
  /** Takes all fault rules away. */
  behave(): Promise<void>;
  /** Puts an order into a status by hand. */
  advance(reference: string, status: string, reason?: string): Promise<void>;
  /** The orders that it holds under a reference; all without one. */
  orders(reference?: string): Promise<LedgerOrder[]>;
  /** The requests for a verb that reached it; all without one. */
  calls(verb?: string): Promise<LedgerRequest[]>;
  /** An order as the provider's own API shows it. */
  show(name: string): Promise<Record<string, unknown>>;
  /** Takes the server away, with all that it holds. */
  stop(): Promise<void>;
  /** A new server, with nothing in it, on the port of the one that was stopped. */
  restart(): Promise<void>;
}

/** Credentials that are found again wherever they were written. */
export const API_KEY = 'sim-key-Zk41vQ9w';
export const API_SECRET = 'sim-secret-Qx77Lp0dRt';

/** How an accounts file names a variable of the environment. */
export const fromEnvironment = (name: string) => `\${${name}}`;

/** Starts a simulator whose orders stay where they are until a test moves them. */
export async function startSimulator(options: Partial<GelatoSimulatorOptions> = {}): Promise<TestSimulator> {
  const start = (port: number) =>
    startGelatoSimulator({
      apiKey: API_KEY,
      apiSecret: API_SECRET,
      time: systemTime,
      stepMs: 0,
      ...options,
      port,
    });
  let server = await start(0);
  const { url, port } = server;

  const control = async (method: 'POST' | 'DELETE', path: string, body?: object): Promise<void> => {
    const answer = await request(url + path, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path} of the simulator: ${text}`);
  };
  const ledger = async () => {
    const answer = await request(`${url}/_ledger`);
    // What the ledger holds is declared by the server itself (simulator/kit.ts).
    return (await answer.body.json()) as { orders: LedgerOrder[]; requests: LedgerRequest[] };
  };

  return {
    url,
    account: (id, changes = {}) => quick(server.account(id), changes),
    fault: (rule) => control('POST', '/_control', rule),
    behave: () => control('DELETE', '/_control'),
    advance: (reference, status, reason) =>
      control('POST', '/_control/advance', {
        reference,
        status,
        ...(reason === undefined ? {} : { reason }),
      }),
    orders: async (reference) =>
      (await ledger()).orders.filter((order) => reference === undefined || order.reference === reference),
    calls: async (verb) =>
      (await ledger()).requests.filter((call) => verb === undefined || call.verb === verb),
    show: async (name) => {
      const template = String(server.account('any').config.getUrl);
      const answer = await request(template.replace('{id}', encodeURIComponent(name)), {
        headers: { 'x-api-key': `${API_KEY}:${API_SECRET}` },
      });
      // An object, as the provider's documentation has it; each test looks at the fields it needs.
      return (await answer.body.json()) as Record<string, unknown>;
    },
    stop: () => server.close(),
    restart: async () => {
      server = await start(port);
    },
  };
}

function quick(entry: AccountFileEntry, changes: AccountChanges): object {
  return {
    ...entry,
    config: {
      ...entry.config,
      // Long enough for a busy machine; the tests whose provider never answers say less.
      requestTimeoutMs: 10_000,
      confirm: { graceMs: 300, looks: 2, spacingMs: 300 },
      ...changes.config,
    },
    credentials: { ...entry.credentials, ...changes.credentials },
    policy: { backoff: { baseMs: 50, capMs: 400 }, ...changes.policy },
    ...(changes.limits === undefined ? {} : { limits: changes.limits }),
    ...(changes.breaker === undefined ? {} : { breaker: changes.breaker }),
  };
}

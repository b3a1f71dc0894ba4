/** An API over a hand-written operator, for the tests of this folder. */
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { Agent } from 'undici';
import { type ApiDeps, createApi } from '../../src/api/server.js';
import type { Operator } from '../../src/operator.js';
import { ok, refused } from '../../src/problem.js';
import type { AccountJson, DeadLetterJson, OrderJson, PolicyRuleJson } from '../../src/views.js';

export const KEY = 'a-bootstrap-key-of-32-characters';
export const BEARER = { authorization: `Bearer ${KEY}` };

export const anOrder: OrderJson = {
  id: '0199c0de-0000-7000-8000-000000000001',
  account: 'gelato-eu',
  provider: 'gelato-connect',
  reference: 'A-1',
  generation: 1,
  status: 'received',
  rawStatus: null,
  attention: { code: 'status_conflict', since: '2026-11-20T08:00:00.000Z', detail: 'look' },
  failure: { code: 'refused', message: 'no', fields: { sku: ['unknown'] } },
  providerOrderId: null,
  tracking: [{ carrier: 'DHL', code: 'X', url: null, status: null }],
  held: false,
  operations: [
    {
      id: 'op-1',
      kind: 'submit',
      state: 'waiting',
      attempts: 0,
      calls: 1,
      dueAt: '2026-11-20T09:00:00.000Z',
      waitReason: 'rate_limited',
      deadline: '2026-11-21T09:00:00.000Z',
      lastOutcome: { kind: 'throttled', code: 'http_429', message: null, at: '2026-11-20T08:59:00.000Z' },
    },
  ],
  createdAt: '2026-11-20T08:00:00.000Z',
  updatedAt: '2026-11-20T08:00:00.000Z',
  currency: 'EUR',
  items: [{ reference: '1', sku: 's', quantity: 1, options: { deep: [{ kept: true }] } }],
};

export const aDeadLetter: DeadLetterJson = {
  id: 'dl-1',
  account: 'gelato-eu',
  orderId: anOrder.id,
  reference: 'A-1',
  operationId: 'op-1',
  kind: 'submit',
  code: 'http_500',
  message: 'budget spent',
  ambiguous: true,
  state: 'open',
  attempts: [{ step: 'create', status: 500 }],
  candidates: [{ id: 'p-1' }],
  createdAt: '2026-11-20T08:00:00.000Z',
};

export const anAccount: AccountJson = {
  id: 'gelato-eu',
  provider: 'gelato-connect',
  mode: 'test',
  state: 'paused',
  pause: {
    code: 'manual',
    reason: 'stocktaking',
    since: '2026-11-20T08:00:00.000Z',
    by: 'cli:x',
    until: null,
  },
  gate: { limit: 100, remaining: 99, blockedUntil: null, why: null },
  breaker: { state: 'closed', failureRate: null, calls: 0, openUntil: null },
  guarantee: { level: 'exactly_once', reason: 'lookup by reference' },
  queue: { name: 'fulfil-gelato-eu', queued: 1, waiting: 0, running: 0, unconfirmed: 0, oldestDue: null },
};

export interface Call {
  verb: string;
  args: unknown[];
}

/** Answers every verb with one well-formed answer, and writes down who asked what. */
export function fakeOperator(overrides: Partial<Operator> = {}): { operator: Operator; calls: Call[] } {
  const calls: Call[] = [];
  const answers: Operator = {
    submit: async (_body, { validateOnly }) =>
      ok(validateOnly === true ? { created: false, order: null } : { created: true, order: anOrder }),
    submitMany: async (bodies) => bodies.map(() => ok({ created: true, order: anOrder })),
    correct: async () => ok(anOrder),
    listOrders: async () => ok({ orders: [anOrder], nextCursor: 'next' }),
    getOrder: async (id) =>
      id === anOrder.id ? ok(anOrder) : refused('not-found', 'There is no such order.'),
    findOrder: async () => ok(anOrder),
    recover: async () => ok({ recovered: false, why: null, looks: 0, letters: 0, tokens: 0 }),
    runRetention: async () =>
      ok({
        dryRun: false,
        olderThanDays: 400,
        complete: true,
        looked: 0,
        orders: 0,
        events: 0,
        attempts: 0,
        operations: 0,
        excerpts: 0,
      }),
    doctor: async () => ok({ healthy: true, checks: [], invariants: null, audits: null }),
    deliverables: async () =>
      ok({ deliverables: [{ sku: 'GIFT-10', code: 'AAAA-BBBB', serial: '1', expiresAt: null }] }),
    supplyOtp: async () => ok(anOrder),
    timeline: async () =>
      ok({
        timeline: [
          {
            at: '2026-11-20T08:00:00.000Z',
            type: 'order.received',
            actor: 'shop',
            rule: 'r',
            data: { a: [1] },
          },
        ],
        nextCursor: null,
      }),
    activate: async () => ok(anOrder),
    cancel: async () => ok(anOrder),
    updateShipment: async () => ok(anOrder),
    syncOrder: async () => ok(anOrder),
    sync: async () => ok({ accounts: [{ account: 'gelato-eu', operationId: 'op-9', orders: 3 }] }),
    syncProgress: async () => [],
    listDeadLetters: async () => ok({ deadLetters: [aDeadLetter], nextCursor: null }),
    getDeadLetter: async () => ok(aDeadLetter),
    replay: async () => ok({ ...aDeadLetter, state: 'replayed' }),
    adopt: async () => ok({ ...aDeadLetter, state: 'adopted' }),
    discard: async () => ok({ ...aDeadLetter, state: 'discarded' }),
    replayMany: async () => ok({ matched: 2, replayed: 1, skipped: [{ id: 'dl-2', reason: 'decided' }] }),
    listAccounts: async () => ({ accounts: [anAccount] }),
    getAccount: async () => ok(anAccount),
    pauseAccount: async () => ok(anAccount),
    resumeAccount: async () => ok(anAccount),
    checkAccount: async () => ok({ account: 'gelato-eu', ok: true, outcome: 'done', message: null }),
    applyAccounts: async () => ok({ accounts: [] }),
    explainProvider: (provider) =>
      provider === 'gelato-connect'
        ? ok({ provider, rules: [aRule] })
        : refused('not-found', 'There is no such provider.'),
    ...overrides,
  };
  const operator = new Proxy(answers, {
    get(target, verb: keyof Operator) {
      const answer = target[verb];
      return (...args: unknown[]) => {
        calls.push({ verb, args });
        return Reflect.apply(answer, target, args);
      };
    },
  });
  return { operator, calls };
}

export interface Ask {
  headers?: Record<string, string>;
  /** Sent as JSON, unless it is text or bytes already. */
  body?: unknown;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The body, read as JSON. */
  json(): unknown;
}

export interface TestApi {
  app: FastifyInstance;
  url: string;
  calls: Call[];
  /** The log so far, one parsed object per line. */
  log: Record<string, unknown>[];
  /** Asks over a real socket, without a key. */
  ask(method: Method, path: string, ask?: Ask): Promise<Answer>;
  /** Asks with the key. */
  asOperator(method: Method, path: string, ask?: Ask): Promise<Answer>;
  close(): Promise<void>;
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const opened: TestApi[] = [];

afterAll(async () => {
  for (const api of opened) await api.close();
});

/** A row of a provider's error table. */
export const aRule: PolicyRuleJson = {
  id: 'gelato-connect/rate-limited',
  status: 429,
  code: null,
  steps: null,
  outcome: 'throttled',
  scope: 'account',
  wait: null,
  block: null,
  attempts: null,
  backoff: { baseMs: 1_000, capMs: 300_000, floorMs: 1_000, jitter: 'equal' },
  schedule: null,
  alert: false,
  meaning: 'Too many requests',
  source: 'Rate Limits',
  evidence: 'documented',
};

/** Starts an API on a free port; it ends with the test file, if not before. */
export async function testApi(
  overrides: Partial<ApiDeps> & { verbs?: Partial<Operator> } = {},
): Promise<TestApi> {
  const { verbs, ...deps } = overrides;
  const { operator, calls } = fakeOperator(verbs);
  const log: Record<string, unknown>[] = [];
  const app = await createApi({
    operator,
    keys: { bootstrap: KEY },
    sessionSecret: Buffer.alloc(32, 7),
    readiness: async () => ({ ready: true, reasons: [] }),
    metrics: async () => '',
    board: { queues: () => [], onChange: () => undefined },
    log: pino({ level: 'debug' }, { write: (line: string) => void log.push(JSON.parse(line)) }),
    version: '1.2.3',
    secureCookies: false,
    ...deps,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const dispatcher = new Agent();
  const ask: TestApi['ask'] = async (method, path, { headers = {}, body } = {}) => {
    const isRaw = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
    // The path goes out as it is written here; a URL would be tidied first.
    const answer = await dispatcher.request({
      origin: url,
      path,
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: isRaw ? (body ?? null) : JSON.stringify(body),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text, json: () => JSON.parse(text) };
  };
  let closing: Promise<void> | undefined;
  const close = async () => {
    await dispatcher.close();
    await app.close();
  };
  const api: TestApi = {
    app,
    url,
    calls,
    log,
    ask,
    asOperator: (method, path, { headers = {}, body } = {}) =>
      ask(method, path, { headers: { ...BEARER, ...headers }, body }),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
  opened.push(api);
  return api;
}

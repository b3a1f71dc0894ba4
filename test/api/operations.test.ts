import type { Method } from './harness.js';
import { type Ask, aDeadLetter, anAccount, aRule, type TestApi, testApi } from './harness.js';

const OPERATOR = 'operator:bootstrap';

let api: TestApi;

beforeAll(async () => {
  api = await testApi();
});
beforeEach(() => {
  api.calls.length = 0;
});

interface Case {
  method: Method;
  path: string;
  ask?: Ask;
  status: number;
  answer: unknown;
  verb: string;
  args: unknown[];
}

const cases: Case[] = [
  {
    method: 'GET',
    path: '/v1/dead-letters?account=a&code=http_500&kind=submit&state=open&cursor=c&limit=1',
    status: 200,
    answer: { deadLetters: [aDeadLetter], nextCursor: null },
    verb: 'listDeadLetters',
    args: [{ account: 'a', code: 'http_500', kind: 'submit', state: 'open', cursor: 'c', limit: 1 }],
  },
  {
    method: 'GET',
    path: '/v1/dead-letters/dl-1',
    status: 200,
    answer: aDeadLetter,
    verb: 'getDeadLetter',
    args: ['dl-1'],
  },
  {
    method: 'POST',
    path: '/v1/dead-letters/dl-1/replay',
    status: 202,
    answer: { ...aDeadLetter, state: 'replayed' },
    verb: 'replay',
    args: ['dl-1', { actor: OPERATOR }],
  },
  {
    method: 'POST',
    path: '/v1/dead-letters/dl-1/replay',
    ask: { body: { reason: 'asked them', force: true } },
    status: 202,
    answer: { ...aDeadLetter, state: 'replayed' },
    verb: 'replay',
    args: ['dl-1', { actor: OPERATOR, reason: 'asked them', force: true }],
  },
  {
    method: 'POST',
    path: '/v1/dead-letters/dl-1/adopt',
    ask: { body: { providerOrderId: 'p-1' } },
    status: 200,
    answer: { ...aDeadLetter, state: 'adopted' },
    verb: 'adopt',
    args: ['dl-1', { actor: OPERATOR, providerOrderId: 'p-1' }],
  },
  {
    method: 'POST',
    path: '/v1/dead-letters/dl-1/discard',
    ask: { body: { reason: 'refunded' } },
    status: 200,
    answer: { ...aDeadLetter, state: 'discarded' },
    verb: 'discard',
    args: ['dl-1', { actor: OPERATOR, reason: 'refunded' }],
  },
  {
    method: 'POST',
    path: '/v1/dead-letters/replay',
    ask: { body: { account: 'a', code: 'c', kind: 'cancel', ids: ['dl-1'], limit: 3, dryRun: true } },
    status: 202,
    answer: { matched: 2, replayed: 1, skipped: [{ id: 'dl-2', reason: 'decided' }] },
    verb: 'replayMany',
    args: [{ account: 'a', code: 'c', kind: 'cancel', ids: ['dl-1'], limit: 3, dryRun: true }, OPERATOR],
  },
  {
    method: 'GET',
    path: '/v1/accounts',
    status: 200,
    answer: { accounts: [anAccount] },
    verb: 'listAccounts',
    args: [],
  },
  {
    method: 'GET',
    path: '/v1/accounts/gelato-eu',
    status: 200,
    answer: anAccount,
    verb: 'getAccount',
    args: ['gelato-eu'],
  },
  {
    method: 'POST',
    path: '/v1/accounts/gelato-eu/pause',
    ask: { body: { reason: 'stocktaking', until: '2026-11-21T00:00:00+03:00' } },
    status: 200,
    answer: anAccount,
    verb: 'pauseAccount',
    args: ['gelato-eu', { actor: OPERATOR, reason: 'stocktaking', until: '2026-11-21T00:00:00+03:00' }],
  },
  {
    method: 'POST',
    path: '/v1/accounts/gelato-eu/resume',
    status: 200,
    answer: anAccount,
    verb: 'resumeAccount',
    args: ['gelato-eu', OPERATOR],
  },
  {
    method: 'POST',
    path: '/v1/sync',
    status: 202,
    answer: { accounts: [{ account: 'gelato-eu', operationId: 'op-9', orders: 3 }] },
    verb: 'sync',
    args: [{}, OPERATOR],
  },
  {
    method: 'POST',
    path: '/v1/sync',
    ask: { body: { account: 'gelato-eu' } },
    status: 202,
    answer: { accounts: [{ account: 'gelato-eu', operationId: 'op-9', orders: 3 }] },
    verb: 'sync',
    args: [{ account: 'gelato-eu' }, OPERATOR],
  },
  {
    method: 'GET',
    path: '/v1/providers/gelato-connect/policy',
    status: 200,
    answer: { provider: 'gelato-connect', rules: [aRule] },
    verb: 'explainProvider',
    args: ['gelato-connect'],
  },
];

test.each(cases)(
  '$method $path is $verb, and a $status',
  async ({ method, path, ask, status, answer, verb, args }) => {
    const heard = await api.asOperator(method, path, ask ?? {});
    expect(heard.status).toBe(status);
    expect(heard.json()).toEqual(answer);
    expect(api.calls).toEqual([{ verb, args }]);
  },
);

test('a provider that is not there is a 404', async () => {
  expect((await api.asOperator('GET', '/v1/providers/acme/policy')).status).toBe(404);
});

describe('the process', () => {
  test('is well as long as it answers', async () => {
    const answer = await api.ask('GET', '/healthz');
    expect(answer).toMatchObject({ status: 200, text: '{"status":"ok"}' });
  });

  test('is ready, or says why not', async () => {
    const states = [
      { ready: false, reasons: ['migrations are pending', 'no accounts'] },
      { ready: true, reasons: [] },
    ];
    const starting = await testApi({ readiness: async () => states.shift() ?? { ready: true, reasons: [] } });
    const before = await starting.ask('GET', '/readyz');
    const after = await starting.ask('GET', '/readyz');
    expect(before.status).toBe(503);
    expect(before.json()).toEqual({
      status: 'not-ready',
      reasons: ['migrations are pending', 'no accounts'],
    });
    expect(after.status).toBe(200);
    expect(after.json()).toEqual({ status: 'ready', reasons: [] });
  });
});

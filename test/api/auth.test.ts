import { BEARER, KEY, type TestApi, testApi } from './harness.js';
import { openApiOf, operationsOf } from './openapi.js';

let api: TestApi;

beforeAll(async () => {
  api = await testApi({ metrics: async () => 'up 1\n' });
});

const HTML = { accept: 'text/html,application/xhtml+xml' };

describe('without a key', () => {
  test('every documented call but the open ones is a 401 problem that says how', async () => {
    const guarded = operationsOf(await openApiOf(api)).filter(({ open }) => !open);
    expect(guarded).toHaveLength(25);
    for (const { method, path } of guarded) {
      const answer = await api.ask(method, path, method === 'GET' ? {} : { body: {} });
      expect({ method, path, status: answer.status }).toEqual({ method, path, status: 401 });
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
      expect(answer.json()).toHaveProperty('type', 'https://packline.dev/problems/unauthorized');
    }
    expect(api.calls).toEqual([]);
  });

  test.each(['/healthz', '/readyz', '/openapi.json', '/docs', '/docs/', '/docs/json', '/login'])(
    '%s is open',
    async (path) => {
      expect((await api.ask('GET', path)).status).toBe(200);
    },
  );

  test.each(['/', '/nothing', '/metrics', '/docsx', '/docs/../v1/orders', '/v1//orders', '/healthz/'])(
    '%s is not',
    async (path) => {
      expect((await api.ask('GET', path, { headers: HTML })).status).toBe(401);
    },
  );

  test('a HEAD is judged like a GET', async () => {
    expect((await api.ask('HEAD', '/healthz')).status).toBe(200);
    expect((await api.ask('HEAD', '/v1/orders')).status).toBe(401);
  });

  test('a refusal comes before the body is read', async () => {
    expect((await api.ask('POST', '/v1/orders', { body: '{"broken' })).status).toBe(401);
  });
});

describe('with a key', () => {
  test.each([`Bearer ${KEY}`, `bearer ${KEY}`, `Bearer   ${KEY}`])('%s opens', async (authorization) => {
    expect((await api.ask('GET', '/v1/orders', { headers: { authorization } })).status).toBe(200);
  });

  test.each([
    'Bearer',
    'Bearer ',
    `Bearer ${KEY}x`,
    `Bearer ${KEY.slice(0, -1)}`,
    `Bearer ${KEY.toUpperCase()}`,
    `Bearer x ${KEY}`,
    `Basic ${KEY}`,
    KEY,
  ])('%s does not', async (authorization) => {
    expect((await api.ask('GET', '/v1/orders', { headers: { authorization } })).status).toBe(401);
  });

  test('a key in the query or the body does not', async () => {
    expect((await api.ask('GET', `/v1/orders?key=${KEY}`)).status).toBe(401);
    expect((await api.ask('POST', '/v1/sync', { body: { key: KEY } })).status).toBe(401);
  });

  test('the actor is the bootstrap key’s', async () => {
    await api.asOperator('POST', '/v1/orders/x/cancel');
    expect(api.calls.at(-1)).toEqual({ verb: 'cancel', args: ['x', 'operator:bootstrap'] });
  });

  test('metrics are served as text', async () => {
    const answer = await api.asOperator('GET', '/metrics');
    expect(answer).toMatchObject({ status: 200, text: 'up 1\n' });
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });
});

describe('a browser', () => {
  test.each([
    '/queues',
    '/queues/',
    '/queues/queue/x?page=2',
    '/queues/nothing/here',
    '/console',
    '/console/orders',
  ])('on %s is sent to the login and back', async (path) => {
    const answer = await api.ask('GET', path, { headers: HTML });
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe(`/login?next=${encodeURIComponent(path)}`);
    expect(answer.text).toBe('');
  });

  test.each(['/v1/orders', '/queuesx', '/consolex', '/logout'])('on %s gets a 401', async (path) => {
    expect((await api.ask('GET', path, { headers: HTML })).status).toBe(401);
  });

  test('that posts, and a script on the pages, get a 401', async () => {
    expect((await api.ask('PUT', '/queues/api/queues/pause', { headers: HTML })).status).toBe(401);
    expect((await api.ask('GET', '/queues', { headers: { accept: '*/*' } })).status).toBe(401);
    expect(
      (await api.ask('GET', '/queues/api/queues', { headers: { accept: 'application/json' } })).status,
    ).toBe(401);
  });

  test('with the key itself is let in', async () => {
    expect((await api.ask('GET', '/queues', { headers: { ...HTML, ...BEARER } })).status).toBe(200);
  });
});

test('too short a session secret is refused at the start', async () => {
  await expect(testApi({ sessionSecret: Buffer.alloc(31) })).rejects.toThrow('32 bytes');
});

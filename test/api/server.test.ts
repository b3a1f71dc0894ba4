import { once } from 'node:events';
import { connect } from 'node:net';
import { ok, refused } from '../../src/problem.js';
import { until } from '../helpers/until.js';
import { anOrder, BEARER, KEY, testApi } from './harness.js';

test('a request leaves one line at debug, without its query, headers or body', async () => {
  const api = await testApi();
  const before = api.log.length;
  await api.asOperator('POST', '/v1/orders?validateOnly=true', { body: { email: 'secret@example.com' } });
  await api.asOperator('GET', '/v1/orders?email=secret%40example.com');
  await api.asOperator('GET', '/nothing/secret?email=secret%40example.com');
  await api.asOperator('GET', '/v1/orders?limit=secret');
  await api.close();
  const lines = api.log.slice(before).filter(({ msg }) => msg === 'api.request');
  expect(api.log.slice(before)).toEqual(lines);
  expect(lines.map(({ level, method, route, status }) => ({ level, method, route, status }))).toEqual([
    { level: 20, method: 'POST', route: '/v1/orders', status: 200 },
    { level: 20, method: 'GET', route: '/v1/orders', status: 200 },
    { level: 20, method: 'GET', route: null, status: 404 },
    { level: 20, method: 'GET', route: '/v1/orders', status: 400 },
  ]);
  expect(lines.every(({ ms }) => Number.isInteger(ms))).toBe(true);
  expect(JSON.stringify(api.log)).not.toMatch(/secret/);
  expect(JSON.stringify(api.log)).not.toContain(KEY);
});

test('answers are kept by nobody, and may not be framed or sniffed', async () => {
  const api = await testApi();
  for (const path of ['/v1/orders', '/healthz', '/nothing', '/queues', '/queues/api/queues', '/login']) {
    const { headers } = await api.asOperator('GET', path);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    });
    expect(headers).not.toHaveProperty('x-powered-by');
  }
  await api.close();
});

test('a slow sender has limits', async () => {
  const api = await testApi();
  const { headersTimeout, requestTimeout, timeout } = api.app.server;
  await api.close();
  expect(headersTimeout).toBe(10_000);
  expect(requestTimeout).toBe(60_000);
  expect(timeout).toBe(120_000);
});

describe('closing', () => {
  const hello = `GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`;

  test('ends connections that wait for another request', async () => {
    const api = await testApi();
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.write(hello);
    await once(socket, 'data');
    const ended = once(socket, 'close');
    await api.close();
    await ended;
    expect(api.app.server.listening).toBe(false);
  });

  test.each([
    [200, ok(anOrder)],
    [404, refused('not-found', 'There is no such order.')],
  ])(
    'answers the request that is under way with its %i, and ends its connection then',
    async (status, result) => {
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const api = await testApi({
        verbs: {
          getOrder: async () => {
            await held;
            return result;
          },
        },
      });
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1').setEncoding('utf8');
      let heard = '';
      socket.on('data', (text) => {
        heard += text;
      });
      const ended = once(socket, 'close');
      const arrived = once(api.app.server, 'request');
      socket.write(`GET /v1/orders/x HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\n\r\n`);
      await arrived;
      const closed = api.close();
      await until('the server listens no more', () => !api.app.server.listening);
      release();
      await closed;
      await ended;
      expect(heard).toContain(`HTTP/1.1 ${status} `);
      expect(heard).toMatch(/connection: close/i);
    },
  );
});

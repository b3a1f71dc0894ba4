/** What a person is told of the queue's backend. */
import { Redis } from 'ioredis';
import { checkQueue } from '../../src/queue/checkup.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';

let server: TestRedis;
let admin: Redis;
beforeEach(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
afterEach(async () => {
  admin.disconnect();
  await server.stop();
});

test('a Redis that keeps everything is well', async () => {
  expect(await checkQueue(server.url)).toMatchObject({
    state: 'ok',
    message: expect.stringMatching(/^Redis \d+\.\d+\.\d+ answers/),
  });
});

test('one that evicts has failed, with what to do', async () => {
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
  expect(await checkQueue(server.url)).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('allkeys-lru'),
    remedy: expect.stringContaining('noeviction'),
  });
});

test('one that may not be asked is a warning', async () => {
  await admin.acl('SETUSER', 'plain', 'on', '>secret', '~*', '&*', '+@all', '-config');
  const url = new URL(server.url);
  url.username = 'plain';
  url.password = 'secret';
  expect(await checkQueue(url.href)).toMatchObject({ state: 'warning' });
});

test('one that is not there has failed, soon', async () => {
  const started = performance.now();
  expect(await checkQueue('redis://127.0.0.1:1')).toMatchObject({
    state: 'failed',
    remedy: expect.stringContaining('REDIS_URL'),
  });
  expect(performance.now() - started).toBeLessThan(10_000);
});

test('without a Redis the queue lives in PostgreSQL', async () => {
  expect(await checkQueue(null)).toMatchObject({ state: 'ok' });
});

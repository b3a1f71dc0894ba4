import { Redis } from 'ioredis';
import { redisBackend } from '../../src/queue/backend.js';
import { EvictingRedis } from '../../src/queue/eviction.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { until } from '../helpers/until.js';

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

async function opened(url: string): Promise<{ found: (EvictingRedis | null)[]; close(): Promise<void> }> {
  const found: (EvictingRedis | null)[] = [];
  const queue = redisBackend({ url, onError: () => undefined, onEviction: (each) => found.push(each) });
  try {
    await queue.opened();
  } catch (error) {
    await queue.close();
    throw error;
  }
  return { found, close: () => queue.close() };
}

test.each(['allkeys-lru', 'volatile-ttl', 'allkeys-random'])(
  'a Redis that evicts by %s is refused, with what to do',
  async (policy) => {
    await admin.config('SET', 'maxmemory-policy', policy);
    await expect(opened(server.url)).rejects.toThrow(
      new RegExp(`maxmemory-policy is ${policy}\\. Set it to noeviction`),
    );
  },
);

test('one that keeps everything is taken without a word', async () => {
  const { found, close } = await opened(server.url);
  expect(found).toEqual([]);
  await close();
});

test('one that does not say is taken, with a warning', async () => {
  await admin.call('ACL', 'SETUSER', 'worker', 'on', '>secret', '~*', '&*', '+@all', '-config');
  const url = new URL(server.url);
  url.username = 'worker';
  url.password = 'secret';
  const { found, close } = await opened(url.href);
  expect(found).toEqual([null]);
  await close();
});

test('one that begins to evict while it was away is told when it is back', async () => {
  const { found, close } = await opened(server.url);
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lfu');
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await until('it was told', () => found.length > 0);
  expect(found[0]).toBeInstanceOf(EvictingRedis);
  await close();
});

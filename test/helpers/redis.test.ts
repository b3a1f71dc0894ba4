import { Redis } from 'ioredis';
import { isAlive } from '../../src/database/embedded/processes.js';
import { startRedis } from './redis.js';

async function command<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

test('a test gets a Redis that evicts nothing, can be emptied, and ends with it', async () => {
  const given = process.env.REDIS_URL;
  delete process.env.REDIS_URL;
  try {
    const own = await startRedis();
    expect(await command(own.url, (redis) => redis.config('GET', 'maxmemory-policy'))).toEqual([
      'maxmemory-policy',
      'noeviction',
    ]);
    await command(own.url, (redis) => redis.set('a', '1'));
    await own.flush();
    expect(await command(own.url, (redis) => redis.dbsize())).toBe(0);
    expect(await isAlive(own.pid ?? 0)).toBe(true);
    await own.stop();
    expect(await isAlive(own.pid ?? 0)).toBe(false);
  } finally {
    if (given !== undefined) process.env.REDIS_URL = given;
  }
});

test('of the server that REDIS_URL names only one database is used, and none that holds data', async () => {
  const given = process.env.REDIS_URL;
  delete process.env.REDIS_URL;
  const server = await startRedis();
  try {
    process.env.REDIS_URL = server.url;
    await command(server.url, (redis) => redis.set('theirs', '1'));
    const part = await startRedis();
    expect(part.pid).toBeNull();
    await command(part.url, (redis) => redis.set('ours', '1'));
    await part.flush();
    expect(await command(part.url, (redis) => redis.exists('ours'))).toBe(0);
    await part.stop();
    expect(await command(server.url, (redis) => redis.get('theirs'))).toBe('1');

    await command(part.url, (redis) => redis.set('theirs', '1'));
    await expect(startRedis()).rejects.toThrow(/holds data/);
  } finally {
    if (given === undefined) delete process.env.REDIS_URL;
    else process.env.REDIS_URL = given;
    await server.stop();
  }
});

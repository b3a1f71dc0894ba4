/** How the queue's backend is, for a person who asks. */
import { Redis } from 'ioredis';
import type { CheckJson } from '../views.js';
import { readEviction, UNREADABLE } from './eviction.js';

/** A Redis that does not answer within this does not answer, ms. */
const ANSWER_MS = 5_000;

const EVICTION = 'CONFIG SET maxmemory-policy noeviction, and in its configuration.';

/**
 * Asks the queue's backend.
 * @param redisUrl null: the queue lives in PostgreSQL, which is asked by others
 */
export async function checkQueue(redisUrl: string | null): Promise<CheckJson> {
  if (redisUrl === null)
    return { name: 'queue', state: 'ok', message: 'the queue lives in PostgreSQL', remedy: null };
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    retryStrategy: () => null,
  });
  // What goes wrong comes back with the command that it kept from being answered.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const version = /^redis_version:(.{1,30})$/m.exec(await redis.info('server'))?.[1]?.trim() ?? 'unknown';
    return judge(version, await readEviction(redis));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      name: 'queue',
      state: 'failed',
      message: `Redis does not answer: ${why.slice(0, 200)}`,
      remedy: 'Start Redis, and check REDIS_URL. No order is lost meanwhile: they wait in PostgreSQL.',
    };
  } finally {
    redis.disconnect();
  }
}

function judge(version: string, eviction: string | null): CheckJson {
  if (eviction === null)
    return {
      name: 'queue',
      state: 'ok',
      message: `Redis ${version} answers, and keeps all jobs`,
      remedy: null,
    };
  if (eviction === UNREADABLE)
    return {
      name: 'queue',
      state: 'warning',
      message: `Redis ${version} answers, and does not say whether it throws jobs away`,
      remedy: 'Make sure that its maxmemory-policy is noeviction.',
    };
  return {
    name: 'queue',
    state: 'failed',
    message: `Redis ${version} may throw jobs away: its maxmemory-policy is ${eviction.slice(0, 50)}`,
    remedy: EVICTION,
  };
}

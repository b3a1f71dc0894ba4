import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { freePort } from '../../src/database/embedded/processes.js';
import { findRedis } from './prepare-machine.js';
import { temporaryFolder } from './temporary.js';
import { until } from './until.js';

/** A Redis of one test file's own. */
export interface TestRedis {
  url: string;
  /** The server's process id, to stop or kill it; null if REDIS_URL names a server that is not ours. */
  pid: number | null;
  /** Empties it. */
  flush(): Promise<void>;
  /** Ends it, or lets go of the part of REDIS_URL's server that was ours. */
  stop(): Promise<void>;
}

/** Starts a Redis or Valkey server; with REDIS_URL set, takes one numbered database of that server. */
export async function startRedis(): Promise<TestRedis> {
  const given = process.env.REDIS_URL;
  return given === undefined || given === '' ? startServer() : useServer(given);
}

// A shell stands between: its standard input ends with this process, even a killed one, and then it ends the
// server, which by itself would outlive us.
const GUARD = '"$@" >/dev/null 2>&1 & echo $!; read -r _; kill -9 $! 2>/dev/null; wait';

async function startServer(): Promise<TestRedis> {
  const program = findRedis();
  if (program === null)
    throw new Error('no redis-server or valkey-server on PATH: run npm test, or install one');
  const folder = await temporaryFolder('redis');
  const port = await freePort(null);
  const options = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder.path];
  const guard = spawn('sh', ['-c', GUARD, 'sh', program, ...place, ...options], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => guard.once('close', resolve));
  const pid = await new Promise<number>((resolve, reject) => {
    createInterface({ input: guard.stdout }).once('line', (line) => resolve(Number(line)));
    guard.once('error', reject);
  });
  const url = `redis://127.0.0.1:${port}`;
  await until('Redis answers', () => answers(url));
  return {
    url,
    pid,
    flush: () => withRedis(url, async (redis) => void (await redis.flushall())),
    stop: async () => {
      guard.stdin.end();
      await ended;
      await folder.remove();
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 });
  // Refused connections are what this waits through; connect() reports them too.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return (await redis.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    // After a refused connection there is nothing to close, and a timer would be left waiting for it.
    if (redis.status !== 'end') redis.disconnect();
  }
}

/** Marks a numbered database as one that tests may empty. */
const MARK = 'packline:test';
// Redis has 16 databases unless configured otherwise; 0 is where other things usually are.
const DATABASES = 15;

async function useServer(given: string): Promise<TestRedis> {
  const worker = Number(process.env.JEST_WORKER_ID ?? '1');
  const url = new URL(given);
  url.pathname = `/${1 + ((worker - 1) % DATABASES)}`;
  const flush = () =>
    withRedis(url.href, async (redis) => {
      await redis.flushdb();
      await redis.set(MARK, '1');
    });
  await withRedis(url.href, async (redis) => {
    if ((await redis.dbsize()) > 0 && (await redis.exists(MARK)) === 0) {
      throw new Error(
        `database ${url.pathname} of REDIS_URL holds data that is not the tests'; they would empty it`,
      );
    }
  });
  await flush();
  return {
    url: url.href,
    pid: null,
    flush,
    stop: () => withRedis(url.href, async (redis) => void (await redis.flushdb())),
  };
}

async function withRedis(url: string, use: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true });
  await redis.connect();
  try {
    await use(redis);
  } finally {
    redis.disconnect();
  }
}

/** The servers of a chaos run: a PostgreSQL and a Redis of its own, which may be struck. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import { CannotStart } from '../app.js';
import { errorCode } from '../database/embedded/errors.js';
import { freePort } from '../database/embedded/processes.js';
import { type EmbeddedPostgres, startEmbedded } from '../database/embedded.js';
import type { Time } from '../time.js';
import type { Strike } from './plan.js';

/** A PostgreSQL of the run's own, with real data safety; it is brought back by whoever loses it. */
export interface OwnDatabase extends Pick<EmbeddedPostgres, 'url' | 'stop'> {
  /** Ends the server, one way or another. */
  strike(how: Extract<Strike, { kind: 'database-restart' }>['how']): Promise<void>;
}

/** PostgreSQL's own signals for an immediate and a fast shutdown (documentation, "Shutting Down the Server"). */
const SIGNALS = { crash: 'SIGKILL', immediate: 'SIGQUIT', fast: 'SIGINT' } as const;

/** @param dataDir a folder that is not there yet */
export async function startDatabase(dataDir: string, time: Time): Promise<OwnDatabase> {
  const embedded = await startEmbedded({ dataDir, purpose: 'owner', log: () => undefined, time });
  return {
    url: embedded.url,
    stop: () => embedded.stop(),
    async strike(how) {
      const pid = await serverPid(dataDir);
      if (pid !== null) signal(pid, SIGNALS[how]);
    },
  };
}

/** From the server's own state file, whose first line it is; null while there is none. */
async function serverPid(dataDir: string): Promise<number | null> {
  try {
    const text = await readFile(path.join(dataDir, 'postgres', 'postmaster.pid'), 'utf8');
    const pid = Number(text.split('\n')[0]);
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It is on its way down already.
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

/** A Redis of the run's own. */
export interface OwnRedis {
  url: string;
  /** FLUSHALL. */
  flush(): Promise<void>;
  /** kill -9, and a new start from what it had written: up to a second is lost. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** How soon Redis answers after its start, ms at most, and between two looks. */
const REDIS_START_MS = 20_000;
const LOOK_EVERY_MS = 20;

/**
 * Starts `redis-server` or `valkey-server`, whichever is there.
 * @param folder takes its data
 * @throws {CannotStart} where there is neither
 */
export async function startRedis(folder: string, time: Time): Promise<OwnRedis> {
  const program = (await findProgram('redis-server')) ?? (await findProgram('valkey-server'));
  if (program === null)
    throw new CannotStart(
      'no redis-server or valkey-server on the PATH, and chaos uses no other than its own: install one, or take --backend postgres',
    );
  await mkdir(folder, { recursive: true });
  const port = await freePort(null);
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder];
  const memory = ['--save', '', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];
  let server: ChildProcess | null = null;
  const start = async () => {
    const child = spawn(program, [...place, ...memory], { stdio: 'ignore' });
    server = child;
    await answering(port, child, time);
  };
  const kill = async () => {
    if (server === null || server.exitCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  };
  const onExit = () => void server?.kill('SIGKILL');
  process.once('exit', onExit);
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    flush: async () => {
      await withRedis(port, (redis) => redis.flushall());
    },
    restart: async () => {
      await kill();
      await start();
    },
    stop: async () => {
      await kill();
      process.off('exit', onExit);
    },
  };
}

async function answering(port: number, server: ChildProcess, { clock, sleep }: Time): Promise<void> {
  const until = clock.monotonic() + REDIS_START_MS;
  while (clock.monotonic() < until) {
    if (server.exitCode !== null) break;
    // Refused, or still loading: not yet.
    if ((await withRedis(port, (redis) => redis.ping()).catch(() => '')) === 'PONG') return;
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error(`the Redis of this run does not start on port ${port}`);
}

async function withRedis<T>(port: number, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ port, lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 });
  // What fails is the rejection of the call; without a listener it would be written out as well.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

/** Path of a program on the PATH, or null. */
async function findProgram(name: string): Promise<string | null> {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(folder, name);
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder; the next one may have it.
    }
  }
  return null;
}

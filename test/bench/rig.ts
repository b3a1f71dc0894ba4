/** What every bench stands on: a database, a Redis, and an instant provider in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { startEmbedded } from '../../src/database/embedded.js';
import { systemTime } from '../../src/time.js';
import { startRedis } from '../helpers/redis.js';

export interface Rig {
  /** A fresh database. */
  database(name: string): Promise<string>;
  redisUrl: string;
  providerUrl: string;
  close(): Promise<void>;
}

export async function openRig(): Promise<Rig> {
  const folder = await mkdtemp(path.join(tmpdir(), 'packline-bench-'));
  const postgres = await startEmbedded({
    dataDir: folder,
    purpose: 'owner',
    time: systemTime,
    log: () => undefined,
  });
  const redis = await startRedis();
  const provider = await startProvider(path.join(import.meta.dirname, 'provider.js'));
  return {
    redisUrl: redis.url,
    providerUrl: provider.url,
    async database(name) {
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      const url = new URL(postgres.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    async close() {
      provider.close();
      await redis.stop();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The instant provider, in a process of its own.
 * @param file where it was compiled to
 */
export async function startProvider(file: string): Promise<{ url: string; close(): void }> {
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [port] = await once(createInterface({ input: child.stdout }), 'line');
  return { url: `http://127.0.0.1:${port}`, close: () => child.stdin.end() };
}

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
  const provider = spawn(process.execPath, [path.join(import.meta.dirname, 'provider.js')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = await once(createInterface({ input: provider.stdout }), 'line');
  return {
    redisUrl: redis.url,
    providerUrl: `http://127.0.0.1:${port}`,
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
      provider.stdin.end();
      await redis.stop();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

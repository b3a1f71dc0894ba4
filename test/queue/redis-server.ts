import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { freePort } from '../../src/database/embedded/processes.js';
import { findRedis } from '../helpers/prepare-machine.js';
import { temporaryFolder } from '../helpers/temporary.js';
import { until } from '../helpers/until.js';

/** A Redis that goes away and comes back, always on the same port and always empty. */
export interface FlakyRedis {
  url: string;
  start(): Promise<void>;
  /** Kills it, as a crash would. */
  kill(): Promise<void>;
  /** Stops its process without ending it: connections stay, answers do not come. */
  freeze(): void;
  thaw(): void;
  /** Kills it for good. */
  remove(): Promise<void>;
}

export async function flakyRedis(): Promise<FlakyRedis> {
  const program = findRedis();
  if (program === null)
    throw new Error('no redis-server or valkey-server on PATH: run npm test, or install one');
  const folder = await temporaryFolder('redis');
  const port = await freePort(null);
  let server: ChildProcess | null = null;
  const kill = async () => {
    if (server === null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
    server = null;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    async start() {
      const options = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder.path];
      const memory = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
      server = spawn(program, [...options, ...memory], { stdio: 'ignore' });
      await until('Redis takes connections', () => takesConnections(port));
    },
    kill,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    async remove() {
      await kill();
      await folder.remove();
    },
  };
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Refused: not yet.
    return false;
  } finally {
    socket.destroy();
  }
}

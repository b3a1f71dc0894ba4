import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { errorCode } from './errors.js';
import { runAs } from './identity.js';

/** Whether a process with this id runs. One that has ended but was not reaped yet does not. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return errorCode(error) === 'EPERM';
  }
  return !(await isZombie(pid));
}

/**
 * In a container whose first process reaps nothing, an orphan stays a zombie for ever and still answers to
 * signal 0.
 */
async function isZombie(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  try {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The state follows the program's name, which stands in parentheses and may contain anything (proc(5)).
    return status.slice(status.lastIndexOf(')') + 2).startsWith('Z');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return true;
    throw error;
  }
}

/** The command line of a living process as one string, or '' if it cannot be read. */
export async function commandLine(pid: number): Promise<string> {
  if (process.platform !== 'linux') {
    const listed = await runAs({ kind: 'self' }, 'ps', ['-ww', '-o', 'args=', '-p', String(pid)]);
    return listed.code === 0 ? listed.output : '';
  }
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(errorCode(error) ?? '')) return '';
    throw error;
  }
}

/** A port of 127.0.0.1 that nobody listens on: the preferred one if it is free, else any. */
export async function freePort(preferred: number | null): Promise<number> {
  return (preferred === null ? null : await tryPort(preferred)) ?? (await tryPort(0)) ?? noPort();
}

function noPort(): never {
  throw new Error('no free TCP port on 127.0.0.1');
}

function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : null;
      server.close(() => resolve(bound));
    });
  });
}

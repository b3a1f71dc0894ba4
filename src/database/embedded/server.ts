import { spawn } from 'node:child_process';
import { open, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Time } from '../../time.js';
import type { Binaries } from './binaries.js';
import { errorCode } from './errors.js';
import { type Folder, readIfThere } from './folder.js';
import { asIdentity, type Identity } from './identity.js';
import { commandLine, isAlive } from './processes.js';

/** A server that answers on 127.0.0.1. */
export interface Running {
  /** The server's main process. */
  pid: number;
  port: number;
}

/** What is needed to watch the server of a folder. */
export interface Watch {
  folder: Folder;
  time: Time;
  log(line: string): void;
}

// How often a state file is read while a server starts or stops, in ms: far below what a person notices.
const POLL_MS = 10;
// Recovery after a crash replays up to max_wal_size (1 GB) of log, which takes minutes on a slow disk.
const START_DEADLINE_MS = 300_000;
const REPORT_EVERY_MS = 10_000;
// A fast shutdown writes one checkpoint; after this an immediate one, which only costs the next start time.
const STOP_DEADLINE_MS = 60_000;

interface Postmaster {
  pid: number;
  port: number;
  /** 'starting', 'ready', 'stopping' or 'standby'; '' while the file is being written. */
  status: string;
}

/**
 * Reads the server's own state file. Its lines: process id, data directory, start time, port, socket folder,
 * address, shared memory key, status (PostgreSQL source, miscadmin.h, "LOCK_FILE_LINE").
 */
async function readPostmaster(folder: Folder): Promise<Postmaster | null> {
  const text = await readIfThere(path.join(folder.clusterDir, 'postmaster.pid'));
  if (text === null) return null;
  const lines = text.split('\n');
  return { pid: Number(lines[0]), port: Number(lines[3]), status: (lines[7] ?? '').trim() };
}

/** Whether the process that wrote the state file still runs, and is no other that got the same number. */
async function isServing(postmaster: Postmaster, folder: Folder): Promise<boolean> {
  if (!Number.isInteger(postmaster.pid) || postmaster.pid <= 0) return false;
  if (!(await isAlive(postmaster.pid))) return false;
  const args = await commandLine(postmaster.pid);
  return args === '' || args.includes(folder.clusterDir);
}

/**
 * The server that runs on this folder, once it is ready; null if none runs. Waits while one starts (it may
 * be recovering) or stops.
 */
export async function findRunning(watch: Watch): Promise<Running | null> {
  const report = reporter(watch, 'waiting for the embedded PostgreSQL');
  for (;;) {
    const postmaster = await readPostmaster(watch.folder);
    if (postmaster === null || !(await isServing(postmaster, watch.folder))) return null;
    if (postmaster.status === 'ready') return { pid: postmaster.pid, port: postmaster.port };
    report(postmaster.status);
    await watch.time.sleep(POLL_MS);
  }
}

/** Tells about a long wait now and then, and ends it with an error when it is too long. */
function reporter(watch: Watch, what: string): (detail: string) => void {
  const started = watch.time.clock.monotonic();
  let reported = started;
  return (detail) => {
    const now = watch.time.clock.monotonic();
    if (now - started > START_DEADLINE_MS) {
      throw new Error(`${what} took longer than ${START_DEADLINE_MS / 1000} s; see ${watch.folder.logFile}`);
    }
    if (now - reported < REPORT_EVERY_MS) return;
    reported = now;
    watch.log(`${what} (${detail}), ${Math.round((now - started) / 1000)} s so far`);
  };
}

/** What starting a server needs. */
export interface LaunchNeeds extends Watch {
  binaries: Binaries;
  identity: Identity;
  port: number;
  /** Server settings beside the fixed ones, by name. */
  settings: Readonly<Record<string, string>>;
}

/** A ready server, or what a server wrote that ended before it was ready. */
export type Launched = { ok: true; running: Running } | { ok: false; output: string };

/**
 * Starts the server in a process group of its own: Ctrl-C in a terminal goes to every process of the
 * terminal's group, and must not stop the database while packline is still putting its work away.
 */
export async function launch(needs: LaunchNeeds): Promise<Launched> {
  await disownStateFile(needs.folder);
  const log = await openLog(needs.folder);
  const program = asIdentity(needs.identity, needs.binaries.postgres, serverArgs(needs));
  const child = spawn(program.file, program.args, {
    ...program.options,
    detached: true,
    stdio: ['ignore', log.handle.fd, log.handle.fd],
  });
  let ended: string | null = null;
  child.once('exit', () => {
    ended ??= '';
  });
  child.once('error', (error) => {
    ended = error.message;
  });
  child.unref();
  await log.handle.close();

  const report = reporter(needs, 'starting the embedded PostgreSQL');
  for (;;) {
    const postmaster = await readPostmaster(needs.folder);
    if (postmaster !== null && postmaster.pid === child.pid && postmaster.status === 'ready') {
      return { ok: true, running: { pid: postmaster.pid, port: postmaster.port } };
    }
    if (ended !== null)
      return { ok: false, output: `${ended}${await readFrom(needs.folder.logFile, log.size)}` };
    report(postmaster?.status ?? '');
    await needs.time.sleep(POLL_MS);
  }
}

function serverArgs(needs: LaunchNeeds): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    // Socket files have short path limits and leave litter; the loopback address serves every client.
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    fsync: 'on',
    synchronous_commit: 'on',
    // The values of failing statements are customers' data, and this log is read by people.
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    cluster_name: 'packline',
    // The role is named like packline's schema, which the default path ("$user", public) would then find; a
    // statement that forgets to name the schema must fail here as it would on any other server.
    search_path: 'public',
    ...needs.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', needs.folder.clusterDir, '-p', String(needs.port), ...flags];
}

/**
 * After a crash of the machine or a restarted container, the state file may name a process id that meanwhile
 * belongs to something else, and PostgreSQL would refuse to start. It ignores a file that names its own
 * parent (PostgreSQL source, miscinit.c, "CreateLockFile"), so the file is made to name us. It is not
 * removed: its shared memory key is how PostgreSQL finds out that children of a dead server still run.
 */
async function disownStateFile(folder: Folder): Promise<void> {
  const file = path.join(folder.clusterDir, 'postmaster.pid');
  const text = await readIfThere(file);
  const postmaster = await readPostmaster(folder);
  if (text === null || postmaster === null || !Number.isInteger(postmaster.pid) || postmaster.pid <= 0)
    return;
  if (!(await isAlive(postmaster.pid)) || (await isServing(postmaster, folder))) return;
  const handle = await open(file, 'r+');
  try {
    const changed = text.replace(/^\d+/, String(process.pid));
    await handle.truncate(0);
    await handle.write(changed, 0);
  } finally {
    await handle.close();
  }
}

// Enough for years of starts and stops; one older file is kept.
const LOG_LIMIT_BYTES = 10 * 1024 * 1024;

async function openLog(folder: Folder) {
  if ((await sizeOf(folder.logFile)) > LOG_LIMIT_BYTES) await rename(folder.logFile, `${folder.logFile}.1`);
  const handle = await open(folder.logFile, 'a', 0o600);
  return { handle, size: await sizeOf(folder.logFile) };
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function readFrom(file: string, offset: number): Promise<string> {
  return (await readFile(file)).subarray(offset).toString('utf8').trim();
}

/** Stops a server: what runs is rolled back, connections are closed. Resolves when it is gone. */
export async function shutDown(running: Running, watch: Watch): Promise<void> {
  signal(running.pid, 'SIGINT');
  const started = watch.time.clock.monotonic();
  let immediate = false;
  while (!(await isGone(running.pid, watch.folder))) {
    if (!immediate && watch.time.clock.monotonic() - started > STOP_DEADLINE_MS) {
      immediate = true;
      watch.log('the embedded PostgreSQL does not stop; ending it at once, the next start recovers');
      signal(running.pid, 'SIGQUIT');
    }
    await watch.time.sleep(POLL_MS);
  }
}

async function isGone(pid: number, folder: Folder): Promise<boolean> {
  if (!(await isAlive(pid))) return true;
  // The id may have gone to another process by now. A process on its way out shows no command line at all.
  const args = await commandLine(pid);
  return args !== '' && !args.includes(folder.clusterDir);
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one (documentation, "Shutting Down the Server"). */
function signal(pid: number, name: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended by itself meanwhile, which is what was wanted.
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

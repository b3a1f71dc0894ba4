import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import type { Binaries } from './binaries.js';
import { EmbeddedUnavailable, errorCode } from './errors.js';
import type { Folder } from './folder.js';

/**
 * As whom the PostgreSQL programs run. They refuse the effective user 0, so root needs another way:
 * - `self`: we are not root;
 * - `user`: a system user, who owns the data;
 * - `namespace`: a user namespace of its own, in which root's files belong to an unprivileged id; outside it
 *   they stay root's.
 */
export type Identity = { kind: 'self' } | ({ kind: 'user' } & SystemUser) | { kind: 'namespace' };

/** A user of this machine. */
export interface SystemUser {
  uid: number;
  gid: number;
}

/** How a program ended: its exit code (-1 if it could not be started) and what it wrote. */
export interface Ended {
  code: number;
  output: string;
}

/** What to hand to `spawn` so that a PostgreSQL program runs as this identity. */
export function asIdentity(identity: Identity, file: string, args: readonly string[]) {
  const options = {
    // Nothing of the caller's PGPORT, PGDATA, PGOPTIONS, locale or time zone may leak into the server.
    env: { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    ...(identity.kind === 'user' ? { uid: identity.uid, gid: identity.gid } : {}),
  };
  return identity.kind === 'namespace'
    ? { file: 'unshare', args: ['--user', file, ...args], options }
    : { file, args: [...args], options };
}

/** Runs a program to its end as an identity. */
export function runAs(identity: Identity, program: string, programArgs: readonly string[]): Promise<Ended> {
  const { file, args, options } = asIdentity(identity, program, programArgs);
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => resolve({ code: -1, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? -1, output }));
  });
}

/** The identity that was chosen, and what `postgres --version` prints under it. */
export interface Chosen {
  identity: Identity;
  version: string;
}

/** What the choice depends on. The owner of the cluster, if it exists, tells how it was made. */
export interface Place {
  binaries: Binaries;
  folder: Folder;
  log(line: string): void;
}

/**
 * Chooses as whom to run, keeping to the owner of data that is already there.
 *
 * @throws {EmbeddedUnavailable} if PostgreSQL can run in no way here
 */
export async function chooseIdentity(place: Place): Promise<Chosen> {
  const owner = await ownerOf(place.folder.clusterDir);
  const self = process.geteuid?.() ?? 0;
  if (self !== 0) {
    if (owner !== null && owner.uid !== self) throw belongsToAnother(place, owner.uid, self);
    return (await tryAs({ kind: 'self' }, place)) ?? cannotRun(place, 'its postgres program does not start');
  }
  if (owner?.uid === 0) {
    return (await tryAs({ kind: 'namespace' }, place)) ?? cannotRun(place, AS_ROOT);
  }
  if (owner !== null) {
    const user: Identity = { kind: 'user', ...owner };
    await place.folder.openFor(owner);
    return (
      (await tryAs(user, place)) ?? cannotRun(place, `user ${owner.uid}, who owns the data, ${NO_WAY_IN}`)
    );
  }
  return (
    (await trySystemUser(place)) ?? (await tryAs({ kind: 'namespace' }, place)) ?? cannotRun(place, AS_ROOT)
  );
}

const NO_WAY_IN = 'cannot reach the data folder or the installed programs';
const AS_ROOT =
  'PostgreSQL refuses to run as root, the system user "postgres" ' +
  `${NO_WAY_IN}, and "unshare --user" is not allowed or not installed`;

async function ownerOf(folder: string): Promise<SystemUser | null> {
  try {
    const { uid, gid } = await stat(folder);
    return { uid, gid };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Tries a full pass: into the data folder, then the server's program with its libraries. */
async function tryAs(identity: Identity, place: Place): Promise<Chosen | null> {
  const script = 'cd "$1" && exec "$2" --version';
  const ended = await runAs(identity, '/bin/sh', [
    '-c',
    script,
    'sh',
    place.folder.dataDir,
    place.binaries.postgres,
  ]);
  return ended.code === 0 ? { identity, version: ended.output.trim() } : null;
}

// The overflow user of Linux (/proc/sys/kernel/overflowuid): owns nothing, so it stands for "any other user".
const NOBODY = 65_534;

async function trySystemUser(place: Place): Promise<Chosen | null> {
  const existing = await findUser('postgres');
  if (existing !== null) {
    await place.folder.openFor(existing);
    return tryAs({ kind: 'user', ...existing }, place);
  }
  // No user is created on this machine before it is clear that one would get through.
  const nobody = { uid: NOBODY, gid: NOBODY };
  const programs = await runAs({ kind: 'user', ...nobody }, place.binaries.postgres, ['--version']);
  if (programs.code !== 0 || !(await place.folder.openable(nobody))) return null;
  place.log('creating the system user "postgres", as whom the embedded PostgreSQL will run');
  const add = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'];
  await runAs({ kind: 'self' }, 'useradd', add);
  // Asked again rather than believed: another packline may have created the user at the same moment.
  const created = await findUser('postgres');
  if (created === null) return null;
  await place.folder.openFor(created);
  return tryAs({ kind: 'user', ...created }, place);
}

async function findUser(name: string): Promise<SystemUser | null> {
  const uid = await runAs({ kind: 'self' }, 'id', ['-u', name]);
  const gid = await runAs({ kind: 'self' }, 'id', ['-g', name]);
  if (uid.code !== 0 || gid.code !== 0) return null;
  const user = { uid: Number.parseInt(uid.output, 10), gid: Number.parseInt(gid.output, 10) };
  return Number.isInteger(user.uid) && Number.isInteger(user.gid) ? user : null;
}

function belongsToAnother(place: Place, owner: number, self: number): EmbeddedUnavailable {
  return new EmbeddedUnavailable(
    `The database in ${place.folder.clusterDir} belongs to user ${owner}, and this is user ${self}. Run packline ` +
      'as the user who made it, choose another folder with PACKLINE_DATA_DIR, or set DATABASE_URL.',
  );
}

function cannotRun(place: Place, why: string): never {
  throw new EmbeddedUnavailable(
    `The embedded PostgreSQL cannot run here: ${why}. Set DATABASE_URL to a PostgreSQL 15 or newer, or run ` +
      `packline as an ordinary user, or move the project and its data folder (${place.folder.dataDir}) to where ` +
      'other users may pass.',
  );
}

import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  link,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import type { Binaries } from './binaries.js';
import { EmbeddedUnavailable, errorCode } from './errors.js';
import { type Identity, runAs, type SystemUser } from './identity.js';
import { isAlive } from './processes.js';

/** packline's data folder, as far as the embedded PostgreSQL is concerned. All paths absolute and real. */
export interface Folder {
  dataDir: string;
  /** PostgreSQL's own data directory (PGDATA). */
  clusterDir: string;
  passwordFile: string;
  portFile: string;
  logFile: string;
  /**
   * Lets a user pass through to `clusterDir`, by the user's group. Touches no folder but packline's own, and
   * those only if the way up to them is open already.
   */
  openFor(user: SystemUser): Promise<void>;
  /** Whether `openFor` could let this user through. */
  openable(user: SystemUser): Promise<boolean>;
}

/** The only role and the only database of an embedded server (besides PostgreSQL's own). */
export const ROLE = 'packline';
export const DATABASE = 'packline';

/** Opens the data folder; creates it, with what leads to it, for its owner alone. */
export async function openFolder(wanted: string): Promise<Folder> {
  const first = await mkdir(wanted, { recursive: true, mode: 0o700 });
  const dataDir = await realpath(wanted);
  const created = first === undefined ? [] : chain(await realpath(first), dataDir);
  // Those that may be opened, the topmost first.
  const ours = async () => (created.length > 0 ? created : (await holdsOnlyOurs(dataDir)) ? [dataDir] : []);
  const openable = async (user: SystemUser) => {
    const top = (await ours())[0];
    return canEnter(user, top === undefined ? dataDir : path.dirname(top));
  };
  return {
    dataDir,
    clusterDir: path.join(dataDir, 'postgres'),
    passwordFile: path.join(dataDir, 'postgres-password'),
    portFile: path.join(dataDir, 'postgres-port'),
    logFile: path.join(dataDir, 'postgres.log'),
    openable,
    openFor: async (user) => {
      if (!(await openable(user))) return;
      for (const folder of await ours()) await letGroupPass(folder, user.gid);
    },
  };
}

/** Every folder from `first` down to `last`, both included; `first` is `last` or above it. */
function chain(first: string, last: string): string[] {
  const folders = [last];
  for (let at = last; at !== first && path.dirname(at) !== at; ) {
    at = path.dirname(at);
    folders.unshift(at);
  }
  return folders;
}

/**
 * packline's other parts may have created the data folder before us, to put keys into it. A folder that holds
 * anything else (somebody named their home folder, say) keeps its permissions.
 */
async function holdsOnlyOurs(dataDir: string): Promise<boolean> {
  const entries = await readdir(dataDir, { withFileTypes: true });
  return entries.every((entry) => entry.isFile() || entry.name.startsWith('postgres'));
}

async function canEnter(user: SystemUser, folder: string): Promise<boolean> {
  const ended = await runAs({ kind: 'user', ...user }, '/bin/sh', ['-c', 'cd "$1"', 'sh', folder]);
  return ended.code === 0;
}

async function letGroupPass(folder: string, gid: number): Promise<void> {
  const { mode, uid } = await stat(folder);
  const openToAll = (mode & 0o001) !== 0;
  if (openToAll) return;
  await chown(folder, uid, gid);
  await chmod(folder, (mode & 0o7777) | 0o010);
}

/** The role's password: made once, then read. */
export async function readPassword(folder: Folder): Promise<string> {
  const known = await readIfThere(folder.passwordFile);
  if (known !== null) return known.trim();
  if ((await readIfThere(path.join(folder.clusterDir, 'PG_VERSION'))) !== null) {
    throw new EmbeddedUnavailable(
      `The database in ${folder.clusterDir} cannot be opened: its password file ${folder.passwordFile} is ` +
        'gone. Restore that file, or move the folder away to start with an empty database.',
    );
  }
  // Hexadecimal, so that it needs no escaping in a URL.
  const password = randomBytes(24).toString('hex');
  const draft = `${folder.passwordFile}.${process.pid}-${randomBytes(4).toString('hex')}`;
  await writeFile(draft, `${password}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    // A link, unlike a rename, fails if another packline was first; then its password counts.
    await link(draft, folder.passwordFile);
    return password;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return readPassword(folder);
    throw error;
  } finally {
    await rm(draft);
  }
}

/** The port used last time, or null. */
export async function readPort(folder: Folder): Promise<number | null> {
  const port = Number.parseInt((await readIfThere(folder.portFile)) ?? '', 10);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}

/** Remembers the port for the next start. */
export async function writePort(folder: Folder, port: number): Promise<void> {
  await writeFile(folder.portFile, `${port}\n`, { mode: 0o600 });
}

/** Text of a file, or null if there is none. */
export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** What creating a database cluster needs. */
export interface ClusterNeeds {
  folder: Folder;
  binaries: Binaries;
  identity: Identity;
  /** What `postgres --version` prints, e.g. `postgres (PostgreSQL) 18.4`. */
  version: string;
  log(line: string): void;
}

/**
 * Makes sure that `clusterDir` holds a database cluster that these programs can serve; creates it on the
 * first start. Safe when two packlines do so at once, and when one was killed on the way.
 *
 * @throws {EmbeddedUnavailable} if the data is of another major version, or cannot be created
 */
export async function ensureCluster(needs: ClusterNeeds): Promise<void> {
  const made = await readIfThere(path.join(needs.folder.clusterDir, 'PG_VERSION'));
  if (made === null) return createCluster(needs);
  const major = /(\d+)\.?\S*\s*$/.exec(needs.version)?.[1];
  if (made.trim() === major) return;
  throw new EmbeddedUnavailable(
    `The database in ${needs.folder.clusterDir} was made by PostgreSQL ${made.trim()}, and the installed ` +
      `embedded PostgreSQL is version ${major ?? 'unknown'}; one cannot read the other's files. Go back to ` +
      `the packline that ships PostgreSQL ${made.trim()}, dump the data there with pg_dump, move the folder ` +
      'away, start this packline and restore the dump; or serve the folder with a PostgreSQL ' +
      `${made.trim()} of your own and set DATABASE_URL.`,
  );
}

/**
 * The cluster is made under another name and then renamed: a half-made one is never mistaken for data, and
 * of two packlines one rename wins (a rename onto a folder with content fails).
 */
async function createCluster(needs: ClusterNeeds): Promise<void> {
  const { folder, identity } = needs;
  needs.log(`creating the embedded database in ${folder.clusterDir}`);
  await removeAbandoned(folder);
  const draft = `${folder.clusterDir}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  await mkdir(draft, { mode: 0o700 });
  try {
    if (identity.kind === 'user') {
      await chown(draft, identity.uid, identity.gid);
      // initdb reads it as that user; root reads it anyway.
      await chown(folder.passwordFile, identity.uid, identity.gid);
    }
    const ended = await runAs(identity, needs.binaries.initdb, initdbArgs(draft, folder.passwordFile));
    if (ended.code !== 0) {
      throw new EmbeddedUnavailable(
        `The embedded database could not be created in ${folder.clusterDir}; initdb said:\n${ended.output}`,
      );
    }
    await rename(draft, folder.clusterDir);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const lostTheRace = ['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '');
    if (!lostTheRace) throw error;
  }
}

function initdbArgs(clusterDir: string, passwordFile: string): string[] {
  return [
    `--pgdata=${clusterDir}`,
    `--username=${ROLE}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Code point order on every machine, and upper and lower case beyond ASCII, without the system's locales
    // (PostgreSQL documentation, "Locale Support", "builtin" provider).
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
  ];
}

/** Removes what packlines left that were killed while creating a cluster. */
async function removeAbandoned(folder: Folder): Promise<void> {
  const draft = /^postgres\.new-(\d+)-/;
  for (const name of await readdir(folder.dataDir)) {
    const pid = Number(draft.exec(name)?.[1] ?? Number.NaN);
    if (Number.isInteger(pid) && !(await isAlive(pid))) {
      await rm(path.join(folder.dataDir, name), { recursive: true, force: true });
    }
  }
}

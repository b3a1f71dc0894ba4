import pg from 'pg';
import type { Time } from '../../time.js';
import { DataFolderInUse, EmbeddedUnavailable, errorCode } from './errors.js';
import { DATABASE, type Folder, ROLE } from './folder.js';
import { isAlive } from './processes.js';
import { type Running, shutDown } from './server.js';

/**
 * First key of the advisory locks by which packlines share an embedded server ("PKL" and 2). They are taken
 * in PostgreSQL's own database `postgres`, so that they hold whatever happens to packline's.
 *
 * - `IN_USE`, shared: held by everyone who uses the server. Whoever leaves lets go of it and tries to take
 *   it exclusively; who gets it is the last one and stops the server. A newcomer waits for the lock, is
 *   disconnected by the shutdown, and starts the server again: nobody's database is stopped under them.
 * - `OWNER`, exclusive: held by the one packline that works on the folder.
 */
export const EMBEDDED_LOCK_CLASS = 0x50_4b_4c_02;
export const EMBEDDED_LOCK_OWNER = 1;
export const EMBEDDED_LOCK_IN_USE = 2;

/** A place at the server: a connection that holds the locks. */
export interface Session {
  /** Resolves when the connection is lost without our doing. */
  lost: Promise<void>;
  /** Lets go; stops the server if nobody else uses it, and waits until it is gone. */
  leave(): Promise<void>;
}

/** What taking a place needs. */
export interface SessionNeeds {
  running: Running;
  folder: Folder;
  password: string;
  purpose: 'owner' | 'client';
  time: Time;
  log(line: string): void;
}

// A server that is being stopped lets its newcomers wait no longer than its shutdown; this is for a stopper
// that was frozen before it could stop it.
const STOPPING_DEADLINE_MS = 90_000;
// The locks of a killed process are free within milliseconds; this is generous for a busy machine.
const GHOST_DEADLINE_MS = 5_000;
const GHOST_POLL_MS = 20;

/**
 * Takes a place at a running server. Null if the server went away meanwhile (then look again).
 *
 * @throws {DataFolderInUse} as `owner`, if another living packline is that
 */
export async function openSession(needs: SessionNeeds): Promise<Session | null> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: needs.running.port,
    user: ROLE,
    password: needs.password,
    database: 'postgres',
    application_name: `packline ${needs.purpose} pid=${process.pid}`,
    keepAlive: true,
  });
  const lost = new Promise<void>((resolve) => {
    client.once('end', resolve);
    // Every error of an idle connection is followed by its end; without a listener it would be fatal.
    client.on('error', () => resolve());
  });
  try {
    await client.connect();
    await client.query(`set lock_timeout = ${STOPPING_DEADLINE_MS}`);
    await client.query('select pg_advisory_lock_shared($1, $2)', [EMBEDDED_LOCK_CLASS, EMBEDDED_LOCK_IN_USE]);
    if (needs.purpose === 'owner') await becomeOwner(client, needs);
    await ensureDatabase(client);
    return { lost, leave: () => leave(client, needs) };
  } catch (error) {
    if (isGoing(error)) {
      await client.end();
      return null;
    }
    // 28P01 invalid_password.
    if (errorCode(error) === '28P01') {
      await client.end();
      throw wrongPassword(needs.folder);
    }
    await leave(client, needs);
    throw error;
  }
}

function wrongPassword(folder: Folder): EmbeddedUnavailable {
  return new EmbeddedUnavailable(
    `The embedded PostgreSQL in ${folder.dataDir} does not accept the password in ${folder.passwordFile}. ` +
      'Restore the file that belongs to this database, or set DATABASE_URL.',
  );
}

/** Errors of a server that is starting, stopping, or gone. */
function isGoing(error: unknown): boolean {
  // 57P01 admin_shutdown, 57P02 crash_shutdown, 57P03 cannot_connect_now (PostgreSQL, "Error Codes").
  const codes = ['57P01', '57P02', '57P03', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'];
  if (codes.includes(errorCode(error) ?? '')) return true;
  // The driver's own errors of a connection that closed carry no code.
  return (
    error instanceof Error &&
    /^(Connection terminated|Client has encountered a connection error)/.test(error.message)
  );
}

async function becomeOwner(client: pg.Client, needs: SessionNeeds): Promise<void> {
  const started = needs.time.clock.monotonic();
  for (;;) {
    const taken = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1, $2) as got', [
      EMBEDDED_LOCK_CLASS,
      EMBEDDED_LOCK_OWNER,
    ]);
    if (taken.rows[0]?.got === true) return;
    const owner = await readOwner(client);
    const waited = needs.time.clock.monotonic() - started;
    const ghost = owner === null || !(await isAlive(owner));
    if (!ghost || waited > GHOST_DEADLINE_MS) throw new DataFolderInUse(needs.folder.dataDir, owner ?? 0);
    await needs.time.sleep(GHOST_POLL_MS);
  }
}

/** Process id of the packline that holds the owner's lock, or null if it just let go. */
async function readOwner(client: pg.Client): Promise<number | null> {
  const found = await client.query<{ name: string }>(
    `select a.application_name as name
       from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and l.objsubid = 2
        and l.classid = $1::oid and l.objid = $2::oid
        and l.database = (select oid from pg_database where datname = current_database())`,
    [EMBEDDED_LOCK_CLASS, EMBEDDED_LOCK_OWNER],
  );
  const pid = /pid=(\d+)/.exec(found.rows[0]?.name ?? '')?.[1];
  return pid === undefined ? null : Number(pid);
}

async function ensureDatabase(client: pg.Client): Promise<void> {
  const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
  if (found.rowCount !== 0) return;
  try {
    await client.query(`create database ${DATABASE}`);
  } catch (error) {
    // 42P04 duplicate_database, 23505 unique_violation: another packline created it at the same moment.
    if (!['42P04', '23505'].includes(errorCode(error) ?? '')) throw error;
  }
}

async function leave(client: pg.Client, needs: SessionNeeds): Promise<void> {
  let last = false;
  try {
    const keys = [EMBEDDED_LOCK_CLASS, EMBEDDED_LOCK_IN_USE];
    await client.query('select pg_advisory_unlock_shared($1, $2)', keys);
    const alone = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1, $2) as got', keys);
    last = alone.rows[0]?.got === true;
  } catch (error) {
    // Nothing to stop: the server is going, or this connection never got as far as a lock.
    needs.log(`leaving the embedded PostgreSQL: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (last) await shutDown(needs.running, needs);
  await client.end();
}

import pg from 'pg';
import type { Time } from '../time.js';

/**
 * First key of the advisory locks by which processes show that they live ("PKL" and 1); the second key is the
 * process's own. PostgreSQL frees a session's locks when its connection ends: milliseconds after a kill -9,
 * and not at all while a process is merely stopped.
 */
export const PRESENCE_CLASS = 0x50_4b_4c_01;

/**
 * The keys of all living processes, one per row, as `key` (int4). To be used as a subquery:
 * `owner not in (${ALIVE_KEYS_SQL})`. Reads shared memory only; a plain role may run it.
 *
 * `objsubid = 2` marks locks with two int4 keys (PostgreSQL documentation, "pg_locks").
 */
export const ALIVE_KEYS_SQL = `select objid::int4 as key from pg_locks
  where locktype = 'advisory' and granted and objsubid = 2 and classid = ${PRESENCE_CLASS}::oid
    and database = (select oid from pg_database where datname = current_database())`;

/**
 * What became of a lost presence: `dropped`: the connection is gone, others may take this process for dead,
 * and it is being opened again; `gone`: somebody else holds the key by now, so this process has to end.
 */
export type Loss = 'dropped' | 'gone';

/** What a process of these roles calls its sign of life: the list of connections then tells who lives. */
export function presenceName(roles: readonly string[]): string {
  return `${NAME} ${roles.join('+')}`;
}

/** The roles behind a sign of life; none where it is somebody else's. */
export function presenceRoles(name: string): string[] {
  return name.startsWith(`${NAME} `) ? name.slice(NAME.length + 1).split('+') : [];
}

const NAME = 'packline presence';

/** A process's sign of life. */
export interface Presence {
  /** This process's key: positive, and no other living process of this database has it. */
  readonly key: number;
  /** Whether the lock is held right now; while it is not, others may take over what this process owns. */
  readonly held: boolean;
  /** Adds a listener of losses. */
  onLost(listener: (loss: Loss) => void): void;
  /** Adds a listener that is called when a dropped presence is held again, under the same key. */
  onRestored(listener: () => void): void;
  /** Gives the sign of life up. May be called again. */
  close(): Promise<void>;
}

/** What `openPresence` takes beside the database. */
export interface PresenceOptions {
  /** Shown in `pg_stat_activity`, e.g. `packline worker`. */
  applicationName: string;
  time: Time;
  /** Takes a sentence when reconnecting fails. */
  log(line: string): void;
}

// Keys are int4, and 0 is left out so that it can stand for nobody.
const KEYS = 2_147_483_647;
// Ten seconds to a first probe, then three probes, 5 s apart: a dead peer is noticed within half a minute.
const KEEPALIVE_IDLE_S = 10;
const KEEPALIVE_INTERVAL_S = 5;
const KEEPALIVE_COUNT = 3;
const RECONNECT_MS = 250;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Opens this process's sign of life, on a connection of its own.
 *
 * @param databaseUrl a direct connection: session locks do not hold through PgBouncer's transaction mode
 */
export async function openPresence(databaseUrl: string, options: PresenceOptions): Promise<Presence> {
  const presence = new HeldPresence(databaseUrl, options);
  await presence.open();
  return presence;
}

/** One connection to the database, by which its server side can be told from any other. */
interface Line {
  client: pg.Client;
  backendPid: number;
  backendStart: string;
  ended: Promise<void>;
}

class HeldPresence implements Presence {
  readonly #databaseUrl: string;
  readonly #options: PresenceOptions;
  readonly #closing = new AbortController();
  readonly #lost: ((loss: Loss) => void)[] = [];
  readonly #restored: (() => void)[] = [];
  #key = 0;
  #line: Line | null = null;
  #watching: Promise<void> = Promise.resolve();

  constructor(databaseUrl: string, options: PresenceOptions) {
    this.#databaseUrl = databaseUrl;
    this.#options = options;
  }

  get key(): number {
    return this.#key;
  }

  get held(): boolean {
    return this.#line !== null;
  }

  onLost(listener: (loss: Loss) => void): void {
    this.#lost.push(listener);
  }

  onRestored(listener: () => void): void {
    this.#restored.push(listener);
  }

  async open(): Promise<void> {
    const line = await this.#connect();
    do {
      this.#key = 1 + Math.floor(this.#options.time.random() * KEYS);
    } while (!(await tryLock(line.client, this.#key)));
    this.#line = line;
    this.#watching = this.#watch(line);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const line = this.#line;
    this.#line = null;
    await line?.client.end();
    await this.#watching;
  }

  async #connect(): Promise<Line> {
    const client = new pg.Client({
      connectionString: this.#databaseUrl,
      application_name: this.#options.applicationName,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_IDLE_S * 1_000,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    const ended = new Promise<void>((resolve) => {
      client.once('end', resolve);
      // Every error of an idle connection is followed by its end; without a listener it would be fatal.
      client.on('error', () => resolve());
    });
    try {
      await client.connect();
      // A role's or database's own limits would end an idle session that is meant to stay.
      await client.query(`set idle_session_timeout = 0; set statement_timeout = 0;
        set tcp_keepalives_idle = ${KEEPALIVE_IDLE_S}; set tcp_keepalives_interval = ${KEEPALIVE_INTERVAL_S};
        set tcp_keepalives_count = ${KEEPALIVE_COUNT}`);
      const self = await client.query<{ pid: number; start: string }>(
        'select pid, backend_start::text as start from pg_stat_activity where pid = pg_backend_pid()',
      );
      const row = self.rows[0];
      if (row === undefined) throw new Error('pg_stat_activity does not show our own session');
      return { client, backendPid: row.pid, backendStart: row.start, ended };
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  /** Follows the connection until it is closed or somebody else has the key. */
  async #watch(first: Line): Promise<void> {
    let line: Line | null = first;
    while (line !== null) {
      await line.ended;
      if (this.#closing.signal.aborted) return;
      this.#line = null;
      for (const listener of this.#lost) listener('dropped');
      line = await this.#reopen(line);
      if (line === null) return;
      this.#line = line;
      for (const listener of this.#restored) listener();
    }
  }

  /** Gets the same key again. Null if it is somebody else's by now, or we are closing. */
  async #reopen(previous: Line): Promise<Line | null> {
    const { time, log } = this.#options;
    while (!this.#closing.signal.aborted) {
      try {
        const line = await this.#connect();
        const state = await this.#takeBack(line, previous);
        if (state === 'ours' && !this.#closing.signal.aborted) return line;
        await line.client.end();
        if (state === 'taken') {
          for (const listener of this.#lost) listener('gone');
          return null;
        }
      } catch (error) {
        log(
          `the sign of life cannot be renewed yet: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      await time.sleep(RECONNECT_MS, this.#closing.signal);
    }
    return null;
  }

  async #takeBack(line: Line, previous: Line): Promise<'ours' | 'taken' | 'later'> {
    if (await tryLock(line.client, this.#key)) return 'ours';
    const holder = await line.client.query<{ pid: number; start: string }>(
      `select a.pid, a.backend_start::text as start from pg_locks l join pg_stat_activity a using (pid)
        where l.locktype = 'advisory' and l.granted and l.objsubid = 2
          and l.classid = $1::oid and l.objid = $2::oid
          and l.database = (select oid from pg_database where datname = current_database())`,
      [PRESENCE_CLASS, this.#key],
    );
    const row = holder.rows[0];
    if (row === undefined) return 'later';
    if (row.pid !== previous.backendPid || row.start !== previous.backendStart) return 'taken';
    // The server has not noticed yet that our former connection is dead: its session still holds the lock.
    await line.client.query('select pg_terminate_backend($1)', [row.pid]);
    return 'later';
  }
}

async function tryLock(client: pg.Client, key: number): Promise<boolean> {
  const tried = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1, $2) as got', [
    PRESENCE_CLASS,
    key,
  ]);
  return tried.rows[0]?.got === true;
}

import type { Time } from '../time.js';
import { findBinaries } from './embedded/binaries.js';
import { DataFolderInUse, EmbeddedUnavailable } from './embedded/errors.js';
import {
  DATABASE,
  ensureCluster,
  type Folder,
  openFolder,
  ROLE,
  readPassword,
  readPort,
  writePort,
} from './embedded/folder.js';
import { chooseIdentity } from './embedded/identity.js';
import { freePort } from './embedded/processes.js';
import { findRunning, type Launched, launch, type Running, shutDown } from './embedded/server.js';
import { openSession, type Session } from './embedded/session.js';

export { DataFolderInUse, EmbeddedUnavailable };

/** An embedded PostgreSQL server that is ready, and our place at it. */
export interface EmbeddedPostgres {
  /** Where packline's database is: `postgresql://packline:<password>@127.0.0.1:<port>/packline`. */
  readonly url: string;
  /** Whether the server was running already: left behind by a killed packline, or used by another one. */
  readonly adopted: boolean;
  /**
   * Lets go of the server. The last one to use it stops it (what runs is rolled back) and waits until it is
   * gone; while another packline uses it, it stays. Close your own connections first. May be called again.
   */
  stop(): Promise<void>;
}

/** What `startEmbedded` takes. */
export interface EmbeddedOptions {
  /** packline's data folder (`.packline`); created if it is not there. */
  dataDir: string;
  /**
   * `owner`: the one packline that works on this folder; a second living one is refused. `client`: a verb
   * that uses the server for a moment, whoever runs it, and starts it if nobody does.
   */
  purpose: 'owner' | 'client';
  /** Takes sentences for people: what is being created, started, adopted. */
  log(line: string): void;
  time: Time;
  /** Server settings beside packline's own, by name; they count only if this call starts the server. */
  settings?: Readonly<Record<string, string>>;
}

// Two packlines that start and stop at the same moment meet a few times at most; more is a fault.
const ROUNDS = 10;
const ROUND_PAUSE_MS = 50;
// After the server was lost under us: how soon it is tried again.
const REVIVE_PAUSE_MS = 1_000;

/**
 * Starts the embedded PostgreSQL of a data folder, or joins it if it runs.
 *
 * A server that a killed packline left behind is adopted. If the server is lost while in use (killed, out of
 * memory), it is brought back.
 *
 * @throws {DataFolderInUse} as `owner`, if another living packline is that
 * @throws {EmbeddedUnavailable} if PostgreSQL cannot run here; the message says what to do
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const folder = await openFolder(options.dataDir);
  const first = await arrive(folder, options, null);
  const stopping = new AbortController();
  const held = hold(first, folder, options, stopping.signal);
  return {
    url: `postgresql://${ROLE}:${first.password}@127.0.0.1:${first.running.port}/${DATABASE}`,
    adopted: first.adopted,
    stop: () => {
      stopping.abort();
      return held;
    },
  };
}

interface Arrival {
  session: Session;
  running: Running;
  password: string;
  adopted: boolean;
}

/**
 * Joins the running server, or starts one and joins that.
 *
 * Nothing here is serialised by a lock file, which would need a rule for stale ones: the password file is
 * linked, the cluster renamed and the server's state file created exclusively, each by one winner; the
 * losers find the winner's work in the next round.
 *
 * @param pinnedPort the only port that will do, or null for the one used last time or any
 */
async function arrive(folder: Folder, options: EmbeddedOptions, pinnedPort: number | null): Promise<Arrival> {
  const { log, time, purpose } = options;
  let failure = '';
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round > 0) await time.sleep(ROUND_PAUSE_MS);
    const found = await findRunning({ folder, time, log });
    const password = await readPassword(folder);
    let running = found;
    if (running === null) {
      const preferred = round === 0 ? await readPort(folder) : null;
      const started = await start(folder, options, pinnedPort ?? (await freePort(preferred)));
      if (!started.ok) {
        failure = started.output;
        continue;
      }
      running = started.running;
    }
    const session = await openSession({ running, folder, password, purpose, time, log }).catch(
      async (error: unknown) => {
        // Nobody gets into a server whose password is lost; the one that we started for it has no use.
        if (found === null && error instanceof EmbeddedUnavailable)
          await shutDown(running, { folder, time, log });
        throw error;
      },
    );
    if (session === null) continue;
    if (found !== null) log(`using the embedded PostgreSQL that runs already (pid ${found.pid})`);
    return { session, running, password, adopted: found !== null };
  }
  throw new EmbeddedUnavailable(
    `The embedded PostgreSQL in ${folder.dataDir} does not start; its log is ${folder.logFile}. ` +
      `It said last:\n${failure}`,
  );
}

async function start(folder: Folder, options: EmbeddedOptions, port: number): Promise<Launched> {
  const { log, time, settings = {} } = options;
  const binaries = await findBinaries();
  const { identity, version } = await chooseIdentity({ binaries, folder, log });
  await ensureCluster({ folder, binaries, identity, version, log });
  const launched = await launch({ folder, binaries, identity, port, settings, time, log });
  if (!launched.ok) return launched;
  await writePort(folder, launched.running.port);
  log(`embedded ${version} started on 127.0.0.1:${launched.running.port} (pid ${launched.running.pid})`);
  return launched;
}

/** Keeps our place at the server until `signal` aborts, then leaves it. */
async function hold(
  arrival: Arrival,
  folder: Folder,
  options: EmbeddedOptions,
  signal: AbortSignal,
): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  let session: Session | null = arrival.session;
  while (session !== null) {
    await Promise.race([session.lost, aborted]);
    if (signal.aborted) return session.leave();
    options.log('the embedded PostgreSQL went away; bringing it back');
    session = await revive(folder, options, arrival.running.port, signal);
  }
}

/** Brings the server back on the port that its users know. Null if asked to stop, or the folder was taken. */
async function revive(
  folder: Folder,
  options: EmbeddedOptions,
  port: number,
  signal: AbortSignal,
): Promise<Session | null> {
  while (!signal.aborted) {
    try {
      return (await arrive(folder, options, port)).session;
    } catch (error) {
      options.log(error instanceof Error ? error.message : String(error));
      if (error instanceof DataFolderInUse) return null;
    }
    await options.time.sleep(REVIVE_PAUSE_MS, signal);
  }
  return null;
}

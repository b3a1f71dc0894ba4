/** The processes of a chaos run: real ones, and a supervisor that starts again whatever ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Time } from '../time.js';
import { SEATS, type Seat } from './plan.js';

export interface Crew {
  /** kill -9. Resolves when it has ended; false: there was none to kill just then. */
  kill(seat: Seat): Promise<boolean>;
  /** SIGSTOP, and SIGCONT after so many ms or when the signal aborts; false: there was none. */
  freeze(seat: Seat, forMs: number, signal: AbortSignal): Promise<boolean>;
  /** How often a process ended that nobody had struck. */
  ownEnds(): number;
  /** Stops all as a supervisor does, at last by force. Which had to be forced. May be called again. */
  stop(): Promise<Seat[]>;
}

const VERBS: Readonly<Record<Seat, string>> = {
  api: 'api',
  dispatcher: 'dispatch',
  maintenance: 'maintain',
  'worker-1': 'work',
  'worker-2': 'work',
};

/** A supervisor's pause before it starts what has ended, ms; longer where it had ended by itself. */
const RESTART_MS = 100;
const RESTART_AFTER_OWN_END_MS = 1_000;
/** Above the roles' own deadline for a stop (the request timeout and 5 s), ms. */
const STOP_MS = 15_000;

/** This same program. */
const PROGRAM = path.join(import.meta.dirname, '..', 'cli', 'main.js');

interface Place {
  seat: Seat;
  child: ChildProcess | null;
  struck: boolean;
}

/**
 * Starts all.
 * @param envOf the environment of a seat's process, beside what every program needs
 * @param logFile takes what they write
 */
export async function startCrew(
  envOf: (seat: Seat) => Record<string, string>,
  logFile: string,
  time: Time,
): Promise<Crew> {
  const log = await open(logFile, 'a', 0o600);
  const stopping = new AbortController();
  const places = new Map<Seat, Place>(SEATS.map((seat) => [seat, { seat, child: null, struck: false }]));
  let ownEnds = 0;

  const supervise = async (place: Place): Promise<void> => {
    while (!stopping.signal.aborted) {
      const child = spawn(process.execPath, [PROGRAM, VERBS[place.seat]], {
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...envOf(place.seat) },
        stdio: ['ignore', log.fd, log.fd],
      });
      const ended = once(child, 'exit');
      place.struck = false;
      place.child = child;
      await ended;
      place.child = null;
      if (stopping.signal.aborted) return;
      // The child was struck while it was awaited, which the compiler cannot see.
      const struck = place.struck as boolean;
      if (!struck) ownEnds += 1;
      await time.sleep(struck ? RESTART_MS : RESTART_AFTER_OWN_END_MS, stopping.signal);
    }
  };
  const supervisors = [...places.values()].map(supervise);
  // Whatever ends this process early must not leave workers behind.
  const onExit = () => {
    for (const { child } of places.values()) child?.kill('SIGKILL');
  };
  process.once('exit', onExit);

  const stopAll = async (): Promise<Seat[]> => {
    stopping.abort();
    for (const { child } of places.values()) child?.kill('SIGTERM');
    const forced: Seat[] = [];
    const patience = new AbortController();
    const late = time.sleep(STOP_MS, patience.signal).then(() => {
      for (const { seat, child } of places.values()) if (child !== null) forced.push(seat);
      onExit();
    });
    await Promise.all(supervisors);
    patience.abort();
    await late;
    process.off('exit', onExit);
    await log.close();
    return forced;
  };
  let stopped: Promise<Seat[]> | null = null;

  return {
    async kill(seat) {
      const place = places.get(seat);
      const child = place?.child ?? null;
      if (place === undefined || child === null) return false;
      place.struck = true;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      return true;
    },
    async freeze(seat, forMs, signal) {
      const child = places.get(seat)?.child ?? null;
      if (child === null) return false;
      child.kill('SIGSTOP');
      await time.sleep(forMs, signal);
      // Killed meanwhile, it has no use for it; its number may be another's, but the handle knows.
      child.kill('SIGCONT');
      return true;
    },
    ownEnds: () => ownEnds,
    stop: () => {
      stopped ??= stopAll();
      return stopped;
    },
  };
}

/** What strikes when. A pure function of the seed and of how many strikes of each kind are wanted. */
import { seeded } from '../demo/orders/order.js';
import type { Random } from '../time.js';

export type Backend = 'redis' | 'postgres';

/** The supervised processes of a run: one of each role, and two workers. */
export const SEATS = ['api', 'dispatcher', 'maintenance', 'worker-1', 'worker-2'] as const;
export type Seat = (typeof SEATS)[number];

/** How much of everything is wanted, for each backend. */
export interface ChaosOptions {
  orders: number;
  /** kill -9 of a process. */
  kills: number;
  /** SIGSTOP of a worker. */
  freezes: number;
  /** The queue is emptied. */
  flushes: number;
  /** Only where the queue lives in Redis. */
  redisRestarts: number;
  databaseRestarts: number;
  /** A whole number; the same plan for the same one. */
  seed: number;
}

export type Strike =
  /** `hasty`: it does not wait until everything that was struck before is back. */
  | { kind: 'kill'; seat: Seat; hasty: boolean }
  | { kind: 'freeze'; seat: Seat; forMs: number }
  | { kind: 'flush' }
  | { kind: 'redis-restart' }
  /** `crash`: kill -9 of the server; `immediate`: it ends without a checkpoint; `fast`: an orderly stop. */
  | { kind: 'database-restart'; how: 'crash' | 'immediate' | 'fast' };

export interface PlannedStrike {
  /** After the first order, ms. */
  atMs: number;
  strike: Strike;
}

export interface Plan {
  /** In the order of time. */
  strikes: readonly PlannedStrike[];
  /** Over so long, ms, the shop spreads its orders. */
  durationMs: number;
}

/** Room for one strike, ms: a killed process is usually back before the next one falls. */
const STRIKE_MS = 2_000;
/** Nor shorter than this, ms, however few strikes there are. */
const LEAST_MS = 4_000;
/** Beyond the time within which a claimed call may still be sent (5 s), and within its lease. */
const SHORT_FREEZE_MS = 7_000;
/** Beyond the lease of a call: 5 s to send it, `REQUEST_TIMEOUT_MS` for its answer, 10 s of reserve. */
const LONG_FREEZE_MS = 19_000;
/** Processes die in this proportion: it is the workers that call providers. */
const DECK: readonly Seat[] = [
  'worker-1',
  'worker-2',
  'worker-1',
  'worker-2',
  'dispatcher',
  'maintenance',
  'api',
];
/** Kills that follow each other faster than a process starts leave nobody who could work; so only some do. */
const HASTY_EVERY = 6;
const WORKERS: readonly Seat[] = ['worker-1', 'worker-2'];
const STOPS = ['crash', 'immediate', 'fast'] as const;

/** The plan of one run. Each kind of strike is spread over the whole of it. */
export function planOf(options: ChaosOptions, backend: Backend): Plan {
  const random = seeded(options.seed);
  const seats = decks(options.kills, random);
  const groups: Strike[][] = [
    seats.map((seat, n) => ({ kind: 'kill', seat, hasty: n % HASTY_EVERY === HASTY_EVERY - 1 })),
    times(options.freezes, (n) => ({
      kind: 'freeze',
      seat: one(WORKERS, n),
      forMs: n % 2 === 0 ? LONG_FREEZE_MS : SHORT_FREEZE_MS,
    })),
    times(options.flushes, () => ({ kind: 'flush' })),
    times(backend === 'redis' ? options.redisRestarts : 0, () => ({ kind: 'redis-restart' })),
    times(options.databaseRestarts, (n) => ({ kind: 'database-restart', how: one(STOPS, n) })),
  ];
  const count = groups.reduce((sum, group) => sum + group.length, 0);
  const durationMs = Math.max(LEAST_MS, count * STRIKE_MS);
  const strikes = groups
    .flatMap((group) => spread(group, durationMs, random))
    .sort((a, b) => a.atMs - b.atMs);
  return { strikes, durationMs };
}

/** One of each `n`-th part of the duration, in the first half of that part: what follows is still to be seen. */
function spread(strikes: readonly Strike[], durationMs: number, random: Random): PlannedStrike[] {
  const part = durationMs / strikes.length;
  return strikes.map((strike, n) => ({ atMs: Math.round((n + random() / 2) * part), strike }));
}

function decks(count: number, random: Random): Seat[] {
  const seats: Seat[] = [];
  while (seats.length < count) {
    const deck = DECK.map((seat) => ({ seat, place: random() })).sort((a, b) => a.place - b.place);
    seats.push(...deck.map(({ seat }) => seat));
  }
  return seats.slice(0, count);
}

function times<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

/** By turns. */
function one<T>(from: readonly T[], n: number): T {
  // The remainder is below the length.
  return from[n % from.length] as T;
}

/** Carries a plan out. */
import type { Sql } from '../database/connect.js';
import type { Time } from '../time.js';
import { onceBack } from './away.js';
import type { Crew } from './crew.js';
import type { Plan, Strike } from './plan.js';
import type { PlanTime } from './plan-time.js';
import { allLive, databaseNow, type Recovery, watchRecovery } from './recovery.js';
import type { OwnDatabase, OwnRedis } from './servers.js';

/** What can be struck. */
export interface Targets {
  crew: Crew;
  database: OwnDatabase;
  /** Null where the queue lives in PostgreSQL. */
  redis: OwnRedis | null;
  /** A connection to the database that survives its restarts. */
  sql: Sql;
  time: Time;
  /** Stands still while a strike waits. */
  planTime: PlanTime;
  /** Takes a sentence about each strike. */
  say(line: string): void;
}

/** What was done. */
export interface Struck {
  counts: Readonly<Record<Strike['kind'], number>>;
  recoveries: readonly Recovery[];
}

/** Between two attempts to strike what is not there just now, ms. */
const AGAIN_MS = 100;

/**
 * Strikes as planned and resolves after the last strike has passed, a freeze with its thaw.
 * @param watching ends the watching of recoveries, which outlast the strikes
 * @param signal ends everything
 * @returns how to learn what was done, once `watching` has ended or all has recovered
 */
export async function strikeAll(
  { strikes, durationMs }: Plan,
  targets: Targets,
  watching: AbortSignal,
  signal: AbortSignal,
): Promise<() => Promise<Struck>> {
  const { time, planTime, say } = targets;
  const counts = { kill: 0, freeze: 0, flush: 0, 'redis-restart': 0, 'database-restart': 0 };
  const watches: Promise<Recovery | null>[] = [];
  const frozen: Promise<unknown>[] = [];
  let passedMs = 0;
  for (const { atMs, strike } of strikes) {
    planTime.set(passedMs, atMs);
    await time.sleep(atMs - passedMs, signal);
    if (strike.kind === 'kill' && !strike.hasty) await untilAllLive(targets, signal);
    if (signal.aborted) break;
    say(wordsOf(strike));
    counts[strike.kind] += 1;
    passedMs = atMs;
    if (strike.kind === 'freeze') frozen.push(freeze(strike, targets, signal));
    else if (strike.kind === 'kill') watches.push(...(await kill(strike, targets, watching, signal)));
    else await strikeServer(strike, targets, signal);
  }
  planTime.set(passedMs, durationMs);
  await Promise.all(frozen);
  return async () => ({
    counts,
    recoveries: (await Promise.all(watches)).filter((recovery) => recovery !== null),
  });
}

function wordsOf(strike: Strike): string {
  switch (strike.kind) {
    case 'kill':
      return `kill -9 of ${strike.seat}`;
    case 'freeze':
      return `${strike.seat} is frozen for ${strike.forMs / 1_000} s`;
    case 'flush':
      return 'the queue is emptied';
    case 'redis-restart':
      return 'kill -9 of Redis';
    case 'database-restart':
      return `PostgreSQL is stopped (${strike.how})`;
    default:
      return strike satisfies never;
  }
}

/** A process that is just being started by the supervisor is waited for. */
async function kill(
  { seat }: Extract<Strike, { kind: 'kill' }>,
  { crew, sql, time, say }: Targets,
  watching: AbortSignal,
  signal: AbortSignal,
): Promise<Promise<Recovery | null>[]> {
  while (!(await crew.kill(seat))) {
    if (signal.aborted) return [];
    await time.sleep(AGAIN_MS, signal);
  }
  // After the kill: what the victim had claimed until then counts as well. The time of a silent database comes late.
  const killedAt = await onceBack(() => databaseNow(sql), time, signal);
  if (killedAt === null) return [];
  const watch = told(watchRecovery(sql, time, seat, killedAt, watching), say);
  // It is awaited when all strikes are done; what goes wrong until then must wait as well.
  watch.catch(() => undefined);
  return [watch];
}

/** A kill waits no longer than this for what was struck before, ms: a frozen process has no sign of life after a restart of PostgreSQL. */
const WAIT_MS = 20_000;

async function untilAllLive({ sql, time }: Targets, signal: AbortSignal): Promise<void> {
  const until = time.clock.monotonic() + WAIT_MS;
  while (time.clock.monotonic() < until && !signal.aborted && !(await allLive(sql)))
    await time.sleep(AGAIN_MS, signal);
}

async function told(watch: Promise<Recovery | null>, say: Targets['say']): Promise<Recovery | null> {
  const recovery = await watch;
  if (recovery?.ms != null)
    say(
      `recovered from the kill of ${recovery.seat} after ${(recovery.ms / 1_000).toFixed(1)} s, ${recovery.interrupted} operations interrupted`,
    );
  return recovery;
}

async function freeze(
  { seat, forMs }: Extract<Strike, { kind: 'freeze' }>,
  { crew, time }: Targets,
  signal: AbortSignal,
): Promise<void> {
  while (!(await crew.freeze(seat, forMs, signal)) && !signal.aborted) await time.sleep(AGAIN_MS, signal);
}

async function strikeServer(
  strike: Exclude<Strike, { kind: 'kill' | 'freeze' }>,
  { database, redis, sql, time }: Targets,
  signal: AbortSignal,
): Promise<void> {
  switch (strike.kind) {
    case 'flush':
      if (redis !== null) return redis.flush();
      // The database may have been struck just before.
      await onceBack(() => emptyTables(sql), time, signal);
      return;
    case 'redis-restart':
      return redis?.restart();
    case 'database-restart':
      return database.strike(strike.how);
    default:
      return strike satisfies never;
  }
}

const QUEUE_TABLES = `
select quote_ident(tablename) as name from pg_tables where schemaname = 'bullmq' and tablename not like '%migration%'`;

/** What FLUSHALL is to Redis: the queue's tables lose their rows. */
async function emptyTables(sql: Sql): Promise<true> {
  const tables = await sql.query<{ name: string }>(QUEUE_TABLES);
  await sql.query(`truncate ${tables.map(({ name }) => `bullmq.${name}`).join(', ')}`);
  return true;
}

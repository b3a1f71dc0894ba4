import { access, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import pg from 'pg';
import type { Sleep } from '../time.js';
import { errorCode } from './embedded/errors.js';
import { applyMigrations, SCHEMA } from './schema-engine.js';

export { diffSchemas } from './schema-engine.js';

/**
 * Key of the advisory lock under which migrations run ("PKL" and 3). The engine takes one of its own, but gives
 * up waiting for it after a while; processes that start together should all wait for the first.
 */
export const MIGRATION_LOCK = 0x50_4b_4c_03;

/** Anything that runs a query: a client, a pooled client or a pool of `pg`. */
export type Queryable = Pick<pg.Pool, 'query'> | Pick<pg.ClientBase, 'query'>;

/** Options of everything that reads the migrations. */
export interface MigrationOptions {
  /** The folder with `schema.prisma` and `migrations/`; the project's own by default. */
  prismaDir?: string;
}

/**
 * The project's `prisma` folder, found from the nearest package.json upwards: this file runs from `src/` in
 * tests and from `dist/src/` when compiled.
 */
export async function findPrismaDir(): Promise<string> {
  const start = path.dirname(fileURLToPath(import.meta.url));
  for (let at = start; at !== path.dirname(at); at = path.dirname(at)) {
    if (await exists(path.join(at, 'package.json'))) return path.join(at, 'prisma');
  }
  throw new Error(`no package.json above ${start}: the migrations cannot be found`);
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Names of the project's migrations, oldest first. */
async function migrationNames(migrationsDir: string): Promise<string[]> {
  const entries = await readdir(migrationsDir, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Everything the engine wants to know about the migrations folder. */
async function readMigrations(prismaDir: string): Promise<MigrationList> {
  const baseDir = path.join(prismaDir, 'migrations');
  const read = (file: string) => readFile(path.join(baseDir, file), 'utf8');
  const names = await migrationNames(baseDir);
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: await read('migration_lock.toml') },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.map(async (name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok' as const, value: await read(path.join(name, 'migration.sql')) },
        },
      })),
    ),
  };
}

/**
 * Brings the database's tables up to date. Any number of processes may do so at once: one works, the others
 * wait and find nothing left to do.
 *
 * @param databaseUrl a direct connection: session locks do not hold through PgBouncer's transaction mode
 * @returns names of the migrations that this call applied, oldest first
 * @throws Error naming the migration and the database's complaint; nothing of that migration remains
 */
export async function migrate(
  databaseUrl: string,
  options: MigrationOptions & { log(line: string): void },
): Promise<{ applied: string[] }> {
  const list = await readMigrations(options.prismaDir ?? (await findPrismaDir()));
  return withClient(databaseUrl, async (client) => {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const applied = await applyMigrations(databaseUrl, list);
    for (const name of applied) options.log(`applied the migration ${name}`);
    return { applied };
  });
}

/**
 * Creates or updates BullMQ's tables (schema `bullmq`), which its PostgreSQL backend works on. Safe to call at
 * once from several processes.
 */
export async function migrateQueue(databaseUrl: string): Promise<void> {
  // Loaded here because it takes a good 100 ms, which the verbs that only migrate our tables need not pay.
  const { runMigrations } = await import('bullmq');
  await withClient(databaseUrl, (client) => runMigrations(client));
}

/** Names of the project's migrations that this database does not have yet, oldest first. */
export async function migrationsPending(
  database: string | Queryable,
  options: MigrationOptions = {},
): Promise<string[]> {
  if (typeof database === 'string') {
    return withClient(database, (client) => migrationsPending(client, options));
  }
  const names = await migrationNames(path.join(options.prismaDir ?? (await findPrismaDir()), 'migrations'));
  const table = await database.query<{ there: boolean }>(
    `select to_regclass('${SCHEMA}._prisma_migrations') is not null as there`,
  );
  if (table.rows[0]?.there !== true) return names;
  const finished = await database.query<{ name: string }>(
    `select migration_name as name from ${SCHEMA}._prisma_migrations
      where finished_at is not null and rolled_back_at is null`,
  );
  const done = new Set(finished.rows.map((row) => row.name));
  return names.filter((name) => !done.has(name));
}

/** Whether BullMQ's tables are missing from this database. */
export async function queuePending(database: Queryable): Promise<boolean> {
  const { assertSchemaCompatibility, SchemaMigrationRequiredError } = await import('bullmq');
  try {
    await assertSchemaCompatibility(database);
    return false;
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return true;
    throw error;
  }
}

/** What `waitForMigrations` takes. */
export interface WaitOptions extends MigrationOptions {
  databaseUrl: string;
  /** Whether BullMQ's tables have to be there too (its PostgreSQL backend is in use). */
  queue: boolean;
  sleep: Sleep;
  /** Aborting ends the wait. */
  signal: AbortSignal;
  /** Called when the wait begins and whenever what is waited for changes. */
  log(line: string): void;
  /** How often to look, in ms. */
  pollMs?: number;
}

// Soon enough for a start, rare enough for any number of waiting processes.
const WAIT_POLL_MS = 1_000;

/**
 * Waits until somebody has migrated the database, and says what it waits for. A database that does not answer
 * yet is waited for too: services that start together come up in any order.
 *
 * @returns true once everything is in place, false if `signal` aborted first
 * @throws whatever the database answers that waiting does not cure (a wrong password, say)
 */
export async function waitForMigrations(options: WaitOptions): Promise<boolean> {
  let said = '';
  while (!options.signal.aborted) {
    const missing = await whatIsMissing(options);
    if (missing === null) return true;
    if (missing !== said) options.log(missing);
    said = missing;
    await options.sleep(options.pollMs ?? WAIT_POLL_MS, options.signal);
  }
  return false;
}

async function whatIsMissing(options: WaitOptions): Promise<string | null> {
  try {
    return await withClient(options.databaseUrl, async (client) => {
      const pending = await migrationsPending(client, options);
      const queue = options.queue && (await queuePending(client));
      if (pending.length === 0 && !queue) return null;
      const what = [...pending, ...(queue ? ["the queue's tables"] : [])].join(', ');
      return `waiting for migrations (packline migrate): ${what}`;
    });
  } catch (error) {
    // 57P03 cannot_connect_now, 57P01 admin_shutdown (PostgreSQL documentation, "Error Codes").
    const curable = ['ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'ENOTFOUND', 'ETIMEDOUT', '57P03', '57P01'];
    const code = errorCode(error);
    if (code === null || !curable.includes(code)) throw error;
    return `waiting for the database (${code})`;
  }
}

async function withClient<T>(databaseUrl: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'packline migrate' });
  // A lost connection rejects the query that runs; without a listener it would also end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end();
  }
}

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  DriverAdapterError,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import type { DiffTarget, MigrationList, SchemaEngine } from '@prisma/schema-engine-wasm';
import pg from 'pg';

/**
 * Prisma's own schema engine, in its WebAssembly form. The CLI downloads a native one from a host that closed
 * networks cannot reach; this one comes from npm and keeps the same `_prisma_migrations` table, so that
 * `prisma migrate deploy` remains interchangeable with ours.
 */

type EngineClass = typeof SchemaEngine;

/** What the package's glue module exports beside its typed classes: the hooks of its own loader. */
interface Glue {
  __wbg_set_wasm(exports: object): void;
  SchemaEngine: EngineClass;
}

// Node has this global; its types (@types/node 20) do not.
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: object,
  ): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
};

const GLUE = '@prisma/schema-engine-wasm/schema_engine_bg';

/**
 * The PostgreSQL schema of packline's tables, Prisma's `_prisma_migrations` among them: in `public` the engine
 * refuses a database that holds somebody else's tables, and would take their Prisma's history for ours. The
 * same as `?schema=packline` in the URL that Prisma's CLI is given.
 */
export const SCHEMA = 'packline';

const NO_FILTERS = { externalTables: [], externalEnums: [] };

let loading: Promise<EngineClass> | null = null;

/** Loads the engine once per process (about 20 ms). */
function loadEngine(): Promise<EngineClass> {
  loading ??= (async () => {
    // The package's entry imports the .wasm file as a module, which Node does not do without a flag.
    const glue: object = await import('@prisma/schema-engine-wasm/schema_engine_bg');
    const wasm = path.join(
      path.dirname(createRequire(import.meta.url).resolve(GLUE)),
      'schema_engine_bg.wasm',
    );
    const { instance } = await WebAssembly.instantiate(await readFile(wasm), {
      './schema_engine_bg.js': withoutHoldingTheProcess(glue),
    });
    // The declaration file leaves the loader's hooks out; the package's own entry calls these two the same way.
    const hooks = glue as Glue;
    hooks.__wbg_set_wasm(instance.exports);
    instance.exports.__wbindgen_start();
    return hooks.SchemaEngine;
  })();
  return loading;
}

/**
 * The engine gives its advisory lock ten seconds, by a timer that it never clears; as Node's own kind of timer
 * that would keep a finished process from ending.
 */
function withoutHoldingTheProcess(glue: object): object {
  const imports = Object.entries(glue).map(([name, value]): [string, unknown] => {
    if (!name.startsWith('__wbg_setTimeout_')) return [name, value];
    return [name, (callback: () => void, ms: number) => setTimeout(callback, ms >>> 0).unref()];
  });
  return Object.fromEntries(imports);
}

async function withEngine<T>(
  adapters: SqlMigrationAwareDriverAdapterFactory,
  use: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  const Engine = await loadEngine();
  const ignoreTrace = () => undefined;
  const engine = await Engine.new(
    { datamodels: undefined },
    ignoreTrace,
    bindMigrationAwareSqlAdapterFactory(adapters),
  );
  try {
    return await use(engine);
  } finally {
    engine.free();
  }
}

/**
 * The SQL that leads from one Prisma schema to another; needs no database.
 *
 * @param from text of a schema.prisma, or null for an empty database
 * @param to text of a schema.prisma
 * @returns an SQL script; without any statement if the two agree (see `isEmptyScript`)
 * @throws Error with Prisma's explanation if a text is no valid schema
 */
export function diffSchemas(from: string | null, to: string): Promise<string> {
  const target = (content: string): DiffTarget => ({
    tag: 'schemaDatamodel',
    files: [{ path: 'schema.prisma', content }],
  });
  return withEngine(offlineAdapters, async (engine) => {
    const result = await engine.diff({
      from: from === null ? { tag: 'empty' } : target(from),
      to: target(to),
      script: true,
      exitCode: null,
      filters: NO_FILTERS,
    });
    return result.stdout ?? '';
  });
}

/** Whether an SQL script of `diffSchemas` holds comments only. */
export function isEmptyScript(sql: string): boolean {
  return sql.split('\n').every((line) => line.trim() === '' || line.startsWith('--'));
}

/**
 * Applies what of the list is not applied yet.
 *
 * Each migration runs as one script and thereby in one transaction: of a migration with a faulty statement
 * nothing remains, and it is marked as rolled back, so that a corrected one can run under the same name.
 *
 * @returns the names of the migrations that were applied now, oldest first
 * @throws {MigrationFailed} if PostgreSQL refuses a statement
 * @throws Error with Prisma's explanation if the database's history does not fit the list
 */
export async function applyMigrations(databaseUrl: string, list: MigrationList): Promise<string[]> {
  // One connection that never idles out: the engine takes its own advisory lock on it and keeps it.
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1, idleTimeoutMillis: 0 });
  const scripts = new Scripts(pool);
  try {
    await pool.query(`create schema if not exists ${SCHEMA}`);
    await pool.query(`set search_path to ${SCHEMA}`);
    return await withEngine(scripts.adapters, async (engine) => {
      try {
        const result = await engine.applyMigrations({ migrationsList: list, filters: NO_FILTERS });
        return result.appliedMigrationNames;
      } catch (error) {
        if (scripts.refusal === null) throw error;
        const name = await markRolledBack(pool, engine);
        throw new MigrationFailed(name, scripts.refusal);
      }
    });
  } finally {
    await pool.end();
  }
}

/** A migration that PostgreSQL refused; nothing of it remains in the database. */
export class MigrationFailed extends Error {
  override name = 'MigrationFailed';
  readonly migration: string;

  constructor(migration: string, refusal: Refusal) {
    const { script, error } = refusal;
    const line = script.slice(0, Number(error.position ?? 0)).split('\n').length;
    const where = error.position === undefined ? '' : ` (line ${line})`;
    const more = [error.detail, error.hint].filter((text) => text !== undefined && text !== '');
    super([`the migration ${migration} failed${where}: ${error.message}`, ...more].join('\n'), {
      cause: error,
    });
    this.migration = migration;
  }
}

async function markRolledBack(pool: pg.Pool, engine: SchemaEngine): Promise<string> {
  const failed = await pool.query<{ name: string }>(
    `select migration_name as name from ${SCHEMA}._prisma_migrations
      where finished_at is null and rolled_back_at is null`,
  );
  const name = failed.rows[0]?.name ?? '';
  await engine.markMigrationRolledBack({ migrationName: name });
  return name;
}

/** A script that PostgreSQL refused, and why. */
interface Refusal {
  script: string;
  error: pg.DatabaseError;
}

/**
 * Prisma's adapter for `pg`, with scripts sent whole. The adapter itself cuts a script at every semicolon,
 * those in comments, strings and function bodies included, and runs the pieces in transactions of their own.
 */
class Scripts {
  /** The script that PostgreSQL refused, and thereby rolled back; null if there is none. */
  refusal: Refusal | null = null;
  readonly adapters: SqlMigrationAwareDriverAdapterFactory;

  constructor(pool: pg.Pool) {
    const whole = new PrismaPg(pool, { schema: SCHEMA });
    this.adapters = {
      provider: whole.provider,
      adapterName: whole.adapterName,
      connectToShadowDb: () => whole.connectToShadowDb(),
      connect: async () => {
        const adapter = await whole.connect();
        adapter.executeScript = (script) => this.#execute(pool, script);
        return adapter;
      },
    };
  }

  async #execute(pool: pg.Pool, script: string): Promise<void> {
    // The pool would close the connection of a failed query, and with it go the lock and the search path.
    const client = await pool.connect();
    try {
      await client.query(script);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      // Severity FATAL ends the connection, and then nobody knows whether the script was committed.
      if (error.severity === 'ERROR') this.refusal = { script, error };
      throw new DriverAdapterError({
        kind: 'postgres',
        code: error.code ?? '',
        severity: error.severity ?? '',
        message: error.message,
        detail: error.detail,
        column: error.column,
        hint: error.hint,
      });
    } finally {
      client.release();
    }
  }
}

/** Stands in for a database where the engine only wants to know its kind: PostgreSQL 18. */
const offlineAdapters: SqlMigrationAwareDriverAdapterFactory = {
  provider: 'postgres',
  adapterName: 'offline',
  connect: async () => offlineAdapter,
  connectToShadowDb: async () => offlineAdapter,
};

const offlineAdapter: SqlDriverAdapter = {
  provider: 'postgres',
  adapterName: 'offline',
  queryRaw: async ({ sql }) => {
    if (!sql.includes('server_version_num')) return unreachable();
    return {
      columnNames: ['exists', 'version', 'numeric_version'],
      columnTypes: [ColumnTypeEnum.Boolean, ColumnTypeEnum.Text, ColumnTypeEnum.Int32],
      rows: [[true, 'PostgreSQL 18.0', 180_000]],
    };
  },
  executeRaw: async () => unreachable(),
  executeScript: async () => unreachable(),
  startTransaction: async () => unreachable(),
  dispose: async () => undefined,
};

function unreachable(): never {
  throw new Error('comparing two schema texts must not need a database');
}

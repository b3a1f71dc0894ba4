/**
 * The connection to our rows: one pg pool, with Prisma over it for reads by model. What moves a row is a statement
 * of our own, sent straight through the pool: planned once, and without Prisma's interactive transactions.
 */
import { createHash } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../generated/prisma/client.js';
import type { Json } from '../json.js';

/** A value that a statement takes. JSON goes in as text and is cast there. */
export type SqlValue = string | number | bigint | boolean | Date | null | string[];

export interface Sql {
  /** Runs one statement; a row's type is what the statement's select list says. */
  query<Row>(text: string, ...values: SqlValue[]): Promise<Row[]>;
}

export interface Database extends Sql {
  prisma: PrismaClient;
  pool: pg.Pool;
  url: string;
  /** Several statements in one transaction, for the colder verbs. Short, and never around a provider call. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** A hint to the dispatchers that something is due. */
  close(): Promise<void>;
}

/** The database does not keep what it confirms: refused, since every promise rests on it. */
export class UnsafeDatabase extends Error {
  override name = 'UnsafeDatabase';
}

export interface ConnectOptions {
  url: string;
  /** Connections of the pool. */
  max: number;
  applicationName: string;
  onError(error: Error): void;
}

/**
 * Opens the pool and checks that a commit is a commit.
 * @throws UnsafeDatabase where fsync or synchronous_commit is off
 */
export async function connect(options: ConnectOptions): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    // A connection that was returned with an open transaction must not hold back vacuum and the event feed.
    idle_in_transaction_session_timeout: 60_000,
  });
  pool.on('error', options.onError);
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool, {
      schema: 'packline',
      disposeExternalPool: false,
      statementNameGenerator: ({ sql }) => statementName(sql),
      onPoolError: options.onError,
      onConnectionError: options.onError,
    }),
    transactionOptions: { maxWait: 30_000, timeout: 30_000 },
  });
  try {
    await assertDurable(pool);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    prisma,
    pool,
    url: options.url,
    query: (text, ...values) => run(pool, text, values),
    transaction: (work) => inTransaction(pool, work),
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

/** Named, so that each statement is planned once per connection. */
async function run<Row>(
  client: Pick<pg.Pool, 'query'> | pg.PoolClient,
  text: string,
  values: SqlValue[],
): Promise<Row[]> {
  const { rows } = await client.query({ name: statementName(text), text, values });
  return rows;
}

async function inTransaction<T>(pool: pg.Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const value = await work({ query: (text, ...values) => run(client, text, values) });
    await client.query('commit');
    client.release();
    return value;
  } catch (error) {
    // A connection whose state is not known is not given back; closing it rolls back.
    client.release(true);
    throw error;
  }
}

async function assertDurable(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ fsync: string; commit: string }>(
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`,
  );
  const row = rows[0];
  if (row?.fsync !== 'on' || row.commit === 'off') {
    throw new UnsafeDatabase(
      `PostgreSQL runs with fsync=${row?.fsync} and synchronous_commit=${row?.commit}; packline needs both on, ` +
        'since a confirmed attempt that is forgotten in a crash could be sent twice',
    );
  }
}

// The statements of this house are few and fixed, so each is planned once per connection.
const names = new Map<string, string>();
function statementName(sql: string): string {
  let name = names.get(sql);
  if (name === undefined) {
    name = `packline_${createHash('sha1').update(sql).digest('hex').slice(0, 20)}`;
    names.set(sql, name);
  }
  return name;
}

/** JSON as a statement's parameter. */
export function json(value: Json | object): string {
  return JSON.stringify(value);
}

/** PostgreSQL's SQLSTATE anywhere in an error's chain of causes, or null. */
export function sqlState(error: unknown): string | null {
  for (let at: unknown = error, depth = 0; typeof at === 'object' && at !== null && depth < 6; depth += 1) {
    for (const key of ['originalCode', 'code', 'sqlState']) {
      const value: unknown = Reflect.get(at, key);
      if (typeof value === 'string' && /^[0-9A-Z]{5}$/.test(value) && !/^P\d{4}$/.test(value)) return value;
    }
    const meta: unknown = Reflect.get(at, 'meta');
    const inner: unknown =
      Reflect.get(at, 'cause') ??
      (typeof meta === 'object' && meta !== null ? Reflect.get(meta, 'driverAdapterError') : undefined);
    at = inner;
  }
  return null;
}

/** How the database is, for a person who asks: before anything of packline is opened, so that it answers where nothing else does. */
import pg from 'pg';
import type { CheckJson } from '../views.js';
import { migrationsPending, queuePending } from './migrate.js';

/** A database that does not answer within this does not answer, ms. */
const ANSWER_MS = 5_000;

/**
 * Asks whether the database answers, keeps what it confirms, and has its tables. Never rejects.
 * @param options.queue the queue's tables belong there too
 */
export async function checkDatabase(url: string, options: { queue: boolean }): Promise<CheckJson[]> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'packline doctor',
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
  });
  // A lost connection rejects the query that runs; without a listener it would also end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return [await answers(client), await durability(client), await tables(client, options.queue)];
  } catch (error) {
    return [
      {
        name: 'database',
        state: 'failed',
        message: `PostgreSQL does not answer: ${reasonOf(error)}`,
        remedy: 'Start it, and check DATABASE_URL.',
      },
    ];
  } finally {
    await client.end();
  }
}

/** A connection that fails on every address has its messages one level down. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message.slice(0, 200) : String(error);
}

async function answers(client: pg.Client): Promise<CheckJson> {
  const { rows } = await client.query<{ version: string; name: string }>(
    `select current_setting('server_version') as version, current_database() as name`,
  );
  const { version = 'unknown', name = 'unknown' } = rows[0] ?? {};
  return {
    name: 'database',
    state: 'ok',
    message: `PostgreSQL ${version} answers (database ${name})`,
    remedy: null,
  };
}

async function durability(client: pg.Client): Promise<CheckJson> {
  const { rows } = await client.query<{ fsync: string; commit: string }>(
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`,
  );
  const { fsync = 'unknown', commit = 'unknown' } = rows[0] ?? {};
  const message = `fsync is ${fsync}, synchronous_commit is ${commit}`;
  if (fsync === 'on' && commit !== 'off') return { name: 'durability', state: 'ok', message, remedy: null };
  const remedy =
    'Switch both on: what is confirmed and then forgotten in a crash could be sent twice. packline does not start so.';
  return { name: 'durability', state: 'failed', message, remedy };
}

async function tables(client: pg.Client, queue: boolean): Promise<CheckJson> {
  const missing = await migrationsPending(client);
  if (queue && (await queuePending(client))) missing.push("the queue's tables");
  return missing.length === 0
    ? { name: 'migrations', state: 'ok', message: 'all migrations are applied', remedy: null }
    : {
        name: 'migrations',
        state: 'failed',
        message: `not applied yet: ${missing.join(', ')}`,
        remedy: 'Run "packline migrate".',
      };
}

/** Dumps of packline's rows, to be restored into another database, on this server or on another one. */
import pg from 'pg';
import { migrate, migrateQueue } from '../../src/database/migrate.js';

export interface Dump {
  /** Rows by table, as JSON text. */
  tables: Map<string, string>;
  /** The last value of each sequence. */
  sequences: Map<string, string>;
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Everything that packline's own schema holds, as of one moment. */
export function dumpDatabase(url: string): Promise<Dump> {
  return withClient(url, async (client) => {
    await client.query('begin isolation level repeatable read read only');
    const tables = new Map<string, string>();
    const names = await client.query<{ name: string }>(
      `select format('packline.%I', tablename) as name from pg_tables where schemaname = 'packline' and tablename <> '_prisma_migrations'`,
    );
    for (const { name } of names.rows) {
      const { rows } = await client.query<{ rows: string }>(
        `select coalesce(jsonb_agg(to_jsonb(t)), '[]')::text as rows from ${name} t`,
      );
      tables.set(name, rows[0]?.rows ?? '[]');
    }
    const sequences = await client.query<{ name: string; last: string }>(
      `select format('packline.%I', sequencename) as name, last_value::text as last from pg_sequences
       where schemaname = 'packline' and last_value is not null`,
    );
    await client.query('commit');
    return { tables, sequences: new Map(sequences.rows.map(({ name, last }) => [name, last])) };
  });
}

/** Puts a dump into a database with all migrations, in place of what it holds. */
export function restoreInto(url: string, dump: Dump): Promise<void> {
  return withClient(url, async (client) => {
    await client.query('begin');
    // As pg_restore --disable-triggers does: tables come in any order, and their keys hold once all are there.
    await client.query('set local session_replication_role = replica');
    await client.query(`truncate ${[...dump.tables.keys()].join(', ')}`);
    for (const [name, rows] of dump.tables) {
      await client.query(
        `insert into ${name} select * from jsonb_populate_recordset(null::${name}, $1::jsonb)`,
        [rows],
      );
    }
    for (const [name, last] of dump.sequences)
      await client.query('select setval($1, $2::bigint)', [name, last]);
    await client.query('commit');
  });
}

/** A new database with all migrations on a server, and a dump in it. Returns its URL. */
export async function restoreOn(serverUrl: string, name: string, dump: Dump): Promise<string> {
  await withClient(serverUrl, (client) => client.query(`create database ${name}`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await migrate(url.href, { log: () => undefined });
  await migrateQueue(url.href);
  await restoreInto(url.href, dump);
  return url.href;
}

/**
 * The PostgreSQL of one jest run: prints where it is and which database to clone, then holds it until its
 * standard input ends. `PACKLINE_TEST_DATABASE_URL` names a server to use instead of an embedded one; its role
 * must be allowed to create databases.
 */
import { once } from 'node:events';
import pg from 'pg';
import { startEmbedded } from '../../src/database/embedded.js';
import { migrate, migrateQueue } from '../../src/database/migrate.js';
import { systemTime } from '../../src/time.js';
import { temporaryFolder } from './temporary.js';

// Ctrl-C reaches every process of the terminal's group; this one goes when jest has gone.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

const quiet = () => undefined;

async function server(): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env.PACKLINE_TEST_DATABASE_URL;
  if (given !== undefined && given !== '') return { url: given, stop: async () => undefined };
  const folder = await temporaryFolder('test');
  const embedded = await startEmbedded({
    dataDir: `${folder.path}/data`,
    purpose: 'owner',
    log: quiet,
    time: systemTime,
    // Fast, and still with fsync and synchronous_commit on, which packline asserts.
    settings: {
      full_page_writes: 'off',
      wal_level: 'minimal',
      max_wal_senders: '0',
      checkpoint_timeout: '1h',
      // Two test files at once, each with a dozen processes.
      max_connections: '600',
    },
  });
  const stop = async () => {
    await embedded.stop();
    await folder.remove();
  };
  return { url: embedded.url, stop };
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

/** Makes the database that test files clone; a broken migration is the answer to whoever wants a clone. */
async function makeTemplate(url: string, name: string): Promise<string | null> {
  try {
    await query(url, `create database ${name}`);
    const own = new URL(url);
    own.pathname = `/${name}`;
    await migrate(own.href, { log: quiet });
    await migrateQueue(own.href);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const inputEnded = once(process.stdin.resume(), 'end');
const { url, stop } = await server();
const template = `packline_template_${process.pid}`;
try {
  console.log(JSON.stringify({ url, template, failure: await makeTemplate(url, template) }));
  await inputEnded;
  await query(url, `drop database if exists ${template} with (force)`);
} finally {
  await stop();
}

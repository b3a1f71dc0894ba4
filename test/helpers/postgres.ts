import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { z } from 'zod';

/** A database for one test file. */
export interface TestDatabase {
  url: string;
  /** Drops it, whoever is still connected. */
  drop(): Promise<void>;
}

const answer = z.union([
  z.object({ url: z.string(), template: z.string(), failure: z.string().nullable() }),
  z.object({ error: z.string() }),
]);

/** Asks the run's service (global-setup.js) for the server; the first question starts it. */
async function findServer() {
  const port = process.env.PACKLINE_TEST_DATABASE_SERVICE;
  if (port === undefined)
    throw new Error('jest.config.js must name test/helpers/global-setup.js as globalSetup');
  const found = answer.parse(JSON.parse(await text(connect(Number(port), '127.0.0.1'))));
  if ('error' in found) throw new Error(found.error);
  return found;
}

/**
 * Creates a database, by default a clone of the one with all migrations (BullMQ's too).
 *
 * @param options.empty makes it without any table
 */
export async function createDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const server = await findServer();
  if (server.failure !== null && options.empty !== true) {
    throw new Error(`the migrations do not run: ${server.failure}`);
  }
  const name = `packline_test_${randomBytes(6).toString('hex')}`;
  const template = options.empty === true ? 'template0' : server.template;
  await administer(server.url, `create database ${name} template ${template}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => administer(server.url, `drop database if exists ${name} with (force)`),
  };
}

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

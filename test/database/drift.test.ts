import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { diffSchemas, findPrismaDir, migrate } from '../../src/database/migrate.js';
import { isEmptyScript, SCHEMA } from '../../src/database/schema-engine.js';
import { describeSchema } from '../helpers/catalog.js';
import { createDatabase } from '../helpers/postgres.js';

async function describeDatabase(build: (url: string) => Promise<unknown>): Promise<string[]> {
  const database = await createDatabase({ empty: true });
  await build(database.url);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const lines = await describeSchema(client, SCHEMA);
  await client.end();
  await database.drop();
  return lines;
}

async function runScript(url: string, script: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(script);
  await client.end();
}

test('the migrations lead to the very tables that the Prisma schema describes', async () => {
  const schema = await readFile(path.join(await findPrismaDir(), 'schema.prisma'), 'utf8');
  const wanted = await diffSchemas(null, schema);
  const fromSchema = await describeDatabase((url) => runScript(url, wanted));
  const fromMigrations = await describeDatabase((url) => migrate(url, { log: () => undefined }));
  expect(fromSchema.length).toBeGreaterThan(0);
  expect(fromMigrations).toEqual(fromSchema);
});

test('the schema has not changed since the last migration was made', async () => {
  const prismaDir = await findPrismaDir();
  const schema = await readFile(path.join(prismaDir, 'schema.prisma'), 'utf8');
  const snapshot = await readFile(path.join(prismaDir, 'migrations', 'schema.snapshot.prisma'), 'utf8');
  expect(isEmptyScript(await diffSchemas(snapshot, schema))).toBe(true);
});

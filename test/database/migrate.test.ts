import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import {
  diffSchemas,
  findPrismaDir,
  migrate,
  migrateQueue,
  migrationsPending,
  queuePending,
  waitForMigrations,
} from '../../src/database/migrate.js';
import { newMigration } from '../../src/database/new-migration.js';
import { systemTime } from '../../src/time.js';
import { describeSchema, handwritten } from '../helpers/catalog.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { temporaryFolder } from '../helpers/temporary.js';
import { until } from '../helpers/until.js';

const HEAD = `datasource db {
  provider = "postgresql"
  schemas  = ["packline"]
}
`;
const FIRST = `${HEAD}
enum Colour {
  red
  blue
  @@map("colour")
  @@schema("packline")
}
model Thing {
  id     BigInt @id @default(autoincrement())
  name   String
  colour Colour @default(red)
  xid    Unsupported("xid8") @default(dbgenerated("pg_current_xact_id()"))
  @@index([name])
  @@map("things")
  @@schema("packline")
}
`;
const SECOND = FIRST.replace('  name   String\n', '  name   String\n  note   String?\n');

/** What Prisma cannot express, with semicolons wherever a careless reader of SQL would trip over them. */
const BY_HAND = `
-- By hand; below what was generated; see CONTRIBUTING.
create index x_things_red on packline.things (id) where colour = 'red';
alter table packline.things set (fillfactor = 80);
create function packline.x_label(n text) returns text language plpgsql as $$
begin
  return n || ';';
end $$;
`;

const quiet = { log: () => undefined };

let folder: { path: string; remove(): Promise<void> };
let prismaDir: string;
let database: TestDatabase;
let client: pg.Client;

/** Makes the next migration as a developer would, at a given second. */
async function make(name: string, schema: string, byHand = ''): Promise<string> {
  await writeFile(path.join(prismaDir, 'schema.prisma'), schema);
  made += 1;
  const clock = { ...systemTime.clock, now: () => Date.UTC(2026, 0, 2, 3, 4, made) };
  const file = await newMigration({ prismaDir, name, handwritten: byHand !== '', clock });
  if (file === null) throw new Error('nothing to migrate');
  await writeFile(file, (await readFile(file, 'utf8')) + byHand);
  return path.basename(path.dirname(file));
}
let made: number;

beforeEach(async () => {
  made = 0;
  folder = await temporaryFolder('migrate');
  prismaDir = path.join(folder.path, 'prisma');
  await mkdir(prismaDir);
  database = await createDatabase({ empty: true });
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await database.drop();
  await folder.remove();
});

test('migrations are applied in order, once, and recorded as Prisma records them', async () => {
  const first = await make('first', FIRST, BY_HAND);
  const second = await make('second', SECOND);
  expect(first).toBe('20260102030401_first');
  expect(await migrationsPending(database.url, { prismaDir })).toEqual([first, second]);

  const said: string[] = [];
  const log = (line: string) => said.push(line);
  expect(await migrate(database.url, { prismaDir, log })).toEqual({ applied: [first, second] });
  expect(said).toEqual([`applied the migration ${first}`, `applied the migration ${second}`]);
  expect(await migrate(database.url, { prismaDir, ...quiet })).toEqual({ applied: [] });
  expect(await migrationsPending(client, { prismaDir })).toEqual([]);

  const rows = await client.query('select * from packline._prisma_migrations order by started_at');
  expect(rows.rows).toEqual(
    [first, second].map((migration_name) => ({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      migration_name,
      started_at: expect.any(Date),
      finished_at: expect.any(Date),
      rolled_back_at: null,
      logs: null,
      applied_steps_count: 1,
    })),
  );
});

test('what was written by hand is applied whole, and known by its name', async () => {
  await make('first', FIRST, BY_HAND);
  await migrate(database.url, { prismaDir, ...quiet });
  expect((await client.query(`select packline.x_label('a') as label`)).rows).toEqual([{ label: 'a;' }]);
  expect(await handwritten(client, 'packline')).toEqual(['x_things_red']);

  const plain = await createDatabase({ empty: true });
  const other = new pg.Client({ connectionString: plain.url });
  await other.connect();
  await other.query(await diffSchemas(null, FIRST));
  expect(await describeSchema(client, 'packline')).toEqual(await describeSchema(other, 'packline'));
  await other.query('alter table packline.things alter name drop not null');
  expect(await describeSchema(client, 'packline')).not.toEqual(await describeSchema(other, 'packline'));
  await other.end();
  await plain.drop();
});

test('processes that migrate at the same moment all succeed, and one does the work', async () => {
  const first = await make('first', FIRST);
  const results = await Promise.all([1, 2, 3, 4].map(() => migrate(database.url, { prismaDir, ...quiet })));
  expect(results.flatMap((result) => result.applied)).toEqual([first]);
});

test("a database that holds somebody else's tables, and their Prisma's, takes ours beside them", async () => {
  await client.query('create table shop (id int); create table _prisma_migrations (id int)');
  const first = await make('first', FIRST);
  expect(await migrate(database.url, { prismaDir, ...quiet })).toEqual({ applied: [first] });
  expect((await client.query('select * from public._prisma_migrations')).rows).toEqual([]);
});

test('a faulty migration leaves nothing behind, says what is wrong, and runs once it is corrected', async () => {
  const fault = 'create table packline.half (id int);\nselect nonsense;\n';
  const first = await make('first', FIRST, fault);
  await expect(migrate(database.url, { prismaDir, ...quiet })).rejects.toThrow(
    new RegExp(`the migration ${first} failed \\(line \\d+\\): column "nonsense" does not exist`),
  );
  expect((await client.query(`select to_regclass('packline.half') as there`)).rows).toEqual([
    { there: null },
  ]);
  expect(await migrationsPending(client, { prismaDir })).toEqual([first]);

  const file = path.join(prismaDir, 'migrations', first, 'migration.sql');
  await writeFile(file, (await readFile(file, 'utf8')).replace('select nonsense;', ''));
  expect(await migrate(database.url, { prismaDir, ...quiet })).toEqual({ applied: [first] });
});

test('a migration holds the step from the last one to the schema of now', async () => {
  const first = await make('first', FIRST);
  await make('second', SECOND);
  expect(await readFile(path.join(prismaDir, 'migrations', 'schema.snapshot.prisma'), 'utf8')).toBe(SECOND);
  const second = '20260102030402_second';
  const sql = await readFile(path.join(prismaDir, 'migrations', second, 'migration.sql'), 'utf8');
  expect(sql).toContain('ALTER TABLE "packline"."things" ADD COLUMN     "note" TEXT;');
  expect(sql).not.toContain('CREATE TABLE');
  await expect(make('third', SECOND)).rejects.toThrow('nothing to migrate');
  expect(await make('fourth', SECOND, 'select 1;\n')).toBe('20260102030404_fourth');
  expect(first).toBe('20260102030401_first');
});

test('a schema that Prisma does not understand is refused with its explanation', async () => {
  await expect(diffSchemas(null, `${HEAD}model Thing {\n  id Nothing @id\n}\n`)).rejects.toThrow(/Nothing/);
});

test("BullMQ's tables are created in their own schema, by any number of processes", async () => {
  expect(await queuePending(client)).toBe(true);
  await Promise.all([migrateQueue(database.url), migrateQueue(database.url)]);
  expect(await queuePending(client)).toBe(false);
  const tables = await client.query(`select 1 from pg_tables where schemaname = 'bullmq'`);
  expect(tables.rowCount).toBeGreaterThan(0);
});

describe('waiting for migrations', () => {
  const wait = (said: string[], signal: AbortSignal, databaseUrl = database.url) =>
    waitForMigrations({
      databaseUrl,
      prismaDir,
      queue: true,
      sleep: systemTime.sleep,
      signal,
      log: (line) => said.push(line),
      pollMs: 5,
    });

  test('says what is missing, and ends when somebody else has migrated', async () => {
    const first = await make('first', FIRST);
    const said: string[] = [];
    const waiting = wait(said, new AbortController().signal);
    await until('it says so', () => said.length === 1);
    await migrate(database.url, { prismaDir, ...quiet });
    await until('it says what is left', () => said.length === 2);
    await migrateQueue(database.url);
    expect(await waiting).toBe(true);
    expect(said).toEqual([
      `waiting for migrations (packline migrate): ${first}, the queue's tables`,
      "waiting for migrations (packline migrate): the queue's tables",
    ]);
  });

  test('ends when it is told to', async () => {
    await make('first', FIRST);
    const stop = new AbortController();
    const said: string[] = [];
    const waiting = wait(said, stop.signal);
    await until('it waits', () => said.length === 1);
    stop.abort();
    expect(await waiting).toBe(false);
  });

  test('also waits for a database that does not answer yet, but not for one that refuses', async () => {
    await make('first', FIRST);
    const stop = new AbortController();
    const said: string[] = [];
    const waiting = wait(said, stop.signal, 'postgresql://packline:x@127.0.0.1:1/packline');
    await until('it waits', () => said.length === 1);
    expect(said).toEqual(['waiting for the database (ECONNREFUSED)']);
    stop.abort();
    await waiting;
    const wrong = new URL(database.url);
    wrong.pathname = '/nowhere';
    await expect(wait([], stop.signal, wrong.href)).resolves.toBe(false);
    await expect(wait([], new AbortController().signal, wrong.href)).rejects.toThrow(/nowhere/);
  });
});

test('a project without migrations is a mistake, not an empty history', async () => {
  await cp(await findPrismaDir(), prismaDir, { recursive: true });
  await rm(path.join(prismaDir, 'migrations'), { recursive: true, force: true });
  await expect(migrate(database.url, { prismaDir, ...quiet })).rejects.toThrow(/migrations/);
});

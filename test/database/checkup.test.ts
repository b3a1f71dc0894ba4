/** What a person is told of a database: before anything else of packline touches it. */
import pg from 'pg';
import { checkDatabase } from '../../src/database/checkup.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';

let database: TestDatabase;
afterEach(() => database.drop());

const states = async (url: string, queue = true) =>
  (await checkDatabase(url, { queue })).map(({ name, state }) => `${name} ${state}`);

async function alter(setting: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(`alter database ${new URL(database.url).pathname.slice(1)} set ${setting}`);
  await client.end();
}

test('one that is in place answers, keeps what it confirms, and has its tables', async () => {
  database = await createDatabase();
  expect(await states(database.url)).toEqual(['database ok', 'durability ok', 'migrations ok']);
});

test('one without tables lacks its migrations, and the queue too where it lives there', async () => {
  database = await createDatabase({ empty: true });
  const [, , tables] = await checkDatabase(database.url, { queue: true });
  expect(tables).toMatchObject({
    state: 'failed',
    message: expect.stringContaining("the queue's tables"),
    remedy: expect.stringContaining('packline migrate'),
  });
  const [, , without] = await checkDatabase(database.url, { queue: false });
  expect(without?.message).not.toContain('queue');
});

test('one that forgets what it confirmed has failed', async () => {
  database = await createDatabase();
  await alter('synchronous_commit = off');
  expect(await states(database.url)).toEqual(['database ok', 'durability failed', 'migrations ok']);
});

test('one that is not there has failed, and nothing of its password is told', async () => {
  database = await createDatabase();
  const gone = new URL(database.url);
  gone.port = '1';
  gone.password = 'never-told';
  const [check, ...more] = await checkDatabase(gone.href, { queue: true });
  expect(more).toEqual([]);
  expect(check).toMatchObject({
    name: 'database',
    state: 'failed',
    remedy: expect.stringContaining('DATABASE_URL'),
  });
  expect(JSON.stringify(check)).not.toContain('never-told');
});

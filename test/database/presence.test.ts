import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { ALIVE_KEYS_SQL, openPresence, PRESENCE_CLASS } from '../../src/database/presence.js';
import { systemTime, type Time } from '../../src/time.js';
import { startChild } from '../helpers/child.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const CHILD = fileURLToPath(new URL('./children/presence.ts', import.meta.url));

let database: TestDatabase;
let admin: pg.Client;

beforeAll(async () => {
  database = await createDatabase({ empty: true });
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await database.drop();
});

const options = (time: Time = systemTime) => ({
  applicationName: 'packline presence test',
  time,
  log: () => undefined,
});

async function aliveKeys(): Promise<number[]> {
  const result = await admin.query<{ key: number }>(ALIVE_KEYS_SQL);
  return result.rows.map((row) => row.key);
}

/** Cuts the connections of a presence on the server's side, as a restart or a network fault would. */
async function cut(): Promise<void> {
  await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'packline presence test'`,
  );
}

test('a process shows its key while it lives, and no longer', async () => {
  const presence = await openPresence(database.url, options());
  expect(presence.key).toBeGreaterThan(0);
  expect(presence.held).toBe(true);
  expect(await aliveKeys()).toEqual([presence.key]);
  await presence.close();
  await presence.close();
  expect(presence.held).toBe(false);
  await until('the key is gone', async () => (await aliveKeys()).length === 0);
});

test('the key of a process that was killed is free at once, and that of a stopped one is not', async () => {
  const child = startChild(CHILD, [database.url]);
  const key = Number((await child.line(/key=(\d+)/))[1]);
  process.kill(child.pid, 'SIGSTOP');
  expect(await aliveKeys()).toEqual([key]);
  await child.kill('SIGKILL');
  await until('the key is gone', async () => (await aliveKeys()).length === 0, 2_000);
});

test('two processes never have the same key, even if chance offers it to both', async () => {
  const first = await openPresence(database.url, options());
  const draws = [(first.key - 1) / 2_147_483_647, 0.5];
  const random = () => draws.shift() ?? 0.25;
  const second = await openPresence(database.url, options({ ...systemTime, random }));
  expect(second.key).not.toBe(first.key);
  expect((await aliveKeys()).sort()).toEqual([first.key, second.key].sort());
  await first.close();
  await second.close();
});

test('a dropped connection is told, and the same key is held again', async () => {
  const presence = await openPresence(database.url, options());
  const losses: string[] = [];
  presence.onLost((loss) => losses.push(loss));
  const restored = new Promise<void>((resolve) => presence.onRestored(resolve));
  await cut();
  await restored;
  expect(losses).toEqual(['dropped']);
  expect(presence.held).toBe(true);
  expect(await aliveKeys()).toEqual([presence.key]);
  await presence.close();
});

test('a key that somebody else took meanwhile is gone for good', async () => {
  const presence = await openPresence(database.url, options());
  const losses: string[] = [];
  presence.onLost((loss) => losses.push(loss));
  // The thief waits in line for the lock, so it has it the moment the connection drops.
  const thief = new pg.Client({ connectionString: database.url });
  await thief.connect();
  const stolen = thief.query('select pg_advisory_lock($1, $2)', [PRESENCE_CLASS, presence.key]);
  await until('the thief waits', async () => {
    const waiting = await admin.query(`select 1 from pg_locks where locktype = 'advisory' and not granted`);
    return waiting.rowCount === 1;
  });
  await cut();
  await stolen;
  await until('the presence gives up', () => losses.includes('gone'));
  expect(losses).toEqual(['dropped', 'gone']);
  expect(presence.held).toBe(false);
  await presence.close();
  await thief.end();
});

test('closing while the connection is down ends the attempts to renew it', async () => {
  const presence = await openPresence(database.url, options());
  const dropped = new Promise<void>((resolve) => presence.onLost(() => resolve()));
  await cut();
  await dropped;
  await presence.close();
  expect(presence.held).toBe(false);
  await until('no key is left', async () => (await aliveKeys()).length === 0);
});

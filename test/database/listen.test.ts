import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { connect, type Database } from '../../src/database/connect.js';
import {
  ACCOUNTS_CHANNEL,
  createHinter,
  type Listener,
  listen,
  RING_CHANNEL,
} from '../../src/database/listen.js';
import { systemTime } from '../../src/time.js';
import { fakeTime } from '../helpers/fake-time.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

let database: TestDatabase;
let db: Database;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await createDatabase();
  db = await connect({ url: database.url, max: 5, applicationName: 'test', onError: () => undefined });
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

/** A listener with a count per channel; resolves once it listens, which calls every handler. */
async function counted(url = database.url) {
  const calls = { ring: 0, accounts: 0 };
  const errors: string[] = [];
  const listener = listen({
    url,
    time: systemTime,
    handlers: { [RING_CHANNEL]: () => void calls.ring++, [ACCOUNTS_CHANNEL]: () => void calls.accounts++ },
    onError: ({ message }) => void errors.push(message),
  });
  closers.push(() => listener.close());
  await until('it listens', () => calls.ring === 1 && calls.accounts === 1);
  return { calls, errors, listener };
}

const notify = (channel: string) => db.query(`select pg_notify('${channel}', '')::text as sent`);

const connections = async (): Promise<number> => {
  const rows = await db.query(
    `select pid from pg_stat_activity where datname = current_database() and application_name = 'packline listen'`,
  );
  return rows.length;
};

describe('listening', () => {
  test('hears hints of other connections, each on its channel', async () => {
    const { calls } = await counted();
    await notify(RING_CHANNEL);
    await until('the hint has come', () => calls.ring === 2);
    await notify(ACCOUNTS_CHANNEL);
    await until('the hint has come', () => calls.accounts === 2);
    expect(calls).toEqual({ ring: 2, accounts: 2 });
  });

  test('reconnects after its connection was ended, and calls every handler for what it has missed', async () => {
    const { calls, errors } = await counted();
    await db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'packline listen'`,
    );
    await until('every handler was called again', () => calls.ring === 2 && calls.accounts === 2);
    expect(errors).not.toEqual([]);
    await notify(RING_CHANNEL);
    await until('it hears again', () => calls.ring === 3);
    expect(await connections()).toBe(1);
  });

  test('leaves no connection behind where it cannot listen', async () => {
    const errors: string[] = [];
    const time = fakeTime();
    const listener = listen({
      url: database.url,
      time,
      // A name that needs quotes: the statement fails, the connection does not.
      handlers: { 'no-channel': () => undefined },
      onError: ({ message }) => void errors.push(message),
    });
    for (let tried = 1; tried <= 4; tried += 1) {
      await time.whenAsleep();
      expect(errors).toHaveLength(tried);
      time.advance(1_000);
    }
    await listener.close();
    await until('its connections are gone', async () => (await connections()) === 0);
  });

  test('ends its connection when it closes, and hears nothing any more', async () => {
    const { calls, listener } = await counted();
    await listener.close();
    await until('its connection is gone', async () => (await connections()) === 0);
    await notify(RING_CHANNEL);
    expect(calls.ring).toBe(1);
  });

  test('closes at once while it is still connecting, and calls nobody then', async () => {
    const heard: string[] = [];
    const never: Listener = listen({
      url: database.url,
      time: systemTime,
      handlers: { [RING_CHANNEL]: () => void heard.push('a hint') },
      onError: ({ message }) => void heard.push(message),
    });
    await never.close();
    await until('its connection is gone', async () => (await connections()) === 0);
    expect(heard).toEqual([]);
  });

  test('closes while the database answers nothing at all', async () => {
    const sockets: Socket[] = [];
    const silent: Server = createServer((socket) => void sockets.push(socket.resume()));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const url = `postgresql://nobody@127.0.0.1:${port}/none`;
    const listener = listen({ url, time: systemTime, handlers: {}, onError: () => undefined });
    await until('it has connected', () => sockets.length === 1);
    const start = systemTime.clock.monotonic();
    const closed = listener.close();
    await closed;
    expect(systemTime.clock.monotonic() - start).toBeLessThan(2_000);
    silent.close();
  });

  test('goes on trying while there is no database', async () => {
    const time = fakeTime();
    const errors: string[] = [];
    const url = 'postgresql://nobody@127.0.0.1:1/none';
    const listener = listen({ url, time, handlers: {}, onError: ({ message }) => void errors.push(message) });
    for (let tried = 1; tried <= 3; tried += 1) {
      await time.whenAsleep();
      expect(errors).toHaveLength(tried);
      time.advance(1_000);
    }
    await listener.close();
  });
});

describe('hints', () => {
  function hinter(notifying: () => Promise<unknown> = async () => undefined) {
    const time = fakeTime();
    const seen = { local: 0, sent: 0, errors: 0 };
    const { hint } = createHinter({
      time,
      notify: () => {
        seen.sent += 1;
        return notifying();
      },
      local: () => void seen.local++,
      onError: () => void seen.errors++,
    });
    return { time, seen, hint };
  }

  test('are told to this process at once, and to the others as one', async () => {
    const { time, seen, hint } = hinter();
    for (let n = 0; n < 500; n += 1) hint();
    expect(seen).toEqual({ local: 500, sent: 0, errors: 0 });
    time.advance(5);
    await until('they are sent', () => seen.sent === 1);
    hint();
    time.advance(5);
    await until('the later one is sent', () => seen.sent === 2);
    expect(seen).toEqual({ local: 501, sent: 2, errors: 0 });
  });

  test('that come while one is being sent are sent after it', async () => {
    const { time, seen, hint } = hinter(() => new Promise(() => undefined));
    hint();
    time.advance(5);
    await until('the first is on its way', () => seen.sent === 1);
    hint();
    time.advance(5);
    await until('the second follows', () => seen.sent === 2);
  });

  test('that cannot be sent are no exception, and the next one is sent', async () => {
    const { time, seen, hint } = hinter(() => Promise.reject(new Error('no database')));
    hint();
    time.advance(5);
    await until('it has failed', () => seen.errors === 1);
    hint();
    time.advance(5);
    await until('the next one was tried', () => seen.errors === 2);
    expect(seen.sent).toBe(2);
  });

  test('reach a listener of another process', async () => {
    const { calls } = await counted();
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    const { hint } = createHinter({
      time: systemTime,
      notify: () => other.query(`select pg_notify('${RING_CHANNEL}', '')`),
      local: () => undefined,
      onError: () => undefined,
    });
    for (let n = 0; n < 100; n += 1) hint();
    await until('the hint has come', () => calls.ring > 1);
    await other.end();
    expect(calls.ring).toBe(2);
  });
});

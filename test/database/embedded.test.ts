import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { isAlive } from '../../src/database/embedded/processes.js';
import {
  DataFolderInUse,
  type EmbeddedPostgres,
  EmbeddedUnavailable,
  startEmbedded,
} from '../../src/database/embedded.js';
import { systemTime } from '../../src/time.js';
import { type Child, startChild } from '../helpers/child.js';
import { temporaryFolder } from '../helpers/temporary.js';
import { until } from '../helpers/until.js';

const CHILD = fileURLToPath(new URL('./children/embedded.ts', import.meta.url));

let folder: { path: string; remove(): Promise<void> };
let dataDir: string;
let said: string[];
let running: { stop(): Promise<void> }[];

beforeAll(async () => {
  folder = await temporaryFolder('embedded');
  dataDir = path.join(folder.path, 'data');
});
afterAll(() => folder.remove());
beforeEach(() => {
  said = [];
  running = [];
});
afterEach(async () => {
  // A test that failed halfway leaves its servers to this.
  for (const each of running.reverse()) await each.stop();
});

async function start(purpose: 'owner' | 'client' = 'owner', where = dataDir): Promise<EmbeddedPostgres> {
  const embedded = await startEmbedded({
    dataDir: where,
    purpose,
    log: (line) => said.push(line),
    time: systemTime,
  });
  running.push(embedded);
  return embedded;
}

/** Starts a packline of its own process, and waits until it has its database or was refused. */
async function startElsewhere(purpose: 'owner' | 'client'): Promise<{ child: Child; answer: string }> {
  const child = startChild(CHILD, [dataDir, purpose]);
  const [answer] = await child.line(/^(ready|refused) .*$/m);
  return { child, answer };
}

async function query(url: string, sql: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query<string[]>({ text: sql, rowMode: 'array' });
    return result.rows.flat();
  } finally {
    await client.end();
  }
}

async function serverPid(where = dataDir): Promise<number> {
  const text = await readFile(path.join(where, 'postgres', 'postmaster.pid'), 'utf8');
  return Number(text.split('\n')[0]);
}

const portOf = (embedded: EmbeddedPostgres) => Number(new URL(embedded.url).port);

test('data survives a restart, on the same port, and stopping ends the server', async () => {
  const first = await start();
  expect(first.adopted).toBe(false);
  expect(first.url).toMatch(/^postgresql:\/\/packline:[0-9a-f]{48}@127\.0\.0\.1:\d+\/packline$/);
  await query(first.url, 'create table kept as select 42 as n');
  const pid = await serverPid();
  await first.stop();
  expect(await isAlive(pid)).toBe(false);

  const second = await start();
  expect(second.url).toBe(first.url);
  expect(await query(second.url, 'select n from kept')).toEqual([42]);
  await second.stop();
  await second.stop();
});

test('the server is durable, local and asks for a password that only its owner can read', async () => {
  const embedded = await start();
  const settings = ['fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'max_connections'];
  const values = await Promise.all(settings.map((name) => query(embedded.url, `show ${name}`)));
  expect(values.flat()).toEqual(['on', 'on', 'on', '127.0.0.1', '200']);
  expect((await stat(path.join(dataDir, 'postgres-password'))).mode & 0o777).toBe(0o600);
  const wrong = new URL(embedded.url);
  wrong.password = 'guess';
  await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password/);
  await embedded.stop();
});

test('a server left behind by kill -9 of packline and its process group is adopted', async () => {
  const { child, answer } = await startElsewhere('owner');
  const url = answer.split(' ')[1] ?? '';
  await query(url, 'create table committed as select 1 as n');
  const pid = await serverPid();
  await child.kill('SIGKILL', { group: true });
  expect(await isAlive(pid)).toBe(true);

  const embedded = await start();
  expect(embedded.adopted).toBe(true);
  expect(embedded.url).toBe(url);
  expect(await serverPid()).toBe(pid);
  expect(await query(embedded.url, 'select n from committed')).toEqual([1]);
  await embedded.stop();
  expect(await isAlive(pid)).toBe(false);
});

test('a second living owner is refused with the pid of the first, and does it no harm', async () => {
  const { child, answer } = await startElsewhere('owner');
  const refusal = await start().catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(DataFolderInUse);
  expect(refusal).toMatchObject({ pid: child.pid, message: expect.stringContaining(`pid ${child.pid}`) });
  expect(await query(answer.split(' ')[1] ?? '', 'select 1')).toEqual([1]);
  await child.finish();
  expect(child.output()).not.toContain('Error');
});

test('a client starts the server where none runs, and stops it when it leaves', async () => {
  const client = await start('client');
  const pid = await serverPid();
  expect(client.adopted).toBe(false);
  expect(await query(client.url, 'select 1')).toEqual([1]);
  await client.stop();
  expect(await isAlive(pid)).toBe(false);
});

test('a client of a running owner leaves the server running', async () => {
  const owner = await start('owner');
  const client = await start('client');
  expect(client.adopted).toBe(true);
  expect(client.url).toBe(owner.url);
  await client.stop();
  expect(await query(owner.url, 'select 1')).toEqual([1]);
  await owner.stop();
});

test('whoever started the server, the last one to leave stops it', async () => {
  const client = await start('client');
  const { child, answer } = await startElsewhere('owner');
  expect(answer).toMatch(/adopted=true$/);
  const pid = await serverPid();
  await client.stop();
  expect(await isAlive(pid)).toBe(true);
  const other = await start('client');
  await child.finish();
  expect(await query(other.url, 'select 1')).toEqual([1]);
  await other.stop();
  expect(await isAlive(pid)).toBe(false);
});

test('many that start at the same moment on an empty folder share one server', async () => {
  const where = path.join(folder.path, 'crowd');
  const crowd = await Promise.all(
    (['client', 'owner', 'client', 'client'] as const).map((purpose) => start(purpose, where)),
  );
  expect(new Set(crowd.map((each) => each.url)).size).toBe(1);
  const pid = await serverPid(where);
  await Promise.all(crowd.map((each) => each.stop()));
  expect(await isAlive(pid)).toBe(false);
});

test('one that starts while another stops gets a server all the same', async () => {
  let current = await start('client');
  for (let round = 0; round < 5; round += 1) {
    const [, next] = await Promise.all([current.stop(), start('client')]);
    expect(await query(next.url, 'select 1')).toEqual([1]);
    current = next;
  }
  await current.stop();
});

test('another port is taken when somebody else has the former one', async () => {
  const first = await start();
  await first.stop();
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(portOf(first), '127.0.0.1', resolve));
  const second = await start();
  expect(portOf(second)).not.toBe(portOf(first));
  expect(await query(second.url, 'select n from kept')).toEqual([42]);
  await second.stop();
  await new Promise((resolve) => squatter.close(resolve));
  const third = await start();
  expect(third.url).toBe(second.url);
  await third.stop();
});

/** Leaves the folder as a power cut would: data, and the state file of a server that is not there. */
async function pretendCrash(pidInFile: number): Promise<void> {
  const file = path.join(dataDir, 'postgres', 'postmaster.pid');
  const embedded = await start();
  const text = await readFile(file, 'utf8');
  await embedded.stop();
  await writeFile(file, text.replace(/^\d+/, String(pidInFile)));
}

test('the state file of a server that is dead does not matter', async () => {
  const { child } = await startElsewhere('client');
  await child.kill('SIGKILL');
  const orphan = await start();
  await orphan.stop();
  await pretendCrash(child.pid);
  const embedded = await start();
  expect(embedded.adopted).toBe(false);
  expect(await query(embedded.url, 'select n from kept')).toEqual([42]);
  await embedded.stop();
});

test('the state file may name a process that is alive and something else', async () => {
  const other = path.join(folder.path, 'other');
  const bystander = startChild(CHILD, [other, 'client']);
  await bystander.line(/^ready/m);
  await pretendCrash(bystander.pid);
  const embedded = await start();
  expect(embedded.adopted).toBe(false);
  await embedded.stop();
  await bystander.finish();
});

test('a server that is lost while in use is brought back under the same address', async () => {
  const embedded = await start();
  process.kill(await serverPid(), 'SIGQUIT');
  await until('the server is back', () => said.some((line) => line.includes('bringing it back')));
  const rows = await until('the database answers', () =>
    query(embedded.url, 'select n from kept').catch(() => null),
  );
  expect(rows).toEqual([42]);
  // Ownership came back with it.
  const { child, answer } = await startElsewhere('owner');
  expect(answer).toBe(`refused pid=${process.pid}`);
  await child.finish();
  await embedded.stop();
});

describe('says in one paragraph what to do when', () => {
  test('the data is of another major version', async () => {
    const version = path.join(dataDir, 'postgres', 'PG_VERSION');
    const right = await readFile(version, 'utf8');
    await writeFile(version, '17\n');
    const refusal = await start().catch((error: unknown) => error);
    await writeFile(version, right);
    expect(refusal).toBeInstanceOf(EmbeddedUnavailable);
    expect(String(refusal)).toMatch(/made by PostgreSQL 17, .* version 18;.*pg_dump.*DATABASE_URL/);
  });

  test('the password does not fit, or is gone', async () => {
    const file = path.join(dataDir, 'postgres-password');
    const right = await readFile(file, 'utf8');
    await writeFile(file, 'not it');
    await expect(start()).rejects.toThrow(/does not accept the password in .*postgres-password/);
    // The server that was started for this is gone again.
    await expect(serverPid()).rejects.toThrow(/ENOENT/);
    await rm(file);
    await expect(start()).rejects.toThrow(/postgres-password is gone/);
    await writeFile(file, right, { mode: 0o600 });
    const embedded = await start();
    await embedded.stop();
  });

  test('root is locked in, unless it may run PostgreSQL in a user namespace', async () => {
    const closed = await temporaryFolder('closed');
    await chmod(closed.path, 0o700);
    const inside = path.join(closed.path, 'data');
    const result = await start('owner', inside).catch((error: unknown) => error);
    if (result instanceof Error) {
      expect(result).toBeInstanceOf(EmbeddedUnavailable);
      expect(result.message).toMatch(/Set DATABASE_URL .* ordinary user, or move/);
    } else {
      expect((await stat(path.join(inside, 'postgres'))).uid).toBe(process.getuid?.());
      await running.pop()?.stop();
    }
    await closed.remove();
  });
});

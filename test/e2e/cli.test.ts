/** The command line as people use it: one command on an empty folder, and verbs beside it. Needs a build (`npm test` makes one). */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isAlive } from '../../src/database/embedded/processes.js';
import { systemTime } from '../../src/time.js';
import type { AccountJson, DeadLetterJson, OrderJson } from '../../src/views.js';
import { type Client, clientOf } from '../helpers/client.js';
import { orderBody } from '../helpers/packline.js';
import { type Program, runCli, startCli } from '../helpers/program.js';
import { API_SECRET, fromEnvironment, startSimulator, type TestSimulator } from '../helpers/simulator.js';
import { temporaryFolder } from '../helpers/temporary.js';

const is = (wanted: string) => (order: OrderJson) => order.status === wanted;

/** The first order is fulfilled within 5 s of `up`, which is ready within 10 s. */
const READY_MS = 10_000;
const FIRST_ORDER_MS = 5_000;
// On an idle machine of two cores the program prints its version within this, ms; these tests are not alone.
const IDLE_START_MS = 700;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let simulator: TestSimulator;
let env: Record<string, string>;
let up: Program;
let client: Client;
/** How many times slower than idle this machine is just now; at least 1. */
let slowness: number;

const inFolder = (name: string) => path.join(folder.path, name);
const cli = (args: string[], input?: string) =>
  runCli(args, env, { cwd: folder.path, ...(input === undefined ? {} : { input }) });
/** A verb that must succeed; the JSON that it prints. */
async function answered<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await cli([...args, '--json']);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  // The shape is the HTTP twin's; each test names it.
  return JSON.parse(stdout) as T;
}

/** Starts `packline up` and waits until it says that it is ready. */
async function startUp(): Promise<void> {
  up = startCli(['up'], env, { cwd: folder.path });
  const [, url = ''] = await up.line(/^packline ready (http:\/\/127\.0\.0\.1:\d+)$/m, READY_MS * slowness);
  const key = await readFile(inFolder('data/api-key'), 'utf8');
  client = clientOf(url, key.trim());
}

/** Process id of the embedded PostgreSQL, as its own state file has it. */
async function postgresPid(): Promise<number> {
  return Number((await readFile(inFolder('data/postgres/postmaster.pid'), 'utf8')).split('\n')[0]);
}

beforeAll(async () => {
  [folder, simulator] = await Promise.all([temporaryFolder('cli'), startSimulator()]);
  env = {
    PORT: '0',
    PACKLINE_DATA_DIR: inFolder('data'),
    PACKLINE_ACCOUNTS: inFolder('accounts.json'),
    GELATO_SECRET: API_SECRET,
  };
  const account = simulator.account('gelato', {
    credentials: { apiSecret: fromEnvironment('GELATO_SECRET') },
  });
  await writeFile(inFolder('accounts.json'), JSON.stringify({ accounts: [account] }));
  const started = systemTime.clock.monotonic();
  await cli(['--version']);
  slowness = Math.max(1, (systemTime.clock.monotonic() - started) / IDLE_START_MS);
});

afterAll(async () => {
  // Not there if the very first start has failed.
  await (client as Client | undefined)?.close();
  await simulator.stop();
  await folder.remove();
});

test('one command on an empty folder is ready in time, and fulfils the first order in time', async () => {
  await startUp();
  expect((await client.ask('GET', '/readyz', { key: null })).status).toBe(200);
  const sent = await client.expecting<OrderJson>(201, 'POST', '/v1/orders', orderBody('gelato', 'A-1'));
  await client.orderWhen(sent.id, 'submitted', is('submitted'), FIRST_ORDER_MS * slowness);
  expect(await simulator.orders('A-1')).toHaveLength(1);
  // Where the key lies is said once; the key itself never is.
  expect(up.stderr()).toContain(inFolder('data/api-key'));
  expect(up.stderr()).not.toContain((await readFile(inFolder('data/api-key'), 'utf8')).trim());
  expect(up.stdout()).toBe(`packline ready ${/http\S+/.exec(up.stdout())?.[0]}\n`);
});

test('a second one on the same folder is refused and names the first', async () => {
  const second = await cli(['up']);
  expect(second).toMatchObject({ code: 1, stdout: '' });
  expect(second.stderr).toContain(`pid ${up.pid}`);
  expect(second.stderr.trim().split('\n')).toHaveLength(1);
});

test('the verbs work beside the running one', async () => {
  const file = [
    orderBody('gelato', 'F-1'),
    orderBody('gelato', 'F-2'),
    orderBody('gelato', 'F-3', { currency: 'nonsense' }),
  ];
  await writeFile(inFolder('orders.json'), JSON.stringify(file));
  const submitted = await cli(['orders', 'submit', 'orders.json', '--json']);
  // One was refused: the others are in, and the exit code says that not all are.
  expect(submitted.code).toBe(1);
  expect(JSON.parse(submitted.stdout)).toMatchObject({
    results: [{ status: 201 }, { status: 201 }, { status: 422 }],
  });
  expect(submitted.stderr).toContain('/currency');

  const [listed, accounts, shown] = await Promise.all([
    answered<{ orders: OrderJson[] }>('orders', 'list'),
    answered<{ accounts: AccountJson[] }>('accounts', 'list'),
    cli(['orders', 'show', 'gelato/A-1']),
  ]);
  expect(listed.orders.map(({ reference }) => reference).sort()).toEqual(['A-1', 'F-1', 'F-2']);
  expect(accounts.accounts).toEqual([expect.objectContaining({ id: 'gelato', state: 'active' })]);
  expect(shown).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/A-1[\s\S]*submitted[\s\S]*order\.received/),
  });

  for (const { id } of listed.orders) await client.orderWhen(id, 'submitted', is('submitted'));
  for (const reference of ['A-1', 'F-1']) await simulator.advance(reference, 'delivered');
  const [synced, canceled] = [await cli(['sync', '--timeout', '20']), await cli(['orders', 'cancel', 'F-2'])];
  expect(synced).toMatchObject({ code: 0, stdout: expect.stringContaining('succeeded') });
  expect(canceled.code).toBe(0);
  const ends = { 'A-1': 'delivered', 'F-1': 'delivered', 'F-2': 'canceled' };
  for (const { id, reference } of listed.orders) {
    const end = Object.entries(ends).find(([name]) => name === reference)?.[1] ?? '';
    await client.orderWhen(id, end, is(end));
  }
});

test('many orders come in from standard input, with progress on stderr', async () => {
  const lines = Array.from({ length: 120 }, (_, n) => JSON.stringify(orderBody('gelato', `N-${n}`)));
  const submitted = await cli(['orders', 'submit', '-'], lines.join('\n'));
  expect(submitted.code).toBe(0);
  expect(submitted.stdout).toMatch(/120\s+0\s+0/);
  expect(submitted.stderr).toMatch(/120/);
  const { orders } = await answered<{ orders: OrderJson[] }>('orders', 'list', '--limit', '500');
  const mine = orders.filter(({ reference }) => reference.startsWith('N-'));
  expect(mine).toHaveLength(120);
  for (const { id } of mine) await client.orderWhen(id, 'submitted', is('submitted'), 20_000);
  expect(await simulator.orders()).toHaveLength(123);
});

test('a dead letter is listed and replayed', async () => {
  await simulator.fault({ match: { verb: 'submit' }, times: 1, do: { status: 404 } });
  const sent = await client.expecting<OrderJson>(201, 'POST', '/v1/orders', orderBody('gelato', 'L-1'));
  const { id } = await client.letterOf(sent);
  const { deadLetters } = await answered<{ deadLetters: DeadLetterJson[] }>('dead-letters', 'list');
  expect(deadLetters).toEqual([expect.objectContaining({ id, reference: 'L-1', code: 'misconfigured' })]);
  expect((await cli(['dead-letters', 'replay', id, '--reason', 'mended'])).code).toBe(0);
  await client.orderWhen(sent.id, 'submitted', is('submitted'));
  const late = await cli(['dead-letters', 'discard', id, '--reason', 'too late']);
  expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining('replayed') });
});

test('a kill -9 leaves the database, which the next one takes over with everything in it', async () => {
  const database = await postgresPid();
  await simulator.fault({ match: { verb: 'submit' }, times: 1, do: { delayMs: 400 } });
  const sent = await client.expecting<OrderJson>(201, 'POST', '/v1/orders', orderBody('gelato', 'K-1'));
  up.kill('SIGKILL');
  await up.ended;
  await client.close();
  expect(await isAlive(database)).toBe(true);

  await startUp();
  expect(await postgresPid()).toBe(database);
  // Whatever had become of its call: it is there once.
  await client.orderWhen(sent.id, 'submitted', is('submitted'), 25_000);
  expect(await simulator.orders('K-1')).toHaveLength(1);
  const { orders } = await client.expecting<{ orders: OrderJson[] }>(200, 'GET', '/v1/orders?limit=500');
  expect(orders).toHaveLength(125);
  // The keys are the same ones, so nobody is told of new ones.
  expect(up.stderr()).not.toContain('api-key');
});

test('told to stop, it ends with 0 and takes the database along', async () => {
  const database = await postgresPid();
  up.kill('SIGTERM');
  expect(await up.ended).toEqual({ code: 0, signal: null });
  expect(await isAlive(database)).toBe(false);
});

test('a verb with nothing running starts the database for as long as it lasts', async () => {
  const { orders } = await answered<{ orders: OrderJson[] }>('orders', 'list', '--reference', 'A-1');
  expect(orders).toEqual([expect.objectContaining({ status: 'delivered' })]);
  await expect(postgresPid()).rejects.toThrow('ENOENT');
});

test('a start that fails leaves nothing running', async () => {
  await writeFile(inFolder('broken.json'), '{"accounts": {}}');
  const failed = await cli(['up', '--accounts', 'broken.json']);
  expect(failed).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('  /accounts  ') });
  await expect(postgresPid()).rejects.toThrow('ENOENT');
});

/** Roles in processes of their own, and what each says to those who start them wrongly. Needs a build. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { OrderJson } from '../../src/views.js';
import { clientOf, KEY } from '../helpers/client.js';
import { BACKENDS, createStage, orderBody, type Stage } from '../helpers/packline.js';
import { runCli, startCli } from '../helpers/program.js';
import { fromEnvironment, startSimulator, type TestSimulator } from '../helpers/simulator.js';
import { temporaryFolder } from '../helpers/temporary.js';

const is = (wanted: string) => (order: OrderJson) => order.status === wanted;
const READY = /"event":"process.ready","url":"(http:[^"]+)"/;
const WAITING = /"event":"migrate.waiting".*packline migrate/;
const VERBS = ['api', 'dispatch', 'work', 'maintain'] as const;

const stages: Stage[] = [];
const simulators: TestSimulator[] = [];
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

/** Writes an accounts file; returns its path. */
async function accountsFile(name: string, content: unknown): Promise<string> {
  const file = path.join(folder.path, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

async function stageOf(...args: Parameters<typeof createStage>): Promise<Stage> {
  const stage = await createStage(...args);
  stages.push(stage);
  return stage;
}

beforeAll(async () => {
  folder = await temporaryFolder('roles');
});

afterAll(async () => {
  await Promise.all(simulators.map((simulator) => simulator.stop()));
  await Promise.all(stages.map((stage) => stage.remove()));
  await folder.remove();
});

test.concurrent.each(BACKENDS)(
  'each role waits for the migrations, says so, and then does its part (%s)',
  async (backend) => {
    const { env } = await stageOf(backend, { empty: true });
    const simulator = await startSimulator();
    simulators.push(simulator);
    const roles = VERBS.map((verb) => startCli([verb], env));
    for (const role of roles) await role.line(WAITING);

    const migrated = await runCli(['migrate'], env);
    expect(migrated).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Applied \d+_init$/m) });
    const urls: string[] = [];
    for (const role of roles) urls.push((await role.line(READY))[1] ?? '');
    for (const url of urls) {
      for (const health of ['/healthz', '/readyz']) {
        expect((await fetch(url + health)).status).toBe(200);
      }
    }
    // Only the API takes orders.
    expect(await Promise.all(urls.map(async (url) => (await fetch(`${url}/v1/orders`)).status))).toEqual([
      401, 404, 404, 404,
    ]);

    const file = await accountsFile(`accounts-${backend}.json`, { accounts: [simulator.account('gelato')] });
    const applied = await runCli(['accounts', 'apply', file, '--json'], env);
    expect(JSON.parse(applied.stdout)).toEqual({ accounts: [{ id: 'gelato', change: 'created' }] });
    const api = clientOf(urls[0] ?? '', KEY);
    const sent = await api.expecting<OrderJson>(201, 'POST', '/v1/orders', orderBody('gelato', 'R-1'));
    await api.orderWhen(sent.id, 'submitted', is('submitted'));
    await simulator.advance('R-1', 'delivered');
    await api.expecting(202, 'POST', '/v1/sync');
    await api.orderWhen(sent.id, 'delivered', is('delivered'));
    await api.close();

    expect(await runCli(['migrate'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Nothing to apply'),
    });
    for (const role of roles) role.kill('SIGTERM');
    for (const role of roles) expect(await role.ended).toEqual({ code: 0, signal: null });
  },
);

test.concurrent('a role that is told to stop while it waits for migrations ends with 0', async () => {
  const { env } = await stageOf('postgres', { empty: true });
  const role = startCli(['work'], env);
  await role.line(WAITING);
  role.kill('SIGTERM');
  expect(await role.ended).toEqual({ code: 0, signal: null });
});

test.concurrent.each(['up', 'orders list'])(
  'a broken environment is told on one screen, and nothing starts (%s)',
  async (verb) => {
    const secret = 'short-secret';
    const broken = await runCli(verb.split(' '), {
      DATABASE_URL: 'mysql://root:geheim@db/shop',
      REDIS_URL: 'http://cache',
      PORT: 'eighty',
      LOG_LEVEL: 'loud',
      PACKLINE_API_KEY: secret,
      PACKLINE_ALERT_WEBHOOK_URL: 'http://alerts.example/hook',
      PACKLINE_EVENTS_WEBHOOK_URL: 'https://events.example/hook',
    });
    expect(broken).toMatchObject({ code: 2, stdout: '' });
    for (const name of [
      'DATABASE_URL',
      'REDIS_URL',
      'PORT',
      'LOG_LEVEL',
      'PACKLINE_API_KEY',
      'PACKLINE_ENCRYPTION_KEY',
      'PACKLINE_ALERT_WEBHOOK_URL',
      'PACKLINE_EVENTS_WEBHOOK_SECRET',
    ]) {
      expect(broken.stderr).toContain(`  ${name} `);
    }
    expect(broken.stderr).not.toContain(secret);
    expect(broken.stderr).not.toContain('geheim');
    // A terminal's screen.
    expect(broken.stderr.trim().split('\n').length).toBeLessThanOrEqual(24);
  },
);

test.concurrent('an accounts file with mistakes is told with all of them, each at its place', async () => {
  const { env } = await stageOf('postgres');
  const simulator = await startSimulator();
  simulators.push(simulator);
  const good = simulator.account('good');
  const remote = simulator.account('remote', { config: { submitUrl: 'http://connect.example/api/order' } });
  const file = await accountsFile('broken.json', {
    accounts: [
      good,
      remote,
      { ...simulator.account('Capitals'), provider: 'nobody' },
      { ...simulator.account('bare'), credentials: { apiKey: fromEnvironment('NOT_SET') } },
    ],
  });
  const refused = await runCli(['up', '--accounts', file], env);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  for (const pointer of [
    '/accounts/1/config/submitUrl',
    '/accounts/2/id',
    '/accounts/2/provider',
    '/accounts/3/credentials/apiKey',
    '/accounts/3/credentials/apiSecret',
  ]) {
    expect(refused.stderr).toContain(`  ${pointer}  `);
  }
  expect(refused.stderr).toContain('NOT_SET');
  // All or nothing.
  expect(JSON.parse((await runCli(['accounts', 'list', '--json'], env)).stdout)).toEqual({ accounts: [] });

  const only = await accountsFile('remote.json', { accounts: [remote] });
  const plain = await runCli(['accounts', 'apply', only], env);
  expect(plain).toMatchObject({ code: 1, stderr: expect.stringContaining('/accounts/0/config/submitUrl') });
  const allowed = await runCli(['accounts', 'apply', only], {
    ...env,
    PACKLINE_ALLOW_HTTP_HOSTS: 'connect.example',
  });
  expect(allowed.code).toBe(0);
});

test.concurrent('an accounts file that cannot be read is told in one sentence', async () => {
  const { env } = await stageOf('postgres');
  const missing = await runCli(['up'], { ...env, PACKLINE_ACCOUNTS: '/nowhere/accounts.json' });
  expect(missing).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/\/nowhere\/accounts\.json: there is no such file/),
  });
  const file = await accountsFile('torn.json', '{"accounts": [\n  {"id": "x",}\n]}');
  const torn = await runCli(['up'], { ...env, PACKLINE_ACCOUNTS: file });
  expect(torn).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/not JSON: expected .* at line 2, column/),
  });
});

test.concurrent('a port that is taken is told in one sentence, and nothing is left running', async () => {
  const { env } = await stageOf('postgres');
  const simulator = await startSimulator();
  simulators.push(simulator);
  const taken = await runCli(['up', '--port', new URL(simulator.url).port], env);
  expect(taken).toMatchObject({ code: 2, stdout: '' });
  expect(taken.stderr).toContain(`port ${new URL(simulator.url).port}: another program listens there`);
});

test.concurrent('wrong use has exit code 2, and help has 0', async () => {
  const [unknown, option, help, bare] = await Promise.all([
    runCli(['fly'], {}),
    runCli(['orders', 'list', '--limit', 'many'], {}),
    runCli(['orders', 'submit', '--help'], {}),
    runCli(['orders', 'submit', '/nowhere/orders.json'], {}),
  ]);
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(option).toMatchObject({ code: 2, stdout: '' });
  expect(help).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining('packline orders submit orders.ndjson'),
  });
  expect(bare).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('there is no such file'),
  });
});

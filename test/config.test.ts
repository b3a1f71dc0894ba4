import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, readConfig, resolveKeys } from '../src/config.js';
import { UnusableKeyFile } from '../src/keys.js';
import { startChild } from './helpers/child.js';
import { temporaryFolder } from './helpers/temporary.js';

const KEY_32 = Buffer.alloc(32, 7).toString('base64');

function configOf(env: Record<string, string | undefined>): Config {
  const read = readConfig(env);
  if (!read.ok) throw new Error(read.message);
  return read.config;
}

function messageOf(env: Record<string, string | undefined>): string {
  const read = readConfig(env);
  if (read.ok) throw new Error('it was accepted');
  return read.message;
}

function warningsOf(env: Record<string, string | undefined>): string[] {
  const read = readConfig(env);
  return read.ok ? read.warnings : [];
}

describe('readConfig', () => {
  test('an empty environment means embedded, on loopback', () => {
    expect(configOf({})).toEqual({
      databaseUrl: null,
      redisUrl: null,
      port: 4000,
      host: '127.0.0.1',
      apiKey: null,
      encryptionKey: null,
      accountsFile: null,
      dataDir: '.packline',
      logLevel: 'info',
      alertWebhookUrl: null,
      slackWebhookUrl: null,
      eventsWebhook: null,
      allowHttpHosts: [],
      retentionDays: 400,
    });
  });

  test('every variable of the contract is read', () => {
    const config = configOf({
      DATABASE_URL: 'postgresql://packline:p%40ss@db:5432/shop',
      REDIS_URL: 'rediss://:secret@cache:6379/1',
      PORT: '0',
      HOST: '0.0.0.0',
      PACKLINE_API_KEY: 'k'.repeat(24),
      PACKLINE_ENCRYPTION_KEY: KEY_32,
      PACKLINE_ACCOUNTS: './accounts.json',
      PACKLINE_DATA_DIR: '/var/lib/packline',
      LOG_LEVEL: 'DEBUG',
      PACKLINE_ALERT_WEBHOOK_URL: 'https://alerts.example/x',
      PACKLINE_SLACK_WEBHOOK_URL: 'http://127.0.0.1:9/x',
      PACKLINE_EVENTS_WEBHOOK_URL: 'http://shop/hooks',
      PACKLINE_EVENTS_WEBHOOK_SECRET: `whsec_${KEY_32}`,
      PACKLINE_ALLOW_HTTP_HOSTS: 'Shop, 10.0.0.5,[FD00::1],',
      PACKLINE_RETENTION_DAYS: '0',
    });
    expect(config).toEqual({
      databaseUrl: 'postgresql://packline:p%40ss@db:5432/shop',
      redisUrl: 'rediss://:secret@cache:6379/1',
      port: 0,
      host: '0.0.0.0',
      apiKey: 'k'.repeat(24),
      encryptionKey: Buffer.alloc(32, 7),
      accountsFile: './accounts.json',
      dataDir: '/var/lib/packline',
      logLevel: 'debug',
      alertWebhookUrl: 'https://alerts.example/x',
      slackWebhookUrl: 'http://127.0.0.1:9/x',
      eventsWebhook: { url: 'http://shop/hooks', secret: `whsec_${KEY_32}` },
      allowHttpHosts: ['shop', '10.0.0.5', 'fd00::1'],
      retentionDays: 0,
    });
  });

  test('an empty or blank variable counts as absent, and white space around a value is none of it', () => {
    expect(configOf({ PORT: '', DATABASE_URL: '  ', PACKLINE_API_KEY: `${'k'.repeat(24)}\n` })).toMatchObject(
      {
        port: 4000,
        databaseUrl: null,
        apiKey: 'k'.repeat(24),
      },
    );
  });

  test('all mistakes are told at once, each with what to write, in one screen', () => {
    const message = messageOf({
      DATABASE_URL: 'mysql://db',
      REDIS_URL: 'cache:6379',
      PORT: '70000',
      HOST: 'http://shop',
      PACKLINE_API_KEY: 'short',
      PACKLINE_ENCRYPTION_KEY: 'AAAA',
      LOG_LEVEL: 'loud',
      PACKLINE_ALERT_WEBHOOK_URL: 'http://alerts.example/x',
      PACKLINE_SLACK_WEBHOOK_URL: 'slack',
      PACKLINE_EVENTS_WEBHOOK_URL: 'https://u:p@shop.example/hooks',
      PACKLINE_EVENTS_WEBHOOK_SECRET: 'whsec_AAAA',
      PACKLINE_ALLOW_HTTP_HOSTS: 'http://simulator:80',
    });
    expect(message).toMatch(/^The environment has 11 mistakes:\n/);
    for (const name of [
      'DATABASE_URL',
      'REDIS_URL',
      'PORT',
      'HOST',
      'PACKLINE_API_KEY',
      'PACKLINE_ENCRYPTION_KEY',
      'LOG_LEVEL',
      'PACKLINE_SLACK_WEBHOOK_URL',
      'PACKLINE_EVENTS_WEBHOOK_URL',
      'PACKLINE_EVENTS_WEBHOOK_SECRET',
      'PACKLINE_ALLOW_HTTP_HOSTS',
    ]) {
      expect(message).toMatch(new RegExp(`^  ${name} [^\\n]+\\.\\n      Write [^\\n]+\\.$`, 'm'));
    }
    // A terminal of 80 columns; two lines each is within any screen.
    expect(message.split('\n').length).toBeLessThanOrEqual(24);
  });

  test('no message shows a value', () => {
    const message = messageOf({
      DATABASE_URL: 'mysql://root:hunter2@db',
      REDIS_URL: 'tcp://:hunter2@cache',
      PACKLINE_API_KEY: 'hunter2',
      PACKLINE_ENCRYPTION_KEY: 'hunter2',
      PACKLINE_EVENTS_WEBHOOK_SECRET: 'hunter2',
      PACKLINE_ALERT_WEBHOOK_URL: 'hunter2',
    });
    expect(message).not.toContain('hunter2');
  });

  test('a database of one’s own needs an encryption key, and the message tells how to make one', () => {
    expect(messageOf({ DATABASE_URL: 'postgres://db/shop' })).toMatch(
      /PACKLINE_ENCRYPTION_KEY is needed where DATABASE_URL is set.*\n.*openssl rand -base64 32/,
    );
  });

  test.each([
    ['PACKLINE_EVENTS_WEBHOOK_URL', 'https://shop.example/hooks', 'PACKLINE_EVENTS_WEBHOOK_SECRET'],
    ['PACKLINE_EVENTS_WEBHOOK_SECRET', `whsec_${KEY_32}`, 'PACKLINE_EVENTS_WEBHOOK_URL'],
  ])('%s alone is a mistake', (name, value, missing) => {
    expect(messageOf({ [name]: value })).toContain(`${missing} is needed`);
  });

  test.each(['-1', '65536', '4000.5', '0x10', 'http'])('PORT %s is refused', (PORT) => {
    expect(messageOf({ PORT })).toContain('PORT');
  });

  test.each([
    ['31 bytes', Buffer.alloc(31).toString('base64')],
    ['33 bytes', Buffer.alloc(33).toString('base64')],
    ['hexadecimal', Buffer.alloc(32, 7).toString('hex')],
    ['something behind it', `${KEY_32} x`],
  ])('an encryption key with %s is refused', (_what, PACKLINE_ENCRYPTION_KEY) => {
    expect(messageOf({ PACKLINE_ENCRYPTION_KEY })).toContain('is not the base64 of 32 bytes');
  });

  test('plain http is refused off this machine, except for the hosts that are named', () => {
    const url = 'http://alerts.internal:8080/x';
    expect(messageOf({ PACKLINE_ALERT_WEBHOOK_URL: url })).toContain('PACKLINE_ALLOW_HTTP_HOSTS');
    expect(
      configOf({ PACKLINE_ALERT_WEBHOOK_URL: url, PACKLINE_ALLOW_HTTP_HOSTS: 'alerts.internal' })
        .alertWebhookUrl,
    ).toBe(url);
    for (const loopback of ['http://localhost/x', 'http://127.8.9.1:99/x', 'http://[::1]:99/x']) {
      expect(configOf({ PACKLINE_ALERT_WEBHOOK_URL: loopback }).alertWebhookUrl).toBe(loopback);
    }
    for (const pretender of [
      'http://127.0.0.1.example/x',
      'http://localhost.example/x',
      'http://0.0.0.0/x',
    ]) {
      expect(messageOf({ PACKLINE_ALERT_WEBHOOK_URL: pretender })).toContain('plain http is refused');
    }
  });

  test('unknown PACKLINE variables are warned about, with the likely name and without their value', () => {
    expect(warningsOf({ PACKLINE_APIKEY: 'hunter2', PACKLINE_FLAVOUR: 'x', PATH: '/bin' })).toEqual([
      'the environment variable PACKLINE_APIKEY is not known and has no effect; did you mean PACKLINE_API_KEY?',
      'the environment variable PACKLINE_FLAVOUR is not known and has no effect',
    ]);
  });
});

describe('resolveKeys', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let count = 0;
  beforeAll(async () => {
    folder = await temporaryFolder('keys');
  });
  afterAll(() => folder.remove());

  function embedded(): Config {
    count += 1;
    return configOf({ PACKLINE_DATA_DIR: path.join(folder.path, `deep/${count}`) });
  }

  test('makes both keys on the first start, says once where they are, and keeps them', async () => {
    const config = embedded();
    const first = await resolveKeys(config);
    const second = await resolveKeys(config);
    expect(second).toEqual({ ...first, generated: [] });
    expect(first.encryptionKey).toHaveLength(32);
    expect(first.apiKey.length).toBeGreaterThanOrEqual(24);
    expect(first.generated).toEqual([
      expect.stringContaining(path.join(config.dataDir, 'api-key')),
      expect.stringContaining(path.join(config.dataDir, 'encryption-key')),
    ]);
    expect(first.generated.join()).not.toContain(first.apiKey);
  });

  test('the files are for their owner alone, and nothing else is left behind', async () => {
    const { dataDir } = embedded();
    await resolveKeys({ ...configOf({}), dataDir });
    expect((await readdir(dataDir)).sort()).toEqual(['api-key', 'encryption-key']);
    for (const name of ['api-key', 'encryption-key']) {
      expect((await stat(path.join(dataDir, name))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  });

  test('processes that start together agree', async () => {
    const { dataDir } = embedded();
    const script = fileURLToPath(new URL('./children/keys.ts', import.meta.url));
    const answers = await Promise.all(
      Array.from({ length: 4 }, async () => (await startChild(script, [dataDir]).line(/^keys .*$/m))[0]),
    );
    expect(new Set(answers).size).toBe(1);
    const config = { ...configOf({}), dataDir };
    const many = await Promise.all(Array.from({ length: 8 }, () => resolveKeys(config)));
    expect(new Set(many.map(({ apiKey }) => apiKey)).size).toBe(1);
  });

  test('configured keys are used, and none is made', async () => {
    const config = { ...embedded(), apiKey: 'k'.repeat(24), encryptionKey: Buffer.alloc(32, 1) };
    expect(await resolveKeys(config)).toEqual({
      apiKey: config.apiKey,
      encryptionKey: config.encryptionKey,
      generated: [],
    });
    await expect(stat(config.dataDir)).rejects.toThrow('ENOENT');
  });

  test('with a database of one’s own only the API key is made', async () => {
    const config = { ...embedded(), databaseUrl: 'postgres://db/shop', encryptionKey: Buffer.alloc(32, 1) };
    expect((await resolveKeys(config)).generated).toHaveLength(1);
    expect(await readdir(config.dataDir)).toEqual(['api-key']);
    await expect(resolveKeys({ ...config, encryptionKey: null })).rejects.toThrow(TypeError);
  });

  test('a key file that holds something else is refused by name, and left as it is', async () => {
    const config = embedded();
    await mkdir(config.dataDir, { recursive: true });
    const file = path.join(config.dataDir, 'encryption-key');
    await writeFile(file, 'hunter2');
    const refused = await resolveKeys(config).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UnusableKeyFile);
    expect(String(refused)).toContain(file);
    expect(String(refused)).not.toContain('hunter2');
    expect(await readFile(file, 'utf8')).toBe('hunter2');
    await writeFile(path.join(config.dataDir, 'api-key'), 'short');
    await expect(resolveKeys(config)).rejects.toThrow('api-key does not hold an API key');
  });
});

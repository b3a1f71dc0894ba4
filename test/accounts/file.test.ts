// biome-ignore-all lint/suspicious/noTemplateCurlyInString: accounts files hold such placeholders
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type AccountSpec, parseAccountsFile, readAccountsFile } from '../../src/accounts/file.js';
import type { Json, JsonObject } from '../../src/json.js';
import { providers } from '../../src/providers/registry.js';
import { temporaryFolder } from '../helpers/temporary.js';
import { gelatoEntry } from './specs.js';

type Env = Record<string, string | undefined>;

const parse = (accounts: Json, env: Env = {}, allowHttpHosts: string[] = []) =>
  parseAccountsFile({ accounts }, env, { providers, allowHttpHosts });

/** What is wrong, as `pointer code` lines. */
function mistakes(accounts: Json, env: Env = {}, allowHttpHosts: string[] = []): string[] {
  const parsed = parse(accounts, env, allowHttpHosts);
  return parsed.ok ? [] : parsed.problems.map(({ pointer, code }) => `${pointer} ${code}`);
}

function only(entry: JsonObject, env: Env = {}, allowHttpHosts: string[] = []): AccountSpec {
  const parsed = parse([entry], env, allowHttpHosts);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const [account] = parsed.accounts;
  if (account === undefined) throw new Error('no account came out');
  return account;
}

/** An entry whose config differs from the right one. */
const withConfig = (config: JsonObject) =>
  gelatoEntry({ config: { ...(gelatoEntry().config as JsonObject), ...config } });

describe('an account that is all right', () => {
  test('comes out with every default filled in', () => {
    expect(only(gelatoEntry())).toEqual({
      id: 'gelato-eu',
      provider: 'gelato-connect',
      mode: 'live',
      config: {
        ...(gelatoEntry().config as JsonObject),
        requestTimeoutMs: 30_000,
        confirm: { graceMs: 5_000, looks: 4, spacingMs: 30_000 },
        exclusive: false,
        webhookHeader: 'X-Packline-Secret',
        preventDuplicate: true,
      },
      credentials: { apiKey: 'key-one', apiSecret: 'secret-one' },
      limits: {},
      policy: {},
      breaker: null,
    });
  });

  test('keeps what it sets itself', () => {
    const spec = only({
      ...withConfig({
        requestTimeoutMs: 1_000,
        confirm: { looks: 2 },
        referencePrefix: 'eu-',
        exclusive: true,
      }),
      limits: { requests: 10, perMs: 1_000 },
      policy: { attempts: 3, backoff: { baseMs: 5 } },
      breaker: { ratio: 0.5 },
    });
    expect(spec.config).toMatchObject({
      requestTimeoutMs: 1_000,
      confirm: { graceMs: 5_000, looks: 2, spacingMs: 30_000 },
      referencePrefix: 'eu-',
      exclusive: true,
    });
    expect(spec).toMatchObject({
      limits: { requests: 10, perMs: 1_000 },
      policy: { attempts: 3, backoff: { baseMs: 5 } },
      breaker: { minCalls: 20, ratio: 0.5 },
    });
    expect(only(gelatoEntry({ breaker: false })).breaker).toBe(false);
  });

  test('a file may hold none, or many', () => {
    expect(parse([])).toEqual({ ok: true, accounts: [] });
    const ids = ['a', 'b-2', '0_c'];
    const parsed = parse(ids.map((id) => gelatoEntry({ id })));
    expect(parsed.ok && parsed.accounts.map(({ id }) => id)).toEqual(ids);
  });
});

describe('${NAME} reads the environment', () => {
  const env = { KEY: 'from-env', HOST: 'connector.example', EMPTY: '', MONEY: '${KEY}' };

  test('in strings at any depth, whole or in part, and what comes in is not read again', () => {
    const spec = only(
      {
        ...withConfig({ submitUrl: 'https://${HOST}/v1/orders' }),
        credentials: {
          apiKey: '${KEY}',
          apiSecret: 'a-${KEY}-${MONEY}',
          webhookSecret: '$${KEY} costs $5 {x} ${',
        },
      },
      env,
    );
    expect(spec.config.submitUrl).toBe('https://connector.example/v1/orders');
    expect(spec.credentials).toEqual({
      apiKey: 'from-env',
      apiSecret: 'a-from-env-${KEY}',
      webhookSecret: '${KEY} costs $5 {x} ${',
    });
  });

  test('a missing or empty variable is named at its place, and is the only thing said there', () => {
    const parsed = parse(
      [
        {
          ...withConfig({ submitUrl: '${NOWHERE}' }),
          credentials: { apiKey: '${EMPTY}', apiSecret: '${NOT A NAME}' },
        },
      ],
      env,
    );
    expect(parsed).toEqual({
      ok: false,
      problems: [
        {
          pointer: '/accounts/0/config/submitUrl',
          code: 'missing_variable',
          detail: 'The environment variable NOWHERE is not set.',
        },
        {
          pointer: '/accounts/0/credentials/apiKey',
          code: 'missing_variable',
          detail: 'The environment variable EMPTY is not set.',
        },
        {
          pointer: '/accounts/0/credentials/apiSecret',
          code: 'invalid',
          detail: expect.stringContaining('$${'),
        },
        expect.objectContaining({ pointer: '/accounts/0/credentials/apiSecret' }),
      ],
    });
  });
});

describe('what is wrong', () => {
  test('is told all at once, over all accounts, each with its pointer', () => {
    expect(
      mistakes([
        gelatoEntry({ id: 'Gelato:EU' }),
        { ...gelatoEntry({ id: 'b' }), provider: 'amazon', colour: 'red' },
        {
          ...withConfig({
            requestTimeoutMs: 5,
            confirm: { looks: 0, often: 1 },
            exclusive: 'yes',
            proxy: 'x',
            getUrl: 'https://connector.example/no-id',
          }),
          id: 'c',
          credentials: { apiKey: 'with:colon', apiToken: 'x' },
          limits: { requests: 0, perMs: -1, concurrency: 1.5, daily: 3 },
          policy: { attempts: 0, backoff: { capMs: 'long' }, rules: [] },
          breaker: { ratio: 2 },
        },
        'gelato',
        gelatoEntry({ id: 'b' }),
      ]).sort(),
    ).toEqual(
      [
        '/accounts/0/id invalid',
        '/accounts/1/colour unknown_field',
        '/accounts/1/provider unknown_provider',
        '/accounts/2/breaker/ratio invalid',
        '/accounts/2/config/confirm/looks invalid',
        '/accounts/2/config/confirm/often unknown_field',
        '/accounts/2/config/exclusive invalid',
        '/accounts/2/config/getUrl invalid',
        '/accounts/2/config/proxy unknown_field',
        '/accounts/2/config/requestTimeoutMs invalid',
        '/accounts/2/credentials/apiKey invalid',
        '/accounts/2/credentials/apiSecret required',
        '/accounts/2/credentials/apiToken unknown_field',
        '/accounts/2/limits/concurrency invalid',
        '/accounts/2/limits/daily unknown_field',
        '/accounts/2/limits/perMs invalid',
        '/accounts/2/limits/requests invalid',
        '/accounts/2/policy/attempts invalid',
        '/accounts/2/policy/backoff/capMs invalid',
        '/accounts/2/policy/rules unknown_field',
        '/accounts/3 invalid',
        '/accounts/4/id conflict',
      ].sort(),
    );
  });

  test('an unknown provider is answered with the known ones', () => {
    const parsed = parse([gelatoEntry({ provider: 'amazon' })]);
    expect(parsed.ok ? [] : parsed.problems).toEqual([
      expect.objectContaining({ detail: expect.stringContaining('known are gelato-connect') }),
    ]);
  });

  test.each([
    ['a list', []],
    ['nothing', undefined],
    ['null', null],
    ['a text', 'accounts'],
    ['no accounts', {}],
    ['accounts that are no list', { accounts: {} }],
    ['something beside accounts', { accounts: [], version: 2 }],
  ])('%s is no accounts file', (_what, file) => {
    expect(parseAccountsFile(file, {}, { providers, allowHttpHosts: [] })).toMatchObject({ ok: false });
  });

  test('missing parts of an account are required, not invalid', () => {
    expect(mistakes([{}])).toEqual(['/accounts/0/id required', '/accounts/0/provider required']);
    expect(mistakes([{ id: 'a', provider: 'gelato-connect' }])).toEqual([
      ...['submitUrl', 'getUrl', 'cancelUrl', 'updateShipmentUrl', 'searchUrl'].map(
        (name) => `/accounts/0/config/${name} required`,
      ),
      '/accounts/0/credentials/apiKey required',
      '/accounts/0/credentials/apiSecret required',
    ]);
  });

  test.each(['', 'A', '-a', 'a:b', 'a b', 'a'.repeat(61), 'ä'])('the id "%s" is refused', (id) => {
    expect(mistakes([gelatoEntry({ id })])).toEqual(['/accounts/0/id invalid']);
  });

  test.each([
    [{ requests: 1, perMs: 86_400_000 }],
    [{ requests: 1_000_000, perMs: 1 }],
    [{ requests: 2_000_000 }],
    [{ perMs: 1e12 }],
    [{ concurrency: 100_000 }],
  ])('limits that cannot be meant are refused: %j', (limits) => {
    expect(mistakes([gelatoEntry({ limits })])).toEqual([
      expect.stringMatching(/^\/accounts\/0\/limits(\/\w+)? invalid$/),
    ]);
  });

  test('names from a hostile file are fields like any other', () => {
    const file: Json = JSON.parse('{"accounts": [{"__proto__": {"id": "x"}, "a/b~c": 1}]}') as Json;
    const parsed = parseAccountsFile(file, {}, { providers, allowHttpHosts: [] });
    expect(parsed.ok ? [] : parsed.problems.map(({ pointer }) => pointer).sort()).toEqual([
      '/accounts/0/__proto__',
      '/accounts/0/a~1b~0c',
      '/accounts/0/id',
      '/accounts/0/provider',
    ]);
  });

  test('no message shows a credential', () => {
    const parsed = parse([
      gelatoEntry({
        credentials: { apiKey: 'hunter2:x y', apiSecret: ['hunter2'], webhookSecret: '', other: 'hunter2' },
      }),
    ]);
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });
});

describe('the URLs of an account', () => {
  const URLS = ['submitUrl', 'getUrl', 'cancelUrl', 'updateShipmentUrl', 'searchUrl'];
  const at = (origin: string) =>
    withConfig(
      Object.fromEntries(
        URLS.map((name) => [name, `${origin}/x${/submit|search/.test(name) ? '' : '/{id}'}`]),
      ),
    );

  test.each([
    'http://localhost:4000',
    'http://127.0.0.1:1',
    'http://127.255.0.9',
    'http://[::1]:8080',
    'https://example.com',
  ])('may begin with %s', (origin) => {
    expect(mistakes([at(origin)])).toEqual([]);
  });

  test.each([
    'http://example.com',
    'http://10.0.0.5',
    'http://127.0.0.1.example.com',
    'http://0.0.0.0',
    'http://[::2]',
  ])('may not begin with %s, unless the host is named', (origin) => {
    expect(mistakes([at(origin)])).toEqual(URLS.map((name) => `/accounts/0/config/${name} invalid`));
    const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
    expect(mistakes([at(origin)], {}, [host])).toEqual([]);
    expect(mistakes([at(origin)], {}, ['other.example'])).not.toEqual([]);
  });

  test.each(['https://user:pw@example.com', 'ftp://example.com', 'example.com'])(
    'may not be %s',
    (origin) => {
      expect(mistakes([at(origin)])).toEqual(URLS.map((name) => `/accounts/0/config/${name} invalid`));
    },
  );
});

describe('readAccountsFile', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder('accounts');
  });
  afterAll(() => folder.remove());

  const file = (name: string) => path.join(folder.path, name);

  test('gives the JSON value, with or without a byte order mark', async () => {
    await writeFile(file('a.json'), '\uFEFF{"accounts": []}');
    expect(await readAccountsFile(file('a.json'))).toEqual({ ok: true, file: { accounts: [] } });
  });

  test('says where a file stops being JSON, without quoting it', async () => {
    await writeFile(file('b.json'), '{\n  "accounts": [\n    {"apiKey": "hunter2" "x"}\n  ]\n}');
    const read = await readAccountsFile(file('b.json'));
    expect(read).toEqual({
      ok: false,
      message: expect.stringMatching(/b\.json is not JSON: expected .* at line 3, column 26$/),
    });
    expect(JSON.stringify(read)).not.toContain('hunter2');
    await writeFile(file('c.json'), '{"accounts": [');
    expect(await readAccountsFile(file('c.json'))).toMatchObject({
      message: expect.stringMatching(/line 1, column 15$/),
    });
    await writeFile(file('d.json'), '');
    expect(await readAccountsFile(file('d.json'))).toMatchObject({
      message: expect.stringMatching(/line 1, column 1$/),
    });
  });

  test('refuses what is not UTF-8 instead of guessing', async () => {
    await writeFile(file('e.json'), Buffer.from('{"accounts": "\xe9"}', 'latin1'));
    expect(await readAccountsFile(file('e.json'))).toMatchObject({
      message: expect.stringContaining('is not UTF-8'),
    });
  });

  test('says why a file cannot be read', async () => {
    expect(await readAccountsFile(file('nowhere.json'))).toEqual({
      ok: false,
      message: `cannot read the accounts file ${file('nowhere.json')}: there is no such file`,
    });
    expect(await readAccountsFile(folder.path)).toMatchObject({
      message: expect.stringContaining('it is a directory'),
    });
  });
});

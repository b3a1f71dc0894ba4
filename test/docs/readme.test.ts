/** What the documents say of names, verbs, settings and examples is what the sources have. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAccountsFile } from '../../src/accounts/file.js';
import { guaranteeOf } from '../../src/accounts/guarantee.js';
import { commonConfig, policyOverride } from '../../src/accounts/settings.js';
import type { JsonObject } from '../../src/json.js';
import { orderBody } from '../../src/orders/body.js';
import { OPERATION_STATES, ORDER_STATUSES, type OrderStatus, WAIT_REASONS } from '../../src/orders/order.js';
import { isOrderStatus, MOVES } from '../../src/orders/states.js';
import { DEFAULT_POLICY } from '../../src/policy/policy.js';
import { providers } from '../../src/providers/registry.js';
import { testApi } from '../api/harness.js';
import { openApiOf, operationsOf } from '../api/openapi.js';
import { packline } from '../cli/fakes.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const readme = read('README.md');

/** The first cells of the table under this header row, without its rule. */
function firstCells(header: string): string[] {
  return tableRows(header).map(([first = '']) => first);
}

/** The cells of the rows below a table's header. */
function tableRows(header: string): string[][] {
  const [, below] = readme.split(`\n${header}\n`);
  if (below === undefined) throw new Error(`README.md has no table headed ${header}`);
  const rows = below.slice(0, below.indexOf('\n\n')).split('\n').slice(1);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The names in backticks of a text. */
const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

/** The bodies of fenced blocks of a language. */
const blocks = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, body = '']) => body,
  );

/** The arrows of a state diagram, without those from the start. */
function arrows(diagram: string): [from: string, to: string][] {
  return [...diagram.matchAll(/^ {2}(\w+) --> (\w+)/gm)].map(([, from = '', to = '']) => [from, to]);
}

const [statusDiagram = '', stateDiagram = ''] = blocks(readme, 'mermaid');

describe('the picture of the statuses', () => {
  const moves = arrows(statusDiagram);

  test('and its table name exactly the statuses of an order', () => {
    expect(new Set(moves.flat())).toEqual(new Set(ORDER_STATUSES));
    expect(firstCells('| status | means |').flatMap(quoted)).toEqual(ORDER_STATUSES);
  });

  test('shows only moves that an order can make', () => {
    const wrong = moves.filter(
      ([from, to]) => !isOrderStatus(from) || !isOrderStatus(to) || !MOVES[from].includes(to),
    );
    expect(wrong).toEqual([]);
  });

  test('leads along its arrows to every status that an order can move to', () => {
    const reach = (from: string, seen = new Set<string>()): Set<string> => {
      for (const [start, to] of moves) {
        if (start !== from || seen.has(to)) continue;
        seen.add(to);
        reach(to, seen);
      }
      return seen;
    };
    const missing = ORDER_STATUSES.flatMap((from: OrderStatus) => {
      const reached = reach(from);
      return MOVES[from].filter((to) => !reached.has(to)).map((to) => `${from} --> ${to}`);
    });
    expect(missing).toEqual([]);
  });
});

describe('the picture of the operation states', () => {
  const moves = arrows(stateDiagram);

  test('and its table name exactly the states of an operation', () => {
    expect(new Set(moves.flat())).toEqual(new Set(OPERATION_STATES));
    expect(firstCells('| state | means |').flatMap(quoted)).toEqual(OPERATION_STATES);
  });

  test('has no arrow out of what is over; a dead one is left by a person', () => {
    const over = ['succeeded', 'rejected', 'canceled'];
    expect(moves.filter(([from]) => over.includes(from))).toEqual([]);
  });
});

test('the configuration table names exactly the variables of the environment', () => {
  const named = firstCells('| variable | default | meaning |').flatMap(quoted);
  const known = [...read('src/config.ts').matchAll(/^ {2}([A-Z][A-Z_]+): variable\(/gm)].map(
    ([, name]) => name,
  );
  expect(known.length).toBeGreaterThan(10);
  expect(named).toEqual(known);
});

test('the defaults in the table of the accounts file are those of the sources', () => {
  const [, , , attempts, backoff, timeout, confirm] =
    readme
      .split('\n| per account | default | meaning |\n')[1]
      ?.split('\n')
      .map((row) => row.split('|')[2]?.trim().replaceAll(',', ' ').split(/\s+/).join(' ')) ?? [];
  const grouped = (...numbers: number[]) =>
    numbers.map((number) => number.toLocaleString('en').replaceAll(',', ' ')).join(' ');
  const { requestTimeoutMs, confirm: proof } = commonConfig.parse({});
  expect(attempts).toBe(grouped(DEFAULT_POLICY.attempts));
  expect(backoff).toBe(
    grouped(DEFAULT_POLICY.backoff.baseMs, DEFAULT_POLICY.backoff.capMs, DEFAULT_POLICY.backoff.floorMs),
  );
  expect(timeout).toBe(grouped(requestTimeoutMs));
  expect(confirm).toBe(grouped(proof.graceMs, proof.looks, proof.spacingMs));
  expect(Object.keys(policyOverride.shape)).toEqual(['attempts', 'backoff']);
});

test('the table of HTTP calls lists exactly the calls of the API', async () => {
  const api = await testApi();
  const calls = operationsOf(await openApiOf(api)).map(
    ({ method, pattern }) => `${method} ${pattern.replace(/\{(\w+)\}/g, ':$1')}`,
  );
  expect(firstCells('| call | what it does |').flatMap(quoted).sort()).toEqual(calls.sort());
});

describe('the command line', () => {
  /** The verbs that a help text lists. */
  const verbsOf = async (command: string[]) => {
    const { stdout } = await packline([...command, '--help']);
    const list = stdout.split(/^Commands:\n/m)[1]?.split('\n\n')[0] ?? '';
    return [...list.matchAll(/^ {2}([a-z-]+)/gm)]
      .map(([, verb = '']) => verb)
      .filter((verb) => verb !== 'help');
  };

  test('has exactly the verbs of the table', async () => {
    const named = firstCells('| verb | what it does |').flatMap(quoted);
    expect(named.sort()).toEqual((await verbsOf([])).sort());
  });

  test.each(['accounts', 'providers', 'orders', 'dead-letters'])(
    'has exactly the verbs under %s',
    async (noun) => {
      const row = readme.split('\n').find((line) => line.startsWith(`| \`${noun}\` |`)) ?? '';
      const named = quoted(row.split('|')[2]?.split(';')[0] ?? '').filter((word) => !word.includes(' '));
      expect(named).toEqual(expect.arrayContaining(await verbsOf([noun])));
      expect(await verbsOf([noun])).toEqual(expect.arrayContaining(named));
    },
  );

  const documents = ['README.md', 'CONTRIBUTING.md', 'docs/protocol.md', 'docs/adding-a-provider.md'];
  const called = documents
    .map((file) => ({ file, text: read(file) }))
    .flatMap(({ file, text }) =>
      [
        ...text.matchAll(/(?:npx packline|main\.js|`packline(?! ready)) ([a-z-]+(?: [a-z]+(?=[ `\n]))?)/g),
      ].map(([, verb = '']) => [file, verb] as const),
    );

  test.each(called)('of %s knows "%s"', async (_file, verb) => {
    const { code, stdout } = await packline(`${verb} --help`);
    expect(code).toBe(0);
    // Help for a verb that there is not would be that of the whole program.
    expect(stdout).toMatch(new RegExp(`^Usage: packline ${verb}( |$)`, 'm'));
  });
});

describe('the examples', () => {
  test('the order of the walk is one that GelatoConnect takes', () => {
    const json = /<<'EOF'\n([\s\S]*?)\nEOF\n/.exec(readme)?.[1] ?? '';
    const body = orderBody.parse(JSON.parse(json));
    const [account] = exampleAccounts();
    const provider = providers.find(({ id }) => id === account?.provider);
    const open = provider?.open({
      id: 'example',
      config: ownConfig(account?.config ?? {}),
      credentials: account?.credentials,
      policy: provider.policy,
    });
    expect(open?.validate(body)).toEqual([]);
  });

  test('accounts.example.json is an accounts file, and the one that the README shows', () => {
    expect(exampleAccounts().map(({ id, provider }) => [id, provider])).toEqual([
      ['gelato-eu', 'gelato-connect'],
    ]);
    expect(blocks(readme, 'json').map((text) => JSON.parse(text))).toContainEqual(
      JSON.parse(read('accounts.example.json')),
    );
  });

  test('the variables that accounts.example.json reads stand in .env.example, without values', () => {
    const wanted = [...read('accounts.example.json').matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name);
    for (const name of wanted) expect(read('.env.example')).toMatch(new RegExp(`^${name}=$`, 'm'));
  });

  /** What the file says, with something in place of the credentials. */
  function exampleAccounts() {
    const env = { GELATO_API_KEY: 'key', GELATO_API_SECRET: 'secret' };
    const parsed = parseAccountsFile(JSON.parse(read('accounts.example.json')), env, {
      providers,
      allowHttpHosts: [],
    });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.accounts;
  }

  function ownConfig(config: Record<string, unknown>) {
    const common = Object.keys(commonConfig.shape);
    return Object.fromEntries(Object.entries(config).filter(([name]) => !common.includes(name)));
  }
});

describe('the table of providers', () => {
  const HEADER =
    '| provider | submit | activate | cancel | change of shipment | a lost answer is found by | reads | guarantee |';
  /** The accounts that its rows are about, in their order, where a provider has several kinds. */
  const KINDS: Readonly<Record<string, readonly JsonObject[]>> = {
    'gelato-connect': [
      {
        submitUrl: 'https://api.example.com/order',
        getUrl: 'https://api.example.com/order/{id}',
        cancelUrl: 'https://api.example.com/order/{id}/cancel',
        updateShipmentUrl: 'https://api.example.com/order/{id}/shipment',
        searchUrl: 'https://api.example.com/orders/search',
        activateUrl: 'https://api.example.com/order/{id}',
      },
    ],
    salla: [{}, { orderPath: '/orders' }, { mode: 'B' }, { mode: 'C' }],
    wasal: [{ draftField: 'draft' }],
  };
  const CREDENTIALS: Readonly<Record<string, JsonObject>> = {
    'gelato-connect': { apiKey: 'key', apiSecret: 'secret' },
    salla: {
      clientId: 'id',
      clientSecret: 'secret',
      accessToken: 'access',
      refreshToken: 'refresh',
      expiresAt: '2030-01-01T00:00:00Z',
    },
    wasal: { apiKey: 'pk_live_key' },
    wupex: { apiKey: 'key' },
    zupy: { apiKey: 'zupy_pk_key' },
  };
  const accounts = providers.flatMap((provider) =>
    (KINDS[provider.id] ?? [{}]).map((config) => ({
      provider,
      config,
      open: provider.open({
        id: 'example',
        config,
        credentials: CREDENTIALS[provider.id],
        policy: provider.policy,
      }),
    })),
  );
  const rows = tableRows(HEADER);

  test('has a row for every kind of account of every provider, with a link to its README', () => {
    expect(rows).toHaveLength(accounts.length);
    for (const { id, title } of providers)
      expect(rows.some(([name]) => name?.startsWith(`[${title}](src/providers/${id}/README.md)`))).toBe(true);
  });

  test.each(
    accounts.map((account, n) => [`${account.provider.id} ${JSON.stringify(account.config)}`, n] as const),
  )('says of %s which verbs it has, and what is promised', (_name, n) => {
    const [name, submit, activate, cancel, update, found, , guarantee] = rows[n] ?? [];
    const open = accounts[n]?.open;
    if (open === undefined) throw new Error(`there is no account ${n}`);
    const { level } = guaranteeOf(open.capabilities, false);
    expect(name).toContain(accounts[n]?.provider.title);
    expect({ submit, found }).not.toEqual({ submit: '–', found: '–' });
    expect([activate, cancel, update].map((cell) => cell !== '–')).toEqual([
      open.verbs.activate !== undefined,
      open.verbs.cancel !== undefined,
      open.verbs.update !== undefined,
    ]);
    expect(guarantee).toBe(`\`${level}\``);
  });
});

test('the table of waits names every reason that an operation can have', () => {
  expect(firstCells('| `waitReason` | what is waited for | at most |').flatMap(quoted).sort()).toEqual(
    [...WAIT_REASONS].sort(),
  );
});

test('the alerts that are named are those that there are', () => {
  const codes = [
    ...read('src/events/alerts.ts').matchAll(/^ {2}([a-z_]+): '(?:critical|error|warning)',$/gm),
  ];
  const named = quoted(/^- Alerts are[\s\S]*?Codes: ([\s\S]*?)\. Equal/m.exec(readme)?.[1] ?? '');
  expect(named.sort()).toEqual(codes.map(([, code = '']) => code).sort());
});

test('.ci/run runs the test command of the README, then the demo to its end', () => {
  const commands = blocks(readme, 'sh').map((block) => block.trim());
  expect(commands).toContain('npm ci && npm test');
  expect(commands).toContain('npm ci && npm run demo');
  const script = read('.ci/run');
  expect(script).toMatch(/\bnpm ci && npm test\b[\s\S]*\nnpm run demo -- --exit\b/);
});

test.each(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs/protocol.md', 'docs/adding-a-provider.md'])(
  'the links of %s lead to files that are there',
  (file) => {
    const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, to = '']) => to);
    const broken = links.filter((to) => !existsSync(path.join(root, path.dirname(file), to)));
    expect(broken).toEqual([]);
  },
);

test('the changelog has a section for the version of the package', () => {
  const { version }: { version: string } = JSON.parse(read('package.json'));
  expect(read('CHANGELOG.md')).toContain(`## [${version}]`);
});

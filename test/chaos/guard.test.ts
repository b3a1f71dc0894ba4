/** Chaos stays on this machine. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { leadsElsewhere } from '../../src/chaos/guard.js';
import { type AccountFileEntry, simulators } from '../../src/simulator/index.js';
import { systemTime } from '../../src/time.js';
import { temporaryFolder } from '../helpers/temporary.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let here: AccountFileEntry;

beforeAll(async () => {
  folder = await temporaryFolder('guard');
  const simulator = await simulators.wasal?.({ time: systemTime });
  if (simulator === undefined) throw new Error('there is no simulator of wasal');
  here = simulator.account('wasal-kw');
  await simulator.close();
});
afterAll(() => folder.remove());

async function withAccount(account: object): Promise<string | null> {
  const file = path.join(folder.path, 'accounts.json');
  await writeFile(file, JSON.stringify({ accounts: [account] }));
  return leadsElsewhere({ PACKLINE_ACCOUNTS: file });
}

test.each([
  {},
  { DATABASE_URL: '', REDIS_URL: ' ' },
  { DATABASE_URL: 'postgresql://me@127.0.0.1:5432/shop', REDIS_URL: 'redis://localhost:6379' },
  { DATABASE_URL: 'postgresql://me@[::1]/shop' },
])('an environment that stays here is taken: %j', async (env) => {
  expect(await leadsElsewhere(env)).toBeNull();
});

test.each([
  ['DATABASE_URL', 'postgresql://me:secret@db.example.com/shop'],
  ['REDIS_URL', 'rediss://:secret@10.0.0.5:6379'],
  ['REDIS_URL', 'no url at all'],
])('%s that names %s is refused, without its value', async (name, url) => {
  const refusal = await leadsElsewhere({ [name]: url });
  expect(refusal).toContain(name);
  expect(refusal).not.toContain('secret');
});

test('accounts at simulators on this machine are taken', async () => {
  expect(await withAccount(here)).toBeNull();
});

test('an account at a provider off this machine is refused by name', async () => {
  const far = { ...here, config: { ...here.config, baseUrl: 'https://shop.example.com/api' } };
  expect(await withAccount(far)).toMatch(/wasal-kw.*shop\.example\.com/);
});

test('an account without an address has its provider’s own, and is refused', async () => {
  expect(await withAccount({ ...here, config: {} })).toContain('www.wasal.org');
});

test('accounts that cannot be read or have mistakes are refused, as nobody knows where they lead', async () => {
  expect(await leadsElsewhere({ PACKLINE_ACCOUNTS: path.join(folder.path, 'missing.json') })).toContain(
    'PACKLINE_ACCOUNTS',
  );
  expect(await withAccount({ id: 'x', provider: 'nobody' })).toContain('mistakes');
});

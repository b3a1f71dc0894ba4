import type { CliDeps } from '../../src/cli/program.js';
import { packline } from './fakes.js';

/** Runs a command line and tells what was started by it. */
async function started(argv: string) {
  const calls: unknown[] = [];
  const runRoles: CliDeps['runRoles'] = (roles, options) => {
    calls.push([roles, options]);
    return Promise.resolve(0);
  };
  const result = await packline(argv, { runRoles });
  return { ...result, calls };
}

const everything = ['api', 'dispatcher', 'fulfilment', 'maintenance'];

test.each([
  ['up', everything, { migrate: true, announce: true }],
  [
    'up --port 0 --host 0.0.0.0 --accounts accounts.json',
    everything,
    { port: 0, host: '0.0.0.0', accounts: 'accounts.json', migrate: true, announce: true },
  ],
  ['api', ['api'], { migrate: false, announce: false }],
  ['api --port 8080', ['api'], { port: 8080, migrate: false, announce: false }],
  ['dispatch', ['dispatcher'], { migrate: false, announce: false }],
  ['work', ['fulfilment'], { migrate: false, announce: false }],
  ['maintain', ['maintenance'], { migrate: false, announce: false }],
])('%s runs %j with %j', async (argv, roles, options) => {
  expect(await started(argv)).toEqual({ code: 0, stdout: '', stderr: '', calls: [[roles, options]] });
});

test('the exit code of a role is that of the command', async () => {
  const { code } = await packline('work', { runRoles: () => Promise.resolve(1) });
  expect(code).toBe(1);
});

describe('migrate', () => {
  test('names what it applied', async () => {
    const migrate = () => Promise.resolve({ applied: ['0001_init', '0002_watch'] });
    expect(await packline('migrate', { migrate })).toEqual({
      code: 0,
      stdout: 'Applied 0001_init\nApplied 0002_watch\n',
      stderr: '',
    });
    expect((await packline('migrate --json', { migrate })).stdout).toBe(
      '{"applied":["0001_init","0002_watch"]}\n',
    );
  });

  test('says so when there was nothing to do', async () => {
    const { stdout } = await packline('migrate', { migrate: () => Promise.resolve({ applied: [] }) });
    expect(stdout).toBe('Nothing to apply: the database is up to date.\n');
  });
});

test.each([
  ['simulate', [], {}],
  ['simulate gelato-connect wasal --port 4100', ['gelato-connect', 'wasal'], { port: 4100 }],
])('%s starts %j', async (argv, providers, options) => {
  const calls: unknown[] = [];
  const simulate: CliDeps['simulate'] = (names, given) => {
    calls.push([names, given]);
    return Promise.resolve(0);
  };
  expect((await packline(argv, { simulate })).code).toBe(0);
  expect(calls).toEqual([[providers, options]]);
});

test.each([
  ['demo', { exit: false, orders: 200 }],
  ['demo --exit --orders 500', { exit: true, orders: 500 }],
])('%s runs with %j, and its exit code counts', async (argv, options) => {
  const calls: unknown[] = [];
  const demo: CliDeps['demo'] = (given) => {
    calls.push(given);
    return Promise.resolve(1);
  };
  expect((await packline(argv, { demo })).code).toBe(1);
  expect(calls).toEqual([options]);
});

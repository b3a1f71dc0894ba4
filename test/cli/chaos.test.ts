/** `packline chaos`: what it is asked for, what it prints, how it ends. */
import { CannotStart } from '../../src/app.js';
import type { ChaosReport } from '../../src/chaos/report.js';
import type { CliDeps } from '../../src/cli/program.js';
import { WrongUse } from '../../src/cli/program.js';
import { packline } from './fakes.js';

const report = (changes: Partial<ChaosReport> = {}): ChaosReport => ({
  backend: 'redis',
  seed: 1,
  clean: true,
  orders: { in: 100, accepted: 90, rejected: 2, canceled: 3, open: 4, human: 1, lost: 0 },
  doubled: 0,
  unknownHere: 0,
  refused: [],
  unanswered: 0,
  settled: true,
  strikes: { kill: 6, freeze: 1, flush: 1, 'redis-restart': 1, 'database-restart': 1 },
  interrupted: 12,
  recovery: { count: 6, medianMs: 800, worstMs: 2_340, unfinished: 0 },
  attempts: 400,
  confirmed: 9,
  letters: { unconfirmed: 1 },
  ownEnds: 0,
  forced: 0,
  seconds: 30,
  accounts: [],
  ...changes,
});

/** Runs a command line and tells what it asked for. */
async function ran(argv: string, reports: ChaosReport[]) {
  const calls: unknown[] = [];
  const chaos: CliDeps['chaos'] = (options, say) => {
    calls.push(options);
    say('  1.0 s  redis     kill -9 of worker-1');
    return Promise.resolve(reports);
  };
  return { ...(await packline(argv, { chaos })), calls };
}

const DEFAULTS = {
  orders: 100,
  kills: 6,
  freezes: 1,
  flushes: 1,
  redisRestarts: 1,
  databaseRestarts: 1,
  seed: 1,
  keep: false,
};

test.each([
  ['chaos', { ...DEFAULTS, backends: ['redis', 'postgres'] }],
  ['chaos --backend postgres --seed 7', { ...DEFAULTS, seed: 7, backends: ['postgres'] }],
  [
    'chaos --backend redis --orders 9 --kills 8 --freezes 7 --flushes 6 --redis-restarts 5 --database-restarts 0 --keep',
    {
      orders: 9,
      kills: 8,
      freezes: 7,
      flushes: 6,
      redisRestarts: 5,
      databaseRestarts: 0,
      seed: 1,
      keep: true,
      backends: ['redis'],
    },
  ],
])('%s asks for %j', async (argv, options) => {
  expect((await ran(argv, [report()])).calls).toEqual([options]);
});

test('prints the equation and the figures, progress on stderr, and ends with 0 where all is clean', async () => {
  const { code, stdout, stderr } = await ran('chaos', [report()]);
  expect(code).toBe(0);
  expect(stdout).toContain(
    '100 orders in = 90 accepted + 2 rejected + 3 canceled before they were sent + 4 open + 1 needing a human + 0 lost; 0 doubled',
  );
  expect(stdout).toMatch(/recovery, worst +2\.3 s/);
  expect(stdout).toMatch(/dead letters +unconfirmed 1/);
  expect(stdout).toContain('Nothing was lost, nothing was doubled.');
  expect(stderr).toContain('kill -9 of worker-1');
});

test('one backend that is not clean is exit code 1', async () => {
  const { code, stdout } = await ran('chaos', [
    report(),
    report({ backend: 'postgres', clean: false, doubled: 1 }),
  ]);
  expect(code).toBe(1);
  expect(stdout).toContain('Not good');
  expect(stdout).not.toContain('Nothing was lost');
});

test('the reports are one JSON document', async () => {
  const reports = [report({ clean: false })];
  const { code, stdout } = await ran('chaos --json', reports);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({ clean: false, runs: reports });
});

test('the help explains every strike and fault', async () => {
  const { stdout } = await packline('chaos --help');
  for (const word of [
    'kill -9',
    'SIGSTOP',
    'FLUSHALL',
    'PostgreSQL crashes',
    '429',
    'garbage',
    'accepted and then dropped',
    'loopback',
  ])
    expect(stdout).toContain(word);
});

test('what it refuses is wrong use', async () => {
  const chaos = () => Promise.reject(new WrongUse(new CannotStart('chaos refuses').message));
  expect(await packline('chaos', { chaos })).toMatchObject({ code: 2, stderr: 'error: chaos refuses\n' });
});

test.each(['chaos --backend mysql', 'chaos --orders 0', 'chaos --kills x'])(
  '%s is wrong use',
  async (argv) => {
    expect((await packline(argv)).code).toBe(2);
  },
);

/** `packline chaos` as people run it, on both backends side by side. Needs a build (`npm test` makes one). */
import { jest } from '@jest/globals';
import type { ChaosReport } from '../../src/chaos/report.js';
import { equation } from '../../src/chaos/report.js';
import { runCli } from '../helpers/program.js';
import { temporaryFolder } from '../helpers/temporary.js';

/** The larger figures are those of `npm run test:all`. */
const all = process.env.PACKLINE_TEST_ALL === '1';
const orders = all ? 500 : 100;
const kills = all ? 30 : 6;
const flushes = all ? 2 : 1;
const restarts = all ? 2 : 1;
/** Half a minute and three where nothing else runs, ms. */
const DEADLINE_MS = all ? 1_200_000 : 240_000;
/** The worst recovery, ms. */
const RECOVERY_MS = 15_000;

jest.setTimeout(DEADLINE_MS);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder('chaos');
});
afterAll(() => folder.remove());

test(`${orders} orders per backend survive ${kills} kills, flushes and restarts: none lost, none doubled`, async () => {
  const { code, stdout, stderr } = await runCli(
    [
      'chaos',
      '--json',
      ...['--orders', String(orders)],
      ...['--kills', String(kills)],
      ...['--flushes', String(flushes)],
      ...['--database-restarts', String(restarts)],
      ...['--freezes', all ? '2' : '0'],
      ...['--redis-restarts', all ? '2' : '0'],
    ],
    { TMPDIR: folder.path },
  );
  if (stdout === '') throw new Error(stderr);
  // The command's own document.
  const { clean, runs } = JSON.parse(stdout) as { clean: boolean; runs: ChaosReport[] };
  for (const run of runs) {
    process.stderr.write(
      `chaos, ${run.backend}: ${equation(run)}; worst of ${run.recovery.count} recoveries ${run.recovery.worstMs} ms\n`,
    );
    expect(run).toMatchObject({
      orders: { in: orders, lost: 0 },
      doubled: 0,
      unknownHere: 0,
      strikes: { kill: kills, flush: flushes, 'database-restart': restarts },
    });
    expect(run.recovery.worstMs).toBeLessThan(RECOVERY_MS);
  }
  expect({ clean, code, backends: runs.map(({ backend }) => backend) }).toEqual({
    clean: true,
    code: 0,
    backends: ['redis', 'postgres'],
  });
});

test('an environment that leads off this machine is refused before anything is struck', async () => {
  const env = { TMPDIR: folder.path, DATABASE_URL: 'postgresql://shop@db.example.com/shop' };
  const { code, stdout, stderr } = await runCli(['chaos'], env);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/DATABASE_URL.*loopback/);
});

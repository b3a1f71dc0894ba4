/**
 * Real workers that are killed or frozen with orders at every point of their way; afterwards the providers' ledgers
 * are held against the database. With `PACKLINE_TEST_ALL=1` also each point, provider and backend for itself.
 */
import { jest } from '@jest/globals';
import type { Result } from './end.js';
import { freeze } from './freeze.js';
import { kill } from './kill.js';
import { CASES, type Case, endOf } from './table.js';

// A case waits for its turn, and then for locks, leases and looks that last up to half a minute.
jest.setTimeout(900_000);

/** Cases at once. They mostly wait; with more, their processes would keep each other from starting in time. */
const AT_ONCE = 8;
/** After a kill -9, until what was interrupted has been taken over and other orders go on, ms. */
const RECOVERY_MS = 15_000;

const results: { kase: Case; result: Result }[] = [];
let runs = new Map<Case, Promise<Result>>();

/** Runs so many of the cases at once; the tests wait for their own. */
function startAll(): Map<Case, Promise<Result>> {
  const waiting: (() => void)[] = [];
  let free = AT_ONCE;
  const run = async (kase: Case) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await (kase.loss === 'SIGKILL' ? kill(kase) : freeze(kase));
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
  return new Map(
    CASES.map((kase) => {
      const result = run(kase);
      // Its test reports a failure; until that comes to it, nobody listens.
      result.catch(() => undefined);
      return [kase, result];
    }),
  );
}

beforeAll(() => {
  runs = startAll();
});

afterAll(async () => {
  await Promise.allSettled(runs.values());
  const sum = (count: (result: Result) => number) =>
    results.reduce((before, { result }) => before + count(result), 0);
  const killed = results.filter(({ kase }) => kase.loss === 'SIGKILL').map(({ result }) => result);
  const lines = [
    `kill points: ${results.length} of ${CASES.length} processes, ${sum(({ ends }) => ends.length)} interrupted orders of ${sum(({ orders }) => orders)}`,
    `lost ${sum(({ comparison }) => comparison.lost.length)}, doubled ${sum(({ comparison }) => comparison.doubled.length)}`,
    `worst recovery after a kill ${Math.max(0, ...killed.map(({ recoveryMs }) => recoveryMs ?? 0))} ms`,
    `latest end of an interrupted order ${Math.max(0, ...killed.map(({ latestMs }) => latestMs))} ms after the kill`,
  ];
  console.log(lines.join('\n'));
});

test.each(CASES)(
  'a worker that gets $loss at $where, leaves every order exactly once ($backend)',
  async (kase) => {
    const result = await runs.get(kase);
    if (result === undefined) throw new Error('the case was not started');
    results.push({ kase, result });
    expect(result.comparison).toEqual({
      lost: [],
      doubled: [],
      running: [],
      unaccounted: [],
      acceptedTwice: [],
      askedOften: [],
    });
    expect(result.ends).toEqual(kase.places.map((place) => ({ place, ...endOf(kase.loss, place) })));
    if (result.recoveryMs !== null) expect(result.recoveryMs).toBeLessThan(RECOVERY_MS);
  },
);

import { dueProbes, markProven, pauseAccount, resumeAccount } from '../../src/accounts/pause.js';
import type { Database } from '../../src/database/connect.js';
import { apply, openDatabase, rowOf } from './database.js';
import { specOf } from './specs.js';

let db: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ db, close } = await openDatabase());
  await apply(db, specOf());
});
afterAll(() => close());

const ID = 'gelato-eu';
const AUTH = { code: 'auth', reason: 'the key is read-only', by: 'packline', until: null };

/** Minutes until the next probe, rounded. */
async function probeIn(): Promise<number> {
  const { pausedAt, probeAt } = await rowOf(db, ID);
  return Math.round(((probeAt?.getTime() ?? 0) - (pausedAt?.getTime() ?? 0)) / 60_000);
}

test('a pause that only probes end waits twice as long for each next probe, and is told once', async () => {
  const rounds: [number, boolean][] = [];
  for (let round = 0; round < 8; round += 1) {
    const news = await pauseAccount(db, ID, AUTH);
    rounds.push([await probeIn(), news]);
    await resumeAccount(db, ID, 'packline', true);
  }
  expect(rounds).toEqual([
    [15, true],
    [30, false],
    [60, false],
    [120, false],
    [240, false],
    [480, false],
    [480, false],
    [480, false],
  ]);
});

test.each<[string, () => Promise<unknown>]>([
  ['an order was accepted', () => markProven(db, ID)],
  [
    'a human resumed it',
    async () => {
      await pauseAccount(db, ID, AUTH);
      await resumeAccount(db, ID, 'operator:ada');
    },
  ],
])('after %s it is news again', async (_what, prove) => {
  await pauseAccount(db, ID, AUTH);
  await resumeAccount(db, ID, 'packline', true);
  await prove();
  expect(await pauseAccount(db, ID, AUTH)).toBe(true);
  expect(await probeIn()).toBe(15);
  expect(await pauseAccount(db, ID, AUTH)).toBe(false);
  await resumeAccount(db, ID, 'operator:ada');
});

test('within one pause a due probe is handed out once a quarter of an hour', async () => {
  await pauseAccount(db, ID, AUTH);
  await db.query('update packline.accounts set probe_at = now()');
  expect(await dueProbes(db)).toEqual([ID]);
  expect(await dueProbes(db)).toEqual([]);
  expect(await probeIn()).toBe(15);
  await resumeAccount(db, ID, 'operator:ada');
});

import { connect, type Database } from '../../src/database/connect.js';
import { type Leadership, seekLeadership } from '../../src/maintenance/leader.js';
import { type FakeTime, fakeTime } from '../helpers/fake-time.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createDatabase();
  db = await connect({ url: database.url, max: 5, applicationName: 'test', onError: () => undefined });
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

const opened: Leadership[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

interface Candidate extends Leadership {
  time: FakeTime;
  errors: string[];
}

function candidate(): Candidate {
  const time = fakeTime();
  const errors: string[] = [];
  const leadership = seekLeadership({
    url: database.url,
    time,
    onError: ({ message }) => void errors.push(message),
  });
  opened.push(leadership);
  return { ...leadership, time, errors };
}

/** Lets a candidate try again until it leads. */
const untilLeads = (each: Candidate) =>
  until('it leads', () => {
    each.time.advance(2_000);
    return each.leads();
  });

const connections = async (): Promise<number> => {
  const rows = await db.query(
    `select pid from pg_stat_activity where datname = current_database() and application_name = 'packline leader'`,
  );
  return rows.length;
};

/** Ends the connection that holds the lock. */
const terminateLeader = () =>
  db.query(
    `select pg_terminate_backend(a.pid) from pg_stat_activity a join pg_locks l using (pid)
     where a.application_name = 'packline leader' and l.locktype = 'advisory' and l.granted
       and l.database = (select oid from pg_database where datname = current_database())`,
  );

test('of two processes one leads', async () => {
  const first = candidate();
  await untilLeads(first);
  const second = candidate();
  for (let tried = 0; tried < 5; tried += 1) {
    await second.time.whenAsleep();
    expect([first.leads(), second.leads()]).toEqual([true, false]);
    second.time.advance(2_000);
  }
});

test('of many that start at once exactly one leads', async () => {
  const all = Array.from({ length: 6 }, candidate);
  await until('one leads', () => all.some((each) => each.leads()));
  await Promise.all(all.filter((each) => !each.leads()).map((each) => each.time.whenAsleep()));
  expect(all.filter((each) => each.leads())).toHaveLength(1);
});

test('when the leader’s connection ends it leads no more, and another one takes over', async () => {
  const first = candidate();
  await untilLeads(first);
  const second = candidate();
  await second.time.whenAsleep();
  await terminateLeader();
  await until('the first one knows', () => !first.leads());
  await untilLeads(second);
  // The first one is back by then, as a follower.
  await first.time.whenAsleep();
  first.time.advance(2_000);
  await first.time.whenAsleep();
  expect([first.leads(), second.leads()]).toEqual([false, true]);
  expect(first.errors).not.toEqual([]);
});

test('leads again by itself where nobody else does', async () => {
  const only = candidate();
  await untilLeads(only);
  await terminateLeader();
  await until('it knows', () => !only.leads());
  await untilLeads(only);
});

test('a leader that closes hands over at once, and leaves no connection', async () => {
  const first = candidate();
  await untilLeads(first);
  const second = candidate();
  await second.time.whenAsleep();
  await first.close();
  expect(first.leads()).toBe(false);
  await untilLeads(second);
  await second.close();
  await until('both connections are gone', async () => (await connections()) === 0);
});

test('closes promptly at any moment: connecting, following, between two attempts', async () => {
  await candidate().close();
  const leader = candidate();
  await untilLeads(leader);
  const follower = candidate();
  await follower.time.whenAsleep();
  await follower.close();
  expect(follower.leads()).toBe(false);
  await leader.close();
  const errors: string[] = [];
  const time = fakeTime();
  const nowhere = seekLeadership({
    url: 'postgresql://nobody@127.0.0.1:1/none',
    time,
    onError: ({ message }) => void errors.push(message),
  });
  await time.whenAsleep();
  time.advance(2_000);
  await until('it has tried twice', () => errors.length === 2);
  await nowhere.close();
  await until('no connection is left', async () => (await connections()) === 0);
});

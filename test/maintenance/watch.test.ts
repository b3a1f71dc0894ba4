/** Calls that were judged absent are watched for a day: whoever arrives late is found. */

import type { Alert } from '../../src/events/alerts.js';
import { createLog } from '../../src/log.js';
import { watchAbsent } from '../../src/maintenance/watch.js';
import { dueWatches, settleLateArrival } from '../../src/orders/store/watch.js';
import type { Simulator } from '../../src/simulator/kit.js';
import { systemTime } from '../../src/time.js';
import { accepting, losing } from '../helpers/faults.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import type { Scene, Subject } from '../providers/conformance/subject.js';
import { countAt, openScene, ringToEnd, ringUntil } from '../providers/conformance/walk.js';
import { openWorld, taken, type World } from '../providers/conformance/world.js';
import { gelatoConnect } from '../providers/gelato-connect/subject.js';
import { wasal } from '../providers/wasal/subject.js';
import { wupex } from '../providers/wupex/subject.js';

let database: TestDatabase;
let world: World;
let simulator: Simulator;

beforeAll(async () => {
  database = await createDatabase();
  world = await openWorld({ databaseUrl: database.url });
});
afterAll(async () => {
  await world.close();
  await database.drop();
});
afterEach(() => simulator.close());

const SUBJECTS = [gelatoConnect, wasal, wupex].map((subject) => [subject.id, subject] as const);

interface Sent {
  scene: Scene;
  orderId: string;
  submit: string;
}

/** An order whose submit was taken, is not shown for a while, and was lost on its way back. */
async function hidden(subject: Subject, hideMs = 3_600_000): Promise<Sent> {
  simulator = await subject.start();
  const scene = await openScene(world, subject, simulator);
  const orderId = await world.send(await subject.body(scene));
  const submit = await world.operation(orderId, 'submit');
  const last = world.base.accounts.get(scene.account)?.open.verbs.submit.at(-1)?.name ?? '';
  const verb = subject.verbs[last];
  await scene.control('/_control', { match: { verb }, times: 1, do: accepting('drop', { hideMs }) });
  await ringUntil(world, submit, ({ state }) => state === 'unconfirmed');
  return { scene, orderId, submit };
}

/** The next watch, as if its time had come; what a human was told. */
async function watch(): Promise<Alert[]> {
  const told: Alert[] = [];
  const { db, base } = world;
  await db.query('update packline.attempts set watch_at = now() where watch_at is not null');
  await watchAbsent({
    db,
    accounts: base.accounts,
    http: base.http,
    key: base.key,
    time: systemTime,
    log: createLog('silent'),
    tell: (alert) => void told.push(alert),
  });
  return told;
}

/** Watches until the hidden order shows, however often that takes. */
const watchUntilTold = () =>
  until('the watch tells of it', async () => {
    await world.db.query(
      `update packline.attempts set watch_no = 0, watch_at = now() where verdict = 'absent'`,
    );
    const told = await watch();
    return told.length > 0 ? told : null;
  });

const watchesOf = (submit: string) =>
  world.db.query<{ no: number; minutes: number | null }>(
    `select watch_no as no, round(extract(epoch from watch_at - now()) / 60)::int as minutes
     from packline.attempts where operation_id = $1::bigint and verdict = 'absent'`,
    submit,
  );

/** Looks until the call is judged absent, and no further. */
const judgeAbsent = (submit: string) =>
  ringUntil(world, submit, ({ tries }) => tries.some(({ verdict }) => verdict === 'absent'));

test.each(SUBJECTS)('%s: two orders of one reference are put before a human, once', async (_id, subject) => {
  const { scene, submit } = await hidden(subject, 400);
  const end = await ringToEnd(world, submit);
  expect(end).toMatchObject({ state: 'succeeded', attempts: 2 });
  const told = await watchUntilTold();
  expect(told.map(({ code, account }) => [code, account])).toEqual([['duplicate', scene.account]]);
  expect(await world.standing(submit)).toMatchObject({
    order: { attention: 'duplicate', providerOrderId: end.order?.providerOrderId },
    letters: [{ code: 'duplicate', ambiguous: true, state: 'open' }],
  });
  expect(await countAt(simulator, subject)).toBe(2);
  expect(await watch()).toEqual([]);
});

test.each(SUBJECTS)('%s: one that has not gone out again is found and adopted', async (_id, subject) => {
  const { submit } = await hidden(subject, 400);
  expect(await judgeAbsent(submit)).toMatchObject({ state: 'pending' });
  await watchUntilTold();
  expect(await world.standing(submit)).toMatchObject({ state: 'unconfirmed', letters: [] });
  expect(await ringToEnd(world, submit)).toMatchObject({ state: 'succeeded', attempts: 1, letters: [] });
  expect(await countAt(simulator, subject)).toBe(1);
});

test.each(SUBJECTS.slice(0, 2))(
  '%s: one that the shop had canceled is canceled there too',
  async (_id, subject) => {
    const { orderId, submit } = await hidden(subject, 400);
    taken(await world.base.operator.cancel(orderId, 'shop'));
    expect(await judgeAbsent(submit)).toMatchObject({ state: 'canceled', order: { status: 'canceled' } });
    await watchUntilTold();
    const cancel = await world.operation(orderId, 'cancel');
    expect(await ringToEnd(world, cancel)).toMatchObject({
      state: 'succeeded',
      order: { status: 'canceled' },
    });
    expect(await world.standing(submit)).toMatchObject({ letters: [] });
  },
);

test('an order that was sent again and settled while the watch looked is not taken for a second one', async () => {
  simulator = await wupex.start();
  const scene = await openScene(world, wupex, simulator);
  const submit = await world.operation(await world.send(await wupex.body(scene)), 'submit');
  await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: losing('drop') });
  const { order } = await ringToEnd(world, submit);
  await world.db.query(
    `update packline.attempts set watch_at = now() where operation_id = $1::bigint and verdict = 'absent'`,
    submit,
  );
  const [due] = await dueWatches(world.db);
  if (due === undefined) throw new Error('no watch is due');
  // What the watch has seen just before the answer to the second call was stored.
  const seen = [{ providerOrderId: order?.providerOrderId ?? '' }];
  const end = await world.db.transaction((sql) => settleLateArrival(sql, due, seen, null));
  expect(end).toBe('later');
  expect(await world.standing(submit)).toMatchObject({ order: { attention: null }, letters: [] });
  expect(await watch()).toEqual([]);
});

test('goes on for a day, ever further apart, and a watch that finds out nothing is made again', async () => {
  simulator = await gelatoConnect.start();
  const scene = await openScene(world, gelatoConnect, simulator);
  const submit = await world.operation(await world.send(await gelatoConnect.body(scene)), 'submit');
  await scene.control('/_control', { match: { verb: 'submit' }, times: 1, do: losing('drop') });
  await ringToEnd(world, submit);
  expect(await watchesOf(submit)).toEqual([{ no: 0, minutes: 1 }]);
  await scene.control('/_control', { match: { verb: 'search' }, times: 1, do: { status: 500 } });
  const seen = [];
  for (let round = 0; round < 5; round += 1) {
    expect(await watch()).toEqual([]);
    seen.push(...(await watchesOf(submit)));
  }
  expect(seen).toEqual([
    { no: 0, minutes: 5 },
    { no: 1, minutes: 10 },
    { no: 2, minutes: 60 },
    { no: 3, minutes: 1_440 },
    { no: 4, minutes: null },
  ]);
  const { tries } = await world.standing(submit);
  expect(tries.filter(({ purpose }) => purpose === 'watch').map(({ outcome }) => outcome)).toEqual([
    'failed',
    'done',
    'done',
    'done',
    'done',
  ]);
});

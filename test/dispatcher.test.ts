import type { Sql } from '../src/database/connect.js';
import {
  type Dispatcher,
  type DispatcherDeps,
  dispatchOnce,
  highWater,
  repairEpoch,
  startDispatcher,
} from '../src/dispatcher.js';
import { closeGate } from '../src/gate/closures.js';
import { postgresBackend } from '../src/queue/backend.js';
import { systemTime } from '../src/time.js';
import { type Board, board } from './dispatcher-board.js';
import { type FakeTime, fakeTime } from './helpers/fake-time.js';
import { until } from './helpers/until.js';
import { openShop, type Shop } from './maintenance/shop.js';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const running: Dispatcher[] = [];
let queue: Board;
let time: FakeTime;
beforeEach(async () => {
  queue = board();
  time = fakeTime();
  await shop.reset();
  await shop.open('shop');
});
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

const deps = (over: Partial<DispatcherDeps> = {}): DispatcherDeps => ({
  db: shop.db,
  accounts: shop.accounts,
  queue,
  time,
  log: shop.log,
  ...over,
});

function start(over: Partial<DispatcherDeps> = {}): Dispatcher {
  const dispatcher = startDispatcher(deps(over));
  running.push(dispatcher);
  return dispatcher;
}

/** What was rung for is due again, as it is when nobody has answered for long enough. */
const passRingAt = () =>
  shop.db.query('update packline.operations set ring_at = now() where ring_at is not null');

describe('the high-water mark of an account', () => {
  test.each([
    [{ requests: 100, perMs: 1_000, concurrency: 20 }, 240, 30_000],
    [{ requests: 5, perMs: 1_000, concurrency: 2 }, 14, 30_000],
    [{ requests: 120, perMs: 60_000, concurrency: 4 }, 12, 30_000],
    [{ requests: 1, perMs: 60_000, concurrency: 1 }, 3, 540_000],
  ])('is twice its concurrency and two seconds of its rate: %j', (limits, jobs, againMs) => {
    expect(highWater({ id: 'shop', limits })).toEqual({ account: 'shop', jobs, againMs });
  });
});

describe('dispatching once', () => {
  test('rings for what is due: ids and nothing else, under an id of its own', async () => {
    const id = await shop.order('shop', 'A-1');
    expect(await dispatchOnce(deps())).toBe(1);
    expect(queue.bells).toEqual([
      {
        queue: 'fulfil-shop',
        name: 'submit',
        data: { v: 1, operationId: id },
        opts: expect.objectContaining({ jobId: `submit-${id}-1`, priority: 5 }),
      },
    ]);
    expect(await dispatchOnce(deps())).toBe(0);
  });

  test('rings again for what nobody answered, under a new id', async () => {
    const id = await shop.order('shop', 'A-1');
    await dispatchOnce(deps());
    await passRingAt();
    await dispatchOnce(deps());
    expect(queue.bells.map(({ opts }) => opts.jobId)).toEqual([`submit-${id}-1`, `submit-${id}-2`]);
  });

  test('keeps the queue at the high-water mark, and the backlog in its table', async () => {
    await shop.open('small', { limits: { requests: 1, perMs: 1_000, concurrency: 1 } });
    for (let n = 0; n < 9; n += 1) await shop.order('small', `A-${n}`);
    expect(await dispatchOnce(deps())).toBe(4);
    expect(await dispatchOnce(deps())).toBe(0);
    // One is answered: there is room for one.
    await shop.db.query(
      `update packline.operations set state = 'succeeded', ring_at = null where id = $1::bigint`,
      queue.rung('fulfil-small')[0] ?? '',
    );
    expect(await dispatchOnce(deps())).toBe(1);
  });

  test('rings no account whose gate is closed, while the others ring on', async () => {
    await shop.open('other');
    await shop.order('shop', 'A-1');
    const id = await shop.order('other', 'A-1');
    await closeGate(shop.db, 'shop', { forMs: 60_000, why: '429', verb: null, strike: false });
    expect(await dispatchOnce(deps())).toBe(1);
    expect(queue.rung('fulfil-other')).toEqual([id]);
    await shop.db.query('update packline.gates set blocked_until = now()');
    expect(await dispatchOnce(deps())).toBe(1);
  });

  test('does nothing where there is no account', async () => {
    await shop.reset();
    expect(await dispatchOnce(deps())).toBe(0);
  });

  test('that cannot ring one account rings the others, and says so; the bell that failed rings later', async () => {
    await shop.open('other');
    const [first, second] = [await shop.order('shop', 'A-1'), await shop.order('other', 'A-1')];
    for (const broken of ['fulfil-shop', 'fulfil-other']) {
      queue.broken = new Set([broken]);
      await passRingAt();
      await expect(dispatchOnce(deps())).rejects.toThrow('Redis is away');
    }
    expect([queue.rung('fulfil-shop'), queue.rung('fulfil-other')]).toEqual([[first], [second]]);
    queue.broken.clear();
    expect(await dispatchOnce(deps())).toBe(0);
    await passRingAt();
    expect(await dispatchOnce(deps())).toBe(2);
    expect(
      queue.bells
        .map(({ opts }) => opts.jobId)
        .slice(2)
        .sort(),
    ).toEqual([`submit-${first}-3`, `submit-${second}-3`]);
  });

  test('with many dispatchers at once rings for everything once', async () => {
    for (let n = 0; n < 40; n += 1) await shop.order('shop', `A-${n}`);
    const counts = await Promise.all([1, 2, 3, 4].map(() => dispatchOnce(deps())));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(40);
    expect(new Set(queue.rung('fulfil-shop')).size).toBe(40);
  });
});

describe('a queue that was emptied', () => {
  test('is filled again with everything that it held, once', async () => {
    const id = await shop.order('shop', 'A-1');
    await dispatchOnce(deps());
    await shop.order('shop', 'never rung for');
    expect(await repairEpoch(deps())).toBeNull();
    queue.filled = false;
    expect(await repairEpoch(deps())).toBe(1);
    expect(await repairEpoch(deps())).toBeNull();
    await dispatchOnce(deps());
    expect(queue.rung('fulfil-shop').filter((each) => each === id)).toHaveLength(2);
    expect(shop.lines).toContainEqual(expect.objectContaining({ event: 'queue.refilled', operations: 1 }));
  });

  test('shows its open dead letters again', async () => {
    const id = await shop.order('shop', 'A-1');
    await shop.db.query(
      `insert into packline.dead_letters (operation_id, account_id, kind, code, message, ambiguous, boarded_at)
       values ($1::bigint, 'shop', 'submit', 'x', 'x', false, now())`,
      id,
    );
    queue.filled = false;
    await repairEpoch(deps());
    expect(await shop.db.prisma.deadLetter.findFirst()).toMatchObject({ boardedAt: null });
  });

  test('is noticed by the running dispatcher within two seconds', async () => {
    const id = await shop.order('shop', 'A-1');
    start();
    await until('it has rung', () => queue.rung('fulfil-shop').length === 1);
    queue.filled = false;
    await until('it has rung again', () => {
      time.advance(100);
      return queue.bells.length === 2;
    });
    expect(time.clock.monotonic()).toBeLessThanOrEqual(2_500);
    expect(queue.bells.at(-1)?.opts.jobId).toBe(`submit-${id}-2`);
  });
});

describe('the dispatcher', () => {
  test('rings at once when it is woken, and for what it was not woken for at the next poll', async () => {
    const dispatcher = start();
    await time.whenAsleep();
    const hinted = await shop.order('shop', 'A-1');
    const before = systemTime.clock.monotonic();
    dispatcher.wake();
    await until('it has rung', () => queue.rung('fulfil-shop').includes(hinted));
    expect(systemTime.clock.monotonic() - before).toBeLessThan(200);
    expect(time.clock.monotonic()).toBe(0);

    await time.whenAsleep();
    const unhinted = await shop.order('shop', 'A-2');
    time.advance(500);
    await until('it has rung', () => queue.rung('fulfil-shop').includes(unhinted));
  });

  test('misses no hint that comes while it reads the table', async () => {
    let late = false;
    const dispatcher: Dispatcher = start({
      db: {
        query: async (text, ...values) => {
          const rows = await shop.db.query(text, ...values);
          // Stored after the table was read: without the hint it would have to wait for the poll.
          if (!late) {
            late = true;
            await shop.order('shop', 'A-1');
            dispatcher.wake();
          }
          // What a statement returns is for its caller to say.
          return rows as never;
        },
      },
    });
    await until('it has rung', () => queue.bells.length === 1);
    expect(time.clock.monotonic()).toBe(0);
  });

  test('rests while nothing can be rung, although something is due', async () => {
    await closeGate(shop.db, 'shop', { forMs: 60_000, why: '429', verb: null, strike: false });
    await shop.order('shop', 'A-1');
    const pauses: number[] = [];
    start({
      time: {
        ...time,
        sleep: (ms, signal) => {
          pauses.push(ms);
          return time.sleep(ms, signal);
        },
      },
    });
    for (let n = 1; n <= 3; n += 1) {
      await until('it rests', () => pauses.length === n);
      time.advance(pauses.at(-1) ?? 0);
    }
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(50);
  });

  test('goes on after a failure, and lets no hint hurry it into the next one', async () => {
    queue.broken.add('fulfil-shop');
    await shop.order('shop', 'A-1');
    const dispatcher = start();
    const failures = () => shop.lines.filter(({ event }) => event === 'dispatcher.trouble');
    await until('it has failed', () => failures().length === 1);
    expect(failures()[0]?.err?.message).toBe('Redis is away');
    await time.whenAsleep();
    await passRingAt();
    for (let n = 0; n < 20; n += 1) {
      dispatcher.wake();
      await shop.db.query('select 1');
    }
    expect(failures()).toHaveLength(1);
    queue.broken.clear();
    time.advance(1_000);
    await until('it has rung', () => queue.bells.length === 1);
  });

  test('survives that the database is gone for a moment', async () => {
    const dispatcher = start();
    await time.whenAsleep();
    await shop.db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    const id = await until('the pool is back', () => shop.order('shop', 'A-1').catch(() => null));
    dispatcher.wake();
    await until('it has rung', () => {
      time.advance(1_000);
      return queue.rung('fulfil-shop').includes(id);
    });
  });

  test('survives a database that fails in the midst of its statement', async () => {
    let broken = true;
    const sql: Sql = {
      query: (text, ...values) =>
        broken ? Promise.reject(new Error('terminating connection')) : shop.db.query(text, ...values),
    };
    await shop.order('shop', 'A-1');
    start({ db: sql });
    await time.whenAsleep();
    broken = false;
    time.advance(1_000);
    await until('it has rung', () => queue.bells.length === 1);
  });

  test.each([
    ['rests', async () => void (await time.whenAsleep())],
    ['is about to start', async () => undefined],
  ])('stops promptly while it %s', async (_what, moment) => {
    const dispatcher = start();
    await moment();
    await dispatcher.stop();
    await shop.order('shop', 'A-1');
    dispatcher.wake();
    await shop.db.query('select 1');
    expect(queue.bells).toEqual([]);
  });

  test('stops promptly while it waits out a failure', async () => {
    queue.broken.add('fulfil-shop');
    await shop.order('shop', 'A-1');
    const dispatcher = start();
    await until('it has failed', () => shop.lines.some(({ event }) => event === 'dispatcher.trouble'));
    await dispatcher.stop();
  });

  test('rings a real queue, whose worker gets the job', async () => {
    const real = postgresBackend({ url: shop.url, max: 6, onError: () => undefined });
    const answered: (string | undefined)[] = [];
    const worker = real.worker(
      'fulfil-shop',
      async (job) => {
        answered.push(job.id);
        return 'done';
      },
      { concurrency: 1, onError: () => undefined },
    );
    const id = await shop.order('shop', 'A-1');
    start({ queue: real });
    await until('the bell is answered', () => answered.length === 1);
    expect(answered).toEqual([`submit-${id}-1`]);
    await worker.close();
    await running.pop()?.stop();
    await real.close();
  });
});

import { pauseAccount } from '../../src/accounts/pause.js';
import { openPresence, PRESENCE_CLASS } from '../../src/database/presence.js';
import {
  type Maintenance,
  type MaintenanceDeps,
  startMaintenance,
} from '../../src/maintenance/maintenance.js';
import { claimOperations } from '../../src/orders/store/claim.js';
import { ringDue } from '../../src/orders/store/dispatch.js';
import { createHttp, type Http } from '../../src/providers/http.js';
import { type QueueBackend, redisBackend, SCHEDULE_QUEUE } from '../../src/queue/backend.js';
import { systemTime } from '../../src/time.js';
import { KEY } from '../accounts/database.js';
import { type FakeTime, fakeTime } from '../helpers/fake-time.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { until } from '../helpers/until.js';
import { openShop, type Shop } from './shop.js';

let shop: Shop;
let redis: TestRedis;
let http: Http;
let queue: QueueBackend;
beforeAll(async () => {
  [shop, redis] = await Promise.all([openShop(), startRedis()]);
  http = createHttp({ clock: systemTime.clock, connections: 1 });
});
afterAll(async () => {
  await http.close();
  await redis.stop();
  await shop.close();
});

let running: Maintenance[];
beforeEach(async () => {
  running = [];
  await shop.reset();
  await redis.flush();
  queue = redisBackend({ url: redis.url, onError: () => undefined });
  await queue.opened();
});
afterEach(async () => {
  await Promise.all(running.map((each) => each.stop()));
  await queue.close();
});

interface Started {
  time: FakeTime;
  hints: number;
  probed: string[];
}

function start(over: Partial<MaintenanceDeps> = {}): Started {
  const time = fakeTime();
  const started: Started = { time, hints: 0, probed: [] };
  running.push(
    startMaintenance({
      db: shop.db,
      accounts: shop.accounts,
      log: shop.log,
      queue,
      time,
      presenceClass: PRESENCE_CLASS,
      hint: () => {
        started.hints += 1;
      },
      watch: { http, key: KEY, tell: () => undefined },
      readBalance: async () => null,
      retentionDays: 0,
      probe: async (account) => {
        started.probed.push(account);
        return false;
      },
      ...over,
    }),
  );
  return started;
}

/** Lets the loops go round until a condition holds. */
const rounds = <T>(what: string, { time }: Started, condition: () => T | Promise<T>) =>
  until(what, () => {
    time.advance(1_000);
    return condition();
  });

const accountRow = (id = 'shop') => shop.db.prisma.account.findUniqueOrThrow({ where: { id } });

describe('maintenance', () => {
  test('takes over what a process that is gone has left, and hints at it', async () => {
    await shop.open('shop');
    const id = await shop.order('shop', 'A-1');
    const dead = await openPresence(shop.url, {
      applicationName: 'dead',
      time: systemTime,
      log: () => undefined,
    });
    await ringDue(shop.db, [{ account: 'shop', jobs: 10, againMs: 30_000 }], 0);
    await claimOperations(shop.db, [{ operationId: id, timeoutMs: 30_000 }], dead.key, PRESENCE_CLASS);
    const started = start();
    await started.time.whenAsleep(4);
    const row = () => shop.db.prisma.operation.findUniqueOrThrow({ where: { id: BigInt(id) } });
    expect((await row()).state).toBe('running');
    await dead.close();
    const told = () => shop.lines.some(({ event }) => event === 'operation.recovered');
    await rounds('it is taken over', started, told);
    await until('it is hinted at', () => started.hints > 0);
    // Its call may have been made: it is looked for, not repeated.
    expect((await row()).state).toBe('unconfirmed');
    expect(shop.lines).toContainEqual(
      expect.objectContaining({ event: 'operation.recovered', account: 'shop', why: 'owner_gone' }),
    );
  });

  test('resumes an account whose pause has run out, and no other', async () => {
    await shop.open('shop');
    await shop.open('other');
    const pause = { code: 'operator', reason: 'stocktaking', by: 'operator:x' };
    const inAnHour = new Date(systemTime.clock.now() + 3_600_000).toISOString();
    await pauseAccount(shop.db, 'shop', {
      ...pause,
      until: new Date(systemTime.clock.now() - 1_000).toISOString(),
    });
    await pauseAccount(shop.db, 'other', { ...pause, until: inAnHour });
    await shop.accounts.refresh();
    const started = start();
    await rounds('the cache knows it', started, () => shop.accounts.get('shop')?.paused === false);
    expect(started.hints).toBeGreaterThan(0);
    expect(await accountRow('other')).toMatchObject({ pauseCode: 'operator' });
    const events = await shop.db.prisma.event.findMany({ where: { type: 'account.resumed' } });
    expect(events).toMatchObject([{ accountId: 'shop', actor: 'packline' }]);
  });

  describe('of an account that was paused for its credentials', () => {
    const dueForProbe = (id: string) =>
      shop.db.query('update packline.accounts set probe_at = now() where id = $1', id);
    beforeEach(async () => {
      for (const id of ['one', 'two', 'three']) {
        await shop.open(id);
        await pauseAccount(shop.db, id, { code: 'auth', reason: 'refused', by: 'packline', until: null });
      }
      await shop.accounts.refresh();
    });

    test('probes the one that is due, once a quarter of an hour, and leaves it paused where it is refused', async () => {
      await dueForProbe('one');
      const started = start();
      await rounds('it was probed', started, () => started.probed.length > 0);
      const end = started.time.clock.monotonic() + 30_000;
      await rounds('half a minute has passed', started, () => started.time.clock.monotonic() >= end);
      expect(started.probed).toEqual(['one']);
      const { pauseCode, probeAt } = await accountRow('one');
      expect(pauseCode).toBe('auth');
      expect((probeAt?.getTime() ?? 0) - systemTime.clock.now()).toBeGreaterThan(14 * 60_000);
    });

    test('resumes it where the probe is taken', async () => {
      await dueForProbe('one');
      const started = start({ probe: async () => true });
      await rounds('it goes on', started, () => shop.accounts.get('one')?.paused === false);
      expect(started.hints).toBeGreaterThan(0);
      expect(await accountRow('two')).toMatchObject({ pauseCode: 'auth' });
    });

    test('probes the others where one probe fails or hangs', async () => {
      for (const id of ['one', 'two', 'three']) await dueForProbe(id);
      let end: (passed: boolean) => void = () => undefined;
      const hanging = new Promise<boolean>((resolve) => {
        end = resolve;
      });
      const probe = (account: string) => {
        if (account === 'one') return Promise.reject(new Error('the database is away'));
        if (account === 'two') return hanging;
        return Promise.resolve(true);
      };
      const started = start({ probe });
      await rounds(
        'the last one goes on',
        started,
        async () => (await accountRow('three')).pauseCode === null,
      );
      end(false);
      await rounds('the failure is told', started, () =>
        shop.lines.some(({ event, task }) => event === 'maintenance.trouble' && task === 'pauses'),
      );
    });
  });

  test('keeps one schedule, runs it, and puts it back after the queue was emptied', async () => {
    const started = start();
    const second = start();
    const both = <T>(what: string, condition: () => T | Promise<T>) =>
      rounds(what, started, () => {
        second.time.advance(1_000);
        return condition();
      });
    const schedules = () => queue.queue(SCHEDULE_QUEUE).getJobSchedulers();
    await both('there is a schedule', async () => (await schedules()).length > 0);
    await both('it has run', () => started.hints + second.hints > 0);
    expect(await schedules()).toMatchObject([{ key: 'sync', every: 30_000 }]);
    await redis.flush();
    expect(await schedules()).toEqual([]);
    await both('it is back', async () => (await schedules()).length > 0);
    expect(await schedules()).toHaveLength(1);
  });

  test('is led by one: only the leader probes, and another one takes its place', async () => {
    await shop.open('shop');
    await pauseAccount(shop.db, 'shop', { code: 'auth', reason: 'refused', by: 'packline', until: null });
    const first = start();
    const due = () => shop.db.query('update packline.accounts set probe_at = now()');
    await due();
    await rounds('the first one leads', first, () => first.probed.length === 1);
    const second = start();
    await due();
    await rounds('it probes again', first, () => {
      second.time.advance(1_000);
      return first.probed.length === 2;
    });
    expect(second.probed).toEqual([]);
    await running.shift()?.stop();
    await due();
    await rounds('the second one probes', second, () => second.probed.length === 1);
    expect(first.probed).toHaveLength(2);
  });

  test('goes on with everything else where one task fails', async () => {
    await shop.open('shop');
    const broken: QueueBackend = {
      ...queue,
      queue: () => {
        throw new Error('Redis is away');
      },
    };
    const past = new Date(systemTime.clock.now() - 1_000).toISOString();
    await pauseAccount(shop.db, 'shop', { code: 'operator', reason: 'x', by: 'operator:x', until: past });
    const started = start({ queue: broken });
    await rounds('the board is in trouble', started, () =>
      shop.lines.some(({ event, task }) => event === 'maintenance.trouble' && task === 'board'),
    );
    await rounds('the pause ends all the same', started, async () => (await accountRow()).pauseCode === null);
  });

  test('survives that its connections are ended, and stops promptly', async () => {
    await shop.open('shop');
    const started = start();
    await rounds(
      'it leads',
      started,
      async () => (await queue.queue(SCHEDULE_QUEUE).getJobSchedulers()).length > 0,
    );
    await shop.db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
    );
    const past = new Date(systemTime.clock.now() - 1_000).toISOString();
    const pause = { code: 'operator', reason: 'x', by: 'operator:x', until: past };
    // Each connection of the pool fails once before it is replaced.
    await until('the pool is back', () => pauseAccount(shop.db, 'shop', pause).catch(() => null));
    await rounds(
      'it leads again',
      started,
      async () => (await accountRow().catch(() => null))?.pauseCode === null,
    );
    const begun = systemTime.clock.monotonic();
    await running.shift()?.stop();
    expect(systemTime.clock.monotonic() - begun).toBeLessThan(2_000);
  });
});

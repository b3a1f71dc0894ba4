import { getEventListeners } from 'node:events';
import { connect, type Database } from '../../src/database/connect.js';
import { closeGate, forgiveStrikes } from '../../src/gate/closures.js';
import { createGate, type Gate, type Permit } from '../../src/gate/gate.js';
import { paceOf, takePermits } from '../../src/gate/permits.js';
import type { Limits } from '../../src/providers/provider.js';
import { systemTime, type Time } from '../../src/time.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import { fullest } from './virtual.js';

const FAST: Limits = { requests: 1_000, perMs: 1_000, concurrency: 20 };

let database: TestDatabase;
let db: Database;

const open = () => connect({ url: database.url, max: 10, applicationName: 'test', onError: () => undefined });

beforeAll(async () => {
  database = await createDatabase();
  db = await open();
});

afterAll(async () => {
  await db.close();
  await database.drop();
});

beforeEach(async () => {
  await db.query('truncate packline.accounts cascade');
  await db.query(
    `insert into packline.accounts (id, provider, config, credentials) values ('shop', 'gelato-connect', '{}', 'sealed')`,
  );
  await db.query(`insert into packline.gates (account_id) values ('shop')`);
});

function gateOf(limits: Limits = FAST, sql: Pick<Database, 'query'> = db): Gate {
  return createGate({ sql, account: 'shop', limits: () => limits, time: systemTime });
}

const ask = (gate: Gate, priority = 5, dueAt = 0): Promise<Permit> => gate.acquire({ priority, dueAt });

async function rowOf(verb = '*') {
  return db.prisma.gate.findUniqueOrThrow({ where: { accountId_verb: { accountId: 'shop', verb } } });
}

const close = (
  forMs: number,
  why: string,
  more: { verb?: string; strike?: boolean; strikes?: number } = {},
) =>
  closeGate(
    db,
    'shop',
    { forMs, why, verb: more.verb ?? null, strike: more.strike ?? false },
    more.strikes ?? 1,
  );

/** Milliseconds until then. */
const left = (until: Date | null): number => (until?.getTime() ?? 0) - systemTime.clock.now();

describe('closing the gate of an account', () => {
  test('never shortens a closure, and keeps the reason of the longest', async () => {
    await close(60_000, 'Retry-After of a 429');
    await close(1_000, 'a short one');
    expect(left((await rowOf()).blockedUntil)).toBeGreaterThan(55_000);
    expect((await rowOf()).blockedWhy).toBe('Retry-After of a 429');
    await close(120_000, 'a longer one');
    expect(left((await rowOf()).blockedUntil)).toBeGreaterThan(115_000);
    expect((await rowOf()).blockedWhy).toBe('a longer one');
  });

  test('closes again after it was open', async () => {
    await close(-1_000, 'long past');
    await close(60_000, 'now');
    expect(await rowOf()).toMatchObject({ blockedWhy: 'now' });
  });

  test('closes one verb beside the others, also where that verb never was', async () => {
    await close(60_000, 'no funds', { verb: 'submit' });
    await close(1_000, 'no funds', { verb: 'submit' });
    expect(left((await rowOf('submit')).blockedUntil)).toBeGreaterThan(55_000);
    expect((await rowOf()).blockedUntil).toBeNull();
  });

  test('counts strikes and forgives them', async () => {
    await close(1_000, '429', { strike: true, strikes: 1 });
    await close(1_000, '429', { strike: true, strikes: 2 });
    await close(1_000, 'a reset time was named');
    expect((await rowOf()).strikes).toBe(2);
    await forgiveStrikes(db, 'shop');
    expect((await rowOf()).strikes).toBe(0);
  });

  test('takes a burst of answers for one strike, since one closure would have spared the others', async () => {
    await Promise.all([1, 2, 3, 4, 5].map((forMs) => close(forMs, '429', { strike: true, strikes: 1 })));
    expect((await rowOf()).strikes).toBe(1);
  });
});

describe('asking at a gate', () => {
  test('is granted at once where it is open', async () => {
    expect(await ask(gateOf())).toEqual({ granted: true });
  });

  test('sends back all who wait where it is closed for long, and says until when', async () => {
    await close(60_000, 'Retry-After');
    const gate = gateOf();
    const permits = await Promise.all([ask(gate), ask(gate, 1)]);
    for (const permit of permits) {
      expect(permit).toEqual({ granted: false, retryMs: expect.any(Number) });
      expect(permit.granted ? 0 : permit.retryMs).toBeGreaterThan(55_000);
      expect(permit.granted ? 0 : permit.retryMs).toBeLessThanOrEqual(60_000);
    }
  });

  test('waits on the spot where it opens soon, and not a moment less', async () => {
    await close(300, 'Retry-After');
    const { blockedUntil } = await rowOf();
    expect(await ask(gateOf())).toEqual({ granted: true });
    expect(left(blockedUntil)).toBeLessThanOrEqual(1);
  });

  test('sends those back who wait for a slot that is far away, without a request too many', async () => {
    const gate = gateOf({ requests: 1, perMs: 60_000, concurrency: 1 });
    const permits = await Promise.all([ask(gate), ask(gate), ask(gate)]);
    expect(permits.map(({ granted }) => granted)).toEqual([true, false, false]);
    const again = permits[1];
    expect(again?.granted === false && again.retryMs).toBeGreaterThan(50_000);
  });

  test('frees who gives up, and serves the others', async () => {
    await close(400, 'Retry-After');
    const gate = gateOf();
    const stop = new AbortController();
    const leaves = gate.acquire({ priority: 1, dueAt: 0, signal: stop.signal });
    const stays = ask(gate);
    stop.abort();
    const { blockedUntil } = await rowOf();
    expect(await leaves).toEqual({ granted: false, retryMs: 0 });
    expect(left(blockedUntil)).toBeGreaterThan(0);
    expect(await stays).toEqual({ granted: true });
    const never = gate.acquire({ priority: 1, dueAt: 0, signal: AbortSignal.abort() });
    expect(await never).toEqual({ granted: false, retryMs: 0 });
  });

  test('sleeps no longer than anybody waits, so that a process that stops is not held up', async () => {
    await close(4_000, 'Retry-After');
    const slept: Promise<void>[] = [];
    const time: Time = {
      ...systemTime,
      sleep: (ms, signal) => {
        const sleep = systemTime.sleep(ms, signal);
        slept.push(sleep);
        return sleep;
      },
    };
    const gate = createGate({ sql: db, account: 'shop', limits: () => FAST, time });
    const stop = new AbortController();
    const asked = gate.acquire({ priority: 1, dueAt: 0, signal: stop.signal });
    await until('the gate sleeps', () => slept.length > 0);
    const { blockedUntil } = await rowOf();
    stop.abort();
    await Promise.all([asked, ...slept]);
    expect(left(blockedUntil)).toBeGreaterThan(2_000);
  });

  test('fails where the account has no gate, for all who ask, and works once it has one', async () => {
    await db.query('truncate packline.gates');
    const gate = gateOf();
    const asked = await Promise.allSettled([ask(gate), ask(gate), ask(gate)]);
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await expect(ask(gate)).rejects.toThrow('account shop has no gate');
    await db.query(`insert into packline.gates (account_id) values ('shop')`);
    expect(await ask(gate)).toEqual({ granted: true });
  });

  test('fails while the database does, and works again after, without keeping hold of anybody’s signal', async () => {
    let broken = true;
    const gate = gateOf(FAST, {
      query: (text, ...values) =>
        broken ? Promise.reject(new Error('terminating connection')) : db.query(text, ...values),
    });
    const { signal } = new AbortController();
    await expect(gate.acquire({ priority: 1, dueAt: 0, signal })).rejects.toThrow('terminating');
    broken = false;
    expect(await gate.acquire({ priority: 1, dueAt: 0, signal })).toEqual({ granted: true });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('takes account of limits that change while it runs', async () => {
    let limits = { requests: 1, perMs: 60_000, concurrency: 1 };
    const gate = createGate({ sql: db, account: 'shop', limits: () => limits, time: systemTime });
    const slow = await Promise.all([ask(gate), ask(gate)]);
    expect(slow.filter(({ granted }) => granted)).toHaveLength(1);
    limits = FAST;
    await db.query('update packline.gates set next_permit_at = now()');
    expect(await ask(gateOf(limits))).toEqual({ granted: true });
  });
});

describe('who is served first', () => {
  /** Asks all at once and returns their names in the order in which they were served. */
  async function served(
    gate: Gate,
    asking: { name: string; priority: number; dueAt: number }[],
  ): Promise<string[]> {
    const order: string[] = [];
    await Promise.all(
      asking.map(async ({ name, priority, dueAt }) => {
        const permit = await ask(gate, priority, dueAt);
        if (permit.granted) order.push(name);
      }),
    );
    return order;
  }

  test('the most urgent, then the longest due; every fifth permit goes to the longest due of all', async () => {
    // The less urgent, the longer due; and of each urgency two.
    const asking = [1, 2, 3, 4, 5, 6].flatMap((priority) => [
      { name: `${priority} late`, priority, dueAt: 100 - priority },
      { name: `${priority} early`, priority, dueAt: 50 - priority },
    ]);
    expect(await served(gateOf(), asking)).toEqual([
      '1 early',
      '1 late',
      '2 early',
      '2 late',
      '6 early',
      '3 early',
      '3 late',
      '4 early',
      '4 late',
      '5 early',
      '5 late',
      '6 late',
    ]);
  });

  test('of a thousand nobody is forgotten, and the least urgent has its turn among the first', async () => {
    const urgent = Array.from({ length: 999 }, (_, n) => ({ name: `${n}`, priority: 1, dueAt: 1_000 + n }));
    const asking = [...urgent, { name: 'poll', priority: 6, dueAt: 0 }];
    const order = await served(gateOf({ requests: 20_000, perMs: 1_000, concurrency: 1 }), asking);
    expect(new Set(order).size).toBe(1_000);
    expect(order.indexOf('poll')).toBe(4);
    expect(order.filter((name) => name !== 'poll')).toEqual(urgent.map(({ name }) => name));
  });
});

describe('two processes of one account', () => {
  test('keep its limit together', async () => {
    const other = await open();
    const limits: Limits = { requests: 50, perMs: 200, concurrency: 10 };
    const at: number[] = [];
    const shares = [0, 0];
    const start = systemTime.clock.monotonic();
    const FOR_MS = 1_600;
    const caller = async (gate: Gate, share: 0 | 1): Promise<void> => {
      while (systemTime.clock.monotonic() - start < FOR_MS) {
        const { granted } = await ask(gate);
        if (!granted) continue;
        at.push(systemTime.clock.monotonic());
        shares[share] = (shares[share] ?? 0) + 1;
      }
    };
    const gates = [gateOf(limits), gateOf(limits, other)] as const;
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? caller(gates[0], 0) : caller(gates[1], 1))),
    );
    await other.close();
    at.sort((a, b) => a - b);
    expect(fullest(at, 1_000)).toBeLessThanOrEqual(250);
    // Both have had their part, and little of the limit was lost.
    expect(Math.min(...shares)).toBeGreaterThan(40);
    expect(at.length).toBeGreaterThan(0.6 * 50 * (FOR_MS / 200));
  });

  test('get no permit twice, however closely they ask', async () => {
    const pace = paceOf({ requests: 10, perMs: 600_000 });
    // All are held up at the row, so that they have begun before the first of them ends.
    const holder = await db.pool.connect();
    await holder.query('begin');
    await holder.query('select 1 from packline.gates for update');
    const asking = Promise.all(
      [1, 2, 3, 4].map(() => takePermits(db, 'shop', 1, { pace, perMs: 600_000, seen: null, now: 0 })),
    );
    await until('all wait at the row', async () => {
      const waiting = await db.query(
        `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return waiting.length === 4;
    });
    await holder.query('commit');
    holder.release();
    expect((await asking).reduce((sum, { granted }) => sum + granted, 0)).toBe(1);
  });

  test('stand still together, from the moment when one of them closes the gate', async () => {
    const other = await open();
    const [one, two] = [gateOf(), gateOf(FAST, other)];
    expect([await ask(one), await ask(two)]).toEqual([{ granted: true }, { granted: true }]);
    await closeGate(other, 'shop', { forMs: 30_000, why: '429', verb: null, strike: true });
    const permits = await Promise.all([ask(one), ask(two)]);
    expect(permits.map(({ granted }) => granted)).toEqual([false, false]);
    await other.close();
  });
});

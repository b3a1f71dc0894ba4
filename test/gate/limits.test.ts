/** What providers say and do about their limits, and what the gate makes of it; in a time of its own. */
import { connect, type Database } from '../../src/database/connect.js';
import { createGate } from '../../src/gate/gate.js';
import { cutShare, giveBack, paceOf, type Seen, takePermits } from '../../src/gate/permits.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { type VirtualTime, virtualTime } from './virtual.js';

let database: TestDatabase;
let db: Database;
let time: VirtualTime;

beforeAll(async () => {
  database = await createDatabase();
  db = await connect({ url: database.url, max: 5, applicationName: 'test', onError: () => undefined });
  await db.query(
    `insert into packline.accounts (id, provider, config, credentials) values ('shop', 'gelato-connect', '{}', 'sealed')`,
  );
});

afterAll(async () => {
  await db.close();
  await database.drop();
});

beforeEach(async () => {
  await db.query('truncate packline.gates');
  await db.query(
    `insert into packline.gates (account_id, next_permit_at, share_at) values ('shop', to_timestamp(0), to_timestamp(0))`,
  );
  time = virtualTime(db);
});

const LIMIT = { requests: 100, perMs: 10_000 };

const take = (asked: number, seen: Seen | null = null, limit = LIMIT) =>
  takePermits(time.sql, 'shop', asked, {
    pace: paceOf(limit),
    perMs: limit.perMs,
    seen,
    now: time.clock.now(),
  });

const says = (remaining: number, inMs: number): Seen => ({
  limit: LIMIT.requests,
  remaining,
  resetAt: time.clock.now() + inMs,
});

const rowOf = () =>
  db.prisma.gate.findUniqueOrThrow({ where: { accountId_verb: { accountId: 'shop', verb: '*' } } });

describe('what a provider says is left', () => {
  test('is spread over the rest of its window, and the pace is the old one after it', async () => {
    expect((await take(1, says(5, 5_000))).everyMs).toBeCloseTo(1_000, 5);
    time.pass(5_001);
    expect((await take(1)).everyMs).toBeCloseTo(paceOf(LIMIT).intervalMs, 5);
  });

  test('never makes the pace faster than the configured limit', async () => {
    expect((await take(1, says(90, 100))).everyMs).toBeCloseTo(paceOf(LIMIT).intervalMs, 5);
  });

  test('is counted down by what is taken, so that nobody takes it twice', async () => {
    expect((await take(1, says(2, 5_000))).granted).toBe(1);
    time.pass(2_600);
    expect((await take(9)).granted).toBe(1);
    expect(await take(9)).toMatchObject({ granted: 0, blockedMs: 2_400 });
  });

  test('closes the gate for all processes where it is nothing, until the window ends', async () => {
    expect(await take(1, says(0, 60_000))).toMatchObject({ granted: 0, blockedMs: 60_000 });
    const other = createGate({
      sql: time.sql,
      account: 'shop',
      limits: () => ({ ...LIMIT, concurrency: 1 }),
      time,
    });
    expect(await other.acquire({ priority: 5, dueAt: 0 })).toEqual({ granted: false, retryMs: 60_000 });
    expect(await rowOf()).toMatchObject({ blockedWhy: 'the limit is used up', seenRemaining: 0 });
    time.pass(60_001);
    expect(await other.acquire({ priority: 5, dueAt: 0 })).toEqual({ granted: true });
  });

  test('counts for its own window: what an older one says comes too late, a newer one begins anew', async () => {
    await take(1, says(50, 20_000));
    await take(1, says(3, 10_000));
    expect(await rowOf()).toMatchObject({ seenRemaining: 49 });
    await take(1, says(99, 40_000));
    expect(await rowOf()).toMatchObject({ seenRemaining: 99 });
  });

  test('takes the least of what is said of one window, whatever the order in which it is heard', async () => {
    await take(1, says(40, 20_000));
    await take(1, says(70, 20_500));
    expect(await rowOf()).toMatchObject({ seenRemaining: 39 });
  });

  test('may be absurd: it is bounded by what the row holds', async () => {
    await take(1, { limit: 9e14, remaining: 9e14, resetAt: time.clock.now() - 5_000 });
    expect(await take(1)).toMatchObject({ granted: 1 });
  });
});

/** A provider with windows one after the other, of whose limit another client takes its part evenly. */
class Shared {
  refused = 0;
  taken = 0;
  others = 0;
  #windowAt = 0;
  #used = 0;
  #othersAt = 0;
  readonly #limit: typeof LIMIT;
  readonly #everyMs: number;

  constructor(limit: typeof LIMIT, part: number) {
    this.#limit = limit;
    this.#everyMs = limit.perMs / (limit.requests * part);
  }

  /** One call of ours at this moment; what its answer says. */
  call(now: number): Seen {
    for (; this.#othersAt <= now; this.#othersAt += this.#everyMs)
      if (this.#use(this.#othersAt)) this.others += 1;
    if (this.#use(now)) this.taken += 1;
    else this.refused += 1;
    const { requests, perMs } = this.#limit;
    const resetAt = now + Math.ceil((this.#windowAt + perMs - now) / 1_000) * 1_000;
    return { limit: requests, remaining: requests - this.#used, resetAt };
  }

  #use(now: number): boolean {
    while (now >= this.#windowAt + this.#limit.perMs) {
      this.#windowAt += this.#limit.perMs;
      this.#used = 0;
    }
    if (this.#used >= this.#limit.requests) return false;
    this.#used += 1;
    return true;
  }
}

test('another client of the same key costs few refusals, and what it leaves is used', async () => {
  const limit = { requests: 600, perMs: 60_000 };
  const provider = new Shared(limit, 0.3);
  const gate = createGate({
    sql: time.sql,
    account: 'shop',
    limits: () => ({ ...limit, concurrency: 4 }),
    time,
  });
  const round = async () => {
    const permit = await gate.acquire({ priority: 5, dueAt: 0 });
    if (permit.granted) gate.see(provider.call(time.clock.monotonic()));
    else time.pass(permit.retryMs);
  };
  while (time.clock.monotonic() < 240_000) await Promise.all([1, 2, 3, 4].map(round));
  const left = (limit.requests * time.clock.monotonic()) / limit.perMs - provider.others;
  expect(provider.taken / left).toBeGreaterThan(0.9);
  expect(provider.refused / provider.taken).toBeLessThan(0.01);
});

describe('a refusal without a word about the limit', () => {
  const part = async () => paceOf(LIMIT).intervalMs / (await take(0)).everyMs;
  const cut = () => cutShare(time.sql, 'shop', LIMIT.perMs);

  test('slows the pace down, once for all calls that were under way', async () => {
    expect(await part()).toBe(1);
    await Promise.all([cut(), cut(), cut()]);
    expect(await part()).toBeCloseTo(0.92, 5);
    time.pass(1_001);
    await cut();
    expect(await part()).toBeCloseTo(0.92 * 0.92, 2);
  });

  test('is forgotten in time', async () => {
    await cut();
    time.pass(100_000);
    expect(await part()).toBeCloseTo(0.92 + 100_000 / 3_600_000, 5);
    time.pass(3_600_000);
    expect(await part()).toBe(1);
  });

  test('leaves something, however often it comes', async () => {
    for (let n = 0; n < 60; n += 1) {
      await cut();
      time.pass(1_001);
    }
    expect(await part()).toBeGreaterThanOrEqual(0.05);
  });
});

describe('permits that nobody wants', () => {
  test('are given back, unless somebody has taken the next ones since', async () => {
    const before = await take(3, null, { requests: 1_000, perMs: 1_000 });
    await giveBack(time.sql, 'shop', before, 2);
    const again = await take(1, null, { requests: 1_000, perMs: 1_000 });
    expect(again.firstMs - before.firstMs).toBeCloseTo(before.everyMs, 3);
    await giveBack(time.sql, 'shop', before, 1);
    const after = await take(1, null, { requests: 1_000, perMs: 1_000 });
    expect(after.firstMs - again.firstMs).toBeCloseTo(again.everyMs, 3);
  });
});

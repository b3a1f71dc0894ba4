import fc from 'fast-check';
import { connect, type Database } from '../../src/database/connect.js';
import { createGate } from '../../src/gate/gate.js';
import { type Pace, paceOf, takePermits } from '../../src/gate/permits.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { fullest, virtualTime } from './virtual.js';

let database: TestDatabase;
let db: Database;

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

async function freshGate(): Promise<void> {
  await db.query('truncate packline.gates');
  await db.query(`insert into packline.gates (account_id, next_permit_at) values ('shop', to_timestamp(0))`);
}

interface Limit {
  requests: number;
  perMs: number;
}

const limits: fc.Arbitrary<Limit> = fc.record({
  requests: fc.oneof(fc.integer({ min: 1, max: 25 }), fc.integer({ min: 1, max: 400 })),
  perMs: fc.constantFrom(100, 200, 1_000, 5_000, 60_000),
});

/** The slots of what was granted at one moment, as the gate hands them out: what is past goes at once. */
function slots(at: number, granted: number, firstMs: number, pace: Pace): number[] {
  return Array.from({ length: granted }, (_, n) => at + Math.max(0, firstMs + n * pace.intervalMs));
}

describe('the pace of an account', () => {
  test('spends nearly the whole limit, and never more', () => {
    fc.assert(
      fc.property(limits, ({ requests, perMs }) => {
        const { intervalMs, toleranceMs } = paceOf({ requests, perMs });
        const perWindow = perMs / intervalMs;
        expect(perWindow).toBeLessThanOrEqual(requests);
        expect(perWindow).toBeGreaterThanOrEqual(requests * 0.9);
        expect(toleranceMs).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('leaves no window of the limit above it, for any limit, however greedily and unevenly permits are taken', async () => {
    const gaps = fc.array(
      fc.record({
        idle: fc.double({ min: 0, max: 1.5, noNaN: true }),
        ask: fc.integer({ min: 1, max: 300 }),
      }),
      {
        minLength: 3,
        maxLength: 12,
      },
    );
    const property = fc.asyncProperty(limits, gaps, async (limit, takes) => {
      await freshGate();
      const pace = paceOf(limit);
      const time = virtualTime(db);
      const at: number[] = [];
      for (const { idle, ask } of takes) {
        time.pass(idle < 0.5 ? 0 : (idle - 0.5) * limit.perMs);
        const { granted, firstMs } = await takePermits(time.sql, 'shop', ask, {
          pace,
          perMs: limit.perMs,
          seen: null,
          now: 0,
        });
        const now = time.clock.monotonic();
        const calls = slots(now, granted, firstMs, pace);
        at.push(...calls);
        // The next taker asks when these are gone, or when there may be more.
        time.pass(granted === 0 ? Math.max(1, firstMs) : Math.max(0, (calls.at(-1) ?? now) - now));
      }
      at.sort((a, b) => a - b);
      expect(fullest(at, limit.perMs)).toBeLessThanOrEqual(limit.requests);
    });
    await fc.assert(property, { numRuns: 60 });
  });
});

describe('the gate in a time of its own', () => {
  /** Calls of `callers` that ask again at once, for a while; with `pauses` they leave the gate alone in between. */
  async function drive(
    limit: Limit,
    how: { forMs: number; callers: number; oversleep?: () => number; pauses?: () => number },
  ) {
    await freshGate();
    const time = virtualTime(db, how.oversleep);
    const gate = createGate({
      sql: time.sql,
      account: 'shop',
      limits: () => ({ ...limit, concurrency: 1 }),
      time,
    });
    const at: number[] = [];
    const round = async () => {
      const permit = await gate.acquire({ priority: 5, dueAt: 0 });
      if (permit.granted) at.push(time.clock.monotonic());
      else time.pass(permit.retryMs);
    };
    while (time.clock.monotonic() < how.forMs) {
      await Promise.all(Array.from({ length: how.callers }, round));
      time.pass(how.pauses?.() ?? 0);
    }
    return at;
  }

  test.each([
    { requests: 100, perMs: 1_000 },
    { requests: 120, perMs: 60_000 },
    { requests: 5, perMs: 1_000 },
    { requests: 2_000, perMs: 1_000 },
    { requests: 300, perMs: 200 },
  ])('keeps $requests in $perMs ms and uses nearly all of them', async (limit) => {
    const forMs = 2.5 * limit.perMs;
    const at = await drive(limit, { forMs, callers: Math.min(40, limit.requests) });
    expect(fullest(at, limit.perMs)).toBeLessThanOrEqual(limit.requests);
    expect(at.filter((ms) => ms < forMs).length).toBeGreaterThanOrEqual(2.5 * limit.requests * 0.9 - 1);
  });

  test('does not make up for a stall: what was missed then is lost, not called at once', async () => {
    let asleep = 0;
    // Every twentieth sleep the process gets no processor for 90 ms.
    const oversleep = () => {
      asleep += 1;
      return asleep % 20 === 0 ? 90 : 0;
    };
    const limit = { requests: 100, perMs: 1_000 };
    const at = await drive(limit, { forMs: 4_000, callers: 40, oversleep });
    expect(fullest(at, limit.perMs)).toBeLessThanOrEqual(limit.requests);
    expect(at.length).toBeGreaterThan(200);
  });

  test.each([
    { requests: 2_000, perMs: 1_000 },
    { requests: 300, perMs: 200 },
    { requests: 40, perMs: 20 },
  ])('keeps $requests in $perMs ms where calls come in bursts', async (limit) => {
    let burst = 0;
    const pauses = () => {
      burst += 1;
      return [0, 0, 3, 0, 15, 0, 0, 19][burst % 8] ?? 0;
    };
    const at = await drive(limit, { forMs: 1_500, callers: 7, pauses });
    expect(fullest(at, limit.perMs)).toBeLessThanOrEqual(limit.requests);
  });

  test('keeps any limit, whatever the bursts and the stalls', async () => {
    const moments = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 120, noNaN: true })), {
      minLength: 1,
      maxLength: 9,
    });
    const property = fc.asyncProperty(
      limits.filter(({ perMs }) => perMs <= 5_000),
      moments,
      moments,
      fc.integer({ min: 1, max: 60 }),
      async (limit, idle, stalls, callers) => {
        let rounds = 0;
        let sleeps = 0;
        const pauses = () => idle[rounds++ % idle.length] ?? 0;
        const oversleep = () => stalls[sleeps++ % stalls.length] ?? 0;
        const at = await drive(limit, { forMs: 1.5 * limit.perMs, callers, pauses, oversleep });
        expect(fullest(at, limit.perMs)).toBeLessThanOrEqual(limit.requests);
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });
});

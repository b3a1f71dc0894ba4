/** The breaker's row: what many processes count at once, and what it lets through. */
import fc from 'fast-check';
import { connect, type Database, type Sql } from '../../src/database/connect.js';
import type { BreakerSettings, Sign } from '../../src/gate/breaker.js';
import { callsIn } from '../../src/gate/breaker.js';
import { BREAKER_COLUMNS, type BreakerRow, closeBreaker, stateOf } from '../../src/gate/breaker-row.js';
import type { Opening } from '../../src/gate/counter.js';
import { createGate, type Gate } from '../../src/gate/gate.js';
import { paceOf, takePermits } from '../../src/gate/permits.js';
import { systemTime } from '../../src/time.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';

const LIMITS = { requests: 1_000, perMs: 1_000, concurrency: 20 };
const PACE = paceOf(LIMITS);
const SETTINGS: BreakerSettings = {
  minCalls: 10,
  ratio: 0.5,
  windowMs: 600_000,
  openMs: 60_000,
  maxOpenMs: 300_000,
};

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createDatabase();
  db = await connect({ url: database.url, max: 20, applicationName: 'test', onError: () => undefined });
});

afterAll(async () => {
  await db.close();
  await database.drop();
});

beforeEach(async () => {
  await db.query('truncate packline.accounts cascade');
  await db.query('truncate packline.events');
  await db.query(
    `insert into packline.accounts (id, provider, config, credentials) values ('shop', 'gelato-connect', '{}', 'sealed')`,
  );
  await db.query(`insert into packline.gates (account_id) values ('shop')`);
});

/** One process's part, and what it told. */
function processOf(settings: BreakerSettings | null = SETTINGS, sql: Sql = db) {
  const openings: Opening[] = [];
  const errors: unknown[] = [];
  const watch = {
    settings: () => settings,
    opened: (opening: Opening) => void openings.push(opening),
    onError: (error: unknown) => void errors.push(error),
  };
  const gate: Gate = createGate({ sql, account: 'shop', limits: () => LIMITS, watch, time: systemTime });
  const see = async (sign: Sign, times = 1) => {
    await Promise.all(Array.from({ length: times }, () => gate.count(sign, null)));
  };
  return { gate, see, openings, errors };
}

async function rowNow() {
  const [row] = await db.query<BreakerRow>(
    `select ${BREAKER_COLUMNS} from packline.gates g where g.account_id = 'shop' and g.verb = '*'`,
  );
  if (row === undefined) throw new Error('the account has no gate');
  return stateOf(row);
}

const events = async () =>
  (await db.prisma.event.findMany({ orderBy: { id: 'asc' } })).map(({ type, actor }) => `${type} ${actor}`);

const ask = (gate: Gate, passes = false) => gate.acquire({ priority: 5, dueAt: 0, passes });

describe('counting', () => {
  test('loses nothing where several processes meet trouble at once', async () => {
    const processes = Array.from({ length: 4 }, () => processOf({ ...SETTINGS, minCalls: 1_000 }));
    await Promise.all(processes.map(({ see }) => see('trouble', 25)));
    expect(callsIn((await rowNow()).window)).toEqual({ calls: 100, troubles: 100 });
    expect(processes.flatMap(({ errors }) => errors)).toEqual([]);
  });

  test('writes nothing for calls that go well, until permits are asked for', async () => {
    const { gate, see } = processOf();
    const before = await db.prisma.gate.findMany();
    await see('well', 100);
    await see('none', 5);
    expect(await db.prisma.gate.findMany()).toEqual(before);
    await ask(gate);
    expect((await rowNow()).window.now).toEqual({ wells: 100, troubles: 0 });
    await ask(gate);
    expect((await rowNow()).window.now).toEqual({ wells: 100, troubles: 0 });
  });

  test('keeps what goes well for the next request where no permit is granted', async () => {
    const { gate, see } = processOf();
    await db.query(`update packline.gates set blocked_until = now() + interval '1 hour'`);
    await see('well', 3);
    expect(await ask(gate)).toMatchObject({ granted: false });
    expect((await rowNow()).window.now.wells).toBe(0);
    await db.query('update packline.gates set blocked_until = null');
    await ask(gate);
    expect((await rowNow()).window.now.wells).toBe(3);
  });

  test('lets the successes of one process keep the breaker closed for the failures of another', async () => {
    const [well, ill] = [processOf(), processOf()];
    await ill.see('trouble', 4);
    await well.see('well', 30);
    await ask(well.gate);
    await ill.see('trouble', 5);
    expect(await rowNow()).toMatchObject({ kind: 'closed' });
    expect(ill.openings).toEqual([]);
  });

  test('comes to the same as one process that counts alone, whoever sees what', async () => {
    const signs = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom<Sign>('well', 'trouble')),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    await fc.assert(
      fc.asyncProperty(signs, async (seen) => {
        await db.query(
          `update packline.gates set wells = 0, troubles = 0, past_wells = 0, past_troubles = 0, window_at = now()`,
        );
        const processes = [0, 1, 2].map(() => processOf({ ...SETTINGS, minCalls: 1_000 }));
        for (const [index, sign] of seen) await processes[index]?.see(sign);
        for (const { gate } of processes) await ask(gate);
        const troubles = seen.filter(([, sign]) => sign === 'trouble').length;
        expect(callsIn((await rowNow()).window)).toEqual({ calls: seen.length, troubles });
      }),
      { numRuns: 25 },
    );
  });

  test('never fails the call that it counts; what went wrong is told', async () => {
    const trouble = new Error('the database is away');
    const { gate, errors } = processOf(SETTINGS, { query: () => Promise.reject(trouble) });
    await gate.count('trouble', null);
    await gate.count('well', '1');
    expect(errors).toEqual([trouble, trouble]);
  });

  test('is not done for an account without a breaker', async () => {
    const { see } = processOf(null);
    await see('trouble', 50);
    expect(await rowNow()).toMatchObject({ kind: 'closed', window: { since: null } });
  });
});

describe('an open breaker', () => {
  test('is told by one of all processes, and stands in the events once', async () => {
    const processes = Array.from({ length: 5 }, () => processOf());
    await Promise.all(processes.map(({ see }) => see('trouble', 10)));
    const openings = processes.flatMap((each) => each.openings);
    expect(openings).toHaveLength(1);
    expect(openings[0]?.troubles).toBeGreaterThanOrEqual(10);
    expect(openings[0]?.calls).toBe(openings[0]?.troubles);
    expect(await events()).toEqual(['account.breaker_opened packline']);
  });

  test('sends back at once whoever does not pass, until it lets one try, and costs them no slot', async () => {
    const { gate, see } = processOf();
    await see('trouble', 10);
    const { nextPermitAt } = await db.prisma.gate.findFirstOrThrow();
    const permits = await Promise.all(Array.from({ length: 20 }, () => ask(gate)));
    for (const permit of permits) {
      expect(permit).toEqual({ granted: false, retryMs: expect.any(Number) });
      expect(permit.granted ? 0 : permit.retryMs).toBeGreaterThan(50_000);
    }
    expect((await db.prisma.gate.findFirstOrThrow()).nextPermitAt).toEqual(nextPermitAt);
    await db.query('update packline.gates set open_until = now()');
    expect(await ask(gate)).toEqual({ granted: true });
  });

  test('lets through who passes, in the midst of those that it sends back', async () => {
    const { gate, see } = processOf();
    await see('trouble', 10);
    const permits = await Promise.all([false, true, false, true].map((passes) => ask(gate, passes)));
    expect(permits.map(({ granted }) => granted)).toEqual([false, true, false, true]);
    expect(
      await takePermits(db, 'shop', 10, { pace: PACE, perMs: LIMITS.perMs, seen: null, now: 0, passing: 2 }),
    ).toMatchObject({ granted: 2 });
  });

  test('does not count what it lets through', async () => {
    const { gate, see } = processOf();
    await see('trouble', 10);
    const { window } = await rowNow();
    await see('well', 40);
    await ask(gate, true);
    await see('trouble', 5);
    expect((await rowNow()).window).toEqual(window);
  });

  test('is closed by the call that tries and by no other, once', async () => {
    const { gate, see, openings } = processOf();
    await see('trouble', 10);
    await db.query(`update packline.gates set open_until = now(), probe_operation_id = 7`);
    await gate.count('well', '8');
    expect(await rowNow()).toMatchObject({ kind: 'open' });
    await Promise.all([gate.count('well', '7'), gate.count('well', '7')]);
    expect(await rowNow()).toMatchObject({ kind: 'closed', window: { since: null }, last: { openings: 1 } });
    expect(await events()).toEqual(['account.breaker_opened packline', 'account.breaker_closed packline']);
    expect(openings).toHaveLength(1);
  });

  test('is told once while it goes on failing, and again where it opens after it was closed by hand', async () => {
    const { gate, see, openings } = processOf();
    await see('trouble', 10);
    for (const operation of ['7', '8']) {
      await db.query(
        `update packline.gates set open_until = now(), probe_operation_id = $1::bigint`,
        operation,
      );
      await gate.count('trouble', operation);
    }
    const state = await rowNow();
    expect(state).toMatchObject({ kind: 'open', openings: 3, probe: null });
    expect(state.kind === 'open' ? state.until - systemTime.clock.now() : 0).toBeGreaterThan(200_000);
    expect(openings).toHaveLength(1);
    expect(await closeBreaker(db, 'shop', 'operator:ada')).toBe(true);
    expect(await closeBreaker(db, 'shop', 'operator:ada')).toBe(false);
    await see('trouble', 10);
    expect(openings).toHaveLength(2);
    expect(await events()).toEqual([
      'account.breaker_opened packline',
      'account.breaker_closed operator:ada',
      'account.breaker_opened packline',
    ]);
  });

  test('is no news where the call that tried said nothing of it', async () => {
    const { gate, see, openings } = processOf();
    await see('trouble', 10);
    await db.query(`update packline.gates set open_until = now(), probe_operation_id = 7`);
    await gate.count('none', '7');
    expect(await rowNow()).toMatchObject({ kind: 'open', openings: 1, probe: null });
    expect(openings).toHaveLength(1);
    expect(await events()).toEqual(['account.breaker_opened packline']);
  });

  test('is told once where it closes and opens again within a short while', async () => {
    const { gate, see, openings } = processOf();
    await see('trouble', 10);
    await db.query(`update packline.gates set open_until = now(), probe_operation_id = 7`);
    await gate.count('well', '7');
    await see('trouble', 10);
    expect(await rowNow()).toMatchObject({ kind: 'open', openings: 2 });
    expect(openings).toHaveLength(1);
  });
});

/** A provider that fails for a while, with several processes that call it: it is left alone, and nothing is lost. */
import type { OrderJson } from '../../src/views.js';
import {
  ALL_ROLES,
  BACKENDS,
  type Backend,
  createStage,
  orderBody,
  type Stage,
  startPackline,
  type TestPackline,
} from '../helpers/packline.js';
import { startWorker } from '../helpers/program.js';
import { startSimulator, type TestSimulator } from '../helpers/simulator.js';
import { until } from '../helpers/until.js';

const ORDERS = 40;
const CONCURRENCY = 4;
const BREAKER = { minCalls: 10, ratio: 0.8, openMs: 1_000, maxOpenMs: 2_000 };
const CHANGES = { breaker: BREAKER, limits: { requests: 1_000, perMs: 1_000, concurrency: CONCURRENCY } };
/** Several rounds of opening, on a busy machine. */
const DEADLINE_MS = 40_000;

const ACCOUNT = 'shop';

const closers: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

async function stageOf(backend: Backend): Promise<Stage> {
  const stage = await createStage(backend);
  closers.push(() => stage.remove());
  return stage;
}

async function start(...args: Parameters<typeof startPackline>): Promise<TestPackline> {
  const packline = await startPackline(...args);
  let stopped: Promise<void> | null = null;
  const stop = () => {
    stopped ??= packline.stop();
    return stopped;
  };
  closers.push(stop);
  return { ...packline, stop };
}

/** An account whose provider outlives every packline. */
async function brokenProvider(packline: TestPackline): Promise<TestSimulator> {
  const simulator = await startSimulator();
  closers.push(() => simulator.stop());
  await packline.apply([simulator.account(ACCOUNT, CHANGES)]);
  await simulator.fault({ match: { verb: 'submit' }, times: 1_000_000, do: { status: 503 } });
  return simulator;
}

const send = ({ expecting }: TestPackline): Promise<OrderJson[]> =>
  Promise.all(
    Array.from({ length: ORDERS }, (_, n) =>
      expecting<OrderJson>(201, 'POST', '/v1/orders', orderBody(ACCOUNT, `O-${n}`)),
    ),
  );

interface Standing {
  openings: number;
  opened: boolean;
  running: number;
  /** Budget that submits have spent. */
  spent: number;
}

async function standing({ running }: TestPackline): Promise<Standing> {
  const [row] = await running.base.db.query<Standing>(
    `select g.openings, g.opened_at is not null as opened,
      (select count(*)::int from packline.operations o where o.account_id = $1 and o.kind = 'submit' and o.state = 'running' and o.purpose = 'call') as running,
      (select sum(o.attempts)::int from packline.operations o where o.account_id = $1 and o.kind = 'submit') as spent
     from packline.gates g where g.account_id = $1 and g.verb = '*'`,
    ACCOUNT,
  );
  if (row === undefined) throw new Error(`account ${ACCOUNT} has no gate`);
  return row;
}

const submits = async (simulator: TestSimulator): Promise<number> => (await simulator.calls('submit')).length;

/** Calls beyond those of before the opening: one for each time that it opened again. */
async function onlyProbesSince(
  packline: TestPackline,
  simulator: TestSimulator,
  before: number,
): Promise<number> {
  return until(
    'the calls made are the probes',
    async () => {
      const { openings, running } = await standing(packline);
      const made = (await submits(simulator)) - before;
      return running === 0 && openings >= 3 && made === openings - 1 && openings;
    },
    DEADLINE_MS,
    5,
  );
}

/** All orders are there once, and no attempt was spent but by a call. */
async function allIsWell(
  packline: TestPackline,
  simulator: TestSimulator,
  sent: readonly OrderJson[],
): Promise<void> {
  for (const { id } of sent)
    await packline.orderWhen(id, 'submitted', ({ status }) => status === 'submitted', DEADLINE_MS);
  const references = (await simulator.orders()).map(({ reference }) => reference).sort();
  expect(references).toEqual(sent.map(({ reference }) => reference).sort());
  await packline.accountWhen(ACCOUNT, 'closed', ({ breaker }) => breaker?.state === 'closed');
}

async function eventsOf({ running }: TestPackline): Promise<string[]> {
  const events = await running.base.db.prisma.event.findMany({
    where: { accountId: ACCOUNT, type: { startsWith: 'account.' } },
    orderBy: { id: 'asc' },
  });
  return events.map(({ type }) => type);
}

test.each(BACKENDS)(
  'two processes leave it alone but for one call at a time, over a restart, and then all orders go out (%s)',
  async (backend) => {
    const stage = await stageOf(backend);
    const first = await start(stage);
    const second = await start(stage, ['fulfilment']);
    const simulator = await brokenProvider(first);
    const sent = await send(first);

    await until('the breaker opens', async () => (await standing(first)).opened, DEADLINE_MS);
    const { openings } = await standing(first);
    const made = await until('what was on its way has come back', async () => {
      const { running } = await standing(first);
      return running === 0 && submits(simulator);
    });
    // Those that open it, and as many as were on their way in both processes by then.
    expect(made).toBeLessThanOrEqual(BREAKER.minCalls + 2 * 2 * CONCURRENCY);
    await onlyProbesSince(first, simulator, made - (openings - 1));

    await Promise.all([second.stop(), first.stop()]);
    const third = await start(stage);
    const fourth = await start(stage, ['fulfilment']);
    const known = await third.account(ACCOUNT);
    expect(known.breaker).toMatchObject({
      state: expect.stringMatching(/open/),
      failureRate: expect.any(Number),
    });
    const before = await standing(third);
    await onlyProbesSince(third, simulator, made - (openings - 1));
    expect((await standing(third)).openings).toBeGreaterThanOrEqual(before.openings);

    await simulator.behave();
    await allIsWell(third, simulator, sent);
    expect((await standing(third)).spent).toBe(await submits(simulator));
    expect(await eventsOf(third)).toEqual(['account.breaker_opened', 'account.breaker_closed']);
    const told = [first, second, third, fourth].flatMap((each) => each.alerts);
    expect(told.filter(({ code }) => code === 'breaker_open')).toEqual([
      expect.objectContaining({
        account: ACCOUNT,
        severity: 'error',
        dedupeKey: `breaker_open:${ACCOUNT}`,
      }),
    ]);
  },
);

test.each(BACKENDS)(
  'processes that are killed while one of them tries leave nothing behind that keeps it shut (%s)',
  async (backend) => {
    const stage = await stageOf(backend);
    const front = await start(
      stage,
      ALL_ROLES.filter((role) => role !== 'fulfilment'),
    );
    const workers = [startWorker('fulfilment', stage.env), startWorker('fulfilment', stage.env)];
    for (const worker of workers) await worker.line(/"event":"process.ready"/);
    const simulator = await brokenProvider(front);
    const sent = await send(front);
    await until('the breaker opens', async () => (await standing(front)).opened, DEADLINE_MS);
    await until('what was on its way has come back', async () => (await standing(front)).running === 0);
    await simulator.behave();
    await simulator.fault({ match: { verb: 'submit' }, times: 1, do: { delayMs: 600_000 } });
    const made = await submits(simulator);
    await until('one tries', async () => (await submits(simulator)) > made, DEADLINE_MS);
    for (const worker of workers) worker.kill('SIGKILL');
    await Promise.all(workers.map(({ ended }) => ended));
    expect(await standing(front)).toMatchObject({ opened: true });

    const fresh = startWorker('fulfilment', stage.env);
    await allIsWell(front, simulator, sent);
    fresh.kill('SIGTERM');
    await fresh.ended;
  },
);

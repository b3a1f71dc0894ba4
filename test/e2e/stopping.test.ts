/** A worker that is told to stop: how soon it ends, and what it leaves behind. */
import { systemTime } from '../../src/time.js';
import type { OrderJson } from '../../src/views.js';
import { operation } from '../helpers/client.js';
import { accepting } from '../helpers/faults.js';
import {
  BACKENDS,
  type Backend,
  createStage,
  type Stage,
  startPackline,
  type TestPackline,
} from '../helpers/packline.js';
import { type Program, startWorker } from '../helpers/program.js';
import { until } from '../helpers/until.js';

const READY = /"event":"process.ready"/;
const submit = { verb: 'submit' };
/** Of the accounts here; the stop may take 5 s more (contract, "Numbers"). */
const TIMEOUT_MS = 1_500;
const STOP_MS = TIMEOUT_MS + 5_000;

const stages: Stage[] = [];
const packlines: TestPackline[] = [];

afterAll(async () => {
  await Promise.all(packlines.map((packline) => packline.stop()));
  await Promise.all(stages.map((stage) => stage.remove()));
});

async function start(stage: Stage, roles: Parameters<typeof startPackline>[1]): Promise<TestPackline> {
  const packline = await startPackline(stage, roles);
  packlines.push(packline);
  return packline;
}

/** Everything but the worker, which is a process of its own. */
async function withWorker(backend: Backend): Promise<{ stage: Stage; front: TestPackline; worker: Program }> {
  const stage = await createStage(backend);
  stages.push(stage);
  const front = await start(stage, ['api', 'dispatcher', 'maintenance']);
  const worker = startWorker('fulfilment', stage.env);
  await worker.line(READY);
  return { stage, front, worker };
}

const submitOf = (order: OrderJson) => operation(order, 'submit');

/** Tells it to stop, and waits for its end. */
async function stopped(worker: Program, signals = 1): Promise<{ code: number | null; ms: number }> {
  const began = systemTime.clock.monotonic();
  for (let n = 0; n < signals; n += 1) worker.kill('SIGTERM');
  const { code } = await worker.ended;
  return { code, ms: systemTime.clock.monotonic() - began };
}

test.concurrent.each(BACKENDS)(
  'a call that gets no answer is given up in time and written down as unknown (%s)',
  async (backend) => {
    const { stage, front, worker } = await withWorker(backend);
    const scene = await front.scene({ config: { requestTimeoutMs: TIMEOUT_MS } });
    await scene.simulator.fault({ match: submit, times: 1, do: accepting('hang') });
    const sent = await scene.send('G-1');
    await until('it is on its way', async () => (await scene.simulator.calls('submit')).length === 1);
    const { code, ms } = await stopped(worker);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(STOP_MS);
    expect(submitOf(await front.order(sent.id))).toMatchObject({ state: 'unconfirmed' });
    await start(stage, ['fulfilment']);
    await front.orderWhen(sent.id, 'submitted', ({ status }) => status === 'submitted', 20_000);
    expect(await scene.simulator.calls('submit')).toHaveLength(1);
  },
);

test.concurrent.each(BACKENDS)(
  'orders that wait for the pace are given back unspent, and told twice it ends as well (%s)',
  async (backend) => {
    const { stage, front, worker } = await withWorker(backend);
    const scene = await front.scene({
      config: { requestTimeoutMs: TIMEOUT_MS },
      limits: { requests: 1, perMs: 4_000, concurrency: 4 },
    });
    await scene.simulator.fault({ match: submit, times: 1, do: { delayMs: 700 } });
    const orders = await Promise.all(['P-1', 'P-2', 'P-3', 'P-4'].map((name) => scene.send(name)));
    await until('one is on its way', async () => (await scene.simulator.calls('submit')).length === 1);
    const { code, ms } = await stopped(worker, 2);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(STOP_MS);
    const left = (await Promise.all(orders.map(({ id }) => front.order(id)))).map(submitOf);
    expect(left.filter((one) => one?.state === 'succeeded')).toHaveLength(1);
    const waiting = left.filter((one) => one?.state !== 'succeeded');
    expect(waiting.map((one) => [one?.attempts, one?.calls])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    for (const one of waiting) expect(['pending', 'queued']).toContain(one?.state);
    await start(stage, ['fulfilment']);
    for (const { id } of orders)
      await front.orderWhen(id, 'submitted', ({ status }) => status === 'submitted', 45_000);
    expect(await scene.simulator.orders()).toHaveLength(4);
  },
);

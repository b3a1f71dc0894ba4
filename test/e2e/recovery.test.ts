/** Processes that are killed, told to stop, or lose their queue while orders are on their way. */

import type { OrderJson } from '../../src/views.js';
import { operation } from '../helpers/client.js';
import { accepting, losing } from '../helpers/faults.js';
import {
  BACKENDS,
  type Backend,
  createStage,
  type Scene,
  type Stage,
  startPackline,
  type TestPackline,
} from '../helpers/packline.js';
import { startWorker } from '../helpers/program.js';
import { until } from '../helpers/until.js';

const is = (wanted: string) => (order: OrderJson) => order.status === wanted;
const submit = { verb: 'submit' };
const READY = /"event":"process.ready"/;

const stages: Stage[] = [];
const packlines: TestPackline[] = [];

/** A stage of one test's own, with everything running on it but the worker. */
async function everythingButWorkers(backend: Backend): Promise<{ stage: Stage; front: TestPackline }> {
  const stage = await createStage(backend);
  stages.push(stage);
  const front = await startPackline(stage, ['api', 'dispatcher', 'maintenance']);
  packlines.push(front);
  return { stage, front };
}

/** A worker in this process, which takes over from those that are killed. */
async function startOwnWorker(stage: Stage): Promise<void> {
  packlines.push(await startPackline(stage, ['fulfilment']));
}

async function operationsIn(packline: TestPackline, state: string): Promise<number> {
  const [row] = await packline.running.base.db.query<{ n: number }>(
    `select count(*)::int as n from packline.operations where state::text = $1`,
    state,
  );
  return row?.n ?? 0;
}

/** Sends an order and waits until its submit hangs at the provider. */
async function hanging({ simulator, send }: Scene, reference: string): Promise<OrderJson> {
  const sent = await send(reference);
  await until(
    'the call has reached the provider',
    async () => (await simulator.calls('submit')).length === 1,
  );
  return sent;
}

afterAll(async () => {
  await Promise.all(packlines.map((packline) => packline.stop()));
  await Promise.all(stages.map((stage) => stage.remove()));
});

test.concurrent.each(BACKENDS)(
  'a worker that is killed in the middle of its call leaves an order that the next one finds at the provider (%s)',
  async (backend) => {
    const { stage, front } = await everythingButWorkers(backend);
    const scene = await front.scene();
    await scene.simulator.fault({ match: submit, times: 1, do: accepting('hang') });
    const worker = startWorker('fulfilment', stage.env);
    await worker.line(READY);
    const sent = await hanging(scene, 'K-1');
    worker.kill('SIGKILL');
    await worker.ended;
    await startOwnWorker(stage);

    const done = await front.orderWhen(sent.id, 'submitted', is('submitted'), 20_000);
    const [theirs, ...more] = await scene.simulator.orders('K-1');
    expect(more).toEqual([]);
    expect(done).toMatchObject({ providerOrderId: theirs?.id, attention: null });
    expect(await scene.simulator.calls('submit')).toHaveLength(1);
    expect(await front.timeline(sent.id)).toContainEqual(
      expect.objectContaining({
        type: 'operation.recovered',
        data: { state: 'unconfirmed', why: 'owner_gone' },
      }),
    );
  },
);

test.concurrent.each(BACKENDS)(
  'a worker that is killed in the middle of its call leaves an order that is sent again only when it is certainly not there (%s)',
  async (backend) => {
    const { stage, front } = await everythingButWorkers(backend);
    const scene = await front.scene({ config: { requestTimeoutMs: 2_000 } });
    await scene.simulator.fault({ match: submit, times: 1, do: losing('hang') });
    const worker = startWorker('fulfilment', stage.env);
    await worker.line(READY);
    const sent = await hanging(scene, 'K-1');
    worker.kill('SIGKILL');
    await worker.ended;
    await startOwnWorker(stage);

    const done = await front.orderWhen(sent.id, 'submitted', is('submitted'), 25_000);
    expect(await scene.simulator.orders('K-1')).toHaveLength(1);
    const [first, second] = (await scene.simulator.calls('submit')).map(({ at }) => Date.parse(at));
    // The dead process could have sent until 5 s after its claim; then the timeout and the grace.
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(7_000);
    expect(operation(done, 'submit')).toMatchObject({ state: 'succeeded' });
  },
);

test.concurrent.each(BACKENDS)(
  'a worker that is told to stop finishes its call, ends with 0, and leaves nothing running (%s)',
  async (backend) => {
    const { stage, front } = await everythingButWorkers(backend);
    const scene = await front.scene();
    await scene.simulator.fault({ match: submit, times: 1, do: { delayMs: 500 } });
    const worker = startWorker('fulfilment', stage.env);
    await worker.line(READY);
    const sent = await hanging(scene, 'S-1');
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    expect(await operationsIn(front, 'running')).toBe(0);
    const done = await front.order(sent.id);
    expect(done.status).toBe('submitted');
    expect(operation(done, 'submit')).toMatchObject({ state: 'succeeded', attempts: 1, calls: 1 });
    // What comes afterwards waits for another worker.
    const later = await scene.send('S-2');
    await startOwnWorker(stage);
    await front.orderWhen(later.id, 'submitted', is('submitted'));
  },
);

test.concurrent('a Redis that is emptied with orders in the queue loses none of them', async () => {
  const { stage, front } = await everythingButWorkers('redis');
  const scene = await front.scene();
  const sent = await Promise.all(Array.from({ length: 25 }, (_, n) => scene.send(`Q-${n}`)));
  await until('all are in the queue', async () => (await operationsIn(front, 'queued')) === 25);
  const queue = front.running.queue.queue(`fulfil-${scene.account}`);
  expect(await queue.getJobCountByTypes('waiting', 'prioritized')).toBe(25);
  await stage.redis?.flush();
  expect(await queue.getJobCountByTypes('waiting', 'prioritized')).toBe(0);
  await startOwnWorker(stage);
  for (const { id } of sent) await front.orderWhen(id, 'submitted', is('submitted'));
  expect(await scene.simulator.calls('submit')).toHaveLength(25);
});

test.concurrent('a Redis that is emptied while orders are being sent loses none and doubles none', async () => {
  const { stage, front } = await everythingButWorkers('redis');
  await startOwnWorker(stage);
  const scene = await front.scene();
  await scene.simulator.fault({ match: submit, times: 60, do: { delayMs: 150 } });
  const sent = await Promise.all(Array.from({ length: 60 }, (_, n) => scene.send(`Q-${n}`)));
  await until('some are on their way', async () => (await scene.simulator.calls('submit')).length > 5);
  await stage.redis?.flush();
  for (const { id } of sent) await front.orderWhen(id, 'submitted', is('submitted'), 20_000);
  expect(await scene.simulator.orders()).toHaveLength(60);
  expect(await scene.simulator.calls('submit')).toHaveLength(60);
});

test.concurrent('a Redis that is emptied shows the dead letters again', async () => {
  const { stage, front } = await everythingButWorkers('redis');
  await startOwnWorker(stage);
  const scene = await front.scene();
  await scene.simulator.fault({ match: submit, times: 1, do: { status: 404 } });
  const letter = await front.letterOf(await scene.send('Q-1'));
  const board = front.running.queue.queue('dead-letters');
  const onBoard = async () => (await board.getJob(`dead-letter-${letter.id}`)) !== undefined;
  await until('the letter is on the board', onBoard);
  await stage.redis?.flush();
  expect(await onBoard()).toBe(false);
  await until('the letter is on the board again', onBoard);
});

/** A worker that does not consume any more is noticed; one that has nothing to do, or no queue to ask, is not. */
import { type Counts, createLiveness, type Sight, watchWorkers } from '../../src/fulfil/liveness.js';
import { postgresBackend, type QueueBackend, queueName, redisBackend } from '../../src/queue/backend.js';
import { systemTime } from '../../src/time.js';
import { BACKENDS, type Backend } from '../helpers/packline.js';
import { createDatabase } from '../helpers/postgres.js';
import { startRedis } from '../helpers/redis.js';
import { until } from '../helpers/until.js';

const IDLE: Sight = { waiting: 3, paused: false, taken: 7, busy: 0, concurrency: 4 };

/** At which of so many looks a worker counts as stuck; null where at none. */
function stuckAt(looks: number, sight: (look: number) => Partial<Sight>): number | null {
  const liveness = createLiveness();
  for (let look = 1; look <= looks; look += 1) {
    if (liveness.see('shop', { ...IDLE, ...sight(look) })) return look;
  }
  return null;
}

describe('a worker', () => {
  test('is stuck when jobs wait and none was taken from the first look to the seventh', () => {
    expect(stuckAt(20, () => ({}))).toBe(7);
  });

  test.each<[string, (look: number) => Partial<Sight>]>([
    ['it takes one now and then', (look) => ({ taken: Math.floor(look / 5) })],
    ['its queue is seen empty now and then', (look) => ({ waiting: look % 5 === 0 ? 0 : 3 })],
    ['its queue does not answer now and then', (look) => ({ waiting: look % 5 === 0 ? null : 3 })],
    ['its queue was paused from elsewhere', () => ({ paused: true })],
    ['it has its hands full', () => ({ busy: 4 })],
  ])('is not where %s', (_why, sight) => {
    expect(stuckAt(50, sight)).toBeNull();
  });

  test('is judged for itself, whatever the others do', () => {
    const liveness = createLiveness();
    let stuck: string[] = [];
    for (let look = 1; look <= 7; look += 1) {
      stuck = ['one', 'two'].filter((account) =>
        liveness.see(account, { ...IDLE, taken: account === 'one' ? look : 7 }),
      );
    }
    expect(stuck).toEqual(['two']);
  });
});

async function open(backend: Backend): Promise<{ queue: QueueBackend; close(): Promise<void> }> {
  const onError = () => undefined;
  if (backend === 'redis') {
    const redis = await startRedis();
    const queue = redisBackend({ url: redis.url, onError });
    await queue.opened();
    return { queue, close: () => queue.close().then(() => redis.stop()) };
  }
  const database = await createDatabase();
  const queue = postgresBackend({ url: database.url, max: 5, onError });
  return { queue, close: () => queue.close().then(() => database.drop()) };
}

test.each(BACKENDS)(
  'one that has stopped consuming is told of, while its queue answers (%s)',
  async (backend) => {
    const { queue, close } = await open(backend);
    const counts: Counts = { taken: 0, busy: 0, concurrency: 1 };
    const worker = queue.worker(
      queueName('shop'),
      async () => {
        counts.taken += 1;
        return 'done';
      },
      { concurrency: 1, onError: () => undefined },
    );
    const stop = new AbortController();
    const told: string[] = [];
    const add = (id: string) =>
      queue.add(queueName('shop'), [
        { name: 'submit', data: { v: 1, operationId: id }, opts: { jobId: `submit-${id}-1` } },
      ]);
    const watching = watchWorkers(
      { queue, time: systemTime, onStuck: (reason) => void told.push(reason), lookEveryMs: 20 },
      new Map([['shop', counts]]),
      stop.signal,
    );
    await add('1');
    await until('the first job is taken', () => counts.taken === 1);
    expect(told).toEqual([]);
    // Connected or not: what has been seen after outages is a worker that does not ask any more.
    await worker.close();
    await add('2');
    await until('it is told', () => told.length > 0);
    expect(told).toEqual(['the worker of account shop takes no jobs any more, though 1 wait']);
    stop.abort();
    await watching;
    await worker.close();
    await close();
  },
);

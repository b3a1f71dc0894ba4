import { type Job, type Processor, UnrecoverableError } from 'bullmq';
import { type JobData, jobOptions, type Ring } from '../../src/policy/job-options.js';
import { DEFAULT_POLICY, type ProviderPolicy } from '../../src/policy/policy.js';
import { postgresBackend, type QueueBackend, RetryLater, redisBackend } from '../../src/queue/backend.js';
import { systemTime } from '../../src/time.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { until } from '../helpers/until.js';

const policy: ProviderPolicy = { ...DEFAULT_POLICY, attempts: 3, rules: [] };

let redis: TestRedis;
let database: TestDatabase;
beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), createDatabase()]);
});
afterAll(async () => {
  await redis.stop();
  await database.drop();
});

describe.each(['redis', 'postgres'] as const)('the queue on %s', (kind) => {
  let backend: QueueBackend;
  let closers: (() => Promise<unknown>)[];
  let queues = 0;
  /** A queue of its own for each test: what a test leaves behind concerns nobody. */
  let queue: string;

  beforeEach(async () => {
    queues += 1;
    queue = `fulfil-${kind}-${queues}`;
    const onError = () => undefined;
    backend =
      kind === 'redis'
        ? redisBackend({ url: redis.url, onError })
        : postgresBackend({ url: database.url, max: 10, onError });
    await backend.opened();
    closers = [() => backend.close()];
  });
  afterEach(async () => {
    for (const close of closers.reverse()) await close();
  });

  function ring(operationId: string, extra: Partial<Ring> = {}) {
    const bell: Ring = { operationId, kind: 'submit', priority: 5, ringNo: 1, attempts: 0, ...extra };
    const data: JobData = { v: 1, operationId };
    return backend.add(queue, [{ name: bell.kind, data, opts: jobOptions(bell, policy, kind) }]);
  }

  function work(processor: Processor<JobData, string>, concurrency = 1) {
    const worker = backend.worker(queue, processor, { concurrency, onError: () => undefined });
    closers.push(() => worker.close());
    return worker;
  }

  /** The job as the board shows it, once it is in that state. */
  const jobIn = (state: string, id: string): Promise<Job> =>
    until(`${id} is ${state}`, async () => {
      const job: Job | undefined = await backend.queue(queue).getJob(id);
      return job !== undefined && (await job.getState()) === state ? job : null;
    });

  test('brings every job to a worker, with its name and nothing but ids', async () => {
    const seen = new Map<string, string>();
    work(async (job) => {
      seen.set(job.data.operationId, job.name);
      expect(job.data).toEqual({ v: 1, operationId: job.data.operationId });
      return 'done';
    }, 10);
    const opts = (id: string) =>
      jobOptions({ operationId: id, kind: 'cancel', priority: 1, ringNo: 1, attempts: 0 }, policy, kind);
    const jobs = Array.from({ length: 300 }, (_, n) => ({
      name: 'cancel',
      data: { v: 1 as const, operationId: `${n}` },
      opts: opts(`${n}`),
    }));
    await backend.add(queue, jobs);
    await until('all jobs are done', () => seen.size === 300);
    expect(new Set(seen.values())).toEqual(new Set(['cancel']));
  });

  test('serves the urgent before the others', async () => {
    await ring('1', { priority: 6 });
    await ring('2', { priority: 5 });
    await ring('3', { priority: 1 });
    const order: string[] = [];
    work(async (job) => {
      order.push(job.data.operationId);
      return 'done';
    });
    await until('all are served', () => order.length === 3);
    expect(order).toEqual(['3', '2', '1']);
  });

  test('runs a job again after the delay that its RetryLater names, until its attempts are spent', async () => {
    const runs: { at: number; made: number }[] = [];
    const delays = [60, 300];
    const failed: string[] = [];
    const worker = work(async (job) => {
      runs.push({ at: systemTime.clock.monotonic(), made: job.attemptsMade });
      throw new RetryLater(delays[runs.length - 1] ?? 1, `again in ${delays[runs.length - 1]} ms`);
    });
    worker.on('failed', (job, error) => {
      if (job?.finishedOn !== undefined) failed.push(error.message);
    });
    await ring('1');
    await until('the last attempt has failed', () => failed.length > 0);
    expect(runs.map(({ made }) => made)).toEqual([0, 1, 2]);
    const between = runs.slice(1).map(({ at }, n) => at - (runs[n]?.at ?? 0));
    // Timers may ring a millisecond early.
    expect(between[0]).toBeGreaterThanOrEqual(59);
    expect(between[1]).toBeGreaterThanOrEqual(299);
    expect(between[0]).toBeLessThan(300);
  });

  test('gives an operation only the attempts that it has left', async () => {
    let runs = 0;
    let over = false;
    const worker = work(async () => {
      runs += 1;
      throw new RetryLater(1, 'again');
    });
    worker.on('failed', (job) => {
      over = job?.finishedOn !== undefined;
    });
    await ring('1', { attempts: 2, ringNo: 9 });
    await until('it has failed for good', () => over);
    expect(runs).toBe(1);
  });

  test.each([
    ['an unexpected exception', new TypeError('undefined is not a function')],
    ['a dead letter', new UnrecoverableError('dead letter: http_500')],
  ])('ends a job at once after %s', async (_what, error) => {
    const runs: string[] = [];
    const ended: string[] = [];
    const worker = work(async (job) => {
      runs.push(job.data.operationId);
      if (job.data.operationId === '1') throw error;
      return 'done';
    });
    worker.on('failed', (job, { message }) => void ended.push(`${job?.data.operationId} ${message}`));
    await ring('1');
    await until('it has failed', () => ended.length === 1);
    await ring('2');
    await until('the next one has run', () => runs.includes('2'));
    expect(runs).toEqual(['1', '2']);
    expect(ended).toEqual([`1 ${error.message}`]);
  });

  test('swallows a job whose id it still holds: hence every bell has a ring number of its own', async () => {
    await ring('1');
    await ring('1');
    await ring('1', { ringNo: 2 });
    expect(await backend.queue(queue).getJobCountByTypes('waiting', 'prioritized')).toBe(2);
    const ids: (string | undefined)[] = [];
    work(async (job) => {
      ids.push(job.id);
      return 'done';
    });
    await until('both have run', () => ids.length === 2);
    expect(ids).toEqual(['submit-1-1', 'submit-1-2']);
  });

  test('lets the job in hand finish when its worker closes', async () => {
    let running = false;
    let finished = false;
    const worker = work(async () => {
      running = true;
      await systemTime.sleep(100);
      finished = true;
      return 'done';
    });
    await ring('1');
    await until('the job runs', () => running);
    await worker.close();
    expect(finished).toBe(true);
  });

  test('makes a queue of a name once, and knows all it has made', () => {
    expect(backend.queue(queue)).toBe(backend.queue(queue));
    backend.queue(`${queue}-more`);
    expect(backend.queues().map(({ name }) => name)).toEqual([queue, `${queue}-more`]);
    expect(backend.kind).toBe(kind);
  });

  if (kind === 'redis') {
    test('keeps what is done for operators, and what it keeps swallows an equal id', async () => {
      let runs = 0;
      work(async () => {
        runs += 1;
        return 'accepted';
      });
      await ring('1');
      expect((await jobIn('completed', 'submit-1-1')).returnvalue).toBe('accepted');
      await ring('1');
      await ring('1', { ringNo: 2 });
      await jobIn('completed', 'submit-1-2');
      expect(runs).toBe(2);
    });

    test('knows by its epoch whether Redis was emptied', async () => {
      await redis.flush();
      expect(await backend.wasEmptied()).toBe(true);
      await backend.markFilled();
      expect(await backend.wasEmptied()).toBe(false);
      await ring('1');
      await redis.flush();
      expect(await backend.wasEmptied()).toBe(true);
      expect(await backend.queue(queue).getJobCountByTypes('waiting', 'prioritized')).toBe(0);
    });
  } else {
    test('keeps nothing that is done: retention by count runs jobs twice there', async () => {
      let runs = 0;
      work(async () => {
        runs += 1;
        return 'accepted';
      });
      await ring('1');
      await until('it has run', () => runs === 1);
      await until('it is gone', async () => (await backend.queue(queue).getJob('submit-1-1')) === undefined);
    });

    test('is never emptied by itself', async () => {
      expect(await backend.wasEmptied()).toBe(false);
      await backend.markFilled();
      expect(await backend.wasEmptied()).toBe(false);
    });
  }
});

import pg from 'pg';
import { postgresBackend, type QueueBackend, redisBackend } from '../../src/queue/backend.js';
import { systemTime } from '../../src/time.js';
import { createDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import { type FlakyRedis, flakyRedis } from './redis-server.js';

const job = (id: string) => ({
  name: 'submit',
  data: { v: 1 as const, operationId: id },
  opts: { jobId: `submit-${id}-1` },
});

/** Rejected within this, or the dispatcher's loop hangs, ms. */
const FAST_MS = 15_000;

/** How a call ended and how long it took; `hangs` where it has not ended in time. */
async function timed(call: Promise<unknown>): Promise<{ end: string; ms: number }> {
  const start = systemTime.clock.monotonic();
  const patience = new AbortController();
  const end = await Promise.race([
    call.then(
      () => 'resolved',
      () => 'rejected',
    ),
    systemTime.sleep(FAST_MS, patience.signal).then(() => 'hangs'),
  ]);
  patience.abort();
  return { end, ms: systemTime.clock.monotonic() - start };
}

// The frozen Redis comes last: by then BullMQ's own timers of the tests before it, of 5 s, have run out.
test('without PostgreSQL, its queue fails without a flood of errors, and goes on when it is back', async () => {
  const database = await createDatabase();
  const { pathname } = new URL(database.url);
  const name = pathname.slice(1);
  const admin = new pg.Client({ connectionString: new URL('/postgres', database.url).href });
  await admin.connect();
  const errors: string[] = [];
  const onError = (error: Error) => void errors.push(error.message);
  const backend = postgresBackend({ url: database.url, max: 10, onError });
  const ran = new Set<string>();
  const work = (queue: string) =>
    backend.worker(
      queue,
      async (each) => {
        ran.add(`${queue} ${each.data.operationId}`);
        return 'done';
      },
      { concurrency: 2, onError },
    );
  const workers = [work('old')];
  await backend.add('old', [job('1')]);
  await until('the job has run', () => ran.has('old 1'));

  await admin.query(`alter database ${name} with allow_connections false`);
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  expect((await timed(backend.add('old', [job('2')]))).end).toBe('rejected');
  expect((await timed(backend.add('new', [job('2')]))).end).toBe('rejected');
  workers.push(work('new'));
  // Whoever asks in a loop without a pause leaves no turn to this.
  await until(
    'the new worker has tried twice',
    () => errors.filter((each) => each.includes('not currently accepting')).length >= 4,
  );
  await systemTime.sleep(1_000);
  expect(errors.length).toBeLessThan(40);

  await admin.query(`alter database ${name} with allow_connections true`);
  await backend.add('old', [job('3')]);
  await backend.add('new', [job('3')]);
  await until('the jobs have run', () => ran.has('old 3') && ran.has('new 3'));
  await Promise.all(workers.map((each) => each.close()));
  await backend.close();
  await admin.end();
  await database.drop();
});

describe('without Redis', () => {
  let server: FlakyRedis;
  let backend: QueueBackend;
  const closers: (() => Promise<unknown>)[] = [];
  beforeEach(async () => {
    server = await flakyRedis();
    closers.push(() => server.remove());
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  function open(): void {
    backend = redisBackend({ url: server.url, onError: () => undefined });
    closers.push(() => backend.close());
  }

  /** The ids of the jobs that a worker has run. */
  function runBy(queue: string): Set<string> {
    const ran = new Set<string>();
    const worker = backend.worker(
      queue,
      async (each) => {
        ran.add(each.data.operationId);
        return 'done';
      },
      { concurrency: 1, onError: () => undefined },
    );
    closers.push(() => worker.close());
    return ran;
  }

  const back = () =>
    until('commands work again', () =>
      backend
        .wasEmptied()
        .catch(() => null)
        .then((known) => known !== null),
    );

  test('a start waits for it only a little, every command fails fast, and all of it works once Redis is there', async () => {
    open();
    await backend.opened();
    const ran = runBy('early');
    for (const call of [
      backend.wasEmptied(),
      backend.markFilled(),
      backend.add('early', [job('1')]),
      backend.add('early', [job('2')]),
    ]) {
      const { end, ms } = await timed(call);
      expect(end).toBe('rejected');
      expect(ms).toBeLessThan(2_000);
    }
    await server.start();
    await back();
    await backend.add('early', [job('3')]);
    await until('the job has run', () => ran.has('3'));
  });

  test('where it goes away, bells fail fast, of old queues and new ones, and ring again when it is back', async () => {
    await server.start();
    open();
    await backend.opened();
    const ran = runBy('old');
    await backend.add('old', [job('1')]);
    await until('the job has run', () => ran.has('1'));
    await backend.markFilled();
    await server.kill();
    for (const queue of ['old', 'new', 'old'])
      expect((await timed(backend.add(queue, [job('2')]))).end).toBe('rejected');
    expect((await timed(backend.wasEmptied())).end).toBe('rejected');

    await server.start();
    await back();
    expect(await backend.wasEmptied()).toBe(true);
    const later = runBy('new');
    await backend.add('old', [job('3')]);
    await backend.add('new', [job('3')]);
    await until('the jobs have run', () => ran.has('3') && later.has('3'));
  });

  test('closing ends: a worker waits for its job in hand, and not for Redis', async () => {
    await server.start();
    open();
    await backend.opened();
    let running = false;
    let finished = false;
    const worker = backend.worker(
      'any',
      async () => {
        running = true;
        await until('Redis is gone', () => gone);
        await systemTime.sleep(300);
        finished = true;
        return 'done';
      },
      { concurrency: 1, onError: () => undefined },
    );
    let gone = false;
    await backend.add('any', [job('1')]);
    await until('the job runs', () => running);
    await server.kill();
    gone = true;
    const closed = await timed(worker.close());
    expect(finished).toBe(true);
    expect(closed.end).toBe('resolved');
    expect((await timed(backend.close())).end).toBe('resolved');
  });

  test('where it is frozen, commands time out, and a queue made meanwhile works after all', async () => {
    await server.start();
    open();
    await backend.opened();
    await backend.add('old', [job('1')]);
    server.freeze();
    const frozen = [
      backend.add('old', [job('2')]),
      backend.add('made meanwhile', [job('2')]),
      backend.wasEmptied(),
    ];
    expect((await Promise.all(frozen.map(timed))).map(({ end }) => end)).toEqual([
      'rejected',
      'rejected',
      'rejected',
    ]);
    server.thaw();
    await back();
    await backend.add('made meanwhile', [job('3')]);
    const ran = runBy('made meanwhile');
    await until('the job has run', () => ran.has('3'));
  });
});

/** A queue or a database that goes away under orders that are on their way, and comes back by itself. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { startEmbedded } from '../../src/database/embedded.js';
import { migrate, migrateQueue } from '../../src/database/migrate.js';
import { systemTime } from '../../src/time.js';
import { BACKENDS, createStage, type Stage, startPackline } from '../helpers/packline.js';
import { temporaryFolder } from '../helpers/temporary.js';
import { until } from '../helpers/until.js';
import { flakyRedis } from '../queue/redis-server.js';

const names = (count: number) => Array.from({ length: count }, (_, n) => `O-${n}`);

/** Everything rings again within this (the promise of "Maintenance"), ms. */
const RINGS_AGAIN_MS = 10_000;

const closers: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

test('a Redis that dies with orders in the queue and comes back empty has all of them ring again', async () => {
  const redis = await flakyRedis();
  closers.push(() => redis.remove());
  await redis.start();
  const plain = await createStage('postgres');
  closers.push(() => plain.remove());
  const stage: Stage = {
    ...plain,
    backend: 'redis',
    config: { ...plain.config, redisUrl: redis.url },
  };
  const front = await startPackline(stage, ['api', 'dispatcher', 'maintenance']);
  closers.push(() => front.stop());
  const scene = await front.scene();
  const sent = await Promise.all(names(20).map((name) => scene.send(name)));
  const queue = front.running.queue.queue(`fulfil-${scene.account}`);
  await until(
    'all are in the queue',
    async () => (await queue.getJobCountByTypes('waiting', 'prioritized')) === sent.length,
  );
  const worker = await startPackline(stage, ['fulfilment']);
  closers.push(() => worker.stop());
  await scene.simulator.fault({ match: { verb: 'submit' }, times: 5, do: { delayMs: 400 } });
  await until('some are on their way', async () => (await scene.simulator.calls('submit')).length > 0);
  await redis.kill();
  await redis.start();
  const back = systemTime.clock.monotonic();
  for (const { id } of sent)
    await front.orderWhen(id, 'submitted', ({ status }) => status === 'submitted', 30_000);
  expect(systemTime.clock.monotonic() - back).toBeLessThan(RINGS_AGAIN_MS);
  expect(await scene.simulator.orders()).toHaveLength(sent.length);
  expect(await scene.simulator.calls('submit')).toHaveLength(sent.length);
});

test.each(BACKENDS)(
  'a PostgreSQL that crashes under orders on their way is gone on with when it is back (%s)',
  async (backend) => {
    const folder = await temporaryFolder('outage');
    closers.push(() => folder.remove());
    const server = await startEmbedded({
      dataDir: `${folder.path}/data`,
      purpose: 'owner',
      log: () => undefined,
      time: systemTime,
    });
    closers.push(() => server.stop());
    await migrate(server.url, { log: () => undefined });
    await migrateQueue(server.url);
    const plain = await createStage(backend);
    closers.push(() => plain.remove());
    const packline = await startPackline({
      ...plain,
      config: { ...plain.config, databaseUrl: server.url },
    });
    closers.push(() => packline.stop());
    const scene = await packline.scene();
    await scene.simulator.fault({ match: { verb: 'submit' }, times: 20, do: { delayMs: 300 } });
    const sent = await Promise.all(names(20).map((name) => scene.send(name)));
    await until('some are on their way', async () => (await scene.simulator.calls('submit')).length > 0);
    const pid = (await readFile(path.join(folder.path, 'data', 'postgres', 'postmaster.pid'), 'utf8')).split(
      '\n',
    )[0];
    process.kill(Number(pid), 'SIGKILL');
    for (const { id } of sent) {
      const submitted = async () => {
        const { status, text } = await packline.ask('GET', `/v1/orders/${id}`);
        return status === 200 && text.includes('"status":"submitted"');
      };
      await until('it is submitted', submitted, 60_000, 100);
    }
    expect(await scene.simulator.orders()).toHaveLength(sent.length);
  },
);

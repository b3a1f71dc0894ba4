/**
 * A database that is not the one that sent last: a dump on another server, a copy, a table put back. The provider
 * has kept what the dump has forgotten.
 */
import { Redis } from 'ioredis';
import { startEmbedded } from '../../src/database/embedded.js';
import { systemTime } from '../../src/time.js';
import type { OrderJson } from '../../src/views.js';
import { operation } from '../helpers/client.js';
import { dumpDatabase, restoreInto, restoreOn } from '../helpers/dump.js';
import {
  BACKENDS,
  type Backend,
  createStage,
  type Scene,
  type Stage,
  startPackline,
  type TestPackline,
} from '../helpers/packline.js';
import { startRedis } from '../helpers/redis.js';
import { temporaryFolder } from '../helpers/temporary.js';
import { until } from '../helpers/until.js';

/** Another server: another system identifier. */
let elsewhere: { url: string; stop(): Promise<void> };
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const stages: Stage[] = [];
const packlines: TestPackline[] = [];

beforeAll(async () => {
  folder = await temporaryFolder('restore');
  elsewhere = await startEmbedded({
    dataDir: `${folder.path}/data`,
    purpose: 'owner',
    log: () => undefined,
    time: systemTime,
  });
});
afterAll(async () => {
  await Promise.all(packlines.map((packline) => packline.stop()));
  await Promise.all(stages.map((stage) => stage.remove()));
  await elsewhere.stop();
  await folder.remove();
});

async function start(stage: Stage, roles?: Parameters<typeof startPackline>[1]): Promise<TestPackline> {
  const packline = await startPackline(stage, roles);
  packlines.push(packline);
  return packline;
}

async function newStage(backend: Backend): Promise<Stage> {
  const stage = await createStage(backend);
  stages.push(stage);
  return stage;
}

/** The same installation on another database, with a queue of its own. */
async function movedTo(stage: Stage, databaseUrl: string): Promise<Stage> {
  const redis = stage.backend === 'redis' ? await startRedis() : null;
  const moved: Stage = {
    ...stage,
    redis,
    config: { ...stage.config, databaseUrl, redisUrl: redis?.url ?? null },
    remove: async () => void (await redis?.stop()),
  };
  stages.push(moved);
  return moved;
}

const references = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => `R-${from + n}`);

const sendAll = (scene: Scene, names: readonly string[]): Promise<OrderJson[]> =>
  Promise.all(names.map((name) => scene.send(name)));

async function submitted(packline: TestPackline, ids: readonly string[]): Promise<void> {
  await Promise.all(
    ids.map((id) => packline.orderWhen(id, 'submitted', ({ status }) => status === 'submitted', 30_000)),
  );
}

async function unready(packline: TestPackline): Promise<string> {
  return until('it is not ready, and says why', async () => {
    const { status, json } = await packline.ask('GET', '/readyz', { key: null });
    return status === 503 ? JSON.stringify(json()) : null;
  });
}

async function recover(packline: TestPackline, force = false) {
  const { operator } = packline.running.base;
  const done = await operator.recover({ actor: 'operator:test', force, lookFirstMs: 3_600_000 });
  if (!done.ok) throw new Error(JSON.stringify(done.problem));
  return done.value;
}

/** How often the provider holds each reference. */
async function held(scene: Scene): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const { reference } of await scene.simulator.orders())
    counts.set(reference, (counts.get(reference) ?? 0) + 1);
  return counts;
}

const once = (names: readonly string[]) => new Map(names.map((name) => [name, 1]));

async function pause(packline: TestPackline, account: string): Promise<void> {
  await packline.expecting(200, 'POST', `/v1/accounts/${account}/pause`, { reason: 'before the dump' });
}
async function resume(packline: TestPackline, account: string): Promise<void> {
  await packline.expecting(200, 'POST', `/v1/accounts/${account}/resume`);
}

let databases = 0;
function nextName(): string {
  databases += 1;
  return `restored_${databases}`;
}

test.concurrent.each(BACKENDS)(
  'a dump on another server sends nothing until it is recovered, and then nothing twice; the old copy is stopped (%s)',
  async (backend) => {
    const stage = await newStage(backend);
    const old = await start(stage);
    const scene = await old.scene();
    const before = await sendAll(scene, references(1, 4));
    await submitted(
      old,
      before.map(({ id }) => id),
    );
    await pause(old, scene.account);
    const during = await sendAll(scene, references(5, 10));
    await resume(old, scene.account);
    // Some of them are on their way, or done, as the dump is made.
    const dump = await dumpDatabase(stage.config.databaseUrl ?? '');
    const after = await sendAll(scene, references(11, 13));
    await submitted(
      old,
      [...during, ...after].map(({ id }) => id),
    );
    await old.running.stop();

    const url = await restoreOn(elsewhere.url, nextName(), dump);
    const restored = await start(await movedTo(stage, url));
    expect(await unready(restored)).toMatch(/another server.*packline recover/);
    const calls = (await scene.simulator.calls()).length;
    // The shop cannot know; what it sends is taken and waits.
    const again = await Promise.all(
      references(11, 12).map((name) =>
        restored.expecting<OrderJson>(201, 'POST', '/v1/orders', scene.body(name)),
      ),
    );
    await restored.alert('unrecovered', {});
    expect((await scene.simulator.calls()).length).toBe(calls);

    const done = await recover(restored);
    expect(done).toMatchObject({ recovered: true, letters: 0 });
    expect(done.looks).toBeGreaterThanOrEqual(again.length);
    // What the dump has forgotten comes again, and is looked for before it is sent.
    const late = await restored.expecting<OrderJson>(201, 'POST', '/v1/orders', scene.body('R-13'));
    const fresh = await restored.expecting<OrderJson>(201, 'POST', '/v1/orders', scene.body('R-14'));
    await submitted(
      restored,
      [...before, ...during, ...again, late, fresh].map(({ id }) => id),
    );
    expect(await held(scene)).toEqual(once(references(1, 14)));
    expect((await restored.ask('GET', '/readyz', { key: null })).status).toBe(200);
  },
);

test.concurrent.each(BACKENDS)(
  'a dump on another server adopts what the old copy goes on to send meanwhile (%s)',
  async (backend) => {
    const stage = await newStage(backend);
    const old = await start(stage);
    const scene = await old.scene({ config: { confirm: { graceMs: 300, looks: 4, spacingMs: 1_500 } } });
    await pause(old, scene.account);
    const orders = await sendAll(scene, references(1, 8));
    const dump = await dumpDatabase(stage.config.databaseUrl ?? '');
    const restored = await start(await movedTo(stage, await restoreOn(elsewhere.url, nextName(), dump)));
    await unready(restored);
    await resume(restored, scene.account);
    await recover(restored);
    await until('the restored one has looked', async () =>
      (await scene.simulator.calls()).some(({ verb }) => verb !== 'submit'),
    );
    await resume(old, scene.account);
    const ids = orders.map(({ id }) => id);
    await Promise.all([submitted(old, ids), submitted(restored, ids)]);
    expect(await held(scene)).toEqual(once(references(1, 8)));
  },
);

test('a copy of the database on the same server sends nothing either', async () => {
  const stage = await newStage('postgres');
  const old = await start(stage);
  const scene = await old.scene();
  const [order] = await sendAll(scene, ['R-1']);
  await submitted(old, [order?.id ?? '']);
  await pause(old, scene.account);
  await sendAll(scene, ['R-2']);
  await old.running.stop();
  const dump = await dumpDatabase(stage.config.databaseUrl ?? '');
  const copy = await newStage('postgres');
  await restoreInto(copy.config.databaseUrl ?? '', dump);
  const restored = await start({
    ...stage,
    config: { ...stage.config, databaseUrl: copy.config.databaseUrl },
  });
  expect(await unready(restored)).toMatch(/a copy of another one/);
});

test('rows that were put back into the same database are noticed by what the queue has seen', async () => {
  const stage = await newStage('redis');
  const old = await start(stage);
  const scene = await old.scene();
  const dump = await dumpDatabase(stage.config.databaseUrl ?? '');
  const orders = await sendAll(scene, references(1, 3));
  await submitted(
    old,
    orders.map(({ id }) => id),
  );
  const redis = new Redis(stage.config.redisUrl ?? '');
  await until('the queue has heard of the attempts', async () => {
    const [key = ''] = await redis.keys('{packline}:highest-attempt:*');
    return Number(await redis.get(key)) >= orders.length;
  });
  redis.disconnect();
  await old.running.stop();
  await restoreInto(stage.config.databaseUrl ?? '', dump);
  const restored = await start(stage);
  expect(await unready(restored)).toMatch(/the queue has seen attempt \d+/);
  expect(await recover(restored)).toMatchObject({ recovered: true, looks: 0 });
  const again = await Promise.all(
    references(1, 3).map((name) =>
      restored.expecting<OrderJson>(201, 'POST', '/v1/orders', scene.body(name)),
    ),
  );
  await submitted(
    restored,
    again.map(({ id }) => id),
  );
  expect(await held(scene)).toEqual(once(references(1, 3)));
  // The queue, which was not restored, keeps the jobs of the old ones, and swallows others that are called the same.
  const known = orders.map((order) => Number(operation(order, 'submit').id));
  for (const order of again)
    expect(Number(operation(order, 'submit').id)).toBeGreaterThan(Math.max(...known));
});

test('there is nothing to recover in the database that is known', async () => {
  const stage = await newStage('postgres');
  const packline = await start(stage);
  expect(await recover(packline)).toEqual({ recovered: false, why: null, looks: 0, letters: 0, tokens: 0 });
});

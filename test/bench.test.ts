/** The benches run, small, and say what they are read for. Their figures are for a quiet machine. */
import path from 'node:path';
import { jest } from '@jest/globals';
import { measureBacklog } from './bench/backlog.js';
import { measureMemory } from './bench/memory.js';
import { startProvider } from './bench/rig.js';
import { createDatabase, type TestDatabase } from './helpers/postgres.js';
import { startRedis } from './helpers/redis.js';

jest.setTimeout(120_000);

const dist = path.join(import.meta.dirname, '..', 'dist');

let databases: TestDatabase[];
beforeEach(async () => {
  databases = await Promise.all([createDatabase(), createDatabase()]);
});
afterEach(async () => {
  await Promise.all(databases.map((database) => database.drop()));
});

const urlOf = (n: number): string => databases[n]?.url ?? '';

test('the backlog is measured beside a history and without one', async () => {
  const line = await measureBacklog({ small: urlOf(0), large: urlOf(1) }, { due: 1_000, orders: 3_000 });
  expect(line).toMatchObject({ bench: 'backlog', due: 1_000, orders: 3_000 });
  for (const figure of [line.p50, line.p99, line.p50Without, line.p99Without, line.ratio, line.ringRatio])
    expect(figure).toBeGreaterThan(0);
  expect(line.p99).toBeGreaterThanOrEqual(line.p50);
});

test('the memory of a worker is looked at twice while it works', async () => {
  const redis = await startRedis();
  const provider = await startProvider(path.join(dist, 'test', 'bench', 'provider.js'));
  try {
    const line = await measureMemory(
      {
        databaseUrl: urlOf(0),
        redisUrl: redis.url,
        providerUrl: provider.url,
        worker: path.join(dist, 'workers', 'fulfilment.js'),
      },
      { first: 300, last: 900 },
    );
    expect(line).toMatchObject({ bench: 'memory', first: 300, last: 900 });
    // A Node.js process that has loaded packline takes more than this, and nobody would run it at twice the other.
    expect(line.firstMib).toBeGreaterThan(40);
    expect(line.lastMib).toBeLessThan(1_000);
  } finally {
    provider.close();
    await redis.stop();
  }
});

/** What `/metrics` tells where the rows contradict each other, cannot be read, or are not there. */
import { createMetrics, type Metrics } from '../../src/metrics/metrics.js';
import { createProcessMetrics } from '../../src/metrics/process-metrics.js';
import { providers } from '../../src/providers/registry.js';
import { systemTime } from '../../src/time.js';
import { until } from '../helpers/until.js';
import { openShop, type Shop } from '../maintenance/shop.js';
import { type Sample, sampleOf, samplesOf } from './text.js';

let shop: Shop;

beforeEach(async () => {
  shop = await openShop();
  await shop.open('gelato');
});
afterEach(() => shop.close());

/** Readings are not kept, unless a test says for how long. */
function metricsOf(freshMs = 0): Metrics {
  return createMetrics({
    process: createProcessMetrics(),
    db: shop.db,
    accounts: shop.accounts,
    providers,
    time: systemTime,
    log: shop.log,
    freshMs: { orders: freshMs, work: freshMs, invariants: freshMs },
  });
}

const scrape = async ({ text }: Metrics): Promise<Sample[]> => samplesOf(await text());
const troubles = () => shop.lines.filter(({ event }) => event === 'metrics.trouble');
const names = (samples: Sample[]) => new Set(samples.map(({ name }) => name));

test('a row that was edited by hand shows under the name of what it breaks', async () => {
  const metrics = metricsOf();
  const operation = await shop.order('gelato', 'I-1');
  const violations = (samples: Sample[], invariant: string) =>
    sampleOf(samples, 'packline_invariant_violations', { invariant });
  expect(violations(await scrape(metrics), 'stranded')).toBe(0);
  await shop.db.query(`update packline.operations set ring_at = null where id = $1::bigint`, operation);
  const samples = await until('it is told', async () => {
    const all = await scrape(metrics);
    return violations(all, 'stranded') === 1 && all;
  });
  expect(violations(samples, 'busy')).toBe(0);
});

test('what cannot be read is left out and said so, once, and everything else is told', async () => {
  const metrics = metricsOf();
  await shop.order('gelato', 'I-1');
  expect(names(await scrape(metrics))).toContain('packline_operations');
  for (let time = 1; time <= 2; time += 1) {
    await shop.db.query('alter table packline.gates rename to gates_away');
    for (let scrapes = 0; scrapes < 3; scrapes += 1) {
      const samples = await scrape(metrics);
      expect(sampleOf(samples, 'packline_collect_failed')).toBe(1);
      expect(sampleOf(samples, 'packline_orders', { account: 'gelato', status: 'received' })).toBe(1);
      expect(names(samples)).toContain('process_resident_memory_bytes');
      expect(names(samples)).not.toContain('packline_operations');
      expect(sampleOf(samples, 'packline_collect_age_seconds', { part: 'work' })).toBeUndefined();
    }
    expect(troubles()).toHaveLength(time);
    await shop.db.query('alter table packline.gates_away rename to gates');
    // A reading that failed is not repeated at once.
    const again = await until('it is told again', async () => {
      const samples = await scrape(metrics);
      return sampleOf(samples, 'packline_collect_failed') === 0 && samples;
    });
    expect(names(again)).toContain('packline_operations');
  }
});

test('without a database the process tells of itself', async () => {
  const away = new Error('connect ECONNREFUSED');
  const metrics = createMetrics({
    process: createProcessMetrics(),
    db: { pool: shop.db.pool, transaction: () => Promise.reject(away) },
    accounts: shop.accounts,
    providers,
    time: systemTime,
    log: shop.log,
  });
  const samples = await scrape(metrics);
  expect(sampleOf(samples, 'packline_collect_failed')).toBe(1);
  expect(names(samples)).toContain('packline_pool_waiting');
  expect(names(samples)).not.toContain('packline_orders');
});

test('many scrapes at once are one reading', async () => {
  const begun: string[] = [];
  const { transaction } = shop.db;
  const metrics = createMetrics({
    process: createProcessMetrics(),
    db: {
      pool: shop.db.pool,
      transaction: (work) => {
        begun.push('reading');
        return transaction(work);
      },
    },
    accounts: shop.accounts,
    providers,
    time: systemTime,
    log: shop.log,
  });
  const texts = await Promise.all(Array.from({ length: 20 }, () => metrics.text()));
  for (const text of texts) expect(sampleOf(samplesOf(text), 'packline_collect_failed')).toBe(0);
  // One for each part: orders, work and invariants.
  expect(begun).toHaveLength(3);
});

test('a statement that hangs is given up, and a scrape does not wait for ever', async () => {
  const metrics = metricsOf();
  await shop.order('gelato', 'H-1');
  await shop.db.transaction(async (sql) => {
    await sql.query('lock table packline.dead_letters in access exclusive mode');
    const began = systemTime.clock.monotonic();
    const samples = await scrape(metrics);
    // Within the ten seconds after which Prometheus gives up.
    expect(systemTime.clock.monotonic() - began).toBeLessThan(9_000);
    expect(sampleOf(samples, 'packline_collect_failed')).toBe(1);
    expect(names(samples)).toContain('packline_orders');
  });
});

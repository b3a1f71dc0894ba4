/** The bench of `/metrics`, small: that it measures what it says. */
import { measureMetrics } from '../bench/metrics.js';
import { createDatabase } from '../helpers/postgres.js';

test('the bench scrapes a database of the size that it was told', async () => {
  const database = await createDatabase();
  try {
    const figures = await measureMetrics(database.url, { accounts: 3, orders: 2_000, scrapes: 5 });
    expect(figures.lines).toBeGreaterThan(100);
    for (const ms of [figures.firstMs, figures.p50Ms, figures.p95Ms, figures.maxMs])
      expect(ms).toBeGreaterThan(0);
    expect(figures.p50Ms).toBeLessThanOrEqual(figures.maxMs);
  } finally {
    await database.drop();
  }
});

import { measureSync, type SyncBench } from '../bench/sync.js';
import { createDatabase } from '../helpers/postgres.js';

const SEARCHES = 3;

test.each<[SyncBench['changes'], Record<string, number>]>([
  ['passing', { search: SEARCHES, get: 2 }],
  ['leaving', { search: SEARCHES, get: 6 }],
])(
  'the bench of syncs counts the calls for a page of a hundred, and those for what needs more: %s',
  async (changes, calls) => {
    const database = await createDatabase();
    try {
      const figures = await measureSync({
        databaseUrl: database.url,
        redisUrl: null,
        orders: 300,
        share: 0.02,
        changes,
      });
      const made = Object.values(calls).reduce((sum, count) => sum + count, 0);
      expect(figures).toMatchObject({
        calls,
        refused: 0,
        callsPerOrder: Number((made / 300).toFixed(4)),
        // One operation for all pages, and one for each single read.
        operations: 1 + made - SEARCHES,
        attempts: made,
      });
    } finally {
      await database.drop();
    }
  },
  120_000,
);

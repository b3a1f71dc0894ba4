import { ok, refused } from '../../src/problem.js';
import type { RetentionJson } from '../../src/views.js';
import { fakeTime, packline } from './fakes.js';

const report: RetentionJson = {
  dryRun: false,
  olderThanDays: 90,
  complete: true,
  looked: 5_000,
  orders: 12,
  events: 60,
  attempts: 30,
  operations: 20,
  excerpts: 9,
};

test('"retention run" hands on what was asked for, and says what went', async () => {
  const asked: unknown[] = [];
  const { code, stdout } = await packline('retention run --older-than 90', {
    operator: {
      runRetention: async ({ onPage: _, ...options }) => {
        asked.push(options);
        return ok(report);
      },
    },
  });
  expect(code).toBe(0);
  expect(asked).toEqual([{ actor: 'cli:sara', olderThanDays: 90, dryRun: false }]);
  expect(stdout).toContain('12 orders have been over for 90 days or more.');
  expect(stdout).toContain('deleted: 60 events, 30 attempts, 20 reads');
});

test('a dry run says what would go, and --json prints the report alone', async () => {
  const operator = { runRetention: async () => ok({ ...report, dryRun: true }) };
  const dry = await packline('retention run --dry-run', { operator });
  expect(dry.stdout).toContain('would be deleted: 60 events');
  const json = await packline('retention run --dry-run --json', { operator });
  expect(JSON.parse(json.stdout)).toEqual({ ...report, dryRun: true });
});

test('progress goes to stderr, every few seconds', async () => {
  const time = fakeTime();
  const { stdout, stderr } = await packline('retention run --json', {
    time,
    operator: {
      runRetention: async ({ onPage }) => {
        for (let page = 1; page <= 5; page += 1) {
          await time.sleep(1_000);
          onPage?.({ ...report, looked: page * 1_000, orders: page });
        }
        return ok(report);
      },
    },
  });
  expect(stderr.trim().split('\n')).toEqual([
    '2000 events looked at, 2 orders among them that are long over',
    '4000 events looked at, 4 orders among them that are long over',
  ]);
  expect(JSON.parse(stdout)).toEqual(report);
});

test('a refusal is exit code 1, and days that are none are wrong use', async () => {
  const operator = { runRetention: async () => refused('not-possible', 'all history is kept') };
  const off = await packline('retention run', { operator });
  expect(off.code).toBe(1);
  expect(off.stderr).toContain('all history is kept');
  for (const days of ['0', '-1', 'month']) {
    const { code, stderr } = await packline(['retention', 'run', `--older-than=${days}`]);
    expect({ days, code }).toEqual({ days, code: 2 });
    expect(stderr).toContain('Write a whole number from 1 to 36500.');
  }
});

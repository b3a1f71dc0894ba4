import type { Operator } from '../../src/operator.js';
import { ok, refused } from '../../src/problem.js';
import { fakeTime, packline } from './fakes.js';

const eu = { account: 'gelato-eu', operationId: '5', orders: 250 };
const us = { account: 'gelato-us', operationId: '6', orders: 50 };
const idle = { account: 'idle', operationId: '7', orders: 0 };

type Standing = Awaited<ReturnType<Operator['syncProgress']>>[number];

const standing = (state: string, remaining: number, operationId = '5'): Standing => ({
  operationId,
  account: operationId === '5' ? 'gelato-eu' : 'gelato-us',
  state,
  remaining,
});

/** An operator whose sync goes through the given stages, one per look, and stays in the last. */
function syncing(accounts: (typeof eu)[], stages: Standing[][] = []) {
  const asked: unknown[] = [];
  const looks: (readonly string[])[] = [];
  const operator: Partial<Operator> = {
    sync: async (query, actor) => {
      asked.push([query, actor]);
      return ok({ accounts });
    },
    syncProgress: async (ids) => {
      looks.push(ids);
      return stages[Math.min(looks.length, stages.length) - 1] ?? [];
    },
  };
  return { operator, asked, looks };
}

describe('sync', () => {
  test('waits until every operation has settled', async () => {
    const { operator, asked, looks } = syncing(
      [eu, us, idle],
      [
        [standing('queued', 250), standing('queued', 50, '6')],
        [standing('running', 150), standing('succeeded', 0, '6')],
        [standing('succeeded', 0), standing('succeeded', 0, '6')],
      ],
    );
    const result = await packline('sync', { operator });
    expect(result.code).toBe(0);
    expect(result.stdout).toBe(
      'ACCOUNT    ORDERS  STATE\ngelato-eu  250     succeeded\ngelato-us  50      succeeded\nidle       0       nothing to do\n',
    );
    expect(result.stderr).toBe('300 of 300 orders looked at\n');
    expect(asked).toEqual([[{ account: undefined }, 'cli:sara']]);
    expect(looks).toEqual([
      ['5', '6'],
      ['5', '6'],
      ['5', '6'],
    ]);
  });

  test('of one account shows its progress on a terminal', async () => {
    const { operator, asked } = syncing([eu], [[standing('running', 100)], [standing('succeeded', 0)]]);
    const result = await packline('sync --account gelato-eu', { operator, isTTY: true });
    expect(result.code).toBe(0);
    expect(result.stderr).toContain('250 of 250 orders looked at');
    expect(asked).toEqual([[{ account: 'gelato-eu' }, 'cli:sara']]);
  });

  test('--json is what the API answers, and stderr has the rest', async () => {
    const { operator } = syncing([eu], [[standing('dead', 250)]]);
    const result = await packline('sync --json', { operator });
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout)).toEqual({ accounts: [eu] });
    expect(result.stderr).toContain('The sync of gelato-eu ended as dead.');
  });

  test('--no-wait only asks', async () => {
    const { operator, looks } = syncing([eu]);
    const result = await packline('sync --no-wait', { operator });
    expect(result).toEqual({
      code: 0,
      stdout: 'ACCOUNT    ORDERS  STATE\ngelato-eu  250     asked for\n',
      stderr: '',
    });
    expect(looks).toEqual([]);
  });

  test('has nothing to wait for where no order is open', async () => {
    const { operator, looks } = syncing([idle]);
    expect((await packline('sync', { operator })).code).toBe(0);
    expect(looks).toEqual([]);
    const none = await packline('sync', { operator: syncing([]).operator });
    expect(none).toEqual({ code: 0, stdout: 'Nothing to look at.\n', stderr: '' });
  });

  test.each(['dead', 'rejected', 'canceled'])('fails where an operation ends as %s', async (state) => {
    const { operator } = syncing([eu], [[standing(state, 10)]]);
    const result = await packline('sync', { operator });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`The sync of gelato-eu ended as ${state}.`);
  });

  test('fails where an operation is not known any more', async () => {
    const { operator } = syncing([eu], [[]]);
    const result = await packline('sync', { operator });
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('ended as unknown') });
  });

  test('gives up after its timeout, and says what is left', async () => {
    const { operator } = syncing([eu], [[standing('running', 250)], [standing('running', 100)]]);
    const time = fakeTime();
    const result = await packline('sync --timeout 60', { operator, time });
    expect(result.code).toBe(1);
    expect(time.clock.monotonic()).toBe(60_000);
    expect(result.stderr).toBe('The sync of gelato-eu is running after 60 s; it goes on by itself.\n');
  });

  test('wonders after a while whether anybody works', async () => {
    const { operator } = syncing([eu], [[standing('pending', 250)]]);
    const result = await packline('sync --timeout 60', { operator });
    expect(result.code).toBe(1);
    expect(result.stderr.match(/Nothing was looked at yet: is "packline up"/g)).toHaveLength(1);
  });

  test('of an unknown account is a problem', async () => {
    const sync = async () => refused('not-found', 'There is no account x.');
    expect(await packline('sync --account x', { operator: { sync } })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Not found.\nThere is no account x.\n',
    });
  });
});

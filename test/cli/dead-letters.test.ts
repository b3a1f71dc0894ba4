import type { Operator } from '../../src/operator.js';
import { ok, refused } from '../../src/problem.js';
import { deadLetter, packline } from './fakes.js';

describe('dead-letters list', () => {
  test('passes every filter on, and prints a row for each', async () => {
    let query: unknown;
    const listDeadLetters: Operator['listDeadLetters'] = async (given) => {
      query = given;
      return ok({ deadLetters: [deadLetter()], nextCursor: '17' });
    };
    const result = await packline(
      'dead-letters list --account a --code c --kind submit --state discarded --cursor 9 --limit 1',
      { operator: { listDeadLetters } },
    );
    expect(query).toEqual({
      account: 'a',
      code: 'c',
      kind: 'submit',
      state: 'discarded',
      cursor: '9',
      limit: 1,
    });
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(
      /^ID +ACCOUNT +REFERENCE .*\n17 +gelato-eu +A-1001 +submit +INTERNAL_ERROR +open +yes +2 h ago/,
    );
    expect(result.stderr).toBe('More: add --cursor 17\n');
  });

  test('--json is the page as the API answers it', async () => {
    const page = { deadLetters: [deadLetter()], nextCursor: null };
    const { stdout, stderr } = await packline('dead-letters list --json', {
      operator: { listDeadLetters: async () => ok(page) },
    });
    expect(JSON.parse(stdout)).toEqual(page);
    expect(stderr).toBe('');
  });

  test('none is good news', async () => {
    const listDeadLetters = async () => ok({ deadLetters: [], nextCursor: null });
    expect(await packline('dead-letters list', { operator: { listDeadLetters } })).toEqual({
      code: 0,
      stdout: 'No dead letters.\n',
      stderr: '',
    });
  });
});

describe('dead-letters show', () => {
  const letter = deadLetter({
    attempts: [{ step: 'order', httpStatus: 500, evidence: { body: 'oops' } }],
    candidates: [{ id: 'p-1' }, 'p-2'],
  });

  test('prints all evidence', async () => {
    const result = await packline('dead-letters show 17', {
      operator: { getDeadLetter: async () => ok(letter) },
    });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    for (const part of ['submit 5', 'yes: it may have been done', '500', '{"body":"oops"}', 'p-1', '"p-2"']) {
      expect(result.stdout).toContain(part);
    }
  });

  test('--json is the dead letter, and an unknown one a problem', async () => {
    const found = await packline('dead-letters show 17 --json', {
      operator: { getDeadLetter: async () => ok(letter) },
    });
    expect(JSON.parse(found.stdout)).toEqual(letter);
    const getDeadLetter = async () => refused('not-found', 'There is no dead letter 9.');
    expect(await packline('dead-letters show 9', { operator: { getDeadLetter } })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Not found.\nThere is no dead letter 9.\n',
    });
  });
});

describe('dead-letters replay', () => {
  test('of one passes reason and force on', async () => {
    const calls: unknown[] = [];
    const replay: Operator['replay'] = async (id, options) => {
      calls.push([id, options]);
      return ok(deadLetter({ state: 'replayed' }));
    };
    const result = await packline('dead-letters replay 17 --reason because --force', {
      operator: { replay },
    });
    expect(result).toEqual({ code: 0, stdout: 'Replayed: dead letter 17 (submit of A-1001).\n', stderr: '' });
    const machine = await packline('dead-letters replay 17 --json', { operator: { replay } });
    expect(JSON.parse(machine.stdout)).toEqual(deadLetter({ state: 'replayed' }));
    expect(calls).toEqual([
      ['17', { actor: 'cli:sara', reason: 'because', force: true }],
      ['17', { actor: 'cli:sara', reason: undefined, force: undefined }],
    ]);
  });

  test('of many passes the filter on', async () => {
    const calls: unknown[] = [];
    const replayMany: Operator['replayMany'] = async (filter, actor) => {
      calls.push([filter, actor]);
      return ok({ matched: 3, replayed: filter.dryRun === true ? 0 : 3, skipped: [] });
    };
    const dry = await packline('dead-letters replay --account a --code c --kind submit --dry-run --limit 5', {
      operator: { replayMany },
    });
    expect(dry).toEqual({ code: 0, stdout: '3 would be replayed; nothing was done.\n', stderr: '' });
    const all = await packline('dead-letters replay --all', { operator: { replayMany } });
    expect(all).toEqual({ code: 0, stdout: '3 of 3 replayed.\n', stderr: '' });
    expect(calls).toEqual([
      [{ account: 'a', code: 'c', kind: 'submit', limit: 5, dryRun: true }, 'cli:sara'],
      [{}, 'cli:sara'],
    ]);
  });

  test('of many fails where some were skipped, with their reasons', async () => {
    const answer = { matched: 2, replayed: 1, skipped: [{ id: '18', reason: 'already decided' }] };
    const replayMany = async () => ok(answer);
    expect(await packline('dead-letters replay --all', { operator: { replayMany } })).toEqual({
      code: 1,
      stdout: '1 of 2 replayed.\n',
      stderr: 'skipped 18: already decided\n',
    });
    const machine = await packline('dead-letters replay --all --json', { operator: { replayMany } });
    expect(machine).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(machine.stdout)).toEqual(answer);
  });

  test('of many may be refused as a whole', async () => {
    const replayMany = async () => refused('invalid', 'There is no account a.');
    const result = await packline('dead-letters replay --account a', { operator: { replayMany } });
    expect(result).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('There is no account a.'),
    });
  });
});

describe('a decision', () => {
  test('adopt passes the provider id on', async () => {
    const calls: unknown[] = [];
    const adopt: Operator['adopt'] = async (id, options) => {
      calls.push([id, options]);
      return ok(deadLetter({ state: 'adopted', reference: null }));
    };
    const result = await packline('dead-letters adopt 17 p-77', { operator: { adopt } });
    expect(result).toEqual({
      code: 0,
      stdout: 'Adopted: dead letter 17 (submit of gelato-eu).\n',
      stderr: '',
    });
    expect(calls).toEqual([['17', { actor: 'cli:sara', providerOrderId: 'p-77' }]]);
  });

  test('discard passes the reason on', async () => {
    const calls: unknown[] = [];
    const discard: Operator['discard'] = async (id, options) => {
      calls.push([id, options]);
      return ok(deadLetter({ state: 'discarded' }));
    };
    const result = await packline(
      ['dead-letters', 'discard', '17', '--reason', 'ordered elsewhere', '--json'],
      {
        operator: { discard },
      },
    );
    expect(JSON.parse(result.stdout)).toEqual(deadLetter({ state: 'discarded' }));
    expect(calls).toEqual([['17', { actor: 'cli:sara', reason: 'ordered elsewhere' }]]);
  });

  test('that came too late is told', async () => {
    const late = async () => refused('already-decided', 'omar replayed it a minute ago.');
    for (const argv of ['adopt 17 p-77', 'discard 17 --reason r', 'replay 17']) {
      const result = await packline(`dead-letters ${argv}`, {
        operator: { adopt: late, discard: late, replay: late },
      });
      expect(result).toEqual({
        code: 1,
        stdout: '',
        stderr: 'Already decided.\nomar replayed it a minute ago.\n',
      });
    }
  });
});

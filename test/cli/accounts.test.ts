import type { Operator } from '../../src/operator.js';
import { ok, refused } from '../../src/problem.js';
import type { AccountJson, PolicyRuleJson } from '../../src/views.js';
import { account, packline } from './fakes.js';

const paused = account({
  state: 'paused',
  pause: {
    code: 'operator',
    reason: 'stock count',
    since: '2026-11-20T11:00:00.000Z',
    by: 'cli:sara',
    until: null,
  },
  gate: { limit: null, remaining: null, blockedUntil: '2026-11-20T12:00:30.000Z', why: '429' },
});

describe('accounts list', () => {
  test('prints state, guarantee, queue and gate', async () => {
    const listAccounts = async () => ({ accounts: [account(), paused] });
    const result = await packline('accounts list', { operator: { listAccounts } });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toMatch(
      /gelato-eu +gelato-connect +live +active +exactly_once +3 +1 +2 +0 +open, 97 of 100 left/,
    );
    expect(result.stdout).toMatch(
      /paused \(operator\).*closed until in 30 s \(2026-11-20T12:00:30.000Z\): 429/,
    );
  });

  test('--json is the list as the API answers it; none has advice', async () => {
    const some = await packline('accounts list --json', {
      operator: { listAccounts: async () => ({ accounts: [paused] }) },
    });
    expect(JSON.parse(some.stdout)).toEqual({ accounts: [paused] });
    const none = await packline('accounts list', {
      operator: { listAccounts: async () => ({ accounts: [] }) },
    });
    expect(none.stdout).toContain('packline accounts apply FILE');
  });
});

describe('accounts show', () => {
  test('prints the account and why it is paused', async () => {
    const result = await packline('accounts show gelato-eu', {
      operator: { getAccount: async () => ok(paused) },
    });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    for (const part of [
      'stock count, by cli:sara, 1 h ago',
      'resumed',
      'lookup by reference',
      'fulfil-gelato-eu',
    ]) {
      expect(result.stdout).toContain(part);
    }
  });

  const openUntil = '2026-11-20T12:00:30.000Z';
  test.each<[AccountJson['breaker'], RegExp]>([
    [null, /^Breaker +off$/m],
    [{ state: 'closed', failureRate: null, calls: 0, openUntil: null }, /^Breaker +closed$/m],
    [
      { state: 'open', failureRate: 0.875, calls: 24, openUntil },
      /^Breaker +open until in 30 s \(2026-11-20T12:00:30.000Z\), 88 % of 24 calls failed$/m,
    ],
    [
      { state: 'half_open', failureRate: 1, calls: 20, openUntil },
      /^Breaker +half open, one call tries, 100 % of 20 calls failed$/m,
    ],
  ])('says how the breaker stands: %j', async (breaker, line) => {
    const getAccount = async () => ok(account({ breaker }));
    const { stdout } = await packline('accounts show gelato-eu', { operator: { getAccount } });
    expect(stdout).toMatch(line);
  });

  test('--json is the account, and an unknown one a problem', async () => {
    const { stdout } = await packline('accounts show gelato-eu --json', {
      operator: { getAccount: async () => ok(paused) },
    });
    expect(JSON.parse(stdout)).toEqual(paused);
    const getAccount = async () => refused('not-found', 'There is no account a.');
    expect(await packline('accounts show a', { operator: { getAccount } })).toMatchObject({
      code: 1,
      stdout: '',
    });
  });
});

describe('accounts apply', () => {
  const file = { accounts: [{ id: 'gelato-eu' }] };

  test('passes the file and the environment on', async () => {
    const calls: unknown[] = [];
    const applyAccounts: Operator['applyAccounts'] = async (...given) => {
      calls.push(given);
      return ok({ accounts: [{ id: 'gelato-eu', change: 'created' }] });
    };
    const result = await packline('accounts apply -', {
      operator: { applyAccounts },
      env: { KEY: 'k' },
      files: { '-': JSON.stringify(file) },
    });
    expect(result).toEqual({ code: 0, stdout: 'ACCOUNT    CHANGE\ngelato-eu  created\n', stderr: '' });
    expect(calls).toEqual([[file, { KEY: 'k' }]]);
  });

  test('lists every mistake', async () => {
    const applyAccounts = async () =>
      refused('invalid', 'Two fields are wrong.', [
        { pointer: '/accounts/0/provider', code: 'required', detail: 'is needed' },
        { pointer: '/accounts/0/config/submitUrl', code: 'invalid', detail: 'must be https' },
      ]);
    const result = await packline('accounts apply f', {
      operator: { applyAccounts },
      files: { f: JSON.stringify(file) },
    });
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain(
      '  /accounts/0/provider: is needed\n  /accounts/0/config/submitUrl: must be https\n',
    );
  });

  test.each([
    ['{"accounts": [}', 'cannot use f (line 1, column 15): it is not JSON: expected a value or ]'],
    [Buffer.from([0xff]), 'cannot use f (line 1, column 1): it is not UTF-8'],
  ])('a file that is no JSON is wrong use: %j', async (content, message) => {
    const { code, stdout, stderr } = await packline('accounts apply f', { files: { f: content } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('accounts pause and resume', () => {
  test.each([
    ['', undefined],
    ['--until 2026-12-24T18:00:00+01:00', '2026-12-24T17:00:00.000Z'],
    ['--until 30m', '2026-11-20T12:30:00.000Z'],
    ['--until 2h', '2026-11-20T14:00:00.000Z'],
    ['--until 3d', '2026-11-23T12:00:00.000Z'],
  ])('pause %s', async (option, until) => {
    const calls: unknown[] = [];
    const pauseAccount: Operator['pauseAccount'] = async (id, options) => {
      calls.push([id, options]);
      return ok(paused);
    };
    const result = await packline(`accounts pause gelato-eu --reason count ${option}`, {
      operator: { pauseAccount },
    });
    expect(result).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('paused (operator)'),
    });
    expect(calls).toEqual([['gelato-eu', { actor: 'cli:sara', reason: 'count', until }]]);
  });

  test('resume, as the API answers it', async () => {
    const calls: unknown[] = [];
    const resumeAccount: Operator['resumeAccount'] = async (...given) => {
      calls.push(given);
      return ok(account());
    };
    const people = await packline('accounts resume gelato-eu', { operator: { resumeAccount } });
    expect(people).toMatchObject({ code: 0, stdout: expect.stringContaining('active') });
    const machine = await packline('accounts resume gelato-eu --json', { operator: { resumeAccount } });
    expect(JSON.parse(machine.stdout)).toEqual(account());
    expect(calls).toEqual([
      ['gelato-eu', 'cli:sara'],
      ['gelato-eu', 'cli:sara'],
    ]);
  });
});

describe('accounts check', () => {
  const check = { account: 'gelato-eu', ok: true, outcome: 'observed', message: null };
  const failed = { account: 'gelato-eu', ok: false, outcome: 'blocked', message: 'the key was refused' };

  test('says what the read found, and fails where it failed', async () => {
    expect(
      await packline('accounts check gelato-eu', { operator: { checkAccount: async () => ok(check) } }),
    ).toEqual({
      code: 0,
      stdout: 'gelato-eu: ok, observed\n',
      stderr: '',
    });
    expect(
      await packline('accounts check gelato-eu', { operator: { checkAccount: async () => ok(failed) } }),
    ).toEqual({
      code: 1,
      stdout: 'gelato-eu: failed, blocked: the key was refused\n',
      stderr: '',
    });
  });

  test('--json is the answer, with the same exit code', async () => {
    const result = await packline('accounts check gelato-eu --json', {
      operator: { checkAccount: async () => ok(failed) },
    });
    expect(result).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(result.stdout)).toEqual(failed);
  });

  test('an unknown account is a problem', async () => {
    const checkAccount = async () => refused('not-found', 'There is no account a.');
    expect(await packline('accounts check a', { operator: { checkAccount } })).toMatchObject({
      code: 1,
      stdout: '',
    });
  });
});

describe('providers explain', () => {
  const rule: PolicyRuleJson = {
    id: 'acme/throttled',
    status: 429,
    code: null,
    steps: null,
    outcome: 'throttled',
    scope: 'account',
    wait: null,
    block: null,
    attempts: null,
    backoff: { baseMs: 5_000, capMs: 60_000, floorMs: 500, jitter: 'equal' },
    schedule: null,
    alert: false,
    meaning: 'Too many requests',
    source: "Acme API, 'Rate Limits'",
    evidence: 'documented',
  };
  const policy = {
    provider: 'acme',
    rules: [
      rule,
      {
        ...rule,
        id: 'acme/funds',
        status: 400,
        code: 'NO_FUNDS',
        steps: ['order', 'activate'],
        outcome: 'waiting',
        wait: { reason: 'funds', everyMs: 900_000, deadlineMs: 72 * 3_600_000 },
        backoff: null,
      },
      {
        ...rule,
        id: 'acme/5xx',
        status: [500, 599] satisfies [number, number],
        outcome: 'unknown',
        scope: 'order',
        attempts: 6,
        backoff: { baseMs: 1_000, capMs: 300_000, floorMs: 0, jitter: 'full' },
        alert: true,
        evidence: 'assumed',
      },
      { ...rule, id: 'acme/key', status: 401, outcome: 'blocked', block: 'auth', backoff: null },
    ] satisfies PolicyRuleJson[],
  };

  test('prints what each row answers to, what follows, what it means and where that stands', async () => {
    const result = await packline('providers explain acme', {
      operator: { explainProvider: () => ok(policy) },
    });
    expect(result.code).toBe(0);
    expect(result.stdout.trimEnd().split('\n')).toEqual([
      'acme/throttled',
      '  429 at every step',
      '  throttled - the whole account',
      '  where no header names a time: waits from 5 s, doubled up to 1 min, never below 500 ms, equal jitter',
      '  Too many requests',
      "  Acme API, 'Rate Limits' [documented]",
      '',
      'acme/funds',
      '  400 NO_FUNDS at order, activate',
      '  waiting for funds - the whole account; again every 15 min, 72 h at most',
      '  Too many requests',
      "  Acme API, 'Rate Limits' [documented]",
      '',
      'acme/5xx',
      '  500-599 at every step',
      '  unknown - this order',
      '  where it may be repeated: 6 attempts, waits from 1 s, doubled up to 5 min, never below 0 s, full jitter',
      '  a human is told at once',
      '  Too many requests',
      "  Acme API, 'Rate Limits' [assumed]",
      '',
      'acme/key',
      '  401 at every step',
      '  blocked (auth) - the whole account',
      '  Too many requests',
      "  Acme API, 'Rate Limits' [documented]",
    ]);
    expect(result.stderr).toContain('4 rows');
  });

  test('--json is the policy, and an unknown provider a problem', async () => {
    const explainProvider = () => ok(policy);
    const { stdout } = await packline('providers explain acme --json', {
      operator: { explainProvider },
    });
    expect(JSON.parse(stdout)).toEqual(policy);
    const unknown = () => refused('not-found', 'There is no provider x.');
    expect(await packline('providers explain x', { operator: { explainProvider: unknown } })).toMatchObject({
      code: 1,
    });
  });
});

describe('accounts explain', () => {
  const waits = [
    {
      kind: 'submit',
      reason: 'funds',
      operations: 12,
      until: '2026-11-20T08:15:00.000Z',
      oldestDue: '2026-11-20T07:59:00.000Z',
    },
    {
      kind: 'cancel',
      reason: 'paused',
      operations: 1,
      until: null,
      oldestDue: '2026-11-20T07:59:00.000Z',
    },
  ];

  test('says what is waited for, until when, and what helps', async () => {
    const result = await packline('accounts explain gelato-eu', {
      operator: { getAccount: async () => ok({ ...paused, waits }) },
    });
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/gelato-eu is paused/);
    expect(result.stdout).toMatch(/submit +funds +12 .*pay in/);
    expect(result.stdout).toMatch(/cancel +paused +1 +open .*packline accounts resume/);
  });

  test('and where nothing waits, that', async () => {
    const { stdout } = await packline('accounts explain gelato-eu', {
      operator: { getAccount: async () => ok({ ...paused, pause: null, waits: [] }) },
    });
    expect(stdout).toBe('Nothing of gelato-eu waits.\n');
  });
});

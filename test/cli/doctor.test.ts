import { ok, refused } from '../../src/problem.js';
import type { AuditJson, CheckJson, DoctorJson, InvariantJson } from '../../src/views.js';
import { packline } from './fakes.js';

const DATABASE: CheckJson = {
  name: 'database',
  state: 'ok',
  message: 'PostgreSQL 18.0 answers',
  remedy: null,
};
const PAUSED: CheckJson = {
  name: 'account gelato-eu',
  state: 'warning',
  message: 'paused',
  remedy: 'Run "packline accounts resume gelato-eu".',
};
const WELL: DoctorJson = { healthy: true, checks: [PAUSED], invariants: null, audits: null };

const checkDatabase = async () => [DATABASE];

test('what is well and what is not is printed, with what to do, and warnings are no failure', async () => {
  const asked: unknown[] = [];
  const doctor = async (options: unknown) => {
    asked.push(options);
    return ok(WELL);
  };
  const { code, stdout, stderr } = await packline('doctor', { checkDatabase, operator: { doctor } });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^ok +database +PostgreSQL 18\.0 answers$/m);
  expect(stdout).toMatch(/^warning +account gelato-eu +paused$/m);
  expect(stdout).toMatch(/To do\n {2}account gelato-eu: Run "packline accounts resume gelato-eu"\.\n/);
  expect(stdout).toContain('Nothing has failed.');
  expect(asked).toEqual([{ actor: 'cli:sara', invariants: false, audit: null }]);
});

test('--json prints all of it as one document', async () => {
  const { code, stdout } = await packline('doctor --json', {
    checkDatabase,
    operator: { doctor: async () => ok(WELL) },
  });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ ...WELL, checks: [DATABASE, PAUSED] });
});

test('a database that does not answer is all that is said, and nothing waits for it', async () => {
  const failed: CheckJson = {
    name: 'database',
    state: 'failed',
    message: 'PostgreSQL does not answer: ECONNREFUSED',
    remedy: 'Start it, and check DATABASE_URL.',
  };
  const { code, stdout } = await packline('doctor --invariants', { checkDatabase: async () => [failed] });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^failed +database/m);
  expect(stdout).toContain('check DATABASE_URL');
  expect(stdout).toContain('Something has failed.');
});

test('violated invariants are listed with their rows, and are a failure', async () => {
  const invariants: InvariantJson[] = [
    { name: 'bells', holds: 'nothing rings for what is over', remedy: 'Report it.', count: 0, rows: [] },
    {
      name: 'stranded',
      holds: 'everything is rung for',
      remedy: 'See the order.',
      count: 30,
      rows: [{ account: 'gelato-eu', what: 'operation 7' }],
    },
  ];
  const { code, stdout } = await packline('doctor --invariants', {
    checkDatabase,
    operator: { doctor: async () => ok({ healthy: false, checks: [], invariants, audits: null }) },
  });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ok +bells/m);
  expect(stdout).toMatch(/^30 violated +stranded/m);
  expect(stdout).toContain('  stranded, gelato-eu: operation 7\n  stranded: and 29 more\n');
  expect(stdout).toContain('  stranded: See the order.');
  expect(stdout).not.toContain('Report it.');
});

test('--audit asks for one account and so many days, and prints what was found', async () => {
  const report: AuditJson = {
    account: 'gelato-eu',
    state: 'incomplete',
    why: 'the list could not be read',
    clean: false,
    limits: ['orphans may be orders of others'],
    since: '2026-11-18T12:00:00.000Z',
    listed: 12,
    surplus: { count: 2, named: [{ providerOrderId: 'p-2', reference: 'A-1', orderId: 'o-1' }] },
    orphans: { count: 0, named: [] },
    missing: { count: 0, named: [] },
  };
  const asked: unknown[] = [];
  const { code, stdout, stderr } = await packline('doctor --audit --account gelato-eu --days 7', {
    checkDatabase,
    operator: {
      doctor: async (options) => {
        asked.push(options.audit);
        return ok({ healthy: false, checks: [], invariants: null, audits: [report] });
      },
    },
  });
  expect(code).toBe(1);
  expect(asked).toEqual([{ account: 'gelato-eu', days: 7 }]);
  expect(stderr).toContain('this may take a while');
  expect(stdout).toMatch(/^gelato-eu +incomplete +12 +2 +0 +0$/m);
  expect(stdout).toContain(
    '  gelato-eu: the list could not be read\n  gelato-eu: orphans may be orders of others\n',
  );
  expect(stdout).toContain(
    '  gelato-eu, surplus: p-2 (reference A-1, order o-1)\n  gelato-eu, surplus: and 1 more\n',
  );
});

test('an account that there is not is a failure, one without --audit wrong use', async () => {
  const doctor = async () => refused('not-found', 'there is no account nowhere');
  const unknown = await packline('doctor --audit --account nowhere', { checkDatabase, operator: { doctor } });
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no account nowhere') });
  expect(await packline('doctor --account gelato-eu')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('write both'),
  });
});

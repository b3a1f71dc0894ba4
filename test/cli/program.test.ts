import type { Command } from 'commander';
import { actorOf } from '../../src/cli/context.js';
import { buildCli, WrongUse } from '../../src/cli/program.js';
import { DataFolderInUse } from '../../src/database/embedded/errors.js';
import { fakeTime, MemoryStream, packline } from './fakes.js';

function program(): Command {
  const unused = () => Promise.reject(new Error('not used'));
  return buildCli({
    stdout: new MemoryStream(),
    stderr: new MemoryStream(),
    env: {},
    withOperator: unused,
    runRoles: unused,
    checkDatabase: unused,
    migrate: unused,
    simulate: unused,
    demo: unused,
    chaos: unused,
    time: fakeTime(),
    isTTY: false,
    readFile: unused,
  });
}

/** The words that lead to each verb. */
function verbs(command: Command, path: readonly string[] = []): string[][] {
  if (command.commands.length === 0) return [[...path]];
  return command.commands.flatMap((sub) => verbs(sub, [...path, sub.name()]));
}

const all = verbs(program());

test('the verbs are those of the contract', () => {
  expect(all.map((path) => path.join(' ')).sort()).toEqual([
    'accounts apply',
    'accounts check',
    'accounts explain',
    'accounts list',
    'accounts pause',
    'accounts resume',
    'accounts show',
    'api',
    'chaos',
    'dead-letters adopt',
    'dead-letters discard',
    'dead-letters list',
    'dead-letters replay',
    'dead-letters show',
    'demo',
    'dispatch',
    'doctor',
    'maintain',
    'migrate',
    'orders activate',
    'orders cancel',
    'orders deliverables',
    'orders list',
    'orders otp',
    'orders show',
    'orders submit',
    'providers explain',
    'recover',
    'retention run',
    'simulate',
    'sync',
    'up',
    'work',
  ]);
});

describe('help', () => {
  test.each(all.map((path) => [path.join(' ')]))(
    'of "%s" is a sentence, an example and the common options',
    async (path) => {
      const { code, stdout, stderr } = await packline(`${path} --help`);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(new RegExp(`^Usage: packline ${path}\\b`));
      expect(stdout).toMatch(/\n\n[A-Z][^\n]*(\n[^\n]+)*\.\n/);
      expect(stdout).toMatch(/\nExamples?:\n {2}[^\n]*packline /);
      expect(stdout).toContain('--json');
    },
  );

  test.each(['--help', 'help', 'orders --help', 'help orders', 'help dead-letters'])(
    '"%s" was asked for',
    async (argv) => {
      const { code, stdout, stderr } = await packline(argv);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain('Usage: packline');
    },
  );

  test('the version is printed where there is one', async () => {
    expect(await packline('--version', { version: '1.2.3' })).toEqual({
      code: 0,
      stdout: '1.2.3\n',
      stderr: '',
    });
  });
});

describe('wrong use is exit code 2, with what to do on stderr', () => {
  test.each([
    ['', 'Usage: packline'],
    ['orders', 'Usage: packline orders'],
    ['order list', "unknown command 'order'"],
    ['orders lst', 'Did you mean list?'],
    ['help nonsense', 'Usage: packline'],
    ['orders list --colour', "unknown option '--colour'"],
    ['orders list extra', 'too many arguments'],
    ['orders list --limit abc', 'Write a whole number from 1 to 500.'],
    ['orders list --limit 0', 'Write a whole number from 1 to 500.'],
    ['orders list --limit 1e2', 'Write a whole number from 1 to 500.'],
    ['orders list --limit', 'argument missing'],
    ['orders list --status sent', 'Write one of received, draft,'],
    ['orders show', "missing required argument 'name'"],
    ['orders submit', "missing required argument 'file'"],
    ['orders submit none.json', 'cannot read none.json: there is no such file'],
    ['dead-letters adopt 17', "missing required argument 'provider-order-id'"],
    ['dead-letters discard 17', "required option '--reason <text>' not specified"],
    ['dead-letters list --state closed', 'Write one of open, replayed, adopted, discarded.'],
    ['dead-letters list --kind submits', 'Write one of submit, activate, cancel, update, poll.'],
    ['dead-letters replay', 'name a dead letter, or choose several'],
    ['dead-letters replay 17 --all', 'an ID goes without'],
    ['dead-letters replay 17 --dry-run', 'an ID goes without'],
    ['dead-letters replay 17 --force', '--force needs a --reason'],
    ['dead-letters replay --all --force', '--reason and --force go with one ID'],
    ['dead-letters replay --all --account a', '--all goes without'],
    ['accounts pause a', "required option '--reason <text>' not specified"],
    [
      'accounts pause a --reason r --until tomorrow',
      'Write a time such as 2030-12-24T18:00:00Z, or a duration such as',
    ],
    ['accounts pause a --reason r --until 2030-12-24T18:00:00', 'Write a time such as'],
    ['accounts pause a --reason r --until 2030-02-30T18:00:00Z', 'Write a time such as'],
    ['accounts pause a --reason r --until 2026-11-20T11:59:59Z', 'It is past'],
    ['accounts apply none.json', 'cannot read none.json: there is no such file'],
    ['sync --timeout 0', 'Write a whole number from 1 to 86400.'],
    ['up --port 65536', 'Write a whole number from 0 to 65535.'],
    ['demo --orders -1', 'Write a whole number from 1 to'],
    ['simulate --port http', 'Write a whole number from 0 to 65535.'],
  ])('packline %s', async (argv, message) => {
    const { code, stdout, stderr } = await packline(argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('--help');
  });

  test('an empty reason is none', async () => {
    const { code, stderr } = await packline(['dead-letters', 'discard', '17', '--reason', ' ']);
    expect(code).toBe(2);
    expect(stderr).toContain('Write some text.');
  });

  test('a mistake that only the start of the database finds, such as a broken environment', async () => {
    const withOperator = () => Promise.reject(new WrongUse('PORT: not a number\nREDIS_URL: not a URL'));
    const { code, stdout, stderr } = await packline('accounts list', { withOperator });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe('error: PORT: not a number\nREDIS_URL: not a URL\n');
  });
});

describe('what was not expected is exit code 1', () => {
  const failing = (error: unknown) => ({ withOperator: () => Promise.reject(error) });

  test('with its message alone', async () => {
    const result = await packline('accounts list', failing(new DataFolderInUse('.packline', 4711)));
    expect(result.code).toBe(1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/^error: Another packline \(pid 4711\)[^\n]*\n$/);
  });

  test('with the stack under --verbose, before or behind the verb', async () => {
    for (const argv of ['accounts list --verbose', '--verbose accounts list']) {
      const { stderr } = await packline(argv, failing(new TypeError('oops')));
      expect(stderr).toMatch(/^error: oops\nTypeError: oops\n\s+at /);
    }
  });

  test('a connection refused on every address has a message, too', async () => {
    const refused = ['::1', '127.0.0.1'].map((host) => new Error(`connect ECONNREFUSED ${host}:5432`));
    const { code, stderr } = await packline('accounts list', failing(new AggregateError(refused, '')));
    expect(code).toBe(1);
    expect(stderr).toBe('error: connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432\n');
  });

  test('even if it is no error at all', async () => {
    const { code, stderr } = await packline('accounts list', failing('gone'));
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'error: gone\n' });
  });
});

test.each([
  [{ USER: 'sara' }, 'cli:sara'],
  [{ USER: 'root', SUDO_USER: 'sara' }, 'cli:sara'],
  [{ USER: '', LOGNAME: 'omar' }, 'cli:omar'],
  [{ USERNAME: 'Lena' }, 'cli:Lena'],
  [{}, 'cli:unknown'],
])('the actor of %j is %s', (env, actor) => {
  expect(actorOf(env)).toBe(actor);
});

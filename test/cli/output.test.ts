import fc from 'fast-check';
import { Output, plain, shorten, when } from '../../src/cli/output.js';
import { startProgress } from '../../src/cli/progress.js';
import { problem } from '../../src/problem.js';
import { MemoryStream, NOW } from './fakes.js';

function output(options: { json?: boolean; isTTY?: boolean; env?: Record<string, string> } = {}) {
  const stdout = new MemoryStream();
  const stderr = new MemoryStream();
  return {
    stdout,
    stderr,
    out: new Output({ stdout, stderr, json: false, isTTY: false, env: {}, ...options }),
  };
}

const now = Date.parse(NOW);
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();

describe('when', () => {
  test.each([
    [0, 'now'],
    [59, '59 s ago'],
    [60, '1 min ago'],
    [7_199, '1 h ago'],
    [172_800, '2 d ago'],
    [-90, 'in 1 min'],
  ])('%d seconds ago is told as "%s", with the time itself', (seconds, text) => {
    expect(when(ago(seconds), now)).toBe(`${text} (${ago(seconds)})`);
  });

  test('what is no time is printed as it is', () => {
    expect(when('soon', now)).toBe('soon');
    expect(when(null, now)).toBeNull();
  });
});

describe('plain', () => {
  test('leaves nothing that a terminal would act upon', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(plain(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
    expect(plain('a\u001b[2Jb\u009b\u202ec')).toBe('a\\u001b[2Jb\\u009b\\u202ec');
  });
});

test('a text is shortened by characters, not by halves of them', () => {
  expect(shorten('😀😀😀', 2)).toBe('😀…');
  expect(shorten('short', 5)).toBe('short');
});

describe('a table', () => {
  const rows = [
    ['A-1', null],
    ['日本\u001b[31m', 7],
  ] as const;

  test('has no escapes and no trailing blanks where nobody is watching', () => {
    const { out, stdout } = output();
    out.table(['ORDER', 'N'], rows, 'None.');
    expect(stdout.text).toBe('ORDER           N\nA-1             -\n日本\\u001b[31m  7\n');
  });

  test('has bold names on a terminal, unless NO_COLOR is set', () => {
    const bold = output({ isTTY: true });
    bold.out.table(['ORDER', 'N'], rows, 'None.');
    expect(bold.stdout.text).toContain('\u001b[1mORDER\u001b[22m');
    const plainly = output({ isTTY: true, env: { NO_COLOR: '1' } });
    plainly.out.table(['ORDER', 'N'], rows, 'None.');
    expect(plainly.stdout.text).not.toContain('\u001b');
  });

  test('without rows is a sentence', () => {
    const { out, stdout } = output();
    out.table(['ORDER'], [], 'No orders.');
    expect(stdout.text).toBe('No orders.\n');
  });
});

describe('a problem', () => {
  const refusal = problem('invalid', 'Two fields are wrong.', [
    { pointer: '', code: 'invalid', detail: 'must be an object' },
    { pointer: '/items/0/sku', code: 'required', detail: 'is needed' },
  ]);

  test('is its title, its detail and each field, on stderr', () => {
    const { out, stdout, stderr } = output();
    out.problem(refusal);
    expect(stdout.text).toBe('');
    expect(stderr.text).toBe(
      'The request is not valid.\nTwo fields are wrong.\n  (the whole): must be an object\n  /items/0/sku: is needed\n',
    );
  });

  test('is its document on stdout as well, where JSON is asked for', () => {
    const { out, stdout, stderr } = output({ json: true });
    out.problem(refusal);
    expect(JSON.parse(stdout.text)).toEqual(refusal);
    expect(stderr.text).toContain('/items/0/sku');
  });
});

describe('a document', () => {
  test('is one line, or indented on a terminal', () => {
    const piped = output();
    piped.out.document({ a: [1] });
    expect(piped.stdout.text).toBe('{"a":[1]}\n');
    const watched = output({ isTTY: true });
    watched.out.document({ a: [1] });
    expect(watched.stdout.text).toBe('{\n  "a": [\n    1\n  ]\n}\n');
  });

  test('escapes the control characters that JSON.stringify leaves, and stays the same value', () => {
    const { out, stdout } = output();
    out.document({ text: '\u009b2J\u007f' });
    expect(stdout.text).toBe('{"text":"\\u009b2J\\u007f"}\n');
    expect(JSON.parse(stdout.text)).toEqual({ text: '\u009b2J\u007f' });
  });
});

describe('progress', () => {
  test('is a line every 500 and one at the end, where nobody is watching', () => {
    const stream = new MemoryStream();
    const progress = startProgress({ label: 'orders', total: 1_200, stream, isTTY: false });
    for (const done of [100, 499, 500, 900, 1_100, 1_200, 1_200]) progress.update(done);
    progress.note('a note');
    progress.stop();
    expect(stream.text).toBe('500 of 1200 orders\n1100 of 1200 orders\n1200 of 1200 orders\na note\n');
  });

  test('is a bar on a terminal', () => {
    const stream = new MemoryStream(true);
    const progress = startProgress({ label: 'orders', total: 60, stream, isTTY: true });
    progress.update(60);
    progress.note('a note');
    progress.stop();
    expect(stream.text).toContain('100% | 60 of 60 orders');
    expect(stream.text).toContain('a note\n');
  });

  test('is lines where stderr goes to a file while stdout is a terminal', () => {
    const stream = new MemoryStream(false);
    const progress = startProgress({ label: 'orders', total: 60, stream, isTTY: true });
    progress.update(60);
    progress.stop();
    expect(stream.text).toBe('60 of 60 orders\n');
  });
});

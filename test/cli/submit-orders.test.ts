import type { Operator } from '../../src/operator.js';
import { ok, refused } from '../../src/problem.js';
import { order, packline } from './fakes.js';

type Answer = Awaited<ReturnType<Operator['submit']>>;

const text = (body: unknown) => JSON.stringify(body);

/** A shop's order that this fake operator understands: `twin` is there already, `bad` is refused. */
const body = (reference: string) => ({ account: 'gelato-eu', reference });

function answerTo(given: unknown): Answer {
  const written = text(given);
  if (written.includes('bad')) {
    return refused('invalid', 'One field is wrong.', [
      { pointer: '/items', code: 'required', detail: 'is needed' },
    ]);
  }
  return ok({ created: !written.includes('twin'), order: order() });
}

/** An operator that stores orders, and the sizes of the batches that it was given. */
function storing() {
  const batches: unknown[][] = [];
  const actors: string[] = [];
  const submitMany: Operator['submitMany'] = async (bodies, actor) => {
    batches.push([...bodies]);
    actors.push(actor);
    return bodies.map(answerTo);
  };
  return { batches, actors, operator: { submitMany } };
}

const many = (count: number) => Array.from({ length: count }, (_, index) => body(`A-${index}`));

describe('orders submit', () => {
  test.each([
    ['an object', text(body('A-1')), 1],
    ['an array', text([body('A-1'), body('A-2')]), 2],
    ['NDJSON', `${text(body('A-1'))}\n${text(body('A-2'))}\n`, 2],
  ])('stores %s, and counts', async (_, content, count) => {
    const { operator, batches, actors } = storing();
    const result = await packline('orders submit orders.json', {
      operator,
      files: { 'orders.json': content },
    });
    expect(result).toEqual({
      code: 0,
      stdout: `CREATED  ALREADY THERE  REFUSED\n${count}        0              0\n`,
      stderr: '',
    });
    expect(batches).toEqual([[body('A-1'), body('A-2')].slice(0, count)]);
    expect(actors).toEqual(['cli:sara']);
  });

  test('reads standard input for -', async () => {
    const { operator, batches } = storing();
    const { code } = await packline('orders submit -', { operator, files: { '-': text(body('A-1')) } });
    expect(code).toBe(0);
    expect(batches).toEqual([[body('A-1')]]);
  });

  test('orders that are there already are no failure', async () => {
    const { operator } = storing();
    const content = text([body('twin-1'), body('A-2')]);
    const { code, stdout } = await packline('orders submit f', { operator, files: { f: content } });
    expect(code).toBe(0);
    expect(stdout).toContain('1        1              0');
  });

  test('what is refused is named with line, reference and pointers, and the others are stored', async () => {
    const { operator, batches } = storing();
    const content = [text(body('A-1')), text(body('bad-2')), '', '{"account": oops', text(body('A-4'))].join(
      '\n',
    );
    const result = await packline('orders submit f', { operator, files: { f: content } });
    expect(result).toEqual({
      code: 1,
      stdout: 'CREATED  ALREADY THERE  REFUSED\n2        0              2\n',
      stderr: [
        'line 2, index 1 (bad-2): One field is wrong.',
        '  /items: is needed',
        'line 4, index 2: The line is not JSON.',
        '  (the whole): Expected a value at line 4, column 13.',
        '',
      ].join('\n'),
    });
    expect(batches).toEqual([[body('A-1'), body('bad-2'), body('A-4')]]);
  });

  test('a reference cannot act on the terminal', async () => {
    const { operator } = storing();
    const content = text([{ reference: 'bad\u001b[2J' }]);
    const { stderr } = await packline('orders submit f', { operator, files: { f: content } });
    expect(stderr).toContain('line 1, index 0 (bad\\u001b[2J): ');
  });

  test('--json is the answer of a batch, one result per order', async () => {
    const { operator } = storing();
    const content = [text(body('A-1')), text(body('twin-2')), 'oops', text(body('bad-4'))].join('\n');
    const result = await packline('orders submit f --json', { operator, files: { f: content } });
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout)).toEqual({
      results: [
        { index: 0, status: 201, order: order() },
        { index: 1, status: 200, order: order() },
        {
          index: 2,
          status: 400,
          problem: expect.objectContaining({
            status: 400,
            errors: [expect.objectContaining({ pointer: '' })],
          }),
        },
        { index: 3, status: 422, problem: expect.objectContaining({ status: 422 }) },
      ],
    });
    expect(result.stderr).toContain('line 3, index 2: ');
  });

  test('a batch of broken lines only is no call', async () => {
    const { operator, batches } = storing();
    const content = [text(body('A-1')), ...Array.from({ length: 49 }, () => 'oops')].join('\n');
    const { code, stdout } = await packline('orders submit f', { operator, files: { f: content } });
    expect(code).toBe(1);
    expect(stdout).toContain('1        0              49');
    expect(batches).toEqual([[body('A-1')]]);
  });

  test('an empty array is done at once', async () => {
    expect(await packline('orders submit f', { files: { f: '[]' } })).toEqual({
      code: 0,
      stdout: 'CREATED  ALREADY THERE  REFUSED\n0        0              0\n',
      stderr: 'f holds no orders.\n',
    });
    expect((await packline('orders submit f --json', { files: { f: '[]' } })).stdout).toBe(
      '{"results":[]}\n',
    );
  });

  test.each([
    [
      '{"reference": "A-1",\n  oops}',
      'cannot use f (line 2, column 3): it is not JSON: expected a name in double quotes',
    ],
    ['', 'cannot use f: it is empty'],
    ['7', 'cannot use f (line 1, column 1): it is JSON, but neither an order'],
    [Buffer.from([0x7b, 0xff]), 'cannot use f (line 1, column 2): it is not UTF-8'],
  ])('a file that holds no orders is wrong use, and nothing is opened: %j', async (content, message) => {
    const { code, stdout, stderr } = await packline('orders submit f --json', { files: { f: content } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  test.each([
    ['EACCES', 'it may not be read by this user'],
    ['EISDIR', 'it is a directory'],
    ['EIO', 'the disk is broken'],
  ])('a file that cannot be read (%s) is wrong use', async (code, reason) => {
    const readFile = () => Promise.reject(Object.assign(new Error('the disk is broken'), { code }));
    const result = await packline('orders submit f', { readFile });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(`cannot read f: ${reason}`);
  });
});

describe('many orders', () => {
  test('go in batches of at most 500, in their order', async () => {
    const { operator, batches } = storing();
    const { code } = await packline('orders submit f', { operator, files: { f: text(many(12_001)) } });
    expect(code).toBe(0);
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(500);
    expect(batches.flat()).toEqual(many(12_001));
  });

  test('above 50 show their progress as lines where nobody is watching', async () => {
    const { operator } = storing();
    const { stderr, stdout } = await packline('orders submit f --json', {
      operator,
      files: { f: text(many(1_200)) },
    });
    expect(stderr).toBe('540 of 1200 orders\n1020 of 1200 orders\n1200 of 1200 orders\n');
    expect(JSON.parse(stdout).results).toHaveLength(1_200);
  });

  test('above 50 show a bar on a terminal, and move it in between', async () => {
    const { operator, batches } = storing();
    const { stderr } = await packline('orders submit f', {
      operator,
      isTTY: true,
      files: { f: text(many(51)) },
    });
    expect(stderr).toContain('100% | 51 of 51 orders');
    expect(batches.length).toBeGreaterThan(1);
  });

  test('of 50, nothing is shown', async () => {
    const { operator } = storing();
    const { stderr } = await packline('orders submit f', {
      operator,
      isTTY: true,
      files: { f: text(many(50)) },
    });
    expect(stderr).toBe('');
  });

  test('that stop half-way say how far they came', async () => {
    let calls = 0;
    const submitMany: Operator['submitMany'] = async (bodies) => {
      calls += 1;
      if (calls === 3) throw new Error('the database went away');
      return bodies.map(answerTo);
    };
    const result = await packline('orders submit f', {
      operator: { submitMany },
      files: { f: text(many(100)) },
    });
    expect(result.code).toBe(1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain('Stopped after 50 of 100 orders. Submit the file again');
    expect(result.stderr).toContain('error: the database went away');
  });

  test('answers that are missing are a bug, not a success', async () => {
    const result = await packline('orders submit f', {
      operator: { submitMany: async () => [] },
      files: { f: text(body('A-1')) },
    });
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('no answer for order 0') });
  });
});

describe('--validate-only', () => {
  const checked: unknown[] = [];
  const submit: Operator['submit'] = async (given, options) => {
    checked.push(options);
    const answer = answerTo(given);
    return answer.ok ? ok({ created: false, order: null }) : answer;
  };

  test('stores nothing, and counts what is valid', async () => {
    const content = text([body('A-1'), body('bad-2')]);
    const result = await packline('orders submit f --validate-only', {
      operator: { submit },
      files: { f: content },
    });
    expect(result.code).toBe(1);
    expect(result.stdout).toBe('VALID  REFUSED\n1      1\n');
    expect(checked).toEqual([
      { actor: 'cli:sara', validateOnly: true },
      { actor: 'cli:sara', validateOnly: true },
    ]);
  });

  test('--json has no order in it', async () => {
    const result = await packline('orders submit f --validate-only --json', {
      operator: { submit },
      files: { f: text(body('A-1')) },
    });
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toEqual({ results: [{ index: 0, status: 200, order: null }] });
  });
});

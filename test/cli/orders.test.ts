import type { Operator } from '../../src/operator.js';
import { ok, refused } from '../../src/problem.js';
import { order, packline, timelineEntry } from './fakes.js';

describe('orders list', () => {
  test('passes every filter on, and prints a row for each order', async () => {
    let query: unknown;
    const listOrders: Operator['listOrders'] = async (given) => {
      query = given;
      return ok({
        orders: [order(), order({ reference: 'A-2', attention: { code: 'late', since: '', detail: '' } })],
        nextCursor: 'c2',
      });
    };
    const result = await packline(
      'orders list --account a --reference r --status failed --attention late --provider-order-id p --email e@x.com --cursor c --limit 2',
      { operator: { listOrders } },
    );
    expect(query).toEqual({
      account: 'a',
      reference: 'r',
      status: 'failed',
      attention: 'late',
      providerOrderId: 'p',
      email: 'e@x.com',
      cursor: 'c',
      limit: 2,
    });
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/^ORDER +STATUS +ATTENTION +PROVIDER ID +UPDATED\n/);
    expect(result.stdout).toMatch(
      /gelato-eu\/A-1001 +in_progress +- +p-77 +3 min ago \(2026-11-20T11:57:00.000Z\)\n/,
    );
    expect(result.stdout).toMatch(/gelato-eu\/A-2 +in_progress +late /);
    expect(result.stderr).toBe('More: add --cursor c2\n');
  });

  test('--attention alone is any', async () => {
    let query: unknown;
    const listOrders: Operator['listOrders'] = async (given) => {
      query = given;
      return ok({ orders: [], nextCursor: null });
    };
    const result = await packline('orders list --attention', { operator: { listOrders } });
    expect(query).toMatchObject({ attention: 'any' });
    expect(result).toEqual({ code: 0, stdout: 'No orders.\n', stderr: '' });
  });

  test('--json is the page as the API answers it, alone on stdout', async () => {
    const page = { orders: [order()], nextCursor: 'c2' };
    const listOrders = async () => ok(page);
    for (const argv of ['orders list --json', '--json orders list', 'orders --json list']) {
      const { code, stdout, stderr } = await packline(argv, { operator: { listOrders } });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toEqual(page);
    }
  });

  test('a bad cursor is a problem', async () => {
    const listOrders = async () => refused('bad-request', 'The cursor is not one of ours.');
    const result = await packline('orders list --cursor x', { operator: { listOrders } });
    expect(result).toEqual({
      code: 1,
      stdout: '',
      stderr: 'The request cannot be read.\nThe cursor is not one of ours.\n',
    });
  });
});

describe('orders show', () => {
  const failed = order({
    status: 'failed',
    attention: {
      code: 'status_conflict',
      since: '2026-11-20T11:00:00.000Z',
      detail: 'failed here, printing there',
    },
    failure: { code: 'invalid_address', message: 'The address is not known', fields: { city: ['unknown'] } },
    tracking: [{ carrier: 'DHL', code: 'JD01', url: null, status: 'in transit' }],
    held: true,
    operations: [
      {
        id: '5',
        kind: 'submit',
        state: 'waiting',
        attempts: 1,
        calls: 3,
        dueAt: '2026-11-20T12:01:00.000Z',
        waitReason: 'rate_limited',
        deadline: null,
        lastOutcome: {
          kind: 'throttled',
          code: '429',
          message: 'slow \u001b[31mdown',
          at: '2026-11-20T11:59:00.000Z',
        },
      },
    ],
  });

  test('prints the order, its operations and every page of its timeline', async () => {
    const pages = [
      { timeline: [timelineEntry()], nextCursor: '1' },
      {
        timeline: [
          timelineEntry({ type: 'order.attempted', rule: 'gelato/500', data: { code: 500, note: null } }),
        ],
        nextCursor: null,
      },
    ];
    const cursors: unknown[] = [];
    const names: string[] = [];
    const result = await packline('orders show gelato-eu/A-1001', {
      operator: {
        findOrder: async (name) => {
          names.push(name);
          return ok(failed);
        },
        timeline: async (id, { cursor }) => {
          cursors.push([id, cursor]);
          return ok(pages[cursor === undefined ? 0 : 1] ?? { timeline: [], nextCursor: null });
        },
      },
    });
    expect(names).toEqual(['gelato-eu/A-1001']);
    expect(cursors).toEqual([
      [failed.id, undefined],
      [failed.id, '1'],
    ]);
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' });
    for (const part of [
      'gelato-eu/A-1001',
      'failed (held here until activated)',
      'p-77, printing',
      'status_conflict: failed here, printing there, 1 h ago (2026-11-20T11:00:00.000Z)',
      'invalid_address: The address is not known',
      'city',
      'DHL JD01 in transit',
      'waiting (rate_limited)',
      'in 1 min (2026-11-20T12:01:00.000Z)',
      'throttled 429 slow \\u001b[31mdown',
      'order.received',
      'gelato/500',
      'code=500',
    ]) {
      expect(result.stdout).toContain(part);
    }
    expect(result.stdout).not.toContain('\u001b');
  });

  test('--json is the order alone, and asks for nothing else', async () => {
    const { code, stdout } = await packline('orders show A-1001 --json', {
      operator: { findOrder: async () => ok(failed) },
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(failed);
  });

  test('an order that is not there is a problem, with --json also as a document', async () => {
    const findOrder = async () => refused('not-found', 'No order is called A-9.');
    const people = await packline('orders show A-9', { operator: { findOrder } });
    expect(people).toEqual({ code: 1, stdout: '', stderr: 'Not found.\nNo order is called A-9.\n' });
    const machine = await packline('orders show A-9 --json', { operator: { findOrder } });
    expect(machine.code).toBe(1);
    expect(JSON.parse(machine.stdout)).toMatchObject({ status: 404, detail: 'No order is called A-9.' });
  });

  test('a timeline that cannot be read is a problem', async () => {
    const result = await packline('orders show A-1001', {
      operator: {
        findOrder: async () => ok(failed),
        timeline: async () => refused('not-available', 'Later.'),
      },
    });
    expect(result).toMatchObject({ code: 1, stdout: '' });
  });
});

describe.each([
  ['activate', 'Activation asked for'],
  ['cancel', 'Cancellation asked for'],
] as const)('orders %s', (verb, asked) => {
  test('finds the order by its name and acts on its id, as the user', async () => {
    const calls: unknown[] = [];
    const operator: Partial<Operator> = {
      findOrder: async () => ok(order()),
      [verb]: async (id: string, actor: string) => {
        calls.push([id, actor]);
        return ok(order({ status: 'submitted' }));
      },
    };
    const people = await packline(`orders ${verb} A-1001`, { operator });
    expect(people).toEqual({
      code: 0,
      stdout: `${asked}: gelato-eu/A-1001 (${order().id}), now submitted.\n`,
      stderr: '',
    });
    const machine = await packline(`orders ${verb} A-1001 --json`, { operator });
    expect(JSON.parse(machine.stdout)).toEqual(order({ status: 'submitted' }));
    expect(calls).toEqual([
      [order().id, 'cli:sara'],
      [order().id, 'cli:sara'],
    ]);
  });

  test('does nothing where the name is not known or not clear', async () => {
    const findOrder = async () => refused('bad-request', 'Both gelato-eu and gelato-us have A-1001.');
    const result = await packline(`orders ${verb} A-1001`, { operator: { findOrder } });
    expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('gelato-us') });
  });

  test('a state that forbids it is a problem', async () => {
    const operator: Partial<Operator> = {
      findOrder: async () => ok(order()),
      [verb]: async () => refused('not-possible', 'It is shipped.'),
    };
    expect(await packline(`orders ${verb} A-1001`, { operator })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Not possible in this state.\nIt is shipped.\n',
    });
  });
});

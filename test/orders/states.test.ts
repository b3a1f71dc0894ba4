import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  OPERATION_KINDS,
  OPERATION_STATES,
  ORDER_STATUSES,
  type OrderStatus,
  WAIT_REASONS,
} from '../../src/orders/order.js';
import {
  isOrderStatus,
  MOVES,
  type Move,
  move,
  OPEN_STATUSES,
  TERMINAL_STATES,
} from '../../src/orders/states.js';

/** How far an order has come; the exits stand beside the way. */
const PROGRESS: Partial<Record<OrderStatus, number>> = {
  received: 0,
  draft: 1,
  submitted: 2,
  in_progress: 3,
  shipped: 4,
  delivered: 5,
};
const EXITS: readonly OrderStatus[] = ['canceled', 'failed', 'returned'];

const statuses = fc.constantFrom(...ORDER_STATUSES);

describe('the moves of an order', () => {
  test('are listed for every status, and lead only to statuses', () => {
    expect(Object.keys(MOVES).sort()).toEqual([...ORDER_STATUSES].sort());
    for (const to of Object.values(MOVES).flat()) expect(isOrderStatus(to)).toBe(true);
  });

  test('never lead back to where they began, and name each goal once', () => {
    for (const [from, goals] of Object.entries(MOVES)) {
      expect(goals).not.toContain(from);
      expect(new Set(goals).size).toBe(goals.length);
    }
  });

  test('reach every status from the first', () => {
    const reached = new Set<OrderStatus>(['received']);
    for (const from of reached) for (const to of MOVES[from]) reached.add(to);
    expect(reached).toEqual(new Set(ORDER_STATUSES));
  });

  test('go forward along the way, or leave it by an exit', () => {
    for (const from of ORDER_STATUSES) {
      for (const to of MOVES[from].filter((goal) => !EXITS.includes(goal) && from !== 'failed')) {
        expect(PROGRESS[to]).toBeGreaterThan(PROGRESS[from] ?? Number.NaN);
      }
    }
  });

  test('end at canceled and returned, and at failed but for a corrected body', () => {
    expect(MOVES.canceled).toEqual([]);
    expect(MOVES.returned).toEqual([]);
    expect(MOVES.failed).toEqual(['received']);
  });

  test('lead out of delivered only by a return', () => {
    expect(MOVES.delivered).toEqual(['returned']);
  });

  test('can skip what the provider never told', () => {
    for (const to of ['in_progress', 'shipped', 'delivered'] as const) {
      for (const from of ['received', 'draft', 'submitted'] as const) expect(MOVES[from]).toContain(to);
    }
  });
});

describe('what a read follows', () => {
  test('is every order that is with the provider and can still move by itself', () => {
    const expected = ORDER_STATUSES.filter(
      (status) => status !== 'received' && !EXITS.includes(status) && status !== 'delivered',
    );
    expect([...OPEN_STATUSES].sort()).toEqual([...expected].sort());
  });
});

describe('what the provider tells', () => {
  test.each<[OrderStatus, OrderStatus, read: Move, webhook: Move]>([
    ['submitted', 'submitted', { kind: 'same' }, { kind: 'same' }],
    ['submitted', 'shipped', { kind: 'move', to: 'shipped' }, { kind: 'move', to: 'shipped' }],
    ['in_progress', 'canceled', { kind: 'move', to: 'canceled' }, { kind: 'move', to: 'canceled' }],
    ['shipped', 'in_progress', { kind: 'ignored' }, { kind: 'ignored' }],
    ['delivered', 'returned', { kind: 'move', to: 'returned' }, { kind: 'move', to: 'returned' }],
    ['delivered', 'shipped', { kind: 'ignored' }, { kind: 'ignored' }],
    ['canceled', 'in_progress', { kind: 'reopen', to: 'in_progress' }, { kind: 'ignored' }],
    ['failed', 'shipped', { kind: 'reopen', to: 'shipped' }, { kind: 'ignored' }],
    ['returned', 'delivered', { kind: 'ignored' }, { kind: 'ignored' }],
  ])('of an order that is %s here and %s there', (from, told, read, webhook) => {
    expect(move(from, told, 'read')).toEqual(read);
    expect(move(from, told, 'webhook')).toEqual(webhook);
  });

  test('by webhook never leads back, and never out of an end', () => {
    fc.assert(
      fc.property(statuses, statuses, (from, told) => {
        const result = move(from, told, 'webhook');
        if (result.kind === 'same' || result.kind === 'ignored') return;
        expect(result).toEqual({ kind: 'move', to: told });
        expect(EXITS).not.toContain(from);
        expect(EXITS.includes(told) || (PROGRESS[told] ?? Number.NaN) > (PROGRESS[from] ?? Number.NaN)).toBe(
          true,
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test('by a read may reopen what was failed or canceled, and nothing else', () => {
    fc.assert(
      fc.property(statuses, statuses, (from, told) => {
        const result = move(from, told, 'read');
        if (result.kind === 'reopen') expect(['failed', 'canceled']).toContain(from);
        if ((from === 'failed' || from === 'canceled') && OPEN_STATUSES.includes(told)) {
          expect(result).toEqual({ kind: 'reopen', to: told });
        }
        if (result.kind === 'move') expect(move(from, told, 'webhook')).toEqual(result);
      }),
      { numRuns: 1_000 },
    );
  });

  test('never sends an order back to received, which only a corrected body does', () => {
    fc.assert(
      fc.property(statuses, fc.constantFrom('read' as const, 'webhook' as const), (from, authority) => {
        expect(move(from, 'received', authority)).toEqual({ kind: from === 'received' ? 'same' : 'ignored' });
      }),
    );
  });

  test('follows the table: a move is always one of its moves', () => {
    fc.assert(
      fc.property(
        statuses,
        statuses,
        fc.constantFrom('read' as const, 'webhook' as const),
        (from, told, authority) => {
          const result = move(from, told, authority);
          if (result.kind === 'move') expect(MOVES[from]).toContain(result.to);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('a status from the database', () => {
  test('is known by its name, and nothing else passes for one', () => {
    for (const status of ORDER_STATUSES) expect(isOrderStatus(status)).toBe(true);
    for (const other of ['', 'Received', 'pending', 'toString', '__proto__'])
      expect(isOrderStatus(other)).toBe(false);
  });
});

describe('the Prisma schema', () => {
  const schema = readFileSync(new URL('../../prisma/schema.prisma', import.meta.url), 'utf8');
  const enums = parseEnums(schema);
  const unions: Record<string, readonly string[]> = {
    OrderStatus: ORDER_STATUSES,
    OperationState: OPERATION_STATES,
    OperationKind: OPERATION_KINDS,
    WaitReason: WAIT_REASONS,
    // Types without a list of their own in the code.
    Purpose: ['call', 'look', 'check', 'control', 'watch'],
    Report: ['accepted', 'refused', 'not_sent', 'unknown'],
    Verdict: ['accepted', 'refused', 'not_sent', 'absent'],
    DeadLetterState: ['open', 'replayed', 'adopted', 'discarded'],
  };

  test('has these enums and no other', () => {
    expect(enums.map(({ name }) => name).sort()).toEqual(Object.keys(unions).sort());
  });

  test.each(enums)('$name has the values of the code, in their order', ({ name, values }) => {
    expect(values.map(({ value }) => value)).toEqual(unions[name]);
  });

  test.each(enums)('$name says of each value what it means', ({ values }) => {
    for (const { comment } of values) expect(comment).toMatch(/^\p{Lu}.*\.$/u);
  });

  test('names the ends of an operation as terminal, or leaves a human to replay it', () => {
    const states = enums.find(({ name }) => name === 'OperationState')?.values ?? [];
    for (const state of TERMINAL_STATES) {
      expect(states.find(({ value }) => value === state)?.comment).toMatch(/Terminal|replay|Withdrawn/);
    }
  });
});

interface Enum {
  name: string;
  values: { value: string; comment: string }[];
}

/** The enums of a Prisma schema with the `///` comments of their values. */
function parseEnums(schema: string): Enum[] {
  return [...schema.matchAll(/^enum (\w+) \{\n(.*?)^\}/gms)].map(([, name = '', body = '']) => {
    let comment: string[] = [];
    const values: Enum['values'] = [];
    for (const line of body.split('\n').map((text) => text.trim())) {
      if (line.startsWith('///')) comment.push(line.slice(3).trim());
      else if (/^\w+$/.test(line)) {
        values.push({ value: line, comment: comment.join(' ') });
        comment = [];
      }
    }
    return { name, values };
  });
}

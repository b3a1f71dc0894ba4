/** The verdict of a chaos run: doctored books are found out. */
import { type Books, type ChaosRow, compareAll, isInOrder, type Part } from '../../src/chaos/books.js';
import { type Findings, reportOf } from '../../src/chaos/report.js';

const row = (reference: string, changes: Partial<ChaosRow> = {}): ChaosRow => ({
  id: `here-${reference}`,
  account: 'gelato-eu',
  reference,
  body: { reference },
  status: 'submitted',
  providerOrderId: `there-${reference}`,
  held: false,
  attention: null,
  letter: false,
  open: false,
  maybeThere: true,
  ...changes,
});

const unsent = (reference: string, changes: Partial<ChaosRow> = {}) =>
  row(reference, { status: 'received', providerOrderId: null, maybeThere: false, ...changes });

const entry = (reference: string, id = `there-${reference}`) => ({ id, reference, status: 'created' });

function books(rows: ChaosRow[], orders: Part['ledger']['orders'], changes: Partial<Part> = {}): Books {
  const taken = rows.map(({ id }) => id);
  return compareAll({
    account: 'gelato-eu',
    provider: 'gelato-connect',
    taken,
    rows,
    ledger: { orders },
    ...changes,
  });
}

test('books that agree are in order', () => {
  const agreed = books([row('a'), row('b')], [entry('a'), entry('b')]);
  expect(agreed).toMatchObject({ taken: 2, accepted: 2, lost: 0, doubled: 0, unknownHere: 0, atProvider: 2 });
  expect(isInOrder([agreed])).toBe(true);
});

test('an order that the provider holds twice is doubled, even where a dead letter tells of it', () => {
  for (const letter of [false, true]) {
    const doubled = books([row('a', { letter })], [entry('a'), entry('a', 'there-too')]);
    expect(doubled).toMatchObject({ doubled: 1, unknownHere: 0 });
    expect(isInOrder([doubled])).toBe(false);
  }
});

test('an order before a human of which the provider holds two is doubled', () => {
  const rows = [unsent('a', { letter: true, maybeThere: true })];
  expect(books(rows, [entry('a'), entry('a', 'there-too')])).toMatchObject({ doubled: 1, human: 1 });
});

test('an order that was believed accepted and is not there is lost', () => {
  const lost = books([row('a')], []);
  expect(lost).toMatchObject({ accepted: 0, lost: 1 });
  expect(isInOrder([lost])).toBe(false);
});

test('an order that nothing moves and nobody was asked about is lost', () => {
  expect(books([unsent('a')], [])).toMatchObject({ lost: 1, open: 0, human: 0 });
});

test('an order that the shop was told is taken, and that is not stored, is lost', () => {
  expect(books([], [], { taken: ['here-a'] })).toMatchObject({ taken: 1, lost: 1 });
});

test.each([
  ['open', { open: true }],
  ['open', { held: true }],
  ['human', { letter: true }],
  ['human', { attention: 'missing_at_provider' }],
  ['rejected', { status: 'failed' }],
  ['canceled', { status: 'canceled' }],
] as const)('an unsent order is %s with %j, and not lost', (fate, changes) => {
  const found = books([unsent('a', changes)], []);
  expect(found[fate]).toBe(1);
  expect(isInOrder([found])).toBe(true);
});

test('an order at the provider that was given up here is unknown here', () => {
  const found = books([unsent('a', { status: 'failed' })], [entry('a')]);
  expect(found).toMatchObject({ rejected: 1, unknownHere: 1, doubled: 0 });
  expect(isInOrder([found])).toBe(false);
});

test('an order at the provider that a human is asked about is no surprise', () => {
  const found = books([unsent('a', { letter: true, maybeThere: true })], [entry('a')]);
  expect(found).toMatchObject({ human: 1, unknownHere: 0, doubled: 0 });
});

test('an order at the provider that nobody here has sent is unknown here', () => {
  expect(books([], [entry('x')])).toMatchObject({ unknownHere: 1, doubled: 0 });
});

describe('coupons of Zupy, which takes no reference', () => {
  const redeem = (reference: string, changes: Partial<ChaosRow> = {}) =>
    row(reference, {
      body: { reference, customer: { id: 'ana' }, items: [{ sku: 'pudding' }] },
      providerOrderId: `CZ-${reference}`,
      ...changes,
    });
  const coupon = (code: string) => ({ ...entry('ana/pudding', `id-${code}`), code });
  const compare = (rows: ChaosRow[], codes: string[]) =>
    books(rows, codes.map(coupon), { account: 'zupy', provider: 'zupy' });

  test('are as many as were redeemed', () => {
    const both = compare([redeem('a'), redeem('b')], ['CZ-a', 'CZ-b']);
    expect(both).toMatchObject({ accepted: 2, doubled: 0, unknownHere: 0 });
  });

  test('may be there for a redeem that a human is asked about', () => {
    const asked = redeem('b', { providerOrderId: null, status: 'received', letter: true });
    expect(compare([redeem('a'), asked], ['CZ-a', 'CZ-x'])).toMatchObject({ doubled: 0, unknownHere: 0 });
  });

  test('are doubled where another order of the customer was certainly not redeemed', () => {
    const refused = redeem('b', { providerOrderId: null, status: 'failed', maybeThere: false });
    expect(compare([redeem('a'), refused], ['CZ-a', 'CZ-x'])).toMatchObject({ doubled: 1 });
  });
});

describe('the report', () => {
  const findings = (changes: Partial<Findings> = {}): Findings => ({
    backend: 'redis',
    options: {
      orders: 1,
      kills: 1,
      freezes: 0,
      flushes: 0,
      redisRestarts: 0,
      databaseRestarts: 0,
      seed: 7,
    },
    refused: [],
    unanswered: 0,
    settled: true,
    strikes: { kill: 1, freeze: 0, flush: 0, 'redis-restart': 0, 'database-restart': 0 },
    attempts: 1,
    confirmed: 0,
    letters: {},
    ownEnds: 0,
    forced: 0,
    seconds: 1,
    accounts: [books([row('a')], [entry('a')])],
    recoveries: [
      { seat: 'worker-1', interrupted: 2, ms: 1_500 },
      { seat: 'api', interrupted: 0, ms: 300 },
      { seat: 'api', interrupted: 0, ms: 400 },
    ],
    ...changes,
  });

  test('adds up the fates, and names the worst recovery', () => {
    const report = reportOf(findings());
    expect(report).toMatchObject({
      clean: true,
      orders: { in: 1, accepted: 1, lost: 0 },
      interrupted: 2,
      recovery: { count: 3, medianMs: 400, worstMs: 1_500, unfinished: 0 },
    });
  });

  test.each<[string, Partial<Findings>]>([
    ['a lost order', { accounts: [books([row('a')], [])] }],
    ['a doubled order', { accounts: [books([row('a')], [entry('a'), entry('a', 'b')])] }],
    ['an order that nobody here knows', { accounts: [books([], [entry('a')])] }],
    ['a good order that was refused', { refused: ['gelato-eu/a: no'] }],
    ['an order without an answer', { unanswered: 1 }],
    ['a run that does not come to rest', { settled: false }],
    ['a kill without recovery', { recoveries: [{ seat: 'api', interrupted: 1, ms: null }] }],
  ])('%s is not clean', (_what, changes) => {
    expect(reportOf(findings(changes)).clean).toBe(false);
  });
});

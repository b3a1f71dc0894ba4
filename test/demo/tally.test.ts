/** The demo's verdict: what two books that do not agree are taken for. */
import { compareBooks, type Ledger, ledgerName, type OurOrder } from '../../src/demo/ledger.js';
import { isClean, type Tally, tallyTable } from '../../src/demo/tally.js';

const ours = (reference: string, changes: Partial<OurOrder> = {}): OurOrder => ({
  reference,
  body: { reference },
  status: 'delivered',
  providerOrderId: `id-${reference}`,
  attention: null,
  held: false,
  ...changes,
});

const theirs = (reference: string, id = `id-${reference}`): Ledger['orders'][number] => ({
  id,
  reference,
  status: 'delivered',
});

const ledger = (...orders: Ledger['orders']): Ledger => ({ orders, requests: [] });

const CLEAN = { doubled: 0, lost: 0, orphans: 0 };

describe('the books of a provider that takes references', () => {
  test('agree where both have the same', () => {
    const compared = compareBooks('salla', [ours('a'), ours('b')], ledger(theirs('a'), theirs('b')));
    expect(compared).toEqual({ atProvider: 2, here: 2, ...CLEAN });
  });

  test('tell an order that the provider has twice, which is also one that nobody here knows', () => {
    const compared = compareBooks('wasal', [ours('a')], ledger(theirs('a'), theirs('a', 'id-2')));
    expect(compared).toMatchObject({ atProvider: 2, here: 1, doubled: 1, orphans: 1, lost: 0 });
  });

  test('count each one too many', () => {
    const books = ledger(theirs('a'), theirs('a', 'id-2'), theirs('a', 'id-3'));
    expect(compareBooks('wupex', [ours('a')], books).doubled).toBe(2);
  });

  test('tell an order that the provider does not have', () => {
    expect(compareBooks('gelato-connect', [ours('a')], ledger())).toMatchObject({ lost: 1, atProvider: 0 });
  });

  test.each([
    ['was never sent and is still to be', { status: 'received' }, 1],
    ['is held', { status: 'received', held: true }, 0],
    ['is before a human', { status: 'received', attention: 'unconfirmed' }, 0],
    ['was canceled before it was sent', { status: 'canceled' }, 0],
    ['was refused', { status: 'failed' }, 0],
    ['is said to be delivered', { status: 'delivered' }, 1],
  ])('an order without the name of one at the provider that %s', (_what, changes, lost) => {
    const order = ours('a', { providerOrderId: null, ...changes });
    expect(compareBooks('wasal', [order], ledger()).lost).toBe(lost);
  });

  test('tell an order that nobody here has sent', () => {
    expect(compareBooks('salla', [], ledger(theirs('x')))).toEqual({
      atProvider: 1,
      here: 0,
      doubled: 0,
      lost: 0,
      orphans: 1,
    });
  });
});

describe('the books of Zupy, which takes no reference', () => {
  const redeemed = (reference: string, code: string | null) =>
    ours(reference, {
      providerOrderId: code,
      body: { reference, customer: { id: 'ana' }, items: [{ sku: 'pudding' }] },
    });
  const coupon = (id: string, code: string) => ({ ...theirs('ana/pudding', id), code });

  test('agree where a customer has as many coupons of a reward as orders, each under its code', () => {
    const books = ledger(coupon('k1', 'CZ-1'), coupon('k2', 'CZ-2'));
    expect(compareBooks('zupy', [redeemed('a', 'CZ-1'), redeemed('b', 'CZ-2')], books)).toEqual({
      atProvider: 2,
      here: 2,
      ...CLEAN,
    });
  });

  test('tell a coupon too many', () => {
    const books = ledger(coupon('k1', 'CZ-1'), coupon('k2', 'CZ-2'));
    expect(compareBooks('zupy', [redeemed('a', 'CZ-1')], books)).toMatchObject({ doubled: 1, orphans: 1 });
  });

  test('tell a coupon that is not there', () => {
    expect(compareBooks('zupy', [redeemed('a', 'CZ-9')], ledger(coupon('k1', 'CZ-1')))).toMatchObject({
      doubled: 0,
      lost: 1,
      orphans: 1,
    });
  });

  test('go by customer and reward', () => {
    expect(ledgerName('zupy', redeemed('a', null).body)).toBe('ana/pudding');
    expect(ledgerName('salla', redeemed('a', null).body)).toBe('a');
  });
});

const tally = (account: string, changes: Partial<Tally> = {}): Tally => ({
  account,
  orders: 10,
  refused: 1,
  unexpected: 0,
  statuses: { delivered: 7, canceled: 1 },
  held: 1,
  attempts: 30,
  retries: 2,
  throttled: 4,
  confirmed: 1,
  deadLetters: 0,
  atProvider: 8,
  here: 8,
  ...CLEAN,
  ...changes,
});

describe('the table', () => {
  const rows = tallyTable([tally('one'), tally('two', { statuses: { in_progress: 3 }, doubled: 1 })])
    .split('\n')
    .map((row) => row.split('│').map((cell) => cell.trim()));
  const row = (label: string) => rows.find((cells) => cells[1] === label)?.slice(2, -1);

  test('has a column for each account and one for all', () => {
    expect(row('')).toEqual(['one', 'two', 'all']);
    expect(row('orders sent by the shop')).toEqual(['10', '10', '20']);
    expect(row('answers of 429')).toEqual(['4', '4', '8']);
    expect(row('doubled')).toEqual(['0', '1', '1']);
  });

  test('has a row for each status that an order has, in the order of an order’s life', () => {
    const labels = rows.map((cells) => cells[1] ?? '').filter((label) => /^orders [a-z_]+$/.test(label));
    expect(labels).toEqual(['orders in_progress', 'orders delivered', 'orders canceled']);
    expect(row('orders delivered')).toEqual(['7', '0', '7']);
  });
});

test.each(['lost', 'doubled', 'orphans', 'unexpected'] as const)(
  'one %s at one account spoils the day',
  (what) => {
    expect(isClean([tally('one'), tally('two')])).toBe(true);
    expect(isClean([tally('one'), tally('two', { [what]: 1 })])).toBe(false);
  },
);

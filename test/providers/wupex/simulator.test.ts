/** Every step through the real HTTP layer against the simulator, which was written from the documents alone. */

import type { OrderView } from '../../../src/orders/order.js';
import type { Deliverable, Outcome } from '../../../src/policy/outcome.js';
import type { OpenAccount, Step, Work } from '../../../src/providers/provider.js';
import { wupex } from '../../../src/providers/wupex/index.js';
import type { LedgerOrder } from '../../../src/simulator/kit.js';
import { startWupexSimulator, type WupexSimulatorOptions } from '../../../src/simulator/wupex/index.js';
import { type FakeTime, fakeTime } from '../../helpers/fake-time.js';
import { accepting, type Ending } from '../../helpers/faults.js';
import { existing, judge, openAt, workFor } from '../fixtures.js';
import { call, client, control, ordersAt } from '../http-calls.js';
import { goodBody, orderView } from './fixtures.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Rig {
  account: OpenAccount;
  time: FakeTime;
  /** Makes the one call of a step and judges what came back. */
  run(step: Step, work: Work): Promise<{ outcome: Outcome; rule: string | null }>;
  submit(order?: Partial<OrderView>): Promise<{ outcome: Outcome; rule: string | null }>;
  look(reference?: string): Promise<Outcome>;
  read(providerOrderId: string): Promise<Outcome>;
  control(body: object, path?: string): Promise<unknown>;
  orders(): Promise<LedgerOrder[]>;
}

async function rig(
  options: Partial<WupexSimulatorOptions> = {},
  credentials: Record<string, string> = {},
): Promise<Rig> {
  const time = fakeTime();
  const simulator = await startWupexSimulator({
    apiKey: 'sim-key',
    time,
    requestsPerSecond: 1_000,
    ...options,
  });
  closers.push(() => simulator.close());
  const entry = simulator.account('codes');
  const account = openAt(wupex, { ...entry, credentials: { ...entry.credentials, ...credentials } });
  const http = client();
  const run: Rig['run'] = async (step, work) => {
    const { outcome, rule } = judge(account, step, work, await call(http, step.request(work)));
    return { outcome, rule: rule?.id ?? null };
  };
  return {
    account,
    time,
    run,
    submit: (order = {}) => run(account.verbs.submit[0], workFor(orderView(order))),
    look: async (providerReference = 'shop:1001') =>
      (await run(existing(account.reads.look), workFor(orderView({ providerReference })))).outcome,
    read: async (providerOrderId) =>
      (await run(account.reads.get, workFor(orderView({ providerOrderId })))).outcome,
    control: (body, path = '') => control(simulator, path, body),
    orders: () => ordersAt(simulator),
  };
}

const handed = (outcome: Outcome): Deliverable[] =>
  ('deliverables' in outcome ? outcome.deliverables : undefined) ?? [];
const nameOf = (outcome: Outcome): string => (outcome.kind === 'accepted' ? outcome.providerOrderId : '');
const withSku = (sku: string, quantity = 1, merchant = 'giftwave') => ({
  body: goodBody({ items: [{ reference: 'line-1', sku, quantity, options: { merchant } }] }),
});

describe('an order', () => {
  test('is pulled, found and read, each time with the same codes', async () => {
    const { submit, look, read, orders } = await rig();
    const { outcome } = await submit();
    expect(outcome).toMatchObject({ kind: 'accepted', status: 'delivered', data: { totalAmount: '42.875' } });
    expect(handed(outcome).map(({ position, sku }) => [position, sku])).toEqual([
      [0, 'GIFT-10'],
      [1, 'GIFT-10'],
      [2, 'PLAY-25'],
    ]);
    expect(await orders()).toMatchObject([{ id: nameOf(outcome), reference: 'shop:1001' }]);
    expect(await look()).toMatchObject({
      kind: 'observed',
      state: { providerOrderId: nameOf(outcome), data: { totalAmount: '42.875' } },
    });
    const again = await read(nameOf(outcome));
    expect(again).toMatchObject({ kind: 'observed', state: { status: 'delivered', rawStatus: 'Completed' } });
    expect(handed(again).map(({ code, serial }) => [code, serial])).toEqual(
      handed(outcome).map(({ code, serial }) => [code, serial]),
    );
    // The gift cards of the simulator are good for 365 days, the game credit for ever.
    expect(handed(again).map(({ expiresAt }) => expiresAt)).toEqual([
      '2027-01-01T00:00:00.000Z',
      '2027-01-01T00:00:00.000Z',
      null,
    ]);
  });

  test.each(['some', 'none', 'absent'] as const)(
    'whose first answer has %s of its codes gets the others by a read',
    async (serialsInAnswer) => {
      const { submit, read } = await rig({ serialsInAnswer });
      const { outcome } = await submit();
      expect(outcome).toMatchObject({ kind: 'accepted', status: 'in_progress' });
      expect(handed(outcome)).toHaveLength(serialsInAnswer === 'some' ? 2 : 0);
      const whole = await read(nameOf(outcome));
      expect(whole).toMatchObject({ kind: 'observed', state: { status: 'delivered' } });
      expect(handed(whole)).toHaveLength(3);
      for (const { position, code } of handed(outcome)) expect(handed(whole)[position]?.code).toBe(code);
    },
  );

  test('whose codes come late is told of as incomplete until they are there', async () => {
    const { submit, read, time, control } = await rig({ serialsLagMs: 60_000 });
    const { outcome } = await submit();
    expect(await read(nameOf(outcome))).toMatchObject({
      state: { status: 'in_progress', rawStatus: 'Processing', attention: { code: 'codes_missing' } },
      deliverables: [],
    });
    await control({ reference: 'shop:1001', status: 'Partial' }, '/advance');
    expect(handed(await read(nameOf(outcome)))).toHaveLength(2);
    await control({ reference: 'shop:1001', status: 'Completed' }, '/advance');
    time.advance(60_000);
    const whole = await read(nameOf(outcome));
    expect(whole).not.toHaveProperty('state.attention');
    expect(handed(whole)).toHaveLength(3);
  });

  test('with any reference is found again, and no other by it', async () => {
    const { submit, look } = await rig();
    for (const providerReference of ['ä/ß?&=+ 日', 'shop:1001~2', 'SHOP', 'shop', `p-${'x'.repeat(198)}`]) {
      const { outcome } = await submit({ providerReference });
      expect(await look(providerReference)).toMatchObject({
        kind: 'observed',
        state: { providerOrderId: nameOf(outcome), reference: providerReference },
      });
    }
  });
});

describe('an answer that was lost', () => {
  test.each<[string, Ending]>([
    ['dropped', 'drop'],
    ['a page of HTML under 200', { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>' }],
    ['a success that says nothing', { status: 200 }],
    ['a 500', { status: 500 }],
    ['a 503', { status: 503 }],
  ])('by being %s leaves it open, and is found by a look and a read', async (_what, then) => {
    const { submit, look, read, control, orders } = await rig();
    await control({ match: { verb: 'submit' }, times: 1, do: accepting(then) });
    expect((await submit()).outcome.kind).toBe('unknown');
    const [order] = await orders();
    expect(await look()).toMatchObject({ kind: 'observed', state: { providerOrderId: order?.id } });
    expect(handed(await read(String(order?.id)))).toHaveLength(3);
  });

  test('of an order that the list does not show yet is an absence until it does', async () => {
    const { submit, look, time } = await rig({ listLagMs: 5_000 });
    await submit();
    expect((await look()).kind).toBe('missing');
    time.advance(5_000);
    expect((await look()).kind).toBe('observed');
  });

  test('of an order that was placed twice is told of as two', async () => {
    const { submit, look } = await rig();
    const names = [nameOf((await submit()).outcome), nameOf((await submit()).outcome)];
    const outcome = await look();
    expect(outcome).toMatchObject({ kind: 'done', states: [{}, {}] });
    expect(outcome.kind === 'done' && outcome.states?.map((state) => state.providerOrderId).sort()).toEqual(
      names.sort(),
    );
  });
});

describe('an absence', () => {
  test('is an empty list, or the documented 404', async () => {
    for (const emptyListStatus of [200, 404] as const) {
      const { look } = await rig({ emptyListStatus });
      expect(await look()).toMatchObject({ kind: 'missing' });
    }
  });

  test('is not proven by a 404 without a code', async () => {
    const { look, read } = await rig({ emptyListStatus: 404, errorShape: 'message-on-top' });
    expect(await look()).toMatchObject({ kind: 'failed', code: 'foreign_not_found' });
    expect(await read('A1')).toMatchObject({ kind: 'failed', code: 'foreign_not_found' });
  });

  test('of an order that we hold a name of is the documented 404', async () => {
    const { read } = await rig();
    expect(await read('A00000000000001')).toMatchObject({ kind: 'missing', code: 'NOT_FOUND' });
  });
});

describe('what pull-codes refuses of itself', () => {
  test.each<[string, Partial<WupexSimulatorOptions>, Partial<OrderView>, object, string]>([
    ['an unknown product', {}, withSku('GIFT-11'), { kind: 'missing' }, 'not-found'],
    [
      'the product of another merchant',
      {},
      withSku('GIFT-10', 1, 'playhub'),
      { kind: 'blocked', code: 'misconfigured' },
      'not-entitled',
    ],
    [
      'a product that is not for this account',
      {},
      withSku('PLAY-OFF', 1, 'playhub'),
      { kind: 'blocked', code: 'misconfigured' },
      'not-entitled',
    ],
    ['too many at once', {}, withSku('GIFT-10', 101), { kind: 'rejected' }, 'unprocessable'],
    [
      'what is sold out',
      {},
      withSku('PLAY-OUT', 1, 'playhub'),
      { kind: 'waiting', reason: 'stock', scope: 'order' },
      'insufficient-stock',
    ],
    [
      'what there is no money for',
      { balance: 10 },
      {},
      { kind: 'waiting', reason: 'funds', scope: 'account' },
      'insufficient-balance',
    ],
    [
      'what there is no money for, under 402 and another code',
      { balance: 10, insufficientBalanceStatus: 402, insufficientBalanceCode: 'NO_CREDIT' },
      {},
      { kind: 'waiting', reason: 'funds', scope: 'account' },
      'insufficient-balance',
    ],
  ])('%s', async (_what, options, order, expected, rule) => {
    const { submit, orders } = await rig(options);
    const result = await submit(order);
    expect(result).toMatchObject({ outcome: expected, rule: `wupex/${rule}` });
    expect(await orders()).toEqual([]);
  });

  test('under 200, for stock and for money, is the same', async () => {
    const soldOut = await rig({ insufficientStockStatus: 200 });
    expect((await soldOut.submit(withSku('PLAY-OUT', 1, 'playhub'))).outcome).toMatchObject({
      kind: 'waiting',
      reason: 'stock',
    });
    const poor = await rig({
      balance: 0,
      insufficientBalanceStatus: 200,
      insufficientBalanceCode: 'NO_CREDIT',
    });
    expect((await poor.submit()).outcome).toMatchObject({ kind: 'waiting', reason: 'funds' });
    await poor.control({ balance: 100 }, '/balance');
    expect((await poor.submit()).outcome).toMatchObject({ kind: 'accepted', status: 'delivered' });
  });

  test('a reference that it knows, where it is so set: the first order is found', async () => {
    const { submit, look } = await rig({ duplicates: 'reject' });
    const { outcome } = await submit();
    expect(await submit()).toMatchObject({ outcome: { kind: 'settled' }, rule: 'wupex/conflict' });
    expect(await look()).toMatchObject({ kind: 'observed', state: { providerOrderId: nameOf(outcome) } });
  });
});

describe('the account', () => {
  test.each(['bare', 'wrapped'] as const)('is probed by its balance, %s', async (balanceShape) => {
    const { account, run } = await rig({ balanceShape });
    expect(await run(account.reads.probe, workFor())).toEqual({
      outcome: { kind: 'done', data: { balance: '1000000' } },
      rule: null,
    });
  });

  test('with a wrong key is stopped at every step', async () => {
    const { account, run, submit, look, read } = await rig({}, { apiKey: 'old-key' });
    const outcomes = [
      (await submit()).outcome,
      await look(),
      await read('A1'),
      (await run(account.reads.probe, workFor())).outcome,
    ];
    expect(outcomes).toEqual(outcomes.map(() => expect.objectContaining({ kind: 'blocked', code: 'auth' })));
  });

  test('whose key lacks a right, or whose address is not on the list, is stopped too', async () => {
    const { submit, look, control } = await rig();
    await control({ permission: 'read' }, '/access');
    expect(await submit()).toMatchObject({
      outcome: { kind: 'blocked', code: 'auth' },
      rule: 'wupex/forbidden',
    });
    expect((await look()).kind).toBe('missing');
    await control({ permission: 'none' }, '/access');
    expect(await look()).toMatchObject({ kind: 'blocked', code: 'auth' });
  });

  test('that calls too often is held back, until the time that the answer names if it does', async () => {
    const silent = await rig({ requestsPerSecond: 1 });
    await silent.look();
    expect(await silent.submit()).toMatchObject({
      outcome: { kind: 'throttled', code: 'TOO_MANY_REQUESTS' },
      rule: 'wupex/too-many-requests',
    });
    expect((await silent.submit()).outcome).not.toHaveProperty('retryAt');
    silent.time.advance(1_000);
    expect((await silent.submit()).outcome.kind).toBe('accepted');
    const telling = await rig({ requestsPerSecond: 1, retryAfterSeconds: 7 });
    await telling.look();
    expect((await telling.submit()).outcome).toMatchObject({
      kind: 'throttled',
      retryAt: expect.any(Number),
    });
  });
});

describe('every documented status', () => {
  test.each<[number, string, Outcome['kind'], Outcome['kind']]>([
    [400, 'invalid-payload', 'rejected', 'rejected'],
    [401, 'unauthorized', 'blocked', 'blocked'],
    [403, 'forbidden', 'blocked', 'blocked'],
    [404, 'not-found', 'missing', 'missing'],
    [409, 'conflict', 'settled', 'settled'],
    [413, 'too-large', 'rejected', 'rejected'],
    [415, 'media-type', 'blocked', 'blocked'],
    [422, 'unprocessable', 'rejected', 'rejected'],
    [429, 'too-many-requests', 'throttled', 'throttled'],
    [500, 'internal-error', 'unknown', 'failed'],
    [502, 'gateway-error', 'unknown', 'failed'],
    [503, 'service-unavailable', 'unknown', 'failed'],
    [504, 'server-error', 'unknown', 'failed'],
  ])('%d is met by the rule %s: %s on a submit, %s on reads', async (status, rule, onSubmit, onReads) => {
    const { account, run, submit, control, orders } = await rig();
    await control({ times: 4, do: { status } });
    expect(await submit()).toMatchObject({ outcome: { kind: onSubmit }, rule: `wupex/${rule}` });
    for (const step of [account.reads.get, existing(account.reads.look), account.reads.probe]) {
      const work = workFor(orderView({ providerOrderId: 'A1' }));
      expect(await run(step, work)).toMatchObject({ outcome: { kind: onReads }, rule: `wupex/${rule}` });
    }
    expect(await orders()).toEqual([]);
  });

  test('is met without a code too, by the rule of the status', async () => {
    const { submit, control } = await rig({ errorShape: 'message-on-top' });
    await control({ times: 1, do: { status: 500 } });
    expect(await submit()).toMatchObject({
      outcome: { kind: 'unknown' },
      rule: 'wupex/internal-error-by-status',
    });
  });
});

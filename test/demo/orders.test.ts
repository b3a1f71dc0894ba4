/** The demo's orders: the same every time, right or wrong for their adapters as they say, and of every kind. */

import { splitConfig } from '../../src/accounts/settings.js';
import { DEMO_ACCOUNTS, mixedDay } from '../../src/demo/accounts.js';
import { amount, type DemoOrder, inTurn, seeded } from '../../src/demo/orders/order.js';
import { SHORT } from '../../src/demo/orders/zupy.js';
import { type Stage, startStages } from '../../src/demo/stage.js';
import { orderBody } from '../../src/orders/body.js';
import type { OpenAccount } from '../../src/providers/provider.js';
import { findProvider } from '../../src/providers/registry.js';
import { POOR_CUSTOMER } from '../../src/simulator/zupy/catalog.js';
import { systemTime } from '../../src/time.js';

const SEED = 7;
const day = mixedDay(200, seeded(SEED));
const of = (account: string) => day.filter(({ body }) => body.account === account);

let stages: Stage[];
beforeAll(async () => {
  stages = await startStages(systemTime);
});
afterAll(() => Promise.all(stages.map(({ simulator }) => simulator.close())));

function open({ account, simulator }: Stage): OpenAccount {
  const provider = findProvider(account.provider);
  if (provider === null) throw new Error(`there is no provider ${account.provider}`);
  const { id, config, credentials } = simulator.account(account.id);
  const { own } = splitConfig(JSON.parse(JSON.stringify(config)));
  return provider.open({ id, config: own, credentials, policy: provider.policy });
}

/** The pointers of what is wrong with an order, by its shape or for its provider. */
function mistakes(account: OpenAccount, { body }: DemoOrder): string[] {
  const parsed = orderBody.safeParse(body);
  if (!parsed.success) return parsed.error.issues.map(({ path }) => `/${path.join('/')}`);
  return account.validate(parsed.data).map(({ pointer }) => pointer);
}

test('the same numbers make the same day', () => {
  expect(mixedDay(200, seeded(SEED))).toEqual(day);
  expect(mixedDay(200, seeded(SEED + 1))).not.toEqual(day);
});

test.each([0, 1, 4, 5, 37, 200, 1_001])('a day of %i orders has as many, each with its own name', (count) => {
  const orders = mixedDay(count, seeded(SEED));
  expect(orders).toHaveLength(count);
  expect(new Set(orders.map(({ body }) => body.reference)).size).toBe(count);
});

test('three fifths go to GelatoConnect, and a tenth to each of the others', () => {
  expect(DEMO_ACCOUNTS.map(({ id }) => of(id).length)).toEqual([120, 20, 20, 20, 20]);
});

test.each(DEMO_ACCOUNTS.map(({ id }) => id))(
  '%s: an order is wrong where it says so, and nowhere else',
  (id) => {
    const stage = stages.find(({ account }) => account.id === id);
    if (stage === undefined) throw new Error(`there is no stage for ${id}`);
    const account = open(stage);
    // More than the demo sends, so that each way to be wrong comes up.
    const orders = mixedDay(4_000, seeded(SEED)).filter(({ body }) => body.account === id);
    const good = orders.filter(({ invalid }) => !invalid);
    expect(good.flatMap((order) => mistakes(account, order))).toEqual([]);
    const wrong = orders.filter(({ invalid }) => invalid).map((order) => mistakes(account, order));
    expect(wrong.filter((pointers) => pointers.length === 0)).toEqual([]);
    expect(new Set(wrong.flat()).size).toBeGreaterThanOrEqual(3);
  },
);

test.each(DEMO_ACCOUNTS.map(({ id }) => id))('%s: some are refused, and each mishap happens', (id) => {
  const orders = of(id);
  expect(orders.filter(({ invalid }) => invalid).length).toBeGreaterThanOrEqual(2);
  expect(new Set(orders.map(({ mishap }) => mishap))).toEqual(new Set([null, 'lost', 'error', 'busy']));
  expect(orders.filter(({ invalid, mishap }) => invalid && mishap !== null)).toEqual([]);
});

test('Wasal meets a customer and an address again, and is paid in both ways, with three decimals', () => {
  const bodies = of('wasal-kw').map(({ body }) => body);
  const places = bodies.map(({ customer, options }) => JSON.stringify([customer, options]));
  expect(new Set(places).size).toBeLessThan(bodies.length);
  const payments = bodies.map(({ payment }) => JSON.stringify(payment));
  expect(payments.some((payment) => payment.includes('prepaid'))).toBe(true);
  expect(payments.some((payment) => /"cod","amountToCollect":"\d+\.\d{3}"/.test(payment))).toBe(true);
});

test('Salla has some canceled later, Zupy some used at once and some used later', () => {
  expect(of('salla-riyadh').some(({ cancelAfterMs }) => cancelAfterMs !== null)).toBe(true);
  expect(of('zupy').some(({ body }) => body.activate === true)).toBe(true);
  expect(of('zupy').some(({ activateAfterMs }) => activateAfterMs !== null)).toBe(true);
});

test('one customer of Zupy has too few points, and an order', () => {
  expect(SHORT.customer).toBe(POOR_CUSTOMER);
  expect(
    of('zupy').filter(({ body }) => JSON.stringify(body.customer).includes(SHORT.customer)),
  ).toHaveLength(1);
});

test('no order of Zupy whose call fails shares its customer with another, in the first round', () => {
  // What others redeem for the same customer meanwhile would hide whether the failed call was done.
  const customers = of('zupy').map(({ body, mishap }) => ({ who: JSON.stringify(body.customer), mishap }));
  for (const { who, mishap } of customers)
    if (mishap !== null) expect(customers.filter((other) => other.who === who)).toHaveLength(1);
});

test.each([
  [3_755, 3, '3.755'],
  [5, 3, '0.005'],
  [490, 2, '4.90'],
  [100_000, 2, '1000.00'],
])('%i with %i decimals is %s', (smallest, decimals, written) => {
  expect(amount(smallest, decimals)).toBe(written);
});

test('turns begin with the first and come again', () => {
  expect([1, 2, 3, 4].map((n) => inTurn(['a', 'b', 'c'], n))).toEqual(['a', 'b', 'c', 'a']);
});

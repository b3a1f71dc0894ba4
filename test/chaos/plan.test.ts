/** The plan of a chaos run: the same for the same seed, and as many strikes as were asked for. */
import { chaosOrders, chaosRules } from '../../src/chaos/accounts.js';
import { type ChaosOptions, planOf, type Strike } from '../../src/chaos/plan.js';
import { planTime } from '../../src/chaos/plan-time.js';
import { DEMO_ACCOUNTS } from '../../src/demo/accounts.js';

const OPTIONS: ChaosOptions = {
  orders: 100,
  kills: 30,
  freezes: 3,
  flushes: 2,
  redisRestarts: 2,
  databaseRestarts: 4,
  seed: 7,
};

const plan = planOf(OPTIONS, 'redis');
const of = <K extends Strike['kind']>(kind: K) =>
  plan.strikes.flatMap(({ atMs, strike }) =>
    // Narrowed by its kind, which flatMap's result does not show.
    strike.kind === kind ? [{ atMs, strike: strike as Extract<Strike, { kind: K }> }] : [],
  );

test('the same seed makes the same plan, another one another', () => {
  expect(planOf(OPTIONS, 'redis')).toEqual(plan);
  expect(planOf({ ...OPTIONS, seed: 8 }, 'redis')).not.toEqual(plan);
});

test('every strike that was asked for is in it, in the order of time, while orders come in', () => {
  expect(of('kill')).toHaveLength(30);
  expect(of('freeze')).toHaveLength(3);
  expect(of('flush')).toHaveLength(2);
  expect(of('redis-restart')).toHaveLength(2);
  expect(of('database-restart').map(({ strike }) => strike.how)).toEqual([
    'crash',
    'immediate',
    'fast',
    'crash',
  ]);
  const times = plan.strikes.map(({ atMs }) => atMs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times.every((atMs) => atMs >= 0 && atMs < plan.durationMs)).toBe(true);
});

test('where there is no Redis, none is restarted', () => {
  expect(planOf(OPTIONS, 'postgres').strikes.some(({ strike }) => strike.kind === 'redis-restart')).toBe(
    false,
  );
});

test('every role is killed, workers more than the others, and only workers freeze', () => {
  const killed = of('kill').map(({ strike }) => strike.seat);
  expect(new Set(killed)).toEqual(new Set(['api', 'dispatcher', 'maintenance', 'worker-1', 'worker-2']));
  expect(killed.filter((seat) => seat.startsWith('worker-')).length).toBeGreaterThan(killed.length / 2);
  expect(of('freeze').every(({ strike }) => strike.seat.startsWith('worker-'))).toBe(true);
});

test('most kills wait until all are back, and every sixth does not', () => {
  const hasty = of('kill').flatMap(({ strike }, n) => (strike.hasty ? [n + 1] : []));
  expect(hasty).toEqual([6, 12, 18, 24, 30]);
});

test('a freeze outlasts the lease of a call, and the next one only the time to send it', () => {
  expect(of('freeze').map(({ strike }) => strike.forMs)).toEqual([19_000, 7_000, 19_000]);
});

test('strikes of one kind are spread over the whole run', () => {
  const quarters = new Set(of('kill').map(({ atMs }) => Math.floor((4 * atMs) / plan.durationMs)));
  expect(quarters).toEqual(new Set([0, 1, 2, 3]));
});

test('a run without strikes still lasts a while', () => {
  const calm = { ...OPTIONS, kills: 0, freezes: 0, flushes: 0, redisRestarts: 0, databaseRestarts: 0 };
  expect(planOf(calm, 'redis')).toEqual({ strikes: [], durationMs: 4_000 });
});

test('the time of a plan goes on to the next strike and stands still there', () => {
  let at = 1_000;
  const time = planTime({ now: () => 0, monotonic: () => at });
  expect(time.now()).toBe(0);
  time.set(0, 300);
  at += 200;
  expect(time.now()).toBe(200);
  at += 5_000;
  expect(time.now()).toBe(300);
  time.set(300, 900);
  at += 100;
  expect(time.now()).toBe(400);
});

test.each([1, 5, 100, 1_000])('%i orders are as many good ones, the same for the same seed', (count) => {
  const orders = chaosOrders(count, 7);
  expect(orders).toHaveLength(count);
  expect(orders.some(({ invalid }) => invalid)).toBe(false);
  expect(chaosOrders(count, 7)).toEqual(orders);
});

test('a hundred orders go to all providers', () => {
  const accounts = new Set(chaosOrders(100, 1).map(({ body }) => body.account));
  expect(accounts).toEqual(new Set(DEMO_ACCOUNTS.map(({ id }) => id)));
});

test('providers answer wrongly in every way that the help names', () => {
  const actions = chaosRules(1).map((rule) => JSON.stringify(rule.do));
  for (const part of ['"status":500', '"status":503', '"status":429', '"drop"', '"hang"', 'html', 'delayMs'])
    expect(actions.some((action) => action.includes(part))).toBe(true);
  // Accepted, and then told otherwise.
  expect(actions).toContain('{"accept":true,"then":{"status":500}}');
});

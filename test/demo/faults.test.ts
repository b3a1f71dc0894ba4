/** The demo's faults: each is one that its simulator takes, and hits the order that it is meant for. */
import { mixedDay } from '../../src/demo/accounts.js';
import { EMPTY_WALLET, faultsOf } from '../../src/demo/faults.js';
import { ledgerName } from '../../src/demo/ledger.js';
import { seeded } from '../../src/demo/orders/order.js';
import { control, forgetFaults, type Stage, startStages } from '../../src/demo/stage.js';
import { systemTime } from '../../src/time.js';

const day = mixedDay(200, seeded(7));
const NOW = Date.parse('2026-03-02T11:00:00.250Z');

let stages: Stage[];
beforeAll(async () => {
  stages = await startStages(systemTime);
});
afterAll(() => Promise.all(stages.map(({ simulator }) => simulator.close())));

const faultsAt = ({ account }: Stage) =>
  faultsOf(
    account.provider,
    day.filter(({ body }) => body.account === account.id),
  );

test('every simulator takes all of its rules', async () => {
  for (const stage of stages) {
    const { rules, bursts } = faultsAt(stage);
    expect(bursts.length).toBeGreaterThan(0);
    for (const rule of [...rules, ...bursts.map((burst) => burst.rule(NOW))])
      await control(stage, '/_control', rule);
    await forgetFaults(stage);
  }
});

test('the empty wallet is a rule of Wasal', async () => {
  const wasal = stages.find(({ account }) => account.provider === 'wasal');
  if (wasal === undefined) throw new Error('Wasal has no stage');
  await control(wasal, '/_control', EMPTY_WALLET);
});

test('each mishap has a rule that names its order, and no two have the same', () => {
  for (const stage of stages) {
    const { account } = stage;
    const named = faultsAt(stage).rules.flatMap(({ match }) => match?.reference ?? []);
    const unlucky = day
      .filter(({ body, mishap }) => body.account === account.id && mishap !== null)
      .map(({ body }) => ledgerName(account.provider, body));
    expect(unlucky.length).toBeGreaterThan(2);
    expect(named).toEqual(expect.arrayContaining(unlucky));
    expect(new Set(named).size).toBe(named.length);
  }
});

test('bursts speak the dialect of their provider', () => {
  const headers = Object.fromEntries(
    stages.map((stage) => {
      const action = faultsAt(stage).bursts[0]?.rule(NOW).do;
      return [
        stage.account.provider,
        action !== undefined && 'headers' in action ? action.headers : undefined,
      ];
    }),
  );
  expect(headers).toEqual({
    'gelato-connect': { 'Retry-After': '1' },
    wasal: { 'RateLimit-Remaining': '0', 'RateLimit-Reset': '1' },
    wupex: undefined,
    salla: { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': String(Math.ceil((NOW + 1_000) / 1_000)) },
    zupy: {
      'Retry-After': '5',
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Reset': String(Math.ceil((NOW + 5_000) / 1_000)),
    },
  });
});

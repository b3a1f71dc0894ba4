/** The accounts of the demo's day: one at each provider, with the share of the orders that goes there. */
import type { SimulatorOptions } from '../simulator/kit.js';
import type { Random } from '../time.js';
import { gelatoOrder } from './orders/gelato-connect.js';
import type { DemoOrder, MakeOrder } from './orders/order.js';
import { sallaOrder } from './orders/salla.js';
import { wasalOrder } from './orders/wasal.js';
import { wupexOrder } from './orders/wupex.js';
import { zupyOrder } from './orders/zupy.js';

export interface DemoAccount {
  id: string;
  provider: string;
  makeOrder: MakeOrder;
  /** How its simulator departs from what it does by itself. */
  simulator: Pick<SimulatorOptions, 'stepMs' | 'requestsPerSecond'>;
  /** How often the statuses of its open orders are read, ms. */
  syncEveryMs: number;
}

/** How long each status of a simulated life cycle lasts, ms: an order is delivered within seconds. */
const STEP_MS = 1_500;
const SYNC_EVERY_MS = 1_500;

/** Takes what the others leave. */
const MAIN: DemoAccount = {
  id: 'gelato-eu',
  provider: 'gelato-connect',
  makeOrder: gelatoOrder,
  simulator: { stepMs: STEP_MS },
  syncEveryMs: SYNC_EVERY_MS,
};

/**
 * Each takes a tenth. With the documented limits of Wasal (600 calls in 15 minutes), Salla (120 a minute) and Zupy
 * (60 a minute) a day of theirs takes many minutes, so these simulators allow more; their accounts are told.
 */
const OTHERS: readonly DemoAccount[] = [
  {
    id: 'wasal-kw',
    provider: 'wasal',
    makeOrder: wasalOrder,
    simulator: { stepMs: STEP_MS, requestsPerSecond: 20 },
    syncEveryMs: SYNC_EVERY_MS,
  },
  {
    id: 'wupex',
    provider: 'wupex',
    makeOrder: wupexOrder,
    simulator: {},
    // Of few orders only: those whose answer was lost, with the codes in it.
    syncEveryMs: SYNC_EVERY_MS,
  },
  {
    id: 'salla-riyadh',
    provider: 'salla',
    makeOrder: sallaOrder,
    simulator: { stepMs: STEP_MS, requestsPerSecond: 20 },
    syncEveryMs: SYNC_EVERY_MS,
  },
  {
    id: 'zupy',
    provider: 'zupy',
    makeOrder: zupyOrder,
    // Nobody uses a coupon behind the shop's back; each is read with a call of its own, so more rarely.
    simulator: { stepMs: 0, requestsPerSecond: 20 },
    syncEveryMs: 6_000,
  },
];

const SHARE_OF_OTHERS = 0.1;

/** In the order of the tally's columns. */
export const DEMO_ACCOUNTS: readonly DemoAccount[] = [MAIN, ...OTHERS];

/** All orders of a day, those of the accounts mixed as they come in; the same for the same numbers. */
export function mixedDay(count: number, random: Random): DemoOrder[] {
  const each = Math.round(count * SHARE_OF_OTHERS);
  const rest = Math.max(0, count - each * OTHERS.length);
  const orders = DEMO_ACCOUNTS.flatMap(({ id, makeOrder }, index) =>
    Array.from({ length: index === 0 ? rest : each }, (_, n) => makeOrder(id, n + 1, random)),
  );
  return shuffled(orders, random);
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((value) => ({ value, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

/** What goes on beside the orders of the demo's day: faults, reads, and people who act. */
import type { Time } from '../time.js';
import { type Faults, faultsOf } from './faults.js';
import type { DemoOrder } from './orders/order.js';
import {
  addPoints,
  demandCodes,
  emptyWallet,
  endToken,
  type Office,
  payIntoWallet,
  tellCodes,
} from './people.js';
import { syncs } from './sending.js';
import { control, type Stage, stageOf } from './stage.js';

/**
 * Puts the faults in force and begins what goes on until the office closes.
 * @returns what was begun; each part ends by itself when the office closes
 */
export async function openDay(
  office: Office,
  stages: readonly Stage[],
  orders: readonly DemoOrder[],
): Promise<Promise<void>[]> {
  const faulty = stages.map((stage) => ({ stage, faults: faultsAt(stage, orders) }));
  const wasal = stageOf(stages, 'wasal');
  const zupy = stageOf(stages, 'zupy');
  await emptyWallet(wasal);
  await demandCodes(zupy);
  // Wasal's come when its wallet is full: before that no order gets as far as its fault.
  for (const { stage, faults } of faulty)
    if (stage !== wasal) for (const rule of faults.rules) await control(stage, '/_control', rule);
  return [
    ...faulty.map(({ stage, faults }) => bursts(office, stage, faults)),
    ...stages.map(({ account }) => syncs(office.operator, account, office.time, office.signal)),
    payIntoWallet(office, wasal, faultsAt(wasal, orders)),
    addPoints(office, zupy),
    tellCodes(office, zupy),
    endToken(office, stageOf(stages, 'salla')),
  ];
}

function faultsAt({ account }: Stage, orders: readonly DemoOrder[]): Faults {
  return faultsOf(
    account.provider,
    orders.filter(({ body }) => body.account === account.id),
  );
}

async function bursts(
  { time, signal }: { time: Time; signal: AbortSignal },
  stage: Stage,
  faults: Faults,
): Promise<void> {
  let waited = 0;
  for (const { atMs, rule } of faults.bursts) {
    await time.sleep(atMs - waited, signal);
    waited = atMs;
    if (signal.aborted) return;
    await control(stage, '/_control', rule(time.clock.now()));
  }
}

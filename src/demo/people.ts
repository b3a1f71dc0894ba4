/** What people do during the demo's day: they pay in, hand out points, and read codes from their phones. */
import { z } from 'zod';
import type { Sql } from '../database/connect.js';
import type { Operator } from '../operator.js';
import type { Time } from '../time.js';
import { EMPTY_WALLET, type Faults } from './faults.js';
import { SHORT } from './orders/zupy.js';
import { control, forgetFaults, look, type Stage } from './stage.js';

/** Where people look, and how they act. */
export interface Office {
  sql: Sql;
  operator: Operator;
  time: Time;
  signal: AbortSignal;
}

const LOOK_EVERY_MS = 250;
/** Nobody acts at once, ms. */
const REACTION_MS = 1_000;
/** Whoever has had no code for so long asks for another, ms. */
const CODE_PATIENCE_MS = 3_000;
const ACTOR = 'operator:demo';

const WAITING = `
select distinct order_id::text as id from packline.operations
where account_id = $1 and state = 'waiting' and wait_reason = $2::packline.wait_reason and order_id is not null`;

/** Orders of an account that wait for something. */
async function waiting({ sql }: Office, account: string, reason: 'funds' | 'otp'): Promise<string[]> {
  return (await sql.query<{ id: string }>(WAITING, account, reason)).map(({ id }) => id);
}

/** Resolves a moment after an order of the account waits for money or points; false: it is over. */
async function short(office: Office, { account }: Stage): Promise<boolean> {
  const { time, signal } = office;
  while (!signal.aborted) {
    if ((await waiting(office, account.id, 'funds')).length > 0) {
      await time.sleep(REACTION_MS, signal);
      return !signal.aborted;
    }
    await time.sleep(LOOK_EVERY_MS, signal);
  }
  return false;
}

/** Empties Wasal's wallet, before the first order. */
export async function emptyWallet(stage: Stage): Promise<void> {
  await control(stage, '/_control/wallet', { balance: 0 });
  await control(stage, '/_control', EMPTY_WALLET);
}

/** Somebody pays in when the first order has met an empty wallet; from then on the usual faults are in force. */
export async function payIntoWallet(office: Office, stage: Stage, { rules }: Faults): Promise<void> {
  if (!(await short(office, stage))) return;
  // The wallet first: without the fault, which names a time, an empty one would be told without.
  await control(stage, '/_control/wallet', { balance: null });
  await forgetFaults(stage);
  for (const rule of rules) await control(stage, '/_control', rule);
}

/** The restaurant gives points to the customer who has too few. */
export async function addPoints(office: Office, stage: Stage): Promise<void> {
  if (!(await short(office, stage))) return;
  await control(stage, '/_control/customers', { id: SHORT.customer, points: SHORT.points });
}

/** Zupy's merchant wants a one-time password of each customer whose coupon is used. */
export async function demandCodes(stage: Stage): Promise<void> {
  await control(stage, '/_control/settings', { requireOtpForCouponUsage: true });
}

const sentCodes = z.object({
  codes: z.array(z.object({ identifier: z.string(), code: z.string(), isSpent: z.boolean() })),
});

/** Customers read the codes that they were sent, and the shop hands them on; who got none asks for another. */
export async function tellCodes(office: Office, stage: Stage): Promise<void> {
  const { time, signal } = office;
  const since = new Map<string, number>();
  while (!signal.aborted) {
    for (const id of await waiting(office, stage.account.id, 'otp')) {
      const now = time.clock.monotonic();
      const asked = since.get(id) ?? now;
      since.set(id, asked);
      if (await tellCode(office, stage, id)) since.delete(id);
      else if (now - asked > CODE_PATIENCE_MS) {
        since.set(id, now);
        await office.operator.supplyOtp(id, { resend: true, actor: ACTOR });
      }
    }
    await time.sleep(LOOK_EVERY_MS, signal);
  }
}

/** False: there is no code yet, or it was not taken. */
async function tellCode({ operator }: Office, stage: Stage, id: string): Promise<boolean> {
  const order = await operator.getOrder(id);
  if (!order.ok) return false;
  const { email } = customerSchema.parse(order.value).customer;
  const { codes } = sentCodes.parse(await look(stage, '/_control/otp'));
  const message = codes.find(({ identifier, isSpent }) => identifier === email && !isSpent);
  if (message === undefined) return false;
  return (await operator.supplyOtp(id, { code: message.code, actor: ACTOR })).ok;
}

const customerSchema = z.object({ customer: z.object({ email: z.string() }) });

/** When Salla's access token ends, ms after the first order. */
const TOKEN_ENDS_AT_MS = 8_000;

/** In the middle of the day the store's access token ends, before the time that was told. */
export async function endToken({ time, signal }: Office, stage: Stage): Promise<void> {
  await time.sleep(TOKEN_ENDS_AT_MS, signal);
  if (!signal.aborted) await control(stage, '/_control/tokens', { expire: true });
}

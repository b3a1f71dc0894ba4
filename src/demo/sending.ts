/** The shop of the demo: it sends its orders, changes its mind, and asks how they are. */
import type { Operator } from '../operator.js';
import type { Time } from '../time.js';
import type { DemoAccount } from './accounts.js';
import type { DemoOrder } from './orders/order.js';
import type { Sent } from './tally.js';

/** Orders of one batch, and the pause after it, ms: a shop sends over a while. */
const BATCH = 20;
const BATCH_PAUSE_MS = 200;

/** Sends all orders and resolves when everything that the shop wants afterwards was asked for. By account. */
export async function sendAll(
  operator: Operator,
  orders: readonly DemoOrder[],
  { sleep }: Time,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Sent>> {
  const sent = new Map<string, Sent>();
  const later: Promise<void>[] = [];
  for (let at = 0; at < orders.length && !signal.aborted; at += BATCH) {
    const batch = orders.slice(at, at + BATCH);
    const results = await operator.submitMany(
      batch.map(({ body }) => body),
      'shop',
    );
    for (const [n, result] of results.entries()) {
      const order = batch[n];
      if (order === undefined) continue;
      note(sent, order, result.ok);
      if (result.ok && result.value.order !== null)
        later.push(followUp(operator, order, result.value.order.id, sleep, signal));
    }
    await sleep(BATCH_PAUSE_MS, signal);
  }
  await Promise.all(later);
  return sent;
}

function note(sent: Map<string, Sent>, { body, invalid }: DemoOrder, isTaken: boolean): void {
  const account = String(body.account);
  const so = sent.get(account) ?? { orders: 0, refused: 0, unexpected: 0 };
  sent.set(account, {
    orders: so.orders + 1,
    refused: so.refused + (isTaken ? 0 : 1),
    unexpected: so.unexpected + (isTaken === invalid ? 1 : 0),
  });
}

/** The shop changes its mind, or releases a draft. A provider that has shipped meanwhile refuses, which is fine. */
async function followUp(
  operator: Operator,
  order: DemoOrder,
  id: string,
  sleep: Time['sleep'],
  signal: AbortSignal,
): Promise<void> {
  const wait = order.cancelAfterMs ?? order.activateAfterMs;
  if (wait === null) return;
  await sleep(wait, signal);
  if (signal.aborted) return;
  if (order.cancelAfterMs !== null) await operator.cancel(id, 'shop');
  else await operator.activate(id, 'shop');
}

/** Has the open orders of an account read again and again, as cron would. */
export async function syncs(
  operator: Operator,
  { id, syncEveryMs }: DemoAccount,
  { sleep }: Time,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await sleep(syncEveryMs, signal);
    if (signal.aborted) return;
    await operator.sync({ account: id }, 'schedule');
  }
}

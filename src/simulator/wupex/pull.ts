/** Pull-codes: the one call that charges the account and hands out codes. */
import type { Call } from '../kit.js';
import type { Choice } from './catalog.js';
import type { Desk } from './controls.js';
import { readLines } from './lines.js';
import { type OrderBook, type StoredOrder, totalOf } from './orders.js';
import { type Checked, refuse } from './refusal.js';

/** What pull-codes does where the document leaves it open; see the options of the same names. */
export interface PullRules {
  duplicates: 'accept' | 'reject' | 'return-first';
  insufficientStockStatus: number;
  insufficientBalanceStatus: number;
  insufficientBalanceCode: string;
}

/**
 * Places the order, all of it or nothing. Only with `allowTakeAll=true` it takes what there is, which is what the
 * flag's name suggests; its meaning is not documented.
 */
export function pull(book: OrderBook, desk: Desk, call: Call, rules: PullRules): Checked<StoredOrder> {
  const reference = call.query.referenceId;
  if (typeof reference === 'object') return refuse(400, 'referenceId must be given once');
  const lines = readLines(call.body);
  if (!lines.ok) return lines;
  const first = reference === undefined ? undefined : book.firstOf(reference);
  if (first !== undefined && rules.duplicates === 'return-first') return { ok: true, value: first };
  if (first !== undefined && rules.duplicates === 'reject')
    return refuse(409, `There is already an order with the referenceId ${reference}`);
  const chosen = desk.catalog.choose(lines.value);
  if (!chosen.ok) return chosen;
  const possible = desk.catalog.atMost(chosen.value);
  const wanted = call.query.allowTakeAll === 'true' ? possible : chosen.value;
  if (unitsOf(possible) < unitsOf(wanted) || wanted.length === 0)
    return refuse(rules.insufficientStockStatus, 'Not enough codes in stock', 'INSUFFICIENT_STOCK');
  if (!desk.wallet.pay(totalOf(wanted))) {
    const message = 'Balance and credit do not suffice for this order';
    return refuse(rules.insufficientBalanceStatus, message, rules.insufficientBalanceCode);
  }
  desk.catalog.take(wanted);
  const waits = { hideMs: call.hideMs, serialsLagMs: desk.serials.lagMs };
  return { ok: true, value: book.add(reference === '' ? undefined : reference, wanted, waits) };
}

function unitsOf(choices: readonly Choice[]): number {
  return choices.reduce((sum, { quantity }) => sum + quantity, 0);
}

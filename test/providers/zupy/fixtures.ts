/** What the tests of this adapter start from: an account, an order, answers as they come off the wire. */
import type { JsonObject } from '../../../src/json.js';
import type { OrderBody } from '../../../src/orders/body.js';
import type { OrderView } from '../../../src/orders/order.js';
import type { Answer } from '../../../src/policy/answer.js';
import type { OpenAccount } from '../../../src/providers/provider.js';
import { zupy } from '../../../src/providers/zupy/index.js';
import { answerOf as answerAt, openAt, viewOf } from '../fixtures.js';

export const BASE = 'https://api.zupy.com/api/v2';
export const KEY = 'zupy_pk_abcdefghijklmnopqrstuvwxyz012345';
export const CUSTOMER = '2NxQ8oVbQ0aTzv3R7yHk1LmPwEf';
export const REWARD = '2NxRewardPudim00000000000001';
export const CODE = 'CZ-AB12CD34';
export const COUPON_ID = '2Nz9CouponKsuid000000000001';

/** When an answer of these tests has arrived. */
export const NOW = Date.parse('2026-03-02T11:05:00Z');

export function openAccount(config: Record<string, unknown> = {}): OpenAccount {
  return openAt(zupy, { id: 'zupy-br', config, credentials: { apiKey: KEY } });
}

/** A body that Zupy takes. */
export function goodBody(changes: Partial<OrderBody> = {}): OrderBody {
  return {
    account: 'zupy-br',
    reference: 'shop:1001',
    customer: { id: CUSTOMER, firstName: 'João', phone: '+5511987654321', email: 'joao@example.com' },
    items: [{ reference: 'line-1', sku: REWARD, quantity: 1 }],
    ...changes,
  };
}

export function orderView(changes: Partial<OrderView> = {}): OrderView {
  return viewOf(changes.body ?? goodBody(), changes);
}

/** An order whose coupon was issued by our own redeem. */
export const issued = (changes: Partial<OrderView> = {}): OrderView =>
  orderView({
    providerOrderId: CODE,
    providerData: { customerId: CUSTOMER, rewardId: REWARD, takenForActive: true },
    ...changes,
  });

/** An answer with a JSON body, or with a text that is none. */
export function answerOf(status: number, body: unknown, headers: Answer['headers'] = {}): Answer {
  return answerAt(status, body, headers, NOW);
}

/** A problem of the documented list, by the last segment of its type. */
export function problem(status: number, type: string, more: Record<string, unknown> = {}): Answer {
  return answerOf(status, {
    type: `https://docs.zupy.com/errors#${type}`,
    title: 'A title',
    status,
    detail: 'A detail',
    ...more,
  });
}

/** A row of the coupons list. */
export function row(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: COUPON_ID,
    coupon_code: CODE,
    reward_name: 'Pudim da Casa',
    reward_id: REWARD,
    customer_id: CUSTOMER,
    customer_name: 'João Conceição',
    status: 'active',
    status_display: 'Ativo',
    points_spent: 200,
    redemption_date: '2026-03-02T11:04:00Z',
    valid_until: '2026-04-01T11:04:00Z',
    remaining_usages: 1,
    total_usages_allowed: 1,
    created_at: '2026-03-02T11:04:00Z',
    usage_date: null,
    origin_type: 'loyalty_reward',
    ...changes,
  };
}

/** The whole of a coupons list. */
export function listOf(...rows: unknown[]): Record<string, unknown> {
  return { data: rows, meta: { cursor: null, has_next: false, count: rows.length } };
}

/** What the steps before a redeem have left. */
export const baseline = (...coupons: string[]): JsonObject => ({
  baselinePoints: 1_000,
  baselineCoupons: coupons,
  baselineWhole: true,
});

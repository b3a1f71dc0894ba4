/** What the tests of this adapter start from: an account, an order, answers as they come off the wire. */
import type { OrderBody } from '../../../src/orders/body.js';
import type { OrderView } from '../../../src/orders/order.js';
import type { Answer } from '../../../src/policy/answer.js';
import type { OpenAccount } from '../../../src/providers/provider.js';
import { wupex } from '../../../src/providers/wupex/index.js';
import { answerOf, openAt, viewOf, workFor } from '../fixtures.js';

export const ORDER_NAME = 'A00000000000123';

export function openAccount(config: Record<string, unknown> = {}): OpenAccount {
  return openAt(wupex, { id: 'codes', config, credentials: { apiKey: 'the-key' } });
}

/** A body that WUPEX takes: two products, three codes. */
export function goodBody(changes: Partial<OrderBody> = {}): OrderBody {
  return {
    account: 'codes',
    reference: 'shop:1001',
    items: [
      { reference: 'line-1', sku: 'GIFT-10', quantity: 2 },
      { reference: 'line-2', sku: 'PLAY-25', quantity: 1, options: { merchant: 'playhub' } },
    ],
    options: { merchant: 'giftwave' },
    ...changes,
  };
}

export function orderView(changes: Partial<OrderView> = {}): OrderView {
  return viewOf(changes.body ?? goodBody(), changes);
}

export const placed = (changes: Partial<OrderView> = {}) =>
  workFor(orderView({ providerOrderId: ORDER_NAME, ...changes }));

/** The documented error envelope. */
export function refused(status: number, code: string, message = 'No'): Answer {
  return answerOf(status, { status: false, error: { code, message } });
}

/** The other one that occurs. */
export function refusedShortly(status: number, message = 'No'): Answer {
  return answerOf(status, { status: false, message });
}

export const SERIALS = [
  { sku: 'GIFT-10', serialCode: 'ABCD-EFGH-IJKL', serialNumber: '1234-5678' },
  { sku: 'GIFT-10', serialCode: 'MNOP-QRST-UVWX', serialNumber: '9876-5432' },
  { sku: 'PLAY-25', serialCode: 'YYYY-ZZZZ-AAAA', serialNumber: '0000-1111' },
] as const;

/** The answer of pull-codes as the guide shows it. */
export function pulled(changes: Record<string, unknown> = {}): object {
  return { status: true, data: { orderName: ORDER_NAME, totalAmount: 42.875, serials: SERIALS, ...changes } };
}

/** The order detail, with a line for each product. */
export function detail(changes: Record<string, unknown> = {}): object {
  const line = (sku: string) => ({
    sku,
    serials: SERIALS.filter((serial) => serial.sku === sku).map(({ sku: _sku, ...rest }) => ({
      ...rest,
      currency: 'USD',
      expiry: '2027-03-02',
    })),
  });
  return {
    status: true,
    data: {
      orderName: ORDER_NAME,
      status: 'Completed',
      orderData: [line('GIFT-10'), line('PLAY-25')],
      ...changes,
    },
  };
}

export const row = (changes: Record<string, unknown> = {}) => ({
  orderName: ORDER_NAME,
  referenceId: 'shop:1001',
  orderAmount: 42.875,
  orderDate: '2026-03-02T11:00:01Z',
  status: 'Completed',
  ...changes,
});

/** A page of the order list. */
export function listOf(rows: readonly unknown[], totalCount: unknown = rows.length): object {
  return { status: true, data: rows, pageInfo: { totalPage: 1, totalCount, pageSize: 20, currentPage: 1 } };
}

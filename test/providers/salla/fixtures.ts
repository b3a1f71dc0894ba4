/** What the tests of this adapter start from: accounts of three modes, orders, answers as they come off the wire. */
import type { JsonObject } from '../../../src/json.js';
import type { OrderBody } from '../../../src/orders/body.js';
import type { OrderView } from '../../../src/orders/order.js';
import type { Answer } from '../../../src/policy/answer.js';
import type { OpenAccount } from '../../../src/providers/provider.js';
import { salla } from '../../../src/providers/salla/index.js';
import { answerOf as answerAt, openAt, viewOf } from '../fixtures.js';

export const BASE = 'https://api.salla.dev/admin/v2';

export const CREDENTIALS = {
  clientId: 'client-1',
  clientSecret: 's&cret=1',
  accessToken: 'at-1',
  refreshToken: 'rt-1',
  expiresAt: '2026-03-16T00:00:00Z',
};

/** Where the store knows our order, and the number that people see. */
export const ORDER_ID = '1017120475';
export const ORDER_NUMBER = '40497536';
export const SHIPMENT_ID = '362985662';

export function openAccount(config: Record<string, unknown> = {}): OpenAccount {
  return openAt(salla, { id: 'salla-riyadh', config, credentials: CREDENTIALS });
}

/** A body that mode A takes. */
export function goodBody(changes: Partial<OrderBody> = {}): OrderBody {
  return {
    account: 'salla-riyadh',
    reference: 'shop:1001',
    currency: 'SAR',
    customer: {
      firstName: 'نورة',
      lastName: 'السالم',
      email: 'noura@example.com',
      phone: '+966 50 123 4567',
    },
    shippingAddress: { line1: 'شارع التحلية 5', city: 'الرياض', postCode: '12345', country: 'SA' },
    items: [{ reference: 'line-1', sku: 'MUG-1', name: 'Mug', quantity: 2, unitPrice: '49.9' }],
    options: { deliveryMethod: 'shipping', courierId: 665151403 },
    ...changes,
  };
}

/** A body that mode B takes. */
export function shipmentBody(changes: Partial<OrderBody> = {}): OrderBody {
  return {
    account: 'salla-riyadh',
    reference: 'parcel:7',
    options: {
      orderId: ORDER_ID,
      courierId: 1927161457,
      packages: [{ name: 'Mug', sku: 'MUG-1', quantity: 2 }],
    },
    ...changes,
  };
}

/** A body that mode C takes. */
export function statusBody(changes: Partial<OrderBody> = {}): OrderBody {
  return {
    account: 'salla-riyadh',
    reference: 'event:3',
    options: { orderId: ORDER_ID, statusSlug: 'in_progress' },
    ...changes,
  };
}

export function orderView(body: OrderBody = goodBody(), changes: Partial<OrderView> = {}): OrderView {
  return viewOf(body, { createdAt: new Date('2026-03-02T11:00:30Z'), ...changes });
}

/** An answer with a JSON body, or with a text that is none. */
export function answerOf(status: number, body: unknown, headers: Answer['headers'] = {}): Answer {
  return answerAt(status, body, headers, 1_772_449_230_000);
}

/** The envelope of a success. */
export function ok(data: unknown, status = 200): Answer {
  return answerOf(status, { status, success: true, data });
}

/** A page of a list that is whole, unless `pagination` says otherwise. */
export function listed(rows: unknown[], pagination: JsonObject = {}): Answer {
  return answerOf(200, {
    status: 200,
    success: true,
    data: rows,
    pagination: {
      count: rows.length,
      total: rows.length,
      perPage: 60,
      currentPage: 1,
      totalPages: 1,
      links: [],
      ...pagination,
    },
  });
}

/** The error envelope. */
export function refused(status: number, message: string, more: JsonObject = {}): Answer {
  return answerOf(status, { status, success: false, error: { code: 'error', message, ...more } });
}

/** A status as orders show it. */
export function statusOf(slug: string | null, name = 'قيد التنفيذ'): JsonObject {
  return { id: 566146469, name, slug, customized: { id: 986688842, name } };
}

/** "Order Details". */
export function orderRow(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: Number(ORDER_ID),
    reference_id: Number(ORDER_NUMBER),
    external_order_id: 'shop:1001',
    date: { date: '2026-03-02 14:00:41.000000', timezone_type: 3, timezone: 'Asia/Riyadh' },
    status: statusOf('under_review'),
    can_cancel: false,
    actions: { cancellable: true, reorderable: true },
    customer: { id: 1298199463, first_name: 'نورة', mobile: 501234567, mobile_code: '+966' },
    items: [{ id: 1, name: 'Mug', sku: 'MUG-1', quantity: 2 }],
    shipping: [],
    shipments: [],
    ...changes,
  };
}

/** "Shipment Details". */
export function shipmentRow(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: Number(SHIPMENT_ID),
    order_id: Number(ORDER_ID),
    order_reference_id: Number(ORDER_NUMBER),
    created_at: { date: '2026-03-02 14:00:41.000000', timezone_type: 3, timezone: 'Asia/Riyadh' },
    type: 'shipment',
    courier_id: 1927161457,
    courier_name: 'Salla Express',
    shipping_number: null,
    tracking_number: null,
    tracking_link: null,
    status: 'creating',
    reference: { external_id: 'parcel:7' },
    ...changes,
  };
}

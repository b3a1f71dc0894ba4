/** What the tests of this adapter start from: accounts of three modes, orders, answers as they come off the wire. */
import type { JsonObject } from '../../../src/json.js';
import type { OrderBody } from '../../../src/orders/body.js';
import type { OrderView } from '../../../src/orders/order.js';
import type { Answer } from '../../../src/policy/answer.js';
import { type Classified, classify } from '../../../src/policy/classify.js';
import type { OpenAccount, Step, Work } from '../../../src/providers/provider.js';
import { salla } from '../../../src/providers/salla/index.js';

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
  return salla.open({ id: 'salla-riyadh', config, credentials: CREDENTIALS, policy: salla.policy });
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
  return {
    id: '018f2f6e-0000-7000-8000-000000000001',
    reference: body.reference,
    providerReference: body.reference,
    generation: 1,
    body,
    providerOrderId: null,
    providerData: {},
    createdAt: new Date('2026-03-02T11:00:30Z'),
    ...changes,
  };
}

export function workFor(order?: OrderView, more: Partial<Work> = {}): Work {
  return { ...(order === undefined ? {} : { order }), params: {}, carry: {}, ...more };
}

export function stepOf(steps: readonly Step[] | undefined, name: string): Step {
  const step = steps?.find((one) => one.name === name);
  if (step === undefined) throw new Error(`there is no step ${name}`);
  return step;
}

/** All steps of an account, each once. */
export function stepsOf({ verbs, reads }: OpenAccount): Step[] {
  return [
    ...Object.values(verbs).flat(),
    reads.get,
    reads.look,
    ...(reads.furtherLooks ?? []),
    reads.list?.step,
    reads.probe,
  ].filter((step) => step !== undefined);
}

/** An answer with a JSON body, or with a text that is none. */
export function answerOf(status: number, body: unknown, headers: Answer['headers'] = {}): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { kind: 'answered', status, headers, body: text, json: parsed(text), receivedAt: 1_772_449_230_000 };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The HTTP layer marks a body that is no JSON in this way.
    return undefined;
  }
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

/** What an answer to a step comes to, by the account's own policy. */
export function judge(account: OpenAccount, step: Step, work: Work, answer: Answer): Classified {
  return classify(
    answer,
    step,
    account.policy,
    (result) => step.read(work, result),
    (result) => account.readError(result),
    account.statusOf,
  );
}

/** The JSON body of a step's request. */
export function sentBody(step: Step, work: Work): unknown {
  return JSON.parse(step.request(work).body ?? 'null');
}

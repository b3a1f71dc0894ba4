/** What the tests of this adapter start from: an account, an order, answers as they come off the wire. */
import type { OrderBody } from '../../../src/orders/body.js';
import type { OrderView } from '../../../src/orders/order.js';
import type { Answer } from '../../../src/policy/answer.js';
import type { OpenAccount, Work } from '../../../src/providers/provider.js';
import { wasal } from '../../../src/providers/wasal/index.js';
import { answerOf, workFor as anyWorkFor, openAt, viewOf } from '../fixtures.js';

export const BASE = 'https://www.wasal.org/api/v1/integration/merchant';
export const LIVE_KEY = 'pk_live_abc';
export const TEST_KEY = 'pk_test_abc';

export const ORDER_ID = '65f000000000000000000001';
export const CUSTOMER_ID = '65f0000000000000000000c1';
export const ADDRESS_ID = '65f0000000000000000000a1';

export function openAccount(config: Record<string, unknown> = {}, apiKey = LIVE_KEY): OpenAccount {
  return openAt(wasal, { id: 'wasal-kw', config, credentials: { apiKey } });
}

export const ADDRESS = {
  label: 'Home',
  addressType: 'house',
  governorateId: '2',
  neighborhoodId: '201',
  blockId: '20101',
  houseNumber: '8',
};

/** A body that Wasal takes. */
export function goodBody(changes: Partial<OrderBody> = {}): OrderBody {
  return {
    account: 'wasal-kw',
    reference: 'shop-1001',
    currency: 'KWD',
    customer: {
      firstName: 'نورة',
      lastName: 'الصباح',
      email: 'noura@example.com',
      phone: '+965 5000 1234',
    },
    shippingAddress: { line1: 'Street 12', city: 'Salmiya', country: 'KW' },
    items: [{ reference: 'line-1', sku: 'mug', name: 'Mug', quantity: 2, unitPrice: '1.25' }],
    payment: { method: 'cod', amountToCollect: '3.755' },
    totals: { subtotal: '2.5', shipping: '1.255', total: '3.755' },
    notes: 'Ring twice',
    options: { branchCode: 'MAIN', specialHandlingTags: ['fragile'], address: ADDRESS },
    ...changes,
  };
}

export function orderView(changes: Partial<OrderView> = {}): OrderView {
  return viewOf(changes.body ?? goodBody(), changes);
}

export function workFor(order?: OrderView, carry: Work['carry'] = {}, params: Work['params'] = {}): Work {
  return anyWorkFor(order, { carry, params });
}

/** The envelope of a success. */
export function success(data: unknown, status = 200): Answer {
  return answerOf(status, { success: true, data });
}

/** The envelope of an error. */
export function refusal(status: number, code: string, more: object = {}): Answer {
  return answerOf(status, { success: false, message: `said ${code}`, code, ...more });
}

/** An order as the simulated and the real Wasal tell it. */
export function toldOrder(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    _id: ORDER_ID,
    orderNumber: 'MAIN-000123',
    status: 'pending',
    orderMerchantReferenceNumber: 'shop-1001',
    customerId: CUSTOMER_ID,
    customerAddressId: ADDRESS_ID,
    paymentMethod: 'cod',
    amountToCollect: 3.755,
    pricing: { subtotal: 2.5, deliveryFee: 1.255, total: 3.755 },
    items: [{ name: 'Mug', sku: 'mug', qty: 2, price: 1.25 }],
    createdAt: '2026-03-02T11:05:09.000Z',
    ...changes,
  };
}

/** An address as Wasal tells it; the one that `goodBody` describes unless told otherwise. */
export function toldAddress(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    _id: ADDRESS_ID,
    ...ADDRESS,
    streetId: null,
    buildingName: null,
    floorNumber: null,
    apartmentNumber: null,
    line1: 'Street 12',
    ...changes,
  };
}

export function toldCustomer(addresses: unknown = [toldAddress()]): Record<string, unknown> {
  return { _id: CUSTOMER_ID, name: 'Noura', phoneNumber: '+96550001234', addresses };
}

/** A page of the list with these rows, which are all of them. */
export function listOf(orders: unknown[], pagination: object = {}): Answer {
  return success({ list: orders, pagination: { page: 1, limit: 100, total: orders.length, ...pagination } });
}

/** What the tests of this adapter start from: an account, an order, answers as they come off the wire. */
import { readFileSync } from 'node:fs';
import type { OrderBody } from '../../../src/orders/body.js';
import type { OrderView } from '../../../src/orders/order.js';
import type { Answer } from '../../../src/policy/answer.js';
import { gelatoConnect } from '../../../src/providers/gelato-connect/index.js';
import type { OpenAccount, Work } from '../../../src/providers/provider.js';
import { answerOf, workFor as anyWorkFor, openAt, viewOf } from '../fixtures.js';

const BASE = 'https://api.example.com/api/prints';

export const CONFIG = {
  submitUrl: `${BASE}/c1/order`,
  getUrl: `${BASE}/order/{id}`,
  cancelUrl: `${BASE}/order/c1/{id}/cancel`,
  updateShipmentUrl: `${BASE}/order/c1/{id}/shipment`,
  searchUrl: `${BASE}/orders/search`,
};

export const CREDENTIALS = { apiKey: 'the-key', apiSecret: 'the:secret' };

export const PROVIDER_ORDER_ID = '5b0c6a3e-7a0e-4f0b-9d1c-2f1d0a6f7e11';

export function openAccount(config: Record<string, unknown> = {}): OpenAccount {
  return openAt(gelatoConnect, {
    id: 'gelato-eu',
    config: { ...CONFIG, ...config },
    credentials: CREDENTIALS,
  });
}

/** A body that GelatoConnect takes. */
export function goodBody(changes: Partial<OrderBody> = {}): OrderBody {
  return {
    account: 'gelato-eu',
    reference: 'shop:1001',
    currency: 'EUR',
    customer: {
      firstName: 'Kari',
      lastName: 'Nordmann',
      email: 'kari@example.com',
      phone: '+47 22 22 22 22',
    },
    shippingAddress: { line1: 'Storgata 1', city: 'Oslo', postCode: '0155', country: 'NO' },
    items: [
      {
        reference: 'line-1',
        sku: 'poster_a3_170gsm',
        quantity: 2,
        files: [{ type: 'default', url: 'https://files.example.com/a.pdf' }],
      },
    ],
    ...changes,
  };
}

export function orderView(changes: Partial<OrderView> = {}): OrderView {
  return viewOf(changes.body ?? goodBody(), changes);
}

export function workFor(order?: OrderView, params: Work['params'] = {}): Work {
  return anyWorkFor(order, { params });
}

/** A recorded answer, parsed anew for each caller. */
export function fixture(name: 'order' | 'search' | 'submitted' | 'updated'): Record<string, unknown> {
  const text = readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), 'utf8');
  // The four files hold one JSON object each.
  return JSON.parse(text) as Record<string, unknown>;
}

/** The provider's error envelope. */
export function envelope(status: number, message: string): Answer {
  return answerOf(status, { code: status, message });
}

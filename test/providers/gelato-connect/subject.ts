/** GelatoConnect, for the conformance suite. */
import { startGelatoSimulator } from '../../../src/simulator/gelato-connect/index.js';
import { systemTime } from '../../../src/time.js';
import type { Subject } from '../conformance/subject.js';

/** Sentences that say what the table has codes for ("Error Handling": an envelope of one number and one sentence). */
const SENTENCES: Record<string, string> = {
  duplicate_reference: 'An order with this orderReferenceId already exists',
  order_state: 'The shipment can no longer be updated, the order has been shipped',
};

export const gelatoConnect: Subject = {
  id: 'gelato-connect',
  start: () =>
    startGelatoSimulator({
      apiKey: 'key-of-the-suite',
      apiSecret: 'secret-of-the-suite',
      stepMs: 0,
      requestsPerSecond: 1_000_000,
      time: systemTime,
    }),
  verbs: {
    submit: 'submit',
    activate: 'activate',
    cancel: 'cancel',
    update: 'update',
    get: 'get',
    look: 'get',
    search: 'search',
    probe: 'search',
  },
  refusal: (status, code) => ({
    status,
    body: { code: status, message: SENTENCES[code ?? ''] ?? 'Not as it should be' },
  }),
  body: ({ account, nth }) => ({
    account,
    reference: `order-${nth}`,
    currency: 'EUR',
    customer: {
      firstName: 'Kari',
      lastName: 'Nordmann',
      email: `kari${nth}@example.com`,
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
  }),
  complaint: {
    step: 'submit',
    told: { status: 400, body: { code: 400, message: 'Ungültige Adresse: Straße „Åsvägen“ fehlt' } },
    said: 'Ungültige Adresse: Straße „Åsvägen“ fehlt',
  },
  update: { shippingMethod: 'fed_ex_2_day' },
  arrivals: { activate: { body: () => ({ activate: false }) } },
};

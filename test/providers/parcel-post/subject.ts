/** Parcel Post, for the conformance suite. */
import { systemTime } from '../../../src/time.js';
import { startParcelPostSimulator } from '../../fixtures/parcel-post-simulator.js';
import type { Subject } from '../conformance/subject.js';

export const parcelPost: Subject = {
  id: 'parcel-post',
  start: () =>
    startParcelPostSimulator({
      token: 'token-of-the-suite',
      requestsPerSecond: 1_000_000,
      time: systemTime,
    }),
  verbs: { submit: 'announce', cancel: 'withdraw', get: 'show', look: 'find', probe: 'account' },
  refusal: (status, code = 'unlisted') => ({
    status,
    ...(status === 429 ? { headers: { 'Retry-After': '30' } } : {}),
    body: { error: { code, message: 'Not as it should be' } },
  }),
  body: ({ account, nth }) => ({
    account,
    reference: `order-${nth}`,
    customer: {
      firstName: 'Mikael',
      lastName: 'Korhonen',
      email: `mikael${nth}@example.com`,
      phone: `+358 40 ${String(nth).padStart(7, '0')}`,
    },
    shippingAddress: { line1: 'Aleksanterinkatu 1', city: 'Helsinki', postCode: '00100', country: 'FI' },
    items: [{ reference: 'line-1', name: 'Tea pot', quantity: 1 }],
  }),
  complaint: {
    step: 'submit',
    told: {
      status: 422,
      body: {
        error: {
          code: 'invalid_parcel',
          message: 'Пакунок не можна доставити: «індекс»',
          fields: { 'recipient.postcode': ['Такого індексу немає'] },
        },
      },
    },
    said: 'Пакунок не можна доставити: «індекс»',
    fields: { 'recipient.postcode': ['Такого індексу немає'] },
  },
};

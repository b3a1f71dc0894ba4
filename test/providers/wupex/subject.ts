/** WUPEX, for the conformance suite. */
import { startWupexSimulator } from '../../../src/simulator/wupex/index.js';
import { systemTime } from '../../../src/time.js';
import type { Subject } from '../conformance/subject.js';

export const wupex: Subject = {
  id: 'wupex',
  start: () =>
    startWupexSimulator({ apiKey: 'key-of-the-suite', requestsPerSecond: 1_000_000, time: systemTime }),
  // A detail tells codes at once, and an order that has them all is read no more.
  verbs: { submit: 'submit', get: 'get', look: 'search', probe: 'balance' },
  refusal: (status, code) => ({
    status,
    body: {
      status: false,
      ...(code === undefined
        ? { message: 'Not as it should be' }
        : { error: { code, message: 'Not as it should be' } }),
    },
  }),
  body: ({ account, nth }) => ({
    account,
    reference: `order-${nth}`,
    items: [{ reference: 'line-1', sku: 'GIFT-10', quantity: 2 }],
    options: { merchant: 'giftwave' },
  }),
  complaint: {
    step: 'submit',
    told: {
      status: 400,
      body: { status: false, error: { code: 'INVALID_PAYLOAD', message: 'الكمية غير صحيحة' } },
    },
    said: 'الكمية غير صحيحة',
  },
};

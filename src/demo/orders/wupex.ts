/** Digital codes of two merchants, for WUPEX. Pure. */
import type { JsonObject } from '../../json.js';
import type { Random } from '../../time.js';
import {
  between,
  type DemoOrder,
  type Fate,
  fatedOrder,
  inTurn,
  type Mistake,
  pick,
  referenceOf,
} from './order.js';

/** What the simulated merchants sell. */
const PRODUCTS = [
  { sku: 'GIFT-10', name: 'Gift Card 10', merchant: 'giftwave' },
  { sku: 'GIFT-50', name: 'Gift Card 50', merchant: 'giftwave' },
  { sku: 'PLAY-25', name: 'Game Credit 25', merchant: 'playhub' },
] as const;

// Nothing is canceled: codes that were pulled cannot be given back.
const FATES: readonly [Fate, ...Fate[]] = [
  'plain',
  'plain',
  'lost',
  'plain',
  'invalid',
  'error',
  'plain',
  'released',
  'busy',
  'draft',
];

const MISTAKES: readonly Mistake[] = [
  (body) => ({ ...body, items: [{ reference: '1', sku: 'GIFT-10', quantity: 1 }] }),
  (body) => ({ ...body, payment: { method: 'cod', amountToCollect: '9.50' } }),
  (body) => ({
    ...body,
    items: [{ reference: '1', sku: 'GIFT-10', quantity: 6_000, options: { merchant: 'giftwave' } }],
  }),
];

/** An order for WUPEX. */
export function wupexOrder(account: string, n: number, random: Random): DemoOrder {
  const body: JsonObject = {
    account,
    reference: referenceOf(account, n),
    customer: { firstName: 'Robin', lastName: 'Example', email: `player${n}@example.com` },
    items: Array.from({ length: between(1, 3, random) }, (_, item): JsonObject => {
      const { merchant, ...product } = pick(PRODUCTS, random);
      return {
        reference: String(item + 1),
        ...product,
        quantity: between(1, 4, random),
        options: { merchant },
      };
    }),
  };
  return fatedOrder(body, inTurn(FATES, n), MISTAKES, random);
}

/** Print orders from eight countries, for GelatoConnect. Pure. */
import type { JsonObject } from '../../json.js';
import type { Random } from '../../time.js';
import {
  amount,
  between,
  type DemoOrder,
  type Fate,
  fatedOrder,
  type Mistake,
  pick,
  referenceOf,
} from './order.js';

// Numbers that are kept free for fiction, or, where a country keeps none free, that cannot be given to anybody.
const PLACES = [
  { country: 'DE', city: 'Berlin', postCode: '10115', phone: '+49 30 23125 001' },
  { country: 'FR', city: 'Lyon', postCode: '69001', phone: '+33 4 65 71 00 01' },
  { country: 'NO', city: 'Oslo', postCode: '0150', phone: '+47 00 00 00 01' },
  { country: 'GB', city: 'Fairford', postCode: 'GL7 4GH', phone: '+44 1632 960001' },
  { country: 'US', city: 'Austin', postCode: '78701', state: 'TX', phone: '+1 512 555 0100' },
  { country: 'CA', city: 'Toronto', postCode: 'M5H 2N2', state: 'ON', phone: '+1 416 555 0100' },
  { country: 'AU', city: 'Perth', postCode: '6000', state: 'WA', phone: '+61 8 5550 0100' },
  { country: 'JP', city: '大阪市', postCode: '530-0001', phone: '+81 0 0000 0001' },
] as const;

const PEOPLE = [
  ['Ada', 'Winter'],
  ['José', 'Álvarez'],
  ['Mei', 'Tanaka'],
  ['Omar', 'Haddad'],
  ['Zoë', 'Ångström'],
] as const;

const PRODUCTS = ['poster_a3_170gsm', 'mug_white_11oz', 'canvas_30x40_pine'] as const;

const MISTAKES: readonly Mistake[] = [
  (body) => ({ ...body, currency: 'XXQ' }),
  (body) => ({
    ...body,
    shippingAddress: { line1: '1 Main Street', city: 'Austin', postCode: '78701', country: 'US' },
  }),
  (body) => ({ ...body, items: [{ reference: 'i-1', sku: 'poster', quantity: 0, files: [] }] }),
  (body) => ({ ...body, colour: 'blue' }),
];

/**
 * What becomes of how large a share of the orders; the rest is plain. Without a price a cross-border order is
 * accepted and fails later, as the provider documents.
 */
const SHARES: readonly [Fate | 'unpriced', number][] = [
  ['invalid', 0.05],
  ['draft', 0.04],
  ['released', 0.06],
  ['canceled', 0.1],
  ['unpriced', 0.03],
  ['lost', 0.04],
  ['error', 0.04],
  ['busy', 0.02],
];

/** An order for GelatoConnect. */
export function gelatoOrder(account: string, n: number, random: Random): DemoOrder {
  const drawn = draw(random);
  const { phone, ...place } = pick(PLACES, random);
  const [firstName, lastName] = pick(PEOPLE, random);
  const body: JsonObject = {
    account,
    reference: referenceOf(account, n),
    currency: 'EUR',
    customer: { firstName, lastName, email: `customer${n}@example.com`, phone },
    shippingAddress: { line1: `${between(1, 200, random)} Long Street`, ...place },
    items: items(n, drawn !== 'unpriced', random),
    totals: { shipping: '4.90' },
    metadata: { campaign: 'demo' },
  };
  return fatedOrder(body, drawn === 'unpriced' ? 'plain' : drawn, MISTAKES, random);
}

function draw(random: Random): Fate | 'unpriced' {
  let left = random();
  for (const [fate, share] of SHARES) {
    if (left < share) return fate;
    left -= share;
  }
  return 'plain';
}

function items(n: number, priced: boolean, random: Random): JsonObject[] {
  return Array.from(
    { length: between(1, 3, random) },
    (_, item): JsonObject => ({
      reference: `${n}-${item + 1}`,
      sku: pick(PRODUCTS, random),
      quantity: between(1, 3, random),
      ...(priced ? { unitPrice: amount(between(500, 4_499, random), 2) } : {}),
      files: [{ type: 'default', url: `https://files.example.com/demo/${n}-${item + 1}.pdf` }],
    }),
  );
}

/** Orders that were sold elsewhere and go into a store in Riyadh, for Salla's mode A. Pure. */
import type { JsonObject } from '../../json.js';
import type { Random } from '../../time.js';
import {
  amount,
  between,
  type DemoOrder,
  type Fate,
  fatedOrder,
  inTurn,
  type Mistake,
  pick,
  referenceOf,
} from './order.js';

const PEOPLE = [
  ['ريم', 'مثال'],
  ['Khalid', 'Sample'],
  ['لينا', 'تجربة'],
  ['Majed', 'Placeholder'],
] as const;

const CITIES = ['الرياض', 'جدة', 'Dammam'] as const;

/** Prices in halalas. */
const PRODUCTS = [
  { sku: 'ABAYA-M', name: 'عباية سوداء', halalas: 24_900 },
  { sku: 'COFFEE-250', name: 'Arabic coffee 250 g', halalas: 4_550 },
  { sku: 'BUKHOOR', name: 'بخور', halalas: 11_995 },
] as const;

const SHIPPING = 2_500;
const BRANCH = 1_939_592_358;

const FATES: readonly [Fate, ...Fate[]] = [
  'plain',
  'canceled',
  'error',
  'plain',
  'lost',
  'invalid',
  'plain',
  'released',
  'canceled',
  'busy',
];

const MISTAKES: readonly Mistake[] = [
  (body) => ({ ...body, options: { deliveryMethod: 'carrier-pigeon' } }),
  (body) => ({ ...body, options: { deliveryMethod: 'pickup' } }),
  (body) => ({ ...body, items: [{ reference: '1', quantity: 1, unitPrice: '10.00' }] }),
  (body) => ({ ...body, customer: { firstName: 'Reem', phone: 'none' } }),
];

/** An order for Salla. */
export function sallaOrder(account: string, n: number, random: Random): DemoOrder {
  const [firstName, lastName] = pick(PEOPLE, random);
  const { sku, name, halalas } = pick(PRODUCTS, random);
  const quantity = between(1, 3, random);
  const subtotal = halalas * quantity;
  const pickup = n % 5 === 0;
  const total = amount(subtotal + (pickup ? 0 : SHIPPING), 2);
  const body: JsonObject = {
    account,
    reference: referenceOf(account, n),
    currency: 'SAR',
    // No number in Saudi Arabia begins with a zero behind the country's code.
    customer: {
      firstName,
      lastName,
      phone: `+966 000 000 ${String(n % 1_000).padStart(3, '0')}`,
      email: `shopper${n}@example.com`,
    },
    shippingAddress: {
      line1: `${between(1, 90, random)} شارع المثال`,
      city: pick(CITIES, random),
      postCode: '12345',
      country: 'SA',
    },
    items: [{ reference: '1', sku, name, quantity, unitPrice: amount(halalas, 2) }],
    payment: n % 3 === 0 ? { method: 'cod', amountToCollect: total } : { method: 'prepaid' },
    totals: { subtotal: amount(subtotal, 2), shipping: amount(pickup ? 0 : SHIPPING, 2), total },
    options: pickup ? { deliveryMethod: 'pickup', branchId: BRANCH } : { deliveryMethod: 'shipping' },
  };
  return fatedOrder(body, inTurn(FATES, n), MISTAKES, random);
}

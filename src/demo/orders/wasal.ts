/** Packages for the households of Kuwait, for Wasal. Pure. */
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

/**
 * Fewer households than orders: most order more than once, so that customers and addresses are met again. The areas
 * are some that the simulator knows. No number in Kuwait begins with a zero.
 */
const HOUSEHOLDS = [
  { name: ['Noura', 'Example'], phone: '+965 0000 0001', city: 'Sharq', area: '101' },
  { name: ['يوسف', 'مثال'], phone: '+965 0000 0002', city: 'Salmiya', area: '201' },
  { name: ['Dana', 'Muster'], phone: '+965 0000 0003', city: 'Jabriya', area: '202' },
  { name: ['Faisal', 'Sample'], phone: '+965 0000 0004', city: 'Khaitan', area: '301' },
  { name: ['مريم', 'تجربة'], phone: '+965 0000 0005', city: 'Fahaheel', area: '401' },
  { name: ['Salem', 'Placeholder'], phone: '+965 0000 0006', city: 'Mangaf', area: '402' },
] as const;

/** What a package holds: prices in fils, of which a dinar has a thousand. */
const GOODS = [
  { sku: 'ROSES-12', name: 'Twelve roses', fils: 7_250, tags: ['flowers', 'fragile'] },
  { sku: 'OUD-50', name: 'Oud oil 50 ml', fils: 18_375, tags: ['liquid'] },
  { sku: 'DATES-1KG', name: 'Dates 1 kg', fils: 3_755, tags: ['food'] },
  { sku: 'LAMP', name: 'Table lamp', fils: 12_005, tags: ['fragile', 'oversized'] },
  { sku: 'BOOK', name: 'Cook book', fils: 4_500, tags: ['none'] },
] as const;

const FATES: readonly [Fate, ...Fate[]] = [
  'plain',
  'lost',
  'plain',
  'invalid',
  'canceled',
  'error',
  'released',
  'busy',
  'plain',
  'draft',
];

const MISTAKES: readonly Mistake[] = [
  // A fourth decimal: no coin is that small.
  (body) => ({ ...body, payment: { method: 'cod', amountToCollect: '3.7555' } }),
  (body) => ({ ...body, currency: 'EUR' }),
  (body) => ({ ...body, options: { branchCode: 'MAIN', specialHandlingTags: ['explosive'] } }),
  (body) => ({ ...body, shippingAddress: { line1: 'Street 1', city: 'Riyadh', country: 'SA' } }),
];

/** An order for Wasal. */
export function wasalOrder(account: string, n: number, random: Random): DemoOrder {
  const house = HOUSEHOLDS[n % HOUSEHOLDS.length] ?? HOUSEHOLDS[0];
  const goods = pick(GOODS, random);
  const quantity = between(1, 3, random);
  const subtotal = goods.fils * quantity;
  const shipping = 1_255;
  const total = amount(subtotal + shipping, 3);
  const [firstName, lastName] = house.name;
  const body: JsonObject = {
    account,
    reference: referenceOf(account, n),
    currency: 'KWD',
    customer: { firstName, lastName, phone: house.phone, email: `household${house.area}@example.com` },
    shippingAddress: { line1: `Street ${house.area}`, city: house.city, country: 'KW' },
    items: [{ reference: '1', sku: goods.sku, name: goods.name, quantity, unitPrice: amount(goods.fils, 3) }],
    payment: n % 2 === 0 ? { method: 'cod', amountToCollect: total } : { method: 'prepaid' },
    totals: { subtotal: amount(subtotal, 3), shipping: amount(shipping, 3), total },
    notes: 'Ring twice',
    options: {
      branchCode: 'MAIN',
      specialHandlingTags: [...goods.tags],
      address: address(house.area, n),
    },
  };
  return fatedOrder(body, inTurn(FATES, n), MISTAKES, random);
}

/** Of each household's orders every third goes to its second address: five is what a customer may have. */
function address(area: string, n: number): JsonObject {
  const second = Math.floor(n / HOUSEHOLDS.length) % 3 === 2;
  return {
    label: second ? 'Work' : 'Home',
    addressType: second ? 'office' : 'house',
    governorateId: area.slice(0, 1),
    neighborhoodId: area,
    blockId: `${area}0${second ? 2 : 1}`,
    houseNumber: second ? '40' : '8',
  };
}

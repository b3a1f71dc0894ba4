/** The demo's orders: varied as a shop's day is, and the same every time. Pure. */
import type { JsonObject } from '../json.js';
import type { Random } from '../time.js';

/** What the demo does with an order beside sending it. */
export interface DemoOrder {
  body: JsonObject;
  /** Refused at intake, on purpose. */
  invalid: boolean;
  /** Canceled so many ms after it was sent. */
  cancelAfterMs: number | null;
  /** A draft that is activated so many ms after it was sent; null stays a draft. */
  activateAfterMs: number | null;
}

const PLACES = [
  { country: 'DE', city: 'Berlin', postCode: '10115', phone: '+49 30 1234567' },
  { country: 'FR', city: 'Lyon', postCode: '69001', phone: '+33 4 72 00 00 00' },
  { country: 'NO', city: 'Oslo', postCode: '0150', phone: '+47 22 22 22 22' },
  { country: 'GB', city: 'Fairford', postCode: 'GL7 4GH', phone: '+44 1285 000000' },
  { country: 'US', city: 'Austin', postCode: '78701', state: 'TX', phone: '+1 512 555 0100' },
  { country: 'CA', city: 'Toronto', postCode: 'M5H 2N2', state: 'ON', phone: '+1 416 555 0100' },
  { country: 'AU', city: 'Perth', postCode: '6000', state: 'WA', phone: '+61 8 5550 0100' },
  { country: 'JP', city: '大阪市', postCode: '530-0001', phone: '+81 6 5550 0100' },
] as const;

const PEOPLE = [
  ['Ada', 'Winter'],
  ['José', 'Álvarez'],
  ['Mei', 'Tanaka'],
  ['Omar', 'Haddad'],
  ['Zoë', 'Ångström'],
] as const;

/** Ways in which a shop gets an order wrong. */
const MISTAKES: readonly ((body: JsonObject) => JsonObject)[] = [
  (body) => ({ ...body, currency: 'XXQ' }),
  (body) => ({
    ...body,
    shippingAddress: { line1: '1 Main Street', city: 'Austin', postCode: '78701', country: 'US' },
  }),
  (body) => ({ ...body, items: [{ reference: 'i-1', sku: 'poster', quantity: 0, files: [] }] }),
  (body) => ({ ...body, colour: 'blue' }),
];

// Shares of the demo's orders (the rest is plain), chosen so that 200 orders show each case several times.
const SHARE = { invalid: 0.05, draft: 0.1, canceled: 0.1, unpriced: 0.03 };

/** Deterministic numbers in [0, 1), so that every demo is the same day (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param account the id that the orders are for */
export function demoOrders(account: string, count: number, random: Random): DemoOrder[] {
  return Array.from({ length: count }, (_, n) => demoOrder(account, n + 1, random));
}

function pick<T>(from: readonly [T, ...T[]] | readonly T[], random: Random): T {
  // `random` is below 1, so the index is inside.
  return from[Math.floor(random() * from.length)] as T;
}

function demoOrder(account: string, n: number, random: Random): DemoOrder {
  const kind = random();
  const { phone, ...place } = pick(PLACES, random);
  const [firstName, lastName] = pick(PEOPLE, random);
  const invalid = kind < SHARE.invalid;
  const draft = !invalid && kind < SHARE.invalid + SHARE.draft;
  const canceled = !invalid && !draft && kind < SHARE.invalid + SHARE.draft + SHARE.canceled;
  // Without a price a cross-border order is accepted and fails later, as the provider documents.
  const unpriced =
    !invalid && !draft && !canceled && kind < SHARE.invalid + SHARE.draft + SHARE.canceled + SHARE.unpriced;
  const body: JsonObject = {
    account,
    reference: `demo-${String(n).padStart(4, '0')}`,
    currency: 'EUR',
    customer: { firstName, lastName, email: `customer${n}@example.com`, phone },
    shippingAddress: { line1: `${1 + Math.floor(random() * 200)} Long Street`, ...place },
    items: Array.from(
      { length: 1 + Math.floor(random() * 3) },
      (_, item): JsonObject => ({
        reference: `demo-${n}-${item + 1}`,
        sku: pick(['poster_a3_170gsm', 'mug_white_11oz', 'canvas_30x40_pine'], random),
        quantity: 1 + Math.floor(random() * 3),
        ...(unpriced ? {} : { unitPrice: (5 + random() * 40).toFixed(2) }),
        files: [{ type: 'default', url: `https://files.example.com/demo/${n}-${item + 1}.pdf` }],
      }),
    ),
    totals: { shipping: '4.90' },
    metadata: { campaign: 'demo' },
    ...(draft ? { activate: false } : {}),
  };
  return {
    body: invalid ? pick(MISTAKES, random)(body) : body,
    invalid,
    cancelAfterMs: canceled ? Math.floor(random() * 3_000) : null,
    activateAfterMs: draft && random() < 0.6 ? 1_000 + Math.floor(random() * 3_000) : null,
  };
}

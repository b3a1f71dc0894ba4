/**
 * The order as the shop writes it: camelCase, unknown fields refused, money as decimals.
 * What a chosen provider needs beyond this shape, its adapter says (`validate`).
 */
import { Decimal } from 'decimal.js';
import { z } from 'zod';

// A reference is printed, put into URLs and compared by people: no control characters (Unicode category Cc), and
// no lone surrogates (Cs), which neither UTF-8 nor the database can hold.
const noControls = /^[^\p{Cc}\p{Cs}]*$/u;

const text = (max: number) =>
  z.string().min(1).max(max).regex(noControls, 'must not contain control characters');

/** Longer notes are cut by providers without a word; 2,000 characters is far above what a courier reads. */
const note = z.string().min(1).max(2000);

// Twelve digits before the point and six behind it: above any price, and within what every provider's decimals hold.
const MONEY = /^-?\d{1,12}(\.\d{1,6})?$/;

/** Money in, as a decimal string or a number; a plain decimal string out. Never a float in between. */
export const money = z
  .union([z.string(), z.number()])
  .transform((value, ctx) => {
    const written = typeof value === 'number' ? new Decimal(value).toFixed() : value.trim();
    if (!MONEY.test(written)) {
      ctx.addIssue({ code: 'custom', message: 'must be a decimal amount such as "12.50"' });
      return z.NEVER;
    }
    const amount = new Decimal(written);
    if (amount.isNegative() && !amount.isZero()) {
      ctx.addIssue({ code: 'custom', message: 'must not be negative' });
      return z.NEVER;
    }
    return amount.abs().toFixed();
  })
  .meta({ description: 'Decimal string or number' });

/** A free-form value that a provider's options may hold; bounded in depth by the body limit only. */
const options = z.record(z.string().min(1).max(100), z.json());
const metadata = z.record(
  z.string().min(1).max(100),
  z.union([z.string().max(1000), z.number(), z.boolean()]),
);

const customer = z.strictObject({
  id: text(200).optional(),
  firstName: text(100).optional(),
  lastName: text(100).optional(),
  email: z.email().max(254).optional(),
  phone: text(40).optional(),
  company: text(200).optional(),
  taxId: text(60).optional(),
});

const shippingAddress = z.strictObject({
  line1: text(200),
  line2: text(200).optional(),
  city: text(100),
  postCode: text(20).optional(),
  state: text(60).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 alpha-2 code in capitals')
    .meta({ description: 'ISO 3166-1 alpha-2' }),
});

const item = z.strictObject({
  reference: text(200),
  sku: text(500).optional(),
  name: text(500).optional(),
  quantity: z.int().min(1).max(1_000_000),
  unitPrice: money.optional(),
  files: z
    .array(z.strictObject({ type: text(60), url: z.string().min(1).max(2048) }))
    .max(100)
    .optional(),
  metadata: metadata.optional(),
  options: options.optional(),
});

/** The zod schema of an order's body. Its input is what the shop writes, its output what we store. */
export const orderBody = z
  .strictObject({
    account: text(100),
    reference: text(200),
    activate: z.boolean().optional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code in capitals')
      .optional(),
    customer: customer.optional(),
    shippingAddress: shippingAddress.optional(),
    shippingMethod: text(500).optional(),
    items: z.array(item).min(1).max(500).optional(),
    payment: z
      .strictObject({ method: z.enum(['prepaid', 'cod']), amountToCollect: money.optional() })
      .optional(),
    totals: z
      .strictObject({ subtotal: money.optional(), shipping: money.optional(), total: money.optional() })
      .optional(),
    notes: note.optional(),
    metadata: metadata.optional(),
    options: options.optional(),
  })
  .meta({ id: 'OrderBody' });

/** An order's body after validation. */
export type OrderBody = z.output<typeof orderBody>;
export type OrderItem = NonNullable<OrderBody['items']>[number];

/** One thing that is wrong with a body. */
export interface FieldProblem {
  /** RFC 6901. */
  pointer: string;
  /** Short and stable: `required`, `invalid`, `unknown_field`, … */
  code: string;
  /** What is wrong and what to do, for a person. */
  detail: string;
}

/** RFC 6901: `~` and `/` inside a name are escaped. */
export function jsonPointer(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/**
 * The rules for the body that creates an order (Wasal document, "Create-order body" and "Errors"). In which
 * order they are looked at is not documented: those with a code of their own go before and after the fields
 * that VALIDATION_FAILED reports all at once. Unknown fields are let through.
 */
import type { Answer } from '../kit.js';
import { isObject, isString } from '../reader.js';
import { invalid, refuse } from './answers.js';
import { Complaints, Reader } from './reader.js';
import type { OrderBody, OrderItem, Pricing } from './wire.js';

/** A body as it is meant, or the refusal. */
export type Checked<T> = { ok: true; value: T } | { ok: false; refusal: Answer };

/** What a merchant's account or the deployment says about orders. */
export interface OrderRules {
  packageSides: readonly string[];
  packagePhotoField: string;
  photoRequired: boolean;
}

// "Create-order body", specialHandlingTags.
const TAGS: ReadonlySet<unknown> = new Set([
  'fragile',
  'liquid',
  'heavy',
  'oversized',
  'temperature_sensitive',
  'food',
  'flowers',
  'other',
  'none',
]);

export function checkOrder(body: unknown, rules: OrderRules): Checked<OrderBody> {
  if (!isObject(body)) return refused(invalid({ body: 'The body must be a JSON object' }));
  const complaints = new Complaints();
  const order = new Reader(body, complaints);
  const early = refusedEarly(order, rules);
  if (early !== undefined) return refused(early);
  const value = readOrder(order, rules.packagePhotoField);
  if (!complaints.none) return refused(invalid(complaints.byField));
  const late = refusedLate(value, rules);
  return late === undefined ? { ok: true, value } : refused(late);
}

function refused(refusal: Answer): { ok: false; refusal: Answer } {
  return { ok: false, refusal };
}

function refusedEarly(order: Reader, { packageSides }: OrderRules): Answer | undefined {
  if (order.lacks('customerId')) return refuse('CUSTOMER_REQUIRED');
  const tags = order.raw('specialHandlingTags');
  if (order.lacks('specialHandlingTags') || (Array.isArray(tags) && tags.length === 0))
    return refuse('SPECIAL_HANDLING_REQUIRED');
  if (Array.isArray(tags) && !tags.every((tag) => TAGS.has(tag)))
    return refuse('INVALID_SPECIAL_HANDLING_TAG');
  const side = order.raw('packageSide');
  if (side !== undefined && !(isString(side) && packageSides.includes(side)))
    return refuse('INVALID_PACKAGE_SIDE');
  return undefined;
}

/** The rules for cash on delivery and the photo; they look at values, so these have been read by then. */
function refusedLate(order: OrderBody, { photoRequired }: OrderRules): Answer | undefined {
  if (order.paymentMethod === 'cod') {
    const { amountToCollect, pricing } = order;
    if (amountToCollect === undefined || amountToCollect < 0) return refuse('INVALID_AMOUNT_TO_COLLECT');
    if (pricing.total !== undefined && amountToCollect > pricing.total) return refuse('AMOUNT_EXCEEDS_TOTAL');
  }
  if (photoRequired && order.packagePhoto === undefined) return refuse('PACKAGE_PHOTO_REQUIRED');
  return undefined;
}

function readOrder(order: Reader, packagePhotoField: string): OrderBody {
  if (order.lacks('branchId') && order.lacks('branchCode'))
    order.complain('branchId', 'or branchCode is required');
  return {
    customerId: order.text('customerId'),
    customerAddressId: order.optionalText('customerAddressId'),
    branchId: order.optionalText('branchId'),
    branchCode: order.optionalText('branchCode'),
    specialHandlingTags: readTags(order),
    packageSide: order.optionalText('packageSide'),
    packagePhoto: readPhoto(order, packagePhotoField),
    paymentMethod: readPaymentMethod(order),
    // Null is as good as missing: that has a code of its own.
    amountToCollect: order.lacks('amountToCollect') ? undefined : order.optionalAmount('amountToCollect'),
    pricing: readPricing(order.inner('pricing')),
    items: order.each('items').map(readItem),
    merchantNotes: order.optionalText('merchantNotes'),
    orderMerchantReferenceNumber: order.optionalText('orderMerchantReferenceNumber'),
    // How a draft is asked for is not documented; either way is taken.
    isDraft: order.raw('status') === 'draft' || order.raw('draft') === true,
  };
}

function readTags(order: Reader): string[] {
  const tags = order.raw('specialHandlingTags');
  if (Array.isArray(tags)) return tags.filter(isString);
  order.complain('specialHandlingTags', 'must be a list of strings');
  return [];
}

function readPhoto(order: Reader, field: string): string | undefined {
  const photo = order.lacks(field) ? undefined : order.optionalText(field);
  if (photo !== undefined && !URL.canParse(photo)) order.complain(field, 'must be a URL');
  return photo;
}

function readPaymentMethod(order: Reader): 'cod' | 'prepaid' {
  const method = order.optionalText('paymentMethod') ?? 'prepaid';
  if (method === 'cod' || method === 'prepaid') return method;
  order.complain('paymentMethod', 'must be cod or prepaid');
  return 'prepaid';
}

function readPricing(pricing: Reader): Pricing {
  return {
    subtotal: pricing.optionalPrice('subtotal'),
    deliveryFee: pricing.optionalPrice('deliveryFee'),
    total: pricing.optionalPrice('total'),
  };
}

function readItem(item: Reader): OrderItem {
  return {
    name: item.optionalText('name'),
    sku: item.optionalText('sku'),
    qty: item.optionalCount('qty'),
    price: item.optionalPrice('price'),
  };
}

/** What the pieces of a rendered order have in common: their ids, their timestamps, the shop itself. */
import type { StoredOrder } from './orders.js';
import type { SubmitItem } from './wire.js';

export const CLIENT_ID = '5b1c1d3e-7a52-4c0e-9d51-2f6a0b9c8e17';

export const BILLING_ENTITY = {
  id: 100_001,
  companyName: 'Simulated Print Shop',
  companyNumber: '',
  companyVatNumber: '',
  companyVatNumbers: [],
  countryIsoCode: 'DE',
  country: 'DE',
  recipientName: 'Sam Simulator',
  addressLine1: 'Druckstr. 1',
  addressLine2: '',
  city: 'Berlin',
  postCode: '10115',
  stateCode: '',
  state: '',
  email: 'billing@print-shop.example',
  phone: '',
  currencyIsoCode: 'EUR',
  currency: 'EUR',
  status: 1,
  iossNumber: null,
  invoiceType: null,
};

/**
 * The pieces of an order by number, from which their ids follow. Items and their receipt lines count on from
 * theirs.
 */
export const PART = {
  address: 1,
  shipment: 2,
  receipt: 3,
  returnAddress: 4,
  package: 5,
  shipmentLine: 6,
  packagingLine: 7,
  items: 0x1000,
  productLines: 0x100000,
} as const;

/** The id of a part of an order: as unique as the order's own, the same at every reading, and free of cost. */
export function partId(order: StoredOrder, part: number): string {
  return part.toString(16).padStart(8, '0') + order.id.slice(8);
}

/** A product chosen by name has a uid too, once the shop's catalogue has resolved it. */
export function productUidOf(item: SubmitItem): string {
  if (item.productUid !== undefined) return item.productUid;
  const words = [item.productName ?? '', ...Object.entries(item.productVariant ?? {}).flat()];
  return words.map((word) => word.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')).join('_');
}

/** Seconds and an offset instead of milliseconds and Z, as in all samples. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}+00:00`;
}

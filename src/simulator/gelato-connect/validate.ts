/**
 * The rules that GelatoConnect documents for the bodies it takes (Order Management API documentation, the
 * parameter tables of each operation). The document shows one message, that of a malformed email address;
 * the others are worded alike. Unknown fields are let through: the document refuses none.
 */
import countries from 'i18n-iso-countries';
import { isObject, isString, type JsonObject } from '../reader.js';
import { Complaints, Reader } from './reader.js';
import type {
  MetadataEntry,
  PrintFile,
  SearchBody,
  ShippingAddress,
  SubmitBody,
  SubmitItem,
  UpdateShipmentBody,
} from './wire.js';

/** A body as it is meant, or the message of the 400. */
export type Checked<T> = { ok: true; value: T } | { ok: false; message: string };

// "Type of file".
const FILE_TYPES: ReadonlySet<string> = new Set([
  'default',
  'front',
  'back',
  'cover',
  'neck-inner',
  'neck-outer',
  'sleeve-left',
  'sleeve-right',
  'inside',
  'chest-left-embroidery',
  'chest-center-embroidery',
  'chest-large-embroidery',
  'sleeve-left-embroidery',
  'sleeve-right-embroidery',
  'wrist-left-embroidery',
  'wrist-right-embroidery',
]);
// "Shipping Address Parameters", state.
const COUNTRIES_WITH_STATES: ReadonlySet<string> = new Set(['US', 'CA', 'AU']);
const COUNTRIES: ReadonlySet<string> = new Set(Object.keys(countries.getAlpha2Codes()));
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));
// "Search Orders", limit.
const SEARCH_LIMIT_DEFAULT = 50;
const SEARCH_LIMIT_MAX = 100;

const EMAIL = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/;
// The document's own samples have numbers with and without a plus sign.
const PHONE = /^\+?[0-9][0-9 ()./-]{3,}$/;
const ISO_8601 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

export function checkSubmit(body: unknown): Checked<SubmitBody> {
  return check(body, 'order', (source, complaints) => {
    const order = new Reader(source, 'order', complaints);
    return {
      orderReferenceId: order.text('orderReferenceId'),
      orderType: readOrderType(order),
      currency: readCurrency(order, order.text('currency'), 'currency'),
      retailCurrency: readCurrency(order, order.optionalText('retailCurrency'), 'retailCurrency'),
      retailShippingPriceInclVat: order.optionalAmount('retailShippingPriceInclVat'),
      shipmentMethodUid: order.optionalText('shipmentMethodUid'),
      shippingAddress: readAddress(required(order, 'shippingAddress'), complaints),
      items: readItems(order, complaints),
      metadata: readMetadata(order),
      preventDuplicate: order.optionalFlag('preventDuplicate') ?? false,
    };
  });
}

export function checkUpdateShipment(body: unknown): Checked<UpdateShipmentBody> {
  return check(body, 'shipment', (source, complaints) => {
    const update = new Reader(source, 'shipment', complaints);
    if (!update.has('shipmentMethodUid') && !update.has('shippingAddress')) {
      complaints.add('shipment', 'Shipment method uid or shipping address is required');
    }
    const address = update.optionalObject('shippingAddress');
    return {
      shipmentMethodUid: update.has('shipmentMethodUid') ? update.text('shipmentMethodUid') : undefined,
      shippingAddress: address === undefined ? undefined : readAddress(address, complaints),
    };
  });
}

/** The conversion of a draft, which GelatoConnect does not document; its sibling API takes this body. */
export function checkActivate(body: unknown): Checked<{ orderType: 'order' }> {
  return check(body, 'order', (source, complaints) => {
    const order = new Reader(source, 'order', complaints);
    if (order.text('orderType') !== 'order') order.complain('orderType', 'must be order');
    return { orderType: 'order' };
  });
}

/** All filters are optional, so no body at all is a search for everything. */
export function checkSearch(body: unknown): Checked<SearchBody> {
  return check(body ?? {}, 'search', (source, complaints) => {
    const search = new Reader(source, 'search', complaints);
    return {
      fulfillmentStatus: search.optionalTexts('fulfillmentStatus'),
      financialStatus: search.optionalTexts('financialStatus'),
      orderReferenceId: search.optionalText('orderReferenceId'),
      orderReferenceIds: search.optionalTexts('orderReferenceIds'),
      startDate: readDate(search, 'startDate'),
      endDate: readDate(search, 'endDate'),
      countries: search.optionalTexts('countries'),
      limit: search.optionalInteger('limit', 1, SEARCH_LIMIT_MAX) ?? SEARCH_LIMIT_DEFAULT,
      offset: search.optionalInteger('offset', 0, Number.MAX_SAFE_INTEGER) ?? 0,
    };
  });
}

function check<T>(
  body: unknown,
  section: string,
  read: (source: JsonObject, complaints: Complaints) => T,
): Checked<T> {
  if (!isObject(body)) return { ok: false, message: `Invalid ${section}: The body must be a JSON object` };
  const complaints = new Complaints();
  const value = read(body, complaints);
  return complaints.first === undefined ? { ok: true, value } : { ok: false, message: complaints.first };
}

/** An empty object in place of a missing one lets the reading go on; the complaint has been made. */
function required(reader: Reader, name: string): JsonObject {
  const value = reader.optionalObject(name);
  if (value === undefined) reader.complain(name, 'is required');
  return value ?? {};
}

function readOrderType(order: Reader): 'order' | 'draft' {
  const type = order.optionalText('orderType') ?? 'order';
  if (type === 'order' || type === 'draft') return type;
  order.complain('orderType', 'must be order or draft');
  return 'order';
}

function readCurrency<T extends string | undefined>(order: Reader, code: T, name: string): T {
  if (code !== undefined && !CURRENCIES.has(code)) order.complain(name, 'is not an ISO 4217 code');
  return code;
}

function readAddress(source: JsonObject, complaints: Complaints): ShippingAddress {
  const address = new Reader(source, 'shipping address', complaints);
  const country = address.text('country');
  if (!COUNTRIES.has(country)) address.complain('country', 'is not an ISO 3166-1 alpha-2 code');
  const email = address.text('email');
  if (!EMAIL.test(email)) address.complain('email', 'is not a valid format');
  const phone = address.text('phone');
  if (!PHONE.test(phone)) address.complain('phone', 'is not a valid format');
  return {
    country,
    firstName: address.text('firstName'),
    lastName: address.text('lastName'),
    addressLine1: address.text('addressLine1'),
    addressLine2: address.optionalText('addressLine2'),
    city: address.text('city'),
    postCode: address.text('postCode'),
    state: COUNTRIES_WITH_STATES.has(country) ? address.text('state') : address.optionalText('state'),
    email,
    phone,
    companyName: address.optionalText('companyName'),
    isBusiness: address.optionalFlag('isBusiness'),
    federalTaxId: address.optionalText('federalTaxId'),
    stateTaxId: address.optionalText('stateTaxId'),
    registrationState: address.optionalText('registrationState'),
  };
}

function readItems(order: Reader, complaints: Complaints): SubmitItem[] {
  const list = order.optionalList('items') ?? [];
  if (list.length === 0) order.complain('items', 'is required');
  const items = list.map((entry, index) => readItem(entry, index + 1, complaints));
  // "Selecting a Product": one of the two ways for a whole order.
  if (
    items.some((item) => item.productUid !== undefined) &&
    items.some((item) => item.productName !== undefined)
  ) {
    complaints.add('items', 'Product uid and product name must not be used in the same order');
  }
  return items;
}

function readItem(entry: unknown, position: number, complaints: Complaints): SubmitItem {
  const section = `item ${position}`;
  if (!isObject(entry)) complaints.add(section, 'It must be an object');
  const item = new Reader(isObject(entry) ? entry : {}, section, complaints);
  const itemReferenceId = item.text('itemReferenceId');
  const product = readProduct(item);
  const quantity = item.optionalInteger('quantity', 1, Number.MAX_SAFE_INTEGER);
  if (quantity === undefined) item.complain('quantity', 'is required');
  return {
    itemReferenceId,
    ...product,
    quantity: quantity ?? 0,
    retailPriceInclVat: item.optionalAmount('retailPriceInclVat'),
    files: readFiles(item, section, complaints),
    metadata: readMetadata(item),
  };
}

function readProduct(item: Reader): Pick<SubmitItem, 'productUid' | 'productName' | 'productVariant'> {
  const byName = item.has('productName') || item.has('productVariant');
  if (item.has('productUid')) {
    if (byName) item.complain('productUid', 'must not be used together with product name or variant');
    return { productUid: item.text('productUid') };
  }
  if (!byName) {
    item.complain('productUid', 'or product name and product variant is required');
    return {};
  }
  const productVariant: Record<string, string> = {};
  for (const [option, value] of Object.entries(required(item, 'productVariant'))) {
    if (isString(value)) productVariant[option] = value;
    else item.complain('productVariant', 'must have strings as its values');
  }
  return { productName: item.text('productName'), productVariant };
}

function readFiles(item: Reader, section: string, complaints: Complaints): PrintFile[] {
  const list = item.optionalList('files') ?? [];
  if (list.length === 0) item.complain('files', 'is required');
  return list.map((entry, index) => {
    const place = `file ${index + 1} of ${section}`;
    if (!isObject(entry)) complaints.add(place, 'It must be an object');
    const file = new Reader(isObject(entry) ? entry : {}, place, complaints);
    const type = file.text('type');
    if (!FILE_TYPES.has(type)) file.complain('type', 'is not a known file type');
    const url = file.text('url');
    if (!isHttpsUrl(url)) file.complain('url', 'is not a valid https address');
    return { type, url };
  });
}

function readMetadata(reader: Reader): MetadataEntry[] {
  return (reader.optionalList('metadata') ?? []).map((entry) => {
    if (isObject(entry) && isString(entry.key) && entry.key !== '' && isString(entry.value)) {
      return { key: entry.key, value: entry.value };
    }
    reader.complain('metadata', 'must be an array of objects with a key and a value');
    return { key: '', value: '' };
  });
}

function readDate(search: Reader, name: string): number | undefined {
  const text = search.optionalText(name);
  if (text === undefined) return undefined;
  const date = ISO_8601.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(date)) search.complain(name, 'is not an ISO 8601 date');
  return date;
}

function isHttpsUrl(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === 'https:';
}

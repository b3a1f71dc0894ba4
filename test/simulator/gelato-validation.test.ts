import { ADDRESS, ITEM, order, orderOf, orderTo, type Rig, rig, stopAll } from './gelato-calls.js';

let gelato: Rig;
beforeAll(async () => {
  gelato = await rig({ requestsPerSecond: 1_000_000 });
});
afterAll(stopAll);

const FILE = { type: 'default', url: 'https://files.example/a.pdf' };
const { productUid: _uid, ...UNCHOSEN } = ITEM;
const BY_NAME = { ...UNCHOSEN, productName: 'Framed Poster', productVariant: { PaperSize: 'A3' } };

describe('a submit is accepted', () => {
  test.each<[string, unknown]>([
    ['with the least that is required', order()],
    ['as a draft', order({ orderType: 'draft' })],
    ['with products by name and variant', order({ items: [BY_NAME, BY_NAME] })],
    ['to the US with a state', orderTo({ country: 'US', state: 'NY' })],
    ['elsewhere with an empty state', orderTo({ state: '' })],
    ['with fields that are not documented', order({ colour: 'red' })],
    ['with a phone number without a plus sign', orderTo({ phone: '1111111119' })],
    ['with several files', orderOf({ files: [FILE, { ...FILE, type: 'wrist-right-embroidery' }] })],
    ['with metadata', order({ metadata: [{ key: 'a', value: '' }] })],
  ])('%s', async (_what, body) => {
    expect(await gelato.submit(body).then((heard) => [heard.status, heard.text])).toEqual([
      200,
      expect.any(String),
    ]);
  });

  test.each(
    `default front back cover neck-inner neck-outer sleeve-left sleeve-right inside chest-left-embroidery
     chest-center-embroidery chest-large-embroidery sleeve-left-embroidery sleeve-right-embroidery
     wrist-left-embroidery wrist-right-embroidery`.split(/\s+/),
  )('with a file of type %s', async (type) => {
    expect((await gelato.submit(orderOf({ files: [{ ...FILE, type }] }))).status).toBe(200);
  });
});

describe('a submit is refused with one message in the documented style', () => {
  const without = (fields: object, name: string) => ({ ...fields, [name]: undefined });
  test.each<[string, unknown]>([
    ...['orderReferenceId', 'currency', 'shippingAddress', 'items'].map((name): [string, unknown] => [
      `Invalid order: ${sentence(name)} is required`,
      without(order(), name),
    ]),
    ...Object.keys(ADDRESS).map((name): [string, unknown] => [
      `Invalid shipping address: ${sentence(name)} is required`,
      orderTo({ [name]: undefined }),
    ]),
    ...['US', 'CA', 'AU'].map((country): [string, unknown] => [
      'Invalid shipping address: State is required',
      orderTo({ country, state: '' }),
    ]),
    ['Invalid shipping address: First name is required', orderTo({ firstName: '  ' })],
    ['Invalid shipping address: First name must be a string', orderTo({ firstName: 7 })],
    ['Invalid shipping address: Email is not a valid format', orderTo({ email: 'astrid.shop.example' })],
    ['Invalid shipping address: Phone is not a valid format', orderTo({ phone: 'call me' })],
    ['Invalid shipping address: Country is not an ISO 3166-1 alpha-2 code', orderTo({ country: 'SWE' })],
    ['Invalid shipping address: Country is not an ISO 3166-1 alpha-2 code', orderTo({ country: 'ZZ' })],
    ['Invalid shipping address: Is business must be a boolean', orderTo({ isBusiness: 'no' })],
    ['Invalid shipping address: Federal tax id must be a string', orderTo({ federalTaxId: null })],
    ['Invalid order: Shipping address must be an object', order({ shippingAddress: [] })],
    ['Invalid order: Order type must be order or draft', order({ orderType: 'quote' })],
    ['Invalid order: Currency is not an ISO 4217 code', order({ currency: 'EURO' })],
    ['Invalid order: Retail currency is not an ISO 4217 code', order({ retailCurrency: 'gbp' })],
    [
      'Invalid order: Retail shipping price incl vat must be a number',
      order({ retailShippingPriceInclVat: '6.99' }),
    ],
    [
      'Invalid order: Retail shipping price incl vat must not be negative',
      order({ retailShippingPriceInclVat: -1 }),
    ],
    ['Invalid order: Shipment method uid must be a string', order({ shipmentMethodUid: ['normal'] })],
    ['Invalid order: Prevent duplicate must be a boolean', order({ preventDuplicate: 'true' })],
    [
      'Invalid order: Metadata must be an array of objects with a key and a value',
      order({ metadata: [{ key: 'a' }] }),
    ],
    ['Invalid order: Metadata must be an array', order({ metadata: { key: 'value' } })],
    ['Invalid order: Items is required', order({ items: [] })],
    ['Invalid order: Items must be an array', order({ items: ITEM })],
    ['Invalid item 2: It must be an object', order({ items: [ITEM, 'poster'] })],
    ['Invalid item 1: Item reference id is required', orderOf({ itemReferenceId: undefined })],
    ['Invalid item 1: Quantity is required', orderOf({ quantity: undefined })],
    ['Invalid item 1: Quantity must be a number', orderOf({ quantity: '2' })],
    ['Invalid item 1: Quantity must be a whole number of at least 1', orderOf({ quantity: 0 })],
    ['Invalid item 1: Quantity must be a whole number of at least 1', orderOf({ quantity: 1.5 })],
    ['Invalid item 1: Retail price incl vat must be a number', orderOf({ retailPriceInclVat: '19.99' })],
    [
      'Invalid item 1: Product uid or product name and product variant is required',
      order({ items: [UNCHOSEN] }),
    ],
    ['Invalid item 1: Product name is required', order({ items: [{ ...BY_NAME, productName: undefined }] })],
    [
      'Invalid item 1: Product variant is required',
      order({ items: [{ ...BY_NAME, productVariant: undefined }] }),
    ],
    [
      'Invalid item 1: Product variant must be an object',
      order({ items: [{ ...BY_NAME, productVariant: ['A3'] }] }),
    ],
    [
      'Invalid item 1: Product variant must have strings as its values',
      order({ items: [{ ...BY_NAME, productVariant: { PaperSize: 3 } }] }),
    ],
    [
      'Invalid item 1: Product uid must not be used together with product name or variant',
      orderOf({ productName: 'Framed Poster' }),
    ],
    [
      'Invalid items: Product uid and product name must not be used in the same order',
      order({ items: [ITEM, BY_NAME] }),
    ],
    ['Invalid item 1: Files is required', orderOf({ files: [] })],
    ['Invalid item 1: Files must be an array', orderOf({ files: FILE })],
    ['Invalid file 1 of item 1: It must be an object', orderOf({ files: ['https://files.example/a.pdf'] })],
    [
      'Invalid file 2 of item 1: Type is not a known file type',
      orderOf({ files: [FILE, { ...FILE, type: 'hood' }] }),
    ],
    ['Invalid file 1 of item 1: Type is required', orderOf({ files: [{ url: FILE.url }] })],
    ['Invalid file 1 of item 1: Url is required', orderOf({ files: [{ type: 'default' }] })],
    [
      'Invalid file 1 of item 1: Url is not a valid https address',
      orderOf({ files: [{ ...FILE, url: 'http://files.example/a.pdf' }] }),
    ],
    [
      'Invalid file 1 of item 1: Url is not a valid https address',
      orderOf({ files: [{ ...FILE, url: 'a.pdf' }] }),
    ],
    [
      'Invalid item 1: Metadata must be an array of objects with a key and a value',
      orderOf({ metadata: ['a'] }),
    ],
    ['Invalid order: The body must be a JSON object', []],
    ['Invalid order: The body must be a JSON object', ''],
    ['The body is not valid JSON', '{"orderReferenceId": '],
  ])('%s', async (message, body) => {
    const before = (await gelato.ledger()).orders.length;
    const heard = await gelato.submit(body);
    expect([heard.status, heard.json()]).toEqual([400, { code: 400, message }]);
    expect((await gelato.ledger()).orders).toHaveLength(before);
  });

  test('when it is no JSON at all', async () => {
    const heard = await gelato.submit('<order/>', { headers: { 'content-type': 'text/xml' } });
    expect([heard.status, heard.json()]).toEqual([415, { code: 415, message: expect.any(String) }]);
  });
});

describe('the other operations refuse', () => {
  test.each<[string, unknown]>([
    ['Invalid shipment: Shipment method uid or shipping address is required', {}],
    ['Invalid shipment: Shipment method uid is required', { shipmentMethodUid: '' }],
    ['Invalid shipping address: City is required', { shippingAddress: { ...ADDRESS, city: '' } }],
    [
      'Invalid shipping address: Email is not a valid format',
      { shippingAddress: { ...ADDRESS, email: '@' } },
    ],
    ['Invalid shipment: The body must be a JSON object', 'null'],
  ])('an update: %s', async (message, body) => {
    await gelato.place('to-update');
    const heard = await gelato.update('to-update', body);
    expect([heard.status, heard.json()]).toEqual([400, { code: 400, message }]);
  });

  test.each<[string, unknown]>([
    ['Invalid search: Limit must be a whole number from 1 to 100', { limit: 101 }],
    ['Invalid search: Limit must be a whole number from 1 to 100', { limit: 0 }],
    ['Invalid search: Limit must be a number', { limit: '10' }],
    ['Invalid search: Offset must be a whole number of at least 0', { offset: -1 }],
    ['Invalid search: Fulfillment status must be an array of strings', { fulfillmentStatus: 'failed' }],
    ['Invalid search: Order reference ids must be an array of strings', { orderReferenceIds: [1] }],
    ['Invalid search: Order reference id must be a string', { orderReferenceId: ['a'] }],
    ['Invalid search: Start date is not an ISO 8601 date', { startDate: 'yesterday' }],
    ['Invalid search: End date is not an ISO 8601 date', { endDate: '2026-13-01' }],
    ['Invalid search: The body must be a JSON object', []],
  ])('a search: %s', async (message, body) => {
    const heard = await gelato.search(body);
    expect([heard.status, heard.json()]).toEqual([400, { code: 400, message }]);
  });
});

/** `postCode` → `Post code`. */
function sentence(name: string): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

import fc from 'fast-check';
import { type OrderBody, type OrderItem, orderBody } from '../../../src/orders/body.js';
import { exactNumber } from '../../../src/providers/amounts.js';
import {
  bodyProblems,
  FILE_TYPES,
  itemPriceExVat,
  readUpdate,
} from '../../../src/providers/gelato-connect/wire.js';
import { inShort, sentBody } from '../fixtures.js';
import { goodBody, openAccount, orderView, workFor } from './fixtures.js';

const found = (changes: Partial<OrderBody>) => inShort(bodyProblems(goodBody(changes)));

const item = (changes: Partial<OrderItem> = {}): OrderItem => ({
  reference: 'line-1',
  sku: 'poster',
  quantity: 1,
  files: [{ type: 'default', url: 'https://files.example.com/a.pdf' }],
  ...changes,
});
const byName = (changes: Partial<OrderItem> = {}): OrderItem => {
  const { sku: _sku, ...rest } = item();
  return { ...rest, options: { productName: 'Poster', productVariant: { Size: 'A3' } }, ...changes };
};
const address = { line1: 'Street 1', city: 'Town', postCode: '1', country: 'NO' };
const customer = { firstName: 'Kari', lastName: 'Nordmann', email: 'kari@example.com', phone: '+4722222222' };

describe('a body', () => {
  test('with what the document requires is taken', () => {
    expect(bodyProblems(goodBody())).toEqual([]);
    expect(orderBody.safeParse(goodBody()).success).toBe(true);
  });

  test('with nothing in it is told everything at once', () => {
    expect(inShort(bodyProblems({ account: 'a', reference: 'r' }))).toEqual([
      'required /currency',
      'required /customer/firstName',
      'required /customer/lastName',
      'required /customer/email',
      'required /customer/phone',
      'required /shippingAddress',
      'required /items',
    ]);
  });

  test.each<[string, Partial<OrderBody>, string[]]>([
    ['an unknown currency', { currency: 'ZZZ' }, ['invalid /currency']],
    ['a blank first name', { customer: { ...customer, firstName: ' ' } }, ['required /customer/firstName']],
    [
      'a phone without a country code',
      { customer: { ...customer, phone: '22 22 22 22' } },
      ['invalid /customer/phone'],
    ],
    [
      'a phone with letters',
      { customer: { ...customer, phone: '+47 CALL ME' } },
      ['invalid /customer/phone'],
    ],
    ['a phone of five digits', { customer: { ...customer, phone: '+47222' } }, ['invalid /customer/phone']],
    [
      'a phone of sixteen digits',
      { customer: { ...customer, phone: '+4722222222222222' } },
      ['invalid /customer/phone'],
    ],
    [
      'a phone with spaces, dashes and brackets',
      { customer: { ...customer, phone: '+1 (212) 555-0100' } },
      [],
    ],
    [
      'no post code',
      { shippingAddress: { line1: 'S', city: 'T', country: 'NO' } },
      ['required /shippingAddress/postCode'],
    ],
    [
      'a country that is none',
      { shippingAddress: { ...address, country: 'ZZ' } },
      ['invalid /shippingAddress/country'],
    ],
    ['a reference that would leave its URL', { reference: '..' }, ['invalid /reference']],
    ['half a character in the reference', { reference: 'a\ud800' }, ['invalid /reference']],
    ['cash on delivery', { payment: { method: 'cod', amountToCollect: '5' } }, ['invalid /payment/method']],
    [
      'money to collect',
      { payment: { method: 'prepaid', amountToCollect: '5' } },
      ['invalid /payment/amountToCollect'],
    ],
    ['nothing to collect', { payment: { method: 'prepaid', amountToCollect: '0.00' } }, []],
    [
      'the known options',
      { options: { retailCurrency: 'GBP', isBusiness: true, stateTaxId: '', registrationState: 'NY' } },
      [],
    ],
    ['an unknown option', { options: { giftWrap: true } }, ['unknown_option /options/giftWrap']],
    [
      'options of the wrong kind',
      { options: { retailCurrency: 'gbp', isBusiness: 'yes', stateTaxId: null } },
      ['invalid /options/retailCurrency', 'invalid /options/isBusiness', 'invalid /options/stateTaxId'],
    ],
    [
      'a shipping price beyond a double',
      { totals: { shipping: '123456789012.123456' } },
      ['invalid /totals/shipping'],
    ],
  ])('with %s', (_what, changes, expected) => {
    expect(found(changes)).toEqual(expected);
  });

  test.each(['US', 'CA', 'AU'])('for %s needs a state', (country) => {
    expect(found({ shippingAddress: { ...address, country } })).toEqual(['required /shippingAddress/state']);
    expect(found({ shippingAddress: { ...address, country, state: 'NY' } })).toEqual([]);
  });

  test.each(['NO', 'GB', 'DE', 'MX'])('for %s needs no state', (country) => {
    expect(found({ shippingAddress: { ...address, country } })).toEqual([]);
  });

  test('names the known options beside an unknown one', () => {
    const [problem] = bodyProblems(goodBody({ options: { giftWrap: true } }));
    expect(problem?.detail).toContain('retailCurrency, isBusiness, stateTaxId, registrationState');
  });
});

describe('items', () => {
  test.each<[string, OrderItem[], string[]]>([
    ['none', [], ['required /items']],
    ['no way to know the product', [byName({ options: {} })], ['required /items/0/sku']],
    [
      'a product name without variant',
      [byName({ options: { productName: 'P' } })],
      ['required /items/0/options/productVariant'],
    ],
    [
      'a variant without product name',
      [byName({ options: { productVariant: {} } })],
      ['required /items/0/options/productName'],
    ],
    ['a product by name', [byName()], []],
    [
      'both ways in one item',
      [item({ options: { productName: 'P', productVariant: {} } })],
      ['conflict /items/0/sku'],
    ],
    [
      'both ways in one order',
      [item(), byName({ reference: 'b' }), byName({ reference: 'c' })],
      ['conflict /items/1/options', 'conflict /items/2/options'],
    ],
    [
      'both ways in one order, by name first',
      [byName(), item({ reference: 'b' })],
      ['conflict /items/1/sku'],
    ],
    [
      'a variant that is no object',
      [byName({ options: { productName: 'P', productVariant: [] } })],
      ['invalid /items/0/options/productVariant'],
    ],
    [
      'a variant whose value is no text',
      [byName({ options: { productName: 'P', productVariant: { 'a/b': 3 } } })],
      ['invalid /items/0/options/productVariant/a~1b'],
    ],
    ['an unknown option', [item({ options: { colour: 'red' } })], ['unknown_option /items/0/options/colour']],
    ['no files', [item({ files: [] })], ['required /items/0/files']],
    ['a reference twice', [item(), item()], ['conflict /items/1/reference']],
    ['a price beyond a double', [item({ unitPrice: '123456789012.123456' })], ['invalid /items/0/unitPrice']],
    [
      'several mistakes in several items',
      [item({ files: [{ type: 'top', url: 'ftp://x' }] }), item({ reference: 'b', options: { x: 1 } })],
      ['invalid /items/0/files/0/type', 'invalid /items/0/files/0/url', 'unknown_option /items/1/options/x'],
    ],
  ])('with %s', (_what, items, expected) => {
    expect(found({ items })).toEqual(expected);
  });

  test('take the sixteen file types and no other', () => {
    expect(FILE_TYPES).toHaveLength(16);
    const typed = (type: string) =>
      found({ items: [item({ files: [{ type, url: 'https://f.example.com/a' }] })] });
    for (const type of FILE_TYPES) expect(typed(type)).toEqual([]);
    expect(typed('Front')).toEqual(['invalid /items/0/files/0/type']);
  });

  test.each([
    ['https://files.example.com/a%20b.pdf?token=1', true],
    ['HTTPS://files.example.com/a.pdf', true],
    ['http://files.example.com/a.pdf', false],
    ['//files.example.com/a.pdf', false],
    ['https:files.example.com/a.pdf', false],
    ['https:\\\\files.example.com\\a.pdf', false],
    [' https://files.example.com/a.pdf', false],
    ['https://files.example.com/a b.pdf', false],
    ['https://', false],
    ['https://me:secret@files.example.com/a.pdf', false],
    ['data:application/pdf;base64,AAAA', false],
    ['a.pdf', false],
  ])('a file at %s: %j', (url, taken) => {
    const problems = found({ items: [item({ files: [{ type: 'default', url }] })] });
    expect(problems).toEqual(taken ? [] : ['invalid /items/0/files/0/url']);
  });
});

describe('amounts', () => {
  test('are multiplied without rounding', () => {
    expect(itemPriceExVat(item({ unitPrice: '123456789012.123457', quantity: 999_999 }))).toBe(
      '123456665555334444.876543',
    );
    expect(itemPriceExVat(item())).toBeNull();
  });

  test('go out as exactly what they were, or are refused', () => {
    const cents = fc
      .tuple(fc.nat(999_999_999), fc.nat(99))
      .map(([whole, part]) => `${whole}.${String(part).padStart(2, '0')}`);
    fc.assert(
      fc.property(cents, fc.integer({ min: 1, max: 1000 }), (unitPrice, quantity) => {
        const items = [item({ unitPrice, quantity })];
        expect(found({ items })).toEqual([]);
        const [submit] = openAccount().verbs.submit;
        const [whole = '', part = ''] = unitPrice.split('.');
        const inCents = BigInt(whole + part) * BigInt(quantity);
        expect(sentBody(submit, workFor(orderView({ body: goodBody({ items }) })))).toMatchObject({
          items: [
            { retailPriceInclVat: Number(`${inCents / 100n}.${String(inCents % 100n).padStart(2, '0')}`) },
          ],
        });
      }),
    );
  });

  test.each([
    ['0.1', 0.1],
    ['0.30', 0.3],
    ['0.000001', 0.000001],
    ['9007199254740993', null],
  ])('%s as a JSON number is %j', (amount, number) => {
    expect(exactNumber(amount)).toBe(number);
  });
});

describe('the parameters of an update', () => {
  const problemsOf = (params: unknown) => {
    const result = readUpdate(params);
    return 'problems' in result ? inShort(result.problems) : [];
  };

  test.each([
    [{ shippingMethod: 'Express' }],
    [{ shippingAddress: { ...address, line2: 'Up' } }],
    [{ customer: { phone: '+4733333333' } }],
    [{ shippingMethod: 'Express', shippingAddress: address, customer }],
  ])('are taken as they are: %j', (params) => {
    expect(readUpdate(params)).toEqual({ params });
  });

  test.each<[string, unknown, string[]]>([
    ['nothing', {}, ['required ']],
    ['no object', 'Express', ['invalid ']],
    ['an unknown field', { shippingMethod: 'x', notes: 'y' }, ['unknown_field /notes']],
    ['an unknown field inside', { customer: { nick: 'K' } }, ['unknown_field /customer/nick']],
    [
      'an address without a city',
      { shippingAddress: { line1: 'S', postCode: '1', country: 'NO' } },
      ['required /shippingAddress/city'],
    ],
    [
      'an address without a post code',
      { shippingAddress: { line1: 'S', city: 'T', country: 'NO' } },
      ['required /shippingAddress/postCode'],
    ],
    [
      'an American address without a state',
      { shippingAddress: { ...address, country: 'US' } },
      ['required /shippingAddress/state'],
    ],
    ['a phone without a country code', { customer: { phone: '22222222' } }, ['invalid /customer/phone']],
    ['a blank name', { customer: { lastName: ' ' } }, ['required /customer/lastName']],
    ['a number as method', { shippingMethod: 7 }, ['invalid /shippingMethod']],
  ])('with %s are refused', (_what, params, expected) => {
    expect(problemsOf(params)).toEqual(expected);
  });
});

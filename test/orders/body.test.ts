import fc from 'fast-check';
import { fieldProblems } from '../../src/field-problems.js';
import { jsonPointer, money, orderBody } from '../../src/orders/body.js';

/** The body of an order that needs nothing of a provider. */
const BODY = { account: 'gelato-eu', reference: 'shop:1001' };

/** What is wrong with a body, as `code pointer`. */
function wrong(body: unknown): string[] {
  const parsed = orderBody.safeParse(body);
  if (parsed.success) return [];
  return fieldProblems(parsed.error.issues, body).map(({ pointer, code }) => `${code} ${pointer}`);
}

describe('money', () => {
  test.each<[unknown, string]>([
    ['12.50', '12.5'],
    [' 12.50 ', '12.5'],
    ['0', '0'],
    ['-0', '0'],
    ['-0.00', '0'],
    ['007', '7'],
    ['999999999999.999999', '999999999999.999999'],
    [0, '0'],
    [-0, '0'],
    [12, '12'],
    [0.1, '0.1'],
    [19.99, '19.99'],
    [1e3, '1000'],
    [1e-6, '0.000001'],
    [999_999_999_999, '999999999999'],
    [0.000001, '0.000001'],
  ])('%j is %s', (written, amount) => {
    expect(money.parse(written)).toBe(amount);
  });

  test.each<[string, unknown]>([
    ['more than twelve digits before the point', '1000000000000'],
    ['more than twelve digits, as a number', 1e12],
    ['more than six digits behind it', '0.0000001'],
    ['what only a float can be', 0.1 + 0.2],
    ['an exponent', '1e3'],
    ['a huge number', 1e21],
    ['a tiny number', 1e-7],
    ['not a number', Number.NaN],
    ['no end', Number.POSITIVE_INFINITY],
    ['"NaN"', 'NaN'],
    ['"Infinity"', 'Infinity'],
    ['nothing', ''],
    ['spaces', '  '],
    ['no digit before the point', '.5'],
    ['no digit behind it', '5.'],
    ['a comma', '12,50'],
    ['a thousands separator', '1,200.00'],
    ['a plus', '+5'],
    ['two signs', '--5'],
    ['hexadecimal', '0x10'],
    ['a currency', '12.50 EUR'],
    ['other digits', '١٢'],
    ['a line break inside', '1\n2'],
    ['true', true],
    ['a list', ['1']],
    ['an object', { amount: 1 }],
    ['null', null],
  ])('is not %s', (_what, written) => {
    expect(money.safeParse(written).success).toBe(false);
  });

  test.each(['-1', '-0.01', -1, -0.5])('is not negative: %j', (written) => {
    const parsed = money.safeParse(written);
    expect(parsed.error?.issues.map(({ message }) => message)).toEqual(['must not be negative']);
  });

  test('is the amount that was written, to the last digit, however it was written', () => {
    const amounts = fc.tuple(
      fc.bigInt({ min: 0n, max: 10n ** 12n - 1n }),
      fc.integer({ min: 0, max: 999_999 }),
    );
    fc.assert(
      fc.property(amounts, ([whole, millionths]) => {
        const written = `${whole}.${String(millionths).padStart(6, '0')}`;
        const plain = written.replace(/\.?0+$/, '');
        expect(money.parse(written)).toBe(plain);
        expect(money.parse(money.parse(written))).toBe(plain);
      }),
      { numRuns: 1_000 },
    );
  });

  test('of a number is the shortest decimal that means it, never a rounded one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 9 }), (cents) => {
        expect(Number(money.parse(cents / 100))).toBe(cents / 100);
        expect(money.parse(cents / 100)).toMatch(/^\d+(\.\d{1,2})?$/);
      }),
    );
  });

  test('takes or refuses anything without an exception', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.string(), fc.jsonValue()), (written) => {
        const parsed = money.safeParse(written);
        if (parsed.success) expect(parsed.data).toMatch(/^\d{1,12}(\.\d{1,6})?$/);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('an unknown field is refused at every depth', () => {
  const address = { line1: 'a', city: 'b', country: 'NO' };
  test.each<[unknown, string]>([
    [{ ...BODY, sku: 1 }, '/sku'],
    [{ ...BODY, customer: { mail: 'x' } }, '/customer/mail'],
    [{ ...BODY, shippingAddress: { ...address, zip: '1' } }, '/shippingAddress/zip'],
    [{ ...BODY, items: [{ reference: 'a', quantity: 1, price: 1 }] }, '/items/0/price'],
    [
      { ...BODY, items: [{ reference: 'a', quantity: 1, files: [{ type: 'x', url: 'y', dpi: 1 }] }] },
      '/items/0/files/0/dpi',
    ],
    [{ ...BODY, payment: { method: 'cod', iban: 1 } }, '/payment/iban'],
    [{ ...BODY, totals: { tax: 1 } }, '/totals/tax'],
    [JSON.parse('{"account":"a","reference":"r","__proto__":{"x":1}}'), '/__proto__'],
    [{ ...BODY, 'a/b~c': 1 }, '/a~1b~0c'],
    [{ ...BODY, '': 1 }, '/'],
  ])('%j', (body, pointer) => {
    expect(wrong(body)).toEqual([`unknown_field ${pointer}`]);
  });

  test('but options and metadata are free', () => {
    const options = { anything: { deep: [1, null, 'x', { y: true }] } };
    expect(wrong({ ...BODY, options, metadata: { a: 'x', b: 1, c: false } })).toEqual([]);
  });
});

describe('what a field can be wrong about', () => {
  test.each<[string, unknown, string[]]>([
    ['nothing at all', {}, ['required /account', 'required /reference']],
    ['an empty reference', { ...BODY, reference: '' }, ['invalid /reference']],
    ['a long reference', { ...BODY, reference: 'x'.repeat(201) }, ['invalid /reference']],
    ['a control character', { ...BODY, reference: 'a\u0007b' }, ['invalid /reference']],
    ['a line break', { ...BODY, customer: { firstName: 'a\nb' } }, ['invalid /customer/firstName']],
    ['a control character of the upper set', { ...BODY, reference: 'a\u0085b' }, ['invalid /reference']],
    ['half a character', { ...BODY, reference: 'a\ud800b' }, ['invalid /reference']],
    ['a number for a text', { ...BODY, reference: 1001 }, ['invalid /reference']],
    ['null for a field that may be absent', { ...BODY, notes: null }, ['invalid /notes']],
    [
      'a country in small letters',
      { ...BODY, shippingAddress: { line1: 'a', city: 'b', country: 'no' } },
      ['invalid /shippingAddress/country'],
    ],
    [
      'no country',
      { ...BODY, shippingAddress: { line1: 'a', city: 'b' } },
      ['required /shippingAddress/country'],
    ],
    ['a currency in small letters', { ...BODY, currency: 'eur' }, ['invalid /currency']],
    ['no items', { ...BODY, items: [] }, ['invalid /items']],
    ['half a piece', { ...BODY, items: [{ reference: 'a', quantity: 0.5 }] }, ['invalid /items/0/quantity']],
    ['no pieces', { ...BODY, items: [{ reference: 'a', quantity: 0 }] }, ['invalid /items/0/quantity']],
    [
      'pieces as text',
      { ...BODY, items: [{ reference: 'a', quantity: '1' }] },
      ['invalid /items/0/quantity'],
    ],
    ['an e-mail address that is none', { ...BODY, customer: { email: 'kari' } }, ['invalid /customer/email']],
    [
      'a way of paying that nobody knows',
      { ...BODY, payment: { method: 'barter' } },
      ['invalid /payment/method'],
    ],
    ['no way of paying', { ...BODY, payment: {} }, ['required /payment/method']],
    ['metadata that is no text', { ...BODY, metadata: { 'a/b~c': null } }, ['invalid /metadata/a~1b~0c']],
  ])('%s', (_what, body, expected) => {
    expect(wrong(body)).toEqual(expected);
  });

  test('is told all at once', () => {
    expect(
      wrong({
        account: 'a',
        reference: 7,
        colour: 'red',
        currency: 'euro',
        customer: { email: 'x', age: 7 },
        items: [
          { quantity: -1, unitPrice: 'much' },
          { reference: 'b', quantity: 1, files: [{ type: 'front' }] },
        ],
        totals: { total: -5 },
      }).sort(),
    ).toEqual([
      'invalid /currency',
      'invalid /customer/email',
      'invalid /items/0/quantity',
      'invalid /items/0/unitPrice',
      'invalid /reference',
      'invalid /totals/total',
      'required /items/0/reference',
      'required /items/1/files/0/url',
      'unknown_field /colour',
      'unknown_field /customer/age',
    ]);
  });

  test('is told once per field, though it be wrong in several ways', () => {
    expect(wrong({ ...BODY, reference: `${'x'.repeat(300)}\n` })).toEqual(['invalid /reference']);
  });

  test('lets what people write pass: accents, emoji, other scripts', () => {
    const customer = { firstName: 'Zoë', lastName: '王小明', company: '🧦 & Søn' };
    expect(wrong({ ...BODY, reference: 'Bestellung №7/😀', customer, notes: 'two\nlines' })).toEqual([]);
  });
});

describe('a JSON pointer', () => {
  test.each<[(string | number)[], string]>([
    [[], ''],
    [['items', 0, 'sku'], '/items/0/sku'],
    [['a/b'], '/a~1b'],
    [['a~b'], '/a~0b'],
    [['~1'], '/~01'],
    [['/~'], '/~1~0'],
    [[''], '/'],
  ])('of %j is "%s"', (path, pointer) => {
    expect(jsonPointer(path)).toBe(pointer);
  });

  test('leads back to its path, as RFC 6901 reads it', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('~', '/', '0', '1', 'a') })), (path) => {
        const read = jsonPointer(path)
          .split('/')
          .slice(1)
          .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
        expect(read).toEqual(path);
      }),
    );
  });
});

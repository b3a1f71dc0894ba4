import fc from 'fast-check';
import { type OrderBody, orderBody } from '../../../src/orders/body.js';
import { bodyProblems, SPECIAL_HANDLING_TAGS } from '../../../src/providers/wasal/wire.js';
import { inShort, sentBody, stepNamed } from '../fixtures.js';
import { ADDRESS, goodBody, openAccount, orderView, workFor } from './fixtures.js';

const found = (changes: Partial<OrderBody>, sides?: readonly string[]) =>
  inShort(bodyProblems(goodBody(changes), sides));

const options = (changes: Record<string, unknown>): Partial<OrderBody> =>
  // Bodies are tried with values that the type of a JSON object does not tell apart.
  ({ options: { branchCode: 'MAIN', specialHandlingTags: ['none'], ...changes } }) as Partial<OrderBody>;

const customer = { firstName: 'Noura', lastName: 'Al-Sabah', phone: '50001234' };
const address = { line1: 'Street 12', city: 'Salmiya', country: 'KW' };

describe('a body', () => {
  test('with what the document requires is taken', () => {
    expect(bodyProblems(goodBody())).toEqual([]);
    expect(orderBody.safeParse(goodBody()).success).toBe(true);
  });

  test('with the least that is needed is taken', () => {
    const least = { account: 'a', reference: 'r', ...options({}) };
    expect(bodyProblems({ ...least, customer })).toEqual([]);
    expect(bodyProblems({ ...least, customer: { id: 'c-1' } })).toEqual([]);
  });

  test('with nothing in it is told everything at once', () => {
    const problems = bodyProblems({ account: 'a', reference: 'r' });
    expect(inShort(problems)).toEqual([
      'required /customer/firstName',
      'required /customer/lastName',
      'required /customer/phone',
      'required /options/branchId',
      'required /options/specialHandlingTags',
    ]);
    for (const { detail } of problems) expect(detail).toMatch(/^(is required|give|must)/);
  });

  test('names the known options beside an unknown one', () => {
    const [problem] = bodyProblems(goodBody(options({ giftWrap: true })));
    expect(problem?.detail).toContain('branchId, branchCode, specialHandlingTags');
  });
});

describe('what a body can be wrong about', () => {
  test.each<[string, Partial<OrderBody>, string[]]>([
    ['another currency', { currency: 'USD' }, ['invalid /currency']],
    ['no currency', { currency: undefined }, []],
    ['a blank name', { customer: { ...customer, firstName: ' ' } }, ['required /customer/firstName']],
    ['a phone of seven digits', { customer: { ...customer, phone: '5000123' } }, ['invalid /customer/phone']],
    [
      'a phone of sixteen digits',
      { customer: { ...customer, phone: '+9655000123456789' } },
      ['invalid /customer/phone'],
    ],
    ['a phone with letters', { customer: { ...customer, phone: '5000 CALL' } }, ['invalid /customer/phone']],
    [
      'a phone with brackets',
      { customer: { ...customer, phone: '(+965) 50001234' } },
      ['invalid /customer/phone'],
    ],
    ['a phone with spaces', { customer: { ...customer, phone: '+965 5000-1234' } }, []],
    ['a customer id that would leave its path', { customer: { id: '..' } }, ['invalid /customer/id']],
    ['a customer id beside a phone that is none', { customer: { id: 'c-1', phone: 'x' } }, []],
    [
      'an address abroad',
      { shippingAddress: { ...address, country: 'SA' } },
      ['invalid /shippingAddress/country'],
    ],
    [
      'an address abroad that is not delivered to',
      { shippingAddress: { ...address, country: 'SA' }, ...options({ customerAddressId: 'a-1' }) },
      [],
    ],
    ['no branch', options({ branchCode: undefined }), ['required /options/branchId']],
    ['two branches', options({ branchId: 'b-1' }), ['conflict /options/branchCode']],
    ['a branch by id', options({ branchId: 7, branchCode: undefined }), []],
    ['no tags', options({ specialHandlingTags: [] }), ['invalid /options/specialHandlingTags']],
    [
      'tags that are no list',
      options({ specialHandlingTags: 'food' }),
      ['invalid /options/specialHandlingTags'],
    ],
    [
      'an unknown tag',
      options({ specialHandlingTags: ['food', 'glass'] }),
      ['invalid /options/specialHandlingTags/1'],
    ],
    ['a photo that is no URL', options({ packagePhoto: 'photo.jpg' }), ['invalid /options/packagePhoto']],
    ['a photo', options({ packagePhoto: 'https://files.example.com/p.jpg' }), []],
    ['a package side of any kind', options({ packageSide: 'huge' }), []],
    ['a package side that is no text', options({ packageSide: ['small'] }), ['invalid /options/packageSide']],
    [
      'an address by id and one described',
      options({ customerAddressId: 'a-1', address: ADDRESS }),
      ['conflict /options/address'],
    ],
    ['an address without a label', options({ address: { houseNumber: 8 } }), []],
    [
      'an address with unknown fields',
      options({ address: { street: 'x' } }),
      ['unknown_option /options/address/street'],
    ],
    [
      'an address with fields of the wrong kind',
      options({ address: { blockId: '', houseNumber: null } }),
      ['invalid /options/address/blockId', 'invalid /options/address/houseNumber'],
    ],
    ['an unknown option', options({ giftWrap: true }), ['unknown_option /options/giftWrap']],
    [
      'options of an item',
      { items: [{ reference: 'l', quantity: 1, options: { 'a/b': 1 } }] },
      ['unknown_option /items/0/options/a~1b'],
    ],
    [
      'cash on delivery without an amount',
      { payment: { method: 'cod' } },
      ['required /payment/amountToCollect'],
    ],
    ['cash on delivery of nothing', { payment: { method: 'cod', amountToCollect: '0' } }, []],
    [
      'more to collect than the total',
      { payment: { method: 'cod', amountToCollect: '3.756' } },
      ['invalid /payment/amountToCollect'],
    ],
    ['as much to collect as the total', { payment: { method: 'cod', amountToCollect: '3.7550' } }, []],
    [
      'cash on delivery without a total',
      { payment: { method: 'cod', amountToCollect: '99' }, totals: { subtotal: '1' } },
      [],
    ],
    [
      'something to collect of a prepaid order',
      { payment: { method: 'prepaid', amountToCollect: '1' } },
      ['conflict /payment/amountToCollect'],
    ],
    [
      'nothing to collect of a prepaid order',
      { payment: { method: 'prepaid', amountToCollect: '0.000' } },
      [],
    ],
    [
      'four decimals everywhere',
      {
        items: [{ reference: 'l', quantity: 1, unitPrice: '0.0001' }],
        totals: { subtotal: '1.0001', shipping: '1.0001', total: '9.0001' },
        payment: { method: 'cod', amountToCollect: '1.0001' },
      },
      [
        'invalid /items/0/unitPrice',
        'invalid /totals/subtotal',
        'invalid /totals/shipping',
        'invalid /totals/total',
        'invalid /payment/amountToCollect',
      ],
    ],
    ['no items', { items: undefined }, []],
  ])('with %s', (_what, changes, expected) => {
    expect(found(changes)).toEqual(expected);
  });

  test('is a package side outside the configured list', () => {
    const sides = ['small', 'large'];
    expect(found(options({ packageSide: 'huge' }), sides)).toEqual(['invalid /options/packageSide']);
    expect(found(options({ packageSide: 'large' }), sides)).toEqual([]);
    expect(
      openAccount({ packageSides: sides }).validate(goodBody(options({ packageSide: 'huge' }))),
    ).toMatchObject([{ detail: 'must be one of small, large' }]);
  });

  test('takes the nine tags of the document', () => {
    expect(SPECIAL_HANDLING_TAGS).toHaveLength(9);
    expect(found(options({ specialHandlingTags: [...SPECIAL_HANDLING_TAGS] }))).toEqual([]);
  });
});

describe('amounts of three decimals', () => {
  test('go out as exactly what they were', () => {
    const step = stepNamed(openAccount(), 'order');
    const fils = fc.bigInt({ min: 0n, max: 999_999_999_999_999n });
    fc.assert(
      fc.property(fils, (amount) => {
        const written = `${amount / 1000n}.${String(amount % 1000n).padStart(3, '0')}`;
        const body = goodBody({
          payment: { method: 'cod', amountToCollect: written },
          totals: { total: written },
        });
        expect(bodyProblems(body)).toEqual([]);
        const text = step.request(workFor(orderView({ body }), { customerId: 'c' })).body ?? '';
        const shortest = written.replace(/\.?0+$/, '');
        expect(text).toContain(`"amountToCollect":${shortest},"pricing":{"total":${shortest}}`);
      }),
    );
  });

  test('are numbers on the wire', () => {
    const step = stepNamed(openAccount(), 'order');
    expect(sentBody(step, workFor(orderView(), { customerId: 'c' }))).toMatchObject({
      amountToCollect: 3.755,
      pricing: { subtotal: 2.5, deliveryFee: 1.255, total: 3.755 },
      items: [{ price: 1.25 }],
    });
  });
});

test('no body of the general shape makes the validation throw', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.jsonValue()),
      fc.dictionary(
        fc.constantFrom('branchId', 'specialHandlingTags', 'packageSide', 'address'),
        fc.jsonValue(),
      ),
      (loose, known) => {
        // The general shape lets any JSON stand under options.
        const body = goodBody({ options: { ...loose, ...known } as NonNullable<OrderBody['options']> });
        expect(Array.isArray(bodyProblems(body, ['small']))).toBe(true);
      },
    ),
  );
});

import fc from 'fast-check';
import { type OrderBody, orderBody } from '../../../src/orders/body.js';
import { STATUS_SLUGS } from '../../../src/providers/salla/wire.js';
import { inShort, sentBody, stepOf, workFor } from '../fixtures.js';
import { goodBody, openAccount, orderView, shipmentBody, statusBody } from './fixtures.js';

const external = openAccount();
const catalogue = openAccount({ orderPath: '/orders' });
const shipping = openAccount({ mode: 'B' });
const writingBack = openAccount({ mode: 'C' });

const found = (account: typeof external, body: OrderBody) => inShort(account.validate(body));

const { options: _options, ...noOptions } = goodBody();
const ship = { deliveryMethod: 'shipping' };

describe('a body for mode A', () => {
  test('with what the document requires is taken', () => {
    expect(external.validate(goodBody())).toEqual([]);
    expect(catalogue.validate(goodBody())).toEqual([]);
    expect(orderBody.safeParse(goodBody()).success).toBe(true);
  });

  test('with nothing in it is told everything at once', () => {
    expect(found(external, { account: 'a', reference: 'r' })).toEqual([
      'required /customer/firstName',
      'required /customer/phone',
      'required /items',
      'required /options/deliveryMethod',
    ]);
    expect(found(external, { account: 'a', reference: 'r', options: ship })).toEqual([
      'required /customer/firstName',
      'required /customer/phone',
      'required /shippingAddress',
      'required /items',
    ]);
  });

  test.each<[string, Partial<OrderBody>, string[]]>([
    ['a reference that begins with a space', { reference: ' 1' }, ['invalid /reference']],
    ['no options', { options: undefined }, ['required /options/deliveryMethod']],
    [
      'another way of delivery',
      { options: { deliveryMethod: 'drone' } },
      ['invalid /options/deliveryMethod'],
    ],
    ['no courier', { options: ship }, []],
    ['pickup without a branch', { options: { deliveryMethod: 'pickup' } }, ['required /options/branchId']],
    ['a customer of the store', { customer: { id: '1298199463' } }, []],
    ['a customer id that is none of Salla', { customer: { id: 'c-1' } }, ['invalid /customer/id']],
    ['only a last name', { customer: { lastName: 'السالم', phone: '0501234567' } }, []],
    ['a blank name', { customer: { firstName: ' ', phone: '0501234567' } }, ['required /customer/firstName']],
    ['no phone', { customer: { firstName: 'N' } }, ['required /customer/phone']],
    [
      'a phone with letters',
      { customer: { firstName: 'N', phone: 'call 050' } },
      ['invalid /customer/phone'],
    ],
    ['a phone of six digits', { customer: { firstName: 'N', phone: '501234' } }, ['invalid /customer/phone']],
    [
      'a country that is none',
      { shippingAddress: { line1: 'S', city: 'T', country: 'ZZ' } },
      ['invalid /shippingAddress/country'],
    ],
    ['no items', { items: [] }, ['required /items']],
    [
      'an item without sku, and one with options',
      {
        items: [
          { reference: '1', quantity: 1 },
          { reference: '2', sku: 'A', quantity: 1, options: { size: 'XL' } },
        ],
      },
      ['required /items/0/sku', 'unknown_option /items/1/options/size'],
    ],
    [
      'a price beyond a double',
      { items: [{ reference: '1', sku: 'A', quantity: 1, unitPrice: '123456789012.123456' }] },
      ['invalid /items/0/unitPrice'],
    ],
    [
      'a total that the store collects',
      { payment: { method: 'cod', amountToCollect: '99.80' }, totals: { total: '99.8' } },
      [],
    ],
    [
      'a part of the total to collect',
      { payment: { method: 'cod', amountToCollect: '50' }, totals: { total: '99.8' } },
      ['invalid /payment/amountToCollect'],
    ],
    [
      'something to collect that is paid',
      { payment: { method: 'prepaid', amountToCollect: '5' } },
      ['invalid /payment/amountToCollect'],
    ],
    [
      'all the known options',
      {
        options: {
          deliveryMethod: 'shipping',
          courierId: '665151403',
          branchId: 5,
          paymentStatus: 'waiting',
          paymentMethod: 'bank',
          countryId: 1473353380,
          cityId: 1473353381,
          block: 'حي العمل',
          streetNumber: '12',
        },
      },
      [],
    ],
    [
      'options of the wrong kind, and an unknown one',
      { options: { deliveryMethod: 'shipping', courierId: 'smsa', paymentStatus: 'open', giftWrap: true } },
      ['invalid /options/courierId', 'invalid /options/paymentStatus', 'unknown_option /options/giftWrap'],
    ],
  ])('with %s', (_what, changes, expected) => {
    const { options, ...rest } = changes;
    const body = { ...noOptions, ...rest, options: 'options' in changes ? options : goodBody().options };
    // Only the options may be taken away here.
    expect(found(external, JSON.parse(JSON.stringify(body)) as OrderBody)).toEqual(expected);
  });

  test('that goes to the catalogue needs a courier, and may have any reference', () => {
    expect(found(catalogue, goodBody({ options: ship, reference: ' 1' }))).toEqual([
      'required /options/courierId',
    ]);
  });

  test('for pickup needs no address', () => {
    const { shippingAddress: _address, ...rest } = goodBody({
      options: { deliveryMethod: 'pickup', branchId: 7 },
    });
    expect(external.validate(rest)).toEqual([]);
  });

  test('says what to do', () => {
    const [problem] = external.validate(goodBody({ options: { deliveryMethod: 'shipping', size: 1 } }));
    expect(problem?.detail).toContain('deliveryMethod, courierId, branchId');
  });
});

describe('a body for mode B', () => {
  test('with what the document requires is taken', () => {
    expect(shipping.validate(shipmentBody())).toEqual([]);
  });

  test('with nothing in it is told everything at once', () => {
    expect(found(shipping, { account: 'a', reference: 'r' })).toEqual([
      'required /options/orderId',
      'required /options/courierId',
      'required /options/packages',
    ]);
  });

  const options = shipmentBody().options ?? {};

  test.each<[string, Partial<OrderBody>, string[]]>([
    ['no package', { options: { ...options, packages: [] } }, ['invalid /options/packages']],
    [
      'a package of the wrong kind',
      { options: { ...options, packages: [{ quantity: 0, colour: 'red' }] } },
      ['invalid /options/packages/0/quantity', 'unknown_option /options/packages/0/colour'],
    ],
    [
      'a price beyond a double',
      { options: { ...options, packages: [{ price: { amount: '123456789012.123456', currency: 'SAR' } }] } },
      ['invalid /options/packages/0/price/amount'],
    ],
    ['another type', { options: { ...options, shipmentType: 'express' } }, ['invalid /options/shipmentType']],
    [
      'an order number of the shop',
      { options: { ...options, orderId: '#12' } },
      ['invalid /options/orderId'],
    ],
    [
      'cash on delivery without amount and currency',
      { payment: { method: 'cod' } },
      ['required /payment/amountToCollect', 'required /currency'],
    ],
    ['cash on delivery', { payment: { method: 'cod', amountToCollect: '12.345' }, currency: 'KWD' }, []],
    [
      'something to collect that is paid',
      { payment: { method: 'prepaid', amountToCollect: '1' } },
      ['invalid /payment/amountToCollect'],
    ],
    [
      'a country that is none',
      { shippingAddress: { line1: 'S', city: 'T', country: 'ZZ' } },
      ['invalid /shippingAddress/country'],
    ],
    ['a phone with letters', { customer: { phone: 'call me' } }, ['invalid /customer/phone']],
    ['a reference that ends with a space', { reference: '1 ' }, ['invalid /reference']],
  ])('with %s', (_what, changes, expected) => {
    expect(found(shipping, shipmentBody(changes))).toEqual(expected);
  });
});

describe('a body for mode C', () => {
  test.each(STATUS_SLUGS)('takes the status %s', (statusSlug) => {
    expect(writingBack.validate(statusBody({ options: { orderId: 1, statusSlug } }))).toEqual([]);
  });

  test.each<[string, OrderBody['options'], string[]]>([
    ['nothing', undefined, ['required /options/statusSlug', 'required /options/orderId']],
    ['no status', { orderId: 1 }, ['required /options/statusSlug']],
    ['a status by id', { orderId: '1', statusId: '1360188634' }, []],
    ['two statuses', { orderId: 1, statusSlug: 'shipped', statusId: 5 }, ['conflict /options/statusId']],
    ['two Ls', { orderId: 1, statusSlug: 'cancelled' }, ['invalid /options/statusSlug']],
    [
      'something of another mode',
      { orderId: 1, statusSlug: 'shipped', courierId: 1 },
      ['unknown_option /options/courierId'],
    ],
  ])('with %s', (_what, options, expected) => {
    const { options: _default, ...rest } = statusBody();
    expect(found(writingBack, options === undefined ? rest : { ...rest, options })).toEqual(expected);
  });
});

describe('the parameters of an update', () => {
  const problemsOf = (params: unknown) => {
    const result = external.validateUpdate?.(params) ?? { params: {} };
    return 'problems' in result ? inShort(result.problems) : [];
  };
  const address = { line1: 'S', city: 'T', country: 'SA' };

  test('are taken as they are', () => {
    const params = { shippingAddress: address, customer: { firstName: 'N', phone: '0501234567' } };
    expect(external.validateUpdate?.(params)).toEqual({ params });
  });

  test.each<[string, unknown, string[]]>([
    ['nothing', {}, ['required ']],
    ['no object', 'Express', ['invalid ']],
    ['another carrier', { shippingMethod: 'Express' }, ['unknown_field /shippingMethod']],
    [
      'half a receiver, for it is taken whole',
      { customer: { phone: '0501234567' } },
      ['required /customer/firstName'],
    ],
    [
      'another customer',
      { customer: { id: '5', firstName: 'N', phone: '0501234567' } },
      ['invalid /customer/id'],
    ],
    [
      'a country that is none',
      { shippingAddress: { ...address, country: 'ZZ' } },
      ['invalid /shippingAddress/country'],
    ],
  ])('with %s are refused', (_what, params, expected) => {
    expect(problemsOf(params)).toEqual(expected);
  });
});

describe('whatever passes', () => {
  const text = fc
    .string({ minLength: 1, maxLength: 20 })
    .filter((value) => /^[^\p{Cc}\p{Cs}]+$/u.test(value));
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const body = fc.record(
    {
      reference: text,
      currency: maybe(fc.constantFrom('SAR', 'KWD')),
      customer: maybe(
        fc.record(
          {
            id: fc.constantFrom('7', 'x'),
            firstName: text,
            lastName: text,
            phone: fc.constantFrom('0501234567', '+1'),
          },
          { requiredKeys: [] },
        ),
      ),
      shippingAddress: maybe(fc.record({ line1: text, city: text, country: fc.constantFrom('SA', 'ZZ') })),
      items: maybe(
        fc.array(
          fc.record(
            {
              reference: text,
              sku: text,
              quantity: fc.integer({ min: 1, max: 9 }),
              unitPrice: fc.constantFrom('0.1', '9'),
            },
            { requiredKeys: ['reference', 'quantity'] },
          ),
          { maxLength: 3 },
        ),
      ),
      payment: maybe(fc.record({ method: fc.constantFrom('cod', 'prepaid') })),
      options: maybe(
        fc.record(
          {
            deliveryMethod: fc.constantFrom('shipping', 'pickup', 'x'),
            courierId: fc.constantFrom(1, '2', 'x'),
            branchId: fc.constantFrom(1, 0),
            orderId: fc.constantFrom(1, '2', 'x'),
            statusSlug: fc.constantFrom('shipped', 'x'),
            packages: fc.constantFrom([], [{}], [{ sku: 'a' }]),
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: ['reference'] },
  );

  test.each([
    ['A', external, 'order'],
    ['A to the catalogue', catalogue, 'order'],
    ['B', shipping, 'shipment'],
    ['C', writingBack, 'status'],
  ])('can be sent: mode %s', (_mode, account, name) => {
    const step = stepOf(account.verbs.submit, name);
    fc.assert(
      fc.property(body, (made) => {
        const parsed = orderBody.safeParse({ account: 'a', ...JSON.parse(JSON.stringify(made)) });
        if (!parsed.success || account.validate(parsed.data).length > 0) return;
        expect(sentBody(step, workFor(orderView(parsed.data)))).not.toBeNull();
      }),
    );
  });
});

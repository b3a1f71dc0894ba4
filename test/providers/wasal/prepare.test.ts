import type { JsonObject } from '../../../src/json.js';
import type { OrderBody } from '../../../src/orders/body.js';
import type { OrderView } from '../../../src/orders/order.js';
import type { Known } from '../../../src/providers/provider.js';
import { addressDigest, addressOf, customerDigest, prepare } from '../../../src/providers/wasal/map.js';
import { ADDRESS_ID, CUSTOMER_ID, goodBody, orderView, workFor } from './fixtures.js';

type Last = { step: string; kind: string; code: string };

const DIGEST = addressDigest(addressOf(goodBody()) ?? { label: '' });
const PHONE = '+96550001234';
const CUSTOMER = {
  kind: 'customer',
  key: PHONE,
  value: { customerId: CUSTOMER_ID, told: customerDigest(goodBody()) },
};
const KNOWN_ADDRESS = { kind: `address/${DIGEST}`, key: CUSTOMER_ID, value: { addressId: ADDRESS_ID } };
const ids = { customerId: CUSTOMER_ID, customerAddressId: ADDRESS_ID };
const fromFive = (digest = 'd') =>
  Array.from({ length: 5 }, (_none, index) => ({ id: `a-${index}`, digest: `${digest}${index}` }));
const four = fromFive().slice(0, 4);

const withId = orderView({ body: goodBody({ customer: { id: CUSTOMER_ID } }) });
const nowhere = orderView({
  body: goodBody({
    shippingAddress: undefined,
    options: { branchCode: 'MAIN', specialHandlingTags: ['none'] },
  }),
});

function begin(order: OrderView, carry: JsonObject, known: Partial<Known> = {}) {
  return prepare.begin('submit', workFor(order, carry), { facts: [], openOrders: [], ...known });
}

const stepOf = (...told: Parameters<typeof begin>) => begin(...told)?.step;

describe('where a submit begins', () => {
  test.each<[string, OrderView, JsonObject, Partial<Known>, string]>([
    ['with nothing known', orderView(), {}, {}, 'customer'],
    ['with the customer given by the shop', withId, {}, {}, 'customer-get'],
    ['with the customer remembered', orderView(), {}, { facts: [CUSTOMER] }, 'customer-get'],
    ['with both remembered', orderView(), {}, { facts: [CUSTOMER, KNOWN_ADDRESS] }, 'order'],
    ['with the address of the customer given', withId, {}, { facts: [KNOWN_ADDRESS] }, 'order'],
    ['with no address wanted', nowhere, {}, { facts: [CUSTOMER] }, 'order'],
    [
      'after the customer, whose addresses are not told',
      orderView(),
      { customerId: 'c', addresses: null },
      {},
      'customer-get',
    ],
    ['after a customer without addresses', orderView(), { customerId: 'c', addresses: [] }, {}, 'address'],
    ['after a customer with four', orderView(), { customerId: 'c', addresses: four }, {}, 'address'],
    [
      'after a customer with five',
      orderView(),
      { customerId: 'c', addresses: fromFive() },
      {},
      'address-replace',
    ],
    ['after the address', orderView(), { ...ids, addresses: null }, {}, 'order'],
    [
      'with a list in the carry that is none',
      orderView(),
      { customerId: 'c', addresses: [7] },
      {},
      'customer-get',
    ],
  ])('%s', (_what, order, carry, known, expected) => {
    expect(stepOf(order, carry, known)).toBe(expected);
  });

  test('hands on the ids that were found', () => {
    expect(begin(orderView(), {}, { facts: [CUSTOMER, KNOWN_ADDRESS] })).toEqual({
      step: 'order',
      carry: ids,
    });
    const named = goodBody({
      options: { branchCode: 'M', specialHandlingTags: ['none'], customerAddressId: 'a-7' },
    });
    expect(begin(orderView({ body: named }), { customerId: 'c' })).toEqual({
      step: 'order',
      carry: { customerId: 'c', customerAddressId: 'a-7' },
    });
    expect(begin(nowhere, { customerId: 'c' })).toEqual({
      step: 'order',
      carry: { customerId: 'c', customerAddressId: null },
    });
  });

  test('is not said of other verbs, nor of reads of a whole account', () => {
    for (const kind of ['activate', 'cancel', 'update', 'poll'] as const) {
      expect(prepare.facts(kind, workFor(orderView()))).toEqual({ facts: [] });
      expect(prepare.begin(kind, workFor(orderView()), { facts: [CUSTOMER], openOrders: [] })).toBeNull();
    }
    expect(prepare.begin('submit', workFor(), { facts: [], openOrders: [] })).toBeNull();
  });
});

describe('what is asked for before', () => {
  const asked = (order: OrderView, carry: JsonObject = {}) => prepare.facts('submit', workFor(order, carry));

  test('is the customer by phone number, and the address by its content', () => {
    expect(asked(orderView())).toEqual({
      facts: [{ kind: 'customer', key: PHONE }, { kind: `address/${DIGEST}` }],
    });
    expect(asked(withId)).toEqual({ facts: [{ kind: `address/${DIGEST}` }] });
    expect(asked(nowhere)).toEqual({ facts: [{ kind: 'customer', key: PHONE }] });
  });

  test('is nothing for a corrected order: what was remembered may have been wrong', () => {
    expect(asked(orderView({ generation: 2 }))).toEqual({ facts: [] });
  });

  test("is the customer's open orders where five addresses are known", () => {
    expect(asked(orderView(), { customerId: 'c', addresses: fromFive() })).toMatchObject({
      openOrders: { customerId: 'c' },
    });
    expect(asked(orderView(), { customerId: 'c', addresses: four })).not.toHaveProperty('openOrders');
  });
});

describe('what is remembered', () => {
  test('of a customer holds only in the same words', () => {
    const renamed: OrderBody['customer'] = {
      firstName: 'Nora',
      lastName: 'Al-Sabah',
      phone: '+965 5000 1234',
    };
    expect(stepOf(orderView({ body: goodBody({ customer: renamed }) }), {}, { facts: [CUSTOMER] })).toBe(
      'customer',
    );
  });

  test('of an address is of one customer', () => {
    const theirs = { ...KNOWN_ADDRESS, key: 'other' };
    expect(stepOf(orderView(), {}, { facts: [CUSTOMER, theirs] })).toBe('customer-get');
  });
});

describe('the address that is replaced', () => {
  const replaced = (used: JsonObject[]) =>
    begin(orderView(), { customerId: 'c', addresses: fromFive() }, { openOrders: used });

  test('is the second of the free ones: the first is the default', () => {
    expect(replaced([])).toEqual({
      step: 'address-replace',
      carry: { customerId: 'c', replaces: { id: 'a-1', digest: 'd1' } },
    });
  });

  test('is never one that an open order uses', () => {
    const used = [1, 2, 4].map((index) => ({ customerId: 'c', customerAddressId: `a-${index}` }));
    expect(replaced(used)).toMatchObject({ carry: { replaces: { id: 'a-3' } } });
    expect(replaced([...used, { customerAddressId: 'a-3' }])).toMatchObject({
      carry: { replaces: { id: 'a-0' } },
    });
  });

  test('is none where all are in use, or where it cannot be told which is', () => {
    const all = fromFive().map(({ id }) => ({ customerAddressId: id }));
    expect(replaced(all)?.step).toBe('address-sixth');
    expect(replaced([{ customerId: 'c' }])?.step).toBe('address-sixth');
  });
});

describe('after a call that failed', () => {
  const failed = (step: string, code: string): { last: Last } => ({ last: { step, kind: 'failed', code } });

  test("the customer goes without an e-mail address that is another's, and only then", () => {
    expect(begin(orderView(), {}, failed('customer', 'CUSTOMER_EMAIL_DUPLICATE'))).toEqual({
      step: 'customer',
      carry: { withoutEmail: true },
    });
    expect(begin(orderView(), {}, failed('customer', 'http_503'))).toEqual({ step: 'customer', carry: {} });
  });

  test.each(['address', 'address-replace'])('of %s, the customer is read before the next try', (step) => {
    const carry = { customerId: 'c', addresses: four };
    expect(begin(orderView(), carry, failed(step, 'timeout'))).toEqual({
      step: 'customer-get',
      carry: { customerId: 'c', addresses: null },
    });
  });

  test('nothing changes where nothing was sent', () => {
    const carry = { customerId: 'c', addresses: four };
    const last = { step: 'address', kind: 'notSent', code: 'econnrefused' };
    expect(stepOf(orderView(), carry, { last })).toBe('address');
  });

  test('of the order, the order is next', () => {
    expect(stepOf(orderView(), ids, { last: { step: 'order', kind: 'waiting', code: 'X' } })).toBe('order');
  });
});

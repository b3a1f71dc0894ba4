import type { OrderBody } from '../../../src/orders/body.js';
import { goodBody, openAccount, REWARD } from './fixtures.js';

const { validate } = openAccount();

const item = { reference: 'line-1', sku: REWARD, quantity: 1 };
const found = (changes: Partial<OrderBody>) =>
  validate(goodBody(changes)).map(({ pointer, code }) => [pointer, code]);

describe('a body that Zupy takes', () => {
  test('needs a customer and one item, and no more', () => {
    expect(validate(goodBody({ customer: { id: 'abc' } }))).toEqual([]);
  });

  test('may say what pays and who gets the code', () => {
    for (const otpIdentifier of ['+55 (11) 98765-4321', 'joao@example.com', '123.456.789-09'])
      expect(found({ options: { useZTokens: true, otpIdentifier } })).toEqual([]);
  });

  test('may be prepaid, and have notes, totals and an address that stay here', () => {
    expect(
      found({
        payment: { method: 'prepaid', amountToCollect: '0.00' },
        notes: 'Sem calda',
        totals: { total: '0' },
        shippingAddress: { line1: 'Rua 1', city: 'São Paulo', country: 'BR' },
      }),
    ).toEqual([]);
  });
});

describe('a body that Zupy would refuse', () => {
  test.each<[string, Partial<OrderBody>, [string, string][]]>([
    ['no customer', { customer: undefined }, [['/customer/id', 'required']]],
    ['a customer without an id', { customer: { phone: '+5511987654321' } }, [['/customer/id', 'required']]],
    ['a blank id', { customer: { id: ' ' } }, [['/customer/id', 'required']]],
    ['a phone number as the id', { customer: { id: '+5511987654321' } }, [['/customer/id', 'invalid']]],
    ['an address as the id', { customer: { id: 'joao@example.com' } }, [['/customer/id', 'invalid']]],
    ['a path as the id', { customer: { id: '../rewards' } }, [['/customer/id', 'invalid']]],
    ['no items', { items: undefined }, [['/items', 'required']]],
    ['two items', { items: [item, { ...item, reference: 'line-2' }] }, [['/items', 'invalid']]],
    ['no reward', { items: [{ reference: 'line-1', quantity: 1 }] }, [['/items/0/sku', 'required']]],
    ['a reward that is no id', { items: [{ ...item, sku: 'Pudim da Casa' }] }, [['/items/0/sku', 'invalid']]],
    ['two of it', { items: [{ ...item, quantity: 2 }] }, [['/items/0/quantity', 'invalid']]],
    [
      "options of an item, of which there are none, by a name that holds a pointer's own characters",
      { items: [{ ...item, options: { 'a/b~c': 1 } }] },
      [['/items/0/options/a~1b~0c', 'unknown_option']],
    ],
    ['money at the door', { payment: { method: 'cod' } }, [['/payment/method', 'invalid']]],
    [
      'an amount to collect',
      { payment: { method: 'prepaid', amountToCollect: '12.50' } },
      [['/payment/amountToCollect', 'invalid']],
    ],
    ['an unknown option', { options: { useZtokens: true } }, [['/options/useZtokens', 'unknown_option']]],
    ['an option of the wrong type', { options: { useZTokens: 'yes' } }, [['/options/useZTokens', 'invalid']]],
    [
      'somebody whom no code can be sent to',
      { options: { otpIdentifier: 'João' } },
      [['/options/otpIdentifier', 'invalid']],
    ],
  ])('with %s is told where', (_what, changes, problems) => {
    expect(found(changes)).toEqual(problems);
  });

  test('is told everything at once, in sentences that say what to do', () => {
    const problems = validate({
      account: 'zupy-br',
      reference: 'shop:1001',
      items: [
        { reference: 'a', quantity: 3 },
        { reference: 'b', quantity: 1 },
      ],
      payment: { method: 'cod' },
      options: { color: 'red' },
    });
    expect(problems.map(({ pointer }) => pointer)).toEqual([
      '/customer/id',
      '/items',
      '/items/0/sku',
      '/items/0/quantity',
      '/payment/method',
      '/options/color',
    ]);
    for (const { detail } of problems) expect(detail).toMatch(/^(?:is|must)\b.*(?:: |; )/);
  });
});

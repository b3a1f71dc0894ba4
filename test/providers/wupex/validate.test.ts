import { type OrderBody, type OrderItem, orderBody } from '../../../src/orders/body.js';
import { bodyProblems, MOST_CODES } from '../../../src/providers/wupex/wire.js';
import { inShort } from '../fixtures.js';
import { goodBody } from './fixtures.js';

const found = (changes: Partial<OrderBody>) => inShort(bodyProblems(goodBody(changes)));

const item = (changes: Partial<OrderItem> = {}): OrderItem => ({
  reference: 'line-1',
  sku: 'GIFT-10',
  quantity: 1,
  ...changes,
});

describe('a body', () => {
  test('with what the document requires is taken', () => {
    expect(bodyProblems(goodBody())).toEqual([]);
    expect(orderBody.safeParse(goodBody()).success).toBe(true);
  });

  test('with nothing in it lacks its items', () => {
    expect(bodyProblems({ account: 'a', reference: 'r' })).toEqual([
      { pointer: '/items', code: 'required', detail: 'is required: give at least one item' },
    ]);
  });

  test('with what only other providers need is taken, and that stays here', () => {
    const address = { line1: 'Street 1', city: 'Town', country: 'KW' };
    const extras = { currency: 'KWD', customer: { id: '7' }, shippingAddress: address, notes: 'thanks' };
    expect(found(extras)).toEqual([]);
  });

  test('is told everything at once', () => {
    const items = [
      { reference: 'a', quantity: 1, options: { colour: 'red' } },
      item({ sku: ' ', options: { merchant: 7 } }),
      item({ sku: 'GIFT-10 ', quantity: MOST_CODES }),
    ];
    const changes = { reference: ' r', items, options: { gift: true }, payment: { method: 'cod' as const } };
    expect(found(changes)).toEqual([
      'invalid /reference',
      'required /items/0/sku',
      'required /items/0/options/merchant',
      'unknown_option /items/0/options/colour',
      'required /items/1/sku',
      'invalid /items/1/options/merchant',
      'invalid /items/2/sku',
      'required /items/2/options/merchant',
      'invalid /items',
      'invalid /payment/method',
      'unknown_option /options/gift',
    ]);
  });

  test.each<[string, Partial<OrderBody>, string[]]>([
    ['a merchant of the order alone', { items: [item()] }, []],
    [
      'a merchant of each item alone',
      { items: [item({ options: { merchant: 'giftwave' } })], options: {} },
      [],
    ],
    ['no merchant', { items: [item()], options: {} }, ['required /items/0/options/merchant']],
    [
      'a merchant that is no text',
      { items: [item()], options: { merchant: 7 } },
      ['invalid /options/merchant'],
    ],
    ['a merchant of nothing', { items: [item()], options: { merchant: '' } }, ['invalid /options/merchant']],
    [
      'a merchant with a space behind it',
      { items: [item()], options: { merchant: 'giftwave ' } },
      ['invalid /options/merchant'],
    ],
    ['one product twice', { items: [item(), item({ reference: 'b' })] }, []],
    ['as many codes as fit', { items: [item({ quantity: MOST_CODES })] }, []],
    ['one code too many', { items: [item({ quantity: MOST_CODES }), item()] }, ['invalid /items']],
    [
      'money to collect',
      { payment: { method: 'prepaid', amountToCollect: '5' } },
      ['invalid /payment/amountToCollect'],
    ],
    ['nothing to collect', { payment: { method: 'prepaid', amountToCollect: '0.000' } }, []],
    ['a space inside the reference', { reference: 'a b' }, []],
    ['a space behind the reference', { reference: 'a ' }, ['invalid /reference']],
  ])('with %s', (_what, changes, expected) => {
    expect(found(changes)).toEqual(expected);
  });

  test('hears what it can write instead', () => {
    const [problem] = bodyProblems(goodBody({ options: { merchant: 'm', shop: 'x' } }));
    expect(problem?.detail).toBe('is not known here; known are merchant');
    const [missing] = bodyProblems(goodBody({ items: [item()], options: {} }));
    expect(missing?.detail).toContain('options.merchant here, or once for all items');
  });
});

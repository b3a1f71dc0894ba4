import { sameContent, toState } from '../../../src/providers/gelato-connect/map.js';
import { orderAnswer } from '../../../src/providers/gelato-connect/wire.js';
import { fixture, goodBody } from './fixtures.js';

const answerWith = (changes: Record<string, unknown>) =>
  orderAnswer.parse({ ...fixture('order'), ...changes });
const stateOf = (changes: Record<string, unknown>) => toState(answerWith(changes), false);

describe('the status', () => {
  test.each([
    ['draft', 'draft'],
    ['received', 'submitted'],
    ['created', 'submitted'],
    ['uploading', 'submitted'],
    ['passed', 'in_progress'],
    ['in_production', 'in_progress'],
    ['printed', 'in_progress'],
    ['packaged', 'in_progress'],
    ['shipped', 'shipped'],
    ['in_transit', 'shipped'],
    ['In transit', 'shipped'],
    ['delivered', 'delivered'],
    ['returned', 'returned'],
    ['canceled', 'canceled'],
    ['cancelled', 'canceled'],
    ['failed', 'failed'],
  ])('%s is %s here', (word, status) => {
    const state = stateOf({ fulfillmentStatus: word });
    expect(state).toMatchObject({ status, rawStatus: word });
    expect(state).not.toHaveProperty('attention');
  });

  test.each(['pending_approval', 'pending_personalization', 'digitizing', 'not_connected', 'on_hold'])(
    '%s needs a person',
    (word) => {
      expect(stateOf({ fulfillmentStatus: word })).toMatchObject({
        status: null,
        rawStatus: word,
        attention: { code: 'provider_attention', detail: expect.stringContaining(word) },
      });
    },
  );

  test.each([['teleported'], [null], [7], [['shipped']]])('%j is not known and needs a look', (word) => {
    expect(stateOf({ fulfillmentStatus: word })).toMatchObject({
      status: null,
      attention: { code: 'unknown_status' },
    });
  });

  test.each([['created'], ['draft'], ['received'], ['passed'], [null]])(
    'of a draft, %j is a draft',
    (word) => {
      expect(stateOf({ orderType: 'draft', fulfillmentStatus: word }).status).toBe('draft');
    },
  );

  test.each([
    ['canceled', 'canceled'],
    ['in_production', 'in_progress'],
  ])('of a draft, %s is %s nevertheless', (word, status) => {
    expect(stateOf({ orderType: 'draft', fulfillmentStatus: word }).status).toBe(status);
  });
});

describe('a failure after acceptance', () => {
  test("carries the provider's code and sentence", () => {
    const refusal = {
      refusalReasonCode: 'missing_retail_prices',
      refusalReason: 'Retail prices are missing.',
    };
    expect(stateOf({ fulfillmentStatus: 'failed', ...refusal }).failure).toEqual({
      code: 'missing_retail_prices',
      message: 'Retail prices are missing.',
    });
  });

  test('falls back to the comment, and to a sentence of ours', () => {
    expect(stateOf({ fulfillmentStatus: 'failed', comment: 'No such size.' }).failure).toEqual({
      code: 'failed',
      message: 'No such size.',
    });
    expect(stateOf({ fulfillmentStatus: 'failed' }).failure).toEqual({
      code: 'failed',
      message: 'GelatoConnect failed the order: failed',
    });
  });
});

describe('tracking', () => {
  const trackingOf = (shipment: unknown) => stateOf({ shipment }).tracking;

  test('is read from parcels of either shape', () => {
    const packages = [
      { id: 'p-1', trackingCode: 'A1', trackingUrl: 'https://t.example.com/A1' },
      {
        id: 'p-2',
        tracking: { code: 'B2', url: 'https://t.example.com/B2' },
        status: 'in_transit',
        weight: 3,
      },
    ];
    expect(trackingOf({ shipmentMethodName: 'DHL', packages })).toEqual([
      { carrier: 'DHL', code: 'A1', url: 'https://t.example.com/A1', status: null },
      { carrier: 'DHL', code: 'B2', url: 'https://t.example.com/B2', status: 'in_transit' },
    ]);
  });

  test('is read from the shipment where the parcels have none', () => {
    expect(trackingOf({ packages: [{ id: 'p' }], tracking: { code: 'C3', url: null } })).toEqual([
      { carrier: null, code: 'C3', url: null, status: null },
    ]);
  });

  test.each([
    [null],
    [{}],
    [{ packages: [] }],
    [{ packages: 'none' }],
    [{ packages: [null, 7, {}] }],
    ['gone'],
  ])('is left out where there is none: %j', (shipment) => {
    expect(stateOf({ shipment })).not.toHaveProperty('tracking');
  });

  test('never passes on a link that is no web address', () => {
    expect(trackingOf({ packages: [{ trackingCode: 'X', trackingUrl: 'javascript:alert(1)' }] })).toEqual([
      { carrier: null, code: 'X', url: null, status: null },
    ]);
  });
});

describe('text of the provider', () => {
  test('is made fit to be stored', () => {
    const refusalReason = `\u0000bad\ud800 ${'x'.repeat(2000)}`;
    const message = stateOf({ fulfillmentStatus: 'failed', refusalReason }).failure?.message ?? '';
    expect(message).toMatch(/^bad\ufffd x+$/);
    expect(message.length).toBeLessThanOrEqual(500);
  });

  test('that is no time is no time of creation', () => {
    expect(stateOf({ createdAt: 'yesterday' })).not.toHaveProperty('createdAt');
  });
});

describe('the comparison of contents', () => {
  const items = [{ itemReferenceId: 'line-1', productUid: 'poster_a3_170gsm', quantity: 2 }];

  test.each([
    ['equal items', { items }, true],
    ['a quantity as text', { items: [{ ...items[0], quantity: '2' }] }, true],
    [
      'a variant as an empty list, and entries of the provider',
      { items: [{ ...items[0], productVariant: [], dpi: 0 }] },
      true,
    ],
    [
      'an item more than was asked for',
      { items: [...items, { itemReferenceId: 'insert', quantity: 1 }] },
      true,
    ],
    ['no product in the answer', { items: [{ itemReferenceId: 'line-1', quantity: 2 }] }, true],
    [
      'the product as finally chosen',
      { items: [{ ...items[0], productUid: 'x', finalProductUid: 'poster_a3_170gsm' }] },
      true,
    ],
    ['another quantity', { items: [{ ...items[0], quantity: 3 }] }, false],
    ['another product', { items: [{ ...items[0], productUid: 'mug' }] }, false],
    ['other items', { items: [{ itemReferenceId: 'line-9', quantity: 2 }] }, false],
    ['another country', { shippingAddress: { country: 'SE' } }, false],
    ['a country in small letters', { shippingAddress: { country: 'no' } }, true],
    ['no address', { shippingAddress: null }, true],
    ['no items', { items: null }, null],
    ['an empty list of items', { items: [] }, null],
    ['items without references', { items: [{ quantity: 2 }] }, null],
    ['items that are none', { items: [7] }, null],
  ])('takes %s as it should', (_what, changes, expected) => {
    expect(sameContent(goodBody(), answerWith(changes))).toBe(expected);
  });

  test('cannot compare products that were ordered by name', () => {
    const body = goodBody({
      items: [
        {
          reference: 'line-1',
          quantity: 2,
          options: { productName: 'Poster', productVariant: { Size: 'A3' } },
        },
      ],
    });
    expect(sameContent(body, answerWith({}))).toBe(true);
  });
});

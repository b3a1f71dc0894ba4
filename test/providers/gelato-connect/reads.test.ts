import { answerOf, existing, judge, sentBody } from '../fixtures.js';
import {
  envelope,
  fixture,
  goodBody,
  openAccount,
  orderView,
  PROVIDER_ORDER_ID,
  workFor,
} from './fixtures.js';

const account = openAccount();
const { get, probe } = account.reads;
const look = existing(account.reads.look);
const search = existing(account.reads.list?.step);

const placed = workFor(orderView({ providerOrderId: PROVIDER_ORDER_ID }));
const sent = workFor(orderView());

describe('get', () => {
  test('asks by the id, else by the reference, encoded', () => {
    expect(get.request(placed)).toMatchObject({
      method: 'GET',
      url: `https://api.example.com/api/prints/order/${PROVIDER_ORDER_ID}`,
    });
    expect(get.request(sent).url).toBe('https://api.example.com/api/prints/order/shop%3A1001');
    expect(get.request(placed).headers).toEqual({
      Accept: 'application/json',
      'X-API-KEY': 'the-key:the:secret',
    });
  });

  test('reads the state with its tracking', () => {
    expect(judge(account, get, placed, answerOf(200, fixture('order'))).outcome).toEqual({
      kind: 'observed',
      state: {
        providerOrderId: PROVIDER_ORDER_ID,
        reference: 'shop:1001',
        status: 'shipped',
        rawStatus: 'shipped',
        tracking: [
          { carrier: 'Posten Parcel', code: 'NO123', url: 'https://track.example.com/NO123', status: null },
        ],
        createdAt: '2026-03-02T11:05:09.000Z',
        data: { financialStatus: 'paid' },
      },
    });
  });

  test('does not trust an order that was not asked for', () => {
    const other = { ...fixture('order'), id: 'other', orderReferenceId: 'other' };
    expect(judge(account, get, placed, answerOf(200, other)).outcome).toMatchObject({
      kind: 'failed',
      code: 'unreadable_answer',
    });
  });

  test("takes the provider's own 404 as missing, and a proxy's as no answer", () => {
    expect(judge(account, get, placed, envelope(404, 'Order not found')).outcome).toMatchObject({
      kind: 'missing',
    });
    expect(judge(account, get, placed, answerOf(404, '<h1>Not Found</h1>')).outcome).toMatchObject({
      kind: 'failed',
      code: 'foreign_not_found',
    });
  });
});

describe('look', () => {
  test('asks by the reference even where an id is known', () => {
    expect(look.request(placed).url).toBe('https://api.example.com/api/prints/order/shop%3A1001');
  });

  test('finds the order and says that its content is the same', () => {
    expect(judge(account, look, sent, answerOf(200, fixture('order'))).outcome).toMatchObject({
      kind: 'observed',
      state: { providerOrderId: PROVIDER_ORDER_ID, reference: 'shop:1001', sameContent: true },
    });
  });

  test.each([
    ['another reference', { orderReferenceId: 'shop:1002' }],
    ['no reference', { orderReferenceId: null }],
    ['no id', { id: null }],
  ])('does not trust an answer with %s', (_what, change) => {
    expect(look.read(sent, answerOf(200, { ...fixture('order'), ...change }))).toBeNull();
  });

  test('takes a reference that came back as a number', () => {
    const work = workFor(orderView({ body: goodBody({ reference: '1001' }) }));
    const answer = answerOf(200, { ...fixture('order'), orderReferenceId: 1001 });
    expect(look.read(work, answer)).toMatchObject({ kind: 'observed', state: { reference: '1001' } });
  });

  test("proves absence by the provider's own 404 only", () => {
    expect(judge(account, look, sent, envelope(404, 'Order not found')).outcome).toMatchObject({
      kind: 'missing',
    });
    expect(judge(account, look, sent, answerOf(404, { message: 'no Route matched' })).outcome).toMatchObject({
      kind: 'failed',
    });
  });
});

describe('search', () => {
  const params = { references: ['shop:1001', 'shop:1002', 'shop:1003'] };
  const work = workFor(undefined, params);

  test('posts the references and the largest page', () => {
    expect(search.request(work)).toMatchObject({
      method: 'POST',
      url: 'https://api.example.com/api/prints/orders/search',
    });
    expect(sentBody(search, work)).toEqual({ orderReferenceIds: params.references, limit: 100 });
  });

  test('reads the rows as partial states', () => {
    expect(judge(account, search, work, answerOf(200, fixture('search'))).outcome).toEqual({
      kind: 'done',
      states: [
        {
          providerOrderId: PROVIDER_ORDER_ID,
          reference: 'shop:1001',
          status: 'in_progress',
          rawStatus: 'in_production',
          partial: true,
          createdAt: '2026-03-02T11:05:09.000Z',
          data: { financialStatus: 'paid' },
        },
        {
          providerOrderId: '77e6b0d1-58a6-4a3c-bd93-0b9f3ad1c002',
          reference: 'shop:1002',
          status: 'failed',
          rawStatus: 'failed',
          failure: {
            code: 'missing_retail_prices',
            message: 'GelatoConnect failed the order: missing_retail_prices',
          },
          partial: true,
          createdAt: '2026-03-02T11:06:00.000Z',
          data: { financialStatus: 'canceled' },
        },
      ],
    });
  });

  test('does not trust a page with a row that was not asked for: the filter is being ignored', () => {
    const narrow = workFor(undefined, { references: ['shop:1001'] });
    expect(search.read(narrow, answerOf(200, fixture('search')))).toBeNull();
  });

  test.each([
    ['no list', { code: 200 }],
    ['a row without an id', { orders: [{ orderReferenceId: 'shop:1001' }] }],
    ['a row without a reference', { orders: [{ id: 'x' }] }],
  ])('does not trust an answer with %s', (_what, body) => {
    expect(search.read(work, answerOf(200, body))).toBeNull();
  });

  test('names the customer where one is configured', () => {
    const step = existing(openAccount({ customerReferenceId: 'c-9' }).reads.list?.step);
    expect(step.request(work).headers).toMatchObject({ 'Customer-Reference-ID': 'c-9' });
  });

  test('reads the error envelope', () => {
    expect(judge(account, search, work, envelope(400, 'limit is too large')).outcome).toMatchObject({
      kind: 'rejected',
      message: 'limit is too large',
    });
  });
});

describe('probe', () => {
  const work = workFor();

  test('is a search for one row', () => {
    expect(probe.request(work)).toMatchObject({
      method: 'POST',
      url: 'https://api.example.com/api/prints/orders/search',
    });
    expect(sentBody(probe, work)).toEqual({ limit: 1 });
  });

  test('proves the credentials by a list, whatever is in it', () => {
    expect(probe.read(work, answerOf(200, fixture('search')))).toEqual({ kind: 'done' });
    expect(probe.read(work, answerOf(200, { orders: [] }))).toEqual({ kind: 'done' });
    expect(probe.read(work, answerOf(200, '<html>'))).toBeNull();
  });

  test('says when the credentials are refused', () => {
    expect(judge(account, probe, work, envelope(401, 'Unauthorized')).outcome).toMatchObject({
      kind: 'blocked',
      code: 'auth',
    });
  });
});

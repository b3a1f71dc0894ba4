import fc from 'fast-check';
import { answerOf, existing, judge, sentBody, workFor } from '../fixtures.js';
import {
  detail,
  goodBody,
  listOf,
  ORDER_NAME,
  openAccount,
  orderView,
  placed,
  refused,
  refusedShortly,
  row,
  SERIALS,
} from './fixtures.js';

const account = openAccount();
const { get, probe } = account.reads;
const look = existing(account.reads.look);
const sent = workFor(orderView());

describe('get', () => {
  const outcomeOf = (body: unknown) => judge(account, get, placed(), answerOf(200, body)).outcome;

  test('asks for the detail by WUPEX’s own name of the order, encoded', () => {
    expect(get.request(placed({ providerOrderId: 'P 1/&x' }))).toMatchObject({
      method: 'GET',
      url: 'https://service.wupex.com/api/order/detail?orderName=P%201%2F%26x',
    });
    expect(get.request(placed())).not.toHaveProperty('body');
    expect(get.request(placed()).headers).toMatchObject({
      'x-api-key': 'the-key',
      'Accept-Language': 'en-US',
    });
  });

  test('brings the state and all codes, with their expiry', () => {
    expect(outcomeOf(detail({ orderAmount: 42.875 }))).toEqual({
      kind: 'observed',
      state: {
        providerOrderId: ORDER_NAME,
        reference: null,
        status: 'delivered',
        rawStatus: 'Completed',
        data: { totalAmount: '42.875' },
      },
      deliverables: SERIALS.map(({ sku, serialCode, serialNumber }, position) => ({
        position,
        sku,
        code: serialCode,
        serial: serialNumber,
        expiresAt: '2027-03-02T00:00:00.000Z',
      })),
    });
  });

  test('puts the codes where the first answer had put them', () => {
    const [submit] = account.verbs.submit;
    const partial = { status: true, data: { orderName: ORDER_NAME, serials: [SERIALS[2], SERIALS[0]] } };
    const first = submit.read(sent, answerOf(200, partial));
    const whole = get.read(placed(), answerOf(200, detail()));
    const places = (outcome: object | null) =>
      (Reflect.get(outcome ?? {}, 'deliverables') as { position: number; code: string }[]).map(
        // The outcomes of these two steps hold deliverables.
        ({ position, code }) => [position, code],
      );
    expect(places(whole)).toEqual(expect.arrayContaining(places(first)));
  });

  test.each([
    ['no lines', { orderData: [] }, 0],
    ['a line without serials', { orderData: [{ sku: 'GIFT-10' }, { sku: 'PLAY-25', serials: null }] }, 0],
    ['lines that are none', { orderData: [null, 7, { sku: 'PLAY-25', serials: [SERIALS[2]] }] }, 1],
  ])('with %s says how many codes are missing', (_what, changes, count) => {
    const outcome = outcomeOf(detail({ ...changes, status: 'Processing' }));
    expect(outcome).toMatchObject({
      kind: 'observed',
      state: {
        status: 'in_progress',
        rawStatus: 'Processing',
        attention: {
          code: 'codes_missing',
          detail: `WUPEX shows ${count} of 3 codes; it calls the order Processing`,
        },
      },
    });
    expect(outcome.kind === 'observed' && outcome.deliverables).toHaveLength(count);
  });

  test('hands over more than was ordered, and says so', () => {
    const extra = { sku: 'GIFT-10', serials: [{ serialCode: 'EXTRA' }] };
    const { data } = Object(detail());
    const outcome = outcomeOf(detail({ status: null, orderData: [...data.orderData, extra] }));
    expect(outcome).toMatchObject({
      state: {
        status: 'delivered',
        rawStatus: '',
        attention: {
          code: 'codes_surplus',
          detail: 'WUPEX shows 3 of 3 codes, and 1 beyond what was ordered',
        },
      },
    });
    expect(outcome.kind === 'observed' && outcome.deliverables?.[3]).toMatchObject({
      position: 3,
      code: 'EXTRA',
    });
  });

  test('knows products by productCode as well', () => {
    const orderData = [
      { productCode: 'GIFT-10', serials: SERIALS.slice(0, 2).map(({ serialCode }) => ({ serialCode })) },
      { productCode: 'PLAY-25', serials: [{ serialCode: SERIALS[2].serialCode }] },
    ];
    const outcome = outcomeOf(detail({ orderData }));
    expect(outcome.kind === 'observed' && outcome.deliverables?.map(({ sku }) => sku)).toEqual([
      'GIFT-10',
      'GIFT-10',
      'PLAY-25',
    ]);
    expect(outcome).not.toHaveProperty('state.attention');
  });

  test.each([
    ['of another order', detail({ orderName: 'A1' })],
    ['without lines', detail({ orderData: undefined })],
    ['without the flag', { data: Object(detail()).data }],
    ['of HTML', '<html>'],
    ['that is empty', ''],
  ])('does not trust an answer %s', (_what, body) => {
    expect(outcomeOf(body)).toMatchObject({ kind: 'failed', code: 'unreadable_answer' });
  });

  test('takes a detail without the order’s name for the one that was asked for', () => {
    expect(outcomeOf(detail({ orderName: undefined }))).toMatchObject({
      state: { providerOrderId: ORDER_NAME },
    });
  });

  test('takes the documented 404 as missing, and any other as no answer', () => {
    expect(judge(account, get, placed(), refused(404, 'NOT_FOUND')).outcome).toMatchObject({
      kind: 'missing',
    });
    for (const answer of [
      refusedShortly(404),
      answerOf(404, '<h1>Not Found</h1>'),
      answerOf(404, { message: 'no Route' }),
    ])
      expect(judge(account, get, placed(), answer).outcome).toMatchObject({
        kind: 'failed',
        code: 'foreign_not_found',
      });
  });

  test('never waits for stock or funds', () => {
    for (const code of ['INSUFFICIENT_STOCK', 'INSUFFICIENT_BALANCE']) {
      expect(judge(account, get, placed(), refused(200, code)).outcome).toMatchObject({
        kind: 'failed',
        code,
      });
      expect(judge(account, get, placed(), refused(400, code)).outcome).toMatchObject({
        kind: 'rejected',
        code,
      });
    }
  });
});

describe('look', () => {
  const outcomeOf = (body: unknown) => judge(account, look, sent, answerOf(200, body)).outcome;

  test('searches the list for the reference', () => {
    expect(look.request(placed())).toMatchObject({
      method: 'POST',
      url: 'https://service.wupex.com/api/order/list',
    });
    expect(sentBody(look, placed())).toEqual({
      page: 1,
      pageSize: 20,
      orderColumn: 'orderDate',
      order: 'DESC',
      search: [{ column: 'ReferenceId', operator: 'Equals', value: 'shop:1001' }],
    });
  });

  test('finds the order, whose codes a read of it will bring', () => {
    expect(outcomeOf(listOf([row()]))).toEqual({
      kind: 'observed',
      state: {
        providerOrderId: ORDER_NAME,
        reference: 'shop:1001',
        status: 'in_progress',
        rawStatus: 'Completed',
        partial: true,
        sameContent: null,
        createdAt: '2026-03-02T11:00:01.000Z',
        data: { totalAmount: '42.875' },
      },
    });
  });

  test.each([
    ['spelled otherwise', { OrderName: ORDER_NAME, ReferenceId: 'shop:1001' }],
    ['with nothing else in it', { orderName: ORDER_NAME, referenceId: 'shop:1001' }],
    ['with fields of the wrong kind', row({ orderAmount: {}, orderDate: 7, status: [] })],
  ])('finds it in a row %s', (_what, fields) => {
    expect(outcomeOf(listOf([fields]))).toMatchObject({
      kind: 'observed',
      state: { providerOrderId: ORDER_NAME, reference: 'shop:1001' },
    });
  });

  test('takes a reference that came back as a number', () => {
    const work = workFor(orderView({ body: goodBody({ reference: '1001' }) }));
    const answer = answerOf(200, listOf([row({ referenceId: 1001 })]));
    expect(look.read(work, answer)).toMatchObject({ kind: 'observed', state: { reference: '1001' } });
  });

  test('matches exactly: neither case nor a longer reference', () => {
    const others = [
      row({ referenceId: 'SHOP:1001', orderName: 'A1' }),
      row({ referenceId: 'shop:10010', orderName: 'A2' }),
    ];
    expect(outcomeOf(listOf(others))).toMatchObject({ kind: 'failed', code: 'unreadable_answer' });
    expect(outcomeOf(listOf([...others, row()]))).toMatchObject({
      kind: 'observed',
      state: { providerOrderId: ORDER_NAME },
    });
  });

  test('tells of several orders of one reference, and chooses none', () => {
    const outcome = outcomeOf(listOf([row(), row({ orderName: 'A2' }), row()]));
    expect(outcome).toMatchObject({
      kind: 'done',
      states: [{ providerOrderId: ORDER_NAME }, { providerOrderId: 'A2' }],
    });
    expect(outcome.kind === 'done' && outcome.states).toHaveLength(2);
  });

  test.each([
    ['a list without rows', answerOf(200, listOf([]))],
    ['a list without rows or page', answerOf(200, { status: true, data: [] })],
    ['the documented 404', refused(404, 'NOT_FOUND')],
    ['the documented 404 under 200', refused(200, 'NOT_FOUND')],
  ])('takes %s as an absence', (_what, answer) => {
    expect(judge(account, look, sent, answer).outcome).toMatchObject({ kind: 'missing' });
  });

  test.each([
    ['rows that are counted and not shown', answerOf(200, listOf([], 3))],
    ['rows of others: the filter is being ignored', answerOf(200, listOf([row({ referenceId: 'x' })]))],
    ['rows without a reference', answerOf(200, listOf([row({ referenceId: undefined })]))],
    ['a row without a name', answerOf(200, listOf([row(), row({ orderName: null })]))],
    ['a row that is none', answerOf(200, listOf([null]))],
    ['no list', answerOf(200, { status: true, data: null })],
    ['a bare list', answerOf(200, [])],
    ['HTML', answerOf(200, '<html>')],
    ['a 404 without a code', refusedShortly(404)],
    ['a 404 of a proxy', answerOf(404, { message: 'no Route matched' })],
    ['a refusal without a code under 200', refusedShortly(200)],
    ['an error', refused(500, 'INTERNAL_ERROR')],
  ])('proves nothing by %s', (_what, answer) => {
    expect(judge(account, look, sent, answer).outcome.kind).toBe('failed');
  });

  test('never proves an absence while a row has the reference', () => {
    const others = fc.array(
      fc.record(
        { orderName: fc.string({ minLength: 1 }), referenceId: fc.jsonValue() },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(others, others, (before, after) => {
        const outcome = look.read(sent, answerOf(200, listOf([...before, row(), ...after])));
        expect(outcome?.kind).not.toBe('missing');
      }),
    );
  });
});

describe('probe', () => {
  const work = workFor();

  test('asks for the balance', () => {
    expect(probe.request(work)).toMatchObject({
      method: 'GET',
      url: 'https://service.wupex.com/api/customer/balance',
    });
  });

  test.each([
    ['bare', { balance: 10.5, credit: 0, creditBalance: 10.5 }, '10.5'],
    ['in an envelope', { status: true, data: { balance: '10.500' } }, '10.5'],
    ['of nothing', { balance: 0 }, '0'],
    ['of less than nothing', { balance: -3.25 }, '-3.25'],
  ])('proves the credentials by a balance %s', (_what, body, balance) => {
    expect(probe.read(work, answerOf(200, body))).toEqual({ kind: 'done', data: { balance } });
    expect(account.reads.balance?.read(work, answerOf(200, body))).toEqual({
      kind: 'done',
      data: { balance },
    });
  });

  test.each([
    ['HTML', '<html>'],
    ['no balance', { status: true, data: {} }],
    ['a balance that is none', { balance: 'much' }],
    ['a list', []],
  ])('does not trust %s', (_what, body) => {
    expect(probe.read(work, answerOf(200, body))).toBeNull();
  });

  test.each([
    [401, 'UNAUTHORIZED'],
    [403, 'FORBIDDEN'],
    [200, 'UNAUTHORIZED'],
  ])('says when the credentials are refused with %d %s', (status, code) => {
    expect(judge(account, probe, work, refused(status, code)).outcome).toMatchObject({
      kind: 'blocked',
      code: 'auth',
    });
  });
});

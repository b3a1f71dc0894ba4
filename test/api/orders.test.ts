import { ok, refused } from '../../src/problem.js';
import { anOrder, type TestApi, testApi } from './harness.js';

const BODY = { account: 'gelato-eu', reference: 'A-1', unknown: ['kept', { as: 'sent' }] };
const OPERATOR = 'operator:bootstrap';

let api: TestApi;

beforeAll(async () => {
  api = await testApi();
});
beforeEach(() => {
  api.calls.length = 0;
});

describe('POST /v1/orders', () => {
  test('hands the body on as it was sent, and answers 201 with the whole order and its place', async () => {
    const answer = await api.asOperator('POST', '/v1/orders', { body: BODY });
    expect(answer.status).toBe(201);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.headers.location).toBe(`/v1/orders/${anOrder.id}`);
    expect(answer.json()).toEqual(anOrder);
    expect(api.calls).toEqual([{ verb: 'submit', args: [BODY, { actor: OPERATOR, validateOnly: false }] }]);
  });

  test('answers 200 for an order that was there', async () => {
    const there = await testApi({ verbs: { submit: async () => ok({ created: false, order: anOrder }) } });
    const answer = await there.asOperator('POST', '/v1/orders', { body: BODY });
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual(anOrder);
  });

  test('with validateOnly says that the order is valid', async () => {
    const answer = await api.asOperator('POST', '/v1/orders?validateOnly=true', { body: BODY });
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ valid: true });
    expect(api.calls).toEqual([{ verb: 'submit', args: [BODY, { actor: OPERATOR, validateOnly: true }] }]);
  });

  test('takes any JSON, for the intake to judge', async () => {
    for (const text of ['null', '[]', '7', '"order"']) {
      await api.asOperator('POST', '/v1/orders', { body: text });
    }
    expect(api.calls.map(({ args }) => args[0])).toEqual([null, [], 7, 'order']);
  });

  test('ignores an Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'x' };
    expect((await api.asOperator('POST', '/v1/orders', { headers, body: BODY })).status).toBe(201);
  });
});

describe('POST /v1/orders/batch', () => {
  test('is a 207 with one result per order, each for itself', async () => {
    const wrong = refused('invalid', 'no', [{ pointer: '/items', code: 'required', detail: 'x' }]);
    const taken = refused('reference-taken', 'no');
    const mixed = await testApi({
      verbs: {
        submitMany: async () => [
          ok({ created: true, order: anOrder }),
          wrong,
          ok({ created: false, order: anOrder }),
          taken,
        ],
      },
    });
    const answer = await mixed.asOperator('POST', '/v1/orders/batch', { body: { orders: [1, 2, 3, 4] } });
    expect(answer.status).toBe(207);
    expect(answer.json()).toEqual({
      results: [
        { index: 0, status: 201, order: anOrder },
        { index: 1, status: 422, problem: wrong.problem },
        { index: 2, status: 200, order: anOrder },
        { index: 3, status: 409, problem: taken.problem },
      ],
    });
    expect(mixed.calls).toEqual([{ verb: 'submitMany', args: [[1, 2, 3, 4], OPERATOR] }]);
  });

  test.each([0, 1, 500])('takes %i orders', async (count) => {
    const answer = await api.asOperator('POST', '/v1/orders/batch', {
      body: { orders: Array(count).fill(BODY) },
    });
    expect(answer.status).toBe(207);
    expect(answer.json()).toHaveProperty('results.length', count);
  });

  test.each([
    [{ orders: Array(501).fill({}) }, '/orders', 'invalid'],
    [{ orders: {} }, '/orders', 'invalid'],
    [{}, '/orders', 'required'],
    [[], '', 'invalid'],
    [{ orders: [], atomic: true }, '/atomic', 'unknown_field'],
  ])('refuses what is no such list with a 422 (case %#)', async (body, pointer, code) => {
    const answer = await api.asOperator('POST', '/v1/orders/batch', { body });
    expect(answer.status).toBe(422);
    expect(answer.json()).toMatchObject({ errors: [{ pointer, code }] });
    expect(api.calls).toEqual([]);
  });

  test('fails as a whole when the store does not answer', async () => {
    const down = await testApi({
      verbs: {
        submitMany: async () => {
          throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' });
        },
      },
    });
    const answer = await down.asOperator('POST', '/v1/orders/batch', { body: { orders: [BODY] } });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('5');
  });
});

describe('PUT /v1/orders/:id', () => {
  test('hands the corrected body on, and answers 200', async () => {
    const answer = await api.asOperator('PUT', '/v1/orders/x', { body: BODY });
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual(anOrder);
    expect(api.calls).toEqual([{ verb: 'correct', args: ['x', BODY, OPERATOR] }]);
  });
});

describe('reading', () => {
  test('lists with every filter of the contract', async () => {
    const query =
      'account=a&reference=r%2F1&status=failed&attention=any&providerOrderId=p&email=a%40b.c&cursor=c&limit=7';
    const answer = await api.asOperator('GET', `/v1/orders?${query}`);
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ orders: [anOrder], nextCursor: 'next' });
    const filters = {
      account: 'a',
      reference: 'r/1',
      status: 'failed',
      attention: 'any',
      providerOrderId: 'p',
      email: 'a@b.c',
      cursor: 'c',
      limit: 7,
    };
    expect(api.calls).toEqual([{ verb: 'listOrders', args: [filters] }]);
  });

  test('takes an empty filter for none', async () => {
    const query = 'account=&reference=&status=&attention=&providerOrderId=&email=&cursor=&limit=';
    expect((await api.asOperator('GET', `/v1/orders?${query}`)).status).toBe(200);
    expect(api.calls).toEqual([{ verb: 'listOrders', args: [{}] }]);
  });

  test('shows one order, with the body as the shop wrote it', async () => {
    const answer = await api.asOperator('GET', `/v1/orders/${anOrder.id}`);
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual(anOrder);
  });

  test('shows the timeline', async () => {
    const answer = await api.asOperator('GET', '/v1/orders/x/timeline?limit=500');
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      timeline: [{ type: 'order.received', data: { a: [1] } }],
      nextCursor: null,
    });
    expect(api.calls).toEqual([{ verb: 'timeline', args: ['x', { limit: 500 }] }]);
  });
});

describe('verbs', () => {
  test.each([
    ['activate', 'activate'],
    ['cancel', 'cancel'],
    ['sync', 'syncOrder'],
  ])('%s is a 202 with the order, with an empty body, an empty object or none', async (path, verb) => {
    const json = { 'content-type': 'application/json' };
    for (const ask of [{}, { body: {} }, { headers: json, body: '' }]) {
      const answer = await api.asOperator('POST', `/v1/orders/x/${path}`, ask);
      expect(answer.status).toBe(202);
      expect(answer.json()).toEqual(anOrder);
    }
    expect(api.calls).toEqual(Array(3).fill({ verb, args: ['x', OPERATOR] }));
  });

  test('shipment hands on what shall change', async () => {
    const change = { shippingMethod: 'express' };
    const answer = await api.asOperator('POST', '/v1/orders/x/shipment', { body: change });
    expect(answer.status).toBe(202);
    expect(answer.json()).toEqual(anOrder);
    expect(api.calls).toEqual([{ verb: 'updateShipment', args: ['x', change, OPERATOR] }]);
  });
});

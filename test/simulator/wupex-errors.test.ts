import { accepting } from '../helpers/faults.js';
import { data, GAME, LINE, refused, rig, serials, stopAll } from './wupex-calls.js';

afterEach(stopAll);

const html = { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>Checking your browser' };

describe('pull-codes refuses', () => {
  test.each<[number, string, string, unknown]>([
    [400, 'INVALID_PAYLOAD', 'an object in place of the array', LINE],
    [400, 'INVALID_PAYLOAD', 'an object around the array', { items: [LINE] }],
    [400, 'INVALID_PAYLOAD', 'an empty array', []],
    [400, 'INVALID_PAYLOAD', 'no body', ''],
    [400, 'INVALID_PAYLOAD', 'a body that is no JSON', '[{'],
    [400, 'INVALID_PAYLOAD', 'a line that is no object', [LINE, 'GIFT-10']],
    [400, 'INVALID_PAYLOAD', 'a line that is nothing', [null]],
    [400, 'INVALID_PAYLOAD', 'a line without merchant', [{ ...LINE, merchant: undefined }]],
    [400, 'INVALID_PAYLOAD', 'a merchant that is a number', [{ ...LINE, merchant: 7 }]],
    [400, 'INVALID_PAYLOAD', 'a line without sku', [{ ...LINE, sku: undefined }]],
    [400, 'INVALID_PAYLOAD', 'a blank sku', [{ ...LINE, sku: ' ' }]],
    [400, 'INVALID_PAYLOAD', 'a line without quantity', [{ ...LINE, quantity: undefined }]],
    [400, 'INVALID_PAYLOAD', 'a quantity that is a text', [{ ...LINE, quantity: '2' }]],
    [400, 'INVALID_PAYLOAD', 'a quantity that is not whole', [{ ...LINE, quantity: 1.5 }]],
    [422, 'UNPROCESSABLE_ENTITY', 'a quantity of 0', [{ ...LINE, quantity: 0 }]],
    [422, 'UNPROCESSABLE_ENTITY', 'a negative quantity', [LINE, { ...LINE, quantity: -1 }]],
    [422, 'UNPROCESSABLE_ENTITY', 'more than the product allows', [{ ...LINE, quantity: 101 }]],
    [404, 'NOT_FOUND', 'an unknown sku', [GAME, { ...LINE, sku: 'GIFT-11' }]],
    [403, 'FORBIDDEN', 'the sku of another merchant', [{ ...LINE, merchant: 'playhub' }]],
    [403, 'FORBIDDEN', 'a product that the account is not entitled to', [{ ...GAME, sku: 'PLAY-OFF' }]],
    [400, 'INSUFFICIENT_STOCK', 'a product that is sold out', [LINE, { ...GAME, sku: 'PLAY-OUT' }]],
    [413, 'PAYLOAD_TOO_LARGE', 'a body of more than 4 MiB', JSON.stringify('x'.repeat(4 * 1024 * 1024))],
  ])('with %i %s %s', async (status, code, _what, body) => {
    const { pull, ledger, balance } = await rig({ balance: 1_000 });
    const heard = await pull('ref-1', body);
    expect([heard.status, heard.json()]).toEqual([status, refused(code)]);
    expect((await ledger()).orders).toEqual([]);
    expect((await balance()).json()).toMatchObject({ balance: 1_000 });
  });

  test('with 415 what is no JSON at all', async () => {
    const { pull } = await rig();
    const heard = await pull('ref-1', '<order/>', { headers: { 'content-type': 'text/xml' } });
    expect([heard.status, heard.json()]).toEqual([415, refused('UNSUPPORTED_MEDIA_TYPE')]);
  });

  test('with 400 a reference that is given twice', async () => {
    const { call } = await rig();
    const heard = await call('POST', '/api/order/pull-codes?referenceId=a&referenceId=b', [LINE]);
    expect([heard.status, heard.json()]).toEqual([400, refused('INVALID_PAYLOAD')]);
  });

  test('but lets unknown fields through', async () => {
    const { pull } = await rig();
    expect((await pull('ref-1', [{ ...LINE, colour: 'red' }])).status).toBe(200);
  });
});

describe('errors', () => {
  test.each([
    [400, 'INVALID_PAYLOAD'],
    [401, 'UNAUTHORIZED'],
    [403, 'FORBIDDEN'],
    [404, 'NOT_FOUND'],
    [409, 'CONFLICT'],
    [413, 'PAYLOAD_TOO_LARGE'],
    [415, 'UNSUPPORTED_MEDIA_TYPE'],
    [422, 'UNPROCESSABLE_ENTITY'],
    [429, 'TOO_MANY_REQUESTS'],
    [500, 'INTERNAL_ERROR'],
    [502, 'HTTP_502'],
    [503, 'SERVICE_UNAVAILABLE'],
    [504, 'HTTP_504'],
  ])('of status %i by a fault have the code %s', async (status, code) => {
    const { control, pull } = await rig();
    await control({ times: 1, do: { status } });
    const heard = await pull('ref-1');
    expect([heard.status, heard.json()]).toEqual([status, refused(code)]);
  });

  test('can have their message on top and no code', async () => {
    const { pull, call, control, balance } = await rig({ errorShape: 'message-on-top' });
    const shape = { status: false, message: expect.any(String) };
    expect((await pull('ref-1', [])).json()).toEqual(shape);
    expect((await call('GET', '/api/customer/balance', undefined, { key: null })).json()).toEqual(shape);
    await control({ times: 1, do: { status: 500 } });
    expect((await balance()).json()).toEqual(shape);
  });
});

describe('faults', () => {
  test.each(['submit', 'search', 'get', 'balance', 'products'])('match by the verb %s', async (verb) => {
    const { control, pull, list, detail, balance, products } = await rig();
    const operations = {
      submit: () => pull('ref-1'),
      search: () => list(),
      get: () => detail('A1'),
      balance,
      products: () => products(),
    };
    expect((await control({ match: { verb }, times: 1, do: { status: 503 } })).status).toBe(201);
    const failed = [];
    for (const [name, operation] of Object.entries(operations))
      if ((await operation()).status === 503) failed.push(name);
    expect(failed).toEqual([verb]);
  });

  test('match by reference, also where the call names the order', async () => {
    const { control, pull, place, detail, listed, list, products } = await rig();
    const name = await place('ref-1');
    const other = await place('ref-2');
    await control({ match: { reference: 'ref-1' }, times: 3, do: { status: 502 } });
    expect((await detail(other)).status).toBe(200);
    expect(await listed('ref-2')).toEqual([other]);
    expect([(await list()).status, (await products()).status]).toEqual([200, 200]);
    expect((await detail('')).status).toBe(400);
    expect((await detail(name)).status).toBe(502);
    expect(await listed('ref-1')).toEqual([]);
    expect((await pull('ref-1')).status).toBe(502);
    expect((await detail(name)).status).toBe(200);
  });

  test('can be HTML under 200, without a charge or with one', async () => {
    const { control, pull, balance, ledger } = await rig({ balance: 100 });
    await control({ times: 1, do: html });
    const nothing = await pull('ref-1');
    expect([nothing.status, nothing.headers['content-type'], nothing.text]).toEqual([
      200,
      'text/html',
      html.body,
    ]);
    expect((await balance()).json()).toMatchObject({ balance: 100 });
    await control({ times: 1, do: accepting(html) });
    expect((await pull('ref-1')).text).toBe(html.body);
    expect((await balance()).json()).toMatchObject({ balance: 81 });
    expect((await ledger()).orders).toHaveLength(1);
  });

  test('can be a success that says nothing', async () => {
    const { control, pull } = await rig();
    await control({ times: 1, do: accepting({ status: 200 }) });
    expect((await pull('ref-1')).json()).toEqual({ status: true });
  });

  test('can lose the answer of an order that was paid for, whose codes the detail still has', async () => {
    const { control, pull, listed, detail, balance } = await rig({ balance: 100 });
    await control({ match: { verb: 'submit' }, times: 1, do: accepting('drop') });
    await expect(pull('ref-1')).rejects.toThrow();
    expect((await balance()).json()).toMatchObject({ balance: 81 });
    const [name] = await listed('ref-1');
    expect(serials(await detail(String(name)))).toHaveLength(2);
  });
});

describe('what is changed by hand', () => {
  test('makes new products, and changes what is given of old ones', async () => {
    const { control, pull, products } = await rig();
    const made = await control({ sku: 'NEW-1', merchant: 'playhub', price: 5, limit: 3 }, '/product');
    expect(made.json()).toMatchObject({ productCode: 'NEW-1', price: 5, limit: 3, available: 1_000_000 });
    expect(data(await pull('ref-1', [{ ...GAME, sku: 'NEW-1' }]))).toMatchObject({ totalAmount: 5 });
    await control({ sku: 'NEW-1', enabled: false, name: 'New' }, '/product');
    expect((await pull('ref-2', [{ ...GAME, sku: 'NEW-1' }])).status).toBe(403);
    expect((await products()).json()).toMatchObject({
      data: [
        { productCode: 'NEW-1', productName: 'New', price: 5, redeemed: 1, enabled: false },
        {},
        {},
        {},
        {},
        {},
      ],
    });
  });

  test.each<[string, unknown]>([
    ['/balance', { balance: -1 }],
    ['/balance', { money: 1 }],
    ['/balance', ''],
    ['/product', { available: 1 }],
    ['/product', { sku: 'GIFT-10', available: 0.5 }],
    ['/serials', { answer: 'most' }],
    ['/serials', { lagMs: -1 }],
    ['/access', { permission: 'write' }],
    ['/access', { apiKey: '' }],
  ])('by %s is refused when it makes no sense', async (path, body) => {
    const { control, pull } = await rig();
    const heard = await control(body, path);
    expect([heard.status, heard.json()]).toEqual([400, { mistakes: [expect.any(String)] }]);
    expect((await pull('ref-1')).status).toBe(200);
  });
});

describe('the ledger', () => {
  test('lists the orders as they stand and every request', async () => {
    const { place, ledger, list, time } = await rig();
    const id = await place('a/b c');
    time.advance(1_000);
    await list();
    expect(await ledger()).toEqual({
      orders: [{ id, reference: 'a/b c', status: 'Completed', createdAt: '2026-01-01T00:00:00.000Z' }],
      requests: [
        {
          at: '2026-01-01T00:00:00.000Z',
          method: 'POST',
          path: '/api/order/pull-codes?referenceId=a%2Fb%20c',
          verb: 'submit',
          status: 200,
        },
        expect.objectContaining({ path: '/api/order/list', verb: 'search', status: 200 }),
      ],
    });
  });

  test('never holds a code, nor does the list', async () => {
    const { pull, detail, call, list, products } = await rig();
    const heard = await pull('ref-1', [LINE, GAME]);
    await detail(String(data(heard).orderName));
    const texts = [
      (await call('GET', '/_ledger', undefined, { key: null })).text,
      (await list()).text,
      (await products()).text,
    ];
    const secrets = serials(heard).flatMap(({ serialCode, serialNumber }) => [serialCode, serialNumber]);
    expect(secrets).toHaveLength(6);
    for (const secret of secrets) for (const text of texts) expect(text).not.toContain(secret);
  });
});

import {
  ACCESS_TOKEN,
  error,
  externalOrder,
  type Heard,
  REFRESH_TOKEN,
  type Rig,
  rig,
  send,
  stopAll,
} from './salla-calls.js';

afterEach(stopAll);

const START = Date.UTC(2026, 0, 1) / 1000;
const ENGLISH = { headers: { 'accept-language': 'en' } };

async function spend({ call }: Rig, count: number): Promise<number[]> {
  const statuses = [];
  for (let number = 0; number < count; number += 1) statuses.push((await call('GET', '/orders')).status);
  return statuses;
}

function limits({ headers }: Heard): unknown[] {
  return [headers['x-ratelimit-limit'], headers['x-ratelimit-remaining'], headers['x-ratelimit-reset']];
}

describe('the budget of a store', () => {
  test('is 120 calls a minute, and every answer says how it stands, in epoch seconds', async () => {
    const salla = await rig();
    const first = await salla.call('GET', '/orders');
    expect(limits(first)).toEqual(['120', '119', String(START + 60)]);
    salla.time.advance(10_000);
    expect(limits(await salla.call('GET', '/orders'))).toEqual(['120', '118', String(START + 60)]);
    expect(new Set(await spend(salla, 118))).toEqual(new Set([200]));
    // The call that used the budget up was just made; the next one leaks through a second later.
    const refused = await salla.call('GET', '/orders', undefined, ENGLISH);
    expect([refused.status, error(refused).code, refused.headers['retry-after'], ...limits(refused)]).toEqual(
      [429, 'too_many_requests', '50', '120', '0', String(START + 60)],
    );
  });

  test('lets one call a second leak through when it is used up, until the minute ends', async () => {
    const salla = await rig({ requestsPerMinute: 2 });
    expect(await spend(salla, 3)).toEqual([200, 200, 429]);
    salla.time.advance(1_000);
    expect(await spend(salla, 2)).toEqual([200, 429]);
    salla.time.advance(999);
    expect(await spend(salla, 1)).toEqual([429]);
    salla.time.advance(1);
    expect(await spend(salla, 1)).toEqual([200]);
    salla.time.advance(58_000);
    expect(await spend(salla, 3)).toEqual([200, 200, 429]);
  });

  test('can tell when the next call leaks through instead', async () => {
    const salla = await rig({ requestsPerMinute: 1, retryAfter: 'leak', leakMs: 3_000 });
    expect(await spend(salla, 1)).toEqual([200]);
    salla.time.advance(500);
    expect((await salla.call('GET', '/orders')).headers['retry-after']).toBe('3');
  });

  test('is not spent by calls without a good token, which are told of it all the same', async () => {
    const salla = await rig({ requestsPerMinute: 5 });
    for (const token of [null, 'other']) {
      const heard = await salla.call('GET', '/orders', undefined, { token });
      expect([heard.status, ...limits(heard)]).toEqual([401, '5', '5', String(START + 60)]);
    }
    expect(limits(await salla.call('GET', '/orders'))[1]).toBe('4');
  });

  test('stands on refusals, faults and paths that are none, but not on the OAuth server', async () => {
    const salla = await rig();
    await salla.fault('list', { status: 503 });
    const answers = [
      await salla.call('GET', '/orders'),
      await salla.submit('a', { products: [] }),
      await salla.call('GET', '/nothing'),
      await salla.call('POST', '/orders/external', '{'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([503, 422, 404, 400]);
    expect(answers.map((heard) => limits(heard)[1])).toEqual(['119', '118', '117', '116']);
    expect(limits(await salla.refresh(REFRESH_TOKEN))).toEqual([undefined, undefined, undefined]);
  });

  test('can be overruled by the headers of a fault', async () => {
    const salla = await rig();
    await salla.fault('list', { status: 429, headers: { 'Retry-After': '7', 'X-RateLimit-Remaining': '0' } });
    const heard = await salla.call('GET', '/orders');
    expect([heard.status, heard.headers['retry-after'], limits(heard)[1]]).toEqual([429, '7', '0']);
    expect(error(heard).code).toBe('too_many_requests');
  });
});

describe('too many errors', () => {
  const errorBlock = { errors: 3, perMs: 60_000, blockMs: 10_000 };

  test('close the store for a while with a 403, and each call within makes it longer', async () => {
    const { call, time } = await rig({ errorBlock });
    for (let number = 0; number < 3; number += 1) await call('GET', '/orders/1');
    const blocked = await call('GET', '/orders', undefined, ENGLISH);
    expect([blocked.status, blocked.json()]).toEqual([
      403,
      {
        status: 403,
        success: false,
        error: { code: 'forbidden', message: 'Access has been refused for the time being' },
      },
    ]);
    time.advance(9_999);
    expect((await call('GET', '/orders')).status).toBe(403);
    time.advance(9_999);
    expect((await call('GET', '/orders')).status).toBe(403);
    time.advance(10_000);
    expect((await call('GET', '/orders')).status).toBe(200);
  });

  test('are those within a minute: 429 and missing scopes count, faults do not', async () => {
    const salla = await rig({ errorBlock, requestsPerMinute: 3, scopes: ['orders.read'] });
    await salla.fault('list', { status: 500 });
    await salla.fault('list', { status: 429 });
    expect(await spend(salla, 2)).toEqual([500, 429]);
    expect((await salla.submit('a')).status).toBe(401);
    expect(await spend(salla, 3)).toEqual([429, 429, 403]);
    const slow = await rig({ errorBlock });
    for (let number = 0; number < 3; number += 1) {
      await slow.call('GET', '/orders/1');
      slow.time.advance(30_000);
    }
    expect((await slow.call('GET', '/orders')).status).toBe(200);
  });

  test('can be switched off, and a block can be set and lifted by hand', async () => {
    const salla = await rig({ errorBlock: false, requestsPerMinute: 1_000 });
    for (let number = 0; number < 100; number += 1) await salla.call('GET', '/orders/1');
    expect(await spend(salla, 1)).toEqual([200]);
    await salla.control('/block', { ms: 60_000 });
    expect(await spend(salla, 1)).toEqual([403]);
    await salla.control('/block', { ms: 0 });
    expect(await spend(salla, 1)).toEqual([200]);
  });
});

describe('every status of the document', () => {
  test.each([
    [400, 'bad_request'],
    [401, 'Unauthorized'],
    [403, 'forbidden'],
    [404, 'not_found'],
    [405, 'method_not_allowed'],
    [406, 'not_acceptable'],
    [410, 'gone'],
    [422, 'error'],
    [429, 'too_many_requests'],
    [500, 'server_error'],
    [503, 'service_unavailable'],
  ])('has its envelope when a fault answers %i', async (status, code) => {
    const salla = await rig();
    await salla.fault('submit', { status });
    const heard = await salla.submit('a');
    expect([heard.status, heard.json()]).toEqual([
      status,
      { status, success: false, error: { code, message: expect.any(String) } },
    ]);
    expect((await salla.ledger()).orders).toEqual([]);
  });

  test('comes about by itself where a caller can bring it about', async () => {
    const salla = await rig({ requestsPerMinute: 12 });
    const { call, place, advance } = salla;
    const id = await place('a');
    await advance('a', 'deleted');
    const pathOf = '/orders?per_page=61';
    const seen = [
      await call('GET', '/orders'),
      await call('POST', '/orders/external', externalOrder('b')),
      await call('GET', pathOf),
      await call('GET', '/orders', undefined, { token: 'other' }),
      await call('GET', '/orders/5'),
      await call('PATCH', '/orders'),
      await call('DELETE', `/orders/${id}`),
      await call('GET', '/orders', undefined, { headers: { accept: 'text/html' } }),
      await call('GET', `/orders/${id}`),
      await call('POST', '/orders', {}),
      await call('POST', '/webhooks/subscribe', { event: 'order.created', url: 'https://shop.example' }),
      await call('DELETE', '/webhooks/unsubscribe?url=https%3A%2F%2Fshop.example'),
      await call('GET', '/orders'),
      await call('GET', '/orders'),
    ];
    expect(seen.map(({ status }) => status)).toEqual([
      200, 201, 400, 401, 404, 405, 405, 406, 410, 422, 200, 202, 429, 429,
    ]);
    await salla.control('/block', { ms: 1_000 });
    expect((await call('GET', '/orders')).status).toBe(403);
  });

  test('is what a format that is accepted does not bring about', async () => {
    const { call } = await rig();
    for (const accept of ['application/json', '*/*', 'text/html, application/json;q=0.9', 'application/*']) {
      expect([(await call('GET', '/orders', undefined, { headers: { accept } })).status, accept]).toEqual([
        200,
        accept,
      ]);
    }
  });

  test('is spelled in Arabic unless English is asked for first', async () => {
    const { call } = await rig();
    const said = async (language: string) =>
      error(await call('GET', '/orders/5', undefined, { headers: { 'accept-language': language } })).message;
    expect(await said('en-US,ar;q=0.5')).toBe('The requested item was not found');
    expect(await said('ar,en')).toBe('العنصر المطلوب غير موجود');
    expect(await said('fr')).toBe('العنصر المطلوب غير موجود');
  });

  test('of a path outside the API is a 404 too', async () => {
    const { simulator } = await rig();
    const heard = await send('GET', `${simulator.url}/elsewhere`, undefined, { token: ACCESS_TOKEN });
    expect([heard.status, error(heard).code]).toEqual([404, 'not_found']);
  });
});

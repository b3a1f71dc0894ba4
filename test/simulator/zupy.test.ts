import { simulators } from '../../src/simulator/index.js';
import { customerId, REWARD } from '../../src/simulator/zupy/catalog.js';
import { fakeTime } from '../helpers/fake-time.js';
import { CUSTOMER, dataOf, KEY, problemOf, rig, send, stopAll } from './zupy-calls.js';

afterEach(stopAll);

const POINTS = `/customers/${CUSTOMER}/points/`;
const REDEEM = `/customers/${CUSTOMER}/rewards/${REWARD.dessert}/redeem/`;

describe('who is let in', () => {
  test.each([
    ['no key', null],
    ['a key that does not begin as keys do', 'pk_abcdefghijklmnopqrstuvwxyz012345'],
    ['a key that nobody knows', `${KEY}x`],
  ])('a call with %s is refused with the documented problem', async (_what, key) => {
    const { call, ledger } = await rig();
    const heard = await call('POST', REDEEM, {}, { key });
    expect(heard.status).toBe(401);
    expect(heard.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(heard.json()).toEqual({
      type: 'https://docs.zupy.com/errors#authentication-required',
      title: 'Authentication Required',
      status: 401,
      detail: expect.any(String),
      instance: `/api/v2${REDEEM}`,
    });
    expect((await ledger()).orders).toEqual([]);
  });

  test('a key in the query is no key', async () => {
    const { call } = await rig();
    const heard = await call('GET', `${POINTS}?X-API-Key=${KEY}`, undefined, { key: null });
    expect(problemOf(heard)).toEqual([401, 'authentication-required']);
    expect(heard.json()).toMatchObject({ instance: `/api/v2${POINTS}` });
  });

  test('a revoked key is refused, and another one opens at once', async () => {
    const { call, control } = await rig();
    const next = `${KEY.slice(0, -1)}9`;
    await control('/keys', { key: KEY, kind: 'revoked' });
    await control('/keys', { key: next, kind: 'read-write' });
    expect(problemOf(await call('GET', POINTS))).toEqual([401, 'authentication-required']);
    expect((await call('GET', POINTS, undefined, { key: next })).status).toBe(200);
  });

  test('a read-only key reads and writes nothing', async () => {
    const { call, control, coupons, ledger } = await rig();
    await control('/keys', { key: KEY, kind: 'read-only' });
    expect((await call('GET', POINTS)).status).toBe(200);
    expect(await coupons()).toEqual([]);
    for (const path of [
      REDEEM,
      `/customers/${CUSTOMER}/coupons/CZ-1/validate/`,
      `/customers/${CUSTOMER}/points/add/`,
    ]) {
      expect(problemOf(await call('POST', path, { amount: 1 }))).toEqual([403, 'permission-denied']);
    }
    expect((await ledger()).orders).toEqual([]);
  });

  test('a key of another company finds nothing of this one, as if it did not exist', async () => {
    const { call, control, issue, validate, coupons, redeem } = await rig();
    const code = await issue();
    await control('/keys', { key: KEY, kind: 'other-company' });
    expect(problemOf(await call('GET', POINTS))).toEqual([404, 'not-found']);
    expect(problemOf(await redeem())).toEqual([404, 'not-found']);
    expect(problemOf(await validate(code))).toEqual([404, 'not-found']);
    expect(await coupons(`?code=${code}`)).toEqual([]);
    expect(dataOf(await call('GET', '/customers/'))).toEqual([]);
    expect(dataOf(await call('GET', '/companies/'))).toEqual([]);
  });

  test('what is not on the list of partners is forbidden, and what was retired names its successor', async () => {
    const { call, simulator } = await rig();
    for (const [method, path] of [
      ['GET', '/users/'],
      ['DELETE', `/customers/${CUSTOMER}/`],
      ['GET', POINTS.slice(0, -1)],
    ] as const) {
      expect(problemOf(await call(method, path))).toEqual([403, 'permission-denied']);
    }
    const gone = await send('POST', `${simulator.url}/api/v1${REDEEM}`, {});
    expect(problemOf(gone)).toEqual([410, 'gone']);
    expect(gone.json()).toMatchObject({ detail: expect.stringContaining(`/api/v2${REDEEM}`) });
    expect(problemOf(await send('GET', `${simulator.url}/elsewhere`))).toEqual([404, 'not-found']);
  });

  test('the name of the header counts to the letter only where a gateway wants it so', async () => {
    const lower = { key: null, headers: { 'x-api-key': KEY } };
    const usual = await rig();
    expect((await usual.call('GET', POINTS, undefined, lower)).status).toBe(200);
    const strict = await rig({ strictHeaderName: true });
    expect((await strict.call('GET', POINTS, undefined, lower)).status).toBe(401);
    expect((await strict.call('GET', POINTS)).status).toBe(200);
  });
});

describe('the limit', () => {
  test('is of a minute from the first call, with headers on every answer of the application', async () => {
    const { call, time } = await rig({ requestsPerMinute: 3 });
    time.advance(10_500);
    const headersOf = (heard: Awaited<ReturnType<typeof call>>) => [
      heard.status,
      ...['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'retry-after'].map(
        (name) => heard.headers[name],
      ),
    ];
    // 2026-01-01T00:00:10.5Z and a minute, in whole seconds since the epoch.
    const reset = '1767225671';
    expect(headersOf(await call('GET', POINTS))).toEqual([200, '3', '2', reset, undefined]);
    expect(headersOf(await call('GET', '/customers/nobody/'))).toEqual([404, '3', '1', reset, undefined]);
    expect(headersOf(await call('GET', '/users/'))).toEqual([403, '3', '0', reset, undefined]);
    time.advance(20_000);
    const refused = await call('POST', REDEEM, {});
    expect(problemOf(refused)).toEqual([429, 'rate-limit-exceeded']);
    expect(headersOf(refused)).toEqual([429, '3', '0', reset, '40']);
    time.advance(39_999);
    expect((await call('GET', POINTS)).headers['retry-after']).toBe('1');
    time.advance(1);
    expect(headersOf(await call('GET', POINTS))).toEqual([200, '3', '2', '1767225731', undefined]);
  });

  test('is 60 unless told otherwise, and of each key alone; calls without one count for nobody', async () => {
    const { call, control } = await rig({ requestsPerMinute: 60 });
    await control('/keys', { key: `${KEY}2`, kind: 'read-only' });
    await call('GET', POINTS, undefined, { key: null });
    const first = await call('GET', POINTS);
    expect([first.headers['x-ratelimit-limit'], first.headers['x-ratelimit-remaining']]).toEqual([
      '60',
      '59',
    ]);
    const other = await call('GET', POINTS, undefined, { key: `${KEY}2` });
    expect(other.headers['x-ratelimit-remaining']).toBe('59');
    const nobody = await call('GET', POINTS, undefined, { key: null });
    expect(nobody.headers['x-ratelimit-remaining']).toBe('60');
  });

  test('of inbound orders is another one', async () => {
    const { call } = await rig({ requestsPerMinute: 1 });
    await call('GET', POINTS);
    const heard = await call('POST', '/webhooks/integrations/repediu/', []);
    expect([heard.status, heard.headers['x-ratelimit-limit']]).toEqual([200, '100']);
  });
});

describe('what an error looks like', () => {
  test('a name is a fragment or a path, and the media type can be the plain one', async () => {
    const { call } = await rig({ problemTypes: 'path', problemContentType: 'application/json' });
    const heard = await call('GET', '/customers/nobody/');
    expect(heard.json()).toMatchObject({ type: 'https://api.zupy.com/errors/not-found' });
    expect(heard.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  test('JSON that cannot be read is a 400', async () => {
    const { call } = await rig();
    expect(problemOf(await call('POST', REDEEM, '{'))).toEqual([400, 'validation-error']);
  });

  test.each([
    [400, 'validation-error'],
    [401, 'authentication-required'],
    [403, 'permission-denied'],
    [404, 'not-found'],
    [409, 'conflict'],
    [410, 'gone'],
    [422, 'validation-error'],
    [429, 'rate-limit-exceeded'],
    [503, 'service-unavailable'],
    [418, "i'm-a-teapot"],
  ])('a fault with status %p alone is the problem %p', async (status, name) => {
    const { call, fault } = await rig();
    await fault({ times: 1, do: { status } });
    const heard = await call('GET', POINTS);
    expect(problemOf(heard)).toEqual([status, name]);
    expect(heard.headers['x-ratelimit-limit']).toBe('1000');
    expect(heard.headers['retry-after']).toBe(status === 429 ? '60' : undefined);
  });

  test.each([500, 502, 504])(
    'a %p comes from below the application: no problem, no limit',
    async (status) => {
      const { call, fault } = await rig();
      await fault({ times: 1, do: { status } });
      const heard = await call('GET', POINTS);
      expect(heard.status).toBe(status);
      expect(heard.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(heard.text).toContain(String(status));
      expect(heard.headers['x-ratelimit-limit']).toBeUndefined();
    },
  );

  test('a fault with a body of its own is sent as it is', async () => {
    const { call, fault } = await rig();
    await fault({ times: 1, do: { status: 503, body: 'upstream connect error' } });
    const bare = await call('GET', POINTS);
    expect([bare.status, bare.text, bare.headers['content-type']]).toEqual([
      503,
      'upstream connect error',
      'text/html; charset=utf-8',
    ]);
    await fault({ times: 1, do: { status: 422, headers: { 'X-Request-Id': 'r1' }, body: { type: 'x' } } });
    const own = await call('GET', POINTS);
    expect([own.json(), own.headers['x-request-id']]).toEqual([{ type: 'x' }, 'r1']);
  });

  test('an overloaded system answers everything alike', async () => {
    const { call, settings } = await rig();
    await settings({ overloaded: true });
    expect(problemOf(await call('GET', POINTS))).toEqual([503, 'service-unavailable']);
    await settings({ overloaded: false });
    expect((await call('GET', POINTS)).status).toBe(200);
  });
});

describe('the account that fits the simulator', () => {
  test('holds its address and credentials, and a limit only where it is not the documented one', async () => {
    const { simulator } = await rig({ requestsPerMinute: 60, webhookSecret: 'whsec_1234' });
    expect(simulator.account('zupy-br')).toEqual({
      id: 'zupy-br',
      provider: 'zupy',
      config: { baseUrl: `${simulator.url}/api/v2` },
      credentials: { apiKey: KEY, webhookSecret: 'whsec_1234' },
    });
    const quick = await rig({ requestsPerMinute: 3_000 });
    expect(quick.simulator.account('a').limits).toEqual({ requests: 3_000, perMs: 60_000, concurrency: 2 });
  });

  test('lets in whoever uses it, also when the simulator made the key itself', async () => {
    const start = simulators.zupy;
    if (start === undefined) throw new Error('zupy has no simulator');
    const simulator = await start({ time: fakeTime(), requestsPerSecond: 10 });
    const { config, credentials, limits } = simulator.account('a');
    expect(credentials.apiKey).toMatch(/^zupy_pk_[A-Za-z0-9]{32}$/);
    expect(limits).toMatchObject({ requests: 600, perMs: 60_000 });
    const path = `/customers/${customerId(100)}/rewards/${REWARD.dessert}/redeem/`;
    const heard = await send('POST', String(config.baseUrl) + path, {}, { key: credentials.apiKey ?? '' });
    expect(heard.status).toBe(200);
    await simulator.close();
  });
});

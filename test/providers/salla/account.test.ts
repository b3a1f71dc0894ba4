import { salla } from '../../../src/providers/salla/index.js';
import { messages, stepsOf, workFor } from '../fixtures.js';
import { CREDENTIALS, goodBody, openAccount, shipmentBody, statusBody } from './fixtures.js';

describe('the configuration', () => {
  test('needs nothing', () => {
    expect(salla.config.parse({})).toEqual({
      baseUrl: 'https://api.salla.dev/admin/v2',
      tokenUrl: 'https://accounts.salla.sa/oauth2/token',
      mode: 'A',
      orderPath: '/orders/external',
      openPaymentStatus: 'waiting',
      completedMeans: 'in_progress',
    });
  });

  test('takes a slash off the end of a URL', () => {
    expect(salla.config.parse({ baseUrl: 'http://127.0.0.1:9/admin/v2//' })).toMatchObject({
      baseUrl: 'http://127.0.0.1:9/admin/v2',
    });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['a relative URL', { baseUrl: '/admin/v2' }, 'baseUrl: must be an absolute http or https URL'],
    ['another scheme', { tokenUrl: 'ftp://x.example/' }, 'tokenUrl: must be an absolute http or https URL'],
    [
      'a password in a URL',
      { tokenUrl: 'https://me:pass@x.example/token' },
      'tokenUrl: must not hold a user name, password, query or fragment',
    ],
    [
      'a query in a URL',
      { baseUrl: 'https://x.example/v2?' },
      'baseUrl: must not hold a user name, password, query or fragment',
    ],
  ])('refuses %s', (_what, config, message) => {
    expect(messages(salla.config, config)).toEqual([message]);
  });

  test.each([
    ['mode', 'D'],
    ['orderPath', '/orders/draft'],
    ['openPaymentStatus', 'open'],
    ['completedMeans', 'shipped'],
    ['sandbox', true],
  ])('refuses %s %j', (name, value) => {
    expect(messages(salla.config, { [name]: value })).toHaveLength(1);
  });

  test('hands out both of its URLs for the check against plain http', () => {
    expect(salla.urls({ tokenUrl: 'http://localhost:9/token' })).toEqual([
      { path: 'baseUrl', url: 'https://api.salla.dev/admin/v2' },
      { path: 'tokenUrl', url: 'http://localhost:9/token' },
    ]);
  });
});

describe('the credentials', () => {
  test.each([
    ['2026-03-16T00:00:00Z'],
    ['2026-03-16T03:00:00+03:00'],
    [1_773_619_200],
    // An environment variable is always a text.
    ['1773619200'],
  ])('take %j for the end of the access token', (expiresAt) => {
    expect(salla.credentials.parse({ ...CREDENTIALS, expiresAt })).toMatchObject({
      expiresAt: '2026-03-16T00:00:00.000Z',
    });
  });

  test('read the same when they are read again', () => {
    const once = salla.credentials.parse({ ...CREDENTIALS, expiresAt: 1_773_619_200 });
    expect(salla.credentials.parse(once)).toEqual(once);
  });

  test.each([
    ['no client id', { clientId: '' }, 'clientId'],
    ['no client secret', { clientSecret: undefined }, 'clientSecret'],
    ['an access token that would break its header', { accessToken: 'at\r\nX: 1' }, 'accessToken'],
    ['no refresh token', { refreshToken: '' }, 'refreshToken'],
    ['no time of expiry', { expiresAt: undefined }, 'expiresAt'],
    ['a time that is none', { expiresAt: 'tomorrow' }, 'expiresAt'],
    ['a time of no zone', { expiresAt: '2026-03-16T00:00:00' }, 'expiresAt'],
    ['a day', { expiresAt: '2026-03-16' }, 'expiresAt'],
    ['a time before 1970', { expiresAt: -5 }, 'expiresAt'],
    ['an empty webhook secret', { webhookSecret: '' }, 'webhookSecret'],
    ['something else', { apiKey: 'x' }, ''],
  ])('refuse %s', (_what, change, path) => {
    const found = messages(salla.credentials, { ...CREDENTIALS, ...change });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${path}: `));
  });
});

describe('an open account', () => {
  test("keeps the smallest plan's pace, and reads resets as epochs", () => {
    expect(salla.limits).toEqual({ requests: 120, perMs: 60_000, concurrency: 4 });
    expect(salla.policy.resetDialect).toBe('epoch');
    expect(openAccount().mode).toBe('live');
  });

  test.each([
    [{}, 'reference'],
    [{ orderPath: '/orders' }, 'correlation'],
    [{ mode: 'B' }, 'reference'],
    [{ mode: 'C' }, 'reference'],
  ])('with %j finds an order again by %s', (config, lookup) => {
    expect(openAccount(config).capabilities).toEqual({
      drafts: false,
      lookup,
      idempotencyKey: false,
      uniqueReference: false,
      lagMs: 30_000,
    });
  });

  test.each([
    [
      {},
      ['order', 'cancellable', 'cancel', 'update', 'get', 'look', 'look-recent', 'list', 'probe'],
      ['order'],
    ],
    [{ mode: 'B' }, ['shipment', 'cancel', 'get', 'look', 'list', 'probe'], ['shipment']],
    [{ mode: 'C' }, ['current', 'status', 'get', 'look-status', 'probe'], ['status']],
  ])('with %j has the steps %j, of which only %j may not be repeated', (config, names, once) => {
    const steps = stepsOf(openAccount(config));
    expect(steps.map(({ name }) => name)).toEqual(names);
    expect(steps.filter(({ repeatable }) => !repeatable).map(({ name }) => name)).toEqual(once);
    expect(steps.filter(({ writes }) => writes).map(({ name }) => name)).toEqual(
      names.filter((name) => ['order', 'cancel', 'update', 'shipment', 'status'].includes(name)),
    );
  });

  test('has no verb that its mode does not have', () => {
    expect(Object.keys(openAccount().verbs)).toEqual(['submit', 'cancel', 'update']);
    expect(Object.keys(openAccount({ mode: 'B' }).verbs)).toEqual(['submit', 'cancel']);
    expect(Object.keys(openAccount({ mode: 'C' }).verbs)).toEqual(['submit']);
  });

  test('calls one at a time for an order of the store, or for a customer whose orders could be confused', () => {
    expect(openAccount().serialKey).toBeUndefined();
    const correlated = openAccount({ orderPath: '/orders' });
    expect(correlated.serialKey?.(goodBody())).toBe('customer:966501234567');
    expect(correlated.serialKey?.(goodBody({ customer: { id: '77' } }))).toBe('customer:77');
    expect(openAccount({ mode: 'B' }).serialKey?.(shipmentBody())).toBe('order:1017120475');
    const numbered = statusBody({ options: { orderId: 1017120475, statusSlug: 'shipped' } });
    expect(openAccount({ mode: 'C' }).serialKey?.(numbered)).toBe('order:1017120475');
  });
});

describe('every request', () => {
  const probe = openAccount().reads.probe;

  test('carries the access token of the moment, and asks for JSON in English', () => {
    expect(probe.request(workFor(undefined, { accessToken: 'at-9' }))).toEqual({
      method: 'GET',
      url: 'https://api.salla.dev/admin/v2/orders?per_page=1',
      headers: { Accept: 'application/json', 'Accept-Language': 'en', Authorization: 'Bearer at-9' },
    });
  });

  test('falls back to the access token of the accounts file', () => {
    expect(probe.request(workFor()).headers.Authorization).toBe('Bearer at-1');
  });
});

import { zupy } from '../../../src/providers/zupy/index.js';
import { messages, stepsOf } from '../fixtures.js';
import { CUSTOMER, goodBody, KEY, openAccount, REWARD } from './fixtures.js';

describe('the configuration', () => {
  test('needs nothing: the public address is the default', () => {
    expect(zupy.config.parse({})).toEqual({ baseUrl: 'https://api.zupy.com/api/v2' });
    expect(zupy.urls({})).toEqual([{ path: 'baseUrl', url: 'https://api.zupy.com/api/v2' }]);
  });

  test('takes another address, with or without slashes at its end', () => {
    expect(zupy.config.parse({ baseUrl: 'http://127.0.0.1:4000/api/v2//' })).toEqual({
      baseUrl: 'http://127.0.0.1:4000/api/v2',
    });
  });

  test.each([
    ['a relative URL', 'api/v2', 'baseUrl: must be an absolute http or https URL'],
    ['another scheme', 'ftp://api.zupy.com', 'baseUrl: must be an absolute http or https URL'],
    [
      'a password',
      'https://me:pass@api.zupy.com',
      'baseUrl: must not hold a user name, password, query or fragment',
    ],
    [
      'a query, where the key might be put by mistake',
      'https://api.zupy.com/?X-API-Key=1',
      'baseUrl: must not hold a user name, password, query or fragment',
    ],
  ])('refuses %s', (_what, baseUrl, message) => {
    expect(messages(zupy.config, { baseUrl })).toEqual([message]);
  });

  test('refuses settings that it does not know', () => {
    expect(messages(zupy.config, { apiUrl: 'https://api.zupy.com' }).join()).toContain('apiUrl');
  });
});

describe('the credentials', () => {
  test('are a key, and the secret of webhooks where there are any', () => {
    expect(messages(zupy.credentials, { apiKey: KEY })).toEqual([]);
    expect(messages(zupy.credentials, { apiKey: KEY, webhookSecret: 'whsec_1' })).toEqual([]);
  });

  test.each([
    ['a key without its prefix, which Zupy calls malformed', { apiKey: 'abcdef' }, 'apiKey'],
    ['a key that ends with a line break', { apiKey: `${KEY}\n` }, 'apiKey'],
    ['no key', {}, 'apiKey'],
    ['an empty webhook secret', { apiKey: KEY, webhookSecret: '' }, 'webhookSecret'],
  ])('refuse %s', (_what, value, path) => {
    const found = messages(zupy.credentials, value);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${path}: `));
  });
});

describe('the open account', () => {
  const account = openAccount();

  test('is live, paced to the documented 60 requests a minute, and found by correlation only', () => {
    expect(account.mode).toBe('live');
    expect(zupy.limits).toEqual({ requests: 60, perMs: 60_000, concurrency: 2 });
    expect(account.capabilities).toEqual({
      drafts: true,
      lookup: 'correlation',
      idempotencyKey: false,
      uniqueReference: false,
      lagMs: 30_000,
    });
  });

  test('has neither a cancel nor an update, and a list that is walked', () => {
    expect(Object.keys(account.verbs)).toEqual(['submit', 'activate']);
    expect(account.reads.list).toMatchObject({ pageSize: 100, walked: true });
  });

  test('has steps of different names, of which only calls that redeem or use once more may not be repeated', () => {
    const steps = stepsOf(account);
    expect(steps.map(({ name }) => name)).toEqual([
      'points',
      'coupons',
      'redeem',
      'remaining',
      'validate-multi',
      'validate',
      'get',
      'look',
      'look-points',
      'list',
      'probe',
      'request-otp',
      'verify-otp',
    ]);
    const named = (property: 'writes' | 'repeatable', value: boolean) =>
      steps.filter((step) => step[property] === value).map(({ name }) => name);
    expect(named('repeatable', false)).toEqual(['redeem', 'validate-multi', 'request-otp', 'verify-otp']);
    expect(named('writes', true)).toEqual([
      'redeem',
      'validate-multi',
      'validate',
      'request-otp',
      'verify-otp',
    ]);
  });

  test('uses the coupon after the redeem only where the shop asks for it, and later when it likes', () => {
    const { activation } = account;
    expect(
      [true, false, undefined].map((activate) => activation?.follows(goodBody({ activate }), 'submitted')),
    ).toEqual([true, false, false]);
    expect(activation?.from).toEqual(['submitted', 'in_progress']);
  });

  test('calls the orders of one customer and reward one at a time', () => {
    expect(account.serialKey?.(goodBody())).toBe(`${CUSTOMER}/${REWARD}`);
  });
});

import { wupex } from '../../../src/providers/wupex/index.js';
import { messages } from '../fixtures.js';
import { goodBody, openAccount } from './fixtures.js';

describe('the configuration', () => {
  test('may be empty, and then means production', () => {
    expect(wupex.config.parse({})).toEqual({
      baseUrl: 'https://service.wupex.com',
      insufficientBalanceCodes: ['INSUFFICIENT_BALANCE'],
    });
  });

  test.each([
    ['https://sandbox-service.wupex.com/', 'https://sandbox-service.wupex.com'],
    ['http://127.0.0.1:4100', 'http://127.0.0.1:4100'],
    ['https://gateway.example.com/wupex//', 'https://gateway.example.com/wupex'],
  ])('takes the URL %s as %s', (baseUrl, kept) => {
    expect(wupex.config.parse({ baseUrl })).toMatchObject({ baseUrl: kept });
    expect(wupex.urls({ baseUrl })).toEqual([{ path: 'baseUrl', url: kept }]);
  });

  test.each([
    ['a relative URL', { baseUrl: '/api' }, 'baseUrl: must be an absolute http or https URL'],
    ['another scheme', { baseUrl: 'ftp://example.com' }, 'baseUrl: must be an absolute http or https URL'],
    [
      'a URL that is none',
      { baseUrl: 'https://exa mple.com' },
      'baseUrl: must be an absolute http or https URL',
    ],
    [
      'a password in the URL',
      { baseUrl: 'https://me:pass@example.com' },
      'baseUrl: must not hold a user name, password, query or fragment',
    ],
    [
      'a query',
      { baseUrl: 'https://example.com?' },
      'baseUrl: must not hold a user name, password, query or fragment',
    ],
  ])('refuses %s', (_what, config, message) => {
    expect(messages(wupex.config, config)).toEqual([message]);
  });

  test.each([
    ['an unknown setting', { key: 'x' }],
    ['codes that are no list', { insufficientBalanceCodes: 'NO_MONEY' }],
    ['an empty code', { insufficientBalanceCodes: [' '] }],
  ])('refuses %s', (_what, config) => {
    expect(messages(wupex.config, config)).toHaveLength(1);
  });

  test('may name no code for the lack of money', () => {
    expect(messages(wupex.config, { insufficientBalanceCodes: [] })).toEqual([]);
  });
});

describe('the credentials', () => {
  test.each([
    ['none', {}],
    ['an empty key', { apiKey: '' }],
    ['a key with a line break at its end', { apiKey: 'key\n' }],
    ['a secret that WUPEX does not have', { apiKey: 'key', apiSecret: 'x' }],
  ])('refuse %s', (_what, credentials) => {
    expect(messages(wupex.credentials, credentials)).toHaveLength(1);
  });

  test('are one key', () => {
    expect(messages(wupex.credentials, { apiKey: 'wpx_1:2/3' })).toEqual([]);
  });
});

describe('the open account', () => {
  test.each([
    ['https://service.wupex.com', 'live'],
    ['https://sandbox-service.wupex.com', 'test'],
    ['https://sandbox-service.wupex.com.example.com', 'live'],
    ['http://127.0.0.1:4100', 'live'],
  ])('at %s is %s', (baseUrl, mode) => {
    expect(openAccount({ baseUrl }).mode).toBe(mode);
  });

  test('is found by reference, holds no drafts and can undo nothing', () => {
    const account = openAccount();
    expect(account.capabilities).toEqual({
      drafts: false,
      lookup: 'reference',
      idempotencyKey: false,
      uniqueReference: false,
      lagMs: 30_000,
    });
    expect(Object.keys(account.verbs)).toEqual(['submit']);
    expect(account.reads.list).toBeUndefined();
    expect(account.validateUpdate).toBeUndefined();
    expect(wupex.limits).toEqual({ requests: 5, perMs: 1_000, concurrency: 2 });
  });

  test('has steps of different names, and only the submit writes, once', () => {
    const { verbs, reads } = openAccount();
    const steps = [...verbs.submit, reads.get, reads.look, reads.probe];
    expect(steps.map((step) => [step?.name, step?.writes, step?.repeatable])).toEqual([
      ['submit', true, false],
      ['get', false, true],
      ['look', false, true],
      ['probe', false, true],
    ]);
  });

  test('calls orders of one reference one at a time', () => {
    expect(openAccount().serialKey?.(goodBody())).toBe('shop:1001');
  });
});

import { gelatoConnect } from '../../../src/providers/gelato-connect/index.js';
import { messages } from '../fixtures.js';
import { CONFIG, CREDENTIALS, openAccount } from './fixtures.js';

describe('the configuration', () => {
  test('takes the five URLs and fills in the defaults', () => {
    expect(gelatoConnect.config.parse(CONFIG)).toEqual({
      ...CONFIG,
      webhookHeader: 'X-Packline-Secret',
      preventDuplicate: true,
    });
  });

  test.each([
    ['a relative URL', { submitUrl: '/order' }, 'submitUrl: must be an absolute http or https URL'],
    ['another scheme', { getUrl: 'ftp://example.com/{id}' }, 'getUrl: must be an absolute http or https URL'],
    [
      'a URL that cannot be parsed',
      { submitUrl: 'https://exa mple.com' },
      'submitUrl: must be an absolute http or https URL',
    ],
    [
      'a missing {id}',
      { cancelUrl: 'https://example.com/cancel' },
      'cancelUrl: must hold {id} where the order goes',
    ],
    ['an {id} where none goes', { searchUrl: 'https://example.com/{id}' }, 'searchUrl: must not hold {id}'],
    [
      'an {id} in the host',
      { getUrl: 'https://{id}.example.com/' },
      'getUrl: must hold {id} after the host only',
    ],
    [
      'another placeholder, forgotten when copying',
      { submitUrl: 'https://example.com/{partner-prefix}/order' },
      'submitUrl: must hold no placeholder but {id}',
    ],
    [
      'a password in the URL',
      { submitUrl: 'https://me:pass@example.com/order' },
      'submitUrl: must not hold a user name or password',
    ],
    ['a fragment', { submitUrl: 'https://example.com/order#x' }, 'submitUrl: must not hold a fragment'],
    ['a header name with a space', { webhookHeader: 'X Secret' }, 'webhookHeader: must be a header name'],
    [
      'a customer reference that would break the header',
      { customerReferenceId: 'a\r\nb' },
      'customerReferenceId: must be visible ASCII characters without spaces',
    ],
  ])('refuses %s', (_what, change, message) => {
    expect(messages(gelatoConnect.config, { ...CONFIG, ...change })).toEqual([message]);
  });

  test('names every missing URL at once, and refuses unknown settings', () => {
    const found = messages(gelatoConnect.config, { baseUrl: 'https://example.com' });
    expect(found).toHaveLength(6);
    expect(found.join('\n')).toContain('baseUrl');
  });

  test('hands out each of its URLs for the check against plain http', () => {
    const config = { ...CONFIG, activateUrl: 'http://localhost:9/{id}' };
    expect(gelatoConnect.urls(config)).toContainEqual({
      path: 'activateUrl',
      url: 'http://localhost:9/{id}',
    });
    expect(gelatoConnect.urls(config)).toHaveLength(6);
    expect(gelatoConnect.urls(CONFIG)).toHaveLength(5);
  });
});

describe('the credentials', () => {
  test('may have colons in the secret', () => {
    expect(messages(gelatoConnect.credentials, CREDENTIALS)).toEqual([]);
  });

  test.each([
    ['an empty key', { apiKey: '' }, 'apiKey'],
    ['a key with a colon, which would end it early', { apiKey: 'a:b' }, 'apiKey'],
    ['a secret with a line break at its end', { apiSecret: 'secret\n' }, 'apiSecret'],
    ['an empty webhook secret', { webhookSecret: '' }, 'webhookSecret'],
  ])('refuse %s', (_what, change, path) => {
    const found = messages(gelatoConnect.credentials, { ...CREDENTIALS, ...change });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${path}: `));
  });
});

describe('the open account', () => {
  test('is live, paced to the documented 100 requests a second, and found by reference', () => {
    const account = openAccount();
    expect(account.mode).toBe('live');
    expect(gelatoConnect.limits).toEqual({ requests: 100, perMs: 1000, concurrency: 20 });
    expect(account.capabilities).toEqual({
      drafts: false,
      lookup: 'reference',
      idempotencyKey: false,
      uniqueReference: false,
      lagMs: 5000,
    });
    expect(account.reads.list?.pageSize).toBe(100);
  });

  test('has drafts and an activate verb only where activateUrl is configured', () => {
    expect(openAccount().verbs.activate).toBeUndefined();
    const account = openAccount({ activateUrl: 'https://api.example.com/order/{id}' });
    expect(account.capabilities.drafts).toBe(true);
    expect(account.verbs.activate).toHaveLength(1);
  });

  test('has steps of different names, and only the submit may not be repeated', () => {
    const { verbs, reads } = openAccount({ activateUrl: 'https://api.example.com/order/{id}' });
    const writes = Object.values(verbs).flat();
    const readSteps = [reads.get, reads.look, reads.list?.step, reads.probe];
    const steps = [...writes, ...readSteps].filter((step) => step !== undefined);
    expect(steps.map(({ name }) => name)).toEqual([
      'submit',
      'activate',
      'cancel',
      'update',
      'get',
      'look',
      'search',
      'probe',
    ]);
    expect(steps.filter(({ repeatable }) => !repeatable).map(({ name }) => name)).toEqual(['submit']);
    expect(writes.every((step) => step.writes)).toBe(true);
    expect(readSteps.every((step) => step?.writes === false)).toBe(true);
  });
});

import { advanceStatus, wasal } from '../../../src/providers/wasal/index.js';
import { messages, stepsOf } from '../fixtures.js';
import { goodBody, LIVE_KEY, openAccount, TEST_KEY } from './fixtures.js';

const KUWAIT = { timezone: 'Asia/Kuwait', days: { mon: ['09:00', '18:00'], fri: ['16:00', '02:00'] } };

describe('the configuration', () => {
  test('is complete when empty', () => {
    expect(wasal.config.parse({})).toEqual({
      baseUrl: 'https://www.wasal.org/api/v1',
      activatePath: '/order/{id}/activate',
      packagePhotoField: 'packagePhoto',
    });
  });

  test('takes everything that can be told', () => {
    const all = {
      baseUrl: 'https://wasal.example.com/api/v1',
      activatePath: '/drafts/{id}/go',
      openingHours: KUWAIT,
      packagePhotoField: 'photoUrl',
      packageSides: ['small', 'large'],
      draftField: 'status',
    };
    expect(wasal.config.parse(all)).toEqual(all);
  });

  test('forgives a slash at the end of the base URL, and opening hours without a time zone', () => {
    expect(
      wasal.config.parse({ baseUrl: 'http://127.0.0.1:9/api/v1//', openingHours: { days: KUWAIT.days } }),
    ).toMatchObject({ baseUrl: 'http://127.0.0.1:9/api/v1', openingHours: KUWAIT });
  });

  test.each([
    ['a relative base URL', { baseUrl: '/api' }, 'baseUrl: must be an absolute http or https URL'],
    [
      'a password in the base URL',
      { baseUrl: 'https://me:pass@wasal.org' },
      'baseUrl: must not hold a user name, password, query or fragment',
    ],
    [
      'a query in the base URL',
      { baseUrl: 'https://wasal.org/?a=1' },
      'baseUrl: must not hold a user name, password, query or fragment',
    ],
    [
      'an activation path without an id',
      { activatePath: '/order/activate' },
      "activatePath: must hold {id} where the order's id goes",
    ],
    [
      'an activation path that is a URL',
      { activatePath: 'https://x/{id}' },
      'activatePath: must be a path that begins with / and holds neither ? nor #',
    ],
    [
      'a photo field that an order has anyway',
      { packagePhotoField: 'items' },
      'packagePhotoField: must not be a field that an order has anyway',
    ],
    [
      'a photo field that is no name',
      { packagePhotoField: 'package photo' },
      'packagePhotoField: must be the name of a field',
    ],
    [
      'a time zone that is none',
      { openingHours: { timezone: 'Kuwait/City', days: KUWAIT.days } },
      'openingHours.timezone: must be an IANA time zone such as Asia/Kuwait',
    ],
    [
      'a week without hours',
      { openingHours: { days: {} } },
      'openingHours.days: must give the hours of at least one day',
    ],
    [
      'a time that is none',
      { openingHours: { days: { mon: ['9:00', '18:00'] } } },
      'openingHours.days.mon.0: must be a time of day as HH:MM',
    ],
  ])('refuses %s', (_what, config, message) => {
    expect(messages(wasal.config, config)).toEqual([message]);
  });

  test('refuses settings that it does not know', () => {
    expect(messages(wasal.config, { baseURL: 'https://x' })).toHaveLength(1);
    expect(messages(wasal.config, { openingHours: { days: { monday: ['09:00', '18:00'] } } })).not.toEqual(
      [],
    );
  });

  test('hands out its URL for the check against plain http', () => {
    expect(wasal.urls({ baseUrl: 'http://localhost:9' })).toEqual([
      { path: 'baseUrl', url: 'http://localhost:9' },
    ]);
  });
});

describe('the credentials', () => {
  test.each([LIVE_KEY, TEST_KEY])('take the key %s', (apiKey) => {
    expect(messages(wasal.credentials, { apiKey, webhookSecret: 'whsec_x' })).toEqual([]);
  });

  test.each(['', 'pk_live_', 'pk_prod_abc', 'wc_abc', ' pk_live_abc', 'pk_live_abc\n', 'pk_live_a b'])(
    'refuse the key %j',
    (apiKey) => {
      expect(messages(wasal.credentials, { apiKey })).toEqual([
        'apiKey: must begin with pk_live_ (production) or pk_test_ (sandbox)',
      ]);
    },
  );

  test('refuse an empty webhook secret', () => {
    expect(messages(wasal.credentials, { apiKey: LIVE_KEY, webhookSecret: '' })).toHaveLength(1);
  });
});

describe('the open account', () => {
  test('is live or test by its key, and paced to the documented 600 requests in 15 minutes', () => {
    expect(openAccount().mode).toBe('live');
    expect(openAccount({}, TEST_KEY).mode).toBe('test');
    expect(wasal.limits).toEqual({ requests: 600, perMs: 900_000, concurrency: 4 });
  });

  test('is found by reference, and holds drafts only where it is configured how to ask for one', () => {
    expect(openAccount().capabilities).toEqual({
      drafts: false,
      lookup: 'reference',
      idempotencyKey: false,
      uniqueReference: false,
      lagMs: 5_000,
    });
    expect(openAccount({ draftField: 'draft' }).capabilities.drafts).toBe(true);
  });

  test('has steps of different names, of which only the order may not be repeated', () => {
    const steps = stepsOf(openAccount());
    expect(steps.map(({ name, writes, repeatable }) => [name, writes, repeatable])).toEqual([
      ['customer', true, true],
      ['customer-get', false, true],
      ['address', true, true],
      ['address-sixth', true, true],
      ['address-replace', true, true],
      ['order', true, false],
      ['activate', true, true],
      ['cancel', true, true],
      ['get', false, true],
      ['look', false, true],
      ['look-cancelled', false, true],
      ['list', false, true],
      ['probe', false, true],
    ]);
    expect(openAccount().reads.list?.pageSize).toBe(100);
    expect(openAccount().verbs).not.toHaveProperty('update');
  });
});

describe('an activation that follows a submit', () => {
  /** The contract hands over the body alone today; what became of the submit is the second. */
  const follows = (account = openAccount()): ((body: unknown, status?: string) => boolean) => {
    const { activation } = account;
    if (activation === undefined) throw new Error('there is no activation');
    return (...told) => Reflect.apply(activation.follows, activation, told);
  };

  test('is for drafts that nobody asked for', () => {
    expect(follows()(goodBody(), 'draft')).toBe(true);
    expect(follows()(goodBody(), 'submitted')).toBe(false);
    expect(follows()(goodBody())).toBe(false);
    expect(openAccount().activation?.from).toEqual(['draft']);
  });

  test('is for the held order that was released, where the account cannot ask for drafts', () => {
    const held = goodBody({ activate: false });
    expect(follows()(held, 'draft')).toBe(true);
    expect(follows(openAccount({ draftField: 'status' }))(held, 'draft')).toBe(false);
  });
});

test('a sandbox order is moved by a request of its own', () => {
  const account = { baseUrl: 'https://www.wasal.org/api/v1', apiKey: TEST_KEY };
  expect(advanceStatus(account, 'a/b', 'picked_up')).toEqual({
    method: 'PUT',
    url: 'https://www.wasal.org/api/v1/integration/merchant/sandbox/order/a%2Fb/advance-status',
    headers: {
      Accept: 'application/json',
      Authorization: 'Bearer pk_test_abc',
      'Content-Type': 'application/json',
    },
    body: '{"status":"picked_up"}',
  });
});

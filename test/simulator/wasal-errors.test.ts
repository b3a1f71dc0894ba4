import {
  ADDRESS,
  data,
  LIVE,
  OTHER,
  order,
  type Rig,
  refused,
  rig,
  SANDBOX,
  send,
  stopAll,
  told,
} from './wasal-calls.js';

afterEach(stopAll);

const NOBODY = 'ffffffffffffffffffffffff';

function invalid(errors: Record<string, string>): unknown[] {
  return refused(400, 'VALIDATION_FAILED', { errors });
}

describe('who is let in', () => {
  test.each<[string, string, string | null, Record<string, string>]>([
    ['MISSING_API_KEY', 'no Authorization header', null, {}],
    ['MISSING_API_KEY', 'another scheme', null, { authorization: 'Basic cGtfbGl2ZV90ZXN0' }],
    ['MISSING_API_KEY', 'an empty key', null, { authorization: 'Bearer ' }],
    ['INVALID_API_KEY_FORMAT', 'a key of another prefix', 'sk_live_test', {}],
    ['INVALID_API_KEY_FORMAT', 'a WooCommerce key', 'wc_test', {}],
    ['INVALID_API_KEY', 'a production key that nobody has', 'pk_live_unknown', {}],
    ['INVALID_API_KEY', 'a sandbox key that nobody has', 'pk_test_unknown', {}],
  ])('a 401 %s is the answer to %s', async (code, _what, key, headers) => {
    const { call } = await rig();
    expect(told(await call('GET', '/order', undefined, { key, headers }))).toEqual(refused(401, code));
    expect(told(await call('GET', '/nowhere', undefined, { key, headers }))).toEqual(refused(401, code));
  });

  test('a replaced key is invalid at once, and its successor valid', async () => {
    const { control, list, simulator } = await rig();
    expect((await control({ live: 'pk_live_fresh' }, '/keys')).status).toBe(200);
    expect(told(await list('', { key: LIVE }))).toEqual(refused(401, 'INVALID_API_KEY'));
    expect((await list('', { key: 'pk_live_fresh' })).status).toBe(200);
    expect((await list('', { key: SANDBOX })).status).toBe(200);
    expect(simulator.account('any').credentials.apiKey).toBe('pk_live_fresh');
  });

  test('a 403 MERCHANT_INACTIVE is the answer to a deactivated account', async () => {
    const { control, list } = await rig();
    await control({ active: false }, '/merchant');
    expect(told(await list())).toEqual(refused(403, 'MERCHANT_INACTIVE'));
    expect((await list('', { key: OTHER })).status).toBe(200);
    await control({ active: true }, '/merchant');
    expect((await list()).status).toBe(200);
  });

  test('a call that waits while its key is replaced is refused', async () => {
    const { control, list, time } = await rig();
    await control({ times: 1, do: { delayMs: 1_000 } });
    const waiting = list();
    await time.whenAsleep();
    await control({ live: 'pk_live_fresh' }, '/keys');
    time.advance(1_000);
    expect(told(await waiting)).toEqual(refused(401, 'INVALID_API_KEY'));
  });
});

describe('the limit', () => {
  const limits = (heard: { headers: Record<string, unknown> }) =>
    ['limit', 'remaining', 'reset'].map((name) => heard.headers[`ratelimit-${name}`]);

  test('is 600 calls in a window of 15 minutes that begins with the first', async () => {
    const { list, time } = await rig();
    time.advance(100_000);
    expect(limits(await list())).toEqual(['600', '599', '900']);
    time.advance(1_500);
    expect(limits(await list())).toEqual(['600', '598', '899']);
    for (let call = 0; call < 598; call += 1) await list();
    const refusedCall = await list();
    expect(told(refusedCall)).toEqual(refused(429, 'RATE_LIMITED'));
    expect(limits(refusedCall)).toEqual(['600', '0', '899']);
    expect(refusedCall.headers['retry-after']).toBeUndefined();
    time.advance(898_499);
    expect(limits(await list())).toEqual(['600', '0', '1']);
    time.advance(1);
    expect(limits(await list())).toEqual(['600', '599', '900']);
  });

  test('counts for each key alone', async () => {
    const { list } = await rig({ requestsPerWindow: 1 });
    for (const key of [LIVE, SANDBOX, OTHER]) {
      expect((await list('', { key })).status).toBe(200);
      expect((await list('', { key })).status).toBe(429);
    }
  });

  test('is told on every answer, refusals, faults, unknown and public paths included', async () => {
    const { call, control, list, submit } = await rig();
    expect(limits(await call('GET', '/order', undefined, { key: null }))).toEqual(['600', '600', '900']);
    expect(limits(await call('GET', '/order', undefined, { key: 'pk_live_unknown' }))).toEqual([
      '600',
      '600',
      '900',
    ]);
    expect(limits(await call('GET', '/governorate-area', undefined, { key: null }))).toEqual([
      '600',
      '600',
      '900',
    ]);
    expect(limits(await call('GET', '/nowhere'))).toEqual(['600', '599', '900']);
    expect(limits(await call('POST', '/order', '{'))).toEqual(['600', '598', '900']);
    await control({ times: 1, do: { status: 500 } });
    expect(limits(await list())).toEqual(['600', '597', '900']);
    await control({ times: 1, do: { status: 429, headers: { 'RateLimit-Reset': '7' } } });
    expect(limits(await list())).toEqual(['600', '596', '7']);
    expect(limits(await submit())[0]).toBe('600');
  });

  test('can be used up by hand, with a window that ends sooner', async () => {
    const { control, list, time } = await rig();
    expect((await control({ remaining: 1, resetSeconds: 30 }, '/limit')).status).toBe(200);
    expect(limits(await list())).toEqual(['600', '0', '30']);
    expect((await list()).status).toBe(429);
    time.advance(30_000);
    expect(limits(await list())).toEqual(['600', '599', '900']);
    await control({ remaining: 0 }, '/limit');
    expect(limits(await list())).toEqual(['600', '0', '900']);
  });

  test('may be refused in plain text', async () => {
    const { list } = await rig({ requestsPerWindow: 1, plainText429: true });
    await list();
    const heard = await list();
    expect([heard.status, heard.headers['content-type']]).toEqual([429, 'text/plain']);
    expect(() => heard.json()).toThrow();
  });
});

describe('a customer is refused', () => {
  test.each<[string, string, unknown, Record<string, string>]>([
    ['a creation', '', {}, { name: 'name is required', phoneNumber: 'phoneNumber is required' }],
    [
      'a creation',
      '',
      { name: 7, phoneNumber: 'call me', email: '@' },
      {
        name: 'name must be a string',
        phoneNumber: 'phoneNumber must be a phone number',
        email: 'email must be an email address',
      },
    ],
    [
      'a creation',
      '',
      { name: 'N', phoneNumber: '50001234', addresses: [{}, 'Home'] },
      {
        'addresses.0.label': 'label is required',
        'addresses.1': 'addresses.1 must be an object',
        'addresses.1.label': 'label is required',
      },
    ],
    ['a creation', '', [], { body: 'The body must be a JSON object' }],
    ['a creation', '', '{', { body: 'The body is not valid JSON' }],
    ['an upsert', '/upsert', { name: 'N' }, { phoneNumber: 'phoneNumber is required' }],
    ['an upsert', '/upsert', { phoneNumber: '50001234' }, { name: 'name is required for a new customer' }],
  ])('%s at %p with 400 VALIDATION_FAILED: %j', async (_what, path, body, errors) => {
    const { call } = await rig();
    expect(told(await call('POST', `/customer${path}`, body))).toEqual(invalid(errors));
  });

  test('with 404 CUSTOMER_NOT_FOUND when it does not exist or is linked to another merchant', async () => {
    const { call, customer } = await rig();
    const id = await customer();
    const notFound = refused(404, 'CUSTOMER_NOT_FOUND');
    for (const [name, key] of [
      [NOBODY, LIVE],
      [id, OTHER],
    ] as const) {
      expect(told(await call('GET', `/customer/${name}`, undefined, { key }))).toEqual(notFound);
      expect(told(await call('DELETE', `/customer/${name}`, undefined, { key }))).toEqual(notFound);
      expect(told(await call('POST', `/customer/${name}/address`, ADDRESS, { key }))).toEqual(notFound);
      expect(told(await call('PUT', `/customer/${name}/address/1`, ADDRESS, { key }))).toEqual(notFound);
      expect(told(await call('POST', '/order', order(name), { key }))).toEqual(notFound);
    }
    expect((await call('GET', `/customer/${id}`, undefined, { key: SANDBOX })).status).toBe(200);
  });

  test('with 409 CUSTOMER_PHONE_DUPLICATE when the merchant has the phone number', async () => {
    const { call, customer } = await rig();
    await customer('50001234');
    const body = { name: 'N', phoneNumber: '50001234' };
    expect(told(await call('POST', '/customer', body))).toEqual(refused(409, 'CUSTOMER_PHONE_DUPLICATE'));
    expect((await call('POST', '/customer', body, { key: OTHER })).status).toBe(201);
  });

  test('with 409 CUSTOMER_EMAIL_DUPLICATE when another customer has the email address', async () => {
    const { call } = await rig();
    const email = 'n@shop.example';
    await call('POST', '/customer', { name: 'N', phoneNumber: '50001234', email });
    const duplicate = refused(409, 'CUSTOMER_EMAIL_DUPLICATE');
    const other = { name: 'M', phoneNumber: '50005678', email: 'N@SHOP.example' };
    expect(told(await call('POST', '/customer', other))).toEqual(duplicate);
    expect(told(await call('POST', '/customer/upsert', other))).toEqual(duplicate);
    const { email: _left, ...without } = other;
    expect((await call('POST', '/customer/upsert', without)).status).toBe(201);
    expect(told(await call('POST', '/customer/upsert', other))).toEqual(duplicate);
  });

  test('to be deleted with 409 CUSTOMER_HAS_ORDERS', async () => {
    const { call, settled, place } = await rig();
    const { customerId } = await settled();
    await place('ref-1');
    expect(told(await call('DELETE', `/customer/${customerId}`))).toEqual(
      refused(409, 'CUSTOMER_HAS_ORDERS'),
    );
  });
});

describe('an address is refused', () => {
  test.each<[unknown, Record<string, string>]>([
    [{}, { label: 'label is required' }],
    [{ ...ADDRESS, blockId: '4' }, { blockId: 'Invalid PACI location reference' }],
    [{ ...ADDRESS, blockId: '20201' }, { blockId: 'Invalid PACI location reference' }],
    [
      { label: 'Home', governorateId: '101', neighborhoodId: 'Sharq' },
      {
        governorateId: 'Invalid PACI location reference',
        neighborhoodId: 'Invalid PACI location reference',
      },
    ],
    [
      { label: 'Home', governorateId: '1', neighborhoodId: '201' },
      { neighborhoodId: 'Invalid PACI location reference' },
    ],
    [{ ...ADDRESS, houseNumber: 8 }, { houseNumber: 'houseNumber must be a string' }],
  ])('with 400 VALIDATION_FAILED when it is %j', async (address, errors) => {
    const { call, settled } = await rig();
    const { customerId, addressId } = await settled();
    const path = `/customer/${customerId}/address`;
    expect(told(await call('POST', path, address))).toEqual(invalid(errors));
    expect(told(await call('PUT', `${path}/${addressId}`, address))).toEqual(invalid(errors));
  });

  test('with 400 VALIDATION_FAILED when there is none to be changed', async () => {
    const { call, customer } = await rig();
    const path = `/customer/${await customer()}/address/${NOBODY}`;
    expect(told(await call('PUT', path, ADDRESS))).toEqual(
      invalid({ addressId: 'addressId is no address of the customer' }),
    );
  });

  test('with 400 MAX_ADDRESSES_EXCEEDED as the sixth', async () => {
    const { call, customer } = await rig();
    const path = `/customer/${await customer()}/address`;
    for (let number = 1; number <= 5; number += 1)
      expect((await call('POST', path, { label: `${number}` })).status).toBe(201);
    const exceeded = refused(400, 'MAX_ADDRESSES_EXCEEDED');
    expect(told(await call('POST', path, ADDRESS))).toEqual(exceeded);
    const addresses = Array.from({ length: 6 }, () => ADDRESS);
    const body = { name: 'N', phoneNumber: '50005678', addresses };
    expect(told(await call('POST', '/customer', body))).toEqual(exceeded);
    expect((await call('POST', '/customer', { ...body, addresses: addresses.slice(1) })).status).toBe(201);
  });

  test('not for its area when the options say that any will do', async () => {
    const { call, customer } = await rig({ checkAreas: false });
    const path = `/customer/${await customer()}/address`;
    expect((await call('POST', path, { ...ADDRESS, blockId: 'Block 4' })).status).toBe(201);
  });
});

describe('an order is refused', () => {
  const COD = { paymentMethod: 'cod', amountToCollect: 5, pricing: { total: 5 } };
  let wasal: Rig;
  beforeEach(async () => {
    wasal = await rig({ packageSides: ['left', 'right'] });
  });

  test.each<[string, Record<string, unknown>]>([
    ['CUSTOMER_REQUIRED', { customerId: undefined }],
    ['CUSTOMER_REQUIRED', { customerId: '' }],
    ['CUSTOMER_REQUIRED', { customerId: null, specialHandlingTags: [] }],
    ['SPECIAL_HANDLING_REQUIRED', { specialHandlingTags: undefined }],
    ['SPECIAL_HANDLING_REQUIRED', { specialHandlingTags: [] }],
    ['INVALID_SPECIAL_HANDLING_TAG', { specialHandlingTags: ['fragile', 'explosive'] }],
    ['INVALID_SPECIAL_HANDLING_TAG', { specialHandlingTags: [7] }],
    ['INVALID_PACKAGE_SIDE', { packageSide: 'small' }],
    ['INVALID_PACKAGE_SIDE', { packageSide: 1 }],
    ['INVALID_AMOUNT_TO_COLLECT', { ...COD, amountToCollect: undefined }],
    ['INVALID_AMOUNT_TO_COLLECT', { ...COD, amountToCollect: null }],
    ['INVALID_AMOUNT_TO_COLLECT', { ...COD, amountToCollect: -0.001 }],
    ['AMOUNT_EXCEEDS_TOTAL', { ...COD, amountToCollect: 5.001 }],
  ])('with 400 %s: %j', async (code, changes) => {
    expect(told(await wasal.submit(changes))).toEqual(refused(400, code));
    expect((await wasal.ledger()).orders).toEqual([]);
  });

  test.each<[Record<string, unknown>, Record<string, string>]>([
    [{ branchCode: undefined }, { branchId: 'branchId or branchCode is required' }],
    [{ branchCode: 'EAST' }, { branchCode: 'branchCode is no branch of the merchant' }],
    [{ branchId: NOBODY }, { branchId: 'branchId is no branch of the merchant' }],
    [
      { specialHandlingTags: 'none' },
      { specialHandlingTags: 'specialHandlingTags must be a list of strings' },
    ],
    [{ paymentMethod: 'card' }, { paymentMethod: 'paymentMethod must be cod or prepaid' }],
    [{ ...COD, amountToCollect: '5' }, { amountToCollect: 'amountToCollect must be a number' }],
    [
      { ...COD, amountToCollect: 0.1 + 0.2 },
      { amountToCollect: 'amountToCollect must have three decimals at most' },
    ],
    [{ pricing: 5 }, { pricing: 'pricing must be an object' }],
    [{ pricing: { total: -1 } }, { 'pricing.total': 'total must not be negative' }],
    [{ items: {} }, { items: 'items must be a list' }],
    [
      { items: [{ qty: 1 }, { qty: 0.5, price: 1.2345, name: 7, sku: null }] },
      {
        'items.1.name': 'name must be a string',
        'items.1.sku': 'sku must be a string',
        'items.1.qty': 'qty must be a whole number of at least 1',
        'items.1.price': 'price must have three decimals at most',
      },
    ],
    [{ packagePhoto: 'photo.jpg' }, { packagePhoto: 'packagePhoto must be a URL' }],
    [{ merchantNotes: ['a'] }, { merchantNotes: 'merchantNotes must be a string' }],
    [{ customerId: 7 }, { customerId: 'customerId must be a string' }],
    [{ customerAddressId: NOBODY }, { customerAddressId: 'customerAddressId is no address of the customer' }],
  ])('with 400 VALIDATION_FAILED: %j', async (changes, errors) => {
    const heard = await wasal.submit(changes);
    expect(heard.status).toBe(400);
    expect(heard.json()).toMatchObject({ code: 'VALIDATION_FAILED', errors });
    expect((await wasal.ledger()).orders).toEqual([]);
  });

  test.each(['[]', '"order"', 'null'])('with 400 VALIDATION_FAILED when the body is %s', async (body) => {
    expect(told(await wasal.call('POST', '/order', body))).toEqual(
      invalid({ body: 'The body must be a JSON object' }),
    );
  });

  test('with 400 PACKAGE_PHOTO_REQUIRED when the merchant has to send one', async () => {
    await wasal.control({ photoRequired: true }, '/merchant');
    expect(told(await wasal.submit())).toEqual(refused(400, 'PACKAGE_PHOTO_REQUIRED'));
    const packagePhoto = 'https://photos.example/1.jpg';
    expect((await wasal.submit({ packagePhoto })).status).toBe(201);
    const named = await rig({ photoRequired: true, packagePhotoField: 'photo' });
    expect(told(await named.submit({ packagePhoto }))).toEqual(refused(400, 'PACKAGE_PHOTO_REQUIRED'));
    expect((await named.submit({ photo: packagePhoto })).status).toBe(201);
  });

  test('with 400 CUSTOMER_NO_DELIVERY_ADDRESS when the customer has none', async () => {
    const customerId = await wasal.customer();
    const none = refused(400, 'CUSTOMER_NO_DELIVERY_ADDRESS');
    expect(told(await wasal.call('POST', '/order', order(customerId)))).toEqual(none);
    const named = { ...order(customerId), customerAddressId: NOBODY };
    expect(told(await wasal.call('POST', '/order', named))).toEqual(none);
  });

  test.each<[string, Record<string, unknown>]>([
    ['collects nothing', { ...COD, amountToCollect: 0 }],
    ['collects all of its total', COD],
    ['collects something of a total that is not told', { ...COD, pricing: undefined }],
    ['is prepaid, whatever amount it names', { amountToCollect: 9, pricing: { total: 5 } }],
    ['has fields that nobody knows', { giftWrap: true }],
  ])('not when it %s', async (_what, changes) => {
    expect((await wasal.submit(changes)).status).toBe(201);
  });
});

describe('an operation on an order is refused', () => {
  test('with 404 ORDER_NOT_FOUND when there is none, or it is not owned by the merchant', async () => {
    const { call, place, move } = await rig();
    const id = await place('ref-1', { draft: true });
    const notFound = refused(404, 'ORDER_NOT_FOUND');
    for (const [name, key] of [
      [NOBODY, LIVE],
      [id, OTHER],
    ] as const) {
      expect(told(await call('GET', `/order/${name}`, undefined, { key }))).toEqual(notFound);
      expect(told(await call('GET', `/order/${name}/history`, undefined, { key }))).toEqual(notFound);
      expect(told(await call('PUT', `/order/${name}/cancel`, undefined, { key }))).toEqual(notFound);
      expect(told(await call('PUT', `/order/${name}/activate`, undefined, { key }))).toEqual(notFound);
    }
    expect(told(await move(NOBODY, 'assigned'))).toEqual(notFound);
    expect(told(await move(id, 'assigned'))).toEqual(notFound);
    expect(told(await call('GET', '/order/track/MAIN-999999', undefined, { key: null }))).toEqual(notFound);
  });

  test('with 400 ORDER_NOT_DRAFT when it has been activated or cancelled', async () => {
    const { place, activate, cancel } = await rig();
    const id = await place('ref-1', { draft: true });
    expect((await activate(id)).status).toBe(200);
    expect(told(await activate(id))).toEqual(refused(400, 'ORDER_NOT_DRAFT'));
    const other = await place('ref-2', { draft: true });
    await cancel(other);
    expect(told(await activate(other))).toEqual(refused(400, 'ORDER_NOT_DRAFT'));
  });

  test('with 403 SANDBOX_ONLY when a production key moves it', async () => {
    const { place, move } = await rig();
    const id = await place('ref-1', {}, { key: SANDBOX });
    expect(told(await move(id, 'assigned', LIVE))).toEqual(refused(403, 'SANDBOX_ONLY'));
  });

  test.each(['canceled', 'draft', '', undefined, 7])(
    'with 400 INVALID_STATUS to be moved to %p',
    async (status) => {
      const { place, move } = await rig();
      const id = await place('ref-1', {}, { key: SANDBOX });
      expect(told(await move(id, status))).toEqual(refused(400, 'INVALID_STATUS'));
    },
  );
});

describe('a webhook is refused', () => {
  test.each<[unknown, Record<string, string>]>([
    [{}, { url: 'url is required' }],
    [{ url: 'http://shop.example/hook' }, { url: 'url must be an https:// address' }],
    [{ url: 'shop.example' }, { url: 'url must be an https:// address' }],
    [
      { url: 'https://shop.example/hook', events: ['order.created', 'order.lost'] },
      { events: expect.stringContaining('must be a list of') },
    ],
    [
      { url: 'https://shop.example/hook', events: [] },
      { events: expect.stringContaining('must be a list of') },
    ],
  ])('with 400 VALIDATION_FAILED when it is %j', async (body, errors) => {
    const { call } = await rig();
    expect(told(await call('POST', '/webhook', body))).toEqual(invalid(errors));
  });

  test('with 404 WEBHOOK_NOT_FOUND when there is none, or it is not owned by the merchant', async () => {
    const { call } = await rig();
    const registered = await call('POST', '/webhook', { url: 'https://shop.example/hook' });
    const id = Reflect.get(Object(data(registered).webhook), '_id');
    const notFound = refused(404, 'WEBHOOK_NOT_FOUND');
    for (const [name, key] of [
      [NOBODY, LIVE],
      [id, OTHER],
    ] as const) {
      expect(told(await call('POST', `/webhook/${name}/test`, undefined, { key }))).toEqual(notFound);
      expect(told(await call('DELETE', `/webhook/${name}`, undefined, { key }))).toEqual(notFound);
    }
  });
});

describe('a fault', () => {
  test.each([
    [400, 'VALIDATION_FAILED', { errors: { body: expect.any(String) } }],
    [401, 'INVALID_API_KEY', {}],
    [403, 'MERCHANT_INACTIVE', {}],
    [404, 'ORDER_NOT_FOUND', {}],
    [409, 'CONFLICT', {}],
    [429, 'RATE_LIMITED', {}],
    [500, 'INTERNAL_SERVER_ERROR', {}],
    [503, 'SERVICE_UNAVAILABLE', {}],
  ])('of status %i has the envelope', async (status, code, more) => {
    const { control, get } = await rig();
    await control({ match: { verb: 'get' }, times: 1, do: { status } });
    expect(told(await get(NOBODY))).toEqual(refused(status, code, more));
  });

  test.each([
    ['customer-get', 'GET', '/customer/1', 404, 'CUSTOMER_NOT_FOUND'],
    ['webhook-test', 'POST', '/webhook/1/test', 404, 'WEBHOOK_NOT_FOUND'],
    ['pricing', 'GET', '/pricing', 404, 'NOT_FOUND'],
    ['advance-status', 'PUT', '/sandbox/order/1/advance-status', 403, 'SANDBOX_ONLY'],
  ])('at %s has a code that fits', async (verb, method, path, status, code) => {
    const { control, call } = await rig();
    await control({ match: { verb }, times: 1, do: { status } });
    expect(told(await call(method, path))).toEqual(refused(status, code));
  });

  test('matches by reference or phone number, also where the call names an id', async () => {
    const { control, place, get, list, submit, call, customer } = await rig();
    const id = await place('ref-1');
    const other = await place('ref-2');
    await control({ match: { reference: 'ref-1' }, times: 3, do: { status: 503 } });
    expect((await get(other)).status).toBe(200);
    expect((await get(id)).status).toBe(503);
    expect((await list('?referenceNumber=ref-2')).status).toBe(200);
    expect((await list('?referenceNumber=ref-1')).status).toBe(503);
    expect((await submit()).status).toBe(503);
    await control({ match: { reference: '50001234' }, times: 1, do: { status: 500 } });
    await customer('50005678');
    const body = { phoneNumber: '50001234', name: 'N' };
    expect((await call('POST', '/customer/upsert', body)).status).toBe(500);
  });

  test('of a success has the envelope too', async () => {
    const { control, list } = await rig();
    await control({ times: 1, do: { status: 200 } });
    expect((await list()).json()).toEqual({ success: true, data: {} });
  });
});

describe('a control is refused', () => {
  test.each<[string, unknown]>([
    ['/wallet', { balance: -1 }],
    ['/wallet', { balance: 0.0005 }],
    ['/wallet', {}],
    ['/window', { open: 'yes' }],
    ['/merchant', { inactive: true }],
    ['/keys', { live: 'pk_test_wrong' }],
    ['/keys', { test: OTHER }],
    ['/keys', { live: OTHER }],
    ['/limit', { remaining: 1.5 }],
    ['/webhook', { url: 'ftp://shop.example' }],
    ['/webhook', { url: 'http://127.0.0.1/hook', events: ['order.lost'] }],
  ])('%s %j', async (path, body) => {
    const { control } = await rig();
    const heard = await control(body, path);
    expect([heard.status, heard.json()]).toEqual([400, { mistakes: [expect.any(String)] }]);
  });
});

test('what is no JSON, too long, or nowhere has the envelope as well', async () => {
  const { call, simulator } = await rig();
  const xml = await call('POST', '/order', '<order/>', { headers: { 'content-type': 'text/xml' } });
  expect(told(xml)).toEqual(refused(415, 'UNSUPPORTED_MEDIA_TYPE'));
  expect(told(await call('PATCH', '/order'))).toEqual(refused(404, 'NOT_FOUND'));
  expect(told(await send('GET', `${simulator.url}/%zz`, LIVE))).toEqual([
    400,
    expect.objectContaining({ success: false, code: 'VALIDATION_FAILED' }),
  ]);
});

import type { JsonObject } from '../../../src/json.js';
import type { OrderBody } from '../../../src/orders/body.js';
import { addressDigest, addressOf, customerDigest, isSamePlace } from '../../../src/providers/wasal/map.js';
import { answerOf, judge, sentBody, stepNamed } from '../fixtures.js';
import {
  ADDRESS,
  ADDRESS_ID,
  BASE,
  CUSTOMER_ID,
  goodBody,
  ORDER_ID,
  openAccount,
  orderView,
  refusal,
  success,
  toldAddress,
  toldCustomer,
  toldOrder,
  workFor,
} from './fixtures.js';

const account = openAccount();
const step = (name: string) => stepNamed(account, name);
const DAY_MS = 86_400_000;

const known = { customerId: CUSTOMER_ID };
const placed = { ...known, customerAddressId: ADDRESS_ID };
const DIGEST = addressDigest(addressOf(goodBody()) ?? { label: '' });
const FACT = { kind: `address/${DIGEST}`, key: CUSTOMER_ID, value: { addressId: ADDRESS_ID }, ttlMs: DAY_MS };

const options = (changes: Record<string, unknown>): Partial<OrderBody> =>
  // What the type of a JSON object cannot tell apart is all there is in these bodies.
  ({ options: { branchCode: 'MAIN', specialHandlingTags: ['none'], ...changes } }) as Partial<OrderBody>;

describe('the customer', () => {
  const customer = step('customer');
  const work = workFor(orderView());

  test('is upserted by phone number, without its separators', () => {
    expect(customer.request(work)).toEqual({
      method: 'POST',
      url: `${BASE}/customer/upsert`,
      headers: {
        Accept: 'application/json',
        Authorization: 'Bearer pk_live_abc',
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({
        phoneNumber: '+96550001234',
        name: 'نورة الصباح',
        email: 'noura@example.com',
      }),
    });
  });

  test("goes without the e-mail address that is another customer's", () => {
    expect(sentBody(customer, workFor(orderView(), { withoutEmail: true }))).not.toHaveProperty('email');
  });

  test('is remembered by phone number, with the address that the order wants', () => {
    const { outcome } = judge(account, customer, work, success({ customer: toldCustomer(), created: false }));
    expect(outcome).toEqual({
      kind: 'done',
      data: { ...placed, addresses: [{ id: ADDRESS_ID, digest: DIGEST }] },
      facts: [
        {
          kind: 'customer',
          key: '+96550001234',
          value: { customerId: CUSTOMER_ID, told: customerDigest(goodBody()) },
          ttlMs: 30 * DAY_MS,
        },
        FACT,
      ],
    });
  });

  test.each<[string, unknown, boolean, JsonObject]>([
    ['no list of addresses', null, false, { addresses: null }],
    ['no list, of a new customer', null, true, { addresses: [] }],
    ['another address', [toldAddress({ houseNumber: '9' })], false, {}],
    ['an address without an id', [{ ...ADDRESS, line1: 'Street 12' }], false, { addresses: [] }],
    ['something else in the list', [7, null, 'x'], false, { addresses: [] }],
  ])('has not the address in question where the answer tells %s', (_what, addresses, created, data) => {
    const answer = success({ customer: toldCustomer(addresses), created });
    const outcome = customer.read(work, answer);
    expect(outcome).toMatchObject({ kind: 'done', data: { ...known, ...data } });
    expect(outcome).not.toHaveProperty('data.customerAddressId');
    expect(outcome).toMatchObject({ facts: [{ kind: 'customer' }] });
  });

  test.each([
    ['no customer', success({})],
    ['a customer without an id', success({ customer: { name: 'Noura' } })],
    ['an id that would leave its path', success({ customer: { _id: '..' } })],
    ['an error under 200', answerOf(200, { success: false, code: 'VALIDATION_FAILED', message: 'no' })],
    ['HTML', answerOf(200, '<html>maintenance</html>')],
    ['nothing', answerOf(201, '')],
  ])('is upserted again where the answer holds %s', (_what, answer) => {
    expect(judge(account, customer, work, answer).outcome).toMatchObject({
      kind: 'failed',
      code: 'unreadable_answer',
    });
  });
});

describe('the read of a customer', () => {
  const get = step('customer-get');
  const work = workFor(orderView(), known);

  test('asks by the id that is known, else by the one that the shop gave', () => {
    expect(get.request(work)).toMatchObject({ method: 'GET', url: `${BASE}/customer/${CUSTOMER_ID}` });
    const named = workFor(orderView({ body: goodBody({ customer: { id: 'a/b' } }) }));
    expect(get.request(named).url).toBe(`${BASE}/customer/a%2Fb`);
  });

  test.each([
    ['under its name', { customer: toldCustomer() }],
    ['alone', toldCustomer()],
  ])('takes the customer %s', (_what, data) => {
    expect(get.read(work, success(data))).toMatchObject({
      kind: 'done',
      data: { ...placed, addresses: [{ id: ADDRESS_ID }] },
      facts: [FACT],
    });
  });

  test('never ends without a list of addresses, so that it is made once', () => {
    expect(get.read(work, success({ customer: toldCustomer(null) }))).toMatchObject({
      data: { addresses: [] },
    });
  });

  test('does not trust another customer', () => {
    expect(get.read(work, success({ customer: { ...toldCustomer(), _id: 'other' } }))).toBeNull();
  });

  test('says of an unknown customer that the order is at fault, not our configuration', () => {
    expect(judge(account, get, work, refusal(404, 'CUSTOMER_NOT_FOUND'))).toMatchObject({
      outcome: { kind: 'rejected', code: 'CUSTOMER_NOT_FOUND' },
      rule: { id: 'wasal/customer-not-found' },
    });
  });
});

describe('an address', () => {
  const address = step('address');
  const work = workFor(orderView(), known);

  test('is made of the options and of the street', () => {
    expect(address.request(work)).toMatchObject({
      method: 'POST',
      url: `${BASE}/customer/${CUSTOMER_ID}/address`,
    });
    expect(sentBody(address, work)).toEqual({ ...ADDRESS, line1: 'Street 12' });
  });

  test.each<[string, Partial<OrderBody>, unknown]>([
    [
      'with both lines, and the city where no area says it',
      {
        ...options({}),
        shippingAddress: { line1: 'Street 12', line2: 'Flat 3', city: 'Salmiya', country: 'KW' },
      },
      { label: 'Delivery', line1: 'Street 12, Flat 3, Salmiya' },
    ],
    [
      'of areas alone, numbers taken as text',
      {
        ...options({ address: { label: 'Work', blockId: 10101, floorNumber: 2 } }),
        shippingAddress: undefined,
      },
      { label: 'Work', blockId: '10101', floorNumber: '2' },
    ],
  ])('is written %s', (_what, changes, expected) => {
    expect(sentBody(address, workFor(orderView({ body: goodBody(changes) }), known))).toEqual(expected);
  });

  test('is remembered where Wasal holds it as it was sent', () => {
    expect(address.read(work, success({ address: toldAddress() }, 201))).toEqual({
      kind: 'done',
      data: { customerAddressId: ADDRESS_ID, addresses: null },
      facts: [FACT],
    });
    expect(address.read(work, success({ address: toldAddress({ governorateId: '3' }) }, 201))).toMatchObject({
      facts: [],
    });
    expect(address.read(work, success({ address: { _id: ADDRESS_ID } }, 201))).toMatchObject({ facts: [] });
  });

  test('is not taken from an answer without an id', () => {
    expect(address.read(work, success({ address: ADDRESS }))).toBeNull();
  });

  test('keeps the words of Wasal about its fields', () => {
    const errors = { blockId: 'Invalid PACI location reference', line1: 'العنوان غير صالح' };
    expect(
      judge(account, address, work, refusal(400, 'VALIDATION_FAILED', { errors })).outcome,
    ).toMatchObject({
      kind: 'rejected',
      fields: { blockId: ['Invalid PACI location reference'], line1: ['العنوان غير صالح'] },
    });
  });

  test('beyond five is refused for good only where all of them are known to be in use', () => {
    const answer = refusal(400, 'MAX_ADDRESSES_EXCEEDED');
    expect(judge(account, address, work, answer).outcome.kind).toBe('failed');
    expect(judge(account, step('address-sixth'), work, answer).outcome).toMatchObject({
      kind: 'rejected',
      code: 'MAX_ADDRESSES_EXCEEDED',
    });
  });

  test('takes the place of another, of which the memory ends', () => {
    const replace = step('address-replace');
    const replacing = workFor(orderView(), { ...known, replaces: { id: ADDRESS_ID, digest: 'old' } });
    expect(replace.request(replacing)).toMatchObject({
      method: 'PUT',
      url: `${BASE}/customer/${CUSTOMER_ID}/address/${ADDRESS_ID}`,
    });
    expect(replace.read(replacing, success({ address: toldAddress() }))).toEqual({
      kind: 'done',
      data: { customerAddressId: ADDRESS_ID, addresses: null, replaces: null },
      facts: [{ kind: 'address/old', key: CUSTOMER_ID, value: null }, FACT],
    });
    expect(replace.read(replacing, success({}))).toMatchObject({ facts: [{ value: null }] });
    expect(replace.read(replacing, answerOf(200, '<html>'))).toBeNull();
  });
});

describe('two addresses', () => {
  const wanted = addressOf(goodBody()) ?? { label: '' };
  const held = (changes: Record<string, string | null> = {}) => ({
    addressType: 'house',
    governorateId: '2',
    neighborhoodId: '201',
    blockId: '20101',
    streetId: null,
    houseNumber: '8',
    buildingName: null,
    floorNumber: null,
    apartmentNumber: null,
    line1: 'Street 12',
    ...changes,
  });

  test.each([
    ['equal ones', {}, true],
    ['white space', { line1: ' Street  12 ' }, true],
    ['empty text for nothing', { floorNumber: '' }, true],
    ['another house', { houseNumber: '9' }, false],
    ['a flat more', { apartmentNumber: '3' }, false],
    ['another kind', { addressType: 'office' }, false],
  ])('are the same place or not: %s', (_what, changes, same) => {
    expect(isSamePlace(wanted, held(changes))).toBe(same);
  });

  test('are the same where Wasal filled in what follows from the rest', () => {
    const { addressType: _type, governorateId: _governorate, ...less } = wanted;
    expect(isSamePlace(less, held())).toBe(true);
    const { neighborhoodId: _neighborhood, ...vague } = less;
    expect(isSamePlace(vague, held())).toBe(false);
    expect(isSamePlace(vague, held({ neighborhoodId: null }))).toBe(false);
  });
});

describe('the order', () => {
  const order = step('order');
  const work = workFor(orderView(), placed);

  test('is sent under the names of the document', () => {
    expect(order.request(work)).toMatchObject({ method: 'POST', url: `${BASE}/order` });
    expect(sentBody(order, work)).toEqual({
      customerId: CUSTOMER_ID,
      customerAddressId: ADDRESS_ID,
      branchCode: 'MAIN',
      specialHandlingTags: ['fragile'],
      paymentMethod: 'cod',
      amountToCollect: 3.755,
      pricing: { subtotal: 2.5, deliveryFee: 1.255, total: 3.755 },
      items: [{ name: 'Mug', sku: 'mug', qty: 2, price: 1.25 }],
      merchantNotes: 'Ring twice',
      orderMerchantReferenceNumber: 'shop-1001',
    });
  });

  test('is sent with as little as was given', () => {
    const body: OrderBody = {
      account: 'wasal-kw',
      reference: 'r',
      customer: { id: 'c-1' },
      items: [{ reference: 'line-1', quantity: 1 }],
      payment: { method: 'prepaid' },
      ...options({ branchCode: undefined, branchId: 'b-1', customerAddressId: 'a-1', packageSide: 'small' }),
    };
    expect(sentBody(order, workFor(orderView({ body })))).toEqual({
      customerId: 'c-1',
      customerAddressId: 'a-1',
      branchId: 'b-1',
      specialHandlingTags: ['none'],
      packageSide: 'small',
      paymentMethod: 'prepaid',
      items: [{ name: 'line-1', qty: 1 }],
      orderMerchantReferenceNumber: 'r',
    });
  });

  test("tells Wasal the reference of the order's generation", () => {
    const second = orderView({ generation: 2, providerReference: 'kw-shop-1001~2' });
    expect(sentBody(order, workFor(second, placed))).toMatchObject({
      orderMerchantReferenceNumber: 'kw-shop-1001~2',
    });
  });

  test('puts the photo into the field that the account names', () => {
    const body = goodBody(options({ packagePhoto: 'https://files.example.com/p.jpg' }));
    const photo = stepNamed(openAccount({ packagePhotoField: 'photoUrl' }), 'order');
    expect(sentBody(photo, workFor(orderView({ body }), placed))).toMatchObject({
      photoUrl: 'https://files.example.com/p.jpg',
    });
  });

  test.each([
    ['status', { status: 'draft' }],
    ['draft', { draft: true }],
  ])('is asked to be a draft by the field %s, where the shop wants it held', (draftField, field) => {
    const draft = stepNamed(openAccount({ draftField }), 'order');
    const held = orderView({ body: goodBody({ activate: false }) });
    expect(sentBody(draft, workFor(held, placed))).toMatchObject(field);
    expect(sentBody(draft, work)).not.toMatchObject(field);
    expect(sentBody(order, workFor(held, placed))).not.toMatchObject(field);
  });

  test.each([
    ['pending', 'submitted'],
    ['assigned', 'in_progress'],
    ['draft', 'draft'],
    ['some_day', 'submitted'],
  ])('is accepted as %s', (word, status) => {
    expect(judge(account, order, work, success({ order: toldOrder({ status: word }) }, 201)).outcome).toEqual(
      {
        kind: 'accepted',
        providerOrderId: ORDER_ID,
        status,
        rawStatus: word,
        data: { orderNumber: 'MAIN-000123', ...placed },
      },
    );
  });

  test('is accepted with what we know of it where the answer tells little', () => {
    expect(order.read(work, success({ order: { _id: ORDER_ID } }, 201))).toEqual({
      kind: 'accepted',
      providerOrderId: ORDER_ID,
      status: 'submitted',
      data: placed,
    });
  });

  test.each([
    ['without an id', success({ order: toldOrder({ _id: undefined }) })],
    ['with an id that would leave its path', success({ order: toldOrder({ _id: '..' }) })],
    ['with an id that no database takes', success({ order: toldOrder({ _id: 'a\u0000b' }) })],
    ['for another reference', success({ order: toldOrder({ orderMerchantReferenceNumber: 'shop-1002' }) })],
    ['of HTML', answerOf(200, '<html>maintenance</html>')],
    ['that is an error under 200', answerOf(200, { success: false, code: 'X', message: 'no' })],
    ['without the envelope', answerOf(200, { order: toldOrder() })],
    ['that is empty', answerOf(201, '')],
  ])('does not trust an answer %s: the order may have been made', (_what, answer) => {
    expect(judge(account, order, work, answer).outcome).toMatchObject({
      kind: 'unknown',
      code: 'unreadable_answer',
    });
  });

  test('waits for money, and says how much is missing', () => {
    const answer = refusal(400, 'INSUFFICIENT_WALLET_BALANCE', {
      data: { required: 1.25, balance: 0.5, currency: 'KWD' },
    });
    expect(judge(account, order, work, answer).outcome).toEqual({
      kind: 'waiting',
      reason: 'funds',
      scope: 'account',
      code: 'INSUFFICIENT_WALLET_BALANCE',
      message: 'said INSUFFICIENT_WALLET_BALANCE (needs 1.250 KWD, holds 0.500 KWD)',
    });
  });

  test('throws where a mistake of ours left the customer out', () => {
    const nobody = workFor(orderView({ body: goodBody({ customer: { phone: '1' } }) }));
    expect(() => order.request(nobody)).toThrow('the order has no customer');
  });
});

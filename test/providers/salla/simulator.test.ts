/** Every step over real HTTP against the simulator, which knows the documents and nothing of this adapter. */

import type { OrderBody } from '../../../src/orders/body.js';
import type { OrderView } from '../../../src/orders/order.js';
import { accepting, type Ending } from '../../helpers/faults.js';
import { workFor } from '../fixtures.js';
import { goodBody, orderView, shipmentBody, statusBody } from './fixtures.js';
import { type Caller, clock, openStore, type Store, stopAll } from './rig.js';

afterEach(stopAll);

const COURIER = 700_000_001;
const LONG_AGO = '2000-01-02T00:00:00.000Z';

/** Orders that came in here just now: the simulator dates its own by the same clock. */
const now = () => ({ createdAt: new Date(clock.now()) });
const order = (changes: Partial<OrderBody> = {}) =>
  orderView(goodBody({ options: { deliveryMethod: 'shipping', courierId: COURIER }, ...changes }), now());

describe('orders into the store', () => {
  test('an order is placed, read, listed and found', async () => {
    const store = await openStore();
    const placed = await store.place(order());
    const id = placed.order?.providerOrderId ?? '';
    const state = { providerOrderId: id, reference: 'shop:1001', status: 'submitted' };
    expect(await store.outcome('get', placed)).toMatchObject({ kind: 'observed', state });
    const found = { kind: 'observed', state: { ...state, sameContent: true } };
    expect(await store.outcome('look', workFor(order()))).toMatchObject(found);
    expect(await store.outcome('look-recent', workFor(order()))).toMatchObject(found);
    const asked = workFor(undefined, { params: { since: LONG_AGO, page: null } });
    expect(await store.outcome('list', asked)).toMatchObject({ kind: 'done', states: [state] });
    expect(await store.outcome('probe', asked)).toEqual({ kind: 'done' });
  });

  test.each<[string, Partial<OrderBody>]>([
    ['a customer of the store', { customer: { id: '1100000001' } }],
    ['money at the door', { payment: { method: 'cod' }, currency: 'KWD' }],
    ['an open payment', { options: { deliveryMethod: 'shipping', paymentStatus: 'waiting' } }],
    ['pickup', { options: { deliveryMethod: 'pickup', branchId: 5 } }],
    ['totals to three decimals', { totals: { subtotal: '1.125', shipping: '0.5' } }],
  ])('an order with %s is taken, by either way of creating one', async (_what, changes) => {
    expect((await (await openStore()).place(order(changes))).order?.providerOrderId).toMatch(/^\d+$/);
    const options = { courierId: COURIER, ...(changes.options ?? { deliveryMethod: 'shipping' }) };
    const catalogue = await openStore({ orderPath: '/orders' });
    expect((await catalogue.place(order({ ...changes, options }))).order?.providerOrderId).toMatch(/^\d+$/);
  });

  test('an open payment is spelled as the account says', async () => {
    const store = await openStore(
      { openPaymentStatus: 'pending_payment' },
      { openPaymentStatus: 'pending_payment' },
    );
    const waiting = order({ options: { deliveryMethod: 'shipping', paymentStatus: 'waiting' } });
    expect(await store.place(waiting)).toBeDefined();
  });

  test('an order whose answer was lost is found by either lookup', async () => {
    const store = await openStore();
    await store.fault('submit', accepting('drop'));
    expect(await store.outcome('order', workFor(order()))).toMatchObject({ kind: 'unknown' });
    for (const look of ['look', 'look-recent'])
      expect(await store.outcome(look, workFor(order()))).toMatchObject({
        kind: 'observed',
        state: { reference: 'shop:1001', sameContent: true },
      });
  });

  test('an order that never arrived is absent, though shoppers have ordered the same meanwhile', async () => {
    const store = await openStore();
    await store.place(order({ reference: 'shop:1002' }));
    await store.control('/orders', { count: 3, sku: 'MUG-1', quantity: 2 });
    await store.fault('submit', { status: 500 });
    expect(await store.outcome('order', workFor(order()))).toMatchObject({
      kind: 'unknown',
      code: 'server_error',
    });
    expect(await store.outcome('look', workFor(order()))).toMatchObject({ kind: 'missing' });
    expect(await store.outcome('look-recent', workFor(order()))).toMatchObject({ kind: 'missing' });
  });

  test('a store that hides references never proves an order absent that is there', async () => {
    const store = await openStore({}, { externalId: 'hidden' });
    await store.fault('submit', accepting('drop'));
    await store.outcome('order', workFor(order()));
    expect(await store.outcome('look', workFor(order()))).toMatchObject({ kind: 'missing' });
    expect(await store.outcome('look-recent', workFor(order()))).toMatchObject({ kind: 'done' });
    // What is certainly another customer's does not stand in the way.
    const other = order({ customer: { firstName: 'Sara', phone: '+966 55 987 6543' } });
    expect(await store.outcome('look-recent', workFor(other))).toMatchObject({ kind: 'missing' });
  });

  test('a list that is longer than a page proves nothing', async () => {
    const store = await openStore({}, { storeOrders: 61 });
    expect(await store.outcome('look-recent', workFor(order()))).toMatchObject({
      kind: 'failed',
      code: 'list_too_long',
    });
  });

  test('without references an order is found by customer, items and time', async () => {
    const store = await openStore({ orderPath: '/orders' });
    const lost = workFor(order());
    await store.fault('submit', accepting('drop'));
    expect(await store.outcome('order', lost)).toMatchObject({ kind: 'unknown' });
    for (const look of ['look', 'look-recent'])
      expect(await store.outcome(look, lost)).toMatchObject({
        kind: 'observed',
        state: { reference: null, sameContent: true },
      });
    const another = workFor(order({ customer: { firstName: 'Sara', phone: '+966 55 987 6543' } }));
    for (const look of ['look', 'look-recent'])
      expect(await store.outcome(look, another)).toMatchObject({ kind: 'missing' });
  });

  test('a success without content is no acceptance, another success is', async () => {
    const silent = await openStore({}, { writeStatus: 204 });
    expect(await silent.outcome('order', workFor(order()))).toMatchObject({ kind: 'unknown' });
    const plain = await openStore({}, { writeStatus: 200 });
    expect(await plain.outcome('order', workFor(order()))).toMatchObject({ kind: 'accepted' });
  });

  test('a store that takes each reference once is looked up, not believed', async () => {
    const store = await openStore({}, { duplicates: 'reject' });
    await store.place(order());
    expect(await store.outcome('order', workFor(order()))).toMatchObject({
      kind: 'settled',
      code: 'duplicate_reference',
    });
  });

  test('what is wrong with an order is told field by field', async () => {
    const store = await openStore();
    const wrong = order({ options: { deliveryMethod: 'shipping', paymentStatus: 'waiting' } });
    await store.fault('submit', {
      status: 422,
      body: {
        status: 422,
        success: false,
        error: {
          code: 'error',
          message: 'alert.invalid_fields',
          fields: { 'receiver.name': ['الاسم مطلوب'] },
        },
      },
    });
    expect(await store.outcome('order', workFor(wrong))).toMatchObject({
      kind: 'rejected',
      code: 'validation_failed',
      fields: { 'receiver.name': ['الاسم مطلوب'] },
    });
  });

  test('a cancel asks first, is done once, and settles the second time', async () => {
    const store = await openStore();
    const placed = await store.place(order());
    expect(await store.outcome('cancellable', placed)).toEqual({ kind: 'done' });
    expect(await store.outcome('cancel', placed)).toEqual({ kind: 'done' });
    expect(await store.outcome('get', placed)).toMatchObject({ state: { status: 'canceled' } });
    expect(await store.outcome('cancel', placed)).toMatchObject({ kind: 'settled' });
    expect(await store.outcome('cancellable', placed)).toMatchObject({
      kind: 'observed',
      state: { status: 'canceled' },
    });
  });

  test('a cancel that comes too late is told so before and after', async () => {
    const store = await openStore();
    const placed = await store.place(order());
    await store.control('/advance', { reference: 'shop:1001', status: 'shipped' });
    expect(await store.outcome('cancellable', placed)).toMatchObject({
      kind: 'settled',
      code: 'not_cancellable',
    });
    expect(await store.outcome('cancel', placed)).toMatchObject({ kind: 'settled' });
    expect(await store.outcome('get', placed)).toMatchObject({ state: { status: 'shipped' } });
  });

  test('an update is done', async () => {
    const store = await openStore();
    const placed = await store.place(order());
    const params = {
      customer: { firstName: 'Sara', phone: '+966550000000' },
      shippingAddress: { line1: 'New street 1', city: 'جدة', country: 'SA' },
    };
    expect(await store.outcome('update', { ...placed, params })).toEqual({ kind: 'done' });
  });

  test("statuses of the merchant's own are those of their slug, or need a look", async () => {
    const store = await openStore();
    const placed = await store.place(order());
    await store.control('/advance', { reference: 'shop:1001', status: 'In the warehouse' });
    expect(await store.outcome('get', placed)).toMatchObject({ state: { status: 'in_progress' } });
    await store.control('/advance', { reference: 'shop:1001', status: 'Gift wrapping' });
    expect(await store.outcome('get', placed)).toMatchObject({
      state: { status: null, rawStatus: 'Gift wrapping', attention: { code: 'unknown_status' } },
    });
  });

  test('an order that is not there is missing, one that is deleted is gone', async () => {
    const store = await openStore();
    const placed = await store.place(order());
    const other = workFor({ ...order(), providerOrderId: '5' });
    for (const step of ['get', 'cancellable', 'cancel', 'update'])
      expect(await store.outcome(step, other)).toMatchObject({ kind: 'missing', code: 'not_found' });
    await store.control('/advance', { reference: 'shop:1001', status: 'deleted' });
    for (const step of ['get', 'cancellable', 'cancel'])
      expect(await store.outcome(step, placed)).toMatchObject({ kind: 'gone', code: 'gone' });
  });

  test('a wrong address of the API is a matter of the configuration, and proves no absence', async () => {
    const store = await openStore();
    const { baseUrl } = Object(store.account.reads.probe.request(workFor())).url.match(
      /^(?<baseUrl>.*)\/orders/,
    ).groups;
    const lost = store.caller({ config: { baseUrl: `${baseUrl}/v3` } });
    expect(await lost.outcome('order', workFor(order()))).toMatchObject({ kind: 'missing' });
    const asked = workFor(order(), { params: { since: LONG_AGO, page: null } });
    for (const read of ['look', 'look-recent', 'list', 'probe'])
      expect(await lost.outcome(read, asked)).toMatchObject({ kind: 'failed', code: 'not_found' });
  });
});

describe('shipments of the store', () => {
  /** A shipment for an order that a shopper has placed. */
  async function shop(store: Store, changes: Partial<OrderBody> = {}): Promise<OrderView> {
    const options = { ...shipmentBody().options, orderId: await store.shop(), courierId: COURIER };
    return orderView(shipmentBody({ options, ...changes }), now());
  }

  test('a shipment is created, read, listed, found and canceled', async () => {
    const store = await openStore({ mode: 'B' });
    const asked = await shop(store, {
      payment: { method: 'cod', amountToCollect: '12.345' },
      currency: 'KWD',
    });
    const placed = await store.place(asked);
    const id = placed.order?.providerOrderId ?? '';
    expect(await store.outcome('get', placed)).toMatchObject({
      state: { providerOrderId: id, reference: 'parcel:7', status: 'submitted', rawStatus: 'creating' },
    });
    expect(await store.outcome('look', workFor(asked))).toMatchObject({ state: { providerOrderId: id } });
    const listed = await store.outcome(
      'list',
      workFor(undefined, { params: { since: LONG_AGO, page: null } }),
    );
    expect(listed).toMatchObject({ kind: 'done', states: [{ providerOrderId: id }] });
    expect(await store.outcome('probe', workFor())).toEqual({ kind: 'done' });
    await store.control('/advance', { reference: 'parcel:7', status: 'created' });
    expect(await store.outcome('get', placed)).toMatchObject({
      state: { status: 'in_progress', tracking: [{ carrier: 'Simulated Express', code: `SIM${id}` }] },
    });
    expect(await store.outcome('cancel', placed)).toEqual({ kind: 'done' });
    expect(await store.outcome('get', placed)).toMatchObject({ state: { status: 'canceled' } });
    expect(await store.outcome('cancel', placed)).toMatchObject({ kind: 'settled' });
  });

  test('a lost answer is found again, and a shipment that never arrived is absent', async () => {
    const store = await openStore({ mode: 'B' });
    const asked = await shop(store);
    expect(await store.outcome('look', workFor(asked))).toMatchObject({ kind: 'missing' });
    await store.fault('ship', accepting('drop'));
    expect(await store.outcome('shipment', workFor(asked))).toMatchObject({ kind: 'unknown' });
    expect(await store.outcome('look', workFor(asked))).toMatchObject({ kind: 'observed' });
    const second = { ...asked, reference: 'parcel:8', providerReference: 'parcel:8' };
    expect(await store.outcome('look', workFor(second))).toMatchObject({ kind: 'missing' });
  });

  test('a store that hides references never proves a shipment absent that is there', async () => {
    const store = await openStore({ mode: 'B' }, { externalId: 'hidden' });
    const asked = await shop(store);
    await store.fault('ship', accepting('drop'));
    await store.outcome('shipment', workFor(asked));
    expect(await store.outcome('look', workFor(asked))).toMatchObject({ kind: 'done' });
  });

  test('an order that the store does not have is told by its field', async () => {
    const store = await openStore({ mode: 'B' });
    const asked = orderView(
      shipmentBody({ options: { ...shipmentBody().options, orderId: 5, courierId: COURIER } }),
      now(),
    );
    expect(await store.outcome('shipment', workFor(asked))).toMatchObject({
      kind: 'rejected',
      fields: { order_id: ['The value of order_id does not exist'] },
    });
  });

  test('a reference that is in use is looked up, and a shipment on its way is not canceled', async () => {
    const store = await openStore({ mode: 'B' }, { duplicates: 'reject' });
    const asked = await shop(store);
    const placed = await store.place(asked);
    expect(await store.outcome('shipment', workFor(asked))).toMatchObject({
      kind: 'settled',
      code: 'duplicate_reference',
    });
    await store.control('/advance', { reference: 'parcel:7', status: 'in_transit' });
    expect(await store.outcome('cancel', placed)).toMatchObject({ kind: 'settled' });
    expect(await store.outcome('get', placed)).toMatchObject({ state: { status: 'shipped' } });
  });
});

describe('statuses written back', () => {
  async function shop(store: Store, status: object = { statusSlug: 'in_progress' }): Promise<OrderView> {
    return orderView(statusBody({ options: { orderId: await store.shop(), ...status } }), now());
  }

  test('a status is written once, and not at all where it is so already', async () => {
    const store = await openStore({ mode: 'C' });
    const asked = await shop(store);
    const placed = await store.place(asked);
    expect(await store.outcome('get', placed)).toMatchObject({
      state: { providerOrderId: placed.order?.providerOrderId, status: 'in_progress' },
    });
    expect(await store.outcome('current', workFor(asked))).toMatchObject({ kind: 'accepted' });
    expect(await store.outcome('status', workFor(asked))).toMatchObject({
      kind: 'settled',
      code: 'same_status',
    });
    expect(await store.outcome('probe', placed)).toEqual({ kind: 'done' });
  });

  test('a lost answer is found by the status, an unsent one by its absence', async () => {
    const store = await openStore({ mode: 'C' });
    const asked = await shop(store, { statusSlug: 'shipped' });
    const before = await store.outcome('current', workFor(asked));
    const carry = before.kind === 'done' ? (before.data ?? {}) : {};
    const work = workFor(asked, { carry });
    expect(await store.outcome('look-status', work)).toMatchObject({ kind: 'missing' });
    await store.fault('status', accepting('drop'));
    expect(await store.outcome('status', work)).toMatchObject({ kind: 'unknown' });
    expect(await store.outcome('look-status', work)).toMatchObject({
      kind: 'observed',
      state: { status: 'shipped', sameContent: true },
    });
    await store.control('/advance', { reference: String(asked.body.options?.orderId), status: 'delivered' });
    expect(await store.outcome('look-status', work)).toMatchObject({ kind: 'done' });
  });

  test("a status of the merchant's own goes by its id", async () => {
    const store = await openStore({ mode: 'C' });
    const asked = await shop(store, { statusId: 500_000_003 });
    const placed = await store.place(asked);
    expect(await store.outcome('get', placed)).toMatchObject({ state: { status: 'in_progress' } });
    expect(await store.outcome('current', workFor(asked))).toMatchObject({ kind: 'accepted' });
  });

  test('an order or a status that the store does not have rejects', async () => {
    const store = await openStore({ mode: 'C' });
    const lost = workFor(orderView(statusBody({ options: { orderId: 5, statusSlug: 'shipped' } }), now()));
    for (const step of ['current', 'status'])
      expect(await store.outcome(step, lost)).toMatchObject({ kind: 'rejected', code: 'not_found' });
    const unknown = await shop(store, { statusId: 5 });
    expect(await store.outcome('status', workFor(unknown))).toMatchObject({
      kind: 'rejected',
      fields: { status_id: ['The value of status_id does not exist'] },
    });
  });
});

describe('what concerns the whole account', () => {
  const everyMode = [
    [{}, order()],
    [{ mode: 'B' }, orderView(shipmentBody(), now())],
    [{ mode: 'C' }, orderView(statusBody(), now())],
  ] as const;
  /** What the first step of a submit comes to, and the probe. */
  const both = async ({ account, run }: Caller, asked: OrderView) => [
    await run(account.verbs.submit[0], workFor(asked)),
    await run(account.reads.probe, workFor()),
  ];

  test.each(everyMode)('with %j an invalid access token asks for a refresh', async (config, asked) => {
    const store = await openStore(config);
    await store.control('/tokens', { expire: true });
    for (const { outcome, rule } of await both(store, asked)) {
      expect(outcome).toMatchObject({ kind: 'blocked', code: 'token' });
      expect(rule?.id).toBe('salla/invalid-access-token');
    }
  });

  test.each(everyMode)('with %j a missing scope never asks for one', async (config, asked) => {
    const store = await openStore(config, { scopes: ['offline_access'] });
    for (const { outcome, rule } of await both(store, asked)) {
      expect(outcome).toMatchObject({ kind: 'blocked', code: 'auth' });
      expect(rule?.id).toBe('salla/missing-scope');
    }
  });

  test('a deleted user has to install the app again, an inactive one has to be let in again', async () => {
    const store = await openStore();
    await store.control('/user', { state: 'deleted' });
    expect(await store.outcome('probe', workFor())).toMatchObject({ kind: 'blocked', code: 'reinstall' });
    await store.control('/user', { state: 'inactive' });
    const { outcome } = await store.run(store.account.reads.probe, workFor());
    expect(outcome).toMatchObject({
      kind: 'blocked',
      code: 'auth',
      message: expect.stringContaining('غير مفعل'),
    });
  });

  test.each(everyMode)('with %j a block after many errors stops the account', async (config, asked) => {
    const store = await openStore(config);
    await store.control('/block', { ms: 60_000 });
    for (const { outcome, rule } of await both(store, asked)) {
      expect(outcome).toMatchObject({ kind: 'blocked', code: 'auth' });
      expect(rule?.id).toBe('salla/forbidden');
    }
  });

  test('a budget that is used up says until when', async () => {
    const store = await openStore({}, { requestsPerMinute: 1, leakMs: 60_000 });
    expect(await store.outcome('probe', workFor())).toEqual({ kind: 'done' });
    const told = await store.outcome('probe', workFor());
    expect(told).toMatchObject({ kind: 'throttled', code: 'too_many_requests' });
    const waitMs = told.kind === 'throttled' ? (told.retryAt ?? 0) - clock.now() : 0;
    expect(waitMs).toBeGreaterThan(50_000);
    expect(waitMs).toBeLessThanOrEqual(60_000);
  });

  test.each([500, 503])(
    'after a %d what creates is looked up, and what reads or sets goes again',
    async (status) => {
      const store = await openStore();
      const placed = await store.place(order());
      for (const [verb, step] of [
        ['get', 'get'],
        ['list', 'probe'],
        ['status', 'cancel'],
        ['update', 'update'],
      ] as const) {
        await store.fault(verb, { status });
        expect(
          await store.outcome(step, {
            ...placed,
            params: { customer: { firstName: 'S', phone: '0501234567' } },
          }),
        ).toMatchObject({ kind: 'failed' });
      }
      await store.fault('submit', { status });
      expect(await store.outcome('order', workFor(order()))).toMatchObject({ kind: 'unknown' });
    },
  );

  test.each<[string, Ending]>([
    ['HTML under 200', { status: 200, body: '<html>maintenance</html>' }],
    ['a success without an id', { status: 201, body: { status: 201, success: true, data: {} } }],
    [
      'word of a deletion',
      { status: 202, body: { status: 202, success: true, data: { message: null, code: 202 } } },
    ],
    ['a megabyte', { status: 200, body: 'x'.repeat(1_000_000) }],
  ])('%s may have been an order', async (_what, reply) => {
    const store = await openStore();
    await store.fault('submit', accepting(reply));
    expect(await store.outcome('order', workFor(order()))).toMatchObject({
      kind: 'unknown',
      code: 'unreadable_answer',
    });
  });
});

describe('tokens', () => {
  test('are refreshed, and the new ones are good', async () => {
    const store = await openStore();
    const refreshed = await store.refresh();
    if (refreshed?.kind !== 'tokens') throw new Error('the refresh brought no tokens');
    const { accessToken, expiresAt } = refreshed.tokens;
    expect(expiresAt).toBeGreaterThan(clock.now() + 13 * 86_400_000);
    expect(await store.outcome('probe', workFor(undefined, { accessToken }))).toEqual({ kind: 'done' });
  });

  test.each(['expires_in', 'both'] as const)('end when the endpoint says so by %s', async (tokenExpiry) => {
    const store = await openStore({}, { tokenExpiry, accessTokenMs: 3_600_000 });
    const refreshed = await store.refresh();
    const expiresAt = refreshed?.kind === 'tokens' ? (refreshed.tokens.expiresAt ?? 0) : 0;
    expect(Math.abs(expiresAt - clock.now() - 3_600_000)).toBeLessThan(10_000);
  });

  test('are all revoked when a refresh token is used twice', async () => {
    const store = await openStore();
    await store.refresh();
    expect(await store.refresh()).toMatchObject({ kind: 'revoked', code: 'invalid_grant' });
    expect(await store.outcome('probe', workFor())).toMatchObject({ kind: 'blocked', code: 'token' });
  });

  test('are not used up by a client that is not known', async () => {
    const store = await openStore();
    const stranger = store.caller({ credentials: { clientSecret: 'wrong' } });
    expect(await stranger.refresh()).toMatchObject({ kind: 'refused', code: 'invalid_client' });
    expect(await store.refresh()).toMatchObject({ kind: 'tokens' });
  });
});

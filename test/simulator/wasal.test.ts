import { simulators } from '../../src/simulator/index.js';
import { fakeTime } from '../helpers/fake-time.js';
import { ADDRESS, data, LIVE, OTHER, refused, rig, rows, SANDBOX, stopAll, told } from './wasal-calls.js';

afterEach(stopAll);

const OBJECT_ID = /^[0-9a-f]{24}$/;
const DAY_MS = 86_400_000;

describe('a customer, an address and an order', () => {
  test('are created one after the other, each with 201', async () => {
    const { call } = await rig();
    const upserted = await call('POST', '/customer/upsert', { phoneNumber: '+965 5000-1234', name: 'نورة' });
    expect(told(upserted)).toEqual([
      201,
      {
        success: true,
        data: {
          created: true,
          customer: {
            _id: expect.stringMatching(OBJECT_ID),
            name: 'نورة',
            phoneNumber: '+96550001234',
            email: null,
            addresses: [],
            createdAt: '2026-01-01T00:00:00.000Z',
            updatedAt: '2026-01-01T00:00:00.000Z',
          },
        },
      },
    ]);
    const customerId = Reflect.get(Object(data(upserted).customer), '_id');
    const added = await call('POST', `/customer/${customerId}/address`, ADDRESS);
    expect([added.status, data(added)]).toEqual([
      201,
      {
        address: expect.objectContaining({
          ...ADDRESS,
          _id: expect.stringMatching(OBJECT_ID),
          floorNumber: null,
        }),
      },
    ]);
    const addressId = Reflect.get(Object(data(added).address), '_id');
    const submitted = await call('POST', '/order', {
      customerId,
      customerAddressId: addressId,
      branchCode: 'MAIN',
      specialHandlingTags: ['fragile', 'liquid'],
      packageSide: 'small',
      paymentMethod: 'cod',
      amountToCollect: 12.345,
      pricing: { subtotal: 11.095, total: 12.345 },
      items: [{ name: 'عطر', sku: 'P-1', qty: 2, price: 5.547 }],
      merchantNotes: 'Ring twice',
      orderMerchantReferenceNumber: 'ref-1',
    });
    expect([submitted.status, data(submitted)]).toEqual([
      201,
      {
        order: {
          _id: expect.stringMatching(OBJECT_ID),
          orderNumber: 'MAIN-000001',
          status: 'pending',
          orderMerchantReferenceNumber: 'ref-1',
          customerId,
          customerAddressId: addressId,
          deliveryAddress: data(added).address,
          branchId: expect.stringMatching(OBJECT_ID),
          branchCode: 'MAIN',
          specialHandlingTags: ['fragile', 'liquid'],
          packageSide: 'small',
          paymentMethod: 'cod',
          amountToCollect: 12.345,
          pricing: { subtotal: 11.095, deliveryFee: 1.25, total: 12.345 },
          items: [{ name: 'عطر', sku: 'P-1', qty: 2, price: 5.547 }],
          merchantNotes: 'Ring twice',
          isSandbox: false,
          createdAt: '2026-01-01T00:00:00.000Z',
          updatedAt: '2026-01-01T00:00:00.000Z',
        },
      },
    ]);
  });

  test('an upsert of a known phone number finds the customer and changes what it says', async () => {
    const { call, settled } = await rig();
    const { customerId, addressId } = await settled('50001234');
    const again = await call('POST', '/customer/upsert', {
      phoneNumber: '50001234',
      email: 'N@shop.example',
    });
    expect(again.status).toBe(200);
    expect(data(again)).toMatchObject({
      created: false,
      customer: {
        _id: customerId,
        name: 'Noura Al-Sabah',
        email: 'n@shop.example',
        addresses: [{ _id: addressId }],
      },
    });
    const kept = await call('POST', '/customer/upsert', { phoneNumber: '50001234', email: 'n@shop.example' });
    expect(kept.status).toBe(200);
    const renamed = await call('POST', '/customer/upsert', { phoneNumber: '50001234', name: 'Noura' });
    expect(data(renamed)).toMatchObject({ customer: { name: 'Noura', email: 'n@shop.example' } });
  });

  test('an order without an address goes to the first one of the customer', async () => {
    const { call, settled, submit } = await rig();
    const { customerId, addressId } = await settled();
    await call('POST', `/customer/${customerId}/address`, { label: 'Office' });
    expect(data(await submit())).toMatchObject({ order: { customerAddressId: addressId } });
  });

  test('an address that is overwritten changes where the orders to it go', async () => {
    const { call, settled, place, get } = await rig();
    const { customerId, addressId } = await settled();
    const id = await place('ref-1');
    const path = `/customer/${customerId}/address/${addressId}`;
    const changed = await call('PUT', path, { label: 'Office', line1: 'Street 13' });
    expect([changed.status, data(changed)]).toMatchObject([
      200,
      { address: { _id: addressId, label: 'Office', line1: 'Street 13', houseNumber: null } },
    ]);
    expect(data(await get(id))).toMatchObject({ order: { deliveryAddress: { line1: 'Street 13' } } });
  });

  test('a customer without orders can be deleted, and gives back phone number and email address', async () => {
    const { call } = await rig();
    const body = { phoneNumber: '50001234', name: 'N', email: 'n@shop.example' };
    const first = await call('POST', '/customer', body);
    const id = Reflect.get(Object(data(first).customer), '_id');
    expect((await call('DELETE', `/customer/${id}`)).status).toBe(200);
    expect((await call('GET', `/customer/${id}`)).status).toBe(404);
    expect((await call('POST', '/customer', { ...body, addresses: [ADDRESS] })).status).toBe(201);
  });

  test('the fee follows the zones, the neighborhood before the governorate, unless the order says one', async () => {
    const { call, submit, settled } = await rig();
    const { customerId } = await settled();
    const fee = async (address: object, changes: object = {}) => {
      const added = await call('POST', `/customer/${customerId}/address`, { label: 'Other', ...address });
      const customerAddressId = Reflect.get(Object(data(added).address), '_id');
      return Object(data(await submit({ customerAddressId, ...changes })).order).pricing.deliveryFee;
    };
    expect(await fee({ governorateId: '4', neighborhoodId: '402' })).toBe(1.875);
    expect(await fee({ neighborhoodId: '401' })).toBe(2);
    expect(await fee({})).toBe(1.5);
    expect(await fee({ governorateId: '5' }, { pricing: { deliveryFee: 0.75 } })).toBe(0.75);
  });

  test('a second order of a reference is accepted, unless told otherwise', async () => {
    const lenient = await rig();
    expect(await lenient.place('ref-1')).not.toBe(await lenient.place('ref-1'));
    expect(await lenient.listed('?referenceNumber=ref-1')).toHaveLength(2);
    const strict = await rig({ duplicates: 'reject' });
    await strict.place('ref-1');
    expect(told(await strict.submit())).toEqual(refused(409, 'DUPLICATE_REFERENCE'));
    expect((await strict.submit({}, { key: SANDBOX })).status).toBe(201);
  });
});

describe('the life of an order', () => {
  test('passes every status in its time, ends delivered, and is remembered', async () => {
    const { place, status, time, call } = await rig();
    const id = await place('ref-1');
    const seen = [];
    for (let step = 0; step < 7; step += 1) {
      seen.push(await status(id));
      time.advance(1_000);
    }
    const life = ['pending', 'assigned', 'on_way_to_merchant', 'picked_up', 'in_transit', 'delivered'];
    expect(seen).toEqual([...life, 'delivered']);
    const history = await call('GET', `/order/${id}/history`);
    expect(data(history)).toEqual({
      statusHistory: life.map((name, index) => ({
        status: name,
        timestamp: `2026-01-01T00:00:0${index}.000Z`,
      })),
    });
  });

  test.each([0, Number.POSITIVE_INFINITY])(
    'stands still with a step of %p until advanced by hand',
    async (stepMs) => {
      const { place, status, advance, time, ledger } = await rig({ stepMs });
      const id = await place('ref-1');
      time.advance(DAY_MS);
      expect(await status(id)).toBe('pending');
      expect((await advance('ref-1', 'on_hold')).status).toBe(200);
      expect(await status(id)).toBe('on_hold');
      expect((await advance(id, 'returned')).status).toBe(200);
      expect((await advance('nobody', 'assigned')).status).toBe(404);
      expect((await ledger()).orders).toEqual([
        {
          id,
          reference: 'ref-1',
          status: 'returned',
          createdAt: '2026-01-01T00:00:00.000Z',
          orderType: 'order',
        },
      ]);
    },
  );

  test('goes on by itself from where it was put, and keeps what it was before', async () => {
    const { place, advance, time, call } = await rig();
    const id = await place('ref-1');
    time.advance(1_500);
    await advance('ref-1', 'in_transit');
    time.advance(1_000);
    const history = data(await call('GET', `/order/${id}/history`)).statusHistory;
    expect(history).toEqual([
      { status: 'pending', timestamp: '2026-01-01T00:00:00.000Z' },
      { status: 'assigned', timestamp: '2026-01-01T00:00:01.000Z' },
      { status: 'in_transit', timestamp: '2026-01-01T00:00:01.500Z' },
      { status: 'delivered', timestamp: '2026-01-01T00:00:02.500Z' },
    ]);
  });

  test.each(['draft', 'pending', 'assigned', 'on_way_to_merchant'])(
    'can be cut short when %s',
    async (status) => {
      const rigged = await rig({ stepMs: 0 });
      const id = await rigged.place('ref-1');
      await rigged.advance(id, status);
      const heard = await rigged.cancel(id);
      expect([heard.status, data(heard)]).toMatchObject([200, { order: { _id: id, status: 'cancelled' } }]);
      rigged.time.advance(DAY_MS);
      expect(await rigged.status(id)).toBe('cancelled');
    },
  );

  test.each(['picked_up', 'in_transit', 'delivered', 'failed', 'returned', 'cancelled'])(
    'cannot be cut short when %s',
    async (status) => {
      const { place, advance, cancel } = await rig({ stepMs: 0 });
      const id = await place('ref-1');
      await advance(id, status);
      expect(told(await cancel(id))).toEqual(refused(400, 'ORDER_NOT_CANCELLABLE'));
    },
  );

  test('is refused to be cut short the way that the options say', async () => {
    const { place, advance, cancel } = await rig({ cancelRefusal: { status: 409, code: 'TOO_LATE' } });
    const id = await place('ref-1');
    await advance(id, 'delivered');
    expect(told(await cancel(id))).toEqual(refused(409, 'TOO_LATE'));
  });
});

describe('drafts', () => {
  test.each([[{ status: 'draft' }], [{ draft: true }]])(
    'come of %p and wait until activated',
    async (changes) => {
      const { place, status, activate, time, ledger } = await rig();
      const id = await place('ref-1', changes);
      time.advance(DAY_MS);
      expect(await status(id)).toBe('draft');
      expect((await ledger()).orders).toMatchObject([{ status: 'draft', orderType: 'draft' }]);
      const heard = await activate(id);
      expect([heard.status, data(heard)]).toMatchObject([200, { order: { _id: id, status: 'pending' } }]);
      time.advance(1_000);
      expect(await status(id)).toBe('assigned');
    },
  );

  test('are what every order becomes if the options or a control say so', async () => {
    const { place, status, control } = await rig({ createAsDraft: true });
    expect(await status(await place('ref-1'))).toBe('draft');
    expect((await control({ createAsDraft: false }, '/merchant')).status).toBe(200);
    expect(await status(await place('ref-2'))).toBe('pending');
  });

  test('are activated where the options say', async () => {
    const { simulator, place, call, status } = await rig({ activatePath: '/activation/{id}' });
    expect(simulator.account('any').config.activatePath).toBe('/activation/{id}');
    const id = await place('ref-1', { draft: true });
    expect((await call('PUT', `/activation/${id}`)).status).toBe(200);
    expect(await status(id)).toBe('pending');
  });
});

describe('the wallet', () => {
  test('pays for each order in production until it is empty, and again when it is filled', async () => {
    const { submit, control, ledger } = await rig({ walletBalance: 3 });
    expect([(await submit()).status, (await submit()).status]).toEqual([201, 201]);
    expect(told(await submit())).toEqual(
      refused(400, 'INSUFFICIENT_WALLET_BALANCE', {
        data: { required: 1.25, balance: 0.5, currency: 'KWD' },
      }),
    );
    expect((await ledger()).orders).toHaveLength(2);
    expect((await control({ balance: 1.25 }, '/wallet')).json()).toEqual({ balance: 1.25 });
    expect((await submit()).status).toBe(201);
    expect((await submit()).status).toBe(400);
    await control({ balance: null }, '/wallet');
    expect((await submit()).status).toBe(201);
  });

  test('pays for a draft when it is activated', async () => {
    const { place, activate, control, status } = await rig({ walletBalance: 0.001 });
    const id = await place('ref-1', { draft: true });
    expect(told(await activate(id))).toEqual(
      refused(400, 'INSUFFICIENT_WALLET_BALANCE', {
        data: { required: 1.25, balance: 0.001, currency: 'KWD' },
      }),
    );
    expect(await status(id)).toBe('draft');
    await control({ balance: 2 }, '/wallet');
    expect((await activate(id)).status).toBe(200);
  });

  test('is not asked in the sandbox', async () => {
    const { submit } = await rig({ walletBalance: 0 });
    expect((await submit({}, { key: SANDBOX })).status).toBe(201);
  });
});

describe('the order window', () => {
  test('follows its opening hours in Kuwait', async () => {
    // The clock starts at midnight UTC, which is 03:00 in Kuwait.
    const { place, status, activate, time } = await rig({
      openingHours: { opens: '09:00', closes: '22:30' },
      stepMs: 0,
    });
    const draft = await place('ref-1', { draft: true });
    expect(await status(await place('ref-2'))).toBe('pending');
    expect(told(await activate(draft))).toEqual(refused(400, 'ORDER_WINDOW_CLOSED'));
    time.advance(6 * 3_600_000 - 1);
    expect((await activate(draft)).status).toBe(400);
    time.advance(1);
    expect((await activate(draft)).status).toBe(200);
    expect(await status(await place('ref-3'))).toBe('assigned');
    time.advance(13.5 * 3_600_000);
    expect(await status(await place('ref-4'))).toBe('pending');
  });

  test('may last beyond midnight', async () => {
    const { place, status, time } = await rig({
      openingHours: { opens: '20:00', closes: '03:01' },
      stepMs: 0,
    });
    expect(await status(await place('ref-1'))).toBe('assigned');
    time.advance(60_000);
    expect(await status(await place('ref-2'))).toBe('pending');
    time.advance(17 * 3_600_000);
    expect(await status(await place('ref-3'))).toBe('assigned');
  });

  test('can be opened and closed by hand', async () => {
    const { place, activate, control, status } = await rig({ stepMs: 0 });
    const id = await place('ref-1', { draft: true });
    expect((await control({ open: false }, '/window')).json()).toEqual({ open: false });
    expect(told(await activate(id))).toEqual(refused(400, 'ORDER_WINDOW_CLOSED'));
    await control({ open: true }, '/window');
    expect(await status(await place('ref-2'))).toBe('assigned');
    expect((await control({ open: null }, '/window')).json()).toEqual({ open: null });
    expect((await activate(id)).status).toBe(200);
  });

  test('cannot have hours that are none', async () => {
    await expect(rig({ openingHours: { opens: '9am', closes: '24:00' } })).rejects.toThrow('HH:MM');
  });
});

describe('the sandbox', () => {
  test('moves orders by hand only', async () => {
    const { place, status, move, time } = await rig();
    const id = await place('ref-1', {}, { key: SANDBOX });
    time.advance(DAY_MS);
    expect(await status(id)).toBe('pending');
    const moved = await move(id, 'delivered');
    expect(told(moved)).toEqual([
      200,
      { success: true, data: { orderId: id, orderNumber: 'MAIN-000001', status: 'delivered' } },
    ]);
    expect(await status(id, { key: SANDBOX })).toBe('delivered');
  });

  test('is listed when it is asked for, and production when it is not', async () => {
    const { place, listed } = await rig();
    await place('live-1');
    await place('test-1', {}, { key: SANDBOX });
    for (const key of [LIVE, SANDBOX]) {
      expect(await listed('', { key })).toEqual(['live-1']);
      expect(await listed('?sandbox=1', { key })).toEqual(['test-1']);
    }
  });
});

describe('an entry for the accounts file', () => {
  test('has the key of the environment that was asked for', async () => {
    const { simulator } = await rig();
    expect(simulator.account('wasal-kw')).toEqual({
      id: 'wasal-kw',
      provider: 'wasal',
      config: { baseUrl: `${simulator.url}/api/v1`, packageSides: ['small', 'medium', 'large'] },
      credentials: { apiKey: LIVE, webhookSecret: 'whsec_simulator' },
    });
    const sandbox = await rig({ environment: 'test', packagePhotoField: 'photo', webhookSecret: 'secret' });
    expect(sandbox.simulator.account('any')).toMatchObject({
      config: { packagePhotoField: 'photo' },
      credentials: { apiKey: SANDBOX, webhookSecret: 'secret' },
    });
  });

  test('has the limit where it is not the documented one', async () => {
    const { simulator } = await rig({ requestsPerWindow: 30, windowMs: 60_000 });
    expect(simulator.account('any').limits).toEqual({ requests: 30, perMs: 60_000, concurrency: 4 });
    const mean = await rig({ requestsPerSecond: 100 });
    expect(mean.simulator.account('any').limits).toEqual({
      requests: 90_000,
      perMs: 900_000,
      concurrency: 4,
    });
  });

  test('is what the list of simulators starts with keys of its own', async () => {
    const simulator = await simulators.wasal?.({ time: fakeTime() });
    expect(simulator?.account('any').credentials.apiKey).toBe('pk_live_simulator');
    await simulator?.close();
  });

  test('cannot be made of keys that are none, or that somebody has', async () => {
    await expect(rig({ liveKey: 'sk_live_1' })).rejects.toThrow('key');
    await expect(rig({ liveKey: SANDBOX })).rejects.toThrow('key');
    await expect(rig({ otherKeys: [OTHER, OTHER] })).rejects.toThrow('key');
  });
});

describe('the lists that an order is put together from', () => {
  test('name areas to everybody, each level within the other', async () => {
    const { call } = await rig();
    const areas = async (query: string) =>
      rows(await call('GET', `/governorate-area${query}`, undefined, { key: null }));
    const governorates = await areas('?featureType=Governorate');
    expect(governorates).toHaveLength(6);
    expect(governorates[1]).toMatchObject({ sourceId: '2', title: { en: 'Hawalli', ar: 'حولي' } });
    const neighborhoods = await areas('?featureType=Neighborhood&governorateId=2');
    expect(neighborhoods.map((area) => area.sourceId)).toEqual(['201', '202']);
    const blocks = await areas('?featureType=Block&neighborhoodId=202');
    expect(blocks.map((area) => area.sourceId)).toEqual(['20201', '20202', '20203', '20204']);
  });

  test('name prices and branches to the merchant, and a branch can be named by id too', async () => {
    const { call, submit } = await rig({ branches: ['NORTH', 'SOUTH'] });
    expect(rows(await call('GET', '/pricing'))[1]).toEqual({
      destinationGovernorateId: '1',
      neighborhoodId: '102',
      deliveryFee: 1.125,
      serviceType: 'b2c',
    });
    const [, south] = rows(await call('GET', '/branch'));
    expect(south).toMatchObject({ code: 'SOUTH' });
    const heard = await submit({ branchCode: undefined, branchId: south?._id });
    expect(data(heard)).toMatchObject({ order: { orderNumber: 'SOUTH-000001', branchCode: 'SOUTH' } });
  });
});

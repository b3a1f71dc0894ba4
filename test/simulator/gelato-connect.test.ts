import { simulators } from '../../src/simulator/index.js';
import { fakeTime } from '../helpers/fake-time.js';
import { ADDRESS, field, ITEM, order, rig, stopAll } from './gelato-calls.js';

afterEach(stopAll);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('who is let in', () => {
  test.each([
    ['no key', null],
    ['another secret', 'test-key:wrong'],
    ['the key alone', 'test-key'],
  ])('a call with %s is refused with the documented envelope', async (_what, key) => {
    const { submit, ledger } = await rig();
    const heard = await submit(order(), { key });
    expect(heard.status).toBe(401);
    expect(heard.json()).toEqual({ code: 401, message: expect.any(String) });
    expect((await ledger()).orders).toEqual([]);
  });

  test('the limit of a second is shared by all operations, and a 429 says nothing about when to return', async () => {
    const { submit, search, get, time } = await rig({ requestsPerSecond: 3 });
    expect((await submit()).status).toBe(200);
    expect((await search()).status).toBe(200);
    expect((await get('nowhere')).status).toBe(404);
    const refused = await get('ref-1');
    expect(refused.status).toBe(429);
    expect(refused.json()).toEqual({ code: 429, message: expect.any(String) });
    expect(Object.keys(refused.headers).filter((name) => /retry|limit/i.test(name))).toEqual([]);
    time.advance(999);
    expect((await get('ref-1')).status).toBe(429);
    time.advance(1);
    expect((await get('ref-1')).status).toBe(200);
  });

  test('calls without the key do not count for the limit', async () => {
    const { submit } = await rig({ requestsPerSecond: 1 });
    await submit(order(), { key: null });
    expect((await submit()).status).toBe(200);
  });

  test('paths that are none of the operations answer the envelope too', async () => {
    const { call, simulator } = await rig();
    const heard = await call('GET', `${simulator.url}/api/elsewhere`);
    expect(heard.status).toBe(404);
    expect(heard.json()).toEqual({ code: 404, message: expect.any(String) });
    expect((await call('GET', `${simulator.url}/api/%zz`)).status).toBe(400);
  });
});

describe('submit', () => {
  test('answers an id, the reference and a timestamp of whole seconds with an offset', async () => {
    const { submit } = await rig();
    const heard = await submit(order({ orderReferenceId: 'a:b' }));
    expect(heard.status).toBe(200);
    expect(heard.json()).toEqual({
      id: expect.stringMatching(UUID),
      orderReferenceId: 'a:b',
      createdAt: '2026-01-01T00:00:00+00:00',
    });
  });

  test('makes a second order of the same reference, even with preventDuplicate, unless told otherwise', async () => {
    const { submit, ledger, get } = await rig();
    const first = field(await submit(order({ preventDuplicate: true })), 'id');
    const second = field(await submit(order({ preventDuplicate: true })), 'id');
    expect(second).not.toBe(first);
    expect((await ledger()).orders).toHaveLength(2);
    expect(field(await get('ref-1'), 'id')).toBe(first);
  });

  test('can answer a duplicate with the first order, but only where preventDuplicate is asked for', async () => {
    const { submit, ledger } = await rig({ duplicates: 'return-first' });
    const first = await submit(order({ preventDuplicate: true }));
    expect((await submit(order({ preventDuplicate: true }))).json()).toEqual(first.json());
    expect((await submit(order())).json()).not.toEqual(first.json());
    expect((await ledger()).orders).toHaveLength(2);
  });

  test('can refuse a duplicate', async () => {
    const { submit } = await rig({ duplicates: 'reject' });
    expect((await submit(order({ preventDuplicate: true }))).status).toBe(200);
    const heard = await submit(order({ preventDuplicate: true }));
    expect(heard.status).toBe(400);
    expect(field(heard, 'message')).toMatch(/duplicate/i);
  });
});

describe('the life of an order', () => {
  test('passes every status in its time and ends delivered', async () => {
    const { place, status, time } = await rig({ stepMs: 1_000 });
    await place('ref-1');
    const seen = [];
    for (let step = 0; step < 8; step += 1) {
      seen.push(await status('ref-1'));
      time.advance(1_000);
    }
    expect(seen).toEqual([
      'created',
      'passed',
      'in_production',
      'printed',
      'packaged',
      'shipped',
      'delivered',
      'delivered',
    ]);
  });

  test.each([0, Number.POSITIVE_INFINITY])(
    'stands still with a step of %p until advanced by hand',
    async (stepMs) => {
      const { place, status, advance, time } = await rig({ stepMs });
      await place('ref-1');
      time.advance(86_400_000);
      expect(await status('ref-1')).toBe('created');
      expect((await advance('ref-1', 'on_hold')).status).toBe(200);
      expect(await status('ref-1')).toBe('on_hold');
      expect((await advance('nobody', 'shipped')).status).toBe(404);
    },
  );

  test('goes on by itself from where it was put by hand', async () => {
    const { place, status, advance, time } = await rig({ stepMs: 1_000 });
    await place('ref-1');
    await advance('ref-1', 'packaged');
    time.advance(1_000);
    expect(await status('ref-1')).toBe('shipped');
  });

  test('fails after acceptance when it crosses a border without retail prices', async () => {
    const { place, get, found, time } = await rig({ stepMs: 1_000 });
    await place('ref-1', { shippingAddress: { ...ADDRESS, country: 'GB' } });
    expect(field(await get('ref-1'), 'fulfillmentStatus')).toBe('created');
    time.advance(1_000);
    expect((await get('ref-1')).json()).toMatchObject({
      fulfillmentStatus: 'failed',
      financialStatus: 'canceled',
      refusalReasonCode: 'missing_retail_prices',
      refusalReason: expect.any(String),
      comment: expect.any(String),
      createdAt: '2026-01-01T00:00:00+00:00',
      updatedAt: '2026-01-01T00:00:01+00:00',
    });
    time.advance(60_000);
    expect(await found({ fulfillmentStatus: ['failed'] })).toEqual(['ref-1']);
  });

  test('does not fail across a border with retail prices, nor within the customs union without', async () => {
    const { place, status, time } = await rig({ stepMs: 1_000 });
    await place('abroad', {
      shippingAddress: { ...ADDRESS, country: 'GB' },
      items: [{ ...ITEM, retailPriceInclVat: 19.99 }],
      retailCurrency: 'GBP',
    });
    await place('union');
    time.advance(6_000);
    expect([await status('abroad'), await status('union')]).toEqual(['delivered', 'delivered']);
  });

  test('fails by hand with the reason given', async () => {
    const { place, get, advance } = await rig({ stepMs: 0 });
    await place('ref-1');
    await advance('ref-1', 'failed', 'file_not_readable');
    expect((await get('ref-1')).json()).toMatchObject({ refusalReasonCode: 'file_not_readable' });
  });

  test('has packages with tracking once it has shipped, and not before', async () => {
    const { place, get, advance } = await rig({ stepMs: 0 });
    await place('ref-1');
    expect((await get('ref-1')).json()).toMatchObject({ shipment: { packages: [] } });
    await advance('ref-1', 'shipped');
    expect((await get('ref-1')).json()).toMatchObject({
      shipment: {
        packages: [
          {
            id: expect.stringMatching(UUID),
            trackingCode: expect.stringMatching(/^SIM/),
            trackingUrl: expect.stringMatching(/^https:/),
            items: [{ referenceId: 'line-1', quantity: 2 }],
          },
        ],
      },
    });
  });
});

describe('drafts', () => {
  test('stay drafts until they are activated, then live like any order', async () => {
    const { place, get, status, activate, time } = await rig({ stepMs: 1_000 });
    await place('ref-1', { orderType: 'draft' });
    time.advance(60_000);
    expect((await get('ref-1')).json()).toMatchObject({ orderType: 'draft', fulfillmentStatus: 'draft' });
    const heard = await activate('ref-1');
    expect(heard.status).toBe(200);
    expect(heard.json()).toMatchObject({ orderType: 'order', fulfillmentStatus: 'created' });
    time.advance(1_000);
    expect(await status('ref-1')).toBe('passed');
  });

  test('are activated once, with the one body that makes sense', async () => {
    const { place, activate } = await rig({ stepMs: 0 });
    await place('ref-1', { orderType: 'draft' });
    expect((await activate('ref-1', { orderType: 'draft' })).status).toBe(400);
    expect((await activate('ref-1', {})).status).toBe(400);
    expect((await activate('ref-1')).status).toBe(200);
    expect((await activate('ref-1')).status).toBe(400);
    expect((await activate('nobody')).status).toBe(404);
  });

  test('cannot be activated where the provider does not know how', async () => {
    const { place, call, simulator } = await rig({ activation: false });
    await place('ref-1', { orderType: 'draft' });
    const { config } = simulator.account('a');
    expect(config.activateUrl).toBeUndefined();
    const url = String(config.getUrl).replace('{id}', 'ref-1');
    expect((await call('PATCH', url, { orderType: 'order' })).status).toBe(404);
  });
});

describe('cancel', () => {
  test('works by id or reference until the order has shipped, twice if need be', async () => {
    const { place, get, cancel, time } = await rig({ stepMs: 1_000 });
    const id = await place('ref-1');
    time.advance(4_000);
    const heard = await cancel(id);
    expect(heard.status).toBe(200);
    expect(heard.json()).toEqual({ code: 200, message: 'OK' });
    expect((await cancel('ref-1')).status).toBe(200);
    time.advance(60_000);
    expect((await get('ref-1')).json()).toMatchObject({
      fulfillmentStatus: 'canceled',
      financialStatus: 'canceled',
      updatedAt: '2026-01-01T00:00:04+00:00',
    });
  });

  test.each([400, 409] as const)('is refused with %p once the order has shipped', async (status) => {
    const {
      place,
      cancel,
      status: statusOf,
      time,
    } = await rig({ stepMs: 1_000, cancelTooLateStatus: status });
    await place('ref-1');
    time.advance(5_000);
    const heard = await cancel('ref-1');
    expect(heard.status).toBe(status);
    expect(heard.json()).toEqual({ code: status, message: expect.stringContaining('shipped') });
    expect(await statusOf('ref-1')).toBe('shipped');
  });

  test('is refused for a failed order, and not found for an unknown one', async () => {
    const { place, cancel, advance } = await rig({ stepMs: 0 });
    await place('ref-1');
    await advance('ref-1', 'failed');
    expect((await cancel('ref-1')).status).toBe(400);
    expect((await cancel('ref-2')).json()).toEqual({ code: 404, message: 'Order not found' });
  });

  test('takes an empty body that calls itself JSON', async () => {
    const { place, call, simulator } = await rig();
    await place('ref-1');
    const url = String(simulator.account('a').config.cancelUrl).replace('{id}', 'ref-1');
    expect((await call('POST', url, '')).status).toBe(200);
  });
});

describe('update shipment', () => {
  test('changes the method, the address or both, and answers as documented', async () => {
    const { place, update, get } = await rig({ stepMs: 0 });
    await place('ref-1');
    const shippingAddress = { ...ADDRESS, city: 'Malmö', isBusiness: true, federalTaxId: '12' };
    const heard = await update('ref-1', { shipmentMethodUid: 'fed_ex_2_day', shippingAddress });
    expect(heard.status).toBe(200);
    expect(heard.json()).toEqual({
      shippingAddress: {
        id: expect.stringMatching(UUID),
        orderId: expect.stringMatching(UUID),
        companyName: '',
        addressLine2: '',
        state: '',
        stateTaxId: null,
        registrationState: null,
        ...shippingAddress,
      },
      shipment: {
        shipmentMethodUid: 'fed_ex_2_day',
        shipmentMethodName: expect.any(String),
        fulfillmentCountry: 'DE',
        fulfillmentFacilityId: expect.any(String),
        packageCount: 1,
        initialMinDeliveryDate: '2026-01-03',
        initialMaxDeliveryDate: '2026-01-03',
        serviceType: 'express',
      },
    });
    expect((await update('ref-1', { shipmentMethodUid: 'normal' })).status).toBe(200);
    expect((await get('ref-1')).json()).toMatchObject({
      shipmentMethodUid: 'normal',
      shippingAddress: { city: 'Malmö' },
      shipment: { shipmentMethodUid: 'dhl_global_parcel' },
    });
  });

  test('is refused once the order has shipped or was canceled', async () => {
    const { place, update, cancel, time } = await rig({ stepMs: 1_000 });
    await place('ref-1');
    await place('ref-2');
    await cancel('ref-2');
    time.advance(5_000);
    expect((await update('ref-1', { shipmentMethodUid: 'normal' })).status).toBe(400);
    expect((await update('ref-2', { shipmentMethodUid: 'normal' })).status).toBe(400);
    expect((await update('ref-3', { shipmentMethodUid: 'normal' })).status).toBe(404);
  });

  test('does not rewrite what has become of the order under its old address', async () => {
    const { place, update, status, time } = await rig({ stepMs: 1_000 });
    await place('ref-1');
    time.advance(2_500);
    await update('ref-1', { shippingAddress: { ...ADDRESS, country: 'GB' } });
    expect(await status('ref-1')).toBe('in_production');
    time.advance(500);
    expect(await status('ref-1')).toBe('printed');
  });
});

describe('the account that fits the simulator', () => {
  test('holds its URLs and credentials, and a limit only where it is not the documented one', async () => {
    const usual = await rig();
    const { url, port } = usual.simulator;
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect(usual.simulator.account('gelato-eu')).toEqual({
      id: 'gelato-eu',
      provider: 'gelato-connect',
      config: {
        submitUrl: `${url}/api/sandbox/connector-1/order`,
        getUrl: `${url}/api/sandbox/order/connector-1/{id}`,
        cancelUrl: `${url}/api/sandbox/order/connector-1/{id}/cancel`,
        updateShipmentUrl: `${url}/api/sandbox/order/connector-1/{id}/shipment`,
        searchUrl: `${url}/api/sandbox/connector-1/orders/search`,
        activateUrl: `${url}/api/sandbox/order/connector-1/{id}`,
      },
      credentials: { apiKey: 'test-key', apiSecret: 'test-secret' },
    });
    const slow = await rig({ requestsPerSecond: 7 });
    expect(slow.simulator.account('a').limits).toEqual({ requests: 7, perMs: 1_000, concurrency: 20 });
  });

  test('lets in whoever uses it, also when the simulator made the credentials itself', async () => {
    const start = simulators['gelato-connect'];
    if (start === undefined) throw new Error('gelato-connect has no simulator');
    const simulator = await start({ time: fakeTime() });
    const { call } = await rig();
    const { config, credentials } = simulator.account('a');
    const heard = await call('POST', String(config.submitUrl), order(), {
      key: `${credentials.apiKey}:${credentials.apiSecret}`,
    });
    expect(heard.status).toBe(200);
    await simulator.close();
  });
});

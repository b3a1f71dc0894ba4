import { CUSTOMER, dataOf, problemOf, rig, stopAll } from './zupy-calls.js';

afterEach(stopAll);

describe('wallet passes', () => {
  const LOYALTY = { customer_id: CUSTOMER, platform: 'apple' };

  test('are made for a card or a coupon, listed and looked at', async () => {
    const { call, issue } = await rig();
    const coupon = { ...LOYALTY, platform: 'google', coupon_id: await issue() };
    expect((await call('POST', '/wallet/passes/loyalty/', LOYALTY)).status).toBe(201);
    const made = await call('POST', '/wallet/passes/coupons/', coupon);
    expect(made.status).toBe(201);
    const pass = dataOf<{ id: string }>(made);
    expect(pass).toMatchObject({ platform: 'google', coupon_title: 'Pudim da Casa' });
    expect((await call('GET', `/wallet/passes/?customer_id=${CUSTOMER}`)).json()).toMatchObject({
      count: 2,
      results: [{ pass_type: 'loyalty' }, { pass_type: 'coupon' }],
    });
    expect(dataOf(await call('GET', `/wallet/passes/${pass.id}/status/`))).toMatchObject({
      id: pass.id,
      customer_id: CUSTOMER,
    });
    expect(problemOf(await call('GET', '/wallet/passes/nothing/status/'))).toEqual([404, 'not-found']);
  });

  test('fail in two ways while the coupon itself lives on', async () => {
    const { call, settings, issue, coupons } = await rig();
    const body = { ...LOYALTY, coupon_id: await issue() };
    await settings({ wallet: 'rotating' });
    const rotating = await call('POST', '/wallet/passes/coupons/', body);
    expect(problemOf(rotating)).toEqual([503, 'wallet-temporarily-unavailable']);
    await settings({ wallet: 'down' });
    const down = await call('POST', '/wallet/passes/coupons/', body);
    expect(problemOf(down)).toEqual([503, 'service-unavailable']);
    expect(await coupons()).toMatchObject([{ status: 'active' }]);
  });

  test.each([
    ['/wallet/passes/loyalty/', { customer_id: CUSTOMER }, 422],
    ['/wallet/passes/loyalty/', { ...LOYALTY, platform: 'paper' }, 422],
    ['/wallet/passes/loyalty/', { ...LOYALTY, customer_id: 'nobody' }, 404],
    ['/wallet/passes/coupons/', LOYALTY, 422],
    ['/wallet/passes/coupons/', { ...LOYALTY, coupon_id: 'CZ-NONE' }, 404],
    ['/wallet/notifications/', { customer_id: CUSTOMER, type: 'points_update' }, 422],
    ['/wallet/notifications/', { customer_id: CUSTOMER, type: 'gossip', message: 'Oi' }, 422],
    ['/wallet/notifications/', { customer_id: 'nobody', type: 'points_update', message: 'Oi' }, 404],
    ['/wallet/notifications/', { customer_id: CUSTOMER, type: 'points_update', message: 'Oi' }, 202],
  ])('%p with %p is answered %p', async (path, body, status) => {
    const { call } = await rig();
    expect((await call('POST', path, body)).status).toBe(status);
  });

  test('are listed for somebody only', async () => {
    const { call } = await rig();
    expect(problemOf(await call('GET', '/wallet/passes/'))).toEqual([422, 'validation-error']);
    expect(problemOf(await call('GET', '/wallet/passes/?customer_id=no'))).toEqual([404, 'not-found']);
  });
});

test('inbound orders are told apart by what is in them', async () => {
  const { call } = await rig();
  const send = (body: unknown) => call('POST', '/webhooks/integrations/repediu/', body);
  const first = dataOf<{ status: string; id: string }>(await send([{ id_venda: 1 }]));
  expect(first.status).toBe('received');
  expect(dataOf(await send([{ id_venda: 1 }]))).toEqual({ status: 'duplicate', id: first.id });
  expect(dataOf(await send([{ id_venda: 2 }]))).toMatchObject({ status: 'received' });
  expect(problemOf(await send('{'))).toEqual([400, 'validation-error']);
});

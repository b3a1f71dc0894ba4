/** What a shop may still change about an order: drafts, cancels, shipments, corrected bodies. */

import type { OrderJson } from '../../src/views.js';
import { operation } from '../helpers/client.js';
import { accepting } from '../helpers/faults.js';
import { onBothBackends } from '../helpers/packline.js';

const is = (wanted: string) => (order: OrderJson) => order.status === wanted;

onBothBackends((packline) => {
  test.concurrent('an order that is not to be activated is held here where the provider holds no drafts', async () => {
    const { expecting, orderWhen, order } = packline();
    const { simulator, send } = await packline().scene({ activation: false });
    const held = await send('D-1', { activate: false });
    expect(held).toMatchObject({ held: true, status: 'received', operations: [] });
    // One that came later is through: had the first been on its way, it would be there.
    const other = await send('D-2');
    await orderWhen(other.id, 'submitted', is('submitted'));
    expect(await simulator.orders('D-1')).toEqual([]);
    expect(await order(held.id)).toMatchObject({ held: true, status: 'received' });

    expect(await expecting(202, 'POST', `/v1/orders/${held.id}/activate`)).toMatchObject({ held: false });
    await orderWhen(held.id, 'submitted', is('submitted'));
    expect(await simulator.orders('D-1')).toEqual([expect.objectContaining({ orderType: 'order' })]);
  });

  test.concurrent('a draft lies at the provider until it is activated', async () => {
    const { expecting, orderWhen } = packline();
    const { simulator, send } = await packline().scene();
    const sent = await send('D-1', { activate: false });
    const draft = await orderWhen(sent.id, 'a draft', is('draft'));
    expect(draft.held).toBe(false);
    expect(await simulator.orders('D-1')).toEqual([
      expect.objectContaining({ orderType: 'draft', status: 'draft' }),
    ]);

    await expecting(202, 'POST', `/v1/orders/${sent.id}/activate`);
    const active = await orderWhen(sent.id, 'submitted', is('submitted'));
    expect(operation(active, 'activate')).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(await simulator.orders('D-1')).toEqual([
      expect.objectContaining({ orderType: 'order', status: 'created' }),
    ]);
    const again = await expecting<OrderJson>(202, 'POST', `/v1/orders/${sent.id}/activate`);
    expect(again.operations).toHaveLength(2);
  });

  test.concurrent('an activation that is asked for before the draft is there waits for it', async () => {
    const { expecting, orderWhen } = packline();
    const { simulator, send } = await packline().scene();
    await simulator.fault({ match: { verb: 'submit' }, times: 1, do: { delayMs: 300 } });
    const sent = await send('D-1', { activate: false });
    await expecting(202, 'POST', `/v1/orders/${sent.id}/activate`);
    const active = await orderWhen(sent.id, 'submitted', is('submitted'));
    expect(operation(active, 'activate').state).toBe('succeeded');
    expect((await simulator.calls()).map(({ verb }) => verb)).toEqual(['submit', 'activate']);
  });

  test.concurrent('an order that was canceled before it was sent never reaches the provider', async () => {
    const { expecting, orderWhen, order } = packline();
    const { account, simulator, send } = await packline().scene();
    await expecting(200, 'POST', `/v1/accounts/${account}/pause`, { reason: 'stock count' });
    const sent = await send('C-1');
    expect(await expecting(202, 'POST', `/v1/orders/${sent.id}/cancel`)).toMatchObject({
      status: 'canceled',
    });
    expect(await expecting(200, 'POST', `/v1/accounts/${account}/resume`)).toMatchObject({ state: 'active' });
    const other = await send('C-2');
    await orderWhen(other.id, 'submitted', is('submitted'));
    expect((await simulator.orders()).map(({ reference }) => reference)).toEqual(['C-2']);
    const canceled = await order(sent.id);
    expect(canceled.status).toBe('canceled');
    expect(operation(canceled, 'submit').state).toBe('canceled');
    expect(operation(canceled, 'cancel').state).toBe('succeeded');
  });

  test.concurrent('a held order is canceled here', async () => {
    const { expecting } = packline();
    const { simulator, send } = await packline().scene({ activation: false });
    const sent = await send('C-1', { activate: false });
    expect(await expecting(202, 'POST', `/v1/orders/${sent.id}/cancel`)).toMatchObject({
      status: 'canceled',
      held: false,
    });
    expect(await simulator.calls()).toEqual([]);
  });

  test.concurrent('an order that was submitted is canceled at the provider, once however often it is asked', async () => {
    const { expecting, orderWhen } = packline();
    const { simulator, send } = await packline().scene();
    const sent = await send('C-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    await Promise.all([1, 2, 3].map(() => expecting(202, 'POST', `/v1/orders/${sent.id}/cancel`)));
    const canceled = await orderWhen(sent.id, 'canceled', is('canceled'));
    expect(canceled.operations.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      'submit succeeded',
      'cancel succeeded',
    ]);
    expect(await simulator.orders('C-1')).toEqual([expect.objectContaining({ status: 'canceled' })]);
    expect(await simulator.calls('cancel')).toHaveLength(1);
  });

  test.concurrent.each([400, 409] as const)(
    'a cancel that comes too late, as the provider says with %i, is rejected and the order goes on',
    async (cancelTooLateStatus) => {
      const { ask, expecting, orderWhen } = packline();
      const { simulator, send } = await packline().scene({ cancelTooLateStatus });
      const sent = await send('C-1');
      await orderWhen(sent.id, 'submitted', is('submitted'));
      await simulator.advance('C-1', 'shipped');
      await expecting(202, 'POST', `/v1/orders/${sent.id}/cancel`);
      const late = await orderWhen(sent.id, 'shipped', is('shipped'));
      expect(operation(late, 'cancel')).toMatchObject({
        state: 'rejected',
        lastOutcome: { kind: 'rejected', code: 'too_late' },
      });
      expect(late).toMatchObject({ rawStatus: 'shipped', failure: null });
      const again = await ask('POST', `/v1/orders/${sent.id}/cancel`);
      expect(again.status).toBe(409);
      expect(again.json()).toMatchObject({ type: expect.stringMatching(/not-possible$/) });
    },
  );

  test.concurrent('a cancel of an order whose answer was lost waits until the order is found, then cancels it', async () => {
    const { expecting, orderWhen } = packline();
    const { simulator, send } = await packline().scene();
    await simulator.fault({ match: { verb: 'submit' }, times: 1, do: accepting('drop') });
    const sent = await send('C-1');
    await orderWhen(sent.id, 'unconfirmed', (order) => operation(order, 'submit').state === 'unconfirmed');
    expect(await expecting(202, 'POST', `/v1/orders/${sent.id}/cancel`)).toMatchObject({
      status: 'received',
    });
    const canceled = await orderWhen(sent.id, 'canceled', is('canceled'));
    expect(operation(canceled, 'submit').state).toBe('succeeded');
    expect(await simulator.orders('C-1')).toEqual([expect.objectContaining({ status: 'canceled' })]);
  });

  test.concurrent('a cancel of an order that is proven absent ends it here, and it is not sent again', async () => {
    const { expecting, orderWhen } = packline();
    const { simulator, send } = await packline().scene();
    await simulator.fault({ match: { verb: 'submit' }, times: 1, do: { status: 502 } });
    const sent = await send('C-1');
    await orderWhen(sent.id, 'unconfirmed', (order) => operation(order, 'submit').state === 'unconfirmed');
    await expecting(202, 'POST', `/v1/orders/${sent.id}/cancel`);
    const canceled = await orderWhen(sent.id, 'canceled', is('canceled'));
    expect(canceled.operations.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      'submit canceled',
      'cancel succeeded',
    ]);
    expect(await simulator.calls('submit')).toHaveLength(1);
    expect(await simulator.orders('C-1')).toEqual([]);
  });

  test.concurrent('a shipment is changed at the provider', async () => {
    const { ask, expecting, orderWhen } = packline();
    const { simulator, send } = await packline().scene();
    const sent = await send('U-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    const shippingAddress = { line1: 'Gran Vía 1', city: 'Madrid', postCode: '28013', country: 'ES' };
    await expecting(202, 'POST', `/v1/orders/${sent.id}/shipment`, {
      shippingMethod: 'express',
      shippingAddress,
    });
    const changed = await orderWhen(sent.id, 'updated', (order) =>
      order.operations.some(({ kind, state }) => kind === 'update' && state === 'succeeded'),
    );
    expect(operation(changed, 'update').attempts).toBe(1);
    expect(await simulator.show('U-1')).toMatchObject({
      shipmentMethodUid: 'express',
      shippingAddress: { city: 'Madrid' },
    });
    const wrong = await ask('POST', `/v1/orders/${sent.id}/shipment`, {
      body: { shippingAddress: { ...shippingAddress, country: 'US' } },
    });
    expect(wrong.status).toBe(422);
    expect(wrong.json()).toMatchObject({ errors: [{ pointer: '/shippingAddress/state' }] });
  });

  test.concurrent('a shipment that has left can no longer be changed', async () => {
    const { expecting, orderWhen, ask } = packline();
    const { simulator, send } = await packline().scene();
    const sent = await send('U-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    await simulator.advance('U-1', 'shipped');
    await expecting(202, 'POST', `/v1/orders/${sent.id}/shipment`, { shippingMethod: 'express' });
    const late = await orderWhen(sent.id, 'shipped', is('shipped'));
    expect(operation(late, 'update')).toMatchObject({ state: 'rejected', lastOutcome: { code: 'too_late' } });
    expect(
      (await ask('POST', `/v1/orders/${sent.id}/shipment`, { body: { shippingMethod: 'slow' } })).status,
    ).toBe(409);
  });

  test.concurrent('a rejected order is corrected, and goes out as its next generation', async () => {
    const { expecting, orderWhen, timeline } = packline();
    const { simulator, send, body } = await packline().scene();
    const message = 'Invalid shipping address: Email is not a valid format';
    await simulator.fault({
      match: { verb: 'submit' },
      times: 1,
      do: { status: 400, body: { code: 400, message } },
    });
    const sent = await send('P-1');
    const failed = await orderWhen(sent.id, 'failed', is('failed'));
    expect(failed.failure).toMatchObject({ message });
    expect(operation(failed, 'submit')).toMatchObject({ state: 'rejected', attempts: 1, calls: 1 });

    const corrected = await expecting<OrderJson>(
      200,
      'PUT',
      `/v1/orders/${sent.id}`,
      body('P-1', { notes: 'corrected' }),
    );
    expect(corrected).toMatchObject({
      id: sent.id,
      generation: 2,
      status: 'received',
      failure: null,
      notes: 'corrected',
    });
    const submitted = await orderWhen(sent.id, 'submitted', is('submitted'));
    expect((await simulator.orders()).map(({ reference }) => reference)).toEqual(['P-1~2']);
    expect(submitted.providerOrderId).toBe((await simulator.orders())[0]?.id);
    expect((await timeline(sent.id)).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['order.received', 'order.rejected', 'order.corrected', 'order.submitted']),
    );
    // Its status goes on to be followed under the new name.
    await simulator.advance('P-1~2', 'delivered');
    await expecting(202, 'POST', '/v1/sync', { account: sent.account });
    await orderWhen(sent.id, 'delivered', is('delivered'));
  });

  test.concurrent('an order that still waits to be sent is corrected, and goes out once, as corrected', async () => {
    const { expecting, orderWhen } = packline();
    const { account, simulator, send, body } = await packline().scene();
    await expecting(200, 'POST', `/v1/accounts/${account}/pause`, { reason: 'stock count' });
    const sent = await send('P-1', { shippingMethod: 'normal' });
    const corrected = await expecting<OrderJson>(
      200,
      'PUT',
      `/v1/orders/${sent.id}`,
      body('P-1', { shippingMethod: 'express' }),
    );
    expect(corrected).toMatchObject({ generation: 2, status: 'received' });
    expect(corrected.operations.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      'submit canceled',
      'submit pending',
    ]);
    await expecting(200, 'POST', `/v1/accounts/${account}/resume`);
    await orderWhen(sent.id, 'submitted', is('submitted'));
    expect((await simulator.orders()).map(({ reference }) => reference)).toEqual(['P-1~2']);
    expect(await simulator.show('P-1~2')).toMatchObject({ shipmentMethodUid: 'express' });
  });

  test.concurrent('an order that was sent cannot be corrected any more, nor be made another', async () => {
    const { ask, orderWhen } = packline();
    const { simulator, send, body } = await packline().scene();
    const sent = await send('P-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    const refused = await ask('PUT', `/v1/orders/${sent.id}`, { body: body('P-1', { notes: 'too late' }) });
    expect(refused.status).toBe(409);
    expect(refused.json()).toMatchObject({ type: expect.stringMatching(/already-sent$/) });
    const renamed = await ask('PUT', `/v1/orders/${sent.id}`, { body: body('P-2') });
    expect(renamed.json()).toMatchObject({ status: 422, errors: [{ pointer: '/reference' }] });
    expect(await simulator.orders()).toHaveLength(1);
  });

  test.concurrent('an order that may have been accepted cannot be corrected', async () => {
    const { ask, orderWhen } = packline();
    const { simulator, send, body } = await packline().scene();
    await simulator.fault({ match: { verb: 'submit' }, times: 1, do: accepting({ status: 503 }) });
    const sent = await send('P-1');
    await orderWhen(sent.id, 'unconfirmed', (order) => operation(order, 'submit').state === 'unconfirmed');
    expect((await ask('PUT', `/v1/orders/${sent.id}`, { body: body('P-1', { notes: 'x' }) })).status).toBe(
      409,
    );
    await orderWhen(sent.id, 'submitted', is('submitted'));
    expect(await simulator.orders()).toHaveLength(1);
  });
});

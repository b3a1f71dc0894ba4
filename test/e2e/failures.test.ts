/** A provider that loses answers, slows down, refuses and goes away: what becomes of the orders, and how often they were sent. */

import type { OrderJson } from '../../src/views.js';
import { operation } from '../helpers/client.js';
import { accepting } from '../helpers/faults.js';
import { onBothBackends } from '../helpers/packline.js';
import { until } from '../helpers/until.js';

const is = (wanted: string) => (order: OrderJson) => order.status === wanted;
const submitIs = (state: string) => (order: OrderJson) => operation(order, 'submit').state === state;
const submit = { verb: 'submit' };

onBothBackends((packline) => {
  test.concurrent('orders that a lookup does not find say nothing of our configuration, however many', async () => {
    const { orderWhen, expecting } = packline();
    const { account, simulator, send } = await packline().scene();
    await simulator.fault({ match: submit, times: 4, do: { status: 500 } });
    const sent = await Promise.all(['N-1', 'N-2', 'N-3', 'N-4'].map((reference) => send(reference)));
    for (const { id } of sent) await orderWhen(id, 'submitted', is('submitted'));
    expect(await expecting(200, 'GET', `/v1/accounts/${account}`)).toMatchObject({ state: 'active' });
    expect(await simulator.orders()).toHaveLength(4);
  });

  test.concurrent('a submit that drew a 500 is looked up, proven absent, and sent again, once', async () => {
    const { orderWhen, timeline, alert } = packline();
    const { account, simulator, send } = await packline().scene();
    await simulator.fault({ match: submit, times: 1, do: { status: 500 } });
    const sent = await send('F-1');
    const done = await orderWhen(sent.id, 'submitted', is('submitted'));
    // The 500 and the success were spent; the two looks between them were not.
    expect(operation(done, 'submit')).toMatchObject({ state: 'succeeded', attempts: 2, calls: 4 });
    expect((await simulator.calls()).map(({ verb, status }) => `${verb} ${status}`)).toEqual([
      'submit 500',
      'get 404',
      'get 404',
      'submit 200',
    ]);
    expect(await simulator.orders('F-1')).toHaveLength(1);
    const types = (await timeline(sent.id)).map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining(['order.received', 'operation.unconfirmed', 'submit.absent', 'order.submitted']),
    );
    // An unexpected 500 is told at once, before anybody knows how it ends.
    expect(await alert('internal_error', { orderId: sent.id })).toEqual({
      code: 'internal_error',
      severity: 'error',
      account,
      orderId: sent.id,
      reference: 'F-1',
      message: expect.stringContaining('500'),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      dedupeKey: expect.stringContaining(sent.id),
    });
  });

  test.concurrent.each([
    ['dropped', accepting('drop')],
    ['never given', accepting('hang')],
    ['a 500', accepting({ status: 500 })],
    ['a 503', accepting({ status: 503 })],
    ['no JSON', accepting({ status: 200, body: '<html>welcome</html>' })],
    ['without an id', accepting({ status: 200, body: { message: 'thank you' } })],
    ['a 409', accepting({ status: 409 })],
  ])('an order that was accepted, its answer %s, is found and never sent again', async (_what, fault) => {
    const { orderWhen, timeline } = packline();
    const { simulator, send } = await packline().scene({ config: { requestTimeoutMs: 1_500 } });
    await simulator.fault({ match: submit, times: 1, do: fault });
    const sent = await send('F-1');
    const done = await orderWhen(sent.id, 'submitted', is('submitted'));
    const [theirs, ...more] = await simulator.orders('F-1');
    expect(more).toEqual([]);
    expect(done).toMatchObject({ providerOrderId: theirs?.id, attention: null, failure: null });
    expect(operation(done, 'submit')).toMatchObject({ state: 'succeeded', attempts: 1, calls: 2 });
    expect((await simulator.calls()).map(({ verb }) => verb)).toEqual(['submit', 'get']);
    expect((await timeline(sent.id)).filter(({ type }) => type === 'order.submitted')).toHaveLength(1);
  });

  test.concurrent('an order that shows only after a while is found by a later look', async () => {
    const { orderWhen } = packline();
    const { simulator, send } = await packline().scene({
      config: { confirm: { graceMs: 300, looks: 6, spacingMs: 300 } },
    });
    // Hidden for longer than the first look takes to come, and shorter than all of them take.
    await simulator.fault({ match: submit, times: 1, do: accepting('drop', { hideMs: 1_600 }) });
    const sent = await send('F-1');
    const done = await orderWhen(sent.id, 'submitted', is('submitted'));
    expect(await simulator.calls('submit')).toHaveLength(1);
    expect(operation(done, 'submit').attempts).toBe(1);
  });

  test.concurrent('looks that find out nothing do not count as absence', async () => {
    const { orderWhen } = packline();
    const { simulator, send } = await packline().scene();
    await simulator.fault({ match: submit, times: 1, do: accepting('drop') });
    // A proxy's 404 is not the provider's own, and a 500 says nothing either.
    await simulator.fault({
      match: { verb: 'get' },
      times: 2,
      do: { status: 404, body: '<h1>Not Found</h1>' },
    });
    await simulator.fault({ match: { verb: 'get' }, times: 1, do: { status: 500 } });
    const sent = await send('F-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    expect(await simulator.calls('submit')).toHaveLength(1);
    expect(await simulator.orders('F-1')).toHaveLength(1);
  });

  test.concurrent('another order under the same reference is put before a human, not adopted', async () => {
    const { orderWhen, letterOf } = packline();
    const first = await packline().scene();
    const theirs = await first.send('F-1');
    await orderWhen(theirs.id, 'submitted', is('submitted'));
    // A second account of the same provider account sends something else under that reference.
    await packline().apply([first.simulator.account(`${first.account}-twin`)]);
    const body = first.body('F-1', {
      account: `${first.account}-twin`,
      items: [
        {
          reference: 'other',
          sku: 'mug',
          quantity: 1,
          files: [{ type: 'default', url: 'https://f.example/m.pdf' }],
        },
      ],
    });
    await first.simulator.fault({ match: submit, times: 1, do: { status: 409 } });
    const sent = await packline().expecting<OrderJson>(201, 'POST', '/v1/orders', body);
    const letter = await letterOf(sent);
    expect(letter).toMatchObject({
      code: 'reference_taken',
      ambiguous: true,
      candidates: [expect.objectContaining({ sameContent: false })],
    });
    expect(await packline().order(sent.id)).toMatchObject({
      status: 'received',
      providerOrderId: null,
      attention: { code: 'reference_taken' },
    });
    expect(await first.simulator.orders('F-1')).toHaveLength(1);
  });

  test.concurrent('a 429 closes the gate until its Retry-After and spends no attempt', async () => {
    const { orderWhen, accountWhen } = packline();
    const { account, simulator, send } = await packline().scene();
    await simulator.fault({ match: submit, times: 1, do: { status: 429, headers: { 'retry-after': '1' } } });
    const sent = await send('F-1');
    const waiting = await orderWhen(sent.id, 'waiting', submitIs('waiting'));
    expect(operation(waiting, 'submit')).toMatchObject({ waitReason: 'rate_limited', attempts: 0, calls: 1 });
    const closed = await accountWhen(account, 'closed', ({ gate }) => gate.blockedUntil !== null);
    expect(closed).toMatchObject({ state: 'active', gate: { why: 'rate_limited' } });

    const done = await orderWhen(sent.id, 'submitted', is('submitted'));
    expect(operation(done, 'submit')).toMatchObject({ state: 'succeeded', attempts: 1, calls: 2 });
    const [refused, taken] = (await simulator.calls('submit')).map(({ at }) => Date.parse(at));
    expect((taken ?? 0) - (refused ?? 0)).toBeGreaterThanOrEqual(1_000);
  });

  test.concurrent('after a burst of 429s every order is through, none twice, none with an attempt lost', async () => {
    const { orderWhen } = packline();
    const { simulator, send } = await packline().scene();
    await simulator.fault({ match: submit, times: 4, do: { status: 429, headers: { 'retry-after': '1' } } });
    const sent = await Promise.all(Array.from({ length: 12 }, (_, n) => send(`F-${n}`)));
    for (const { id } of sent) {
      const done = await orderWhen(id, 'submitted', is('submitted'), 20_000);
      expect(operation(done, 'submit').attempts).toBe(1);
    }
    expect(await simulator.orders()).toHaveLength(12);
  });

  test.concurrent('a Retry-After of hours parks the order and tells a human', async () => {
    const { orderWhen, alert } = packline();
    const { account, simulator, send } = await packline().scene();
    await simulator.fault({
      match: submit,
      times: 1,
      do: { status: 429, headers: { 'retry-after': '14400' } },
    });
    const sent = await send('F-1');
    const waiting = await orderWhen(sent.id, 'waiting', submitIs('waiting'));
    expect(Date.parse(operation(waiting, 'submit').dueAt) - Date.now()).toBeGreaterThan(3.9 * 3_600_000);
    await alert('long_wait', { account });
  });

  test.concurrent('refused credentials pause the account; corrected ones resume it and the order goes out', async () => {
    const { orderWhen, accountWhen, alert, order } = packline();
    const { account, simulator, send, change } = await packline().scene({
      credentials: { apiSecret: 'not-the-secret' },
    });
    const sent = await send('F-1');
    const paused = await accountWhen(account, 'paused', ({ state }) => state === 'paused');
    expect(paused.pause).toMatchObject({ code: 'auth', by: 'packline' });
    await alert('account_paused', { account });
    const waiting = await order(sent.id);
    expect(waiting).toMatchObject({ status: 'received', failure: null });
    expect(operation(waiting, 'submit')).toMatchObject({ attempts: 0, calls: 1 });
    // What comes meanwhile is taken, and waits as well.
    const later = await send('F-2');

    await change({});
    await accountWhen(account, 'active', ({ state }) => state === 'active');
    for (const { id } of [sent, later]) {
      const done = await orderWhen(id, 'submitted', is('submitted'));
      expect(operation(done, 'submit').attempts).toBe(1);
    }
    expect(await simulator.orders()).toHaveLength(2);
    expect((await accountWhen(account, 'active', ({ state }) => state === 'active')).pause).toBeNull();
  });

  test.concurrent('a refusal of credentials that were replaced meanwhile pauses nothing', async () => {
    const { orderWhen, account: read, alerts } = packline();
    const { account, simulator, send, change } = await packline().scene();
    await simulator.fault({ match: submit, times: 1, do: { status: 401, delayMs: 500 } });
    const sent = await send('F-1');
    await until('the call is on its way', async () => (await simulator.calls('submit')).length === 1);
    await change({ credentials: { webhookSecret: 'a-new-one' } });
    const done = await orderWhen(sent.id, 'submitted', is('submitted'));
    expect(operation(done, 'submit')).toMatchObject({ attempts: 1, calls: 2 });
    expect(await read(account)).toMatchObject({ state: 'active', pause: null });
    expect(alerts.filter((alert) => alert.account === account)).toEqual([]);
  });

  test.concurrent('while the provider is unreachable nothing is spent, and the order goes out when it is back', async () => {
    const { orderWhen } = packline();
    const { simulator, send } = await packline().scene();
    await simulator.stop();
    const sent = await send('F-1');
    const waiting = await orderWhen(
      sent.id,
      'tried three times',
      (order) => operation(order, 'submit').calls >= 3,
    );
    expect(waiting).toMatchObject({ status: 'received', attention: null });
    expect(operation(waiting, 'submit')).toMatchObject({
      attempts: 0,
      lastOutcome: { kind: 'notSent', code: 'econnrefused' },
    });
    await simulator.restart();
    const done = await orderWhen(sent.id, 'submitted', is('submitted'));
    expect(operation(done, 'submit').attempts).toBe(1);
    expect(await simulator.orders('F-1')).toHaveLength(1);
  });

  test.concurrent('a cancel that draws 500s is repeated until it is done', async () => {
    const { expecting, orderWhen } = packline();
    const { simulator, send } = await packline().scene();
    const sent = await send('F-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    await simulator.fault({ match: { verb: 'cancel' }, times: 2, do: { status: 500 } });
    await expecting(202, 'POST', `/v1/orders/${sent.id}/cancel`);
    const canceled = await orderWhen(sent.id, 'canceled', is('canceled'), 20_000);
    expect(operation(canceled, 'cancel')).toMatchObject({ state: 'succeeded', attempts: 3, calls: 3 });
  });

  test.concurrent('an order that fails after it was accepted ends as failed, with the reason', async () => {
    const { expecting, orderWhen } = packline();
    const { account, simulator, send } = await packline().scene();
    const sent = await send('F-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    await simulator.advance('F-1', 'failed', 'missing_retail_prices');
    await expecting(202, 'POST', '/v1/sync', { account });
    const failed = await orderWhen(sent.id, 'failed', is('failed'));
    expect(failed).toMatchObject({
      rawStatus: 'failed',
      failure: { code: 'missing_retail_prices', message: expect.any(String) },
    });
  });

  test.concurrent('an order that the provider no longer finds three times in a row is put before a human, not given up', async () => {
    const { expecting, orderWhen, order } = packline();
    const { simulator, send } = await packline().scene();
    const sent = await send('F-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    await simulator.fault({ match: { verb: 'get' }, times: 3, do: { status: 404 } });
    for (const attention of [null, null, { code: 'missing_at_provider' }]) {
      await expecting(202, 'POST', `/v1/orders/${sent.id}/sync`);
      await orderWhen(sent.id, 'read', (now) => operation(now, 'poll').state === 'succeeded');
      expect(await order(sent.id)).toMatchObject({ status: 'submitted', attention });
    }
    await expecting(202, 'POST', `/v1/orders/${sent.id}/sync`);
    await orderWhen(sent.id, 'seen again', ({ attention }) => attention === null);
  });

  test.concurrent('a status that goes back at the provider reopens the order and is put before a human', async () => {
    const { expecting, orderWhen } = packline();
    const { account, simulator, send } = await packline().scene();
    const sent = await send('F-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    await simulator.advance('F-1', 'on_hold');
    await expecting(202, 'POST', '/v1/sync', { account });
    await orderWhen(sent.id, 'on hold', ({ attention }) => attention?.code === 'provider_attention');
    await simulator.advance('F-1', 'invented_status');
    await expecting(202, 'POST', '/v1/sync', { account });
    const unknown = await orderWhen(
      sent.id,
      'of an unknown status',
      ({ attention }) => attention?.code === 'unknown_status',
    );
    expect(unknown).toMatchObject({ status: 'submitted', rawStatus: 'invented_status' });
    await simulator.advance('F-1', 'delivered');
    await expecting(202, 'POST', '/v1/sync', { account });
    await orderWhen(
      sent.id,
      'delivered',
      (order) => order.status === 'delivered' && order.attention === null,
    );
  });
});

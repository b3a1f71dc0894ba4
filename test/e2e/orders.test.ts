/** An order's way from the shop's JSON to the provider and back, over HTTP on both sides. */
import type { Problem } from '../../src/problem.js';
import type { OrderJson } from '../../src/views.js';
import { operation } from '../helpers/client.js';
import { onBothBackends } from '../helpers/packline.js';

const is = (wanted: string) => (order: OrderJson) => order.status === wanted;

onBothBackends((packline) => {
  test.concurrent('an order reaches the provider and comes back delivered, with its tracking', async () => {
    const { expecting, orderWhen, order } = packline();
    const { account, simulator, send } = await packline().scene();
    const sent = await send('A-1');
    expect(sent).toMatchObject({ account, reference: 'A-1', generation: 1, provider: 'gelato-connect' });

    const submitted = await orderWhen(sent.id, 'submitted', is('submitted'));
    const [theirs] = await simulator.orders('A-1');
    expect(submitted).toMatchObject({
      providerOrderId: theirs?.id,
      attention: null,
      failure: null,
      tracking: [],
    });
    expect(operation(submitted, 'submit')).toMatchObject({ state: 'succeeded', attempts: 1, calls: 1 });

    for (const [rawStatus, status] of [
      ['in_production', 'in_progress'],
      ['shipped', 'shipped'],
      ['delivered', 'delivered'],
    ] as const) {
      await simulator.advance('A-1', rawStatus);
      const asked = await expecting(202, 'POST', '/v1/sync', { account });
      expect(asked).toMatchObject({ accounts: [{ account, orders: 1 }] });
      await orderWhen(sent.id, status, (now) => now.status === status && now.rawStatus === rawStatus);
    }
    expect((await order(sent.id)).tracking).toEqual([
      expect.objectContaining({ code: expect.stringMatching(/^SIM/), url: expect.stringMatching(/^https:/) }),
    ]);
    expect(await simulator.calls('submit')).toHaveLength(1);
  });

  test.concurrent('a sync without a name looks at every open order of every account', async () => {
    const { expecting, orderWhen } = packline();
    const { account, simulator, send } = await packline().scene();
    const sent = await Promise.all(['A-1', 'A-2', 'A-3'].map((reference) => send(reference)));
    for (const { id, reference } of sent) {
      await orderWhen(id, 'submitted', is('submitted'));
      await simulator.advance(reference, 'delivered');
    }
    const { accounts } = await expecting<{ accounts: object[] }>(202, 'POST', '/v1/sync');
    expect(accounts).toContainEqual(expect.objectContaining({ account, orders: 3 }));
    for (const { id } of sent) await orderWhen(id, 'delivered', is('delivered'));
    // One page for all three; then each order for itself, since a list tells no tracking.
    expect(await simulator.calls('search')).toHaveLength(1);
    expect(await simulator.calls('get')).toHaveLength(3);
  });

  test.concurrent('the same order sent twice is one order, and another body under its reference is refused', async () => {
    const { ask, expecting, orderWhen } = packline();
    const { simulator, body, send } = await packline().scene();
    const first = await send('A-1');
    const again = await expecting<OrderJson>(200, 'POST', '/v1/orders', body('A-1'));
    expect(again.id).toBe(first.id);
    await orderWhen(first.id, 'submitted', is('submitted'));
    expect(await expecting(200, 'POST', '/v1/orders', body('A-1'))).toMatchObject({
      id: first.id,
      status: 'submitted',
    });

    const other = await ask('POST', '/v1/orders', { body: body('A-1', { currency: 'USD' }) });
    expect(other.status).toBe(409);
    expect(other.json()).toMatchObject({ type: expect.stringMatching(/reference-taken$/), status: 409 });
    expect(await simulator.orders()).toHaveLength(1);
  });

  test.concurrent('a shop that sends one order twenty times at once gets one order', async () => {
    const { ask, orderWhen } = packline();
    const { simulator, body } = await packline().scene();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask('POST', '/v1/orders', { body: body('A-1') })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(19).fill(200), 201]);
    const ids = new Set(answers.map((answer) => String(Reflect.get(Object(answer.json()), 'id'))));
    expect(ids.size).toBe(1);
    await orderWhen([...ids].join(), 'submitted', is('submitted'));
    expect(await simulator.calls('submit')).toHaveLength(1);
  });

  test.concurrent('a batch answers each order for itself', async () => {
    const { expecting, orderWhen } = packline();
    const { simulator, body, send } = await packline().scene();
    const known = await send('B-1');
    const { results } = await expecting<{
      results: { index: number; status: number; order?: OrderJson; problem?: Problem }[];
    }>(207, 'POST', '/v1/orders/batch', {
      orders: [
        body('B-1'),
        body('B-2'),
        body('B-1', { notes: 'another body' }),
        body('B-3', { currency: 'nonsense' }),
        'no order at all',
        body('B-2'),
      ],
    });
    expect(results.map(({ index, status }) => [index, status])).toEqual([
      [0, 200],
      [1, 201],
      [2, 409],
      [3, 422],
      [4, 422],
      [5, 200],
    ]);
    expect(results[0]?.order?.id).toBe(known.id);
    expect(results[3]?.problem?.errors).toEqual([expect.objectContaining({ pointer: '/currency' })]);
    expect(results[5]?.order?.id).toBe(results[1]?.order?.id);
    await orderWhen(results[1]?.order?.id ?? '', 'submitted', is('submitted'));
    expect((await simulator.orders()).map(({ reference }) => reference).sort()).toEqual(['B-1', 'B-2']);
  });

  test.concurrent('everything that is wrong with an order is told at once, with pointers, and nothing is stored', async () => {
    const { ask, expecting } = packline();
    const { account, body } = await packline().scene();
    const wrong = body('A-1', {
      colour: 'blue',
      currency: 'EURO',
      shippingAddress: { line1: '1 Main St', city: 'Austin', postCode: '78701', country: 'US' },
      items: [
        { reference: 'i', sku: 'x', quantity: 0, files: [{ type: 'nose', url: 'http://x.example/a.pdf' }] },
      ],
    });
    for (const path of ['/v1/orders', '/v1/orders?validateOnly=true']) {
      const answer = await ask('POST', path, { body: wrong });
      expect(answer.status).toBe(422);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      // The answer is a problem of the contract's form.
      const { errors = [] } = answer.json() as Problem;
      expect(errors.map(({ pointer }) => pointer)).toEqual(
        expect.arrayContaining(['/colour', '/currency', '/shippingAddress/state', '/items/0/quantity']),
      );
    }
    expect(await expecting(200, 'POST', '/v1/orders?validateOnly=true', body('A-1'))).toEqual({
      valid: true,
    });
    expect(await expecting(200, 'GET', `/v1/orders?account=${account}`)).toEqual({
      orders: [],
      nextCursor: null,
    });
  });

  test.concurrent('an account that is not there is a field that is wrong', async () => {
    const { body } = await packline().scene();
    const answer = await packline().ask('POST', '/v1/orders', {
      body: { ...body('A-1'), account: 'nobody' },
    });
    expect(answer.status).toBe(422);
    expect(answer.json()).toMatchObject({ errors: [{ pointer: '/account', code: 'unknown_account' }] });
  });

  test.concurrent('unreadable requests are refused by name', async () => {
    const { ask } = packline();
    const { body } = await packline().scene();
    const good = JSON.stringify(body('A-1'));
    expect((await ask('POST', '/v1/orders', { body: '{"account":' })).status).toBe(400);
    expect(
      (await ask('POST', '/v1/orders', { body: good, headers: { 'content-type': 'text/plain' } })).status,
    ).toBe(415);
    expect((await ask('POST', '/v1/orders', { body: good, key: null })).status).toBe(401);
    expect(
      (await ask('POST', '/v1/orders', { body: good, key: 'some-other-key-of-enough-characters' })).status,
    ).toBe(401);
    const huge = JSON.stringify({ ...body('A-1'), notes: 'x'.repeat(1024 * 1024) });
    expect((await ask('POST', '/v1/orders', { body: huge })).status).toBe(413);
    expect((await ask('GET', '/v1/orders/none')).status).toBe(404);
    expect((await ask('GET', '/v1/orders?cursor=nonsense')).status).toBe(400);
  });

  test.concurrent('orders are found by reference, status, e-mail and provider id, page by page', async () => {
    const { expecting, orderWhen } = packline();
    const { account, send, body } = await packline().scene();
    const mail = 'somebody.else@kunde-privat.example';
    const sent = [
      await send('A-1'),
      await send('A-2'),
      await send('A-3', { customer: { ...Object(body('x').customer), email: mail } }),
    ];
    const ready = await Promise.all(sent.map(({ id }) => orderWhen(id, 'submitted', is('submitted'))));
    const found = async (query: string) => {
      const path = `/v1/orders?account=${account}&${query}`;
      const { orders } = await expecting<{ orders: OrderJson[] }>(200, 'GET', path);
      return orders.map(({ reference }) => reference).sort();
    };
    expect(await found('reference=A-2')).toEqual(['A-2']);
    expect(await found(`email=${encodeURIComponent(mail)}`)).toEqual(['A-3']);
    expect(await found(`providerOrderId=${ready[0]?.providerOrderId}`)).toEqual(['A-1']);
    expect(await found('status=submitted')).toEqual(['A-1', 'A-2', 'A-3']);
    expect(await found('status=failed')).toEqual([]);

    const path = `/v1/orders?account=${account}&limit=2`;
    const page = await expecting<{ orders: OrderJson[]; nextCursor: string }>(200, 'GET', path);
    const next = await expecting<typeof page>(200, 'GET', `${path}&cursor=${page.nextCursor}`);
    expect([...page.orders, ...next.orders].map(({ reference }) => reference).sort()).toEqual([
      'A-1',
      'A-2',
      'A-3',
    ]);
    expect(next.nextCursor).toBeNull();
  });

  test.concurrent('thirty accounts that come while it runs are all worked on', async () => {
    const { apply, expecting, orderWhen } = packline();
    const { account, simulator, body } = await packline().scene();
    const names = Array.from({ length: 30 }, (_, n) => `${account}-branch-${n}`);
    await apply(names.map((name) => simulator.account(name)));
    const sent = await Promise.all(
      names.map((name) => expecting<OrderJson>(201, 'POST', '/v1/orders', body(name, { account: name }))),
    );
    for (const { id } of sent) await orderWhen(id, 'submitted', is('submitted'));
    expect(await simulator.orders()).toHaveLength(30);
  });
});

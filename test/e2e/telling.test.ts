/** What people are told: alerts, the board behind its login, and never anything personal. */

import type { OrderJson } from '../../src/views.js';
import { operation } from '../helpers/client.js';
import { onBothBackends, PERSON } from '../helpers/packline.js';
import { until } from '../helpers/until.js';

const is = (wanted: string) => (order: OrderJson) => order.status === wanted;
const HTML = { accept: 'text/html,application/xhtml+xml' };

onBothBackends((packline, backend) => {
  test.concurrent('what a provider says about a customer stays with the order', async () => {
    const { orderWhen, letterOf, log, alert } = packline();
    const { simulator, send } = await packline().scene();
    const name = 'Lieselotte Wunderlich';
    const message = `Invalid shipping address: ${name}, ${PERSON.email}, ${PERSON.phone} cannot be reached`;
    await simulator.fault({
      match: { verb: 'submit', reference: 'T-1' },
      times: 1,
      do: { status: 400, body: { code: 400, message } },
    });
    await simulator.fault({
      match: { verb: 'submit', reference: 'T-2' },
      times: 1,
      do: { status: 404, body: { code: 404, message } },
    });
    const rejected = await send('T-1');
    const failed = await orderWhen(rejected.id, 'failed', is('failed'));
    expect(failed.failure?.message).toContain(name);
    const dead = await send('T-2');
    const letter = await letterOf(dead);
    expect(letter.message).toContain(name);
    const told = await alert('dead_letter', { orderId: dead.id });
    expect(told.message).toContain(`dead letter ${letter.id}`);
    // The rest of the customer is looked for at the end, everywhere.
    expect([JSON.stringify(told), ...log].filter((text) => text.includes(name))).toEqual([]);
  });

  test.concurrent('each attempt leaves one wide line in the log, always with the same keys', async () => {
    const { orderWhen, log } = packline();
    const { simulator, send } = await packline().scene();
    await simulator.fault({ match: { verb: 'submit' }, times: 1, do: { status: 502 } });
    const sent = await send('T-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    const lines = await until('four lines', () => {
      // Every line of the log is an object.
      const found = log
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter(({ event, orderId }) => event === 'order.attempted' && orderId === sent.id);
      return found.length >= 4 ? found : null;
    });
    expect(lines.map(({ purpose, outcome, httpStatus }) => `${purpose} ${outcome} ${httpStatus}`)).toEqual([
      'call unknown 502',
      'look missing 404',
      'look missing 404',
      'call accepted 200',
    ]);
    expect(new Set(lines.map((line) => Object.keys(line).join()))).toHaveProperty('size', 1);
    expect(lines.at(-1)).toMatchObject({
      level: 'info',
      reference: 'T-1',
      attempt: 2,
      maxAttempts: 6,
      state: 'succeeded',
    });
  });

  test.concurrent('an unexpected 500 is alerted each time it meets another order, and once for one order', async () => {
    const { orderWhen, alerts, alert } = packline();
    const { simulator, send } = await packline().scene();
    await simulator.fault({ match: { verb: 'submit', reference: 'T-1' }, times: 2, do: { status: 500 } });
    await simulator.fault({ match: { verb: 'submit', reference: 'T-2' }, times: 1, do: { status: 500 } });
    const [one, two] = [await send('T-1'), await send('T-2')];
    await alert('internal_error', { orderId: one.id });
    await alert('internal_error', { orderId: two.id });
    const done = await orderWhen(one.id, 'submitted', is('submitted'));
    expect(operation(done, 'submit').attempts).toBe(3);
    expect(
      alerts.filter(({ code, orderId }) => code === 'internal_error' && orderId === one.id),
    ).toHaveLength(1);
  });

  test.concurrent('the board is behind the login, for people and for programs', async () => {
    const { ask, running } = packline();
    const browser = await ask('GET', '/queues', { key: null, headers: HTML });
    expect(browser.status).toBe(303);
    expect(browser.headers.location).toBe('/login?next=%2Fqueues');
    for (const path of ['/queues', '/queues/api/queues', '/queues/static/x.js']) {
      expect([path, (await ask('GET', path, { key: null })).status]).toEqual([path, 401]);
    }
    expect((await ask('GET', '/login', { key: null })).status).toBe(200);

    const form = { 'content-type': 'application/x-www-form-urlencoded', ...HTML };
    const refused = await ask('POST', '/login', {
      key: null,
      headers: form,
      body: 'key=some-other-key-of-enough-characters',
    });
    expect(refused.status).toBe(401);
    expect(refused.headers['set-cookie']).toBeUndefined();
    const entered = await ask('POST', '/login', {
      key: null,
      headers: form,
      body: new URLSearchParams({ key: running.base.apiKey, next: '/queues' }).toString(),
    });
    expect(entered.status).toBe(303);
    expect(entered.headers.location).toBe('/queues');
    const cookie = String(entered.headers['set-cookie']).split(';')[0] ?? '';
    expect((await ask('GET', '/queues', { key: null, headers: { ...HTML, cookie } })).status).toBe(200);
    // A session opens pages, not the API.
    expect((await ask('GET', '/v1/orders', { key: null, headers: { cookie } })).status).toBe(401);
  });

  test.concurrent('the board shows every account and changes nothing', async () => {
    const { ask, orderWhen } = packline();
    const { account, send } = await packline().scene();
    const sent = await send('T-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    const listed = async () => (await ask('GET', '/queues/api/queues')).text;
    await until('the account has its queue on the board', async () =>
      (await listed()).includes(`"fulfil-${account}"`),
    );
    expect(await listed()).toContain('"dead-letters"');
    for (const [method, path] of [
      ['PUT', `/queues/api/queues/fulfil-${account}/pause`],
      ['PUT', `/queues/api/queues/fulfil-${account}/clean/completed`],
      ['POST', `/queues/api/queues/fulfil-${account}/add`],
      ['PUT', `/queues/api/queues/fulfil-${account}/obliterate`],
    ] as const) {
      expect([path, (await ask(method, path)).status]).toEqual([path, 405]);
    }
    expect(await packline().running.queue.queue(`fulfil-${account}`).isPaused()).toBe(false);
  });

  test.concurrent('a retry of a finished job, whoever asks for it, sends nothing again', async () => {
    const { orderWhen, running } = packline();
    const { account, simulator, send } = await packline().scene();
    const sent = await send('T-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    const queue = running.queue.queue(`fulfil-${account}`);
    const { id } = operation(await packline().order(sent.id), 'submit');
    // The bell rings three times more, as if somebody had pressed buttons or BullMQ had lost count.
    for (const again of [1, 2, 3])
      await queue.add('submit', { v: 1, operationId: id }, { jobId: `again-${again}-${id}` });
    await until(
      'the bells were answered',
      async () => (await queue.getJobCountByTypes('waiting', 'active', 'prioritized')) === 0,
    );
    expect(await simulator.calls('submit')).toHaveLength(1);
  });

  test.concurrent('the process tells its health without a key', async () => {
    const { ask } = packline();
    expect(await ask('GET', '/healthz', { key: null })).toMatchObject({ status: 200 });
    expect((await ask('GET', '/readyz', { key: null })).json()).toEqual({ status: 'ready', reasons: [] });
    expect(packline().running.queue.kind).toBe(backend);
  });
});

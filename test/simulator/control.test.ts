import { connect } from 'node:net';
import { request } from 'undici';
import { RequestLedger } from '../../src/simulator/control.js';
import { accepting } from '../helpers/faults.js';
import { order, type Rig, rig, stopAll } from './gelato-calls.js';

afterEach(stopAll);

const DEADLINE_MS = 5_000;

/** Asks the simulator again and again, without a pause, until the ledger is as wanted. */
async function untilLedger(
  { ledger }: Rig,
  wanted: (ledger: Awaited<ReturnType<Rig['ledger']>>) => boolean,
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!wanted(await ledger())) {
    if (performance.now() > deadline) throw new Error('the ledger never became as wanted');
  }
}

describe('a fault rule', () => {
  test('answers instead of doing the work, as often as it says', async () => {
    const { control, submit, ledger } = await rig();
    expect((await control({ match: { verb: 'submit' }, times: 2, do: { status: 500 } })).status).toBe(201);
    for (let time = 0; time < 2; time += 1) {
      const heard = await submit();
      expect([heard.status, heard.json()]).toEqual([500, { code: 500, message: expect.any(String) }]);
    }
    expect((await ledger()).orders).toEqual([]);
    expect((await submit()).status).toBe(200);
  });

  test('answers with the headers and the body that it was given', async () => {
    const { control, submit } = await rig();
    await control({ times: 1, do: { status: 429, headers: { 'Retry-After': '7' }, body: { code: 1 } } });
    const json = await submit();
    expect([json.status, json.headers['retry-after'], json.json()]).toEqual([429, '7', { code: 1 }]);
    await control({
      times: 1,
      do: { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<p>Gateway' },
    });
    const html = await submit();
    expect([html.status, html.headers['content-type'], html.text]).toEqual([200, 'text/html', '<p>Gateway']);
  });

  test('matches by verb', async () => {
    const { control, place, get, search, cancel, update, activate } = await rig();
    await place('ref-1', { orderType: 'draft' });
    const operations = {
      get: () => get('ref-1'),
      search: () => search(),
      update: () => update('ref-1', { shipmentMethodUid: 'normal' }),
      activate: () => activate('ref-1'),
      cancel: () => cancel('ref-1'),
    };
    for (const verb of Object.keys(operations)) {
      await control({ match: { verb }, times: 1, do: { status: 503 } });
    }
    const heard = [];
    for (const operation of Object.values(operations))
      heard.push((await operation()).status, (await operation()).status);
    expect(heard).toEqual([503, 200, 503, 200, 503, 200, 503, 200, 503, 200]);
  });

  test('matches by reference, also where the call names the id', async () => {
    const { control, place, get, submit, search } = await rig();
    const id = await place('ref-1');
    await place('ref-2');
    await control({ match: { reference: 'ref-1' }, times: 4, do: { status: 502 } });
    expect((await get('ref-2')).status).toBe(200);
    expect((await search({ orderReferenceIds: ['ref-2'] })).status).toBe(200);
    expect((await get(id)).status).toBe(502);
    expect((await get('ref-1')).status).toBe(502);
    expect((await submit(order())).status).toBe(502);
    expect((await search({ orderReferenceIds: ['ref-2', 'ref-1'] })).status).toBe(502);
    expect((await get(id)).status).toBe(200);
  });

  test('is first come, first served', async () => {
    const { control, submit } = await rig();
    await control({ times: 1, do: { status: 500 } });
    await control({ times: 1, do: { status: 503 } });
    expect([(await submit()).status, (await submit()).status]).toEqual([500, 503]);
  });

  test('can accept the order and answer an error', async () => {
    const { control, submit, ledger } = await rig();
    await control({ match: { verb: 'submit' }, times: 1, do: accepting({ status: 504 }) });
    expect((await submit()).status).toBe(504);
    expect((await ledger()).orders).toMatchObject([{ reference: 'ref-1', status: 'created' }]);
  });

  test('can accept the order and drop the connection', async () => {
    const { control, submit, ledger } = await rig();
    await control({ match: { verb: 'submit' }, times: 1, do: accepting('drop') });
    await expect(submit()).rejects.toThrow();
    const { orders, requests } = await ledger();
    expect(orders).toMatchObject([{ reference: 'ref-1' }]);
    expect(requests).toMatchObject([{ verb: 'submit', status: 0 }]);
    expect((await submit()).status).toBe(200);
  });

  test('can drop the connection without accepting anything', async () => {
    const { control, submit, ledger } = await rig();
    await control({ match: { verb: 'submit' }, times: 1, do: { ...accepting('drop'), accept: false } });
    await expect(submit()).rejects.toThrow();
    expect((await ledger()).orders).toEqual([]);
  });

  test('can accept the order and never answer', async () => {
    const gelato = await rig();
    await gelato.control({ match: { verb: 'submit' }, times: 1, do: accepting('hang') });
    const caller = new AbortController();
    const call = gelato.submit(order(), { signal: caller.signal });
    const heard = expect(call).rejects.toThrow();
    await untilLedger(gelato, ({ orders }) => orders.length === 1);
    expect((await gelato.ledger()).requests).toMatchObject([{ verb: 'submit', status: 0 }]);
    caller.abort();
    await heard;
  });

  test('can let a request wait, and then goes on', async () => {
    const { control, submit, ledger, time } = await rig();
    await control({ match: { verb: 'submit' }, times: 1, do: { delayMs: 5_000 } });
    const call = submit();
    await time.whenAsleep();
    expect((await ledger()).orders).toEqual([]);
    time.advance(5_000);
    expect((await call).status).toBe(200);
    expect((await ledger()).orders).toMatchObject([{ createdAt: '2026-01-01T00:00:05+00:00' }]);
  });

  test('does late work even if the caller has given up by then', async () => {
    const gelato = await rig();
    await gelato.control({ match: { verb: 'submit' }, times: 1, do: { delayMs: 60_000 } });
    const caller = new AbortController();
    const heard = expect(gelato.submit(order(), { signal: caller.signal })).rejects.toThrow();
    await gelato.time.whenAsleep();
    caller.abort();
    await heard;
    // By the time that it has answered this, the simulator has seen the caller's connection end.
    await gelato.ledger();
    gelato.time.advance(60_000);
    await untilLedger(gelato, ({ orders }) => orders.length === 1);
    expect((await gelato.ledger()).requests).toMatchObject([{ verb: 'submit', status: 0 }]);
  });

  test('can hide a fresh order from get and search, but not from the ledger', async () => {
    const { control, place, get, found, ledger, time } = await rig();
    await control({ match: { verb: 'submit' }, times: 1, do: { hideMs: 3_000 } });
    const id = await place('ref-1');
    expect([(await get('ref-1')).status, (await get(id)).status]).toEqual([404, 404]);
    expect(await found({ orderReferenceIds: ['ref-1'] })).toEqual([]);
    expect((await ledger()).orders).toHaveLength(1);
    time.advance(3_000);
    expect([(await get('ref-1')).status, (await get(id)).status]).toEqual([200, 200]);
    expect(await found()).toEqual(['ref-1']);
  });

  test('can hide an order whose answer was lost', async () => {
    const { control, submit, get, time } = await rig();
    await control({ times: 1, do: accepting('drop', { hideMs: 3_000 }) });
    await expect(submit()).rejects.toThrow();
    expect((await get('ref-1')).status).toBe(404);
    time.advance(3_000);
    expect((await get('ref-1')).status).toBe(200);
  });

  test('can be left to chance, the same chance for the same seed', async () => {
    const { control, call, simulator, get } = await rig({ requestsPerSecond: 1_000_000 });
    const run = async () => {
      await control({ match: { verb: 'get' }, probability: 0.2, seed: 42, do: { status: 500 } });
      const statuses = [];
      for (let time = 0; time < 200; time += 1) statuses.push((await get('nobody')).status);
      await call('DELETE', `${simulator.url}/_control`, undefined, { key: null });
      return statuses;
    };
    const first = await run();
    expect(await run()).toEqual(first);
    const failures = first.filter((status) => status === 500).length;
    expect(failures).toBeGreaterThan(20);
    expect(failures).toBeLessThan(60);
  });

  test('is forgotten on DELETE', async () => {
    const { control, submit, call, simulator } = await rig();
    await control({ probability: 1, do: { status: 500 } });
    expect((await call('DELETE', `${simulator.url}/_control`, undefined, { key: null })).status).toBe(204);
    expect((await submit()).status).toBe(200);
  });

  test.each<[string, unknown]>([
    ['without times or probability', { do: { status: 500 } }],
    ['without anything to do', { times: 1 }],
    ['with an unknown verb', { match: { verb: 'refund' }, times: 1, do: { status: 500 } }],
    ['with unknown fields', { times: 1, do: { status: 500 }, when: 'now' }],
    ['that does two things at once', { times: 1, do: { status: 500, ...accepting('drop') } }],
    ['with a status that ends nothing', { times: 1, do: { status: 101 } }],
    ['with times of 0', { times: 0, do: { status: 500 } }],
    ['with a probability above 1', { probability: 2, do: { status: 500 } }],
    ['with a seed for nothing', { times: 1, seed: 1, do: { status: 500 } }],
    ['with a header that cannot be sent', { times: 1, do: { status: 500, headers: { 'a b': 'c' } } }],
    ['with an ending that is none', '{"times":1,"do":{"accept":true,"then":"explode"}}'],
    ['with a negative delay', { times: 1, do: { delayMs: -1 } }],
    ['that is no object', []],
    ['that is no JSON', '{'],
    ['that is empty', ''],
  ])('is refused %s', async (_what, rule) => {
    const { control, submit } = await rig();
    expect((await control(rule)).status).toBe(400);
    expect((await submit()).status).toBe(200);
  });

  test('to advance an order is refused when it makes no sense', async () => {
    const { advance, place } = await rig();
    await place('ref-1');
    expect((await advance('ref-1', '')).status).toBe(400);
    expect((await advance('', 'shipped')).status).toBe(400);
  });
});

describe('the ledger', () => {
  test('lists the orders as they stand and every request, refused ones included', async () => {
    const { place, submit, get, ledger, call, simulator, time } = await rig({ stepMs: 1_000 });
    const id = await place('a/b', { orderType: 'draft' });
    await submit(order({ currency: 'X' }));
    await submit(order(), { key: null });
    time.advance(2_000);
    await get('a/b');
    await submit('{');
    await call('GET', `${simulator.url}/nowhere`);
    expect(await ledger()).toEqual({
      orders: [
        { id, reference: 'a/b', status: 'draft', createdAt: '2026-01-01T00:00:00+00:00', orderType: 'draft' },
      ],
      requests: [
        {
          at: '2026-01-01T00:00:00.000Z',
          method: 'POST',
          path: expect.any(String),
          verb: 'submit',
          status: 200,
        },
        expect.objectContaining({ verb: 'submit', status: 400 }),
        expect.objectContaining({ verb: 'submit', status: 401 }),
        {
          at: '2026-01-01T00:00:02.000Z',
          method: 'GET',
          path: '/api/sandbox/order/connector-1/a%2Fb',
          verb: 'get',
          status: 200,
        },
        expect.objectContaining({ verb: 'submit', status: 400 }),
        expect.objectContaining({ verb: 'unknown', path: '/nowhere', status: 404 }),
      ],
    });
  });

  test('and the control API count for no limit', async () => {
    const { control, ledger, get } = await rig({ requestsPerSecond: 1 });
    await control({ match: { verb: 'cancel' }, times: 1, do: { status: 500 } });
    for (let time = 0; time < 5; time += 1) await ledger();
    expect((await get('nobody')).status).toBe(404);
    expect((await get('nobody')).status).toBe(429);
  });

  test('forgets the oldest requests when it is full', () => {
    const ledger = new RequestLedger(3);
    for (const path of ['1', '2', '3', '4', '5'])
      ledger.add({ at: '', method: 'GET', path, verb: 'get', status: 200 });
    expect(ledger.list().map((row) => row.path)).toEqual(['3', '4', '5']);
  });
});

describe('close', () => {
  test('resolves at once with idle, hanging and waiting connections, which it cuts', async () => {
    const gelato = await rig();
    const { control, submit, simulator, time } = gelato;
    const idle = connect(simulator.port, '127.0.0.1');
    const idleClosed = new Promise<void>((resolve) => idle.once('close', () => resolve()));
    // A cut connection may end in a reset, which a bare socket without a listener would throw.
    idle.on('error', () => undefined);
    await new Promise<void>((resolve) => idle.once('connect', () => resolve()));
    await control({ match: { verb: 'submit' }, times: 1, do: accepting('hang') });
    await control({ match: { verb: 'submit' }, times: 1, do: { delayMs: 60_000 } });
    const hanging = expect(submit()).rejects.toThrow();
    await untilLedger(gelato, ({ orders }) => orders.length === 1);
    const waiting = expect(submit()).rejects.toThrow();
    await time.whenAsleep();
    const before = performance.now();
    await simulator.close();
    expect(performance.now() - before).toBeLessThan(1_000);
    await Promise.all([hanging, waiting, idleClosed]);
    await expect(request(simulator.url)).rejects.toThrow();
  });

  test('may be asked for twice', async () => {
    const { simulator } = await rig();
    await Promise.all([simulator.close(), simulator.close()]);
  });
});

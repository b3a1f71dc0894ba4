import { simulators } from '../../src/simulator/index.js';
import { fakeTime } from '../helpers/fake-time.js';
import { data, GAME, KEY, LINE, refused, rig, serials, stopAll } from './wupex-calls.js';

afterEach(stopAll);

describe('who is let in', () => {
  test.each([
    ['no key', null],
    ['another key', 'wrong'],
    ['an empty key', ''],
  ])('a call with %s is refused with the documented envelope', async (_what, key) => {
    const { pull, ledger } = await rig();
    const heard = await pull('ref-1', [LINE], { key });
    expect([heard.status, heard.json()]).toEqual([401, refused('UNAUTHORIZED')]);
    expect((await ledger()).orders).toEqual([]);
  });

  test('another key can take the place of the first while it runs', async () => {
    const { simulator, control, balance, call } = await rig();
    await control({ apiKey: 'fresh-key' }, '/access');
    expect((await balance()).status).toBe(401);
    expect((await call('GET', '/api/customer/balance', undefined, { key: 'fresh-key' })).status).toBe(200);
    expect(simulator.account('any').credentials).toEqual({ apiKey: 'fresh-key' });
  });

  test('a key may be good for reading only, or for nothing from this address', async () => {
    const { control, pull, balance, list, ledger } = await rig();
    await control({ permission: 'read' }, '/access');
    const heard = await pull('ref-1');
    expect([heard.status, heard.json()]).toEqual([403, refused('FORBIDDEN')]);
    expect((await balance()).status).toBe(200);
    await control({ permission: 'none' }, '/access');
    expect([(await balance()).status, (await list()).status]).toEqual([403, 403]);
    expect((await ledger()).orders).toEqual([]);
    await control({ permission: 'full' }, '/access');
    expect((await pull('ref-1')).status).toBe(200);
  });

  test('the limit is shared by all operations and says nothing about when to return', async () => {
    const { pull, balance, detail, time } = await rig({ requestsPerSecond: 3 });
    expect((await pull('ref-1')).status).toBe(200);
    expect((await balance()).status).toBe(200);
    expect((await detail('nowhere')).status).toBe(404);
    const heard = await pull('ref-2');
    expect([heard.status, heard.json()]).toEqual([429, refused('TOO_MANY_REQUESTS')]);
    expect(Object.keys(heard.headers).filter((name) => /retry|limit/i.test(name))).toEqual([]);
    time.advance(1_000);
    expect((await balance()).status).toBe(200);
  });

  test('a refusal for the limit can name a time to return', async () => {
    const { balance } = await rig({ requestsPerSecond: 1, retryAfterSeconds: 7 });
    await balance();
    const heard = await balance();
    expect([heard.status, heard.headers['retry-after']]).toEqual([429, '7']);
  });

  test('calls without the key do not count for the limit', async () => {
    const { pull } = await rig({ requestsPerSecond: 1 });
    await pull('ref-1', [LINE], { key: null });
    expect((await pull('ref-1')).status).toBe(200);
  });

  test('paths that are none of the operations answer the envelope too', async () => {
    const { call } = await rig();
    const heard = await call('GET', '/api/elsewhere');
    expect([heard.status, heard.json()]).toEqual([404, refused('NOT_FOUND')]);
    expect((await call('GET', '/api/%zz')).json()).toEqual(refused('INVALID_PAYLOAD'));
  });
});

describe('pulling codes', () => {
  test('answers a name, the total and one serial for every unit', async () => {
    const { pull } = await rig();
    const heard = await pull('ref-1', [LINE, GAME]);
    const serial = (sku: string) => ({
      sku,
      serialCode: expect.stringMatching(/^([0-9A-F]{5}-){3}[0-9A-F]{5}$/),
      serialNumber: expect.any(String),
    });
    expect(heard.status).toBe(200);
    expect(heard.json()).toEqual({
      status: true,
      data: {
        orderName: expect.stringMatching(/^A\d{14}$/),
        totalAmount: 42.875,
        serials: [serial('GIFT-10'), serial('GIFT-10'), serial('PLAY-25')],
      },
    });
    const all = serials(heard).flatMap(({ serialCode, serialNumber }) => [serialCode, serialNumber]);
    expect(new Set(all).size).toBe(6);
  });

  test('makes and charges a second order for the same reference, unless told otherwise', async () => {
    const { pull, ledger, balance } = await rig({ balance: 100 });
    const [first, second] = [await pull('ref-1'), await pull('ref-1')];
    expect(data(second).orderName).not.toBe(data(first).orderName);
    expect(serials(second)).not.toEqual(serials(first));
    expect((await ledger()).orders.map(({ reference }) => reference)).toEqual(['ref-1', 'ref-1']);
    expect((await balance()).json()).toMatchObject({ balance: 62 });
  });

  test('can refuse a second order for the same reference', async () => {
    const { pull, ledger } = await rig({ duplicates: 'reject' });
    await pull('ref-1');
    const heard = await pull('ref-1');
    expect([heard.status, heard.json()]).toEqual([409, refused('CONFLICT')]);
    expect((await pull('ref-2')).status).toBe(200);
    expect((await ledger()).orders).toHaveLength(2);
  });

  test('can answer a second order for the same reference with the first, without a charge', async () => {
    const { pull, balance } = await rig({ duplicates: 'return-first', balance: 100 });
    const first = await pull('ref-1');
    expect((await pull('ref-1')).json()).toEqual(first.json());
    expect((await balance()).json()).toMatchObject({ balance: 81 });
  });

  test.each([[undefined], ['']])('does without a reference (%p)', async (reference) => {
    const { pull, ledger } = await rig({ duplicates: 'reject' });
    expect([(await pull(reference)).status, (await pull(reference)).status]).toEqual([200, 200]);
    expect((await ledger()).orders).toMatchObject([{ reference: '' }, { reference: '' }]);
  });

  test('gives every server other order names, so that a new one repeats none', async () => {
    const [one, two] = [await rig(), await rig()];
    expect(await one.place('ref-1')).not.toBe(await two.place('ref-1'));
  });
});

describe('serials that the first answer lacks', () => {
  test.each([
    ['some', 1],
    ['none', 0],
  ] as const)('with %s of them, the detail has all', async (serialsInAnswer, count) => {
    const { pull, detail } = await rig({ serialsInAnswer });
    const heard = await pull('ref-1');
    expect(serials(heard)).toHaveLength(count);
    expect(serials(await detail(String(data(heard).orderName)))).toHaveLength(2);
  });

  test('may lack the list altogether', async () => {
    const { pull, detail } = await rig({ serialsInAnswer: 'absent' });
    const heard = await pull('ref-1');
    expect(Object.keys(data(heard)).sort()).toEqual(['orderName', 'totalAmount']);
    expect(serials(await detail(String(data(heard).orderName)))).toHaveLength(2);
  });

  test('may come late in the detail too', async () => {
    const { pull, detail, list, time } = await rig({ serialsLagMs: 3_000 });
    const heard = await pull('ref-1');
    const name = String(data(heard).orderName);
    expect([serials(heard), serials(await detail(name))]).toEqual([[], []]);
    expect((await list()).json()).toMatchObject({ data: [{ status: 'Processing' }] });
    time.advance(3_000);
    expect(serials(await detail(name))).toHaveLength(2);
    expect((await list()).json()).toMatchObject({ data: [{ status: 'Completed' }] });
  });

  test('are switched while it runs, for the orders from then on', async () => {
    const { pull, control, detail, time } = await rig();
    const heard = await control({ answer: 'none', lagMs: 1_000 }, '/serials');
    expect(heard.json()).toEqual({ answer: 'none', lagMs: 1_000 });
    const late = await pull('ref-1');
    expect(serials(late)).toEqual([]);
    await control({ answer: 'all' }, '/serials');
    await control({ lagMs: 0 }, '/serials');
    expect(serials(await pull('ref-2'))).toHaveLength(2);
    expect(serials(await detail(String(data(late).orderName)))).toEqual([]);
    time.advance(1_000);
    expect(serials(await detail(String(data(late).orderName)))).toHaveLength(2);
  });

  test('can be held back and given by hand, all or all but the last', async () => {
    const { place, advance, detail, list } = await rig();
    const name = await place('ref-1', [LINE, GAME]);
    const counts = [];
    for (const status of ['Processing', 'Partial', 'Completed', 'Refunded']) {
      expect((await advance('ref-1', status)).status).toBe(200);
      expect((await list()).json()).toMatchObject({ data: [{ status }] });
      counts.push(serials(await detail(name)).length);
    }
    expect(counts).toEqual([0, 2, 3, 3]);
    expect((await advance(name, 'Processing')).status).toBe(200);
    expect((await advance('nobody', 'Completed')).status).toBe(404);
  });
});

describe('stock', () => {
  test('runs out, then all or nothing is refused with the documented code', async () => {
    const { pull, control, balance, ledger } = await rig({ balance: 100 });
    await control({ sku: 'GIFT-10', available: 3 }, '/product');
    expect((await pull('ref-1')).status).toBe(200);
    const heard = await pull('ref-2', [GAME, LINE]);
    expect([heard.status, heard.json()]).toEqual([400, refused('INSUFFICIENT_STOCK')]);
    expect((await balance()).json()).toMatchObject({ balance: 81 });
    expect((await ledger()).orders).toHaveLength(1);
    await control({ sku: 'GIFT-10', available: 2 }, '/product');
    expect((await pull('ref-2', [GAME, LINE])).status).toBe(200);
  });

  test('is counted over all lines of an order', async () => {
    const { pull, control } = await rig();
    await control({ sku: 'GIFT-10', available: 3 }, '/product');
    expect((await pull('ref-1', [LINE, LINE])).json()).toEqual(refused('INSUFFICIENT_STOCK'));
  });

  test('can be refused under 200', async () => {
    const { pull } = await rig({ insufficientStockStatus: 200 });
    const heard = await pull('ref-1', [{ ...GAME, sku: 'PLAY-OUT' }]);
    expect([heard.status, heard.json()]).toEqual([200, refused('INSUFFICIENT_STOCK')]);
  });

  test('is taken as far as it goes with allowTakeAll, and paid for as far', async () => {
    const { call, control, balance } = await rig({ balance: 100 });
    await control({ sku: 'GIFT-10', available: 1 }, '/product');
    const path = '/api/order/pull-codes?referenceId=ref-1&allowTakeAll=true';
    const heard = await call('POST', path, [LINE, LINE]);
    expect(data(heard)).toMatchObject({ totalAmount: 9.5 });
    expect(serials(heard)).toHaveLength(1);
    expect((await balance()).json()).toMatchObject({ balance: 90.5 });
    expect((await call('POST', path, [LINE])).json()).toEqual(refused('INSUFFICIENT_STOCK'));
  });
});

describe('money', () => {
  test('is taken from the balance first, then from the credit, exactly', async () => {
    const { pull, balance } = await rig({ balance: 0.3, credit: 100.1 });
    expect((await balance()).json()).toEqual({ balance: 0.3, credit: 100.1, creditBalance: 100.4 });
    await pull('ref-1');
    expect((await balance()).json()).toEqual({ balance: 0, credit: 81.4, creditBalance: 81.4 });
  });

  test('may be too little, then nothing is sold', async () => {
    const { pull, control, balance, ledger, products } = await rig({ balance: 18.999 });
    const heard = await pull('ref-1');
    expect([heard.status, heard.json()]).toEqual([400, refused('INSUFFICIENT_BALANCE')]);
    expect((await ledger()).orders).toEqual([]);
    expect((await products({ search: [] })).text).not.toContain('"previouslyPurchased":true');
    const changed = await control({ balance: 19 }, '/balance');
    expect(changed.json()).toEqual({ balance: 19, credit: 0, creditBalance: 19 });
    expect((await pull('ref-1')).status).toBe(200);
    expect((await balance()).json()).toEqual({ balance: 0, credit: 0, creditBalance: 0 });
  });

  test('that is too little can have another code and another status', async () => {
    const { pull, simulator } = await rig({
      balance: 0,
      insufficientBalanceCode: 'LOW_FUNDS',
      insufficientBalanceStatus: 200,
    });
    const heard = await pull('ref-1');
    expect([heard.status, heard.json()]).toEqual([200, refused('LOW_FUNDS')]);
    expect(simulator.account('any').config).toMatchObject({ insufficientBalanceCodes: ['LOW_FUNDS'] });
  });

  test('can be shown in an envelope', async () => {
    const { balance } = await rig({ balanceShape: 'wrapped', balance: 7, credit: 3 });
    expect((await balance()).json()).toEqual({
      status: true,
      data: { balance: 7, credit: 3, creditBalance: 10 },
    });
  });
});

describe('the simulator', () => {
  test('is among those that are started by name, and tells an account that fits', async () => {
    const simulator = await simulators.wupex?.({ time: fakeTime() });
    expect(simulator?.account('wupex-sim')).toEqual({
      id: 'wupex-sim',
      provider: 'wupex',
      config: { baseUrl: simulator?.url },
      credentials: { apiKey: 'simulator-key' },
    });
    await simulator?.close();
  });

  test('allows five calls a second unless told otherwise', async () => {
    const { call } = await rig({ requestsPerSecond: 'usual' });
    const statuses = [];
    for (let time = 0; time < 6; time += 1)
      statuses.push((await call('GET', '/api/customer/balance')).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  });

  test('tells packline of a limit that is not the usual one', async () => {
    const { simulator } = await rig({ requestsPerSecond: 50 });
    expect(simulator.account('any')).toMatchObject({
      credentials: { apiKey: KEY },
      limits: { requests: 50, perMs: 1_000, concurrency: 2 },
    });
  });
});

import { data, idOf, OTHER, rig, rows, SANDBOX, stopAll, told } from './wasal-calls.js';

afterEach(stopAll);

describe('the list', () => {
  test('leaves out cancelled orders unless they are asked for', async () => {
    const { place, cancel, listed } = await rig({ stepMs: 0 });
    await place('ref-1');
    await cancel(await place('ref-2'));
    expect(await listed()).toEqual(['ref-1']);
    expect(await listed('?status=cancelled')).toEqual(['ref-2']);
    expect(await listed('?referenceNumber=ref-2')).toEqual([]);
    expect(await listed('?referenceNumber=ref-2&status=cancelled')).toEqual(['ref-2']);
  });

  test('filters by the status of the moment', async () => {
    const { place, listed, time } = await rig({ stepMs: 1_000 });
    await place('ref-1');
    await place('ref-2', { draft: true });
    time.advance(1_000);
    await place('ref-3');
    expect(await listed('?status=pending')).toEqual(['ref-3']);
    expect(await listed('?status=assigned')).toEqual(['ref-1']);
    expect(await listed('?status=draft')).toEqual(['ref-2']);
    expect(await listed('?status=')).toEqual(['ref-3', 'ref-2', 'ref-1']);
  });

  test('filters by the time of creation, both ends included', async () => {
    const { place, listed, time } = await rig();
    for (const reference of ['ref-1', 'ref-2', 'ref-3']) {
      await place(reference);
      time.advance(1_000);
    }
    expect(await listed('?dateFrom=2026-01-01T00:00:01Z')).toEqual(['ref-3', 'ref-2']);
    expect(await listed('?dateTo=2026-01-01T00:00:01.000Z')).toEqual(['ref-2', 'ref-1']);
    expect(await listed('?dateFrom=2026-01-01T03:00:01%2B03:00&dateTo=2026-01-01T00:00:01Z')).toEqual([
      'ref-2',
    ]);
    expect(await listed('?dateFrom=2026-01-02')).toEqual([]);
  });

  test('finds a reference exactly, and what contains it only if the options say so', async () => {
    const exact = await rig();
    const partial = await rig({ partialReferences: true });
    for (const { place } of [exact, partial]) {
      await place('ref-1');
      await place('ref-1~2');
      await place('REF-1');
    }
    expect(await exact.listed('?referenceNumber=ref-1')).toEqual(['ref-1']);
    expect(await partial.listed('?referenceNumber=ref-1')).toEqual(['ref-1~2', 'ref-1']);
    expect(await exact.listed('?referenceNumber=nobody')).toEqual([]);
  });

  test('pages newest first, 20 at a time unless told otherwise, and counts all that fit', async () => {
    const { place, list, listed } = await rig({ requestsPerWindow: 10_000 });
    for (let number = 1; number <= 25; number += 1) await place(`ref-${number}`);
    const first = await list();
    expect(rows(first)).toHaveLength(20);
    expect(data(first).pagination).toEqual({ page: 1, limit: 20, total: 25 });
    expect(await listed('?page=2')).toEqual(['ref-5', 'ref-4', 'ref-3', 'ref-2', 'ref-1']);
    const third = await list('?page=3&limit=10');
    expect([rows(third).length, data(third).pagination]).toEqual([5, { page: 3, limit: 10, total: 25 }]);
    expect(rows(await list('?limit=100'))).toHaveLength(25);
    expect(data(await list('?page=9'))).toEqual({ list: [], pagination: { page: 9, limit: 20, total: 25 } });
  });

  test('has rows that are like the orders themselves', async () => {
    const { place, get, list } = await rig();
    const id = await place('ref-1');
    expect(rows(await list())).toEqual([data(await get(id)).order]);
  });

  test('has nothing of other merchants', async () => {
    const { place, listed } = await rig();
    await place('ref-1');
    expect(await listed('', { key: OTHER })).toEqual([]);
  });

  test('knows of a new order only after its lag', async () => {
    const { place, listed, status, time } = await rig({ listLagMs: 5_000 });
    const id = await place('ref-1');
    expect([await listed(), await status(id)]).toEqual([[], 'pending']);
    time.advance(4_999);
    expect(await listed('?referenceNumber=ref-1')).toEqual([]);
    time.advance(1);
    expect(await listed('?referenceNumber=ref-1')).toEqual(['ref-1']);
  });

  test.each([
    ['?limit=101', { limit: 'limit must be from 1 to 100' }],
    ['?limit=0', { limit: 'limit must be from 1 to 100' }],
    ['?limit=ten', { limit: 'limit must be from 1 to 100' }],
    ['?page=0', { page: 'page must be at least 1' }],
    ['?page=-1', { page: 'page must be at least 1' }],
    ['?status=canceled', { status: 'status must be a status of an order' }],
    ['?dateFrom=yesterday', { dateFrom: 'dateFrom must be an ISO 8601 date' }],
    ['?dateTo=2026-13-01', { dateTo: 'dateTo must be an ISO 8601 date' }],
    ['?referenceNumber=a&referenceNumber=b', { referenceNumber: 'referenceNumber must be a string' }],
  ])('refuses %s', async (query, errors) => {
    const { list } = await rig();
    expect(told(await list(query))).toEqual([
      400,
      { success: false, code: 'VALIDATION_FAILED', message: expect.any(String), errors },
    ]);
  });
});

describe('a hidden order', () => {
  test('is unknown to every read until it appears', async () => {
    const { control, submit, call, get, listed, ledger, time } = await rig();
    await control({ match: { verb: 'submit' }, times: 1, do: { hideMs: 3_000 } });
    const submitted = await submit();
    const id = idOf(submitted, 'order');
    const reads = async () => [
      (await get(id)).status,
      (await call('GET', `/order/${id}/history`)).status,
      (await call('GET', '/order/track/MAIN-000001', undefined, { key: null })).status,
      (await listed()).length,
    ];
    expect(await reads()).toEqual([404, 404, 404, 0]);
    expect((await ledger()).orders).toMatchObject([{ id, reference: 'ref-1' }]);
    time.advance(3_000);
    expect(await reads()).toEqual([200, 200, 200, 1]);
  });

  test('can still be cancelled', async () => {
    const { control, submit, cancel } = await rig();
    await control({ match: { verb: 'submit' }, times: 1, do: { hideMs: 3_000 } });
    const id = idOf(await submit(), 'order');
    expect((await cancel(id)).status).toBe(200);
  });
});

describe('public tracking', () => {
  test('shows everybody where an order stands, by its number', async () => {
    const { place, call, time } = await rig({ stepMs: 1_000 });
    await place('ref-1');
    await place('ref-2', {}, { key: SANDBOX });
    time.advance(3_000);
    const track = (number: string) => call('GET', `/order/track/${number}`, undefined, { key: null });
    expect(told(await track('MAIN-000001'))).toEqual([
      200,
      {
        success: true,
        data: {
          orderNumber: 'MAIN-000001',
          status: 'picked_up',
          agentLocation: null,
          agentPhone: null,
          updatedAt: '2026-01-01T00:00:03.000Z',
        },
      },
    ]);
    expect(data(await track('MAIN-000002'))).toMatchObject({ status: 'pending' });
  });
});

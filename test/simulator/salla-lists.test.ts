import { error, rig, rows, SHIP_TO, stopAll } from './salla-calls.js';

afterEach(stopAll);

/** Counts for no limit that these tests are about. */
const ROOMY = { requestsPerMinute: 10_000, stepMs: 0 };

describe('a list of orders', () => {
  test('comes in pages of 15, newest first, with what is needed to turn them', async () => {
    const { call, place } = await rig(ROOMY);
    for (let number = 1; number <= 32; number += 1) await place(`ref-${number}`);
    const first = await call('GET', '/orders');
    expect(first.json()).toMatchObject({
      status: 200,
      success: true,
      pagination: {
        count: 15,
        total: 32,
        perPage: 15,
        currentPage: 1,
        totalPages: 3,
        links: { next: expect.any(String) },
      },
    });
    expect(rows(first)[0]).toMatchObject({
      external_order_id: 'ref-32',
      total: { amount: 99.8, currency: 'SAR' },
    });
    const last = await call('GET', '/orders?page=3');
    expect(rows(last).map((row) => row.external_order_id)).toEqual(['ref-2', 'ref-1']);
    expect(last.json()).toMatchObject({ pagination: { count: 2, currentPage: 3 } });
    const beyond = await call('GET', '/orders?page=4');
    expect([rows(beyond), beyond.json()]).toMatchObject([[], { pagination: { count: 0, total: 32 } }]);
  });

  test('has at most 60 on a page; more is a 400, or is taken for 60', async () => {
    const strict = await rig(ROOMY);
    expect((await strict.call('GET', '/orders?per_page=60')).status).toBe(200);
    const heard = await strict.call('GET', '/orders?per_page=61');
    expect([heard.status, error(heard).code, Object.keys(error(heard).fields ?? {})]).toEqual([
      400,
      'bad_request',
      ['per_page'],
    ]);
    const lenient = await rig({ ...ROOMY, perPageAboveLimit: 'clamp' });
    for (let number = 1; number <= 61; number += 1) await lenient.place(`ref-${number}`);
    expect((await lenient.call('GET', '/orders?per_page=100')).json()).toMatchObject({
      pagination: { count: 60, perPage: 60, totalPages: 2 },
    });
  });

  test.each([
    'page=0',
    'page=x',
    'per_page=0',
    'from_date=yesterday',
    'to_date=2026-1-1',
    'status=paid',
    'status[]=1&status[]=b',
  ])('refuses filters that are none with a 400: %s', async (query) => {
    const { call } = await rig();
    const heard = await call('GET', `/orders?${query}`);
    expect([heard.status, error(heard).code]).toEqual([400, 'bad_request']);
  });

  test('shows whole orders when it is to be expanded', async () => {
    const { call, place } = await rig();
    await place('a');
    const [row] = rows(await call('GET', '/orders?expanded=true'));
    expect(row).toMatchObject({ items: [{ sku: 'MUG-1' }], actions: { cancellable: true } });
  });

  test('is searched by keyword: an id of any kind, a phone number, a name', async () => {
    const { place, found, call } = await rig(ROOMY);
    const id = await place('ref-1', { receiver: { name: 'Huda Amin', phone: '+966 50 111 2233' } });
    await place('ref-10');
    await place('ref-10');
    expect(await found('?keyword=ref-1')).toEqual(['ref-1']);
    expect(await found('?keyword=ref-10')).toEqual(['ref-10', 'ref-10']);
    expect(await found(`?keyword=${id}`)).toEqual(['ref-1']);
    expect(await found('?keyword=40000001')).toEqual(['ref-1']);
    expect(await found('?keyword=0501112233')).toEqual([]);
    expect(await found('?keyword=501112233')).toEqual(['ref-1']);
    expect(await found(`?keyword=${encodeURIComponent('+966501112233')}`)).toEqual(['ref-1']);
    expect(await found('?keyword=huda')).toEqual(['ref-1']);
    expect(await found('?keyword=nobody')).toEqual([]);
    expect(rows(await call('GET', '/orders?reference_id=40000002'))).toHaveLength(1);
    expect(rows(await call('GET', '/orders?keyword=ref-1&reference_id=40000002'))).toEqual([]);
  });

  test('filters by days in Riyadh: from a day on, until before a day', async () => {
    const { place, found, time } = await rig(ROOMY);
    // 2026-01-01 03:00 in Riyadh.
    await place('a');
    time.advance(21 * 3_600_000 - 1);
    await place('b');
    time.advance(1);
    await place('c');
    expect(await found('?from_date=2026-01-01')).toEqual(['c', 'b', 'a']);
    expect(await found('?from_date=2026-01-02')).toEqual(['c']);
    expect(await found('?to_date=2026-01-02')).toEqual(['b', 'a']);
    expect(await found('?from_date=2026-01-02&to_date=2026-01-02')).toEqual([]);
  });

  test('filters by everything else that is documented, all filters at once', async () => {
    const { place, found, call, advance } = await rig(ROOMY);
    await place('a', { customer: { id: 77 }, source: 'erp' });
    await place('b', { courier_id: 700_000_002, ship_to: { ...SHIP_TO, city: 'جدة' } });
    await place('c', {
      delivery_method: 'pickup',
      branch_id: 5,
      ship_to: undefined,
      payment: { status: 'paid', method: 'cod', cash_on_delivery: { amount: 10 } },
      products: [{ name: 'Lamp', quantity: 1 }],
    });
    await advance('b', 'shipped');
    const statuses = rows(await call('GET', '/orders/statuses'));
    const shipped = statuses.find(({ slug }) => slug === 'shipped');
    const underReview = statuses.find(({ slug }) => slug === 'under_review');
    expect(await found(`?status[]=${shipped?.id}`)).toEqual(['b']);
    expect(await found(`?status[]=${shipped?.id}&status[]=${underReview?.id}`)).toEqual(['c', 'b', 'a']);
    expect(await found(`?status[0]=${Object(shipped?.original).id}`)).toEqual(['b']);
    expect(await found('?payment_method[]=cod&payment_method[]=bank')).toEqual(['c']);
    expect(await found('?customer_id=77')).toEqual(['a']);
    expect(await found('?source=erp')).toEqual(['a']);
    expect(await found('?branch[]=5')).toEqual(['c']);
    expect(await found('?shipping_app_id[]=700000002')).toEqual(['b']);
    expect(await found(`?city=${encodeURIComponent('جدة')}`)).toEqual(['b']);
    expect(await found('?country=SA')).toEqual(['b', 'a']);
    expect(await found('?product=Lamp')).toEqual(['c']);
    expect(await found('?tags[]=1')).toEqual([]);
    expect(await found('?coupon=TEN')).toEqual([]);
    expect(await found('?country=SA&source=erp&customer_id=78')).toEqual([]);
  });

  test('does not know of fresh orders while it lags; get does', async () => {
    const { place, found, slug, time } = await rig({ listLagMs: 5_000, stepMs: 0 });
    const id = await place('a');
    expect([await slug(id), await found()]).toEqual(['under_review', []]);
    time.advance(5_000);
    expect(await found()).toEqual(['a']);
  });
});

describe('the list of statuses', () => {
  test('has names in the language that is asked for, and says what belongs to what', async () => {
    const { call } = await rig();
    const arabic = rows(await call('GET', '/orders/statuses'));
    const english = rows(
      await call('GET', '/orders/statuses', undefined, { headers: { 'accept-language': 'en-GB' } }),
    );
    const shipped = english.find(({ slug }) => slug === 'shipped');
    expect(shipped).toMatchObject({
      name: 'Shipped',
      type: 'original',
      is_active: true,
      parent: { name: 'Completed' },
      original: { id: expect.any(Number), name: 'Shipped' },
    });
    expect(arabic.find(({ id }) => id === shipped?.id)?.name).toBe('تم الشحن');
    expect(english.map(({ slug }) => slug)).toEqual([
      'payment_pending',
      'under_review',
      'in_progress',
      'completed',
      'delivering',
      'delivered',
      'shipped',
      'canceled',
      'restoring',
      'restored',
      'request_quote',
      'waiting_for_payment_confirmation',
      'payment_failed',
      'in_progress',
      null,
    ]);
  });
});

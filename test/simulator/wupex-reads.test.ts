import { accepting } from '../helpers/faults.js';
import { data, equals, GAME, LINE, names, refused, rig, rows, serials, stopAll } from './wupex-calls.js';

afterEach(stopAll);

const greater = (column: string, value: unknown) => ({ column, operator: 'GreaterThan', value });

describe('the order list', () => {
  test('shows rows in the documented frame, newest first', async () => {
    const { place, list, time } = await rig();
    const first = await place('ref-1');
    time.advance(1_000);
    const second = await place('ref-2', [GAME]);
    expect((await list()).json()).toEqual({
      status: true,
      pageInfo: { totalPage: 1, totalCount: 2, pageSize: 10, currentPage: 1 },
      data: [
        {
          orderName: second,
          referenceId: 'ref-2',
          orderAmount: 23.875,
          orderDate: '2026-01-01T00:00:01.000Z',
          status: 'Completed',
        },
        {
          orderName: first,
          referenceId: 'ref-1',
          orderAmount: 19,
          orderDate: '2026-01-01T00:00:00.000Z',
          status: 'Completed',
        },
      ],
    });
  });

  test('finds every order with a reference, and no other', async () => {
    const { place, listed } = await rig();
    for (const reference of ['ref', 'REF', 'ref-1', ' ref', 'ä/ß?&=+ 日', 'x'.repeat(200)]) {
      const name = await place(reference);
      expect(await listed(reference)).toEqual([name]);
    }
    const again = await place('ref');
    expect(await listed('ref')).toEqual([again, expect.any(String)]);
    expect(await listed('nobody')).toEqual([]);
  });

  test('finds by name, amount and date, and by several of them at once', async () => {
    const { place, list, time } = await rig();
    const small = await place('ref-1');
    time.advance(1_000);
    const large = await place('ref-2', [{ ...LINE, quantity: 5 }]);
    const search = async (...conditions: object[]) => names(await list({ search: conditions }));
    expect(await search(equals('orderName', small))).toEqual([small]);
    expect(await search(equals('orderName', 'A1'))).toEqual([]);
    expect(await search(equals('orderAmount', 47.5))).toEqual([large]);
    expect(await search(equals('orderAmount', '47.5'))).toEqual([large]);
    expect(await search(greater('orderAmount', 19))).toEqual([large]);
    expect(await search(greater('orderDate', '2026-01-01T00:00:00Z'))).toEqual([large]);
    expect(await search(equals('orderDate', '2026-01-01T00:00:00Z'))).toEqual([small]);
    expect(await search(equals('ReferenceId', 'ref-1'), greater('orderAmount', 19))).toEqual([]);
    expect(await search(equals('ReferenceId', 'ref-1'), equals('ReferenceId', 'ref-2'))).toEqual([]);
  });

  test('finds orders without a reference by an empty one', async () => {
    const { pull, list } = await rig();
    await pull(undefined);
    await pull('ref-1');
    const heard = await list({ search: [equals('ReferenceId', '')] });
    expect(rows(heard)).toMatchObject([{ referenceId: null }]);
  });

  test('pages through all rows once, in either direction', async () => {
    const { place, list } = await rig();
    const placed = [];
    for (let number = 0; number < 7; number += 1) placed.push(await place(`ref-${number}`));
    const read = async (order: string) => {
      const pages = [];
      for (let page = 1; page <= 3; page += 1) pages.push(await list({ page, pageSize: 3, order }));
      return pages.flatMap(names);
    };
    expect(await read('ASC')).toEqual(placed);
    expect(await read('DESC')).toEqual([...placed].reverse());
    const beyond = await list({ page: 4, pageSize: 3 });
    expect(beyond.json()).toEqual({
      status: true,
      pageInfo: { totalPage: 3, totalCount: 7, pageSize: 3, currentPage: 4 },
      data: [],
    });
  });

  test('sorts by another column', async () => {
    const { place, list } = await rig();
    const [middle, least, most] = [
      await place('b', [{ ...LINE, quantity: 2 }]),
      await place('c', [{ ...LINE, quantity: 1 }]),
      await place('a', [{ ...LINE, quantity: 3 }]),
    ];
    expect(names(await list({ orderColumn: 'orderAmount' }))).toEqual([most, middle, least]);
    expect(names(await list({ orderColumn: 'ReferenceId', order: 'ASC' }))).toEqual([most, middle, least]);
  });

  test('may be asked without a body', async () => {
    const { call, place } = await rig();
    await place('ref-1');
    expect(rows(await call('POST', '/api/order/list'))).toHaveLength(1);
  });

  test('without rows is an empty list, or no data', async () => {
    const [usual, strict] = [await rig(), await rig({ emptyListStatus: 404 })];
    expect((await usual.list()).json()).toEqual({
      status: true,
      pageInfo: { totalPage: 0, totalCount: 0, pageSize: 10, currentPage: 1 },
      data: [],
    });
    const heard = await strict.list();
    expect([heard.status, heard.json()]).toEqual([404, refused('NOT_FOUND')]);
    await strict.place('ref-1');
    expect((await strict.list()).status).toBe(200);
  });

  test('can learn of a new order later than the detail does', async () => {
    const { place, listed, detail, time } = await rig({ listLagMs: 2_000 });
    const name = await place('ref-1');
    expect([await listed('ref-1'), (await detail(name)).status]).toEqual([[], 200]);
    time.advance(2_000);
    expect(await listed('ref-1')).toEqual([name]);
  });

  test.each<[string, unknown]>([
    ['page 0', { page: 0 }],
    ['a page that is a text', { page: '1' }],
    ['half a page', { page: 1.5 }],
    ['a page size of 0', { pageSize: 0 }],
    ['a page size above 100', { pageSize: 101 }],
    ['an unknown sort column', { orderColumn: 'colour' }],
    ['a sort column that is no text', { orderColumn: 7 }],
    ['an unknown direction', { order: 'desc' }],
    ['a search that is no list', { search: equals('ReferenceId', 'ref-1') }],
    ['a search for nothing', { search: [null] }],
    ['the column as the query string spells it', { search: [equals('referenceId', 'ref-1')] }],
    ['a column that is no text', { search: [equals(['ReferenceId'], 'ref-1')] }],
    ['an unknown operator', { search: [{ column: 'ReferenceId', operator: 'Contains', value: 'r' }] }],
    ['no value', { search: [{ column: 'ReferenceId', operator: 'Equals' }] }],
    ['a reference that is a number', { search: [equals('ReferenceId', 1)] }],
    ['an amount that is none', { search: [greater('orderAmount', 'much')] }],
    ['an amount that is empty', { search: [greater('orderAmount', '')] }],
    ['a date that is none', { search: [greater('orderDate', 'yesterday')] }],
    ['a date that is a list', { search: [greater('orderDate', [])] }],
    ['a body that is a list', []],
    ['a body that is no JSON', '{'],
  ])('refuses %s', async (_what, body) => {
    const { list } = await rig();
    const heard = await list(body);
    expect([heard.status, heard.json()]).toEqual([400, refused('INVALID_PAYLOAD')]);
  });
});

describe('the order detail', () => {
  test('shows the lines with their codes, with currency and expiry where the product has them', async () => {
    const { pull, detail } = await rig();
    const pulled = await pull('ref-1', [{ ...LINE, quantity: 1 }, GAME]);
    const { orderName } = data(pulled);
    const code = { serialCode: expect.any(String), serialNumber: expect.any(String) };
    const shown = await detail(String(orderName));
    expect(shown.json()).toEqual({
      status: true,
      data: {
        orderName,
        referenceId: 'ref-1',
        orderAmount: 33.375,
        orderDate: '2026-01-01T00:00:00.000Z',
        status: 'Completed',
        orderData: [
          {
            sku: 'GIFT-10',
            merchant: 'giftwave',
            productName: 'Gift Card 10',
            quantity: 1,
            price: 9.5,
            serials: [{ ...code, currency: 'USD', expiry: '2027-01-01T00:00:00.000Z' }],
          },
          {
            sku: 'PLAY-25',
            merchant: 'playhub',
            productName: 'Game Credit 25',
            quantity: 1,
            price: 23.875,
            serials: [{ ...code, currency: 'KWD' }],
          },
        ],
      },
    });
    for (const { serialCode, serialNumber } of serials(pulled)) {
      expect(shown.text).toContain(serialCode);
      expect(shown.text).toContain(serialNumber);
    }
  });

  test('shows a product without currency and expiry', async () => {
    const { place, detail } = await rig({ products: [{ sku: 'PLAIN', price: 1 }] });
    const name = await place('ref-1', [{ ...LINE, sku: 'PLAIN', quantity: 1 }]);
    expect((await detail(name)).json()).toMatchObject({
      data: {
        orderData: [{ serials: [{ serialCode: expect.any(String), serialNumber: 'PLAIN-000000001' }] }],
      },
    });
    expect((await detail(name)).text).not.toMatch(/currency|expiry/);
  });

  test('knows orders by their name only', async () => {
    const { place, detail, call } = await rig();
    const name = await place('ref-1');
    for (const unknown of ['ref-1', name.toLowerCase(), 'A00000000000000']) {
      const heard = await detail(unknown);
      expect([heard.status, heard.json()]).toEqual([404, refused('NOT_FOUND')]);
    }
    for (const query of ['', '?orderName=', `?orderName=${name}&orderName=${name}`]) {
      const heard = await call('GET', `/api/order/detail${query}`);
      expect([heard.status, heard.json()]).toEqual([400, refused('INVALID_PAYLOAD')]);
    }
  });
});

describe('an order that is hidden', () => {
  test('is neither in the list nor in the detail, but in the ledger', async () => {
    const { place, listed, detail, control, ledger, time } = await rig();
    await control({ match: { verb: 'submit' }, times: 1, do: { hideMs: 3_000 } });
    const name = await place('ref-1');
    expect([await listed('ref-1'), (await detail(name)).status]).toEqual([[], 404]);
    expect((await ledger()).orders).toMatchObject([{ id: name }]);
    time.advance(3_000);
    expect([await listed('ref-1'), (await detail(name)).status]).toEqual([[name], 200]);
  });

  test('may be one whose answer was lost', async () => {
    const { pull, listed, control, time } = await rig();
    await control({ times: 1, do: accepting('drop', { hideMs: 3_000 }) });
    await expect(pull('ref-1')).rejects.toThrow();
    expect(await listed('ref-1')).toEqual([]);
    time.advance(3_000);
    expect(await listed('ref-1')).toHaveLength(1);
  });
});

describe('the product list', () => {
  test('shows the documented fields, and what was pulled', async () => {
    const { place, products } = await rig();
    await place('ref-1');
    const heard = await products({ search: [equals('productCode', 'GIFT-10')] });
    expect(heard.json()).toEqual({
      status: true,
      pageInfo: { totalPage: 1, totalCount: 1, pageSize: 10, currentPage: 1 },
      data: [
        {
          productId: 1,
          productName: 'Gift Card 10',
          imageUrl: expect.stringMatching(/^https:/),
          productCode: 'GIFT-10',
          price: 9.5,
          limit: 100,
          redeemed: 2,
          available: 999_998,
          enabled: true,
          productType: 'voucher',
          balance: 0,
          discountRate: 0,
          previouslyPurchased: true,
          favorite: false,
        },
      ],
    });
  });

  test('pages, sorts and searches as the order list does', async () => {
    const { products } = await rig();
    const codes = async (body: unknown) => rows(await products(body)).map((row) => row.productCode);
    expect(await codes({ page: 2, pageSize: 2, order: 'ASC' })).toEqual(['PLAY-25', 'PLAY-OUT']);
    expect(await codes({ search: [greater('price', 10)], orderColumn: 'price' })).toEqual([
      'GIFT-50',
      'PLAY-25',
    ]);
    expect(await codes({ search: [equals('available', 0)] })).toEqual(['PLAY-OUT']);
    expect(await codes({ search: [equals('productName', 'Gift Card 50')] })).toEqual(['GIFT-50']);
    expect((await products({ pageSize: 101 })).json()).toEqual(refused('INVALID_PAYLOAD'));
  });
});

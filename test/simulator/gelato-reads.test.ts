import { ADDRESS, field, ITEM, order, rig, stopAll } from './gelato-calls.js';

afterEach(stopAll);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

// The names of the sample under "Get Order", sorted.
const ORDER_FIELDS = `appServices billingEntity channel clientId comment connectedOrderIds createdAt currency
  customerReferenceId digitizationId discounts financialStatus fulfillmentStatus id iossNumber items metadata
  orderReferenceId orderType orderedAt orderedByUserId paymentMethodId paymentMethodType prepaymentTransactionId
  receipts refusalReason refusalReasonCode refusalReasonDetails retailCurrency returnAddress shipment
  shipmentMethodUid shippingAddress storeId updatedAt`.split(/\s+/);
const ITEM_FIELDS = `appServices attributes category customTrim designId dpi eventLog fileUrl files filesSize
  finalProductUid fulfillmentStatus id isIgnored itemReferenceId itemReferenceName metadata options pageCount
  previews price printJobs processedFileUrl productCategoryUid productFileMimeType productName productNameUid
  productTypeUid productUid productVariant quantity retailPriceInclVat storeProductId storeProductVariantId`.split(
  /\s+/,
);
const SHIPMENT_FIELDS =
  `fulfillmentCountry fulfillmentFacilityId id initialMaxDeliveryDate initialMinDeliveryDate
  isCheapest maxDeliveryDate maxDeliveryDays minDeliveryDate minDeliveryDays orderProductId packageCount packages
  price promiseUid retailShippingPriceInclVat serviceType shipmentMethodName shipmentMethodUid shippingAddressId
  speedType status totalWeight`.split(/\s+/);

describe('get', () => {
  test('finds by id, and by any reference that a path can carry', async () => {
    const { place, get } = await rig();
    for (const reference of [
      'a/b',
      'a%2Fb',
      'ö ß?#;',
      '2024-12-02-11:05:06',
      'x'.repeat(200),
      '日'.repeat(200),
    ]) {
      const id = await place(reference);
      expect(field(await get(reference), 'id')).toBe(id);
      expect(field(await get(id), 'orderReferenceId')).toBe(reference);
    }
  });

  test('shows every field of the documented object, and what was sent', async () => {
    const { submit, get } = await rig();
    const metadata = [{ key: 'campaign', value: 'summer' }];
    await submit(
      order({
        metadata,
        retailCurrency: 'GBP',
        retailShippingPriceInclVat: 6.99,
        shipmentMethodUid: 'normal,standard,fed_ex_2_day',
        items: [{ ...ITEM, retailPriceInclVat: 19.99, metadata }],
      }),
    );
    const heard = await get('ref-1');
    expect(Object.keys(Object(heard.json())).sort()).toEqual(ORDER_FIELDS);
    expect(Object.keys(Object(field(heard, 'shipment'))).sort()).toEqual(SHIPMENT_FIELDS);
    expect(heard.json()).toMatchObject({
      orderReferenceId: 'ref-1',
      customerReferenceId: 'sandbox-customer',
      channel: 'api',
      retailCurrency: 'GBP',
      shipmentMethodUid: 'normal,standard,fed_ex_2_day',
      refusalReasonCode: null,
      orderedAt: '2025-12-31T23:59:58+00:00',
      metadata: expect.arrayContaining(metadata),
      shippingAddress: { ...ADDRESS, state: '', federalTaxId: null },
      items: [
        {
          ...ITEM,
          finalProductUid: 'poster_a3',
          productVariant: [],
          retailPriceInclVat: 19.99,
          metadata: expect.arrayContaining(metadata),
          files: [{ ...ITEM.files[0], mimeType: 'application/pdf' }],
        },
      ],
      shipment: {
        shipmentMethodUid: 'dhl_global_parcel',
        retailShippingPriceInclVat: 6.99,
        serviceType: 'normal',
      },
      receipts: [
        {
          items: [{ type: 'product', amount: 2 }, { type: 'shipment' }, { type: 'packaging' }],
          totalInclVat: 0,
        },
      ],
    });
    const items = field(heard, 'items');
    expect(Object.keys(Object(Reflect.get(Object(items), 0))).sort()).toEqual(ITEM_FIELDS);
  });

  test('shows a product that was chosen by name with its variant', async () => {
    const { submit, get } = await rig();
    const { productUid, ...rest } = ITEM;
    const byName = { ...rest, productName: 'Framed Poster', productVariant: { PaperSize: 'A3' } };
    expect(productUid).toBeDefined();
    await submit(order({ items: [byName] }));
    expect((await get('ref-1')).json()).toMatchObject({
      items: [{ ...byName, productUid: 'framed-poster_papersize_a3' }],
    });
  });

  test('has the documented envelope of its own for what it does not know', async () => {
    const { get } = await rig();
    const heard = await get('nobody');
    expect(heard.status).toBe(404);
    expect(heard.json()).toEqual({ code: 404, message: 'Order not found' });
  });
});

describe('search', () => {
  test('answers rows as documented, without a total', async () => {
    const { place, search } = await rig();
    const id = await place('ref-1');
    expect((await search()).json()).toEqual({
      orders: [
        {
          id,
          clientId: expect.stringMatching(UUID),
          orderReferenceId: 'ref-1',
          fulfillmentStatus: 'created',
          financialStatus: 'pending',
          currency: 'EUR',
          totalInclVat: '0.00',
          orderType: 'order',
          channel: 'api',
          storeId: null,
          connectedOrderIds: [],
          firstName: 'Astrid',
          lastName: 'Berg',
          country: 'SE',
          itemsCount: 1,
          createdAt: '2026-01-01T00:00:00+00:00',
          updatedAt: '2026-01-01T00:00:00+00:00',
          orderedAt: '2025-12-31T23:59:58+00:00',
          refusalReasonCode: null,
          appServices: [],
          customerReferenceId: 'sandbox-customer',
        },
      ],
    });
  });

  test('filters by everything that is documented, all filters at once', async () => {
    const { place, found, advance, time } = await rig({ stepMs: 0 });
    await place('a');
    time.advance(10_000);
    await place('b', { shippingAddress: { ...ADDRESS, country: 'DE' } });
    time.advance(10_000);
    await place('c');
    await place('c');
    await advance('b', 'delivered');
    await advance('a', 'canceled');
    expect(await found({})).toEqual(['c', 'c', 'b', 'a']);
    expect(await found({ orderReferenceId: 'c' })).toEqual(['c', 'c']);
    expect(await found({ orderReferenceIds: ['a', 'c', 'zz', 'a'] })).toEqual(['c', 'c', 'a']);
    expect(await found({ orderReferenceIds: ['a', 'c'], orderReferenceId: 'a' })).toEqual(['a']);
    expect(await found({ orderReferenceIds: [] })).toHaveLength(4);
    expect(await found({ fulfillmentStatus: ['canceled', 'delivered'] })).toEqual(['b', 'a']);
    expect(await found({ financialStatus: ['canceled'] })).toEqual(['a']);
    expect(await found({ countries: ['DE', 'FR'] })).toEqual(['b']);
    expect(await found({ startDate: '2026-01-01T00:00:10Z' })).toEqual(['c', 'c']);
    expect(await found({ endDate: '2026-01-01T01:00:20+01:00' })).toEqual(['b', 'a']);
    expect(await found({ startDate: '2025-12-31', endDate: '2026-01-01T00:00:05+00:00' })).toEqual(['a']);
    expect(await found({ countries: ['SE'], fulfillmentStatus: ['delivered'] })).toEqual([]);
  });

  test('pages by limit and offset, 50 unless told, 100 at most', async () => {
    const { place, found, search } = await rig({ requestsPerSecond: 1_000 });
    for (let number = 1; number <= 120; number += 1) await place(`ref-${number}`);
    expect(await found()).toHaveLength(50);
    const first = await found({ limit: 100 });
    const second = await found({ limit: 100, offset: 100 });
    expect([first.length, second.length, new Set([...first, ...second]).size]).toEqual([100, 20, 120]);
    expect(await found({ offset: 120 })).toEqual([]);
    expect((await search({ limit: 101 })).status).toBe(400);
  });

  test('does not know of fresh orders while its index lags; get does', async () => {
    const { place, found, get, time } = await rig({ searchLagMs: 5_000 });
    await place('ref-1');
    expect((await get('ref-1')).status).toBe(200);
    time.advance(4_999);
    expect(await found({ orderReferenceId: 'ref-1' })).toEqual([]);
    time.advance(1);
    expect(await found({ orderReferenceId: 'ref-1' })).toEqual(['ref-1']);
  });
});

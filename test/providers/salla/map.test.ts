import { orderState, shipmentState } from '../../../src/providers/salla/map.js';
import {
  orderRow as orderSchema,
  STATUS_SLUGS,
  shipmentRow as shipmentSchema,
} from '../../../src/providers/salla/wire.js';
import { orderRow, shipmentRow } from './fixtures.js';

const WORDS = { openPaymentStatus: 'waiting', completedMeans: 'in_progress' } as const;
const ofOrder = (status: unknown, words: Parameters<typeof orderState>[1] = WORDS) =>
  orderState(orderSchema.parse(orderRow({ status })), words, false);
const ofShipment = (status: unknown) => shipmentState(shipmentSchema.parse(shipmentRow({ status })));

describe("an order's status", () => {
  test.each([
    ['draft', 'draft'],
    ['payment_pending', 'submitted'],
    ['waiting_for_payment_confirmation', 'submitted'],
    ['under_review', 'submitted'],
    ['in_progress', 'in_progress'],
    ['completed', 'in_progress'],
    ['delivering', 'shipped'],
    ['shipped', 'shipped'],
    ['delivered', 'delivered'],
    ['canceled', 'canceled'],
    ['cancelled', 'canceled'],
    ['payment_failed', 'failed'],
  ])('%s is %s here', (slug, status) => {
    const state = ofOrder({ id: 1, name: 'اسم', slug });
    expect(state).toMatchObject({ status, rawStatus: slug });
    expect(state).not.toHaveProperty('attention');
    expect(ofOrder(slug)).toMatchObject({ status });
  });

  test.each(['request_quote', 'restoring', 'restored'])('%s needs a person', (slug) => {
    expect(ofOrder({ slug })).toMatchObject({
      status: null,
      rawStatus: slug,
      attention: { code: 'provider_attention', detail: expect.stringContaining(slug) },
    });
  });

  test('every slug that can be written back is known', () => {
    for (const slug of STATUS_SLUGS)
      expect(ofOrder({ slug }).attention?.code ?? 'known').not.toBe('unknown_status');
  });

  test('completed is the end where the configuration says so', () => {
    expect(ofOrder({ slug: 'completed' }, { ...WORDS, completedMeans: 'delivered' }).status).toBe(
      'delivered',
    );
  });

  test("a status of the merchant's own is that of its parent, else not known by its name", () => {
    expect(ofOrder({ id: 1, slug: null, parent: { slug: 'in_progress' } }).status).toBe('in_progress');
    expect(ofOrder({ id: 1, slug: '', original: { slug: 'shipped' } }).status).toBe('shipped');
    const own = { id: 1, name: 'قيد التنفيذ', slug: null, customized: { id: 2, name: 'تغليف هدية' } };
    expect(ofOrder(own)).toMatchObject({
      status: null,
      rawStatus: 'تغليف هدية',
      attention: { code: 'unknown_status', detail: expect.stringContaining('تغليف هدية') },
    });
  });

  test.each([[null], [undefined], [7], [[]], [{}]])('%j names none', (status) => {
    expect(ofOrder(status)).toMatchObject({
      status: null,
      rawStatus: '',
      attention: { code: 'unknown_status' },
    });
  });

  test('a failure says which', () => {
    expect(ofOrder({ slug: 'payment_failed' }).failure).toEqual({
      code: 'payment_failed',
      message: 'Salla says of the order: payment_failed',
    });
  });
});

describe("a shipment's status", () => {
  test.each([
    ['pending', 'submitted'],
    ['creating', 'submitted'],
    ['created', 'in_progress'],
    ['in_progress', 'in_progress'],
    ['shipped', 'shipped'],
    ['in_transit', 'shipped'],
    ['received_at_final_hub', 'shipped'],
    ['delivering', 'shipped'],
    ['delivered', 'delivered'],
    ['cancelled', 'canceled'],
    ['lost', 'failed'],
    ['damaged', 'failed'],
    ['return_to_origin', 'failed'],
  ])('%s is %s here', (word, status) => {
    expect(ofShipment(word)).toMatchObject({ status, rawStatus: word });
    expect(ofShipment({ id: 1, name: word, slug: word })).toMatchObject({ status, rawStatus: word });
  });

  test.each([
    'partially_delivered',
    'to_be_reattempted',
    'reattempted',
    'unable_to_deliver',
    'return_in_progress',
  ])('%s needs a person', (word) => {
    expect(ofShipment(word)).toMatchObject({ status: null, attention: { code: 'provider_attention' } });
  });

  test('what is not known needs a look', () => {
    expect(ofShipment('teleported')).toMatchObject({ status: null, attention: { code: 'unknown_status' } });
  });
});

describe('a time', () => {
  const createdAt = (date: unknown) =>
    orderState(orderSchema.parse(orderRow({ date })), WORDS, false).createdAt;

  test.each([
    [{ date: '2026-03-02 14:00:41.000000', timezone: 'Asia/Riyadh' }, '2026-03-02T11:00:41.000Z'],
    [{ date: '2026-03-02 11:00:41', timezone: 'UTC' }, '2026-03-02T11:00:41.000Z'],
    [{ date: '2026-03-02T11:00:41.000000Z', timezone: 'Asia/Riyadh' }, '2026-03-02T11:00:41.000Z'],
    ['2026-03-02T14:00:41+03:00', '2026-03-02T11:00:41.000Z'],
    [{ date: '2026-03-02 11:00:41', timezone: 'Asia/Dubai' }, undefined],
    [{ date: 'Monday', timezone: 'UTC' }, undefined],
    [{ date: null }, undefined],
    [7, undefined],
  ])('%j is %s', (date, iso) => {
    expect(createdAt(date)).toBe(iso);
  });
});

import fc from 'fast-check';
import type { OrderBody } from '../../../src/orders/body.js';
import { handOver, instant, isComplete, isExact } from '../../../src/providers/wupex/map.js';
import type { Serial } from '../../../src/providers/wupex/wire.js';
import { answerOf } from '../fixtures.js';
import { detail, goodBody, openAccount, placed, pulled } from './fixtures.js';

const code = (sku: string | null, serialCode: string): Serial => ({
  sku,
  serialCode,
  serialNumber: null,
  expiry: null,
});
const ordering = (...items: [string, number][]): OrderBody =>
  goodBody({ items: items.map(([sku, quantity], at) => ({ reference: `line-${at}`, sku, quantity })) });
const shown = (body: OrderBody, serials: Serial[]) =>
  handOver(body, serials).deliverables.map(({ position, sku, code }) => `${position} ${sku} ${code}`);

describe('the place of a code', () => {
  test('is the next one of its product, in whatever order the codes come', () => {
    const body = ordering(['A', 2], ['B', 1]);
    expect(shown(body, [code('B', 'b'), code('A', 'a1'), code('A', 'a2')])).toEqual([
      '0 A a1',
      '1 A a2',
      '2 B b',
    ]);
  });

  test('goes over the items of one product in turn', () => {
    const body = ordering(['A', 1], ['B', 1], ['A', 1]);
    expect(shown(body, [code('A', 'a1'), code('A', 'a2'), code('B', 'b')])).toEqual([
      '0 A a1',
      '1 B b',
      '2 A a2',
    ]);
  });

  test('of a nameless code is what is left, with the one product that it can be of', () => {
    expect(shown(ordering(['A', 2]), [code(null, 'x'), code(null, 'y')])).toEqual(['0 A x', '1 A y']);
    const body = ordering(['A', 1], ['B', 1]);
    expect(shown(body, [code(null, 'x'), code('A', 'a')])).toEqual(['0 A a', '1 B x']);
    expect(shown(body, [code(null, 'x')])).toEqual(['0  x']);
    expect(handOver(body, [code(null, 'x')]).strangers).toBe(1);
  });

  test('of a product that was not ordered is what is left, under the name that it came with', () => {
    const handed = handOver(ordering(['A', 2]), [code('Z', 'z'), code('A', 'a')]);
    expect(handed.deliverables).toMatchObject([
      { position: 0, sku: 'A', code: 'a' },
      { position: 1, sku: 'Z', code: 'z' },
    ]);
    expect([isComplete(handed), isExact(handed), handed.strangers]).toEqual([true, false, 1]);
  });

  test('of one too many is behind the order', () => {
    const handed = handOver(ordering(['A', 1]), [code('A', 'a1'), code('A', 'a2'), code(null, 'x')]);
    expect(handed.deliverables.map(({ position, sku }) => [position, sku])).toEqual([
      [0, 'A'],
      [1, 'A'],
      [2, 'A'],
    ]);
    expect([isComplete(handed), isExact(handed)]).toEqual([true, false]);
  });

  test('of one too many of a product is never the place of another product', () => {
    const handed = handOver(ordering(['A', 1], ['B', 1]), [code('A', 'a1'), code('A', 'a2')]);
    expect(handed.deliverables.map(({ position, sku }) => [position, sku])).toEqual([
      [0, 'A'],
      [2, 'A'],
    ]);
    expect(handed).toMatchObject({ ordered: 2, filled: 1, strangers: 0 });
    expect([isComplete(handed), isExact(handed)]).toEqual([false, false]);
    const beside = handOver(ordering(['A', 1], ['B', 1]), [
      code('A', 'a1'),
      code('A', 'a2'),
      code(null, 'x'),
    ]);
    expect(beside.deliverables.map(({ position, sku, code }) => [position, sku, code])).toEqual([
      [0, 'A', 'a1'],
      [1, 'B', 'x'],
      [2, 'A', 'a2'],
    ]);
  });

  const skus = fc.constantFrom('A', 'B', 'C');
  const orders = fc.array(fc.tuple(skus, fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 5 });
  const answers = fc.array(fc.oneof(skus, fc.constantFrom('Z', null)), { maxLength: 25 });

  test('is its own, and no code is lost or made up', () => {
    fc.assert(
      fc.property(orders, answers, (items, found) => {
        const serials = found.map((sku, at) => code(sku, `code-${at}`));
        const { deliverables, ordered } = handOver(ordering(...items), serials);
        expect(deliverables.map((each) => each.code).sort()).toEqual(
          serials.map((each) => each.serialCode).sort(),
        );
        const positions = deliverables.map(({ position }) => position);
        expect(new Set(positions).size).toBe(positions.length);
        expect(ordered).toBe(items.reduce((sum, [, quantity]) => sum + quantity, 0));
        expect(Math.max(-1, ...positions)).toBeLessThan(ordered + positions.length);
        const places = items.flatMap(([sku, quantity]) => Array.from({ length: quantity }, () => sku));
        for (const each of deliverables) {
          const place = places[each.position];
          // A code of an ordered product stands in a place of that product, or behind the order.
          if (place !== undefined && places.some((sku) => sku === each.sku)) expect(each.sku).toBe(place);
        }
      }),
    );
  });

  test('of a product that was ordered is one of that product, while there is one', () => {
    fc.assert(
      fc.property(orders, (items) => {
        const places = items.flatMap(([sku, quantity]) => Array.from({ length: quantity }, () => sku));
        const serials = [...places].reverse().map((sku, at) => code(sku, `code-${at}`));
        const handed = handOver(ordering(...items), serials);
        expect(handed.deliverables.map(({ sku }) => sku)).toEqual(places);
        expect(isExact(handed)).toBe(true);
      }),
    );
  });

  test('is found fast in the largest order', () => {
    const body = ordering(['A', 5_000]);
    const serials = Array.from({ length: 5_000 }, (_, at) => code('A', `code-${at}`));
    expect(isExact(handOver(body, serials))).toBe(true);
  });
});

describe('a code', () => {
  const account = openAccount();
  const first = (serial: Record<string, unknown>) => {
    const outcome = account.verbs.submit[0].read(placed(), answerOf(200, pulled({ serials: [serial] })));
    return outcome?.kind === 'accepted' ? outcome.deliverables?.[0] : null;
  };

  test.each([[' AB 12 '], ['٠١٢-é日\u0007'], ['x'.repeat(3_000)], ['0012']])(
    'is handed over as it came: %j',
    (text) => {
      expect(first({ sku: 'GIFT-10', serialCode: text, serialNumber: text })).toMatchObject({
        code: text,
        serial: text,
      });
    },
  );

  test('may be a number, and have no serial', () => {
    expect(first({ sku: 'GIFT-10', serialCode: 12345678 })).toEqual({
      position: 0,
      sku: 'GIFT-10',
      code: '12345678',
      serial: null,
      expiresAt: null,
    });
  });

  test('stands in deliverables and nowhere else', () => {
    const secret = fc.uuid();
    fc.assert(
      fc.property(secret, secret, fc.boolean(), (serialCode, serialNumber, whole) => {
        const serials = Array.from({ length: whole ? 3 : 2 }, () => ({
          sku: 'GIFT-10',
          serialCode,
          serialNumber,
        }));
        const outcomes = [
          account.verbs.submit[0].read(placed(), answerOf(200, pulled({ serials }))),
          account.reads.get.read(
            placed(),
            answerOf(200, detail({ orderData: [{ sku: 'GIFT-10', serials }] })),
          ),
        ];
        for (const outcome of outcomes) {
          const { deliverables, ...rest } = Object(outcome);
          expect(deliverables).toHaveLength(serials.length);
          expect(JSON.stringify(rest)).not.toContain(serialCode);
          expect(JSON.stringify(rest)).not.toContain(serialNumber);
        }
      }),
    );
  });
});

describe('a time', () => {
  test.each([
    ['2027-03-02', '2027-03-02T00:00:00.000Z'],
    ['2027-03-02T10:30:00', '2027-03-02T10:30:00.000Z'],
    ['2027-03-02 10:30', '2027-03-02T10:30:00.000Z'],
    ['2027-03-02T10:30:00.1234567Z', '2027-03-02T10:30:00.123Z'],
    ['2027-03-02T10:30:00+04:00', '2027-03-02T06:30:00.000Z'],
    ['0001-01-01T00:00:00', null],
    ['2027-13-40', null],
    ['03/02/2027', null],
    ['soon', null],
    ['', null],
    [null, null],
  ])('%j is %j', (text, iso) => {
    expect(instant(text)).toBe(iso);
  });
});

import fc from 'fast-check';
import {
  foundEffect,
  missingEffect,
  type ReadContext,
  readAgainMs,
  unlistedEffect,
} from '../../src/fulfil/read-effects.js';
import { ORDER_STATUSES, type OrderStatus } from '../../src/orders/order.js';
import { MOVES } from '../../src/orders/states.js';
import type { ReadOrder } from '../../src/orders/store/read-pages.js';
import { chance, NOW, toldStatuses } from '../policy/arbitraries.js';
import { account, PROVIDER_ORDER_ID, stateOf } from './attempts.js';

const CONTEXT: ReadContext = { startedAt: NOW, random: () => 0.5, getStep: account.reads.get.name };
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

function readOrder(changes: Partial<ReadOrder> = {}): ReadOrder {
  return {
    id: '018f2f6e-0000-7000-8000-000000000001',
    reference: 'shop:1001',
    generation: 1,
    status: 'submitted',
    providerOrderId: PROVIDER_ORDER_ID,
    rawStatus: 'created',
    missingReads: 0,
    isTracked: false,
    ageMs: 0,
    ...changes,
  };
}

const tracking = [{ carrier: 'DHL', code: 'T1', url: null, status: null }];

describe('a read that finds the order', () => {
  test('as it was, keeps its status and its pace', () => {
    expect(foundEffect(readOrder(), stateOf({ status: 'submitted', rawStatus: 'created' }), CONTEXT)).toEqual(
      {
        orderId: '018f2f6e-0000-7000-8000-000000000001',
        from: 'submitted',
        to: null,
        reopened: false,
        rawStatus: 'created',
        failure: null,
        attention: 'clear',
        tracking: null,
        providerData: null,
        missingReads: 0,
        startedAt: NOW,
        readMs: 2 * MINUTE_MS,
        followStep: null,
      },
    );
  });

  test('further on, moves it and takes what came along', () => {
    const state = stateOf({
      status: 'shipped',
      rawStatus: 'in_transit',
      tracking,
      data: { financialStatus: 'paid' },
    });
    expect(foundEffect(readOrder(), state, CONTEXT)).toMatchObject({
      to: 'shipped',
      reopened: false,
      rawStatus: 'in_transit',
      tracking,
      providerData: { financialStatus: 'paid' },
      attention: 'clear',
      readMs: 60 * MINUTE_MS,
      followStep: null,
    });
  });

  test('failed, keeps the provider’s reason', () => {
    const failure = { code: 'missing_retail_prices', message: 'prices are missing' };
    expect(
      foundEffect(readOrder(), stateOf({ status: 'failed', rawStatus: 'failed', failure }), CONTEXT),
    ).toMatchObject({ to: 'failed', failure });
  });

  test('failed without a reason, says so in the provider’s word', () => {
    expect(
      foundEffect(readOrder(), stateOf({ status: 'failed', rawStatus: 'failed' }), CONTEXT).failure,
    ).toEqual({
      code: 'failed',
      message: 'the provider says failed',
    });
  });

  test('under a word that nobody knows, keeps its status and asks for a human', () => {
    const attention = { code: 'unknown_status', detail: 'odd' };
    expect(
      foundEffect(readOrder(), stateOf({ status: null, rawStatus: 'odd', attention }), CONTEXT),
    ).toMatchObject({
      to: null,
      rawStatus: 'odd',
      attention,
      readMs: 2 * MINUTE_MS,
    });
  });

  test.each<[OrderStatus, OrderStatus]>([
    ['canceled', 'in_progress'],
    ['failed', 'shipped'],
  ])('%s here and %s there, reopens it, and asks for a human', (from, status) => {
    const effect = foundEffect(readOrder({ status: from }), stateOf({ status, rawStatus: 'x' }), CONTEXT);
    expect(effect).toMatchObject({
      to: status,
      reopened: true,
      attention: { code: 'status_conflict', detail: `was ${from} here, the provider says x` },
    });
  });

  test('further back than here, is not believed, and asks for a human', () => {
    expect(
      foundEffect(readOrder({ status: 'shipped' }), stateOf({ status: 'in_progress' }), CONTEXT),
    ).toMatchObject({
      to: null,
      reopened: false,
      attention: { code: 'status_conflict', detail: 'was shipped here, the provider says printed' },
    });
  });

  test('again, forgets the reads that had not found it', () => {
    expect(foundEffect(readOrder({ missingReads: 2 }), stateOf(), CONTEXT).missingReads).toBe(0);
  });
});

describe('a row of a list, which tells no tracking', () => {
  test.each<[OrderStatus, string]>([
    ['shipped', 'its parcel'],
    ['delivered', 'its parcel'],
    ['failed', 'the reason'],
  ])('that tells of %s calls for a single read, which then moves the order together with %s', (status) => {
    const state = stateOf({ status, rawStatus: status, partial: true });
    expect(foundEffect(readOrder(), state, CONTEXT)).toMatchObject({
      to: null,
      reopened: false,
      rawStatus: null,
      failure: null,
      followStep: 'get',
    });
  });

  test.each<[OrderStatus, OrderStatus]>([
    ['submitted', 'in_progress'],
    ['in_progress', 'canceled'],
    ['shipped', 'returned'],
  ])(
    'that tells of a move from %s to %s is enough: there is nothing that a single read would add',
    (status, told) => {
      const state = stateOf({ status: told, rawStatus: told, partial: true });
      expect(foundEffect(readOrder({ status }), state, CONTEXT)).toMatchObject({
        to: told,
        rawStatus: told,
        followStep: null,
      });
    },
  );

  test('that tells of the delivery of a parcel that is known is enough', () => {
    const state = stateOf({ status: 'delivered', rawStatus: 'delivered', partial: true });
    expect(foundEffect(readOrder({ status: 'shipped', isTracked: true }), state, CONTEXT)).toMatchObject({
      to: 'delivered',
      followStep: null,
    });
  });

  test('of an order that has left without a parcel calls for a single read once its provider has another word for it', () => {
    const shipped = readOrder({ status: 'shipped', rawStatus: 'shipped' });
    const row = (rawStatus: string) => stateOf({ status: 'shipped', rawStatus, partial: true });
    expect(foundEffect(shipped, row('shipped'), CONTEXT).followStep).toBeNull();
    expect(foundEffect(shipped, row('in_transit'), CONTEXT)).toMatchObject({
      rawStatus: null,
      followStep: 'get',
    });
    expect(foundEffect({ ...shipped, isTracked: true }, row('in_transit'), CONTEXT)).toMatchObject({
      rawStatus: 'in_transit',
      followStep: null,
    });
  });

  test('that tells of no change needs no single read', () => {
    const state = stateOf({ status: 'submitted', rawStatus: 'created', partial: true });
    expect(foundEffect(readOrder(), state, CONTEXT)).toMatchObject({
      to: null,
      rawStatus: 'created',
      followStep: null,
    });
  });

  test('that goes back needs no single read either, only a human', () => {
    const state = stateOf({ status: 'draft', rawStatus: 'draft', partial: true });
    expect(foundEffect(readOrder(), state, CONTEXT)).toMatchObject({
      followStep: null,
      attention: { code: 'status_conflict' },
    });
  });

  test('keeps the pace of the status that the order still has, should the single read fail', () => {
    const state = stateOf({ status: 'shipped', rawStatus: 'shipped', partial: true });
    expect(foundEffect(readOrder(), state, CONTEXT).readMs).toBe(2 * MINUTE_MS);
  });

  test('that is missing says nothing: a single read follows, and no miss is counted', () => {
    expect(unlistedEffect(readOrder({ missingReads: 2 }), CONTEXT)).toMatchObject({
      to: null,
      attention: null,
      missingReads: 2,
      followStep: 'get',
    });
  });
});

describe('a read that does not find the order', () => {
  test.each([
    [0, 1, null],
    [1, 2, null],
    [2, 3, 'missing_at_provider'],
    [9, 10, 'missing_at_provider'],
  ])('after %d misses makes %d, and asks for a human from the third on', (before, missingReads, code) => {
    const effect = missingEffect(readOrder({ missingReads: before }), CONTEXT);
    expect(effect.missingReads).toBe(missingReads);
    expect(effect.attention).toEqual(
      code === null ? null : { code, detail: `the provider no longer finds order ${PROVIDER_ORDER_ID}` },
    );
  });

  test('is never a verdict: the order keeps its status, and is read again', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ORDER_STATUSES),
        fc.nat({ max: 1_000 }),
        chance,
        (status, missingReads, random) => {
          const effect = missingEffect(readOrder({ status, missingReads }), {
            ...CONTEXT,
            random: () => random,
          });
          expect(effect).toMatchObject({
            from: status,
            to: null,
            failure: null,
            reopened: false,
            rawStatus: null,
          });
          expect(effect.readMs).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe('the pace of reads', () => {
  test.each<[OrderStatus, number, number]>([
    ['submitted', 2, 60],
    ['in_progress', 10, 6 * 60],
    ['draft', 60, 24 * 60],
    ['shipped', 60, 12 * 60],
  ])(
    '%s is read after about %d minutes while it is young, and after %d at the latest',
    (status, fresh, late) => {
      expect(readAgainMs(status, 0, 0.5)).toBe(fresh * MINUTE_MS);
      expect(readAgainMs(status, 365 * DAY_MS, 0.5)).toBe(late * MINUTE_MS);
    },
  );

  test('grows with the age: a change is seen after a twentieth of it', () => {
    expect(readAgainMs('in_progress', 2 * DAY_MS, 0.5)).toBe(DAY_MS / 10);
    expect(readAgainMs('submitted', 10 * 60 * MINUTE_MS, 0.5)).toBe(30 * MINUTE_MS);
  });

  test('is that of a young order again for one that has just moved', () => {
    const old = readOrder({ ageMs: 10 * DAY_MS });
    const moved = foundEffect(old, stateOf({ status: 'in_progress', rawStatus: 'printed' }), CONTEXT);
    const still = foundEffect(old, stateOf({ status: 'submitted', rawStatus: 'created' }), CONTEXT);
    expect([moved.readMs, still.readMs]).toEqual([10 * MINUTE_MS, 60 * MINUTE_MS]);
  });

  test('is spread over a quarter more or less', () => {
    expect(readAgainMs('shipped', 0, 0)).toBe(45 * MINUTE_MS);
    expect(readAgainMs('shipped', 0, 1)).toBe(75 * MINUTE_MS);
  });

  test('of the orders of one page is drawn for each of them', () => {
    let drawn = 0;
    const random = () => (drawn++ % 10) / 10;
    const effects = Array.from({ length: 10 }, () =>
      foundEffect(readOrder(), stateOf(), { ...CONTEXT, random }),
    );
    expect(new Set(effects.map(({ readMs }) => readMs)).size).toBe(10);
  });
});

describe('whatever a read tells', () => {
  const statuses = fc.constantFrom(...ORDER_STATUSES);
  const reads = fc.record({
    from: statuses,
    told: fc.option(toldStatuses),
    partial: fc.boolean(),
    random: chance,
    missingReads: fc.nat({ max: 5 }),
  });

  test('an order moves along its table, or is reopened; and both are marked as what they are', () => {
    fc.assert(
      fc.property(reads, ({ from, told, partial, random, missingReads }) => {
        const order = readOrder({ status: from, missingReads });
        const effect = foundEffect(order, stateOf({ status: told, partial }), {
          ...CONTEXT,
          random: () => random,
        });
        expect(effect.from).toBe(from);
        if (effect.to === null) expect(effect.reopened).toBe(false);
        else expect(effect.reopened).toBe(!MOVES[from].includes(effect.to));
        if (effect.reopened) expect(['failed', 'canceled']).toContain(from);
        expect(effect.failure !== null).toBe(effect.to === 'failed');
      }),
      { numRuns: 1_000 },
    );
  });

  test('a single read never calls for another one', () => {
    fc.assert(
      fc.property(reads, ({ from, told }) => {
        expect(
          foundEffect(readOrder({ status: from }), stateOf({ status: told }), CONTEXT).followStep,
        ).toBeNull();
      }),
    );
  });
});

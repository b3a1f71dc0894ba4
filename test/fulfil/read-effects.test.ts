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
import type { ReadOrder } from '../../src/orders/store/reads.js';
import { chance, NOW, toldStatuses } from '../policy/arbitraries.js';
import { account, PROVIDER_ORDER_ID, stateOf } from './attempts.js';

const CONTEXT: ReadContext = { startedAt: NOW, random: 0.5, getStep: account.reads.get.name };
const MINUTE_MS = 60_000;

function readOrder(changes: Partial<ReadOrder> = {}): ReadOrder {
  return {
    id: '018f2f6e-0000-7000-8000-000000000001',
    reference: 'shop:1001',
    generation: 1,
    status: 'submitted',
    providerOrderId: PROVIDER_ORDER_ID,
    missingReads: 0,
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
  test('that tells of a change calls for a single read, which then moves the order with all that it knows', () => {
    const state = stateOf({ status: 'failed', rawStatus: 'failed', partial: true });
    expect(foundEffect(readOrder(), state, CONTEXT)).toMatchObject({
      to: null,
      reopened: false,
      rawStatus: null,
      failure: null,
      followStep: 'get',
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
    const state = stateOf({ status: 'canceled', rawStatus: 'canceled', partial: true });
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
          const effect = missingEffect(readOrder({ status, missingReads }), { ...CONTEXT, random });
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
  test.each<[OrderStatus, number]>([
    ['submitted', 2],
    ['in_progress', 10],
    ['draft', 60],
    ['shipped', 60],
    ['delivered', 24 * 60],
  ])('%s is read again after about %d minutes, a tenth more or less', (status, minutes) => {
    expect(readAgainMs(status, 0)).toBeCloseTo(0.9 * minutes * MINUTE_MS);
    expect(readAgainMs(status, 0.5)).toBeCloseTo(minutes * MINUTE_MS);
    expect(readAgainMs(status, 1)).toBeCloseTo(1.1 * minutes * MINUTE_MS);
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
        const effect = foundEffect(order, stateOf({ status: told, partial }), { ...CONTEXT, random });
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

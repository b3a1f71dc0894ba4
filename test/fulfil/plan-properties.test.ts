/** What holds of every settlement, whatever was learned and decided. */
import fc from 'fast-check';
import { judgeLook } from '../../src/confirm/judge.js';
import { planDecision, planLook } from '../../src/fulfil/plan.js';
import { OPERATION_KINDS, ORDER_STATUSES } from '../../src/orders/order.js';
import { isOrderStatus, MOVES, TERMINAL_STATES } from '../../src/orders/states.js';
import type { Settlement } from '../../src/orders/store/settle.js';
import { decide } from '../../src/policy/decide.js';
import { chance, NOW, outcomes } from '../policy/arbitraries.js';
import {
  account,
  attempted,
  claimed,
  claimedCheck,
  claimedLook,
  claimedOrder,
  PROVIDER_ORDER_ID,
} from './attempts.js';

describe('whatever is decided', () => {
  const kinds = fc.constantFrom(...OPERATION_KINDS.filter((kind) => kind !== 'poll'));
  const statuses = fc.constantFrom(...ORDER_STATUSES);

  const settlements = fc
    .tuple(kinds, outcomes, statuses, fc.boolean(), fc.nat({ max: 6 }), chance)
    .map(([kind, outcome, status, check, attempts, draw]): Settlement => {
      const order = claimedOrder({ status, providerOrderId: kind === 'submit' ? null : PROVIDER_ORDER_ID });
      const claim =
        check && kind !== 'submit'
          ? claimedCheck(kind, { attempts, order })
          : claimed(kind, { attempts, order });
      const facts = {
        ...claim,
        hasNextStep: false,
        repeatable: claim.stepRepeatable,
        checked: claim.purpose === 'check' ? { code: 'http_409', message: 'No' } : null,
      };
      return planDecision(
        attempted(claim, outcome),
        decide(outcome, facts, account.policy, null, NOW, () => draw),
      );
    });

  test('an operation rings again exactly where it has not ended', () => {
    fc.assert(
      fc.property(settlements, ({ transition }) => {
        const ended = TERMINAL_STATES.includes(transition.state);
        expect(transition.ringMs === null).toBe(ended);
        if (transition.ringMs !== null) expect(transition.ringMs).toBeGreaterThanOrEqual(transition.delayMs);
      }),
      { numRuns: 1_000 },
    );
  });

  test('a dead letter stands for each dead operation, and for nothing else', () => {
    fc.assert(
      fc.property(settlements, ({ transition, deadLetter }) => {
        expect(deadLetter !== null).toBe(transition.state === 'dead');
      }),
      { numRuns: 1_000 },
    );
  });

  test('an order moves only along its table, unless a read has found that it lives on', () => {
    fc.assert(
      fc.property(settlements, ({ order, evidence }) => {
        for (const from of order?.to == null ? [] : (order?.from ?? [])) {
          const reopened = evidence.outcome === 'observed' && (from === 'failed' || from === 'canceled');
          if (!reopened) expect(MOVES[from]).toContain(order?.to);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('a failed order says why, and no other order gets a failure', () => {
    fc.assert(
      fc.property(settlements, ({ order }) => {
        expect(order?.failure != null).toBe(order?.to === 'failed');
      }),
      { numRuns: 1_000 },
    );
  });

  test('something is told of it', () => {
    fc.assert(
      fc.property(settlements, ({ event }) => {
        expect(event?.type).toMatch(/^(order|operation)\.[a-z_]+$/);
      }),
    );
  });

  test('of a look: it spends nothing, and its order moves only when it was found', () => {
    const looks = fc.tuple(outcomes, statuses, fc.nat({ max: 9 }), fc.boolean());
    fc.assert(
      fc.property(looks, ([outcome, status, absentLooks, counts]) => {
        const claim = claimedLook({ absentLooks, counts, order: claimedOrder({ status }) });
        const result = judgeLook(outcome, claim, { graceMs: 0, looks: 4, spacingMs: 1_000 }, NOW);
        const settlement = planLook(attempted(claim, outcome), result);
        expect(settlement.transition.spend).toBe(0);
        expect(settlement.found !== null).toBe(result.kind === 'found');
        const { to = null } = settlement.order ?? {};
        if (to !== null) {
          expect(result.kind).toBe('found');
          expect(isOrderStatus(to)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

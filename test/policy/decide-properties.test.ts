/** What holds of every decision, whatever the outcome and wherever the operation stands. */
import fc from 'fast-check';
import { decide, type OperationFacts } from '../../src/policy/decide.js';
import { policy } from '../../src/providers/gelato-connect/policy.js';
import { chance, facts, NOW, outcomes, rules } from './arbitraries.js';

// Enough for the rare pairs: an outcome that names a time in the past, a rule with a budget of its own.
const RUNS = { numRuns: 2_000 };

const FRESH: OperationFacts = {
  kind: 'submit',
  purpose: 'call',
  attempts: 0,
  calls: 0,
  strikes: 0,
  deadline: null,
  hasNextStep: false,
  repeatable: false,
  checked: null,
};

describe('whatever an attempt learned', () => {
  const decisions = fc.tuple(outcomes, facts, rules, chance);

  test('an unknown of a step that is not repeatable is confirmed, and nothing else', () => {
    fc.assert(
      fc.property(facts, rules, chance, (operation, rule, draw) => {
        const decision = decide(
          { kind: 'unknown', code: 'timeout', message: 'no answer' },
          { ...operation, repeatable: false },
          policy,
          rule,
          NOW,
          () => draw,
        );
        expect(decision).toMatchObject({ kind: 'confirm', mayRepeat: true });
      }),
      RUNS,
    );
  });

  test('a poll never dies: a read makes no dead letter', () => {
    fc.assert(
      fc.property(decisions, ([outcome, operation, rule, draw]) => {
        const { kind } = decide(
          outcome,
          { ...operation, kind: 'poll', repeatable: true },
          policy,
          rule,
          NOW,
          () => draw,
        );
        expect(['succeed', 'next', 'retry', 'giveBack', 'wait', 'reject']).toContain(kind);
      }),
      RUNS,
    );
  });

  test('a dead letter of a decision says that nothing was done: what may have been done is confirmed first', () => {
    fc.assert(
      fc.property(decisions, ([outcome, operation, rule, draw]) => {
        const decision = decide(outcome, operation, policy, rule, NOW, () => draw);
        if (decision.kind === 'die') expect(decision.ambiguous).toBe(false);
      }),
      RUNS,
    );
  });

  test('a wait ends at its deadline, unless only a human can end it', () => {
    fc.assert(
      fc.property(decisions, fc.nat({ max: 1_000_000 }), ([outcome, operation, rule, draw], late) => {
        const expired = { ...operation, deadline: NOW - late };
        const decision = decide(outcome, expired, policy, rule, NOW, () => draw);
        if (decision.kind === 'wait') expect(decision).toMatchObject({ reason: 'auth', deadlineMs: null });
      }),
      RUNS,
    );
  });

  test('every wait but that for credentials has a deadline of at least a day, and spends nothing', () => {
    fc.assert(
      fc.property(decisions, ([outcome, operation, rule, draw]) => {
        const decision = decide(outcome, operation, policy, rule, NOW, () => draw);
        if (decision.kind !== 'wait') return;
        expect(decision.spend).toBe(0);
        if (decision.reason !== 'auth') expect(decision.deadlineMs).toBeGreaterThanOrEqual(24 * 3_600_000);
      }),
      RUNS,
    );
  });

  test('a wait that the provider can end never spins, even where the answer says "now"', () => {
    fc.assert(
      fc.property(decisions, ([outcome, operation, rule, draw]) => {
        const decision = decide(outcome, operation, policy, rule, NOW, () => draw);
        if (decision.kind === 'wait' && decision.reason !== 'auth') {
          expect(decision.delayMs).toBeGreaterThanOrEqual(policy.throttle.floorMs);
        }
      }),
      RUNS,
    );
  });

  test('nothing that was not sent spends an attempt, or becomes anything but a give-back', () => {
    fc.assert(
      fc.property(facts, rules, chance, fc.string(), (operation, rule, draw, code) => {
        for (const outcome of [{ kind: 'notSent', code, message: 'x' }, { kind: 'interrupted' }] as const) {
          const decision = decide(outcome, operation, policy, rule, NOW, () => draw);
          expect(decision).toMatchObject({ kind: 'giveBack', spend: 0 });
        }
      }),
      RUNS,
    );
  });

  test('a host that cannot be reached is not hammered: the pace slows with every call, up to the cap', () => {
    const waits = [0, 1, 8, 9, 10_000].map((calls) => {
      const outcome = { kind: 'notSent', code: 'ECONNREFUSED', message: 'x' } as const;
      return decide(outcome, { ...FRESH, calls }, policy, null, NOW, () => 1);
    });
    expect(waits.map((decision) => 'delayMs' in decision && decision.delayMs)).toEqual([
      1_000, 2_000, 256_000, 300_000, 300_000,
    ]);
  });

  test('a delay is a whole number of milliseconds that a database can add to its clock', () => {
    fc.assert(
      fc.property(decisions, ([outcome, operation, rule, draw]) => {
        const decision = decide(outcome, operation, policy, rule, NOW, () => draw);
        for (const delayMs of [decision.gate?.forMs ?? 0, 'delayMs' in decision ? decision.delayMs : 0]) {
          expect(Number.isSafeInteger(delayMs)).toBe(true);
          expect(delayMs).toBeGreaterThanOrEqual(0);
        }
      }),
      RUNS,
    );
  });

  test('a retry is spent, and there is none beyond the budget', () => {
    fc.assert(
      fc.property(decisions, ([outcome, operation, rule, draw]) => {
        const decision = decide(outcome, operation, policy, rule, NOW, () => draw);
        if (decision.kind !== 'retry') return;
        expect(decision.spend).toBe(1);
        expect(operation.attempts + 1).toBeLessThan(rule?.attempts ?? policy.attempts);
        expect(decision.delayMs).toBeGreaterThanOrEqual(rule?.backoff?.floorMs ?? policy.backoff.floorMs);
      }),
      RUNS,
    );
  });

  test('a verb of several steps goes on after each, and only its last step spends the attempt', () => {
    const operation = { ...FRESH, hasNextStep: true };
    expect(decide({ kind: 'done' }, operation, policy, null, NOW, () => 0)).toEqual({
      kind: 'next',
      spend: 0,
    });
    expect(decide({ kind: 'done' }, FRESH, policy, null, NOW, () => 0)).toEqual({
      kind: 'succeed',
      spend: 1,
    });
  });

  test('a 409 before the step that makes the order is put before a human, since no lookup could tell of it', () => {
    const taken = { kind: 'settled', code: 'conflict', message: 'no' } as const;
    const before = { ...FRESH, hasNextStep: true };
    expect(decide(taken, before, policy, null, NOW, () => 0)).toMatchObject({
      kind: 'die',
      ambiguous: false,
    });
    expect(decide(taken, FRESH, policy, null, NOW, () => 0)).toMatchObject({
      kind: 'confirm',
      mayRepeat: false,
    });
  });

  test('what the provider says of single fields stays with the rejection', () => {
    const fields = { email: ['is not valid'] };
    expect(
      decide({ kind: 'rejected', code: 'invalid', message: 'no', fields }, FRESH, policy, null, NOW, () => 0),
    ).toEqual({ kind: 'reject', code: 'invalid', message: 'no', fields, spend: 1 });
  });
});

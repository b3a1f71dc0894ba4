import fc from 'fast-check';
import { OPERATION_KINDS } from '../../src/orders/order.js';
import { jobOptions, PRIORITY, type Ring } from '../../src/policy/job-options.js';
import { DEFAULT_POLICY } from '../../src/policy/policy.js';

const policy = { ...DEFAULT_POLICY, rules: [] };

const rings: fc.Arbitrary<Ring> = fc.record({
  operationId: fc.bigInt({ min: 1n, max: 10n ** 18n }).map(String),
  kind: fc.constantFrom(...OPERATION_KINDS),
  priority: fc.integer({ min: 1, max: 6 }),
  ringNo: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  attempts: fc.nat({ max: 1_000 }),
});
const backends = fc.constantFrom('redis' as const, 'postgres' as const);

describe('job options', () => {
  test('order the work: cancel, confirm, activate, update, submit, poll', () => {
    const names = Object.entries(PRIORITY).sort(([, a], [, b]) => a - b);
    expect(names.map(([name]) => name)).toEqual([
      'cancel',
      'confirm',
      'activate',
      'update',
      'submit',
      'poll',
    ]);
  });

  test('never use a job id twice: neither for two rings nor for two operations', () => {
    fc.assert(
      fc.property(rings, rings, backends, (one, other, backend) => {
        const same =
          one.operationId === other.operationId && one.ringNo === other.ringNo && one.kind === other.kind;
        const ids = [one, other].map((ring) => jobOptions(ring, policy, backend).jobId);
        expect(ids[0] === ids[1]).toBe(same);
      }),
    );
  });

  test('give ids that BullMQ takes: no colon, not digits alone', () => {
    fc.assert(
      fc.property(rings, backends, (ring, backend) => {
        expect(jobOptions(ring, policy, backend).jobId).toMatch(/^[a-z]+-\d+-\d+$/);
      }),
    );
  });

  test('let the queue retry as often as the budget has attempts left, and never less than once', () => {
    fc.assert(
      fc.property(rings, fc.integer({ min: 1, max: 100 }), backends, (ring, attempts, backend) => {
        const options = jobOptions(ring, { ...policy, attempts }, backend);
        expect(options.attempts).toBe(Math.max(1, attempts - ring.attempts));
      }),
    );
  });

  test('leave the waits to the stored decision, since BullMQ knows neither cap nor floor', () => {
    fc.assert(
      fc.property(rings, backends, (ring, backend) => {
        const options = jobOptions(ring, policy, backend);
        expect(options.backoff).toEqual({ type: 'policy' });
        expect(options.delay).toBeUndefined();
      }),
    );
  });
});

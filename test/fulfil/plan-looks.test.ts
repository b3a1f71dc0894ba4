import { planLook, planRead } from '../../src/fulfil/plan.js';
import type { Outcome } from '../../src/policy/outcome.js';
import { attempted, claimed, claimedLook, observed, PROVIDER_ORDER_ID, stateOf } from './attempts.js';

const FAILED: Outcome = { kind: 'failed', code: 'http_500', message: 'trouble' };

/** What a settlement leaves alone unless it says otherwise. */
const QUIET = { order: null, deadLetter: null, found: null, followUp: null };

describe('a read', () => {
  test('that was applied ends its operation', () => {
    expect(planRead(attempted(claimed('poll'), observed()), null)).toMatchObject({
      ...QUIET,
      transition: { state: 'succeeded', ringMs: null, spend: 1 },
      event: null,
    });
  });

  test('of a page goes on with the next page at once, unspent', () => {
    expect(
      planRead(attempted(claimed('poll', { order: null, step: 'search' }), { kind: 'done', states: [] }), {
        walk: {},
      }),
    ).toMatchObject({
      ...QUIET,
      transition: { state: 'pending', delayMs: 0, ringMs: 5_000, spend: 0, carry: { walk: {} } },
      event: null,
    });
  });
});

describe('a look', () => {
  const missing: Outcome = { kind: 'missing', code: 'http_404', message: 'not there' };

  test('that found the order adopts it, and says which provider order the open attempt had made', () => {
    const start = attempted(claimedLook(), observed());
    expect(planLook(start, { kind: 'found', state: stateOf() })).toMatchObject({
      transition: { state: 'succeeded', ringMs: null, spend: 0 },
      order: {
        from: ['received'],
        to: 'in_progress',
        providerOrderId: PROVIDER_ORDER_ID,
        attention: 'clear',
        readMs: 30_000,
      },
      found: PROVIDER_ORDER_ID,
      event: { type: 'order.submitted', data: { providerOrderId: PROVIDER_ORDER_ID } },
      deadLetter: null,
    });
  });

  test('that found it under a word nobody knows takes it for submitted', () => {
    const attention = { code: 'unknown_status', detail: 'odd' };
    const state = stateOf({ status: null, rawStatus: 'odd', attention });
    expect(
      planLook(attempted(claimedLook(), { kind: 'observed', state }), { kind: 'found', state }).order,
    ).toMatchObject({
      to: 'submitted',
      rawStatus: 'odd',
      attention,
    });
  });

  test('that found it failed fails the order with the provider’s reason', () => {
    const failure = { code: 'bad_file', message: 'the file is broken' };
    const state = stateOf({ status: 'failed', rawStatus: 'failed', failure });
    expect(
      planLook(attempted(claimedLook(), { kind: 'observed', state }), { kind: 'found', state }).order,
    ).toMatchObject({ to: 'failed', failure });
  });

  test('that found another order under the reference asks a human, and names the candidate', () => {
    const state = stateOf({ sameContent: false });
    expect(
      planLook(attempted(claimedLook(), { kind: 'observed', state }), { kind: 'taken', state }),
    ).toMatchObject({
      transition: { state: 'dead', spend: 0 },
      order: { to: null, providerOrderId: null, attention: { code: 'reference_taken' } },
      found: null,
      deadLetter: {
        code: 'reference_taken',
        ambiguous: true,
        candidates: [
          {
            providerOrderId: PROVIDER_ORDER_ID,
            reference: 'shop:1001',
            rawStatus: 'printed',
            sameContent: false,
          },
        ],
      },
    });
  });

  test.each(['unconfirmed', 'worker_frozen'] as const)(
    'that came to its end as %s asks a human, since it may have been done',
    (code) => {
      expect(
        planLook(attempted(claimedLook(), FAILED), { kind: 'expired', code, message: 'why' }),
      ).toMatchObject({
        transition: { state: 'dead', spend: 0 },
        order: { to: null, attention: { code, detail: 'why' } },
        deadLetter: { code, message: 'why', ambiguous: true, candidates: [] },
      });
    },
  );

  test.each([
    [true, 'absent'],
    [false, 'inconclusive'],
  ] as const)('that goes on says whether it counted: %s', (counted, look) => {
    expect(
      planLook(attempted(claimedLook(), missing), { kind: 'again', counted, delayMs: 30_000 }),
    ).toMatchObject({
      ...QUIET,
      transition: { state: 'unconfirmed', delayMs: 30_000, ringMs: 30_000, spend: 0, look },
      event: { type: 'operation.looked', data: { found: false, code: 'http_404', counted } },
    });
  });

  test('that proved absence stays unconfirmed until the attempt is closed', () => {
    expect(planLook(attempted(claimedLook(), missing), { kind: 'absent' })).toMatchObject({
      ...QUIET,
      transition: { state: 'unconfirmed', delayMs: 0, ringMs: 0, spend: 0, look: 'absent' },
    });
  });
});

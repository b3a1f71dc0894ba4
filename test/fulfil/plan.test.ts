import { UNCHANGED } from '../../src/fulfil/order-change.js';
import { planDecision } from '../../src/fulfil/plan.js';
import type { Decision } from '../../src/policy/decide.js';
import type { Outcome } from '../../src/policy/outcome.js';
import { goodBody } from '../providers/gelato-connect/fixtures.js';
import {
  account,
  attempted,
  claimed,
  claimedCheck,
  evidenceOf,
  observed,
  PROVIDER_ORDER_ID,
} from './attempts.js';

const SPENT = { spend: 1 } as const;
const UNKNOWN: Outcome = { kind: 'unknown', code: 'timeout', message: 'no answer' };
const FAILED: Outcome = { kind: 'failed', code: 'http_500', message: 'trouble' };
const REFUSED: Outcome = { kind: 'rejected', code: 'http_400', message: 'No' };
const MINUTE_MS = 60_000;

/** What a settlement leaves alone unless it says otherwise. */
const QUIET = { order: null, deadLetter: null, found: null, followUp: null };

describe('every settlement', () => {
  test('names the operation, the attempt and the fence of its claim, and carries the evidence as it is', () => {
    const outcome: Outcome = { kind: 'accepted', providerOrderId: 'p-1' };
    expect(planDecision(attempted(claimed('submit'), outcome), { kind: 'succeed', ...SPENT })).toMatchObject({
      operationId: '42',
      attemptId: '77',
      fence: 3,
      evidence: evidenceOf(outcome),
    });
  });
});

describe('a submit', () => {
  test('that was accepted gives the order its provider id and its first read', () => {
    const outcome: Outcome = {
      kind: 'accepted',
      providerOrderId: 'p-1',
      status: 'draft',
      rawStatus: 'new',
      data: { a: 1 },
    };
    expect(planDecision(attempted(claimed('submit'), outcome), { kind: 'succeed', ...SPENT })).toMatchObject({
      transition: {
        state: 'succeeded',
        ringMs: null,
        spend: 1,
        lastOutcome: { kind: 'accepted', code: 'ok', message: null },
      },
      order: {
        from: ['received'],
        to: 'draft',
        rawStatus: 'new',
        providerOrderId: 'p-1',
        providerData: { a: 1 },
        attention: 'clear',
        failure: null,
        readMs: 30_000,
      },
      event: { type: 'order.submitted', data: { providerOrderId: 'p-1', status: 'draft' } },
      deadLetter: null,
      followUp: null,
    });
  });

  test('that was accepted without a status counts as submitted', () => {
    const outcome: Outcome = { kind: 'accepted', providerOrderId: 'p-1' };
    const { order } = planDecision(attempted(claimed('submit'), outcome), { kind: 'succeed', ...SPENT });
    expect(order?.to).toBe('submitted');
  });

  test('whose content is at fault fails the order with the reason, and makes no dead letter', () => {
    const decision: Decision = {
      kind: 'reject',
      code: 'http_400',
      message: 'No',
      fields: { email: ['bad'] },
      ...SPENT,
    };
    expect(planDecision(attempted(claimed('submit'), REFUSED), decision)).toMatchObject({
      transition: { state: 'rejected', ringMs: null, spend: 1 },
      order: {
        from: ['received'],
        to: 'failed',
        failure: { code: 'http_400', message: 'No', fields: { email: ['bad'] } },
        attention: 'clear',
      },
      event: { type: 'order.rejected', data: { code: 'http_400' } },
      deadLetter: null,
    });
  });

  test.each([true, false])(
    'that may have been done is looked for within a second, for a day at most; may repeat: %s',
    (mayRepeat) => {
      const settlement = planDecision(attempted(claimed('submit'), UNKNOWN), {
        kind: 'confirm',
        mayRepeat,
        ...SPENT,
      });
      expect(settlement).toMatchObject({
        ...QUIET,
        transition: {
          state: 'unconfirmed',
          delayMs: 1_000,
          ringMs: 1_000,
          spend: 1,
          priority: 2,
          confirm: { fromMs: 0, mayRepeat },
          deadlineMs: 24 * 60 * MINUTE_MS,
        },
        event: { type: 'operation.unconfirmed', data: { code: 'timeout' } },
      });
    },
  );

  test('that dies leaves the order where it was, under a human’s eyes', () => {
    const decision: Decision = {
      kind: 'die',
      code: 'misconfigured',
      message: 'Not found',
      ambiguous: false,
      ...SPENT,
    };
    expect(planDecision(attempted(claimed('submit'), FAILED), decision)).toMatchObject({
      transition: { state: 'dead', ringMs: null, spend: 1 },
      order: { ...UNCHANGED, attention: { code: 'misconfigured', detail: 'Not found' } },
      deadLetter: { code: 'misconfigured', message: 'Not found', ambiguous: false, candidates: [] },
      event: { type: 'operation.dead', data: { kind: 'submit', code: 'misconfigured', ambiguous: false } },
    });
  });
});

describe('a call that goes on later', () => {
  test('retries by BullMQ’s alarm clock, with the dispatcher’s bell five seconds behind it', () => {
    expect(
      planDecision(attempted(claimed('cancel', { attempts: 2 }), FAILED), {
        kind: 'retry',
        delayMs: 1_234,
        ...SPENT,
      }),
    ).toMatchObject({
      ...QUIET,
      transition: {
        state: 'retrying',
        delayMs: 1_234,
        ringMs: 6_234,
        spend: 1,
        lastOutcome: { code: 'http_500', message: 'trouble' },
      },
      event: { type: 'operation.retrying', data: { code: 'http_500', attempt: 3, inMs: 1_234 } },
    });
  });

  test('is given back unspent when nothing was sent', () => {
    const outcome: Outcome = { kind: 'notSent', code: 'ECONNREFUSED', message: 'refused' };
    expect(
      planDecision(attempted(claimed('submit'), outcome), { kind: 'giveBack', delayMs: 500, spend: 0 }),
    ).toMatchObject({
      ...QUIET,
      transition: { state: 'pending', delayMs: 500, ringMs: 500, spend: 0 },
      event: { type: 'operation.not_sent', data: { code: 'ECONNREFUSED' } },
    });
  });

  test('waits unspent, with its reason and its deadline', () => {
    const outcome: Outcome = { kind: 'throttled', code: 'http_429', message: 'slow down' };
    const decision: Decision = {
      kind: 'wait',
      reason: 'rate_limited',
      delayMs: 7_000,
      deadlineMs: 86_400_000,
      spend: 0,
    };
    expect(planDecision(attempted(claimed('submit'), outcome), decision)).toMatchObject({
      ...QUIET,
      transition: {
        state: 'waiting',
        waitReason: 'rate_limited',
        delayMs: 7_000,
        ringMs: 7_000,
        deadlineMs: 86_400_000,
        spend: 0,
      },
      event: { type: 'operation.waiting', data: { reason: 'rate_limited', code: 'http_429', inMs: 7_000 } },
    });
  });

  test.each<[string, Decision]>([
    ['waits', { kind: 'wait', reason: 'rate_limited', delayMs: 7_000, deadlineMs: 1, spend: 0 }],
    ['is given back', { kind: 'giveBack', delayMs: 0, spend: 0 }],
  ])('is still a check when a check %s', (_what, decision) => {
    const { transition } = planDecision(attempted(claimedCheck('cancel'), FAILED), decision);
    expect(transition.purpose).toBe('check');
    expect(transition.step ?? 'get').toBe('get');
  });

  test('is still a check when a check failed: what was refused with 404 or 409 is not sent again', () => {
    const { transition } = planDecision(attempted(claimedCheck('cancel'), FAILED), {
      kind: 'retry',
      delayMs: 1,
      ...SPENT,
    });
    expect(transition.purpose).toBe('check');
    expect(transition.step ?? 'get').toBe('get');
  });

  test('names its next step, with what this one left', () => {
    const [submit] = account.verbs.submit;
    const twoSteps = {
      ...account,
      verbs: {
        ...account.verbs,
        submit: [{ ...submit, name: 'customer', repeatable: true }, submit] as const,
      },
    };
    const start = attempted(claimed('submit'), { kind: 'done', data: { customerId: 7 } });
    const first = { ...start, account: twoSteps, step: twoSteps.verbs.submit[0] };
    expect(planDecision(first, { kind: 'next', spend: 0 })).toMatchObject({
      transition: {
        state: 'pending',
        delayMs: 0,
        ringMs: 0,
        spend: 0,
        step: 'submit',
        stepRepeatable: false,
        carry: { customerId: 7 },
      },
      event: { type: 'operation.step_done', data: { step: 'customer', next: 'submit' } },
    });
    expect(() => planDecision({ ...first, step: submit }, { kind: 'next', spend: 0 })).toThrow(
      'submit has no step after submit',
    );
  });
});

describe('a refusal that says "already so"', () => {
  const outcome: Outcome = { kind: 'settled', code: 'http_409', message: 'No' };

  test.each(['activate', 'cancel', 'update'] as const)(
    'of %s is checked at once by a single read',
    (kind) => {
      expect(planDecision(attempted(claimed(kind), outcome), { kind: 'check', ...SPENT })).toMatchObject({
        ...QUIET,
        transition: {
          state: 'pending',
          delayMs: 0,
          ringMs: 0,
          spend: 1,
          step: 'get',
          stepRepeatable: true,
          purpose: 'check',
          carry: { checkedStep: kind, checkedCode: 'http_409', checkedMessage: 'No' },
        },
        event: { type: 'operation.check', data: { code: 'http_409' } },
      });
    },
  );

  test('makes the order what the check finds', () => {
    const start = attempted(claimedCheck('cancel'), observed({ status: 'canceled', rawStatus: 'canceled' }));
    expect(planDecision(start, { kind: 'succeed', ...SPENT })).toMatchObject({
      transition: { state: 'succeeded', spend: 1 },
      order: {
        from: ['submitted'],
        to: 'canceled',
        rawStatus: 'canceled',
        providerOrderId: PROVIDER_ORDER_ID,
        attention: 'clear',
      },
      event: { type: 'order.cancel_settled', data: { status: 'canceled', rawStatus: 'canceled' } },
    });
  });

  test('came too late: the operation is rejected, and the order learns where it stands', () => {
    const tracking = [{ carrier: 'DHL', code: 'T1', url: null, status: null }];
    const start = attempted(
      claimedCheck('cancel'),
      observed({ status: 'shipped', rawStatus: 'shipped', tracking }),
    );
    expect(
      planDecision(start, { kind: 'reject', code: 'too_late', message: 'shipped', ...SPENT }),
    ).toMatchObject({
      transition: {
        state: 'rejected',
        spend: 1,
        lastOutcome: { kind: 'rejected', code: 'too_late', message: 'shipped' },
      },
      order: { from: ['submitted'], to: 'shipped', rawStatus: 'shipped', tracking },
      event: { type: 'operation.rejected', data: { kind: 'cancel', code: 'too_late' } },
      deadLetter: null,
    });
  });

  test('keeps the provider’s reason where the order has failed there', () => {
    const failure = { code: 'missing_retail_prices', message: 'prices are missing' };
    const start = attempted(
      claimedCheck('cancel'),
      observed({ status: 'failed', rawStatus: 'failed', failure }),
    );
    const { order } = planDecision(start, { kind: 'reject', code: 'too_late', message: 'failed', ...SPENT });
    expect(order).toMatchObject({ to: 'failed', failure });
  });

  test('finds nothing: a dead letter, and the order is put before a human', () => {
    const missing: Outcome = { kind: 'missing', code: 'http_404', message: 'not there' };
    const decision: Decision = {
      kind: 'die',
      code: 'missing_at_provider',
      message: 'not there',
      ambiguous: false,
      ...SPENT,
    };
    expect(planDecision(attempted(claimedCheck('cancel'), missing), decision)).toMatchObject({
      transition: { state: 'dead' },
      order: { to: null, attention: { code: 'missing_at_provider', detail: 'not there' } },
      deadLetter: { code: 'missing_at_provider', ambiguous: false },
    });
  });
});

describe('the other verbs', () => {
  test.each([
    [
      'activate',
      { from: ['draft'], to: 'submitted', readMs: 30_000 },
      { type: 'order.activated', data: {} },
      null,
    ],
    [
      'cancel',
      { from: ['received', 'draft', 'submitted', 'in_progress'], to: 'canceled', attention: 'clear' },
      { type: 'order.canceled', data: { where: 'provider' } },
      null,
    ],
    ['update', { bodyPatch: {} }, { type: 'order.updated', data: {} }, { step: 'get', delayMs: 0 }],
  ] as const)('%s succeeds', (kind, order, event, followUp) => {
    const settlement = planDecision(attempted(claimed(kind), { kind: 'done' }), {
      kind: 'succeed',
      ...SPENT,
    });
    expect(settlement).toMatchObject({
      transition: { state: 'succeeded', ringMs: null, spend: 1 },
      order: { ...UNCHANGED, ...order },
      event,
      followUp,
      deadLetter: null,
    });
  });

  test('an update leaves in the body what the provider has taken over, the customer’s fields over the old ones', () => {
    const shippingAddress = { line1: 'Storgata 2', city: 'Oslo', postCode: '0155', country: 'NO' };
    const params = { shippingAddress, customer: { phone: '+47 33 33 33 33' } };
    const start = attempted(claimed('update', { params }), { kind: 'done' });
    expect(planDecision(start, { kind: 'succeed', ...SPENT }).order?.bodyPatch).toEqual({
      shippingAddress,
      customer: { ...goodBody().customer, phone: '+47 33 33 33 33' },
    });
  });

  test.each(['activate', 'cancel', 'update'] as const)('%s, when refused, leaves the order alone', (kind) => {
    const decision: Decision = { kind: 'reject', code: 'http_400', message: 'No', ...SPENT };
    expect(planDecision(attempted(claimed(kind), REFUSED), decision)).toMatchObject({
      ...QUIET,
      transition: { state: 'rejected' },
      event: { type: 'operation.rejected', data: { kind, code: 'http_400' } },
    });
  });
});

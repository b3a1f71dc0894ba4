/**
 * What to do next: a pure function of what an attempt learned and of the policy. Ordered guards, each with
 * its reason; exhaustive over outcomes.
 */
import type { OperationKind, OrderStatus, Purpose } from '../orders/order.js';
import type { Random } from '../time.js';
import { type BlockCode, type Outcome, unreachable } from './outcome.js';
import { type PolicyRule, type ProviderPolicy, WAIT_INTERVAL_MS } from './policy.js';
import { RETRY_AFTER_CAP_MS, waitFor } from './retry-after.js';
import { backoffDelay } from './schedule.js';

/** What of the operation the decision depends on. */
export interface OperationFacts {
  kind: OperationKind;
  purpose: Purpose;
  /** Budget spent before this attempt. */
  attempts: number;
  /** Attempt rows before this one: the exponent for calls that never left us. */
  calls: number;
  /** Answers of 429 in a row on this account, this one not counted. */
  strikes: number;
  /** When it has waited long enough, epoch ms; null while it does not wait. */
  deadline: number | null;
  /** Another step of the verb follows this one. */
  hasNextStep: boolean;
  /** The step may be sent again without harm. */
  repeatable: boolean;
  /** For a check: what the provider had said to the step that is checked. */
  checked: { code: string; message: string } | null;
}

/** Closes the account's gate (`verb` null), or only one verb of it. */
export interface GateClosure {
  forMs: number;
  why: string;
  verb: OperationKind | null;
  /** A 429 without a time: counts towards the next one's backoff. */
  strike: boolean;
}

export type AlertCode = 'internal_error' | 'account_paused' | 'long_wait' | 'gone' | 'funds';

interface Common {
  /** 1 where the attempt was spent. */
  spend: 0 | 1;
  gate?: GateClosure;
  pause?: { code: BlockCode; reason: string };
  /** The order counts towards the three in a row that pause an account as misconfigured. */
  misconfigured?: true | undefined;
  alert?: AlertCode;
  /** The access token was refused: refresh it if it is still the current one. */
  refresh?: true;
}

export type Decision = Common &
  (
    | { kind: 'succeed' }
    /** The next step of the verb. */
    | { kind: 'next' }
    /** Fetch the state and adopt it. */
    | { kind: 'check' }
    | { kind: 'retry'; delayMs: number }
    /** Nothing was sent: back to the dispatcher, nothing spent. */
    | { kind: 'giveBack'; delayMs: number }
    | {
        kind: 'wait';
        reason: 'rate_limited' | 'funds' | 'window' | 'stock' | 'otp' | 'auth';
        delayMs: number;
        /** From the first wait; null waits for ever and alerts. */
        deadlineMs: number | null;
      }
    /** May have been done: look. */
    | { kind: 'confirm'; mayRepeat: boolean }
    | { kind: 'reject'; code: string; message: string; fields?: Record<string, string[]> }
    | { kind: 'die'; code: string; message: string; ambiguous: boolean }
  );

/** An operation whose token was refused comes again after this, ms: longer than a refresh takes. */
const TOKEN_WAIT_MS = 2_000;

/** Statuses from which a cancel or an update has come too late (gelato-connect document, "Cancel Order"). */
const TOO_LATE: readonly OrderStatus[] = ['shipped', 'delivered', 'returned', 'failed'];

/**
 * @param outcome what the attempt learned
 * @param operation the operation, before this attempt is counted
 * @param policy the provider's policy
 * @param rule the rule that classified the answer, for its own budget and backoff
 * @param now epoch ms
 */
export function decide(
  outcome: Outcome,
  operation: OperationFacts,
  policy: ProviderPolicy,
  rule: PolicyRule | null,
  now: number,
  random: Random,
): Decision {
  const alert = rule?.alert === true ? { alert: 'internal_error' as const } : {};
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'succeed', spend: 1 };
    case 'done':
      return operation.hasNextStep ? { kind: 'next', spend: 0 } : { kind: 'succeed', spend: 1 };
    case 'observed':
      return decideObserved(outcome.state.status, operation);
    case 'rejected':
      return {
        kind: 'reject',
        code: outcome.code,
        message: outcome.message,
        spend: 1,
        ...(outcome.fields === undefined ? {} : { fields: outcome.fields }),
      };
    case 'missing':
      return decideMissing(outcome, operation);
    case 'settled':
      // Before the step that makes the order nothing can be looked up, and a 409 is never repeated.
      if (operation.kind === 'submit' && operation.hasNextStep) return dead(outcome.code, outcome.message);
      // On a submit somebody holds the reference: look whose it is, and never send it again.
      if (operation.kind === 'submit') return { kind: 'confirm', mayRepeat: false, spend: 1 };
      if (operation.kind === 'poll')
        return { kind: 'reject', code: outcome.code, message: outcome.message, spend: 1 };
      if (operation.purpose === 'check') return dead(outcome.code, outcome.message);
      return { kind: 'check', spend: 1 };
    case 'failed':
      return { ...decideFailed(outcome, operation, policy, rule, now, random), ...alert };
    case 'unknown':
      // A repeatable step never gets here (classify makes it `failed`), except through a rule of its own.
      if (operation.repeatable)
        return { ...decideFailed(outcome, operation, policy, rule, now, random), ...alert };
      return { kind: 'confirm', mayRepeat: true, spend: 1, ...alert };
    case 'throttled':
      return decideThrottled(outcome, operation, policy, now, random);
    case 'blocked':
      if (outcome.code === 'misconfigured') return misconfigured('misconfigured', outcome.message, operation);
      // Not a pause: whoever refreshes pauses the account if that does not help.
      if (outcome.code === 'token')
        return {
          kind: 'wait',
          reason: 'auth',
          delayMs: TOKEN_WAIT_MS,
          deadlineMs: null,
          spend: 0,
          refresh: true,
        };
      return {
        kind: 'wait',
        reason: 'auth',
        delayMs: 0,
        deadlineMs: null,
        spend: 0,
        pause: { code: outcome.code, reason: outcome.message },
        alert: 'account_paused',
      };
    case 'waiting':
      return decideWaiting(outcome, operation, policy, now, random);
    case 'gone':
      return { ...misconfigured(outcome.code, outcome.message, operation), alert: 'gone' };
    case 'notSent':
      // The attempt is given back; only the pace slows down, so that a dead host is not hammered.
      return {
        kind: 'giveBack',
        delayMs:
          outcome.code === 'send_by'
            ? 0
            : backoffDelay(rule?.backoff ?? policy.backoff, operation.calls + 1, random),
        spend: 0,
      };
    case 'interrupted':
      return { kind: 'giveBack', delayMs: 0, spend: 0 };
    default:
      return unreachable(outcome);
  }
}

function dead(code: string, message: string): Decision {
  return { kind: 'die', code, message, ambiguous: false, spend: 1 };
}

/** Our URL, method or version is wrong, not the order. A read never makes a dead letter. */
function misconfigured(code: string, message: string, operation: OperationFacts): Decision {
  if (operation.kind === 'poll') return { kind: 'reject', code, message, spend: 1 };
  return { ...dead(code, message), misconfigured: true };
}

/** A state was fetched: by a poll, or to find out what an "already so" meant. */
function decideObserved(status: OrderStatus | null, operation: OperationFacts): Decision {
  switch (operation.kind) {
    case 'poll':
    case 'submit':
      return { kind: 'succeed', spend: 1 };
    case 'cancel':
      if (status === 'canceled') return { kind: 'succeed', spend: 1 };
      if (status !== null && TOO_LATE.includes(status)) return tooLate(status, 'canceled');
      return refusedAnyway(operation);
    case 'update':
      if (status === 'canceled' || (status !== null && TOO_LATE.includes(status)))
        return tooLate(status, 'changed');
      return refusedAnyway(operation);
    case 'activate':
      if (status === 'draft' || status === null) return refusedAnyway(operation);
      if (status === 'canceled' || status === 'failed') return tooLate(status, 'activated');
      return { kind: 'succeed', spend: 1 };
    default:
      return unreachable(operation.kind);
  }
}

/** The state would allow it, so the provider's own words say what it did not like. It is not asked again: 404 and 409 never are. */
function refusedAnyway({ checked }: OperationFacts): Decision {
  return {
    kind: 'reject',
    code: checked?.code ?? 'refused',
    message: checked?.message ?? 'the provider refused, and its state does not say why',
    spend: 1,
  };
}

function tooLate(status: OrderStatus, what: string): Decision {
  return {
    kind: 'reject',
    code: 'too_late',
    message: `can no longer be ${what}: the provider says ${status}`,
    spend: 1,
  };
}

/** 404: never retried. On a write our configuration is wrong; for an order that we hold an id of it is no verdict. */
function decideMissing(outcome: { code: string; message: string }, operation: OperationFacts): Decision {
  switch (operation.kind) {
    case 'poll':
      return { kind: 'succeed', spend: 1 };
    case 'submit':
      return misconfigured('misconfigured', outcome.message, operation);
    case 'activate':
    case 'cancel':
    case 'update':
      return operation.purpose === 'check'
        ? dead('missing_at_provider', outcome.message)
        : { kind: 'check', spend: 1 };
    default:
      return unreachable(operation.kind);
  }
}

/** Certainly not done: again, until the budget is spent. A read never makes a dead letter. */
function decideFailed(
  outcome: { code: string; message: string; retryAt?: number },
  operation: OperationFacts,
  policy: ProviderPolicy,
  rule: PolicyRule | null,
  now: number,
  random: Random,
): Decision {
  const spent = operation.attempts + 1;
  if (spent >= (rule?.attempts ?? policy.attempts)) {
    if (operation.kind === 'poll')
      return { kind: 'reject', code: outcome.code, message: outcome.message, spend: 1 };
    return dead(outcome.code, outcome.message);
  }
  const backoff = backoffDelay(rule?.backoff ?? policy.backoff, spent, random);
  const named = outcome.retryAt === undefined ? 0 : waitFor(Math.max(0, outcome.retryAt - now), random);
  return { kind: 'retry', delayMs: Math.max(backoff, named), spend: 1 };
}

function expired(operation: OperationFacts, now: number): boolean {
  return operation.deadline !== null && now >= operation.deadline;
}

function decideThrottled(
  outcome: { code: string; message: string; retryAt?: number },
  operation: OperationFacts,
  policy: ProviderPolicy,
  now: number,
  random: Random,
): Decision {
  const named = outcome.retryAt === undefined ? null : waitFor(Math.max(0, outcome.retryAt - now), random);
  // Never below the documented floor, even where the answer says "now".
  const forMs =
    named === null
      ? backoffDelay(policy.throttle, operation.strikes + 1, random)
      : Math.max(named, policy.throttle.floorMs);
  const gate: GateClosure = { forMs, why: 'rate_limited', verb: null, strike: named === null };
  if (expired(operation, now)) {
    return operation.kind === 'poll'
      ? { kind: 'reject', code: 'rate_limited', message: outcome.message, spend: 0, gate }
      : { kind: 'die', code: 'rate_limited', message: outcome.message, ambiguous: false, spend: 0, gate };
  }
  return {
    kind: 'wait',
    reason: 'rate_limited',
    delayMs: forMs,
    deadlineMs: policy.deadlines.rate_limited,
    spend: 0,
    gate,
    ...(forMs > RETRY_AFTER_CAP_MS ? { alert: 'long_wait' as const } : {}),
  };
}

function decideWaiting(
  outcome: Extract<Outcome, { kind: 'waiting' }>,
  operation: OperationFacts,
  policy: ProviderPolicy,
  now: number,
  random: Random,
): Decision {
  if (expired(operation, now)) {
    return operation.kind === 'poll'
      ? { kind: 'reject', code: outcome.code, message: outcome.message, spend: 0 }
      : { ...dead(outcome.code, outcome.message), spend: 0 };
  }
  const delayMs =
    outcome.retryAt === undefined
      ? WAIT_INTERVAL_MS[outcome.reason]
      : Math.max(waitFor(Math.max(0, outcome.retryAt - now), random), policy.throttle.floorMs);
  return {
    kind: 'wait',
    reason: outcome.reason,
    delayMs,
    deadlineMs: policy.deadlines[outcome.reason],
    spend: 0,
    ...(outcome.scope === 'account'
      ? {
          gate: { forMs: delayMs, why: outcome.reason, verb: operation.kind, strike: false },
          ...(outcome.reason === 'funds' ? { alert: 'funds' as const } : {}),
        }
      : {}),
  };
}

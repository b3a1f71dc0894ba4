/**
 * From a decision to what is written: pure. The store writes a settlement in one statement; here is decided what
 * stands in it.
 */

import { FIRST_LOOK_MS, type LookResult } from '../confirm/judge.js';
import type { JsonObject } from '../json.js';
import type { ProviderState } from '../orders/order.js';
import type { Claim } from '../orders/store/claim.js';
import type { Evidence, Settlement, Transition } from '../orders/store/settle.js';
import type { Decision } from '../policy/decide.js';
import { PRIORITY } from '../policy/job-options.js';
import { type Outcome, outcomeCode, outcomeMessage, unreachable } from '../policy/outcome.js';
import type { OpenAccount, Step } from '../providers/provider.js';
import { activationOf, observedChange, readOf, rejection, success, UNCHANGED } from './order-change.js';

/** BullMQ usually wakes a retry; the dispatcher's bell is its backstop, this much later (design, "Queue"). */
const RETRY_BACKSTOP_MS = 5_000;
/** How long an unconfirmed operation is looked for before a human decides (contract, "Numbers"). */
const CONFIRM_DEADLINE_MS = 24 * 3_600_000;

/** The parts of a settlement that every decision shares. */
export interface Attempted {
  claim: Claim;
  account: OpenAccount;
  step: Step;
  outcome: Outcome;
  evidence: Evidence;
}

export type Plan = Omit<Settlement, 'operationId' | 'attemptId' | 'fence' | 'evidence'>;

const NOTHING: Pick<Plan, 'order' | 'deadLetter' | 'found' | 'followUp'> = {
  order: null,
  deadLetter: null,
  found: null,
  followUp: null,
};

/** A call, or a check after an "already so". */
export function planDecision(attempted: Attempted, decision: Decision): Settlement {
  return finish(attempted, plan(attempted, decision));
}

/** Whoever has read a page reads the next one; should that process be gone, the bell rings after this, ms. */
const NEXT_PAGE_MS = 5_000;

/**
 * A read that was applied: the operation ends, or goes on with its next page.
 * @param next what the next page needs; null where there is none
 */
export function planRead(attempted: Attempted, next: JsonObject | null): Settlement {
  const { outcome } = attempted;
  const transition: Transition =
    next === null
      ? ended('succeeded', outcome, 1)
      : {
          state: 'pending',
          delayMs: 0,
          ringMs: NEXT_PAGE_MS,
          spend: 0,
          carry: next,
          lastOutcome: lastOutcome(outcome),
        };
  return finish(attempted, { ...NOTHING, transition, event: null });
}

/** A look. */
export function planLook(attempted: Attempted, result: LookResult, carry: JsonObject = {}): Settlement {
  const plan = lookPlan(attempted, result);
  return finish(attempted, { ...plan, transition: { ...plan.transition, carry } });
}

function finish({ claim, evidence }: Attempted, rest: Plan): Settlement {
  return {
    operationId: claim.operationId,
    attemptId: claim.attemptId,
    fence: claim.fence,
    evidence,
    ...rest,
  };
}

function lastOutcome(outcome: Outcome): Transition['lastOutcome'] {
  return { kind: outcome.kind, code: outcomeCode(outcome), message: outcomeMessage(outcome) };
}

function ended(state: 'succeeded' | 'rejected' | 'dead', outcome: Outcome, spend: 0 | 1): Transition {
  return { state, delayMs: 0, ringMs: null, spend, lastOutcome: lastOutcome(outcome) };
}

function plan(attempted: Attempted, decision: Decision): Plan {
  const { claim, account, step, outcome } = attempted;
  const last = lastOutcome(outcome);
  switch (decision.kind) {
    case 'succeed':
      return { ...NOTHING, ...success(attempted), transition: ended('succeeded', outcome, decision.spend) };
    case 'next': {
      const following = nextStep(account, claim.kind, step);
      const carry = outcome.kind === 'done' ? (outcome.data ?? {}) : {};
      return {
        ...NOTHING,
        transition: {
          state: 'pending',
          delayMs: 0,
          ringMs: 0,
          spend: 0,
          step: following.name,
          stepRepeatable: following.repeatable,
          carry,
          lastOutcome: last,
        },
        event: { type: 'operation.step_done', data: { step: step.name, next: following.name } },
      };
    }
    case 'check':
      return {
        ...NOTHING,
        transition: {
          state: 'pending',
          delayMs: 0,
          ringMs: 0,
          spend: decision.spend,
          step: account.reads.get.name,
          stepRepeatable: true,
          purpose: 'check',
          carry: { checkedStep: step.name, checkedCode: last.code, checkedMessage: last.message },
          lastOutcome: last,
        },
        event: { type: 'operation.check', data: { code: last.code } },
      };
    case 'retry':
      return {
        ...NOTHING,
        transition: {
          state: 'retrying',
          delayMs: decision.delayMs,
          ringMs: decision.delayMs + RETRY_BACKSTOP_MS,
          spend: 1,
          // A check that failed is a check again: what was refused is not sent once more.
          purpose: claim.purpose,
          lastOutcome: last,
        },
        event: {
          type: 'operation.retrying',
          data: { code: last.code, attempt: claim.attempts + 1, inMs: Math.round(decision.delayMs) },
        },
      };
    case 'giveBack':
      return {
        ...NOTHING,
        transition: {
          state: 'pending',
          delayMs: decision.delayMs,
          ringMs: decision.delayMs,
          spend: 0,
          purpose: claim.purpose,
          lastOutcome: last,
        },
        event: { type: 'operation.not_sent', data: { code: last.code } },
      };
    case 'wait':
      return {
        ...NOTHING,
        transition: {
          state: 'waiting',
          delayMs: decision.delayMs,
          ringMs: decision.delayMs,
          spend: 0,
          purpose: claim.purpose,
          waitReason: decision.reason,
          deadlineMs: decision.deadlineMs,
          // Before the code is asked for: a crash in between asks for none, never for two.
          ...(decision.reason === 'otp' ? { carry: { otpRequested: true } } : {}),
          lastOutcome: last,
        },
        event: {
          type: 'operation.waiting',
          data: { reason: decision.reason, code: last.code, inMs: Math.round(decision.delayMs) },
        },
      };
    case 'confirm':
      return {
        ...NOTHING,
        transition: {
          state: 'unconfirmed',
          delayMs: FIRST_LOOK_MS,
          ringMs: FIRST_LOOK_MS,
          spend: decision.spend,
          priority: PRIORITY.confirm,
          // The caller has spoken: the call has ended now.
          confirm: { fromMs: 0, mayRepeat: decision.mayRepeat },
          deadlineMs: CONFIRM_DEADLINE_MS,
          lastOutcome: last,
        },
        event: { type: 'operation.unconfirmed', data: { code: last.code } },
      };
    case 'reject':
      return {
        ...NOTHING,
        ...rejection(attempted, decision),
        // Where a state was fetched to find out, the outcome alone would say that all is well.
        transition: {
          ...ended('rejected', outcome, decision.spend),
          lastOutcome: { kind: 'rejected', code: decision.code, message: decision.message },
        },
      };
    case 'die':
      return deathPlan(attempted, decision, decision.spend);
    default:
      return unreachable(decision);
  }
}

function nextStep(account: OpenAccount, kind: Claim['kind'], step: Step): Step {
  const steps = kind === 'poll' ? [] : (account.verbs[kind] ?? []);
  const following = steps[steps.findIndex(({ name }) => name === step.name) + 1];
  if (following === undefined) throw new Error(`${kind} has no step after ${step.name}`);
  return following;
}

function deathPlan(
  { claim, outcome }: Attempted,
  letter: { code: string; message: string; ambiguous: boolean; candidates?: ProviderState[] },
  spend: 0 | 1,
): Plan {
  const candidates = (letter.candidates ?? []).map(
    (state): JsonObject => ({
      providerOrderId: state.providerOrderId,
      reference: state.reference,
      rawStatus: state.rawStatus,
      sameContent: state.sameContent ?? null,
    }),
  );
  return {
    ...NOTHING,
    transition: ended('dead', outcome, spend),
    order:
      claim.order === null
        ? null
        : { ...UNCHANGED, attention: { code: letter.code, detail: letter.message } },
    deadLetter: { code: letter.code, message: letter.message, ambiguous: letter.ambiguous, candidates },
    event: {
      type: 'operation.dead',
      data: { kind: claim.kind, code: letter.code, ambiguous: letter.ambiguous },
    },
  };
}

/** What was meant to follow the submit; else a read, where a row of a list does not tell all that there is. */
function afterFound({ claim, account }: Attempted, state: ProviderState): Plan['followUp'] {
  if (claim.kind !== 'submit' || claim.order === null) return null;
  const activation = activationOf(account, claim.order.body, state.status ?? 'submitted');
  return activation ?? (state.partial === true ? readOf(account) : null);
}

function lookPlan(attempted: Attempted, result: LookResult): Plan {
  const { claim, outcome } = attempted;
  switch (result.kind) {
    case 'found':
      return {
        ...NOTHING,
        ...observedChange(
          claim.order?.status ?? 'received',
          { ...result.state, status: result.state.status ?? 'submitted' },
          claim.kind === 'submit' ? 'order.submitted' : `order.${claim.kind}_settled`,
        ),
        followUp: afterFound(attempted, result.state),
        found: result.state.providerOrderId,
        transition: ended('succeeded', outcome, 0),
      };
    case 'taken':
      return deathPlan(
        attempted,
        {
          code: 'reference_taken',
          message: `the provider holds another order of this reference: ${result.state.providerOrderId}`,
          ambiguous: true,
          candidates: [result.state],
        },
        0,
      );
    case 'several':
      return deathPlan(
        attempted,
        {
          code: 'several_candidates',
          message: `the provider holds ${result.states.length} orders that could be this one`,
          ambiguous: true,
          candidates: result.states,
        },
        0,
      );
    case 'expired':
      return deathPlan(attempted, { code: result.code, message: result.message, ambiguous: true }, 0);
    case 'absent':
    case 'again':
      return {
        ...NOTHING,
        transition: {
          state: 'unconfirmed',
          delayMs: result.kind === 'again' ? result.delayMs : 0,
          ringMs: result.kind === 'again' ? result.delayMs : 0,
          spend: 0,
          look: result.kind === 'absent' || result.counted ? 'absent' : 'inconclusive',
          lastOutcome: lastOutcome(outcome),
        },
        event: {
          type: 'operation.looked',
          data: {
            found: false,
            code: outcomeCode(outcome),
            counted: result.kind === 'absent' || result.counted,
          },
        },
      };
    default:
      return unreachable(result);
  }
}

/** What an outcome means for the order itself: its new status, and what it learned of the provider. Pure. */
import type { JsonObject } from '../json.js';
import type { OrderBody } from '../orders/body.js';
import type { OrderStatus, ProviderState } from '../orders/order.js';
import { MOVES, move } from '../orders/states.js';
import type { OrderChange } from '../orders/store/settle.js';
import type { Decision } from '../policy/decide.js';
import { PRIORITY } from '../policy/job-options.js';
import { unreachable } from '../policy/outcome.js';
import type { OpenAccount } from '../providers/provider.js';
import type { Attempted, Plan } from './plan.js';

/** When the status of a freshly accepted order is first read, ms. */
const FIRST_READ_MS = 30_000;

export const UNCHANGED: OrderChange = {
  from: [],
  to: null,
  rawStatus: null,
  providerOrderId: null,
  providerData: null,
  failure: null,
  attention: null,
  tracking: null,
  readMs: null,
};

/** What a success means for the order: its new status where the verb has one. */
export function success({
  claim,
  outcome,
  account,
}: Attempted): Pick<Plan, 'order' | 'followUp'> & { event: NonNullable<Plan['event']> } {
  if (outcome.kind === 'observed' && claim.order !== null) {
    return {
      ...observedChange(claim.order.status, outcome.state, `order.${claim.kind}_settled`),
      followUp: null,
    };
  }
  switch (claim.kind) {
    case 'submit': {
      if (outcome.kind !== 'accepted')
        return { order: null, event: { type: 'order.submitted', data: {} }, followUp: readOf(account) };
      const to = outcome.status ?? 'submitted';
      return {
        order: {
          ...UNCHANGED,
          from: ['received'],
          to,
          rawStatus: outcome.rawStatus ?? null,
          providerOrderId: outcome.providerOrderId,
          providerData: outcome.data ?? null,
          attention: 'clear',
          readMs: FIRST_READ_MS,
        },
        event: { type: 'order.submitted', data: { providerOrderId: outcome.providerOrderId, status: to } },
        followUp: claim.order === null ? null : activationOf(account, claim.order.body, to),
      };
    }
    case 'activate': {
      // What activation leads to, the answer may say: a coupon that is used is delivered.
      const to = outcome.kind === 'accepted' ? (outcome.status ?? 'submitted') : 'submitted';
      const from = (account.activation?.from ?? ['draft']).filter((status) => MOVES[status].includes(to));
      return {
        order: { ...UNCHANGED, from, to, readMs: FIRST_READ_MS },
        event: { type: 'order.activated', data: { status: to } },
        followUp: null,
      };
    }
    case 'cancel':
      return {
        order: {
          ...UNCHANGED,
          from: ['received', 'draft', 'submitted', 'in_progress'],
          to: 'canceled',
          attention: 'clear',
        },
        event: { type: 'order.canceled', data: { where: 'provider' } },
        followUp: null,
      };
    case 'update':
      return {
        order: { ...UNCHANGED, bodyPatch: updatedFields(claim) },
        event: { type: 'order.updated', data: {} },
        followUp: readOf(account),
      };
    case 'poll':
      throw new Error('reads are applied by the poll, not settled here');
    default:
      return unreachable(claim.kind);
  }
}

/** A read of the order, at once. */
export function readOf(account: OpenAccount): NonNullable<Plan['followUp']> {
  return {
    kind: 'poll',
    step: account.reads.get.name,
    stepRepeatable: true,
    priority: PRIORITY.poll,
    delayMs: 0,
  };
}

/** The activation that follows a submit by itself, where the provider has it as a call of its own. */
export function activationOf(
  account: OpenAccount,
  body: OrderBody,
  status: OrderStatus,
): (NonNullable<Plan['followUp']> & { kind: 'activate' }) | null {
  const step = account.verbs.activate?.[0];
  if (step === undefined || account.activation?.follows(body, status) !== true) return null;
  return {
    kind: 'activate',
    step: step.name,
    stepRepeatable: step.repeatable,
    priority: PRIORITY.activate,
    delayMs: 0,
  };
}

/** What an update leaves in the body: address and method as given, the customer's fields over the old ones. */
function updatedFields({ params, order }: Attempted['claim']): JsonObject {
  const { customer, ...rest } = params;
  if (typeof customer !== 'object' || customer === null || Array.isArray(customer)) return rest;
  const known = Object.entries(order?.body.customer ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...rest, customer: { ...Object.fromEntries(known), ...customer } };
}

/** The order becomes what the provider says it is. */
export function observedChange(
  from: OrderStatus,
  state: ProviderState,
  type: string,
): { order: OrderChange; event: NonNullable<Plan['event']> } {
  const told = state.status === null ? { kind: 'same' as const } : move(from, state.status, 'read');
  const to = told.kind === 'move' || told.kind === 'reopen' ? told.to : null;
  const reopened = told.kind === 'reopen';
  const conflict = reopened || told.kind === 'ignored';
  const detail = `was ${from} here, the provider says ${state.rawStatus}`;
  return {
    order: {
      ...UNCHANGED,
      from: [from],
      reopened,
      to,
      rawStatus: state.rawStatus,
      providerOrderId: state.providerOrderId,
      providerData: state.data ?? null,
      failure: to === 'failed' ? (state.failure ?? { code: 'failed', message: state.rawStatus }) : null,
      attention: conflict ? { code: 'status_conflict', detail } : (state.attention ?? 'clear'),
      tracking: state.tracking ?? null,
      readMs: FIRST_READ_MS,
    },
    event: {
      type: reopened ? 'order.reopened' : type,
      data: { providerOrderId: state.providerOrderId, status: to ?? from, rawStatus: state.rawStatus },
    },
  };
}

export function rejection(
  { claim, outcome }: Attempted,
  decision: Extract<Decision, { kind: 'reject' }>,
): Pick<Plan, 'order' | 'event'> {
  const { code, message, fields } = decision;
  if (claim.kind === 'submit') {
    return {
      order: {
        ...UNCHANGED,
        from: ['received'],
        to: 'failed',
        failure: { code, message, ...(fields === undefined ? {} : { fields }) },
        attention: 'clear',
      },
      event: { type: 'order.rejected', data: { code } },
    };
  }
  const event = { type: `operation.rejected`, data: { kind: claim.kind, code } };
  if (outcome.kind === 'observed' && claim.order !== null) {
    return { order: observedChange(claim.order.status, outcome.state, event.type).order, event };
  }
  return { order: null, event };
}

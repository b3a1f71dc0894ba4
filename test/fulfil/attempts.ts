/** What the tests of settling start from: a claimed operation, its attempt, and GelatoConnect's opened account. */
import type { Attempted } from '../../src/fulfil/plan.js';
import type { OperationKind, ProviderState } from '../../src/orders/order.js';
import type { Claim, ClaimedOrder } from '../../src/orders/store/claim.js';
import type { Evidence } from '../../src/orders/store/settle.js';
import { type Outcome, outcomeCode } from '../../src/policy/outcome.js';
import { findStep, type OpenAccount, type Step } from '../../src/providers/provider.js';
import { findProvider } from '../../src/providers/registry.js';
import { NOW } from '../policy/arbitraries.js';
import { CONFIG, CREDENTIALS, goodBody, PROVIDER_ORDER_ID } from '../providers/gelato-connect/fixtures.js';

export { PROVIDER_ORDER_ID };

/** Opened through the registry, as a process does it; it can hold drafts. */
export const account: OpenAccount = openGelato();

function openGelato(): OpenAccount {
  const provider = findProvider('gelato-connect');
  if (provider === null) throw new Error('the registry has no gelato-connect');
  const config = { ...CONFIG, activateUrl: 'https://api.example.com/v4/orders/{id}' };
  return provider.open({ id: 'gelato-eu', config, credentials: CREDENTIALS, policy: provider.policy });
}

export function stepOf(kind: OperationKind, name: string): Step {
  const step = findStep(account, kind, name);
  if (step === null) throw new Error(`${kind} has no step ${name}`);
  return step;
}

export function claimedOrder(changes: Partial<ClaimedOrder> = {}): ClaimedOrder {
  return {
    id: '018f2f6e-0000-7000-8000-000000000001',
    reference: 'shop:1001',
    generation: 1,
    body: goodBody(),
    status: 'received',
    providerOrderId: null,
    providerData: {},
    missingReads: 0,
    createdAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
}

/** A first call of this verb; orders of the later verbs are known to the provider. */
export function claimed(kind: OperationKind, changes: Partial<Claim> = {}): Claim {
  const known = kind !== 'submit';
  return {
    operationId: '42',
    attemptId: '77',
    fence: 3,
    account: account.id,
    kind,
    step: kind === 'poll' ? 'get' : kind,
    stepRepeatable: known,
    purpose: 'call',
    params: {},
    carry: {},
    attempts: 0,
    calls: 0,
    looks: 0,
    absentLooks: 0,
    deadline: null,
    waitSince: null,
    mayRepeat: true,
    counts: false,
    caller: 'none',
    strikes: 0,
    tries: false,
    probes: false,
    ringNo: 1,
    startedAt: NOW,
    order: claimedOrder(known ? { status: 'submitted', providerOrderId: PROVIDER_ORDER_ID } : {}),
    ...changes,
  };
}

/** A get that finds out what a refusal of this verb meant. */
export function claimedCheck(kind: 'activate' | 'cancel' | 'update', changes: Partial<Claim> = {}): Claim {
  const carry = { checkedStep: kind, checkedCode: 'http_409', checkedMessage: 'No' };
  return claimed(kind, { purpose: 'check', step: 'get', stepRepeatable: true, carry, ...changes });
}

/** What a look is claimed as: the operation keeps its own step. */
export function claimedLook(changes: Partial<Claim> = {}): Claim {
  return claimed('submit', { purpose: 'look', caller: 'spoken', counts: true, ...changes });
}

export function evidenceOf(outcome: Outcome): Evidence {
  return {
    report: 'refused',
    verdict: 'refused',
    outcome: outcome.kind,
    code: outcomeCode(outcome),
    httpStatus: 400,
    providerOrderId: null,
    rule: 'gelato-connect/bad-request',
    durationMs: 12,
    excerpt: null,
    data: null,
  };
}

export function attempted(claim: Claim, outcome: Outcome): Attempted {
  const step =
    claim.purpose === 'look' ? (account.reads.look ?? account.reads.get) : stepOf(claim.kind, claim.step);
  return { claim, account, step, outcome, evidence: evidenceOf(outcome) };
}

export function stateOf(changes: Partial<ProviderState> = {}): ProviderState {
  return {
    providerOrderId: PROVIDER_ORDER_ID,
    reference: 'shop:1001',
    status: 'in_progress',
    rawStatus: 'printed',
    ...changes,
  };
}

export const observed = (changes: Partial<ProviderState> = {}): Outcome => ({
  kind: 'observed',
  state: stateOf(changes),
});

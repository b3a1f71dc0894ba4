/**
 * Reads: a page of an account's open orders, or one order. One attempt per page; a read changes orders, never
 * another operation, and never makes a dead letter.
 */
import type { CachedAccount } from '../accounts/cache.js';
import { pauseAccount } from '../accounts/pause.js';
import { alert } from '../events/alerts.js';
import { closeGate, forgiveStrikes } from '../gate/gate.js';
import { type ProviderState, providerReference } from '../orders/order.js';
import { type Claim, giveBackRings, SEND_BY_MS } from '../orders/store/claim.js';
import {
  applyReads,
  finishIdleSync,
  pageOfReads,
  pollFacts,
  type ReadEffect,
  type ReadOrder,
} from '../orders/store/reads.js';
import { classify } from '../policy/classify.js';
import { decide } from '../policy/decide.js';
import type { Outcome } from '../policy/outcome.js';
import type { Step, Work } from '../providers/provider.js';
import { evidenceOf } from './evidence.js';
import { type Bell, type FulfilDeps, type Fulfilled, runClaim } from './fulfil.js';
import { planDecision, planRead } from './plan.js';
import { foundEffect, missingEffect, type ReadContext, unlistedEffect } from './read-effects.js';

/** Orders of a page where the provider has no list: each is read alone. */
const PAGE_WITHOUT_LIST = 100;

/** Runs one bell of a poll operation. */
export async function poll(deps: FulfilDeps, bell: Bell): Promise<Fulfilled> {
  const facts = await pollFacts(deps.db, bell.operationId);
  if (facts === null) return { kind: 'done', what: 'no such poll' };
  const { account } = bell;
  let page: ReadOrder[] | null = null;
  if (facts.orderId === null) {
    const before = typeof facts.params.before === 'string' ? facts.params.before : null;
    page = await pageOfReads(
      deps.db,
      account.id,
      before,
      account.open.reads.list?.pageSize ?? PAGE_WITHOUT_LIST,
    );
    if (page.length === 0) {
      return (await finishIdleSync(deps.db, bell.operationId, before))
        ? { kind: 'done', what: 'nothing left to read' }
        : { kind: 'again' };
    }
    if (account.open.reads.list === undefined) {
      await applyReads(
        deps.db,
        page.map((order) => unlistedEffect(order, context(deps, account, deps.time.clock.now()))),
      );
      return { kind: 'again' };
    }
  }
  const permit = await deps
    .gate(account)
    .acquire({ priority: bell.priority, dueAt: bell.dueAt, signal: deps.stopping });
  if (!permit.granted) {
    await giveBackRings(deps.db, [{ operationId: bell.operationId, delayMs: Math.round(permit.retryMs) }]);
    return { kind: 'done', what: 'given back: the gate is closed' };
  }
  const asked = { monotonic: deps.time.clock.monotonic(), wall: deps.time.clock.now() };
  const claimed = await deps.hot.claim({
    operationId: bell.operationId,
    timeoutMs: account.common.requestTimeoutMs,
  });
  if (!claimed.ok) {
    if (claimed.refusal === 'paused' || claimed.refusal === 'gate_closed') {
      await giveBackRings(deps.db, [{ operationId: bell.operationId, delayMs: 0 }]);
    }
    return { kind: 'done', what: `not claimed: ${claimed.refusal}` };
  }
  return read(deps, account, claimed.claim, page, asked);
}

function context(deps: FulfilDeps, account: CachedAccount, startedAt: number): ReadContext {
  return { startedAt, random: deps.time.random(), getStep: account.open.reads.get.name };
}

async function read(
  deps: FulfilDeps,
  account: CachedAccount,
  claim: Claim,
  page: ReadOrder[] | null,
  asked: { monotonic: number; wall: number },
): Promise<Fulfilled> {
  const target = targetOf(account, claim, page);
  if (target === null) return runClaim(deps, account, claim, asked);
  const { step, work, orders } = target;
  const request = step.request(work);
  const started = deps.time.clock.monotonic();
  const result = await deps.http.call(request, {
    sendBy: { monotonic: asked.monotonic + SEND_BY_MS, wall: asked.wall + SEND_BY_MS },
    timeoutMs: account.common.requestTimeoutMs,
    signal: deps.abandon,
  });
  const durationMs = deps.time.clock.monotonic() - started;
  const facts = { name: step.name, repeatable: true, writes: false };
  const classified = classify(
    result,
    facts,
    account.policy,
    (answer) => step.read(work, answer),
    account.open.readError,
  );
  const { outcome } = classified;
  const attempted = {
    claim,
    account: account.open,
    step,
    outcome,
    evidence: evidenceOf(request, result, classified, durationMs, false),
  };
  const effects = effectsOf(outcome, orders, page === null, context(deps, account, claim.startedAt));
  if (effects !== null) {
    await applyReads(deps.db, effects);
    if (claim.strikes > 0) await forgiveStrikes(deps.db, account.id);
    await deps.hot.settle(planRead(attempted, page !== null));
    return page === null ? { kind: 'done', what: 'read' } : { kind: 'again' };
  }
  const now = claim.startedAt + durationMs;
  const decision = decide(
    outcome,
    {
      kind: 'poll',
      purpose: claim.purpose,
      attempts: claim.attempts,
      calls: claim.calls,
      strikes: claim.strikes,
      deadline: claim.deadline,
      hasNextStep: false,
      repeatable: true,
      checked: null,
    },
    account.policy,
    classified.rule,
    now,
    deps.time.random,
  );
  if (decision.gate !== undefined) await closeGate(deps.db, account.id, decision.gate);
  if (decision.pause !== undefined) {
    const first = await pauseAccount(deps.db, account.id, { ...decision.pause, by: 'packline', until: null });
    if (first)
      deps.tell(
        alert(
          'account_paused',
          { account: account.id, message: `${decision.pause.code}: ${decision.pause.reason}` },
          deps.time.clock.now(),
        ),
      );
  }
  await deps.hot.settle(
    planDecision(
      attempted,
      decision.kind === 'succeed'
        ? { kind: 'reject', code: 'unread', message: 'the answer named no order', spend: 1 }
        : decision,
    ),
  );
  deps.log.info(
    {
      event: 'account.read',
      account: account.id,
      operationId: claim.operationId,
      outcome: outcome.kind,
      code: attempted.evidence.code,
      httpStatus: attempted.evidence.httpStatus,
    },
    'account.read',
  );
  return decision.kind === 'retry'
    ? { kind: 'retry', delayMs: decision.delayMs, why: attempted.evidence.code }
    : { kind: 'done', what: decision.kind };
}

interface Target {
  step: Step;
  work: Work;
  orders: ReadOrder[];
}

/** What is asked, and which orders it is about; null where the row is no read after all. */
function targetOf(account: CachedAccount, claim: Claim, page: ReadOrder[] | null): Target | null {
  const { list, get } = account.open.reads;
  if (page !== null && list !== undefined) {
    const references = page.map((order) =>
      providerReference(order.reference, order.generation, account.common.referencePrefix),
    );
    return {
      step: list.step,
      work: { params: { references, ids: page.map((order) => order.providerOrderId) }, carry: {} },
      orders: page,
    };
  }
  const { order } = claim;
  if (order === null || order.providerOrderId === null) return null;
  const { createdAt, ...rest } = order;
  const reference = providerReference(order.reference, order.generation, account.common.referencePrefix);
  return {
    step: get,
    work: {
      params: claim.params,
      carry: claim.carry,
      order: { ...rest, createdAt: new Date(createdAt), providerReference: reference },
    },
    orders: [{ ...order, providerOrderId: order.providerOrderId }],
  };
}

/** What the answer changes; null where it tells nothing of any order. */
function effectsOf(
  outcome: Outcome,
  orders: ReadOrder[],
  single: boolean,
  at: ReadContext,
): ReadEffect[] | null {
  const [only] = orders;
  if (outcome.kind === 'observed' && only !== undefined) return [foundEffect(only, outcome.state, at)];
  // A list that is not found is our configuration; only a single read can miss an order.
  if (outcome.kind === 'missing' && only !== undefined && single) return [missingEffect(only, at)];
  if (outcome.kind !== 'done' || outcome.states === undefined) return null;
  const byId = new Map<string, ProviderState>(outcome.states.map((state) => [state.providerOrderId, state]));
  return orders.map((order) => {
    const state = byId.get(order.providerOrderId);
    return state === undefined ? unlistedEffect(order, at) : foundEffect(order, state, at);
  });
}

/**
 * Reads: a page of an account's open orders, or one order. One attempt per page; a read changes orders, never
 * another operation, and never makes a dead letter.
 */
import type { CachedAccount } from '../accounts/cache.js';
import { type ProviderState, providerReference } from '../orders/order.js';
import { type Claim, giveBackRings, type Refusal } from '../orders/store/claim.js';
import { openOrdersNamed, type ReadOrder, type ReadSpan, spanOfReads } from '../orders/store/read-pages.js';
import {
  dropRead,
  type PollFacts,
  pollFacts,
  type ReadEffect,
  readSoon,
  resetRead,
} from '../orders/store/reads.js';
import { type Classified, classify } from '../policy/classify.js';
import { type Decision, decide, type OperationFacts } from '../policy/decide.js';
import type { Outcome } from '../policy/outcome.js';
import type { Step, Work } from '../providers/provider.js';
import { databaseAhead, park } from './conclude.js';
import {
  type Bell,
  type Call,
  callOnce,
  count,
  type FulfilDeps,
  type Fulfilled,
  type Keys,
  keysOf,
  workOf,
} from './deps.js';
import { closeDoors } from './doors.js';
import { evidenceOf } from './evidence.js';
import { TRIED_MS, UNRECOVERED_MS } from './fulfil.js';
import { withGains } from './gains.js';
import { asBug, Bug } from './learn.js';
import { type Choice, choosePage, type Page, readContext, syncParams } from './page.js';
import { type Attempted, planDecision, planRead } from './plan.js';
import { foundEffect, missingEffect, type ReadContext, unlistedEffect } from './read-effects.js';
import { report } from './telling.js';
import { beginWalk, carryOf, nextOfWalk, type Walk, walkIn } from './walk.js';

/** States in which a bell means something; a second bell of a poll that runs or is over means nothing. */
const RUNNABLE: readonly string[] = ['pending', 'queued', 'retrying', 'waiting'];

/** When the bell of a read that could not be claimed rings again, ms. */
const GIVEN_BACK_MS: Partial<Record<Refusal, number>> = {
  paused: 0,
  gate_closed: 0,
  tried: TRIED_MS,
  unrecovered: UNRECOVERED_MS,
};

/** Runs one bell of a poll operation. */
export async function poll(deps: FulfilDeps, bell: Bell): Promise<Fulfilled> {
  const facts = await pollFacts(deps.db, bell.operationId);
  if (facts === null) return { kind: 'done', what: 'no such poll' };
  if (facts.orderId !== null && facts.providerOrderId === null) {
    await dropRead(deps.db, bell.operationId);
    return { kind: 'done', what: 'the provider holds no such order' };
  }
  if (!isUsable(facts)) {
    await resetRead(deps.db, bell.operationId);
    return { kind: 'done', what: 'its row was edited: it begins anew' };
  }
  if (!RUNNABLE.includes(facts.state)) return { kind: 'done', what: `the poll is ${facts.state}` };
  const { account } = bell;
  const choice: Choice =
    facts.orderId === null ? await choosePage(deps, bell, facts) : { kind: 'page', page: null };
  if (choice.kind === 'over') return choice.fulfilled;
  await deps.at?.('gate.before', bell.operationId);
  const permit = await deps
    .gate(account)
    .acquire({ priority: bell.priority, dueAt: bell.dueAt, signal: deps.stopping });
  if (!permit.granted) {
    await giveBackRings(deps.db, [{ operationId: bell.operationId, delayMs: Math.round(permit.retryMs) }]);
    return { kind: 'done', what: 'given back: the gate is closed' };
  }
  await deps.at?.('gate.after', bell.operationId);
  const keys = await keysOf(deps, account, async () => null);
  const asked = { monotonic: deps.time.clock.monotonic(), wall: deps.time.clock.now() };
  const claimed = await deps.hot.claim({
    operationId: bell.operationId,
    account: account.id,
    reads: true,
    timeoutMs: account.common.requestTimeoutMs,
  });
  if (!claimed.ok) {
    const delayMs = GIVEN_BACK_MS[claimed.refusal];
    if (delayMs !== undefined) await giveBackRings(deps.db, [{ operationId: bell.operationId, delayMs }]);
    return { kind: 'done', what: `not claimed: ${claimed.refusal}` };
  }
  await deps.at?.('claimed', bell.operationId);
  try {
    const fulfilled = await read(deps, account, claimed.claim, choice.page, { ...asked, keys });
    await deps.at?.('settled', bell.operationId);
    return fulfilled;
  } catch (error) {
    if (!(error instanceof Bug)) throw error;
    return park(deps, account, claimed.claim, error.cause, false);
  }
}

/** Whether a read can go on from its row: there is nothing that it could leave unconfirmed, and it is asked for nothing but a time. */
function isUsable({ state, params }: PollFacts): boolean {
  return state !== 'unconfirmed' && syncParams.safeParse(params).success;
}

async function read(
  deps: FulfilDeps,
  account: CachedAccount,
  claim: Claim,
  page: Page | null,
  { keys, ...asked }: { monotonic: number; wall: number; keys: Keys },
): Promise<Fulfilled> {
  const target = targetOf(account, claim, page);
  if (target === null) throw new Error(`read ${claim.operationId} has nothing to read`);
  const call = await callOnce(deps, account, claim, target, asked, keys);
  const classified = asBug(() =>
    classify(
      call.result,
      { name: call.step.name, repeatable: true, writes: false },
      account.policy,
      (answer) => call.step.read(call.work, answer),
      account.open.readError,
      account.open.statusOf,
    ),
  );
  const { outcome } = classified;
  count(deps, call, outcome.kind);
  const evidence = evidenceOf(call.step.name, call.request, call.result, classified, call.durationMs, false);
  const attempted = { claim, account: account.open, step: call.step, outcome, evidence };
  const at = readContext(deps, account, claim.startedAt);
  const orders = target.walk === null ? target.orders : await shownOrders(deps, account, outcome);
  const effects = effectsOf(outcome, orders, page === null, at);
  if (effects === null) return unread(deps, call, attempted, classified);
  await closeDoors(deps, call, outcome, null);
  if (page === null) {
    // What a read brings is stored before the status that may end all reading of the order.
    await deps.hot.settle(withGains(planRead(attempted, null), claim, outcome, deps.seal));
    const taken = await deps.hot.applyReads(effects);
    // The order has moved, or a read that began later has told of it, and may have told less: it is read again.
    if (taken.length === 0)
      await readSoon(
        deps.db,
        orders.map(({ id }) => id),
        'packline',
      );
    return { kind: 'done', what: 'read' };
  }
  await deps.hot.applyReads(effects);
  const carry = target.walk === null ? {} : carryOf(await onward(deps, account, claim, target.walk, outcome));
  await deps.hot.settle(withGains(planRead(attempted, carry), claim, outcome, deps.seal));
  return { kind: 'again' };
}

/** The open orders that a page of a walk shows, due or not. */
async function shownOrders(deps: FulfilDeps, account: CachedAccount, outcome: Outcome): Promise<ReadOrder[]> {
  const states = outcome.kind === 'done' ? (outcome.states ?? []) : [];
  return openOrdersNamed(
    deps.db,
    account.id,
    states.map(({ providerOrderId }) => providerOrderId),
  );
}

async function onward(
  deps: FulfilDeps,
  account: CachedAccount,
  { params }: Claim,
  walk: Walk,
  outcome: Outcome,
): Promise<Walk> {
  const before = syncParams.parse(params).before ?? null;
  // Counted no further than to know whether there are more than pages.
  const unseen = await spanOfReads(deps.db, account.id, before, walk.startedAt, walk.pages + 2);
  const next = outcome.kind === 'done' ? outcome.data?.next : null;
  return nextOfWalk(walk, next, unseen.count);
}

/** The answer told of no order: what its outcome asks for, short of a dead letter. */
async function unread(
  deps: FulfilDeps,
  call: Call,
  attempted: Attempted,
  classified: Classified,
): Promise<Fulfilled> {
  const { account, claim } = call;
  const ahead = databaseAhead(call, deps.time.clock);
  const facts: OperationFacts = {
    ...claim,
    kind: 'poll',
    deadline: claim.deadline === null ? null : claim.deadline - ahead,
    hasNextStep: false,
    repeatable: true,
    checked: null,
  };
  const now = deps.time.clock.now();
  const { outcome, rule } = classified;
  const decided = decide(outcome, facts, account.policy, rule, now, deps.time.random);
  const decision: Decision =
    decided.kind === 'succeed'
      ? { kind: 'reject', code: 'unread', message: 'the answer named no order', spend: 1 }
      : decided;
  await closeDoors(deps, call, outcome, decision);
  const settlement = planDecision(attempted, decision);
  await deps.hot.settle(settlement);
  report(deps, call, settlement, { classified, doors: decision }, null);
  return decision.kind === 'retry'
    ? { kind: 'retry', delayMs: decision.delayMs, why: settlement.evidence.code }
    : { kind: 'done', what: decision.kind };
}

interface Target {
  step: Step;
  work: Work;
  orders: ReadOrder[];
  /** Where it is a page of a list that cannot be asked for orders. */
  walk: Walk | null;
}

/** What is asked, and which orders it is about; null where the row is no read after all. */
function targetOf(account: CachedAccount, claim: Claim, page: Page | null): Target | null {
  const { list, get } = account.open.reads;
  if (page !== null && list !== undefined)
    return page.kind === 'named'
      ? namedTarget(account, list.step, page.orders)
      : walkTarget(list.step, claim, page.span);
  const { order } = claim;
  if (order === null || order.providerOrderId === null) return null;
  const { createdAt, providerOrderId, ...rest } = order;
  return {
    step: get,
    work: workOf(account, claim),
    // What a row of a list may lack, the order itself tells.
    orders: [
      {
        ...rest,
        providerOrderId,
        rawStatus: null,
        isTracked: true,
        ageMs: claim.startedAt - Date.parse(createdAt),
      },
    ],
    walk: null,
  };
}

function namedTarget(account: CachedAccount, step: Step, orders: ReadOrder[]): Target {
  const references = orders.map((order) =>
    providerReference(order.reference, order.generation, account.common.referencePrefix),
  );
  const ids = orders.map((order) => order.providerOrderId);
  return { step, work: { params: { references, ids }, carry: {} }, orders, walk: null };
}

function walkTarget(step: Step, { carry, startedAt }: Claim, { oldestAt }: ReadSpan): Target {
  const begun = walkIn(carry);
  const walk = begun === null || begun.over ? beginWalk(startedAt, oldestAt ?? startedAt) : begun;
  const { since, page } = walk;
  return { step, work: { params: { since, page }, carry: {} }, orders: [], walk };
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

/**
 * One job: gate → claim + attempt → adapter step → evidence → decide → settle. The row decides everything; the
 * job only says that there may be something to do. Waits, give-backs and refused claims complete their job; a
 * retry throws, so that the queue's alarm clock shows it.
 */
import type { Logger } from 'pino';
import type { AccountCache, CachedAccount } from '../accounts/cache.js';
import { clearMisconfigured, countMisconfigured, pauseAccount } from '../accounts/pause.js';
import { judgeLook, type LookResult } from '../confirm/judge.js';
import type { Database } from '../database/connect.js';
import { type Alert, alert } from '../events/alerts.js';
import { closeGate, forgiveStrikes, type Gate } from '../gate/gate.js';
import { providerReference } from '../orders/order.js';
import { type Claim, giveBackRings, parkBusy, SEND_BY_MS } from '../orders/store/claim.js';
import { absorbLate, closeAbsent } from '../orders/store/confirm.js';
import type { Settled, Settlement } from '../orders/store/settle.js';
import { settleWithoutOrder } from '../orders/store/verbs.js';
import type { HttpResult } from '../policy/answer.js';
import { type Classified, classify } from '../policy/classify.js';
import { type Decision, decide } from '../policy/decide.js';
import type { Http } from '../providers/http.js';
import { findStep, type HttpRequest, type Step, type Work } from '../providers/provider.js';
import type { Time } from '../time.js';
import { evidenceOf } from './evidence.js';
import type { HotPath } from './hot.js';
import { type Attempted, planDecision, planLook } from './plan.js';

/** Different orders in a row that are refused as misconfigured, before the account pauses (design, "Outcome and decision"). */
const MISCONFIGURED_LIMIT = 3;

export interface FulfilDeps {
  db: Database;
  hot: HotPath;
  accounts: AccountCache;
  gate(account: CachedAccount): Gate;
  http: Http;
  time: Time;
  log: Logger;
  presenceClass: number;
  tell(alert: Alert): void;
  /** Aborts when the process begins to stop: no new call starts. */
  stopping: AbortSignal;
  /** Aborts when the stop's deadline has come: calls in flight are given up as unknown. */
  abandon: AbortSignal;
}

/** What became of one bell. `again` when the same operation can go on at once (its next step). */
export type Fulfilled =
  | { kind: 'done'; what: string }
  | { kind: 'again' }
  | { kind: 'retry'; delayMs: number; why: string }
  | { kind: 'dead'; why: string };

export interface Bell {
  operationId: string;
  account: CachedAccount;
  priority: number;
  /** Since when it is due, epoch ms. */
  dueAt: number;
}

/** Runs one operation once. */
export async function fulfil(deps: FulfilDeps, bell: Bell): Promise<Fulfilled> {
  const { account } = bell;
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
  if (!claimed.ok) return refused(deps, claimed.operationId, claimed.refusal);
  return runClaim(deps, account, claimed.claim, asked);
}

async function refused(deps: FulfilDeps, operationId: string, refusal: string): Promise<Fulfilled> {
  switch (refusal) {
    case 'paused':
    case 'gate_closed':
      await giveBackRings(deps.db, [{ operationId, delayMs: 0 }]);
      break;
    case 'busy':
      await parkBusy(deps.db, [operationId]);
      break;
    case 'no_provider_order': {
      const orderId = await orderOf(deps.db, operationId);
      const end =
        orderId === null ? 'waits' : await deps.db.transaction((sql) => settleWithoutOrder(sql, orderId));
      if (end === 'waits') await parkBusy(deps.db, [operationId]);
      break;
    }
    default:
      // Not due or gone: an early, double or late bell, which costs nothing.
      break;
  }
  return { kind: 'done', what: `not claimed: ${refusal}` };
}

async function orderOf(db: Database, operationId: string): Promise<string | null> {
  const [row] = await db.query<{ orderId: string | null }>(
    `select order_id::text as "orderId" from packline.operations where id = $1::bigint`,
    operationId,
  );
  return row?.orderId ?? null;
}

/** The claimed attempt, from its request to its settlement. */
export async function runClaim(
  deps: FulfilDeps,
  account: CachedAccount,
  claim: Claim,
  asked: { monotonic: number; wall: number },
): Promise<Fulfilled> {
  const step = stepOf(account, claim);
  const work = workOf(account, claim);
  if (step === null)
    return park(
      deps,
      account,
      claim,
      new Error(`${account.provider.id} has no step ${claim.step} for ${claim.kind}`),
      false,
    );
  let request: HttpRequest;
  try {
    request = step.request(work);
  } catch (error) {
    return park(deps, account, claim, error, false);
  }
  const started = deps.time.clock.monotonic();
  const result = await deps.http.call(request, {
    sendBy: { monotonic: asked.monotonic + SEND_BY_MS, wall: asked.wall + SEND_BY_MS },
    timeoutMs: account.common.requestTimeoutMs,
    signal: deps.abandon,
  });
  const durationMs = deps.time.clock.monotonic() - started;
  try {
    return await conclude(deps, { account, claim, step, work, request, result, durationMs, asked });
  } catch (error) {
    // What cannot be stored is not a bug of the order: the lease ends and the operation is recovered.
    if (!(error instanceof Bug)) throw error;
    return park(
      deps,
      account,
      claim,
      error.cause,
      result.kind !== 'notSent' && !(step.repeatable || claim.purpose !== 'call'),
    );
  }
}

function stepOf(account: CachedAccount, claim: Claim): Step | null {
  if (claim.purpose === 'look') return account.open.reads.look ?? null;
  return findStep(account.open, claim.kind, claim.step);
}

function workOf(account: CachedAccount, claim: Claim): Work {
  const { order, params, carry } = claim;
  if (order === null) return { params, carry };
  const { createdAt, ...rest } = order;
  return {
    params,
    carry,
    order: {
      ...rest,
      createdAt: new Date(createdAt),
      providerReference: providerReference(order.reference, order.generation, account.common.referencePrefix),
    },
  };
}

/** Wraps what our own pure code threw, apart from what the database did. */
class Bug extends Error {
  override name = 'Bug';
}

interface Call {
  account: CachedAccount;
  claim: Claim;
  step: Step;
  work: Work;
  request: HttpRequest;
  result: HttpResult;
  durationMs: number;
  asked: { monotonic: number; wall: number };
}

async function conclude(deps: FulfilDeps, call: Call): Promise<Fulfilled> {
  const judged = judge(deps, call);
  const { settlement, classified } = judged;
  await closeDoors(deps, call, judged.decision);
  if (judged.look?.kind === 'absent') return concludeAbsent(deps, call, settlement, classified);
  const settled = await deps.hot.settle(settlement);
  if (!settled.applied) {
    const end = await deps.db.transaction((sql) => absorbLate(sql, settlement));
    if (end === 'duplicate')
      tellOf(deps, call, 'duplicate', 'a call that had been given up was accepted after all');
  }
  report(deps, call, settlement, classified, settled);
  return afterwards(judged.decision, settlement);
}

interface Judged {
  classified: Classified;
  decision: Decision | null;
  look: LookResult | null;
  settlement: Settlement;
}

/** Pure code over untrusted input: an exception here is a bug and parks the operation. */
function judge(deps: FulfilDeps, call: Call): Judged {
  const { account, claim, step, work, result } = call;
  try {
    const facts = {
      name: step.name,
      repeatable: step.repeatable || claim.purpose !== 'call',
      writes: step.writes,
    };
    const classified = classify(
      result,
      facts,
      account.policy,
      (answer) => step.read(work, answer),
      account.open.readError,
    );
    const now = claim.startedAt + (deps.time.clock.monotonic() - call.asked.monotonic);
    const decision = decide(
      classified.outcome,
      operationFacts(account, claim, step),
      account.policy,
      classified.rule,
      now,
      deps.time.random,
    );
    const open = claim.purpose === 'call' && decision.kind === 'confirm';
    const attempted: Attempted = {
      claim,
      account: account.open,
      step,
      outcome: classified.outcome,
      evidence: evidenceOf(call.request, result, classified, call.durationMs, open),
    };
    if (claim.purpose !== 'look') {
      return { classified, decision, look: null, settlement: planDecision(attempted, decision) };
    }
    const look = judgeLook(classified.outcome, claim, account.common.confirm, now);
    return {
      classified,
      decision: decision.kind === 'wait' ? decision : null,
      look,
      settlement: planLook(attempted, look),
    };
  } catch (error) {
    throw new Bug('judging an answer failed', { cause: error });
  }
}

function operationFacts(account: CachedAccount, claim: Claim, step: Step) {
  const verb = claim.kind === 'poll' ? [] : (account.open.verbs[claim.kind] ?? []);
  return {
    kind: claim.kind,
    purpose: claim.purpose,
    attempts: claim.attempts,
    calls: claim.calls,
    strikes: claim.strikes,
    deadline: claim.deadline,
    hasNextStep:
      claim.purpose === 'call' && verb.findIndex(({ name }) => name === step.name) < verb.length - 1,
    repeatable: step.repeatable || claim.purpose !== 'call',
    checked:
      claim.purpose === 'check'
        ? { code: String(claim.carry.checkedCode), message: String(claim.carry.checkedMessage) }
        : null,
  };
}

/** Gate and pause first, so that all workers of the account stand still before this one goes on. */
async function closeDoors(
  deps: FulfilDeps,
  { account, claim, result }: Call,
  decision: Decision | null,
): Promise<void> {
  if (decision?.gate !== undefined) await closeGate(deps.db, account.id, decision.gate);
  else if (claim.strikes > 0 && result.kind === 'answered') await forgiveStrikes(deps.db, account.id);
  if (decision?.pause !== undefined) await pause(deps, account, decision.pause);
  if (decision?.misconfigured === true && claim.order !== null) {
    const inARow = await countMisconfigured(deps.db, account.id, claim.order.id);
    if (inARow >= MISCONFIGURED_LIMIT) {
      await pause(deps, account, {
        code: 'misconfigured',
        reason: `${inARow} different orders in a row were refused as misconfigured`,
      });
    }
  } else if (decision?.kind === 'succeed' && claim.kind === 'submit' && account.misconfigured) {
    await clearMisconfigured(deps.db, account.id);
  }
}

async function pause(
  deps: FulfilDeps,
  account: CachedAccount,
  why: { code: string; reason: string },
): Promise<void> {
  const first = await pauseAccount(deps.db, account.id, { ...why, by: 'packline', until: null });
  if (first)
    deps.tell(
      alert(
        'account_paused',
        { account: account.id, message: `${why.code}: ${why.reason}` },
        deps.time.clock.now(),
      ),
    );
}

/** Enough absences: closes the attempt and moves the operation together, or looks again where that is refused. */
async function concludeAbsent(
  deps: FulfilDeps,
  call: Call,
  settlement: Settlement,
  classified: Classified,
): Promise<Fulfilled> {
  const end = await deps.db.transaction((sql) => closeAbsent(sql, settlement, deps.presenceClass));
  if (end === 'refused') {
    const delayMs = call.account.common.confirm.spacingMs;
    const again = { ...settlement, transition: { ...settlement.transition, delayMs, ringMs: delayMs } };
    report(deps, call, again, classified, await deps.hot.settle(again));
    return { kind: 'done', what: 'looked: not there, and not closed yet' };
  }
  report(deps, call, settlement, classified, null);
  if (end === 'dead')
    tellOf(deps, call, 'dead_letter', 'the reference is taken, yet the order cannot be found');
  return { kind: 'done', what: `proven absent: ${end}` };
}

function afterwards(decision: Decision | null, settlement: Settlement): Fulfilled {
  if (decision?.kind === 'retry')
    return { kind: 'retry', delayMs: decision.delayMs, why: settlement.evidence.code };
  if (decision?.kind === 'next' || decision?.kind === 'check') return { kind: 'again' };
  if (settlement.transition.state === 'dead')
    return { kind: 'dead', why: settlement.deadLetter?.code ?? 'dead' };
  return { kind: 'done', what: settlement.transition.state };
}

/** One wide line per attempt, always with the same keys; then the alerts. After it is stored, never before. */
function report(
  deps: FulfilDeps,
  call: Call,
  settlement: Settlement,
  classified: Classified,
  settled: Settled | null,
): void {
  const { account, claim, step } = call;
  deps.log.info(
    {
      event: 'order.attempted',
      account: account.id,
      provider: account.provider.id,
      orderId: claim.order?.id ?? null,
      reference: claim.order?.reference ?? null,
      operationId: claim.operationId,
      attemptId: claim.attemptId,
      kind: claim.kind,
      step: step.name,
      purpose: claim.purpose,
      attempt: claim.attempts + settlement.transition.spend,
      maxAttempts: account.policy.attempts,
      outcome: classified.outcome.kind,
      code: settlement.evidence.code,
      httpStatus: settlement.evidence.httpStatus,
      rule: settlement.evidence.rule,
      durationMs: settlement.evidence.durationMs,
      state: settlement.transition.state,
      nextInMs: settlement.transition.ringMs === null ? null : Math.round(settlement.transition.ringMs),
      late: settled?.applied === false,
    },
    'order.attempted',
  );
  if (classified.rule?.alert === true) {
    tellOf(
      deps,
      call,
      'internal_error',
      `${account.provider.id} answered ${settlement.evidence.httpStatus} (${settlement.evidence.code})`,
    );
  }
  if (settled?.applied !== false && settlement.deadLetter !== null) {
    tellOf(deps, call, 'dead_letter', `${settlement.deadLetter.code}: ${settlement.deadLetter.message}`);
  }
}

function tellOf(
  deps: FulfilDeps,
  { account, claim }: Pick<Call, 'account' | 'claim'>,
  code: Alert['code'],
  message: string,
): void {
  const about = { account: account.id, orderId: claim.order?.id, reference: claim.order?.reference, message };
  deps.tell(alert(code, about, deps.time.clock.now()));
}

/** Our own unexpected exception is a bug, not a retry: park the operation, alert, keep the stack. */
async function park(
  deps: FulfilDeps,
  account: CachedAccount,
  claim: Claim,
  error: unknown,
  ambiguous: boolean,
): Promise<Fulfilled> {
  deps.log.error(
    { event: 'packline.bug', operationId: claim.operationId, account: account.id, err: error },
    'an operation was parked after an unexpected exception',
  );
  const message = `packline itself failed here (${error instanceof Error ? error.name : 'unknown'}); its log holds the stack under operation ${claim.operationId}`;
  await deps.hot.settle({
    operationId: claim.operationId,
    attemptId: claim.attemptId,
    fence: claim.fence,
    evidence: {
      report: ambiguous ? 'unknown' : 'not_sent',
      verdict: ambiguous ? null : 'not_sent',
      outcome: 'unknown',
      code: 'bug',
      httpStatus: null,
      providerOrderId: null,
      rule: null,
      durationMs: 0,
      excerpt: null,
      data: null,
    },
    transition: {
      state: 'dead',
      delayMs: 0,
      ringMs: null,
      spend: 0,
      lastOutcome: { kind: 'unknown', code: 'bug', message },
    },
    order: null,
    event: { type: 'operation.dead', data: { code: 'bug', ambiguous } },
    deadLetter: { code: 'bug', message, ambiguous: ambiguous || claim.purpose === 'look', candidates: [] },
    found: null,
    followUp: null,
  });
  tellOf(deps, { account, claim }, 'bug', message);
  return { kind: 'dead', why: 'bug' };
}

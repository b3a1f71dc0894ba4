/** From an HTTP result to what is stored: classify, decide, close doors, settle, tell. */
import type { CachedAccount } from '../accounts/cache.js';
import { judgeLook, type LookResult } from '../confirm/judge.js';
import { advanceRound, type Control, lookRound } from '../confirm/round.js';
import { sqlState } from '../database/connect.js';
import type { Claim } from '../orders/store/claim.js';
import { absorbLate, closeAbsent, findControl } from '../orders/store/confirm.js';
import type { Settled, Settlement } from '../orders/store/settle.js';
import type { Classified } from '../policy/classify.js';
import { type Decision, decide, type OperationFacts } from '../policy/decide.js';
import type { Step } from '../providers/provider.js';
import type { Clock } from '../time.js';
import { type Call, count, type FulfilDeps, type Fulfilled } from './deps.js';
import { closeDoors } from './doors.js';
import { evidenceOf } from './evidence.js';
import { withGains } from './gains.js';
import { asBug, learn } from './learn.js';
import { UNCHANGED } from './order-change.js';
import { requestCode } from './otp.js';
import { type Attempted, planDecision, planLook } from './plan.js';
import { report, tellOf } from './telling.js';

export async function conclude(deps: FulfilDeps, call: Call): Promise<Fulfilled> {
  const classified = await learn(deps, call);
  count(deps, call, classified.outcome.kind);
  const candidate = await controlFor(deps, call, classified);
  const judged = asBug(() => judge(deps, call, classified, candidate));
  const { settlement } = judged;
  await closeDoors(deps, call, classified.outcome, judged.doors);
  if (judged.look?.kind === 'absent') return concludeAbsent(deps, call, judged);
  let settled: Settled;
  try {
    settled = await deps.hot.settle(settlement);
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
    return idTaken(deps, call, settlement);
  }
  if (!settled.applied) {
    const end = await deps.db.transaction((sql) => absorbLate(sql, settlement));
    if (end === 'duplicate')
      tellOf(deps, call, 'duplicate', 'a call that had been given up was accepted after all');
  }
  report(deps, call, settlement, judged, settled);
  if (settled.applied && judged.decision?.kind === 'wait' && judged.decision.reason === 'otp')
    await requestCode(deps, call);
  return afterwards(judged.decision, settlement);
}

/** PostgreSQL, "Error Codes": another order of ours holds this provider id already. */
const UNIQUE_VIOLATION = '23505';

/** Two orders cannot be one at the provider: a human finds out which of them it is. */
async function idTaken(deps: FulfilDeps, call: Call, settlement: Settlement): Promise<Fulfilled> {
  const theirs = settlement.order?.providerOrderId ?? 'unknown';
  const message = `the provider answered with ${theirs}, which another order holds`;
  await deps.hot.settle({
    ...settlement,
    evidence: { ...settlement.evidence, verdict: null },
    transition: { ...settlement.transition, state: 'dead', ringMs: null },
    order: { ...UNCHANGED, attention: { code: 'id_taken', detail: message } },
    found: null,
    followUp: null,
    event: { type: 'operation.dead', data: { kind: call.claim.kind, code: 'id_taken', ambiguous: true } },
    deadLetter: { code: 'id_taken', message, ambiguous: true, candidates: [{ providerOrderId: theirs }] },
  });
  tellOf(deps, call, 'duplicate', message);
  return { kind: 'dead', why: 'id_taken' };
}

interface Judged {
  classified: Classified;
  /** What becomes of the operation; null for a look, which has its own result. */
  decision: Decision | null;
  /** What the answer means for the whole account. */
  doors: Decision;
  look: LookResult | null;
  settlement: Settlement;
}

/** What an absence has to be held against, where this look is one that would count. */
async function controlFor({ db }: FulfilDeps, call: Call, { outcome }: Classified): Promise<Control | null> {
  const { account, claim } = call;
  const { capabilities, reads } = account.open;
  if (claim.purpose !== 'look' || claim.order === null || capabilities.lookup !== 'reference') return null;
  const { last, counts, control } = lookRound(claim, reads);
  if (outcome.kind !== 'missing' || !last || !counts || control !== null) return null;
  return findControl(db, account.id, claim.order.id, capabilities.lagMs);
}

function judge(deps: FulfilDeps, call: Call, classified: Classified, candidate: Control | null): Judged {
  const { account, claim, step, result } = call;
  // Times that an answer names are on this process's clock, and deadlines on the database's.
  const now = deps.time.clock.now();
  const ahead = databaseAhead(call, deps.time.clock);
  const decision = decide(
    classified.outcome,
    operationFacts(account, claim, step, ahead),
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
    evidence: evidenceOf(step.name, call.request, result, classified, call.durationMs, open),
  };
  if (claim.purpose !== 'look') {
    const settlement = withGains(planDecision(attempted, decision), claim, classified.outcome, deps.seal);
    return { classified, decision, doors: decision, look: null, settlement };
  }
  const round = lookRound(claim, account.open.reads);
  const next = advanceRound(round, classified.outcome, candidate);
  // Of the control nothing is taken over: it is another order's.
  const learned = next.kind === 'over' ? next.outcome : classified.outcome;
  const look: LookResult =
    next.kind === 'on'
      ? { kind: 'again', counted: false, delayMs: 0 }
      : judgeLook(next.outcome, { ...claim, counts: round.counts }, account.common.confirm, now + ahead);
  return {
    classified,
    decision: null,
    // Gate and pause are the account's matter, whatever becomes of the look. That an order is not there is no
    // mistake of our configuration, as it would be for a submit.
    doors: { ...decision, misconfigured: undefined },
    look,
    settlement: withGains(
      planLook({ ...attempted, outcome: learned }, look, next.kind === 'on' ? next.carry : {}),
      claim,
      learned,
      deps.seal,
    ),
  };
}

/** How far the database's clock is ahead of this process's, ms; negative where it is behind. */
export function databaseAhead({ claim, asked }: Pick<Call, 'claim' | 'asked'>, clock: Clock): number {
  const sinceAsked = clock.monotonic() - asked.monotonic;
  return claim.startedAt + sinceAsked - clock.now();
}

function operationFacts(account: CachedAccount, claim: Claim, step: Step, ahead: number): OperationFacts {
  const verb = claim.kind === 'poll' ? [] : (account.open.verbs[claim.kind] ?? []);
  return {
    kind: claim.kind,
    purpose: claim.purpose,
    attempts: claim.attempts,
    calls: claim.calls,
    strikes: claim.strikes,
    deadline: claim.deadline === null ? null : claim.deadline - ahead,
    hasNextStep:
      claim.purpose === 'call' && verb.findIndex(({ name }) => name === step.name) < verb.length - 1,
    repeatable: step.repeatable || claim.purpose !== 'call',
    checked:
      claim.purpose === 'check'
        ? { code: String(claim.carry.checkedCode), message: String(claim.carry.checkedMessage) }
        : null,
  };
}

/** Enough absences: closes the attempt and moves the operation together, or looks again where that is refused. */
async function concludeAbsent(deps: FulfilDeps, call: Call, judged: Judged): Promise<Fulfilled> {
  const { settlement } = judged;
  const end = await deps.db.transaction((sql) => closeAbsent(sql, settlement, deps.presenceClass));
  if (end === 'refused') {
    const delayMs = call.account.common.confirm.spacingMs;
    const again = { ...settlement, transition: { ...settlement.transition, delayMs, ringMs: delayMs } };
    report(deps, call, again, judged, await deps.hot.settle(again));
    return { kind: 'done', what: 'looked: not there, and not closed yet' };
  }
  report(deps, call, settlement, judged, null);
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

/** Rows that no code of ours writes: somebody has edited them, or another version has. The message says what is wrong. */
export class ImpossibleRow extends Error {
  override name = 'ImpossibleRow';
}

/** How long an order that a read failed on is left alone, ms. */
const READ_LATER_MS = 3_600_000;

/** What a person is told of a parked operation, and the code by which it is found. */
function whyParked(claim: Claim, error: unknown): { code: 'bug' | 'impossible_row'; message: string } {
  if (error instanceof ImpossibleRow) {
    const begins = 'a replay begins at its first step';
    const message = `the row of operation ${claim.operationId} cannot be worked from: ${error.message}. Nothing was sent now; ${begins}`;
    return { code: 'impossible_row', message };
  }
  const name = error instanceof Error ? error.name : 'unknown';
  return {
    code: 'bug',
    message: `packline itself failed here (${name}); its log holds the stack under operation ${claim.operationId}`,
  };
}

/**
 * Our own unexpected exception is a bug, not a retry: park the operation, alert, keep the stack. A read ends, without
 * a dead letter.
 */
export async function park(
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
  const { code, message } = whyParked(claim, error);
  const isRead = claim.kind === 'poll';
  await deps.hot.settle({
    operationId: claim.operationId,
    attemptId: claim.attemptId,
    fence: claim.fence,
    evidence: {
      report: ambiguous ? 'unknown' : 'not_sent',
      verdict: ambiguous ? null : 'not_sent',
      outcome: 'unknown',
      code,
      httpStatus: null,
      providerOrderId: null,
      rule: null,
      durationMs: 0,
      excerpt: null,
      data: null,
    },
    transition: {
      state: isRead ? 'rejected' : 'dead',
      delayMs: 0,
      ringMs: null,
      spend: 0,
      lastOutcome: { kind: 'unknown', code, message },
    },
    order: { ...UNCHANGED, attention: { code, detail: message }, readMs: isRead ? READ_LATER_MS : null },
    event: {
      type: isRead ? 'operation.rejected' : 'operation.dead',
      data: { kind: claim.kind, code, ambiguous },
    },
    deadLetter: isRead
      ? null
      : { code, message, ambiguous: ambiguous || claim.purpose === 'look', candidates: [] },
    found: null,
    followUp: null,
  });
  tellOf(deps, { account, claim }, 'bug', message);
  return isRead ? { kind: 'done', what: code } : { kind: 'dead', why: code };
}

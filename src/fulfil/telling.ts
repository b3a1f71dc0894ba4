/** Telling: one wide line per attempt, then the alerts. After it is stored, never before. */
import { type Alert, alert } from '../events/alerts.js';
import type { Settled, Settlement } from '../orders/store/settle.js';
import type { Classified } from '../policy/classify.js';
import type { AlertCode, Decision } from '../policy/decide.js';
import type { Call, FulfilDeps } from './deps.js';

/** Sentences for what a decision wants told beside dead letters and pauses, which are told where they are made. */
const DECISION_ALERTS: Partial<Record<AlertCode, string>> = {
  gone: 'the provider has retired what we call; its answer names the successor',
};

/** One wide line per attempt, always with the same keys; then the alerts. After it is stored, never before. */
export function report(
  deps: FulfilDeps,
  call: Call,
  settlement: Settlement,
  { classified, decision }: { classified: Classified; decision: Decision | null },
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
  const sentence = decision?.alert === undefined ? undefined : DECISION_ALERTS[decision.alert];
  if (decision?.alert !== undefined && sentence !== undefined) tellOf(deps, call, decision.alert, sentence);
  if (settled?.applied !== false && settlement.deadLetter !== null) {
    // Without the provider's own words, which may name the customer: they stand in the letter.
    const letter =
      settled === null || settled.deadLetterId === null
        ? 'a dead letter'
        : `dead letter ${settled.deadLetterId}`;
    tellOf(
      deps,
      call,
      'dead_letter',
      `${claim.kind} needs a decision: ${letter}, ${settlement.deadLetter.code}`,
    );
  }
}

export function tellOf(
  deps: FulfilDeps,
  { account, claim }: Pick<Call, 'account' | 'claim'>,
  code: Alert['code'],
  message: string,
): void {
  const about = { account: account.id, orderId: claim.order?.id, reference: claim.order?.reference, message };
  deps.tell(alert(code, about, deps.time.clock.now()));
}

/** Telling: one wide line per attempt, then the alerts. After it is stored, never before. */
import { type Alert, alert } from '../events/alerts.js';
import type { Settled, Settlement } from '../orders/store/settle.js';
import type { Classified } from '../policy/classify.js';
import type { Decision } from '../policy/decide.js';
import { outcomeMessage } from '../policy/outcome.js';
import type { Call, FulfilDeps } from './deps.js';

/**
 * One wide line per attempt, always with the same keys; then the alerts. After it is stored, never before.
 * @param judged with the decision about the account, which a look has as well; null where it is told elsewhere
 */
export function report(
  deps: FulfilDeps,
  call: Call,
  settlement: Settlement,
  { classified, doors: decision }: { classified: Classified; doors: Decision | null },
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
  // Other alerts of a decision are told where gates are closed and accounts paused. The provider's words name the successor.
  if (decision?.alert === 'gone') {
    const said = outcomeMessage(classified.outcome) ?? 'it does not say what takes its place';
    tellOf(deps, call, 'gone', `${account.provider.id} has retired what ${step.name} calls: ${said}`);
  }
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

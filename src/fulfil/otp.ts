/** One-time passwords, as far as no person is needed: one code is asked for when an operation begins to wait for one. */
import { beginOtpCall } from '../orders/store/otp.js';
import { endSideCall } from '../orders/store/side-calls.js';
import { classify } from '../policy/classify.js';
import { type Outcome, outcomeCode } from '../policy/outcome.js';
import { type Call, callOnce, count, type FulfilDeps } from './deps.js';
import { evidenceOf } from './evidence.js';
import { tellOf } from './telling.js';

/**
 * Asks for the customer's code, once for each wait: another one only when a person asks. Where that fails the
 * operation waits all the same, and a human is told, for nobody else would ever ask again.
 */
export async function requestCode(deps: FulfilDeps, call: Call): Promise<void> {
  const { account, claim, work } = call;
  const { otp } = account.open;
  if (otp === undefined || claim.order === null || claim.carry.otpRequested === true) return;
  if (otp.recipient(work) === null) {
    tellOf(
      deps,
      call,
      'otp_not_sent',
      'a one-time password is needed, and the order names nobody to send it to',
    );
    return;
  }
  const outcome = await ask(deps, call, otp.request, claim.order.id);
  if (outcome !== null && outcome.kind !== 'done') {
    const message = `a one-time password is needed, and asking for it ended as ${outcome.kind} (${outcomeCode(outcome)}): have it sent again`;
    tellOf(deps, call, 'otp_not_sent', message);
  }
}

async function ask(
  deps: FulfilDeps,
  { account, claim, work, token }: Call,
  step: NonNullable<Call['account']['open']['otp']>['request'],
  orderId: string,
): Promise<Outcome | null> {
  const attempt = await beginOtpCall(deps.db, orderId, step.name, account.common.requestTimeoutMs);
  // Whoever else moved the order on meanwhile has the code already.
  if (attempt === null) return null;
  const { clock } = deps.time;
  const asked = { monotonic: clock.monotonic(), wall: clock.now() };
  const made = await callOnce(deps, account, claim, { step, work }, asked, { token, session: null });
  const classified = classify(
    made.result,
    step,
    account.policy,
    (answer) => step.read(work, answer),
    account.open.readError,
    account.open.statusOf,
  );
  count(deps, made, classified.outcome.kind, 'ask');
  await endSideCall(
    deps.db,
    attempt,
    evidenceOf(step.name, made.request, made.result, classified, made.durationMs, false),
  );
  return classified.outcome;
}

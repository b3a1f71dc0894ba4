/** What one answer means for the whole account: its gate, its pause, its row of misconfigured orders. */
import type { CachedAccount } from '../accounts/cache.js';
import { countMisconfigured, markProven, pauseAccount } from '../accounts/pause.js';
import { alert } from '../events/alerts.js';
import { signOf } from '../gate/breaker.js';
import { closeGate, forgiveStrikes, openVerb } from '../gate/closures.js';
import { cutShare } from '../gate/permits.js';
import type { Decision, GateClosure } from '../policy/decide.js';
import type { Outcome } from '../policy/outcome.js';
import type { Call, FulfilDeps } from './deps.js';

/** Different orders in a row that are refused as misconfigured, before the account pauses (design, "Outcome and decision"). */
const MISCONFIGURED_LIMIT = 3;

/**
 * Gate and pause first, so that all workers of the account stand still before this one goes on.
 * @param outcome what the call came to, before anything was concluded from it
 */
export async function closeDoors(
  deps: FulfilDeps,
  call: Call,
  outcome: Outcome,
  decision: Decision | null,
): Promise<void> {
  const { account, claim, result, token } = call;
  const sign = signOf(result, outcome, statusOf(call));
  await deps.gate(account).count(sign, claim.probes ? claim.operationId : null);
  if (decision?.gate !== undefined) {
    const first = await closeGate(deps.db, account.id, decision.gate, claim.strikes + 1);
    // Where headers name what is left, the pace follows them.
    if (decision.gate.strike) await cutShare(deps.db, account.id, account.limits.perMs);
    // A verb that was tried in vain is no news.
    if (decision.alert === 'long_wait' || (decision.alert === 'funds' && first))
      tellOfClosure(deps, account, decision.alert, decision.gate);
  } else if (claim.strikes > 0 && result.kind === 'answered') await forgiveStrikes(deps.db, account.id);
  if (claim.tries && decision?.kind === 'succeed') await openVerb(deps.db, account.id, claim.kind);
  if (decision?.refresh === true && token !== null) await deps.tokens.refused(account, token.generation);
  if (decision?.pause !== undefined && !(await isOutdated(deps, account)))
    await pause(deps, account, decision.pause);
  if (decision?.misconfigured === true && claim.order !== null) {
    const inARow = await countMisconfigured(deps.db, account.id, claim.order.id);
    if (inARow >= MISCONFIGURED_LIMIT) {
      await pause(deps, account, {
        code: 'misconfigured',
        reason: `${inARow} different orders in a row were refused as misconfigured`,
      });
    }
  } else if (
    decision?.kind === 'succeed' &&
    claim.kind === 'submit' &&
    claim.purpose === 'call' &&
    account.inDoubt
  ) {
    await markProven(deps.db, account.id);
  }
}

/** The status that the answer stands for: some providers refuse under 200. */
function statusOf({ account, result }: Call): number | null {
  if (result.kind !== 'answered') return null;
  return account.open.statusOf?.(result) ?? result.status;
}

/**
 * Whether the account was changed while the call was on its way: what was refused then need not be what holds
 * now, and the next call will tell. Without this a late refusal would undo the resume that new credentials bring.
 */
async function isOutdated({ accounts }: FulfilDeps, account: CachedAccount): Promise<boolean> {
  await accounts.refresh();
  // The cache makes a new object whenever the row has changed.
  return accounts.get(account.id) !== account;
}

function tellOfClosure(
  deps: FulfilDeps,
  account: CachedAccount,
  code: 'long_wait' | 'funds',
  { why, forMs }: GateClosure,
): void {
  const message = `${why}: no calls for ${Math.ceil(forMs / 60_000)} min`;
  deps.tell(alert(code, { account: account.id, message }, deps.time.clock.now()));
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

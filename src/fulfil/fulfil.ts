/**
 * One job: gate → claim + attempt → adapter step → evidence → decide → settle. The row decides everything; the
 * job only says that there may be something to do. Waits, give-backs and refused claims complete their job; a
 * retry throws, so that the queue's alarm clock shows it.
 */
import type { CachedAccount } from '../accounts/cache.js';
import { lookRound } from '../confirm/round.js';
import type { Database } from '../database/connect.js';
import { sqlState } from '../database/connect.js';
import {
  buryOrphan,
  type Claim,
  type ClaimResult,
  doubtUnclaimed,
  giveBackRings,
  parkBusy,
} from '../orders/store/claim.js';
import { controlOrder } from '../orders/store/confirm.js';
import { settleWithoutOrder } from '../orders/store/verbs.js';
import { PRIORITY } from '../policy/job-options.js';
import { findStep, type Step } from '../providers/provider.js';
import { conclude, ImpossibleRow, park } from './conclude.js';
import {
  type Bell,
  type Call,
  callOnce,
  type FulfilDeps,
  type Fulfilled,
  type Keys,
  keysOf,
  workOf,
} from './deps.js';
import { Bug } from './learn.js';
import { type Prepared, prepare, workBefore } from './prepare.js';

/** Runs one operation once. */
export async function fulfil(deps: FulfilDeps, bell: Bell): Promise<Fulfilled> {
  const { account, priority, dueAt } = bell;
  const ready = await makeReady(deps, bell);
  if (ready.kind === 'over') return { kind: 'done', what: 'not claimed: it is under way, or over' };
  await deps.at?.('gate.before', bell.operationId);
  // The claim decides: by then a submit may have become a look, or the other way round.
  const passes = priority <= PRIORITY.confirm;
  const permit = await deps.gate(account).acquire({ priority, dueAt, passes, signal: deps.stopping });
  if (!permit.granted) {
    await giveBackRings(deps.db, [{ operationId: bell.operationId, delayMs: Math.round(permit.retryMs) }]);
    return { kind: 'done', what: 'given back: the gate is closed' };
  }
  await deps.at?.('gate.after', bell.operationId);
  const asked = { monotonic: deps.time.clock.monotonic(), wall: deps.time.clock.now() };
  const claimed = await claimOne(deps, bell, ready.kind === 'ready' ? ready.prepared : {});
  if (claimed === null)
    return { kind: 'done', what: 'not claimed: what became of its last call is found out first' };
  if (!claimed.ok) return refused(deps, claimed.operationId, claimed.refusal);
  if (ready.kind === 'bug') return park(deps, account, claimed.claim, ready.cause, false);
  await deps.at?.('claimed', bell.operationId);
  const fulfilled = await runClaim(deps, account, claimed.claim, asked, ready.keys);
  await deps.at?.('settled', bell.operationId);
  return fulfilled;
}

/** What a claim needs, found out before it. A bug in that is parked once the operation is ours. */
type Ready =
  | { kind: 'ready'; prepared: Prepared; keys: Keys }
  | { kind: 'over' }
  | { kind: 'bug'; cause: unknown };

async function makeReady(deps: FulfilDeps, { account, operationId }: Bell): Promise<Ready> {
  try {
    const prepared = await prepare(deps, account, operationId);
    if (prepared === null) return { kind: 'over' };
    return {
      kind: 'ready',
      prepared,
      keys: await keysOf(deps, account, () => workBefore(deps, account, operationId)),
    };
  } catch (error) {
    if (!(error instanceof Bug)) throw error;
    return { kind: 'bug', cause: error.cause };
  }
}

/** PostgreSQL, "Error Codes". */
const UNIQUE_VIOLATION = '23505';

/** Null where a call of the operation stands open, which the database does not let be made again. */
async function claimOne(
  { db, hot }: FulfilDeps,
  { account, operationId }: Bell,
  prepared: Prepared,
): Promise<ClaimResult | null> {
  const timeoutMs = account.common.requestTimeoutMs;
  try {
    return await hot.claim({ operationId, account: account.id, reads: false, timeoutMs, ...prepared });
  } catch (error) {
    if (sqlState(error) === UNIQUE_VIOLATION && (await doubtUnclaimed(db, operationId))) return null;
    throw error;
  }
}

/** Others of a verb, or of an account with an open breaker, come back after this while one operation tries, ms. */
export const TRIED_MS = 1_000;
/** Bells that rang when nothing may be sent come back after this, ms; the dispatcher rings no more meanwhile. */
export const UNRECOVERED_MS = 5_000;

async function refused(deps: FulfilDeps, operationId: string, refusal: string): Promise<Fulfilled> {
  switch (refusal) {
    case 'paused':
    case 'gate_closed':
      await giveBackRings(deps.db, [{ operationId, delayMs: 0 }]);
      break;
    case 'unrecovered':
      await giveBackRings(deps.db, [{ operationId, delayMs: UNRECOVERED_MS }]);
      break;
    case 'tried':
      // Until the one that tries has gone through; the dispatcher rings no other one meanwhile.
      await giveBackRings(deps.db, [{ operationId, delayMs: TRIED_MS }]);
      break;
    case 'busy':
      if (!(await parkBusy(deps.db, [operationId]))) return parkOrphan(deps, operationId);
      break;
    case 'no_provider_order': {
      const orderId = await orderOf(deps.db, operationId);
      if (orderId === null) return parkOrphan(deps, operationId);
      const end = await deps.db.transaction((sql) => settleWithoutOrder(sql, orderId));
      if (end === 'waits') await parkBusy(deps.db, [operationId]);
      break;
    }
    default:
      // Not due or gone: an early, double or late bell, which costs nothing.
      break;
  }
  return { kind: 'done', what: `not claimed: ${refusal}` };
}

/** Somebody has removed the order: what was to be done for it is put before a person. */
async function parkOrphan({ db, log }: FulfilDeps, operationId: string): Promise<Fulfilled> {
  if (!(await buryOrphan(db, operationId))) return { kind: 'done', what: 'not claimed: busy' };
  log.error({ event: 'operation.orphaned', operationId }, 'the order of an operation is gone');
  return { kind: 'dead', why: 'order_gone' };
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
  keys: Keys,
): Promise<Fulfilled> {
  const step = stepOf(account, claim);
  const wrong = step === null ? noStep(account, claim) : contradiction(claim, step);
  if (step === null || wrong !== null)
    return park(deps, account, claim, new ImpossibleRow(wrong ?? ''), false);
  let call: Call;
  try {
    const work = workOf(account, await aboutOf(deps, account, claim));
    call = await callOnce(deps, account, claim, { step, work }, asked, keys);
  } catch (error) {
    return park(deps, account, claim, error instanceof Bug ? error.cause : error, false);
  }
  try {
    return await conclude(deps, call);
  } catch (error) {
    // What cannot be stored is not a bug of the order: the lease ends and the operation is recovered.
    if (!(error instanceof Bug)) throw error;
    const harmless = call.result.kind === 'notSent' || step.repeatable || claim.purpose !== 'call';
    return park(deps, account, claim, error.cause, !harmless);
  }
}

/** The claim's own order; in a control look the other one, which has to be found. */
async function aboutOf(
  { db }: FulfilDeps,
  account: CachedAccount,
  claim: Claim,
): Promise<Pick<Claim, 'order' | 'params' | 'carry'>> {
  const control = claim.purpose === 'look' ? lookRound(claim, account.open.reads).control : null;
  if (control === null) return claim;
  const order = await controlOrder(db, control.orderId);
  if (order === null) throw new Error(`order ${control.orderId}, which was to be looked for, is gone`);
  return { order, params: {}, carry: {} };
}

function noStep({ provider }: CachedAccount, { kind, step, purpose }: Claim): string {
  return purpose === 'look'
    ? `${provider.id} cannot look up what became of a ${kind}`
    : `${provider.id} has no step "${step.slice(0, 60)}" for ${kind}`;
}

/** Why this row must not lead to this call: as written, the call could be made twice, and nobody would know. */
function contradiction(
  { purpose, stepRepeatable }: Claim,
  { name, writes, repeatable }: Step,
): string | null {
  if (purpose !== 'call' && writes)
    return `step ${name} changes something, and the row calls it a ${purpose}`;
  if (purpose === 'call' && stepRepeatable && !repeatable)
    return `step ${name} may not be repeated, and the row says that it may`;
  return null;
}

function stepOf(account: CachedAccount, claim: Claim): Step | null {
  if (claim.purpose === 'look') return lookRound(claim, account.open.reads).step;
  return findStep(account.open, claim.kind, claim.step);
}

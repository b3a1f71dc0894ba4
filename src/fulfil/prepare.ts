/** Before the claim: where a verb of several steps begins, from what is known already. Reads and one update, no call. */
import type { CachedAccount } from '../accounts/cache.js';
import type { Claim } from '../orders/store/claim.js';
import {
  beginAt,
  findFacts,
  openOrderData,
  type UnclaimedOperation,
  unclaimedOperation,
} from '../orders/store/facts.js';
import { findStep, type Known, type Work } from '../providers/provider.js';
import { type FulfilDeps, workOf } from './deps.js';
import { factContext } from './gains.js';
import { asBug, Bug } from './learn.js';

/** For which claim an operation was prepared: one with this fence; any, where there is nothing to prepare. */
export type Prepared = { fence?: number };

/** States from which an operation is claimed. In any other one it is somebody else's, or over. */
const CLAIMABLE: readonly string[] = ['pending', 'queued', 'retrying', 'waiting', 'unconfirmed'];

/**
 * Moves the operation to the step where it is to begin. Does nothing for adapters that have nothing to prepare, and
 * for operations that are being looked up.
 * @returns null where there is nothing to be claimed
 * @throws Bug where the adapter cannot make anything of the row
 */
export async function prepare(
  deps: FulfilDeps,
  account: CachedAccount,
  operationId: string,
): Promise<Prepared | null> {
  const { prepare: preparation } = account.open;
  if (preparation === undefined) return {};
  const operation = await unclaimedOperation(deps.db, operationId);
  if (operation === null || !CLAIMABLE.includes(operation.state)) return null;
  const { fence } = operation;
  if (operation.purpose !== 'call' || operation.state === 'unconfirmed') return { fence };
  const work = workOf(account, operation satisfies Pick<Claim, 'order' | 'params' | 'carry'>);
  const wanted = asBug(() => preparation.facts(operation.kind, work));
  const rows = await findFacts(deps.db, account.id, wanted.facts);
  const known: Known = {
    facts: rows.flatMap(({ kind, key, value, sealed }) => {
      const opened =
        value ??
        (sealed === null ? null : asBug(() => deps.unseal(sealed, factContext(account.id, kind, key))));
      return opened === null ? [] : [{ kind, key, value: opened }];
    }),
    openOrders:
      wanted.openOrders === undefined
        ? []
        : await openOrderData(deps.db, account.id, operation.order.id, wanted.openOrders),
    last: lastOf(operation),
  };
  const begin = asBug(() => preparation.begin(operation.kind, work, known));
  if (begin === null) return { fence };
  const step = findStep(account.open, operation.kind, begin.step);
  if (step === null) {
    const where = `${account.provider.id} begins ${operation.kind} at ${begin.step}`;
    throw new Bug('preparing failed', { cause: new Error(`${where}, which it does not have`) });
  }
  await beginAt(deps.db, operationId, operation, {
    step: step.name,
    repeatable: step.repeatable,
    carry: begin.carry,
  });
  return { fence };
}

/** How the operation's own last attempt ended, where it has made one. */
function lastOf({ step, lastOutcome }: UnclaimedOperation): NonNullable<Known['last']> | null {
  return lastOutcome === null ? null : { step, kind: lastOutcome.kind, code: lastOutcome.code };
}

/** What an operation works on, before it is claimed; null where it has no order. */
export async function workBefore(
  deps: Pick<FulfilDeps, 'db'>,
  account: CachedAccount,
  operationId: string,
): Promise<Work | null> {
  const operation = await unclaimedOperation(deps.db, operationId);
  return operation === null ? null : workOf(account, operation);
}

/** What an attempt learned: the answer, classified. */
import { foundBy, withoutAdopted } from '../confirm/adopted.js';
import { adoptedIds } from '../orders/store/confirm.js';
import { type Classified, classify } from '../policy/classify.js';
import type { Call, FulfilDeps } from './deps.js';

/** Wraps what our own pure code threw, apart from what the database did. */
export class Bug extends Error {
  override name = 'Bug';
}

/** Runs pure code over untrusted input: an exception in it is a bug and parks the operation. @throws Bug */
export function asBug<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Bug('our own code failed', { cause: error });
  }
}

/** Classifies the answer; where a lookup can only correlate, without the orders that are others' already. */
export async function learn(deps: Pick<FulfilDeps, 'db'>, call: Call): Promise<Classified> {
  const { account, claim } = call;
  const classified = asBug(() => classifyCall(call));
  const found = foundBy(classified.outcome).map(({ providerOrderId }) => providerOrderId);
  const correlates = claim.purpose === 'look' && account.open.capabilities.lookup === 'correlation';
  if (!correlates || claim.order === null || found.length === 0) return classified;
  const adopted = await adoptedIds(deps.db, account.id, claim.order.id, found);
  return { ...classified, outcome: withoutAdopted(classified.outcome, adopted) };
}

function classifyCall({ account, claim, step, work, result }: Call): Classified {
  const facts = {
    name: step.name,
    repeatable: step.repeatable || claim.purpose !== 'call',
    writes: step.writes,
  };
  return classify(
    result,
    facts,
    account.policy,
    (answer) => step.read(work, answer),
    account.open.readError,
    account.open.statusOf,
  );
}

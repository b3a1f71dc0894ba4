/** `recover`: goes on with a database that may lack what was sent last. */
import type { CachedAccount } from '../accounts/cache.js';
import { acceptIdentity, identityTrouble } from '../database/identity.js';
import { chainRoot } from '../fulfil/tokens.js';
import type { Operator } from '../operator.js';
import { type Doubt, doubtUnfinished, takeNewIds } from '../orders/store/restored.js';
import { holdRefreshes } from '../orders/store/tokens.js';
import { ok } from '../problem.js';
import type { OperatorDeps } from './deps.js';

/** See the module's comment. */
export function recoverVerbs({ db, accounts, hint }: OperatorDeps): Pick<Operator, 'recover'> {
  return {
    async recover({ actor, force, lookFirstMs }) {
      const why = await identityTrouble(db);
      if (why === null && !force) return ok({ recovered: false, why: null, looks: 0, letters: 0, tokens: 0 });
      await accounts.refresh();
      const open = accounts.all();
      const done = await db.transaction(async (sql) => {
        const doubted = await doubtUnfinished(sql, open.flatMap(doubtsOf), actor);
        const tokens = await holdRefreshes(sql, open.flatMap(chainOf));
        await takeNewIds(sql);
        await acceptIdentity(sql, lookFirstMs);
        return { ...doubted, tokens };
      });
      hint();
      return ok({ recovered: true, why, ...done });
    },
  };
}

/** Only a lookup by reference can tell of an order whose baseline may be as old as the dump. */
function doubtsOf({ id, open }: CachedAccount): Doubt[] {
  const { submit: _, ...others } = open.verbs;
  const submit: Doubt = {
    account: id,
    kind: 'submit',
    how: open.capabilities.lookup === 'reference' ? 'look' : 'letter',
  };
  const kinds = ['activate', 'cancel', 'update'] as const;
  const unrepeatable = kinds.filter((kind) => others[kind]?.some(({ repeatable }) => !repeatable) === true);
  return [submit, ...unrepeatable.map((kind): Doubt => ({ account: id, kind, how: 'letter' }))];
}

function chainOf({ id, open }: CachedAccount): { account: string; root: string }[] {
  return open.tokens === undefined ? [] : [{ account: id, root: chainRoot(open.tokens) }];
}

/** The verbs about dead letters. Each decision is a compare-and-set; who comes second is told. */

import { activationOf } from '../fulfil/order-change.js';
import type { Operator } from '../operator.js';
import type { OrderBody } from '../orders/body.js';
import { isOperationKind, type ProviderState, providerReference } from '../orders/order.js';
import {
  adoptOrder,
  decideLetter,
  discardOperation,
  type LetterFacts,
  lockLetter,
  reopenOperation,
} from '../orders/store/dead-letters.js';
import { findLetter, findOrder, type LetterRow, listLetters } from '../orders/store/queries.js';
import { insertOperation, openOperation } from '../orders/store/verbs.js';
import { PRIORITY } from '../policy/job-options.js';
import { ok, type Result, refused } from '../problem.js';
import type { OpenAccount } from '../providers/provider.js';
import type { DeadLetterJson } from '../views.js';
import { readCursor, writeCursor } from './cursor.js';
import type { OperatorDeps } from './deps.js';
import { readOnce } from './read-once.js';
import { letterJson } from './views.js';

type LetterVerbs = Pick<
  Operator,
  'listDeadLetters' | 'getDeadLetter' | 'replay' | 'adopt' | 'discard' | 'replayMany'
>;

const DEFAULT_PAGE = 50;
const MAX_PAGE = 500;
/** Letters that one bulk replay touches at most. */
const MAX_BULK = 10_000;
const STATES = ['open', 'replayed', 'adopted', 'discarded'] as const;
type LetterState = (typeof STATES)[number];

const isState = (text: string): text is LetterState => STATES.some((state) => state === text);

function letterId(text: string): bigint | null {
  return /^\d{1,18}$/.test(text) ? BigInt(text) : null;
}

export function letterVerbs(deps: OperatorDeps): LetterVerbs {
  const { db } = deps;

  const load = async (id: string): Promise<Result<DeadLetterJson>> => {
    const number = letterId(id);
    const row = number === null ? null : await findLetter(db.prisma, number);
    return row === null
      ? refused('not-found', `there is no dead letter ${id.slice(0, 40)}`)
      : ok(letterJson(row));
  };

  const replay: LetterVerbs['replay'] = async (id, { actor, reason, force }) => {
    const number = letterId(id);
    if (number === null) return refused('not-found', `there is no dead letter ${id.slice(0, 40)}`);
    const stood = await db.transaction(async (sql) => {
      const letter = await lockLetter(sql, id);
      if (letter === null) return refused('not-found', `there is no dead letter ${id}`);
      if (letter.state !== 'open') return refused('already-decided', `dead letter ${id} is ${letter.state}`);
      if (letter.operationState !== 'dead') {
        return refused(
          'not-possible',
          `its operation is ${letter.operationState}; adopt or discard this letter instead`,
        );
      }
      await decideLetter(sql, id, 'replayed', actor, reason ?? null);
      // An ambiguous one is looked up first, always; force only lets it go out again once it is proven absent.
      await reopenOperation(
        sql,
        letter.operationId,
        letter.ambiguous,
        force === true,
        beginningOf(deps, letter),
      );
      return null;
    });
    if (stood !== null) return stood;
    deps.hint();
    return load(id);
  };

  return {
    getDeadLetter: load,
    replay,

    async listDeadLetters(query) {
      const { state = 'open', kind } = query;
      if (!isState(state))
        return refused(
          'bad-request',
          `there is no state "${state.slice(0, 40)}"; there are ${STATES.join(', ')}`,
        );
      if (kind !== undefined && !isOperationKind(kind))
        return refused('bad-request', `there is no kind "${kind.slice(0, 40)}"`);
      const after = query.cursor === undefined ? undefined : letterId(readCursor(query.cursor, 1)?.[0] ?? '');
      if (after === null)
        return refused('bad-request', 'this cursor is none of ours; leave it out to begin anew');
      const limit = Math.min(query.limit ?? DEFAULT_PAGE, MAX_PAGE);
      const rows = await listLetters(db.prisma, {
        account: query.account,
        code: query.code,
        kind,
        state,
        after,
        limit,
      });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return ok({
        deadLetters: page.map(letterJson),
        nextCursor: rows.length > limit && last !== undefined ? writeCursor([String(last.id)]) : null,
      });
    },

    async adopt(id, { actor, providerOrderId }) {
      const number = letterId(id);
      const letter = number === null ? null : await findLetter(db.prisma, number);
      if (letter === null || letter.orderId === null)
        return refused('not-found', `there is no dead letter ${id.slice(0, 40)} of an order`);
      if (letter.state !== 'open') return refused('already-decided', `dead letter ${id} is ${letter.state}`);
      const asked = await askProvider(deps, letter, providerOrderId);
      if (!asked.ok) return asked;
      const stood = await takeOver(deps, id, { ...asked.value, kind: letter.kind }, actor);
      if (stood !== null) return stood;
      deps.hint();
      return load(id);
    },

    async discard(id, { actor, reason }) {
      if (letterId(id) === null) return refused('not-found', `there is no dead letter ${id.slice(0, 40)}`);
      const stood = await db.transaction(async (sql) => {
        const letter = await lockLetter(sql, id);
        if (letter === null) return refused('not-found', `there is no dead letter ${id}`);
        if (letter.state !== 'open')
          return refused('already-decided', `dead letter ${id} is ${letter.state}`);
        await decideLetter(sql, id, 'discarded', actor, reason);
        await discardOperation(sql, letter.operationId, reason);
        return null;
      });
      return stood ?? load(id);
    },

    async replayMany(filter, actor) {
      const { kind, ids } = filter;
      if (kind !== undefined && !isOperationKind(kind))
        return refused('invalid', 'see errors', [
          { pointer: '/kind', code: 'invalid', detail: `there is no kind "${kind.slice(0, 40)}"` },
        ]);
      const numbers = ids?.map(letterId);
      const wrong = numbers?.indexOf(null) ?? -1;
      if (wrong >= 0)
        return refused('invalid', 'see errors', [
          { pointer: `/ids/${wrong}`, code: 'invalid', detail: 'a dead letter id is a number' },
        ]);
      const known = numbers?.filter((number) => number !== null);
      const limit = Math.min(filter.limit ?? MAX_BULK, MAX_BULK);
      const rows = await listLetters(db.prisma, {
        account: filter.account,
        code: filter.code,
        kind,
        ids: known,
        state: 'open',
        limit,
      });
      const letters = rows.slice(0, limit);
      const skipped: { id: string; reason: string }[] = [];
      let replayed = 0;
      for (const letter of filter.dryRun === true ? [] : letters) {
        const result = await replay(String(letter.id), { actor, reason: 'bulk replay' });
        if (result.ok) replayed += 1;
        else skipped.push({ id: String(letter.id), reason: result.problem.detail });
      }
      return ok({ matched: letters.length, replayed, skipped });
    },
  };
}

/** Where an operation begins anew whose row could not be worked from; null where it goes on where it stood. */
function beginningOf({ accounts }: OperatorDeps, { code, kind, account }: LetterFacts) {
  if (code !== 'impossible_row' || kind === 'poll') return null;
  return accounts.get(account)?.open.verbs[kind]?.[0] ?? null;
}

/** The provider itself says whether it holds the order, and under which reference. */
async function askProvider(
  deps: OperatorDeps,
  letter: LetterRow,
  providerOrderId: string,
): Promise<Result<{ state: ProviderState; open: OpenAccount; body: OrderBody }>> {
  const account = deps.accounts.get(letter.accountId);
  const row = letter.orderId === null ? null : await findOrder(deps.db.prisma, letter.orderId);
  if (account === null || row === null)
    return refused('not-possible', `account ${letter.accountId} cannot be used`);
  const wrong = (detail: string) =>
    refused('invalid', 'see errors', [{ pointer: '/providerOrderId', code: 'invalid', detail }]);
  const read = await readOnce(deps, account, account.open.reads.get, { row, providerOrderId });
  if (read.kind === 'missing') return wrong(`the provider does not know "${providerOrderId.slice(0, 100)}"`);
  if (read.kind !== 'observed')
    return refused('not-available', 'the provider could not be asked just now; try again');
  const { state } = read;
  if (state.providerOrderId !== providerOrderId)
    return wrong(
      `the provider answers with its order ${state.providerOrderId.slice(0, 100)}: name it by that id`,
    );
  const reference = providerReference(row.reference, row.generation, account.common.referencePrefix);
  if (state.reference !== null && state.reference !== reference)
    return wrong('the provider holds another reference for this id');
  // The column holds what intake validated and nothing else writes it.
  return ok({ state, open: account.open, body: row.body as unknown as OrderBody });
}

/** Compare-and-set against other decisions, and against other orders that hold the id. */
async function takeOver(
  deps: OperatorDeps,
  id: string,
  { state, open, body, kind }: { state: ProviderState; open: OpenAccount; body: OrderBody; kind: string },
  actor: string,
): Promise<Result<never> | null> {
  const status = state.status ?? 'submitted';
  return deps.db.transaction(async (sql) => {
    const letter = await lockLetter(sql, id);
    if (letter === null) return refused('not-found', `there is no dead letter ${id}`);
    if (letter.state !== 'open') return refused('already-decided', `dead letter ${id} is ${letter.state}`);
    if (letter.operationState !== 'dead')
      return refused(
        'not-possible',
        `its operation is ${letter.operationState}, so there is nothing to adopt; settle the matter with the provider, then discard this letter`,
      );
    const [holder] = await sql.query<{ id: string }>(
      `select id::text as id from packline.orders where account_id = $1 and provider_order_id = $2 and id <> $3::uuid`,
      letter.account,
      state.providerOrderId,
      letter.orderId ?? '',
    );
    if (holder !== undefined) return refused('id-taken', `order ${holder.id} holds this provider id`);
    await decideLetter(sql, id, 'adopted', actor, null);
    // A read brings what the order was adopted for, codes and tracking included.
    const read = {
      kind: 'poll',
      step: open.reads.get.name,
      stepRepeatable: true,
      priority: PRIORITY.poll,
    } as const;
    const activation = kind === 'submit' ? activationOf(open, body, status) : null;
    for (const next of activation === null ? [read] : [read, activation]) {
      if (letter.orderId !== null && (await openOperation(sql, letter.orderId, next.kind)) === null)
        await insertOperation(sql, { ...next, orderId: letter.orderId, params: {}, state: 'pending', actor });
    }
    const adopted = await adoptOrder(sql, letter.operationId, state.providerOrderId, state.rawStatus, status);
    if (!adopted)
      throw new Error(`operation ${letter.operationId} of dead letter ${id} is not dead any more`);
    return null;
  });
}

/** The verbs about orders. */
import { v7 as uuid } from 'uuid';
import { checkOrder } from '../intake/intake.js';
import type { Operator } from '../operator.js';
import type { OrderBody } from '../orders/body.js';
import type { OrderStatus } from '../orders/order.js';
import { isOrderStatus } from '../orders/states.js';
import { correctOrder, insertOrders, type NewOrder } from '../orders/store/intake.js';
import {
  findByReference,
  findOrder,
  findOrders,
  isUuid,
  listOrders,
  type OrderRow,
  timeline,
} from '../orders/store/queries.js';
import { cancel, insertOperation, openOperation, releaseHeld } from '../orders/store/verbs.js';
import { PRIORITY } from '../policy/job-options.js';
import { ok, type Problem, problem, type Result, refused } from '../problem.js';
import type { Step } from '../providers/provider.js';
import type { OrderJson } from '../views.js';
import { readCursor, writeCursor } from './cursor.js';
import type { OperatorDeps } from './deps.js';
import { orderJson, timelineEntry } from './views.js';

type OrderVerbs = Pick<
  Operator,
  | 'submit'
  | 'submitMany'
  | 'correct'
  | 'listOrders'
  | 'getOrder'
  | 'findOrder'
  | 'timeline'
  | 'activate'
  | 'cancel'
  | 'updateShipment'
  | 'syncOrder'
>;

const DEFAULT_PAGE = 50;
const MAX_PAGE = 500;

export function orderVerbs(deps: OperatorDeps): OrderVerbs {
  const { db, accounts } = deps;
  const show = showAt(deps);

  const load = async (id: string): Promise<Result<OrderJson>> => {
    const row = await findOrder(db.prisma, id);
    return row === null ? refused('not-found', `there is no order ${id.slice(0, 60)}`) : ok(show(row));
  };

  const submitMany: OrderVerbs['submitMany'] = async (bodies, actor) => {
    const checked = bodies.map((body) => checkOrder(body, accounts.get));
    const fresh = checked.flatMap((check, index) =>
      check.ok ? [{ index, order: { ...check.order, id: uuid(), actor } }] : [],
    );
    const stored =
      fresh.length === 0
        ? []
        : await insertOrders(
            db,
            fresh.map(({ order }) => order),
          );
    if (stored.some(({ result }) => result === 'created')) deps.hint();
    const rows = new Map(
      (await findOrders(db.prisma, [...new Set(stored.map(({ orderId }) => orderId))])).map((row) => [
        row.id,
        show(row),
      ]),
    );
    const results = new Map(
      fresh.map(({ index, order }, n): [number, Result<{ created: boolean; order: OrderJson | null }>] => {
        const one = stored[n];
        if (one === undefined) throw new Error(`order ${order.reference} was not stored`);
        if (one.result === 'taken') {
          const detail = `"${order.reference}" of ${order.accountId} is order ${one.orderId}, with another body; PUT /v1/orders/${one.orderId} corrects a refused one`;
          return [index, refused('reference-taken', detail)];
        }
        return [index, ok({ created: one.result === 'created', order: rows.get(one.orderId) ?? null })];
      }),
    );
    return checked.map((check, index) => {
      if (!check.ok) return { ok: false, problem: invalid(check.problems) };
      const result = results.get(index);
      if (result === undefined) throw new Error(`order ${index} has no result`);
      return result;
    });
  };

  return {
    submitMany,

    async submit(body, { actor, validateOnly }) {
      if (validateOnly === true) {
        const check = checkOrder(body, accounts.get);
        return check.ok
          ? ok({ created: false, order: null })
          : { ok: false, problem: invalid(check.problems) };
      }
      const [result] = await submitMany([body], actor);
      if (result === undefined) throw new Error('an order went in and nothing came back');
      return result;
    },

    async correct(orderId, body, actor) {
      const row = await findOrder(db.prisma, orderId);
      if (row === null) return refused('not-found', `there is no order ${orderId.slice(0, 60)}`);
      const check = checkOrder(body, accounts.get);
      if (!check.ok) return { ok: false, problem: invalid(check.problems) };
      const { accountId, reference, ...rest } = check.order;
      if (accountId !== row.accountId || reference !== row.reference) {
        const problems = [
          ...(accountId === row.accountId
            ? []
            : [{ pointer: '/account', code: 'invalid', detail: `must stay ${row.accountId}` }]),
          ...(reference === row.reference
            ? []
            : [{ pointer: '/reference', code: 'invalid', detail: `must stay ${row.reference}` }]),
        ];
        return { ok: false, problem: invalid(problems) };
      }
      const corrected: Omit<NewOrder, 'accountId' | 'reference'> = { ...rest, id: row.id, actor };
      if (!(await correctOrder(db, corrected))) {
        return refused(
          'already-sent',
          'this order was, or may have been, accepted by the provider; cancel it, or decide its dead letter first',
        );
      }
      deps.hint();
      return load(row.id);
    },

    async listOrders(query) {
      const before = query.cursor === undefined ? undefined : readCursor(query.cursor, 1)?.[0];
      if (query.cursor !== undefined && (before === undefined || !isUuid(before)))
        return refused('bad-request', 'this cursor is none of ours; leave it out to begin anew');
      if (query.status !== undefined && !isOrderStatus(query.status))
        return refused('bad-request', `there is no status "${query.status.slice(0, 40)}"`);
      const limit = Math.min(query.limit ?? DEFAULT_PAGE, MAX_PAGE);
      const status: OrderStatus | undefined = query.status;
      const rows = await listOrders(db.prisma, { ...query, status, before, limit });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return ok({
        orders: page.map(show),
        nextCursor: rows.length > limit && last !== undefined ? writeCursor([last.id]) : null,
      });
    },

    getOrder: load,

    async findOrder(name) {
      const byId = await findOrder(db.prisma, name);
      if (byId !== null) return ok(show(byId));
      const slash = name.indexOf('/');
      const inAccount =
        slash > 0 ? await findByReference(db.prisma, name.slice(slash + 1), name.slice(0, slash)) : [];
      const found = inAccount.length > 0 ? inAccount : await findByReference(db.prisma, name);
      const [only] = found;
      if (only === undefined)
        return refused('not-found', `no order has the id or reference "${name.slice(0, 200)}"`);
      if (found.length > 1) {
        return refused(
          'bad-request',
          `several accounts hold "${name.slice(0, 200)}": write ${found.map((row) => `${row.accountId}/${row.reference}`).join(' or ')}`,
        );
      }
      return ok(show(only));
    },

    async timeline(orderId, query) {
      if ((await findOrder(db.prisma, orderId)) === null)
        return refused('not-found', `there is no order ${orderId.slice(0, 60)}`);
      const after = query.cursor === undefined ? null : readCursor(query.cursor, 3);
      if (query.cursor !== undefined && !isTimelineCursor(after))
        return refused('bad-request', 'this cursor is none of ours; leave it out to begin anew');
      const limit = Math.min(query.limit ?? DEFAULT_PAGE, MAX_PAGE);
      const [at = '', source = '', id = ''] = after ?? [];
      const rows = await timeline(db.prisma, orderId, after === null ? null : { at, source, id }, limit);
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const next =
        rows.length > limit && last !== undefined ? writeCursor([last.exactly, last.source, last.id]) : null;
      return ok({ timeline: page.map(timelineEntry), nextCursor: next });
    },

    async activate(orderId, actor) {
      return withOrder(deps, orderId, async (order, row) => {
        const account = accounts.get(order.account);
        if (account === null) return problem('not-possible', `account ${order.account} cannot be used`);
        if (order.held) {
          const [first] = account.open.verbs.submit;
          const submit = {
            step: first.name,
            stepRepeatable: first.repeatable,
            priority: PRIORITY.submit,
            // The column holds what intake validated and nothing else writes it.
            serialKey: account.open.serialKey?.(row.body as unknown as OrderBody) ?? null,
            lookable: account.open.capabilities.lookup === 'reference',
          };
          await db.transaction((sql) => releaseHeld(sql, order.id, submit, actor));
          return null;
        }
        if (
          order.operations.some(
            ({ kind, state }) => kind === 'activate' && !['rejected', 'dead', 'canceled'].includes(state),
          )
        )
          return null;
        const step = account.open.verbs.activate?.[0];
        if (step === undefined && order.activate === false && order.status === 'received') return null;
        if (step === undefined)
          return problem('not-possible', `${order.provider} has no activation on this account`);
        const from = account.open.activation?.from ?? ['draft'];
        // Not sent yet, and meant to be left unactivated: the wish waits for the submit.
        const unactivated =
          order.activate === false || (order.activate !== true && account.open.activation !== undefined);
        if (!from.includes(order.status) && !(order.status === 'received' && unactivated)) {
          return problem(
            'not-possible',
            `the order is ${order.status}; it can be activated while it is ${from.join(' or ')}`,
          );
        }
        await ask(deps, order.id, 'activate', step, actor, {}, order.providerOrderId === null);
        return null;
      });
    },

    async cancel(orderId, actor) {
      return withOrder(deps, orderId, async (order) => {
        const step = accounts.get(order.account)?.open.verbs.cancel?.[0] ?? null;
        const result = await db.transaction((sql) => cancel(sql, order.id, step, actor));
        return result.kind === 'impossible' ? problem('not-possible', result.why) : null;
      });
    },

    async updateShipment(orderId, params, actor) {
      return withOrder(deps, orderId, async (order) => {
        const account = accounts.get(order.account);
        const step = account?.open.verbs.update?.[0];
        if (account === null || step === undefined)
          return problem('not-possible', `${order.provider} cannot change a shipment`);
        const read = account.open.validateUpdate?.(params) ?? { params: {} };
        if ('problems' in read) return invalid(read.problems);
        if (!['received', 'draft', 'submitted', 'in_progress'].includes(order.status)) {
          return problem(
            'not-possible',
            `the order is ${order.status}, and its shipment can no longer be changed`,
          );
        }
        await ask(deps, order.id, 'update', step, actor, read.params, order.providerOrderId === null);
        return null;
      });
    },

    async syncOrder(orderId, actor) {
      return withOrder(deps, orderId, async (order) => {
        const step = accounts.get(order.account)?.open.reads.get;
        if (step === undefined) return problem('not-possible', `account ${order.account} cannot be used`);
        if (order.providerOrderId === null)
          return problem('not-possible', 'the provider does not hold this order yet');
        await ask(deps, order.id, 'poll', step, actor, {}, false);
        return null;
      });
    },
  };
}

function isTimelineCursor(parts: string[] | null): parts is string[] {
  const [at = '', source = '', id = ''] = parts ?? [];
  return !Number.isNaN(Date.parse(at)) && ['event', 'attempt'].includes(source) && /^\d{1,18}$/.test(id);
}

function invalid(problems: Parameters<typeof problem>[2]): Problem {
  return problem('invalid', 'see errors: each names its field and what to write instead', problems);
}

/** Orders as the contract has them, as they stand now. */
function showAt({ time }: OperatorDeps): (row: OrderRow) => OrderJson {
  return (row) => orderJson(row, time.clock.now());
}

/** Loads an order, does what was asked unless something stands in its way, and answers the order as it is then. */
async function withOrder(
  deps: OperatorDeps,
  orderId: string,
  work: (order: OrderJson, row: OrderRow) => Promise<Problem | null>,
): Promise<Result<OrderJson>> {
  const row = await findOrder(deps.db.prisma, orderId);
  if (row === null) return refused('not-found', `there is no order ${orderId.slice(0, 60)}`);
  const show = showAt(deps);
  const stood = await work(show(row), row);
  if (stood !== null) return { ok: false, problem: stood };
  deps.hint();
  const after = await findOrder(deps.db.prisma, row.id);
  return after === null ? refused('not-found', `there is no order ${orderId.slice(0, 60)}`) : ok(show(after));
}

/** Asked twice while it is under way: the same operation. */
async function ask(
  deps: OperatorDeps,
  orderId: string,
  kind: 'activate' | 'update' | 'poll',
  step: Step,
  actor: string,
  params: Parameters<typeof insertOperation>[1]['params'],
  waits: boolean,
): Promise<void> {
  await deps.db.transaction(async (sql) => {
    const same = kind === 'update' ? null : await openOperation(sql, orderId, kind);
    if (same !== null) return;
    const state = waits ? 'waiting' : 'pending';
    await insertOperation(sql, {
      orderId,
      kind,
      priority: PRIORITY[kind],
      step: step.name,
      stepRepeatable: step.repeatable,
      params,
      state,
      actor,
    });
  });
}

/** What operators read. Cursors are the last row's key, so that pages neither skip nor repeat. */
import { BREAKER_COLUMNS, type BreakerRow } from '../../gate/breaker-row.js';
import type { Prisma, PrismaClient } from '../../generated/prisma/client.js';
import type { OperationKind, OrderStatus } from '../order.js';

const operationsOfOrder = { operations: { orderBy: { id: 'asc' } } } as const satisfies Prisma.OrderInclude;

/** An order with its operations, and what of its account holds them up. */
export type OrderRow = Prisma.OrderGetPayload<{ include: typeof withAll }>;

const withAll = {
  ...operationsOfOrder,
  account: {
    select: {
      provider: true,
      pauseCode: true,
      pauseUntil: true,
      gates: {
        where: { OR: [{ blockedWhy: { not: null } }, { openedAt: { not: null } }] },
        select: {
          verb: true,
          blockedUntil: true,
          blockedWhy: true,
          probeOperationId: true,
          openedAt: true,
          openUntil: true,
        },
      },
    },
  },
} as const satisfies Prisma.OrderInclude;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** An order with its operations; null where there is none of this id. */
export function findOrder(prisma: PrismaClient, id: string): Promise<OrderRow | null> {
  return isUuid(id) ? prisma.order.findUnique({ where: { id }, include: withAll }) : Promise.resolve(null);
}

/** Orders of this reference, of one account or of all. */
export function findByReference(
  prisma: PrismaClient,
  reference: string,
  account?: string,
): Promise<OrderRow[]> {
  return prisma.order.findMany({
    where: { reference, ...(account === undefined ? {} : { accountId: account }) },
    include: withAll,
    orderBy: { id: 'asc' },
    take: 20,
  });
}

/** Orders of these ids. */
export function findOrders(prisma: PrismaClient, ids: readonly string[]): Promise<OrderRow[]> {
  return prisma.order.findMany({ where: { id: { in: [...ids] } }, include: withAll });
}

export interface OrderFilter {
  account?: string | undefined;
  reference?: string | undefined;
  status?: OrderStatus | undefined;
  attention?: string | undefined;
  providerOrderId?: string | undefined;
  email?: string | undefined;
  /** Orders older than this id. */
  before?: string | undefined;
  limit: number;
}

/** A page of orders, newest first (ids grow with time). One row more than the limit where there is another page. */
export async function listOrders(prisma: PrismaClient, filter: OrderFilter): Promise<OrderRow[]> {
  const where: Prisma.OrderWhereInput = {
    ...(filter.account === undefined ? {} : { accountId: filter.account }),
    ...(filter.reference === undefined ? {} : { reference: filter.reference }),
    ...(filter.status === undefined ? {} : { status: filter.status }),
    ...(filter.attention === undefined
      ? {}
      : { attentionCode: filter.attention === 'any' ? { not: null } : filter.attention }),
    ...(filter.providerOrderId === undefined ? {} : { providerOrderId: filter.providerOrderId }),
    ...(filter.before === undefined ? {} : { id: { lt: filter.before } }),
  };
  if (filter.email !== undefined) {
    // The index is on the lower-cased address inside the body, which Prisma's filters cannot name.
    const rows = await prisma.$queryRawUnsafe<{ id: string }[]>(
      `select id::text as id from packline.orders where lower(body->'customer'->>'email') = lower($1) order by id desc limit 5000`,
      filter.email,
    );
    where.AND = { id: { in: rows.map(({ id }) => id) } };
  }
  return prisma.order.findMany({ where, include: withAll, orderBy: { id: 'desc' }, take: filter.limit + 1 });
}

export interface LetterFilter {
  account?: string | undefined;
  code?: string | undefined;
  kind?: OperationKind | undefined;
  state?: 'open' | 'replayed' | 'adopted' | 'discarded' | undefined;
  ids?: readonly bigint[] | undefined;
  /** Letters after this id. */
  after?: bigint | undefined;
  limit: number;
}

const withEvidence = {
  order: { select: { reference: true } },
  operation: { include: { attemptRows: { orderBy: { id: 'asc' }, take: 100 } } },
} as const satisfies Prisma.DeadLetterInclude;

export type LetterRow = Prisma.DeadLetterGetPayload<{ include: typeof withEvidence }>;

/** A page of dead letters, oldest first. One row more than the limit where there is another page. */
export function listLetters(prisma: PrismaClient, filter: LetterFilter): Promise<LetterRow[]> {
  return prisma.deadLetter.findMany({
    where: {
      ...(filter.account === undefined ? {} : { accountId: filter.account }),
      ...(filter.code === undefined ? {} : { code: filter.code }),
      ...(filter.kind === undefined ? {} : { kind: filter.kind }),
      ...(filter.state === undefined ? {} : { state: filter.state }),
      id: {
        ...(filter.ids === undefined ? {} : { in: [...filter.ids] }),
        ...(filter.after === undefined ? {} : { gt: filter.after }),
      },
    },
    include: withEvidence,
    orderBy: { id: 'asc' },
    take: filter.limit + 1,
  });
}

export function findLetter(prisma: PrismaClient, id: bigint): Promise<LetterRow | null> {
  return prisma.deadLetter.findUnique({ where: { id }, include: withEvidence });
}

export interface TimelineRow {
  at: Date;
  /** With microseconds, for the cursor. */
  exactly: string;
  source: 'event' | 'attempt';
  id: string;
  type: string;
  actor: string;
  operationId: string | null;
  rule: string | null;
  data: Record<string, unknown>;
}

const TIMELINE = `
select t.*, to_char(t.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as exactly from (
  select e.at, 'event' as source, e.id::text as id, e.id as n, e.type, e.actor, e.operation_id::text as "operationId", e.rule, e.data
  from packline.events e where e.order_id = $1::uuid
  union all
  select a.started_at, 'attempt', a.id::text, a.id, 'attempt.' || a.purpose, 'packline', a.operation_id::text, a.rule,
    jsonb_strip_nulls(jsonb_build_object('step', a.step, 'generation', a.generation, 'report', a.report, 'verdict', a.verdict,
      'outcome', a.outcome, 'code', a.code, 'httpStatus', a.http_status, 'durationMs', a.duration_ms,
      'providerOrderId', a.provider_order_id, 'endedAt', a.ended_at, 'evidence', a.evidence))
  from packline.attempts a join packline.operations o on o.id = a.operation_id where o.order_id = $1::uuid
) t
where ($2::timestamptz is null or (t.at, t.source, t.n) > ($2::timestamptz, $3::text, $4::bigint))
order by t.at, t.source, t.n limit $5::int`;

/** An order's events and attempts in time. One row more than the limit where there is another page. */
export function timeline(
  prisma: PrismaClient,
  orderId: string,
  after: { at: string; source: string; id: string } | null,
  limit: number,
): Promise<TimelineRow[]> {
  return prisma.$queryRawUnsafe<TimelineRow[]>(
    TIMELINE,
    orderId,
    after?.at ?? null,
    after?.source ?? null,
    after?.id ?? null,
    limit + 1,
  );
}

const ACCOUNT_FACTS = `
select a.id, a.provider, a.mode, a.pause_code as "pauseCode", a.pause_reason as "pauseReason", a.paused_at as "pausedAt",
  a.paused_by as "pausedBy", a.pause_until as "pauseUntil", g.blocked_until as "blockedUntil", g.blocked_why as "blockedWhy",
  coalesce(g.blocked_until > now(), false) as blocked, g.seen_remaining as remaining,
  case when g.account_id is not null then (select to_jsonb(b) from (select ${BREAKER_COLUMNS}) b) end as breaker,
  (select count(*)::int from packline.operations o where o.account_id = a.id and o.state = 'queued') as queued,
  (select count(*)::int from packline.operations o where o.account_id = a.id and o.state in ('pending', 'waiting', 'retrying')) as waiting,
  (select count(*)::int from packline.operations o where o.account_id = a.id and o.state = 'running') as running,
  (select count(*)::int from packline.operations o where o.account_id = a.id and o.state = 'unconfirmed') as unconfirmed,
  (select min(o.due_at) from packline.operations o where o.account_id = a.id and o.ring_at is not null and o.due_at <= now()) as "oldestDue"
from packline.accounts a left join packline.gates g on g.account_id = a.id and g.verb = '*'
where $1::text is null or a.id = $1 order by a.id`;

export interface AccountFacts {
  id: string;
  provider: string;
  mode: string;
  pauseCode: string | null;
  pauseReason: string | null;
  pausedAt: Date | null;
  pausedBy: string | null;
  pauseUntil: Date | null;
  blockedUntil: Date | null;
  blockedWhy: string | null;
  blocked: boolean;
  remaining: number | null;
  /** Null where the account has no gate. */
  breaker: BreakerRow | null;
  queued: number;
  waiting: number;
  running: number;
  unconfirmed: number;
  oldestDue: Date | null;
}

/** Accounts with their gates and queues. */
export function accountFacts(prisma: PrismaClient, id: string | null): Promise<AccountFacts[]> {
  return prisma.$queryRawUnsafe<AccountFacts[]>(ACCOUNT_FACTS, id);
}

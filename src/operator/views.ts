/** From rows to the JSON of the contract. Pure. */

import type { CachedAccount } from '../accounts/cache.js';
import { guaranteeOf } from '../accounts/guarantee.js';
import { breakerSettings } from '../accounts/settings.js';
import { callsIn, shownWindow } from '../gate/breaker.js';
import { stateOf } from '../gate/breaker-row.js';
import type { Json, JsonObject } from '../json.js';
import type { WaitReason } from '../orders/order.js';
import type { AccountFacts, LetterRow, OrderRow, TimelineRow } from '../orders/store/queries.js';
import type { WaitingGroup } from '../orders/store/waits.js';
import type { Limits } from '../providers/provider.js';
import { queueName } from '../queue/backend.js';
import type {
  AccountJson,
  DeadLetterJson,
  OperationJson,
  OrderJson,
  TimelineEntry,
  WaitJson,
} from '../views.js';

const iso = (date: Date): string => date.toISOString();
const isoOrNull = (date: Date | null): string | null => date?.toISOString() ?? null;

/** What a JSON column of ours holds. */
function asJson<T>(value: unknown): T {
  // Only the store writes these columns, each in one shape; the caller names it.
  return value as T;
}

/** @param now epoch ms, by which the account's gates are open or closed */
export function orderJson(row: OrderRow, now: number): OrderJson {
  const body = asJson<JsonObject>(row.body);
  return {
    ...body,
    id: row.id,
    account: row.accountId,
    provider: row.account.provider,
    reference: row.reference,
    generation: row.generation,
    status: row.status,
    rawStatus: row.rawStatus,
    attention:
      row.attentionCode === null
        ? null
        : {
            code: row.attentionCode,
            since: iso(row.attentionSince ?? row.updatedAt),
            detail: row.attentionDetail ?? '',
          },
    failure: asJson<OrderJson['failure']>(row.failure),
    providerOrderId: row.providerOrderId,
    tracking: asJson<OrderJson['tracking']>(row.tracking),
    held: row.held,
    operations: shownOperations(row.operations).map((operation) =>
      operationJson(operation, row.account, now),
    ),
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

/** Everything that was asked for, and the newest read: older ones only fill the page. */
function shownOperations(rows: OrderRow['operations']): OrderRow['operations'] {
  const lastRead = rows.findLast(({ kind }) => kind === 'poll')?.id;
  return rows.filter(({ kind, id }) => kind !== 'poll' || id === lastRead);
}

function operationJson(
  row: OrderRow['operations'][number],
  account: OrderRow['account'],
  now: number,
): OperationJson {
  const held = heldUp(row, account, now);
  return {
    id: String(row.id),
    kind: row.kind,
    state: row.state,
    attempts: row.attempts,
    calls: row.calls,
    dueAt: iso(held?.until != null && held.until > row.dueAt ? held.until : row.dueAt),
    waitReason: row.state === 'waiting' ? row.waitReason : (held?.reason ?? null),
    deadline: isoOrNull(row.deadline),
    lastOutcome: outcomeJson(asJson<OperationJson['lastOutcome']>(row.lastOutcome)),
  };
}

/** States in which nothing is on its way, and an operation would go out if its account let it. */
const READY: readonly string[] = ['pending', 'queued', 'retrying'];

/** Whether the account holds an operation up that itself waits for nothing, why, and until when (null: nobody knows). */
function heldUp(
  { id, state, kind }: OrderRow['operations'][number],
  { pauseCode, pauseUntil, gates }: OrderRow['account'],
  now: number,
): { reason: WaitReason; until: Date | null } | null {
  if (!READY.includes(state)) return null;
  if (pauseCode !== null) return { reason: pauseCode === 'auth' ? 'auth' : 'paused', until: pauseUntil };
  for (const { verb, blockedUntil, blockedWhy, probeOperationId, openedAt, openUntil } of gates) {
    if (verb !== '*' && verb !== kind) continue;
    // The word for a breaker is the gate's; the account tells why.
    if (openedAt !== null && kind !== 'cancel') return { reason: 'rate_limited', until: openUntil };
    const closed = blockedUntil !== null && blockedUntil.getTime() > now;
    // Until one operation has gone through, all others of the verb stand behind it.
    const behind = verb !== '*' && probeOperationId !== id;
    if (closed || behind) return { reason: REASONS[blockedWhy ?? ''] ?? 'rate_limited', until: blockedUntil };
  }
  return null;
}

/** Why a gate is closed, in the words of operations. */
const REASONS: Readonly<Record<string, WaitReason>> = {
  rate_limited: 'rate_limited',
  funds: 'funds',
  window: 'window',
  stock: 'stock',
  token_refresh: 'auth',
};

/** The database writes its own form of time. */
function outcomeJson(outcome: OperationJson['lastOutcome']): OperationJson['lastOutcome'] {
  return outcome === null ? null : { ...outcome, at: iso(new Date(outcome.at)) };
}

export function timelineEntry(row: TimelineRow): TimelineEntry {
  return {
    at: iso(row.at),
    type: row.type,
    actor: row.actor,
    ...(row.operationId === null ? {} : { operationId: row.operationId }),
    ...(row.rule === null ? {} : { rule: row.rule }),
    data: asJson<JsonObject>(row.data),
  };
}

export function letterJson(row: LetterRow): DeadLetterJson {
  return {
    id: String(row.id),
    account: row.accountId,
    orderId: row.orderId,
    reference: row.order?.reference ?? null,
    operationId: String(row.operationId),
    kind: row.kind,
    code: row.code,
    message: row.message,
    ambiguous: row.ambiguous,
    state: row.state,
    attempts: row.operation.attemptRows.map(
      (attempt): JsonObject => ({
        id: String(attempt.id),
        step: attempt.step,
        purpose: attempt.purpose,
        generation: attempt.generation,
        startedAt: iso(attempt.startedAt),
        endedAt: isoOrNull(attempt.endedAt),
        report: attempt.report,
        verdict: attempt.verdict,
        outcome: attempt.outcome,
        code: attempt.code,
        httpStatus: attempt.httpStatus,
        providerOrderId: attempt.providerOrderId,
        rule: attempt.rule,
        evidence: asJson<Json>(attempt.evidence),
      }),
    ),
    candidates: asJson<Json[]>(row.candidates),
    createdAt: iso(row.createdAt),
  };
}

/** What keeps the gate closed for longest: a closure of its own, or the breaker. */
function closureOf({ blocked, blockedUntil, blockedWhy, breaker }: AccountFacts): {
  blockedUntil: string | null;
  why: string | null;
} {
  const closed = blocked ? blockedUntil : null;
  const state = breaker === null ? null : stateOf(breaker);
  const shut = state?.kind === 'open' && breaker !== null && state.until > breaker.now ? state.until : null;
  if (shut !== null && shut > (closed?.getTime() ?? 0))
    return { blockedUntil: iso(new Date(shut)), why: 'breaker' };
  return { blockedUntil: isoOrNull(closed), why: closed === null ? null : blockedWhy };
}

function breakerJson({ breaker }: AccountFacts, account: CachedAccount | null): AccountJson['breaker'] {
  const settings = account === null ? null : breakerSettings(account.breaker);
  if (breaker === null || settings === null) return null;
  const state = stateOf(breaker);
  const { calls, troubles } = callsIn(shownWindow(state, breaker.now, settings));
  return {
    state: state.kind === 'closed' ? 'closed' : state.until > breaker.now ? 'open' : 'half_open',
    failureRate: calls === 0 ? null : troubles / calls,
    calls,
    openUntil: state.kind === 'open' ? iso(new Date(state.until)) : null,
  };
}

/** Those in line go at the pace of the account. @param now epoch ms */
export function waitJson(group: WaitingGroup, limits: Limits | null, now: number): WaitJson {
  if (group.reason !== 'in_line' || limits === null) return { ...group };
  const lastMs = (group.operations * limits.perMs) / limits.requests;
  return { ...group, until: iso(new Date(now + lastMs)) };
}

/** @param account its opened adapter, or null where it cannot be used */
export function accountJson(row: AccountFacts, account: CachedAccount | null): AccountJson {
  const limit = account === null ? null : account.limits.requests;
  return {
    id: row.id,
    provider: row.provider,
    mode: row.mode === 'test' ? 'test' : 'live',
    state: row.pauseCode === null ? 'active' : 'paused',
    pause:
      row.pauseCode === null
        ? null
        : {
            code: row.pauseCode,
            reason: row.pauseReason ?? '',
            since: iso(row.pausedAt ?? new Date(0)),
            by: row.pausedBy ?? 'packline',
            until: isoOrNull(row.pauseUntil),
          },
    gate: {
      limit,
      remaining: row.remaining,
      ...closureOf(row),
    },
    breaker: breakerJson(row, account),
    guarantee:
      account === null
        ? {
            level: 'at_most_once',
            reason: 'the account cannot be used: its configuration or credentials cannot be read',
          }
        : guaranteeOf(account.open.capabilities, account.common.exclusive, account.common.confirm),
    queue: {
      name: queueName(row.id),
      queued: row.queued,
      waiting: row.waiting,
      running: row.running,
      unconfirmed: row.unconfirmed,
      oldestDue: isoOrNull(row.oldestDue),
    },
  };
}

/**
 * Settling: evidence, operation, order, event, follow-up and dead letter in one statement, many at a time.
 * Evidence is never fenced: whoever made a call may record what became of it. Transitions always are.
 */
import { json, type Sql } from '../../database/connect.js';
import type { Json, JsonObject } from '../../json.js';
import type {
  Attention,
  Failure,
  OperationState,
  OrderStatus,
  Purpose,
  Report,
  Tracking,
  Verdict,
  WaitReason,
} from '../order.js';
import { NOT_HOLDING } from './claim.js';

/** What the caller saw. */
export interface Evidence {
  /** The step as its adapter names it: a claim knows only that it looks, or reads a list. */
  made?: string;
  report: Report;
  /** Null while nobody knows. */
  verdict: Verdict | null;
  outcome: string;
  code: string;
  httpStatus: number | null;
  providerOrderId: string | null;
  /** Id of the policy rule. */
  rule: string | null;
  durationMs: number;
  /** Bounded and redacted. */
  excerpt: JsonObject | null;
  data: JsonObject | null;
}

/** Where the operation goes. */
export interface Transition {
  state: OperationState;
  /** From now until it is due, ms. */
  delayMs: number;
  /** From now until the dispatcher rings, ms; null where nothing is to ring. */
  ringMs: number | null;
  spend: 0 | 1;
  priority?: number;
  step?: string;
  stepRepeatable?: boolean;
  purpose?: Purpose;
  waitReason?: WaitReason;
  /** From the first wait on, ms. */
  deadlineMs?: number | null;
  carry?: JsonObject;
  /** Begins a confirmation: from how many ms from now on an absent look counts. */
  confirm?: { fromMs: number; mayRepeat: boolean };
  /** A look was made; `absent` where it counted. */
  look?: 'absent' | 'inconclusive';
  lastOutcome: { kind: string; code: string; message: string | null };
}

/** What the order learns. */
export interface OrderChange {
  /** The status moves only from one of these. */
  from: readonly OrderStatus[];
  to: OrderStatus | null;
  rawStatus: string | null;
  providerOrderId: string | null;
  providerData: JsonObject | null;
  failure: Failure | null;
  /** `clear` takes an attention away. */
  attention: Attention | 'clear' | null;
  tracking: Tracking[] | null;
  /** When the next scheduled read is due, ms from now. */
  readMs: number | null;
  /** Top-level fields of the body that the provider has taken over, for later changes to build on. */
  bodyPatch?: JsonObject;
  /** A failed or canceled order lives on: its old failure goes. */
  reopened?: boolean;
}

/** A fact as it is stored: open, or sealed. */
export interface StoredFact {
  kind: string;
  key: string;
  value: JsonObject | null;
  sealed: string | null;
  ttlMs: number | null;
}

export interface StoredDeliverable {
  generation: number;
  position: number;
  sku: string;
  sealed: string;
  expiresAt: string | null;
}

export interface Settlement {
  operationId: string;
  attemptId: string;
  fence: number;
  /** Evidence that came when the operation was no longer the caller's: matches whatever fence is current. */
  late?: true;
  evidence: Evidence;
  transition: Transition;
  order: OrderChange | null;
  /** Null where nothing happened that anybody would want to hear of. */
  event: { type: string; data: JsonObject } | null;
  deadLetter: { code: string; message: string; ambiguous: boolean; candidates: Json[] } | null;
  /** The provider order that the open, unconfirmed attempt turned out to have made. */
  found: string | null;
  /** What comes next for this one order, so many ms from now: a read, or its activation. */
  followUp: {
    kind: 'poll' | 'activate';
    step: string;
    stepRepeatable: boolean;
    priority: number;
    delayMs: number;
  } | null;
  facts?: StoredFact[];
  deliverables?: StoredDeliverable[];
}

export interface Settled {
  operationId: string;
  attemptId: string;
  /** The operation was still the caller's and has moved. */
  applied: boolean;
  deadLetterId: string | null;
  orderId: string | null;
  reference: string | null;
  /** A cancel was asked for while the call was on its way. */
  cancelAsked: boolean;
}

const SETTLE = `
with i as materialized (
  select * from jsonb_to_recordset($1::jsonb) as x(
    "operationId" bigint, "attemptId" bigint, fence int, late boolean,
    made text, report packline.report, verdict packline.verdict, outcome text, code text, "httpStatus" int, "providerOrderId" text,
    rule text, "durationMs" int, excerpt jsonb, data jsonb,
    state packline.operation_state, "delayMs" float8, "ringMs" float8, spend int, priority smallint, step text,
    "stepRepeatable" boolean, purpose packline.purpose, "waitReason" packline.wait_reason, "deadlineMs" float8, carry jsonb,
    "confirmFromMs" float8, "mayRepeat" boolean, look text, "lastOutcome" jsonb,
    "orderFrom" jsonb, "orderTo" packline.order_status, "rawStatus" text, "orderProviderId" text, "providerData" jsonb,
    failure jsonb, "attentionCode" text, "attentionDetail" text, "attentionClear" boolean, tracking jsonb, "readMs" float8,
    "bodyPatch" jsonb, reopened boolean, "eventType" text, "eventData" jsonb, "deadCode" text, "deadMessage" text, "deadAmbiguous" boolean, "deadCandidates" jsonb,
    found text, "followKind" packline.operation_kind, "followStep" text, "followRepeatable" boolean, "followPriority" smallint,
    "followMs" float8, facts jsonb, deliverables jsonb)
), seen as (
  update packline.attempts a set
    step = coalesce(i.made, a.step), ended_at = coalesce(a.ended_at, now()), duration_ms = i."durationMs", report = i.report,
    verdict = coalesce(a.verdict, i.verdict), outcome = i.outcome, code = i.code, http_status = i."httpStatus",
    provider_order_id = i."providerOrderId", rule = i.rule, evidence = i.excerpt, data = i.data
  from i where a.id = i."attemptId" and a.id = any($2::bigint[])
), moved as (
  update packline.operations o set
    state = i.state, step = coalesce(i.step, o.step), step_repeatable = coalesce(i."stepRepeatable", o.step_repeatable),
    purpose = coalesce(i.purpose, 'call'), priority = coalesce(i.priority, o.priority),
    due_at = now() + i."delayMs" * interval '1 ms', ring_at = now() + i."ringMs" * interval '1 ms',
    wait_reason = i."waitReason",
    wait_since = case when i."confirmFromMs" is not null or o.wait_reason is distinct from i."waitReason" then now()
      when i.state in ('waiting', 'unconfirmed') then coalesce(o.wait_since, now()) end,
    -- A wait of another kind has a deadline of its own.
    deadline = case when i."confirmFromMs" is not null or (i.state = 'waiting' and o.wait_reason is distinct from i."waitReason")
        then now() + i."deadlineMs" * interval '1 ms'
      when i.state in ('waiting', 'unconfirmed') then coalesce(o.deadline, now() + i."deadlineMs" * interval '1 ms') end,
    attempts = o.attempts + i.spend, carry = o.carry || coalesce(i.carry, '{}'),
    looks = case when i."confirmFromMs" is not null then 0 when i.look is not null then o.looks + 1 else o.looks end,
    absent_looks = case when i."confirmFromMs" is not null then 0 when i.look = 'absent' then o.absent_looks + 1
      else o.absent_looks end,
    confirm_from = coalesce(now() + i."confirmFromMs" * interval '1 ms', o.confirm_from),
    may_repeat = coalesce(i."mayRepeat", o.may_repeat),
    last_outcome = i."lastOutcome" || jsonb_build_object('at', now()), lease_until = null, owner = null, updated_at = now(),
    finished_at = case when i.state in ('succeeded', 'rejected', 'dead', 'canceled') then now() end,
    fence = case when i.late then o.fence + 1 else o.fence end
  from i where o.id = i."operationId" and o.id = any($3::bigint[])
    and case when i.late then o.state not in ('succeeded', 'rejected', 'dead', 'canceled')
      else o.fence = i.fence and o.state = 'running' end
  returning o.id, o.order_id, o.account_id, o.kind, o.generation, o.serial_key, i.*
), ordered as (
  update packline.orders d set
    status = case when m."orderTo" is not null and m."orderFrom" ? d.status::text then m."orderTo" else d.status end,
    raw_status = coalesce(m."rawStatus", d.raw_status),
    provider_order_id = coalesce(d.provider_order_id, m."orderProviderId"),
    provider_data = d.provider_data || coalesce(m."providerData", '{}'),
    failure = case when m.reopened then m.failure else coalesce(m.failure, d.failure) end,
    attention_code = case when m."attentionClear" then null else coalesce(m."attentionCode", d.attention_code) end,
    attention_since = case when m."attentionClear" then null
      when m."attentionCode" is not null and d.attention_code is distinct from m."attentionCode" then now()
      else d.attention_since end,
    attention_detail = case when m."attentionClear" then null else coalesce(m."attentionDetail", d.attention_detail) end,
    tracking = coalesce(m.tracking, d.tracking), body = case when m."bodyPatch" is null then d.body else d.body || m."bodyPatch" end,
    read_due_at = coalesce(now() + m."readMs" * interval '1 ms', d.read_due_at),
    busy_op = case when d.busy_op = m.id then null else d.busy_op end, updated_at = now()
  from moved m where d.id = m.order_id
  returning d.id, d.reference, d.cancel_asked_at is not null as cancel_asked, m.id as operation_id
), confirmed as (
  update packline.attempts a set verdict = 'accepted', provider_order_id = m.found
  from moved m where m.found is not null and a.operation_id = m.id and not a.repeatable and a.verdict is null
), woken as (
  update packline.operations w set
    state = 'pending', wait_reason = null, due_at = now(), ring_at = now(), updated_at = now()
  from ordered d
  where w.order_id = d.id and w.wait_reason = 'busy' and w.state = 'waiting' and w.id <> d.operation_id
), released as (
  update packline.operations w set
    state = 'pending', wait_reason = null, due_at = now(), ring_at = now(), updated_at = now()
  from moved m
  where m.serial_key is not null and m.state in (${NOT_HOLDING})
    and w.account_id = m.account_id and w.serial_key = m.serial_key and w.wait_reason = 'busy' and w.state = 'waiting' and w.id <> m.id
), followed as (
  insert into packline.operations (order_id, account_id, kind, generation, priority, step, step_repeatable, due_at, ring_at, actor)
  select m.order_id, m.account_id, m."followKind", m.generation, m."followPriority", m."followStep", m."followRepeatable",
    now() + m."followMs" * interval '1 ms', now() + m."followMs" * interval '1 ms', 'packline'
  from moved m where m."followStep" is not null and m.order_id is not null
  on conflict do nothing
), known as (
  insert into packline.provider_facts (account_id, kind, key, value, sealed, expires_at, updated_at)
  select distinct on (m.account_id, f.kind, f.key)
    m.account_id, f.kind, f.key, f.value, f.sealed, now() + f."ttlMs" * interval '1 ms', now()
  from moved m cross join jsonb_to_recordset(m.facts) as f(kind text, key text, value jsonb, sealed text, "ttlMs" float8)
  on conflict (account_id, kind, key) do update set
    value = excluded.value, sealed = excluded.sealed, expires_at = excluded.expires_at, updated_at = now()
), handed as (
  insert into packline.deliverables (order_id, generation, position, sku, sealed, expires_at)
  select m.order_id, c.generation, c.position, c.sku, c.sealed, c."expiresAt"
  from moved m cross join jsonb_to_recordset(m.deliverables) as c(generation int, position int, sku text, sealed text, "expiresAt" timestamptz)
  on conflict (order_id, generation, position) do update set
    sku = excluded.sku, sealed = excluded.sealed, expires_at = excluded.expires_at
), lettered as (
  insert into packline.dead_letters (operation_id, order_id, account_id, kind, code, message, ambiguous, candidates)
  select m.id, m.order_id, m.account_id, m.kind, m."deadCode", m."deadMessage", m."deadAmbiguous", coalesce(m."deadCandidates", '[]')
  from moved m where m."deadCode" is not null
  returning id, operation_id
), told as (
  insert into packline.events (type, account_id, order_id, operation_id, attempt_id, reference, actor, rule, data)
  select m."eventType", m.account_id, m.order_id, m.id, m."attemptId",
    (select d.reference from ordered d where d.id = m.order_id and d.operation_id = m.id), 'packline', m.rule, m."eventData"
  from moved m where m."eventType" is not null
)
select i."operationId"::text as "operationId", i."attemptId"::text as "attemptId", m.id is not null as applied, l.id::text as "deadLetterId",
  d.id::text as "orderId", d.reference, coalesce(d.cancel_asked, false) as "cancelAsked"
from i left join moved m on m.id = i."operationId" and m."attemptId" = i."attemptId" left join ordered d on d.operation_id = m.id
left join lettered l on l.operation_id = m.id`;

/** Flat, as the statement's recordset reads it. */
function flat(s: Settlement): object {
  const { evidence, transition: t, order } = s;
  const attention = order?.attention ?? null;
  const fields: Record<string, Json | undefined> = {
    operationId: s.operationId,
    attemptId: s.attemptId,
    fence: s.fence,
    late: s.late ?? false,
    ...evidence,
    state: t.state,
    delayMs: t.delayMs,
    ringMs: t.ringMs,
    spend: t.spend,
    priority: t.priority,
    step: t.step,
    stepRepeatable: t.stepRepeatable,
    purpose: t.purpose,
    waitReason: t.waitReason,
    deadlineMs: t.deadlineMs,
    carry: t.carry,
    confirmFromMs: t.confirm?.fromMs,
    mayRepeat: t.confirm?.mayRepeat,
    look: t.look,
    lastOutcome: t.lastOutcome,
    eventType: s.event?.type,
    eventData: s.event?.data,
    deadCode: s.deadLetter?.code,
    deadMessage: s.deadLetter?.message,
    deadAmbiguous: s.deadLetter?.ambiguous,
    deadCandidates: s.deadLetter?.candidates,
    found: s.found,
    followKind: s.followUp?.kind,
    followStep: s.followUp?.step,
    followRepeatable: s.followUp?.stepRepeatable,
    followPriority: s.followUp?.priority,
    followMs: s.followUp?.delayMs,
    attentionClear: attention === 'clear',
    facts: s.facts?.map((fact): JsonObject => ({ ...fact })),
    deliverables: s.deliverables?.map((code): JsonObject => ({ ...code })),
  };
  if (order !== null) {
    Object.assign(fields, {
      orderFrom: [...order.from],
      orderTo: order.to,
      rawStatus: order.rawStatus,
      orderProviderId: order.providerOrderId,
      providerData: order.providerData,
      failure: order.failure,
      tracking: order.tracking,
      readMs: order.readMs,
      bodyPatch: order.bodyPatch,
      reopened: order.reopened ?? false,
    });
    if (attention !== null && attention !== 'clear') {
      Object.assign(fields, { attentionCode: attention.code, attentionDetail: attention.detail });
    }
  }
  // An undefined key is left out of the JSON and reads as null in the recordset.
  return fields;
}

/** Settles many attempts; each row for itself. One result per settlement, in no particular order. */
export function settleAttempts(sql: Sql, settlements: readonly Settlement[]): Promise<Settled[]> {
  // Beside the recordset, of whose size the planner knows nothing: arrays lead it to the indexes.
  const attempts = settlements.map(({ attemptId }) => attemptId);
  const operations = settlements.map(({ operationId }) => operationId);
  return sql.query<Settled>(SETTLE, json(settlements.map(flat)), attempts, operations);
}

/** The JSON that the API answers and `--json` prints (contract, "HTTP"). Times are ISO 8601 in UTC. */
import type { Json, JsonObject } from './json.js';
import type { OperationKind, OperationState, OrderStatus, Tracking, WaitReason } from './orders/order.js';

export interface OperationJson {
  id: string;
  kind: OperationKind;
  state: OperationState;
  /** Budget spent: not 429, waits, looks, unsent. */
  attempts: number;
  /** Attempt rows. */
  calls: number;
  dueAt: string;
  waitReason: WaitReason | null;
  deadline: string | null;
  lastOutcome: { kind: string; code: string; message: string | null; at: string } | null;
}

/** The order, followed by the body as the shop wrote it. */
export interface OrderJson {
  id: string;
  account: string;
  provider: string;
  reference: string;
  generation: number;
  status: OrderStatus;
  rawStatus: string | null;
  attention: { code: string; since: string; detail: string } | null;
  failure: { code: string; message: string; fields?: Record<string, string[]> } | null;
  providerOrderId: string | null;
  tracking: Tracking[];
  /** Stored unsent until activated. */
  held: boolean;
  operations: OperationJson[];
  createdAt: string;
  updatedAt: string;
  [bodyField: string]: Json | Tracking[] | OperationJson[] | undefined | object;
}

/** Waits between attempts, ms. */
export interface BackoffJson {
  baseMs: number;
  capMs: number;
  floorMs: number;
  jitter: 'full' | 'equal';
}

/** One line of a provider's error table. */
export interface PolicyRuleJson {
  id: string;
  /** A status, or the ends of a range. */
  status: number | [number, number];
  code: string | null;
  /** Names of the steps that it is for; null: all. */
  steps: string[] | null;
  outcome: string;
  /** Whose matter it is. */
  scope: 'order' | 'account';
  wait: { reason: string; everyMs: number; deadlineMs: number } | null;
  block: string | null;
  /** Of outcomes after which a step that may be repeated is: how often it is tried in all, and how far apart. */
  attempts: number | null;
  backoff: BackoffJson | null;
  /** The waits that follow from these, after each attempt but the last. */
  schedule: { attempt: number; minMs: number; maxMs: number }[] | null;
  /** Whether a human is told at once, each time. */
  alert: boolean;
  meaning: string;
  source: string;
  evidence: 'documented' | 'public' | 'assumed';
}

export interface ProviderPolicyJson {
  provider: string;
  /** The provider's own lines, then the general ones for what they leave open. */
  rules: PolicyRuleJson[];
}

export interface TimelineEntry {
  at: string;
  type: string;
  actor: string;
  operationId?: string;
  rule?: string;
  data: JsonObject;
}

export interface DeadLetterJson {
  id: string;
  account: string;
  orderId: string | null;
  reference: string | null;
  operationId: string;
  kind: OperationKind;
  code: string;
  message: string;
  ambiguous: boolean;
  state: 'open' | 'replayed' | 'adopted' | 'discarded';
  attempts: JsonObject[];
  candidates: Json[];
  createdAt: string;
}

export interface AccountJson {
  id: string;
  provider: string;
  mode: 'live' | 'test';
  state: 'active' | 'paused';
  pause: { code: string; reason: string; since: string; by: string; until: string | null } | null;
  gate: { limit: number | null; remaining: number | null; blockedUntil: string | null; why: string | null };
  /** Null where the account has none. */
  breaker: {
    /** Of `half_open` one call at a time tries. */
    state: 'closed' | 'open' | 'half_open';
    /** Part of the last calls that met trouble at the provider, as of its opening while it is not closed; null without any trouble of late. */
    failureRate: number | null;
    /** How many calls that is of: those since trouble began. */
    calls: number;
    openUntil: string | null;
  } | null;
  guarantee: { level: 'exactly_once' | 'at_most_once'; reason: string };
  queue: {
    name: string;
    queued: number;
    waiting: number;
    running: number;
    unconfirmed: number;
    oldestDue: string | null;
  };
  /** What its operations wait for, where one account is asked for. */
  waits?: WaitJson[];
}

/** Operations of one verb that wait for the same thing. */
export interface WaitJson {
  kind: string;
  reason: string;
  operations: number;
  /** When the first of them goes on; of those in line, when the last one does at the pace of the account. */
  until: string | null;
  oldestDue: string;
}

export interface ReplayManyJson {
  matched: number;
  replayed: number;
  skipped: { id: string; reason: string }[];
}

export interface DeliverableJson {
  sku: string;
  code: string;
  serial: string | null;
  expiresAt: string | null;
}

/** What a recovery of the database came to. */
export interface RecoveryJson {
  /** False where there was no reason for one. */
  recovered: boolean;
  /** What was wrong; null where it was asked for without a reason. */
  why: string | null;
  /** Operations that are looked for before they are sent. */
  looks: number;
  /** Operations whose provider cannot be asked: dead letters, for a person. */
  letters: number;
  /** Accounts whose tokens are not refreshed any more. */
  tokens: number;
}

/** What a retention came to, in rows. */
export interface RetentionJson {
  /** Only counted. */
  dryRun: boolean;
  olderThanDays: number;
  /** False where it was told to stop before the end. */
  complete: boolean;
  /** Events that were looked at. */
  looked: number;
  /** Orders of which something went. */
  orders: number;
  /** Rows deleted. */
  events: number;
  attempts: number;
  operations: number;
  /** Attempts that stay, without their excerpts. */
  excerpts: number;
}

/** An order that an audit has found. */
export interface AuditFinding {
  /** The provider's id. */
  providerOrderId: string;
  /** As the provider knows it, or ours; null where there is none. */
  reference: string | null;
  /** The order here; null where there is none. */
  orderId: string | null;
}

/** What a provider holds for an account, against what is here. */
export interface AuditJson {
  account: string;
  /** `unsupported`: the provider cannot list what the account holds. */
  state: 'complete' | 'incomplete' | 'unsupported';
  /** Why it is not complete. */
  why: string | null;
  /** Nothing that a person has to look at: orphans do not count where they may be orders of others. */
  clean: boolean;
  /** What an audit of this account cannot show. */
  limits: string[];
  /** From when on our orders were held against it. */
  since: string;
  /** Orders that the provider listed. */
  listed: number;
  /** There, beside the one that we know under the same reference. */
  surplus: { count: number; named: AuditFinding[] };
  /** There, and not here. */
  orphans: { count: number; named: AuditFinding[] };
  /** Here accepted, and not there. */
  missing: { count: number; named: AuditFinding[] };
}

/** One thing that a doctor looks at. */
export interface CheckJson {
  name: string;
  state: 'ok' | 'warning' | 'failed';
  message: string;
  /** What to do; null where all is well. */
  remedy: string | null;
}

/** An invariant that does not hold, or (with a count of 0) does. */
export interface InvariantJson {
  name: string;
  holds: string;
  remedy: string;
  count: number;
  /** At most twenty. */
  rows: { account: string; what: string }[];
}

/** How an installation is. */
export interface DoctorJson {
  /** Nothing has failed; warnings do not count. */
  healthy: boolean;
  checks: CheckJson[];
  /** Null where they were not asked for. */
  invariants: InvariantJson[] | null;
  audits: AuditJson[] | null;
}

/** From rows to Prometheus' text: each part in a registry that lives as long as it takes, so that what is gone from the rows is gone here. */
import { Gauge, Registry } from 'prom-client';
import { z } from 'zod';
import { isOperationKind, ORDER_STATUSES } from '../orders/order.js';
import type { Limits } from '../providers/provider.js';
import type { InvariantJson } from '../views.js';
import { OTHER } from './codes.js';
import type { AccountPause, AuditRow, GateState, LetterCount, OperationCount, OrderCount } from './rows.js';

/** Everything of the rows that is read at most scrapes. */
export interface Work {
  accounts: AccountPause[];
  operations: OperationCount[];
  letters: LetterCount[];
  gates: GateState[];
  audits: AuditRow[];
}

/** What work is told with beside the rows. */
export interface WorkContext {
  /** A code as a label. */
  codeOf(code: string): string;
  /** The limits of the accounts that can be opened. */
  limits: readonly { account: string; limits: Pick<Limits, 'requests' | 'perMs'> }[];
}

type Put<Label extends string> = (labels: Record<Label, string>, value: number) => void;

/** Makes gauges whose equal labels add up. */
function gauges(registry: Registry) {
  return <Label extends string>(name: string, labelNames: readonly Label[], help: string): Put<Label> => {
    const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
    return (labels, value) => gauge.inc(labels, value);
  };
}

/** Orders by account and status: a line for each status of an account that has any order. */
export function orderMetrics(counts: readonly OrderCount[]): Promise<string> {
  const registry = new Registry();
  const put = gauges(registry)(
    'packline_orders',
    ['account', 'status'],
    'Orders by status, of all time. The same from every process: take the max, not the sum.',
  );
  for (const account of new Set(counts.map((count) => count.account)))
    for (const status of ORDER_STATUSES) put({ account, status }, 0);
  for (const { account, status, count } of counts) put({ account, status }, count);
  return registry.metrics();
}

/** What is to be done, what needs a person, and what stands in the way. */
export function workMetrics(work: Work, context: WorkContext): Promise<string> {
  const registry = new Registry();
  const gauge = gauges(registry);
  putOperations(gauge, work);
  putLetters(gauge, work, context);
  putGates(gauge, work, context);
  putAudits(gauge, work);
  return registry.metrics();
}

type Gauges = ReturnType<typeof gauges>;

function putOperations(gauge: Gauges, { accounts, operations }: Work): void {
  const put = gauge(
    'packline_operations',
    ['account', 'kind', 'state'],
    'Operations that are not over, by state; those that are over are counted by packline_settles_total.',
  );
  const oldest = gauge(
    'packline_oldest_due_seconds',
    ['account'],
    'For how long the oldest due operation has been due, whatever holds it up, pauses and closed gates included.',
  );
  for (const { count, dueFor, ...labels } of operations) put(labels, count);
  for (const { account } of accounts) {
    const ages = operations.filter((row) => row.account === account).map(({ dueFor }) => dueFor);
    oldest({ account }, Math.max(0, ...ages));
  }
}

function putLetters(gauge: Gauges, { letters }: Work, { codeOf }: WorkContext): void {
  const put = gauge(
    'packline_dead_letters_open',
    ['account', 'code'],
    'Dead letters that wait for a person. Codes that packline does not name itself are "other".',
  );
  for (const { account, code, count } of letters) put({ account, code: codeOf(code) }, count);
}

function putGates(gauge: Gauges, { accounts, gates }: Work, { limits }: WorkContext): void {
  const paused = gauge('packline_account_paused', ['account'], '1 while an account is paused.');
  const blocked = gauge(
    'packline_gate_blocked_seconds',
    ['account', 'verb'],
    'For how long an account calls nothing, or not this verb; 0 where it may.',
  );
  const ahead = gauge(
    'packline_gate_ahead_seconds',
    ['account'],
    'How far ahead the calls that the limit of an account allows are given out; 0 while some are left over.',
  );
  const limit = gauge(
    'packline_gate_limit_calls_per_second',
    ['account'],
    'The calls that the limit of an account allows.',
  );
  const remaining = gauge(
    'packline_gate_remaining_calls',
    ['account'],
    'The calls that the provider says are left until its limit begins anew; no line where it says nothing.',
  );
  const breaker = gauge('packline_breaker_open', ['account'], "1 while an account's breaker is open.");
  for (const { account, paused: is } of accounts) paused({ account }, is ? 1 : 0);
  for (const row of gates) {
    const { account, verb } = row;
    const whole = verb === '*';
    blocked({ account, verb: whole ? 'all' : isOperationKind(verb) ? verb : OTHER }, row.blocked);
    if (whole) ahead({ account }, row.ahead);
    if (whole) breaker({ account }, row.open ? 1 : 0);
    if (whole && row.remaining !== null) remaining({ account }, row.remaining);
  }
  for (const { account, limits: of } of limits) limit({ account }, (of.requests / of.perMs) * 1_000);
}

const found = z.object({ count: z.number() });
const report = z.object({ surplus: found, orphans: found, missing: found });

function putAudits(gauge: Gauges, { audits }: Work): void {
  const findings = gauge(
    'packline_audit_findings',
    ['account', 'kind'],
    "What the last audit of an account found: surplus, orphans and missing ones among the provider's orders.",
  );
  const age = gauge(
    'packline_audit_age_seconds',
    ['account'],
    'How long ago the last audit that came to its end did so.',
  );
  for (const audit of audits) {
    const { account } = audit;
    // An audit that was begun and is not over has left none.
    const { success, data } = report.safeParse(audit.report);
    if (success) for (const [kind, { count }] of Object.entries(data)) findings({ account, kind }, count);
    if (audit.age !== null) age({ account }, audit.age);
  }
}

/** Invariants by name, those that hold included. */
export function invariantMetrics(invariants: readonly InvariantJson[]): Promise<string> {
  const registry = new Registry();
  const put = gauges(registry)(
    'packline_invariant_violations',
    ['invariant'],
    'Rows that contradict each other, among those that changed last; see "packline doctor --invariants".',
  );
  for (const { name, count } of invariants) put({ invariant: name }, count);
  return registry.metrics();
}

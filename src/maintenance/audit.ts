/**
 * The audit: what a provider holds, against what we do. Our own rows cannot show a double, for if they could, there
 * would be none: only a count over there does. Whatever is found is put before a person; nothing is repaired here.
 */
import type { Logger } from 'pino';
import { z } from 'zod';
import type { AccountCache, CachedAccount } from '../accounts/cache.js';
import type { Database } from '../database/connect.js';
import { type Alert, alert } from '../events/alerts.js';
import type { Json, JsonObject } from '../json.js';
import type { Meter } from '../metrics/meter.js';
import { askOnce } from '../operator/read-once.js';
import type { ProviderState } from '../orders/order.js';
import {
  beginAudit,
  beginAuditCall,
  dueAudits,
  type ExpectedOrder,
  expectedOrders,
  finishAudit,
  type KnownOrder,
  knownOrders,
  OVER_AT_PROVIDER,
  reportMissing,
  reportSurplus,
} from '../orders/store/audit.js';
import { findOrder } from '../orders/store/queries.js';
import { endSideCall } from '../orders/store/side-calls.js';
import { type Outcome, outcomeCode } from '../policy/outcome.js';
import type { Http } from '../providers/http.js';
import type { Step } from '../providers/provider.js';
import type { EncryptionKey } from '../secrets.js';
import type { Time } from '../time.js';
import type { AuditFinding, AuditJson } from '../views.js';

const DAY_MS = 24 * 3_600_000;
/** How far back a daily audit looks, in days: each order is seen twice. */
export const AUDIT_DAYS = 2;
/** Findings of a kind that are named; the rest is counted. */
const NAMED = 50;
/** Pages of one list at most: what is longer is cut short, and said to be. */
const MOST_PAGES = 5_000;
/** Orders of ours that are looked at in one statement. */
const ORDERS = 5_000;
/** An order that was accepted so shortly before may be missing from a list without being missing, ms, beyond the provider's own lag. */
const SETTLE_MS = 10 * 60_000;
/** Of the account's pace an audit takes one call in so many: it never holds up orders. */
const SHARE = 10;
/** Between two calls at most, ms. */
const LONGEST_REST_MS = 30_000;
/** Tries of one page. */
const TRIES = 3;

export interface AuditDeps {
  db: Database;
  accounts: AccountCache;
  http: Http;
  time: Time;
  log: Logger;
  key: EncryptionKey;
  tell(alert: Alert): void;
  /** Counts calls to providers. */
  meter?: Meter;
  /** Ends an audit that is under way. */
  signal?: AbortSignal;
}

/** Audits every account whose day has come. */
export async function auditDue(deps: AuditDeps): Promise<void> {
  for (const id of await dueAudits(deps.db)) {
    const account = deps.accounts.get(id);
    if (deps.signal?.aborted === true) return;
    if (account?.open.reads.inventory !== undefined)
      await auditAccount(deps, account, 'schedule', AUDIT_DAYS);
  }
}

/** One audit under way. */
interface Audit {
  deps: AuditDeps;
  account: CachedAccount;
  operationId: string;
  report: AuditJson;
  /** Ids that the provider has listed. */
  seen: Set<string>;
  /** A call was made already: the next one keeps its distance. */
  called: boolean;
}

/**
 * Compares what the provider holds of the last days with our rows, tells of what is new, and stores the report.
 * @param actor who asked
 * @param days how far back
 */
export async function auditAccount(
  deps: AuditDeps,
  account: CachedAccount,
  actor: string,
  days: number,
): Promise<AuditJson> {
  const now = deps.time.clock.now();
  const since = new Date(now - days * DAY_MS).toISOString();
  const report = emptyReport(account, since);
  const { inventory } = account.open.reads;
  if (inventory === undefined) return report;
  const { operationId, last } = await beginAudit(deps.db, account.id, actor);
  const audit: Audit = { deps, account, operationId, report, seen: new Set(), called: false };
  const stopped = await readLists(audit, inventory.lists, now - (days + 1) * DAY_MS);
  if (stopped === null) await findMissing(audit, { since, until: untilWhen(account, now) });
  const complete = stopped === null;
  const { surplus, orphans, missing } = report;
  const clean = surplus.count + missing.count + (isAlone(account) ? orphans.count : 0) === 0;
  Object.assign(report, { state: complete ? 'complete' : 'incomplete', why: stopped, clean });
  await finishAudit(deps.db, {
    operationId,
    account: account.id,
    actor,
    complete,
    report: asJson(report),
  });
  tellOf(deps, account, report, last);
  return report;
}

function emptyReport(account: CachedAccount, since: string): AuditJson {
  const { inventory } = account.open.reads;
  const none = () => ({ count: 0, named: [] });
  return {
    account: account.id,
    state: inventory === undefined ? 'unsupported' : 'incomplete',
    why: inventory === undefined ? 'the provider cannot list what this account holds' : null,
    limits: limitsOf(account),
    clean: true,
    since,
    listed: 0,
    surplus: none(),
    orphans: none(),
    missing: none(),
  };
}

/** What looks like ours over there is ours. */
const isAlone = ({ common }: Pick<CachedAccount, 'common'>): boolean =>
  common.exclusive || common.referencePrefix !== undefined;

/** What an audit of this account cannot show, in sentences. */
function limitsOf({ open, common }: CachedAccount): string[] {
  const { inventory } = open.reads;
  if (inventory === undefined) return ['surplus, orphans and missing orders cannot be told'];
  if (inventory.referenced) {
    return isAlone({ common })
      ? []
      : ['orphans may be orders of others: with "referencePrefix" or "exclusive", packline tells of them'];
  }
  return [
    'the provider keeps no reference: a surplus order shows as an orphan',
    ...(common.exclusive ? [] : ['orphans cannot be told, unless the account is "exclusive"']),
  ];
}

function untilWhen({ open }: CachedAccount, now: number): string {
  return new Date(now - open.capabilities.lagMs - SETTLE_MS).toISOString();
}

/** Reads every list to its end. Returns why it could not; null where all is known. */
async function readLists(audit: Audit, lists: readonly Step[], since: number): Promise<string | null> {
  for (const step of lists) {
    let page: Json = null;
    for (let count = 0; ; count += 1) {
      if (count >= MOST_PAGES) return `the list ${step.name} has more than ${MOST_PAGES} pages`;
      const outcome = await ask(audit, step, { since: new Date(since).toISOString(), page }, null);
      if (outcome.kind !== 'done') return `the list ${step.name} could not be read: ${outcomeCode(outcome)}`;
      const states = outcome.states ?? [];
      await compare(audit, states);
      const next: Json = outcome.data?.next ?? null;
      if (next === null) break;
      page = next;
    }
  }
  return null;
}

/** One call, at the audit's own slow pace; tried again where nothing was learned. */
async function ask(
  audit: Audit,
  step: Step,
  params: JsonObject,
  order: ExpectedOrder | null,
): Promise<Outcome> {
  const { deps, account, operationId } = audit;
  const { requests, perMs } = account.limits;
  const restMs = Math.min((SHARE * perMs) / requests, LONGEST_REST_MS);
  const row = order === null ? null : await findOrder(deps.db.prisma, order.orderId);
  const about = order === null || row === null ? null : { row, providerOrderId: order.providerOrderId };
  for (let tried = 1; ; tried += 1) {
    if (audit.called) await deps.time.sleep(restMs, deps.signal);
    if (deps.signal?.aborted === true)
      return { kind: 'notSent', code: 'stopping', message: 'packline stops' };
    audit.called = true;
    const { requestTimeoutMs } = account.common;
    const attempt = await beginAuditCall(
      deps.db,
      operationId,
      order?.orderId ?? null,
      step.name,
      requestTimeoutMs,
    );
    const { outcome, evidence } = await askOnce(deps, account, step, about, params);
    await endSideCall(deps.db, attempt, evidence);
    const learned = ['done', 'observed', 'missing'].includes(outcome.kind);
    if (learned || outcome.kind === 'throttled' || outcome.kind === 'blocked' || tried >= TRIES)
      return outcome;
  }
}

/** Holds a page of what the provider lists against our rows. */
async function compare(audit: Audit, states: readonly ProviderState[]): Promise<void> {
  const { deps, account, report, seen } = audit;
  // Pages shift while orders come in; what was seen is not counted twice.
  const fresh = new Map(
    states
      .filter(({ providerOrderId }) => !seen.has(providerOrderId))
      .map((state) => [state.providerOrderId, state]),
  );
  for (const id of fresh.keys()) seen.add(id);
  report.listed += fresh.size;
  const listed = [...fresh.values()].map((state) => ({ state, reference: ownReference(account, state) }));
  const rows = await knownOrders(
    deps.db,
    account.id,
    listed.map(({ state, reference }) => ({ providerOrderId: state.providerOrderId, reference })),
  );
  const known = new Map(rows.map((row) => [row.providerOrderId, row]));
  for (const { state, reference } of listed) {
    const row = known.get(state.providerOrderId);
    if (row === undefined || row.known) continue;
    await judge(audit, state, reference, row);
  }
}

/** The reference without the account's prefix; null where it is none of ours. */
function ownReference({ common }: CachedAccount, { reference }: ProviderState): string | null {
  const { referencePrefix = '' } = common;
  return reference?.startsWith(referencePrefix) === true ? reference.slice(referencePrefix.length) : null;
}

/** An order over there whose id nobody holds here. */
async function judge(
  { deps, account, report }: Audit,
  state: ProviderState,
  reference: string | null,
  { orderId, unsettled }: KnownOrder,
): Promise<void> {
  // What is over there harms nobody; what is under way here is found out by others.
  if (OVER_AT_PROVIDER.includes(state.status) || unsettled) return;
  const { providerOrderId, rawStatus } = state;
  const finding = { providerOrderId, reference: state.reference, orderId };
  if (orderId !== null) {
    note(report.surplus, finding);
    await reportSurplus(deps.db, orderId, { providerOrderId, reference: state.reference, rawStatus });
  } else if (reference !== null || account.common.exclusive) note(report.orphans, finding);
}

function note(kind: AuditJson['surplus'], finding: AuditFinding): void {
  kind.count += 1;
  if (kind.named.length < NAMED) kind.named.push(finding);
}

/** Orders that were accepted and are not listed; each is asked for by its id before it is called missing. */
async function findMissing(audit: Audit, span: { since: string; until: string }): Promise<void> {
  const { deps, account, report, seen } = audit;
  let after: string | null = null;
  let asked = 0;
  for (;;) {
    const page: ExpectedOrder[] = await expectedOrders(deps.db, account.id, span, after, ORDERS);
    for (const order of page.filter(({ providerOrderId }) => !seen.has(providerOrderId))) {
      if (asked >= NAMED) {
        report.limits.push(`more than ${NAMED} orders are not listed; the others were not asked for`);
        return;
      }
      asked += 1;
      const { kind } = await ask(audit, account.open.reads.get, {}, order);
      if (kind !== 'missing') continue;
      note(report.missing, order);
      await reportMissing(deps.db, order);
    }
    after = page.at(-1)?.orderId ?? null;
    if (page.length < ORDERS) return;
  }
}

const kind = z.object({ named: z.array(z.object({ providerOrderId: z.string() })) });
const stored = z.object({ surplus: kind, orphans: kind, missing: kind });

/** The provider's ids that a stored report names; none where there is no report, or one of another shape. */
function namedIn(report: unknown): ReadonlySet<string> {
  const { surplus, orphans, missing } = stored.safeParse(report).data ?? {};
  return new Set(
    [surplus, orphans, missing]
      .flatMap((each) => each?.named ?? [])
      .map(({ providerOrderId }) => providerOrderId),
  );
}

/** A person is told of what the last report did not name. */
function tellOf({ log, tell, time }: AuditDeps, of: CachedAccount, report: AuditJson, last: unknown): void {
  const { account, surplus, orphans, missing, listed, state, why } = report;
  const counts = { surplus: surplus.count, orphans: orphans.count, missing: missing.count };
  log.info({ event: 'audit.finished', account, state, why, listed, ...counts }, 'an account was audited');
  // Where orders of others may stand beside ours, an orphan is no reason to wake anybody.
  const telling = [surplus, missing, ...(isAlone(of) ? [orphans] : [])];
  const before = namedIn(last);
  const news = telling
    .flatMap(({ named }) => named)
    .filter(({ providerOrderId }) => !before.has(providerOrderId));
  if (news.length === 0) return;
  const first = news.slice(0, 5).map(({ reference, providerOrderId }) => reference ?? providerOrderId);
  const message = `the provider holds ${surplus.count} orders too many, ${orphans.count} that are not known here, and lacks ${missing.count} (${first.join(', ')}${news.length > 5 ? ', …' : ''}); see "packline doctor --audit --account ${account}"`;
  tell(alert('audit', { account, message }, time.clock.now()));
}

function asJson(report: AuditJson): JsonObject {
  // A report is made of plain values.
  return JSON.parse(JSON.stringify(report)) as JsonObject;
}

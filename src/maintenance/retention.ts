/**
 * Retention: what only tells the story of an order goes some time after the order is over, in small pages with
 * pauses between them, so that work goes on beside it.
 *
 * Deleted: events of orders and accounts; attempts that were refused, were not sent, or may be repeated (reads, looks,
 * watches, one-time passwords); finished reads. Emptied: request and answer of the attempts that stay, what finished
 * operations were given and left, the candidates of decided dead letters.
 *
 * Kept for ever: the order with its reference, body, status and provider id; every operation that was asked for; every
 * call that was, or may have been, accepted; dead letters with their decisions; codes. So a reference that was sent
 * once is known as long as the database is, and an order that a provider calls its own can be told from a stranger's.
 *
 * Nothing goes of an order that is not over, that asks for attention, has an open dead letter or a call under watch, or
 * that was changed within the time.
 */
import type { Logger } from 'pino';
import type { Database } from '../database/connect.js';
import {
  beginRetention,
  countForgettable,
  type Forgotten,
  finishRetention,
  forgetAccountReads,
  forgetLooseEvents,
  forgetOrders,
  lookAtHistory,
  oldAccountReads,
  retentionDue,
  tellRetention,
} from '../orders/store/retention.js';
import type { Time } from '../time.js';
import type { RetentionJson } from '../views.js';

/** Reads of whole accounts come every half minute and explain nothing after a month; days. */
const ACCOUNT_READS_DAYS = 30;
/** Between two pages at least, ms. A page that took longer is followed by a pause as long: half of the time is others'. */
const PAUSE_MS = 50;

export interface RetentionDeps {
  db: Database;
  time: Time;
  /** Ends a run after the page that it is at. */
  signal?: AbortSignal;
}

export interface RetentionOptions {
  /** For how long an order has to be over, in days; at least 1. */
  olderThanDays: number;
  /** Counts, and deletes nothing. */
  dryRun: boolean;
  /** Told after each page how far it is. */
  onPage?(report: RetentionJson): void;
}

/**
 * Looks through the history once, the oldest first. May be ended at any moment, and may run more than once at a time.
 * @returns what went; `complete` false where it was told to stop
 */
export async function runRetention(deps: RetentionDeps, options: RetentionOptions): Promise<RetentionJson> {
  const { olderThanDays, dryRun } = options;
  const report: RetentionJson = {
    dryRun,
    olderThanDays,
    complete: false,
    looked: 0,
    orders: 0,
    events: 0,
    attempts: 0,
    operations: 0,
    excerpts: 0,
  };
  const add = (more: Partial<Forgotten>) => {
    for (const name of ['orders', 'events', 'attempts', 'operations', 'excerpts'] as const)
      report[name] += more[name] ?? 0;
    options.onPage?.(report);
  };
  const page = paced(deps);
  report.complete =
    (await forgetHistory(deps, options, report, page, add)) && (await forgetReads(deps, options, page, add));
  return report;
}

type Paced = <T>(work: () => Promise<T>) => Promise<T | null>;

/** Does one piece of work and rests as long as it took. Null, without doing it, where it is time to stop. */
function paced({ time, signal }: RetentionDeps): Paced {
  let restMs = 0;
  return async (work) => {
    if (restMs > 0) await time.sleep(restMs, signal);
    if (signal?.aborted === true) return null;
    const begun = time.clock.monotonic();
    const done = await work();
    restMs = Math.max(PAUSE_MS, time.clock.monotonic() - begun);
    return done;
  };
}

type Add = (more: Partial<Forgotten>) => void;

/** Orders that are over, and old events. Returns whether it came to the end. */
async function forgetHistory(
  { db }: RetentionDeps,
  { olderThanDays: days, dryRun }: RetentionOptions,
  report: RetentionJson,
  page: Paced,
  add: Add,
): Promise<boolean> {
  for (let after = '0'; ; ) {
    const done = await page(async () => {
      const { last, events, old, orders } = await lookAtHistory(db, after, days);
      report.looked += events;
      if (last === null) return { last: after, ended: true };
      if (orders.length > 0)
        add(
          await (dryRun
            ? countForgettable(db, orders)
            : db.transaction((sql) => forgetOrders(sql, orders, days))),
        );
      add({ events: await forgetLooseEvents(db, { after, last, days, dryRun }) });
      return { last, ended: !old };
    });
    if (done === null) return false;
    if (done.ended) return true;
    after = done.last;
  }
}

/** Syncs and audits. Returns whether it came to the end. */
async function forgetReads(
  { db }: RetentionDeps,
  { olderThanDays, dryRun }: RetentionOptions,
  page: Paced,
  add: Add,
): Promise<boolean> {
  const days = Math.min(olderThanDays, ACCOUNT_READS_DAYS);
  for (let after = '0'; ; ) {
    const done = await page(async () => {
      const ids = await oldAccountReads(db, after, days);
      const last = ids.at(-1);
      if (last === undefined) return { last: after, ended: true };
      add(
        await (dryRun
          ? forgetAccountReads(db, ids, true)
          : db.transaction((sql) => forgetAccountReads(sql, ids, false))),
      );
      return { last, ended: false };
    });
    if (done === null) return false;
    if (done.ended) return true;
    after = done.last;
  }
}

/** Runs and says so, in the log and, where anything went, as an event. */
export async function runAndTell(
  deps: RetentionDeps & { log: Logger },
  options: RetentionOptions,
  actor: string,
): Promise<RetentionJson> {
  const report = await runRetention(deps, options);
  const { orders, events, attempts, operations } = report;
  deps.log.info({ event: 'retention.finished', ...report }, 'history was looked through');
  if (!report.dryRun && orders + events + attempts + operations > 0)
    await tellRetention(deps.db, actor, { ...report });
  return report;
}

/**
 * The daily run, where it is due.
 * @param days as configured; 0 keeps everything
 */
export async function retainDaily(deps: RetentionDeps & { log: Logger }, days: number): Promise<void> {
  if (days === 0 || !(await retentionDue(deps.db))) return;
  await beginRetention(deps.db);
  const report = await runAndTell(deps, { olderThanDays: days, dryRun: false }, 'schedule');
  if (report.complete) await finishRetention(deps.db, { ...report });
}

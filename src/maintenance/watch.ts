/**
 * The watch over calls that were judged absent. An order that shows so late that all looks missed it is found here:
 * the lookups *count*, so that a second order beside the one that is known shows as well.
 */
import type { Logger } from 'pino';
import type { AccountCache, CachedAccount } from '../accounts/cache.js';
import { foundBy } from '../confirm/adopted.js';
import type { Database } from '../database/connect.js';
import { type Alert, alert } from '../events/alerts.js';
import type { JsonObject } from '../json.js';
import type { Meter } from '../metrics/meter.js';
import { askOnce } from '../operator/read-once.js';
import type { ProviderState } from '../orders/order.js';
import { findOrder } from '../orders/store/queries.js';
import { endSideCall } from '../orders/store/side-calls.js';
import {
  beginWatchCall,
  type DueWatch,
  dueWatches,
  finishWatch,
  knownIds,
  type LateArrival,
  settleLateArrival,
} from '../orders/store/watch.js';
import type { Http } from '../providers/http.js';
import type { OpenAccount, Step } from '../providers/provider.js';
import type { EncryptionKey } from '../secrets.js';
import type { Time } from '../time.js';

/** From one watch to the next, ms; the first is a minute after the verdict (design, "Confirm"). */
const NEXT_MS: readonly number[] = [10 * 60_000, 3_600_000, 24 * 3_600_000];

export interface WatchDeps {
  db: Database;
  accounts: AccountCache;
  http: Http;
  time: Time;
  log: Logger;
  key: EncryptionKey;
  tell(alert: Alert): void;
  /** Counts calls to providers. */
  meter?: Meter;
}

/** Looks for every call whose watch is due. @returns whether something is to be done now */
export async function watchAbsent(deps: WatchDeps): Promise<boolean> {
  const ends = await Promise.allSettled((await dueWatches(deps.db)).map((watch) => watchOne(deps, watch)));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return ends.some((end) => end.status === 'fulfilled' && end.value);
}

async function watchOne(deps: WatchDeps, watch: DueWatch): Promise<boolean> {
  const account = deps.accounts.get(watch.account);
  // Whatever stands in the way now, the watch is handed out again.
  if (account === null || account.paused) return false;
  const found = await lookFor(deps, account, watch);
  if (found === null) return false;
  const known = await knownIds(
    deps.db,
    watch,
    found.map(({ providerOrderId }) => providerOrderId),
  );
  const late = found.filter(({ providerOrderId }) => !known.has(providerOrderId));
  if (late.length === 0) {
    await finishWatch(deps.db, watch.attemptId, NEXT_MS[watch.watchNo] ?? null);
    return false;
  }
  const cancel = account.open.verbs.cancel?.[0] ?? null;
  const end = await deps.db.transaction((sql) =>
    settleLateArrival(sql, watch, late.map(candidateOf), cancel),
  );
  tell(deps, watch, late, end);
  return true;
}

/** Everything that the provider shows under the reference; null where it could not be found out. */
async function lookFor(
  deps: WatchDeps,
  account: CachedAccount,
  watch: DueWatch,
): Promise<ProviderState[] | null> {
  const row = await findOrder(deps.db.prisma, watch.orderId);
  if (row === null) return null;
  const about = {
    row: { ...row, generation: watch.generation },
    providerOrderId: row.providerOrderId ?? '',
    carry: watch.carry,
  };
  const found: ProviderState[] = [];
  for (const step of countingLookups(account.open)) {
    const attempt = await beginWatchCall(deps.db, watch, step.name, account.common.requestTimeoutMs);
    const { outcome, evidence } = await askOnce(deps, account, step, about);
    if (attempt !== null) await endSideCall(deps.db, attempt, evidence);
    if (!['observed', 'done', 'missing'].includes(outcome.kind)) return null;
    found.push(...foundBy(outcome));
  }
  return found;
}

/** Lookups that show every order of a reference; a GET by reference would show one of two. */
function countingLookups({ reads }: OpenAccount): Step[] {
  if (reads.count !== undefined) return [reads.count];
  return [...(reads.look === undefined ? [] : [reads.look]), ...(reads.furtherLooks ?? [])];
}

function candidateOf({ providerOrderId, reference, rawStatus, sameContent }: ProviderState): JsonObject {
  return { providerOrderId, reference, rawStatus, sameContent: sameContent ?? null };
}

function tell(
  { log, tell: send, time }: WatchDeps,
  watch: DueWatch,
  late: readonly ProviderState[],
  end: LateArrival,
): void {
  const ids = late.map(({ providerOrderId }) => providerOrderId);
  if (end === 'settled' || end === 'later') return;
  const { attemptId, operationId, orderId, account } = watch;
  log.error(
    { event: 'submit.late', account, orderId, operationId, attemptId, found: ids, end },
    'an order that had been judged absent arrived late',
  );
  const message = `an order that had been judged absent is there after all (${ids.join(', ')}): ${end}`;
  send(alert('duplicate', { account: watch.account, orderId: watch.orderId, message }, time.clock.now()));
}

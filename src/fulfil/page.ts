/** What a sync reads next: a page of orders by their names, a page of a list, or orders one by one. */
import { z } from 'zod';
import type { CachedAccount } from '../accounts/cache.js';
import {
  pageOfReads,
  type ReadOrder,
  type ReadSpan,
  singleReads,
  spanOfReads,
  unseenReads,
} from '../orders/store/read-pages.js';
import { finishIdleSync, type PollFacts, restSync } from '../orders/store/reads.js';
import type { Bell, FulfilDeps, Fulfilled } from './deps.js';
import { type ReadContext, unlistedEffect } from './read-effects.js';
import { walkIn } from './walk.js';

/**
 * Single reads of an account that may be to be made before its sync asks for more: rows and jobs stay few, however
 * many orders there are.
 */
const MOST_SINGLE = 100;
/** The same, with those that have failed and are made again later: they hold up the others only where they are many. */
const MOST_OPEN = 1_000;
/** How long a sync waits for single reads before it looks again, ms. */
const REST_MS = 1_000;
/** A page that is asked for anyway takes along what is due within this, ms: half the pace of the fastest status. */
const SOON_MS = 60_000;

/** What a sync was asked for: `before`, ISO 8601, means all orders whose last read began earlier. */
export const syncParams = z.object({ before: z.iso.datetime({ offset: true }).nullish() });

/** What one call of a sync reads: orders by their names, or the next page of a list that cannot be asked for them. */
export type Page = { kind: 'named'; orders: ReadOrder[] } | { kind: 'walk'; span: ReadSpan };

/** What there is to be called for; a page of null is a single order's read. */
export type Choice = { kind: 'page'; page: Page | null } | { kind: 'over'; fulfilled: Fulfilled };

/** The next page of a sync, or what there is to be done without a call. */
export async function choosePage(
  deps: FulfilDeps,
  { account, operationId }: Bell,
  { params, carry }: PollFacts,
): Promise<Choice> {
  const { db } = deps;
  const over = (fulfilled: Fulfilled): Choice => ({ kind: 'over', fulfilled });
  const before = syncParams.parse(params).before ?? null;
  const single = await singleReads(db, account.id);
  if (single.busy >= MOST_SINGLE || single.open >= MOST_OPEN) return over(await rest(deps, operationId));
  const { list } = account.open.reads;
  if (list !== undefined && list.walked !== true) {
    const orders = await pageOfReads(db, account.id, before, list.pageSize, SOON_MS);
    if (orders.length > 0) return { kind: 'page', page: { kind: 'named', orders } };
  } else {
    const walk = walkIn(carry);
    const room = MOST_SINGLE - single.busy;
    const isOnWay = walk?.over === false;
    // On the way it matters only whether there is anything left.
    const span = await spanOfReads(db, account.id, before, null, isOnWay ? 1 : null);
    const isWalked = list !== undefined && span.count > 0;
    if (isWalked && isOnWay) return { kind: 'page', page: { kind: 'walk', span } };
    const since = walk?.over === true ? walk.startedAt : null;
    const alone = isWalked && since === null ? [] : await readAlone(deps, account, before, since, room);
    if (alone.length > 0) return over({ kind: 'again' });
    if (isWalked) return { kind: 'page', page: { kind: 'walk', span } };
  }
  // Whoever asked for a look at all orders is told that it is over when those that are read singly have been read.
  if (before !== null && single.moving > 0) return over(await rest(deps, operationId));
  const ended = await finishIdleSync(db, operationId, before);
  return over(ended ? { kind: 'done', what: 'nothing left to read' } : { kind: 'again' });
}

/** Asks for single reads of orders that no list has shown. Returns those that were to be read. */
async function readAlone(
  deps: FulfilDeps,
  account: CachedAccount,
  before: string | null,
  since: number | null,
  most: number,
): Promise<ReadOrder[]> {
  const orders =
    since === null
      ? await pageOfReads(deps.db, account.id, before, most)
      : await unseenReads(deps.db, account.id, before, since, most);
  const at = readContext(deps, account, null);
  await deps.hot.applyReads(orders.map((order) => unlistedEffect(order, at)));
  return orders;
}

async function rest(deps: FulfilDeps, operationId: string): Promise<Fulfilled> {
  await restSync(deps.db, operationId, REST_MS);
  return { kind: 'done', what: 'waits for reads of single orders' };
}

/**
 * What the reads of an account are judged with.
 * @param startedAt epoch ms of the database's clock; null: when they are written down
 */
export function readContext(deps: FulfilDeps, account: CachedAccount, startedAt: number | null): ReadContext {
  return { startedAt, random: deps.time.random, getStep: account.open.reads.get.name };
}

/**
 * A walk: where a provider cannot be asked for given orders, its list is read page after page, and whichever open
 * orders stand on a page are read by it. Pure; the walk stands in the carry of its sync between two pages.
 */
import { z } from 'zod';
import type { JsonObject } from '../json.js';

/** An order may be listed under a time somewhat before the one at which it was stored here: other clocks, ms. */
const SLACK_MS = 3_600_000;

const schema = z.object({
  /** When its first page was asked for, epoch ms of the database's clock. */
  startedAt: z.number(),
  /** What was made before this is not listed, ISO 8601. */
  since: z.string(),
  /** What the next page is asked for with; null for the first one. */
  page: z.union([z.string(), z.number()]).nullable(),
  /** Pages read so far. */
  pages: z.number(),
  /** The list was read to its end, or as far as it is worth it: what it has not shown is read singly. */
  over: z.boolean(),
});

/** A walk through an account's list. */
export type Walk = z.output<typeof schema>;

/** The walk that a sync is on; null where it is on none, or somebody has edited it. */
export function walkIn(carry: unknown): Walk | null {
  const held = z.object({ walk: schema }).safeParse(carry);
  return held.success ? held.data.walk : null;
}

/**
 * The first page.
 * @param startedAt epoch ms of the database's clock
 * @param oldestAt since when orders were stored that are to be read, epoch ms
 */
export function beginWalk(startedAt: number, oldestAt: number): Walk {
  return {
    startedAt,
    since: new Date(oldestAt - SLACK_MS).toISOString(),
    page: null,
    pages: 0,
    over: false,
  };
}

/**
 * After a page.
 * @param next what names the following one, as the adapter told; anything but text or a number ends the list
 * @param unseen orders that are to be read and were on no page yet. Once the walk has taken as many pages as there are
 * such orders, reading them singly is cheaper: so a walk costs at most twice what single reads would have cost.
 */
export function nextOfWalk(walk: Walk, next: unknown, unseen: number): Walk {
  const pages = walk.pages + 1;
  const page = typeof next === 'string' || typeof next === 'number' ? next : null;
  return { ...walk, page, pages, over: page === null || unseen <= pages };
}

/** What a sync keeps of it. */
export function carryOf(walk: Walk): JsonObject {
  return { walk: { ...walk } };
}

/** The statuses of an order and the way that it takes through them (Wasal document, "Status lifecycle"). */

/** A status and since when, in milliseconds since the epoch. */
export interface Standing {
  status: string;
  since: number;
}

/** The statuses that a real order passes by itself; a draft is none of them, so it stays. */
export const LIFE_CYCLE: readonly string[] = [
  'pending',
  'assigned',
  'on_way_to_merchant',
  'picked_up',
  'in_transit',
  'delivered',
];

export const STATUSES: ReadonlySet<string> = new Set([
  'draft',
  ...LIFE_CYCLE,
  'failed',
  'returned',
  'cancelled',
]);

/** Up to when an order can be cancelled is not documented: until the driver has the package. */
export const CANCELABLE: ReadonlySet<string> = new Set([
  'draft',
  'pending',
  'assigned',
  'on_way_to_merchant',
]);

/**
 * What has become by `now` of an order that was put into a status: every standing since then, the newest last.
 * Each status lasts `stepMs` (0 or Infinity: for ever).
 */
export function lifeSince(anchor: Standing, stepMs: number, now: number): Standing[] {
  const start = LIFE_CYCLE.indexOf(anchor.status);
  const standings = [anchor];
  for (let step = 1; step <= stepsDone(anchor, start, stepMs, now); step += 1)
    standings.push({
      status: LIFE_CYCLE[start + step] ?? anchor.status,
      since: anchor.since + step * stepMs,
    });
  return standings;
}

/** The newest of `lifeSince`, without the others. */
export function standingAt(anchor: Standing, stepMs: number, now: number): Standing {
  const start = LIFE_CYCLE.indexOf(anchor.status);
  const steps = stepsDone(anchor, start, stepMs, now);
  if (steps === 0) return anchor;
  return { status: LIFE_CYCLE[start + steps] ?? anchor.status, since: anchor.since + steps * stepMs };
}

/** What comes after a standing by itself; undefined: nothing ever. */
export function nextStanding(standing: Standing, stepMs: number): Standing | undefined {
  const index = LIFE_CYCLE.indexOf(standing.status);
  const status = index === -1 ? undefined : LIFE_CYCLE[index + 1];
  if (status === undefined || stepMs === 0 || stepMs === Number.POSITIVE_INFINITY) return undefined;
  return { status, since: standing.since + stepMs };
}

function stepsDone(anchor: Standing, start: number, stepMs: number, now: number): number {
  if (start === -1 || stepMs === 0) return 0;
  const elapsed = Math.floor((now - anchor.since) / stepMs);
  return Math.max(0, Math.min(elapsed, LIFE_CYCLE.length - 1 - start));
}

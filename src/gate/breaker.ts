/**
 * An account's circuit breaker: where most calls of late met trouble at the provider, no more are made for a while;
 * then one call tries, and what becomes of it closes the breaker or opens it again for longer. Pure.
 *
 * The window has two halves. The newer one becomes the older one once it holds enough calls, or is old enough. So a
 * busy account is judged by its last few calls and a slow one by its last few minutes, and neither needs a list.
 */
import type { HttpResult } from '../policy/answer.js';
import { type Outcome, unreachable } from '../policy/outcome.js';

/** When a breaker opens, and for how long. */
export interface BreakerSettings {
  /** Opens on no fewer calls. */
  minCalls: number;
  /** Part of the calls that met trouble, above 0 and at most 1. */
  ratio: number;
  /** What happened longer ago does not count, ms. */
  windowMs: number;
  /** The first time it stays open, ms; doubled with each opening in a row. */
  openMs: number;
  /** It stays open at most, ms. */
  maxOpenMs: number;
}

/** What a call says of the provider's health; `none` where it says nothing. */
export type Sign = 'well' | 'trouble' | 'none';

/** Calls that say something. */
export interface Tally {
  wells: number;
  troubles: number;
}

export interface Window {
  /** When the newer half began, epoch ms; null while nothing was counted. */
  since: number | null;
  /** The newer half. */
  now: Tally;
  /** The older one. */
  past: Tally;
}

export type BreakerState =
  | {
      kind: 'closed';
      window: Window;
      /** How often in a row it was open before, and until when, epoch ms; null where that does not matter any more. */
      last: { openings: number; closedAt: number } | null;
    }
  | {
      kind: 'open';
      /** As it was when it opened. */
      window: Window;
      /** Epoch ms: since when it is not closed, and until when nothing is tried. */
      since: number;
      until: number;
      /** In a row, this one counted. */
      openings: number;
      /** The operation whose call tries. */
      probe: string | null;
    };

const NONE: Tally = { wells: 0, troubles: 0 };
export const EMPTY_WINDOW: Window = { since: null, now: NONE, past: NONE };

const plus = (a: Tally, b: Tally): Tally => ({ wells: a.wells + b.wells, troubles: a.troubles + b.troubles });

/** How many calls, and how many of them met trouble. */
export function callsIn({ now, past }: Window): { calls: number; troubles: number } {
  const { wells, troubles } = plus(now, past);
  return { calls: wells + troubles, troubles };
}

/** A half is at most two of these old when it becomes the older one, and one more when it goes: three are the window. */
const PARTS = 3;

/** The window after further calls. Calls younger than a third of it count, unless `minCalls` younger ones do. */
export function counted(
  window: Window,
  seen: Tally,
  now: number,
  { minCalls, windowMs }: Pick<BreakerSettings, 'minCalls' | 'windowMs'>,
): Window {
  const part = windowMs / PARTS;
  const age = window.since === null ? Number.POSITIVE_INFINITY : now - window.since;
  if (age >= 2 * part) return { since: now, now: seen, past: NONE };
  if (age >= part || window.now.wells + window.now.troubles >= minCalls)
    return { since: now, now: seen, past: window.now };
  return { ...window, now: plus(window.now, seen) };
}

/**
 * The window as it is looked at: what is too old is left out, and so are the calls of an account that met no trouble of
 * late, which nobody counts by time; an open breaker's is that of its opening.
 */
export function shownWindow(
  state: BreakerState,
  now: number,
  settings: Pick<BreakerSettings, 'minCalls' | 'windowMs'>,
): Window {
  if (state.kind === 'open') return state.window;
  return state.window.since === null ? EMPTY_WINDOW : counted(state.window, NONE, now, settings);
}

/** Calls of which some met trouble. Only a closed breaker counts: what an open one lets through proves nothing. */
export function afterTrouble(
  state: BreakerState,
  seen: Tally,
  now: number,
  settings: BreakerSettings,
): BreakerState {
  if (state.kind === 'open') return state;
  const window = counted(state.window, seen, now, settings);
  const { calls, troubles } = callsIn(window);
  if (calls < settings.minCalls || troubles / calls < settings.ratio) return { ...state, window };
  const { last } = state;
  const openings = last !== null && now - last.closedAt < settings.maxOpenMs ? last.openings + 1 : 1;
  return { kind: 'open', window, since: now, until: now + openMs(openings, settings), openings, probe: null };
}

/** What became of the call that tried. Somebody else's, or one whose breaker was closed meanwhile, changes nothing. */
export function afterProbe(
  state: BreakerState,
  operationId: string,
  sign: Sign,
  now: number,
  settings: BreakerSettings,
): BreakerState {
  if (state.kind === 'closed' || state.probe !== operationId) return state;
  switch (sign) {
    case 'well':
      return {
        kind: 'closed',
        window: EMPTY_WINDOW,
        last: { openings: state.openings, closedAt: now },
      };
    case 'trouble': {
      const openings = state.openings + 1;
      return { ...state, openings, until: now + openMs(openings, settings), probe: null };
    }
    case 'none':
      return { ...state, probe: null };
    default:
      return unreachable(sign);
  }
}

/** Closed by somebody who knows better: nothing of before counts any more. */
export function closedByHand(state: BreakerState): BreakerState {
  return state.kind === 'closed' ? state : { kind: 'closed', window: EMPTY_WINDOW, last: null };
}

/** How long the so many-th opening in a row lasts, ms. */
export function openMs(openings: number, settings: Pick<BreakerSettings, 'openMs' | 'maxOpenMs'>): number {
  return Math.min(settings.openMs * 2 ** (openings - 1), Math.max(settings.openMs, settings.maxOpenMs));
}

/** Nothing was sent, and that was our own doing (providers/http.ts). */
const OUR_OWN: readonly string[] = ['send_by', 'aborted'];
const REQUEST_TIMEOUT = 408;

/**
 * Whether the provider is in trouble: it cannot be reached, does not answer, or answers what nobody can rely on. What
 * it says about an order is no trouble of its own, and a 429 is the gate's matter.
 * @param status the status that an answer stands for, where one came
 */
export function signOf(result: HttpResult, outcome: Outcome, status: number | null): Sign {
  switch (result.kind) {
    case 'notSent':
      return OUR_OWN.includes(result.code) ? 'none' : 'trouble';
    case 'unknown':
      return result.code === 'aborted' ? 'none' : 'trouble';
    case 'answered': {
      if (outcome.kind === 'throttled') return 'none';
      if (outcome.kind !== 'unknown' && outcome.kind !== 'failed') return 'well';
      const blamesUs = status !== null && status >= 400 && status < 500 && status !== REQUEST_TIMEOUT;
      return blamesUs ? 'well' : 'trouble';
    }
    default:
      return unreachable(result);
  }
}

/** What an order of the demo is, and what the orders of all providers are made with. Pure. */
import type { JsonObject } from '../../json.js';
import type { Random } from '../../time.js';

/** What happens to the one call that makes an order at its provider. */
export type Mishap =
  /** It is accepted, and the answer never arrives. */
  | 'lost'
  /** It is refused with a 500. */
  | 'error'
  /** It is refused with a 503. */
  | 'busy';

/** What the shop does with an order, or what becomes of it on its way. */
export type Fate = 'plain' | 'invalid' | 'canceled' | 'draft' | 'released' | Mishap;

/** What the demo does with an order beside sending it. */
export interface DemoOrder {
  body: JsonObject;
  /** Refused at intake, on purpose. */
  invalid: boolean;
  /** Canceled so many ms after it was sent. */
  cancelAfterMs: number | null;
  /** Activated so many ms after it was sent; null: never by a call of its own. */
  activateAfterMs: number | null;
  mishap: Mishap | null;
}

/**
 * Makes an account's order number `n`, counted from 1.
 * @param account the id that the order is for
 */
export type MakeOrder = (account: string, n: number, random: Random) => DemoOrder;

/** A way in which a shop gets an order wrong. */
export type Mistake = (body: JsonObject) => JsonObject;

/** Changes of mind come within this, ms. */
const MIND_MS = 3_000;
/** Before this, ms, nothing is released: a draft is to be one for a moment. */
const DRAFT_MS = 1_000;

/** An order that is sent as it stands. */
export function plainOrder(body: JsonObject): DemoOrder {
  return { body, invalid: false, cancelAfterMs: null, activateAfterMs: null, mishap: null };
}

/** A good body, led to its fate; an invalid one has one of the mistakes. */
export function fatedOrder(
  body: JsonObject,
  fate: Fate,
  mistakes: readonly Mistake[],
  random: Random,
): DemoOrder {
  const order = plainOrder(body);
  switch (fate) {
    case 'plain':
      return order;
    case 'invalid':
      return { ...order, body: pick(mistakes, random)(body), invalid: true };
    case 'canceled':
      return { ...order, cancelAfterMs: Math.floor(random() * MIND_MS) };
    case 'draft':
      return { ...order, body: { ...body, activate: false } };
    case 'released':
      return {
        ...order,
        body: { ...body, activate: false },
        activateAfterMs: DRAFT_MS + Math.floor(random() * MIND_MS),
      };
    case 'lost':
    case 'error':
    case 'busy':
      return { ...order, mishap: fate };
    default:
      return fate satisfies never;
  }
}

/** The fates by turns, so that already a few orders of an account show every case. */
export function inTurn<T>(turns: readonly [T, ...T[]], n: number): T {
  return turns[(n - 1) % turns.length] ?? turns[0];
}

/** One of them by chance. */
export function pick<T>(from: readonly T[], random: Random): T {
  // `random` is below 1, so the index is inside.
  return from[Math.floor(random() * from.length)] as T;
}

/** A whole number from `least` to `most`. */
export function between(least: number, most: number, random: Random): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** An amount of money from its smallest unit, such as fils, without a detour through floats. */
export function amount(smallest: number, decimals: number): string {
  const digits = String(smallest).padStart(decimals + 1, '0');
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** The name of an account's order, the same in every demo. */
export function referenceOf(account: string, n: number): string {
  return `${account}-${String(n).padStart(4, '0')}`;
}

/** Deterministic numbers in [0, 1), so that every demo is the same day (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

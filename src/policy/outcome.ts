/**
 * What an attempt learned: one closed union, declared here and nowhere else. Adding a variant makes every
 * switch over it fail to compile until it is handled.
 */
import type { JsonObject } from '../json.js';
import type { OrderStatus, ProviderState, WaitReason } from '../orders/order.js';

/** Account-wide reasons that stop all calls until something changes; a refused `token` only until it is refreshed. */
export type BlockCode = 'auth' | 'misconfigured' | 'reinstall' | 'token';

/** What a provider told that later operations of the account can use: its id of a customer, a session. */
export interface Fact {
  kind: string;
  key: string;
  /** Null forgets it. */
  value: JsonObject | null;
  /** How long it holds, ms; for ever when left out. */
  ttlMs?: number;
  /** Kept sealed. */
  secret?: true;
}

/** A code that a provider handed out. Money: sealed before it is stored, never logged. */
export interface Deliverable {
  /** From 0, over the whole order. */
  position: number;
  sku: string;
  code: string;
  serial: string | null;
  /** ISO 8601. */
  expiresAt: string | null;
}

/*
 * Of lookups: `whole` where the list was read to its end, so that an order which is none of those found is not there;
 * `alike` where each of several found is what one alone would have been.
 */

/** What a success may bring beside its answer. */
interface Gains {
  facts?: Fact[];
  deliverables?: Deliverable[];
}

export type Outcome =
  /** The provider took the order and named it. */
  | ({
      kind: 'accepted';
      providerOrderId: string;
      status?: OrderStatus;
      rawStatus?: string;
      data?: JsonObject;
    } & Gains)
  /** A read found this. */
  | ({ kind: 'observed'; state: ProviderState; whole?: true } & Gains)
  /** A step or verb is done; `states` where it was a page of a list, or several orders could be the one looked for. */
  | ({ kind: 'done'; data?: JsonObject; states?: ProviderState[]; whole?: true; alike?: true } & Gains)
  /** The content is at fault. */
  | { kind: 'rejected'; code: string; message: string; fields?: Record<string, string[]> }
  /** Not there, in the provider's own words. */
  | { kind: 'missing'; code: string; message: string }
  /** Already so, or in conflict with what is: fetch the state and adopt it. */
  | { kind: 'settled'; code: string; message: string }
  /** Certainly not done; may be tried again, not before `retryAt` (epoch ms) where the answer names a time. */
  | { kind: 'failed'; code: string; message: string; retryAt?: number }
  /** Too many calls. `retryAt` (epoch ms) where the answer says when. */
  | { kind: 'throttled'; code: string; message: string; retryAt?: number }
  /** The account's matter. */
  | { kind: 'blocked'; code: BlockCode; message: string }
  /** Something else must happen first. */
  | {
      kind: 'waiting';
      reason: Extract<WaitReason, 'funds' | 'window' | 'stock' | 'otp'>;
      scope: 'account' | 'order';
      code: string;
      message: string;
      retryAt?: number;
      data?: JsonObject;
    }
  /** Retired for good. */
  | { kind: 'gone'; code: string; message: string }
  /** Sent, and no trustworthy answer: may have been done. */
  | { kind: 'unknown'; code: string; message: string }
  /** No byte left us. */
  | { kind: 'notSent'; code: string; message: string }
  /** We are stopping and had not sent it. */
  | { kind: 'interrupted' };

export type OutcomeKind = Outcome['kind'];

/** The short machine code of an outcome, for rows, logs and metrics. */
export function outcomeCode(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'accepted':
    case 'observed':
    case 'done':
      return 'ok';
    case 'interrupted':
      return 'interrupted';
    case 'rejected':
    case 'missing':
    case 'settled':
    case 'failed':
    case 'throttled':
    case 'blocked':
    case 'waiting':
    case 'gone':
    case 'unknown':
    case 'notSent':
      return outcome.code;
    default:
      return unreachable(outcome);
  }
}

/** The sentence of an outcome, for people; null where there is nothing to say. */
export function outcomeMessage(outcome: Outcome): string | null {
  return 'message' in outcome ? outcome.message : null;
}

/** Where the compiler has proved that no value can come. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

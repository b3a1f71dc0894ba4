/**
 * What an attempt learned: one closed union, declared here and nowhere else. Adding a variant makes every
 * switch over it fail to compile until it is handled.
 */
import type { JsonObject } from '../json.js';
import type { OrderStatus, ProviderState, WaitReason } from '../orders/order.js';

/** Account-wide reasons that stop all calls until something changes. */
export type BlockCode = 'auth' | 'misconfigured' | 'reinstall';

export type Outcome =
  /** The provider took the order and named it. */
  | { kind: 'accepted'; providerOrderId: string; status?: OrderStatus; rawStatus?: string; data?: JsonObject }
  /** A read found this. */
  | { kind: 'observed'; state: ProviderState }
  /** A step or verb is done; `states` where it was a page of a list. */
  | { kind: 'done'; data?: JsonObject; states?: ProviderState[] }
  /** The content is at fault. */
  | { kind: 'rejected'; code: string; message: string; fields?: Record<string, string[]> }
  /** Not there, in the provider's own words. */
  | { kind: 'missing'; code: string; message: string }
  /** Already so, or in conflict with what is: fetch the state and adopt it. */
  | { kind: 'settled'; code: string; message: string }
  /** Certainly not done; may be tried again. */
  | { kind: 'failed'; code: string; message: string }
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

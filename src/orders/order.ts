/**
 * What an order is, here: the words that the store, the policies and the adapters share.
 * The states themselves, with a paragraph each, are in states.ts; the body as the shop writes it in body.ts.
 */
import type { JsonObject } from '../json.js';
import type { OrderBody } from './body.js';

export const ORDER_STATUSES = [
  'received',
  'draft',
  'submitted',
  'in_progress',
  'shipped',
  'delivered',
  'canceled',
  'failed',
  'returned',
] as const;
/** What the shop sees. */
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const OPERATION_KINDS = ['submit', 'activate', 'cancel', 'update', 'poll'] as const;
/** One thing to do. */
export type OperationKind = (typeof OPERATION_KINDS)[number];

/** Narrows a job's name, which anybody can have put into the queue. */
export function isOperationKind(value: string): value is OperationKind {
  return OPERATION_KINDS.some((kind) => kind === value);
}

export const OPERATION_STATES = [
  'pending',
  'queued',
  'running',
  'retrying',
  'waiting',
  'unconfirmed',
  'succeeded',
  'rejected',
  'dead',
  'canceled',
] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

export const WAIT_REASONS = [
  'rate_limited',
  'funds',
  'window',
  'stock',
  'otp',
  'auth',
  'paused',
  'busy',
] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

/** What an attempt is for; see the Prisma schema. */
export type Purpose = 'call' | 'look' | 'check' | 'control' | 'watch';
/** What the caller of an attempt saw. `unknown` is a report, and no verdict. */
export type Report = 'accepted' | 'refused' | 'not_sent' | 'unknown';
/** What became of an attempt. */
export type Verdict = 'accepted' | 'refused' | 'not_sent' | 'absent';

/** A parcel's trail, as the provider tells it. */
export interface Tracking {
  carrier: string | null;
  code: string | null;
  url: string | null;
  status: string | null;
}

/** Why an order failed, in the provider's words where it has any. */
export interface Failure {
  code: string;
  message: string;
  /** Per field of the provider's own naming, its messages. */
  fields?: Record<string, string[]>;
}

/** A reason for a human to look at an order; the status says nothing of it. */
export interface Attention {
  code: string;
  detail: string;
}

/** An order as an adapter sees it. */
export interface OrderView {
  id: string;
  /** The shop's own order id. */
  reference: string;
  /** What the provider is told: the account's prefix, the reference, and `~2`, `~3`, … from the second generation on. */
  providerReference: string;
  generation: number;
  body: OrderBody;
  providerOrderId: string | null;
  providerData: JsonObject;
  createdAt: Date;
}

/**
 * What the provider knows this order by.
 * @param prefix the account's `referencePrefix`, for shops that share one provider account
 */
export function providerReference(reference: string, generation: number, prefix = ''): string {
  return `${prefix}${reference}${generation > 1 ? `~${generation}` : ''}`;
}

/** What a read of the provider found. */
export interface ProviderState {
  providerOrderId: string;
  /** The reference that the provider holds for it, where it has one. */
  reference: string | null;
  /** Our word for it; null where the provider's word is not known to us. */
  status: OrderStatus | null;
  /** The provider's own word. */
  rawStatus: string;
  tracking?: Tracking[];
  failure?: Failure;
  attention?: Attention;
  /** The row lacks what a single read would tell (tracking), so a change calls for one. */
  partial?: boolean;
  /** Content equals the order that was asked about; null where it cannot be told. */
  sameContent?: boolean | null;
  createdAt?: string;
  data?: JsonObject;
}

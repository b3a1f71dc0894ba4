/**
 * The statuses of an order and the moves between them, as a literal table; a paragraph each is in the Prisma
 * schema, the picture in the README.
 */
import { type OperationState, ORDER_STATUSES, type OrderStatus } from './order.js';

/** Where an order can go from each status, whoever tells it: an answer, a webhook or a read. */
export const MOVES: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  received: ['draft', 'submitted', 'in_progress', 'shipped', 'delivered', 'canceled', 'failed', 'returned'],
  draft: ['submitted', 'in_progress', 'shipped', 'delivered', 'canceled', 'failed', 'returned'],
  submitted: ['in_progress', 'shipped', 'delivered', 'canceled', 'failed', 'returned'],
  in_progress: ['shipped', 'delivered', 'canceled', 'failed', 'returned'],
  shipped: ['delivered', 'canceled', 'failed', 'returned'],
  delivered: ['returned'],
  // Left only by an authoritative read, or by a corrected body (PUT), which begins again at `received`.
  canceled: [],
  failed: ['received'],
  returned: [],
};

/** Statuses that a read still follows. */
export const OPEN_STATUSES: readonly OrderStatus[] = ['draft', 'submitted', 'in_progress', 'shipped'];

/** States that nothing leaves by itself. */
export const TERMINAL_STATES: readonly OperationState[] = ['succeeded', 'rejected', 'dead', 'canceled'];

export type Authority =
  /** A read of the order itself: it is what is. */
  | 'read'
  /** A webhook: only forward. */
  | 'webhook';

export type Move =
  | { kind: 'same' }
  | { kind: 'move'; to: OrderStatus }
  /** An order that was failed or canceled here lives on at the provider. */
  | { kind: 'reopen'; to: OrderStatus }
  /** Not believed: it would go back. */
  | { kind: 'ignored' };

/** What becomes of an order's status when its provider tells of another. */
export function move(from: OrderStatus, told: OrderStatus, authority: Authority): Move {
  if (from === told) return { kind: 'same' };
  // Only a corrected body begins again; a provider's word never takes back what was sent.
  if (told === 'received') return { kind: 'ignored' };
  if (MOVES[from].includes(told)) return { kind: 'move', to: told };
  const exit = from === 'failed' || from === 'canceled';
  if (exit && authority === 'read') return { kind: 'reopen', to: told };
  return { kind: 'ignored' };
}

/** Narrows a database value to a status; a hand-edited row is a bug that must be seen. */
export function isOrderStatus(value: string): value is OrderStatus {
  return ORDER_STATUSES.some((status) => status === value);
}

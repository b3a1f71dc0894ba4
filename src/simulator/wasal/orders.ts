/** The orders of a merchant, and the life that each of them leads. */
import type { Clock } from '../../time.js';
import type { StoredAddress, StoredCustomer } from './customers.js';
import type { Ids } from './ids.js';
import { lifeSince, type Standing, standingAt } from './life.js';
import type { ListQuery, OrderBody } from './wire.js';

export interface Branch {
  id: string;
  code: string;
}

export interface StoredOrder {
  id: string;
  orderNumber: string;
  body: OrderBody;
  customer: StoredCustomer;
  address: StoredAddress;
  branch: Branch;
  /** In fils. */
  deliveryFee: number;
  /** Made with a sandbox key: without a driver, so that it stays where it is put. */
  isSandbox: boolean;
  /** Milliseconds since the epoch. */
  createdAt: number;
  /** Invisible to reads until then. */
  hiddenUntil: number;
  /** What it has passed before its life was last set from outside. */
  past: readonly Standing[];
  /** Where its life was last set from outside; what it has become since is `OrderBook.standing`. */
  anchor: Standing;
}

/** What a new order is made of. */
export type NewOrder = Pick<
  StoredOrder,
  'body' | 'customer' | 'address' | 'branch' | 'deliveryFee' | 'isSandbox'
> & { status: string; hideMs: number };

/** Who wants to know what becomes of orders. */
export interface OrderWatcher {
  /** Something is about to change: what happened by itself until now happened before. */
  catchUp(): void;
  /** An order was created or put into a status. */
  told(order: StoredOrder, isNew: boolean): void;
}

export interface OrderBookSettings {
  clock: Clock;
  ids: Ids;
  /** How long each status lasts, in milliseconds; 0 or Infinity: for ever. */
  stepMs: number;
  /** Until the list shows a new order, in milliseconds. */
  listLagMs: number;
  /** Whether `referenceNumber` finds references that merely contain it. */
  partialReferences: boolean;
  watcher: OrderWatcher;
}

export class OrderBook {
  readonly #settings: OrderBookSettings;
  readonly #orders: StoredOrder[] = [];
  readonly #byId = new Map<string, StoredOrder>();
  readonly #byNumber = new Map<string, StoredOrder>();
  readonly #byReference = new Map<string, StoredOrder[]>();

  constructor(settings: OrderBookSettings) {
    this.#settings = settings;
  }

  /** Accepts a new order, whatever else has its reference. */
  add({ status, hideMs, ...parts }: NewOrder): StoredOrder {
    const { clock, ids, watcher } = this.#settings;
    watcher.catchUp();
    const now = clock.now();
    const order: StoredOrder = {
      ...parts,
      id: ids.object(),
      orderNumber: ids.orderNumber(parts.branch.code),
      createdAt: now,
      hiddenUntil: now + hideMs,
      past: [],
      anchor: { status, since: now },
    };
    this.#orders.push(order);
    this.#byId.set(order.id, order);
    this.#byNumber.set(order.orderNumber, order);
    this.#nameIt(order);
    order.customer.hasOrders = true;
    watcher.told(order, true);
    return order;
  }

  /** By id, hidden or not. */
  find(id: string): StoredOrder | undefined {
    return this.#byId.get(id);
  }

  /** By order number, hidden or not. */
  findByNumber(orderNumber: string): StoredOrder | undefined {
    return this.#byNumber.get(orderNumber);
  }

  /** Oldest first. */
  withReference(reference: string): readonly StoredOrder[] {
    return this.#byReference.get(reference) ?? [];
  }

  isVisible(order: StoredOrder): boolean {
    return this.#settings.clock.now() >= order.hiddenUntil;
  }

  /** Oldest first. */
  all(): readonly StoredOrder[] {
    return this.#orders;
  }

  /** Its status at this moment. */
  standing(order: StoredOrder): Standing {
    return standingAt(order.anchor, this.stepMsOf(order), this.#settings.clock.now());
  }

  /** All that it has been, oldest first. */
  history(order: StoredOrder): Standing[] {
    return [...order.past, ...lifeSince(order.anchor, this.stepMsOf(order), this.#settings.clock.now())];
  }

  /** How long each of its statuses lasts; 0: for ever. */
  stepMsOf(order: StoredOrder): number {
    return order.isSandbox ? 0 : this.#settings.stepMs;
  }

  /** Puts it into a status, from which it goes on by itself if that is one of its life cycle. */
  put(order: StoredOrder, status: string): void {
    const { clock, watcher } = this.#settings;
    watcher.catchUp();
    order.past = this.history(order);
    order.anchor = { status, since: clock.now() };
    watcher.told(order, false);
  }

  /** A page of those that fit, newest first (the document names no order), and how many fit in all. */
  list(query: ListQuery): { page: StoredOrder[]; total: number } {
    const candidates = this.#candidates(query);
    const first = (query.page - 1) * query.limit;
    const now = this.#settings.clock.now();
    const page: StoredOrder[] = [];
    let total = 0;
    for (let index = candidates.length - 1; index >= 0; index -= 1) {
      const order = candidates[index];
      if (order === undefined || !this.#fits(order, query, now)) continue;
      if (total >= first && page.length < query.limit) page.push(order);
      total += 1;
    }
    return { page, total };
  }

  #nameIt(order: StoredOrder): void {
    const reference = order.body.orderMerchantReferenceNumber;
    if (reference === undefined) return;
    const namesakes = this.#byReference.get(reference);
    if (namesakes === undefined) this.#byReference.set(reference, [order]);
    else namesakes.push(order);
  }

  /** Oldest first; by reference without a walk through all orders. */
  #candidates({ referenceNumber }: ListQuery): readonly StoredOrder[] {
    if (referenceNumber === undefined || this.#settings.partialReferences) return this.#orders;
    return this.withReference(referenceNumber);
  }

  /** The cheapest filters first: the total of a page means a look at all orders. */
  #fits(order: StoredOrder, query: ListQuery, now: number): boolean {
    const { status, dateFrom, dateTo, referenceNumber } = query;
    if (order.isSandbox !== query.sandboxOnly) return false;
    if (now < order.hiddenUntil || now < order.createdAt + this.#settings.listLagMs) return false;
    if (dateFrom !== undefined && order.createdAt < dateFrom) return false;
    if (dateTo !== undefined && order.createdAt > dateTo) return false;
    if (referenceNumber !== undefined && !order.body.orderMerchantReferenceNumber?.includes(referenceNumber))
      return false;
    // "Endpoints", list / search: all but cancelled unless asked for. No order is cancelled by itself.
    if (status === undefined) return order.anchor.status !== 'cancelled';
    return standingAt(order.anchor, this.stepMsOf(order), now).status === status;
  }
}

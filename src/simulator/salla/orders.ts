/** The orders that the simulated store holds. */
import type { Clock } from '../../time.js';
import { idSource } from './ids.js';
import { type Anchor, Life, type Standing } from './life.js';
import type { OrderStatus, StatusCatalogue } from './statuses.js';
import type { OrderBody } from './wire.js';

/** How it came: through "Create Order", "Create External Order", as a draft, or from a shopper. */
export type OrderKind = 'order' | 'external' | 'draft' | 'store';

export interface StoredOrder {
  id: number;
  /** The number that people see. */
  referenceId: number;
  kind: OrderKind;
  body: OrderBody;
  /** The note of the last change of status. */
  note: string | undefined;
  createdAt: number;
  /** The last change from outside; milliseconds since the epoch. */
  touchedAt: number;
  /** Invisible to reads until then; lists may lag behind that. */
  hiddenUntil: number;
  isDeleted: boolean;
  anchor: Anchor<OrderStatus>;
}

export class OrderBook {
  readonly #clock: Clock;
  readonly #life: Life<OrderStatus>;
  readonly #nextId = idSource();
  readonly #orders: StoredOrder[] = [];
  readonly #byId = new Map<number, StoredOrder>();
  readonly #byReferenceId = new Map<number, StoredOrder>();
  readonly #byExternalId = new Map<string, StoredOrder[]>();
  #nextReferenceId = 40_000_001;

  constructor(clock: Clock, stepMs: number, statuses: StatusCatalogue) {
    this.#clock = clock;
    this.#life = new Life(clock, stepMs, statuses.cycle());
  }

  /** Takes a new order, whatever else has its external id. One that is not to move stays in its status. */
  add(kind: OrderKind, body: OrderBody, status: OrderStatus, moves: boolean, hideMs: number): StoredOrder {
    const now = this.#clock.now();
    const order: StoredOrder = {
      id: this.#nextId(),
      referenceId: this.#nextReferenceId,
      kind,
      body,
      note: undefined,
      createdAt: now,
      touchedAt: now,
      hiddenUntil: now + hideMs,
      isDeleted: false,
      anchor: this.#life.begin(status, moves),
    };
    this.#nextReferenceId += 1;
    this.#orders.push(order);
    this.#byId.set(order.id, order);
    this.#byReferenceId.set(order.referenceId, order);
    const { externalOrderId } = body;
    if (externalOrderId !== undefined) {
      const namesakes = this.#byExternalId.get(externalOrderId);
      if (namesakes === undefined) this.#byExternalId.set(externalOrderId, [order]);
      else namesakes.push(order);
    }
    return order;
  }

  get(id: number): StoredOrder | undefined {
    return this.#byId.get(id);
  }

  byReferenceId(referenceId: number): StoredOrder | undefined {
    return this.#byReferenceId.get(referenceId);
  }

  byExternalId(externalId: string): readonly StoredOrder[] {
    return this.#byExternalId.get(externalId) ?? [];
  }

  /** By id, number or external id; for those who control the simulator. */
  find(name: string): StoredOrder | undefined {
    return (
      this.byExternalId(name)[0] ?? this.#byId.get(Number(name)) ?? this.#byReferenceId.get(Number(name))
    );
  }

  isVisible(order: StoredOrder): boolean {
    return this.#clock.now() >= order.hiddenUntil;
  }

  /** Oldest first. */
  all(): readonly StoredOrder[] {
    return this.#orders;
  }

  standing(order: StoredOrder): Standing<OrderStatus> {
    return this.#life.standing(order.anchor);
  }

  nextChangeAt(order: StoredOrder): number | undefined {
    return order.isDeleted ? undefined : this.#life.nextChangeAt(order.anchor);
  }

  updatedAt(order: StoredOrder): number {
    return Math.max(this.standing(order).since, order.touchedAt);
  }

  /** Puts it into a status; one that moves goes on from there if the status is one of the life cycle. */
  put(order: StoredOrder, status: OrderStatus, moves: boolean): void {
    order.anchor = this.#life.begin(status, moves);
  }

  change(order: StoredOrder, body: OrderBody): void {
    order.body = body;
    order.touchedAt = this.#clock.now();
  }
}

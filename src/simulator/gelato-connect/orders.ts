/** The orders that the simulated print shop holds, and the life that each of them leads. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../time.js';
import { crossesBorder } from './shipping.js';
import type { SearchBody, ShippingAddress, SubmitBody, UpdateShipmentBody } from './wire.js';

/** A status and since when, in milliseconds since the epoch. */
export interface Standing {
  status: string;
  since: number;
}

/** Why an order failed after it had been accepted. */
export interface Refusal {
  code: string;
  reason: string;
}

export interface StoredOrder {
  id: string;
  body: SubmitBody;
  orderType: 'order' | 'draft';
  shippingAddress: ShippingAddress;
  shipmentMethodUid: string | undefined;
  createdAt: number;
  /** The last change from outside (update of the shipment); milliseconds since the epoch. */
  touchedAt: number;
  /** Invisible to get and search until then. */
  hiddenUntil: number;
  /** Where its life was last set from outside; what it has become since is `OrderBook.standing`. */
  anchor: Standing;
  /** Set when it was failed by hand. */
  refusal: Refusal | undefined;
}

/** The statuses that an order passes by itself; a draft is none of them, so it stays. */
export const LIFE_CYCLE: readonly string[] = [
  'created',
  'passed',
  'in_production',
  'printed',
  'packaged',
  'shipped',
  'delivered',
];

// "Cancel Order" and "Update Shipment": possible until the order is shipped.
const LEFT_THE_HOUSE: ReadonlySet<string> = new Set(['shipped', 'in_transit', 'delivered', 'returned']);

const MISSING_RETAIL_PRICES: Refusal = {
  code: 'missing_retail_prices',
  reason: 'The order crosses a border and has products without a retail price.',
};

export class OrderBook {
  readonly #clock: Clock;
  readonly #stepMs: number;
  readonly #searchLagMs: number;
  readonly #orders: StoredOrder[] = [];
  readonly #byId = new Map<string, StoredOrder>();
  readonly #byReference = new Map<string, StoredOrder[]>();

  /** `stepMs`: how long each status lasts (0 or Infinity: for ever); `searchLagMs`: until search shows an order. */
  constructor(clock: Clock, stepMs: number, searchLagMs: number) {
    this.#clock = clock;
    this.#stepMs = stepMs;
    this.#searchLagMs = searchLagMs;
  }

  /** Accepts a new order, whatever else has its reference. */
  add(body: SubmitBody, hideMs: number): StoredOrder {
    const now = this.#clock.now();
    const order: StoredOrder = {
      // Not from the passed-in randomness: ids must differ even where a test holds chance still.
      id: randomUUID(),
      body,
      orderType: body.orderType,
      shippingAddress: body.shippingAddress,
      shipmentMethodUid: body.shipmentMethodUid,
      createdAt: now,
      touchedAt: now,
      hiddenUntil: now + hideMs,
      anchor: { status: body.orderType === 'draft' ? 'draft' : 'created', since: now },
      refusal: undefined,
    };
    this.#orders.push(order);
    this.#byId.set(order.id, order);
    const namesakes = this.#byReference.get(body.orderReferenceId);
    if (namesakes === undefined) this.#byReference.set(body.orderReferenceId, [order]);
    else namesakes.push(order);
    return order;
  }

  /** By id, else the first order that was given this reference. */
  find(idOrReference: string): StoredOrder | undefined {
    return this.#byId.get(idOrReference) ?? this.#byReference.get(idOrReference)?.[0];
  }

  /** Like `find`, but only among those that reads may see. */
  findVisible(idOrReference: string): StoredOrder | undefined {
    const now = this.#clock.now();
    const byId = this.#byId.get(idOrReference);
    const candidates = byId === undefined ? (this.#byReference.get(idOrReference) ?? []) : [byId];
    return candidates.find((order) => now >= order.hiddenUntil);
  }

  /** Oldest first. */
  all(): readonly StoredOrder[] {
    return this.#orders;
  }

  /** Its status at this moment. */
  standing(order: StoredOrder): Standing {
    const { anchor } = order;
    const start = LIFE_CYCLE.indexOf(anchor.status);
    if (start === -1 || this.#stepMs === 0) return anchor;
    const elapsed = Math.floor((this.#clock.now() - anchor.since) / this.#stepMs);
    const steps = Math.min(elapsed, LIFE_CYCLE.length - 1 - start);
    if (steps <= 0) return anchor;
    if (start === 0 && lacksRetailPrices(order))
      return { status: 'failed', since: anchor.since + this.#stepMs };
    return { status: LIFE_CYCLE[start + steps] ?? anchor.status, since: anchor.since + steps * this.#stepMs };
  }

  /** Why it failed; undefined while it has not. */
  refusal(order: StoredOrder): Refusal | undefined {
    if (this.standing(order).status !== 'failed') return undefined;
    return order.refusal ?? MISSING_RETAIL_PRICES;
  }

  updatedAt(order: StoredOrder): number {
    return Math.max(this.standing(order).since, order.touchedAt);
  }

  /** Whether it may still be canceled or changed. */
  isChangeable(order: StoredOrder): boolean {
    const { status } = this.standing(order);
    return status !== 'failed' && !LEFT_THE_HOUSE.has(status);
  }

  hasShipped(order: StoredOrder): boolean {
    return LEFT_THE_HOUSE.has(this.standing(order).status);
  }

  /** Puts it into a status, from which it goes on by itself if that is one of its life cycle. */
  put(order: StoredOrder, status: string, refusal?: Refusal): void {
    order.anchor = { status, since: this.#clock.now() };
    order.refusal = refusal;
  }

  /** Makes a draft a real order. */
  activate(order: StoredOrder): void {
    order.orderType = 'order';
    this.put(order, 'created');
  }

  change(order: StoredOrder, update: UpdateShipmentBody): void {
    // What it has become by now must not depend on the address that it has from now on.
    order.anchor = this.standing(order);
    order.shippingAddress = update.shippingAddress ?? order.shippingAddress;
    order.shipmentMethodUid = update.shipmentMethodUid ?? order.shipmentMethodUid;
    order.touchedAt = this.#clock.now();
  }

  /** The page that a search asks for, newest first (the document names no order). */
  search(search: SearchBody): StoredOrder[] {
    const candidates = this.#candidates(search);
    const matches = matcher(search, (order) => this.standing(order).status);
    const now = this.#clock.now();
    const page: StoredOrder[] = [];
    let skipped = 0;
    for (let index = candidates.length - 1; index >= 0 && page.length < search.limit; index -= 1) {
      const order = candidates[index];
      if (order === undefined || now < order.hiddenUntil || now < order.createdAt + this.#searchLagMs)
        continue;
      if (!matches(order)) continue;
      if (skipped < search.offset) skipped += 1;
      else page.push(order);
    }
    return page;
  }

  /** Oldest first; by reference without a walk through all orders. */
  #candidates(search: SearchBody): readonly StoredOrder[] {
    const references = given(search.orderReferenceIds) ?? optionalList(search.orderReferenceId);
    if (references === undefined) return this.#orders;
    return [...new Set(references)]
      .flatMap((reference) => this.#byReference.get(reference) ?? [])
      .sort((a, b) => a.createdAt - b.createdAt);
  }
}

// The document shows `canceled` only, on a failed order; the other two words are invented.
export function financialStatus(status: string): string {
  if (status === 'failed' || status === 'canceled') return 'canceled';
  return status === 'draft' ? 'draft' : 'pending';
}

function lacksRetailPrices(order: StoredOrder): boolean {
  return (
    crossesBorder(order.shippingAddress.country) &&
    order.body.items.some((item) => item.retailPriceInclVat === undefined)
  );
}

/** "After" and "before" are taken literally, on the whole seconds that the API shows. */
function matcher(
  search: SearchBody,
  statusOf: (order: StoredOrder) => string,
): (order: StoredOrder) => boolean {
  const statuses = asSet(search.fulfillmentStatus);
  const financial = asSet(search.financialStatus);
  const countries = asSet(search.countries);
  const { orderReferenceId, startDate, endDate } = search;
  return (order) => {
    const created = Math.floor(order.createdAt / 1000) * 1000;
    return (
      (orderReferenceId === undefined || order.body.orderReferenceId === orderReferenceId) &&
      (startDate === undefined || created > startDate) &&
      (endDate === undefined || created < endDate) &&
      (countries === undefined || countries.has(order.shippingAddress.country)) &&
      (statuses === undefined || statuses.has(statusOf(order))) &&
      (financial === undefined || financial.has(financialStatus(statusOf(order))))
    );
  };
}

/** An empty list filters nothing; what it means is not documented. */
function given(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function asSet(list: readonly string[] | undefined): ReadonlySet<string> | undefined {
  const some = given(list);
  return some === undefined ? undefined : new Set(some);
}

function optionalList(value: string | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : [value];
}

/** The orders that the simulated reseller holds, with the codes that they were paid for. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Clock } from '../../time.js';
import type { Choice, Product } from './catalog.js';
import { type Listing, type ListQuery, pageOf, wantedValue } from './listing.js';
import { fromThousandths } from './wallet.js';
import type { PageInfo, Serial } from './wire.js';

export interface StoredLine {
  product: Product;
  quantity: number;
  serials: readonly Serial[];
}

export interface StoredOrder {
  name: string;
  /** Undefined if the call had no `referenceId`. */
  reference: string | undefined;
  lines: readonly StoredLine[];
  totalThousandths: number;
  /** Milliseconds since the epoch, as are the next three. */
  createdAt: number;
  /** Invisible to list and detail until then. */
  hiddenUntil: number;
  /** Invisible to the list until then. */
  listedFrom: number;
  /** From then on it has its serials. */
  completeFrom: number;
  /** Set by hand; takes the place of the status that follows from the time. */
  forced: string | undefined;
}

/**
 * WUPEX documents no statuses, so these are invented: without serials yet, with all but the last, with all. Any
 * other word that an order is put into by hand shows all serials too.
 */
export const STATUS = { processing: 'Processing', partial: 'Partial', completed: 'Completed' } as const;

export const ORDER_LISTING: Listing<StoredOrder> = {
  columns: new Map([
    ['ReferenceId', { kind: 'text', of: (order) => order.reference ?? '' }],
    ['orderName', { kind: 'text', of: (order) => order.name }],
    ['orderAmount', { kind: 'number', of: (order) => fromThousandths(order.totalThousandths) }],
    ['orderDate', { kind: 'date', of: (order) => order.createdAt }],
  ]),
  orderColumn: 'orderDate',
};

// The sample's orderName is a letter and 14 digits. The first number leaves room to count on.
const NAME_DIGITS = 14;
const FIRST_NAME_BELOW = 10 ** 13;
const CODE_BYTES = 10;

export class OrderBook {
  readonly #clock: Clock;
  readonly #listLagMs: number;
  readonly #orders: StoredOrder[] = [];
  readonly #byName = new Map<string, StoredOrder>();
  readonly #byReference = new Map<string, StoredOrder[]>();
  // Not from the passed-in randomness: names must differ from those of a server that ran here before.
  #number = randomInt(FIRST_NAME_BELOW);
  #serialNumber = 0;

  /** `listLagMs`: until the list shows an order. */
  constructor(clock: Clock, listLagMs: number) {
    this.#clock = clock;
    this.#listLagMs = listLagMs;
  }

  /** Accepts a new order, whatever else has its reference; its serials show after `serialsLagMs`. */
  add(
    reference: string | undefined,
    choices: readonly Choice[],
    waits: { hideMs: number; serialsLagMs: number },
  ): StoredOrder {
    const now = this.#clock.now();
    this.#number += 1;
    const hiddenUntil = now + waits.hideMs;
    const order: StoredOrder = {
      name: `A${String(this.#number).padStart(NAME_DIGITS, '0')}`,
      reference,
      lines: choices.map(({ product, quantity }) => ({
        product,
        quantity,
        serials: Array.from({ length: quantity }, () => this.#newSerial(product.sku)),
      })),
      totalThousandths: totalOf(choices),
      createdAt: now,
      hiddenUntil,
      listedFrom: Math.max(hiddenUntil, now + this.#listLagMs),
      completeFrom: now + waits.serialsLagMs,
      forced: undefined,
    };
    this.#orders.push(order);
    this.#byName.set(order.name, order);
    if (reference !== undefined) {
      const namesakes = this.#byReference.get(reference);
      if (namesakes === undefined) this.#byReference.set(reference, [order]);
      else namesakes.push(order);
    }
    return order;
  }

  /** By its name, else the first order that was given this reference. */
  find(nameOrReference: string): StoredOrder | undefined {
    return this.#byName.get(nameOrReference) ?? this.firstOf(nameOrReference);
  }

  /** The first order that was given this reference, seen by reads or not. */
  firstOf(reference: string): StoredOrder | undefined {
    return this.#byReference.get(reference)?.[0];
  }

  /** By its name, if reads may see it. */
  findVisible(name: string): StoredOrder | undefined {
    const order = this.#byName.get(name);
    return order !== undefined && this.#clock.now() >= order.hiddenUntil ? order : undefined;
  }

  /** Oldest first. */
  all(): readonly StoredOrder[] {
    return this.#orders;
  }

  /** Its status at this moment. */
  status(order: StoredOrder): string {
    if (order.forced !== undefined) return order.forced;
    return this.#clock.now() >= order.completeFrom ? STATUS.completed : STATUS.processing;
  }

  put(order: StoredOrder, status: string): void {
    order.forced = status;
  }

  /** How many of its serials may be shown at this moment, counted from its first line. */
  serialsShown(order: StoredOrder): number {
    const status = this.status(order);
    if (status === STATUS.processing) return 0;
    const all = order.lines.reduce((sum, line) => sum + line.quantity, 0);
    return status === STATUS.partial ? all - 1 : all;
  }

  search(query: ListQuery<StoredOrder>): { rows: StoredOrder[]; pageInfo: PageInfo } {
    const now = this.#clock.now();
    return pageOf(
      this.#candidates(query).filter((order) => now >= order.listedFrom),
      query,
    );
  }

  /** Oldest first; by reference or name without a walk through all orders. */
  #candidates(query: ListQuery<StoredOrder>): readonly StoredOrder[] {
    const reference = wantedValue(query, 'ReferenceId');
    // The empty one stands for orders without a reference, which are in no index.
    if (typeof reference === 'string' && reference !== '') return this.#byReference.get(reference) ?? [];
    const name = wantedValue(query, 'orderName');
    if (typeof name !== 'string') return this.#orders;
    const order = this.#byName.get(name);
    return order === undefined ? [] : [order];
  }

  /** Not from the passed-in randomness either: a code is a secret, and no two are equal. */
  #newSerial(sku: string): Serial {
    this.#serialNumber += 1;
    const code = randomBytes(CODE_BYTES).toString('hex').toUpperCase();
    return {
      sku,
      serialCode: `${code.slice(0, 5)}-${code.slice(5, 10)}-${code.slice(10, 15)}-${code.slice(15)}`,
      serialNumber: `${sku}-${String(this.#serialNumber).padStart(9, '0')}`,
    };
  }
}

/** What an order of these costs, in thousandths. */
export function totalOf(choices: readonly Choice[]): number {
  return choices.reduce((sum, { product, quantity }) => sum + product.priceThousandths * quantity, 0);
}

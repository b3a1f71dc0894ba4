/**
 * The provider of the model: an order book behind the wire of GelatoConnect, in memory. It takes every submit, equal
 * references included, so that whatever packline sends twice stands here twice.
 */
import { z } from 'zod';
import type { HttpRequest } from '../../src/providers/provider.js';

/** Where the account's URLs point; nothing listens there. */
export const HOUSE = 'http://127.0.0.1:9/house';

/** The account's URLs, as an accounts file has them. */
export const HOUSE_URLS = {
  submitUrl: `${HOUSE}/submit`,
  getUrl: `${HOUSE}/orders/{id}`,
  cancelUrl: `${HOUSE}/orders/{id}/cancel`,
  updateShipmentUrl: `${HOUSE}/orders/{id}/shipment`,
  searchUrl: `${HOUSE}/search`,
  activateUrl: `${HOUSE}/orders/{id}/activate`,
};

/** The provider's words for where an order stands. */
type Word = 'received' | 'in_production' | 'shipped' | 'delivered' | 'canceled' | 'failed';

/** An order that the provider has taken. */
export interface HouseOrder {
  id: string;
  reference: string;
  draft: boolean;
  word: Word;
  /** When it arrived, and from when on lookups show it: ms of the model's clock. */
  arrivedAt: number;
  shownAt: number;
  /** Number of the submit call that brought it. */
  call: number;
}

export interface HouseAnswer {
  status: number;
  json: object;
}

const submitBody = z.object({ orderReferenceId: z.string(), orderType: z.enum(['order', 'draft']) });
const searchBody = z.object({ orderReferenceIds: z.array(z.string()).default([]) });

/** Whether the order stands in nobody's way any more: nothing will be delivered of it. */
export const isOver = ({ word }: HouseOrder): boolean => word === 'canceled' || word === 'failed';

/** What a request is to the provider, by the route that it takes. */
export type Verb = 'submit' | 'cancel' | 'activate' | 'get' | 'search' | 'update';

/** @throws Error for a route that the house does not have: a mistake of the model */
export function verbOf({ url, method }: HttpRequest): Verb {
  const [first, , last] = new URL(url).pathname.split('/').slice(2);
  if (first === 'submit' || first === 'search') return first;
  if (first === 'orders' && last === undefined && method === 'GET') return 'get';
  if (last === 'cancel' || last === 'activate') return last;
  if (last === 'shipment') return 'update';
  throw new Error(`the house has no ${method} ${url}`);
}

export class House {
  readonly orders: HouseOrder[] = [];
  readonly #now: () => number;

  /** @param now ms of the model's clock */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Does what the request asks for.
   * @param call number of the call
   * @param hiddenMs how long a new order is not shown to lookups
   */
  take(request: HttpRequest, call: number, hiddenMs = 0): HouseAnswer {
    const verb = verbOf(request);
    if (verb === 'submit') return this.#submit(request, call, hiddenMs);
    if (verb === 'search') return this.#search(request);
    const order = this.#find(decodeURIComponent(new URL(request.url).pathname.split('/')[3] ?? ''));
    if (order === undefined) return refusal(404, 'There is no such order');
    if (verb === 'get') return { status: 200, json: shown(order) };
    if (verb === 'cancel') return cancel(order);
    if (verb === 'activate') return activate(order);
    return isOver(order) || order.word === 'shipped' ? refusal(400, 'Too late') : { status: 200, json: {} };
  }

  /** The provider works on: one word further. */
  advance(order: HouseOrder): void {
    if (order.draft) return;
    if (order.word === 'received') order.word = 'in_production';
    else if (order.word === 'in_production') order.word = 'shipped';
    else if (order.word === 'shipped') order.word = 'delivered';
  }

  #submit(request: HttpRequest, call: number, hiddenMs: number): HouseAnswer {
    const body = submitBody.parse(JSON.parse(request.body ?? '{}'));
    const now = this.#now();
    const order: HouseOrder = {
      id: `house-${this.orders.length + 1}`,
      reference: body.orderReferenceId,
      draft: body.orderType === 'draft',
      word: 'received',
      arrivedAt: now,
      shownAt: now + hiddenMs,
      call,
    };
    this.orders.push(order);
    return { status: 200, json: { id: order.id, orderReferenceId: order.reference } };
  }

  #search(request: HttpRequest): HouseAnswer {
    const { orderReferenceIds } = searchBody.parse(JSON.parse(request.body ?? '{}'));
    const found = this.orders.filter(
      (order) => this.#isShown(order) && orderReferenceIds.includes(order.reference),
    );
    return { status: 200, json: { orders: found.map(shown) } };
  }

  /** By its id at once, since whoever knows that was told; by reference once it shows, and only the newest. */
  #find(name: string): HouseOrder | undefined {
    return (
      this.orders.find(({ id }) => id === name) ??
      this.orders.findLast((order) => order.reference === name && this.#isShown(order))
    );
  }

  #isShown({ shownAt }: HouseOrder): boolean {
    return shownAt <= this.#now();
  }
}

function shown({ id, reference, draft, word }: HouseOrder): object {
  return {
    id,
    orderReferenceId: reference,
    orderType: draft ? 'draft' : 'order',
    fulfillmentStatus: word,
    shippingAddress: { country: 'NO' },
    items: [{ itemReferenceId: 'line-1', productUid: 'poster', quantity: 1 }],
  };
}

/** The provider's own envelope. */
export function refusal(status: number, message: string): HouseAnswer {
  return { status, json: { code: status, message } };
}

function cancel(order: HouseOrder): HouseAnswer {
  if (order.word !== 'received' && order.word !== 'in_production') return refusal(409, 'Too late to cancel');
  order.word = 'canceled';
  return { status: 200, json: {} };
}

function activate(order: HouseOrder): HouseAnswer {
  if (!order.draft || isOver(order)) return refusal(409, 'It is no draft');
  order.draft = false;
  return { status: 200, json: shown(order) };
}

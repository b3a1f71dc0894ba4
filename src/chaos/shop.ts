/** The shop of a chaos run. It speaks to packline as shops do, over HTTP, and sends again until it has an answer. */
import { z } from 'zod';
import type { DemoOrder } from '../demo/orders/order.js';
import type { Time } from '../time.js';

/** What the shop knows at the end. */
export interface Receipts {
  /** By account: ids of the orders that it was told are taken. */
  taken: ReadonlyMap<string, readonly string[]>;
  /** Good orders that were refused. */
  refused: readonly string[];
  /** Orders that it never had an answer about. */
  unanswered: number;
}

export interface ShopOptions {
  url: string;
  apiKey: string;
  /** The part of its orders that has come in by now, 0 to 1. */
  share(): number;
  time: Time;
  /** Ends the shop's patience. */
  signal: AbortSignal;
}

/** Between two batches, ms: a batch holds what has come in since. */
const BATCH_EVERY_MS = 250;
/** Before it is tried again, ms. */
const AGAIN_MS = 200;
/** An answer that takes longer is not waited for, ms. */
const PATIENCE_MS = 5_000;

const batchAnswer = z.object({
  results: z.array(
    z.object({
      status: z.number(),
      order: z.object({ id: z.string() }).optional(),
      problem: z.object({ detail: z.string() }).optional(),
    }),
  ),
});

/** Sends all orders, and what the shop wants of them afterwards. */
export async function runShop(orders: readonly DemoOrder[], options: ShopOptions): Promise<Receipts> {
  const shop = new Shop(options);
  const { time, share, signal } = options;
  const calls: Promise<void>[] = [];
  for (let sent = 0; sent < orders.length && !signal.aborted; ) {
    const due = Math.min(orders.length, Math.ceil(share() * orders.length));
    for (let at = sent; at < due; at += BATCH_MOST)
      calls.push(shop.send(orders.slice(at, Math.min(due, at + BATCH_MOST))));
    sent = Math.max(sent, due);
    await time.sleep(BATCH_EVERY_MS, signal);
  }
  await Promise.all(calls);
  return shop.receipts(orders.length);
}

/** The most that one call takes (contract, "HTTP"). */
const BATCH_MOST = 500;

class Shop {
  readonly #options: ShopOptions;
  readonly #taken = new Map<string, string[]>();
  readonly #refused: string[] = [];

  constructor(options: ShopOptions) {
    this.#options = options;
  }

  receipts(orders: number): Receipts {
    const taken = [...this.#taken.values()].reduce((sum, { length }) => sum + length, 0);
    return {
      taken: this.#taken,
      refused: this.#refused,
      unanswered: orders - taken - this.#refused.length,
    };
  }

  /** Resolves when each order has its answer and everything that follows was asked for. */
  async send(orders: readonly DemoOrder[]): Promise<void> {
    const answer = await this.#insist('/v1/orders/batch', { orders: orders.map(({ body }) => body) });
    if (answer === null) return;
    const { results } = batchAnswer.parse(JSON.parse(answer));
    await Promise.all(
      orders.map((order, n) => {
        const result = results[n];
        if (result?.order !== undefined) return this.#take(order, result.order.id);
        if (result !== undefined && result.status < 500) this.#refuse(order, result.problem?.detail ?? '');
        // What could not be stored is sent again.
        else return this.send([order]);
        return undefined;
      }),
    );
  }

  #refuse({ body }: DemoOrder, why: string): void {
    this.#refused.push(`${body.account}/${body.reference}: ${why}`);
  }

  async #take({ body, cancelAfterMs, activateAfterMs }: DemoOrder, id: string): Promise<void> {
    const account = String(body.account);
    const taken = this.#taken.get(account) ?? [];
    taken.push(id);
    this.#taken.set(account, taken);
    const after = cancelAfterMs ?? activateAfterMs;
    if (after === null) return;
    const { time, signal } = this.#options;
    await time.sleep(after, signal);
    await this.#insist(`/v1/orders/${id}/${cancelAfterMs === null ? 'activate' : 'cancel'}`, null);
  }

  /** Asks until there is an answer that is none of a server in trouble; null: the patience has ended. */
  async #insist(path: string, body: object | null): Promise<string | null> {
    const { url, apiKey, time, signal } = this.#options;
    const headers = {
      authorization: `Bearer ${apiKey}`,
      ...(body === null ? {} : { 'content-type': 'application/json' }),
    };
    while (!signal.aborted) {
      try {
        const answer = await fetch(`${url}${path}`, {
          method: 'POST',
          headers,
          body: body === null ? null : JSON.stringify(body),
          signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
        });
        const text = await answer.text();
        if (answer.status < 500) return text;
      } catch (error) {
        // The API was killed, or has not come back yet. Anything but a failed request is a bug here.
        if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
      }
      await time.sleep(AGAIN_MS, signal);
    }
    return null;
  }
}

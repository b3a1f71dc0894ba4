/**
 * The webhooks of a merchant: who has registered for what, and telling them what happens to orders (Wasal
 * document, "Webhooks"). Nothing is told about sandbox orders. Repeats are not documented, so there are none.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Time } from '../../time.js';
import type { WebhookSender } from '../webhooks.js';
import type { Ids } from './ids.js';
import { nextStanding, type Standing } from './life.js';
import type { OrderWatcher, StoredOrder } from './orders.js';
import type { WebhookBody, WebhookEvent } from './wire.js';

export interface RegisteredWebhook extends WebhookBody {
  id: string;
  secret: string;
}

/** What an order will become by itself, unless it is put into a status before. */
interface Expected {
  order: StoredOrder;
  anchor: Standing;
  standing: Standing;
}

/** Events that go out beside `order.status_changed`; that both do is not documented. */
const EVENT_OF: ReadonlyMap<string, WebhookEvent> = new Map([
  ['delivered', 'order.delivered'],
  ['cancelled', 'order.cancelled'],
]);

// How many expectations that are over are kept before the memory is given back.
const SPENT_AT_MOST = 4_096;

export class Announcer implements OrderWatcher {
  readonly #time: Time;
  readonly #ids: Ids;
  readonly #sender: WebhookSender;
  readonly #stepMs: number;
  readonly #webhooks = new Map<string, RegisteredWebhook>();
  readonly #closing = new AbortController();
  /** From the first registration on: without one nobody would listen, and following orders costs memory. */
  #isWatching = false;
  /** In the order of their time, because every status lasts equally long; the first `#spent` are over. */
  #expected: Expected[] = [];
  #spent = 0;
  #isWaiting = false;

  constructor(time: Time, ids: Ids, sender: WebhookSender, stepMs: number) {
    this.#time = time;
    this.#ids = ids;
    this.#sender = sender;
    this.#stepMs = stepMs;
  }

  /** `orders`: those that exist, of which it will be told too; `standing` says what each of them is. */
  register(
    body: WebhookBody,
    orders: readonly StoredOrder[],
    standing: (order: StoredOrder) => Standing,
    secret = `whsec_${randomBytes(24).toString('hex')}`,
  ): RegisteredWebhook {
    const webhook = { ...body, id: this.#ids.object(), secret };
    this.#webhooks.set(webhook.id, webhook);
    if (!this.#isWatching) {
      this.#isWatching = true;
      const live = orders.filter((order) => !order.isSandbox);
      const now = live.map((order) => ({ order, standing: standing(order) }));
      now.sort((a, b) => a.standing.since - b.standing.since);
      for (const one of now) this.#expect(one.order, one.standing);
    }
    return webhook;
  }

  find(id: string): RegisteredWebhook | undefined {
    return this.#webhooks.get(id);
  }

  all(): RegisteredWebhook[] {
    return [...this.#webhooks.values()];
  }

  remove(webhook: RegisteredWebhook): void {
    this.#webhooks.delete(webhook.id);
  }

  /** Sends one webhook a message of which nothing is documented. */
  test(webhook: RegisteredWebhook): void {
    this.#send(webhook, 'webhook.test', this.#time.clock.now(), { webhookId: webhook.id });
  }

  catchUp(): void {
    for (;;) {
      const next = this.#expected[this.#spent];
      if (next === undefined || next.standing.since > this.#time.clock.now()) return;
      this.#spent += 1;
      if (next.anchor !== next.order.anchor) continue;
      this.#announceChange(next.order, next.standing);
      this.#expect(next.order, next.standing);
    }
  }

  told(order: StoredOrder, isNew: boolean): void {
    if (!this.#isWatching || order.isSandbox) return;
    if (isNew) this.#announce('order.created', order, order.anchor);
    else this.#announceChange(order, order.anchor);
    this.#expect(order, order.anchor);
  }

  close(): void {
    this.#closing.abort();
  }

  #expect(order: StoredOrder, current: Standing): void {
    const standing = nextStanding(current, this.#stepMs);
    if (standing === undefined) return;
    this.#expected.push({ order, anchor: order.anchor, standing });
    if (!this.#isWaiting) void this.#wait();
  }

  async #wait(): Promise<void> {
    this.#isWaiting = true;
    while (!this.#closing.signal.aborted) {
      this.catchUp();
      if (this.#spent > SPENT_AT_MOST) {
        this.#expected = this.#expected.slice(this.#spent);
        this.#spent = 0;
      }
      const next = this.#expected[this.#spent];
      if (next === undefined) break;
      await this.#time.sleep(next.standing.since - this.#time.clock.now(), this.#closing.signal);
    }
    this.#isWaiting = false;
  }

  #announceChange(order: StoredOrder, standing: Standing): void {
    this.#announce('order.status_changed', order, standing);
    const more = EVENT_OF.get(standing.status);
    if (more !== undefined) this.#announce(more, order, standing);
  }

  #announce(event: WebhookEvent, order: StoredOrder, { status, since }: Standing): void {
    for (const webhook of this.#webhooks.values()) {
      if (!webhook.events.includes(event)) continue;
      // The fields of `data` are not documented.
      this.#send(webhook, event, since, {
        orderId: order.id,
        orderNumber: order.orderNumber,
        status,
        orderMerchantReferenceNumber: order.body.orderMerchantReferenceNumber ?? null,
      });
    }
  }

  #send(webhook: RegisteredWebhook, event: string, at: number, data: object): void {
    const body = JSON.stringify({ event, timestamp: new Date(at).toISOString(), data });
    const signature = createHmac('sha256', webhook.secret).update(body).digest('hex');
    this.#sender.send({
      url: webhook.url,
      headers: { 'X-Wasal-Event': event, 'X-Wasal-Signature': `sha256=${signature}` },
      body,
    });
  }
}

/**
 * The events of the store and who hears of them: the app itself, and webhooks registered through the API.
 * A webhook's `rule` (a condition in a language of its own) is kept and shown, but not applied.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Time } from '../../time.js';
import { type OutgoingWebhook, type WebhookSchedule, WebhookSender } from '../webhooks.js';
import { renderEventDate } from './dates.js';
import { idSource } from './ids.js';
import type { SallaSimulatorOptions, SecurityStrategy } from './options.js';

/** "Webhooks", events of orders and shipments. */
export const STORE_EVENTS = [
  'order.created',
  'order.updated',
  'order.status.updated',
  'order.cancelled',
  'order.refunded',
  'order.deleted',
  'order.products.updated',
  'order.payment.updated',
  'order.coupon.updated',
  'order.total.price.updated',
  'order.shipping.address.updated',
  'order.customer.updated',
  'shipment.creating',
  'shipment.created',
  'shipment.updated',
  'shipment.cancelled',
] as const;

export type StoreEvent = (typeof STORE_EVENTS)[number];
/** Sent to the app alone, without being asked for. */
export type AppEvent = 'app.store.authorize' | 'app.uninstalled';

export interface Subscription {
  id: number;
  name: string | null;
  event: StoreEvent;
  url: string;
  version: number;
  rule: string | null;
  headers: Readonly<Record<string, string>>;
  strategy: SecurityStrategy;
  secret: string;
}

/** Something with a life of its own. */
export interface Traveler {
  /** When its next change is due, in milliseconds since the epoch; undefined: never again. */
  nextChangeAt(): number | undefined;
  /** Changes whenever its life is set from outside, which ends the present journey. */
  anchor(): object;
  /** Says that it has changed. */
  tell(): void;
}

// "Webhooks": the time to answer, and three repeats, five minutes apart.
const SCHEDULE: Pick<WebhookSchedule, 'timeoutMs' | 'retryDelaysMs'> = {
  timeoutMs: 30_000,
  retryDelaysMs: [300_000, 300_000, 300_000],
};
// The same page: everything else, other 2xx too, counts as a failure.
const RECEIVED = [200, 201];

export class EventFeed {
  readonly #time: Time;
  readonly #merchantId: number;
  readonly #app: SallaSimulatorOptions['webhook'];
  /** The app's; one that nobody was told would make signatures that nobody can check. */
  readonly #secret: string;
  readonly #sender: WebhookSender;
  readonly #closing = new AbortController();
  readonly #nextId = idSource();
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #travelers: () => Iterable<Traveler>;
  /** Counts how often somebody began to listen after nobody had: journeys from before that are over. */
  #audience = 0;

  /** `travelers`: everything that is under way, for whoever begins to listen later. */
  constructor(options: SallaSimulatorOptions, merchantId: number, travelers: () => Iterable<Traveler>) {
    this.#time = options.time;
    this.#travelers = travelers;
    this.#merchantId = merchantId;
    this.#app = options.webhook;
    this.#secret = options.webhookSecret ?? randomBytes(16).toString('hex');
    this.#sender = new WebhookSender(options.time, {
      ...(options.webhookSchedule ?? SCHEDULE),
      receivedStatuses: RECEIVED,
    });
  }

  get subscriptions(): readonly Subscription[] {
    return [...this.#subscriptions.values()];
  }

  get(id: number): Subscription | undefined {
    return this.#subscriptions.get(id);
  }

  /** Registers a webhook; one with the same URL and event takes the place of the one before. */
  subscribe(wanted: Omit<Subscription, 'id' | 'secret'> & { secret: string | undefined }): Subscription {
    const earlier = this.subscriptions.find(({ url, event }) => url === wanted.url && event === wanted.event);
    const subscription = {
      ...wanted,
      id: earlier?.id ?? this.#nextId(),
      secret: wanted.secret ?? this.#secret,
    };
    const isFirst = !this.#hasListeners();
    this.#subscriptions.set(subscription.id, subscription);
    if (isFirst) {
      this.#audience += 1;
      for (const traveler of this.#travelers()) this.follow(traveler);
    }
    return subscription;
  }

  change(subscription: Subscription, changes: Partial<Subscription>): Subscription {
    const changed = { ...subscription, ...changes };
    this.#subscriptions.set(changed.id, changed);
    return changed;
  }

  /** Ends the webhooks with this id or this URL and tells how many there were. */
  unsubscribe(id: number | undefined, url: string | undefined): number {
    const ended = this.subscriptions.filter((each) => each.id === id || each.url === url);
    for (const each of ended) this.#subscriptions.delete(each.id);
    return ended.length;
  }

  /** Sends an event to everybody whom it concerns; does not wait for any of them. */
  emit(event: StoreEvent | AppEvent, data: () => unknown): void {
    const listeners = this.subscriptions.filter((each) => each.event === event);
    if (this.#app === undefined && listeners.length === 0) return;
    const body = JSON.stringify({
      event,
      merchant: this.#merchantId,
      created_at: renderEventDate(this.#time.clock.now()),
      data: data(),
    });
    if (this.#app !== undefined) {
      const { url, strategy = 'signature' } = this.#app;
      this.#sender.send({ url, body, headers: proof(strategy, this.#secret, body) });
    }
    for (const each of listeners) this.#sender.send(delivery(each, body));
  }

  /** Tells of the changes in a life as they come, if anybody listens. */
  follow(traveler: Traveler): void {
    if (this.#hasListeners()) void this.#walk(traveler);
  }

  close(): void {
    this.#closing.abort();
    this.#sender.close();
  }

  async #walk(traveler: Traveler): Promise<void> {
    const anchor = traveler.anchor();
    const audience = this.#audience;
    for (;;) {
      const at = traveler.nextChangeAt();
      if (at === undefined) return;
      await this.#time.sleep(at - this.#time.clock.now(), this.#closing.signal);
      if (this.#closing.signal.aborted || traveler.anchor() !== anchor) return;
      if (audience !== this.#audience) return;
      traveler.tell();
    }
  }

  #hasListeners(): boolean {
    return this.#app !== undefined || this.#subscriptions.size > 0;
  }
}

function delivery(subscription: Subscription, body: string): OutgoingWebhook {
  const { url, headers, strategy, secret } = subscription;
  return { url, body, headers: { ...proof(strategy, secret, body), ...headers } };
}

/** "Webhooks", security strategies: a signature is the bare hex digest. */
function proof(strategy: SecurityStrategy, secret: string, body: string): Record<string, string> {
  switch (strategy) {
    case 'signature':
      return {
        'X-Salla-Security-Strategy': 'Signature',
        'X-Salla-Signature': createHmac('sha256', secret).update(body).digest('hex'),
      };
    case 'token':
      return { 'X-Salla-Security-Strategy': 'Token', Authorization: secret };
    case 'none':
      return {};
    default:
      return strategy satisfies never;
  }
}

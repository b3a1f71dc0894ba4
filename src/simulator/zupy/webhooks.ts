/** Zupy's outbound webhooks: signed, tried four times, then given up ("Outbound Webhooks"). */
import { createHmac, randomUUID } from 'node:crypto';
import { Agent, request } from 'undici';
import type { Time } from '../../time.js';
import { type Happening, webhookTimestamp } from './wire.js';

/** One event on its way to the partner; the control API lists them. */
export interface Delivery {
  event: string;
  webhookId: string;
  state: 'pending' | 'delivered' | 'exhausted';
  attempts: { at: string; status: number | null; error: string | null }[];
}

/** Where webhooks go, and which; no events at all means every one of them. */
export interface WebhookConfig {
  url: string | undefined;
  events: readonly string[];
  secret: string;
}

/** What a single attempt came to. */
export interface Attempt {
  status: number | null;
  error: string | null;
}

// "Retry Behavior": before each of the four attempts.
const WAITS_MS = [0, 1_000, 4_000, 16_000];
const TIMEOUT_MS = 10_000;
// How often it is looked for what became of coupons by themselves.
const LOOK_MS = 1_000;
// Enough for a test or a demo to look at; a long run does not fill the memory.
const KEPT_DELIVERIES = 10_000;

/** Silent until started: what a restaurant begins with is no news. */
export class Webhooks {
  #config: WebhookConfig;
  readonly #time: Time;
  readonly #closing = new AbortController();
  readonly #agent = new Agent();
  #deliveries: Delivery[] = [];
  #look: (() => void) | undefined;
  #isLooking = false;

  constructor(time: Time, config: WebhookConfig) {
    this.#time = time;
    this.#config = config;
  }

  get config(): WebhookConfig {
    return this.#config;
  }

  set config(config: WebhookConfig) {
    this.#config = config;
    void this.#keepLooking();
  }

  /** From now on things are told; `look` is called every second and finds what nobody else would notice. */
  start(look: () => void): void {
    this.#look = look;
    void this.#keepLooking();
  }

  /** Newest last. */
  deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  /** Starts to deliver, and does not wait for it. */
  send({ event, data }: Happening): void {
    const { url, events } = this.#config;
    if (this.#look === undefined || url === undefined || (events.length > 0 && !events.includes(event)))
      return;
    const delivery: Delivery = { event, webhookId: randomUUID(), state: 'pending', attempts: [] };
    if (this.#deliveries.length >= KEPT_DELIVERIES)
      this.#deliveries = this.#deliveries.slice(KEPT_DELIVERIES / 2);
    this.#deliveries.push(delivery);
    void this.#deliver(url, delivery, this.#body(delivery, data));
  }

  /** One attempt with a ping, whatever events are wanted; undefined: there is no URL. */
  async test(): Promise<Attempt | undefined> {
    const { url } = this.#config;
    if (url === undefined) return undefined;
    const ping: Delivery = { event: 'test', webhookId: randomUUID(), state: 'pending', attempts: [] };
    return this.#attempt(url, ping, this.#body(ping, {}));
  }

  /** Drops what is under way. */
  close(): void {
    this.#closing.abort();
    void this.#agent.destroy();
  }

  /** Only while there is somebody to tell. */
  async #keepLooking(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#look !== undefined && this.#config.url !== undefined && !this.#closing.signal.aborted) {
      await this.#time.sleep(LOOK_MS, this.#closing.signal);
      this.#look();
    }
    this.#isLooking = false;
  }

  #body({ event, webhookId }: Delivery, data: Happening['data']): string {
    const timestamp = webhookTimestamp(this.#time.clock.now());
    return JSON.stringify({ event, webhook_id: webhookId, timestamp, data });
  }

  /** The same bytes, id and signature each time. */
  async #deliver(url: string, delivery: Delivery, body: string): Promise<void> {
    for (const waitMs of WAITS_MS) {
      await this.#time.sleep(waitMs, this.#closing.signal);
      if (this.#closing.signal.aborted) return;
      const at = new Date(this.#time.clock.now()).toISOString();
      const attempt = await this.#attempt(url, delivery, body);
      delivery.attempts.push({ at, ...attempt });
      if (attempt.status !== null && attempt.status >= 200 && attempt.status < 300) {
        delivery.state = 'delivered';
        return;
      }
    }
    delivery.state = 'exhausted';
  }

  /** What went wrong on the way is not the simulator's matter: it is written down. */
  async #attempt(url: string, { event, webhookId }: Delivery, body: string): Promise<Attempt> {
    const answered = new AbortController();
    const late = new AbortController();
    void this.#time.sleep(TIMEOUT_MS, answered.signal).then(() => late.abort());
    try {
      const answer = await request(url, {
        method: 'POST',
        dispatcher: this.#agent,
        signal: late.signal,
        headers: {
          'Content-Type': 'application/json',
          'User-Agent': 'Zupy-Webhook/1.0',
          'X-Webhook-Id': webhookId,
          'X-Webhook-Event': event,
          'X-Webhook-Signature': `sha256=${this.#sign(body)}`,
        },
        body,
      });
      await answer.body.dump();
      return { status: answer.statusCode, error: null };
    } catch (error) {
      return { status: null, error: error instanceof Error ? error.message : String(error) };
    } finally {
      answered.abort();
    }
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#config.secret).update(body).digest('hex');
  }
}

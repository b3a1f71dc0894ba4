/**
 * Webhooks that a simulated provider sends: in the background, so that no answer waits for them, with as many
 * repeats as its provider makes. What is in them and how they are signed is the provider's own matter.
 */
import { Agent, request } from 'undici';
import type { Time } from '../time.js';

/** A message ready to be sent; a repeat sends the same bytes. */
export interface OutgoingWebhook {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}

export interface WebhookSchedule {
  /** How long the receiver may take to answer, in milliseconds. */
  timeoutMs: number;
  /** The pauses before each repeat, in milliseconds; an empty list: one attempt only. */
  retryDelaysMs: readonly number[];
  /** The statuses by which a message counts as received; any 2xx unless told. */
  receivedStatuses?: readonly number[];
}

export class WebhookSender {
  readonly #time: Time;
  readonly #schedule: WebhookSchedule;
  readonly #closing = new AbortController();
  readonly #agent = new Agent();

  constructor(time: Time, schedule: WebhookSchedule) {
    this.#time = time;
    this.#schedule = schedule;
  }

  /** Sends it and, until some attempt is received, repeats it; does not wait for any of that. */
  send(webhook: OutgoingWebhook): void {
    void this.#deliver(webhook);
  }

  /** Cuts what is under way and sends nothing more. */
  close(): void {
    this.#closing.abort();
    void this.#agent.destroy();
  }

  async #deliver(webhook: OutgoingWebhook): Promise<void> {
    if (await this.#attempt(webhook)) return;
    for (const delayMs of this.#schedule.retryDelaysMs) {
      await this.#time.sleep(delayMs, this.#closing.signal);
      if (await this.#attempt(webhook)) return;
    }
  }

  /** Whether the receiver took it. */
  async #attempt({ url, headers, body }: OutgoingWebhook): Promise<boolean> {
    if (this.#closing.signal.aborted) return false;
    const late = new AbortController();
    const answered = new AbortController();
    void this.#time.sleep(this.#schedule.timeoutMs, answered.signal).then(() => late.abort());
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
        dispatcher: this.#agent,
        signal: late.signal,
      });
      await answer.body.dump();
      const { receivedStatuses } = this.#schedule;
      if (receivedStatuses !== undefined) return receivedStatuses.includes(answer.statusCode);
      return answer.statusCode >= 200 && answer.statusCode < 300;
    } catch {
      // A receiver that is away, too slow or cut off is the same to a provider as one that says no.
      return false;
    } finally {
      answered.abort();
    }
  }
}

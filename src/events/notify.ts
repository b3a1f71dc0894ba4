/** Tells humans: a log line with a stable event name, and a webhook where one is configured. A broken sink never touches orders. */
import type { Logger } from 'pino';
import { request } from 'undici';
import type { Time } from '../time.js';
import type { Alert } from './alerts.js';

/** Equal alerts within this are one, ms. */
const DEDUPE_MS = 60_000;
/** Tries of one delivery, and between them, ms. */
const TRIES = 4;
const AGAIN_MS = 2_000;
const TIMEOUT_MS = 10_000;
/** Read of an answer, so that its connection can be used again. */
const ANSWER_BYTES = 16_384;
/** Deliveries under way at most; beyond it the log line has to do. */
const MAX_OPEN = 50;

export interface Notifier {
  tell(alert: Alert): void;
  /** Waits for deliveries under way, a moment at most. */
  close(): Promise<void>;
}

export interface NotifierOptions {
  log: Logger;
  time: Time;
  /** Receives the alert as JSON. */
  webhookUrl?: string | undefined;
  /** A Slack-compatible incoming webhook. */
  slackUrl?: string | undefined;
}

export function createNotifier({ log, time, webhookUrl, slackUrl }: NotifierOptions): Notifier {
  const told = new Map<string, number>();
  const open = new Set<Promise<void>>();
  const stop = new AbortController();

  const post = async (url: string, body: object): Promise<void> => {
    for (let tried = 1; tried <= TRIES && !stop.signal.aborted; tried += 1) {
      try {
        const { statusCode, body: answer } = await request(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
          headersTimeout: TIMEOUT_MS,
          bodyTimeout: TIMEOUT_MS,
          signal: stop.signal,
        });
        await answer.dump({ limit: ANSWER_BYTES, signal: stop.signal });
        if (statusCode < 300) return;
        log.warn({ event: 'alert.refused', status: statusCode, tried }, 'an alert sink refused an alert');
      } catch (error) {
        log.warn({ event: 'alert.undelivered', tried, err: error }, 'an alert sink could not be reached');
      }
      if (tried < TRIES) await time.sleep(AGAIN_MS * tried, stop.signal);
    }
  };

  const deliver = (url: string, body: object) => {
    if (open.size >= MAX_OPEN) return;
    const delivery: Promise<void> = post(url, body).finally(() => open.delete(delivery));
    open.add(delivery);
  };

  return {
    tell(alert) {
      const now = time.clock.monotonic();
      const last = told.get(alert.dedupeKey);
      if (last !== undefined && now - last < DEDUPE_MS) return;
      for (const [key, at] of told) if (now - at >= DEDUPE_MS) told.delete(key);
      told.set(alert.dedupeKey, now);
      log.error({ event: `alert.${alert.code}`, alert }, alert.message);
      if (webhookUrl !== undefined) deliver(webhookUrl, alert);
      if (slackUrl !== undefined) {
        const subject = alert.reference === undefined ? alert.account : `${alert.account}/${alert.reference}`;
        deliver(slackUrl, { text: `[${alert.severity}] ${alert.code} ${subject}: ${alert.message}` });
      }
    },
    async close() {
      const inTime = new AbortController();
      await Promise.race([Promise.allSettled([...open]), time.sleep(AGAIN_MS, inTime.signal)]);
      // A timer left behind would keep the process alive for as long as it runs.
      inTime.abort();
      stop.abort();
      await Promise.allSettled([...open]);
    },
  };
}

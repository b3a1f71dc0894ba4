/** Hints between processes: LISTEN on a direct connection, NOTIFY grouped. Hints only; polls are the backstop. */
import pg from 'pg';
import type { Time } from '../time.js';

/** Something is due now. */
export const RING_CHANNEL = 'packline_ring';
/** An account changed. */
export const ACCOUNTS_CHANNEL = 'packline_accounts';

export interface Listener {
  close(): Promise<void>;
}

/** Between attempts to connect again, and for one of them, ms. */
const RECONNECT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A connection that died without a word is noticed after this and some probes, ms. */
const KEEPALIVE_IDLE_MS = 10_000;

/**
 * Listens until closed; reconnects by itself and calls every handler then, since hints were missed meanwhile.
 */
export function listen(options: {
  url: string;
  handlers: Record<string, () => void>;
  onError(error: Error): void;
  time: Time;
}): Listener {
  const { url, handlers, time } = options;
  const stop = new AbortController();
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));

  const connectOnce = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: url,
      application_name: 'packline listen',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_IDLE_MS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    const ended = new Promise<void>((resolve) => {
      next.once('end', resolve);
      next.on('error', (error) => {
        options.onError(error);
        resolve();
      });
    });
    next.on('notification', ({ channel }) => handlers[channel]?.());
    try {
      await Promise.race([next.connect(), stopped]);
      if (stop.signal.aborted) return;
      for (const channel of Object.keys(handlers)) await next.query(`listen ${channel}`);
      for (const handler of Object.values(handlers)) handler();
      await Promise.race([ended, stopped]);
    } finally {
      await next.end();
    }
  };

  const loop = (async () => {
    while (!stop.signal.aborted) {
      try {
        await connectOnce();
      } catch (error) {
        options.onError(error instanceof Error ? error : new Error(String(error)));
      }
      await time.sleep(RECONNECT_MS, stop.signal);
    }
  })();

  return {
    async close() {
      stop.abort();
      await loop;
    },
  };
}

/** PostgreSQL lets notifying transactions commit one at a time, so hints are grouped: one per this many ms at most. */
const HINT_EVERY_MS = 5;

export interface Hinter {
  /** Says that something is due now. Returns at once. */
  hint(): void;
}

/** Groups hints; a hint that fails is made good by the next poll. */
export function createHinter(options: {
  notify(): Promise<unknown>;
  local(): void;
  onError(error: unknown): void;
  time: Time;
}): Hinter {
  let pending = false;
  return {
    hint() {
      options.local();
      if (pending) return;
      pending = true;
      void options.time.sleep(HINT_EVERY_MS).then(async () => {
        pending = false;
        await options.notify().catch(options.onError);
      });
    },
  };
}

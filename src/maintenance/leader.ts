/** One process at a time leads: a session-level advisory lock, free milliseconds after its holder died. */
import pg from 'pg';
import type { Time } from '../time.js';

/** First key "PKL" and 4, beside the presence (1), the embedded server (2) and migrations (3). */
const LEADER_CLASS = 0x50_4b_4c_04;
const LEADER_KEY = 1;
/** How often a follower tries, ms. */
const TRY_EVERY_MS = 2_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A connection that died without a word is noticed after this and some probes, ms. */
const KEEPALIVE_IDLE_MS = 10_000;

export interface Leadership {
  /** Whether this process leads right now. */
  leads(): boolean;
  close(): Promise<void>;
}

/** Tries to lead until closed. Needs a direct connection: a pooler in transaction mode would lose the lock. */
export function seekLeadership(options: {
  url: string;
  time: Time;
  onError(error: Error): void;
}): Leadership {
  const { url, time, onError } = options;
  const stop = new AbortController();
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
  let leading = false;

  const connectOnce = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: url,
      application_name: 'packline leader',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_IDLE_MS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    const gone = new Promise<void>((resolve) => {
      next.once('end', resolve);
      next.on('error', (error) => {
        onError(error);
        resolve();
      });
    });
    let open = true;
    void gone.then(() => {
      open = false;
    });
    try {
      await Promise.race([next.connect(), stopped]);
      while (open && !stop.signal.aborted && !leading) {
        const { rows } = await next.query<{ locked: boolean }>(
          'select pg_try_advisory_lock($1, $2) as locked',
          [LEADER_CLASS, LEADER_KEY],
        );
        leading = open && !stop.signal.aborted && rows[0]?.locked === true;
        if (!leading) await time.sleep(TRY_EVERY_MS, stop.signal);
      }
      await Promise.race([gone, stopped]);
    } finally {
      leading = false;
      await next.end();
    }
  };

  const loop = (async () => {
    while (!stop.signal.aborted) {
      try {
        await connectOnce();
      } catch (error) {
        onError(error instanceof Error ? error : new Error(String(error)));
      }
      await time.sleep(TRY_EVERY_MS, stop.signal);
    }
  })();

  return {
    leads: () => leading,
    async close() {
      stop.abort();
      leading = false;
      await loop;
    },
  };
}

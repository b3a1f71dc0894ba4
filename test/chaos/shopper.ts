/** A shop that goes on ordering: it sends each order again, as it is, until it has heard that it was taken. */

import { errorCode } from '../../src/database/embedded/errors.js';
import { systemTime } from '../../src/time.js';
import { clientOf } from '../helpers/client.js';
import { orderBody } from '../helpers/packline.js';

export interface Shopper {
  /** References that were taken. */
  taken: string[];
  /** How often nobody answered. */
  unanswered(): number;
  /** Sends no further order; resolves when the last one was taken. */
  stop(): Promise<void>;
  /** Ends, even if nobody will ever take the last one. */
  giveUp(): void;
}

/** A little load: about ten orders a second, one at a time, ms between them. */
const PAUSE_MS = 100;
/** What a shop hears of a server that is being started again. */
const AWAY = ['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET'];

/** Begins to order. */
export function startShopper(url: string, account: string): Shopper {
  const client = clientOf(url);
  const stopping = new AbortController();
  const givenUp = new AbortController();
  const taken: string[] = [];
  let unanswered = 0;

  const isTaken = async (reference: string): Promise<boolean> => {
    try {
      const { status, text } = await client.ask('POST', '/v1/orders', {
        body: orderBody(account, reference),
      });
      if (status !== 201 && status !== 200) throw new Error(`${reference}: ${status} ${text}`);
      return true;
    } catch (error) {
      if (!AWAY.includes(errorCode(error) ?? '')) throw error;
      unanswered += 1;
      return false;
    }
  };
  const loop = (async () => {
    for (let n = 1; !stopping.signal.aborted; n += 1) {
      const reference = `S-${n}`;
      while (!(await isTaken(reference))) {
        if (givenUp.signal.aborted) return;
        await systemTime.sleep(PAUSE_MS);
      }
      taken.push(reference);
      await systemTime.sleep(PAUSE_MS, stopping.signal);
    }
  })();
  // Whoever stops it hears of it.
  loop.catch(() => undefined);
  return {
    taken,
    unanswered: () => unanswered,
    stop: async () => {
      stopping.abort();
      await loop;
      await client.close();
    },
    giveUp: () => {
      stopping.abort();
      givenUp.abort();
    },
  };
}

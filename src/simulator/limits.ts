/** How providers count the calls that they allow. */
import type { Clock } from '../time.js';

/**
 * Counts calls in fixed windows on the monotonic clock. The answer to a call: may it pass? Refused calls
 * do not count further.
 */
export function fixedWindow(requests: number, windowMs: number, clock: Clock): () => boolean {
  let window = Number.NaN;
  let used = 0;
  return () => {
    const current = Math.floor(clock.monotonic() / windowMs);
    if (current !== window) {
      window = current;
      used = 0;
    }
    if (used >= requests) return false;
    used += 1;
    return true;
  };
}

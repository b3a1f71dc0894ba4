/** Numbers as Salla gives them to orders, shipments and webhooks. */
import { randomInt } from 'node:crypto';

// Ids in the documentation's samples have nine or ten digits.
const LEAST_ID = 1_000_000_000;
const MOST_FIRST_ID = 9_000_000_000;

/**
 * Counts up from somewhere, so that two runs hardly ever give the same id. Not from the passed-in randomness:
 * ids must differ even where a test holds chance still.
 */
export function idSource(): () => number {
  let next = randomInt(LEAST_ID, MOST_FIRST_ID);
  return () => {
    next += 1;
    return next;
  };
}

/** Identifiers as Wasal has them, unique within a simulator. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../time.js';

export interface Ids {
  /** 24 hexadecimal digits, as the `_id` of every object. */
  object(): string;
  /** `<BRANCH>-000123` ("Create-order body"). */
  orderNumber(branchCode: string): string;
}

export function idsOf(clock: Clock): Ids {
  // Not from the passed-in randomness: ids must differ even where a test holds chance still.
  const machine = randomBytes(5).toString('hex');
  let objects = 0;
  let orders = 0;
  return {
    object: () => {
      objects += 1;
      const seconds = Math.floor(clock.now() / 1_000);
      return seconds.toString(16).padStart(8, '0') + machine + objects.toString(16).padStart(6, '0');
    },
    orderNumber: (branchCode) => {
      orders += 1;
      return `${branchCode}-${String(orders).padStart(6, '0')}`;
    },
  };
}

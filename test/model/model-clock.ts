/** The clocks of the model: the machine's own, with the time that the sequence lets pass on top. */
import { type Clock, systemTime } from '../../src/time.js';

/**
 * The database's clock cannot be moved, so its rows are (rows.ts). The wall clock stays, since it is compared with
 * times that were read out of rows before; the monotonic one jumps.
 */
export class ModelClock implements Clock {
  #passed = 0;

  now(): number {
    return systemTime.clock.now();
  }

  monotonic(): number {
    return systemTime.clock.monotonic() + this.#passed;
  }

  /** @param ms that pass at once */
  pass(ms: number): void {
    this.#passed += ms;
  }
}

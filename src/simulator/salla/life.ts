/** The life that an order or a shipment leads by itself. */
import type { Clock } from '../../time.js';

/** A status and since when, in milliseconds since the epoch. */
export interface Standing<S> {
  status: S;
  since: number;
}

/** Where a life was last set; `moves` says whether it goes on from there by itself. */
export interface Anchor<S> extends Standing<S> {
  moves: boolean;
}

export class Life<S> {
  readonly #clock: Clock;
  readonly #stepMs: number;
  readonly #cycle: readonly S[];

  /** `stepMs`: how long each status of the cycle lasts; 0 or Infinity: for ever. */
  constructor(clock: Clock, stepMs: number, cycle: readonly S[]) {
    this.#clock = clock;
    this.#stepMs = stepMs;
    this.#cycle = cycle;
  }

  begin(status: S, moves: boolean): Anchor<S> {
    return { status, since: this.#clock.now(), moves };
  }

  /** The status at this moment. */
  standing(anchor: Anchor<S>): Standing<S> {
    const left = this.#left(anchor);
    const steps = Math.min(Math.floor((this.#clock.now() - anchor.since) / this.#stepMs), left);
    if (left === 0 || steps <= 0) return anchor;
    const status = this.#cycle[this.#cycle.indexOf(anchor.status) + steps] ?? anchor.status;
    return { status, since: anchor.since + steps * this.#stepMs };
  }

  /** When the next change is due, in milliseconds since the epoch; undefined: never. */
  nextChangeAt(anchor: Anchor<S>): number | undefined {
    const left = this.#left(anchor);
    if (left === 0) return undefined;
    const steps = Math.max(0, Math.floor((this.#clock.now() - anchor.since) / this.#stepMs));
    return steps >= left ? undefined : anchor.since + (steps + 1) * this.#stepMs;
  }

  /** How many statuses are still to come after the anchor's. */
  #left(anchor: Anchor<S>): number {
    const place = this.#cycle.indexOf(anchor.status);
    if (!anchor.moves || place === -1 || this.#stepMs <= 0 || !Number.isFinite(this.#stepMs)) return 0;
    return this.#cycle.length - 1 - place;
  }
}

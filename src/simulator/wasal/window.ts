/** When the delivery partner takes orders. How a real partner sets that is not documented. */
import type { Clock } from '../../time.js';

/** Daily, as `HH:MM` in Kuwait; `closes` before `opens` is on the next day. */
export interface OpeningHours {
  opens: string;
  closes: string;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
// Kuwait keeps UTC+3 all year.
const KUWAIT_OFFSET_MINUTES = 180;

export class OrderWindow {
  readonly #clock: Clock;
  readonly #hours: { opens: number; closes: number } | undefined;
  #forced: boolean | undefined;

  /** Without hours the partner has no order window. Throws if the hours cannot be read. */
  constructor(clock: Clock, hours: OpeningHours | undefined) {
    this.#clock = clock;
    this.#hours = hours && { opens: minutesOf(hours.opens), closes: minutesOf(hours.closes) };
  }

  /** Undefined: there is no window, so it is never closed. */
  get isOpen(): boolean | undefined {
    if (this.#forced !== undefined || this.#hours === undefined) return this.#forced;
    const { opens, closes } = this.#hours;
    const now = (Math.floor(this.#clock.now() / MINUTE_MS) + KUWAIT_OFFSET_MINUTES) % DAY_MINUTES;
    return opens <= closes ? now >= opens && now < closes : now >= opens || now < closes;
  }

  /** Opens or closes it whatever the hours; undefined: by the hours again. */
  force(open: boolean | undefined): void {
    this.#forced = open;
  }
}

function minutesOf(text: string): number {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined) throw new Error(`"${text}" is no time of day: HH:MM`);
  return Number(hours) * 60 + Number(minutes);
}

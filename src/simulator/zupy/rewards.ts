/** The rewards that the simulated restaurant offers. */
import type { Clock } from '../../time.js';
import type { RewardInput } from './catalog.js';
import { ksuid } from './ids.js';
import type { Origin } from './wire.js';

export interface Reward {
  id: string;
  name: string;
  points: number;
  origin: Origin;
  usages: number;
  validityDays: number;
  /** How many are left; null: any number. */
  quantity: number | null;
  redeemed: number;
  active: boolean;
  createdAt: number;
  updatedAt: number;
}

// "Browse Available Rewards", the first sample.
const VALIDITY_DAYS = 30;

export class RewardBook {
  readonly #clock: Clock;
  readonly #byId = new Map<string, Reward>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(id: string): Reward | undefined {
    return this.#byId.get(id);
  }

  /** Oldest first. */
  all(): Reward[] {
    return [...this.#byId.values()];
  }

  /** Adds a reward, or changes the one that has this id. */
  put(input: RewardInput): Reward {
    const now = this.#clock.now();
    const id = input.id ?? ksuid(now);
    const known = this.#byId.get(id);
    const reward: Reward = known ?? {
      id,
      name: 'Brinde',
      points: 100,
      origin: 'loyalty_reward',
      usages: 1,
      validityDays: VALIDITY_DAYS,
      quantity: null,
      redeemed: 0,
      active: true,
      createdAt: now,
      updatedAt: now,
    };
    reward.name = input.name ?? reward.name;
    reward.points = input.points ?? reward.points;
    reward.origin = input.origin ?? reward.origin;
    reward.usages = input.usages ?? reward.usages;
    reward.validityDays = input.validityDays ?? reward.validityDays;
    reward.quantity = input.quantity === undefined ? reward.quantity : input.quantity;
    reward.active = input.active ?? reward.active;
    reward.updatedAt = now;
    this.#byId.set(id, reward);
    return reward;
  }
}

/** Whether there is one to be had at all, whoever asks. */
export function isAvailable(reward: Reward): boolean {
  return reward.active && reward.quantity !== 0;
}

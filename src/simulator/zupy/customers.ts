/** The customers of the simulated restaurant: who they are, what they own, what became of their points. */
import type { Clock } from '../../time.js';
import type { CustomerInput } from './catalog.js';
import { ksuid } from './ids.js';
import type { Happening } from './wire.js';
import { webhookTimestamp } from './wire.js';
import { toMicro } from './z-dollars.js';

/** A change of a customer's points; `amount` is negative when they were spent. */
export interface Activity {
  id: string;
  type: 'change_points' | 'use_offer';
  amount: number;
  before: number;
  after: number;
  at: number;
  description: string;
}

export interface Customer {
  id: string;
  fullName: string;
  email: string;
  phone: string;
  cpf: string;
  tier: string;
  points: number;
  earned: number;
  spent: number;
  /** In millionths of a Z$; undefined: no wallet. */
  zMicro: bigint | undefined;
  joinedAt: number;
  updatedAt: number;
  /** Oldest first. */
  activities: Activity[];
}

export const PROGRAM_ID = '2SimProgram0000000000000001';

export class CustomerBook {
  readonly #clock: Clock;
  readonly #tell: (happening: Happening) => void;
  readonly #byId = new Map<string, Customer>();
  readonly #byContact = new Map<string, Customer>();

  /** `tell` hears of what a webhook may tell of. */
  constructor(clock: Clock, tell: (happening: Happening) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  find(id: string): Customer | undefined {
    return this.#byId.get(id);
  }

  /** By phone, email or CPF, however they are punctuated. */
  findByContact(identifier: string): Customer | undefined {
    return this.#byContact.get(contactKey(identifier));
  }

  /** Oldest first. */
  all(): Customer[] {
    return [...this.#byId.values()];
  }

  /** Adds a customer, or changes the one who has this id. */
  put(input: CustomerInput): Customer {
    const known = input.id === undefined ? undefined : this.#byId.get(input.id);
    const customer = known ?? this.#enroll(input.id);
    customer.fullName = input.fullName ?? customer.fullName;
    customer.email = input.email ?? customer.email;
    customer.phone = input.phone ?? customer.phone;
    customer.cpf = input.cpf ?? customer.cpf;
    if (input.zBalance !== undefined)
      customer.zMicro = input.zBalance === null ? undefined : toMicro(input.zBalance);
    for (const contact of [customer.email, customer.phone, customer.cpf]) {
      if (contact !== '') this.#byContact.set(contactKey(contact), customer);
    }
    if (known === undefined) this.#tellOfEnrollment(customer);
    if (input.tier !== undefined) this.#move(customer, input.tier);
    const change = (input.points ?? customer.points) - customer.points;
    if (change > 0) this.earn(customer, change, '', 'manual');
    if (change < 0) this.spend(customer, -change, '', 'manual', '');
    customer.updatedAt = this.#clock.now();
    return customer;
  }

  earn(customer: Customer, amount: number, description: string, source: string): Activity {
    customer.earned += amount;
    const activity = this.#record(customer, 'change_points', amount, description);
    this.#tell({
      event: 'points.earned',
      data: {
        customer_id: customer.id,
        points_added: amount,
        new_balance: customer.points,
        source,
        reference_id: activity.id,
        awarded_at: webhookTimestamp(activity.at),
      },
    });
    return activity;
  }

  spend(customer: Customer, amount: number, description: string, source: string, referenceId: string): void {
    customer.spent += amount;
    const activity = this.#record(customer, 'use_offer', -amount, description);
    this.#tell({
      event: 'points.spent',
      data: {
        customer_id: customer.id,
        points_spent: amount,
        new_balance: customer.points,
        source,
        reference_id: referenceId,
        spent_at: webhookTimestamp(activity.at),
      },
    });
  }

  #enroll(id: string | undefined): Customer {
    const now = this.#clock.now();
    const customer: Customer = {
      id: id ?? ksuid(now),
      fullName: '',
      email: '',
      phone: '',
      cpf: '',
      tier: 'default',
      points: 0,
      earned: 0,
      spent: 0,
      zMicro: undefined,
      joinedAt: now,
      updatedAt: now,
      activities: [],
    };
    this.#byId.set(customer.id, customer);
    return customer;
  }

  #move(customer: Customer, tier: string): void {
    if (customer.tier === tier) return;
    const data = {
      customer_id: customer.id,
      old_tier: customer.tier,
      new_tier: tier,
      changed_at: webhookTimestamp(this.#clock.now()),
    };
    customer.tier = tier;
    this.#tell({ event: 'customer.tier_changed', data });
  }

  #record(customer: Customer, type: Activity['type'], amount: number, description: string): Activity {
    const at = this.#clock.now();
    const before = customer.points;
    customer.points += amount;
    const activity = { id: ksuid(at), type, amount, before, after: customer.points, at, description };
    customer.activities.push(activity);
    return activity;
  }

  #tellOfEnrollment(customer: Customer): void {
    this.#tell({
      event: 'customer.enrolled',
      data: {
        customer_id: customer.id,
        program_id: PROGRAM_ID,
        name: customer.fullName,
        phone: customer.phone,
        enrolled_at: webhookTimestamp(customer.joinedAt),
      },
    });
  }
}

/** A customer's points and totals at a moment that may lie in the past. */
export function standingAt(
  customer: Customer,
  at: number,
): { points: number; earned: number; spent: number } {
  let { points, earned, spent } = customer;
  for (let index = customer.activities.length - 1; index >= 0; index -= 1) {
    const activity = customer.activities[index];
    if (activity === undefined || activity.at <= at) break;
    points = activity.before;
    if (activity.amount > 0) earned -= activity.amount;
    else spent += activity.amount;
  }
  return { points, earned, spent };
}

/** An email in lower case, or the digits of a phone (with or without Brazil's 55) or a CPF. */
export function contactKey(identifier: string): string {
  if (identifier.includes('@')) return identifier.trim().toLowerCase();
  const digits = identifier.replaceAll(/\D/g, '');
  // A Brazilian number has 10 or 11 digits behind its country code.
  return /^55\d{10,11}$/.test(digits) ? digits.slice(2) : digits;
}

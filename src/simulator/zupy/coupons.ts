/** The coupons that the simulated restaurant has issued, and the life that each of them leads. */
import type { Clock } from '../../time.js';
import type { Customer } from './customers.js';
import { couponCode, ksuid } from './ids.js';
import type { Reward } from './rewards.js';
import { type Happening, webhookTimestamp } from './wire.js';

export interface Coupon {
  /** Its place in the order of issue; cursors are made of it. */
  sequence: number;
  id: string;
  /** Upper-case. */
  code: string;
  customer: Customer;
  reward: Reward;
  status: string;
  /** When it came into this status or was last used, in milliseconds since the epoch. */
  since: number;
  remaining: number;
  total: number;
  pointsSpent: number;
  createdAt: number;
  validUntil: number;
  usedAt: number | undefined;
  /** Lists do not show it until then. */
  hiddenUntil: number;
  /** Its customer was told that it is about to expire. */
  warned: boolean;
}

export interface CouponFilter {
  status?: string | undefined;
  customerId?: string | undefined;
  rewardId?: string | undefined;
  origin?: string | undefined;
  code?: string | undefined;
}

/** What a coupon starts with; the code is made up unless given. */
export interface Issue {
  pointsSpent: number;
  hideMs: number;
  code?: string | undefined;
}

const DAY_MS = 86_400_000;
// "Event Types", coupon.expiring.
const WARNING_MS = 3 * DAY_MS;
// Statuses from which it goes on by itself; from `active` it goes on with every use.
const NEXT: Readonly<Record<string, string>> = { pending: 'active', pending_blockchain: 'active' };

export interface CouponBookOptions {
  clock: Clock;
  /** How long until a coupon goes on by itself; 0 or Infinity: never. */
  stepMs: number;
  /** How long lists do not know of a new coupon. */
  listLagMs: number;
  /** What a fresh coupon is. */
  firstStatus: string;
  /** Hears of what a webhook may tell of. */
  tell: (happening: Happening) => void;
}

export class CouponBook {
  readonly #options: CouponBookOptions;
  readonly #coupons: Coupon[] = [];
  readonly #byId = new Map<string, Coupon>();
  readonly #byCode = new Map<string, Coupon>();
  readonly #byCustomer = new Map<string, Coupon[]>();
  readonly #open = new Set<Coupon>();

  constructor(options: CouponBookOptions) {
    this.#options = options;
  }

  issue(customer: Customer, reward: Reward, { pointsSpent, hideMs, code }: Issue): Coupon {
    const now = this.#options.clock.now();
    const coupon: Coupon = {
      sequence: this.#coupons.length,
      id: ksuid(now),
      code: code?.toUpperCase() ?? this.#freshCode(),
      customer,
      reward,
      status: this.#options.firstStatus,
      since: now,
      remaining: reward.usages,
      total: reward.usages,
      pointsSpent,
      createdAt: now,
      validUntil: now + reward.validityDays * DAY_MS,
      usedAt: undefined,
      hiddenUntil: now + Math.max(hideMs, this.#options.listLagMs),
      warned: false,
    };
    this.#coupons.push(coupon);
    this.#byId.set(coupon.id, coupon);
    this.#byCode.set(coupon.code, coupon);
    const siblings = this.#byCustomer.get(customer.id);
    if (siblings === undefined) this.#byCustomer.set(customer.id, [coupon]);
    else siblings.push(coupon);
    this.#open.add(coupon);
    this.#tellOfIssue(coupon);
    return coupon;
  }

  /** By KSUID as it is spelled, or by code in any case; as it stands now, also when lists do not show it. */
  find(idOrCode: string): Coupon | undefined {
    const coupon = this.#byId.get(idOrCode) ?? this.#byCode.get(idOrCode.toUpperCase());
    return coupon === undefined ? undefined : this.settle(coupon);
  }

  /** The first one of a customer and a reward, written `customer/reward`. */
  findByReference(reference: string): Coupon | undefined {
    const [customerId = '', rewardId] = reference.split('/');
    return this.#byCustomer.get(customerId)?.find((coupon) => coupon.reward.id === rewardId);
  }

  /** Oldest first, as they stand now, those that lists do not show included. */
  all(): readonly Coupon[] {
    this.settleOpen();
    return this.#coupons;
  }

  hasRedeemed(customer: Customer, reward: Reward): boolean {
    return (this.#byCustomer.get(customer.id) ?? []).some((coupon) => coupon.reward === reward);
  }

  /** What a list shows for a filter, newest first (the documents name no order). */
  *matching(filter: CouponFilter): Generator<Coupon> {
    const candidates = this.#candidates(filter);
    const code = filter.code?.toUpperCase();
    const now = this.#options.clock.now();
    for (let index = candidates.length - 1; index >= 0; index -= 1) {
      const coupon = candidates[index];
      if (coupon === undefined || now < coupon.hiddenUntil) continue;
      if (filter.customerId !== undefined && coupon.customer.id !== filter.customerId) continue;
      if (filter.rewardId !== undefined && coupon.reward.id !== filter.rewardId) continue;
      if (filter.origin !== undefined && coupon.reward.origin !== filter.origin) continue;
      if (code !== undefined && coupon.code !== code) continue;
      this.settle(coupon);
      if (filter.status !== undefined && coupon.status !== filter.status) continue;
      yield coupon;
    }
  }

  /** Uses it once; the caller has seen that it is active. */
  use(coupon: Coupon, at = this.#options.clock.now()): void {
    coupon.remaining -= 1;
    coupon.usedAt = at;
    coupon.since = at;
    if (coupon.remaining === 0) this.#close(coupon, 'used', at);
    this.#tell('coupon.used', coupon, { used_at: webhookTimestamp(at) });
  }

  /** Puts it into a status by hand, from which it goes on by itself if it can. */
  put(coupon: Coupon, status: string): void {
    const now = this.#options.clock.now();
    if (status === 'used' && coupon.remaining > 0) {
      coupon.remaining = 1;
      this.use(coupon);
    } else if (status === 'active' || NEXT[status] !== undefined) {
      Object.assign(coupon, { status, since: now, remaining: Math.max(coupon.remaining, 1) });
      this.#open.add(coupon);
    } else {
      this.#close(coupon, status, now);
      if (status === 'cancelled')
        this.#tell('coupon.cancelled', coupon, { cancelled_at: webhookTimestamp(now) });
      if (status === 'expired') this.#tell('coupon.expired', coupon, { expired_at: webhookTimestamp(now) });
    }
  }

  /** Brings what may have changed by itself up to now, so that webhooks tell of it. */
  settleOpen(): void {
    for (const coupon of this.#open) this.settle(coupon);
  }

  /** Brings one up to now. */
  settle(coupon: Coupon): Coupon {
    const now = this.#options.clock.now();
    while (this.#open.has(coupon)) {
      const stepAt =
        this.#options.stepMs > 0 ? coupon.since + this.#options.stepMs : Number.POSITIVE_INFINITY;
      if (now < Math.min(stepAt, coupon.validUntil)) break;
      if (coupon.validUntil <= stepAt) {
        this.#close(coupon, 'expired', coupon.validUntil);
        this.#tell('coupon.expired', coupon, { expired_at: webhookTimestamp(coupon.validUntil) });
      } else if (coupon.status === 'active') {
        // Its customer used it at a till that is not the caller's.
        this.use(coupon, stepAt);
      } else {
        coupon.status = NEXT[coupon.status] ?? coupon.status;
        coupon.since = stepAt;
      }
    }
    if (this.#open.has(coupon)) this.#warn(coupon, now);
    return coupon;
  }

  #candidates({ code, customerId }: CouponFilter): readonly Coupon[] {
    if (code !== undefined) {
      const coupon = this.#byCode.get(code.toUpperCase());
      return coupon === undefined ? [] : [coupon];
    }
    return customerId === undefined ? this.#coupons : (this.#byCustomer.get(customerId) ?? []);
  }

  #freshCode(): string {
    let code = couponCode();
    while (this.#byCode.has(code)) code = couponCode();
    return code;
  }

  #close(coupon: Coupon, status: string, at: number): void {
    coupon.status = status;
    coupon.since = at;
    this.#open.delete(coupon);
  }

  #warn(coupon: Coupon, now: number): void {
    if (coupon.warned || now < coupon.validUntil - WARNING_MS) return;
    coupon.warned = true;
    this.#tell('coupon.expiring', coupon, {
      valid_until: webhookTimestamp(coupon.validUntil),
      expires_in_days: Math.ceil((coupon.validUntil - now) / DAY_MS),
    });
  }

  #tellOfIssue(coupon: Coupon): void {
    this.#tell('reward.redeemed', coupon, {
      reward_id: coupon.reward.id,
      points_spent: coupon.pointsSpent,
      valid_until: webhookTimestamp(coupon.validUntil),
    });
  }

  #tell(event: Happening['event'], coupon: Coupon, more: Readonly<Record<string, unknown>>): void {
    this.#options.tell({
      event,
      data: {
        customer_id: coupon.customer.id,
        coupon_code: coupon.code,
        reward_name: coupon.reward.name,
        ...more,
      },
    });
  }
}

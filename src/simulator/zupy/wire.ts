/** The words that go over the wire to and from Zupy's Partner API, as types. */

/** Every status of a coupon that the OpenAPI document names; the list filters by them. */
export const COUPON_STATUSES = [
  'active',
  'used',
  'expired',
  'cancelled',
  'pending',
  'pending_blockchain',
  'completed',
  'failed',
  'blockchain_error',
] as const;

/** Redeemed with points, or claimed without. */
export const ORIGINS = ['loyalty_reward', 'marketing'] as const;
export type Origin = (typeof ORIGINS)[number];

export const TIERS = ['default', 'bronze', 'silver', 'gold', 'platinum', 'vip'] as const;

export const PLATFORMS = ['apple', 'google'] as const;

/** "Outbound Webhooks", event types. */
export const WEBHOOK_EVENTS = [
  'customer.enrolled',
  'customer.tier_changed',
  'points.earned',
  'points.spent',
  'reward.redeemed',
  'coupon.used',
  'coupon.cancelled',
  'coupon.expiring',
  'coupon.expired',
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** Something that a webhook may tell of. */
export interface Happening {
  event: WebhookEvent;
  data: Readonly<Record<string, unknown>>;
}

/** API timestamps have whole seconds, as in all samples. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Webhooks have microseconds and an offset instead. */
export function webhookTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000+00:00');
}

/** What Zupy shows of customers, rewards and coupons, field by field as in the OpenAPI document. */
import type { Coupon } from './coupons.js';
import type { Activity, Customer } from './customers.js';
import { COMPANY_ID, LOYALTY_PROGRAM, PROGRAM } from './merchant.js';
import { isAvailable, type Reward } from './rewards.js';
import { timestamp } from './wire.js';
import { fromMicro } from './z-dollars.js';

/** In Portuguese where the OpenAPI document is; the others are English there too. */
const STATUS_DISPLAY: Readonly<Record<string, string>> = {
  active: 'Ativo',
  used: 'Utilizado',
  expired: 'Expirado',
  cancelled: 'Cancelado',
};

/** `blockchain_error` → `Blockchain Error`: the word that a conflict's detail has for a status. */
export function inWords(status: string): string {
  return status
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');
}

/** A customer's Z$; without a wallet there is nothing in it. */
export function zBalance(customer: Customer): string {
  return fromMicro(customer.zMicro ?? 0n);
}

export function renderCoupon(coupon: Coupon) {
  return {
    id: coupon.id,
    coupon_code: coupon.code,
    reward_name: coupon.reward.name,
    reward_id: coupon.reward.id,
    customer_id: coupon.customer.id,
    customer_name: coupon.customer.fullName,
    status: coupon.status,
    status_display: STATUS_DISPLAY[coupon.status] ?? inWords(coupon.status),
    points_spent: coupon.pointsSpent,
    redemption_date: timestamp(coupon.createdAt),
    valid_until: timestamp(coupon.validUntil),
    remaining_usages: coupon.remaining,
    total_usages_allowed: coupon.total,
    created_at: timestamp(coupon.createdAt),
    usage_date: coupon.usedAt === undefined ? null : timestamp(coupon.usedAt),
    origin_type: coupon.reward.origin,
  };
}

export function renderReward(reward: Reward, alreadyRedeemed: boolean) {
  const isMarketing = reward.origin === 'marketing';
  return {
    id: reward.id,
    name: reward.name,
    description: '',
    reward_type: 'generic',
    points_required: reward.points,
    monetary_value: null,
    validity_days: reward.validityDays,
    is_available: isAvailable(reward),
    quantity_available: reward.quantity,
    quantity_redeemed: reward.redeemed,
    discount_type: 'free_item',
    discount_percentage: null,
    discount_fixed_amount: null,
    maximum_discount_value: null,
    image_url: null,
    ...PROGRAM,
    is_active: reward.active,
    already_redeemed: alreadyRedeemed,
    start_date: null,
    end_date: null,
    created_at: timestamp(reward.createdAt),
    updated_at: timestamp(reward.updatedAt),
    settlement_budget: null,
    customer_split_pct: '50.00',
    operator_split_pct: null,
    publisher_split_pct: null,
    sharer_split_pct: null,
    z_distributed_total: null,
    origin_type: reward.origin,
    budget_mode: 'unlimited',
    campaign_status: isMarketing ? 'active' : null,
    campaign_operator_id: null,
    campaign_operator_name: null,
  };
}

export function renderCustomer(customer: Customer) {
  return {
    id: customer.id,
    full_name: customer.fullName,
    avatar_url: '',
    email: customer.email,
    is_email_verified: false,
    phone: customer.phone,
    is_phone_verified: false,
    cpf: customer.cpf,
    birth_date: '',
    points_balance: customer.points,
    points_earned: customer.earned,
    points_spent: customer.spent,
    tier: customer.tier,
    card_number: `ZP-${customer.id.slice(-8).toUpperCase()}-1`,
    join_date: timestamp(customer.joinedAt),
    last_activity_date: lastActivity(customer),
    is_active: true,
    zupy_balance: zBalance(customer),
    ...PROGRAM,
    rfm_segment: null,
    company_id: COMPANY_ID,
    created_at: timestamp(customer.joinedAt),
    updated_at: timestamp(customer.updatedAt),
  };
}

/** `standing`: the balance and the totals of the moment that is shown. */
export function renderPoints(
  customer: Customer,
  standing: { points: number; earned: number; spent: number },
) {
  return {
    customer_id: customer.id,
    points_balance: standing.points,
    points_earned: standing.earned,
    points_spent: standing.spent,
    points_name: LOYALTY_PROGRAM.points_name,
    last_activity_date: lastActivity(customer),
    tier: customer.tier,
  };
}

export function renderActivity(activity: Activity) {
  return {
    id: activity.id,
    activity_type: activity.type,
    activity_type_display: inWords(activity.type),
    points_amount: activity.amount,
    description: activity.description,
    balance_before: activity.before,
    balance_after: activity.after,
    activity_date: timestamp(activity.at),
    created_at: timestamp(activity.at),
  };
}

function lastActivity(customer: Customer): string | null {
  const last = customer.activities.at(-1);
  return last === undefined ? null : timestamp(last.at);
}

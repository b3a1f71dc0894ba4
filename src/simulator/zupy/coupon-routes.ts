/** Redeem, validate, list and count: what becomes of rewards and coupons ("Coupon Lifecycle"). */
import type { Answer, Call, Route } from '../kit.js';
import type { Coupon, CouponFilter } from './coupons.js';
import { redeem } from './redeem.js';
import { inWords, renderCoupon, zBalance } from './render.js';
import { cursorAt, type Page, type PageWish } from './shape.js';
import { COUPON_STATUSES, ORIGINS, timestamp } from './wire.js';
import {
  checkOtp,
  customerOf,
  type Found,
  missing,
  queried,
  type Shop,
  shopOf,
  type World,
  wishOf,
} from './world.js';

export function couponRoutes(world: World): Route[] {
  return [
    {
      verb: 'submit',
      method: 'POST',
      path: '/customers/:id/rewards/:reward/redeem/',
      references: ({ params: { id = '', reward = '' } }) => [`${id}/${reward}`, id, reward],
      handle: (call) => redeem(world, call),
    },
    {
      verb: 'activate',
      method: 'POST',
      path: '/customers/:id/coupons/:coupon/validate/',
      references: (call) => usedReferences(world, call),
      handle: (call) => validate(world, call),
    },
    {
      verb: 'search',
      method: 'GET',
      path: '/coupons/issued/',
      references: listedReferences,
      handle: (call) => list(world, call),
    },
    {
      verb: 'stats',
      method: 'GET',
      path: '/coupons/issued/stats/',
      references: listedReferences,
      handle: (call) => stats(world, call),
    },
  ];
}

/** `customer/reward`, which is how the ledger names the coupon that a redeem made. */
export function referenceOf(coupon: Coupon): string {
  return `${coupon.customer.id}/${coupon.reward.id}`;
}

function validate(world: World, call: Call): Answer {
  const refused = checkOtp(world, call, world.settings.requireOtpForCouponUsage);
  if (refused !== undefined) return refused;
  const found = customerOf(world, call);
  if (!found.ok) return found.answer;
  const { coupons } = shopOf(world, call);
  const coupon = coupons.find(call.params.coupon ?? '');
  if (coupon === undefined || coupon.customer !== found.value) return missing(world, call, 'Coupon').answer;
  if (coupon.status !== 'active')
    return world.problems.answer('conflict', `Cupom já ${inWords(coupon.status)}`, call.path);
  coupons.use(coupon);
  return world.shape.one({
    customer_id: coupon.customer.id,
    coupon_code: coupon.code,
    status: 'validated',
    remaining_usages: coupon.remaining,
    total_usages_allowed: coupon.total,
    validated_at: timestamp(world.time.clock.now()),
    new_balance: coupon.customer.points,
    new_z_balance: zBalance(coupon.customer),
  });
}

function list(world: World, call: Call): Answer {
  const filter = filterOf(world, call);
  if (!filter.ok) return filter.answer;
  const wish = wishOf(world, call);
  if (!wish.ok) return wish.answer;
  const page = pageOfCoupons(shopOf(world, call), filter.value, wish.value);
  return world.shape.many({ ...page, rows: page.rows.map(renderCoupon) }, call.path);
}

/** Cursors name the last coupon shown, so that those issued meanwhile shift nothing. */
function pageOfCoupons(shop: Shop, filter: CouponFilter, wish: PageWish): Page<Coupon> {
  const before = wish.after ?? Number.POSITIVE_INFINITY;
  const rows: Coupon[] = [];
  let count = 0;
  let left = 0;
  for (const coupon of shop.coupons.matching(filter)) {
    count += 1;
    if (coupon.sequence >= before) continue;
    if (rows.length < wish.size) rows.push(coupon);
    else left += 1;
  }
  const last = rows.at(-1);
  return { rows, next: left > 0 && last !== undefined ? cursorAt(last.sequence) : undefined, count };
}

function stats(world: World, call: Call): Answer {
  const filter = filterOf(world, call);
  if (!filter.ok) return filter.answer;
  const byStatus: Record<string, number> = { active: 0, used: 0, expired: 0, cancelled: 0 };
  const byOrigin: Record<string, number> = { loyalty_reward: 0, marketing: 0 };
  let issued = 0;
  for (const { status, reward } of shopOf(world, call).coupons.matching({
    ...filter.value,
    status: undefined,
  })) {
    issued += 1;
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    byOrigin[reward.origin] = (byOrigin[reward.origin] ?? 0) + 1;
  }
  const used = byStatus.used ?? 0;
  const rate = issued === 0 ? 0 : Math.round((used / issued) * 10_000) / 100;
  return world.shape.one({
    total_issued: issued,
    used,
    usage_rate: rate,
    by_status: byStatus,
    by_origin: byOrigin,
  });
}

/** No filter is on unless asked for. A word that is none of a filter's is refused. */
function filterOf(world: World, call: Call): Found<CouponFilter> {
  const filter = {
    status: queried(call, 'status'),
    customerId: queried(call, 'customer_id'),
    rewardId: queried(call, 'reward_id'),
    origin: queried(call, 'origin_type'),
    code: queried(call, 'code'),
  };
  const errors = [
    ...choiceError('status', filter.status, COUPON_STATUSES),
    ...choiceError('origin_type', filter.origin, ORIGINS),
  ];
  return errors.length === 0
    ? { ok: true, value: filter }
    : { ok: false, answer: world.problems.invalid(errors) };
}

function choiceError(field: string, value: string | undefined, choices: readonly string[]) {
  if (value === undefined || choices.includes(value)) return [];
  return [{ field, detail: `"${value}" não é uma escolha válida.` }];
}

function usedReferences(world: World, call: Call): string[] {
  const { id = '', coupon: name = '' } = call.params;
  const coupon = world.own.coupons.find(name);
  return coupon === undefined ? [name, id] : [name, id, coupon.id, coupon.code, referenceOf(coupon)];
}

function listedReferences(call: Call): string[] {
  const customer = queried(call, 'customer_id') ?? '';
  const reward = queried(call, 'reward_id') ?? '';
  const code = (queried(call, 'code') ?? '').toUpperCase();
  return [`${customer}/${reward}`, customer, reward, code].filter((name) => name !== '' && name !== '/');
}

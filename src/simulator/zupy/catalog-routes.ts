/** What is on offer and by whom: rewards, the company, its loyalty program. */
import type { Answer, Call, Route } from '../kit.js';
import type { Customer } from './customers.js';
import { COMPANY_PROFILE, LOYALTY_PROGRAM } from './merchant.js';
import { renderReward } from './render.js';
import { isAvailable, type Reward } from './rewards.js';
import { pageOf } from './shape.js';
import { missing, queried, rewardOf, type Shop, shopOf, type World, wishOf } from './world.js';

export function catalogRoutes(world: World): Route[] {
  return [
    {
      verb: 'rewards',
      method: 'GET',
      path: '/rewards/',
      references: (call) => [queried(call, 'customer_id') ?? ''],
      handle: (call) => listRewards(world, call),
    },
    {
      verb: 'reward',
      method: 'GET',
      path: '/rewards/:id/',
      references: ({ params: { id = '' } }) => [id],
      handle: (call) => {
        const found = rewardOf(world, call, 'id');
        return found.ok ? world.shape.one(renderReward(found.value, false)) : found.answer;
      },
    },
    ...single(world, '/companies/', 'compan', ['ies', 'y'], COMPANY_PROFILE),
    ...single(world, '/loyalty/programs/', 'program', ['s', ''], LOYALTY_PROGRAM),
  ];
}

/** A list that can have one entry only, and that entry. */
function single(
  world: World,
  path: string,
  stem: string,
  [many, one]: readonly [string, string],
  entry: { id: string },
): Route[] {
  const isOwn = (call: Call) => shopOf(world, call) === world.own;
  return [
    {
      verb: stem + many,
      method: 'GET',
      path,
      references: () => [],
      handle: (call) => {
        const wish = wishOf(world, call);
        if (!wish.ok) return wish.answer;
        return world.shape.many(pageOf(isOwn(call) ? [entry] : [], wish.value), call.path);
      },
    },
    {
      verb: stem + one,
      method: 'GET',
      path: `${path}:id/`,
      references: ({ params: { id = '' } }) => [id],
      handle: (call) =>
        isOwn(call) && call.params.id === entry.id
          ? world.shape.one(entry)
          : missing(world, call, 'Object').answer,
    },
  ];
}

function listRewards(world: World, call: Call): Answer {
  const wish = wishOf(world, call);
  if (!wish.ok) return wish.answer;
  const customerId = queried(call, 'customer_id');
  const onlyRedeemable = queried(call, 'redeemable') === 'true';
  if (onlyRedeemable && customerId === undefined)
    return world.problems.invalid([
      { field: 'customer_id', detail: 'Este campo é obrigatório com redeemable.' },
    ]);
  const shop = shopOf(world, call);
  const customer = customerId === undefined ? undefined : shop.customers.find(customerId);
  const offered = shop.rewards
    .all()
    .filter((reward) => !onlyRedeemable || (customer !== undefined && canRedeem(shop, customer, reward)));
  const page = pageOf(offered, wish.value);
  const rows = page.rows.map((reward) =>
    renderReward(reward, customer !== undefined && shop.coupons.hasRedeemed(customer, reward)),
  );
  return world.shape.many({ ...page, rows }, call.path);
}

function canRedeem(shop: Shop, customer: Customer, reward: Reward): boolean {
  if (!isAvailable(reward)) return false;
  return reward.origin === 'marketing'
    ? !shop.coupons.hasRedeemed(customer, reward)
    : customer.points >= reward.points;
}

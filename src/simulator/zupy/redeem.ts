/** The redeem of a reward: who may have it, and what it costs ("Coupon Lifecycle", "Z$ Tokens"). */
import type { Answer, Call } from '../kit.js';
import type { Customer } from './customers.js';
import type { ProblemName } from './problems.js';
import { zBalance } from './render.js';
import { isAvailable, type Reward } from './rewards.js';
import { timestamp } from './wire.js';
import {
  checkOtp,
  customerOf,
  type Found,
  fieldOf,
  rewardOf,
  type Shop,
  shopOf,
  type World,
} from './world.js';
import { fromMicro } from './z-dollars.js';

interface Price {
  points: number;
  /** In millionths of a Z$. */
  micro: bigint;
}

// "How Top-Up Works": Z$ cover at most a fifth of the cost, one for a point, and a fifth more is charged.
const TOP_UP_SHARE = 5;
const MICRO_PER_POINT = 1_200_000n;

/** Neither reference nor idempotency key: each call that passes debits the points once more. */
export function redeem(world: World, call: Call): Answer {
  const refused = checkOtp(world, call, world.settings.requireOtpForRedemption);
  if (refused !== undefined) return refused;
  const customer = customerOf(world, call);
  if (!customer.ok) return customer.answer;
  const reward = rewardOf(world, call, 'reward');
  if (!reward.ok) return reward.answer;
  const useZ = readUseZ(world, call.body);
  if (!useZ.ok) return useZ.answer;
  const shop = shopOf(world, call);
  const price = priceOf(world, call, shop, customer.value, reward.value, useZ.value);
  if (!price.ok) return price.answer;
  return hand(world, call, shop, customer.value, reward.value, price.value);
}

function hand(
  world: World,
  call: Call,
  shop: Shop,
  customer: Customer,
  reward: Reward,
  price: Price,
): Answer {
  if (price.points > 0)
    shop.customers.spend(customer, price.points, reward.name, 'reward_redemption', reward.id);
  if (price.micro > 0n) customer.zMicro = (customer.zMicro ?? 0n) - price.micro;
  reward.redeemed += 1;
  if (reward.quantity !== null) reward.quantity -= 1;
  const coupon = shop.coupons.issue(customer, reward, { pointsSpent: price.points, hideMs: call.hideMs });
  return world.shape.one({
    ...(world.redeemHasId ? { id: coupon.id } : {}),
    customer_id: customer.id,
    coupon_code: coupon.code,
    points_used: price.points,
    z_tokens_used: fromMicro(price.micro),
    new_balance: customer.points,
    new_z_balance: zBalance(customer),
    valid_until: timestamp(coupon.validUntil),
    created_at: timestamp(coupon.createdAt),
  });
}

function readUseZ(world: World, body: unknown): Found<boolean> {
  if (body === undefined) return { ok: true, value: false };
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return invalid(world, 'non_field_errors', 'Dados inválidos: era esperado um objeto.');
  const useZ = fieldOf(body, 'use_z_tokens') ?? false;
  if (typeof useZ !== 'boolean') return invalid(world, 'use_z_tokens', 'Deve ser um valor booleano válido.');
  return { ok: true, value: useZ };
}

/** What the reward costs this customer, or why it is not to be had. */
function priceOf(
  world: World,
  call: Call,
  shop: Shop,
  customer: Customer,
  reward: Reward,
  useZ: boolean,
): Found<Price> {
  if (!isAvailable(reward)) return invalid(world, 'reward_id', 'Prêmio indisponível.');
  const isMarketing = reward.origin === 'marketing';
  if ((isMarketing || world.refusesDuplicates) && shop.coupons.hasRedeemed(customer, reward))
    return invalid(
      world,
      'reward_id',
      `Prêmio ${isMarketing ? 'gratuito ' : ''}já resgatado por este cliente`,
    );
  if (isMarketing) return { ok: true, value: { points: 0, micro: 0n } };
  const gap = reward.points - customer.points;
  if (gap <= 0) return { ok: true, value: { points: reward.points, micro: 0n } };
  const shortage = `Pontos insuficientes: saldo ${customer.points}, custo ${reward.points}.`;
  const { shortageProblem, solana } = world.settings;
  const refuse = (name: ProblemName, detail: string): Found<Price> => ({
    ok: false,
    answer: world.problems.answer(name, detail, call.path),
  });
  if (!useZ && shortageProblem === 'validation-error') return invalid(world, 'points', shortage);
  if (!useZ) return refuse('insufficient-balance', shortage);
  if (solana === 'down') return refuse('service-unavailable', 'Solana RPC is unavailable.');
  if (gap * TOP_UP_SHARE > reward.points)
    return invalid(world, 'use_z_tokens', `Z$ cobre no máximo 20% do custo. ${shortage}`);
  const micro = BigInt(gap) * MICRO_PER_POINT;
  if ((customer.zMicro ?? 0n) < micro) return refuse('insufficient-balance', shortage);
  return { ok: true, value: { points: customer.points, micro } };
}

function invalid(world: World, field: string, detail: string): { ok: false; answer: Answer } {
  return { ok: false, answer: world.problems.invalid([{ field, detail }]) };
}

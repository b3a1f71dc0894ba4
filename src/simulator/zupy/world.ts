/** What the operations of the API share: the companies, the policy, and how answers look. */
import type { Time } from '../../time.js';
import type { Answer, Call } from '../kit.js';
import type { CouponBook } from './coupons.js';
import type { Customer, CustomerBook } from './customers.js';
import type { Door } from './keys.js';
import type { OtpDesk } from './otp.js';
import type { Problems } from './problems.js';
import type { Reward, RewardBook } from './rewards.js';
import type { Settings } from './settings.js';
import type { PageWish, Shape } from './shape.js';

/** One company's customers, rewards and coupons. */
export interface Shop {
  customers: CustomerBook;
  rewards: RewardBook;
  coupons: CouponBook;
  otp: OtpDesk;
}

export interface World {
  time: Time;
  settings: Settings;
  problems: Problems;
  shape: Shape;
  door: Door;
  /** The company of the account. */
  own: Shop;
  /** Another one, which has nothing. */
  other: Shop;
  /** Whether loyalty rewards, too, are handed out once for each customer. */
  refusesDuplicates: boolean;
  /** Whether a redeem answers the coupon's KSUID, which prose and schema disagree about. */
  redeemHasId: boolean;
  /** How old the points are that reads show, in milliseconds. */
  pointsLagMs: number;
}

/** A value, or the answer that refuses the call. */
export type Found<T> = { ok: true; value: T } | { ok: false; answer: Answer };

/** The company that a call's key belongs to. */
export function shopOf(world: World, call: Call): Shop {
  return world.door.isOfOtherCompany(call.headers) ? world.other : world.own;
}

/** The customer that the path names. */
export function customerOf(world: World, call: Call): Found<Customer> {
  const customer = shopOf(world, call).customers.find(call.params.id ?? '');
  return customer === undefined ? missing(world, call, 'Customer') : { ok: true, value: customer };
}

/** The reward that the path names under a name. */
export function rewardOf(world: World, call: Call, name: 'id' | 'reward'): Found<Reward> {
  const reward = shopOf(world, call).rewards.find(call.params[name] ?? '');
  return reward === undefined ? missing(world, call, 'Reward') : { ok: true, value: reward };
}

export function missing(world: World, call: Call, what: string): { ok: false; answer: Answer } {
  return { ok: false, answer: world.problems.answer('not-found', `${what} not found.`, call.path) };
}

/** Without a session where the policy asks for one: an answer that says so. Also where no policy can be found. */
export function checkOtp(world: World, call: Call, required: boolean): Answer | undefined {
  const { problems, settings } = world;
  if (!settings.integration)
    return problems.answer('integration-not-found', 'No active integration for this company.', call.path);
  const token = call.headers['x-otp-session'];
  const customerId = call.params.id ?? '';
  if (!required || shopOf(world, call).otp.isOpen(String(token ?? ''), customerId)) return undefined;
  return problems.answer(settings.otpProblem, 'OTP verification required', call.path);
}

/** The page that a call asks for. */
export function wishOf(world: World, call: Call): Found<PageWish> {
  const wish = world.shape.wish(queried(call, 'page_size'), queried(call, 'cursor'));
  if (wish !== undefined) return { ok: true, value: wish };
  const errors = [{ field: 'cursor', detail: 'Cursor inválido.' }];
  return { ok: false, answer: world.problems.invalid(errors) };
}

/** A query parameter; the last one where it was given several times, nothing where it is empty. */
export function queried(call: Call, name: string): string | undefined {
  const value = call.query[name];
  const last = typeof value === 'object' ? value.at(-1) : value;
  return last === '' ? undefined : last;
}

/** A field of a body that was not yet validated. */
export function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}

/** A field that is a string with something in it. */
export function textOf(body: unknown, name: string): string | undefined {
  const value = fieldOf(body, name);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

/** What the framework says of a field that is not there. */
export const REQUIRED = 'Este campo é obrigatório.';

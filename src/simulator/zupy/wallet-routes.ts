/** Wallet passes and notifications ("Wallet Passes"): only what an integration sees of them. */
import type { Answer, Call, Route } from '../kit.js';
import type { Coupon } from './coupons.js';
import type { Customer } from './customers.js';
import { ksuid } from './ids.js';
import type { FieldError } from './problems.js';
import { pageOf } from './shape.js';
import { PLATFORMS, timestamp } from './wire.js';
import { type Found, missing, queried, REQUIRED, shopOf, textOf, type World, wishOf } from './world.js';

interface Pass {
  id: string;
  customer: Customer;
  coupon: Coupon | undefined;
  platform: string;
  createdAt: number;
}

const NOTIFICATION_TYPES: readonly string[] = ['points_update', 'coupon_available', 'program_update'];
const MAX_MESSAGE = 500;

export function walletRoutes(world: World): Route[] {
  const passes = new Map<string, Pass>();
  const references = ({ body }: Call) => ['customer_id', 'coupon_id'].map((name) => textOf(body, name) ?? '');
  const create = (kind: 'loyalty' | 'coupons'): Route => ({
    verb: `wallet-${kind}`,
    method: 'POST',
    path: `/wallet/passes/${kind}/`,
    references,
    handle: (call) => makePass(world, call, passes, kind === 'coupons'),
  });
  return [
    create('loyalty'),
    create('coupons'),
    {
      verb: 'wallet-notify',
      method: 'POST',
      path: '/wallet/notifications/',
      references,
      handle: (call) => notify(world, call),
    },
    {
      verb: 'wallet-passes',
      method: 'GET',
      path: '/wallet/passes/',
      references: (call) => [queried(call, 'customer_id') ?? ''],
      handle: (call) => listPasses(world, call, passes),
    },
    {
      verb: 'wallet-status',
      method: 'GET',
      path: '/wallet/passes/:id/status/',
      references: ({ params: { id = '' } }) => [id],
      handle: (call) => {
        const pass = passes.get(call.params.id ?? '');
        if (pass === undefined || shopOf(world, call) !== world.own)
          return missing(world, call, 'Pass').answer;
        return world.shape.one({
          ...renderPass(pass),
          customer_id: pass.customer.id,
          installed_devices: 0,
          last_updated: timestamp(pass.createdAt),
        });
      },
    },
  ];
}

function makePass(world: World, call: Call, passes: Map<string, Pass>, isCoupon: boolean): Answer {
  const fields = isCoupon ? ['customer_id', 'coupon_id', 'platform'] : ['customer_id', 'platform'];
  const platform = textOf(call.body, 'platform') ?? '';
  const errors = requiredErrors(call.body, fields);
  if (platform !== '' && !PLATFORMS.some((known) => known === platform))
    errors.push({ field: 'platform', detail: `"${platform}" não é uma escolha válida.` });
  if (errors.length > 0) return world.problems.invalid(errors);
  const customer = customerIn(world, call);
  if (!customer.ok) return customer.answer;
  const coupon = isCoupon
    ? shopOf(world, call).coupons.find(textOf(call.body, 'coupon_id') ?? '')
    : undefined;
  if (isCoupon && coupon?.customer !== customer.value) return missing(world, call, 'Coupon').answer;
  const refused = checkWallet(world, call);
  if (refused !== undefined) return refused;
  const now = world.time.clock.now();
  const pass = { id: ksuid(now), customer: customer.value, coupon, platform, createdAt: now };
  passes.set(pass.id, pass);
  return world.shape.one(
    {
      id: pass.id,
      pass_url: `https://api.zupy.com/wallet/${platform}/${pass.id}.pkpass`,
      platform,
      ...(coupon === undefined
        ? {}
        : { coupon_title: coupon.reward.name, expiry_date: timestamp(coupon.validUntil) }),
      created_at: timestamp(now),
    },
    201,
  );
}

/** The coupon itself exists all the while: only its pass cannot be made. */
function checkWallet(world: World, call: Call): Answer | undefined {
  const { problems, settings } = world;
  switch (settings.wallet) {
    case 'up':
      return undefined;
    case 'rotating':
      return problems.answer('wallet-temporarily-unavailable', 'The signing key is rotating.', call.path);
    case 'down':
      return problems.answer('service-unavailable', 'The wallet service is unavailable.', call.path);
    default:
      return settings.wallet satisfies never;
  }
}

function notify(world: World, call: Call): Answer {
  const errors = requiredErrors(call.body, ['customer_id', 'type', 'message']);
  const type = textOf(call.body, 'type') ?? '';
  if (type !== '' && !NOTIFICATION_TYPES.includes(type))
    errors.push({ field: 'type', detail: `"${type}" não é uma escolha válida.` });
  if ((textOf(call.body, 'message') ?? '').length > MAX_MESSAGE)
    errors.push({ field: 'message', detail: `No máximo ${MAX_MESSAGE} caracteres.` });
  if (errors.length > 0) return world.problems.invalid(errors);
  const customer = customerIn(world, call);
  if (!customer.ok) return customer.answer;
  return world.shape.one({ notification_id: ksuid(world.time.clock.now()), status: 'queued' }, 202);
}

function listPasses(world: World, call: Call, passes: ReadonlyMap<string, Pass>): Answer {
  const customerId = queried(call, 'customer_id');
  if (customerId === undefined) return world.problems.invalid([{ field: 'customer_id', detail: REQUIRED }]);
  const customer = shopOf(world, call).customers.find(customerId);
  if (customer === undefined) return missing(world, call, 'Customer').answer;
  const wish = wishOf(world, call);
  if (!wish.ok) return wish.answer;
  const own = [...passes.values()].filter((pass) => pass.customer === customer);
  const page = pageOf(own, wish.value);
  return world.shape.results({ ...page, rows: page.rows.map(renderPass) }, call.path);
}

function renderPass(pass: Pass) {
  return {
    id: pass.id,
    pass_type: pass.coupon === undefined ? 'loyalty' : 'coupon',
    platform: pass.platform,
    status: 'active',
    title: pass.coupon?.reward.name ?? pass.customer.fullName,
    created_at: timestamp(pass.createdAt),
  };
}

function customerIn(world: World, call: Call): Found<Customer> {
  const customer = shopOf(world, call).customers.find(textOf(call.body, 'customer_id') ?? '');
  return customer === undefined ? missing(world, call, 'Customer') : { ok: true, value: customer };
}

function requiredErrors(body: unknown, fields: readonly string[]): FieldError[] {
  return fields
    .filter((field) => textOf(body, field) === undefined)
    .map((field) => ({ field, detail: REQUIRED }));
}

/** Customers, their points and their Z$. */
import type { Answer, Call, Route } from '../kit.js';
import { type Customer, standingAt } from './customers.js';
import type { FieldError } from './problems.js';
import { renderActivity, renderCustomer, renderPoints, zBalance } from './render.js';
import { pageOf } from './shape.js';
import { timestamp } from './wire.js';
import { customerOf, fieldOf, missing, queried, REQUIRED, shopOf, type World, wishOf } from './world.js';

const MAX_REASON = 255;

export function customerRoutes(world: World): Route[] {
  const references = ({ params: { id = '' } }: Call) => [id];
  const read = (verb: string, path: string, handle: (customer: Customer, call: Call) => Answer): Route => ({
    verb,
    method: 'GET',
    path,
    references,
    handle: (call) => {
      const found = customerOf(world, call);
      return found.ok ? handle(found.value, call) : found.answer;
    },
  });
  return [
    {
      verb: 'customers',
      method: 'GET',
      path: '/customers/',
      references: () => [],
      handle: (call) => list(world, call),
    },
    read('customer', '/customers/:id/', (customer) => world.shape.one(renderCustomer(customer))),
    read('points', '/customers/:id/points/', (customer) => {
      const at = world.time.clock.now() - world.pointsLagMs;
      return world.shape.one(renderPoints(customer, standingAt(customer, at)));
    }),
    read('points-history', '/customers/:id/points/history/', (customer, call) =>
      history(world, customer, call),
    ),
    read('z-balance', '/customers/:id/z-balance/', (customer) => readZ(world, customer)),
    {
      verb: 'add-points',
      method: 'POST',
      path: '/customers/:id/points/add/',
      references,
      handle: (call) => addPoints(world, call),
    },
  ];
}

function list(world: World, call: Call): Answer {
  const wish = wishOf(world, call);
  if (!wish.ok) return wish.answer;
  const matches = matcher(call);
  const found = shopOf(world, call).customers.all().filter(matches);
  const page = pageOf(found, wish.value);
  return world.shape.many({ ...page, rows: page.rows.map(renderCustomer) }, call.path);
}

/** All filters are substrings in any case, but the tier; nobody has a segment here. */
function matcher(call: Call): (customer: Customer) => boolean {
  const wanted = (name: string) => queried(call, name)?.toLowerCase();
  const [search, name, email, code] = ['search', 'name', 'email', 'card_code'].map(wanted);
  const phone = queried(call, 'phone')?.replaceAll(/\D/g, '');
  const tier = queried(call, 'tier');
  const segment = queried(call, 'segment');
  const has = (text: string, part: string | undefined) =>
    part === undefined || text.toLowerCase().includes(part);
  return (customer) => {
    const card = renderCustomer(customer).card_number;
    const all = `${customer.fullName} ${customer.email} ${customer.phone} ${card}`;
    return (
      has(all, search) &&
      has(customer.fullName, name) &&
      has(customer.email, email) &&
      has(card, code) &&
      has(customer.phone.replaceAll(/\D/g, ''), phone) &&
      (tier === undefined || customer.tier === tier) &&
      segment === undefined
    );
  };
}

/** Newest first. The OpenAPI document itself has this list in the form that only a guide has for others. */
function history(world: World, customer: Customer, call: Call): Answer {
  const wish = wishOf(world, call);
  if (!wish.ok) return wish.answer;
  const page = pageOf(customer.activities.toReversed(), wish.value);
  return world.shape.results({ ...page, rows: page.rows.map(renderActivity) }, call.path);
}

/** The chain that cannot be asked is no error of the API: 200, and the reason beside an empty balance. */
function readZ(world: World, customer: Customer): Answer {
  const { solana } = world.settings;
  const hasWallet = customer.zMicro !== undefined;
  const error = { up: null, slow: 'timeout', down: 'unavailable' }[solana];
  return world.shape.one({
    z_balance: error === null ? zBalance(customer) : null,
    wallet_address: hasWallet ? `Sim${customer.id}` : null,
    has_wallet: hasWallet,
    error,
  });
}

function addPoints(world: World, call: Call): Answer {
  const shop = shopOf(world, call);
  const customer = shop.customers.find(call.params.id ?? '');
  if (customer === undefined) return missing(world, call, 'Customer').answer;
  const amount = fieldOf(call.body, 'amount');
  const reason = fieldOf(call.body, 'reason') ?? '';
  const errors: FieldError[] = [];
  if (amount === undefined || amount === null) errors.push({ field: 'amount', detail: REQUIRED });
  else if (!Number.isSafeInteger(amount))
    errors.push({ field: 'amount', detail: 'Um número inteiro válido é exigido.' });
  else if (Number(amount) < 1) errors.push({ field: 'amount', detail: 'Deve ser maior ou igual a 1.' });
  if (typeof reason !== 'string' || reason.length > MAX_REASON)
    errors.push({ field: 'reason', detail: `Deve ser um texto de até ${MAX_REASON} caracteres.` });
  if (errors.length > 0) return world.problems.invalid(errors);
  const activity = shop.customers.earn(customer, Number(amount), String(reason), 'partner_api');
  return world.shape.one({
    customer_id: customer.id,
    operation: 'add',
    amount: activity.amount,
    balance_before: activity.before,
    balance_after: activity.after,
    activity_id: activity.id,
    created_at: timestamp(activity.at),
  });
}

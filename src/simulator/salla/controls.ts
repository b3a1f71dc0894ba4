/**
 * What can be done to the store by hand, beside the control routes of all simulators:
 * - `GET /_control/tokens`: the newest tokens, whether they are worth anything, and how many refreshes and
 *   reuses there were. `POST /_control/tokens` `{expire?: true, revoke?: true, scopes?: [...]}`: ends the
 *   access tokens; ends everything as an uninstallation does; grants other scopes. `POST /_control/reinstall`:
 *   new tokens, as the merchant gets them by installing the app again (`app.store.authorize`).
 * - `POST /_control/user` `{state: "active" | "inactive" | "deleted"}`: what the owner of the token is.
 * - `POST /_control/block` `{ms}`: the temporary 403; 0 ends it.
 * - `POST /_control/orders` `{count?, status?, sku?, quantity?}`: orders that shoppers place in the store now;
 *   they stay in their status. Answers their ids.
 */
import { z } from 'zod';
import { readWith } from '../control.js';
import type { Answer, ControlRoute } from '../kit.js';
import { addOrder } from './changes.js';
import { tokenFields } from './oauth.js';
import type { StoredOrder } from './orders.js';
import type { Store } from './store.js';
import type { ErrorBlock } from './throttle.js';
import type { TokenVault } from './tokens.js';
import type { OrderBody } from './wire.js';

const MOST_ORDERS_AT_ONCE = 100_000;
const LONGEST_BLOCK_MS = 86_400_000;

const tokensSchema = z.strictObject({
  expire: z.literal(true).optional(),
  revoke: z.literal(true).optional(),
  scopes: z.array(z.string().min(1)).optional(),
});
const userSchema = z.strictObject({ state: z.enum(['active', 'inactive', 'deleted']) });
const blockSchema = z.strictObject({ ms: z.number().int().min(0).max(LONGEST_BLOCK_MS) });
const ordersSchema = z.strictObject({
  count: z.number().int().min(1).max(MOST_ORDERS_AT_ONCE).optional(),
  status: z.string().min(1).optional(),
  sku: z.string().min(1).optional(),
  quantity: z.number().int().min(1).optional(),
});

export function controls(store: Store, vault: TokenVault, block: ErrorBlock): ControlRoute[] {
  return [
    { method: 'GET', path: '/_control/tokens', handle: () => showTokens(vault) },
    control('/_control/tokens', tokensSchema, ({ expire, revoke, scopes }) => {
      if (scopes !== undefined) vault.scopes = scopes;
      if (expire === true) vault.expire();
      if (revoke === true) {
        vault.revoke();
        store.events.emit('app.uninstalled', () => ({}));
      }
      return showTokens(vault);
    }),
    { method: 'POST', path: '/_control/reinstall', handle: () => reinstall(store, vault) },
    control('/_control/user', userSchema, ({ state }) => {
      vault.user = state;
      return { status: 200, body: { state } };
    }),
    control('/_control/block', blockSchema, ({ ms }) => {
      block.block(ms);
      return { status: 200, body: { ms } };
    }),
    control('/_control/orders', ordersSchema, ({ count, ...wishes }) => {
      const orders = placeOrders(store, count ?? 1, wishes);
      const shown = orders.map(({ id, referenceId }) => ({ id, referenceId }));
      return { status: 201, body: { orders: shown } };
    }),
  ];
}

/** Orders as shoppers place them: nobody but the app and the merchant moves them. */
export function placeOrders(
  store: Store,
  count: number,
  wishes: { status?: string | undefined; sku?: string | undefined; quantity?: number | undefined },
): StoredOrder[] {
  const status = store.statuses.named(wishes.status ?? 'under_review');
  const body = shopperOrder(wishes.sku ?? 'SKU-1', wishes.quantity ?? 1);
  return Array.from({ length: count }, () =>
    addOrder(store, { kind: 'store', body, status, moves: false, hideMs: 0 }),
  );
}

function control<T>(path: string, schema: z.ZodType<T>, act: (value: T) => Answer): ControlRoute {
  return {
    method: 'POST',
    path,
    handle: (body) => {
      const read = readWith(schema, body ?? {});
      return read.ok ? act(read.value) : { status: 400, body: { mistakes: read.mistakes } };
    },
  };
}

function showTokens(vault: TokenVault): Answer {
  const { accessToken, refreshToken, expiresAt } = vault.pair;
  return {
    status: 200,
    body: {
      accessToken,
      refreshToken,
      expiresAt: new Date(expiresAt).toISOString(),
      scopes: vault.scopes,
      ...vault.state,
    },
  };
}

function reinstall(store: Store, vault: TokenVault): Answer {
  const pair = vault.reinstall();
  vault.user = 'active';
  store.events.emit('app.store.authorize', () =>
    tokenFields(pair, vault.scopes, 'expires', store.options.time.clock.now()),
  );
  return showTokens(vault);
}

function shopperOrder(sku: string, quantity: number): OrderBody {
  return {
    externalOrderId: undefined,
    statusName: undefined,
    source: 'store',
    currency: 'SAR',
    customer: {
      id: 1_100_000_001,
      name: 'محمد علي',
      mobile: '+966500000001',
      email: 'shopper@store.example',
    },
    receiver: {
      name: 'محمد علي',
      phone: '+966500000001',
      email: 'shopper@store.example',
      countryCode: 'SA',
    },
    deliveryMethod: 'shipping',
    branchId: undefined,
    courierId: undefined,
    shipTo: { country: 'SA', city: 'الرياض', address_line: 'شارع العليا 1' },
    payment: { status: 'paid', method: 'credit_card', acceptedMethods: [], cashOnDelivery: 0 },
    products: [{ sku, productId: undefined, name: sku, quantity, price: 100 }],
    subtotal: undefined,
    shippingCost: 0,
  };
}

/**
 * A simulator of Salla's Merchant API and of the OAuth server before it: a real HTTP server, written from
 * their documentation. Where the documentation is silent, what it does is said at the place, and it takes the
 * harsher way. Faults, life cycle by hand and ledger: control.ts one folder up; what else can be done by
 * hand: controls.ts.
 *
 * Verbs for fault rules: `submit` (both ways to create an order), `draft`, `get`, `list`, `update`, `status`
 * (cancels too), `actions`, `statuses`; `ship`, `shipments`, `shipment`, `updateShipment`, `tracking`,
 * `cancelShipment`, `returnShipment`, `companies`, `company`; `subscribe`, `unsubscribe`, `webhooks`,
 * `webhookEvents`, `updateWebhook`; `token`, `user`. Advanced by hand to `deleted`, an order is gone (410).
 * The ledger lists shipments beside orders, by their `orderType`.
 */
import type { AdvanceInput } from '../control.js';
import {
  type AccountFileEntry,
  type Asked,
  type LedgerOrder,
  type ProviderServer,
  type Route,
  type Simulator,
  startServer,
} from '../kit.js';
import { envelope, oauthEnvelope, oauthErrorOf } from './answers.js';
import { deleteOrder, setOrderStatus, setShipmentStatus, travelers } from './changes.js';
import { controls, placeOrders } from './controls.js';
import { EventFeed } from './events.js';
import { Gatekeeper } from './gatekeeper.js';
import { OAUTH_PREFIX, oauthRoutes, TOKEN_PATH } from './oauth.js';
import type { SallaSimulatorOptions } from './options.js';
import { orderRoutes } from './order-routes.js';
import { OrderBook } from './orders.js';
import { ALL_SCOPES } from './scopes.js';
import { shipmentRoutes } from './shipment-routes.js';
import { ShipmentBook } from './shipments.js';
import { StatusCatalogue } from './statuses.js';
import { API_PREFIX, type Store } from './store.js';
import { ErrorBlock, StoreBudget } from './throttle.js';
import { TokenVault } from './tokens.js';
import { webhookRoutes } from './webhook-routes.js';

export type { SallaSimulatorOptions } from './options.js';

const PROVIDER = 'salla';
const MERCHANT_ID = 1_234_567_890;
const STEP_MS = 2_000;
// "Rate Limiting", the plan Plus, and the leak of all plans.
const REQUESTS_PER_MINUTE = 120;
const LEAK_MS = 1_000;
// "Token rules".
const ACCESS_TOKEN_MS = 1_209_600_000;
// Half of the smallest budget; the documentation names no figures.
const ERROR_BLOCK = { errors: 60, perMs: 60_000, blockMs: 300_000 };
// packline's default concurrency for this provider.
const CONCURRENCY = 4;

/** Starts the simulator. Rejects when the port is taken. */
export function startSallaSimulator(options: SallaSimulatorOptions): Promise<Simulator> {
  const { clock } = options.time;
  const vault = new TokenVault(
    {
      accessToken: options.accessToken,
      refreshToken: options.refreshToken,
      accessTokenMs: options.accessTokenMs ?? ACCESS_TOKEN_MS,
      refreshTokenMs: options.refreshTokenMs ?? Number.POSITIVE_INFINITY,
      oldAccessToken: options.oldAccessToken ?? 'valid',
      scopes: options.scopes ?? ALL_SCOPES,
    },
    clock,
  );
  const budget = new StoreBudget(
    requestsPerMinute(options),
    options.leakMs ?? LEAK_MS,
    options.retryAfter ?? 'window',
    clock,
  );
  const block = new ErrorBlock(options.errorBlock ?? ERROR_BLOCK, clock);
  return startServer(
    provider(openStore(options), vault, new Gatekeeper(vault, budget, block), block),
    options,
  );
}

function openStore(options: SallaSimulatorOptions): Store {
  const { clock } = options.time;
  const merchantId = options.merchantId ?? MERCHANT_ID;
  const statuses = new StatusCatalogue(merchantId);
  const stepMs = options.stepMs ?? STEP_MS;
  const store: Store = {
    options,
    merchantId,
    statuses,
    orders: new OrderBook(clock, stepMs, statuses),
    shipments: new ShipmentBook(clock, stepMs),
    events: new EventFeed(options, merchantId, () => travelers(store)),
  };
  placeOrders(store, options.storeOrders ?? 0, {});
  return store;
}

function provider(
  store: Store,
  vault: TokenVault,
  gatekeeper: Gatekeeper,
  block: ErrorBlock,
): ProviderServer {
  const storeRoutes = [...orderRoutes(store), ...shipmentRoutes(store), ...webhookRoutes(store)];
  return {
    provider: PROVIDER,
    routes: [
      ...storeRoutes.map((route) => heard(route, gatekeeper)),
      ...oauthRoutes(vault, store.options, store.merchantId),
    ],
    controls: controls(store, vault, block),
    takesForms: true,
    admit: (headers, asked) => gatekeeper.admit(headers, asked),
    standingHeaders: (_headers, _answer, asked) => gatekeeper.headers(asked),
    refusedStatus: (status, asked) => refusedStatus(storeRoutes, status, asked),
    envelope: (status, message, asked) =>
      asked.path.startsWith(OAUTH_PREFIX)
        ? oauthEnvelope(oauthErrorOf(status), message)
        : envelope(status, message),
    advance: (change) => advance(store, change),
    orders: () => ledger(store),
    account: (id, url) => account(id, url, store.options, vault),
    onClose: () => store.events.close(),
  };
}

/** Errors count towards the block, whichever operation they come from. */
function heard(route: Route, gatekeeper: Gatekeeper): Route {
  return {
    ...route,
    handle: (call) => {
      const answer = route.handle(call);
      return answer instanceof Promise ? answer : gatekeeper.hear(answer);
    },
  };
}

/** A known path with another method is 405; a body in a format that is not understood is 406. */
function refusedStatus(routes: readonly Route[], status: number, { path, verb }: Asked): number {
  if (status === 415) return 406;
  if (status !== 404 || verb !== 'unknown') return status;
  const asked = path.split('?')[0] ?? '';
  return routes.some((route) => patternOf(route.path).test(asked)) ? 405 : status;
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`);
}

function advance(store: Store, { reference, status }: AdvanceInput): boolean {
  const order = store.orders.find(reference);
  if (order !== undefined) {
    if (status === 'deleted') deleteOrder(store, order);
    else setOrderStatus(store, order, store.statuses.named(status), true);
    return true;
  }
  const shipment = store.shipments.find(reference);
  if (shipment === undefined) return false;
  setShipmentStatus(store, shipment, status, true);
  return true;
}

function ledger(store: Store): LedgerOrder[] {
  const orders = store.orders.all().map((order): LedgerOrder => {
    const { status } = store.orders.standing(order);
    return {
      id: String(order.id),
      reference: order.body.externalOrderId ?? String(order.referenceId),
      status: order.isDeleted ? 'deleted' : (status.slug ?? status.name.en),
      createdAt: new Date(order.createdAt).toISOString(),
      orderType: order.kind,
    };
  });
  const shipments = store.shipments.all().map(
    (shipment): LedgerOrder => ({
      id: String(shipment.id),
      reference: shipment.body.externalId ?? '',
      status: store.shipments.standing(shipment).status,
      createdAt: new Date(shipment.createdAt).toISOString(),
      orderType: shipment.type,
    }),
  );
  return [...orders, ...shipments];
}

/** With the newest tokens: those that it was started with may be spent. */
function account(
  id: string,
  url: string,
  options: SallaSimulatorOptions,
  vault: TokenVault,
): AccountFileEntry {
  const requests = requestsPerMinute(options);
  const { accessToken, refreshToken, expiresAt } = vault.pair;
  return {
    id,
    provider: PROVIDER,
    config: { baseUrl: url + API_PREFIX, tokenUrl: url + TOKEN_PATH },
    credentials: {
      clientId: options.clientId,
      clientSecret: options.clientSecret,
      accessToken,
      refreshToken,
      expiresAt: new Date(expiresAt).toISOString(),
      ...(options.webhookSecret === undefined ? {} : { webhookSecret: options.webhookSecret }),
    },
    // The smallest plan is packline's own default; only another one has to be told.
    ...(requests === REQUESTS_PER_MINUTE
      ? {}
      : { limits: { requests, perMs: 60_000, concurrency: CONCURRENCY } }),
  };
}

function requestsPerMinute({ requestsPerMinute: own, requestsPerSecond }: SallaSimulatorOptions): number {
  return own ?? (requestsPerSecond === undefined ? REQUESTS_PER_MINUTE : requestsPerSecond * 60);
}

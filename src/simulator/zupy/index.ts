/**
 * A simulator of Zupy's Partner API v2: a real HTTP server, written from its documentation. A restaurant with
 * customers, their points and Z$, rewards, and coupons that are redeemed, used and expire. Where the
 * documentation is silent, what it does is said at the place, and it takes the harsher way.
 * Faults, life cycle by hand and ledger: ../control.ts. Codes, keys, balances, policy: controls.ts.
 *
 * In fault rules a redeem is the verb `submit`, a validate `activate`, the list of coupons `search`; the
 * ledger's orders are the issued coupons under the reference `customer/reward`. A fault's status without a
 * body is Zupy's own problem, but for 5xx other than 503, which come from the layers below as a page of HTML.
 */
import type { AdvanceInput } from '../control.js';
import {
  type AccountFileEntry,
  type ProviderServer,
  type Route,
  type Simulator,
  type SimulatorOptions,
  startServer,
} from '../kit.js';
import { CUSTOMERS, type CustomerInput, REWARDS, type RewardInput } from './catalog.js';
import { catalogRoutes } from './catalog-routes.js';
import { controls } from './controls.js';
import { couponRoutes, referenceOf } from './coupon-routes.js';
import { CouponBook } from './coupons.js';
import { customerRoutes } from './customer-routes.js';
import { CustomerBook } from './customers.js';
import { Door } from './keys.js';
import { OtpDesk } from './otp.js';
import { otpRoutes } from './otp-routes.js';
import { Problems, type TypeForm } from './problems.js';
import { RewardBook } from './rewards.js';
import { type OtpPolicy, type Settings, settingsFor } from './settings.js';
import { type Envelope, Shape } from './shape.js';
import { walletRoutes } from './wallet-routes.js';
import { webhookRoutes } from './webhook-routes.js';
import { Webhooks } from './webhooks.js';
import { type Happening, timestamp } from './wire.js';
import type { Shop, World } from './world.js';

const PROVIDER = 'zupy';
const PREFIX = '/api/v2';
// "Rate Limits", the tier that new integrations have.
const REQUESTS_PER_MINUTE = 60;
// "Webhook Setup", the gateway's rate for inbound orders.
const INBOUND_PER_MINUTE = 100;
// packline's default concurrency for this provider.
const CONCURRENCY = 2;
// "Access Levels": redeem, validate, points; passes and settings likewise, by their guides.
const WRITES: ReadonlySet<string> = new Set([
  'submit',
  'activate',
  'add-points',
  'wallet-loyalty',
  'wallet-coupons',
  'wallet-notify',
  'webhook-update',
  'webhook-test',
  'inbound',
]);

export interface ZupySimulatorOptions extends SimulatorOptions {
  /** A read-write key, `zupy_pk_` and 32 letters or digits. Others are made known by `POST /_control/keys`. */
  apiKey: string;
  /** For each key: 60, the documented default, 300 or 3000 by tier. `requestsPerSecond` is taken times 60. */
  requestsPerMinute?: number;
  /**
   * How long a coupon stays `pending` and then, at each use, `active`, before its customer uses it at another
   * till; in milliseconds [0: it stays until it is validated, expires or is advanced by hand].
   */
  stepMs?: number;
  /** When a redeem and a validate need a customer's code [`strict`, as documented: both do]. */
  otpPolicy?: OtpPolicy;
  /** The rest of what `POST /_control/settings` can change later. */
  settings?: Partial<Settings>;
  /** Beside those of catalog.ts, or instead of one of them by its id. */
  customers?: readonly CustomerInput[];
  rewards?: readonly RewardInput[];
  /** What a fresh coupon is [`active`]; the other two become active after a step. */
  firstStatus?: 'active' | 'pending' | 'pending_blockchain';
  /** How long lists do not know of a new coupon, in milliseconds [0]. */
  listLagMs?: number;
  /** How old the points are that reads show, in milliseconds [0]. */
  pointsLagMs?: number;
  /** How many rows a list has that asks for no size, which is not documented [20]. */
  pageSize?: number;
  /** `{data, meta}`, or bare objects and `{count, next, previous, results}` as in one guide [`data`]. */
  envelope?: Envelope;
  /** What a customer's second redeem of a loyalty reward does: issue [`accept`, as documented], or fail. */
  duplicates?: 'accept' | 'reject';
  /** Whether a redeem answers the coupon's KSUID: prose says so, schema and samples do not [false]. */
  redeemHasId?: boolean;
  /** Whether a problem's name is the fragment of a URL or the end of its path [`fragment`]. */
  problemTypes?: TypeForm;
  /** The OpenAPI document has plain JSON, RFC 7807 its own type [`application/problem+json`]. */
  problemContentType?: 'application/problem+json' | 'application/json';
  /** Refuses the key under a header that is not spelled `X-API-Key`, as some gateways do [false]. */
  strictHeaderName?: boolean;
  /** Where webhooks go from the start; `PUT /api/v2/integrations/webhooks/` changes it [nowhere]. */
  webhookUrl?: string;
  webhookSecret?: string;
}

/** Starts the simulator. Rejects when the port is taken. */
export async function startZupySimulator(options: ZupySimulatorOptions): Promise<Simulator> {
  const webhookSecret = options.webhookSecret ?? 'whsec_simulator_secret';
  const webhooks = new Webhooks(options.time, {
    url: options.webhookUrl,
    events: [],
    secret: webhookSecret,
  });
  const world = createWorld(options, webhooks);
  const { coupons } = world.own;
  const server: ProviderServer = {
    provider: PROVIDER,
    routes: routes(world, webhooks),
    controls: controls(world, webhooks),
    admit: (headers, asked) => world.door.admit(headers, asked),
    standingHeaders: (headers, answer, asked) => world.door.standingHeaders(headers, answer, asked),
    envelope: (status, message, asked) => world.problems.byStatus(status, message, asked.path),
    advance: (change) => advance(coupons, change),
    orders: () =>
      coupons.all().map((coupon) => ({
        id: coupon.id,
        code: coupon.code,
        reference: referenceOf(coupon),
        status: coupon.status,
        createdAt: timestamp(coupon.createdAt),
      })),
    account: (id, url) => account(id, url, options, webhookSecret),
    onClose: () => webhooks.close(),
  };
  const simulator = await startServer(server, options);
  webhooks.start(() => coupons.settleOpen());
  return simulator;
}

function createWorld(options: ZupySimulatorOptions, webhooks: Webhooks): World {
  const { time } = options;
  const problems = new Problems(options.problemTypes ?? 'fragment');
  const settings = { ...settingsFor(options.otpPolicy ?? 'strict'), ...options.settings };
  const door = new Door({
    clock: time.clock,
    problems,
    settings,
    requestsPerMinute: perMinute(options),
    inboundPerMinute: INBOUND_PER_MINUTE,
    strictHeaderName: options.strictHeaderName ?? false,
    writes: WRITES,
    problemType: `${options.problemContentType ?? 'application/problem+json'}; charset=utf-8`,
  });
  door.put(options.apiKey, 'read-write');
  const own = createShop(options, (happening) => webhooks.send(happening));
  for (const customer of [...CUSTOMERS, ...(options.customers ?? [])]) own.customers.put(customer);
  for (const reward of [...REWARDS, ...(options.rewards ?? [])]) own.rewards.put(reward);
  return {
    time,
    settings,
    problems,
    shape: new Shape(options.envelope ?? 'data', options.pageSize),
    door,
    own,
    other: createShop(options, () => undefined),
    refusesDuplicates: options.duplicates === 'reject',
    redeemHasId: options.redeemHasId ?? false,
    pointsLagMs: options.pointsLagMs ?? 0,
  };
}

function createShop(options: ZupySimulatorOptions, tell: (happening: Happening) => void): Shop {
  const { clock } = options.time;
  return {
    customers: new CustomerBook(clock, tell),
    rewards: new RewardBook(clock),
    coupons: new CouponBook({
      clock,
      stepMs: options.stepMs ?? 0,
      listLagMs: options.listLagMs ?? 0,
      firstStatus: options.firstStatus ?? 'active',
      tell,
    }),
    otp: new OtpDesk(options.time),
  };
}

function routes(world: World, webhooks: Webhooks): Route[] {
  return [
    ...couponRoutes(world),
    ...otpRoutes(world),
    ...customerRoutes(world),
    ...catalogRoutes(world),
    ...walletRoutes(world),
    ...webhookRoutes(world, webhooks),
  ].map((route) => ({ ...route, path: PREFIX + route.path }));
}

/** By the coupon's id or code, or the first one of a `customer/reward`. */
function advance(coupons: CouponBook, change: AdvanceInput): boolean {
  const coupon = coupons.find(change.reference) ?? coupons.findByReference(change.reference);
  if (coupon === undefined) return false;
  coupons.put(coupon, change.status);
  return true;
}

function perMinute(options: ZupySimulatorOptions): number {
  if (options.requestsPerMinute !== undefined) return options.requestsPerMinute;
  if (options.requestsPerSecond === undefined) return REQUESTS_PER_MINUTE;
  return Math.max(1, Math.round(options.requestsPerSecond * 60));
}

function account(
  id: string,
  url: string,
  options: ZupySimulatorOptions,
  webhookSecret: string,
): AccountFileEntry {
  const requests = perMinute(options);
  return {
    id,
    provider: PROVIDER,
    config: { baseUrl: url + PREFIX },
    credentials: { apiKey: options.apiKey, webhookSecret },
    // The documented limit is packline's own default; only another one has to be told.
    ...(requests === REQUESTS_PER_MINUTE
      ? {}
      : { limits: { requests, perMs: 60_000, concurrency: CONCURRENCY } }),
  };
}

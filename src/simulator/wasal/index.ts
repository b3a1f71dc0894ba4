/**
 * A simulator of Wasal's Merchant Integration API: a real HTTP server, written from its documentation. Where the
 * documentation is silent, what it does is said at the place, and it takes the harsher way. What it can be told
 * while it runs: controls.ts, and for faults, life cycle by hand and ledger ../control.ts.
 *
 * A life takes two steps: a customer with an address, then an order to it. The areas that an address may name
 * are in areas.ts, such as governorate `1`, neighborhood `101`, block `10101`; the branch is `MAIN`.
 */
import type { AdvanceInput } from '../control.js';
import {
  type AccountFileEntry,
  type ProviderServer,
  type Simulator,
  type SimulatorOptions,
  startServer,
} from '../kit.js';
import { WebhookSender } from '../webhooks.js';
import { envelopeOf, fils } from './answers.js';
import { controlRoutes } from './controls.js';
import { customerRoutes } from './customer-calls.js';
import { environmentOf, Gate, type Limit } from './gate.js';
import { findOrder, type House } from './house.js';
import { idsOf } from './ids.js';
import { type Merchant, newMerchant, registerWebhook } from './merchant.js';
import { orderRoutes } from './order-calls.js';
import type { StoredOrder } from './orders.js';
import { otherRoutes } from './other-calls.js';
import { type OpeningHours, OrderWindow } from './window.js';
import { type Environment, WEBHOOK_EVENTS, type WebhookEvent } from './wire.js';

const PROVIDER = 'wasal';
const BASE_PATH = '/api/v1';
// "Rate limits".
const REQUESTS_PER_WINDOW = 600;
const WINDOW_MS = 900_000;
const STEP_MS = 2_000;
// packline's default concurrency for this provider.
const CONCURRENCY = 4;
// "Webhooks", ack; repeats are not documented.
const WEBHOOK_SCHEDULE = { timeoutMs: 8_000, retryDelaysMs: [] };
const LIVE_KEY = 'pk_live_simulator';
const TEST_KEY = 'pk_test_simulator';
const WEBHOOK_SECRET = 'whsec_simulator';
// Neither path nor field nor values are documented.
const ACTIVATE_PATH = '/order/{id}/activate';
const PACKAGE_PHOTO_FIELD = 'packagePhoto';
const PACKAGE_SIDES: readonly string[] = ['small', 'medium', 'large'];
const CANCEL_REFUSAL = { status: 400, code: 'ORDER_NOT_CANCELLABLE' };

export interface WasalSimulatorOptions extends SimulatorOptions {
  /** The merchant's production key [`pk_live_simulator`]. */
  liveKey?: string;
  /** The merchant's sandbox key [`pk_test_simulator`]: no wallet, no webhooks, no driver. */
  testKey?: string;
  /** Which of the two `Simulator.account` tells [`live`]. */
  environment?: Environment;
  /** Keys of other merchants, one each, whose customers, orders and webhooks this one cannot see [none]. */
  otherKeys?: readonly string[];
  /** Calls of one key within a window [600, as documented]; goes before `requestsPerSecond`. */
  requestsPerWindow?: number;
  /** The length of that window, in milliseconds [900,000, as documented]. */
  windowMs?: number;
  /** The limit as a mean over the window. */
  requestsPerSecond?: number;
  /** Whether a 429 has a text for a body instead of the envelope, which is not documented [false]. */
  plainText429?: boolean;
  /**
   * How long each status of a production order lasts, in milliseconds [2000]; 0 or Infinity: until advanced by
   * hand. Sandbox orders are moved by hand only.
   */
  stepMs?: number;
  /** What the wallet holds, in dinars [never empty]. */
  walletBalance?: number;
  /** When the delivery partner takes orders [no order window: new orders are pending, drafts can always go]. */
  openingHours?: OpeningHours;
  /** Whether every order begins as a draft [false: those with `status: "draft"` or `draft: true` do]. */
  createAsDraft?: boolean;
  /** Whether an order needs a photo of the package [false]. */
  photoRequired?: boolean;
  /** The field of that photo, a URL [`packagePhoto`]. */
  packagePhotoField?: string;
  /** What `packageSide` may be [small, medium, large]. */
  packageSides?: readonly string[];
  /** The codes of the merchant's branches [`MAIN`]. */
  branches?: readonly string[];
  /** How activate is addressed, by PUT, with `{id}` for the order's id [`/order/{id}/activate`]. */
  activatePath?: string;
  /** What a second order of a reference meets [`accept`, the harsher case], or a 409 `DUPLICATE_REFERENCE`. */
  duplicates?: 'accept' | 'reject';
  /** How a cancel that comes too late is refused [400 `ORDER_NOT_CANCELLABLE`]. */
  cancelRefusal?: { status: number; code: string };
  /** How long the list does not know of a new order, in milliseconds [0]. */
  listLagMs?: number;
  /** Whether the list's `referenceNumber` finds references that merely contain it [false]. */
  partialReferences?: boolean;
  /** Whether an address may name only areas that the simulator knows [true]. */
  checkAreas?: boolean;
  /** A webhook that is there from the start, at an `http://` address as well; all events unless told otherwise. */
  webhook?: { url: string; events?: readonly WebhookEvent[] };
  /** Of that webhook and of those by `/_control/webhook` [`whsec_simulator`]; others get one of their own. */
  webhookSecret?: string;
  /** Whether a webhook can be registered at an `http://` address, which Wasal refuses [false]. */
  allowHttpWebhooks?: boolean;
}

/** Starts the simulator. Rejects when the port is taken, or when keys or opening hours make no sense. */
export async function startWasalSimulator(options: WasalSimulatorOptions): Promise<Simulator> {
  const sender = new WebhookSender(options.time, WEBHOOK_SCHEDULE);
  const limit = limitOf(options);
  const gate = new Gate(options.time.clock, limit, options.plainText429 ?? false);
  const merchants = merchantsOf(options, gate, sender);
  const [merchant] = merchants;
  const house = houseOf(options, gate, merchants);
  const secret = options.webhookSecret ?? WEBHOOK_SECRET;
  if (options.webhook !== undefined) {
    const { url, events } = options.webhook;
    registerWebhook(merchant, { url, events: events ?? WEBHOOK_EVENTS }, secret);
  }
  const server: ProviderServer = {
    provider: PROVIDER,
    routes: [
      ...orderRoutes(house, options.activatePath ?? ACTIVATE_PATH),
      ...customerRoutes(house),
      ...otherRoutes(house),
    ],
    controls: controlRoutes(house, merchant, { windowMs: limit.windowMs, secret }),
    admit: (headers) => gate.admit(headers),
    standingHeaders: (headers) => gate.headers(headers),
    envelope: (status, message, { verb }) => envelopeOf(status, message, verb),
    advance: (change) => advance(house, change),
    orders: () => merchants.flatMap(ledgerOrders),
    account: (id, url) => account(id, url, options, merchant, limit),
    onClose: () => {
      for (const { announcer } of merchants) announcer.close();
      sender.close();
    },
  };
  return startServer(server, options);
}

function limitOf({
  requestsPerWindow,
  requestsPerSecond,
  windowMs = WINDOW_MS,
}: WasalSimulatorOptions): Limit {
  if (requestsPerWindow !== undefined) return { requests: requestsPerWindow, windowMs };
  if (requestsPerSecond === undefined) return { requests: REQUESTS_PER_WINDOW, windowMs };
  return { requests: Math.max(1, Math.round((requestsPerSecond * windowMs) / 1_000)), windowMs };
}

function merchantsOf(
  options: WasalSimulatorOptions,
  gate: Gate,
  sender: WebhookSender,
): [Merchant, ...Merchant[]] {
  const { time, liveKey = LIVE_KEY, testKey = TEST_KEY } = options;
  const settings = {
    time,
    ids: idsOf(time.clock),
    sender,
    stepMs: options.stepMs ?? STEP_MS,
    listLagMs: options.listLagMs ?? 0,
    partialReferences: options.partialReferences ?? false,
    branchCodes: options.branches ?? ['MAIN'],
  };
  const first = newMerchant(settings);
  give(first, gate, liveKey);
  give(first, gate, testKey);
  first.photoRequired = options.photoRequired ?? false;
  first.createAsDraft = options.createAsDraft ?? false;
  if (options.walletBalance !== undefined) first.wallet = fils(options.walletBalance) ?? 0;
  const others = (options.otherKeys ?? []).map((key) => {
    const other = newMerchant(settings);
    give(other, gate, key);
    return other;
  });
  return [first, ...others];
}

function give(merchant: Merchant, gate: Gate, key: string): void {
  const environment = environmentOf(key);
  if (environment === undefined || merchant.keys[environment] !== undefined || !gate.issue(key, merchant))
    throw new Error('a simulated merchant has one pk_live_ and one pk_test_ key, which nobody else has');
  merchant.keys[environment] = key;
}

function houseOf(options: WasalSimulatorOptions, gate: Gate, merchants: readonly Merchant[]): House {
  return {
    merchants,
    gate,
    window: new OrderWindow(options.time.clock, options.openingHours),
    packageSides: options.packageSides ?? PACKAGE_SIDES,
    packagePhotoField: options.packagePhotoField ?? PACKAGE_PHOTO_FIELD,
    duplicates: options.duplicates ?? 'accept',
    cancelRefusal: options.cancelRefusal ?? CANCEL_REFUSAL,
    checkAreas: options.checkAreas ?? true,
    allowHttpWebhooks: options.allowHttpWebhooks ?? false,
  };
}

function advance(house: House, { reference, status }: AdvanceInput): boolean {
  const [merchant, order] = findOrder(house, reference) ?? [];
  if (merchant === undefined || order === undefined) return false;
  merchant.orders.put(order, status);
  return true;
}

function ledgerOrders({ orders }: Merchant) {
  return orders.all().map((order: StoredOrder) => {
    const { status } = orders.standing(order);
    return {
      id: order.id,
      reference: order.body.orderMerchantReferenceNumber ?? '',
      status,
      createdAt: new Date(order.createdAt).toISOString(),
      orderType: status === 'draft' ? 'draft' : 'order',
    };
  });
}

function account(
  id: string,
  url: string,
  options: WasalSimulatorOptions,
  { keys }: Merchant,
  { requests, windowMs }: Limit,
): AccountFileEntry {
  const { activatePath, packagePhotoField } = options;
  return {
    id,
    provider: PROVIDER,
    config: {
      baseUrl: url + BASE_PATH,
      packageSides: options.packageSides ?? PACKAGE_SIDES,
      ...(activatePath === undefined ? {} : { activatePath }),
      ...(packagePhotoField === undefined ? {} : { packagePhotoField }),
    },
    credentials: {
      apiKey: keys[options.environment ?? 'live'] ?? '',
      webhookSecret: options.webhookSecret ?? WEBHOOK_SECRET,
    },
    // The documented limit is packline's own default; only another one has to be told.
    ...(requests === REQUESTS_PER_WINDOW && windowMs === WINDOW_MS
      ? {}
      : { limits: { requests, perMs: windowMs, concurrency: CONCURRENCY } }),
  };
}

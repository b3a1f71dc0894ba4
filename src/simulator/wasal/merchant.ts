/** Merchants: each has customers, orders, webhooks and a wallet of its own, and sees nobody else's. */
import type { Time } from '../../time.js';
import type { WebhookSender } from '../webhooks.js';
import { Announcer, type RegisteredWebhook } from './announcer.js';
import { CustomerBook } from './customers.js';
import type { Ids } from './ids.js';
import { type Branch, OrderBook } from './orders.js';
import type { Environment, WebhookBody } from './wire.js';

export interface Merchant {
  /** Undefined where it has none. */
  readonly keys: Record<Environment, string | undefined>;
  isActive: boolean;
  /** Whether an order needs a photo of the package. */
  photoRequired: boolean;
  /** Whether every order begins as a draft. */
  createAsDraft: boolean;
  /** In fils; Infinity: never empty. */
  wallet: number;
  readonly branches: readonly Branch[];
  readonly customers: CustomerBook;
  readonly orders: OrderBook;
  readonly announcer: Announcer;
}

/** What the merchants of one simulator have in common. */
export interface MerchantSettings {
  time: Time;
  ids: Ids;
  sender: WebhookSender;
  stepMs: number;
  listLagMs: number;
  partialReferences: boolean;
  branchCodes: readonly string[];
}

/** A merchant with nothing in its books, a wallet that is never empty, and no keys yet. */
export function newMerchant(settings: MerchantSettings): Merchant {
  const { time, ids, sender, stepMs, listLagMs, partialReferences } = settings;
  const { clock } = time;
  const watcher = new Announcer(time, ids, sender, stepMs);
  return {
    keys: { live: undefined, test: undefined },
    isActive: true,
    photoRequired: false,
    createAsDraft: false,
    wallet: Number.POSITIVE_INFINITY,
    branches: settings.branchCodes.map((code) => ({ id: ids.object(), code })),
    customers: new CustomerBook(clock, ids),
    orders: new OrderBook({ clock, ids, stepMs, listLagMs, partialReferences, watcher }),
    announcer: watcher,
  };
}

/** Registers a webhook, which is told of the orders that exist too; with a secret of its own if none is given. */
export function registerWebhook(
  { announcer, orders }: Merchant,
  body: WebhookBody,
  secret?: string,
): RegisteredWebhook {
  return announcer.register(body, orders.all(), (order) => orders.standing(order), secret);
}

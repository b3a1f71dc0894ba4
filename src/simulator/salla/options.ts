/** What Salla's simulator can be told. */
import type { SimulatorOptions } from '../kit.js';
import type { WebhookSchedule } from '../webhooks.js';
import type { TokenExpiry } from './oauth.js';
import type { ErrorBlockOptions, RetryAfter } from './throttle.js';
import type { TokenOptions } from './tokens.js';

/** How a delivery proves whom it is from ("Webhooks", security strategies). */
export type SecurityStrategy = 'signature' | 'token' | 'none';

export interface SallaSimulatorOptions extends SimulatorOptions {
  clientId: string;
  clientSecret: string;
  /** The pair that the app was installed with. */
  accessToken: string;
  refreshToken: string;
  /** The store. */
  merchantId?: number;
  /** What the app may do [all that packline can use]; another set at any time: `POST /_control/tokens`. */
  scopes?: readonly string[];
  /** Lifetime of an access token in milliseconds [14 days]; Infinity: for ever. */
  accessTokenMs?: number;
  /** Lifetime of a refresh token in milliseconds [Infinity; the documentation contradicts itself: a month]. */
  refreshTokenMs?: number;
  /** Which field tells the end of an access token [`expires`]. */
  tokenExpiry?: TokenExpiry;
  /** What becomes of an access token when it is refreshed, which is not documented [`valid` until it expires]. */
  oldAccessToken?: TokenOptions['oldAccessToken'];
  /** The budget of the store's plan [120, the smallest]; `requestsPerSecond` says the same, times 60. */
  requestsPerMinute?: number;
  /** How often a call leaks through when the budget is used up, in milliseconds [1000]. */
  leakMs?: number;
  /** What `Retry-After` counts: seconds until the minute ends [`window`] or until the next call may leak through. */
  retryAfter?: RetryAfter;
  /** The temporary 403 after many errors; figures are not documented [60 within a minute, for 5 minutes]. */
  errorBlock?: ErrorBlockOptions | false;
  /** How a write is answered [201]: the table of statuses says 201, some samples 200; 204 has no body, so no id. */
  writeStatus?: 200 | 201 | 204;
  /** What a second order or shipment with an external id in use gets, which is not documented [`accept`]; else a 422. */
  duplicates?: 'accept' | 'reject';
  /** Whether an external id is shown and found by `keyword`, which is not documented [`searchable`: both]. */
  externalId?: 'searchable' | 'shown' | 'hidden';
  /** How long lists do not know of a new order or shipment, in milliseconds [0]. */
  listLagMs?: number;
  /** How the open state of a payment is spelled [`waiting`]; the other spelling is refused. */
  openPaymentStatus?: 'waiting' | 'pending_payment';
  /** What a change to the present status gets, which is not documented [`reject`: 422]. */
  repeatedStatus?: 'accept' | 'reject';
  /** What a `per_page` above 60 gets, which is not documented [`reject`: 400]; `clamp` takes it for 60. */
  perPageAboveLimit?: 'reject' | 'clamp';
  /** What makes a draft an order, which is not documented [`both`]: the status `under_review`, an update. */
  draftActivation?: 'status' | 'update' | 'both';
  /** Orders that shoppers have placed in the store before [0]; more: `POST /_control/orders`. They do not move. */
  storeOrders?: number;
  /** Signs deliveries, or is their token. */
  webhookSecret?: string;
  /** Where the app hears of everything; webhooks can be registered through the API too. */
  webhook?: { url: string; strategy?: SecurityStrategy };
  /** [30 s; 3 repeats, 5 minutes apart] */
  webhookSchedule?: Pick<WebhookSchedule, 'timeoutMs' | 'retryDelaysMs'>;
}

/**
 * A simulator of WUPEX's API for digital codes: a real HTTP server, written from its documentation. Where the
 * documentation is silent, what it does is said at the place. Codes stand in the answers of pull-codes and of the
 * order detail, and nowhere else. Faults, statuses by hand and ledger: control.ts; what else can be changed while
 * it runs: `controlRoutes`.
 */
import type { IncomingHttpHeaders } from 'node:http';
import {
  type AccountFileEntry,
  type Answer,
  type Asked,
  type Call,
  type ProviderServer,
  type Route,
  type Simulator,
  type SimulatorOptions,
  startServer,
} from '../kit.js';
import { fixedWindow } from '../limits.js';
import { Catalog, PRODUCT_LISTING, PRODUCTS, type ProductInput } from './catalog.js';
import { controlRoutes, type Desk, type SerialsSwitch } from './controls.js';
import { pageOf, readListQuery } from './listing.js';
import { ORDER_LISTING, OrderBook } from './orders.js';
import { type PullRules, pull } from './pull.js';
import { type Refusal, refusal } from './refusal.js';
import { renderDetail, renderProduct, renderPulled, renderRow } from './render.js';
import { Wallet } from './wallet.js';

const PROVIDER = 'wupex';
// WUPEX names no figure; this is packline's own pace for it (WUPEX document, "Rate limits").
const REQUESTS_PER_SECOND = 5;
const CONCURRENCY = 2;
const INSUFFICIENT_BALANCE = 'INSUFFICIENT_BALANCE';
const AMPLE = 1_000_000;

const SUBMIT = 'submit';

/** `stepMs` means nothing here: an order is complete when it is accepted, or after `serialsLagMs`. */
export interface WupexSimulatorOptions extends SimulatorOptions {
  apiKey: string;
  /** Counted per second over all calls with the right key; no figure is documented [5]. */
  requestsPerSecond?: number;
  /** The Retry-After of a 429; none is documented, so there is none unless this says so. */
  retryAfterSeconds?: number;
  /** What is for sale [`PRODUCTS`]; also `POST /_control/product`. */
  products?: readonly ProductInput[];
  /** What the account has paid in, as an amount [1,000,000]; also `POST /_control/balance`. */
  balance?: number;
  /** What it may owe beside that, as an amount [0]. */
  credit?: number;
  /** Which serials the answer of pull-codes holds [`all`]; also `POST /_control/serials`. */
  serialsInAnswer?: SerialsSwitch['answer'];
  /** For how long after the order not even the detail has serials, in milliseconds [0]; also by control. */
  serialsLagMs?: number;
  /**
   * What becomes of a second order with a `referenceId`, which is not documented: another order, paid for again
   * [`accept`, the harsher case], a 409, or the first order as the answer.
   */
  duplicates?: PullRules['duplicates'];
  /** The HTTP status of INSUFFICIENT_STOCK, which is not documented [400]; may be 200. */
  insufficientStockStatus?: number;
  /** The HTTP status of a refusal for lack of money, which is not documented [400]; may be 200. */
  insufficientBalanceStatus?: number;
  /** Its code, which is not documented [INSUFFICIENT_BALANCE]. */
  insufficientBalanceCode?: string;
  /** Whether the balance comes as documented [`bare`] or as seen in practice, in the envelope of all others. */
  balanceShape?: 'bare' | 'wrapped';
  /** Whether errors are as documented [`envelope`], or as seen in practice, a message without a code. */
  errorShape?: 'envelope' | 'message-on-top';
  /** How long the list does not know of a new order, in milliseconds [0]. */
  listLagMs?: number;
  /** How an order list without rows is answered: as a list [200], or as "no data" [404]. */
  emptyListStatus?: 200 | 404;
}

/** Starts the simulator. Rejects when the port is taken. */
export function startWupexSimulator(options: WupexSimulatorOptions): Promise<Simulator> {
  const book = new OrderBook(options.time.clock, options.listLagMs ?? 0);
  const desk: Desk = {
    access: { apiKey: options.apiKey, permission: 'full' },
    serials: { answer: options.serialsInAnswer ?? 'all', lagMs: options.serialsLagMs ?? 0 },
    wallet: new Wallet(options.balance ?? AMPLE, options.credit ?? 0),
    catalog: new Catalog(options.products ?? PRODUCTS),
  };
  const say = speaker(options.errorShape ?? 'envelope');
  const server: ProviderServer = {
    provider: PROVIDER,
    routes: routes(book, desk, options, say),
    controls: controlRoutes(desk),
    admit: admission(desk, options, say),
    envelope: (status, message) => (status < 400 ? { status: true } : say(refusal(status, message)).body),
    advance: ({ reference, status }) => {
      const order = book.find(reference);
      if (order !== undefined) book.put(order, status);
      return order !== undefined;
    },
    orders: () =>
      book.all().map((order) => ({
        id: order.name,
        reference: order.reference ?? '',
        status: book.status(order),
        createdAt: new Date(order.createdAt).toISOString(),
      })),
    account: (id, url) => account(id, url, desk.access.apiKey, options),
  };
  return startServer(server, options);
}

type Say = (refused: Refusal) => Answer;

function speaker(shape: 'envelope' | 'message-on-top'): Say {
  return ({ status, code, message }) => ({
    status,
    body: shape === 'envelope' ? { status: false, error: { code, message } } : { status: false, message },
  });
}

/** "Auth and environments" and "Errors". Calls without the key belong to nobody, so they count for nobody. */
function admission(
  desk: Desk,
  options: WupexSimulatorOptions,
  say: Say,
): (headers: IncomingHttpHeaders, asked: Asked) => Answer | undefined {
  const mayPass = fixedWindow(options.requestsPerSecond ?? REQUESTS_PER_SECOND, 1_000, options.time.clock);
  const retryAfter = options.retryAfterSeconds;
  return (headers, { verb }) => {
    const { apiKey, permission } = desk.access;
    if (headers['x-api-key'] !== apiKey) return say(refusal(401, 'API key missing or invalid'));
    if (permission === 'none') return say(refusal(403, 'The API key does not allow your address'));
    if (permission === 'read' && verb === SUBMIT)
      return say(refusal(403, 'The API key does not allow orders'));
    if (mayPass()) return undefined;
    const refused = say(refusal(429, 'Rate limit exceeded'));
    return retryAfter === undefined
      ? refused
      : { ...refused, headers: { 'Retry-After': String(retryAfter) } };
  };
}

function routes(book: OrderBook, desk: Desk, options: WupexSimulatorOptions, say: Say): Route[] {
  const rules: PullRules = {
    duplicates: options.duplicates ?? 'accept',
    insufficientStockStatus: options.insufficientStockStatus ?? 400,
    insufficientBalanceStatus: options.insufficientBalanceStatus ?? 400,
    insufficientBalanceCode: options.insufficientBalanceCode ?? INSUFFICIENT_BALANCE,
  };
  return [
    {
      verb: SUBMIT,
      method: 'POST',
      path: '/api/order/pull-codes',
      references: ({ query }) => (typeof query.referenceId === 'string' ? [query.referenceId] : []),
      handle: (call) => {
        const pulled = pull(book, desk, call, rules);
        if (!pulled.ok) return say(pulled.refusal);
        return ok(renderPulled(book, pulled.value, desk.serials.answer));
      },
    },
    {
      verb: 'search',
      method: 'POST',
      path: '/api/order/list',
      references: ({ body }) => searched(body),
      handle: (call) => listOrders(book, call, options.emptyListStatus ?? 200, say),
    },
    {
      verb: 'get',
      method: 'GET',
      path: '/api/order/detail',
      references: (call) => namesOf(book, call),
      handle: (call) => detail(book, call, say),
    },
    {
      verb: 'balance',
      method: 'GET',
      path: '/api/customer/balance',
      references: () => [],
      handle: () =>
        options.balanceShape === 'wrapped'
          ? ok(desk.wallet.show())
          : { status: 200, body: desk.wallet.show() },
    },
    {
      verb: 'products',
      method: 'POST',
      path: '/api/product/merchant/invited/list',
      references: () => [],
      handle: (call) => listProducts(desk.catalog, call, say),
    },
  ];
}

function listOrders(book: OrderBook, call: Call, emptyStatus: 200 | 404, say: Say): Answer {
  const query = readListQuery(call.body, ORDER_LISTING);
  if (!query.ok) return say(query.refusal);
  const { rows, pageInfo } = book.search(query.value);
  if (rows.length === 0 && emptyStatus === 404) return say(refusal(404, 'No orders found'));
  return {
    status: 200,
    body: { status: true, pageInfo, data: rows.map((order) => renderRow(book, order)) },
  };
}

function detail(book: OrderBook, call: Call, say: Say): Answer {
  const { orderName } = call.query;
  if (typeof orderName !== 'string' || orderName === '')
    return say(refusal(400, 'orderName is required and must be given once'));
  const order = book.findVisible(orderName);
  return order === undefined ? say(refusal(404, 'Order not found')) : ok(renderDetail(book, order));
}

function listProducts(catalog: Catalog, call: Call, say: Say): Answer {
  const query = readListQuery(call.body, PRODUCT_LISTING);
  if (!query.ok) return say(query.refusal);
  const { rows, pageInfo } = pageOf(catalog.all(), query.value);
  return { status: 200, body: { status: true, pageInfo, data: rows.map(renderProduct) } };
}

/** The references and names that a list is searched for; the body is not yet validated. */
function searched(body: unknown): string[] {
  const search: unknown = Reflect.get(Object(body), 'search');
  if (!Array.isArray(search)) return [];
  return search
    .map((condition): unknown => Reflect.get(Object(condition), 'value'))
    .filter((value) => typeof value === 'string');
}

/** The detail is asked for by name; a fault rule may name the reference instead. */
function namesOf(book: OrderBook, { query }: Call): string[] {
  const name = query.orderName;
  if (typeof name !== 'string') return [];
  const reference = book.find(name)?.reference;
  return reference === undefined ? [name] : [name, reference];
}

function ok(data: object): Answer {
  return { status: 200, body: { status: true, data } };
}

function account(id: string, url: string, apiKey: string, options: WupexSimulatorOptions): AccountFileEntry {
  const requests = options.requestsPerSecond ?? REQUESTS_PER_SECOND;
  const code = options.insufficientBalanceCode ?? INSUFFICIENT_BALANCE;
  return {
    id,
    provider: PROVIDER,
    // What is packline's own default need not be told.
    config: { baseUrl: url, ...(code === INSUFFICIENT_BALANCE ? {} : { insufficientBalanceCodes: [code] }) },
    credentials: { apiKey },
    ...(requests === REQUESTS_PER_SECOND
      ? {}
      : { limits: { requests, perMs: 1_000, concurrency: CONCURRENCY } }),
  };
}

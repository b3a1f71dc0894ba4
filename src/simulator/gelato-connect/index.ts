/**
 * A simulator of GelatoConnect's Order Management API: a real HTTP server, written from its documentation.
 * Where the documentation is silent, what it does is said at the place, and it takes the harsher way.
 * Faults, life cycle by hand and ledger: control.ts.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { AdvanceInput } from '../control.js';
import {
  type AccountFileEntry,
  type Answer,
  type Call,
  type ProviderServer,
  type Route,
  type Simulator,
  type SimulatorOptions,
  startServer,
} from '../kit.js';
import { fixedWindow } from '../limits.js';
import { OrderBook, type StoredOrder } from './orders.js';
import { timestamp } from './parts.js';
import { renderOrder, renderRow, renderSubmitted, renderUpdatedShipment } from './render.js';
import { checkActivate, checkSearch, checkSubmit, checkUpdateShipment } from './validate.js';
import type { Envelope, SubmitBody } from './wire.js';

const PROVIDER = 'gelato-connect';
// "Rate Limits".
const REQUESTS_PER_SECOND = 100;
const STEP_MS = 2_000;
// packline's default concurrency for this provider.
const CONCURRENCY = 20;

/**
 * The operations have no common path pattern: in client code seen in public the connector's id stands before
 * or after the word `order`, by operation.
 */
const PREFIX = '/api/sandbox';
const CONNECTOR = 'connector-1';
const PATHS = {
  submit: `${PREFIX}/${CONNECTOR}/order`,
  get: `${PREFIX}/order/${CONNECTOR}/:id`,
  cancel: `${PREFIX}/order/${CONNECTOR}/:id/cancel`,
  update: `${PREFIX}/order/${CONNECTOR}/:id/shipment`,
  search: `${PREFIX}/${CONNECTOR}/orders/search`,
} as const;

export interface GelatoSimulatorOptions extends SimulatorOptions {
  apiKey: string;
  apiSecret: string;
  /** What the documentation allows: 100, the default. */
  requestsPerSecond?: number;
  /** How long each status of the life cycle lasts, in milliseconds [2000]; 0 or Infinity: until advanced by hand. */
  stepMs?: number;
  /**
   * What `preventDuplicate: true` does to a second submit of a reference, which is not documented: nothing
   * [`accept`, the harsher case], the first order as the answer, or a 400. Without that field a second submit
   * always makes a second order.
   */
  duplicates?: 'accept' | 'return-first' | 'reject';
  /** How a cancel or an update that comes too late is refused, which is not documented [400]. */
  cancelTooLateStatus?: 400 | 409;
  /** How long search does not know of a new order, in milliseconds [0]. */
  searchLagMs?: number;
  /** Whether drafts can be activated by PATCH, which is not documented [true]. */
  activation?: boolean;
}

/** Starts the simulator. Rejects when the port is taken. */
export function startGelatoSimulator(options: GelatoSimulatorOptions): Promise<Simulator> {
  const { clock } = options.time;
  const book = new OrderBook(clock, options.stepMs ?? STEP_MS, options.searchLagMs ?? 0);
  const server: ProviderServer = {
    provider: PROVIDER,
    routes: routes(book, options),
    admit: admission(options),
    envelope,
    advance: (change) => advance(book, change),
    orders: () =>
      book.all().map((order) => ({
        id: order.id,
        reference: order.body.orderReferenceId,
        status: book.standing(order).status,
        createdAt: timestamp(order.createdAt),
        orderType: order.orderType,
      })),
    account: (id, url) => account(id, url, options),
  };
  return startServer(server, options);
}

function routes(book: OrderBook, options: GelatoSimulatorOptions): Route[] {
  const references = (call: Call) => referencesOf(book, call);
  const tooLate = options.cancelTooLateStatus ?? 400;
  const list: Route[] = [
    {
      verb: 'submit',
      method: 'POST',
      path: PATHS.submit,
      references: submittedReference,
      handle: (call) => submit(book, call, options.duplicates ?? 'accept'),
    },
    { verb: 'get', method: 'GET', path: PATHS.get, references, handle: (call) => get(book, call) },
    {
      verb: 'cancel',
      method: 'POST',
      path: PATHS.cancel,
      references,
      handle: (call) => cancel(book, call, tooLate),
    },
    {
      verb: 'update',
      method: 'PUT',
      path: PATHS.update,
      references,
      handle: (call) => update(book, call, tooLate),
    },
    {
      verb: 'search',
      method: 'POST',
      path: PATHS.search,
      references: searchedReferences,
      handle: (call) => search(book, call),
    },
  ];
  if (options.activation !== false) {
    list.push({
      verb: 'activate',
      method: 'PATCH',
      path: PATHS.get,
      references,
      handle: (call) => activate(book, call),
    });
  }
  return list;
}

/** "Authentication" and "Rate Limits": calls without the key belong to nobody, so they count for nobody. */
function admission(options: GelatoSimulatorOptions): (headers: IncomingHttpHeaders) => Answer | undefined {
  const expected = `${options.apiKey}:${options.apiSecret}`;
  const mayPass = fixedWindow(options.requestsPerSecond ?? REQUESTS_PER_SECOND, 1_000, options.time.clock);
  return (headers) => {
    if (headers['x-api-key'] !== expected) return refusal(401, 'Missing or invalid API key');
    // No header says when to come back: the documentation names none.
    if (!mayPass()) return refusal(429, 'Rate limit exceeded');
    return undefined;
  };
}

function submit(book: OrderBook, call: Call, duplicates: 'accept' | 'return-first' | 'reject'): Answer {
  const checked = checkSubmit(call.body);
  if (!checked.ok) return refusal(400, checked.message);
  const first = duplicateOf(book, checked.value);
  if (first !== undefined && duplicates === 'return-first') return ok(renderSubmitted(first));
  if (first !== undefined && duplicates === 'reject') {
    return refusal(400, 'Invalid order: Duplicate order reference id');
  }
  return ok(renderSubmitted(book.add(checked.value, call.hideMs)));
}

function duplicateOf(book: OrderBook, body: SubmitBody): StoredOrder | undefined {
  if (!body.preventDuplicate) return undefined;
  const first = book.find(body.orderReferenceId);
  return first?.body.orderReferenceId === body.orderReferenceId ? first : undefined;
}

function get(book: OrderBook, call: Call): Answer {
  const order = book.findVisible(call.params.id ?? '');
  return order === undefined ? notFound() : ok(renderOrder(book, order));
}

/** Canceling twice is no error: the order has not shipped. A failed one has nothing left to stop. */
function cancel(book: OrderBook, call: Call, tooLate: number): Answer {
  const order = book.find(call.params.id ?? '');
  if (order === undefined) return notFound();
  const { status } = book.standing(order);
  if (!book.isChangeable(order)) return refusal(tooLate, `Order cannot be canceled: it is ${status}`);
  if (status !== 'canceled') book.put(order, 'canceled');
  return { status: 200, body: envelope(200, 'OK') };
}

function update(book: OrderBook, call: Call, tooLate: number): Answer {
  const order = book.find(call.params.id ?? '');
  if (order === undefined) return notFound();
  const checked = checkUpdateShipment(call.body);
  if (!checked.ok) return refusal(400, checked.message);
  const { status } = book.standing(order);
  if (!book.isChangeable(order) || status === 'canceled') {
    return refusal(tooLate, `Shipment cannot be updated: the order is ${status}`);
  }
  book.change(order, checked.value);
  return ok(renderUpdatedShipment(order));
}

function search(book: OrderBook, call: Call): Answer {
  const checked = checkSearch(call.body);
  if (!checked.ok) return refusal(400, checked.message);
  return ok({ orders: book.search(checked.value).map((order) => renderRow(book, order)) });
}

function activate(book: OrderBook, call: Call): Answer {
  const order = book.find(call.params.id ?? '');
  if (order === undefined) return notFound();
  const checked = checkActivate(call.body);
  if (!checked.ok) return refusal(400, checked.message);
  const { status } = book.standing(order);
  if (status !== 'draft') return refusal(400, `Order is not a draft: it is ${status}`);
  book.activate(order);
  return ok(renderOrder(book, order));
}

function advance(book: OrderBook, change: AdvanceInput): boolean {
  const order = book.find(change.reference);
  if (order === undefined) return false;
  const refused = change.status === 'failed' && change.reason !== undefined;
  book.put(
    order,
    change.status,
    refused ? { code: change.reason ?? '', reason: 'Failed by hand.' } : undefined,
  );
  return true;
}

function submittedReference(call: Call): readonly string[] {
  return textsIn(call.body, 'orderReferenceId');
}

function searchedReferences(call: Call): readonly string[] {
  return [...textsIn(call.body, 'orderReferenceId'), ...textsIn(call.body, 'orderReferenceIds')];
}

/** The path says an id or a reference; a fault rule may name either. */
function referencesOf(book: OrderBook, call: Call): readonly string[] {
  const name = call.params.id ?? '';
  const order = book.find(name);
  return order === undefined ? [name] : [name, order.body.orderReferenceId, order.id];
}

/** The strings that a body, not yet validated, has under a name. */
function textsIn(body: unknown, name: string): string[] {
  if (typeof body !== 'object' || body === null) return [];
  const value: unknown = Reflect.get(body, name);
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((entry) => typeof entry === 'string');
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function notFound(): Answer {
  return refusal(404, 'Order not found');
}

function refusal(status: number, message: string): Answer {
  return { status, body: envelope(status, message) };
}

function envelope(status: number, message: string): Envelope {
  return { code: status, message };
}

function account(id: string, url: string, options: GelatoSimulatorOptions): AccountFileEntry {
  const template = (path: string) => url + path.replace(':id', '{id}');
  const requests = options.requestsPerSecond ?? REQUESTS_PER_SECOND;
  return {
    id,
    provider: PROVIDER,
    config: {
      submitUrl: template(PATHS.submit),
      getUrl: template(PATHS.get),
      cancelUrl: template(PATHS.cancel),
      updateShipmentUrl: template(PATHS.update),
      searchUrl: template(PATHS.search),
      ...(options.activation === false ? {} : { activateUrl: template(PATHS.get) }),
    },
    credentials: { apiKey: options.apiKey, apiSecret: options.apiSecret },
    // The documented limit is packline's own default; only another one has to be told.
    ...(requests === REQUESTS_PER_SECOND
      ? {}
      : { limits: { requests, perMs: 1_000, concurrency: CONCURRENCY } }),
  };
}

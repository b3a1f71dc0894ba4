/** A caller of the Salla simulator over real HTTP, for its own tests; shares nothing with the adapter. */
import type { Simulator } from '../../src/simulator/kit.js';
import { type SallaSimulatorOptions, startSallaSimulator } from '../../src/simulator/salla/index.js';
import { type FakeTime, fakeTime } from '../helpers/fake-time.js';
import { ask, type Heard, type Ledger, ledgerOf, stopLater } from './calls.js';

export { type Heard, stopAll } from './calls.js';

export interface CallOptions {
  /** The access token; null: no credentials at all. */
  token?: string | null;
  headers?: Record<string, string>;
}

export const ACCESS_TOKEN = 'at-1';
export const REFRESH_TOKEN = 'rt-1';
export const CLIENT = { client_id: 'client-1', client_secret: 'secret-1' };

export interface Rig {
  simulator: Simulator;
  time: FakeTime;
  /** Calls a path of the Merchant API. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Heard>;
  /** Creates an external order with this id of the caller's own. */
  submit(reference: string, changes?: Record<string, unknown>, options?: CallOptions): Promise<Heard>;
  /** The same; tells the order's id. */
  place(reference: string, changes?: Record<string, unknown>): Promise<number>;
  /** The slug that "Order Details" shows. */
  slug(id: number): Promise<unknown>;
  /** The external ids of a page of "List Orders". */
  found(query?: string): Promise<unknown[]>;
  setStatus(id: number, body: unknown, options?: CallOptions): Promise<Heard>;
  /** Asks for new tokens with a form. */
  refresh(refreshToken: string, changes?: Record<string, string>): Promise<Heard>;
  control(path: string, body?: unknown): Promise<Heard>;
  /** A fault rule that hits once. */
  fault(verb: string, action: unknown): Promise<Heard>;
  advance(reference: string, status: string): Promise<Heard>;
  ledger(): Promise<Ledger>;
  /** Ids of orders that shoppers placed. */
  shop(wishes?: Record<string, unknown>): Promise<number[]>;
}

/** A running simulator whose clock stands still; `stopAll` ends it. */
export async function rig(options: Partial<SallaSimulatorOptions> = {}): Promise<Rig> {
  const time = fakeTime();
  const simulator = await startSallaSimulator({
    clientId: CLIENT.client_id,
    clientSecret: CLIENT.client_secret,
    accessToken: ACCESS_TOKEN,
    refreshToken: REFRESH_TOKEN,
    time,
    stepMs: 1_000,
    ...options,
  });
  stopLater(simulator);
  const { url } = simulator;
  const made: Rig = {
    simulator,
    time,
    call: (method, path, body, callOptions) => send(method, `${url}/admin/v2${path}`, body, callOptions),
    submit: (reference, changes, callOptions) =>
      made.call('POST', '/orders/external', externalOrder(reference, changes), callOptions),
    place: async (reference, changes) => Number(data(await made.submit(reference, changes), 'id')),
    slug: async (id) => data(await made.call('GET', `/orders/${id}`), 'status.slug'),
    found: async (query = '') =>
      rows(await made.call('GET', `/orders${query}`)).map((row) => row.external_order_id),
    setStatus: (id, body, callOptions) => made.call('POST', `/orders/${id}/status`, body, callOptions),
    refresh: (refreshToken, changes) =>
      send(
        'POST',
        `${url}/oauth2/token`,
        new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: refreshToken,
          ...CLIENT,
          ...changes,
        }).toString(),
        { token: null, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      ),
    control: (path, body) =>
      send(body === undefined ? 'GET' : 'POST', `${url}/_control${path}`, body, { token: null }),
    fault: (verb, action) => made.control('', { match: { verb }, times: 1, do: action }),
    advance: (reference, status) => made.control('/advance', { reference, status }),
    ledger: () => ledgerOf(simulator),
    shop: async (wishes = {}) => {
      const { orders } = Object((await made.control('/orders', wishes)).json());
      return orders.map((order: { id: number }) => order.id);
    },
  };
  return made;
}

export function send(
  method: string,
  url: string,
  body?: unknown,
  { token = ACCESS_TOKEN, headers = {} }: CallOptions = {},
): Promise<Heard> {
  const own = token === null ? {} : { authorization: `Bearer ${token}` };
  return ask(method, url, body, { ...own, ...headers });
}

/** What stands under `data`, or under a name in it such as `status.slug`. */
export function data(heard: Heard, path?: string): unknown {
  const names = ['data', ...(path?.split('.') ?? [])];
  return names.reduce<unknown>((value, name) => Reflect.get(Object(value), name), heard.json());
}

/** The rows of a list. */
export function rows(heard: Heard): Record<string, unknown>[] {
  const list = data(heard);
  if (!Array.isArray(list)) throw new Error(`no list: ${heard.text}`);
  return list;
}

/** The `error` of an envelope. */
export function error(heard: Heard): { code: string; message: string; fields?: Record<string, string[]> } {
  return Object(heard.json()).error;
}

/** The names of the fields that a 422 complains of. */
export function fields(heard: Heard): string[] {
  return Object.keys(error(heard).fields ?? {});
}

export const RECEIVER = {
  name: 'نورة السالم',
  country_code: 'SA',
  phone: '+966501234567',
  email: 'noura@shop.example',
  notify: false,
};

export const SHIP_TO = {
  country: 'SA',
  city: 'الرياض',
  address_line: 'شارع التحلية 5',
  postal_code: '12345',
};

/** A body for "Create External Order" that is valid, with some fields replaced. */
export function externalOrder(
  reference: string,
  changes: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    external_order_id: reference,
    date: '2026-01-01 03:00',
    currency: 'SAR',
    source: 'packline',
    receiver: RECEIVER,
    delivery_method: 'shipping',
    courier_id: 700_000_001,
    ship_to: SHIP_TO,
    payment: { status: 'paid', method: 'credit_card' },
    products: [{ name: 'Mug', sku: 'MUG-1', quantity: 2, price: 49.9 }],
    ...changes,
  };
}

/** A body for "Create Order" that is valid, with some fields replaced. */
export function order(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    receiver: RECEIVER,
    delivery_method: 'shipping',
    courier_id: 700_000_001,
    ship_to: SHIP_TO,
    payment: { status: 'paid', method: 'credit_card' },
    products: [{ identifier_type: 'sku', identifier: 'MUG-1', quantity: 2 }],
    ...changes,
  };
}

/** A body for "Create Shipment" that is valid, with some fields replaced. */
export function shipment(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    courier_id: 700_000_001,
    shipment_type: 'shipment',
    payment_method: 'pre_paid',
    packages: [{ name: 'Mug', sku: 'MUG-1', quantity: 2 }],
    ...changes,
  };
}

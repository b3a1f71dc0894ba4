/** A caller of the GelatoConnect simulator over real HTTP, for its own tests; shares nothing with the adapter. */
import {
  type GelatoSimulatorOptions,
  startGelatoSimulator,
} from '../../src/simulator/gelato-connect/index.js';
import type { Simulator } from '../../src/simulator/kit.js';
import { type FakeTime, fakeTime } from '../helpers/fake-time.js';
import { ask, type Heard, type Ledger, ledgerOf, stopLater } from './calls.js';

export { stopAll } from './calls.js';

export interface CallOptions {
  key?: string | null;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const KEY = 'test-key:test-secret';

export interface Rig {
  simulator: Simulator;
  time: FakeTime;
  call(method: string, url: string, body?: unknown, options?: CallOptions): Promise<Heard>;
  submit(body?: unknown, options?: CallOptions): Promise<Heard>;
  /** Submits a valid order with this reference and tells its id. */
  place(reference: string, changes?: Record<string, unknown>): Promise<string>;
  get(name: string): Promise<Heard>;
  /** The fulfillmentStatus that get shows. */
  status(name: string): Promise<unknown>;
  cancel(name: string): Promise<Heard>;
  update(name: string, body: unknown): Promise<Heard>;
  activate(name: string, body?: unknown): Promise<Heard>;
  search(body?: unknown): Promise<Heard>;
  /** The orderReferenceId of each row that a search finds. */
  found(body?: unknown): Promise<unknown[]>;
  control(rule: unknown): Promise<Heard>;
  advance(reference: string, status: string, reason?: string): Promise<Heard>;
  ledger(): Promise<Ledger>;
}

/** A running simulator whose clock stands still; `stopAll` ends it. */
export async function rig(options: Partial<GelatoSimulatorOptions> = {}): Promise<Rig> {
  const time = fakeTime();
  const simulator = await startGelatoSimulator({
    apiKey: 'test-key',
    apiSecret: 'test-secret',
    time,
    stepMs: 1_000,
    ...options,
  });
  stopLater(simulator);
  const config = simulator.account('any').config;
  const at = (operation: string, name = '') =>
    String(config[operation]).replace('{id}', encodeURIComponent(name));
  const made: Rig = {
    simulator,
    time,
    call,
    submit: (body = order(), callOptions) => call('POST', at('submitUrl'), body, callOptions),
    place: async (reference, changes) =>
      String(field(await made.submit(order({ orderReferenceId: reference, ...changes })), 'id')),
    get: (name) => call('GET', at('getUrl', name)),
    status: async (name) => field(await made.get(name), 'fulfillmentStatus'),
    cancel: (name) => call('POST', at('cancelUrl', name)),
    update: (name, body) => call('PUT', at('updateShipmentUrl', name), body),
    activate: (name, body = { orderType: 'order' }) => call('PATCH', at('activateUrl', name), body),
    search: (body = {}) => call('POST', at('searchUrl'), body),
    found: async (body) => {
      const rows = field(await made.search(body), 'orders');
      return Array.isArray(rows)
        ? rows.map((row: { orderReferenceId: unknown }) => row.orderReferenceId)
        : [];
    },
    control: (rule) => call('POST', `${simulator.url}/_control`, rule, { key: null }),
    advance: (reference, status, reason) =>
      call('POST', `${simulator.url}/_control/advance`, { reference, status, reason }, { key: null }),
    ledger: () => ledgerOf(simulator),
  };
  return made;
}

function call(method: string, url: string, body?: unknown, options: CallOptions = {}): Promise<Heard> {
  const { key = KEY, headers = {}, signal } = options;
  return ask(method, url, body, { ...(key === null ? {} : { 'x-api-key': key }), ...headers }, signal);
}

/** One field of a JSON answer. */
export function field(heard: Heard, name: string): unknown {
  return Reflect.get(Object(heard.json()), name);
}

export const ADDRESS = {
  country: 'SE',
  firstName: 'Astrid',
  lastName: 'Berg',
  addressLine1: 'Storgatan 1',
  city: 'Lund',
  postCode: '22100',
  email: 'astrid@shop.example',
  phone: '+46 70 123 45 67',
};

export const ITEM = {
  itemReferenceId: 'line-1',
  productUid: 'poster_a3',
  quantity: 2,
  files: [{ type: 'default', url: 'https://files.example/a.pdf' }],
};

/** A submit body that is valid, with some fields replaced. */
export function order(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { orderReferenceId: 'ref-1', currency: 'EUR', shippingAddress: ADDRESS, items: [ITEM], ...changes };
}

export function orderTo(changes: Record<string, unknown>): Record<string, unknown> {
  return order({ shippingAddress: { ...ADDRESS, ...changes } });
}

export function orderOf(changes: Record<string, unknown>): Record<string, unknown> {
  return order({ items: [{ ...ITEM, ...changes }] });
}

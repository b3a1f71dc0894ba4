/** A caller of the WUPEX simulator over real HTTP, for its own tests; shares nothing with the adapter. */
import type { Simulator } from '../../src/simulator/kit.js';
import { startWupexSimulator, type WupexSimulatorOptions } from '../../src/simulator/wupex/index.js';
import { type FakeTime, fakeTime } from '../helpers/fake-time.js';
import { ask, type Heard, type Ledger, ledgerOf, stopLater } from './calls.js';

export { stopAll } from './calls.js';

export interface CallOptions {
  key?: string | null;
  headers?: Record<string, string>;
}

export interface Rig {
  simulator: Simulator;
  time: FakeTime;
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Heard>;
  /** Pulls codes; `reference` undefined leaves the parameter out. */
  pull(reference?: string, lines?: unknown, options?: CallOptions): Promise<Heard>;
  /** Pulls codes for a valid order and tells its name. */
  place(reference: string, lines?: unknown): Promise<string>;
  list(body?: unknown): Promise<Heard>;
  /** The names of the orders that the list has under a reference. */
  listed(reference: string): Promise<unknown[]>;
  detail(name: string): Promise<Heard>;
  balance(): Promise<Heard>;
  products(body?: unknown): Promise<Heard>;
  /** Adds a fault rule, or, with a path, changes something else by hand. */
  control(body: unknown, path?: string): Promise<Heard>;
  advance(reference: string, status: string): Promise<Heard>;
  ledger(): Promise<Ledger>;
}

type RigOptions = Partial<Omit<WupexSimulatorOptions, 'requestsPerSecond'>> & {
  requestsPerSecond?: number | 'usual';
};

export const KEY = 'test-key';

/** A running simulator whose clock stands still and whose limit is out of the way; `stopAll` ends it. */
export async function rig(options: RigOptions = {}): Promise<Rig> {
  const time = fakeTime();
  const { requestsPerSecond = 1_000_000, ...others } = options;
  const simulator = await startWupexSimulator({
    apiKey: KEY,
    time,
    ...(requestsPerSecond === 'usual' ? {} : { requestsPerSecond }),
    ...others,
  });
  stopLater(simulator);
  const { baseUrl } = simulator.account('any').config;
  const call: Rig['call'] = (method, path, body, more) => send(method, `${baseUrl}${path}`, body, more);
  const control: Rig['control'] = (body, path = '') => call('POST', `/_control${path}`, body, { key: null });
  const made: Rig = {
    simulator,
    time,
    call,
    pull: (reference, lines = [LINE], more) => {
      const query = reference === undefined ? '' : `?referenceId=${encodeURIComponent(reference)}`;
      return call('POST', `/api/order/pull-codes${query}`, lines, more);
    },
    place: async (reference, lines) => String(data(await made.pull(reference, lines)).orderName),
    list: (body = {}) => call('POST', '/api/order/list', body),
    listed: async (reference) => names(await made.list({ search: [equals('ReferenceId', reference)] })),
    detail: (name) => call('GET', `/api/order/detail?orderName=${encodeURIComponent(name)}`),
    balance: () => call('GET', '/api/customer/balance'),
    products: (body = {}) => call('POST', '/api/product/merchant/invited/list', body),
    control,
    advance: (reference, status) => control({ reference, status }, '/advance'),
    ledger: () => ledgerOf(simulator),
  };
  return made;
}

function send(method: string, url: string, body?: unknown, options: CallOptions = {}): Promise<Heard> {
  const { key = KEY, headers = {} } = options;
  return ask(method, url, body, { ...(key === null ? {} : { 'x-api-key': key }), ...headers });
}

/** What a successful answer holds under `data`; empty if it holds nothing there. */
export function data(heard: Heard): Record<string, unknown> {
  return Object(Reflect.get(Object(heard.json()), 'data'));
}

/** The serials of an answer of pull-codes, or of all lines of a detail, as one list. */
export function serials(heard: Heard): Record<string, string>[] {
  const { serials: own, orderData } = data(heard);
  // Either of the two is a list, by the documents; a test that finds it is not fails here.
  if (Array.isArray(own)) return own as Record<string, string>[];
  return (orderData as { serials: Record<string, string>[] }[]).flatMap((line) => line.serials);
}

/** The orderName of each row of a list. */
export function names(heard: Heard): unknown[] {
  return rows(heard).map((row) => row.orderName);
}

export function rows(heard: Heard): Record<string, unknown>[] {
  const list: unknown = Reflect.get(Object(heard.json()), 'data');
  return Array.isArray(list) ? list : [];
}

export function equals(column: unknown, value: unknown): object {
  return { column, operator: 'Equals', value };
}

/** The documented envelope of an error. */
export function refused(code: string): object {
  return { status: false, error: { code, message: expect.any(String) } };
}

export const LINE = { merchant: 'giftwave', sku: 'GIFT-10', quantity: 2 };
/** Another merchant's. */
export const GAME = { merchant: 'playhub', sku: 'PLAY-25', quantity: 1 };

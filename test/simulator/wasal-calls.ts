/** A caller of the Wasal simulator over real HTTP, for its own tests; shares nothing with the adapter. */
import type { Simulator } from '../../src/simulator/kit.js';
import { startWasalSimulator, type WasalSimulatorOptions } from '../../src/simulator/wasal/index.js';
import { type FakeTime, fakeTime } from '../helpers/fake-time.js';
import { ask, type Heard, type Ledger, ledgerOf, stopLater } from './calls.js';

export { stopAll } from './calls.js';

export interface CallOptions {
  /** Null: no Authorization header at all. */
  key?: string | null;
  headers?: Record<string, string>;
}

export interface Rig {
  simulator: Simulator;
  time: FakeTime;
  /** A call to one of the merchant's operations. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Heard>;
  /** Upserts a customer and tells its id. */
  customer(phoneNumber?: string): Promise<string>;
  /** Upserts a customer who has an address, and tells both ids. */
  settled(phoneNumber?: string): Promise<{ customerId: string; addressId: string }>;
  /** Creates an order for a settled customer. */
  submit(changes?: Record<string, unknown>, options?: CallOptions): Promise<Heard>;
  /** Creates a valid order with this reference and tells its id. */
  place(reference: string, changes?: Record<string, unknown>, options?: CallOptions): Promise<string>;
  get(id: string, options?: CallOptions): Promise<Heard>;
  /** The status that get shows. */
  status(id: string, options?: CallOptions): Promise<unknown>;
  cancel(id: string): Promise<Heard>;
  activate(id: string, options?: CallOptions): Promise<Heard>;
  /** Moves an order by the sandbox's operation. */
  move(id: string, status: unknown, key?: string): Promise<Heard>;
  list(query?: string, options?: CallOptions): Promise<Heard>;
  /** The references of the orders that the list shows. */
  listed(query?: string, options?: CallOptions): Promise<unknown[]>;
  /** Adds a fault rule, or, with a path, changes something else by hand. */
  control(body: unknown, path?: string): Promise<Heard>;
  advance(reference: string, status: string): Promise<Heard>;
  ledger(): Promise<Ledger>;
}

export const LIVE = 'pk_live_test';
export const SANDBOX = 'pk_test_test';
export const OTHER = 'pk_live_other';

/** A running simulator whose clock stands still; calls are made with the key of its account. `stopAll` ends it. */
export async function rig(options: Partial<WasalSimulatorOptions> = {}): Promise<Rig> {
  const time = fakeTime();
  const simulator = await startWasalSimulator({
    liveKey: LIVE,
    testKey: SANDBOX,
    otherKeys: [OTHER],
    time,
    stepMs: 1_000,
    ...options,
  });
  stopLater(simulator);
  const { config, credentials } = simulator.account('any');
  const own = credentials.apiKey ?? '';
  const call: Rig['call'] = (method, path, body, { key = own, headers } = {}) =>
    send(method, `${config.baseUrl}/integration/merchant${path}`, key, body, headers);
  const control: Rig['control'] = (body, path = '') =>
    send('POST', `${simulator.url}/_control${path}`, null, body);
  const made: Rig = {
    simulator,
    time,
    call,
    customer: async (phoneNumber = '+96550001234') =>
      idOf(await call('POST', '/customer/upsert', { phoneNumber, name: 'Noura Al-Sabah' }), 'customer'),
    settled: async (phoneNumber) => {
      const customerId = await made.customer(phoneNumber);
      const { customer } = data(await call('GET', `/customer/${customerId}`));
      const [known] = Reflect.get(Object(customer), 'addresses');
      const addressId =
        known === undefined
          ? idOf(await call('POST', `/customer/${customerId}/address`, ADDRESS), 'address')
          : String(known._id);
      return { customerId, addressId };
    },
    submit: async (changes = {}, more = {}) => {
      const { customerId } = await made.settled();
      return call('POST', '/order', { ...order(customerId), ...changes }, more);
    },
    place: async (reference, changes, more) =>
      idOf(await made.submit({ orderMerchantReferenceNumber: reference, ...changes }, more), 'order'),
    get: (id, more) => call('GET', `/order/${id}`, undefined, more),
    status: async (id, more) => Reflect.get(Object(data(await made.get(id, more)).order), 'status'),
    cancel: (id) => call('PUT', `/order/${id}/cancel`),
    activate: (id, more) => call('PUT', `/order/${id}/activate`, undefined, more),
    move: (id, status, key = SANDBOX) =>
      call('PUT', `/sandbox/order/${id}/advance-status`, { status }, { key }),
    list: (query = '', more) => call('GET', `/order${query}`, undefined, more),
    listed: async (query, more) =>
      rows(await made.list(query, more)).map((row) => row.orderMerchantReferenceNumber),
    control,
    advance: (reference, status) => control({ reference, status }, '/advance'),
    ledger: () => ledgerOf(simulator),
  };
  return made;
}

export function send(
  method: string,
  url: string,
  key: string | null,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Heard> {
  const own = key === null ? {} : { authorization: `Bearer ${key}` };
  return ask(method, url, body, { ...own, ...headers });
}

/** What a successful answer holds under `data`; empty if it holds nothing there. */
export function data(heard: Heard): Record<string, unknown> {
  return Object(Reflect.get(Object(heard.json()), 'data'));
}

/** The `_id` of the object that an answer holds under a name. */
export function idOf(heard: Heard, name: string): string {
  return String(Reflect.get(Object(data(heard)[name]), '_id'));
}

export function rows(heard: Heard): Record<string, unknown>[] {
  const { list } = data(heard);
  return Array.isArray(list) ? list : [];
}

/** Status and whole body of an error of this code. */
export function refused(status: number, code: string, more: object = {}): unknown[] {
  return [status, { success: false, code, message: expect.any(String), ...more }];
}

export function told(heard: Heard): unknown[] {
  return [heard.status, heard.json()];
}

export const ADDRESS = {
  label: 'Home',
  governorateId: '2',
  neighborhoodId: '201',
  blockId: '20101',
  houseNumber: '8',
  line1: 'Street 12',
};

/** A body of an order that is valid. */
export function order(customerId: string): Record<string, unknown> {
  return {
    customerId,
    branchCode: 'MAIN',
    specialHandlingTags: ['none'],
    orderMerchantReferenceNumber: 'ref-1',
  };
}

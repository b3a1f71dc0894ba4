/** A caller of the Zupy simulator over real HTTP, for its own tests; shares nothing with the adapter. */
import type { Simulator } from '../../src/simulator/kit.js';
import { customerId, REWARD } from '../../src/simulator/zupy/catalog.js';
import { startZupySimulator, type ZupySimulatorOptions } from '../../src/simulator/zupy/index.js';
import { type FakeTime, fakeTime } from '../helpers/fake-time.js';
import { ask, type Heard, type Ledger, ledgerOf, stopLater } from './calls.js';

export { type Heard, stopAll } from './calls.js';

export interface CallOptions {
  key?: string | null;
  headers?: Record<string, string>;
}

export interface Redeemed {
  coupon_code: string;
  points_used: number;
  new_balance: number;
}

export interface Row {
  id: string;
  coupon_code: string;
  status: string;
  remaining_usages: number;
  reward_id: string;
  customer_id: string;
}

export const KEY = 'zupy_pk_abcdefghijklmnopqrstuvwxyz012345';
export const CUSTOMER = customerId(1);
export const OTHER_CUSTOMER = customerId(2);

export interface Rig {
  simulator: Simulator;
  time: FakeTime;
  /** Calls a path below `/api/v2`. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Heard>;
  redeem(
    customer?: string,
    reward?: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Heard>;
  /** Redeems a reward and tells the code of the coupon. */
  issue(customer?: string, reward?: string): Promise<string>;
  validate(coupon: string, customer?: string, headers?: Record<string, string>): Promise<Heard>;
  /** The coupons that a list shows for a query. */
  coupons(query?: string): Promise<Row[]>;
  points(customer?: string): Promise<unknown>;
  /** A control route by what stands behind `/_control`, or a fault rule. */
  control(path: string, body?: unknown): Promise<Heard>;
  fault(rule: unknown): Promise<Heard>;
  settings(change: unknown): Promise<Heard>;
  ledger(): Promise<Ledger>;
}

/** A running simulator that asks for no codes and whose clock stands still; `stopAll` ends it. */
export async function rig(options: Partial<ZupySimulatorOptions> = {}): Promise<Rig> {
  const time = fakeTime();
  const simulator = await startZupySimulator({
    apiKey: KEY,
    time,
    otpPolicy: 'trusted',
    requestsPerMinute: 1_000,
    ...options,
  });
  stopLater(simulator);
  const base = String(simulator.account('any').config.baseUrl);
  const made: Rig = {
    simulator,
    time,
    call: (method, path, body, callOptions) => send(method, base + path, body, callOptions),
    redeem: (customer = CUSTOMER, reward = REWARD.dessert, body = {}, headers = {}) =>
      made.call('POST', `/customers/${customer}/rewards/${reward}/redeem/`, body, { headers }),
    issue: async (customer, reward) =>
      dataOf<Redeemed>(expectOk(await made.redeem(customer, reward))).coupon_code,
    validate: (coupon, customer = CUSTOMER, headers = {}) =>
      made.call('POST', `/customers/${customer}/coupons/${coupon}/validate/`, undefined, { headers }),
    coupons: async (query = '') =>
      dataOf<Row[]>(expectOk(await made.call('GET', `/coupons/issued/${query}`))),
    points: async (customer = CUSTOMER) =>
      dataOf<{ points_balance: number }>(await made.call('GET', `/customers/${customer}/points/`))
        .points_balance,
    control: (path, body) =>
      send(body === undefined ? 'GET' : 'POST', `${simulator.url}/_control${path}`, body, { key: null }),
    fault: (rule) => made.control('', rule),
    settings: (change) => made.control('/settings', change),
    ledger: () => ledgerOf(simulator),
  };
  return made;
}

export function send(method: string, url: string, body?: unknown, options: CallOptions = {}): Promise<Heard> {
  const { key = KEY, headers = {} } = options;
  return ask(method, url, body, { ...(key === null ? {} : { 'X-API-Key': key }), ...headers });
}

function expectOk(heard: Heard): Heard {
  if (heard.status >= 300) throw new Error(`${heard.status}: ${heard.text}`);
  return heard;
}

/** What an answer has under `data`. */
export function dataOf<T>(heard: Heard): T {
  // What the fields are is asserted by each test.
  return (heard.json() as { data: T }).data;
}

/** The status, and the last segment of a problem's type. */
export function problemOf(heard: Heard): [number, string | undefined] {
  // Every problem has a type; anything else shows in the assertion.
  const { type } = heard.json() as { type: string };
  return [heard.status, type.split(/[#/]/).at(-1)];
}

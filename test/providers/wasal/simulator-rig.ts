/** An account of the adapter at a simulated Wasal, asked through the real HTTP layer. */
import type { JsonObject } from '../../../src/json.js';
import type { OrderBody } from '../../../src/orders/body.js';
import type { OrderView } from '../../../src/orders/order.js';
import { wasal } from '../../../src/providers/wasal/index.js';
import type { LedgerOrder, Simulator } from '../../../src/simulator/kit.js';
import { startWasalSimulator, type WasalSimulatorOptions } from '../../../src/simulator/wasal/index.js';
import { type FakeTime, fakeTime } from '../../helpers/fake-time.js';
import { judge, openAt, stepNamed } from '../fixtures.js';
import { call, client, control, ordersAt } from '../http-calls.js';
import { goodBody, orderView, workFor } from './fixtures.js';
import { run, type World, worldOf } from './runner.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export interface Rig {
  simulator: Simulator;
  time: FakeTime;
  world: World;
  /** Its base URL and key, for requests beside the verbs. */
  access: { baseUrl: string; apiKey: string };
  control(path: string, body: object): Promise<unknown>;
  ledger(): Promise<LedgerOrder[]>;
}

export async function rig(
  options: Partial<WasalSimulatorOptions> = {},
  config: Record<string, unknown> = {},
  apiKey?: string,
): Promise<Rig> {
  const time = fakeTime();
  const simulator = await startWasalSimulator({ time, stepMs: 0, ...options });
  closers.push(() => simulator.close());
  const http = client();
  const entry = simulator.account('wasal-kw');
  const credentials = { ...entry.credentials, ...(apiKey === undefined ? {} : { apiKey }) };
  const account = openAt(wasal, {
    id: 'wasal-kw',
    config: { ...entry.config, ...config },
    credentials,
  });
  const access = { baseUrl: String(entry.config.baseUrl), apiKey: credentials.apiKey ?? '' };
  return {
    simulator,
    time,
    world: worldOf(account, (request) => call(http, request)),
    access,
    control: (path, body) => control(simulator, path, body),
    ledger: () => ordersAt(simulator),
  };
}

/** The outcome of one step that is no part of a verb. */
export async function read({ world }: Rig, name: string, order?: OrderView, params: JsonObject = {}) {
  const step = stepNamed(world.account, name);
  const work = workFor(order, {}, params);
  const result = await world.send(step.request(work));
  if (result.kind !== 'answered') throw new Error(result.code);
  return judge(world.account, step, work, result).outcome;
}

/** An order as it stands after its submit was accepted; throws where it was not. */
export async function place(made: Rig, order: OrderView): Promise<OrderView> {
  const { outcome } = await run(made.world, 'submit', order);
  if (outcome.kind !== 'accepted') throw new Error(JSON.stringify(outcome));
  return { ...order, providerOrderId: outcome.providerOrderId, providerData: outcome.data ?? {} };
}

let orders = 0;
/** An order of its own reference. */
export function newOrder(changes: Partial<OrderBody> = {}): OrderView {
  orders += 1;
  return orderView({ body: goodBody({ reference: `shop-${orders}`, ...changes }) });
}

export const atHouse = (houseNumber: string): Partial<OrderBody> => ({
  options: {
    branchCode: 'MAIN',
    specialHandlingTags: ['none'],
    address: { neighborhoodId: '201', blockId: '20101', houseNumber },
  },
});

/** No address is wanted but the customer's default one. */
export const noAddress: Partial<OrderBody> = {
  options: { branchCode: 'MAIN', specialHandlingTags: ['none'] },
};

export function addressesOf({ customerId, customerAddressId }: JsonObject) {
  return { customerId, customerAddressId };
}

/** A Salla simulator with accounts that call it over real HTTP, as packline does. */
import type { OrderView } from '../../../src/orders/order.js';
import type { HttpResult } from '../../../src/policy/answer.js';
import type { Classified } from '../../../src/policy/classify.js';
import type { Outcome } from '../../../src/policy/outcome.js';
import { createHttp } from '../../../src/providers/http.js';
import type {
  HttpRequest,
  OpenAccount,
  Refreshed,
  Step,
  TokenRotation,
  Work,
} from '../../../src/providers/provider.js';
import { salla } from '../../../src/providers/salla/index.js';
import { type SallaSimulatorOptions, startSallaSimulator } from '../../../src/simulator/salla/index.js';
import { systemTime } from '../../../src/time.js';
import { judge, openAt, stepNamed, workFor } from '../fixtures.js';
import { call, control } from '../http-calls.js';

export const { clock } = systemTime;

/** An account at the simulated store. */
export interface Caller {
  account: OpenAccount;
  rotation: TokenRotation;
  /** Makes the one request of a step. */
  run(step: Step, work: Work): Promise<Classified>;
  /** The same by the step's name; what it came to. */
  outcome(name: string, work: Work): Promise<Outcome>;
  /** Takes all steps of a submit; what later steps work on. */
  place(order: OrderView): Promise<Work>;
  /** Sends the refresh token that the account began with. */
  refresh(): Promise<Refreshed | null>;
}

export interface Store extends Caller {
  /** Another account at the same store. */
  caller(changes: { config?: object; credentials?: object }): Caller;
  control(path: string, body?: object): Promise<unknown>;
  /** A fault rule that hits once. */
  fault(verb: string, action: object): Promise<unknown>;
  /** An order that a shopper places; its id. */
  shop(): Promise<number>;
}

const running: { close(): Promise<void> }[] = [];

export async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((started) => started.close()));
}

/** A store with one account; `stopAll` ends it. */
export async function openStore(
  config: object = {},
  options: Partial<SallaSimulatorOptions> = {},
): Promise<Store> {
  const simulator = await startSallaSimulator({
    clientId: 'client-1',
    clientSecret: 'secret-1',
    accessToken: 'at-1',
    refreshToken: 'rt-1',
    time: systemTime,
    // Orders stay where they are until a test moves them.
    stepMs: 0,
    ...options,
  });
  const http = createHttp({ clock, connections: 4 });
  running.push(simulator, http);
  const entry = simulator.account('salla');
  const send = (sent: HttpRequest) => call(http, sent, { timeoutMs: 10_000 });
  const caller: Store['caller'] = (changes) =>
    callerOf(
      openAt(salla, {
        id: 'salla',
        config: { ...entry.config, ...config, ...changes.config },
        credentials: { ...entry.credentials, ...changes.credentials },
      }),
      send,
    );
  return {
    ...caller({}),
    caller,
    control: (path, body) => control(simulator, path, body),
    fault: (verb, action) => control(simulator, '', { match: { verb }, times: 1, do: action }),
    shop: async () => Number(Object(await control(simulator, '/orders')).orders[0].id),
  };
}

function callerOf(account: OpenAccount, send: (sent: HttpRequest) => Promise<HttpResult>): Caller {
  const { tokens: rotation } = account;
  if (rotation === undefined) throw new Error('the tokens do not rotate');
  const run: Caller['run'] = async (step, work) => judge(account, step, work, await send(step.request(work)));
  return {
    account,
    rotation,
    run,
    outcome: async (name, work) => (await run(stepNamed(account, name), work)).outcome,
    place: async (order) => {
      for (const step of account.verbs.submit) {
        const { outcome } = await run(step, workFor(order));
        if (outcome.kind === 'accepted')
          return workFor({ ...order, providerOrderId: outcome.providerOrderId });
        expect(outcome.kind).toBe('done');
      }
      throw new Error('the order was not accepted');
    },
    refresh: async () => {
      const result = await send(rotation.request(rotation.initial));
      if (result.kind !== 'answered') throw new Error(`the token endpoint: ${result.code}`);
      return rotation.read(result);
    },
  };
}

/** A Salla simulator with accounts that call it over real HTTP, as packline does. */
import { request } from 'undici';
import type { OrderView } from '../../../src/orders/order.js';
import { type Classified, classify } from '../../../src/policy/classify.js';
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
import { stepOf, stepsOf, workFor } from './fixtures.js';

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
  const send = (sent: HttpRequest) =>
    http.call(sent, {
      sendBy: { monotonic: clock.monotonic() + 5_000, wall: clock.now() + 5_000 },
      timeoutMs: 10_000,
    });
  const caller: Store['caller'] = (changes) =>
    callerOf(
      salla.open({
        id: 'salla',
        config: { ...entry.config, ...config, ...changes.config },
        credentials: { ...entry.credentials, ...changes.credentials },
        policy: salla.policy,
      }),
      send,
    );
  const control: Store['control'] = async (path, body = {}) => {
    const answer = await request(`${simulator.url}/_control${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode > 299) throw new Error(`${path} of the simulator: ${text}`);
    return text === '' ? null : JSON.parse(text);
  };
  return {
    ...caller({}),
    caller,
    control,
    fault: (verb, action) => control('', { match: { verb }, times: 1, do: action }),
    shop: async () => Number(Object(await control('/orders')).orders[0].id),
  };
}

function callerOf(
  account: OpenAccount,
  send: (sent: HttpRequest) => ReturnType<ReturnType<typeof createHttp>['call']>,
): Caller {
  const { tokens: rotation } = account;
  if (rotation === undefined) throw new Error('the tokens do not rotate');
  const run: Caller['run'] = async (step, work) =>
    classify(
      await send(step.request(work)),
      step,
      account.policy,
      (answer) => step.read(work, answer),
      account.readError,
      account.statusOf,
    );
  return {
    account,
    rotation,
    run,
    outcome: async (name, work) => (await run(stepOf(stepsOf(account), name), work)).outcome,
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

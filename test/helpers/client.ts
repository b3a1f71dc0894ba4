/** The API of a packline, in whatever process it runs, as methods of a test. */
import { Agent } from 'undici';
import { systemTime } from '../../src/time.js';
import type {
  AccountJson,
  DeadLetterJson,
  OperationJson,
  OrderJson,
  TimelineEntry,
} from '../../src/views.js';
import { until } from './until.js';

/** The key of the API, long enough for the environment's rules. */
export const KEY = 'an-admin-key-of-these-tests-0123456789';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The body, read as JSON. */
  json(): unknown;
}

export interface Ask {
  headers?: Record<string, string>;
  /** Sent as JSON unless it is text. */
  body?: unknown;
  /** Null: without a key. */
  key?: string | null;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Calls {
  /** One request over a real socket; redirects are not followed. */
  ask(method: Method, path: string, ask?: Ask): Promise<Answer>;
  /** A request that must be answered with this status; the JSON of the answer. */
  expecting<T>(status: number, method: Method, path: string, body?: unknown): Promise<T>;
}

interface Reads {
  order(id: string): Promise<OrderJson>;
  /** Waits until an order is as it should be; fails with what it is instead. */
  orderWhen(
    id: string,
    what: string,
    holds: (order: OrderJson) => boolean,
    deadlineMs?: number,
  ): Promise<OrderJson>;
  /** The whole timeline of an order. */
  timeline(id: string): Promise<TimelineEntry[]>;
  account(id: string): Promise<AccountJson>;
  accountWhen(id: string, what: string, holds: (account: AccountJson) => boolean): Promise<AccountJson>;
  /** Waits for the open dead letter of an order. */
  letterOf(order: OrderJson): Promise<DeadLetterJson>;
}

/** Asks a packline, in whatever process it runs. */
export interface Client extends Calls, Reads {
  close(): Promise<void>;
}

/** @param adminKey what requests send unless they say otherwise */
export function clientOf(url: string, adminKey: string = KEY): Client {
  const agent = new Agent();
  const calls = callsTo(url, agent, adminKey);
  return { ...calls, ...readsOf(calls), close: () => agent.close() };
}

function callsTo(url: string, agent: Agent, adminKey: string): Calls {
  const ask: Calls['ask'] = async (method, path, { headers = {}, body, key = adminKey } = {}) => {
    const answer = await agent.request({
      origin: url,
      path,
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...headers,
      },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text, json: () => JSON.parse(text) };
  };
  return {
    ask,
    expecting: async <T>(status: number, method: Method, path: string, body?: unknown) => {
      const answer = await ask(method, path, body === undefined ? {} : { body });
      if (answer.status !== status)
        throw new Error(`${method} ${path}: ${answer.status} instead of ${status}: ${answer.text}`);
      // The caller names the shape that the contract gives to this answer.
      return answer.json() as T;
    },
  };
}

function readsOf({ expecting }: Calls): Reads {
  const order = (id: string) => expecting<OrderJson>(200, 'GET', `/v1/orders/${id}`);
  const account = (id: string) => expecting<AccountJson>(200, 'GET', `/v1/accounts/${id}`);
  return {
    order,
    orderWhen: (id, what, holds, deadlineMs) =>
      when(`the order is ${what}`, () => order(id), holds, deadlineMs),
    timeline: async (id) => {
      const path = `/v1/orders/${id}/timeline?limit=500`;
      return (await expecting<{ timeline: TimelineEntry[] }>(200, 'GET', path)).timeline;
    },
    account,
    accountWhen: (id, what, holds) => when(`the account is ${what}`, () => account(id), holds),
    letterOf: ({ id, reference, account: of }) =>
      until(
        `a dead letter of ${reference}`,
        async () => {
          const path = `/v1/dead-letters?account=${of}&limit=500`;
          const page = await expecting<{ deadLetters: DeadLetterJson[] }>(200, 'GET', path);
          return page.deadLetters.find(({ orderId }) => orderId === id);
        },
        DEADLINE_MS,
      ),
  };
}

// Far above what any step takes, for machines that are busy with other tests.
const DEADLINE_MS = 20_000;
// Looks in close succession would take the processors from what is waited for.
const BETWEEN_LOOKS_MS = 25;

/** Waits until something that is read is as it should be; fails with what it is instead. */
async function when<T>(
  what: string,
  read: () => Promise<T>,
  holds: (value: T) => boolean,
  deadlineMs: number = DEADLINE_MS,
): Promise<T> {
  const seen: { last: T | null } = { last: null };
  const look = async () => {
    seen.last = await read();
    if (holds(seen.last)) return { value: seen.last };
    await systemTime.sleep(BETWEEN_LOOKS_MS);
    return null;
  };
  try {
    return (await until(what, look, deadlineMs)).value;
  } catch (error) {
    throw new Error(`not so: ${what}, but ${JSON.stringify(seen.last, null, 1)}`, { cause: error });
  }
}

/** The newest operation of a kind. */
export function operation(order: OrderJson, kind: OperationJson['kind']): OperationJson {
  const found = order.operations.filter((each) => each.kind === kind).at(-1);
  if (found === undefined) throw new Error(`the order has no ${kind}: ${JSON.stringify(order.operations)}`);
  return found;
}

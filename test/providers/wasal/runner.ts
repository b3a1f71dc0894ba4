/**
 * Runs a verb as the core does: what is known, where to begin, one request per step, carry and facts from step to
 * step. Without a database: one world, one call at a time.
 */
import type { JsonObject } from '../../../src/json.js';
import type { OperationKind, OrderView } from '../../../src/orders/order.js';
import type { HttpResult } from '../../../src/policy/answer.js';
import { type Outcome, outcomeCode } from '../../../src/policy/outcome.js';
import {
  findStep,
  type HttpRequest,
  type OpenAccount,
  type Step,
  type Work,
} from '../../../src/providers/provider.js';
import { judge } from '../fixtures.js';

export interface World {
  account: OpenAccount;
  send(request: HttpRequest): Promise<HttpResult>;
  facts: { kind: string; key: string; value: JsonObject }[];
  /** `providerData` of orders that are not over, and the carry of submits that are not. */
  openOrders: JsonObject[];
}

export interface Ran {
  outcome: Outcome;
  /** The steps that were taken, in their order. */
  steps: string[];
  carry: JsonObject;
}

export function worldOf(account: OpenAccount, send: World['send']): World {
  return { account, send, facts: [], openOrders: [] };
}

/**
 * @param tries calls that may fail before the verb is given up
 * @returns the outcome that ends the verb, or the last failure
 */
export async function run(
  world: World,
  kind: Exclude<OperationKind, 'poll'>,
  order: OrderView,
  tries = 3,
): Promise<Ran> {
  const { account } = world;
  const verb: readonly Step[] = account.verbs[kind] ?? [];
  let step = verb[0];
  const ran: Omit<Ran, 'outcome'> = { steps: [], carry: {} };
  let last: { step: string; kind: string; code: string } | null = null;
  for (let failures = 0; ; ) {
    const work: Work = { order, params: {}, carry: ran.carry };
    const begin = beginOf(world, kind, work, last);
    if (begin !== null) {
      Object.assign(ran.carry, begin.carry);
      step = findStep(account, kind, begin.step) ?? undefined;
    }
    if (step === undefined) throw new Error('the verb has no such step');
    const current = step;
    ran.steps.push(current.name);
    const result = await world.send(current.request(work));
    const { outcome } = judge(account, current, work, result);
    last = { step: current.name, kind: outcome.kind, code: outcomeCode(outcome) };
    if (outcome.kind === 'done' || outcome.kind === 'accepted') learn(world, outcome);
    const next = verb[verb.indexOf(current) + 1];
    if (outcome.kind === 'done' && next !== undefined) {
      Object.assign(ran.carry, outcome.data ?? {});
      step = next;
    } else {
      failures += 1;
      if (outcome.kind !== 'failed' || failures >= tries) return { ...ran, outcome };
    }
  }
}

function beginOf(
  { account, facts, openOrders }: World,
  kind: OperationKind,
  work: Work,
  last: { step: string; kind: string; code: string } | null,
) {
  const { prepare } = account;
  if (prepare === undefined) return null;
  const wanted = prepare.facts(kind, work);
  const known = {
    facts: facts.filter((fact) =>
      wanted.facts.some((query) => query.kind === fact.kind && (query.key ?? fact.key) === fact.key),
    ),
    openOrders: openOrders.filter(
      (data) =>
        wanted.openOrders !== undefined &&
        Object.entries(wanted.openOrders).every(([key, value]) => data[key] === value),
    ),
    last,
  };
  return prepare.begin(kind, work, known);
}

function learn(world: World, outcome: Extract<Outcome, { kind: 'done' | 'accepted' }>): void {
  for (const { kind, key, value } of outcome.facts ?? []) {
    world.facts = world.facts.filter((fact) => fact.kind !== kind || fact.key !== key);
    if (value !== null) world.facts.push({ kind, key, value });
  }
}

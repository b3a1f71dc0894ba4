/** Walks one case: brings an operation to its step, has the simulator give the answer, and tells what came of it. */
import { request } from 'undici';
import type { AccountFileEntry, LedgerOrder, Simulator } from '../../../src/simulator/kit.js';
import { accepting, losing } from '../../helpers/faults.js';
import type { Case } from './cases.js';
import type { Arrival, Scene, Subject, Told, WalkedStep } from './subject.js';
import { type Standing, taken, type World } from './world.js';

/** More calls than the longest verb with its looks makes. */
const MOST_RINGS = 40;

/** Terminal, or a human's matter. */
const ENDED = ['succeeded', 'rejected', 'dead', 'canceled'];

let accounts = 0;

/** A new account at the simulator, without faults. */
export async function openScene(world: World, subject: Subject, simulator: Simulator): Promise<Scene> {
  accounts += 1;
  const nth = accounts;
  const account = `${subject.id}-${nth}`;
  await send(simulator, 'DELETE', '/_control');
  const entry = simulator.account(account);
  await world.apply(quick(subject.entry?.(entry) ?? entry));
  return { world, simulator, account, nth, control: (path, body) => send(simulator, 'POST', path, body) };
}

/** No pace of ours, and looks that follow each other at once. */
function quick(entry: object): object {
  // An entry of the accounts file, as the simulator has made it.
  const { config, ...rest } = entry as AccountFileEntry;
  return {
    ...rest,
    config: { ...config, requestTimeoutMs: 10_000, confirm: { graceMs: 0, looks: 2, spacingMs: 0 } },
    limits: { requests: 100_000, perMs: 1_000, concurrency: 4 },
  };
}

export async function send(
  simulator: Simulator,
  method: 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<void> {
  const answer = await request(simulator.url + path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${method} ${path} of the simulator: ${text}`);
}

/** How many orders the simulator holds. */
export async function countAt(simulator: Simulator, { made }: Subject): Promise<number> {
  const answer = await request(`${simulator.url}/_ledger`);
  // What the ledger holds is declared by the server itself (simulator/kit.ts).
  const { orders } = (await answer.body.json()) as { orders: LedgerOrder[] };
  return made?.(orders) ?? orders.length;
}

/** The next call to the verb behind a step gets this answer; `accept` where the work is done all the same. */
export async function tell(
  { control }: Scene,
  subject: Subject,
  step: string,
  told: Told,
  times = 1,
): Promise<void> {
  await control('/_control', { match: { verb: verbOf(subject, step) }, times, do: told });
}

function verbOf(subject: Subject, step: string): string {
  const verb = subject.verbs[step];
  if (verb === undefined) throw new Error(`the subject ${subject.id} names no verb for the step ${step}`);
  return verb;
}

/** An operation whose next call is the wanted step. */
export interface Arrived {
  operation: string;
  /** Null for the read of an account. */
  orderId: string | null;
  /** Orders that the provider held before this one. */
  held: number;
}

/** Brings a new operation to a step. */
export async function arriveAt(scene: Scene, subject: Subject, at: WalkedStep): Promise<Arrived> {
  const { world } = scene;
  const arrival = subject.arrivals?.[at.step.name] ?? {};
  const body = { ...(await subject.body(scene)), ...(await arrival.body?.(scene)) };
  const held = await countAt(scene.simulator, subject);
  const orderId = await world.send(body);
  const submit = await world.operation(orderId, 'submit');
  if (at.kind === 'submit' && at.purpose === 'call') {
    await ringThrough(scene, submit, arrival.after ?? stepsBefore(scene, at));
    return { operation: submit, orderId, held };
  }
  if (at.purpose === 'look') {
    await loseSubmit(scene, subject, submit, at);
    return { operation: submit, orderId, held };
  }
  await ringToEnd(world, submit);
  const operation = await ask(scene, subject, orderId, at, arrival);
  return { operation, orderId: at.ofAccount ? null : orderId, held };
}

function stepsBefore({ world, account }: Scene, { kind, step }: WalkedStep): string[] {
  const open = world.base.accounts.get(account)?.open;
  const steps = kind === 'poll' ? [] : (open?.verbs[kind] ?? []);
  return steps
    .slice(
      0,
      steps.findIndex(({ name }) => name === step.name),
    )
    .map(({ name }) => name);
}

/** The submit's last step is done and its answer lost; before a further lookup the first ones must find nothing. */
async function loseSubmit(scene: Scene, subject: Subject, submit: string, at: WalkedStep): Promise<void> {
  const { world, control, account } = scene;
  const open = world.base.accounts.get(account)?.open;
  const last = open?.verbs.submit.at(-1);
  if (open === undefined || last === undefined) throw new Error(`account ${account} has no submit`);
  const first = open.reads.look?.name === at.step.name;
  await control('/_control', {
    match: { verb: verbOf(subject, last.name) },
    times: 1,
    do: first ? accepting('drop') : losing('drop'),
  });
  await ringUntil(world, submit, ({ state }) => state === 'unconfirmed');
  for (const look of [open.reads.look, ...(open.reads.furtherLooks ?? [])]) {
    if (look === undefined || look.name === at.step.name) return;
    await world.ring(submit);
  }
}

async function ask(
  scene: Scene,
  subject: Subject,
  orderId: string,
  at: WalkedStep,
  arrival: Arrival,
): Promise<string> {
  const { world, account } = scene;
  const { operator } = world.base;
  switch (at.kind) {
    case 'activate':
      taken(await operator.activate(orderId, 'shop'));
      break;
    case 'cancel':
      taken(await operator.cancel(orderId, 'shop'));
      break;
    case 'update':
      taken(await operator.updateShipment(orderId, subject.update ?? {}, 'shop'));
      break;
    default:
      if (at.ofAccount) return world.sync(account);
      taken(await operator.syncOrder(orderId, 'shop'));
  }
  const operation = await world.operation(orderId, at.kind);
  if (at.kind !== 'poll') await ringThrough(scene, operation, arrival.after ?? stepsBefore(scene, at));
  return operation;
}

/** Answers one bell per step, which have to be these. */
async function ringThrough({ world }: Scene, operation: string, steps: readonly string[]): Promise<void> {
  for (const _ of steps) await world.ring(operation);
  const made = (await world.standing(operation)).tries.map(({ step }) => step);
  if (made.join() !== steps.join())
    throw new Error(`expected the steps ${steps.join()}, and made were ${made.join()}`);
}

/** Answers bells until the operation has ended. */
export async function ringToEnd(world: World, operation: string): Promise<Standing> {
  return ringUntil(world, operation, ({ state }) => ENDED.includes(state));
}

/** Answers bells until something holds, with every door open, as if all waits were over. */
export async function ringUntil(
  world: World,
  operation: string,
  holds: (standing: Standing) => boolean,
): Promise<Standing> {
  for (let rings = 0; rings < MOST_RINGS; rings += 1) {
    const standing = await world.standing(operation);
    if (holds(standing)) return standing;
    await world.ring(operation);
  }
  const { state, waitReason, tries } = await world.standing(operation);
  throw new Error(
    `still ${state} (${waitReason}) after ${MOST_RINGS} bells: ${tries.map(({ step, outcome }) => `${step} ${outcome}`).join(', ')}`,
  );
}

/** The case's own call, and how things stood before and after it. */
export async function walk(
  scene: Scene,
  subject: Subject,
  one: Case,
): Promise<Arrived & { before: Standing; after: Standing }> {
  const { world } = scene;
  const arrived = await arriveAt(scene, subject, one.at);
  await tell(scene, subject, one.at.step.name, one.told);
  const before = await world.standing(arrived.operation);
  await world.ring(arrived.operation);
  return { ...arrived, before, after: await world.standing(arrived.operation) };
}

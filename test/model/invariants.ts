/** What has to hold: after every command, and once everything has come to rest. */

import type { Alert } from '../../src/events/alerts.js';
import type { OrderStatus } from '../../src/orders/order.js';
import { MOVES, TERMINAL_STATES } from '../../src/orders/states.js';
import type { Call, Calls } from './calls.js';
import { type House, type HouseOrder, isOver } from './house.js';
import type { ModelClock } from './model-clock.js';
import { GRACE_MS, LOOKS, SPACING_MS, TIMEOUT_MS } from './rig.js';
import type { LetterRow, OperationRow, OrderRow, Rows } from './rows.js';

/** Something that must not be. */
export class Violation extends Error {
  override name = 'Violation';
}

/** What the invariants look at beside the rows. */
export interface Seen {
  house: House;
  calls: Calls;
  clock: ModelClock;
  alerts: readonly Alert[];
}

/** What was seen after earlier commands. */
export class History {
  orders = new Map<string, OrderRow>();
  operations = new Map<string, OperationRow>();
  /** References whose cancel ended here before anything had been sent, with the number of the next call then. */
  readonly neverToBeSent = new Map<string, number>();
  /** When the database was last restored, ms of the model's clock: it cannot tell of doubles from before. */
  restoredAt = Number.NEGATIVE_INFINITY;
}

const isTerminal = ({ state }: OperationRow): boolean => TERMINAL_STATES.includes(state);

/** An absence is believed after looks that span this, ms: what shows later is beyond the promise. */
const WINDOW_MS = (LOOKS - 1) * SPACING_MS;

/** What the provider is told an order's reference is. */
export function referenceOf({ reference, generation }: Pick<OrderRow, 'reference' | 'generation'>): string {
  return generation === 1 ? reference : `${reference}~${generation}`;
}

/** The provider's orders that come from one order here, of whatever generation. */
export function ofOrder(house: House, { reference, generation }: OrderRow): HouseOrder[] {
  const references = Array.from({ length: generation }, (_, n) =>
    referenceOf({ reference, generation: n + 1 }),
  );
  return house.orders.filter((order) => references.includes(order.reference));
}

/** When the call had certainly ended, by the model's clock: never while a silent caller shows that it lives. */
function endOf(call: Call): number {
  if (call.toldAt !== null) return call.toldAt;
  return call.callerGone ? call.limits.sendBy.monotonic + TIMEOUT_MS + GRACE_MS : Number.POSITIVE_INFINITY;
}

/** Whether the provider showed it too late, or looks were lied to: the promise does not cover that, the watch does. */
export function isBeyondPromise(order: HouseOrder, { calls }: Pick<Seen, 'calls'>): boolean {
  const call = calls.all[order.call];
  return calls.lied || call === undefined || order.shownAt > endOf(call) + WINDOW_MS;
}

function fail(what: string, about: unknown): never {
  throw new Violation(`${what}: ${JSON.stringify(about)}`);
}

/** After every command. @throws Violation */
export function checkAlways(rows: Rows, history: History, seen: Seen): void {
  for (const operation of rows.operations) {
    checkOperation(operation);
    checkDoubt(operation, history.operations.get(operation.id));
  }
  for (const order of rows.orders) {
    checkOneAtATime(order, rows);
    checkMove(order, history, rows);
    checkCanceledHere(order, seen);
  }
  for (const [reference, calls] of history.neverToBeSent) {
    const sent = seen.house.orders.find((order) => order.reference === reference && order.call >= calls);
    if (sent !== undefined) fail('sent after its cancel had ended here', sent);
  }
  const bug = rows.letters.find(({ code }) => code === 'bug');
  if (bug !== undefined) fail('an exception of our own', bug);
  checkTwice(rows, seen);
  history.orders = new Map(rows.orders.map((order) => [order.id, order]));
  history.operations = new Map(rows.operations.map((operation) => [operation.id, operation]));
}

const inDoubt = ({ state, purpose }: OperationRow): boolean =>
  state === 'unconfirmed' || (state === 'running' && purpose === 'look');

/** What may have been done is sent again only after a proof that it was not. */
function checkDoubt(operation: OperationRow, before: OperationRow | undefined): void {
  if (before === undefined || !inDoubt(before) || inDoubt(operation) || isTerminal(operation)) return;
  if (operation.proofs === before.proofs) fail('out of doubt without a proof', { before, operation });
}

function checkOperation(operation: OperationRow): void {
  const { state, ringMs, owned, waitReason } = operation;
  if (isTerminal(operation)) {
    if (ringMs !== null) fail('over, and rings', operation);
    return;
  }
  if (state === 'running' ? !owned : ringMs === null) fail('nobody will take it up', operation);
  if (state === 'waiting' && waitReason === null) fail('waits without a reason', operation);
}

/** At most one verb of an order is under way, and the order names it. */
function checkOneAtATime(order: OrderRow, { operations, attempts }: Rows): void {
  const running = operations.filter(
    ({ orderId, kind, state }) => orderId === order.id && kind !== 'poll' && state === 'running',
  );
  if (running.length > 1) fail('two verbs of one order at once', running);
  if ((running[0]?.id ?? null) !== order.busyOp)
    fail('the order is busy with another operation than the one that runs', { order, running });
  const open = attempts.filter(
    ({ orderId, repeatable, verdict }) => orderId === order.id && !repeatable && verdict === null,
  );
  if (open.length > 1) fail('two open calls of one order that may both have been done', open);
}

function reaches(from: OrderStatus, to: OrderStatus, seen: readonly OrderStatus[] = []): boolean {
  return (
    from === to || MOVES[from].some((next) => !seen.includes(next) && reaches(next, to, [...seen, from]))
  );
}

/** Along the table; out of an end only on the provider's word, which is told. */
function checkMove(order: OrderRow, history: History, { reopened }: Rows): void {
  const before = history.orders.get(order.id);
  const from = before?.generation === order.generation ? before.status : 'received';
  const told = reopened.includes(order.id) || order.attention === 'status_conflict';
  if (!reaches(from, order.status) && !told) fail(`moved from ${from} to ${order.status}`, order);
}

/** Canceled here alone: nothing of this generation is at the provider that anybody could have known of. */
function checkCanceledHere(order: OrderRow, seen: Seen): void {
  if (order.status !== 'canceled' || order.providerOrderId !== null) return;
  const there = seen.house.orders.find(
    (one) => one.reference === referenceOf(order) && !isOver(one) && !isBeyondPromise(one, seen),
  );
  if (there !== undefined) fail('canceled here and alive at the provider', { order, there });
}

/** No two orders of one reference, but where the provider showed the first too late. */
function checkTwice({ attempts }: Rows, seen: Seen): void {
  for (const twice of doubles(seen.house)) {
    // In the order in which they were sent: each had to be looked for before the next one went out.
    const earlier = twice.toSorted((a, b) => a.call - b.call).slice(0, -1);
    if (!earlier.every((order) => isBeyondPromise(order, seen))) fail('submitted twice', twice);
  }
  for (const one of attempts) {
    const same = attempts.filter(
      (other) =>
        other.operationId === one.operationId &&
        other.generation === one.generation &&
        !other.repeatable &&
        other.verdict === 'accepted',
    );
    const ids = new Set(same.map(({ providerOrderId }) => providerOrderId));
    if (ids.size > 1 && doubles(seen.house).length === 0) fail('two calls of one order accepted', same);
  }
}

function doubles(house: House): HouseOrder[][] {
  const references = new Set(house.orders.map(({ reference }) => reference));
  return [...references]
    .map((reference) => house.orders.filter((order) => order.reference === reference))
    .filter((orders) => orders.length > 1);
}

/** Once everything has come to rest, with a provider that behaves. @throws Violation */
export function checkAtRest(rows: Rows, history: History, seen: Seen): void {
  for (const order of rows.orders) {
    const mine: Mine = {
      order,
      operations: rows.operations.filter(({ orderId }) => orderId === order.id),
      letters: rows.letters.filter(({ orderId }) => orderId === order.id),
      there: ofOrder(seen.house, order),
    };
    checkNothingOpen(mine);
    checkNotLost(mine);
    checkKnown(mine, rows, history);
    checkCancel(mine);
  }
  for (const twice of doubles(seen.house)) {
    const told = rows.letters.some(({ code, candidates }) => code === 'duplicate' && candidates.length > 0);
    const forgotten = twice.every(({ arrivedAt }) => arrivedAt < history.restoredAt);
    if (!told && !forgotten) fail('a double that nobody was told of', twice);
  }
}

interface Mine {
  order: OrderRow;
  operations: OperationRow[];
  letters: LetterRow[];
  there: HouseOrder[];
}

const isOpen = ({ state }: LetterRow): boolean => state === 'open';

/** What is not over waits for something that a person decides, or for an order that is held. */
function checkNothingOpen({ order, operations, letters }: Mine): void {
  for (const operation of operations.filter((one) => !isTerminal(one))) {
    const waitsForPerson = operation.waitReason === 'busy' && letters.some(isOpen);
    if (!waitsForPerson && !order.held) fail('does not come to rest', { operation, order, letters });
  }
  if (order.busyOp !== null) fail('busy at rest', order);
}

const WITH_PROVIDER: readonly OrderStatus[] = ['draft', 'submitted', 'in_progress', 'shipped', 'delivered'];

function checkNotLost({ order, letters }: Mine): void {
  const ended = order.status === 'canceled' || order.status === 'failed' || order.status === 'returned';
  const there = WITH_PROVIDER.includes(order.status) && order.providerOrderId !== null;
  if (!ended && !there && !order.held && !letters.some(isOpen) && order.attention === null)
    fail('lost', { order, letters });
}

/**
 * Every order that the provider holds is known here, unless a person has given it up or is asked about it. Of a double
 * from before a restore one is found again, and nothing here tells of the other.
 */
function checkKnown({ order, letters, there }: Mine, { attempts }: Rows, { restoredAt }: History): void {
  const known = new Set([
    order.providerOrderId,
    ...attempts.map(({ providerOrderId }) => providerOrderId),
    ...letters.flatMap(({ candidates }) => candidates.map(({ providerOrderId }) => providerOrderId)),
  ]);
  const persons = letters.some(
    (letter) => letter.ambiguous && (isOpen(letter) || letter.state === 'discarded'),
  );
  const forgotten = there.filter(({ arrivedAt }) => arrivedAt < restoredAt);
  const foundAgain = forgotten.some(({ id }) => known.has(id));
  const unknown = there.filter(
    (one) => !known.has(one.id) && !isOver(one) && !(foundAgain && forgotten.includes(one)),
  );
  if (unknown.length > 0 && !persons) fail('at the provider and unknown here', { order, unknown, letters });
}

/** Whoever asked for a cancel has it, or is told why not. */
function checkCancel({ order, operations, letters, there }: Mine): void {
  const alive = there.filter((one) => !isOver(one));
  if (!order.cancelAsked || alive.length === 0) return;
  const refused = operations.some(
    ({ kind, state }) => kind === 'cancel' && (state === 'rejected' || state === 'dead'),
  );
  const persons = letters.some(({ state, code }) => state !== 'replayed' || code === 'duplicate');
  if (!refused && !persons) fail('a cancel that came to nothing', { order, alive, operations });
}

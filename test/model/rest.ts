/** Lets everything come to rest: no more trouble, the provider behaves, bells are answered and time passes. */
import { TERMINAL_STATES } from '../../src/orders/states.js';
import { THROUGH } from './calls.js';
import { checkAtRest } from './invariants.js';
import type { Sequence } from './sequence.js';

/** Rounds of bells at most: more than the longest way through looks, retries and waits takes. */
const MOST_ROUNDS = 80;
/** What waits for another operation rings again after this for ever, ms; whoever waits through it twice is stuck. */
const BACKSTOP_MS = 15_000;
/** What is due and is not rung for waits for the gate, ms. */
const CLOSED_MS = 10_000;

/** @throws Violation where something does not come to rest, or is not as it has to be then */
export async function rest(sequence: Sequence): Promise<void> {
  for (const worker of [0, 1]) await sequence.thaw(worker);
  for (let [call] = sequence.held; call !== undefined; [call] = sequence.held)
    await sequence.release(call, (calls) => calls.goOn(call));
  await sequence.operator.resumeAccount('house', 'operator');
  await sequence.check();
  await quieten(sequence);
  await watch(sequence);
  await sequence.operator.sync({}, 'shop');
  await quieten(sequence);
  checkAtRest(sequence.rows, sequence.history, sequence);
}

/** Answers bells, and lets time pass in between, until nothing rings that will do anything. */
async function quieten(sequence: Sequence): Promise<void> {
  for (let round = 0, still = 0; round < MOST_ROUNDS && still < 2; round += 1) {
    const before = states(sequence);
    const rung = await work(sequence);
    const open = sequence.rows.operations.filter(({ state }) => !TERMINAL_STATES.includes(state));
    if (open.length === 0) return;
    const next = Math.min(...open.map(({ ringMs }) => ringMs ?? BACKSTOP_MS));
    const stuck = open.every(({ waitReason }) => waitReason === 'busy') && states(sequence) === before;
    still = stuck ? still + 1 : 0;
    await sequence.pass(rung === 0 && next <= 0 ? CLOSED_MS : Math.max(next, 0) + 1);
  }
}

/** @returns how many bells rang */
async function work(sequence: Sequence): Promise<number> {
  await sequence.maintain();
  const rung = await sequence.dispatch();
  for (const operation of rung) await sequence.answer(0, operation, THROUGH);
  await sequence.check();
  return rung.length;
}

function states({ rows }: Sequence): string {
  return JSON.stringify(rows.operations.map(({ id, state, waitReason }) => [id, state, waitReason]));
}

/** The first comes a minute after the verdict, when what arrived after it may be hidden yet; the second after ten more. */
const WATCHES = 2;

/** Watches over every absent call, and lets happen what follows. */
async function watch(sequence: Sequence): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const due = sequence.rows.attempts.flatMap(({ watchMs, watchNo }) =>
      watchMs === null || watchNo >= WATCHES ? [] : [watchMs],
    );
    if (due.length === 0) return;
    await sequence.pass(Math.max(...due, 0) + 1);
    await quieten(sequence);
  }
}

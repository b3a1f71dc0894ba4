/** One row of a policy table, at each of its steps: the call itself, what follows once the trouble is over, and what if it is never over. */
import { deepStrictEqual } from 'node:assert/strict';
import type { Simulator } from '../../../src/simulator/kit.js';
import { walkBeside } from './beside.js';
import type { Case, Cases } from './cases.js';
import { budgetOf, expectedOf } from './expected.js';
import type { Subject, WalkedStep } from './subject.js';
import { arriveAt, countAt, openScene, ringToEnd, ringUntil, send, tell, walk } from './walk.js';
import type { Standing, World } from './world.js';

/** @returns how many steps of the row were walked. @throws where a row does not do what it says */
export async function walkRow(world: World, subject: Subject, { walked, beside }: Cases): Promise<number> {
  const simulator = await subject.start();
  try {
    for (const one of walked) {
      await walkOnce(world, subject, simulator, one);
      if (one.outcome.kind === 'failed') await spendAll(world, subject, simulator, one);
    }
    for (const one of beside) await walkBeside(world, subject, simulator, one);
    return walked.length + beside.length;
  } finally {
    await simulator.close();
  }
}

const named = ({ rule, told, at }: Case) =>
  `${rule.id}, ${told.status} to ${at.kind} ${at.purpose} ${at.step.name}`;

async function walkOnce(world: World, subject: Subject, simulator: Simulator, one: Case): Promise<void> {
  const scene = await openScene(world, subject, simulator);
  const { before, after, ...arrived } = await walk(scene, subject, one);
  const met = after.tries[before.tries.length];
  // The wish for a one-time password has it asked for, at once and once; reads and looks ask for none.
  const asks = after.waitReason === 'otp' && one.at.kind !== 'poll';
  const what = named(one);
  deepStrictEqual(
    {
      what,
      step: met?.step,
      rule: met?.rule,
      status: met?.httpStatus,
      calls: after.calls - before.calls,
    },
    { what, step: one.at.step.name, rule: one.rule.id, status: one.told.status, calls: asks ? 2 : 1 },
  );
  const alerts = world
    .alertsOf(scene.account)
    .map(({ code }) => code)
    .sort();
  deepStrictEqual({ what, ...summary(after, before), alerts }, { what, ...expectedOf(one, before) });
  await send(simulator, 'DELETE', '/_control');
  await world.openDoors(scene.account);
  const end = await ringToEnd(world, arrived.operation);
  deepStrictEqual({ what, ...endOf(one.at, end) }, { what, ...expectedEnd(one, after, subject) });
  atMostOnce(one, (await countAt(simulator, subject)) - arrived.held, end);
}

function summary(after: Standing, before: Standing) {
  const { state, waitReason, purpose, absentLooks, gates, pause, letters, order } = after;
  return {
    state,
    waitReason,
    purpose,
    absentLooks,
    gates,
    pause,
    letters,
    spent: after.attempts - before.attempts,
    order:
      order === null
        ? null
        : { status: order.status, failure: order.failure?.code ?? null, attention: order.attention },
  };
}

/** Once the provider is well again: what of the order, and with which words. */
function endOf(at: WalkedStep, end: Standing) {
  const checked = at.kind !== 'submit' && at.kind !== 'poll' && end.state === 'rejected';
  return {
    state: end.state,
    code: checked ? (end.lastOutcome?.code ?? null) : null,
    letters: end.letters.map(({ code }) => code),
  };
}

function expectedEnd({ at, outcome }: Case, after: Standing, subject: Subject): ReturnType<typeof endOf> {
  const letters = after.letters.map(({ code }) => code);
  if (['rejected', 'dead', 'succeeded'].includes(after.state)) return endOf(at, after);
  // "Taken", and nothing of that reference is there: never sent again.
  if (at.kind === 'submit' && at.purpose === 'call' && outcome.kind === 'settled')
    return { state: 'dead', code: null, letters: ['reference_taken'] };
  // The state was fetched and does not say why: the provider's own words end it.
  if (after.purpose === 'check' && 'code' in outcome)
    return { state: 'rejected', code: outcome.code, letters };
  const refused = subject.arrivals?.[at.step.name]?.refused === true;
  return { state: refused ? 'rejected' : 'succeeded', code: null, letters };
}

/** The promise itself: whatever was answered, the provider holds the order once where it is there, and not twice where it is not. */
function atMostOnce({ at }: Case, more: number, end: Standing): void {
  const once = at.kind !== 'submit' || end.state === 'succeeded';
  deepStrictEqual({ state: end.state, orders: more }, { state: end.state, orders: once ? 1 : 0 });
}

/** The trouble never ends: a human's matter when the budget is spent, except for reads, and not one call later. */
async function spendAll(world: World, subject: Subject, simulator: Simulator, one: Case): Promise<void> {
  if (one.at.purpose === 'look') return;
  const scene = await openScene(world, subject, simulator);
  const { operation } = await arriveAt(scene, subject, one.at);
  const budget = budgetOf(one, world.base.accounts.get(scene.account)?.policy ?? { attempts: 0 });
  await tell(scene, subject, one.at.step.name, one.told, budget + 1);
  const end = await ringUntil(world, operation, ({ state }) => ['dead', 'rejected'].includes(state));
  const refused = end.tries.filter(({ rule }) => rule === one.rule.id).length;
  const read = one.at.kind === 'poll';
  const code = 'code' in one.outcome ? one.outcome.code : '';
  const what = named(one);
  deepStrictEqual(
    { what, state: end.state, attempts: end.attempts, refused, letters: end.letters },
    {
      what,
      state: read ? 'rejected' : 'dead',
      attempts: budget,
      refused: budget,
      letters: read ? [] : [{ code, ambiguous: false, state: 'open' }],
    },
  );
}

/** Rows at steps that are none of a verb's: the probe of an account, and the two calls of a one-time password. */
import { deepStrictEqual } from 'node:assert/strict';
import type { Simulator } from '../../../src/simulator/kit.js';
import type { SideCase } from './cases.js';
import { type Scene, type Subject, stepsOf } from './subject.js';
import { type Arrived, arriveAt, openScene, tell } from './walk.js';
import type { World } from './world.js';

/** Walks one of them. @throws where the row does not do what it says */
export async function walkBeside(
  world: World,
  subject: Subject,
  simulator: Simulator,
  one: SideCase,
): Promise<void> {
  const scene = await openScene(world, subject, simulator);
  switch (one.of) {
    case 'probe':
      return probe(scene, subject, one);
    case 'otp-request':
      return requestCode(scene, subject, one);
    case 'otp-verify':
      return verifyCode(scene, subject, one);
    default:
      throw new Error(`nobody makes the call ${one.of}`);
  }
}

/** The probe of a paused account: whatever the row says, it is no proof that the credentials are good again. */
async function probe({ world, account, ...scene }: Scene, subject: Subject, one: SideCase): Promise<void> {
  await tell({ world, account, ...scene }, subject, one.step.name, one.told);
  const checked = await world.base.operator.checkAccount(account);
  if (!checked.ok) throw new Error(checked.problem.detail);
  const { ok, outcome } = checked.value;
  deepStrictEqual(
    { rule: one.rule.id, ok, outcome },
    { rule: one.rule.id, ok: false, outcome: one.outcome.kind },
  );
}

/** An order whose redeem has met the wish for a one-time password. */
async function arriveAtOtp(scene: Scene, subject: Subject): Promise<Arrived> {
  const { world, account } = scene;
  const open = world.base.accounts.get(account)?.open;
  const at = open === undefined ? undefined : stepsOf(open).find(({ step }) => !step.repeatable);
  const told = subject.otp;
  if (at === undefined || told === undefined) throw new Error(`${subject.id} wants no one-time password`);
  const arrived = await arriveAt(scene, subject, at);
  await tell(scene, subject, at.step.name, told);
  await world.ring(arrived.operation);
  return arrived;
}

/** The request for a code fails: the operation waits all the same, nothing is asked again, and a human is told. */
async function requestCode(scene: Scene, subject: Subject, one: SideCase): Promise<void> {
  const { world, account } = scene;
  await tell(scene, subject, one.step.name, one.told, 2);
  const { operation } = await arriveAtOtp(scene, subject);
  const { state, waitReason, attempts, tries, letters } = await world.standing(operation);
  const requests = tries.filter(({ step }) => step === one.step.name).map(({ rule }) => rule);
  const alerts = world.alertsOf(account).map(({ code }) => code);
  deepStrictEqual(
    { state, waitReason, attempts, letters, requests, alerts },
    {
      state: 'waiting',
      waitReason: 'otp',
      attempts: 0,
      letters: [],
      requests: [one.rule.id],
      alerts: ['otp_not_sent'],
    },
  );
}

/** A code that is refused, or cannot be checked, is the caller's matter: the operation goes on waiting, unspent. */
async function verifyCode(scene: Scene, subject: Subject, one: SideCase): Promise<void> {
  const { world } = scene;
  const { operation, orderId } = await arriveAtOtp(scene, subject);
  await tell(scene, subject, one.step.name, one.told);
  const supplied = await world.base.operator.supplyOtp(orderId ?? '', { code: '123456', actor: 'shop' });
  const refused = ['waiting', 'rejected'].includes(one.outcome.kind);
  const answered = supplied.ok ? 202 : supplied.problem.status;
  const { state, waitReason, attempts, tries } = await world.standing(operation);
  deepStrictEqual(
    { answered, state, waitReason, attempts, rule: tries.at(-1)?.rule },
    { answered: refused ? 422 : 503, state: 'waiting', waitReason: 'otp', attempts: 0, rule: one.rule.id },
  );
}

/** What every adapter does beside its table: odd answers, lost ones, words of other alphabets, bounded evidence. */
import fc from 'fast-check';
import type { Simulator } from '../../../src/simulator/kit.js';
import { accepting, type Ending, losing } from '../../helpers/faults.js';
import { type Subject, stepsOf, type Told, type WalkedStep } from './subject.js';
import { arriveAt, countAt, openScene, ringToEnd, ringUntil, send, tell } from './walk.js';
import { taken, type World } from './world.js';

/** A success by its status, and by nothing else. */
export const ODD_ANSWERS: readonly (readonly [what: string, told: Told])[] = [
  ['a page of HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>welcome</html>' }],
  ['nothing', { status: 200, body: '' }],
  ['an empty object', { status: 200, body: {} }],
  ['null', { status: 200, body: 'null' }],
  ['half an object', { status: 200, body: '{"id": "1", "data": {' }],
  ['a refusal under 200', { status: 200, body: { status: false, message: 'no' } }],
  ['a success without an id', { status: 201, body: { status: true, success: true, data: { order: {} } } }],
  ['1 MB', { status: 200, body: { data: 'x'.repeat(1_048_576) } }],
  ['other types', { status: 200, body: { id: {}, data: [[], 1, null], orders: 'none', coupon_code: [7] } }],
  ['a text that is not UTF-8 any more', { status: 200, body: '{"id": "\ufffd\ufffd", "data": "\ufffd"}' }],
];

/** Every pair of an odd answer and a step; otherwise a part of them in which each answer and each step is met. */
const PART = process.env.PACKLINE_TEST_ALL === '1' ? 1 : 3;

/**
 * An odd answer at the steps of an account: an outcome by rule, never an exception, and never taken for an order that
 * was made.
 */
export async function takesOddAnswers(world: World, subject: Subject, told: Told): Promise<void> {
  const nth = ODD_ANSWERS.findIndex(([, one]) => one === told);
  await withSimulator(subject, async (simulator) => {
    const steps = await stepsAt(world, subject, simulator);
    for (const at of steps.filter((_, index) => (index + nth) % Math.min(PART, steps.length) === 0)) {
      const scene = await openScene(world, subject, simulator);
      const { operation } = await arriveAt(scene, subject, at);
      await tell(scene, subject, at.step.name, told);
      await world.ring(operation);
      const { state, letters } = await world.standing(operation);
      const what = `${at.kind} ${at.purpose} ${at.step.name}`;
      const makes = at.purpose === 'call' && !at.step.repeatable && subject.unnamed !== true;
      const allowed = makes
        ? ['unconfirmed']
        : ['retrying', 'unconfirmed', 'succeeded', 'rejected', 'pending'];
      expect({ what, allowed: allowed.includes(state), state, letters }).toEqual({
        what,
        allowed: true,
        state,
        letters: [],
      });
      await send(simulator, 'DELETE', '/_control');
      await ringToEnd(world, operation);
      expect(world.alertsOf(scene.account).filter(({ code }) => code === 'bug')).toEqual([]);
    }
  });
}

/** Whether a step's answers are about one order and say so, so that another order's must not be believed. */
function isAboutOne(subject: Subject, { step, kind, ofAccount, purpose }: WalkedStep): boolean {
  if (ofAccount || !['submit', 'poll'].includes(kind)) return false;
  const makes = purpose === 'call' && !step.repeatable;
  if (makes && subject.unnamed === true) return false;
  return subject.arrivals?.[step.name]?.refused !== true;
}

/**
 * What the provider answers about one order comes as the answer about another: nobody takes the other one's id, a
 * lookup that ignores its filter proves nothing, and a read of another order is no read.
 */
export async function believesNoOthers(world: World, subject: Subject): Promise<void> {
  await withSimulator(subject, async (simulator) => {
    const steps = await stepsAt(world, subject, simulator);
    // Further lookups begin where the first has found nothing, so they answer about nobody.
    const firstLook = steps.find(({ purpose }) => purpose === 'look');
    const about = steps.filter((one) => one.purpose !== 'look' || one === firstLook);
    for (const at of about.filter((one) => isAboutOne(subject, one))) {
      const first = await openScene(world, subject, simulator);
      const theirs = await arriveAt(first, subject, at);
      await world.ring(theirs.operation);
      const { status, body, headers } = world.heard(simulator.url);
      const scene = { ...first, nth: first.nth + 5_037 };
      const { operation } = await arriveAt(scene, subject, at);
      const before = await world.standing(operation);
      const type = String(headers['content-type'] ?? 'application/json');
      await tell(scene, subject, at.step.name, { status, headers: { 'content-type': type }, body });
      await world.ring(operation);
      const after = await world.standing(operation);
      const what = `${at.kind} ${at.purpose} ${at.step.name}: ${body.slice(0, 300)}`;
      const makes = at.purpose === 'call' && !at.step.repeatable;
      const look = at.purpose === 'look';
      expect({
        what,
        id: after.order?.providerOrderId,
        status: after.order?.status,
        absentLooks: after.absentLooks,
        // One that names nothing of whose it is may be taken for its own, and then another order holds that id.
        state: makes && after.state === 'dead' ? after.letters[0]?.code : after.state,
      }).toEqual({
        what,
        id: before.order?.providerOrderId,
        status: before.order?.status,
        absentLooks: before.absentLooks,
        state: expect.stringMatching(
          look ? /^unconfirmed$/ : makes ? /^(?:unconfirmed|id_taken)$/ : /^(?:retrying|pending)$/,
        ),
      });
    }
  });
}

/** A 404 that is not the provider's own says nothing of any order: no absence, and no order that has gone. */
export async function disbelievesProxies(world: World, subject: Subject): Promise<void> {
  await withSimulator(subject, async (simulator) => {
    const steps = await stepsAt(world, subject, simulator);
    for (const at of steps.filter(({ kind, purpose }) => purpose === 'look' || kind === 'poll')) {
      const scene = await openScene(world, subject, simulator);
      const { operation } = await arriveAt(scene, subject, at);
      await tell(scene, subject, at.step.name, { status: 404, body: '<h1>404 Not Found</h1>' });
      await world.ring(operation);
      const { state, looks, absentLooks, order, carry } = await world.standing(operation);
      expect({
        step: at.step.name,
        state,
        absentLooks,
        missing: order?.missingReads ?? 0,
        goesOn: carry.roundLooks === looks,
      }).toEqual({
        step: at.step.name,
        state: at.purpose === 'look' ? 'unconfirmed' : expect.stringMatching(/^(?:retrying|rejected)$/),
        absentLooks: 0,
        missing: 0,
        goesOn: false,
      });
    }
  });
}

/** The answer to the call that makes the order is lost: found where it was made, sent again where it was not, there once. */
export async function survivesLostAnswers(world: World, subject: Subject): Promise<void> {
  const endings: readonly Ending[] = [
    'drop',
    { status: 500 },
    { status: 502, body: '<html>Bad Gateway</html>' },
  ];
  await withSimulator(subject, async (simulator) => {
    for (const ending of endings) {
      for (const done of [true, false]) {
        const scene = await openScene(world, subject, simulator);
        const last = world.base.accounts.get(scene.account)?.open.verbs.submit.at(-1);
        if (last === undefined) throw new Error(`${subject.id} has no submit`);
        const body = await subject.body(scene);
        const held = await countAt(simulator, subject);
        const submit = await world.operation(await world.send(body), 'submit');
        await scene.control('/_control', {
          match: { verb: subject.verbs[last.name] },
          times: 1,
          do: done ? accepting(ending) : losing(ending),
        });
        await ringUntil(world, submit, ({ state }) => state === 'unconfirmed');
        await world.openDoors(scene.account);
        const { state, attempts, letters, tries } = await ringToEnd(world, submit);
        const made = tries.filter(({ step, purpose }) => step === last.name && purpose === 'call');
        const more = (await countAt(simulator, subject)) - held;
        expect({ ending, done, state, attempts, letters, made: made.length, more }).toEqual({
          ending,
          done,
          state: 'succeeded',
          attempts: done ? 1 : 2,
          letters: [],
          made: done ? 1 : 2,
          more: 1,
        });
      }
    }
  });
}

/** What the provider says of the content reaches the shop letter by letter; a corrected order is another generation, and goes out. */
export async function keepsItsWords(world: World, subject: Subject): Promise<void> {
  await withSimulator(subject, async (simulator) => {
    const scene = await openScene(world, subject, simulator);
    const { step, told, said, fields } = subject.complaint;
    await tell(scene, subject, step, told);
    const body = await subject.body(scene);
    const orderId = await world.send(body);
    const refused = await ringToEnd(world, await world.operation(orderId, 'submit'));
    expect(refused).toMatchObject({ state: 'rejected', order: { status: 'failed', attention: null } });
    expect(refused.order?.failure?.message).toContain(said);
    expect(refused.order?.failure?.fields).toEqual(fields);
    const { generation } = taken(
      await world.base.operator.correct(orderId, { ...body, metadata: { mended: 'yes' } }, 'shop'),
    );
    expect(generation).toBe(2);
    const end = await ringToEnd(world, await world.operation(orderId, 'submit'));
    expect(end).toMatchObject({ state: 'succeeded', order: { failure: null } });
  });
}

/** A refusal that repeats what was sent, keys and customer included, a thousand times over. */
export async function boundsItsEvidence(world: World, subject: Subject): Promise<void> {
  await withSimulator(subject, async (simulator) => {
    const scene = await openScene(world, subject, simulator);
    const { credentials } = simulator.account('any');
    const body = await subject.body(scene);
    const echo = JSON.stringify({ ...credentials, ...body }).repeat(1_000);
    for (const text of [echo, JSON.stringify({ message: 'no', sent: { ...credentials, ...body } })]) {
      const last = world.base.accounts.get(scene.account)?.open.verbs.submit.at(-1);
      if (last === undefined) throw new Error(`${subject.id} has no submit`);
      await tell(scene, subject, last.name, { status: 400, body: text });
      const order = { ...(await subject.body(scene)), reference: `${String(body.reference)}-${text.length}` };
      const orderId = await world.send(order);
      const { tries } = await ringToEnd(world, await world.operation(orderId, 'submit'));
      const evidence = JSON.stringify(tries);
      expect(evidence.length).toBeLessThan(20_000);
      expect(secretsOf(credentials, body).filter((secret) => evidence.includes(secret))).toEqual([]);
    }
  });
}

/** Every value that must not be written down: credentials, and what tells who the customer is. */
function secretsOf(credentials: Record<string, string>, body: Record<string, unknown>): string[] {
  const { expiresAt: _public, clientId: _name, ...keys } = credentials;
  const { phone, email } = Object(body.customer);
  return [...Object.values(keys), phone, email].filter((value) => typeof value === 'string');
}

/** Untrusted input: whatever an answer holds, reading its error and its status throws nothing. */
export async function readsAnything(world: World, subject: Subject): Promise<void> {
  const open = await withSimulator(subject, async (simulator) => {
    const { account } = await openScene(world, subject, simulator);
    return world.base.accounts.get(account)?.open;
  });
  if (open === undefined) throw new Error(`an account of ${subject.id} cannot be opened`);
  const answers = fc.record({
    status: fc.integer({ min: 200, max: 599 }),
    json: fc.oneof(fc.jsonValue(), fc.anything(), fc.constant(undefined)),
    body: fc.string(),
  });
  fc.assert(
    fc.property(answers, ({ status, json, body }) => {
      const answer = { kind: 'answered', status, headers: {}, body, json, receivedAt: 0 } as const;
      expect(typeof open.readError(answer).message).toBe('string');
      expect(open.statusOf?.(answer) ?? status).toBeGreaterThanOrEqual(200);
    }),
    { numRuns: 300 },
  );
}

async function stepsAt(world: World, subject: Subject, simulator: Simulator): Promise<WalkedStep[]> {
  const { account } = await openScene(world, subject, simulator);
  const open = world.base.accounts.get(account)?.open;
  if (open === undefined) throw new Error(`account ${account} cannot be opened`);
  return stepsOf(open).filter(({ step }) => subject.only?.includes(step.name) ?? true);
}

async function withSimulator<T>(subject: Subject, work: (simulator: Simulator) => Promise<T>): Promise<T> {
  const simulator = await subject.start();
  try {
    return await work(simulator);
  } finally {
    await simulator.close();
  }
}

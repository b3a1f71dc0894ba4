/** What the model has found, as plain cases: each failed before it was mended. */
import { taken } from '../providers/conformance/world.js';
import { ByHand } from './by-hand.js';
import { bodyOf } from './commands.js';
import { rest } from './rest.js';
import { openRig, type Rig } from './rig.js';

let rig: Rig;
let hand: ByHand;

beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

beforeEach(async () => {
  hand = await ByHand.begin(rig);
});

const SENT = expect.stringContaining('was, or may have been, accepted');

/** The submit is done, nobody was told, and no look finds out anything for a day. */
async function unconfirmedForADay(): Promise<void> {
  await hand.work({ kind: 'answer lost', hiddenMs: 0 });
  await hand.pass(90_000_000);
  await hand.work({ kind: 'proxy 404' });
  expect(hand.letter).toMatchObject({ code: 'unconfirmed', state: 'open' });
}

test('a cancel that waits for a submit which is given up ends, and says why', async () => {
  await hand.work({ kind: 'answer lost', hiddenMs: 0 });
  await hand.cancel();
  await hand.pass(90_000_000);
  await hand.work({ kind: 'proxy 404' });
  expect(hand.operation('submit').state).toBe('dead');
  taken(await hand.sequence.operator.discard(hand.letter.id, { actor: 'operator:ada', reason: 'given up' }));
  await rest(hand.sequence);
  expect(hand.order.status).toBe('failed');
  expect(hand.operation('cancel')).toMatchObject({ state: 'rejected', lastCode: 'not_possible' });
});

test('a cancel that waits for a submit which may be replayed goes on waiting', async () => {
  await unconfirmedForADay();
  await hand.cancel();
  await hand.pass(60_000);
  await hand.work();
  expect(hand.operation('cancel')).toMatchObject({ state: 'waiting', waitReason: 'busy' });
  taken(await hand.sequence.operator.replay(hand.letter.id, { actor: 'operator:ada' }));
  await rest(hand.sequence);
  expect(hand.order.status).toBe('canceled');
  expect(hand.words).toEqual(['canceled']);
});

/** The order was sent, the database has forgotten it, and the shop sends it once more. */
async function forgottenAndSentAgain(): Promise<void> {
  await hand.work();
  await hand.sequence.restoreWithout(hand.order);
  await hand.submitAgain();
  expect(hand.operation('submit').state).toBe('unconfirmed');
}

test('after a restore, an order that is looked for first is not canceled here alone', async () => {
  await forgottenAndSentAgain();
  await hand.cancel();
  expect(hand.order.status).toBe('received');
  await rest(hand.sequence);
  expect(hand.order).toMatchObject({ status: 'canceled', providerOrderId: 'house-1' });
  expect(hand.words).toEqual(['canceled']);
});

test('after a restore, nothing is corrected that may have been, or was, accepted before it', async () => {
  await forgottenAndSentAgain();
  const correct = () => hand.sequence.operator.correct(hand.order.id, bodyOf('order-1', true, 2), 'shop');
  expect(await correct()).toMatchObject({ ok: false, problem: { status: 409, detail: SENT } });
  await hand.work();
  expect(hand.order).toMatchObject({ status: 'submitted', providerOrderId: 'house-1' });
  expect(await correct()).toMatchObject({ ok: false, problem: { status: 409, detail: SENT } });
  await rest(hand.sequence);
  expect(hand.writes).toEqual(['submit']);
});

test('after a restore, a worker that dies as it looks for an order leaves it to be looked for', async () => {
  await forgottenAndSentAgain();
  await hand.work({ kind: 'held', at: 'there' });
  await hand.sequence.crash(0);
  await hand.sequence.maintain();
  await hand.sequence.check();
  expect(hand.operation('submit').state).toBe('unconfirmed');
  await rest(hand.sequence);
  expect(hand.order).toMatchObject({ status: 'submitted', providerOrderId: 'house-1' });
  expect(hand.writes).toEqual(['submit']);
});

/**
 * Cancels against submits, each interleaving by its name, on real rows and a provider in memory that holds a call
 * where the test wants it held. The random ones are in test/model.
 */
import { ByHand } from '../model/by-hand.js';
import { type Fate, THROUGH } from '../model/calls.js';
import { rest } from '../model/rest.js';
import { openRig, type Rig } from '../model/rig.js';

let rig: Rig;
let hand: ByHand;

beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

beforeEach(async () => {
  hand = await ByHand.begin(rig);
});

test('before its dispatch, an order is canceled here and nothing is ever sent', async () => {
  await hand.cancel();
  expect(hand.order).toMatchObject({ status: 'canceled', providerOrderId: null });
  await rest(hand.sequence);
  expect(hand.sequence.calls.all).toEqual([]);
  expect([hand.operation('submit').state, hand.operation('cancel').state]).toEqual(['canceled', 'succeeded']);
});

test('a bell that rang before the cancel sends nothing after it', async () => {
  const rung = await hand.sequence.dispatch();
  await hand.cancel();
  for (const bell of rung) await hand.sequence.answer(0, bell, THROUGH);
  await rest(hand.sequence);
  expect(hand.sequence.calls.all).toEqual([]);
  expect(hand.order.status).toBe('canceled');
});

test('in flight, a cancel waits for the answer and is then made at the provider', async () => {
  await hand.work({ kind: 'held', at: 'there' });
  await hand.cancel();
  expect(hand.order.status).toBe('received');
  expect(hand.operation('cancel')).toMatchObject({ state: 'waiting', waitReason: 'busy' });
  const submit = hand.held;
  await hand.sequence.release(submit, (calls) => calls.goOn(submit));
  await rest(hand.sequence);
  expect(hand.order).toMatchObject({ status: 'canceled', providerOrderId: 'house-1' });
  expect(hand.words).toEqual(['canceled']);
  expect(hand.writes).toEqual(['submit', 'cancel']);
});

test('in flight and then refused, the order ends here and no cancel goes out', async () => {
  await hand.work({ kind: 'held', at: 'socket' });
  await hand.cancel();
  const submit = hand.held;
  await hand.sequence.release(submit, (calls) => calls.breakOff(submit));
  await rest(hand.sequence);
  expect(hand.order).toMatchObject({ status: 'canceled', providerOrderId: null });
  expect(hand.writes).toEqual(['submit']);
  expect(hand.words).toEqual([]);
});

test('unconfirmed, the order is looked for first, and what is found is canceled', async () => {
  await hand.work({ kind: 'answer lost', hiddenMs: 0 });
  await hand.cancel();
  expect(hand.order.status).toBe('received');
  expect([hand.operation('submit').state, hand.operation('cancel').state]).toEqual([
    'unconfirmed',
    'waiting',
  ]);
  await rest(hand.sequence);
  expect(hand.order).toMatchObject({ status: 'canceled', providerOrderId: 'house-1' });
  expect(hand.words).toEqual(['canceled']);
  expect(hand.writes).toEqual(['submit', 'cancel']);
});

test('unconfirmed and proven absent, the order ends here and is not sent again', async () => {
  await hand.work({ kind: 'afloat' });
  await hand.cancel();
  await rest(hand.sequence);
  expect(hand.order).toMatchObject({ status: 'canceled', providerOrderId: null });
  expect(hand.operation('submit').state).toBe('canceled');
  expect(hand.writes).toEqual(['submit']);
});

/** The submit was lost, and looks have judged it absent: it is to go out again. */
async function judgedAbsent(fate: Fate): Promise<void> {
  await hand.work(fate);
  await hand.workUntil('pending');
  expect(hand.operation('submit').lastCode).toBe('absent');
}

test('after an absent, the order is looked for anew before the cancel is believed', async () => {
  await judgedAbsent({ kind: 'afloat' });
  await hand.cancel();
  expect(hand.order.status).toBe('received');
  expect(hand.operation('submit').state).toBe('unconfirmed');
  await rest(hand.sequence);
  expect(hand.order).toMatchObject({ status: 'canceled', providerOrderId: null });
  expect(hand.writes).toEqual(['submit']);
});

test('after an absent that was wrong, the late order is found and canceled', async () => {
  await judgedAbsent({ kind: 'answer lost', hiddenMs: 10_000 });
  await hand.cancel();
  await hand.pass(10_000);
  await rest(hand.sequence);
  expect(hand.order).toMatchObject({ status: 'canceled', providerOrderId: 'house-1' });
  expect(hand.words).toEqual(['canceled']);
  expect(hand.writes).toEqual(['submit', 'cancel']);
});

test('after it has shipped, a cancel is refused, and the shop is told so', async () => {
  await hand.work();
  const [there] = hand.sequence.house.orders;
  if (there === undefined) throw new Error('the provider holds nothing');
  for (const _ of ['in_production', 'shipped']) hand.sequence.house.advance(there);
  await hand.cancel();
  await rest(hand.sequence);
  expect(hand.order).toMatchObject({ status: 'shipped', attention: null });
  expect(hand.operation('cancel')).toMatchObject({ state: 'rejected', lastCode: 'too_late' });
  const again = await hand.sequence.operator.cancel(hand.order.id, 'shop');
  expect(again).toMatchObject({ ok: false, problem: { detail: 'the order is shipped' } });
});

test('asked twice, a cancel is one operation and one call', async () => {
  await hand.work();
  await hand.cancel();
  await hand.cancel();
  await rest(hand.sequence);
  await hand.sequence.operator.cancel(hand.order.id, 'shop');
  await rest(hand.sequence);
  expect(hand.sequence.rows.operations.filter(({ kind }) => kind === 'cancel')).toHaveLength(1);
  expect(hand.writes).toEqual(['submit', 'cancel']);
});

/** The alphabet of the model: what a shop, an operator, a network, a machine, a provider and time can do. */
import fc from 'fast-check';
import type { JsonObject } from '../../src/json.js';
import { type Fate, THROUGH } from './calls.js';
import { ofOrder, referenceOf } from './invariants.js';
import { ACCOUNT, SPACING_MS } from './rig.js';
import type { LetterRow, OrderRow } from './rows.js';
import type { Sequence } from './sequence.js';

/** One step of a sequence; checks everything when it is done. */
type Command = fc.AsyncCommand<Sequence, Sequence>;

/** Orders of one sequence: two are enough to get in each other's way. */
const MOST_ORDERS = 2;

function command(
  text: string,
  run: (sequence: Sequence) => Promise<unknown>,
  check: (sequence: Readonly<Sequence>) => boolean = () => true,
): Command {
  return {
    check,
    async run(sequence) {
      await run(sequence);
      await sequence.check();
    },
    toString: () => text,
  };
}

function pick<T>(all: readonly T[], index: number): T | undefined {
  return all[index % all.length];
}

/** A body that the house takes. @param quantity tells one body from another */
export function bodyOf(reference: string, activate: boolean, quantity = 1): JsonObject {
  return {
    account: ACCOUNT,
    reference,
    ...(activate ? {} : { activate }),
    currency: 'EUR',
    customer: {
      firstName: 'Kari',
      lastName: 'Nordmann',
      email: 'kari@example.com',
      phone: '+47 22 22 22 22',
    },
    shippingAddress: { line1: 'Storgata 1', city: 'Oslo', postCode: '0155', country: 'NO' },
    items: [
      {
        reference: 'line-1',
        sku: 'poster',
        quantity,
        files: [{ type: 'default', url: 'https://files.example.com/a.pdf' }],
      },
    ],
  };
}

/** The order that a sequence begins with. */
export const submitFirst = (sequence: Sequence, activate = true) =>
  sequence.operator.submit(bodyOf('order-1', activate), { actor: 'shop' });

const index = fc.nat({ max: 3 });
const worker = fc.nat({ max: 1 });

/** An acceptance may show late, yet within the looks; or so late that only the watch finds it. */
const hiddenMs = fc.constantFrom(0, 1_500, SPACING_MS - 1_000, 60_000);

/** What may become of a call. */
export const fates: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>(THROUGH) },
  {
    weight: 12,
    arbitrary: fc
      .constantFrom<('socket' | 'there' | 'back')[]>('back', 'there', 'socket')
      .map((at): Fate => ({ kind: 'held', at })),
  },
  { weight: 8, arbitrary: hiddenMs.map((ms): Fate => ({ kind: 'answer lost', hiddenMs: ms })) },
  { weight: 5, arbitrary: fc.constant<Fate>({ kind: 'afloat' }) },
  { weight: 1, arbitrary: fc.constant<Fate>({ kind: 'not sent' }) },
  {
    weight: 7,
    arbitrary: fc
      .constantFrom(500, 409, 404, 409, 404, 400, 429, 401)
      .map((status): Fate => ({ kind: 'refused', status })),
  },
  { weight: 2, arbitrary: fc.constant<Fate>({ kind: 'done, 500' }) },
  { weight: 1, arbitrary: fc.constant<Fate>({ kind: 'proxy 404' }) },
  { weight: 1, arbitrary: fc.constant<Fate>({ kind: 'blind' }) },
);

function fateText(fate: Fate): string {
  switch (fate.kind) {
    case 'held':
      return `held: ${fate.at}`;
    case 'answer lost':
      return fate.hiddenMs === 0 ? 'answer lost' : `answer lost, hidden for ${fate.hiddenMs} ms`;
    case 'refused':
      return `refused: ${fate.status}`;
    default:
      return fate.kind;
  }
}

/** Bells that ring are answered one after the other; the first call that comes of it meets the fate. */
const work = fc
  .record({ who: worker, fate: fates })
  .map(({ who, fate }) => command(`work(${who}, ${fateText(fate)})`, (sequence) => sequence.work(who, fate)));

/** A while without trouble: time passes from bell to bell, and each is answered. */
const quiet = fc
  .record({ who: worker, bells: fc.integer({ min: 1, max: 4 }) })
  .map(({ who, bells }) =>
    command(`quiet(${who}, ${bells} bells)`, (sequence) => answerBells(sequence, who, bells)),
  );

async function answerBells(sequence: Sequence, who: number, bells: number): Promise<void> {
  for (let bell = 0; bell < bells; bell += 1) {
    await sequence.maintain();
    const waits = sequence.rows.operations.flatMap(({ ringMs }) => (ringMs === null ? [] : [ringMs]));
    if (waits.length === 0) return;
    await sequence.pass(Math.max(Math.min(...waits), 0) + 1);
    await sequence.work(who, THROUGH);
    await sequence.check();
  }
}

/** Bells until what a lost process left has been looked for, judged and sent again. */
const BELLS_OVER_A_LOSS = 4;

/** A process seems gone and lives: the other one goes on with what it had, before its calls come back. */
const outlived = worker.map((who) =>
  command(`outlived(${who})`, async (sequence) => {
    await sequence.loseSight(who);
    await answerBells(sequence, 1 - who, BELLS_OVER_A_LOSS);
  }),
);

/** Longer than anything is looked for, ms. */
const MORE_THAN_A_DAY_MS = 90_000_000;

/** What is looked for is not found out for so long that a person has to decide. */
const unknownForADay = worker.map((who) =>
  command(`unknown for a day(${who})`, async (sequence) => {
    await sequence.pass(MORE_THAN_A_DAY_MS);
    await sequence.work(who, { kind: 'proxy 404' });
  }),
);

/** Both processes answer whatever rings, at the same time; the first bell rings at both. */
const workTogether = fc.record({ one: fates, other: fates }).map(({ one, other }) =>
  command(`work together(${fateText(one)}, ${fateText(other)})`, async (sequence) => {
    const rung = await sequence.dispatch();
    const [first] = rung;
    await Promise.all([
      ...rung.map((operation, n) => sequence.answer(n % 2, operation, one)),
      ...(first === undefined ? [] : [sequence.answer(1, first, other)]),
    ]);
  }),
);

/** A bell too many, of whatever there is: early, late, or of what is over. */
const bell = fc.record({ who: worker, at: fc.nat({ max: 9 }), fate: fates }).map(({ who, at, fate }) =>
  command(`bell(${who}, operation ${at}, ${fateText(fate)})`, async (sequence) => {
    const operation = pick(sequence.rows.operations, at);
    if (operation !== undefined) await sequence.answer(who, operation, fate);
  }),
);

/** Bells that nobody answers: they ring again later. */
const losesBells = fc.constant(command('bells lost', (sequence) => sequence.dispatch()));

const releases = fc
  .record({ at: index, how: fc.constantFrom('goes on' as const, 'breaks' as const) })
  .map(({ at, how }) =>
    command(
      `held call ${at} ${how}`,
      async (sequence) => {
        const call = pick(sequence.held.filter(sequence.callerRuns, sequence), at);
        if (call !== undefined)
          await sequence.release(call, (calls) =>
            how === 'breaks' ? calls.breakOff(call) : calls.goOn(call),
          );
      },
      (sequence) => sequence.held.length > 0,
    ),
  );

const arrives = fc.record({ at: index, ms: hiddenMs }).map(({ at, ms }) =>
  command(
    `call ${at} arrives${ms === 0 ? '' : `, hidden for ${ms} ms`}`,
    async (sequence) => {
      const call = pick(sequence.underWay, at);
      if (call !== undefined) await sequence.release(call, (calls) => calls.arrive(call, ms));
    },
    (sequence) => sequence.underWay.length > 0,
  ),
);

const machine = fc
  .record({
    who: worker,
    what: fc.constantFrom('crash' as const, 'freeze' as const, 'thaw' as const, 'loseSight' as const),
  })
  .map(({ who, what }) =>
    command(
      `${what}(${who})`,
      async (sequence) => sequence[what](who),
      (sequence) => what === 'crash' || sequence.isFrozen(who) === (what === 'thaw'),
    ),
  );

const restores = aboutOrder('restore without', (sequence, order) => sequence.restoreWithout(order));

/** Seconds to the next look, the end of a call, of a lease, of a closed gate, of a frozen caller's grace, of a day. */
const passes = fc
  .record({
    ms: fc.constantFrom(1_000, 2_500, 6_000, 20_000, 61_000, 700_000, MORE_THAN_A_DAY_MS),
    maintained: fc.boolean(),
  })
  .map(({ ms, maintained }) =>
    command(`pass(${ms} ms${maintained ? ', maintained' : ''})`, async (sequence) => {
      await sequence.pass(ms);
      if (maintained) await sequence.maintain();
    }),
  );

const maintains = fc.constant(command('maintain', (sequence) => sequence.maintain()));

const submits = fc.boolean().map((activate) =>
  command(
    activate ? 'submit' : 'submit a draft',
    async (sequence) => {
      const taken = sequence.rows.orders.map((order) => order.reference);
      const reference = taken.includes('order-1') ? 'order-2' : 'order-1';
      await sequence.operator.submit(bodyOf(reference, activate), { actor: 'shop' });
    },
    (sequence) => sequence.rows.orders.length < MOST_ORDERS,
  ),
);

function aboutOrder(name: string, run: (sequence: Sequence, order: OrderRow) => Promise<unknown>) {
  return index.map((at) =>
    command(`${name}(order ${at})`, async (sequence) => {
      const order = pick(sequence.rows.orders, at);
      if (order !== undefined) await run(sequence, order);
    }),
  );
}

const cancels = aboutOrder('cancel', async (sequence, order) => {
  const unsent = !sequence.rows.attempts.some(
    ({ orderId, generation }) => orderId === order.id && generation === order.generation,
  );
  const asked = await sequence.operator.cancel(order.id, 'shop');
  if (asked.ok && unsent && order.status === 'received')
    sequence.history.neverToBeSent.set(referenceOf(order), sequence.calls.all.length);
});

/** A cancel whose bell rings at once, whatever else of the order is under way. */
const cancelsAtOnce = fc.record({ at: index, who: worker, fate: fates }).map(({ at, who, fate }) =>
  command(`cancel and ring(order ${at}, ${who}, ${fateText(fate)})`, async (sequence) => {
    const order = pick(sequence.rows.orders, at);
    if (order === undefined) return;
    await sequence.operator.cancel(order.id, 'shop');
    await sequence.check();
    const asked = sequence.rows.operations.findLast(
      ({ orderId, kind }) => orderId === order.id && kind === 'cancel',
    );
    if (asked !== undefined) await sequence.answer(who, asked, fate);
  }),
);

const activates = aboutOrder('activate', ({ operator }, { id }) => operator.activate(id, 'shop'));
const reads = aboutOrder('read', ({ operator }, { id }) => operator.syncOrder(id, 'shop'));
const corrects = aboutOrder('correct', ({ operator }, { id, reference, generation }) =>
  operator.correct(id, bodyOf(reference, true, 1), `shop ${generation}`),
);
const submitsAgain = aboutOrder('submit again', ({ operator }, { reference }) =>
  operator.submit(bodyOf(reference, true), { actor: 'shop' }),
);

const providerMoves = fc
  .record({ at: index, what: fc.constantFrom('goes on' as const, 'canceled' as const, 'failed' as const) })
  .map(({ at, what }) =>
    command(
      `provider's order ${at}: ${what}`,
      async ({ house }) => {
        const order = pick(house.orders, at);
        if (order === undefined) return;
        if (what === 'goes on') house.advance(order);
        else if (order.word === 'received' || order.word === 'in_production') order.word = what;
      },
      ({ house }) => house.orders.length > 0,
    ),
  );

const isOpen = ({ state }: LetterRow): boolean => state === 'open';

const decides = fc
  .record({ at: index, what: fc.constantFrom('replay', 'adopt', 'discard', 'force') })
  .map(({ at, what }) =>
    command(
      `${what}(letter ${at})`,
      async (sequence) => {
        const letter = pick(sequence.rows.letters.filter(isOpen), at);
        if (letter !== undefined) await decide(sequence, letter, what);
      },
      ({ rows }) => rows.letters.some(isOpen),
    ),
  );

async function decide(sequence: Sequence, letter: LetterRow, what: string) {
  const { operator, house, rows } = sequence;
  const actor = 'operator:ada';
  if (what === 'discard') return operator.discard(letter.id, { actor, reason: 'given up' });
  if (what !== 'adopt')
    return operator.replay(letter.id, { actor, reason: 'once more', force: what === 'force' });
  const order = rows.orders.find(({ id }) => id === letter.orderId);
  const there = order === undefined ? undefined : ofOrder(house, order).at(-1);
  const providerOrderId = letter.candidates[0]?.providerOrderId ?? there?.id ?? 'none';
  return operator.adopt(letter.id, { actor, providerOrderId });
}

const pauses = fc.constant(
  command('pause', ({ operator }) =>
    operator.pauseAccount(ACCOUNT, { reason: 'a pause', actor: 'operator' }),
  ),
);
const resumes = fc.constant(command('resume', ({ operator }) => operator.resumeAccount(ACCOUNT, 'operator')));

/** Any command; weighted so that about every third sequence gets as far as a confirmation. */
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 12, arbitrary: work },
  { weight: 10, arbitrary: passes },
  { weight: 7, arbitrary: cancels },
  { weight: 4, arbitrary: cancelsAtOnce },
  { weight: 4, arbitrary: maintains },
  { weight: 5, arbitrary: releases },
  { weight: 7, arbitrary: machine },
  { weight: 3, arbitrary: arrives },
  { weight: 3, arbitrary: workTogether },
  { weight: 10, arbitrary: decides },
  { weight: 3, arbitrary: submits },
  { weight: 2, arbitrary: bell },
  { weight: 2, arbitrary: providerMoves },
  { weight: 2, arbitrary: corrects },
  { weight: 1, arbitrary: losesBells },
  { weight: 4, arbitrary: activates },
  { weight: 1, arbitrary: reads },
  { weight: 1, arbitrary: submitsAgain },
  { weight: 6, arbitrary: quiet },
  { weight: 3, arbitrary: outlived },
  { weight: 3, arbitrary: unknownForADay },
  { weight: 1, arbitrary: restores },
  { weight: 1, arbitrary: pauses },
  { weight: 3, arbitrary: resumes },
);

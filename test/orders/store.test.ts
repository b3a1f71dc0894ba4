import { v7 as uuid } from 'uuid';
import { connect, type Database, json } from '../../src/database/connect.js';
import { openPresence, PRESENCE_CLASS, type Presence } from '../../src/database/presence.js';
import { type Claim, claimOperations } from '../../src/orders/store/claim.js';
import { absorbLate, closeAbsent } from '../../src/orders/store/confirm.js';
import { ringAllAgain, ringDue } from '../../src/orders/store/dispatch.js';
import { correctOrder, insertOrders, type NewOrder } from '../../src/orders/store/intake.js';
import { recoverLost } from '../../src/orders/store/recover.js';
import { type OrderChange, type Settlement, settleAttempts } from '../../src/orders/store/settle.js';
import { cancel } from '../../src/orders/store/verbs.js';
import { systemTime } from '../../src/time.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';

let database: TestDatabase;
let db: Database;
let presence: Presence;

beforeAll(async () => {
  database = await createDatabase();
  db = await connect({ url: database.url, max: 10, applicationName: 'test', onError: () => undefined });
  presence = await openPresence(database.url, {
    applicationName: 'test',
    time: systemTime,
    log: () => undefined,
  });
});

afterAll(async () => {
  await presence.close();
  await db.close();
  await database.drop();
});

beforeEach(async () => {
  await db.query(
    `truncate packline.accounts, packline.orders, packline.operations, packline.attempts, packline.events, packline.dead_letters, packline.gates cascade`,
  );
  await db.query(
    `insert into packline.accounts (id, provider, config, credentials) values ('shop', 'gelato-connect', '{"confirm":{"graceMs":1000}}', 'sealed')`,
  );
  await db.query(`insert into packline.gates (account_id) values ('shop')`);
});

function newOrder(reference: string, extra: Partial<NewOrder> = {}): NewOrder {
  return {
    id: uuid(),
    accountId: 'shop',
    reference,
    body: { account: 'shop', reference },
    bodyHash: `hash of ${reference}`,
    held: false,
    step: 'submit',
    stepRepeatable: false,
    priority: 5,
    serialKey: null,
    lookable: false,
    actor: 'shop',
    ...extra,
  };
}

const MARKS = [{ account: 'shop', jobs: 100, againMs: 30_000 }];

async function store(reference: string): Promise<string> {
  const [stored] = await insertOrders(db, [newOrder(reference)]);
  if (stored === undefined) throw new Error('nothing was stored');
  return stored.orderId;
}

async function claimAll(): Promise<Claim[]> {
  const rung = await ringDue(db, MARKS, 0);
  const results = await claimOperations(
    db,
    rung.map(({ id }) => ({ operationId: id, timeoutMs: 2_000 })),
    presence.key,
    PRESENCE_CLASS,
  );
  return results.flatMap((result) => (result.ok ? [result.claim] : []));
}

async function claimOne(): Promise<Claim> {
  const [claim] = await claimAll();
  if (claim === undefined) throw new Error('nothing could be claimed');
  return claim;
}

const ORDER_CHANGE: OrderChange = {
  from: ['received'],
  to: 'submitted',
  rawStatus: 'created',
  providerOrderId: 'p-1',
  providerData: null,
  failure: null,
  attention: 'clear',
  tracking: null,
  readMs: 1_000,
};

function settlement(claim: Claim, extra: Partial<Settlement> = {}): Settlement {
  return {
    operationId: claim.operationId,
    attemptId: claim.attemptId,
    fence: claim.fence,
    evidence: {
      report: 'accepted',
      verdict: 'accepted',
      outcome: 'accepted',
      code: 'ok',
      httpStatus: 200,
      providerOrderId: 'p-1',
      rule: null,
      durationMs: 5,
      excerpt: null,
      data: null,
    },
    transition: {
      state: 'succeeded',
      delayMs: 0,
      ringMs: null,
      spend: 1,
      lastOutcome: { kind: 'accepted', code: 'ok', message: null },
    },
    order: ORDER_CHANGE,
    event: { type: 'order.submitted', data: {} },
    deadLetter: null,
    found: null,
    followUp: null,
    ...extra,
  };
}

const unknown = (claim: Claim): Settlement =>
  settlement(claim, {
    evidence: {
      ...settlement(claim).evidence,
      report: 'unknown',
      verdict: null,
      outcome: 'unknown',
      code: 'timeout',
      providerOrderId: null,
    },
    transition: {
      state: 'unconfirmed',
      delayMs: 0,
      ringMs: 0,
      spend: 1,
      priority: 2,
      confirm: { fromMs: 0, mayRepeat: true },
      deadlineMs: 60_000,
      lastOutcome: { kind: 'unknown', code: 'timeout', message: null },
    },
    order: null,
    event: { type: 'operation.unconfirmed', data: {} },
  });

async function row(orderId: string) {
  const order = await db.prisma.order.findUniqueOrThrow({
    where: { id: orderId },
    include: { operations: true, attempts: true, deadLetters: true },
  });
  return order;
}

describe('the store', () => {
  test('stores an order once, and tells an equal body from another one', async () => {
    const [first] = await insertOrders(db, [newOrder('a')]);
    const again = await insertOrders(db, [newOrder('a'), newOrder('a', { bodyHash: 'other' })]);
    expect(first?.result).toBe('created');
    expect(again).toEqual([
      { orderId: first?.orderId, result: 'same' },
      { orderId: first?.orderId, result: 'taken' },
    ]);
    expect(await db.prisma.operation.count()).toBe(1);
    expect(await db.prisma.event.count()).toBe(1);
  });

  test('claims an order with its attempt, and settles both with the order and an event', async () => {
    const id = await store('a');
    const claim = await claimOne();
    expect(claim).toMatchObject({
      kind: 'submit',
      step: 'submit',
      purpose: 'call',
      attempts: 0,
      fence: 1,
      order: { id, reference: 'a' },
    });
    const running = await row(id);
    expect(running.busyOp).toBe(BigInt(claim.operationId));
    expect(running.attempts[0]).toMatchObject({ report: null, verdict: null, repeatable: false });
    const [settled] = await settleAttempts(db, [settlement(claim)]);
    expect(settled).toMatchObject({ applied: true, orderId: id, cancelAsked: false });
    const after = await row(id);
    expect(after).toMatchObject({ status: 'submitted', providerOrderId: 'p-1', busyOp: null });
    expect(after.operations[0]).toMatchObject({ state: 'succeeded', attempts: 1, calls: 1 });
    expect(after.attempts[0]).toMatchObject({
      verdict: 'accepted',
      report: 'accepted',
      providerOrderId: 'p-1',
    });
  });

  test('claims an operation once, however many bells ring for it', async () => {
    await store('a');
    const rung = await ringDue(db, MARKS, 0);
    const request = rung.map(({ id }) => ({ operationId: id, timeoutMs: 2_000 }));
    const results = await Promise.all(
      [1, 2, 3, 4].map(() => claimOperations(db, request, presence.key, PRESENCE_CLASS)),
    );
    expect(results.flat().filter(({ ok }) => ok)).toHaveLength(1);
    expect(await db.prisma.attempt.count()).toBe(1);
  });

  test('rings no account above its high-water mark, nor one whose gate is closed or that is paused', async () => {
    await insertOrders(
      db,
      Array.from({ length: 10 }, (_, n) => newOrder(`r${n}`)),
    );
    expect(await ringDue(db, [{ account: 'shop', jobs: 4, againMs: 30_000 }], 0)).toHaveLength(4);
    expect(await ringDue(db, [{ account: 'shop', jobs: 4, againMs: 30_000 }], 0)).toHaveLength(0);
    await db.query(`update packline.gates set blocked_until = now() + interval '1 minute'`);
    expect(await ringDue(db, MARKS, 0)).toHaveLength(0);
    await db.query(`update packline.gates set blocked_until = null`);
    await db.query(`update packline.accounts set pause_code = 'operator'`);
    expect(await ringDue(db, MARKS, 0)).toHaveLength(0);
  });

  test('rings one bell in five for what has been due for longest, as urgently as for anything', async () => {
    await insertOrders(
      db,
      Array.from({ length: 20 }, (_, n) => newOrder(`r${n}`)),
    );
    await db.query(
      `insert into packline.operations (account_id, kind, priority, step, step_repeatable, ring_at, actor)
       values ('shop', 'poll', 6, 'get', true, now() - interval '1 hour', 'packline')`,
    );
    const ring = async (jobs: number, random: number) =>
      (await ringDue(db, [{ account: 'shop', jobs, againMs: 30_000 }], random)).map(
        ({ kind, priority }) => `${kind} ${priority}`,
      );
    expect(await ring(4, 0)).toEqual(Array(4).fill('submit 5'));
    expect((await ring(9, 0)).sort()).toEqual(['poll 1', ...Array(4).fill('submit 5')]);
    // Less room than for five: some rounds.
    expect(await ring(10, 0.1)).toEqual(['submit 5']);
    expect(await ring(11, 0.9)).toEqual(['submit 1']);
  });

  test('refuses a claim behind a closed gate, of a paused account, and of what is not there', async () => {
    await store('a');
    const rung = await ringDue(db, MARKS, 0);
    const ask = async (id: string) => {
      const [result] = await claimOperations(
        db,
        [{ operationId: id, timeoutMs: 1 }],
        presence.key,
        PRESENCE_CLASS,
      );
      return result?.ok === false ? result.refusal : 'claimed';
    };
    const id = rung[0]?.id ?? '';
    await db.query(`update packline.gates set blocked_until = now() + interval '1 minute'`);
    expect(await ask(id)).toBe('gate_closed');
    await db.query(`update packline.gates set blocked_until = null`);
    await db.query(`update packline.accounts set pause_code = 'operator'`);
    expect(await ask(id)).toBe('paused');
    expect(await ask('999999')).toBe('gone');
  });

  test('lets only the owner of the fence move an operation, and keeps everybody’s evidence', async () => {
    const id = await store('a');
    const claim = await claimOne();
    const [settled] = await settleAttempts(db, [settlement({ ...claim, fence: 99 })]);
    expect(settled?.applied).toBe(false);
    const after = await row(id);
    expect(after.status).toBe('received');
    expect(after.operations[0]?.state).toBe('running');
    expect(after.attempts[0]?.verdict).toBe('accepted');
  });

  test('recovers what a dead process left: unconfirmed where it may have been sent', async () => {
    const id = await store('a');
    const other = await openPresence(database.url, {
      applicationName: 'other',
      time: systemTime,
      log: () => undefined,
    });
    const rung = await ringDue(db, MARKS, 0);
    await claimOperations(
      db,
      rung.map((r) => ({ operationId: r.id, timeoutMs: 1_000 })),
      other.key,
      PRESENCE_CLASS,
    );
    expect(await recoverLost(db, PRESENCE_CLASS)).toHaveLength(0);
    await other.close();
    expect(await recoverLost(db, PRESENCE_CLASS)).toMatchObject([
      { state: 'unconfirmed', why: 'owner_gone', orderId: id },
    ]);
    const after = await row(id);
    expect(after.operations[0]).toMatchObject({ state: 'unconfirmed', fence: 2 });
    expect(after.busyOp).toBeNull();
  });

  test('recovers a repeatable step as pending, and a lease that has ended', async () => {
    const id = await store('a');
    await claimOne();
    await db.query(`update packline.attempts set repeatable = true`);
    await db.query(`update packline.operations set lease_until = now() - interval '1 s'`);
    expect(await recoverLost(db, PRESENCE_CLASS)).toMatchObject([{ state: 'pending', why: 'lease_ended' }]);
    expect((await row(id)).operations[0]?.state).toBe('pending');
  });

  test('closes an unconfirmed call as absent only while it is open and its caller has spoken or gone', async () => {
    const id = await store('a');
    await settleAttempts(db, [unknown(await claimOne())]);
    const look = await claimOne();
    expect(look).toMatchObject({ purpose: 'look', counts: true, caller: 'spoken' });
    const absent = settlement(look, {
      evidence: {
        ...settlement(look).evidence,
        report: 'accepted',
        verdict: null,
        outcome: 'missing',
        code: 'absent',
        providerOrderId: null,
      },
      order: null,
    });
    expect(await db.transaction((sql) => closeAbsent(sql, absent, PRESENCE_CLASS))).toBe('pending');
    const after = await row(id);
    expect(after.operations[0]).toMatchObject({ state: 'pending' });
    expect(after.attempts.find(({ repeatable }) => !repeatable)).toMatchObject({ verdict: 'absent' });
    const again = await claimOne();
    expect(again).toMatchObject({ purpose: 'call', step: 'submit', fence: 3 });
  });

  test('does not close an absent call whose acceptance became known meanwhile', async () => {
    const id = await store('a');
    const call = await claimOne();
    await settleAttempts(db, [unknown(call)]);
    const look = await claimOne();
    await db.query(`update packline.attempts set verdict = 'accepted' where id = $1::bigint`, call.attemptId);
    expect(
      await db.transaction((sql) => closeAbsent(sql, settlement(look, { order: null }), PRESENCE_CLASS)),
    ).toBe('refused');
    expect((await row(id)).operations[0]?.state).toBe('running');
  });

  test('settles an open operation by a late acceptance', async () => {
    const id = await store('a');
    const call = await claimOne();
    await db.query(`update packline.operations set lease_until = now() - interval '1 s'`);
    await recoverLost(db, PRESENCE_CLASS);
    const late = settlement(call);
    expect((await settleAttempts(db, [late]))[0]?.applied).toBe(false);
    expect(await db.transaction((sql) => absorbLate(sql, late))).toBe('applied');
    expect(await row(id)).toMatchObject({
      status: 'submitted',
      providerOrderId: 'p-1',
      operations: [{ state: 'succeeded' }],
    });
  });

  /** An answer that the first of two steps had, and what follows from it. */
  const stepDone = (claim: Claim): Settlement =>
    settlement(claim, {
      evidence: { ...settlement(claim).evidence, outcome: 'done', providerOrderId: null },
      transition: {
        ...settlement(claim).transition,
        state: 'pending',
        ringMs: 0,
        spend: 0,
        step: 'order',
        stepRepeatable: false,
      },
      order: null,
      event: null,
    });

  const notSent = (claim: Claim): Settlement =>
    settlement(claim, {
      evidence: {
        ...settlement(claim).evidence,
        report: 'not_sent',
        verdict: 'not_sent',
        outcome: 'notSent',
        code: 'send_by',
        providerOrderId: null,
      },
      transition: { ...settlement(claim).transition, state: 'pending', ringMs: 0, spend: 0 },
      order: null,
      event: null,
    });

  const endLease = async () => {
    await db.query(`update packline.operations set lease_until = now() - interval '1 s'`);
    await recoverLost(db, PRESENCE_CLASS);
  };

  test.each([
    ['was answered', stepDone],
    ['was not sent', notSent],
  ])('is not moved back by late word that an earlier step %s', async (_what, word) => {
    await insertOrders(db, [newOrder('a', { step: 'customer', stepRepeatable: true })]);
    const frozen = await claimOne();
    await endLease();
    await settleAttempts(db, [stepDone(await claimOne())]);
    const call = await claimOne();
    expect(call).toMatchObject({ step: 'order', stepRepeatable: false });
    await settleAttempts(db, [unknown(call)]);

    const late = word(frozen);
    expect((await settleAttempts(db, [late]))[0]?.applied).toBe(false);
    expect(await db.transaction((sql) => absorbLate(sql, late))).toBe('recorded');
    // What is not known of the order is still looked up.
    expect(await claimOne()).toMatchObject({ purpose: 'look' });
  });

  test('goes on being looked for where another call than the unknown one turns out not to have been sent', async () => {
    await store('a');
    const first = await claimOne();
    await endLease();
    await db.query(`update packline.attempts set verdict = 'absent' where id = $1::bigint`, first.attemptId);
    await db.query(
      `update packline.operations set state = 'pending', ring_at = now() where id = $1::bigint`,
      first.operationId,
    );
    const second = await claimOne();
    await settleAttempts(db, [unknown(second)]);

    const late = notSent(first);
    await settleAttempts(db, [late]);
    expect(await db.transaction((sql) => absorbLate(sql, late))).toBe('recorded');
    expect(await claimOne()).toMatchObject({ purpose: 'look' });
  });

  test('is spared its looks by late word that its one call was not sent', async () => {
    await store('a');
    const call = await claimOne();
    await endLease();
    const late = notSent(call);
    await settleAttempts(db, [late]);
    expect(await db.transaction((sql) => absorbLate(sql, late))).toBe('applied');
    expect(await claimOne()).toMatchObject({ purpose: 'call', step: 'submit' });
  });

  test('opens a dead letter when a late acceptance names another order than the settled one', async () => {
    const id = await store('a');
    const call = await claimOne();
    await settleAttempts(db, [settlement(call)]);
    const late = settlement(
      { ...call, fence: 0 },
      { evidence: { ...settlement(call).evidence, providerOrderId: 'p-2' } },
    );
    expect(await db.transaction((sql) => absorbLate(sql, late))).toBe('duplicate');
    const after = await row(id);
    expect(after.deadLetters).toMatchObject([{ code: 'duplicate', state: 'open' }]);
    expect(after.attentionCode).toBe('duplicate');
  });

  test('cancels here what was never sent, and asks first where it may have been', async () => {
    const step = { name: 'cancel', repeatable: true };
    const unsent = await store('a');
    expect(await db.transaction((sql) => cancel(sql, unsent, step, 'shop'))).toEqual({ kind: 'ended' });
    expect(await row(unsent)).toMatchObject({ status: 'canceled' });
    const sent = await store('b');
    const call = await claimOne();
    expect(await db.transaction((sql) => cancel(sql, sent, step, 'shop'))).toEqual({ kind: 'asked' });
    expect((await row(sent)).operations.find(({ kind }) => kind === 'cancel')).toMatchObject({
      state: 'waiting',
      waitReason: 'busy',
    });
    await settleAttempts(db, [settlement(call)]);
    const next = await claimOne();
    expect(next).toMatchObject({ kind: 'cancel', order: { id: sent, providerOrderId: 'p-1' } });
  });

  test('corrects a refused order as its next generation, and never one that may have been accepted', async () => {
    const id = await store('a');
    const call = await claimOne();
    expect(await correctOrder(db, newOrder('a', { id }))).toBe(false);
    await settleAttempts(db, [
      settlement(call, {
        evidence: {
          ...settlement(call).evidence,
          report: 'refused',
          verdict: 'refused',
          providerOrderId: null,
        },
        transition: { ...settlement(call).transition, state: 'rejected' },
        order: {
          ...ORDER_CHANGE,
          to: 'failed',
          providerOrderId: null,
          failure: { code: 'x', message: 'y' },
        },
      }),
    ]);
    expect(await row(id)).toMatchObject({ status: 'failed', failure: { code: 'x' } });
    expect(await correctOrder(db, newOrder('a', { id, bodyHash: 'two' }))).toBe(true);
    expect(await row(id)).toMatchObject({ status: 'received', generation: 2, failure: null });
    expect(await claimOne()).toMatchObject({ kind: 'submit', order: { generation: 2 } });
  });

  test('rings everything again that the queue had held when it was emptied', async () => {
    await insertOrders(db, [newOrder('a'), newOrder('b')]);
    await ringDue(db, MARKS, 0);
    expect(await ringDue(db, MARKS, 0)).toHaveLength(0);
    expect(await ringAllAgain(db)).toBe(2);
    expect(await ringDue(db, MARKS, 0)).toMatchObject([{ ringNo: 2 }, { ringNo: 2 }]);
  });

  test('settles many operations in one statement, each for itself', async () => {
    await insertOrders(
      db,
      Array.from({ length: 20 }, (_, n) => newOrder(`m${n}`)),
    );
    const claims = await claimAll();
    expect(claims).toHaveLength(20);
    const settlements = claims.map((claim, n) => {
      const one = settlement(claim);
      return {
        ...one,
        fence: n === 3 ? 77 : claim.fence,
        order: one.order && { ...one.order, providerOrderId: `p-${n}` },
      };
    });
    const settled = await settleAttempts(db, settlements);
    expect(settled.filter(({ applied }) => applied)).toHaveLength(19);
    expect(await db.prisma.order.count({ where: { status: 'submitted' } })).toBe(19);
    expect(json(settled.length)).toBe('20');
  });
});

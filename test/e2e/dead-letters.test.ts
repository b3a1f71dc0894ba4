/** What ends before a human: the dead letter with its evidence, and each decision about it, made once. */

import type { DeadLetterJson, OrderJson, ReplayManyJson } from '../../src/views.js';
import { operation } from '../helpers/client.js';
import { accepting } from '../helpers/faults.js';
import { onBothBackends, type Scene, type TestPackline } from '../helpers/packline.js';
import { until } from '../helpers/until.js';

const is = (wanted: string) => (order: OrderJson) => order.status === wanted;
const submit = { verb: 'submit' };
const MISSING = { status: 404, body: { code: 404, message: 'The requested resource does not exist' } };

/** An order whose submit drew a 404: our configuration is wrong, says the design. */
async function misconfigured(packline: TestPackline, { simulator, send }: Scene, reference: string) {
  await simulator.fault({ match: { ...submit, reference }, times: 1, do: MISSING });
  const sent = await send(reference);
  return { sent, letter: await packline.letterOf(sent) };
}

onBothBackends((packline) => {
  test.concurrent('an id that another order holds already is put before a human, and ends nothing else', async () => {
    const scene = await packline().scene();
    const taken = { status: 200, body: { id: 'p-one', createdAt: '2026-01-01T00:00:00+00:00' } };
    for (const reference of ['T-1', 'T-2']) {
      const body = { ...taken.body, orderReferenceId: reference };
      await scene.simulator.fault({ match: { ...submit, reference }, times: 1, do: { ...taken, body } });
    }
    const first = await scene.send('T-1');
    await packline().orderWhen(first.id, 'submitted', is('submitted'));
    const second = await scene.send('T-2');
    expect(await packline().letterOf(second)).toMatchObject({
      code: 'id_taken',
      ambiguous: true,
      state: 'open',
    });
    expect(await packline().order(second.id)).toMatchObject({ status: 'received', providerOrderId: null });
    expect(await packline().order(first.id)).toMatchObject({ status: 'submitted', providerOrderId: 'p-one' });
  });

  test.concurrent('a 404 on a submit is never retried: one call, a dead letter, and the order waits for a human', async () => {
    const { expecting, order, orderWhen, alert, timeline } = packline();
    const scene = await packline().scene();
    const { sent, letter } = await misconfigured(packline(), scene, 'L-1');
    expect(letter).toMatchObject({
      account: scene.account,
      orderId: sent.id,
      reference: 'L-1',
      kind: 'submit',
      code: 'misconfigured',
      ambiguous: false,
      state: 'open',
      candidates: [],
    });
    expect(letter.attempts).toEqual([
      expect.objectContaining({
        step: 'submit',
        purpose: 'call',
        httpStatus: 404,
        verdict: 'refused',
        evidence: expect.any(Object),
      }),
    ]);
    const waiting = await order(sent.id);
    expect(waiting).toMatchObject({
      status: 'received',
      attention: { code: 'misconfigured' },
      failure: null,
    });
    expect(operation(waiting, 'submit')).toMatchObject({ state: 'dead', attempts: 1, calls: 1 });
    expect(await scene.simulator.calls('submit')).toHaveLength(1);
    expect(await alert('dead_letter', { orderId: sent.id })).toMatchObject({
      account: scene.account,
      reference: 'L-1',
    });

    const replayed = await expecting(202, 'POST', `/v1/dead-letters/${letter.id}/replay`, {
      reason: 'the URL is right again',
    });
    expect(replayed).toMatchObject({ id: letter.id, state: 'replayed' });
    const done = await orderWhen(sent.id, 'submitted', is('submitted'));
    expect(done.attention).toBeNull();
    expect(await scene.simulator.orders('L-1')).toHaveLength(1);
    expect(await scene.simulator.calls('submit')).toHaveLength(2);
    const entries = await timeline(sent.id);
    expect(entries.map(({ type }) => type)).toEqual(
      expect.arrayContaining([
        'order.received',
        'operation.dead',
        'dead_letter.replayed',
        'order.submitted',
        'attempt.call',
      ]),
    );
    expect(entries).toContainEqual(
      expect.objectContaining({
        type: 'dead_letter.replayed',
        actor: 'operator:bootstrap',
        data: expect.objectContaining({ reason: 'the URL is right again' }),
      }),
    );
  });

  test.concurrent('three different orders that are refused so pause the account, and the fourth is not sent', async () => {
    const { expecting, accountWhen, alert, orderWhen, order } = packline();
    const { account, simulator, send } = await packline().scene();
    await simulator.fault({ match: submit, times: 3, do: MISSING });
    for (const reference of ['L-1', 'L-2', 'L-3']) await packline().letterOf(await send(reference));
    const paused = await accountWhen(account, 'paused', ({ state }) => state === 'paused');
    expect(paused.pause).toMatchObject({ code: 'misconfigured', by: 'packline' });
    await alert('account_paused', { account });
    const fourth = await send('L-4');
    const operations = (await order(fourth.id)).operations;
    expect(operations).toEqual([expect.objectContaining({ kind: 'submit', calls: 0 })]);
    expect(await simulator.calls('submit')).toHaveLength(3);

    await expecting(200, 'POST', `/v1/accounts/${account}/resume`);
    await orderWhen(fourth.id, 'submitted', is('submitted'));
  });

  test.concurrent('orders that are refused so with taken ones between them pause nothing', async () => {
    const { account: read, orderWhen } = packline();
    const scene = await packline().scene();
    for (const round of [1, 2, 3]) {
      await misconfigured(packline(), scene, `wrong-${round}`);
      const good = await scene.send(`good-${round}`);
      await orderWhen(good.id, 'submitted', is('submitted'));
    }
    expect(await read(scene.account)).toMatchObject({ state: 'active', pause: null });
  });

  test.concurrent('an order at the provider is adopted by the id that the provider confirms', async () => {
    const { ask, expecting, orderWhen } = packline();
    const { account, simulator, send } = await packline().scene();
    const other = await send('L-other');
    await orderWhen(other.id, 'submitted', is('submitted'));
    // Taken at the provider, and answered as if it had not been.
    await simulator.fault({ match: submit, times: 1, do: accepting(MISSING) });
    const sent = await send('L-1');
    const letter = await packline().letterOf(sent);
    const adopt = (providerOrderId: string | undefined) =>
      ask('POST', `/v1/dead-letters/${letter.id}/adopt`, { body: { providerOrderId } });
    const [theirs] = await simulator.orders('L-1');
    const [othersOrder] = await simulator.orders('L-other');

    const unknown = await adopt('00000000-0000-4000-8000-000000000000');
    expect(unknown.status).toBe(422);
    expect(unknown.json()).toMatchObject({ errors: [{ pointer: '/providerOrderId' }] });
    expect((await adopt(othersOrder?.id)).status).toBe(422);
    expect((await adopt('L-1')).status).toBe(422);
    expect(await expecting(200, 'GET', `/v1/dead-letters/${letter.id}`)).toMatchObject({ state: 'open' });

    const adopted = await adopt(theirs?.id);
    expect(adopted.status).toBe(200);
    expect(adopted.json()).toMatchObject({ state: 'adopted' });
    expect(await orderWhen(sent.id, 'submitted', is('submitted'))).toMatchObject({
      providerOrderId: theirs?.id,
      attention: null,
      failure: null,
    });
    const again = await adopt(theirs?.id);
    expect(again.status).toBe(409);
    expect(again.json()).toMatchObject({ type: expect.stringMatching(/already-decided$/) });
    await simulator.advance('L-1', 'delivered');
    await expecting(202, 'POST', '/v1/sync', { account });
    await orderWhen(sent.id, 'delivered', is('delivered'));
  });

  test.concurrent('a discarded submit makes its order failed, and can be decided once only', async () => {
    const { ask, expecting, order } = packline();
    const scene = await packline().scene();
    const { sent, letter } = await misconfigured(packline(), scene, 'L-1');
    const at = `/v1/dead-letters/${letter.id}`;
    expect((await ask('POST', `${at}/discard`, { body: {} })).status).toBe(422);
    expect(
      await expecting(200, 'POST', `${at}/discard`, { reason: 'the shop canceled by phone' }),
    ).toMatchObject({ state: 'discarded' });
    expect(await order(sent.id)).toMatchObject({
      status: 'failed',
      attention: null,
      failure: { code: 'discarded', message: 'the shop canceled by phone' },
    });
    for (const [verb, body] of [
      ['discard', { reason: 'again' }],
      ['replay', {}],
      ['adopt', { providerOrderId: 'x' }],
    ] as const) {
      const late = await ask('POST', `${at}/${verb}`, { body });
      expect([verb, late.status]).toEqual([verb, 409]);
      expect(late.json()).toMatchObject({ type: expect.stringMatching(/already-decided$/) });
    }
    // It was certainly not sent, so the shop may still correct it.
    await expecting(200, 'PUT', `/v1/orders/${sent.id}`, scene.body('L-1', { notes: 'second try' }));
    await packline().orderWhen(sent.id, 'submitted', is('submitted'));
    expect((await scene.simulator.orders()).map(({ reference }) => reference)).toEqual(['L-1~2']);
  });

  test.concurrent('of two decisions at the same moment one is told that it came second', async () => {
    const { ask, orderWhen } = packline();
    const scene = await packline().scene();
    const { sent, letter } = await misconfigured(packline(), scene, 'L-1');
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () => ask('POST', `/v1/dead-letters/${letter.id}/replay`)),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409]);
    await orderWhen(sent.id, 'submitted', is('submitted'));
    expect(await scene.simulator.calls('submit')).toHaveLength(2);
  });

  test.concurrent('a submit that may have been accepted is looked up before a replay sends it again', async () => {
    const { expecting, orderWhen } = packline();
    const { simulator, send } = await packline().scene();
    // "There is one of this reference already", says the provider, and then shows none.
    await simulator.fault({ match: submit, times: 1, do: { status: 409 } });
    const sent = await send('L-1');
    const letter = await packline().letterOf(sent);
    expect(letter).toMatchObject({ code: 'reference_taken', ambiguous: true });
    expect(await simulator.calls('submit')).toHaveLength(1);

    const replayed = await expecting<DeadLetterJson>(202, 'POST', `/v1/dead-letters/${letter.id}/replay`, {
      force: true,
      reason: 'they say that it is free',
    });
    expect(replayed.state).toBe('replayed');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    expect((await simulator.calls()).map(({ verb }) => verb)).toEqual([
      'submit',
      'get',
      'get',
      'get',
      'get',
      'submit',
    ]);
  });

  test.concurrent('a replay without force of a reference that was said to be taken does not send it again', async () => {
    const { expecting } = packline();
    const { simulator, send } = await packline().scene();
    await simulator.fault({ match: submit, times: 1, do: { status: 409 } });
    const sent = await send('L-1');
    const first = await packline().letterOf(sent);
    await expecting(202, 'POST', `/v1/dead-letters/${first.id}/replay`);
    const second = await packline().letterOf(sent);
    expect(second).toMatchObject({ code: 'reference_taken', ambiguous: true });
    expect(second.id).not.toBe(first.id);
    expect(await simulator.calls('submit')).toHaveLength(1);
  });

  test.concurrent('many are replayed at once, after a look at what that would touch', async () => {
    const { expecting, orderWhen } = packline();
    const scene = await packline().scene();
    const dead = [
      await misconfigured(packline(), scene, 'L-1'),
      await misconfigured(packline(), scene, 'L-2'),
    ];
    const replay = (filter: object) =>
      expecting<ReplayManyJson>(202, 'POST', '/v1/dead-letters/replay', {
        account: scene.account,
        ...filter,
      });
    expect(await replay({ dryRun: true })).toEqual({ matched: 2, replayed: 0, skipped: [] });
    expect(await replay({ dryRun: true, code: 'http_500' })).toMatchObject({ matched: 0 });
    expect(await replay({ dryRun: true, ids: [dead[1]?.letter.id] })).toMatchObject({ matched: 1 });
    expect(await scene.simulator.calls('submit')).toHaveLength(2);
    expect(await replay({ kind: 'submit' })).toEqual({ matched: 2, replayed: 2, skipped: [] });
    for (const { sent } of dead) await orderWhen(sent.id, 'submitted', is('submitted'));
    expect(await replay({})).toMatchObject({ matched: 0 });
  });

  test.concurrent('a cancel whose budget is spent is a dead letter of its own, and the order keeps its status', async () => {
    const { expecting, orderWhen, order } = packline();
    const { simulator, send } = await packline().scene({
      policy: { attempts: 2, backoff: { baseMs: 20, capMs: 50 } },
    });
    const sent = await send('L-1');
    await orderWhen(sent.id, 'submitted', is('submitted'));
    await simulator.fault({ match: { verb: 'cancel' }, times: 2, do: { status: 500 } });
    await expecting(202, 'POST', `/v1/orders/${sent.id}/cancel`);
    const letter = await packline().letterOf(sent);
    expect(letter).toMatchObject({ kind: 'cancel', code: 'http_500', ambiguous: false });
    expect(letter.attempts).toHaveLength(2);
    expect(await order(sent.id)).toMatchObject({ status: 'submitted', attention: { code: 'http_500' } });
    await expecting(202, 'POST', `/v1/dead-letters/${letter.id}/replay`);
    await orderWhen(sent.id, 'canceled', is('canceled'));
  });

  test.concurrent('a dead letter hangs on the board until it is decided', async () => {
    const { ask, expecting } = packline();
    const scene = await packline().scene();
    const { letter } = await misconfigured(packline(), scene, 'L-1');
    const onBoard = async () =>
      (
        await ask('GET', '/queues/api/queues?activeQueue=dead-letters&status=latest&page=1&jobsPerPage=100')
      ).text.includes(`dead-letter-${letter.id}"`);
    await until('the letter is on the board', onBoard);
    await expecting(200, 'POST', `/v1/dead-letters/${letter.id}/discard`, { reason: 'enough' });
    await until('the letter is off the board', async () => !(await onBoard()));
  });
});

/** Jobs that nobody rang for, and letters about operations that live on: the worker goes on, and people are told. */
import type { JobsOptions } from 'bullmq';
import type { JobData } from '../../src/policy/job-options.js';
import { queueName } from '../../src/queue/backend.js';
import type { DeadLetterJson, OrderJson } from '../../src/views.js';
import { operation } from '../helpers/client.js';
import { onBothBackends, type Scene, type TestPackline } from '../helpers/packline.js';
import { until } from '../helpers/until.js';

const is = (wanted: string) => (order: OrderJson) => order.status === wanted;
const MISSING = { status: 404, body: { code: 404, message: 'The requested resource does not exist' } };
const PROBLEM = (name: string) => ({ type: expect.stringMatching(new RegExp(`/${name}$`)) });

/** What somebody may put into a queue: what a job of ours is, and what it is not. */
function strangeJobs(finished: string, foreign: string): { name: string; data: unknown }[] {
  return [
    { name: 'submit', data: { v: 2, operationId: finished, more: { than: 'version 1 has' } } },
    { name: 'submit', data: { v: 1, operationId: 'not a number' } },
    { name: 'submit', data: { v: 1, operationId: '9'.repeat(40) } },
    { name: 'submit', data: { v: 1, operationId: '999999999999' } },
    { name: 'poll', data: { v: 1, operationId: '999999999998' } },
    { name: 'submit', data: { v: 1 } },
    { name: 'submit', data: {} },
    { name: 'submit', data: [] },
    { name: 'levitate', data: { v: 1, operationId: finished } },
    { name: 'submit', data: { v: 1, operationId: finished } },
    { name: 'poll', data: { v: 1, operationId: finished } },
    { name: 'submit', data: { v: 1, operationId: foreign } },
  ];
}

/** Puts a letter beside an operation that is not dead, as the find of a second order at the provider does. */
async function doubleOf(packline: TestPackline, order: OrderJson): Promise<DeadLetterJson> {
  await packline.running.base.db.query(
    `with letter as (
       insert into packline.dead_letters (operation_id, order_id, account_id, kind, code, message, ambiguous, candidates)
       select id, order_id, account_id, kind, 'duplicate', 'two orders', true, '[{"providerOrderId": "p-second"}]'
       from packline.operations where id = $1::bigint returning order_id
     )
     update packline.orders d set attention_code = 'duplicate', attention_since = now(), attention_detail = 'two orders'
     from letter where d.id = letter.order_id`,
    operation(order, 'submit').id,
  );
  return packline.letterOf(order);
}

async function dead(packline: TestPackline, { simulator, send }: Scene, reference: string) {
  await simulator.fault({ match: { verb: 'submit', reference }, times: 1, do: MISSING });
  return packline.letterOf(await send(reference));
}

onBothBackends((packline) => {
  test.concurrent('jobs of another version, of nobody and of another account are left alone, and orders go on', async () => {
    const { running, log, orderWhen, expecting } = packline();
    const [scene, other] = [await packline().scene(), await packline().scene()];
    const first = await orderWhen((await scene.send('J-1')).id, 'submitted', is('submitted'));
    await expecting(200, 'POST', `/v1/accounts/${other.account}/pause`, { reason: 'kept for later' });
    const kept = await other.send('J-2');
    const jobs = strangeJobs(operation(first, 'submit').id, operation(kept, 'submit').id).map(
      ({ name, data }, index) => ({
        name,
        // What is put in here is no job of ours: that is the case.
        data: data as JobData,
        opts: { jobId: `strange-${scene.account}-${index}`, removeOnComplete: true } satisfies JobsOptions,
      }),
    );
    await running.queue.add(queueName(scene.account), jobs);
    await until('every strange job was answered', async () => {
      const counts = await running.queue.queue(queueName(scene.account)).getJobCounts();
      return (counts.waiting ?? 0) + (counts.active ?? 0) + (counts.prioritized ?? 0) === 0;
    });
    const second = await scene.send('J-3');
    await orderWhen(second.id, 'submitted', is('submitted'));
    expect(await scene.simulator.orders()).toHaveLength(2);
    expect(await packline().order(kept.id)).toMatchObject({ status: 'received' });
    expect(operation(await packline().order(kept.id), 'submit')).toMatchObject({ calls: 0 });
    expect(log.filter((line) => line.includes('"job.unknown"')).length).toBeGreaterThanOrEqual(7);
    expect(log.filter((line) => line.includes('"job.failed"'))).toEqual([]);
  });

  test.concurrent('replayed twice at once, a dead letter is replayed by one, and the other is told', async () => {
    const { ask, orderWhen } = packline();
    const scene = await packline().scene();
    const letter = await dead(packline(), scene, 'R-1');
    const at = `/v1/dead-letters/${letter.id}/replay`;
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask('POST', at, { body: {} })));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409, 409, 409]);
    const told = answers.find(({ status }) => status === 409);
    expect(told?.json()).toMatchObject({
      ...PROBLEM('already-decided'),
      detail: expect.stringContaining('replayed'),
    });
    await orderWhen(letter.orderId ?? '', 'submitted', is('submitted'));
    expect(await scene.simulator.orders('R-1')).toHaveLength(1);
  });

  test.concurrent('an id that the provider does not know, or another order holds, is not adopted', async () => {
    const { ask, orderWhen, order } = packline();
    const scene = await packline().scene();
    const holder = await orderWhen((await scene.send('A-1')).id, 'submitted', is('submitted'));
    const letter = await dead(packline(), scene, 'A-2');
    const adopt = (providerOrderId: unknown) =>
      ask('POST', `/v1/dead-letters/${letter.id}/adopt`, { body: { providerOrderId } });
    expect((await adopt('nobody-knows')).json()).toMatchObject({
      ...PROBLEM('invalid'),
      errors: [{ pointer: '/providerOrderId' }],
    });
    expect((await adopt(holder.providerOrderId)).status).toBe(422);
    expect((await adopt('')).status).toBe(422);
    expect((await adopt(7)).status).toBe(422);
    expect(await order(holder.id)).toMatchObject({ status: 'submitted' });
    expect(await packline().letterOf({ ...holder, id: letter.orderId ?? '' })).toMatchObject({
      state: 'open',
    });
  });

  test.concurrent('a double is not adopted, nor replayed; discarded, it leaves the order as it is', async () => {
    const { ask, orderWhen, order, expecting } = packline();
    const scene = await packline().scene();
    const sent = await orderWhen((await scene.send('D-1')).id, 'submitted', is('submitted'));
    const letter = await doubleOf(packline(), sent);
    const at = `/v1/dead-letters/${letter.id}`;
    const adopted = await ask('POST', `${at}/adopt`, { body: { providerOrderId: sent.providerOrderId } });
    expect(adopted.json()).toMatchObject({ ...PROBLEM('not-possible'), status: 409 });
    expect((await ask('POST', `${at}/replay`, { body: {} })).json()).toMatchObject(PROBLEM('not-possible'));
    expect(await expecting(200, 'GET', at)).toMatchObject({ state: 'open' });
    await expecting(200, 'POST', `${at}/discard`, { reason: 'canceled at the provider' });
    const after = await order(sent.id);
    expect(after).toMatchObject({
      status: 'submitted',
      attention: null,
      providerOrderId: sent.providerOrderId,
    });
    expect(operation(after, 'submit')).toMatchObject({ state: 'succeeded' });
  });

  test.concurrent('a double that is discarded while its submit is still to be sent stops nothing', async () => {
    const { orderWhen, expecting } = packline();
    const scene = await packline().scene();
    await expecting(200, 'POST', `/v1/accounts/${scene.account}/pause`, { reason: 'for the moment' });
    const sent = await scene.send('D-2');
    const letter = await doubleOf(packline(), sent);
    await expecting(200, 'POST', `/v1/dead-letters/${letter.id}/discard`, { reason: 'nothing to it' });
    await expecting(200, 'POST', `/v1/accounts/${scene.account}/resume`, {});
    await orderWhen(sent.id, 'submitted', is('submitted'));
    expect(await scene.simulator.orders('D-2')).toHaveLength(1);
  });

  test.concurrent('rows edited under a working house are worked off or parked, and the others go on', async () => {
    const { running, orderWhen, letterOf, expecting } = packline();
    const scene = await packline().scene();
    await expecting(200, 'POST', `/v1/accounts/${scene.account}/pause`, { reason: 'for the moment' });
    const edits = [
      `state = 'running', ring_at = null, owner = null, lease_until = null`,
      `step = 'levitate'`,
      `purpose = 'check'`,
      `carry = 'null', params = 'null', attempts = -1`,
    ];
    const sent: OrderJson[] = [];
    for (const [index, set] of edits.entries()) {
      const order = await scene.send(`E-${index}`);
      await running.base.db.query(
        `update packline.operations set ${set} where id = $1::bigint`,
        operation(order, 'submit').id,
      );
      sent.push(order);
    }
    const untouched = await scene.send('E-untouched');
    await expecting(200, 'POST', `/v1/accounts/${scene.account}/resume`, {});
    const [running1, step, purpose, odd] = sent;
    if (running1 === undefined || step === undefined || purpose === undefined || odd === undefined)
      throw new Error('four orders were sent');
    await orderWhen(untouched.id, 'submitted', is('submitted'));
    await orderWhen(odd.id, 'submitted', is('submitted'));
    for (const order of [step, purpose])
      expect(await letterOf(order)).toMatchObject({
        code: 'impossible_row',
        ambiguous: false,
        message: expect.stringContaining('a replay begins at its first step'),
      });
    await until('the running one was taken over', async () =>
      ['unconfirmed', 'succeeded'].includes(operation(await packline().order(running1.id), 'submit').state),
    );
  });
});

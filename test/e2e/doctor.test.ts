/** What a working house says of itself, and of what is wrong with it. */
import type { DoctorJson, OrderJson } from '../../src/views.js';
import { operation } from '../helpers/client.js';
import { createStage, onBothBackends, startPackline, type TestPackline } from '../helpers/packline.js';
import { taken } from '../providers/conformance/world.js';

const is = (wanted: string) => (order: OrderJson) => order.status === wanted;

async function doctor(
  { running }: TestPackline,
  options: { invariants?: boolean; account?: string } = {},
): Promise<DoctorJson> {
  const { invariants = false, account } = options;
  const audit = account === undefined ? null : { account, days: 1 };
  return taken(await running.base.operator.doctor({ actor: 'operator', invariants, audit }));
}

const check = ({ checks }: DoctorJson, name: string) => checks.find((each) => each.name === name);

onBothBackends((packline, backend) => {
  test('with all roles at work and an order sent, nothing has failed', async () => {
    const scene = await packline().scene();
    const sent = await scene.send('W-1');
    await packline().orderWhen(sent.id, 'submitted', is('submitted'));
    const report = await doctor(packline(), { invariants: true, account: scene.account });
    expect(report).toMatchObject({ healthy: true });
    expect(check(report, 'identity')).toMatchObject({ state: 'ok' });
    expect(check(report, 'queue')).toMatchObject({
      state: 'ok',
      message: expect.stringContaining(backend === 'redis' ? 'Redis' : 'PostgreSQL'),
    });
    expect(check(report, 'processes')).toMatchObject({
      state: 'ok',
      message: '1 process runs: api, dispatcher, fulfilment, maintenance',
    });
    expect(check(report, `account ${scene.account}`)).toMatchObject({ state: 'ok' });
    expect(report.invariants?.filter(({ count }) => count > 0)).toEqual([]);
    expect(report.audits).toMatchObject([
      { account: scene.account, state: 'complete', listed: 1, clean: true },
    ]);
  });

  test('a paused account, an unusable one and a dead letter are told, with what to do', async () => {
    const { expecting, running, letterOf } = packline();
    const [paused, unusable] = [await packline().scene(), await packline().scene()];
    const missing = { status: 404, body: { code: 404, message: 'The requested resource does not exist' } };
    await paused.simulator.fault({ match: { verb: 'submit' }, times: 1, do: missing });
    await letterOf(await paused.send('P-1'));
    await expecting(200, 'POST', `/v1/accounts/${paused.account}/pause`, { reason: 'stock count' });
    await running.base.db.query(`update packline.accounts set config = '[]' where id = $1`, unusable.account);
    const report = await doctor(packline());
    expect(report.healthy).toBe(false);
    expect(check(report, `account ${paused.account}`)).toMatchObject({
      state: 'warning',
      message: expect.stringContaining('stock count'),
      remedy: expect.stringContaining(`packline accounts resume ${paused.account}`),
    });
    expect(check(report, `account ${unusable.account}`)).toMatchObject({ state: 'failed' });
    expect(check(report, 'dead letters')).toMatchObject({ state: 'warning' });
    expect(check(report, 'attention')).toMatchObject({ state: 'warning' });
  });
});

describe('of a house whose roles are not all there', () => {
  test('those that are missing are named, and what is not done is late', async () => {
    const stage = await createStage('postgres');
    const packline = await startPackline(stage, ['api', 'fulfilment']);
    try {
      const scene = await packline.scene();
      const sent = await scene.send('M-1');
      await packline.running.base.db.query(
        `update packline.operations set ring_at = now() - interval '20 minutes' where id = $1::bigint`,
        operation(sent, 'submit').id,
      );
      const report = await doctor(packline, { invariants: true });
      expect(report.healthy).toBe(true);
      expect(check(report, 'processes')).toMatchObject({
        state: 'warning',
        message: '1 process runs: api, fulfilment; nobody has the role dispatcher, maintenance',
        remedy: 'Start "packline up", or "packline dispatch", "packline maintain".',
      });
      expect(check(report, 'due work')).toMatchObject({
        state: 'warning',
        message: 'the oldest due operation has waited for 20 min',
      });
      await packline.running.base.db.query('update packline.operations set ring_at = null');
      const broken = await doctor(packline, { invariants: true });
      expect(broken.healthy).toBe(false);
      expect(broken.invariants?.filter(({ count }) => count > 0)).toMatchObject([
        { name: 'stranded', count: 1 },
      ]);
      const nowhere = { actor: 'operator', invariants: false, audit: { account: 'nowhere', days: 1 } };
      expect(await packline.running.base.operator.doctor(nowhere)).toMatchObject({
        ok: false,
        problem: { status: 404 },
      });
    } finally {
      await packline.stop();
      await stage.remove();
    }
  });
});

/** One-time passwords: asked for once, supplied by a person, and the session kept sealed. */
import { request } from 'undici';
import { customerId, REWARD } from '../../src/simulator/zupy/catalog.js';
import { startZupySimulator } from '../../src/simulator/zupy/index.js';
import { systemTime } from '../../src/time.js';
import type { OrderJson } from '../../src/views.js';
import { operation } from '../helpers/client.js';
import { onBothBackends, PERSON } from '../helpers/packline.js';

interface SentCode {
  identifier: string;
  code: string;
  requests: number;
}

/** The codes that customers were sent, as they would read them to a person at the till. */
async function codesAt(url: string): Promise<SentCode[]> {
  const { body } = await request(`${url}/_control/otp`);
  // The simulator's own contract says what this control answers.
  return ((await body.json()) as { codes: SentCode[] }).codes;
}

onBothBackends((packline) => {
  test('an order waits for its code, says so, and goes out with the right one', async () => {
    const { apply, ask, expecting, orderWhen, running, timeline } = packline();
    const restaurant = await startZupySimulator({
      apiKey: 'zupy_pk_0123456789abcdef0123456789abcdef',
      otpPolicy: 'strict',
      stepMs: 0,
      time: systemTime,
    });
    try {
      await apply([restaurant.account('zupy-br')]);
      // A code opens a session of whoever has this number.
      const put = await request(`${restaurant.url}/_control/customers`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id: customerId(1), phone: PERSON.phone }),
      });
      await put.body.dump();
      const { line1: _street, ...person } = PERSON;
      const sent: OrderJson = await expecting(201, 'POST', '/v1/orders', {
        account: 'zupy-br',
        reference: 'Z-1',
        customer: { id: customerId(1), ...person },
        items: [{ reference: 'line-1', sku: REWARD.dessert, quantity: 1 }],
      });
      const waiting = await orderWhen(
        sent.id,
        'waits for a code',
        (order) => operation(order, 'submit').waitReason === 'otp',
      );
      expect(operation(waiting, 'submit')).toMatchObject({ state: 'waiting', attempts: 0 });
      expect(Date.parse(operation(waiting, 'submit').deadline ?? '')).toBeGreaterThan(
        systemTime.clock.now() + 23 * 3_600_000,
      );
      const otp = `/v1/orders/${sent.id}/otp`;
      const [first] = await codesAt(restaurant.url);
      expect(first).toMatchObject({ identifier: PERSON.phone, requests: 1 });

      const wrong = await ask('POST', otp, {
        body: { code: first?.code === '000000' ? '000001' : '000000' },
      });
      expect(wrong.status).toBe(422);
      expect(wrong.json()).toMatchObject({ errors: [{ pointer: '/code' }] });
      await expecting(202, 'POST', otp, { resend: true });
      const [second] = await codesAt(restaurant.url);
      expect(second?.requests).toBe(2);

      await expecting(202, 'POST', otp, { code: second?.code });
      const done = await orderWhen(sent.id, 'submitted', ({ status }) => status === 'in_progress');
      expect(operation(done, 'submit')).toMatchObject({ state: 'succeeded', attempts: 1 });
      // Two reads before each redeem, the two redeems, and the three calls about the code.
      expect(operation(done, 'submit').calls).toBeGreaterThanOrEqual(7);
      const steps = (await timeline(sent.id)).flatMap(({ type, data }) =>
        type === 'attempt.call' ? [String(data.step)] : [],
      );
      expect(steps.filter((step) => step.endsWith('-otp'))).toEqual([
        'request-otp',
        'verify-otp',
        'request-otp',
        'verify-otp',
      ]);
      expect((await ask('POST', otp, { body: { code: second?.code } })).status).toBe(409);

      const facts = await running.base.db.prisma.providerFact.findMany({ where: { kind: 'otp-session' } });
      expect(facts).toMatchObject([{ value: null, sealed: expect.any(String), expiresAt: expect.any(Date) }]);
    } finally {
      await restaurant.close();
    }
  });
});

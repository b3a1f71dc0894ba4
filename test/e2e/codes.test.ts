/** Codes that were paid for: handed over on request alone, and written down nowhere but sealed. */

import { request } from 'undici';
import { startWupexSimulator } from '../../src/simulator/wupex/index.js';
import { systemTime } from '../../src/time.js';
import type { DeliverableJson, OrderJson } from '../../src/views.js';
import { accepting } from '../helpers/faults.js';
import { findLeaks } from '../helpers/leaks.js';
import { onBothBackends } from '../helpers/packline.js';

const KEY = 'wupex-key-Vd83kq';

onBothBackends((packline) => {
  test('codes come with the answer, or by a read after it was lost, once each, and stand nowhere in plain', async () => {
    const { apply, expecting, orderWhen, timeline } = packline();
    const shop = await startWupexSimulator({ apiKey: KEY, time: systemTime });
    try {
      const { config, ...entry } = shop.account('codes');
      await apply([{ ...entry, config: { ...config, confirm: { graceMs: 300, looks: 2, spacingMs: 300 } } }]);
      const order = (reference: string) => ({
        account: 'codes',
        reference,
        items: [
          { reference: 'line-1', sku: 'GIFT-10', quantity: 2, options: { merchant: 'giftwave' } },
          { reference: 'line-2', sku: 'PLAY-25', quantity: 1, options: { merchant: 'playhub' } },
        ],
      });
      const seen: string[] = [];
      for (const reference of ['V-1', 'V-2']) {
        if (reference === 'V-2') await fault(shop.url, accepting('drop'));
        const sent: OrderJson = await expecting(201, 'POST', '/v1/orders', order(reference));
        await orderWhen(sent.id, 'delivered', ({ status }) => status === 'delivered', 20_000);
        const path = `/v1/orders/${sent.id}/deliverables`;
        const { deliverables } = await expecting<{ deliverables: DeliverableJson[] }>(200, 'GET', path);
        expect(deliverables.map(({ sku }) => sku)).toEqual(['GIFT-10', 'GIFT-10', 'PLAY-25']);
        seen.push(
          ...deliverables.flatMap(({ code, serial }) => [code, ...(serial === null ? [] : [serial])]),
        );
        expect((await timeline(sent.id)).filter(({ type }) => type === 'deliverables.revealed')).toEqual([
          expect.objectContaining({ actor: expect.stringMatching(/./), data: { count: 3 } }),
        ]);
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(await findLeaks(packline(), [...seen, KEY])).toEqual([]);
    } finally {
      await shop.close();
    }
  });
});

/** The next pull of codes. */
async function fault(url: string, action: object): Promise<void> {
  const { statusCode, body } = await request(`${url}/_control`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ match: { verb: 'submit' }, times: 1, do: action }),
  });
  await body.dump();
  expect(statusCode).toBe(201);
}

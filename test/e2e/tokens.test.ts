/** Access tokens that rotate: whoever calls next has the newest. */

import { request } from 'undici';
import type { LedgerRequest } from '../../src/simulator/control.js';
import { startSallaSimulator } from '../../src/simulator/salla/index.js';
import { systemTime } from '../../src/time.js';
import type { OrderJson } from '../../src/views.js';
import { onBothBackends, PERSON } from '../helpers/packline.js';

const HOUR_MS = 3_600_000;

/** A store whose access tokens die with their refresh, and an account whose own is about to expire. */
async function openStore(id: string) {
  const store = await startSallaSimulator({
    clientId: 'client-1',
    clientSecret: 'secret-Vn31xq',
    accessToken: 'access-Rt90bd',
    refreshToken: 'refresh-Kw55ye',
    oldAccessToken: 'revoked',
    stepMs: 0,
    time: systemTime,
  });
  const entry = store.account(id);
  const expiresAt = new Date(systemTime.clock.now() + HOUR_MS).toISOString();
  return { store, entry: { ...entry, credentials: { ...entry.credentials, expiresAt } } };
}

async function requestsAt(url: string): Promise<LedgerRequest[]> {
  const { body } = await request(`${url}/_ledger`);
  // The simulator's own contract says what its ledger holds.
  return ((await body.json()) as { requests: LedgerRequest[] }).requests;
}

function storeOrder(account: string, reference: string) {
  const { line1, ...customer } = PERSON;
  return {
    account,
    reference,
    currency: 'SAR',
    customer,
    shippingAddress: { line1, city: 'Riyadh', postCode: '12345', country: 'SA' },
    items: [{ reference: 'line-1', sku: 'MUG-1', name: 'Mug', quantity: 1, unitPrice: '20' }],
    options: { deliveryMethod: 'shipping', courierId: 665_151_403 },
  };
}

onBothBackends((packline) => {
  test('a token is refreshed before it expires, once, and an operator reads with the new one', async () => {
    const { apply, expecting, orderWhen, running } = packline();
    const { store, entry } = await openStore('store-1');
    try {
      await apply([entry]);
      for (const reference of ['R-1', 'R-2']) {
        const sent: OrderJson = await expecting(201, 'POST', '/v1/orders', storeOrder('store-1', reference));
        await orderWhen(sent.id, 'submitted', ({ status }) => status === 'submitted');
      }
      // A refresh token is good once; a second use would end both tokens.
      const refreshes = (await requestsAt(store.url)).filter(({ path }) => path === '/oauth2/token');
      expect(refreshes).toHaveLength(1);
      expect(await running.base.operator.checkAccount('store-1')).toMatchObject({
        ok: true,
        value: { ok: true },
      });
    } finally {
      await store.close();
    }
  });
});

import { type AccountSpec, parseAccountsFile } from '../../src/accounts/file.js';
import type { JsonObject } from '../../src/json.js';
import { providers } from '../../src/providers/registry.js';

const BASE = 'https://connector.example/v1';

/** A GelatoConnect account as an accounts file holds it, all right; `over` replaces fields of it. */
export function gelatoEntry(over: JsonObject = {}): JsonObject {
  return {
    id: 'gelato-eu',
    provider: 'gelato-connect',
    config: {
      submitUrl: `${BASE}/orders`,
      getUrl: `${BASE}/orders/{id}`,
      cancelUrl: `${BASE}/orders/{id}/cancel`,
      updateShipmentUrl: `${BASE}/orders/{id}/shipment`,
      searchUrl: `${BASE}/orders/search`,
    },
    credentials: { apiKey: 'key-one', apiSecret: 'secret-one' },
    ...over,
  };
}

/** The spec of one entry. */
export function specOf(over: JsonObject = {}): AccountSpec {
  const parsed = parseAccountsFile({ accounts: [gelatoEntry(over)] }, {}, { providers, allowHttpHosts: [] });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const [spec] = parsed.accounts;
  if (spec === undefined) throw new Error('no account came out');
  return spec;
}

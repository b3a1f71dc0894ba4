/** The orders, the account and the settings that the benches work with. */
import type { Config } from '../../src/config.js';

/** An order of a print shop. */
export function orderBody(n: number) {
  return {
    account: 'bench',
    reference: `bench-${n}`,
    currency: 'EUR',
    customer: { firstName: 'Ada', lastName: 'Winter', email: 'ada@example.com', phone: '+49 30 1234567' },
    shippingAddress: { line1: 'Long Street 1', city: 'Berlin', postCode: '10115', country: 'DE' },
    items: [
      {
        reference: `i-${n}`,
        sku: 'poster_a3',
        quantity: 1,
        unitPrice: '19.90',
        files: [{ type: 'default', url: 'https://files.example.com/a.pdf' }],
      },
    ],
  };
}

/** An accounts file with one GelatoConnect account at this provider. */
export function accountsFile(url: string, limits: { requests: number; perMs: number; concurrency: number }) {
  const urls = {
    submitUrl: url,
    getUrl: `${url}/{id}`,
    cancelUrl: `${url}/{id}`,
    updateShipmentUrl: `${url}/{id}`,
    searchUrl: url,
  };
  return {
    accounts: [
      {
        id: 'bench',
        provider: 'gelato-connect',
        config: urls,
        credentials: { apiKey: 'k', apiSecret: 's' },
        limits,
      },
    ],
  };
}

/** @param redisUrl null: the queue in PostgreSQL */
export function configOf(databaseUrl: string, redisUrl: string | null): Config {
  return {
    databaseUrl,
    redisUrl,
    port: 0,
    host: '127.0.0.1',
    apiKey: API_KEY,
    encryptionKey: Buffer.from(ENCRYPTION_KEY, 'base64'),
    accountsFile: null,
    dataDir: '.packline',
    logLevel: 'silent',
    alertWebhookUrl: null,
    slackWebhookUrl: null,
    eventsWebhook: null,
    allowHttpHosts: [],
    retentionDays: 0,
  };
}

const API_KEY = 'a-key-of-the-bench-alone-long-enough';
const ENCRYPTION_KEY = Buffer.alloc(32, 1).toString('base64');

/** The same for a process of its own. */
export function environmentOf(databaseUrl: string, redisUrl: string | null): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
    PORT: '0',
    PACKLINE_API_KEY: API_KEY,
    PACKLINE_ENCRYPTION_KEY: ENCRYPTION_KEY,
    LOG_LEVEL: 'error',
  };
}

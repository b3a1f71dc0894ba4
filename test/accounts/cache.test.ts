import { type AccountCache, createAccountCache } from '../../src/accounts/cache.js';
import { pauseAccount, resumeAccount } from '../../src/accounts/pause.js';
import type { Database } from '../../src/database/connect.js';
import { createLog } from '../../src/log.js';
import { providers } from '../../src/providers/registry.js';
import type { EncryptionKey } from '../../src/secrets.js';
import { apply, KEY, OTHER_KEY, openDatabase } from './database.js';
import { specOf } from './specs.js';

let db: Database;
let close: () => Promise<void>;
let lines: { event?: string; account?: string; level?: string; err?: { message: string } }[];
beforeAll(async () => {
  ({ db, close } = await openDatabase());
});
afterAll(() => close());
beforeEach(async () => {
  lines = [];
  await db.query('truncate packline.accounts cascade');
});

function cacheWith(key: EncryptionKey = KEY): AccountCache {
  const log = createLog('info', { write: (line: string) => void lines.push(JSON.parse(line)) });
  return createAccountCache({ db, key, providers, log });
}

async function filled(key?: EncryptionKey): Promise<AccountCache> {
  const cache = cacheWith(key);
  await cache.refresh();
  return cache;
}

describe('the cache of accounts', () => {
  test('holds nothing before its first refresh, and nothing of an empty database after', async () => {
    const cache = cacheWith();
    expect(cache.all()).toEqual([]);
    expect(await cache.refresh()).toBe(true);
    expect(await cache.refresh()).toBe(false);
    expect(cache.get('gelato-eu')).toBeNull();
  });

  test('opens an account with its limits and figures over the documented ones', async () => {
    await apply(
      db,
      specOf({
        limits: { requests: 7 },
        policy: { attempts: 2, backoff: { capMs: 9 } },
        breaker: { ratio: 0.5 },
      }),
    );
    const account = (await filled()).get('gelato-eu');
    expect(account).toMatchObject({
      id: 'gelato-eu',
      mode: 'live',
      paused: false,
      inDoubt: false,
      provider: { id: 'gelato-connect' },
      common: { requestTimeoutMs: 30_000, confirm: { looks: 4 }, exclusive: false },
      limits: { requests: 7, perMs: 1_000, concurrency: 20 },
      policy: { attempts: 2, backoff: { capMs: 9, jitter: 'full' } },
      breaker: { minCalls: 20, ratio: 0.5 },
    });
    expect(account?.policy.rules).toEqual(account?.provider.policy.rules);
    expect(account?.open.policy).toEqual(account?.policy);
    const request = account?.open.reads.probe.request({ params: {}, carry: {} });
    expect(request?.headers['X-API-KEY']).toBe('key-one:secret-one');
  });

  test('a refresh says whether anything changed, and keeps what did not', async () => {
    await apply(db, specOf(), specOf({ id: 'gelato-us' }));
    const cache = await filled();
    const [eu, us] = [cache.get('gelato-eu'), cache.get('gelato-us')];
    expect(await cache.refresh()).toBe(false);
    await apply(db, specOf({ limits: { requests: 1 } }));
    expect(await cache.refresh()).toBe(true);
    expect(cache.get('gelato-eu')).not.toBe(eu);
    expect(cache.get('gelato-eu')?.limits.requests).toBe(1);
    expect(cache.get('gelato-us')).toBe(us);
    expect(cache.all().map(({ id }) => id)).toEqual(['gelato-eu', 'gelato-us']);
  });

  test('sees pauses, refusals as misconfigured, and accounts that are gone', async () => {
    await apply(db, specOf(), specOf({ id: 'gelato-us' }));
    const cache = await filled();
    await pauseAccount(db, 'gelato-eu', { code: 'operator', reason: 'r', by: 'b', until: null });
    await cache.refresh();
    expect(cache.get('gelato-eu')?.paused).toBe(true);
    await resumeAccount(db, 'gelato-eu', 'b');
    await db.query(`update packline.accounts set misconfigured_orders = '{x}' where id = 'gelato-eu'`);
    await cache.refresh();
    expect(cache.get('gelato-eu')).toMatchObject({ paused: false, inDoubt: true });
    await db.query(`delete from packline.gates where account_id = 'gelato-us'`);
    await db.query(`delete from packline.accounts where id = 'gelato-us'`);
    await cache.refresh();
    expect(cache.get('gelato-us')).toBeNull();
  });

  test('sees a change whose transaction began before one that it has seen already', async () => {
    await apply(db, specOf(), specOf({ id: 'gelato-us' }));
    const cache = await filled();
    await db.transaction(async (sql) => {
      // Fixes this transaction's now() before the other one's.
      await sql.query('select now()');
      await apply(db, specOf({ limits: { requests: 1 } }));
      await cache.refresh();
      await sql.query(
        `update packline.accounts set limits = '{"requests": 2}', updated_at = now() where id = 'gelato-us'`,
      );
    });
    expect(await cache.refresh()).toBe(true);
    expect(cache.get('gelato-us')?.limits.requests).toBe(2);
  });

  test.each([
    ['a hand-edited config', `config = '{"submitUrl": 5}'`],
    ['a config that is no object', `config = '[]'`],
    ['hand-edited limits', `limits = '{"requests": -1}'`],
    ['a provider that nobody knows', `provider = 'amazon'`],
    ['credentials that are no envelope', `credentials = 'hunter2'`],
  ])('with %s an account is left out and reported once; the others keep working', async (_what, change) => {
    await apply(db, specOf(), specOf({ id: 'gelato-us' }));
    await db.query(`update packline.accounts set ${change} where id = 'gelato-eu'`);
    const cache = await filled();
    expect(cache.all().map(({ id }) => id)).toEqual(['gelato-us']);
    expect(cache.get('gelato-eu')).toBeNull();
    expect(lines).toMatchObject([{ level: 'error', event: 'account.unusable', account: 'gelato-eu' }]);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    await pauseAccount(db, 'gelato-us', { code: 'operator', reason: 'r', by: 'b', until: null });
    await cache.refresh();
    expect(lines).toHaveLength(1);
  });

  test('an account that is mended works again', async () => {
    await apply(db, specOf());
    await db.query(`update packline.accounts set policy = '{"attempts": "many"}'`);
    const cache = await filled();
    expect(cache.all()).toEqual([]);
    await apply(db, specOf());
    await cache.refresh();
    expect(cache.all()).toHaveLength(1);
  });

  test('credentials of another key are reported with the key that is needed', async () => {
    await apply(db, specOf());
    const cache = await filled(OTHER_KEY);
    expect(cache.all()).toEqual([]);
    expect(lines[0]?.err?.message).toContain(KEY.id);
  });

  test('calls back after a change only, survives a listener that fails, and can be told to stop', async () => {
    const cache = await filled();
    let calls = 0;
    cache.onChange(() => {
      throw new Error('no');
    });
    const stop = cache.onChange(() => {
      calls += 1;
    });
    await cache.refresh();
    expect(calls).toBe(0);
    await apply(db, specOf());
    await Promise.all([cache.refresh(), cache.refresh()]);
    expect(calls).toBe(1);
    expect(lines).toMatchObject([{ event: 'account.listener_failed' }]);
    stop();
    await apply(db, specOf({ limits: { requests: 1 } }));
    await cache.refresh();
    expect(calls).toBe(1);
  });

  test('a refresh that fails is told to its caller, and the next one works', async () => {
    await apply(db, specOf());
    let broken = true;
    const log = createLog('silent');
    const sql: typeof db.query = (text, ...values) =>
      broken ? Promise.reject(new Error('connection lost')) : db.query(text, ...values);
    const cache = createAccountCache({ db: { query: sql }, key: KEY, providers, log });
    await expect(cache.refresh()).rejects.toThrow('connection lost');
    broken = false;
    expect(await cache.refresh()).toBe(true);
    expect(cache.all()).toHaveLength(1);
  });
});

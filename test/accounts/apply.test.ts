import { once } from 'node:events';
import pg from 'pg';
import { applyAccounts, credentialsContext } from '../../src/accounts/apply.js';
import { pauseAccount } from '../../src/accounts/pause.js';
import type { Database } from '../../src/database/connect.js';
import type { JsonObject } from '../../src/json.js';
import { SealError, seal } from '../../src/secrets.js';
import { apply, credentialsOf, KEY, OTHER_KEY, openDatabase, rowOf } from './database.js';
import { gelatoEntry, specOf } from './specs.js';

let db: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ db, close } = await openDatabase());
});
afterAll(() => close());
beforeEach(async () => {
  await db.query('truncate packline.accounts cascade');
  await db.query('truncate packline.events');
});

const pausedFor = (code: string) =>
  pauseAccount(db, 'gelato-eu', { code, reason: 'because', by: 'packline', until: null });

/** What a refresh of tokens does: new sealed credentials, while the fingerprints of the file's values stay. */
async function rotate(credentials: JsonObject): Promise<void> {
  const envelope = seal(JSON.stringify(credentials), KEY, credentialsContext('gelato-eu'));
  await db.prisma.account.update({ where: { id: 'gelato-eu' }, data: { credentials: envelope } });
}

describe('applyAccounts', () => {
  test('creates an account with its gate, its credentials sealed', async () => {
    expect(await apply(db, specOf({ limits: { requests: 7 }, breaker: false }))).toEqual(['created']);
    const row = await rowOf(db, 'gelato-eu');
    expect(row).toMatchObject({
      provider: 'gelato-connect',
      mode: 'live',
      config: { requestTimeoutMs: 30_000, exclusive: false, webhookHeader: 'X-Packline-Secret' },
      limits: { requests: 7 },
      policy: {},
      breaker: false,
      pauseCode: null,
    });
    expect(JSON.stringify(row)).not.toMatch(/key-one|secret-one/);
    expect(await credentialsOf(db, 'gelato-eu')).toEqual({ apiKey: 'key-one', apiSecret: 'secret-one' });
    expect(await db.prisma.gate.findMany()).toMatchObject([
      { accountId: 'gelato-eu', verb: '*', blockedUntil: null },
    ]);
  });

  test('applied again unchanged, it touches no row', async () => {
    const spec = specOf({
      limits: { requests: 7 },
      policy: { backoff: { baseMs: 1 } },
      breaker: { ratio: 0.5 },
    });
    await apply(db, spec);
    const before = await db.query('select xmin::text, credentials from packline.accounts');
    expect(await apply(db, spec)).toEqual(['unchanged']);
    expect(await db.query('select xmin::text, credentials from packline.accounts')).toEqual(before);
  });

  test.each<[string, JsonObject]>([
    ['config', { config: { ...(gelatoEntry().config as JsonObject), requestTimeoutMs: 5_000 } }],
    ['limits', { limits: { concurrency: 3 } }],
    ['policy', { policy: { attempts: 2 } }],
    ['breaker', { breaker: false }],
    ['a credential', { credentials: { apiKey: 'key-two', apiSecret: 'secret-one' } }],
  ])('a change of %s updates the account and its time', async (_what, over) => {
    await apply(db, specOf());
    const before = await rowOf(db, 'gelato-eu');
    expect(await apply(db, specOf(over))).toEqual(['updated']);
    const after = await rowOf(db, 'gelato-eu');
    expect(after.updatedAt.getTime()).toBeGreaterThan(before.updatedAt.getTime());
    expect(await apply(db, specOf(over))).toEqual(['unchanged']);
  });

  test('a credential that was rotated in the database is kept while the file says the same', async () => {
    await apply(db, specOf());
    await rotate({ apiKey: 'key-one', apiSecret: 'rotated', extra: 'added' });
    expect(await apply(db, specOf())).toEqual(['unchanged']);
    expect(await apply(db, specOf({ limits: { requests: 1 } }))).toEqual(['updated']);
    expect(await credentialsOf(db, 'gelato-eu')).toEqual({
      apiKey: 'key-one',
      apiSecret: 'rotated',
      extra: 'added',
    });
  });

  test('only the credential whose value in the file changed is replaced', async () => {
    await apply(db, specOf());
    await rotate({ apiKey: 'key-one', apiSecret: 'rotated' });
    await apply(db, specOf({ credentials: { apiKey: 'key-two', apiSecret: 'secret-one' } }));
    expect(await credentialsOf(db, 'gelato-eu')).toEqual({ apiKey: 'key-two', apiSecret: 'rotated' });
    await apply(db, specOf({ credentials: { apiKey: 'key-two', apiSecret: 'secret-two' } }));
    expect(await credentialsOf(db, 'gelato-eu')).toEqual({ apiKey: 'key-two', apiSecret: 'secret-two' });
  });

  test('a credential that appears in the file is added, one that goes from it is removed', async () => {
    await apply(db, specOf());
    const credentials = { apiKey: 'key-one', apiSecret: 'secret-one' };
    await apply(db, specOf({ credentials: { ...credentials, webhookSecret: 'w' } }));
    expect(await credentialsOf(db, 'gelato-eu')).toEqual({ ...credentials, webhookSecret: 'w' });
    await apply(db, specOf({ credentials }));
    expect(await credentialsOf(db, 'gelato-eu')).toEqual(credentials);
  });

  test('a changed credential ends a pause for refused credentials, at once and audibly', async () => {
    await apply(db, specOf());
    await pausedFor('auth');
    await apply(db, specOf({ credentials: { apiKey: 'key-two', apiSecret: 'secret-one' } }));
    expect(await rowOf(db, 'gelato-eu')).toMatchObject({ pauseCode: null, pauseReason: null, probeAt: null });
    const events = await db.prisma.$queryRaw<
      { type: string }[]
    >`select type from packline.events order by id`;
    expect(events.map(({ type }) => type)).toEqual(['account.paused', 'account.resumed']);
  });

  test.each(['operator', 'misconfigured', 'reinstall'])(
    'a pause of code %s stays, whatever the file changes',
    async (code) => {
      await apply(db, specOf());
      await pausedFor(code);
      await apply(
        db,
        specOf({ credentials: { apiKey: 'key-two', apiSecret: 'x' }, limits: { requests: 1 } }),
      );
      expect(await rowOf(db, 'gelato-eu')).toMatchObject({ pauseCode: code, pauseReason: 'because' });
    },
  );

  test('a pause for refused credentials stays while the credentials do', async () => {
    await apply(db, specOf());
    await pausedFor('auth');
    await apply(db, specOf({ limits: { requests: 1 } }));
    expect(await rowOf(db, 'gelato-eu')).toMatchObject({ pauseCode: 'auth' });
  });

  test('gates, and accounts that the file does not name, are left alone', async () => {
    await apply(db, specOf(), specOf({ id: 'gelato-us' }));
    await db.query(`update packline.gates set blocked_until = '2099-01-01', blocked_why = 'x', strikes = 3`);
    const before = await db.query('select * from packline.gates order by account_id');
    const other = await rowOf(db, 'gelato-us');
    await apply(db, specOf({ limits: { requests: 1 } }));
    expect(await db.query('select * from packline.gates order by account_id')).toEqual(before);
    expect(await rowOf(db, 'gelato-us')).toEqual(other);
  });

  test('an account keeps its provider: the file is refused as a whole, with the place', async () => {
    await apply(db, specOf());
    await db.query(`update packline.accounts set provider = 'wasal'`);
    const refused = await applyAccounts(
      db,
      [specOf({ id: 'new' }), specOf({ limits: { requests: 1 } })],
      KEY,
    );
    expect(refused).toMatchObject({
      ok: false,
      problem: { status: 422, errors: [{ pointer: '/accounts/1/provider', code: 'conflict' }] },
    });
    expect(await db.prisma.account.count()).toBe(1);
  });

  test('credentials that were sealed with another key are refused, and nothing is changed', async () => {
    await apply(db, specOf());
    const failed = await applyAccounts(db, [specOf({ id: 'new' }), specOf()], OTHER_KEY).catch(
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(SealError);
    expect(failed).toMatchObject({ code: 'other_key', keyId: KEY.id });
    expect(await db.prisma.account.count()).toBe(1);
  });

  test('processes that apply together do so one after the other', async () => {
    const changes = await Promise.all(
      [1, 2, 3, 4].map(() => apply(db, specOf(), specOf({ id: 'gelato-us' }))),
    );
    expect(changes.filter(([first]) => first === 'created')).toHaveLength(1);
    expect(changes.filter(([first]) => first === 'unchanged')).toHaveLength(3);
    expect(await db.prisma.gate.count()).toBe(2);
  });

  test('two accounts with equal credentials do not look alike in the database', async () => {
    await apply(db, specOf(), specOf({ id: 'gelato-us' }));
    const [one, two] = await Promise.all([rowOf(db, 'gelato-eu'), rowOf(db, 'gelato-us')]);
    expect(one.credentialsDigest).not.toEqual(two.credentialsDigest);
  });

  test('tells whoever listens', async () => {
    const listener = new pg.Client({ connectionString: db.url });
    await listener.connect();
    try {
      await listener.query('listen packline_accounts');
      const heard = once(listener, 'notification');
      await apply(db, specOf());
      await heard;
    } finally {
      await listener.end();
    }
  });
});

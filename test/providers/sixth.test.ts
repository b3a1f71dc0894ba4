/** What a sixth provider costs: one folder, and one line in a list of providers. Nothing else knows it. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { parseAccountsFile } from '../../src/accounts/file.js';
import type { Provider } from '../../src/providers/provider.js';
import { providers } from '../../src/providers/registry.js';
import type { LedgerRequest } from '../../src/simulator/control.js';
import type { LedgerOrder, Simulator } from '../../src/simulator/kit.js';
import { parcelPost } from '../fixtures/parcel-post/index.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import type { Scene } from './conformance/subject.js';
import { openScene, ringToEnd } from './conformance/walk.js';
import { openWorld, taken, type World } from './conformance/world.js';
import { parcelPost as subject } from './parcel-post/subject.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = path.join(root, 'test/fixtures/parcel-post');
const extended: readonly Provider[] = [...providers, parcelPost];

/** Every file below a folder. */
function filesBelow(at: string): string[] {
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name));
}

describe('the sixth provider', () => {
  test('is a folder of the same five files as every other', () => {
    expect(readdirSync(folder).sort()).toEqual(['README.md', 'index.ts', 'map.ts', 'policy.ts', 'wire.ts']);
  });

  test('is named nowhere in the product', () => {
    const files = [path.join(root, 'src'), path.join(root, 'workers')].flatMap(filesBelow);
    expect(files.length).toBeGreaterThan(100);
    const naming = files.filter((file) => /parcel[-_ ]?post/i.test(readFileSync(file, 'utf8')));
    expect(naming).toEqual([]);
  });

  test('knows the contract and what all adapters share, and no other provider', () => {
    const imports = filesBelow(folder).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/ from '([^']+)'/g)].map(([, from = '']) => from),
    );
    const beyond = imports.filter((from) => !from.startsWith('./') && from !== 'zod');
    expect(beyond.length).toBeGreaterThan(0);
    const shared =
      /^\.\.\/\.\.\/\.\.\/src\/(?:field-problems|orders\/\w+|policy\/\w+|providers\/[\w-]+)\.js$/;
    expect(beyond.filter((from) => !shared.test(from))).toEqual([]);
  });
});

describe('its entry in an accounts file', () => {
  const entry = { id: 'post-fi', provider: 'parcel-post', credentials: { token: 'test_1' } };
  const parse = (account: object, known: readonly Provider[]) =>
    parseAccountsFile({ accounts: [account] }, {}, { providers: known, allowHttpHosts: [] });

  test('is taken where the list has it, with every default filled in', () => {
    expect(parse(entry, extended)).toMatchObject({
      ok: true,
      accounts: [
        {
          id: 'post-fi',
          provider: 'parcel-post',
          mode: 'test',
          config: { baseUrl: 'https://api.parcel-post.example/v1', requestTimeoutMs: 30_000 },
          credentials: { token: 'test_1' },
        },
      ],
    });
  });

  test('is refused where the list lacks it, and those that are known are named', () => {
    const known = providers.map(({ id }) => id).join(', ');
    expect(parse(entry, providers)).toEqual({
      ok: false,
      problems: [
        {
          pointer: '/accounts/0/provider',
          code: 'unknown_provider',
          detail: `There is no such provider; known are ${known}.`,
        },
      ],
    });
  });

  test('is refused for what the provider itself finds wrong, all at once', () => {
    const parsed = parse(
      { ...entry, config: { baseUrl: 'http://api.example', colour: 'red' }, credentials: {} },
      extended,
    );
    expect(parsed.ok ? [] : parsed.problems.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([
      '/accounts/0/config/colour unknown_field',
      '/accounts/0/credentials/token required',
    ]);
    const plain = parse({ ...entry, config: { baseUrl: 'http://api.example' } }, extended);
    expect(plain.ok ? [] : plain.problems.map(({ pointer }) => pointer)).toEqual([
      '/accounts/0/config/baseUrl',
    ]);
  });
});

describe('with its line in the list', () => {
  let database: TestDatabase;
  let world: World;
  let simulator: Simulator;
  let scene: Scene;

  beforeAll(async () => {
    database = await createDatabase();
    world = await openWorld({ databaseUrl: database.url, providers: extended });
    simulator = await subject.start();
  });

  beforeEach(async () => {
    scene = await openScene(world, subject, simulator);
  });

  afterAll(async () => {
    await simulator.close();
    await world.close();
    await database.drop();
  });

  const ledger = async () => {
    const answer = await request(`${simulator.url}/_ledger`);
    // What the ledger holds is declared by the server itself (simulator/kit.ts).
    return (await answer.body.json()) as { orders: LedgerOrder[]; requests: LedgerRequest[] };
  };

  test('its table is explained, row by row, with the sources', () => {
    const { provider, rules } = taken(world.base.operator.explainProvider('parcel-post'));
    expect(provider).toBe('parcel-post');
    const own = rules.filter(({ id }) => String(id).startsWith('parcel-post/'));
    expect(own.map(({ id, outcome, source }) => ({ id, outcome, source }))).toEqual(
      parcelPost.policy.rules.map(({ id, outcome, source }) => ({ id, outcome, source })),
    );
    expect(own).toContainEqual(
      expect.objectContaining({ id: 'parcel-post/closed', status: 503, code: 'closed', attempts: 4 }),
    );
  });

  test('its account is shown with a guarantee, and its credentials are tried', async () => {
    const { operator } = world.base;
    const account = taken(await operator.getAccount(scene.account));
    expect(account).toMatchObject({ provider: 'parcel-post', mode: 'live', state: 'active' });
    expect(account.guarantee).toEqual({
      level: 'exactly_once',
      reason: 'the provider takes each reference only once',
    });
    expect(taken(await operator.checkAccount(scene.account))).toMatchObject({ ok: true });
  });

  test('an order that it could not deliver is refused at every pointer, and not stored', async () => {
    const { operator } = world.base;
    const refused = await operator.submit(
      {
        account: scene.account,
        reference: ' wrong',
        shippingMethod: 'balloon',
        shippingAddress: { line1: 'Aleksanterinkatu 1', city: 'Helsinki', country: 'XX' },
        payment: { method: 'cod' },
        options: { colour: 'red' },
      },
      { actor: 'shop' },
    );
    const problems = refused.ok ? [] : (refused.problem.errors ?? []);
    expect(problems.map(({ pointer }) => pointer).sort()).toEqual([
      '/customer/firstName',
      '/customer/lastName',
      '/items',
      '/options/colour',
      '/payment/method',
      '/reference',
      '/shippingAddress/country',
      '/shippingAddress/postCode',
      '/shippingMethod',
    ]);
    expect(taken(await operator.listOrders({ account: scene.account })).orders).toEqual([]);
  });

  test('an order goes from intake to delivered, read by read', async () => {
    const { operator } = world.base;
    const before = (await ledger()).requests.length;
    const body = await subject.body(scene);
    const orderId = await world.send(body);
    const show = async () => taken(await operator.getOrder(orderId));
    expect(await show()).toMatchObject({ status: 'received', providerOrderId: null });

    const submit = await ringToEnd(world, await world.operation(orderId, 'submit'));
    expect(submit).toMatchObject({ state: 'succeeded', attempts: 1, calls: 1, letters: [] });
    const { orders } = await ledger();
    expect(orders.map(({ reference }) => reference)).toEqual([body.reference]);
    const [held] = orders;
    expect(await show()).toMatchObject({
      provider: 'parcel-post',
      status: 'submitted',
      rawStatus: 'announced',
      providerOrderId: held?.id,
      tracking: [],
    });

    const states = [
      ['collected', 'in_progress'],
      ['in_transit', 'shipped'],
      ['delivered', 'delivered'],
    ] as const;
    for (const [state, status] of states) {
      await scene.control('/_control/advance', { reference: body.reference, status: state });
      // There is no list of several references, so the read of the account asks for its orders one by one.
      const sync = await world.sync(scene.account);
      await world.ring(sync);
      const read = await ringToEnd(world, await world.operation(orderId, 'poll'));
      expect(await ringToEnd(world, sync)).toMatchObject({ state: 'succeeded', calls: 0 });
      expect(read).toMatchObject({ state: 'succeeded', calls: 1, order: { status, attention: null } });
      expect(await show()).toMatchObject({ status, rawStatus: state });
    }
    expect(await show()).toMatchObject({
      attention: null,
      failure: null,
      tracking: [
        {
          carrier: 'Parcel Post',
          code: `T${held?.id}`,
          url: `https://track.parcel-post.example/T${held?.id}`,
          status: 'delivered',
        },
      ],
    });

    const { requests, orders: after } = await ledger();
    expect(after).toHaveLength(1);
    expect(requests.slice(before).map(({ verb, status }) => `${verb} ${status}`)).toEqual([
      'announce 201',
      'show 200',
      'show 200',
      'show 200',
    ]);
    const { timeline } = taken(await operator.timeline(orderId, {}));
    const moves = timeline.filter(({ type }) => type === 'order.status_changed').map(({ data }) => data.to);
    expect(moves).toEqual(['in_progress', 'shipped', 'delivered']);
    expect(world.alertsOf(scene.account)).toEqual([]);
  });
});

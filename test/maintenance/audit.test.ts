/** What a provider holds, against what we do: at the simulators of all providers, with orders that went around packline. */
import { request } from 'undici';
import type { Alert } from '../../src/events/alerts.js';
import { createLog } from '../../src/log.js';
import { AUDIT_DAYS, type AuditDeps, auditAccount, auditDue } from '../../src/maintenance/audit.js';
import { viewOf } from '../../src/operator/read-once.js';
import { findOrder } from '../../src/orders/store/queries.js';
import type { Simulator } from '../../src/simulator/kit.js';
import { systemTime } from '../../src/time.js';
import type { AuditJson } from '../../src/views.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import type { Scene, Subject } from '../providers/conformance/subject.js';
import { openScene, ringToEnd } from '../providers/conformance/walk.js';
import { openWorld, type World } from '../providers/conformance/world.js';
import { gelatoConnect } from '../providers/gelato-connect/subject.js';
import { subjects } from '../providers/subjects.js';

let database: TestDatabase;
let world: World;
let simulator: Simulator;
let told: Alert[];
let rests: number[];

beforeAll(async () => {
  database = await createDatabase();
  world = await openWorld({ databaseUrl: database.url });
});
afterAll(async () => {
  await world.close();
  await database.drop();
});
beforeEach(() => {
  told = [];
  rests = [];
});
afterEach(() => simulator.close());

/** Without the rests between calls, which only spare the provider. */
function deps(): AuditDeps {
  const { db, base } = world;
  const sleep = (ms: number) => {
    rests.push(ms);
    return Promise.resolve();
  };
  return {
    db,
    accounts: base.accounts,
    http: base.http,
    key: base.key,
    time: { ...systemTime, sleep },
    log: createLog('silent'),
    tell: (alert) => void told.push(alert),
  };
}

async function open(subject: Subject, config: object = {}): Promise<Scene> {
  simulator = await subject.start();
  const entry: NonNullable<Subject['entry']> = (plain) => {
    // An entry of the accounts file, as the simulator or the subject has made it.
    const made = (subject.entry?.(plain) ?? plain) as { config: object };
    return { ...made, config: { ...made.config, ...config } };
  };
  return openScene(world, { ...subject, entry }, simulator);
}

async function accepted(scene: Scene, subject: Subject, nth: number): Promise<string> {
  const body = await subject.body({ ...scene, nth: scene.nth * 100 + nth });
  const orderId = await world.send({ ...body, reference: `audited-${scene.nth}-${nth}` });
  await ringToEnd(world, await world.operation(orderId, 'submit'));
  // As if it had been accepted a while ago: what is new need not show yet.
  await world.db.query(
    `update packline.operations set finished_at = now() - interval '1 hour' where order_id = $1::uuid`,
    orderId,
  );
  return orderId;
}

/** Sends the order's last step once more, past packline; under another reference where one is given. */
async function sendAround(scene: Scene, orderId: string, reference?: string): Promise<void> {
  const account = world.base.accounts.get(scene.account);
  const row = await findOrder(world.db.prisma, orderId);
  const submit = await world.standing(await world.operation(orderId, 'submit'));
  const step = account?.open.verbs.submit.at(-1);
  if (account == null || row === null || step === undefined) throw new Error('there is no such order');
  const view = viewOf(account, { row, providerOrderId: '' });
  const order = reference === undefined ? view : { ...view, providerReference: reference };
  const { url, method, headers, body } = step.request({ order, params: {}, carry: submit.carry });
  const answer = await request(url, { method, headers, body: body ?? null });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${text}`);
}

async function audit(scene: Scene, days = AUDIT_DAYS): Promise<AuditJson> {
  const account = world.base.accounts.get(scene.account);
  if (account === null) throw new Error(`account ${scene.account} cannot be used`);
  return auditAccount(deps(), account, 'schedule', days);
}

const orderOf = async (orderId: string) => {
  const row = await findOrder(world.db.prisma, orderId);
  if (row === null) throw new Error(`order ${orderId} is gone`);
  return row;
};

/** The id of an order that the provider never gave. */
async function loseAtProvider(orderId: string): Promise<string> {
  const { providerOrderId } = await orderOf(orderId);
  const lost = (providerOrderId ?? '').replace(/[0-9a-zA-Z]{4}$/, '0000');
  await world.db.query(
    'update packline.orders set provider_order_id = $2 where id = $1::uuid',
    orderId,
    lost,
  );
  return lost;
}

const everyKind = Object.values(subjects).flat();
const named = everyKind.map((subject) => [`${subject.id} ${subject.mode ?? ''}`.trim(), subject] as const);
const listing = named.filter(([, { mode }]) => mode !== 'C');
const REFERENCED = listing.filter(([name]) => !/zupy|salla A, \/orders$/.test(name));

test.each(listing)(
  '%s: an account where all is well has no findings, and nobody is told',
  async (_name, subject) => {
    const scene = await open(subject);
    await accepted(scene, subject, 1);
    await accepted(scene, subject, 2);
    const report = await audit(scene);
    expect(report).toMatchObject({
      state: 'complete',
      why: null,
      surplus: { count: 0 },
      orphans: { count: 0 },
      missing: { count: 0 },
    });
    expect(report.listed).toBeGreaterThanOrEqual(2);
    expect(told).toEqual([]);
  },
);

test.each(listing)(
  '%s: an order that is gone there is missing, and put before a person',
  async (_name, subject) => {
    const scene = await open(subject);
    await accepted(scene, subject, 1);
    const orderId = await accepted(scene, subject, 2);
    const lost = await loseAtProvider(orderId);
    expect(await audit(scene)).toMatchObject({
      state: 'complete',
      missing: { count: 1, named: [{ orderId, providerOrderId: lost }] },
    });
    expect(await orderOf(orderId)).toMatchObject({
      attentionCode: 'missing_at_provider',
      status: expect.any(String),
    });
    expect(told).toMatchObject([{ code: 'audit', severity: 'critical', account: scene.account }]);
  },
);

test.each(REFERENCED)(
  '%s: a second order under a reference of ours is surplus, once',
  async (_name, subject) => {
    const scene = await open(subject);
    const orderId = await accepted(scene, subject, 1);
    await sendAround(scene, orderId);
    expect(await audit(scene)).toMatchObject({
      state: 'complete',
      surplus: { count: 1, named: [{ orderId }] },
      missing: { count: 0 },
    });
    expect(told.map(({ code }) => code)).toEqual(['audit']);
    const submit = await world.operation(orderId, 'submit');
    const letters = [{ code: 'duplicate', ambiguous: true, state: 'open' }];
    expect(await world.standing(submit)).toMatchObject({ order: { attention: 'duplicate' }, letters });
    // The next day: still there, known, and no news.
    expect(await audit(scene)).toMatchObject({ surplus: { count: 1 } });
    expect(await world.standing(submit)).toMatchObject({ letters });
    expect(told).toHaveLength(1);
  },
);

test.each(REFERENCED)('%s: an order of nobody here is an orphan', async (_name, subject) => {
  const scene = await open(subject, { exclusive: true });
  const orderId = await accepted(scene, subject, 1);
  await sendAround(scene, orderId, 'from-elsewhere');
  const found = { count: 1, named: [{ orderId: null, providerOrderId: expect.any(String) }] };
  expect(await audit(scene)).toMatchObject({ state: 'complete', orphans: found, surplus: { count: 0 } });
  expect(await audit(scene)).toMatchObject({ orphans: found });
  expect(told.map(({ code }) => code)).toEqual(['audit']);
});

test('an account whose provider keeps no reference shows a second order as an orphan, if it is exclusive', async () => {
  const [subject] = subjects.zupy ?? [];
  if (subject === undefined) throw new Error('zupy has no subject');
  const scene = await open(subject, { exclusive: true });
  await sendAround(scene, await accepted(scene, subject, 1));
  expect(await audit(scene)).toMatchObject({
    limits: [expect.stringContaining('keeps no reference')],
    surplus: { count: 0 },
    orphans: { count: 1, named: [{ orderId: null, reference: null }] },
  });
});

test('an account whose provider cannot list what it holds says so, and calls nobody', async () => {
  const subject = everyKind.find(({ mode }) => mode === 'C');
  if (subject === undefined) throw new Error('there is no such subject');
  const scene = await open(subject);
  expect(await audit(scene)).toMatchObject({ state: 'unsupported', why: expect.any(String), listed: 0 });
  const rows = await world.db.query(`select 1 from packline.attempts where account_id = $1`, scene.account);
  expect(rows).toEqual([]);
});

test('orders of others beside a prefix are none of ours, and those under it are', async () => {
  const scene = await open(gelatoConnect, { referencePrefix: 'shop1-' });
  const orderId = await accepted(scene, gelatoConnect, 1);
  await sendAround(scene, orderId, 'shop2-100');
  expect(await audit(scene)).toMatchObject({ listed: 2, orphans: { count: 0 }, limits: [] });
  await sendAround(scene, orderId, 'shop1-100');
  expect(await audit(scene)).toMatchObject({
    listed: 3,
    orphans: { count: 1, named: [{ reference: 'shop1-100' }] },
  });
  expect(told.map(({ message }) => message)).toEqual([expect.stringContaining('shop1-100')]);
});

test('without a prefix, an orphan stands in the report, and nobody is woken for it', async () => {
  const scene = await open(gelatoConnect);
  await sendAround(scene, await accepted(scene, gelatoConnect, 1), 'by hand');
  expect(await audit(scene)).toMatchObject({
    orphans: { count: 1 },
    limits: [expect.stringContaining('referencePrefix')],
  });
  expect(told).toEqual([]);
});

test('a corrected order is told from its first generation, and from one whose reference ends alike', async () => {
  const scene = await open(gelatoConnect);
  const { nth } = scene;
  const plain = { ...(await gelatoConnect.body(scene)), reference: `tilde-${nth}~2` };
  await ringToEnd(world, await world.operation(await world.send(plain), 'submit'));
  const orderId = await accepted(scene, gelatoConnect, 1);
  await world.db.query(
    `with d as (update packline.orders set generation = 2, provider_order_id = null where id = $1::uuid returning id)
     update packline.operations o set generation = 2 from d where o.order_id = d.id`,
    orderId,
  );
  await sendAround(scene, orderId);
  expect(await audit(scene)).toMatchObject({ listed: 3, orphans: { count: 0 }, surplus: { count: 1 } });
});

test('many pages are read, each order once, and the calls keep far below the pace', async () => {
  const scene = await open(gelatoConnect);
  const orderId = await accepted(scene, gelatoConnect, 1);
  for (let n = 0; n < 205; n += 1) await sendAround(scene, orderId, `many-${n}`);
  expect(await audit(scene)).toMatchObject({
    state: 'complete',
    listed: 206,
    orphans: { count: 205 },
    surplus: { count: 0 },
  });
  const { limits } = world.base.accounts.get(scene.account) ?? {};
  expect(rests).toEqual([0, 0].map(() => (10 * (limits?.perMs ?? 0)) / (limits?.requests ?? 1)));
  const tries = await world.db.query<{ step: string; report: string; purpose: string }>(
    `select step, report, purpose from packline.attempts where account_id = $1 and purpose = 'watch'`,
    scene.account,
  );
  expect(tries).toEqual([0, 1, 2].map(() => ({ step: 'inventory', report: 'accepted', purpose: 'watch' })));
});

test('a list that cannot be read proves nothing missing; a later one goes on', async () => {
  const scene = await open(gelatoConnect);
  await loseAtProvider(await accepted(scene, gelatoConnect, 1));
  const broken = { match: { verb: 'search' }, times: 3, do: { status: 500 } };
  await scene.control('/_control', broken);
  expect(await audit(scene)).toMatchObject({
    state: 'incomplete',
    why: expect.stringContaining('could not be read'),
    missing: { count: 0 },
  });
  expect(told).toEqual([]);
  await scene.control('/_control', { ...broken, times: 2 });
  expect(await audit(scene)).toMatchObject({ state: 'complete', missing: { count: 1 } });
});

test('a 429 ends it at once, and closes the gate for everybody', async () => {
  const scene = await open(gelatoConnect);
  await accepted(scene, gelatoConnect, 1);
  const throttled = {
    status: 429,
    headers: { 'Retry-After': '30' },
    body: { code: 429, message: 'Too many' },
  };
  await scene.control('/_control', { match: { verb: 'search' }, times: 9, do: throttled });
  expect(await audit(scene)).toMatchObject({ state: 'incomplete' });
  expect(
    await world.standing(await world.operation(await world.send(await gelatoConnect.body(scene)), 'submit')),
  ).toMatchObject({
    gates: { '*': 'rate_limited' },
  });
});

test('an order that is found by its id is not missing, whatever the list leaves out', async () => {
  const scene = await open(gelatoConnect);
  const orderId = await accepted(scene, gelatoConnect, 1);
  await scene.control('/_control', {
    match: { verb: 'search' },
    times: 1,
    do: { status: 200, body: { orders: [] } },
  });
  expect(await audit(scene)).toMatchObject({ state: 'complete', listed: 0, missing: { count: 0 } });
  expect(await orderOf(orderId)).toMatchObject({ attentionCode: null });
});

test('what is still under way, or before a person, is found out by others', async () => {
  const scene = await open(gelatoConnect);
  const orderId = await accepted(scene, gelatoConnect, 1);
  const waiting = await world.send({ ...(await gelatoConnect.body(scene)), reference: 'under-way' });
  await sendAround(scene, waiting);
  await sendAround(scene, orderId, 'canceled-later');
  await scene.control('/_control/advance', { reference: 'canceled-later', status: 'canceled' });
  expect(await audit(scene)).toMatchObject({ listed: 3, surplus: { count: 0 }, orphans: { count: 0 } });
});

test('each account has its turn once a day, the first a day after it came; one that failed within the hour', async () => {
  const scene = await open(gelatoConnect);
  const audits = async () => {
    await auditDue(deps());
    const rows = await world.db.query<{ type: string }>(
      `select type from packline.events where account_id = $1 and type = 'audit.finished'`,
      scene.account,
    );
    return rows.length;
  };
  expect(await audits()).toBe(0);
  await world.db.query(
    `update packline.accounts set created_at = now() - interval '25 hours' where id = $1`,
    scene.account,
  );
  await scene.control('/_control', { match: { verb: 'search' }, times: 3, do: { status: 500 } });
  expect(await audits()).toBe(1);
  expect(await audits()).toBe(1);
  const age = (key: string) =>
    world.db.query(
      `update packline.installation set value = value || jsonb_build_object('${key}', now() - interval '25 hours') where key = $1`,
      `audit:${scene.account}`,
    );
  await age('begunAt');
  expect(await audits()).toBe(2);
  await age('begunAt');
  expect(await audits()).toBe(2);
  await age('finishedAt');
  expect(await audits()).toBe(3);
});

test('a stop ends an audit between two calls', async () => {
  const scene = await open(gelatoConnect);
  const account = world.base.accounts.get(scene.account);
  if (account === null) throw new Error('no account');
  const report = await auditAccount({ ...deps(), signal: AbortSignal.abort() }, account, 'schedule', 1);
  expect(report).toMatchObject({ state: 'incomplete', why: expect.stringContaining('stopping') });
  const rows = await world.db.query(`select 1 from packline.attempts where account_id = $1`, scene.account);
  expect(rows).toEqual([]);
});

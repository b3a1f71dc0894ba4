/**
 * No statement of daily work reads a table from beginning to end that grows with every order. The statements are
 * those that really run: a packline at work beside a long history is listened to, and each of its texts is explained,
 * for unknown values as a prepared statement has it, and for those that were sent.
 */
import { jest } from '@jest/globals';
import pg from 'pg';
import type { CachedAccount } from '../../src/accounts/cache.js';
import { PRESENCE_CLASS } from '../../src/database/presence.js';
import { createLog } from '../../src/log.js';
import { type AuditDeps, auditAccount } from '../../src/maintenance/audit.js';
import { checkInvariants } from '../../src/maintenance/invariants.js';
import { runRetention } from '../../src/maintenance/retention.js';
import { buryOrphan, doubtUnclaimed, giveBackRings, parkBusy } from '../../src/orders/store/claim.js';
import { adoptedIds, findControl } from '../../src/orders/store/confirm.js';
import { adoptOrder } from '../../src/orders/store/dead-letters.js';
import { openOrderData } from '../../src/orders/store/facts.js';
import { beginOtpCall } from '../../src/orders/store/otp.js';
import {
  openOrdersNamed,
  pageOfReads,
  singleReads,
  spanOfReads,
  unseenReads,
} from '../../src/orders/store/read-pages.js';
import { dropRead, readSoon, resetRead } from '../../src/orders/store/reads.js';
import { recoverLost } from '../../src/orders/store/recover.js';
import { systemTime } from '../../src/time.js';
import type { OrderJson } from '../../src/views.js';
import { accepting, losing } from '../helpers/faults.js';
import { makeHistory } from '../helpers/history.js';
import {
  createStage,
  type Scene,
  type Stage,
  startPackline,
  type TestPackline,
} from '../helpers/packline.js';
import { until } from '../helpers/until.js';
import { taken } from '../providers/conformance/world.js';
import { customPlan, genericPlan, type Sent, touchesHistory } from './plans.js';

// A history of years has to be made first.
jest.setTimeout(300_000);

/** So many that reading them all is never the cheaper way to one of them. */
const ORDERS = 100_000;
/** For what the maintenance does every few seconds, on a busy machine, ms. */
const ROUNDS_MS = 60_000;

let stage: Stage;
let packline: TestPackline;
let scene: Scene;
let client: pg.Client;
const sent = new Map<string, Sent[]>();
let listening: jest.SpiedFunction<typeof pg.Client.prototype.query>;

beforeAll(async () => {
  stage = await createStage('redis');
  packline = await startPackline(stage);
  scene = await packline.scene();
  const url = stage.config.databaseUrl ?? '';
  await makeHistory(url, scene.account, ORDERS);
  client = new pg.Client({ connectionString: url });
  await client.connect();
  listening = listen();
});
afterAll(async () => {
  listening.mockRestore();
  await client.end();
  await packline.stop();
  await stage.remove();
});

/** Writes down what is sent to the database from now on, with the last values of each text. */
function listen(): typeof listening {
  const note = (text: unknown, values: unknown) => {
    if (typeof text !== 'string' || !touchesHistory(text)) return;
    const before = sent.get(text) ?? [];
    sent.set(text, [...before, { text, values: Array.isArray(values) ? values : [] }].slice(-3));
  };
  const query = pg.Client.prototype.query;
  return jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
    this: pg.Client,
    ...args: unknown[]
  ) {
    const [first, second] = args;
    if (typeof first === 'object' && first !== null)
      note(Reflect.get(first, 'text'), Reflect.get(first, 'values') ?? second);
    else note(first, second);
    return Reflect.apply(query, this, args);
  });
}

const heard = (pattern: RegExp) => [...sent.keys()].some((text) => pattern.test(text));
const whenHeard = (what: string, pattern: RegExp) => until(what, () => heard(pattern), ROUNDS_MS);
const is = (status: string) => (order: OrderJson) => order.status === status;

async function becomes(order: OrderJson, status: string): Promise<OrderJson> {
  return packline.orderWhen(order.id, status, is(status), ROUNDS_MS);
}

/** What shops and providers do. */
async function dailyWork(): Promise<OrderJson> {
  const { expecting } = packline;
  const plain = await becomes(await scene.send('P-1'), 'submitted');
  await expecting(200, 'POST', '/v1/orders', scene.body('P-1'));
  await expecting(409, 'POST', '/v1/orders', scene.body('P-1', { notes: 'another' }));
  await expecting(207, 'POST', '/v1/orders/batch', { orders: [scene.body('P-2'), scene.body('P-3')] });
  const { fault } = scene.simulator;
  await fault({ match: { verb: 'submit' }, times: 1, do: accepting('drop') });
  await becomes(await scene.send('found'), 'submitted');
  await fault({ match: { verb: 'submit' }, times: 1, do: losing('drop') });
  await becomes(await scene.send('absent'), 'submitted');
  await fault({ match: { verb: 'submit' }, times: 1, do: { status: 422, body: { message: 'no' } } });
  const failed = await becomes(await scene.send('failed'), 'failed');
  await expecting(200, 'PUT', `/v1/orders/${failed.id}`, scene.body('failed', { notes: 'mended' }));
  await becomes(failed, 'submitted');
  const draft = await becomes(await scene.send('draft', { activate: false }), 'draft');
  await expecting(202, 'POST', `/v1/orders/${draft.id}/activate`);
  await becomes(draft, 'submitted');
  await expecting(202, 'POST', `/v1/orders/${draft.id}/cancel`);
  await becomes(draft, 'canceled');
  await expecting(202, 'POST', `/v1/orders/${plain.id}/shipment`, { shippingMethod: 'express' });
  await expecting(202, 'POST', `/v1/orders/${plain.id}/sync`);
  await scene.simulator.advance('P-1', 'shipped');
  await expecting(202, 'POST', '/v1/sync', {});
  return becomes(plain, 'shipped');
}

/** What people do, and what they look at. */
async function people(order: OrderJson): Promise<void> {
  const { expecting } = packline;
  const missing = { status: 404, body: { code: 404, message: 'The requested resource does not exist' } };
  await scene.simulator.fault({ match: { verb: 'submit' }, times: 2, do: missing });
  const replayed = await packline.letterOf(await scene.send('letter-1'));
  const discarded = await packline.letterOf(await scene.send('letter-2'));
  await whenHeard('the letters are on the board', /set boarded_at = case/);
  await expecting(202, 'POST', `/v1/dead-letters/${replayed.id}/replay`, {});
  await expecting(200, 'POST', `/v1/dead-letters/${discarded.id}/discard`, { reason: 'not wanted' });
  await expecting(200, 'GET', '/v1/dead-letters');
  await expecting(202, 'POST', '/v1/dead-letters/replay', { dryRun: true });
  await expecting(200, 'POST', `/v1/accounts/${scene.account}/pause`, { reason: 'stock count' });
  const unsent = await scene.send('unsent');
  await expecting(202, 'POST', `/v1/orders/${unsent.id}/cancel`);
  await expecting(200, 'GET', `/v1/accounts/${scene.account}`);
  await expecting(200, 'POST', `/v1/accounts/${scene.account}/resume`);
  const filters = [
    '',
    `?account=${scene.account}`,
    '?reference=P-1',
    '?status=submitted',
    '?attention=any',
    '?attention=duplicate',
    `?providerOrderId=${order.providerOrderId}`,
    '?email=ada7@example.com',
  ];
  for (const filter of filters) await expecting(200, 'GET', `/v1/orders${filter}`);
  await packline.timeline(order.id);
  await packline.order(order.id);
  const { operator } = packline.running.base;
  taken(await operator.findOrder(`${scene.account}/P-1`));
  taken(await operator.deliverables(order.id, 'shop'));
  taken(await operator.doctor({ actor: 'cli', invariants: false, audit: null }));
}

/** What the maintenance does every few seconds, minutes, or days. */
async function upkeep(): Promise<void> {
  const { db, accounts, http, key } = packline.running.base;
  await db.query(`update packline.attempts set watch_at = now() where watch_at is not null`);
  await whenHeard('a watch is finished', /^\s*update packline\.attempts set watch_no/);
  await stage.redis?.flush();
  await whenHeard('everything rings again', /where \(o\.state in \('queued', 'retrying'\)/);
  await checkInvariants(db, 'recent');
  const account: CachedAccount | null = accounts.get(scene.account);
  if (account === null) throw new Error('the account is not open');
  const deps: AuditDeps = {
    db,
    accounts,
    http,
    key,
    time: systemTime,
    log: createLog('silent'),
    tell: () => undefined,
  };
  await auditAccount(deps, account, 'cli', 1);
  // The first page of the oldest events is enough, and what it is worth is another test's.
  const stop = new AbortController();
  const once = { olderThanDays: 400, dryRun: false, onPage: () => stop.abort() };
  await runRetention({ db, time: systemTime, signal: stop.signal }, once);
}

/** What only other providers' accounts, edited rows and rare turns lead to; of an operation that there is not. */
async function rareTurns(order: OrderJson): Promise<void> {
  const { db } = packline.running.base;
  const { account } = scene;
  const nobody = '0';
  await openOrderData(db, account, order.id, { customerAddressId: 1 });
  await beginOtpCall(db, order.id, 'otp', 1_000);
  await adoptedIds(db, account, order.id, ['p-1']);
  await findControl(db, account, order.id, 1_000);
  await adoptOrder(db, nobody, 'p-1', 'new', 'submitted');
  await buryOrphan(db, nobody);
  await doubtUnclaimed(db, nobody);
  await giveBackRings(db, [{ operationId: nobody, delayMs: 0 }]);
  await parkBusy(db, [nobody]);
  await dropRead(db, nobody);
  await resetRead(db, nobody);
  await pageOfReads(db, account, null, 100, 60_000);
  await pageOfReads(db, account, new Date(0).toISOString(), 100);
  await openOrdersNamed(db, account, ['p-1']);
  await spanOfReads(db, account, null, null, 1);
  await unseenReads(db, account, null, 0, 100);
  await singleReads(db, account);
  await readSoon(db, ['00000000-0000-7000-8000-000000000000'], 'shop');
  await recoverLost(db, PRESENCE_CLASS);
}

/** What must have been heard, so that silence is not taken for speed. */
const HOT: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['an intake', /insert into packline\.orders/],
  ['a bell', /as "ringNo", o\.attempts$/],
  ['a claim', /insert into packline\.attempts[\s\S]*heard as/],
  ['a settlement', /lettered as \([\s\S]*told as/],
  ['a take-over', /lost as materialized/],
  ['freed orders', /packline\.state_now\(d\.busy_op\) is distinct from 'running'/],
  ['due watches', /a\.watch_at <= now\(\)/],
  ['a page of reads', /order by d\.read_due_at nulls first/],
  ['applied reads', /'order\.reopened'/],
  ['the start of a sync', /'before', \$2::text/],
  ['what orders wait for', /'in_line'/],
  ['new dead letters for the board', /l\.boarded_at is null/],
  ['decided dead letters for the board', /l\.boarded_at is not null/],
  ['a call beside the claims', /from jsonb_to_record\(\$2::jsonb\)/],
  ['a correction', /'replaced by a corrected body'/],
  ['an absence', /set verdict = 'absent'/],
  ['a timeline', /'attempt\.' \|\| a\.purpose/],
  ['a page of history', /with page as materialized/],
  ['forgotten attempts', /delete from packline\.attempts/],
  ['accounts of an audit', /"providerOrderId" text, reference text, base text/],
];

test('no statement of daily work reads orders, operations, attempts, events or dead letters as a whole', async () => {
  const order = await dailyWork();
  await people(order);
  await upkeep();
  await rareTurns(order);
  const texts = [...sent.values()];
  expect(HOT.filter(([, pattern]) => !heard(pattern)).map(([what]) => what)).toEqual([]);
  const slow: { reads: string[]; text: string }[] = [];
  for (const [first, ...more] of texts) {
    if (first === undefined) continue;
    const reads = await genericPlan(client, first);
    for (const each of [first, ...more]) reads.push(...(await customPlan(client, each)));
    if (reads.length > 0) slow.push({ reads: [...new Set(reads)], text: first.text.slice(0, 600) });
  }
  expect(slow).toEqual([]);
});

/** `/metrics` after a known course of things: what this process saw, and what the rows say. */
import { INVARIANTS } from '../../src/maintenance/invariants.js';
import { ORDER_STATUSES } from '../../src/orders/order.js';
import { accepting } from '../helpers/faults.js';
import { ALL_ROLES, createStage, type Stage, startPackline, type TestPackline } from '../helpers/packline.js';
import { until } from '../helpers/until.js';
import { type Sample, sampleOf, samplesOf } from './text.js';

let stage: Stage;
let packline: TestPackline;

beforeAll(async () => {
  stage = await createStage('postgres');
  packline = await startPackline(stage);
});
afterAll(async () => {
  await packline.stop();
  await stage.remove();
});

const DEADLINE_MS = 20_000;
const BETWEEN_SCRAPES_MS = 200;

const scrape = async (from: TestPackline = packline): Promise<Sample[]> => {
  const { status, headers, text } = await from.ask('GET', '/metrics');
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  return samplesOf(text);
};

/** Scrapes until a scrape is as it should be; readings of the rows are kept for some seconds. */
const scrapeWhen = (what: string, holds: (samples: Sample[]) => boolean): Promise<Sample[]> =>
  until(
    what,
    async () => {
      const samples = await scrape();
      return holds(samples) && samples;
    },
    DEADLINE_MS,
    BETWEEN_SCRAPES_MS,
  );

const whenIs = (name: string, labels: Record<string, string>, value: number): Promise<Sample[]> =>
  scrapeWhen(
    `${name} ${JSON.stringify(labels)} is ${value}`,
    (samples) => sampleOf(samples, name, labels) === value,
  );

test('orders, operations, calls, jobs and dead letters are counted as they are', async () => {
  const { account, simulator, send, change } = await packline.scene();
  const submitted = await Promise.all(['M-1', 'M-2', 'M-3'].map((reference) => send(reference)));
  for (const { id } of submitted)
    await packline.orderWhen(id, 'submitted', ({ status }) => status === 'submitted');
  await simulator.fault({ match: { verb: 'submit' }, times: 1, do: { status: 404 } });
  await packline.letterOf(await send('M-dead'));
  const do400 = { status: 400, body: { message: 'no such thing' } };
  await simulator.fault({ match: { verb: 'submit' }, times: 1, do: do400 });
  const refused = await send('M-refused');
  await packline.orderWhen(refused.id, 'failed', ({ status }) => status === 'failed');
  await change({ limits: { requests: 30, perMs: 2_000 } });
  await packline.expecting(200, 'POST', `/v1/accounts/${account}/pause`, { reason: 'stocktaking' });
  await send('M-held');

  await whenIs('packline_account_paused', { account }, 1);
  await whenIs('packline_breaker_open', { account }, 0);
  await whenIs('packline_gate_limit_calls_per_second', { account }, 15);
  await whenIs('packline_operations', { account, kind: 'submit', state: 'pending' }, 1);
  const samples = await whenIs('packline_orders', { account, status: 'received' }, 2);
  const orders = samples.filter(
    ({ name, labels }) => name === 'packline_orders' && labels.account === account,
  );
  expect(Object.fromEntries(orders.map(({ labels, value }) => [labels.status, value]))).toEqual({
    ...Object.fromEntries(ORDER_STATUSES.map((status) => [status, 0])),
    submitted: 3,
    failed: 1,
    received: 2,
  });
  const due = sampleOf(samples, 'packline_oldest_due_seconds', { account });
  expect(due).toBeGreaterThan(0);
  expect(due).toBeLessThan(60);
  expect(sampleOf(samples, 'packline_dead_letters_open', { account })).toBe(1);
  expect(sampleOf(samples, 'packline_dead_letters_open', { account, code: 'misconfigured' })).toBe(1);
  expect(sampleOf(samples, 'packline_gate_blocked_seconds', { account, verb: 'all' })).toBe(0);
  expect(sampleOf(samples, 'packline_gate_ahead_seconds', { account })).toBeGreaterThanOrEqual(0);

  const submit = { provider: 'gelato-connect', verb: 'submit' };
  const attempts = (outcome: string) =>
    sampleOf(samples, 'packline_attempts_total', { account, ...submit, outcome });
  expect([attempts('accepted'), attempts('missing'), attempts('rejected')]).toEqual([3, 1, 1]);
  expect(sampleOf(samples, 'packline_call_duration_seconds_count', submit)).toBe(5);
  expect(sampleOf(samples, 'packline_call_duration_seconds_sum', submit)).toBeGreaterThan(0);
  expect(sampleOf(samples, 'packline_jobs_total', { account, kind: 'submit', result: 'dead' })).toBe(1);
  expect(sampleOf(samples, 'packline_claims_total', { result: 'claimed' })).toBeGreaterThanOrEqual(5);
  const settled = { state: 'succeeded', applied: 'true' };
  expect(sampleOf(samples, 'packline_settles_total', settled)).toBeGreaterThanOrEqual(3);
  const taken = { method: 'POST', route: '/v1/orders', status: '2xx' };
  expect(sampleOf(samples, 'packline_http_requests_total', taken)).toBe(6);
});

test('reads and looks are counted under their own names', async () => {
  const { account, simulator, send } = await packline.scene();
  await simulator.fault({ match: { verb: 'submit' }, times: 1, do: accepting('drop') });
  const { id } = await send('L-1');
  await packline.orderWhen(id, 'submitted', ({ status }) => status === 'submitted');
  await packline.expecting(202, 'POST', `/v1/orders/${id}/sync`);
  const one = { account, provider: 'gelato-connect' };
  const samples = await whenIs('packline_attempts_total', { ...one, verb: 'poll', outcome: 'observed' }, 1);
  expect(sampleOf(samples, 'packline_attempts_total', { ...one, verb: 'submit' })).toBe(1);
  expect(sampleOf(samples, 'packline_attempts_total', { ...one, verb: 'submit', outcome: 'unknown' })).toBe(
    1,
  );
  expect(sampleOf(samples, 'packline_attempts_total', { ...one, verb: 'look', outcome: 'observed' })).toBe(1);
});

test('a closed gate and a closed verb tell for how long, and what the provider says is left', async () => {
  const { account } = await packline.scene();
  const { db } = packline.running.base;
  await db.query(
    `update packline.gates set blocked_until = now() + interval '1 hour', blocked_why = 'rate_limited',
       seen_remaining = 7, seen_reset_at = now() + interval '1 hour'
     where account_id = $1`,
    account,
  );
  await db.query(
    `insert into packline.gates (account_id, verb, blocked_until, blocked_why) values ($1, 'submit', now() + interval '2 hours', 'funds')`,
    account,
  );
  const closed = (samples: Sample[], verb: string) =>
    sampleOf(samples, 'packline_gate_blocked_seconds', { account, verb }) ?? 0;
  const samples = await scrapeWhen(
    'both are told',
    (all) => closed(all, 'all') > 0 && closed(all, 'submit') > 0,
  );
  expect(closed(samples, 'all')).toBeGreaterThan(3_500);
  expect(closed(samples, 'all')).toBeLessThanOrEqual(3_600);
  expect(closed(samples, 'submit')).toBeGreaterThan(7_100);
  expect(sampleOf(samples, 'packline_gate_remaining_calls', { account })).toBe(7);
});

test('the last audit of an account is told with what it found and its age', async () => {
  const { account } = await packline.scene();
  const count = (of: number) => ({ count: of, named: [] });
  const report = { surplus: count(1), orphans: count(2), missing: count(3) };
  await packline.running.base.db.query(
    `insert into packline.installation (key, value, updated_at) values ('audit:' || $1,
       jsonb_build_object('begunAt', now(), 'finishedAt', now() - interval '1 hour', 'report', $2::jsonb), now())`,
    account,
    JSON.stringify(report),
  );
  const samples = await whenIs('packline_audit_findings', { account, kind: 'surplus' }, 1);
  expect(sampleOf(samples, 'packline_audit_findings', { account, kind: 'orphans' })).toBe(2);
  expect(sampleOf(samples, 'packline_audit_findings', { account, kind: 'missing' })).toBe(3);
  const age = sampleOf(samples, 'packline_audit_age_seconds', { account });
  expect(age).toBeGreaterThanOrEqual(3_600);
  expect(age).toBeLessThan(3_700);
});

test('a scrape without the key is refused, and counted', async () => {
  const refused = await packline.ask('GET', '/metrics', { key: null });
  expect(refused.status).toBe(401);
  expect(refused.headers['www-authenticate']).toMatch(/^Bearer/);
  const wrong = await packline.ask('GET', '/metrics', { key: 'another-key-that-is-long-enough-0123456' });
  expect(wrong.status).toBe(401);
  const labels = { method: 'GET', route: '/metrics', status: '4xx' };
  expect(sampleOf(await scrape(), 'packline_http_requests_total', labels)).toBeGreaterThanOrEqual(2);
});

test('the process tells of its event loop, its memory and its connections', async () => {
  const samples = await scrape();
  expect(sampleOf(samples, 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  expect(sampleOf(samples, 'process_resident_memory_bytes')).toBeGreaterThan(0);
  const connections = (state: string) => sampleOf(samples, 'packline_pool_connections', { state }) ?? 0;
  expect(connections('idle') + connections('used')).toBeGreaterThan(0);
  const { max } = packline.running.base.db.pool.options;
  expect(connections('idle') + connections('used')).toBeLessThanOrEqual(max);
  expect(sampleOf(samples, 'packline_pool_waiting')).toBeGreaterThanOrEqual(0);
  expect(sampleOf(samples, 'packline_collect_failed')).toBe(0);
  const parts = samples.filter(({ name }) => name === 'packline_collect_age_seconds');
  expect(parts.map(({ labels }) => labels.part).sort()).toEqual(['invariants', 'orders', 'work']);
});

test('each invariant has its line', async () => {
  const lines = (await scrape()).filter(({ name }) => name === 'packline_invariant_violations');
  expect(lines.map(({ labels }) => labels.invariant).sort()).toEqual(
    INVARIANTS.map(({ name }) => name).sort(),
  );
});

test('what is asked for in vain has one line, however much of it there is', async () => {
  await Promise.all(
    Array.from({ length: 200 }, (_, n) => packline.ask('GET', `/v1/nothing-${n}/${'x'.repeat(n)}`)),
  );
  const inVain = (await scrape()).filter(
    ({ name, labels }) => name === 'packline_http_requests_total' && labels.route === 'none',
  );
  expect(inVain.map(({ labels }) => labels)).toEqual([{ method: 'any', route: 'none', status: '4xx' }]);
});

test('codes that a provider makes up share one line, however many there are', async () => {
  const { account, simulator, send } = await packline.scene();
  await simulator.fault({ match: { verb: 'submit' }, times: 1, do: { status: 404 } });
  const { id } = await send('C-1');
  await packline.orderWhen(id, 'stuck', ({ attention }) => attention !== null);
  await packline.running.base.db.query(
    `insert into packline.dead_letters (operation_id, order_id, account_id, kind, code, message, ambiguous)
     select o.id, o.order_id, o.account_id, o.kind, 'MADE_UP_' || n, 'never heard of', false
     from packline.operations o, generate_series(1, 3000) n where o.order_id = $1::uuid and o.kind = 'submit'`,
    id,
  );
  const samples = await whenIs('packline_dead_letters_open', { account, code: 'other' }, 3_000);
  const letters = samples.filter(
    ({ name, labels }) => name === 'packline_dead_letters_open' && labels.account === account,
  );
  expect(letters.map(({ labels }) => labels.code).sort()).toEqual(['misconfigured', 'other']);
});

test.each(ALL_ROLES)('the role %s alone tells the same of the orders, and asks for the key', async (role) => {
  const alone = await startPackline(stage, [role]);
  try {
    expect((await alone.ask('GET', '/metrics', { key: null })).status).toBe(401);
    expect((await alone.ask('GET', '/readyz', { key: null })).status).toBe(200);
    const orders = (samples: Sample[]) =>
      samples
        .filter(({ name }) => name === 'packline_orders')
        .map(({ labels, value }) => `${labels.account} ${labels.status} ${value}`)
        .sort();
    await until(
      'both tell the same',
      async () => {
        const [theirs, ours] = [orders(await scrape(alone)), orders(await scrape())];
        return theirs.length > 0 && theirs.join() === ours.join();
      },
      DEADLINE_MS,
      BETWEEN_SCRAPES_MS,
    );
    expect(sampleOf(await scrape(alone), 'packline_collect_failed')).toBe(0);
  } finally {
    await alone.stop();
  }
});

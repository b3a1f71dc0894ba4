/** Years of orders that are over, made by the database itself: what every statement has to live beside. */
import pg from 'pg';

/** How an account's history looks: of a hundred orders, one is still open, and one more has failed. */
const ORDERS = `
insert into packline.orders (id, account_id, reference, body, body_hash, status, raw_status, provider_order_id, failure,
  read_due_at, observed_at, created_at, updated_at)
select (lpad(to_hex(x.ms), 12, '0') || '7000' || '8000' || lpad(to_hex(x.n), 12, '0'))::uuid, $1, 'old-' || x.n,
  jsonb_build_object('account', $1::text, 'reference', 'old-' || x.n, 'currency', 'EUR',
    'customer', jsonb_build_object('firstName', 'Ada', 'lastName', 'Winter', 'email', 'ada' || x.n || '@example.com', 'phone', '+49 30 1234567'),
    'shippingAddress', jsonb_build_object('line1', 'Long Street 1', 'city', 'Berlin', 'postCode', '10115', 'country', 'DE'),
    'items', jsonb_build_array(jsonb_build_object('reference', 'i', 'sku', 'poster_a3', 'quantity', 1, 'unitPrice', '19.90'))),
  md5(x.n::text), (case x.n % 100 when 0 then 'in_progress' when 1 then 'failed' else 'delivered' end)::packline.order_status, 'done',
  case when x.n % 100 <> 1 then 'old-p-' || x.n end, case when x.n % 100 = 1 then '{"code": "refused", "message": "no"}'::jsonb end,
  case when x.n % 100 = 0 then now() + interval '1 hour' end, now() - interval '1 minute', x.at, x.at + interval '3 days'
from (
  select n, s.at, (extract(epoch from s.at) * 1000)::bigint as ms
  from generate_series(1, $2::int) n cross join lateral (select now() - interval '500 days' * (1 - n::float8 / ($2::int + 1)) as at) s) x`;

const OPERATIONS = `
insert into packline.operations (order_id, account_id, kind, state, priority, step, step_repeatable, ring_at, ring_no, attempts, calls,
  fence, last_outcome, created_at, updated_at, finished_at)
select d.id, d.account_id, k.kind::packline.operation_kind,
  (case when k.kind = 'submit' and d.status = 'failed' then 'rejected' else 'succeeded' end)::packline.operation_state,
  k.priority, k.step, k.kind = 'poll', null, 1, 1, 1, 1,
  jsonb_build_object('kind', 'done', 'code', 'ok', 'message', null, 'at', d.created_at), d.created_at, d.created_at, d.created_at
from packline.orders d cross join (values ('submit', 5, 'submit'), ('poll', 6, 'get')) as k(kind, priority, step)
where d.account_id = $1 and d.reference like 'old-%' order by d.id, k.priority`;

const ATTEMPTS = `
insert into packline.attempts (operation_id, order_id, account_id, step, repeatable, fence, owner, started_at, send_by, timeout_ms, ended_at,
  duration_ms, report, verdict, outcome, code, http_status, provider_order_id, evidence)
select o.id, o.order_id, o.account_id, o.step, o.step_repeatable, 1, 1, o.created_at, o.created_at, 30000, o.created_at, 120,
  (case when o.state = 'rejected' then 'refused' else 'accepted' end)::packline.report,
  (case when o.state = 'rejected' then 'refused' else 'accepted' end)::packline.verdict, 'accepted', 'ok', 200,
  case when o.kind = 'submit' then (select d.provider_order_id from packline.orders d where d.id = o.order_id) end,
  case when o.state = 'rejected' then jsonb_build_object('request', repeat('x', 500)) end
from packline.operations o where o.account_id = $1 and o.order_id is not null order by o.id`;

const EVENTS = `
insert into packline.events (at, type, account_id, order_id, operation_id, reference, data)
select o.created_at, t.type, o.account_id, o.order_id, o.id, 'old', '{"from": "received"}'
from packline.operations o cross join (values ('order.received'), ('order.status_changed')) as t(type)
where o.account_id = $1 and o.kind = 'submit' order by o.id`;

const LETTERS = `
insert into packline.dead_letters (operation_id, order_id, account_id, kind, code, message, ambiguous, state, decided_at, decided_by)
select o.id, o.order_id, o.account_id, o.kind, 'http_404', 'our URL was wrong', false, 'replayed', o.created_at, 'operator'
from packline.operations o where o.account_id = $1 and o.kind = 'submit' and o.id % 20 < 2`;

/** The tables that grow with every order. */
export const GROWING = ['orders', 'operations', 'attempts', 'events', 'dead_letters'] as const;

/**
 * Gives an account that there is a history of 500 days: each order with a submit, a read, their attempts, events, and of
 * every twentieth a dead letter that was decided. The planner knows of it afterwards.
 */
export async function makeHistory(url: string, account: string, orders: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // What is made here fits together by itself; checking each row would take as long again.
    await client.query('begin');
    await client.query('set local session_replication_role = replica');
    await client.query(ORDERS, [account, orders]);
    for (const text of [OPERATIONS, ATTEMPTS, EVENTS, LETTERS]) await client.query(text, [account]);
    await client.query('commit');
    for (const table of GROWING) await client.query(`vacuum (analyze) packline.${table}`);
  } finally {
    await client.end();
  }
}

/** When the demo's day is over. */
import type { Sql } from '../database/connect.js';
import type { Time } from '../time.js';
import type { ProgressView } from './view.js';

/** The demo gives up waiting after this, ms: it promises to end within 90 s. */
const PATIENCE_MS = 75_000;
const LOOK_EVERY_MS = 250;

const OVER = `('succeeded', 'rejected', 'dead', 'canceled')`;

const OPEN_OPERATIONS = `
select count(*)::int as n from packline.operations where kind <> 'poll' and state not in ${OVER}`;

/**
 * Orders that are still on their way. A coupon that was handed out is used when its customer likes to, which may be
 * never; it is unsettled only where the use was asked for and did not succeed.
 */
const OPEN_ORDERS = `
select count(*)::int as n from packline.orders d join packline.accounts a on a.id = d.account_id
where d.status in ('received', 'submitted', 'in_progress', 'shipped') and not d.held
  and not (a.provider = 'zupy' and d.provider_order_id is not null and not exists (
    select 1 from packline.operations o where o.order_id = d.id and o.kind = 'activate' and o.state <> 'succeeded'))`;

const STATUSES = `select status, count(*)::int as n from packline.orders group by status order by status`;

/** Until nothing is under way and the providers have finished with every order, or the patience ends. */
export async function waitUntilSettled(
  sql: Sql,
  { clock, sleep }: Time,
  view: ProgressView,
  signal: AbortSignal,
): Promise<boolean> {
  const until = clock.monotonic() + PATIENCE_MS;
  while (clock.monotonic() < until && !signal.aborted) {
    const [operations, orders, statuses] = await Promise.all([
      count(sql, OPEN_OPERATIONS),
      count(sql, OPEN_ORDERS),
      sql.query<{ status: string; n: number }>(STATUSES),
    ]);
    view.show(orders, Object.fromEntries(statuses.map(({ status, n }) => [status, n])));
    if (operations === 0 && orders === 0) return true;
    await sleep(LOOK_EVERY_MS, signal);
  }
  return false;
}

async function count(sql: Sql, query: string): Promise<number> {
  const [row] = await sql.query<{ n: number }>(query);
  return row?.n ?? 0;
}

/** When a chaos run is over, and what our rows say then. */
import type { Sql } from '../database/connect.js';
import type { Time } from '../time.js';
import { unlessAway } from './away.js';
import type { ChaosRow } from './books.js';

const LOOK_EVERY_MS = 250;
/** So long, ms, nothing may change before the run is given up: longer than the longest wait that ends by itself. */
const PATIENCE_MS = 120_000;

const OVER = `('succeeded', 'rejected', 'dead', 'canceled')`;

/** Whoever is looked for again only after this is open when the run ends; so is what waits for it. */
const FAR_OFF = `interval '45 seconds'`;

/** Operations that move by themselves. What waits for people, money or goods does not. */
const MOVING = `
with far as (
  select id, account_id, order_id, serial_key from packline.operations
  where state = 'unconfirmed' and due_at > now() + ${FAR_OFF}
)
select count(*)::int as n, coalesce(sum(calls), 0)::int as calls from packline.operations o
where o.kind <> 'poll' and o.state not in ${OVER} and not exists (select 1 from far where far.id = o.id)
  and not (o.state = 'waiting' and (o.wait_reason in ('funds', 'stock', 'window', 'otp')
    or o.wait_reason = 'busy' and exists (select 1 from far where far.account_id = o.account_id
      and (far.order_id = o.order_id or far.serial_key = o.serial_key))))`;

/** Until nothing moves any more. False: the patience has ended, or the signal has. */
export async function waitUntilQuiet(
  sql: Sql,
  { clock, sleep }: Time,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<boolean> {
  let last = '';
  let since = clock.monotonic();
  while (!signal.aborted && clock.monotonic() - since < PATIENCE_MS) {
    // The database may be on its way up from its last restart.
    const [moving] = (await unlessAway(() => sql.query<{ n: number; calls: number }>(MOVING))) ?? [];
    if (moving?.n === 0) return true;
    const now = moving === undefined ? last : `${moving.n} ${moving.calls}`;
    if (now !== last) since = clock.monotonic();
    if (now.split(' ')[0] !== last.split(' ')[0]) say(`${moving?.n} operations are under way`);
    last = now;
    await sleep(LOOK_EVERY_MS, signal);
  }
  return false;
}

const ROWS = `
select d.id::text as id, d.account_id as account, d.reference, d.body, d.status, d.provider_order_id as "providerOrderId",
  d.held, d.attention_code as attention,
  exists (select 1 from packline.dead_letters l where l.order_id = d.id and l.state = 'open') as letter,
  exists (select 1 from packline.operations o where o.order_id = d.id and o.kind <> 'poll'
    and o.state not in ${OVER}) as open,
  exists (select 1 from packline.attempts t join packline.operations o on o.id = t.operation_id
    where t.order_id = d.id and o.kind = 'submit' and not t.repeatable
      and (t.verdict is null or t.verdict = 'accepted')) as "maybeThere"
from packline.orders d`;

/** All our orders, as the verdict sees them. */
export function readRows(sql: Sql): Promise<ChaosRow[]> {
  return sql.query<ChaosRow>(ROWS);
}

const FIGURES = `
select (select count(*)::int from packline.attempts) as attempts,
  (select count(*)::int from packline.attempts where verdict = 'accepted' and report = 'unknown') as confirmed,
  (select coalesce(jsonb_object_agg(code, n), '{}') from
    (select code, count(*)::int as n from packline.dead_letters where state = 'open' group by code) l) as letters`;

/** What else is worth telling. */
export interface Figures {
  attempts: number;
  confirmed: number;
  letters: Record<string, number>;
}

export async function readFigures(sql: Sql): Promise<Figures> {
  const [figures] = await sql.query<Figures>(FIGURES);
  if (figures === undefined) throw new Error('a select without a table gave no row');
  return figures;
}

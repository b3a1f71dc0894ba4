/** How a case has ended. */
import { until } from '../helpers/until.js';
import { type Comparison, compare } from './compare.js';
import { LOOK_MS, PATIENCE_MS, type Shop, type Standing } from './shop.js';
import type { End, Place } from './table.js';

export interface Result {
  comparison: Comparison;
  orders: number;
  /** How each order that stood somewhere has ended, in the order of the case's places. */
  ends: ({ place: Place } & End)[];
  /** After a kill: until nothing that the process held is `running` and another order is being called, ms. */
  recoveryMs: number | null;
  /** From the loss until the last order that stood somewhere had ended, ms. */
  latestMs: number;
}

const OPEN = `
select count(*)::int as n from packline.operations
where kind <> 'poll' and state not in ('succeeded', 'rejected', 'dead', 'canceled')`;

const ORDERS = 'select count(*)::int as n from packline.orders';

/** Waits until everything has ended, and tells how. */
export async function resultOf(shop: Shop, lostAt: number, recoveryMs: number | null): Promise<Result> {
  const { query, standing } = shop;
  const count = async (sql: string) => (await query<{ n: number }>(sql))[0]?.n ?? 0;
  await until('all orders have ended', async () => (await count(OPEN)) === 0, PATIENCE_MS, LOOK_MS);
  const ends = await Promise.all(standing.map((one) => endOf(shop, one)));
  return {
    comparison: await compare(shop),
    orders: await count(ORDERS),
    ends: ends.map(({ place, verdicts, recovered }) => ({ place, verdicts, recovered })),
    recoveryMs,
    latestMs: Math.round(Math.max(...ends.map(({ finishedAt }) => finishedAt)) - lostAt),
  };
}

const VERDICTS = `
select coalesce(a.verdict::text, 'open') as verdict from packline.attempts a
where a.operation_id = $1::bigint and not a.repeatable order by a.id`;

const TAKEN_OVER = `
select e.data->>'state' as state, e.data->>'why' as why from packline.events e
where e.operation_id = $1::bigint and e.type = 'operation.recovered' order by e.id`;

const FINISHED = `
select extract(epoch from o.finished_at)::float8 * 1000 as at from packline.operations o where o.id = $1::bigint`;

async function endOf({ query }: Shop, { place, operationId }: Standing) {
  const verdicts = await query<{ verdict: string }>(VERDICTS, operationId);
  const [finished] = await query<{ at: number }>(FINISHED, operationId);
  return {
    place,
    verdicts: verdicts.map(({ verdict }) => verdict),
    recovered: await query<{ state: string; why: string }>(TAKEN_OVER, operationId),
    finishedAt: finished?.at ?? 0,
  };
}

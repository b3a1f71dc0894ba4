/** What of the rows tells how an installation is. */
import type { Sql } from '../../database/connect.js';

const STANDING = `
select (select count(*)::int from packline.dead_letters where state = 'open') as letters,
  (select count(*)::int from packline.orders where attention_code is not null) as attention,
  (select count(*)::int from packline.operations where state = 'unconfirmed') as unconfirmed,
  coalesce((
    select extract(epoch from now() - min(o.ring_at))::float8 * 1000 from packline.operations o
    join packline.accounts a on a.id = o.account_id
    left join packline.gates g on g.account_id = a.id and g.verb = '*'
    where o.ring_at <= now() and a.pause_code is null and g.opened_at is null
      and (g.blocked_until is null or g.blocked_until <= now())), 0) as "lateMs"`;

/** How much waits, and for whom. */
export interface WorkStanding {
  /** Open dead letters. */
  letters: number;
  /** Orders that a human should look at. */
  attention: number;
  /** Calls of which nobody knows yet what became of them. */
  unconfirmed: number;
  /** How long the oldest due operation of an open account has waited for its bell, ms. */
  lateMs: number;
}

export async function workStanding(sql: Sql): Promise<WorkStanding> {
  const [row] = await sql.query<WorkStanding>(STANDING);
  if (row === undefined) throw new Error('a select without from returned nothing');
  return row;
}

const LIVING = `
select a.application_name as name from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid = $1::int
  and l.database = (select oid from pg_database where datname = current_database())`;

/** Names of the connections by which processes show that they live. @param presenceClass the advisory-lock class */
export async function livingProcesses(sql: Sql, presenceClass: number): Promise<string[]> {
  return (await sql.query<{ name: string | null }>(LIVING, presenceClass)).map(({ name }) => name ?? '');
}

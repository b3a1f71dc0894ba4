/**
 * Which database this is. A dump that was restored, a clone, and a server that took over from another one may lack
 * what was sent last; until a person has had all of it looked up (`packline recover`), nothing is sent.
 */
import { randomUUID } from 'node:crypto';
import { json, type Sql } from './connect.js';

const REMEMBER = `
insert into packline.installation (key, value)
values ('identity', jsonb_build_object('fingerprint', packline.fingerprint(), 'history', $1::text))
on conflict (key) do update set
  value = packline.installation.value || jsonb_build_object('fingerprint', excluded.value->>'fingerprint'), updated_at = now()
where packline.installation.value->>'fingerprint' is null and excluded.value->>'fingerprint' is not null`;

/** Remembers the database at the first start; later ones compare with it. */
export async function rememberIdentity(sql: Sql): Promise<void> {
  await sql.query(REMEMBER, randomUUID());
}

const STANDING = `
select i.value->>'history' as history, i.value->>'fingerprint' as remembered, packline.fingerprint() as current,
  (select h.value->>'reason' from packline.installation h where h.key = 'held') as held
from packline.installation i where i.key = 'identity'`;

interface Standing {
  history: string;
  /** System identifier, timeline and oid; null where they could not be read. */
  remembered: string | null;
  current: string | null;
  held: string | null;
}

async function standing(sql: Sql): Promise<Standing | null> {
  return (await sql.query<Standing>(STANDING))[0] ?? null;
}

/** The remedy, in every sentence that says that nothing is sent. */
const REMEDY = 'nothing is sent until "packline recover" has been run';

/** Why nothing may be sent, for a person; null where all is well. */
export async function identityTrouble(sql: Sql): Promise<string | null> {
  const now = await standing(sql);
  if (now === null) return null;
  if (now.held !== null) return `${now.held}: ${REMEDY}`;
  if (now.remembered === null || now.current === null || now.remembered === now.current) return null;
  return `${difference(now.remembered, now.current)}: ${REMEDY}`;
}

function difference(remembered: string, current: string): string {
  const [system, timeline] = remembered.split('/');
  const [systemNow, timelineNow] = current.split('/');
  if (system !== systemNow)
    return 'this database was made on another server, from a dump or by an upgrade, and may lack what was sent last';
  if (timeline !== timelineNow)
    return 'this server took over from another one, or was restored to an earlier time, and may lack what was sent last';
  return 'this database is a copy of another one on this server, which may have sent what is open here';
}

/** Whether this role may read the database's identity at all. */
export async function identityKnown(sql: Sql): Promise<boolean> {
  return (await standing(sql))?.current !== null;
}

/** The life of this database since its first start or its last recovery. */
export async function historyId(sql: Sql): Promise<string | null> {
  return (await standing(sql))?.history ?? null;
}

const HIGHEST = `select coalesce(max(id), 0)::text as id from packline.attempts`;

/** The id of the newest attempt, as decimal digits. */
export async function highestAttempt(sql: Sql): Promise<string> {
  return (await sql.query<{ id: string }>(HIGHEST))[0]?.id ?? '0';
}

const HOLD = `
insert into packline.installation (key, value) values ('held', $1::jsonb) on conflict (key) do nothing`;

/** Lets nothing be sent any more, by any process. */
export async function holdSending(sql: Sql, reason: string): Promise<void> {
  await sql.query(HOLD, json({ reason }));
}

const ACCEPT = `
with released as (delete from packline.installation where key = 'held'),
first as (
  insert into packline.installation (key, value)
  select 'look_first', jsonb_build_object('until', now() + $2::float8 * interval '1 ms') where $2::float8 > 0
  on conflict (key) do update set value = excluded.value, updated_at = now()
)
insert into packline.installation (key, value)
values ('identity', jsonb_build_object('fingerprint', packline.fingerprint(), 'history', $1::text))
on conflict (key) do update set value = excluded.value, updated_at = now()`;

/**
 * Takes the database as it is for the one to go on with.
 * @param lookFirstMs for so long from now on, orders that come in are looked for before they are sent
 */
export async function acceptIdentity(sql: Sql, lookFirstMs: number): Promise<void> {
  await sql.query(ACCEPT, randomUUID(), lookFirstMs);
}

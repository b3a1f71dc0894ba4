/** Token refreshes: a row per account and generation, inserted before the call. Nobody ever calls for it again. */
import { json, type Sql } from '../../database/connect.js';

export interface RefreshRow {
  generation: number;
  /** Null while its owner calls, or died calling. */
  report: 'accepted' | 'refused' | 'not_sent' | 'unknown' | null;
  /** Sealed. */
  tokens: string | null;
  /** How long ago it ended, ms. */
  endedMsAgo: number | null;
  /** Of one that was not looked at: in how many ms the provider said that it may come again. */
  retryInMs: number | null;
  /** The process that called is still there. */
  alive: boolean;
}

const CHAIN = `
select r.generation, r.report, r.tokens, (extract(epoch from now() - r.ended_at) * 1000)::float8 as "endedMsAgo",
  case when r.report = 'not_sent' then (extract(epoch from r.expires_at - now()) * 1000)::float8 end as "retryInMs",
  exists (select 1 from pg_locks k where k.locktype = 'advisory' and k.classid = $3::int and k.objid = r.owner
    and k.database = (select oid from pg_database where datname = current_database())) as alive
from packline.token_refreshes r where r.account_id = $1 and r.root = $2 order by r.generation`;

/** The refreshes of one chain, oldest first. */
export function refreshChain(
  sql: Sql,
  account: string,
  root: string,
  presenceClass: number,
): Promise<RefreshRow[]> {
  return sql.query<RefreshRow>(CHAIN, account, root, presenceClass);
}

const BEGIN = `
insert into packline.token_refreshes (account_id, generation, root, owner)
select $1, coalesce(max(r.generation), 0) + 1, $2, $4::int from packline.token_refreshes r where r.account_id = $1
having (select packline.may_send()) and not exists (
  select 1 from packline.token_refreshes n
  where n.account_id = $1 and n.root = $2 and n.generation > $3::int and (n.report is null or n.report <> 'not_sent'))
on conflict do nothing
returning generation`;

/**
 * Takes the right to refresh, for ever: only who gets a generation may call.
 * @param after the generation whose refresh token would be sent; refused where anybody has sent it
 */
export async function beginRefresh(
  sql: Sql,
  account: string,
  root: string,
  after: number,
  owner: number,
): Promise<number | null> {
  return (await sql.query<{ generation: number }>(BEGIN, account, root, after, owner))[0]?.generation ?? null;
}

const END = `
update packline.token_refreshes set report = $3::packline.report, tokens = $4, expires_at = to_timestamp($5::float8 / 1000),
  code = $6, ended_at = now()
where account_id = $1 and generation = $2::int and report is null returning generation`;

export async function endRefresh(
  sql: Sql,
  account: string,
  generation: number,
  end: {
    report: NonNullable<RefreshRow['report']>;
    tokens: string | null;
    /** Epoch ms: when the access token ends; of a refresh that was not looked at, when it may come again. */
    expiresAt: number | null;
    code: string | null;
  },
): Promise<void> {
  await sql.query(END, account, generation, end.report, end.tokens, end.expiresAt, end.code);
}

const HOLD_CHAINS = `
with known as (select x.account, x.root from jsonb_to_recordset($1::jsonb) as x(account text, root text)),
last as (
  select distinct on (r.account_id) r.account_id as account, r.root from packline.token_refreshes r
  where r.account_id not in (select account from known) order by r.account_id, r.generation desc
)
insert into packline.token_refreshes (account_id, generation, root, owner, report, code, ended_at)
select c.account, coalesce((select max(r.generation) from packline.token_refreshes r where r.account_id = c.account), 0) + 1,
  c.root, 0, 'unknown', 'restored', now()
from (select * from known union all select * from last) c
returning account_id`;

/**
 * Lets nobody refresh the tokens of these accounts any more: what is stored may have been used since. Work goes on
 * with the access tokens until the first one is refused; then a person installs the app again.
 * @param known the chains of the accounts whose credentials can be opened now; others are taken from their last refresh
 */
export async function holdRefreshes(
  sql: Sql,
  known: readonly { account: string; root: string }[],
): Promise<number> {
  return (await sql.query(HOLD_CHAINS, json([...known]))).length;
}

/** A database that may lack what was sent last: what was to be sent is looked for first, or put before a person. */
import { json, type Sql } from '../../database/connect.js';
import type { OperationKind } from '../order.js';

/** What becomes of the unfinished operations of one verb of an account. */
export interface Doubt {
  account: string;
  kind: OperationKind;
  /** `look`: the provider is asked whether it was done; `letter`: it cannot be asked, a person decides. */
  how: 'look' | 'letter';
}

const MESSAGE =
  'it was unfinished when the database was restored or replaced, and the provider cannot be asked whether it was done';

// A submit of an account that cannot be opened now goes to a person. Whoever ran an operation has lost it.
const DOUBT = `
with how as (
  select x.account, x.kind, x.how from jsonb_to_recordset($1::jsonb) as x(account text, kind packline.operation_kind, how text)
), unfinished as materialized (
  select o.id, coalesce(h.how, case when o.kind = 'submit' then 'letter' end) as how
  from packline.operations o left join how h on h.account = o.account_id and h.kind = o.kind
  where o.kind <> 'poll' and o.state not in ('succeeded', 'rejected', 'dead', 'canceled')
  order by o.id for update of o
), moved as (
  update packline.operations o set
    state = (case u.how when 'look' then 'unconfirmed' else 'dead' end)::packline.operation_state, purpose = 'call',
    priority = case u.how when 'look' then 2 else o.priority end, fence = o.fence + 1, owner = null, lease_until = null,
    wait_reason = null, looks = 0, absent_looks = 0, updated_at = now(), due_at = now(),
    confirm_from = case u.how when 'look' then now() end, wait_since = case u.how when 'look' then now() end,
    deadline = case u.how when 'look' then now() + interval '24 hours' end,
    ring_at = case u.how when 'look' then now() end, finished_at = case u.how when 'letter' then now() end,
    last_outcome = case u.how when 'letter' then jsonb_build_object('kind', 'unknown', 'code', 'restored', 'message', $2::text, 'at', now())
      else o.last_outcome end
  from unfinished u where o.id = u.id and u.how is not null
  returning o.id, o.order_id, o.account_id, o.kind, u.how
), lettered as (
  insert into packline.dead_letters (operation_id, order_id, account_id, kind, code, message, ambiguous, candidates)
  select id, order_id, account_id, kind, 'restored', $2, true, '[]' from moved where how = 'letter'
), ordered as (
  update packline.orders d set
    busy_op = case when d.busy_op = any(m.ops) then null else d.busy_op end,
    attention_code = case when m.letter then 'restored' else d.attention_code end,
    attention_detail = case when m.letter then $2 else d.attention_detail end,
    attention_since = case when m.letter then now() else d.attention_since end, updated_at = now()
  from (select order_id, array_agg(id) as ops, bool_or(how = 'letter') as letter from moved group by order_id) m
  where d.id = m.order_id
), told as (
  insert into packline.events (type, account_id, order_id, operation_id, reference, actor, data)
  select case how when 'look' then 'operation.recovered' else 'operation.dead' end, m.account_id, m.order_id, m.id,
    (select d.reference from packline.orders d where d.id = m.order_id), $3,
    case how when 'look' then jsonb_build_object('state', 'unconfirmed', 'why', 'restored')
      else jsonb_build_object('kind', m.kind, 'code', 'restored', 'ambiguous', true) end
  from moved m
)
select count(*) filter (where how = 'look')::int as looks, count(*) filter (where how = 'letter')::int as letters from moved`;

/**
 * Puts every unfinished operation under doubt whose verb is named, and every submit.
 * @returns how many are looked for, and how many are put before a person
 */
export async function doubtUnfinished(
  sql: Sql,
  doubts: readonly Doubt[],
  actor: string,
): Promise<{ looks: number; letters: number }> {
  const [row] = await sql.query<{ looks: number; letters: number }>(
    DOUBT,
    json(doubts.map((doubt) => ({ ...doubt }))),
    MESSAGE,
    actor,
  );
  return row ?? { looks: 0, letters: 0 };
}

// Milliseconds since 1970 exceed every id that was ever counted up, and are exact in a double.
const NEW_IDS = `
with later as (
  select setval(pg_get_serial_sequence('packline.' || t.name, 'id'), (extract(epoch from clock_timestamp()) * 1000)::bigint) as at
  from unnest(array['operations', 'attempts', 'dead_letters', 'events']) as t(name)
  where (extract(epoch from clock_timestamp()) * 1000)::bigint
    > coalesce(pg_sequence_last_value(pg_get_serial_sequence('packline.' || t.name, 'id')::regclass), 0)
), rung as (
  update packline.operations set ring_no = ring_no + $1::int
  where state not in ('succeeded', 'rejected', 'dead', 'canceled')
)
select count(*) from later`;

/** More bells than an operation rings for in its life, and far below what the column holds. */
const RINGS = 1_000_000;

/**
 * Lets no id come again that the rows which are missing here had: the queue keeps jobs by these ids, and one that it
 * knows is not taken again.
 */
export async function takeNewIds(sql: Sql): Promise<void> {
  await sql.query(NEW_IDS, RINGS);
}

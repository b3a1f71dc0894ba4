/** Why the operations of an account are not on their way, and until when. */
import type { Sql } from '../../database/connect.js';
import type { OperationKind } from '../order.js';
import { passesBreaker } from './claim.js';

/** Operations of one verb that wait for the same thing. */
export interface WaitingGroup {
  kind: OperationKind;
  /** A wait reason, the gate's, or `breaker`, `in_line`, `retrying`, `scheduled`, `unconfirmed`. */
  reason: string;
  operations: number;
  /** When the first of them goes on, ISO 8601; null where that depends on a person, or on the others in line. */
  until: string | null;
  /** The longest overdue, ISO 8601. */
  oldestDue: string;
}

// In the order of what holds an operation up first: the account, its gate, the verb, the operation itself.
const WAITS = `
with held as (
  select o.kind, o.due_at,
    case when a.pause_code is not null then case a.pause_code when 'auth' then 'auth' else 'paused' end
      when g.blocked_until > now() then g.blocked_why
      when o.state = 'unconfirmed' then 'unconfirmed'
      when g.opened_at is not null and not ${passesBreaker('o')} then 'breaker'
      when v.blocked_why is not null and (v.blocked_until > now() or v.probe_operation_id is distinct from o.id) then v.blocked_why
      when o.state = 'waiting' then o.wait_reason::text
      when o.state = 'retrying' and o.due_at > now() then 'retrying'
      when o.due_at > now() then 'scheduled'
      else 'in_line' end as reason,
    case when a.pause_code is not null then a.pause_until
      when g.blocked_until > now() then g.blocked_until
      when o.state = 'unconfirmed' then greatest(o.due_at, now())
      when g.opened_at is not null and not ${passesBreaker('o')} then greatest(g.open_until, now())
      when v.blocked_until > now() then v.blocked_until
      when o.due_at > now() then o.due_at end as until
  from packline.operations o
  join packline.accounts a on a.id = o.account_id
  left join packline.gates g on g.account_id = a.id and g.verb = '*'
  left join packline.gates v on v.account_id = a.id and v.verb = o.kind::text
  where o.account_id = $1 and o.state in ('pending', 'queued', 'retrying', 'waiting', 'unconfirmed')
)
select kind, reason, count(*)::int as operations,
  to_char(min(until) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as until,
  to_char(min(due_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "oldestDue"
from held group by kind, reason order by count(*) desc, kind, reason`;

/** What the account's operations wait for; the largest groups first. */
export function waitsOf(sql: Sql, account: string): Promise<WaitingGroup[]> {
  return sql.query<WaitingGroup>(WAITS, account);
}

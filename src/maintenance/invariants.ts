/**
 * What must hold of the rows at any moment, as statements that find what does not. The constraints of the database
 * and the compare-and-sets of the store keep all of it; a violation is a bug, or a row that was edited by hand.
 */
import type { Logger } from 'pino';
import type { Sql } from '../database/connect.js';
import { type Alert, alert } from '../events/alerts.js';
import { TERMINAL_STATES } from '../orders/states.js';
import type { Time } from '../time.js';
import type { InvariantJson } from '../views.js';

const OVER = TERMINAL_STATES.map((state) => `'${state}'`).join(', ');

/** Violations of one invariant that are named; the rest is counted. */
const NAMED = 20;

/**
 * What is over is never looked at as a whole by a check that comes every few minutes: only so many of the newest
 * rows, which is more than the busiest account adds between two checks.
 */
const RECENT = 100_000;

/** A lease that ended so long ago was not taken over; a living maintenance does so within a second. */
const OVERDUE = '1 minute';

/** `whole`: every row there is, seconds for a million orders. `recent`: what changed last and what is under way, milliseconds. */
export type Scope = 'whole' | 'recent';

/** One thing that must hold. */
export interface Invariant {
  /** For metrics and alerts. */
  name: string;
  /** What must hold, as a sentence. */
  holds: string;
  /** What a person does where it does not. */
  remedy: string;
  /** A statement whose rows (`account`, `what`) are the violations. */
  find(scope: Scope): string;
}

/** One violating row. */
export interface ViolatingRow {
  /** `*` where it is no account's. */
  account: string;
  /** What it is, with its ids. */
  what: string;
}

const REPORT =
  'The order waits for a person: see "packline orders show" and "packline dead-letters list". Keep its rows for a report; this is a bug, or an edited row.';

/** Of a table with growing ids, the rows that a scope looks at. */
const within = (scope: Scope, table: 'attempts' | 'operations', alias: string): string =>
  scope === 'whole'
    ? 'true'
    : `${alias}.id > (select coalesce(max(n.id), 0) - ${RECENT} from packline.${table} n)`;

/**
 * Keeps a subquery from becoming a join: what changed last is looked up row by row, by index. As a join it is held
 * against everything that ever was, and takes ever longer.
 */
const oneByOne = (scope: Scope): string => (scope === 'recent' ? 'offset 0' : '');

const operation = (alias: string): string =>
  `format('operation %s (%s of order %s) is %s', ${alias}.id, ${alias}.kind, coalesce(${alias}.order_id::text, '-'), ${alias}.state)`;

/** The unique indexes that the promise rests on. */
const PROMISES = [
  'orders_reference_account_id_key',
  'orders_provider_order_id_account_id_key',
  'x_operations_one_submit',
  'x_operations_one_read',
  'x_operations_one_sync',
  'x_attempts_one_open',
];

const ONE_PROVIDER_ORDER: Invariant = {
  name: 'one_provider_order',
  holds: 'of each order and generation, the provider has accepted one order at most',
  remedy:
    'Two orders may be under way: compare both with the provider, cancel one of them there, then decide the dead letter "duplicate".',
  // Once a person has decided the dead letter of a double, it is dealt with.
  find: (scope) => `
with touched as materialized (
  select distinct r.order_id from packline.attempts r
  where ${within(scope, 'attempts', 'r')} and not r.repeatable and r.verdict = 'accepted' and r.order_id is not null
), twice as (
  select t.order_id, a.generation, min(o.account_id) as account, string_agg(distinct a.provider_order_id, ', ') as ids
  from touched t
  cross join lateral (select * from packline.operations o where o.order_id = t.order_id and o.kind = 'submit' ${oneByOne(scope)}) o
  cross join lateral (select * from packline.attempts a where a.operation_id = o.id ${oneByOne(scope)}) a
  where not a.repeatable and a.verdict = 'accepted' and a.provider_order_id is not null
  group by t.order_id, a.generation having count(distinct a.provider_order_id) > 1
)
select t.account, format('order %s, generation %s: %s', t.order_id, t.generation, t.ids) as what
from twice t
where 0 = (
  select count(*) from packline.operations o join packline.dead_letters l on l.operation_id = o.id
  where o.order_id = t.order_id and l.code = 'duplicate' and l.state <> 'open')`,
};

const CONSTRAINTS: Invariant = {
  name: 'constraints',
  holds: 'the unique indexes that forbid doubles are in place and valid',
  remedy:
    'Stop packline. Restore the index as the migrations have it (prisma/migrations), and compare with the provider before going on.',
  find: () => `
select '*' as account, format('the index %s is missing or not valid', p.name) as what
from unnest(array[${PROMISES.map((name) => `'${name}'`).join(', ')}]) as p(name)
where not exists (
  select 1 from pg_index i where i.indexrelid = to_regclass('packline.' || quote_ident(p.name)) and i.indisunique and i.indisvalid)`,
};

const STRANDED: Invariant = {
  name: 'stranded',
  holds: 'every operation that is not over has a time at which it is rung for, or an owner',
  remedy: `Nothing will ring for it. ${REPORT}`,
  find: () => `
select o.account_id as account, ${operation('o')} || ' and nothing rings for it' as what
from packline.operations o
where o.state not in (${OVER}) and o.state <> 'running' and o.ring_at is null`,
};

const UNOWNED: Invariant = {
  name: 'unowned',
  holds: 'every running operation has an owner, a lease and an attempt',
  remedy: REPORT,
  find: () => `
select o.account_id as account, ${operation('o')} || ' without '
  || case when o.owner is null then 'an owner' when o.lease_until is null then 'a lease' else 'an attempt' end as what
from packline.operations o
where o.state = 'running' and (o.owner is null or o.lease_until is null or not exists (
  select 1 from packline.attempts a where a.operation_id = o.id and a.fence = o.fence))`,
};

const OVERDUE_LEASE: Invariant = {
  name: 'overdue',
  holds: 'an operation whose lease has ended is taken over at once',
  remedy: 'No process of the role maintenance is at work: start "packline maintain" (or "packline up").',
  find: () => `
select o.account_id as account, ${operation('o')} || format(', and its lease ended at %s', o.lease_until) as what
from packline.operations o where o.state = 'running' and o.lease_until < now() - interval '${OVERDUE}'`,
};

const OPEN_ATTEMPT: Invariant = {
  name: 'open_attempt',
  holds: 'a call that may have been done is being made, looked up, or before a person',
  remedy: `The call would be forgotten, or its order could never be sent. ${REPORT}`,
  find: () => `
select o.account_id as account, ${operation('o')} || format(', yet nobody knows what became of its attempt %s', a.id) as what
from packline.attempts a join packline.operations o on o.id = a.operation_id
where not a.repeatable and a.verdict is null and o.state not in ('running', 'unconfirmed', 'dead')`,
};

const BUSY: Invariant = {
  name: 'busy',
  holds: 'an order is held by an operation only while that one runs',
  remedy: `Everything else of the order waits for ever. ${REPORT}`,
  find: (scope) => `
select d.account_id as account, format('order %s is held by operation %s, which is %s', d.id, d.busy_op, coalesce(b.state::text, 'gone')) as what
from packline.orders d left join packline.operations b on b.id = d.busy_op
where d.busy_op is not null and b.state is distinct from 'running'
  and ${scope === 'whole' ? 'true' : `d.id in (select o.order_id from packline.operations o where o.state not in (${OVER}))`}`,
};

const BELLS: Invariant = {
  name: 'bells',
  holds: 'nothing rings for an operation that is over',
  remedy: REPORT,
  find: () => `
select o.account_id as account, ${operation('o')} || format(', and is rung for at %s', o.ring_at) as what
from packline.operations o where o.ring_at is not null and o.state in (${OVER})`,
};

const LETTERS: Invariant = {
  name: 'letters',
  holds: 'an operation is dead exactly where a dead letter stands for it, open or discarded',
  remedy: REPORT,
  // A double has a letter although its submit has succeeded.
  find: (scope) => `
select l.account_id as account, format('dead letter %s is open, yet ', l.id) || ${operation('o')} as what
from packline.dead_letters l join packline.operations o on o.id = l.operation_id
where l.state = 'open' and l.code <> 'duplicate' and o.state <> 'dead'
union all
select o.account_id, ${operation('o')} || ' without a dead letter' as what
from packline.operations o
where o.state = 'dead' and o.kind <> 'poll' and ${within(scope, 'operations', 'o')}
  and not exists (select 1 from packline.dead_letters l where l.operation_id = o.id and l.state in ('open', 'discarded'))`,
};

const STATUS: Invariant = {
  name: 'status',
  holds: 'an order that the provider has taken has its id, and one that is not sent yet has none',
  remedy: REPORT,
  find: (scope) => `
select d.account_id as account,
  format('order %s is %s, %s', d.id, d.status, case when d.provider_order_id is null then 'without a provider id' else 'with provider id ' || d.provider_order_id end) as what
from packline.orders d
where (d.provider_order_id is null and d.status in ('draft', 'submitted', 'in_progress', 'shipped'${scope === 'whole' ? `, 'delivered', 'returned'` : ''}))
  or (d.provider_order_id is not null and d.status = 'received')`,
};

const UNFINISHED: Invariant = {
  name: 'unfinished',
  holds: 'an order that was received and not sent has a submit, or is held',
  remedy: `It would never be sent. ${REPORT}`,
  find: () => `
select d.account_id as account, format('order %s is received, and nothing is going to send it', d.id) as what
from packline.orders d
where d.status = 'received' and not d.held and not exists (
  select 1 from packline.operations o where o.order_id = d.id and o.kind = 'submit' and o.generation = d.generation
    and (o.state not in (${OVER}) or (o.state = 'dead' and exists (
      select 1 from packline.dead_letters l where l.operation_id = o.id and l.state = 'open'))))`,
};

/** All of them, the gravest first. */
export const INVARIANTS: readonly Invariant[] = [
  ONE_PROVIDER_ORDER,
  CONSTRAINTS,
  OPEN_ATTEMPT,
  UNFINISHED,
  STRANDED,
  UNOWNED,
  OVERDUE_LEASE,
  BUSY,
  BELLS,
  LETTERS,
  STATUS,
];

const bounded = (find: string): string => `
with found as materialized (${find})
select (select count(*)::int from found) as count, f.account, f.what from (select * from found limit ${NAMED}) f`;

/** Looks at every invariant; one finding for each, those that hold included. For metrics, doctor and the leader. */
export async function checkInvariants(sql: Sql, scope: Scope): Promise<InvariantJson[]> {
  const findings: InvariantJson[] = [];
  // One after the other: a check must not take the connections that orders need.
  for (const { name, holds, remedy, find } of INVARIANTS) {
    const rows = await sql.query<ViolatingRow & { count: number }>(bounded(find(scope)));
    findings.push({
      name,
      holds,
      remedy,
      count: rows[0]?.count ?? 0,
      rows: rows.map(({ account, what }) => ({ account, what })),
    });
  }
  return findings;
}

/** What telling of violations takes. */
export interface InvariantWatchDeps {
  db: Sql;
  log: Logger;
  time: Time;
  tell(alert: Alert): void;
}

/**
 * Checks what changed last, and tells of each invariant once for as long as it does not hold.
 * @returns one check, to be repeated
 */
export function invariantWatch({ db, log, time, tell }: InvariantWatchDeps): () => Promise<void> {
  let told: ReadonlySet<string> = new Set();
  return async () => {
    const violated = (await checkInvariants(db, 'recent')).filter(({ count }) => count > 0);
    for (const { name, holds, count, rows } of violated) {
      if (told.has(name)) continue;
      log.error(
        { event: 'invariant.violated', invariant: name, count, rows },
        `it does not hold that ${holds}`,
      );
      const accounts = new Set(rows.map(({ account }) => account));
      const [account = '*'] = accounts.size === 1 ? accounts : [];
      const message = `it does not hold that ${holds}: ${rows[0]?.what ?? ''}${count > 1 ? `, and ${count - 1} more` : ''}; see "packline doctor --invariants"`;
      tell(alert('invariant', { account, message, topic: name }, time.clock.now()));
    }
    told = new Set(violated.map(({ name }) => name));
  };
}

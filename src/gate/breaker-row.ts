/**
 * The breaker's row, which all processes share. What it becomes is worked out from what was read, and written only if
 * nobody else has changed it meanwhile; so no lock is held from one statement to the next.
 */
import { json, type Sql } from '../database/connect.js';
import { type BreakerState, callsIn, closedByHand } from './breaker.js';

/** Times are epoch ms. */
export interface BreakerRow {
  breakerNo: number;
  now: number;
  windowAt: number | null;
  wells: number;
  troubles: number;
  pastWells: number;
  pastTroubles: number;
  openedAt: number | null;
  openUntil: number | null;
  probe: string | null;
  openings: number;
  closedAt: number | null;
}

const epochMs = (column: string) => `extract(epoch from ${column})::float8 * 1000`;

/** The columns of a `BreakerRow`, of the row of all verbs under the alias `g`. */
export const BREAKER_COLUMNS = `g.breaker_no as "breakerNo", ${epochMs('now()')} as now, ${epochMs('g.window_at')} as "windowAt",
  g.wells, g.troubles, g.past_wells as "pastWells", g.past_troubles as "pastTroubles", ${epochMs('g.opened_at')} as "openedAt",
  ${epochMs('g.open_until')} as "openUntil", g.probe_operation_id::text as probe, g.openings, ${epochMs('g.closed_at')} as "closedAt"`;

const READ = `select ${BREAKER_COLUMNS} from packline.gates g where g.account_id = $1 and g.verb = '*'`;

/** What the events of an account are called when its breaker opens, and when it closes. */
const OPENED = 'account.breaker_opened';
const CLOSED = 'account.breaker_closed';

const at = (parameter: string) => `to_timestamp(${parameter}::float8 / 1000)`;

// What went well is added by whoever takes permits, without a look at the number: only the difference is written.
const WRITE = `
with w as (
  update packline.gates g set breaker_no = g.breaker_no + 1, window_at = ${at('$3')}, wells = greatest(g.wells + $4::int, 0),
    troubles = $5, past_wells = $6, past_troubles = $7, opened_at = ${at('$8')}, open_until = ${at('$9')},
    probe_operation_id = $10::bigint, probe_until = case when $10::bigint is not null then g.probe_until end,
    openings = $11, closed_at = ${at('$12')}, updated_at = now()
  where g.account_id = $1 and g.verb = '*' and g.breaker_no = $2
  returning g.account_id
), told as (
  insert into packline.events (type, account_id, actor, data) select $13::text, account_id, $14, $15::jsonb from w where $13::text is not null
)
select account_id, case when $13::text = '${CLOSED}' then pg_notify('packline_ring', '')::text end as rung from w`;

/** From a row to what it stands for. */
export function stateOf(row: BreakerRow): BreakerState {
  const window = {
    since: row.windowAt,
    now: { wells: row.wells, troubles: row.troubles },
    past: { wells: row.pastWells, troubles: row.pastTroubles },
  };
  if (row.openedAt !== null) {
    const until = row.openUntil ?? row.openedAt;
    return { kind: 'open', window, since: row.openedAt, until, openings: row.openings, probe: row.probe };
  }
  const last = row.closedAt === null ? null : { openings: row.openings, closedAt: row.closedAt };
  return { kind: 'closed', window, last };
}

/** A change that was written. */
export interface BreakerChange {
  before: BreakerState;
  after: BreakerState;
}

/** Others that change the same row at the same time: each round one of them gets through. */
const TRIES = 20;

/**
 * Changes an account's breaker, and tells of it in the events where it opens or closes.
 * @param actor who is said to have changed it
 * @param change from what it is and the database's time, epoch ms; the same object where nothing changes
 * @returns null where nothing was changed
 */
export async function changeBreaker(
  sql: Sql,
  account: string,
  actor: string,
  change: (state: BreakerState, now: number) => BreakerState,
): Promise<BreakerChange | null> {
  for (let tried = 1; tried <= TRIES; tried += 1) {
    const [row] = await sql.query<BreakerRow>(READ, account);
    if (row === undefined) return null;
    const before = stateOf(row);
    const after = change(before, row.now);
    if (after === before) return null;
    if (await write(sql, account, actor, row, before, after)) return { before, after };
  }
  throw new Error(`the breaker of ${account} was changed by others ${TRIES} times in a row`);
}

async function write(
  sql: Sql,
  account: string,
  actor: string,
  row: BreakerRow,
  before: BreakerState,
  after: BreakerState,
): Promise<boolean> {
  const { window } = after;
  const open = after.kind === 'open' ? after : null;
  const last = after.kind === 'closed' ? after.last : null;
  const event = eventOf(before, after);
  const rows = await sql.query(
    WRITE,
    account,
    row.breakerNo,
    window.since,
    window.now.wells - row.wells,
    window.now.troubles,
    window.past.wells,
    window.past.troubles,
    open?.since ?? null,
    open?.until ?? null,
    open?.probe ?? null,
    open?.openings ?? last?.openings ?? 0,
    last?.closedAt ?? null,
    event?.type ?? null,
    actor,
    event === null ? null : json(event.data),
  );
  return rows.length > 0;
}

/** What a feed or a timeline is told; that a call tried in vain is no news. */
function eventOf(
  before: BreakerState,
  after: BreakerState,
): { type: string; data: Record<string, number | string> } | null {
  if (before.kind === after.kind) return null;
  if (after.kind === 'closed') return { type: CLOSED, data: {} };
  const until = new Date(after.until).toISOString();
  return { type: OPENED, data: { ...callsIn(after.window), until, openings: after.openings } };
}

/** Closes an account's breaker by hand. Returns whether it was open. */
export async function closeBreaker(sql: Sql, account: string, actor: string): Promise<boolean> {
  return (await changeBreaker(sql, account, actor, closedByHand)) !== null;
}

/** A process that is stopped for longer than its lease, and wakes when others have gone on. */
import { LEASE_SLACK_MS, SEND_BY_MS } from '../../src/orders/store/claim.js';
import { systemTime } from '../../src/time.js';
import type { Program } from '../helpers/program.js';
import { until } from '../helpers/until.js';
import { type Result, resultOf } from './end.js';
import {
  LOOK_MS,
  lost,
  openShop,
  PATIENCE_MS,
  REQUEST_TIMEOUT_MS,
  type Shop,
  type Standing,
} from './shop.js';
import { type Case, holdsClaim } from './table.js';

const LEASE_MS = SEND_BY_MS + REQUEST_TIMEOUT_MS + LEASE_SLACK_MS;

/** Freezes a process at its point, lets another one take over, thaws it after its lease, and waits for the end. */
export async function freeze(kase: Case): Promise<Result> {
  const shop = await openShop(kase);
  try {
    const victim = shop.victim();
    const at = await lost(victim);
    await shop.takeOver();
    const leaseEnded = () => systemTime.clock.now() - at > LEASE_MS;
    await until('the lease has ended', leaseEnded, PATIENCE_MS, LOOK_MS);
    const claimed = shop.standing.filter(({ place }) => holdsClaim(place));
    const over = shop.standing.filter(({ place }) => !holdsClaim(place));
    await Promise.all(claimed.map((one) => lookedForInVain(shop, one)));
    const before = await Promise.all(over.map((one) => whenOver(shop, one)));
    victim.kill('SIGCONT');
    await Promise.all(shop.standing.map((one) => answered(victim, one)));
    expect(await Promise.all(over.map((one) => whenOver(shop, one)))).toEqual(before);
    const result = await resultOf(shop, at, null);
    victim.kill('SIGTERM');
    expect(await victim.ended).toEqual({ code: 0, signal: null });
    return result;
  } finally {
    await shop.close();
  }
}

const CALLS = `
select o.state, o.looks, (select count(*)::int from packline.attempts a where a.operation_id = o.id and not a.repeatable) as calls
from packline.operations o where o.id = $1::bigint`;
// More than an absence takes where the caller is gone or has spoken.
const MANY_LOOKS = 4;

/** Somebody else has taken it over and looks for it, yet never sends it again: its caller lives and is silent. */
async function lookedForInVain({ query }: Shop, { operationId, place }: Standing): Promise<void> {
  const looked = async () => {
    const [row] = await query<{ state: string; looks: number; calls: number }>(CALLS, operationId);
    return row !== undefined && row.looks >= MANY_LOOKS ? row : null;
  };
  const what = `the submit at ${place.point} (${place.provider}) was looked for in vain`;
  const { state, calls } = await until(what, looked, PATIENCE_MS, LOOK_MS);
  expect(['unconfirmed', 'running']).toContain(state);
  expect(calls).toBe(1);
}

const ROWS = `
select jsonb_build_object('operation', to_jsonb(o), 'order', to_jsonb(d)) as rows
from packline.operations o join packline.orders d on d.id = o.order_id
where o.id = $1::bigint and o.finished_at is not null`;

/** Waits until an operation has ended; its rows, in which the frozen process has nothing to change any more. */
async function whenOver({ query }: Shop, { operationId, place }: Standing): Promise<unknown> {
  const found = async () => (await query<{ rows: unknown }>(ROWS, operationId))[0];
  const what = `the submit at ${place.point} (${place.provider}) has ended`;
  return (await until(what, found, PATIENCE_MS, LOOK_MS)).rows;
}

/** Waits until the thawed process has ended the job in which it was frozen. */
async function answered(victim: Program, { operationId, point }: Standing): Promise<void> {
  // Its job had ended before.
  if (point === 'acked') return;
  const line = `"event":"job\\.answered"[^\\n]*"operationId":"${operationId}"[^\\n]*"result":"(?!again)`;
  await victim.line(new RegExp(line), PATIENCE_MS);
}

/**
 * The calls of a one-time password. They are made while their operation waits, so no claim records them; like any
 * other call they have a row before their first byte, and what became of them stands in it.
 */
import type { Sql } from '../../database/connect.js';
import { SEND_BY_MS } from './claim.js';

// Nobody takes such a call over, so it has no owner; and what it did is not looked up, so it counts as repeatable.
const BEGIN = `
with o as (
  update packline.operations set calls = calls + 1, updated_at = now()
  where order_id = $1::uuid and state = 'waiting' and wait_reason = 'otp'
  returning id, order_id, account_id, generation, fence
)
insert into packline.attempts (operation_id, order_id, account_id, generation, step, repeatable, fence, owner, send_by, timeout_ms)
select o.id, o.order_id, o.account_id, o.generation, $2, true, o.fence, 0, now() + ${SEND_BY_MS} * interval '1 ms', $3::int from o
returning id::text as id`;

/**
 * Records that a call is about to be made.
 * @param timeoutMs the account's request timeout
 * @returns the attempt; null where nothing of the order waits for a one-time password
 */
export async function beginOtpCall(
  sql: Sql,
  orderId: string,
  step: string,
  timeoutMs: number,
): Promise<string | null> {
  return (await sql.query<{ id: string }>(BEGIN, orderId, step, timeoutMs))[0]?.id ?? null;
}

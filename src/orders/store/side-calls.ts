/** Calls beside the claims: each has a row before its first byte, and what became of it stands in that row. */
import { json, type Sql } from '../../database/connect.js';
import type { Evidence } from './settle.js';

const END = `
update packline.attempts a set ended_at = now(), duration_ms = x."durationMs", report = x.report, verdict = x.verdict,
  outcome = x.outcome, code = x.code, http_status = x."httpStatus", rule = x.rule, evidence = x.excerpt
from jsonb_to_record($2::jsonb) as x("durationMs" int, report packline.report, verdict packline.verdict, outcome text, code text,
  "httpStatus" int, rule text, excerpt jsonb)
where a.id = $1::bigint`;

/** Records what became of a call that no claim stands for: of a one-time password, of a watch. */
export async function endSideCall(sql: Sql, attemptId: string, evidence: Evidence): Promise<void> {
  await sql.query(END, attemptId, json({ ...evidence }));
}

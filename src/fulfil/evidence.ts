/** What an attempt leaves behind: report, verdict and a bounded, redacted excerpt of both sides. */
import type { JsonObject } from '../json.js';
import type { Evidence } from '../orders/store/settle.js';
import type { HttpResult } from '../policy/answer.js';
import type { Classified } from '../policy/classify.js';
import { outcomeCode } from '../policy/outcome.js';
import type { HttpRequest } from '../providers/provider.js';
import { excerpt } from '../redact.js';

/**
 * @param open the call may have been done: its verdict stays open until it is confirmed
 */
export function evidenceOf(
  step: string,
  request: HttpRequest,
  result: HttpResult,
  { outcome, rule }: Classified,
  durationMs: number,
  open: boolean,
): Evidence {
  const sent = reportOf(result, outcome.kind, rule?.outcome === 'unknown');
  return {
    made: step,
    report: sent,
    verdict: open || sent === 'unknown' ? null : sent,
    outcome: outcome.kind,
    code: outcomeCode(outcome),
    httpStatus: result.kind === 'answered' ? result.status : null,
    providerOrderId: outcome.kind === 'accepted' ? outcome.providerOrderId : null,
    rule: rule?.id ?? null,
    durationMs: Math.round(durationMs),
    excerpt:
      result.kind === 'answered' && result.status < 300 && outcome.kind !== 'unknown'
        ? null
        : excerpts(request, result),
    data: outcome.kind === 'done' && outcome.data !== undefined ? outcome.data : null,
  };
}

function reportOf(
  result: HttpResult,
  outcome: string,
  doubtful: boolean,
): 'accepted' | 'refused' | 'not_sent' | 'unknown' {
  if (result.kind === 'notSent') return 'not_sent';
  if (result.kind === 'unknown') return 'unknown';
  if (outcome === 'accepted' || outcome === 'done' || outcome === 'observed') return 'accepted';
  // An answer that could not be trusted is no answer.
  if (outcome === 'unknown' || (outcome === 'failed' && (doubtful || result.status < 300))) return 'unknown';
  return 'refused';
}

/** What a support request to the provider should hold: endpoint, payload, answer, times, nothing personal. */
function excerpts(request: HttpRequest, result: HttpResult): JsonObject {
  const url = new URL(request.url);
  return {
    request: {
      method: request.method,
      host: url.host,
      path: url.pathname,
      body: request.body === undefined ? null : excerpt(request.body),
    },
    answer:
      result.kind === 'answered'
        ? {
            status: result.status,
            retryAfter: headerText(result.headers['retry-after']),
            body: excerpt(result.body),
          }
        : { error: result.code },
  };
}

function headerText(value: string | string[] | undefined): string | null {
  return value === undefined ? null : String(value).slice(0, 100);
}

/** Codes as labels. Providers make up codes as they like, so only those that the sources name are told apart. */
import { STATUS_CODES } from 'node:http';
import type { Provider } from '../providers/provider.js';

/** What stands for every code that the sources do not name. */
export const OTHER = 'other';

/** Codes of our own that a dead letter can bear: whoever adds one that people should tell apart adds it here. */
const OWN = [
  'absent',
  'answer_too_large',
  'auth',
  'bug',
  'control_not_found',
  'duplicate',
  'id_taken',
  'impossible_row',
  'misconfigured',
  'no_answer',
  'order_gone',
  'others_only',
  'rate_limited',
  'reference_taken',
  'reinstall',
  'restored',
  'send_by',
  'sent_again',
  'several_candidates',
  'timeout',
  'too_late',
  'unconfirmed',
  'unreadable_answer',
  'worker_frozen',
];

/**
 * From a code to its label: itself where it is ours, stands in a provider's table or is a registered status of HTTP
 * (`http_404`), else `other`.
 */
export function codeLabels(providers: readonly Provider[]): (code: string) => string {
  const known = new Set([
    ...OWN,
    ...Object.keys(STATUS_CODES).map((status) => `http_${status}`),
    ...providers.flatMap(({ policy }) => policy.rules.flatMap(({ code }) => code ?? [])),
  ]);
  return (code) => (known.has(code) ? code : OTHER);
}

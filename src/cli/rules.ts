/** A provider's error table, for people: a few lines per row, since its sentences fit no column. */
import type { BackoffJson, PolicyRuleJson } from '../views.js';
import type { Output } from './output.js';

/** Prints each row with what it answers to, what follows, what it means, and where that is written. */
export function printRules(out: Output, rules: readonly PolicyRuleJson[]): void {
  for (const rule of rules) {
    out.line(rule.id);
    for (const line of [answerText(rule), ...consequences(rule), rule.meaning, sourceText(rule)])
      out.line(`  ${line}`);
    out.line('');
  }
  out.note(`${rules.length} rows. Rows with a code are tried before rows without; then the first that fits.`);
}

function answerText({ status, code, steps }: PolicyRuleJson): string {
  const range = typeof status === 'number' ? String(status) : status.join('-');
  return [
    range,
    ...(code === null ? [] : [code]),
    `at ${steps === null ? 'every step' : steps.join(', ')}`,
  ].join(' ');
}

function consequences(rule: PolicyRuleJson): string[] {
  const { outcome, scope, wait, block, attempts, backoff, alert } = rule;
  const whose = scope === 'account' ? 'the whole account' : 'this order';
  const what =
    wait === null
      ? [outcome, ...(block === null ? [] : [`(${block})`]), `- ${whose}`].join(' ')
      : `${outcome} for ${wait.reason} - ${whose}; again every ${span(wait.everyMs)}, ${span(wait.deadlineMs)} at most`;
  return [
    what,
    ...(backoff === null ? [] : [retryText(attempts, backoff)]),
    ...(alert ? ['a human is told at once'] : []),
  ];
}

function retryText(attempts: number | null, { baseMs, capMs, floorMs, jitter }: BackoffJson): string {
  const waits = `waits from ${span(baseMs)}, doubled up to ${span(capMs)}, never below ${span(floorMs)}, ${jitter} jitter`;
  return attempts === null
    ? `where no header names a time: ${waits}`
    : `where it may be repeated: ${attempts} attempts, ${waits}`;
}

const sourceText = ({ source, evidence }: PolicyRuleJson) => `${source} [${evidence}]`;

/** A span of time in the largest unit that shows it exactly. */
function span(ms: number): string {
  if (ms % 3_600_000 === 0 && ms > 0) return `${ms / 3_600_000} h`;
  if (ms % 60_000 === 0 && ms > 0) return `${ms / 60_000} min`;
  return ms % 1_000 === 0 ? `${ms / 1_000} s` : `${ms} ms`;
}

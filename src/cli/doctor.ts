/** `packline doctor`: how this installation is, and what to do about it. */
import type { Command } from 'commander';
import type { AuditJson, CheckJson, DoctorJson, InvariantJson } from '../views.js';
import {
  addVerb,
  does,
  EXIT,
  failWith,
  type Invocation,
  type Shell,
  someText,
  wholeNumber,
} from './context.js';
import type { Output } from './output.js';

interface DoctorOptions {
  invariants: boolean;
  audit: boolean;
  account?: string;
  days: number;
}

// As far as the daily audit looks.
const DEFAULT_DAYS = 2;
const MAX_DAYS = 90;

async function doctor(call: Invocation, options: DoctorOptions): Promise<number> {
  const { deps, out } = call;
  if (options.account !== undefined && !options.audit)
    return call.wrongUse('--account says whose orders --audit looks at: write both');
  const database = await deps.checkDatabase();
  if (database.some(({ state }) => state === 'failed'))
    return answer(out, { healthy: false, checks: database, invariants: null, audits: null });
  if (options.audit)
    out.note('Asking the providers, at a small part of their limits; this may take a while.');
  const { invariants, account, days } = options;
  const result = await deps.withOperator((operator) =>
    operator.doctor({ actor: call.actor, invariants, audit: options.audit ? { account, days } : null }),
  );
  if (!result.ok) return failWith(out, result.problem);
  return answer(out, { ...result.value, checks: [...database, ...result.value.checks] });
}

function answer(out: Output, report: DoctorJson): number {
  out.answer(report, () => print(out, report));
  return report.healthy ? EXIT.done : EXIT.failed;
}

function print(out: Output, { healthy, checks, invariants, audits }: DoctorJson): void {
  out.table(
    ['STATE', 'CHECK', 'WHAT'],
    checks.map(({ name, state, message }) => [state, name, message]),
    'Nothing was checked.',
  );
  if (invariants !== null) printInvariants(out, invariants);
  if (audits !== null) printAudits(out, audits);
  printRemedies(out, checks, invariants ?? []);
  out.line('');
  out.line(healthy ? 'Nothing has failed.' : 'Something has failed.');
}

function printInvariants(out: Output, invariants: readonly InvariantJson[]): void {
  out.heading('Invariants');
  out.table(
    ['STATE', 'NAME', 'WHAT MUST HOLD'],
    invariants.map(({ name, holds, count }) => [count === 0 ? 'ok' : `${count} violated`, name, holds]),
    'There are none.',
  );
  for (const { name, rows, count } of invariants) {
    for (const { account, what } of rows) out.line(`  ${name}, ${account}: ${what}`);
    if (count > rows.length) out.line(`  ${name}: and ${count - rows.length} more`);
  }
}

function printAudits(out: Output, audits: readonly AuditJson[]): void {
  out.heading('Audits');
  out.table(
    ['ACCOUNT', 'STATE', 'LISTED', 'SURPLUS', 'ORPHANS', 'MISSING'],
    audits.map(({ account, state, listed, surplus, orphans, missing }) => [
      account,
      state,
      listed,
      surplus.count,
      orphans.count,
      missing.count,
    ]),
    'There are no accounts.',
  );
  for (const { account, why, limits, surplus, orphans, missing } of audits) {
    for (const said of [...(why === null ? [] : [why]), ...limits]) out.line(`  ${account}: ${said}`);
    for (const [kind, { named, count }] of Object.entries({ surplus, orphans, missing })) {
      for (const { providerOrderId, reference, orderId } of named)
        out.line(
          `  ${account}, ${kind}: ${providerOrderId} (reference ${reference ?? '-'}, order ${orderId ?? '-'})`,
        );
      if (count > named.length) out.line(`  ${account}, ${kind}: and ${count - named.length} more`);
    }
  }
}

function printRemedies(
  out: Output,
  checks: readonly CheckJson[],
  invariants: readonly InvariantJson[],
): void {
  const todo = [
    ...checks.flatMap(({ name, state, remedy }) =>
      state === 'ok' || remedy === null ? [] : [{ name, remedy }],
    ),
    ...invariants.filter(({ count }) => count > 0),
  ];
  if (todo.length === 0) return;
  out.heading('To do');
  for (const { name, remedy } of todo) out.line(`  ${name}: ${remedy}`);
}

export function addDoctor(program: Command, shell: Shell): void {
  const command = addVerb(program, {
    usage: 'doctor',
    help:
      'Say how this installation is and what to do about it: database, queue, processes, accounts, waiting work. ' +
      'Exit code 1 if something has failed; warnings do not count.',
    examples: [
      'packline doctor',
      'packline doctor --invariants --json',
      'packline doctor --audit --account gelato-eu --days 7',
    ],
  })
    .option('--invariants', 'check the rows of all orders against each other as well', false)
    .option('--audit', 'ask the providers what they hold, and compare it with what is here', false)
    .option('--account <id>', 'audit only this account', someText)
    .option('--days <count>', 'how many days the audit looks back', wholeNumber(1, MAX_DAYS), DEFAULT_DAYS);
  does(shell, command, doctor);
}

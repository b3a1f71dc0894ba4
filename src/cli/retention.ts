/** `packline retention`: forgets old history now, instead of at the next daily run. */
import type { Command } from 'commander';
import type { RetentionJson } from '../views.js';
import { addVerb, does, type Shell, wholeNumber } from './context.js';
import type { Output } from './output.js';

interface RunOptions {
  dryRun: boolean;
  olderThan?: number;
}

const MAX_DAYS = 36_500;
// Often enough to see that it moves, and seldom enough for a log.
const SAY_EVERY_MS = 2_000;

function print(out: Output, report: RetentionJson): void {
  const { dryRun, olderThanDays, orders, events, attempts, operations, excerpts } = report;
  const would = dryRun ? 'would be ' : '';
  out.line(`${orders} orders have been over for ${olderThanDays} days or more.`);
  out.line(`${would}deleted: ${events} events, ${attempts} attempts, ${operations} reads`);
  out.line(`${would}emptied: ${excerpts} attempts`);
}

/** Adds `retention run`. */
export function addRetention(program: Command, shell: Shell): void {
  const retention = program
    .command('retention')
    .description('Forget old history: what only tells the story of orders that are over.');
  const command = addVerb(retention, {
    usage: 'run',
    help:
      'Delete events, reads and refused calls of orders that have been over for long, and the excerpts of other calls. ' +
      'Orders, their references and every call that may have been accepted stay for ever. It may be ended at any moment.',
    examples: ['packline retention run --dry-run', 'packline retention run --older-than 90'],
  })
    .option('--dry-run', 'count what would go, and delete nothing', false)
    .option(
      '--older-than <days>',
      'for how many days an order has to be over; else PACKLINE_RETENTION_DAYS',
      wholeNumber(1, MAX_DAYS),
    );
  does(shell, command, (call, { dryRun, olderThan }: RunOptions) => {
    const { clock } = call.deps.time;
    let said = clock.monotonic();
    const onPage = ({ looked, orders }: RetentionJson) => {
      if (clock.monotonic() - said < SAY_EVERY_MS) return;
      said = clock.monotonic();
      call.out.note(`${looked} events looked at, ${orders} orders among them that are long over`);
    };
    return call.ask(
      (operator) => operator.runRetention({ actor: call.actor, olderThanDays: olderThan, dryRun, onPage }),
      (report) => print(call.out, report),
    );
  });
}

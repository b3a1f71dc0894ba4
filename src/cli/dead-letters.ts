/** `packline dead-letters list|show|replay|adopt|discard`. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { DeadLetterQuery, ReplayFilter } from '../operator.js';
import { OPERATION_KINDS } from '../orders/order.js';
import type { DeadLetterJson, ReplayManyJson } from '../views.js';
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
import { printDeadLetter, printDeadLetters } from './views.js';

const MAX_PAGE = 500;
// What one call may replay; more is a second call, after a look at what the first one did.
const MAX_REPLAY = 10_000;

const STATES: readonly DeadLetterJson['state'][] = ['open', 'replayed', 'adopted', 'discarded'];

function oneOf(words: readonly string[]): (text: string) => string {
  return (text) => {
    if (words.includes(text)) return text;
    throw new InvalidArgumentError(`Write one of ${words.join(', ')}.`);
  };
}

const filtered = (command: Command) =>
  command
    .option('--account <id>', 'of this account', someText)
    .option('--code <code>', 'with this code, such as reference_taken', someText)
    .option(
      '--kind <kind>',
      `of this kind of operation (${OPERATION_KINDS.join(', ')})`,
      oneOf(OPERATION_KINDS),
    );

const told = (done: string, letter: DeadLetterJson) =>
  `${done}: dead letter ${letter.id} (${letter.kind} of ${letter.reference ?? letter.account}).`;

function addList(deadLetters: Command, shell: Shell): void {
  const command = filtered(
    addVerb(deadLetters, {
      usage: 'list',
      help: 'List the operations that need a human; the open ones unless --state says otherwise.',
      examples: [
        'packline dead-letters list --account gelato-eu',
        'packline dead-letters list --state discarded',
      ],
    }),
  )
    .option('--state <state>', `in this state (${STATES.join(', ')})`, oneOf(STATES))
    .option('--cursor <cursor>', 'continue a list where its last page ended', someText)
    .option('--limit <n>', 'dead letters per page', wholeNumber(1, MAX_PAGE));
  does(shell, command, ({ ask, out, deps }, { account, code, kind, state, cursor, limit }: DeadLetterQuery) =>
    ask(
      (operator) => operator.listDeadLetters({ account, code, kind, state, cursor, limit }),
      (page) => {
        printDeadLetters(out, page.deadLetters, deps.time.clock.now());
        if (page.nextCursor !== null) out.note(`More: add --cursor ${page.nextCursor}`);
      },
    ),
  );
}

function addShow(deadLetters: Command, shell: Shell): void {
  const command = addVerb(deadLetters, {
    usage: 'show <id>',
    help: 'Show a dead letter with all its evidence.',
    examples: ['packline dead-letters show 17'],
  });
  does(shell, command, ({ ask, out, deps }, id: string) =>
    ask(
      (operator) => operator.getDeadLetter(id),
      (letter) => printDeadLetter(out, letter, deps.time.clock.now()),
    ),
  );
}

interface ReplayOptions {
  reason?: string;
  force?: boolean;
  account?: string;
  code?: string;
  kind?: string;
  all?: boolean;
  dryRun?: boolean;
  limit?: number;
}

/** What is wrong with this choice of dead letters, if anything; no half-understood call replays a thing. */
function mistakeIn(id: string | undefined, options: ReplayOptions): string | null {
  const filters = options.account !== undefined || options.code !== undefined || options.kind !== undefined;
  if (id === undefined) {
    if (!filters && options.all !== true) {
      return 'name a dead letter, or choose several with --account, --code or --kind, or take --all';
    }
    if (options.reason !== undefined || options.force === true) return '--reason and --force go with one ID';
    return filters && options.all === true ? '--all goes without --account, --code and --kind' : null;
  }
  if (filters || options.all === true || options.dryRun === true || options.limit !== undefined) {
    return 'an ID goes without --account, --code, --kind, --all, --dry-run and --limit';
  }
  return options.force === true && options.reason === undefined ? '--force needs a --reason' : null;
}

function printReplayed({ out }: Invocation, result: ReplayManyJson, dryRun: boolean): void {
  out.line(
    dryRun
      ? `${result.matched} would be replayed; nothing was done.`
      : `${result.replayed} of ${result.matched} replayed.`,
  );
  for (const { id, reason } of result.skipped) out.note(`skipped ${id}: ${reason}`);
}

async function replayMany(call: Invocation, filter: ReplayFilter): Promise<number> {
  const result = await call.deps.withOperator((operator) => operator.replayMany(filter, call.actor));
  if (!result.ok) return failWith(call.out, result.problem);
  call.out.answer(result.value, () => printReplayed(call, result.value, filter.dryRun === true));
  return result.value.skipped.length === 0 || filter.dryRun === true ? EXIT.done : EXIT.failed;
}

function addReplay(deadLetters: Command, shell: Shell): void {
  const command = filtered(
    addVerb(deadLetters, {
      usage: 'replay [id]',
      help:
        'Let an operation go on, or many of them. What may have been done is looked up first. Of many, exit ' +
        'code 1 says that some were skipped.',
      examples: [
        'packline dead-letters replay 17 --reason "the provider is back"',
        'packline dead-letters replay --account gelato-eu --code INTERNAL_ERROR --dry-run',
      ],
    }),
  )
    .option('--reason <text>', 'why, for the audit; needed with --force', someText)
    .option('--force', 'replay it although packline advises against it; needs --reason')
    .option('--all', 'every open dead letter')
    .option('--dry-run', 'only count')
    .option('--limit <n>', 'at most so many', wholeNumber(1, MAX_REPLAY));
  does(shell, command, (call, id: string | undefined, options: ReplayOptions) => {
    const mistake = mistakeIn(id, options);
    if (mistake !== null) return Promise.resolve(call.wrongUse(mistake));
    const { reason, force, account, code, kind, limit, dryRun } = options;
    if (id === undefined) return replayMany(call, { account, code, kind, limit, dryRun });
    return call.ask(
      (operator) => operator.replay(id, { actor: call.actor, reason, force }),
      (letter) => call.out.line(told('Replayed', letter)),
    );
  });
}

function addDecisions(deadLetters: Command, shell: Shell): void {
  const adopt = addVerb(deadLetters, {
    usage: 'adopt <id> <provider-order-id>',
    help: 'Say which order at the provider this one is. The provider is asked before it is believed.',
    examples: ['packline dead-letters adopt 17 37365096-6628-4538-a9c2-fbf9892deb85'],
  });
  does(shell, adopt, ({ ask, out, actor }, id: string, providerOrderId: string) =>
    ask(
      (operator) => operator.adopt(id, { actor, providerOrderId }),
      (letter) => out.line(told('Adopted', letter)),
    ),
  );
  const discard = addVerb(deadLetters, {
    usage: 'discard <id>',
    help: 'Give an operation up. The order of a submit becomes failed.',
    examples: ['packline dead-letters discard 17 --reason "customer ordered elsewhere"'],
  }).requiredOption('--reason <text>', 'why, for the audit', someText);
  does(shell, discard, ({ ask, out, actor }, id: string, { reason }: { reason: string }) =>
    ask(
      (operator) => operator.discard(id, { actor, reason }),
      (letter) => out.line(told('Discarded', letter)),
    ),
  );
}

export function addDeadLetters(program: Command, shell: Shell): void {
  const deadLetters = program.command('dead-letters').description('Operations that need a human.');
  addList(deadLetters, shell);
  addShow(deadLetters, shell);
  addReplay(deadLetters, shell);
  addDecisions(deadLetters, shell);
}

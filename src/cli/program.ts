/** The command line `packline`: all verbs together, and what becomes of their mistakes. */
import { Command, CommanderError } from 'commander';
import { addAccounts, addProviders } from './accounts.js';
import { addChaos } from './chaos.js';
import { type CliDeps, EXIT, type Shell, WrongUse } from './context.js';
import { addDeadLetters } from './dead-letters.js';
import { addDoctor } from './doctor.js';
import { addOrders } from './orders.js';
import { plainLines } from './output.js';
import { addRecover } from './recover.js';
import { addRetention } from './retention.js';
import { addRoles } from './roles.js';
import { addSync } from './sync.js';

export type { CliDeps, Role, RunRolesOptions } from './context.js';
export { EXIT, WrongUse } from './context.js';

// A usual terminal; wider help is hard to read.
const HELP_WIDTH = 100;

function newProgram(deps: CliDeps): Command {
  const program = new Command('packline');
  // Before the first verb is added: verbs inherit these settings as they are created.
  program
    .exitOverride()
    .configureOutput({
      writeOut: (text) => deps.stdout.write(text),
      writeErr: (text) => deps.stderr.write(text),
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .showHelpAfterError('(--help tells more)');
  if (deps.version !== undefined) program.version(deps.version, '--version', 'print the version');
  return program
    .description('Gets orders fulfilled by the right provider, once, within its limits.')
    .option('--json', 'print the answer as JSON on stdout, as the HTTP API gives it')
    .option('--verbose', 'print the stack of an unexpected error')
    .addHelpText(
      'after',
      [
        '',
        'Exit codes: 0 done, 1 failed, 2 wrong use. Answers go to stdout, logs and progress to stderr.',
        '',
        'Examples:',
        '  packline up',
        '  packline orders submit orders.ndjson',
        '  packline orders show A-1001',
      ].join('\n'),
    );
}

/**
 * All verbs as a commander program. A mistake in the call throws commander's `CommanderError` after it was
 * printed on stderr; `run` turns it into an exit code.
 * @param finish told the exit code of the verb that ran
 */
export function buildCli(deps: CliDeps, finish: (exitCode: number) => void = () => {}): Command {
  const program = newProgram(deps);
  const shell: Shell = { deps, finish };
  addRoles(program, shell);
  addAccounts(program, shell);
  addProviders(program, shell);
  addOrders(program, shell);
  addDeadLetters(program, shell);
  addSync(program, shell);
  addRecover(program, shell);
  addRetention(program, shell);
  addDoctor(program, shell);
  addChaos(program, shell);
  return program;
}

/** What went wrong in one line; a connection that fails on every address has its messages one level down. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  const inner = error instanceof AggregateError ? error.errors.map(messageOf).join('; ') : '';
  return inner === '' ? error.name : inner;
}

function report(deps: CliDeps, error: unknown, verbose: boolean): number {
  deps.stderr.write(`error: ${plainLines(messageOf(error))}\n`);
  if (error instanceof WrongUse) return EXIT.wrongUse;
  if (verbose && error instanceof Error) deps.stderr.write(`${plainLines(error.stack ?? '')}\n`);
  return EXIT.failed;
}

/**
 * Runs one call of the command line. Never rejects.
 * @param argv what was written behind the program's name, so `process.argv.slice(2)`
 * @returns the exit code: 0 done, 1 failed, 2 wrong use
 */
export async function run(argv: readonly string[], deps: CliDeps): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = buildCli(deps, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    // Printed already; only help and version that were asked for have an exit code of 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
    return report(deps, error, program.opts().verbose === true);
  }
}

/** `packline accounts list|show|apply|pause|resume|check` and `packline providers explain`. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import type { Clock } from '../time.js';
import {
  addVerb,
  does,
  durationMs,
  EXIT,
  failWith,
  type Invocation,
  type Shell,
  someText,
} from './context.js';
import { readJsonFile } from './files.js';
import { printRules } from './rules.js';
import { printAccount, printAccounts, printWaits } from './views.js';

const offsetTime = z.iso.datetime({ offset: true });

/**
 * A moment to come, as the operator's verbs want it: ISO 8601 in UTC. Reads an ISO 8601 time with its offset
 * (without one it would mean another moment on another machine), or a duration from now: `30m`, `2h`, `3d`.
 */
function futureTime(clock: Clock): (text: string) => string {
  return (text) => {
    const ms = durationMs(text);
    if (ms !== null) return new Date(clock.now() + ms).toISOString();
    if (!offsetTime.safeParse(text).success) {
      throw new InvalidArgumentError(
        'Write a time such as 2030-12-24T18:00:00Z, or a duration such as 30m, 2h, 3d.',
      );
    }
    const at = Date.parse(text);
    if (at <= clock.now()) throw new InvalidArgumentError('It is past; write a time to come.');
    return new Date(at).toISOString();
  };
}

function addReads(accounts: Command, shell: Shell): void {
  const list = addVerb(accounts, {
    usage: 'list',
    help: 'List the accounts: state, guarantee, queue and gate.',
    examples: ['packline accounts list'],
  });
  does(shell, list, async ({ deps, out }) => {
    const answer = await deps.withOperator((operator) => operator.listAccounts());
    out.answer(answer, () => printAccounts(out, answer.accounts, deps.time.clock.now()));
    return EXIT.done;
  });
  const show = addVerb(accounts, {
    usage: 'show <id>',
    help: 'Show an account.',
    examples: ['packline accounts show gelato-eu'],
  });
  does(shell, show, ({ deps, out, ask }, id: string) =>
    ask(
      (operator) => operator.getAccount(id),
      (account) => printAccount(out, account, deps.time.clock.now()),
    ),
  );
  const explain = addVerb(accounts, {
    usage: 'explain <id>',
    help: 'Say what the orders of an account wait for, until when, and what helps.',
    examples: ['packline accounts explain gelato-eu'],
  });
  does(shell, explain, ({ deps, out, ask }, id: string) =>
    ask(
      (operator) => operator.getAccount(id),
      (account) => printWaits(out, account, deps.time.clock.now()),
    ),
  );
}

async function applyFile(call: Invocation, path: string): Promise<number> {
  const file = await readJsonFile(call.deps, path);
  if (!file.ok) return call.wrongUse(file.message);
  return call.ask(
    (operator) => operator.applyAccounts(file.value, call.deps.env),
    ({ accounts }) =>
      call.out.table(
        ['ACCOUNT', 'CHANGE'],
        accounts.map(({ id, change }) => [id, change]),
        'The file holds no accounts.',
      ),
  );
}

async function checkAccount({ deps, out }: Invocation, id: string): Promise<number> {
  const result = await deps.withOperator((operator) => operator.checkAccount(id));
  if (!result.ok) return failWith(out, result.problem);
  const { account, ok, outcome, message } = result.value;
  out.answer(result.value, () =>
    out.line(`${account}: ${ok ? 'ok' : 'failed'}, ${outcome}${message === null ? '' : `: ${message}`}`),
  );
  return ok ? EXIT.done : EXIT.failed;
}

function addFileAndCheck(accounts: Command, shell: Shell): void {
  const apply = addVerb(accounts, {
    usage: 'apply <file>',
    help:
      `Create or update accounts by id from an accounts file; - is standard input. \${NAME} in it reads the ` +
      'environment. Accounts that are not in it are left alone.',
    examples: ['packline accounts apply accounts.json'],
  });
  does(shell, apply, applyFile);
  const check = addVerb(accounts, {
    usage: 'check <id>',
    help: "Make one cheap read with the account's credentials; exit code 1 if it fails.",
    examples: ['packline accounts check gelato-eu'],
  });
  does(shell, check, checkAccount);
}

function addPause(accounts: Command, shell: Shell): void {
  const pause = addVerb(accounts, {
    usage: 'pause <id>',
    help: 'Stop calling the provider for an account. Orders are still taken, and wait.',
    examples: ['packline accounts pause gelato-eu --reason "stock count" --until 2h'],
  })
    .requiredOption('--reason <text>', 'why, for the audit and for colleagues', someText)
    .option(
      '--until <time>',
      'resume by itself then: an ISO 8601 time or a duration',
      futureTime(shell.deps.time.clock),
    );
  does(shell, pause, (call, id: string, { reason, until }: { reason: string; until?: string }) =>
    call.ask(
      (operator) => operator.pauseAccount(id, { actor: call.actor, reason, until }),
      (account) => printAccount(call.out, account, call.deps.time.clock.now()),
    ),
  );
  const resume = addVerb(accounts, {
    usage: 'resume <id>',
    help: 'Let a paused account go on, close its breaker, and let what waits for funds, stock or a window try now.',
    examples: ['packline accounts resume gelato-eu'],
  });
  does(shell, resume, (call, id: string) =>
    call.ask(
      (operator) => operator.resumeAccount(id, call.actor),
      (account) => printAccount(call.out, account, call.deps.time.clock.now()),
    ),
  );
}

export function addAccounts(program: Command, shell: Shell): void {
  const accounts = program
    .command('accounts')
    .description('Accounts: credentials and settings at a provider, with their own limits and pauses.');
  addReads(accounts, shell);
  addFileAndCheck(accounts, shell);
  addPause(accounts, shell);
}

export function addProviders(program: Command, shell: Shell): void {
  const providers = program.command('providers').description('What is known about providers.');
  const explain = addVerb(providers, {
    usage: 'explain <id>',
    help: "Print a provider's policy: what each of its errors leads to, with the source.",
    examples: ['packline providers explain gelato-connect'],
  });
  does(shell, explain, ({ ask, out }, id: string) =>
    ask(
      (operator) => Promise.resolve(operator.explainProvider(id)),
      ({ rules }) => printRules(out, rules),
    ),
  );
}

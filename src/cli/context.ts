/** What every verb of the command line shares: what it is given, how it ends, how options are read. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Chaos } from '../chaos/chaos.js';
import type { ChaosReport } from '../chaos/report.js';
import type { Actor, Operator } from '../operator.js';
import type { Problem, Result } from '../problem.js';
import type { Time } from '../time.js';
import type { CheckJson } from '../views.js';
import { Output } from './output.js';

/** A process role; the same code as in `workers/`. */
export type Role = 'api' | 'dispatcher' | 'fulfilment' | 'maintenance';

export interface RunRolesOptions {
  /** 0 picks one. */
  port?: number;
  host?: string;
  /** Apply migrations first; else wait until somebody has. */
  migrate: boolean;
  /** Print `packline ready http://HOST:PORT` on stdout once `/readyz` is 200. */
  announce: boolean;
  /** Path of an accounts file to apply first. */
  accounts?: string;
}

/** Everything that the command line touches outside itself. */
export interface CliDeps {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
  env: Record<string, string | undefined>;
  /** Opens the database (embedded or DATABASE_URL) as a client for as long as the verb lasts. */
  withOperator<T>(work: (operator: Operator) => Promise<T>): Promise<T>;
  /** Asks the database before anything else does: whether it answers, keeps what it confirms, and has its tables. */
  checkDatabase(): Promise<CheckJson[]>;
  /** Runs roles until stopped; resolves with the exit code. */
  runRoles(roles: Role[], options: RunRolesOptions): Promise<number>;
  migrate(): Promise<{ applied: string[] }>;
  /** Runs simulators until stopped; no names: all. */
  simulate(providers: string[], options: { port?: number }): Promise<number>;
  demo(options: { exit: boolean; orders: number }): Promise<number>;
  /** Strikes a packline of its own; a report per backend. `say` takes progress. */
  chaos(options: Chaos, say: (line: string) => void): Promise<ChaosReport[]>;
  time: Time;
  /** A person is watching. */
  isTTY: boolean;
  /** The bytes of a file; `-` is stdin. Rejects when it cannot be read. */
  readFile(path: string): Promise<Buffer>;
  /** What `--version` prints. */
  version?: string;
}

/** 0 done, 1 failed, 2 wrong use. */
export const EXIT = { done: 0, failed: 1, wrongUse: 2 } as const;

/**
 * Whoever called made a mistake that only showed on the way, such as a broken environment: the message goes to
 * stderr, without a stack, and the exit code is 2. For `CliDeps` to throw.
 */
export class WrongUse extends Error {
  override name = 'WrongUse';
}

/** One call of one verb. */
export interface Invocation {
  deps: CliDeps;
  out: Output;
  actor: Actor;
  /** Opens the operator and prints the problem, if its answer is one; else `print` shows the value. */
  ask<T>(work: (operator: Operator) => Promise<Result<T>>, print: (value: T) => void): Promise<number>;
  /** Says on stderr what is wrong with the call, and how to find out more; returns exit code 2. */
  wrongUse(message: string): number;
}

/** Makes verbs: `deps` for their work, and what becomes of their exit code. */
export interface Shell {
  deps: CliDeps;
  finish(exitCode: number): void;
}

/** Who acts, for the audit: under sudo the person, not root. */
export function actorOf(env: CliDeps['env']): Actor {
  const user = [env.SUDO_USER, env.USER, env.LOGNAME, env.USERNAME].find(
    (name) => name !== undefined && name !== '',
  );
  return `cli:${user ?? 'unknown'}`;
}

/** Prints a problem; returns exit code 1. */
export function failWith(out: Output, problem: Problem): number {
  out.problem(problem);
  return EXIT.failed;
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function invoke(shell: Shell, command: Command): Invocation {
  const { deps } = shell;
  const out = new Output({ ...deps, json: command.optsWithGlobals().json === true });
  return {
    deps,
    out,
    actor: actorOf(deps.env),
    ask: async (work, print) => {
      const result = await deps.withOperator(work);
      if (!result.ok) return failWith(out, result.problem);
      out.answer(result.value, () => print(result.value));
      return EXIT.done;
    },
    wrongUse: (message) => {
      out.note(`error: ${message}`);
      out.note(`(${pathOf(command)} --help tells more)`);
      return EXIT.wrongUse;
    },
  };
}

/**
 * Adds a verb.
 * @param spec `usage` as commander reads it (`show <id>`); `help` a sentence; `examples` whole command lines
 */
export function addVerb(
  parent: Command,
  spec: { usage: string; help: string; examples: readonly string[] },
): Command {
  const title = spec.examples.length === 1 ? 'Example:' : 'Examples:';
  return (
    parent
      .command(spec.usage)
      .description(spec.help)
      // The list of verbs shows the first sentence only.
      .summary(spec.help.split(/(?<=\.) /)[0] ?? spec.help)
      .addHelpText('after', ['', title, ...spec.examples.map((example) => `  ${example}`)].join('\n'))
  );
}

/**
 * Gives a verb its work. The arguments are commander's: the verb's own, then its options; their types are those
 * of the declarations beside the call.
 * @param work resolves with the exit code
 */
export function does<A extends unknown[]>(
  shell: Shell,
  command: Command,
  work: (call: Invocation, ...args: A) => Promise<number>,
): void {
  command.action(async (...args: A) => {
    shell.finish(await work(invoke(shell, command), ...args));
  });
}

/** An option's value: a whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** An option's value: text that is not empty, as it becomes part of the audit or of a query. */
export function someText(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Write some text.');
  return text;
}

/** The entries that have a value: for interfaces whose optional fields may not be undefined. */
export function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  // Object.fromEntries forgets the key names; these are T's own, less those without a value.
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

const DURATION = /^(\d{1,5})(m|h|d)$/;
const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as `30m`, `2h` or `3d`, in ms; null where it is none. */
export function durationMs(text: string): number | null {
  const [, count, unit = ''] = DURATION.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  return unitMs === undefined ? null : Number(count) * unitMs;
}

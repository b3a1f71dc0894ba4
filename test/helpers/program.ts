/** Real processes: the roles from their sources, and the compiled command line. To be asked, killed and waited for. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { jest } from '@jest/globals';
import { until } from './until.js';

export interface Program {
  pid: number;
  /** What it wrote so far. */
  stdout(): string;
  stderr(): string;
  /** Waits for a line on either that matches; returns the match. */
  line(pattern: RegExp, deadlineMs?: number): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended and everything it wrote is here. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** What it answers on standard input, and where it runs. */
export interface ProgramOptions {
  cwd?: string;
  input?: string;
}

const root = path.join(import.meta.dirname, '..', '..');
const living = new Set<Program>();

// A Node.js process that loads the sources takes a second, and several on a busy machine.
const START_DEADLINE_MS = 20_000;

// Files that start processes share the processors with all of them.
jest.setTimeout(90_000);

afterAll(async () => {
  for (const program of living) program.kill('SIGKILL');
  await Promise.all([...living].map(({ ended }) => ended));
});

/** Starts one of the processes in `workers/`, from its source. */
export function startWorker(
  name: 'api' | 'dispatcher' | 'fulfilment' | 'maintenance',
  env: Record<string, string>,
): Program {
  return startSource(path.join('workers', `${name}.ts`), [], env);
}

/**
 * Starts a program from its TypeScript source.
 * @param file below the repository
 */
export function startSource(file: string, args: readonly string[], env: Record<string, string>): Program {
  const loader = path.join(import.meta.dirname, 'typescript.js');
  return start(['--no-warnings', '--import', loader, path.join(root, file), ...args], env, {});
}

/** Starts the compiled command line; `npm test` compiles it first. */
export function startCli(
  args: readonly string[],
  env: Record<string, string>,
  options: ProgramOptions = {},
): Program {
  return start([path.join(root, 'dist', 'src', 'cli', 'main.js'), ...args], env, options);
}

/** Runs one call of the compiled command line to its end. */
export async function runCli(
  args: readonly string[],
  env: Record<string, string>,
  options: ProgramOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const program = startCli(args, env, options);
  const { code } = await program.ended;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
}

/** Nothing of this machine's environment reaches it but what every program needs. */
function start(args: string[], env: Record<string, string>, { cwd, input }: ProgramOptions): Program {
  const child = spawn(process.execPath, args, {
    cwd: cwd ?? root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, USER: 'tester', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`could not start ${args.join(' ')}`);
  child.stdin.end(input ?? '');
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written.stderr += text;
  });
  const program: Program = {
    pid,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    line: (pattern, deadlineMs = START_DEADLINE_MS) =>
      until(
        `${pattern} from ${args.at(-1)}`,
        () => {
          const found = pattern.exec(written.stdout) ?? pattern.exec(written.stderr);
          if (found === null && child.exitCode !== null)
            throw new Error(`${args.join(' ')} ended with ${child.exitCode}:\n${written.stderr}`);
          return found;
        },
        deadlineMs,
      ),
    kill: (signal) => void child.kill(signal),
    ended: once(child, 'close').then(([code, signal]) => {
      living.delete(program);
      return { code, signal };
    }),
  };
  living.add(program);
  return program;
}

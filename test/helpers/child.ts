import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

/** A child process that runs a TypeScript file of the tests. */
export interface Child {
  pid: number;
  /** Everything it wrote to stdout and stderr so far. */
  output(): string;
  /** Waits for a line of its output that matches; returns the match. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Signals the process, or with `group` every process of its process group, as a terminal's Ctrl-C does. */
  kill(signal: NodeJS.Signals, options?: { group: boolean }): Promise<void>;
  /** Ends its standard input, on which these scripts end in good order; waits for that. */
  finish(): Promise<void>;
}

// A Node.js process that loads the sources takes half a second, and several on a busy machine.
const START_DEADLINE_MS = 20_000;

/** Starts a TypeScript file in a Node.js process and process group of its own. */
export function startChild(script: string, args: readonly string[]): Child {
  const loader = fileURLToPath(new URL('./typescript.js', import.meta.url));
  const child = spawn(process.execPath, ['--no-warnings', '--import', loader, script, ...args], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`could not start ${script}`);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const closed = once(child, 'close');
  return {
    pid,
    output: () => output,
    line: (pattern) => {
      const look = () => {
        if (child.exitCode !== null && !pattern.test(output)) throw new Error(`${script} ended:\n${output}`);
        return pattern.exec(output);
      };
      return until(`${pattern} in the output of ${script}`, look, START_DEADLINE_MS);
    },
    kill: async (signal, options) => {
      process.kill(options?.group === true ? -pid : pid, signal);
      await closed;
    },
    finish: async () => {
      child.stdin.end();
      await closed;
    },
  };
}

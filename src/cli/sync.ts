/** `packline sync`: what cron calls. Asks for a look at every open order, and waits until it is done. */
import type { Command } from 'commander';
import type { Operator } from '../operator.js';
import { OPERATION_STATES, type OperationState } from '../orders/order.js';
import type { Result } from '../problem.js';
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
import { startProgress } from './progress.js';

type SyncAnswer = Awaited<ReturnType<Operator['sync']>> extends Result<infer T> ? T : never;
type Asked = SyncAnswer['accounts'][number];
type Standing = Awaited<ReturnType<Operator['syncProgress']>>[number];

interface SyncOptions {
  account?: string;
  wait: boolean;
  /** Seconds. */
  timeout: number;
}

// 100,000 open orders at 100 per request and the slowest documented pace of about one a second take 17 minutes.
const DEFAULT_TIMEOUT_S = 1_800;
const MAX_TIMEOUT_S = 86_400;
// Often enough for a person, rare enough for the database.
const LOOK_EVERY_MS = 500;
// A sync that is taken up at all shows its first page within seconds.
const HINT_AFTER_MS = 15_000;
const HINT =
  'Nothing was looked at yet: is "packline up" (or "dispatch" and "work") running, and no account paused?';

/** Which states a sync operation does not leave by itself. */
const ENDED: Record<OperationState, 'done' | 'failed' | 'running'> = {
  pending: 'running',
  queued: 'running',
  running: 'running',
  retrying: 'running',
  waiting: 'running',
  unconfirmed: 'running',
  succeeded: 'done',
  rejected: 'failed',
  dead: 'failed',
  canceled: 'failed',
};

function endOf(standing: Standing | undefined): 'done' | 'failed' | 'running' {
  const state = OPERATION_STATES.find((known) => known === standing?.state);
  // An operation that is not known any more cannot be waited for.
  return state === undefined ? 'failed' : ENDED[state];
}

interface Line {
  asked: Asked;
  standing: Standing | undefined;
}

const remainingOf = ({ asked, standing }: Line) =>
  endOf(standing) === 'done' ? 0 : Math.min(asked.orders, standing?.remaining ?? asked.orders);

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

async function look(operator: Operator, asked: readonly Asked[]): Promise<Line[]> {
  const standings = await operator.syncProgress(asked.map(({ operationId }) => operationId));
  return asked.map((one) => ({
    asked: one,
    standing: standings.find(({ operationId }) => operationId === one.operationId),
  }));
}

/** Looks until every operation has ended, or time is up. */
async function settle(
  { deps }: Invocation,
  operator: Operator,
  asked: readonly Asked[],
  timeoutMs: number,
): Promise<Line[]> {
  const { time, stderr, isTTY } = deps;
  const total = sum(asked.map(({ orders }) => orders));
  const progress = startProgress({ label: 'orders looked at', total, stream: stderr, isTTY });
  const start = time.clock.monotonic();
  let hintDue = true;
  try {
    for (;;) {
      const lines = await look(operator, asked);
      const seen = total - sum(lines.map(remainingOf));
      progress.update(seen);
      const elapsed = time.clock.monotonic() - start;
      if (elapsed >= timeoutMs || lines.every(({ standing }) => endOf(standing) !== 'running')) return lines;
      if (seen > 0) hintDue = false;
      if (hintDue && elapsed >= HINT_AFTER_MS) {
        progress.note(HINT);
        hintDue = false;
      }
      await time.sleep(Math.min(LOOK_EVERY_MS, timeoutMs - elapsed));
    }
  } finally {
    progress.stop();
  }
}

/** Says what did not end well; returns the exit code. */
function conclude({ out }: Invocation, lines: readonly Line[], timeoutS: number): number {
  const failed = lines.filter(({ standing }) => endOf(standing) === 'failed');
  const running = lines.filter(({ standing }) => endOf(standing) === 'running');
  for (const { asked, standing } of failed) {
    out.note(`The sync of ${asked.account} ended as ${standing?.state ?? 'unknown'}.`);
  }
  for (const { asked, standing } of running) {
    out.note(`The sync of ${asked.account} is ${standing?.state} after ${timeoutS} s; it goes on by itself.`);
  }
  return failed.length + running.length === 0 ? EXIT.done : EXIT.failed;
}

function printAsked({ out }: Invocation, accounts: readonly Asked[], lines: readonly Line[]): void {
  const stateOf = (one: Asked) => {
    if (one.orders === 0) return 'nothing to do';
    return lines.find(({ asked }) => asked === one)?.standing?.state ?? 'asked for';
  };
  out.table(
    ['ACCOUNT', 'ORDERS', 'STATE'],
    accounts.map((one) => [one.account, one.orders, stateOf(one)]),
    'Nothing to look at.',
  );
}

async function sync(call: Invocation, { account, wait, timeout }: SyncOptions): Promise<number> {
  const { out, deps, actor } = call;
  return deps.withOperator(async (operator) => {
    const result = await operator.sync({ account }, actor);
    if (!result.ok) return failWith(out, result.problem);
    const { accounts } = result.value;
    if (out.json) out.document(result.value);
    // An account without open orders has nothing to wait for.
    const busy = accounts.filter(({ orders }) => orders > 0);
    const lines = wait && busy.length > 0 ? await settle(call, operator, busy, timeout * 1000) : [];
    if (!out.json) printAsked(call, accounts, lines);
    return conclude(call, lines, timeout);
  });
}

export function addSync(program: Command, shell: Shell): void {
  const command = addVerb(program, {
    usage: 'sync',
    help:
      'Look at every open order now, due or not, and wait until all were seen; exit code 1 if some could not ' +
      'be. For cron: overlapping runs share the work.',
    examples: ['packline sync', '*/15 * * * * packline sync --account gelato-eu --timeout 600'],
  })
    .option('--account <id>', 'only this account', someText)
    .option('--no-wait', 'only ask for it')
    .option(
      '--timeout <seconds>',
      'wait no longer than this',
      wholeNumber(1, MAX_TIMEOUT_S),
      DEFAULT_TIMEOUT_S,
    );
  does(shell, command, sync);
}

/** `packline chaos`: the development command that strikes packline while the providers misbehave. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Chaos } from '../chaos/chaos.js';
import type { Backend, ChaosOptions } from '../chaos/plan.js';
import { ACCOUNT_HEADS, accountRows, type ChaosReport, equation, figures } from '../chaos/report.js';
import { addVerb, does, EXIT, type Shell, wholeNumber } from './context.js';
import type { Output } from './output.js';

const HELP = [
  'For development: put packline to the test on this machine, with everything of its own.',
  'A PostgreSQL, for the Redis backend a redis-server or valkey-server from the PATH, simulators of all providers, and ' +
    'one process each for api, dispatch and maintain with two for work, started again whenever they end. Orders come in ' +
    'over HTTP while all of it is struck; then our rows are compared with the ledgers of the providers.',
  'Refuses (exit code 2) an environment whose DATABASE_URL, REDIS_URL or PACKLINE_ACCOUNTS leads to servers or ' +
    'providers off this machine (loopback); what these name on this machine is not used either.',
].join(' ');

const FAULTS = [
  '',
  'Strikes, spread over the time in which the orders come in, the same for the same seed:',
  '  --kills              kill -9 of a worker (four times out of seven), dispatcher, maintenance or api',
  '  --freezes            SIGSTOP of a worker for 19 s, longer than its lease, or 7 s, then SIGCONT; by turns',
  "  --flushes            FLUSHALL of Redis; on the PostgreSQL backend the queue's tables are emptied",
  '  --redis-restarts     kill -9 of Redis, which loses up to its last second (not on the PostgreSQL backend)',
  '  --database-restarts  PostgreSQL crashes (kill -9), ends at once, or stops in good order; by turns',
  '',
  'Faults of the providers, by chance, in force all along:',
  '  500 and 503; 429 with Retry-After; slow answers; connections cut before the work; garbage under 200;',
  '  and of calls that make an order: accepted and then dropped, then 500, then garbage under 200, then never answered.',
  '',
  'Exit code 0 only if all orders in are accepted, rejected, canceled, open or before a human: nothing is lost or',
  'doubled, nothing is at a provider that no order here knows of, and everything came to rest.',
].join('\n');

/** Few enough to end within a minute, enough for each kind of strike. */
const DEFAULTS: ChaosOptions = {
  orders: 100,
  kills: 6,
  freezes: 1,
  flushes: 1,
  redisRestarts: 1,
  databaseRestarts: 1,
  seed: 1,
};
const MOST_ORDERS = 100_000;
const MOST_STRIKES = 10_000;
const MOST_SEED = 1_000_000_000;

const BACKENDS: Readonly<Record<string, readonly Backend[]>> = {
  redis: ['redis'],
  postgres: ['postgres'],
  both: ['redis', 'postgres'],
};

/** `chaos`. */
export function addChaos(program: Command, shell: Shell): void {
  const strikes = wholeNumber(0, MOST_STRIKES);
  const command = addVerb(program, {
    usage: 'chaos',
    help: HELP,
    examples: [
      'packline chaos',
      'packline chaos --backend postgres --orders 500 --kills 30 --flushes 2 --seed 7',
    ],
  })
    .addOption(
      new Option('--backend <name>', 'where the queue lives; both run side by side')
        .choices(Object.keys(BACKENDS))
        .default('both'),
    )
    .option('--orders <n>', 'how many orders, for each backend', wholeNumber(1, MOST_ORDERS), DEFAULTS.orders)
    .option('--kills <n>', 'how many kills', strikes, DEFAULTS.kills)
    .option('--freezes <n>', 'how many freezes', strikes, DEFAULTS.freezes)
    .option('--flushes <n>', 'how many flushes of the queue', strikes, DEFAULTS.flushes)
    .option('--redis-restarts <n>', 'how many restarts of Redis', strikes, DEFAULTS.redisRestarts)
    .option('--database-restarts <n>', 'how many restarts of PostgreSQL', strikes, DEFAULTS.databaseRestarts)
    .option('--seed <n>', 'of the plan, the orders and the faults', wholeNumber(0, MOST_SEED), DEFAULTS.seed)
    .option('--keep', 'keep data and logs, which are kept anyway where not all is good', false)
    .addHelpText('after', FAULTS);
  does(
    shell,
    command,
    async ({ deps, out }, { backend, ...options }: Omit<Chaos, 'backends'> & { backend: string }) => {
      const backends = BACKENDS[backend] ?? [];
      const reports = await deps.chaos({ ...options, backends }, (line) => out.note(line));
      const clean = reports.every((report) => report.clean);
      out.answer({ clean, runs: reports }, () => {
        for (const report of reports) print(out, report);
        out.line(clean ? '\nNothing was lost, nothing was doubled.' : '\nNot good: see the figures.');
      });
      return clean ? EXIT.done : EXIT.failed;
    },
  );
}

function print(out: Output, report: ChaosReport): void {
  out.heading(`Queue in ${report.backend === 'redis' ? 'Redis' : 'PostgreSQL'}`);
  out.line(equation(report));
  out.fields(figures(report));
  out.line('');
  out.table(ACCOUNT_HEADS, accountRows(report), '');
  for (const refused of report.refused) out.line(`refused: ${refused}`);
}

/** The verbs that run something until it is stopped, and the one that prepares the database. */
import type { Command } from 'commander';
import {
  addVerb,
  type CliDeps,
  does,
  EXIT,
  given,
  type Role,
  type Shell,
  someText,
  wholeNumber,
} from './context.js';

interface ListenOptions {
  port?: number;
  host?: string;
}

const port = wholeNumber(0, 65_535);

// Enough to fill every column of the demo's table, few enough to end within its 90 seconds.
const DEMO_ORDERS = 200;
const DEMO_MAX_ORDERS = 100_000;

const listening = (command: Command) =>
  command
    .option('--port <n>', 'port to listen on; 0 picks one (default: PORT, else 4000)', port)
    .option('--host <address>', 'address to listen on (default: HOST, else 127.0.0.1)', someText);

const SINGLE_ROLES: readonly { verb: string; role: Role; help: string }[] = [
  { verb: 'api', role: 'api', help: 'Run the HTTP API and Bull Board.' },
  {
    verb: 'dispatch',
    role: 'dispatcher',
    help: 'Run the dispatcher, which moves due operations to the queue.',
  },
  { verb: 'work', role: 'fulfilment', help: 'Run a fulfilment worker, which calls the providers.' },
  {
    verb: 'maintain',
    role: 'maintenance',
    help: 'Run maintenance: ended leases, schedules, the dead-letter board.',
  },
];

function addUp(program: Command, shell: Shell): void {
  const command = listening(
    addVerb(program, {
      usage: 'up',
      help:
        'Run everything in one process. What is not configured is embedded, migrations are applied, and ' +
        '"packline ready http://HOST:PORT" is printed on stdout once it is.',
      examples: ['packline up', 'packline up --port 8080 --accounts accounts.json'],
    }),
  ).option('--accounts <file>', 'accounts file to apply first (default: PACKLINE_ACCOUNTS)', someText);
  does(shell, command, ({ deps }, options: ListenOptions & { accounts?: string }) =>
    deps.runRoles(['api', 'dispatcher', 'fulfilment', 'maintenance'], {
      ...given({ port: options.port, host: options.host, accounts: options.accounts }),
      migrate: true,
      announce: true,
    }),
  );
}

function addSingleRoles(program: Command, shell: Shell): void {
  for (const { verb, role, help } of SINGLE_ROLES) {
    const command = listening(
      addVerb(program, {
        usage: verb,
        help: `${help} Waits until "packline migrate" has prepared the database.`,
        examples: [`packline ${verb}`],
      }),
    );
    does(shell, command, ({ deps }, options: ListenOptions) =>
      deps.runRoles([role], {
        ...given({ port: options.port, host: options.host }),
        migrate: false,
        announce: false,
      }),
    );
  }
}

function addMigrate(program: Command, shell: Shell): void {
  const command = addVerb(program, {
    usage: 'migrate',
    help: 'Bring the database up to this version. Safe to repeat.',
    examples: ['packline migrate'],
  });
  does(shell, command, async ({ deps, out }) => {
    const result = await deps.migrate();
    out.answer(result, () => {
      for (const name of result.applied) out.line(`Applied ${name}`);
      if (result.applied.length === 0) out.line('Nothing to apply: the database is up to date.');
    });
    return EXIT.done;
  });
}

function addTrying(program: Command, shell: Shell): void {
  const simulate = addVerb(program, {
    usage: 'simulate [provider...]',
    help: 'Run simulators of providers (all, unless named) and print an accounts file that fits them.',
    examples: ['packline simulate gelato-connect --port 4100 > accounts.json'],
  }).option('--port <n>', 'port to listen on (default: a free one)', port);
  does(shell, simulate, ({ deps }, providers: string[], options: { port?: number }) =>
    deps.simulate(providers, given({ port: options.port })),
  );

  const demo = addVerb(program, {
    usage: 'demo',
    help: 'Send varied orders through everything while the simulators misbehave, and count them on both sides.',
    examples: ['packline demo', 'packline demo --exit --orders 500'],
  })
    .option('--exit', 'end when done; exit code 0 only if nothing was lost or doubled', false)
    .option('--orders <n>', 'how many orders', wholeNumber(1, DEMO_MAX_ORDERS), DEMO_ORDERS);
  does(shell, demo, ({ deps }, options: Parameters<CliDeps['demo']>[0]) =>
    deps.demo({ exit: options.exit, orders: options.orders }),
  );
}

/** `up`, `api`, `dispatch`, `work`, `maintain`, `migrate`, `simulate`, `demo`. */
export function addRoles(program: Command, shell: Shell): void {
  addUp(program, shell);
  addSingleRoles(program, shell);
  addMigrate(program, shell);
  addTrying(program, shell);
}

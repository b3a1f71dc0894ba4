/** `packline simulate`: provider simulators on this machine, and an accounts file that fits them. */
import { providers } from '../providers/registry.js';
import { simulators } from '../simulator/index.js';
import { systemTime } from '../time.js';
import { WrongUse } from './context.js';

/** Starts simulators until a signal comes; prints the accounts file on stdout. */
export async function simulate(names: readonly string[], { port }: { port?: number }): Promise<number> {
  // Without names: those whose accounts this packline can apply.
  const usable = providers.map(({ id }) => id).filter((id) => Object.hasOwn(simulators, id));
  const wanted = names.length === 0 ? usable : [...names];
  if (port !== undefined && port !== 0 && wanted.length > 1) {
    throw new WrongUse('--port names one port: start the simulators one by one, or leave it out');
  }
  const starters = wanted.map((name) => {
    const start = simulators[name];
    if (start === undefined)
      throw new WrongUse(`there is no simulator "${name}"; there are ${Object.keys(simulators).join(', ')}`);
    return { name, start };
  });
  const started = await Promise.all(
    starters.map(({ start }) => start({ time: systemTime, ...(port === undefined ? {} : { port }) })),
  );
  const file = { accounts: started.map((simulator) => simulator.account(`${simulator.provider}-sim`)) };
  process.stdout.write(`${JSON.stringify(file, null, 2)}\n`);
  for (const { provider, url } of started)
    process.stderr.write(
      `${provider} simulator on ${url}; faults: POST ${url}/_control, ledger: GET ${url}/_ledger\n`,
    );
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await Promise.all(started.map((simulator) => simulator.close()));
  return 0;
}

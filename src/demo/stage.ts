/** The simulated providers of the demo, and the calls that control them. */
import { type StartSimulator, simulators } from '../simulator/index.js';
import type { Simulator } from '../simulator/kit.js';
import type { Time } from '../time.js';
import { DEMO_ACCOUNTS, type DemoAccount } from './accounts.js';

/** An account with the simulator that stands in for its provider. */
export interface Stage {
  account: DemoAccount;
  simulator: Simulator;
}

/** Starts one simulator per account. */
export async function startStages(time: Time): Promise<Stage[]> {
  return Promise.all(
    DEMO_ACCOUNTS.map(async (account) => ({
      account,
      simulator: await starterOf(account.provider)({ time, ...account.simulator }),
    })),
  );
}

function starterOf(provider: string): StartSimulator {
  const start = simulators[provider];
  if (start === undefined) throw new Error(`the simulator of ${provider} is not there`);
  return start;
}

/** The stage of a provider. */
export function stageOf(stages: readonly Stage[], provider: string): Stage {
  const stage = stages.find(({ account }) => account.provider === provider);
  if (stage === undefined) throw new Error(`the demo has no account at ${provider}`);
  return stage;
}

/** What stands in the accounts file of the demo. */
export function accountEntries(stages: readonly Stage[]): object[] {
  return stages.map(({ account, simulator }) => {
    const entry = simulator.account(account.id);
    // Looks and spacing of the contract are made for real providers; here an order shows at once.
    const confirm = { graceMs: 500, looks: 2, spacingMs: 800 };
    return { ...entry, config: { ...entry.config, confirm } };
  });
}

/** Tells a simulator something. Rejects where it does not understand. */
export async function control({ simulator }: Stage, path: string, body: object): Promise<void> {
  await asked(simulator, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Removes all faults of a simulator. */
export async function forgetFaults({ simulator }: Stage): Promise<void> {
  await asked(simulator, '/_control', { method: 'DELETE' });
}

/** What a simulator tells under a path. */
export async function look({ simulator }: Stage, path: string): Promise<unknown> {
  const answer = await asked(simulator, path, { method: 'GET' });
  return answer.json();
}

async function asked({ provider, url }: Simulator, path: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(new URL(path, url), init);
  if (!answer.ok) throw new Error(`the simulator of ${provider} refused ${path}: ${await answer.text()}`);
  return answer;
}

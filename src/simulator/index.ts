/** The simulators of all providers, by provider id: what `packline simulate`, the demo and tests start. */
import { startGelatoSimulator } from './gelato-connect/index.js';
import type { Simulator, SimulatorOptions } from './kit.js';

/**
 * Starts a simulator with credentials of its own, which `Simulator.account` tells. Rejects when the port is
 * taken.
 */
export type StartSimulator = (options: SimulatorOptions) => Promise<Simulator>;

export const simulators: Record<string, StartSimulator> = {
  'gelato-connect': (options) =>
    startGelatoSimulator({ apiKey: 'simulator-key', apiSecret: 'simulator-secret', ...options }),
};

export type { AccountFileEntry, Simulator, SimulatorOptions } from './kit.js';

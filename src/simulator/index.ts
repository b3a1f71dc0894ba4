/** The simulators of all providers, by provider id: what `packline simulate`, the demo and tests start. */
import { startGelatoSimulator } from './gelato-connect/index.js';
import type { Simulator, SimulatorOptions } from './kit.js';
import { startSallaSimulator } from './salla/index.js';
import { startWasalSimulator } from './wasal/index.js';
import { startWupexSimulator } from './wupex/index.js';
import { startZupySimulator } from './zupy/index.js';

/**
 * Starts a simulator with credentials of its own, which `Simulator.account` tells. Rejects when the port is
 * taken.
 */
export type StartSimulator = (options: SimulatorOptions) => Promise<Simulator>;

export const simulators: Record<string, StartSimulator> = {
  'gelato-connect': (options) =>
    startGelatoSimulator({ apiKey: 'simulator-key', apiSecret: 'simulator-secret', ...options }),
  salla: (options) =>
    startSallaSimulator({
      clientId: 'simulator-client',
      clientSecret: 'simulator-secret',
      accessToken: 'simulator-access-token',
      refreshToken: 'simulator-refresh-token',
      webhookSecret: 'simulator-webhook-secret',
      ...options,
    }),
  wasal: startWasalSimulator,
  wupex: (options) => startWupexSimulator({ apiKey: 'simulator-key', ...options }),
  // Trusted, so that orders flow without a person to tell a code; POST /_control/settings makes it strict.
  zupy: (options) =>
    startZupySimulator({
      apiKey: 'zupy_pk_simulator0simulator0simulator000',
      otpPolicy: 'trusted',
      ...options,
    }),
};

export type { AccountFileEntry, Simulator, SimulatorOptions } from './kit.js';

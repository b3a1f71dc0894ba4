/** Every provider that packline knows: one line each. */
import { gelatoConnect } from './gelato-connect/index.js';
import type { Provider } from './provider.js';
import { salla } from './salla/index.js';
import { wasal } from './wasal/index.js';
import { wupex } from './wupex/index.js';
import { zupy } from './zupy/index.js';

export const providers: readonly Provider[] = [gelatoConnect, salla, wasal, wupex, zupy];

/** The provider of this id, or null. */
export function findProvider(id: string): Provider | null {
  return providers.find((provider) => provider.id === id) ?? null;
}

/** What a simulator's fault rules do, as its control API spells it. */
import type { RuleInput } from '../../src/simulator/control.js';

/** How an answer can fail to be the one that was due. */
export type Ending = 'drop' | 'hang' | { status: number; headers?: Record<string, string>; body?: unknown };

/** The work is done, and then: `'drop'` destroys the socket, `'hang'` never answers, or another answer goes out. */
export function accepting(ending: Ending, more: { hideMs?: number; delayMs?: number } = {}): RuleInput['do'] {
  return ended(true, ending, more);
}

/** The work is not done, and it ends the same way. */
export function losing(ending: Ending): RuleInput['do'] {
  return ended(false, ending, {});
}

function ended(accept: boolean, ending: Ending, more: object): RuleInput['do'] {
  // biome-ignore lint/suspicious/noThenProperty: the published name of the field; it only becomes JSON
  return { accept, then: ending, ...more };
}

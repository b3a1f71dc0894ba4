/** The database of a chaos run is away now and then; whoever asks it then asks again. */
import { isUnavailable } from '../database/unavailable.js';
import type { Time } from '../time.js';

/** The answer; null while the database is away. Anything else that goes wrong is thrown. */
export async function unlessAway<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (isUnavailable(error)) return null;
    throw error;
  }
}

const AGAIN_MS = 100;

/** Asks until the database is back. Null: the signal has ended it. */
export async function onceBack<T>(
  ask: () => Promise<T>,
  { sleep }: Time,
  signal: AbortSignal,
): Promise<T | null> {
  while (!signal.aborted) {
    const answer = await unlessAway(ask);
    if (answer !== null) return answer;
    await sleep(AGAIN_MS, signal);
  }
  return null;
}

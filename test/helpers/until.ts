import { systemTime } from '../../src/time.js';

const POLL_MS = 10;

/**
 * Waits until a condition holds.
 *
 * @param what the condition in words, for the error
 * @param condition anything but undefined, null and false is success, and is returned
 * @param deadlineMs after which the test fails
 * @param pollMs how often the condition is looked at
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 10_000,
  pollMs = POLL_MS,
): Promise<Exclude<T, undefined | null | false>> {
  const end = systemTime.clock.monotonic() + deadlineMs;
  for (;;) {
    const value = await condition();
    // Exactly these three are excluded by the test, which the compiler does not follow through a type parameter.
    if (value !== undefined && value !== null && value !== false)
      return value as Exclude<T, undefined | null | false>;
    if (systemTime.clock.monotonic() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await systemTime.sleep(pollMs);
  }
}

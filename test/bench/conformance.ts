/** Walks every row of every provider's policy table, and prints how many were walked of how many there are. */
import { providers } from '../../src/providers/registry.js';
import { systemTime } from '../../src/time.js';
import { openCoverage } from '../providers/conformance/coverage.js';
import { openWorld } from '../providers/conformance/world.js';
import { subjects } from '../providers/subjects.js';
import type { Rig } from './rig.js';

/** Prints a line per provider; fails the bench where a row was not met, or did not do what it says. */
export async function conformance(rig: Rig): Promise<void> {
  const world = await openWorld({ databaseUrl: await rig.database('conformance'), migrate: true });
  try {
    for (const { id, policy } of providers) {
      const started = systemTime.clock.monotonic();
      const coverage = await openCoverage(world, subjects[id] ?? []);
      const failed: string[] = [];
      for (const rule of policy.rules) {
        try {
          await coverage.walk(rule.id);
        } catch (error) {
          failed.push(`${rule.id}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      const { rows, steps } = coverage.count();
      const seconds = Number(((systemTime.clock.monotonic() - started) / 1_000).toFixed(1));
      const documented = policy.rules.length;
      process.stdout.write(
        `${JSON.stringify({ bench: 'conformance', provider: id, covered: rows, documented, steps, seconds, failed })}\n`,
      );
      if (rows !== documented) process.exitCode = 1;
    }
  } finally {
    await world.close();
  }
}

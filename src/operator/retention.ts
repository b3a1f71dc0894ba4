/** `retention run`: forgets old history now. */
import { runAndTell } from '../maintenance/retention.js';
import type { Operator } from '../operator.js';
import { ok, refused } from '../problem.js';
import type { OperatorDeps } from './deps.js';

/** See the module's comment. */
export function retentionVerbs(deps: OperatorDeps): Pick<Operator, 'runRetention'> {
  return {
    async runRetention({ actor, olderThanDays = deps.retentionDays, dryRun, onPage }) {
      if (olderThanDays < 1)
        return refused(
          'not-possible',
          'PACKLINE_RETENTION_DAYS is 0, which keeps all history; --older-than names the days for once',
        );
      const told = onPage === undefined ? {} : { onPage };
      return ok(await runAndTell(deps, { olderThanDays, dryRun, ...told }, actor));
    },
  };
}

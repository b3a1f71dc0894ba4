/** `packline chaos`: real processes, real servers, providers that misbehave, and things that die; then the books. */
import { setMaxListeners } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CannotStart } from '../app.js';
import { systemTime } from '../time.js';
import { leadsElsewhere } from './guard.js';
import type { Backend, ChaosOptions } from './plan.js';
import type { ChaosReport } from './report.js';
import { runBackend } from './run.js';

export interface Chaos extends ChaosOptions {
  /** Side by side, each with everything of its own. */
  backends: readonly Backend[];
  /** Keeps data and logs, however it ends. */
  keep: boolean;
}

/**
 * Runs on each backend.
 * @param env refused where it leads to providers or servers off this machine
 * @param say takes progress, a sentence at a time
 * @returns a report per backend; where one is not clean, or with `keep`, data and logs are kept, and `say` is told where
 * @throws {CannotStart} where it may not or cannot run; the message is for a person
 */
export async function runChaos(
  { backends, keep, ...options }: Chaos,
  env: Readonly<Record<string, string | undefined>>,
  say: (line: string) => void,
): Promise<ChaosReport[]> {
  const elsewhere = await leadsElsewhere(env);
  if (elsewhere !== null) throw new CannotStart(elsewhere);
  const folder = await mkdtemp(path.join(tmpdir(), 'packline-chaos-'));
  // PostgreSQL does not run as root, and the user that it runs as has to pass through.
  await chmod(folder, 0o711);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const onSignal = () => stop.abort();
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const started = systemTime.clock.monotonic();
  let clean = false;
  try {
    const reports = await Promise.all(
      backends.map(async (backend) => {
        const own = path.join(folder, backend);
        await mkdir(own, { mode: 0o711 });
        const at = () => `${((systemTime.clock.monotonic() - started) / 1_000).toFixed(1)} s`;
        return runBackend({
          backend,
          options,
          folder: own,
          time: systemTime,
          signal: stop.signal,
          say: (line) => say(`${at().padStart(8)}  ${backend.padEnd(8)}  ${line}`),
        }).catch((error: unknown) => {
          // Else the other one would go on to its own end.
          stop.abort();
          throw error;
        });
      }),
    );
    clean = reports.every((report) => report.clean);
    return reports;
  } finally {
    if (clean && !keep) await rm(folder, { recursive: true, force: true });
    else say(`data and logs of this run are kept in ${folder}`);
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** Runs roles as a process of the operating system does: signals, exit codes, one screen of mistakes. */
import type { Logger } from 'pino';
import { CannotStart } from './app.js';
import { type Config, readConfig } from './config.js';
import { UnsafeDatabase } from './database/connect.js';
import { DataFolderInUse, EmbeddedUnavailable } from './database/embedded.js';
import { UnusableKeyFile } from './keys.js';
import { createLog } from './log.js';
import { type Role, type Running, startProcess } from './process.js';
import { EvictingRedis } from './queue/eviction.js';
import { systemTime } from './time.js';

export interface RunRoles {
  roles: readonly Role[];
  env: Record<string, string | undefined>;
  migrate: boolean;
  /** Told once the process listens and is ready. */
  onReady?(url: string): void;
  overrides?: Partial<Pick<Config, 'port' | 'host' | 'accountsFile'>>;
}

/** 0 stopped as asked, 1 failed, 2 wrong environment. */
export async function runRoles(options: RunRoles): Promise<number> {
  const read = readConfig(options.env);
  if (!read.ok) {
    process.stderr.write(`${read.message}\n`);
    return 2;
  }
  const config: Config = { ...read.config, ...options.overrides };
  const log = createLog(config.logLevel);
  for (const warning of read.warnings) log.warn({ event: 'config.warning' }, warning);
  const signals = new AbortController();
  const fatal: { reason: string | null } = { reason: null };
  const onSignal = (signal: NodeJS.Signals) => {
    log.info({ event: 'process.stopping', signal }, 'stopping: calls in flight may finish');
    signals.abort();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  try {
    const running = await startProcess({
      config,
      roles: options.roles,
      migrate: options.migrate,
      log,
      time: systemTime,
      env: options.env,
      signal: signals.signal,
      onFatal: (reason) => {
        fatal.reason = reason;
        signals.abort();
      },
    });
    return await untilStopped(running, signals.signal, options, log, fatal);
  } catch (error) {
    if (!isForThePerson(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    // Told to stop before it had begun, as while it waited for migrations: nobody has made a mistake.
    if (signals.signal.aborted && fatal.reason === null) return 0;
    return error instanceof CannotStart ? 2 : 1;
  } finally {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  }
}

async function untilStopped(
  running: Running,
  signal: AbortSignal,
  options: RunRoles,
  log: Logger,
  fatal: { reason: string | null },
): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.all([untilReady(running, signal, options, log), stopped]);
  const deadline = new AbortController();
  const late = systemTime.sleep(running.stopWithinMs(), deadline.signal).then(() => 'late' as const);
  const end = await Promise.race([running.stop().then(() => 'stopped' as const), late]);
  deadline.abort();
  if (end === 'late') {
    // A queue or database that is gone can hold a close for ever; the rows say what is left to do.
    log.fatal({ event: 'process.stop_overdue' }, 'the stop took too long; ending as it is');
    process.exit(1);
  }
  if (fatal.reason === null) return 0;
  log.fatal({ event: 'process.fatal' }, fatal.reason);
  return 1;
}

/** Between two looks at what is missing, ms. */
const READY_EVERY_MS = 1_000;

/** Says that it is ready once it is; and until then, what is missing. */
async function untilReady(
  running: Running,
  signal: AbortSignal,
  options: RunRoles,
  log: Logger,
): Promise<void> {
  const { url } = running;
  let said = '';
  while (!signal.aborted) {
    const { ready, reasons } = await running.readiness();
    if (ready) {
      log.info({ event: 'process.ready', url, roles: options.roles }, 'ready');
      options.onReady?.(url);
      return;
    }
    const missing = reasons.join('; ');
    if (missing !== said) log.error({ event: 'process.not_ready', url, reasons }, missing);
    said = missing;
    await systemTime.sleep(READY_EVERY_MS, signal);
  }
}

/** Errors whose message alone says what to do. */
export function isForThePerson(error: unknown): error is Error {
  return [
    CannotStart,
    DataFolderInUse,
    EmbeddedUnavailable,
    EvictingRedis,
    UnsafeDatabase,
    UnusableKeyFile,
  ].some((kind) => error instanceof kind);
}

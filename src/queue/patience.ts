/**
 * PostgreSQL for BullMQ, with patience. BullMQ takes most failures of a connection for those of one statement: its
 * workers then ask again at once, without a pause, and fill the log; and it remembers for ever that its first look at
 * its tables failed, after which such a worker leaves no turn to anything else in the process.
 */
import {
  assertSchemaCompatibility,
  type BackendFactory,
  PostgresConnection,
  type PostgresConnectionOptions,
  PostgresQueueBackend,
} from 'bullmq';
import pg from 'pg';
import { systemTime } from '../time.js';

/** Between two attempts of one worker where there is no connection, ms. */
const PAUSE_MS = 500;

type Connected = Parameters<Parameters<pg.Pool['connect']>[0]>;

/** A pool that says late that there is no connection. */
export class PatientPool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>;
  override connect(callback: (...answer: Connected) => void): void;
  override connect(callback?: (...answer: Connected) => void): Promise<pg.PoolClient> | undefined {
    if (callback === undefined) return super.connect().catch(rejectLate);
    super.connect((error, client, release) => {
      if (error === undefined) callback(error, client, release);
      else void systemTime.sleep(PAUSE_MS).then(() => callback(error, client, release));
    });
    return undefined;
  }
}

async function rejectLate(error: unknown): Promise<never> {
  await systemTime.sleep(PAUSE_MS);
  throw error;
}

/** Looks at BullMQ's tables until they are there once. */
class PatientConnection extends PostgresConnection {
  #looking: Promise<void> | null = null;

  override waitUntilReady(): Promise<void> {
    this.#looking ??= this.#look();
    return this.#looking;
  }

  async #look(): Promise<void> {
    try {
      await assertSchemaCompatibility(this.pool, this.schema);
      this.emit('ready');
    } catch (error) {
      await rejectLate(error).finally(() => {
        this.#looking = null;
      });
    }
  }
}

/** Makes BullMQ's PostgreSQL backend. A worker's listening connection bears its queue's name, as BullMQ's own does. */
export const patientBackend: BackendFactory<PostgresQueueBackend, PostgresConnectionOptions> = (
  name,
  options,
  { withBlockingConnection } = {},
) => {
  const connection = new PatientConnection(options.connection);
  return new PostgresQueueBackend(
    connection,
    name,
    options,
    true,
    withBlockingConnection === true ? name : undefined,
  );
};

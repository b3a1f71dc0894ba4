/** What the operator's verbs work with. */
import type { Logger } from 'pino';
import type { AccountCache } from '../accounts/cache.js';
import type { Database } from '../database/connect.js';
import type { Meter } from '../metrics/meter.js';
import type { Http } from '../providers/http.js';
import type { Provider } from '../providers/provider.js';
import type { EncryptionKey } from '../secrets.js';
import type { Time } from '../time.js';
import type { CheckJson } from '../views.js';

export interface OperatorDeps {
  db: Database;
  accounts: AccountCache;
  http: Http;
  time: Time;
  log: Logger;
  key: EncryptionKey;
  providers: readonly Provider[];
  allowHttpHosts: readonly string[];
  /** For how many days history is kept, as configured; 0: for ever. */
  retentionDays: number;
  /** How the queue's backend is. */
  checkQueue(): Promise<CheckJson>;
  /** Says that something is due now. */
  hint(): void;
  /** Counts calls to providers. */
  meter?: Meter;
}

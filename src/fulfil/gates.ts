/** The gates of a process: one per account, each with the account's breaker. The rows behind them are everybody's. */
import type { Logger } from 'pino';
import type { AccountCache, CachedAccount } from '../accounts/cache.js';
import { breakerSettings } from '../accounts/settings.js';
import type { Sql } from '../database/connect.js';
import { type Alert, alert } from '../events/alerts.js';
import type { Opening } from '../gate/counter.js';
import { createGate, type Gate } from '../gate/gate.js';
import type { Time } from '../time.js';

export interface GatesDeps {
  db: Sql;
  accounts: Pick<AccountCache, 'get'>;
  time: Time;
  log: Logger;
  tell(alert: Alert): void;
}

/** Makes an account's gate when it is first asked for. */
export function createGates({ db, accounts, time, log, tell }: GatesDeps): (account: CachedAccount) => Gate {
  const made = new Map<string, Gate>();
  return (account) => {
    const known = made.get(account.id);
    if (known !== undefined) return known;
    // The accounts file may change them.
    const current = () => accounts.get(account.id) ?? account;
    const gate = createGate({
      sql: db,
      account: account.id,
      limits: () => current().limits,
      watch: {
        settings: () => breakerSettings(current().breaker),
        opened: (opening) =>
          tell(alert('breaker_open', { account: account.id, message: messageOf(opening) }, time.clock.now())),
        onError: (error) =>
          log.warn(
            { event: 'breaker.trouble', account: account.id, err: error },
            'what a call said of its provider could not be counted',
          ),
      },
      time,
    });
    made.set(account.id, gate);
    return gate;
  };
}

function messageOf({ calls, troubles, until }: Opening): string {
  const share = `${troubles} of the last ${calls} calls failed`;
  return `${share}: only lookups and cancels until ${new Date(until).toISOString()}, then one call tries`;
}

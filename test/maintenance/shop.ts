import { v7 as uuid } from 'uuid';
import { type AccountCache, createAccountCache } from '../../src/accounts/cache.js';
import { connect, type Database } from '../../src/database/connect.js';
import type { JsonObject } from '../../src/json.js';
import { createLog } from '../../src/log.js';
import { insertOrders } from '../../src/orders/store/intake.js';
import { providers } from '../../src/providers/registry.js';
import { apply, KEY } from '../accounts/database.js';
import { specOf } from '../accounts/specs.js';
import { createDatabase } from '../helpers/postgres.js';

/** A line of the log. */
export interface Line {
  event?: string;
  level?: string;
  task?: string;
  operations?: number;
  account?: string;
  taken?: boolean;
  err?: { message?: string };
}

/** A database with accounts and orders, and what dispatcher and maintenance need beside it. */
export interface Shop {
  url: string;
  db: Database;
  accounts: AccountCache;
  log: ReturnType<typeof createLog>;
  lines: Line[];
  /** Empties it. */
  reset(): Promise<void>;
  /** Creates an account; `over` replaces parts of its entry in the accounts file. */
  open(id: string, over?: JsonObject): Promise<void>;
  /** Stores an order of an account; returns its operation's id. */
  order(account: string, reference: string): Promise<string>;
  close(): Promise<void>;
}

export async function openShop(): Promise<Shop> {
  const database = await createDatabase();
  const db = await connect({ url: database.url, max: 8, applicationName: 'shop', onError: () => undefined });
  const lines: Line[] = [];
  const log = createLog('info', { write: (line: string) => void lines.push(JSON.parse(line)) });
  const accounts = createAccountCache({ db, key: KEY, providers, log });
  return {
    url: database.url,
    db,
    accounts,
    log,
    lines,
    async reset() {
      lines.length = 0;
      await db.query(
        'truncate packline.accounts, packline.orders, packline.operations, packline.attempts, packline.events, packline.dead_letters, packline.gates cascade',
      );
      await accounts.refresh();
    },
    async open(id, over = {}) {
      await apply(db, specOf({ id, ...over }));
      await accounts.refresh();
    },
    async order(account, reference) {
      const [stored] = await insertOrders(db, [
        {
          id: uuid(),
          accountId: account,
          reference,
          body: { account, reference },
          bodyHash: reference,
          held: false,
          step: 'submit',
          stepRepeatable: false,
          priority: 5,
          serialKey: null,
          lookable: false,
          actor: 'shop',
        },
      ]);
      if (stored === undefined) throw new Error('nothing was stored');
      const { id } = await db.prisma.operation.findFirstOrThrow({ where: { orderId: stored.orderId } });
      return String(id);
    },
    async close() {
      await db.close();
      await database.drop();
    },
  };
}

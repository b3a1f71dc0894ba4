import { applyAccounts, credentialsContext } from '../../src/accounts/apply.js';
import type { AccountSpec } from '../../src/accounts/file.js';
import { connect, type Database } from '../../src/database/connect.js';
import type { JsonObject } from '../../src/json.js';
import { encryptionKey, unseal } from '../../src/secrets.js';
import { createDatabase } from '../helpers/postgres.js';

export const KEY = encryptionKey(Buffer.alloc(32, 1));
export const OTHER_KEY = encryptionKey(Buffer.alloc(32, 2));

/** A migrated database of its own, and the way to end it. */
export async function openDatabase(): Promise<{ db: Database; close(): Promise<void> }> {
  const database = await createDatabase();
  const db = await connect({
    url: database.url,
    max: 5,
    applicationName: 'packline test',
    onError: (error) => {
      throw error;
    },
  });
  return {
    db,
    close: async () => {
      await db.close();
      await database.drop();
    },
  };
}

/** Applies, and gives the changes in the order of the specs. */
export async function apply(db: Database, ...specs: AccountSpec[]): Promise<string[]> {
  const applied = await applyAccounts(db, specs, KEY);
  if (!applied.ok) throw new Error(JSON.stringify(applied.problem));
  return applied.value.map(({ change }) => change);
}

/** An account's row. */
export async function rowOf(db: Database, id: string) {
  return db.prisma.account.findUniqueOrThrow({ where: { id } });
}

/** An account's credentials, opened. */
export async function credentialsOf(db: Database, id: string): Promise<JsonObject> {
  // What was sealed is the JSON of an object.
  return JSON.parse(unseal((await rowOf(db, id)).credentials, KEY, credentialsContext(id))) as JsonObject;
}

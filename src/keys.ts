/** Keys that nobody configured: made once, kept in the data folder for its owner alone. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from './config.js';
import { errorCode } from './database/embedded/errors.js';

export interface Keys {
  apiKey: string;
  /** 32 bytes. */
  encryptionKey: Buffer;
  /** A sentence for each key that was made now: where it was put. For printing once. */
  generated: string[];
}

/** A key file is there and holds no key. The message says what to do. */
export class UnusableKeyFile extends Error {
  override name = 'UnusableKeyFile';
}

const KEY_BYTES = 32;
const MIN_API_KEY_CHARACTERS = 24;

/**
 * The keys as configured; those that are not, from the data folder, where they are made on the first start. Any
 * number of processes may do so at once: they agree on one.
 *
 * @throws UnusableKeyFile where a file in the data folder holds something else
 * @throws TypeError where a database is configured and no encryption key, which `readConfig` refuses
 */
export async function resolveKeys(
  config: Pick<Config, 'apiKey' | 'encryptionKey' | 'databaseUrl' | 'dataDir'>,
): Promise<Keys> {
  const generated: string[] = [];
  const apiKey = config.apiKey ?? (await apiKeyOf(config.dataDir, generated));
  const encryptionKey = config.encryptionKey ?? (await encryptionKeyOf(config, generated));
  return { apiKey, encryptionKey, generated };
}

async function apiKeyOf(dataDir: string, generated: string[]): Promise<string> {
  const { text, file, made } = await readOrMake(dataDir, 'api-key', () =>
    randomBytes(KEY_BYTES).toString('base64url'),
  );
  if (text.length < MIN_API_KEY_CHARACTERS || !/^[\x21-\x7e]+$/.test(text)) {
    throw new UnusableKeyFile(
      `${file} does not hold an API key of at least ${MIN_API_KEY_CHARACTERS} characters. Remove the file to have a new one made, or set PACKLINE_API_KEY.`,
    );
  }
  if (made)
    generated.push(`An API key was made and put into ${file}; every request needs it, as the README shows.`);
  return text;
}

async function encryptionKeyOf(
  { databaseUrl, dataDir }: Pick<Config, 'databaseUrl' | 'dataDir'>,
  generated: string[],
): Promise<Buffer> {
  // A key of this machine's own would seal what no other process of that database can open.
  if (databaseUrl !== null)
    throw new TypeError('PACKLINE_ENCRYPTION_KEY is needed where DATABASE_URL is set');
  const { text, file, made } = await readOrMake(dataDir, 'encryption-key', () =>
    randomBytes(KEY_BYTES).toString('base64'),
  );
  const bytes = Buffer.from(text, 'base64');
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text) || bytes.length !== KEY_BYTES) {
    throw new UnusableKeyFile(
      `${file} does not hold the base64 of ${KEY_BYTES} bytes. Restore it from a copy: without it, the credentials and codes in the database cannot be opened.`,
    );
  }
  if (made) {
    generated.push(
      `An encryption key was made and put into ${file}; keep a copy with every copy of the database, whose credentials and codes cannot be opened without it.`,
    );
  }
  return bytes;
}

async function readOrMake(
  dataDir: string,
  name: string,
  make: () => string,
): Promise<{ text: string; file: string; made: boolean }> {
  const known = await readIfThere(path.join(dataDir, name));
  const file = path.resolve(dataDir, name);
  if (known !== null) return { text: known, file, made: false };
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const folder = await realpath(dataDir);
  const draft = path.join(folder, `${name}.${process.pid}-${randomBytes(4).toString('hex')}`);
  const text = make();
  await writeFile(draft, `${text}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    // A link, unlike a rename, fails if another process was first; then its key counts.
    await link(draft, path.join(folder, name));
    await flush(folder);
    return { text, file, made: true };
  } catch (error) {
    const first = errorCode(error) === 'EEXIST' ? await readIfThere(file) : null;
    if (first === null) throw error;
    return { text: first, file, made: false };
  } finally {
    await rm(draft);
  }
}

/** What a folder lists must survive a power cut too: the key is about to seal things that do. */
async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

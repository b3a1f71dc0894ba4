import { createHash } from 'node:crypto';
import { resolveKeys } from '../../src/keys.js';

/** Resolves the keys of a data folder and prints a fingerprint of them. */
const dataDir = process.argv[2] ?? '';
const { apiKey, encryptionKey } = await resolveKeys({
  apiKey: null,
  encryptionKey: null,
  databaseUrl: null,
  dataDir,
});
console.log(`keys ${createHash('sha256').update(apiKey).update(encryptionKey).digest('hex')}`);

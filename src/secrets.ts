/**
 * Secrets at rest: credentials, tokens and codes stand in the database as sealed envelopes (AES-256-GCM), each
 * bound to its place by a context, each naming the key that opens it.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** The key that seals. Made by `encryptionKey`. */
export interface EncryptionKey {
  /** The first 12 hex digits of the key's SHA-256: tells keys apart, and says nothing about them. */
  id: string;
  /** 32 bytes. */
  bytes: Buffer;
}

/** An envelope cannot be opened. The message names key ids, and nothing of the content. */
export class SealError extends Error {
  override name = 'SealError';
  /** `malformed`: no envelope at all; `other_key`: sealed with another key; `refused`: altered, or of another place. */
  readonly code: 'malformed' | 'other_key' | 'refused';
  /** The id of the key that the envelope was sealed with; null where it is not readable. */
  readonly keyId: string | null;

  constructor(code: SealError['code'], keyId: string | null, message: string) {
    super(message);
    this.code = code;
    this.keyId = keyId;
  }
}

const KEY_BYTES = 32;
const VERSION = 'v1';
// NIST SP 800-38D, sections 5.2.1.1 and 8.2.2: 96 bits of random nonce, a tag of full length.
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_DIGITS = 12;

/**
 * @param bytes 32 bytes
 * @throws RangeError for any other length
 */
export function encryptionKey(bytes: Buffer): EncryptionKey {
  if (bytes.length !== KEY_BYTES)
    throw new RangeError(`an encryption key has ${KEY_BYTES} bytes, not ${bytes.length}`);
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, KEY_ID_DIGITS), bytes };
}

/**
 * @param context where the envelope will stand, such as `account:gelato-eu`: it opens nowhere else
 * @returns `v1.<key id>.<nonce>.<ciphertext and tag>`, the last two in base64url
 */
export function seal(plain: string, key: EncryptionKey, context: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(key.id, context));
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return [VERSION, key.id, nonce.toString('base64url'), sealed.toString('base64url')].join('.');
}

/**
 * Opens what `seal` made.
 * @throws SealError where the envelope is none, needs another key, or was altered or moved
 */
export function unseal(envelope: string, key: EncryptionKey, context: string): string {
  const { keyId, nonce, sealed } = parseEnvelope(envelope);
  if (keyId !== key.id) {
    throw new SealError(
      'other_key',
      keyId,
      `${context} was sealed with the encryption key ${keyId}, and the one in use is ${key.id}: put the former into PACKLINE_ENCRYPTION_KEY`,
    );
  }
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(keyId, context));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const opened = decipher.update(sealed.subarray(0, -TAG_BYTES));
  try {
    return Buffer.concat([opened, decipher.final()]).toString('utf8');
  } catch (error) {
    const refusal = new SealError(
      'refused',
      keyId,
      `${context} cannot be opened: its sealed value was altered or belongs elsewhere`,
    );
    refusal.cause = error;
    throw refusal;
  }
}

function boundTo(keyId: string, context: string): Buffer {
  return Buffer.from(`${VERSION}.${keyId}.${context}`, 'utf8');
}

function parseEnvelope(envelope: string): { keyId: string; nonce: Buffer; sealed: Buffer } {
  const parts = /^v1\.([0-9a-f]{12})\.([\w-]+)\.([\w-]+)$/.exec(envelope);
  const nonce = Buffer.from(parts?.[2] ?? '', 'base64url');
  const sealed = Buffer.from(parts?.[3] ?? '', 'base64url');
  const keyId = parts?.[1];
  if (keyId === undefined || nonce.length !== NONCE_BYTES || sealed.length < TAG_BYTES) {
    throw new SealError('malformed', keyId ?? null, 'this is no sealed value of packline');
  }
  return { keyId, nonce, sealed };
}

/**
 * A keyed fingerprint: tells whether a secret is the same as before without keeping it.
 * @returns base64url; without the key it can be neither computed nor guessed at
 */
export function digest(value: string, key: EncryptionKey): string {
  // A key of its own, so that the sealing key is used for sealing alone.
  const derived = Buffer.from(hkdfSync('sha256', key.bytes, '', 'packline digest', KEY_BYTES));
  return createHmac('sha256', derived).update(value, 'utf8').digest('base64url');
}

/** Whether two secrets are equal, in a time that tells nothing of where they differ; lengths may differ. */
export function constantTimeEqual(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(hash(a), hash(b));
}

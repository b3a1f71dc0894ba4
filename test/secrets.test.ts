import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { constantTimeEqual, digest, encryptionKey, SealError, seal, unseal } from '../src/secrets.js';

const key = encryptionKey(Buffer.alloc(32, 1));
const other = encryptionKey(Buffer.alloc(32, 2));

function refusal(work: () => unknown): SealError {
  try {
    work();
  } catch (error) {
    if (error instanceof SealError) return error;
    throw error;
  }
  throw new Error('it was opened');
}

describe('seal', () => {
  test('what is sealed opens with the same key in the same place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (plain, context) => {
        expect(unseal(seal(plain, key, context), key, context)).toBe(plain);
      }),
    );
  });

  test('an envelope names its version and key, and shows nothing of the content', () => {
    const envelope = seal('hunter2-hunter2', key, 'account:a');
    expect(envelope).toMatch(new RegExp(`^v1\\.${key.id}\\.[\\w-]{16}\\.[\\w-]+$`));
    expect(Buffer.from(envelope.split('.')[3] ?? '', 'base64url').toString('latin1')).not.toContain(
      'hunter2',
    );
  });

  test('the same content never seals to the same envelope', () => {
    expect(seal('x', key, 'account:a')).not.toBe(seal('x', key, 'account:a'));
  });

  test('another key is refused, and the one that is needed is named', () => {
    const error = refusal(() => unseal(seal('x', key, 'account:a'), other, 'account:a'));
    expect(error).toMatchObject({ code: 'other_key', keyId: key.id });
    expect(error.message).toContain(key.id);
    expect(error.message).toContain(other.id);
  });

  test('an envelope of another place is refused', () => {
    expect(refusal(() => unseal(seal('x', key, 'account:a'), key, 'account:b'))).toMatchObject({
      code: 'refused',
      keyId: key.id,
    });
  });

  test('an altered envelope is refused, whichever byte it is', () => {
    const [version = '', id = '', nonce = '', sealed = ''] = seal('content', key, 'account:a').split('.');
    for (const [part, at] of [
      ['nonce', 0],
      ['sealed', 0],
      ['sealed', 7],
      ['sealed', 22],
    ] as const) {
      const bytes = Buffer.from(part === 'nonce' ? nonce : sealed, 'base64url');
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      const altered = bytes.toString('base64url');
      const envelope = [
        version,
        id,
        part === 'nonce' ? altered : nonce,
        part === 'sealed' ? altered : sealed,
      ].join('.');
      expect(refusal(() => unseal(envelope, key, 'account:a')).code).toBe('refused');
    }
  });

  test.each([
    '',
    'x',
    'v1',
    'v2.a.b.c',
    `v1.${key.id}.AAAA.AAAA`,
    `v1.${key.id}.AAAAAAAAAAAAAAAA.AAAA`,
    '{"apiKey":"x"}',
  ])('what is no envelope is called malformed: "%s"', (text) => {
    expect(refusal(() => unseal(text, key, 'account:a')).code).toBe('malformed');
  });

  test('a message of refusal holds nothing of what was given', () => {
    expect(refusal(() => unseal('hunter2', key, 'account:a')).message).not.toContain('hunter2');
  });
});

test('an encryption key has 32 bytes, and an id that tells keys apart', () => {
  expect(() => encryptionKey(randomBytes(31))).toThrow(RangeError);
  expect(key.id).toMatch(/^[0-9a-f]{12}$/);
  expect(key.id).not.toBe(other.id);
});

test('a digest is the same for the same value and key, and for nothing else', () => {
  expect(digest('a', key)).toBe(digest('a', key));
  expect(digest('a', key)).not.toBe(digest('b', key));
  expect(digest('a', key)).not.toBe(digest('a', other));
});

test('secrets are compared by content, also where their lengths differ', () => {
  expect(constantTimeEqual('same', 'same')).toBe(true);
  expect(constantTimeEqual('same', 'some')).toBe(false);
  expect(constantTimeEqual('same', 'same ')).toBe(false);
  expect(constantTimeEqual('', '')).toBe(true);
});

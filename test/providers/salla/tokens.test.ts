import fc from 'fast-check';
import type { Answer } from '../../../src/policy/answer.js';
import type { TokenRotation } from '../../../src/providers/provider.js';
import { answerOf, openAccount } from './fixtures.js';

function rotationOf(config = {}): TokenRotation {
  const { tokens } = openAccount(config);
  if (tokens === undefined) throw new Error('the tokens do not rotate');
  return tokens;
}

const tokens = rotationOf();
const read = async (answer: Answer) => tokens.read(answer);
const PAIR = { access_token: 'at-2', refresh_token: 'rt-2' };
// The fixture's answers arrive at this moment.
const ARRIVAL_S = 1_772_449_230;
const inAFortnight = ARRIVAL_S + 1_209_600;

describe('a refresh', () => {
  test('begins with the tokens of the accounts file, a day before they end', () => {
    expect(tokens.initial).toEqual({
      accessToken: 'at-1',
      refreshToken: 'rt-1',
      expiresAt: Date.UTC(2026, 2, 16),
    });
    expect(tokens.aheadMs).toBe(86_400_000);
  });

  test('is a form with the credentials of the client in it', () => {
    const request = tokens.request({ accessToken: 'at-9', refreshToken: 'rt=9&', expiresAt: null });
    expect(request).toMatchObject({
      method: 'POST',
      url: 'https://accounts.salla.sa/oauth2/token',
      headers: { Accept: 'application/json', 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    expect(request.headers).not.toHaveProperty('Authorization');
    expect(Object.fromEntries(new URLSearchParams(request.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt=9&',
      client_id: 'client-1',
      client_secret: 's&cret=1',
    });
  });

  test('goes where the configuration says', () => {
    const { request } = rotationOf({ tokenUrl: 'http://127.0.0.1:9/oauth2/token' });
    expect(request(tokens.initial).url).toBe('http://127.0.0.1:9/oauth2/token');
  });
});

describe('a new pair', () => {
  test.each<[string, object, number | null]>([
    ['a moment', { expires: inAFortnight }, inAFortnight * 1_000],
    ['a moment as text', { expires: String(inAFortnight) }, inAFortnight * 1_000],
    ['a duration', { expires_in: 1_209_600 }, inAFortnight * 1_000],
    ['both, of which the moment counts', { expires: inAFortnight, expires_in: 5 }, inAFortnight * 1_000],
    ['a duration where a moment should be', { expires: 1_209_600, expires_in: 60 }, (ARRIVAL_S + 60) * 1_000],
    ['neither', {}, null],
    ['nonsense', { expires: 'soon', expires_in: -1 }, null],
    ['milliseconds', { expires: inAFortnight * 1_000 }, null],
  ])('ends by %s', async (_what, expiry, expiresAt) => {
    expect(await read(answerOf(200, { token_type: 'Bearer', scope: 'a b', ...PAIR, ...expiry }))).toEqual({
      kind: 'tokens',
      tokens: { accessToken: 'at-2', refreshToken: 'rt-2', expiresAt },
    });
  });

  test.each([
    ['its type was left out', { ...PAIR }],
    [
      'a field beside it is odd',
      { ...PAIR, token_type: 'bearer', expires_in: 'later', scope: 7, id_token: 1 },
    ],
  ])('is not lost because %s', async (_what, body) => {
    expect(await read(answerOf(200, body))).toMatchObject({ kind: 'tokens' });
  });

  test.each([
    ['no refresh token, for the old one is spent', { access_token: 'at-2' }],
    ['no access token', { refresh_token: 'rt-2' }],
    ['an empty access token', { ...PAIR, access_token: '' }],
    ['an access token that would break its header', { ...PAIR, access_token: 'at\n2' }],
    ['a number for a token', { ...PAIR, refresh_token: 7 }],
    ['a list', [PAIR]],
    ['HTML', '<html>maintenance</html>'],
    ['nothing', ''],
  ])('is lost with %s', async (_what, body) => {
    expect(await read(answerOf(200, body))).toBeNull();
  });
});

describe('a refusal', () => {
  const sentence =
    'The provided authorization grant is invalid, expired, revoked, or was issued to another client.';

  test.each([400, 401])(
    'of the grant under %d means that the app must be installed again',
    async (status) => {
      const answer = answerOf(
        status,
        { error: 'invalid_grant', error_description: sentence },
        { 'www-authenticate': 'Bearer error="invalid_token"' },
      );
      expect(await read(answer)).toEqual({ kind: 'revoked', code: 'invalid_grant', message: sentence });
    },
  );

  test.each([
    'invalid_client',
    'invalid_request',
    'unauthorized_client',
    'unsupported_grant_type',
    'invalid_scope',
  ])('as %s has not used the refresh token', async (error) => {
    expect(await read(answerOf(401, { error }))).toEqual({
      kind: 'refused',
      code: error,
      message: `the token endpoint says ${error}`,
    });
  });

  test.each<[number, Answer['headers'], number | undefined]>([
    [429, { 'retry-after': '30' }, 30_000],
    [429, {}, undefined],
    [425, {}, undefined],
  ])('%d %j has not looked at the refresh token', async (status, headers, inMs) => {
    const answer = answerOf(status, { error: 'slow_down' }, headers);
    expect(await read(answer)).toEqual({
      kind: 'later',
      code: `http_${status}`,
      ...(inMs === undefined ? {} : { retryAt: answer.receivedAt + inMs }),
    });
  });

  test('whose description is no text is a refusal all the same', async () => {
    expect(await read(answerOf(401, { error: 'invalid_grant', error_description: { a: 1 } }))).toMatchObject({
      kind: 'revoked',
    });
  });

  test.each<[number, unknown]>([
    [400, { error: 'temporarily_unavailable' }],
    [401, { status: 401, success: false, error: { code: 'Unauthorized', message: 'x' } }],
    [403, '<html>blocked</html>'],
    [500, { error: 'invalid_grant' }],
    [502, '<html>Bad Gateway</html>'],
    [304, ''],
    [302, 'moved'],
  ])('that is none, %d %j, counts as lost', async (status, body) => {
    expect(await read(answerOf(status, body))).toBeNull();
  });
});

test('whatever comes back is read without throwing', async () => {
  const field = fc.oneof(fc.constant('invalid_grant'), fc.string(), fc.jsonValue());
  const body = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: 'binary' }),
    fc.record(
      {
        access_token: field,
        refresh_token: field,
        expires: field,
        expires_in: field,
        error: field,
        error_description: field,
      },
      { requiredKeys: [] },
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(200, 201, 204, 302, 304, 400, 401, 403, 429, 500, 599),
      body,
      async (status, sent) => {
        const result = await read(answerOf(status, sent));
        expect(result === null || ['tokens', 'revoked', 'refused', 'later'].includes(result.kind)).toBe(true);
      },
    ),
  );
});

import { accepting } from '../helpers/faults.js';
import { ACCESS_TOKEN, CLIENT, error, REFRESH_TOKEN, type Rig, rig, send, stopAll } from './salla-calls.js';

afterEach(stopAll);

const DAY_MS = 86_400_000;

interface Tokens {
  access_token: string;
  refresh_token: string;
  expires?: number;
  expires_in?: number;
}

/** A refresh that succeeds. */
async function renew({ refresh }: Rig, refreshToken: string): Promise<Tokens> {
  const heard = await refresh(refreshToken);
  expect(heard.status).toBe(200);
  // The shape is looked at by the tests below.
  return heard.json() as Tokens;
}

async function statusWith({ call }: Rig, token: string | null): Promise<number> {
  return (await call('GET', '/orders', undefined, { token })).status;
}

describe('an access token', () => {
  test('is needed, and no other scheme will do', async () => {
    const { call } = await rig();
    const without = await call('GET', '/orders', undefined, { token: null });
    const basic = await call('GET', '/orders', undefined, {
      token: null,
      headers: { authorization: 'Basic YTpi' },
    });
    expect([without.status, basic.status]).toEqual([401, 401]);
    expect(basic.json()).toEqual({
      status: 401,
      success: false,
      error: { code: 'Unauthorized', message: expect.any(String) },
    });
    expect((await call('GET', '/orders')).status).toBe(200);
  });

  test('that is unknown is invalid, in the words of the document', async () => {
    const { call } = await rig();
    const heard = await call('GET', '/orders', undefined, { token: 'other' });
    expect(heard.json()).toEqual({
      status: 401,
      success: false,
      error: { code: 'Unauthorized', message: 'The access token is invalid' },
    });
  });

  test('ends at its time on the passed-in clock', async () => {
    const salla = await rig({ accessTokenMs: DAY_MS });
    salla.time.advance(DAY_MS - 1);
    expect(await statusWith(salla, ACCESS_TOKEN)).toBe(200);
    salla.time.advance(1);
    expect(await statusWith(salla, ACCESS_TOKEN)).toBe(401);
  });

  test('of a deleted or an inactive user is refused, each with its own words', async () => {
    const { call, control } = await rig();
    await control('/user', { state: 'deleted' });
    expect(error(await call('GET', '/orders'))).toEqual({
      code: 'Unauthorized',
      message: 'The User is not exists.',
    });
    await control('/user', { state: 'inactive' });
    const heard = await call('GET', '/orders', undefined, { headers: { 'accept-language': 'en' } });
    expect([heard.status, error(heard).message]).toEqual([401, expect.stringContaining('حسابك غير مفعل')]);
    await control('/user', { state: 'active' });
    expect((await call('GET', '/orders')).status).toBe(200);
  });

  test('without the scope is refused with 401, which lists the scopes that would do', async () => {
    const { call, submit, control } = await rig({ scopes: ['orders.read', 'offline_access'] });
    expect((await call('GET', '/orders')).status).toBe(200);
    const heard = await submit('ref-1');
    expect([heard.status, error(heard).message]).toEqual([
      401,
      'The access token should have access to one of those scopes: orders.read_write',
    ]);
    expect(error(await call('GET', '/shipments')).message).toBe(
      'The access token should have access to one of those scopes: shipping.read, shipping.read_write',
    );
    await control('/tokens', { scopes: ['orders.read_write'] });
    expect((await submit('ref-1')).status).toBe(201);
  });

  test('tells who the merchant is, without data around it', async () => {
    const { simulator } = await rig({ merchantId: 42 });
    const heard = await send('GET', `${simulator.url}/oauth2/user/info`);
    expect([heard.status, heard.json()]).toMatchObject([200, { merchant: { id: 42 } }]);
    expect(heard.headers['x-ratelimit-limit']).toBeUndefined();
  });
});

describe('a refresh', () => {
  test('gives a new pair, and says in absolute seconds until when', async () => {
    const salla = await rig();
    const heard = await salla.refresh(REFRESH_TOKEN);
    expect([heard.status, heard.json()]).toEqual([
      200,
      {
        token_type: 'bearer',
        access_token: expect.not.stringMatching(/^at-1$/),
        refresh_token: expect.not.stringMatching(/^rt-1$/),
        expires: Date.UTC(2026, 0, 15) / 1000,
        scope: expect.stringContaining('offline_access'),
      },
    ]);
    expect(heard.headers['cache-control']).toBe('no-store');
    expect(await statusWith(salla, Object(heard.json()).access_token)).toBe(200);
  });

  test('can say how long instead', async () => {
    const salla = await rig({ tokenExpiry: 'expires_in', accessTokenMs: DAY_MS });
    const tokens = await renew(salla, REFRESH_TOKEN);
    expect([tokens.expires, tokens.expires_in]).toEqual([undefined, 86_400]);
    const both = await renew(await rig({ tokenExpiry: 'both' }), REFRESH_TOKEN);
    expect([typeof both.expires, typeof both.expires_in]).toEqual(['number', 'number']);
  });

  test('leaves the old access token alone unless told otherwise', async () => {
    const lenient = await rig();
    await renew(lenient, REFRESH_TOKEN);
    expect(await statusWith(lenient, ACCESS_TOKEN)).toBe(200);
    const strict = await rig({ oldAccessToken: 'revoked' });
    await renew(strict, REFRESH_TOKEN);
    expect(await statusWith(strict, ACCESS_TOKEN)).toBe(401);
  });

  test('with a used token revokes both tokens for good, and answers the bare OAuth body', async () => {
    const salla = await rig();
    const { access_token, refresh_token } = await renew(salla, REFRESH_TOKEN);
    const reuse = await salla.refresh(REFRESH_TOKEN);
    expect([reuse.status, reuse.json()]).toEqual([
      401,
      { error: 'invalid_grant', error_description: expect.any(String) },
    ]);
    expect(await statusWith(salla, access_token)).toBe(401);
    expect(await statusWith(salla, ACCESS_TOKEN)).toBe(401);
    expect((await salla.refresh(refresh_token)).status).toBe(401);
    expect((await salla.control('/tokens')).json()).toMatchObject({ alive: false, refreshes: 1, reuses: 1 });
  });

  test('whose answer is lost has spent the token: asking again ends everything', async () => {
    const salla = await rig();
    await salla.fault('token', accepting('drop'));
    await expect(salla.refresh(REFRESH_TOKEN)).rejects.toThrow();
    expect(await statusWith(salla, ACCESS_TOKEN)).toBe(200);
    expect((await salla.control('/tokens')).json()).toMatchObject({ alive: true, refreshes: 1 });
    expect((await salla.refresh(REFRESH_TOKEN)).status).toBe(401);
    expect(await statusWith(salla, ACCESS_TOKEN)).toBe(401);
  });

  test('that never reached the server has spent nothing', async () => {
    const salla = await rig();
    await salla.fault('token', { ...accepting('drop'), accept: false });
    await expect(salla.refresh(REFRESH_TOKEN)).rejects.toThrow();
    await renew(salla, REFRESH_TOKEN);
  });

  test('of two at once lets one through and revokes what that one got', async () => {
    const salla = await rig();
    const heard = await Promise.all([salla.refresh(REFRESH_TOKEN), salla.refresh(REFRESH_TOKEN)]);
    expect(heard.map(({ status }) => status).sort()).toEqual([200, 401]);
    expect((await salla.control('/tokens')).json()).toMatchObject({ alive: false });
  });

  test('with an unknown token is refused and revokes nothing', async () => {
    const salla = await rig();
    expect((await salla.refresh('rt-0')).status).toBe(401);
    expect(await statusWith(salla, ACCESS_TOKEN)).toBe(200);
  });

  test('can come too late', async () => {
    const salla = await rig({ refreshTokenMs: 30 * DAY_MS });
    salla.time.advance(30 * DAY_MS);
    expect((await salla.refresh(REFRESH_TOKEN)).json()).toMatchObject({ error: 'invalid_grant' });
  });

  test('must be a form, of a known client, with a grant that is offered', async () => {
    const { refresh, simulator } = await rig();
    const url = `${simulator.url}/oauth2/token`;
    const json = await send('POST', url, {
      grant_type: 'refresh_token',
      refresh_token: REFRESH_TOKEN,
      ...CLIENT,
    });
    expect([json.status, json.json()]).toMatchObject([400, { error: 'invalid_request' }]);
    const codes = await Promise.all(
      [
        { client_secret: 'wrong' },
        { client_id: '' },
        { grant_type: 'authorization_code' },
        { grant_type: '' },
        { refresh_token: '' },
      ].map(async (changes: Record<string, string>) => {
        const heard = await refresh(REFRESH_TOKEN, changes);
        return [heard.status, Object(heard.json()).error];
      }),
    );
    expect(codes).toEqual([
      [401, 'invalid_client'],
      [401, 'invalid_client'],
      [400, 'unsupported_grant_type'],
      [400, 'invalid_request'],
      [400, 'invalid_request'],
    ]);
    expect((await refresh(REFRESH_TOKEN)).status).toBe(200);
  });

  test('that a fault answers has the bare body too', async () => {
    const salla = await rig();
    await salla.fault('token', { status: 503 });
    const heard = await salla.refresh(REFRESH_TOKEN);
    expect([heard.status, heard.json()]).toEqual([
      503,
      { error: 'temporarily_unavailable', error_description: expect.any(String) },
    ]);
    await renew(salla, REFRESH_TOKEN);
  });
});

describe('the merchant', () => {
  test('can take the app away, and install it again with new tokens', async () => {
    const salla = await rig();
    await salla.control('/tokens', { revoke: true });
    expect(await statusWith(salla, ACCESS_TOKEN)).toBe(401);
    expect((await salla.refresh(REFRESH_TOKEN)).status).toBe(401);
    const { accessToken, refreshToken } = Object((await salla.control('/reinstall', {})).json());
    expect(await statusWith(salla, accessToken)).toBe(200);
    expect((await salla.refresh(REFRESH_TOKEN)).status).toBe(401);
    expect(await statusWith(salla, accessToken)).toBe(200);
    await renew(salla, refreshToken);
  });

  test('can have the access token expire before its time', async () => {
    const salla = await rig();
    await salla.control('/tokens', { expire: true });
    expect(await statusWith(salla, ACCESS_TOKEN)).toBe(401);
    expect(await statusWith(salla, (await renew(salla, REFRESH_TOKEN)).access_token)).toBe(200);
  });

  test('is told what a control route does not understand', async () => {
    const { control } = await rig();
    for (const [path, body] of [
      ['/user', { state: 'away' }],
      ['/tokens', { expire: false }],
      ['/block', {}],
      ['/orders', { count: 0 }],
    ] as const) {
      expect([(await control(path, body)).status, path]).toEqual([400, path]);
    }
  });
});

import { GuessLimit, targetOf } from '../../src/api/login.js';
import { type FakeTime, fakeTime } from '../helpers/fake-time.js';
import { type Answer, KEY, type TestApi, testApi } from './harness.js';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const HTML = { accept: 'text/html' };
const SESSION_MS = 12 * 60 * 60 * 1000;

let api: TestApi;
let time: FakeTime;

beforeEach(async () => {
  time = fakeTime();
  api = await testApi({ clock: time.clock });
});

const logIn = (fields: Record<string, string>, on = api) =>
  on.ask('POST', '/login', { headers: FORM, body: new URLSearchParams(fields).toString() });

/** The `name=value` that a browser would send back. */
function cookieOf(answer: Answer): string {
  return String(answer.headers['set-cookie']).split(';', 1)[0] ?? '';
}

const visit = (path: string, cookie: string, on = api) =>
  on.ask('GET', path, { headers: { ...HTML, cookie } });

describe('the login page', () => {
  test('asks for the key without script, in words a screen reader finds', async () => {
    const { status, headers, text } = await api.ask('GET', '/login?next=%2Fqueues%2Fqueue%2Fa');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(text).toMatch(
      /<html lang="en">.*<h1>.*<label for="key">.*<input id="key" name="key" type="password"/s,
    );
    expect(text).toContain('name="next" value="/queues/queue/a"');
    expect(text).not.toContain('<script');
  });

  test('allows its own style and nothing else', async () => {
    const { headers } = await api.ask('GET', '/login');
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(/default-src 'none';style-src 'sha256-[^']+';form-action 'self'/);
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['cache-control']).toBe('no-store');
  });

  test('never repeats what it was sent as HTML', async () => {
    const next = '/"><script>alert(1)</script>';
    const { text } = await api.ask('GET', `/login?next=${encodeURIComponent(next)}`);
    expect(text).not.toContain('<script');
    expect((await logIn({ key: '"><script>', next })).text).not.toContain('<script');
  });
});

describe('the right key', () => {
  test('gives a session that opens the board, and leads back', async () => {
    const answer = await logIn({ key: KEY, next: '/queues/queue/a?page=2' });
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe('/queues/queue/a?page=2');
    expect((await visit('/queues', cookieOf(answer))).status).toBe(200);
    expect((await visit('/queues/api/queues', cookieOf(answer))).status).toBe(200);
  });

  test('gives a cookie that scripts and other sites never see', async () => {
    const attributes = String((await logIn({ key: KEY })).headers['set-cookie'])
      .split('; ')
      .slice(1);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=43200', 'Path=/', 'SameSite=Strict']);
  });

  test('gives one for https alone where browsers come through https', async () => {
    const secure = await testApi({ secureCookies: true });
    const answer = await logIn({ key: KEY }, secure);
    expect(answer.headers['set-cookie']).toContain('; Secure');
    expect(answer.headers['strict-transport-security']).toBe('max-age=31536000');
    expect((await logIn({ key: KEY })).headers).not.toHaveProperty('strict-transport-security');
  });

  test('is never in the log, nor is the session', async () => {
    const answer = await logIn({ key: KEY, next: '/queues?email=a@b.c' });
    await visit('/queues?email=a@b.c', cookieOf(answer));
    const log = JSON.stringify(api.log);
    expect(log).not.toContain(KEY);
    expect(log).not.toContain(cookieOf(answer));
    expect(log).not.toContain('a@b.c');
  });
});

describe('a session', () => {
  const aSession = async () => cookieOf(await logIn({ key: KEY }));

  test('does not open the API, nor change anything', async () => {
    const cookie = await aSession();
    for (const path of ['/v1/orders', '/metrics', '/nothing']) {
      expect((await visit(path, cookie)).status).toBe(401);
    }
    const headers = { ...HTML, cookie };
    expect((await api.ask('POST', '/v1/sync', { headers, body: {} })).status).toBe(401);
    expect((await api.ask('PUT', '/queues/api/queues/pause', { headers })).status).toBe(405);
  });

  test('ends after twelve hours', async () => {
    const cookie = await aSession();
    time.advance(SESSION_MS - 1);
    expect((await visit('/queues', cookie)).status).toBe(200);
    time.advance(1);
    expect((await visit('/queues', cookie)).status).toBe(303);
  });

  test('cannot be forged or prolonged', async () => {
    const cookie = await aSession();
    const [name, value = ''] = cookie.split('=');
    const [ends = '', signature = ''] = decodeURIComponent(value).split('.');
    for (const forged of [ends, `${Number(ends) + 1}.${signature}`, `${ends}.`, `.${signature}`, 'x', '']) {
      expect((await visit('/queues', `${name}=${encodeURIComponent(forged)}`)).status).toBe(303);
    }
  });

  test('ends with the key that began it, and with the secret', async () => {
    const cookie = await aSession();
    const same = await testApi({ clock: time.clock });
    const rekeyed = await testApi({ clock: time.clock, keys: { bootstrap: `${KEY}-new` } });
    const resecreted = await testApi({ clock: time.clock, sessionSecret: Buffer.alloc(32, 8) });
    expect((await visit('/queues', cookie, same)).status).toBe(200);
    expect((await visit('/queues', cookie, rekeyed)).status).toBe(303);
    expect((await visit('/queues', cookie, resecreted)).status).toBe(303);
  });

  test('is ended by the button on the login page', async () => {
    const cookie = await aSession();
    const page = await visit('/login', cookie);
    expect(page.text).toContain('You are logged in');
    expect(page.text).toContain('<form method="post" action="/logout">');
    const answer = await api.ask('POST', '/logout', { headers: { ...FORM, cookie } });
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe('/login');
    expect(answer.headers['set-cookie']).toMatch(/^packline_session=;.*Expires=Thu, 01 Jan 1970/);
  });

  test('is needed to end one', async () => {
    expect((await api.ask('POST', '/logout', { headers: FORM })).status).toBe(401);
  });
});

describe('a wrong key', () => {
  test.each([{ key: 'wrong' }, { key: '' }, {}])(
    '%j is a 401 page that says so, without a session',
    async (fields) => {
      const answer = await logIn({ ...fields, next: '/queues/a' });
      expect(answer.status).toBe(401);
      expect(answer.headers).not.toHaveProperty('set-cookie');
      expect(answer.text).toMatch(/role="alert"/);
      expect(answer.text).toContain('aria-describedby="mistake"');
      expect(answer.text).toContain('value="/queues/a"');
    },
  );

  test('ten times within a minute makes everyone wait, the right key too', async () => {
    for (let miss = 0; miss < GuessLimit.MOST; miss += 1) {
      expect((await logIn({ key: 'wrong' })).status).toBe(401);
    }
    time.advance(20_500);
    const answer = await logIn({ key: KEY });
    expect(answer.status).toBe(429);
    expect(answer.headers['retry-after']).toBe('40');
    expect(answer.headers).not.toHaveProperty('set-cookie');
    time.advance(39_500);
    expect((await logIn({ key: KEY })).status).toBe(303);
  });

  test('now and then does not', async () => {
    for (let miss = 0; miss < 3 * GuessLimit.MOST; miss += 1) {
      expect((await logIn({ key: 'wrong' })).status).toBe(401);
      time.advance(GuessLimit.WINDOW_MS / (GuessLimit.MOST - 1));
    }
  });

  test('in too long a form is not even looked at', async () => {
    const answer = await logIn({ key: 'x'.repeat(5000) });
    expect(answer.status).toBe(413);
  });
});

describe('where the login leads', () => {
  test.each([
    ['/queues', '/queues'],
    ['/console/orders?status=failed', '/console/orders?status=failed'],
    ['/a b', '/a%20b'],
  ])('%s is a path of ours', (next, target) => {
    expect(targetOf(next)).toBe(target);
  });

  test.each([
    undefined,
    '',
    'queues',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/.//evil.example',
    '/x/..//evil.example',
    'https://evil.example/queues',
    'https:/evil.example',
    'javascript:alert(1)',
    ' //evil.example',
    '//',
  ])('%j is not, and leads to the board', (next) => {
    expect(targetOf(next)).toBe('/queues');
  });

  test('an address of another site is not followed', async () => {
    const answer = await logIn({ key: KEY, next: '//evil.example/queues' });
    expect(answer.headers.location).toBe('/queues');
  });
});

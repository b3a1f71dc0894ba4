import { connect } from 'node:net';
import path from 'node:path';
import { SEND_BY_MS } from '../../src/orders/store/claim.js';
import { type Clock, systemTime } from '../../src/time.js';
import { startChild } from '../helpers/child.js';
import { until } from '../helpers/until.js';
import { call, client, get, kindOf, post, serve } from './http-calls.js';
import { answerText, type RawRequest } from './raw-server.js';

describe('one call', () => {
  test('of a host that swallows packets ends as one that could not be connected, before its time to be sent is over', async () => {
    const mute = startChild(path.join(import.meta.dirname, 'children', 'mute.ts'), []);
    const port = Number((await mute.line(/port=(\d+)/))[1]);
    const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1'));
    try {
      await until('its queue is full', () => fillers.some(({ readyState }) => readyState === 'open'));
      const result = await call(client(), post(`http://127.0.0.1:${port}/orders`), { sendMs: SEND_BY_MS });
      expect(kindOf(result)).toEqual(['notSent', 'und_err_connect_timeout']);
    } finally {
      for (const filler of fillers) filler.destroy();
      await mute.kill('SIGKILL');
    }
  });

  test('sends the request as it was built and returns the whole answer', async () => {
    const server = await serve(({ socket }) => {
      socket.write(answerText('{"id":"p-1"}', { status: '201 Created', headers: ['X-Request-Id: r-1'] }));
    });
    const before = systemTime.clock.now();
    const result = await call(client(), post(`${server.url}/orders?test=a%20b`));
    expect(result).toMatchObject({
      kind: 'answered',
      status: 201,
      body: '{"id":"p-1"}',
      json: { id: 'p-1' },
    });
    expect(result).toMatchObject({ headers: { 'x-request-id': 'r-1' } });
    expect(result.kind === 'answered' && result.receivedAt).toBeGreaterThanOrEqual(before);
    const text = server.requests[0]?.text ?? '';
    expect(text).toMatch(/^POST \/orders\?test=a%20b HTTP\/1\.1\r\n/);
    expect(text).toMatch(/\r\nauthorization: Bearer x\r\n/i);
    expect(text).toMatch(/\r\n\r\n\{"reference":"A-1"\}$/);
    expect(server.requests).toHaveLength(1);
  });

  const follows = {
    '301': 'Moved',
    '302': 'Found',
    '303': 'See Other',
    '307': 'Temporary',
    '308': 'Permanent',
  };
  test.each(Object.entries(follows))('does not follow a %s', async (status, words) => {
    const server = await serve(({ socket }) => {
      socket.write(
        answerText('', { status: `${status} ${words}`, headers: [`Location: ${server.url}/elsewhere`] }),
      );
    });
    expect(kindOf(await call(client(), post(`${server.url}/orders`)))).toBe(Number(status));
    expect(kindOf(await call(client(), get(`${server.url}/orders`)))).toBe(Number(status));
    expect(server.requests.map(({ path }) => path)).toEqual(['/orders', '/orders']);
  });

  test.each(['429 Too Many Requests', '500 Internal Server Error', '503 Service Unavailable'])(
    'takes a %s as the answer, whatever Retry-After says',
    async (status) => {
      const server = await serve(({ socket }) => {
        socket.write(answerText('{}', { status, headers: ['Retry-After: 0'] }));
      });
      expect(kindOf(await call(client(), post(`${server.url}/orders`)))).toBe(Number(status.slice(0, 3)));
      expect(server.requests).toHaveLength(1);
    },
  );

  test('waits for the answer before the same socket carries another request', async () => {
    const server = await serve(({ socket, path }) => {
      if (path === '/second') socket.write(answerText('{}'));
    });
    const http = client({ connections: 1 });
    const first = call(http, post(`${server.url}/first`));
    const second = call(http, post(`${server.url}/second`));
    await until('the first request has come', () => server.count('/first') === 1);
    expect(server.count('/second')).toBe(0);
    server.requests[0]?.socket.write(answerText('{}'));
    expect([await first, await second].map(kindOf)).toEqual([200, 200]);
    expect(server.connections).toHaveLength(1);
  });

  test('after close nothing is sent, and a call in flight is unknown', async () => {
    const server = await serve(() => undefined);
    const http = client();
    const hanging = call(http, post(`${server.url}/hangs`));
    await until('the request has come', () => server.count('/hangs') === 1);
    await http.close();
    expect((await hanging).kind).toBe('unknown');
    expect((await call(http, post(`${server.url}/late`))).kind).toBe('notSent');
    expect(server.count('/late')).toBe(0);
  });
});

describe('a call whose connection breaks', () => {
  const HALF_HEAD = 'HTTP/1.1 200 OK\r\nContent-Ty';
  const breaks: Record<string, (request: RawRequest) => void> = {
    'hangs up after reading the request': ({ socket }) => void socket.end(),
    'resets after reading the request': ({ socket }) => void socket.resetAndDestroy(),
    'hangs up within the headers': ({ socket }) => void socket.end(HALF_HEAD),
    'hangs up within a body of known length': ({ socket }) =>
      void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id"'),
    'hangs up within a chunked body': ({ socket }) =>
      void socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"id\r\n'),
    'answers what is no HTTP': ({ socket }) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
  };

  test.each(Object.keys(breaks))('is unknown and made once where the server %s', async (name) => {
    const server = await serve((request) => breaks[name]?.(request));
    const http = client();
    for (const request of [post(`${server.url}/w`), get(`${server.url}/r`)]) {
      expect((await call(http, request)).kind).toBe('unknown');
    }
    expect([server.count('/w'), server.count('/r')]).toEqual([1, 1]);
  });

  test.each(Object.keys(breaks))(
    'is not repeated on a kept socket either, where the server %s',
    async (name) => {
      const server = await serve((request) => {
        if (request.path === '/warm') request.socket.write(answerText('{}'));
        else breaks[name]?.(request);
      });
      const http = client({ connections: 1 });
      for (const path of ['/w', '/r']) {
        expect(kindOf(await call(http, get(`${server.url}/warm`)))).toBe(200);
        const request = path === '/w' ? post(server.url + path) : get(server.url + path);
        expect((await call(http, request)).kind).toBe('unknown');
      }
      expect([server.count('/w'), server.count('/r')]).toEqual([1, 1]);
      expect(server.requests[0]?.socket).toBe(server.requests[1]?.socket);
    },
  );

  test('is made at most once where the server closes an idle socket just as it goes out', async () => {
    const server = await serve(({ socket, path, number }) => {
      socket.write(answerText('{}'));
      // Some of these closures arrive before the next request is written, some while it is on its way.
      if (path.startsWith('/warm')) {
        if (number % 3 === 0) socket.end();
        else if (number % 3 === 1) setImmediate(() => socket.end());
        else setImmediate(() => socket.resetAndDestroy());
      }
    });
    const http = client({ connections: 1 });
    for (let n = 0; n < 60; n += 1) {
      await call(http, get(`${server.url}/warm${n}`));
      const result = await call(http, post(`${server.url}/order${n}`));
      const made = server.count(`/order${n}`);
      expect(made).toBeLessThanOrEqual(1);
      if (result.kind === 'answered') expect(made).toBe(1);
      if (result.kind === 'notSent') expect(made).toBe(0);
    }
  });
});

describe('a call that must not start any more', () => {
  /** The machine's clock, and what a frozen process would find on waking. */
  function movable(): { clock: Clock; shift: { wall: number; monotonic: number } } {
    const shift = { wall: 0, monotonic: 0 };
    const { clock } = systemTime;
    return {
      shift,
      clock: { now: () => clock.now() + shift.wall, monotonic: () => clock.monotonic() + shift.monotonic },
    };
  }

  test.each(['monotonic', 'wall'] as const)(
    'sends no byte where the %s clock has passed it',
    async (which) => {
      const server = await serve(({ socket }) => void socket.write(answerText('{}')));
      const { clock, shift } = movable();
      const freeze = () => {
        shift[which] = 5_001;
      };
      const sent = call(client({ clock }), post(`${server.url}/orders`), { beforeWrite: freeze });
      expect(kindOf(await sent)).toEqual(['notSent', 'send_by']);
      expect(server.bytes).toBe(0);
    },
  );

  test('goes out where a frozen process wakes in time', async () => {
    const server = await serve(({ socket }) => void socket.write(answerText('{}')));
    const { clock, shift } = movable();
    const freeze = () => Object.assign(shift, { wall: 4_000, monotonic: 4_000 });
    const sent = call(client({ clock }), post(server.url), { beforeWrite: freeze });
    expect(kindOf(await sent)).toBe(200);
  });

  test('is not sent by a full pool, not even when a socket is free later', async () => {
    const server = await serve(({ socket, path }) => {
      if (path !== '/hangs') socket.write(answerText('{}'));
    });
    const http = client({ connections: 1 });
    const first = call(http, post(`${server.url}/hangs`));
    await until('the first request has come', () => server.count('/hangs') === 1);
    expect(kindOf(await call(http, post(`${server.url}/late`), { sendMs: 30 }))).toEqual([
      'notSent',
      'send_by',
    ]);
    server.requests[0]?.socket.write(answerText('{}'));
    expect(kindOf(await first)).toBe(200);
    expect(kindOf(await call(http, post(`${server.url}/next`)))).toBe(200);
    expect(server.requests.map(({ path }) => path)).toEqual(['/hangs', '/next']);
  });

  test('is aborted before it is sent: not sent, and not later either', async () => {
    const server = await serve(({ socket, path }) => {
      if (path !== '/hangs') socket.write(answerText('{}'));
    });
    const http = client({ connections: 1 });
    const none = await call(http, post(`${server.url}/never`), { signal: AbortSignal.abort() });
    expect(kindOf(none)).toEqual(['notSent', 'aborted']);
    const first = call(http, post(`${server.url}/hangs`));
    await until('the first request has come', () => server.count('/hangs') === 1);
    const stop = new AbortController();
    const waiting = call(http, post(`${server.url}/waits`), { signal: stop.signal });
    stop.abort();
    expect(kindOf(await waiting)).toEqual(['notSent', 'aborted']);
    server.requests[0]?.socket.write(answerText('{}'));
    await first;
    await call(http, post(`${server.url}/next`));
    expect(server.requests.map(({ path }) => path)).toEqual(['/hangs', '/next']);
  });

  test('is unknown where it is aborted after it was sent', async () => {
    const server = await serve(() => undefined);
    const stop = new AbortController();
    const sent = call(client(), post(`${server.url}/orders`), { signal: stop.signal });
    await until('the request has come', () => server.count('/orders') === 1);
    stop.abort();
    expect(kindOf(await sent)).toEqual(['unknown', 'aborted']);
    expect(server.requests).toHaveLength(1);
  });
});

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { freePort } from '../../src/database/embedded/processes.js';
import { systemTime } from '../../src/time.js';
import { until } from '../helpers/until.js';
import { call, client, get, kindOf, post, serve } from './http-calls.js';
import { answerText } from './raw-server.js';

const MIB = 1024 * 1024;

describe('an answer', () => {
  const bodies: [string, string | Buffer, unknown, string][] = [
    ['JSON', '{"id":"p-1","note":"é"}', { id: 'p-1', note: 'é' }, '{"id":"p-1","note":"é"}'],
    ['no JSON', 'OK', undefined, 'OK'],
    ['half of a JSON', '{"id":"p-1"', undefined, '{"id":"p-1"'],
    [
      'a proxy’s page',
      '<html><body>Bad gateway</body></html>',
      undefined,
      '<html><body>Bad gateway</body></html>',
    ],
    ['empty', '', undefined, ''],
    ['the JSON null', 'null', null, 'null'],
    ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), undefined, '{\ufffd\ufffd}'],
    ['invalid UTF-8 within JSON', Buffer.from([0x22, 0xff, 0x22]), '\ufffd', '"\ufffd"'],
  ];
  test.each(bodies)('whose body is %s is an answer all the same', async (_what, body, json, text) => {
    const server = await serve(({ socket }) => void socket.write(answerText(body)));
    const result = await call(client(), get(server.url));
    expect(result).toMatchObject({ kind: 'answered', status: 200, body: text });
    expect(result.kind === 'answered' && result.json).toEqual(json);
  });

  test('without a body (204) is whole, and its socket carries the next request', async () => {
    const server = await serve(({ socket, path }) => {
      socket.write(path === '/empty' ? 'HTTP/1.1 204 No Content\r\n\r\n' : answerText('{}'));
    });
    const http = client({ connections: 1 });
    expect(await call(http, post(`${server.url}/empty`))).toMatchObject({
      status: 204,
      body: '',
      json: undefined,
    });
    expect(kindOf(await call(http, get(`${server.url}/next`)))).toBe(200);
    expect(server.connections).toHaveLength(1);
  });

  test('that is compressed is not decoded, since nobody asked for that, and reads as no JSON', async () => {
    const server = await serve(({ socket }) => {
      socket.write(answerText(gzipSync('{"id":"p-1"}'), { headers: ['Content-Encoding: gzip'] }));
    });
    const result = await call(client(), post(server.url));
    expect(server.requests[0]?.text).not.toMatch(/accept-encoding/i);
    expect(result).toMatchObject({ kind: 'answered', headers: { 'content-encoding': 'gzip' } });
    expect(result.kind === 'answered' && result.json).toBeUndefined();
  });

  test('is the final one, not an interim one before it', async () => {
    const server = await serve(({ socket }) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n');
      socket.write(answerText('{}', { status: '201 Created' }));
    });
    expect(await call(client(), post(server.url))).toMatchObject({ status: 201, json: {} });
  });

  test('that nobody asked for is never taken for that of the next request', async () => {
    const stray = answerText('{"id":"stray"}');
    const server = await serve(({ socket, number }) => {
      const own = answerText(`{"id":"own ${number}"}`);
      socket.write(number === 1 ? Buffer.concat([own, stray]) : own);
    });
    const http = client({ connections: 1 });
    const results = await Promise.all([
      call(http, post(`${server.url}/1`)),
      call(http, post(`${server.url}/2`)),
    ]);
    expect(results[0]).toMatchObject({ json: { id: 'own 1' } });
    expect(results[1]).not.toMatchObject({ json: { id: 'stray' } });
    expect(server.count('/2')).toBeLessThanOrEqual(1);
  });

  test.each(['of known length', 'in chunks'])('above 4 MiB, %s, is cut off and unknown', async (how) => {
    const server = await serve(({ socket, path }) => {
      const size = 4 * MIB + (path === '/fits' ? 0 : 1);
      if (how === 'of known length') {
        socket.write(answerText(Buffer.alloc(size, 'x')));
        return;
      }
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      socket.write(`${size.toString(16)}\r\n`);
      socket.write(Buffer.alloc(size, 'x'));
      socket.write('\r\n0\r\n\r\n');
    });
    const http = client();
    const fits = await call(http, get(`${server.url}/fits`));
    expect(fits.kind === 'answered' && fits.body.length).toBe(4 * MIB);
    expect(kindOf(await call(http, post(`${server.url}/large`)))).toEqual(['unknown', 'answer_too_large']);
    expect(server.requests).toHaveLength(2);
  });

  test('that begins and does not end is unknown when the time is over', async () => {
    const server = await serve(
      ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'),
    );
    const http = client();
    expect(kindOf(await call(http, post(server.url), { timeoutMs: 60 }))).toEqual(['unknown', 'timeout']);
    await until('the socket is given up', () => server.connections[0]?.destroyed === true);
    expect(server.requests).toHaveLength(1);
  });

  test('that never comes, or comes too slowly, is unknown when the time is over', async () => {
    const stop = new AbortController();
    const server = await serve(({ socket, path }) => {
      if (path === '/silent') return;
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const drip = () => {
        if (!socket.writable) return;
        socket.write('1\r\n \r\n');
        void systemTime.sleep(10, stop.signal).then(() => (stop.signal.aborted ? undefined : drip()));
      };
      drip();
    });
    const http = client();
    for (const path of ['/silent', '/drips']) {
      expect(kindOf(await call(http, post(server.url + path), { timeoutMs: 100 }))).toEqual([
        'unknown',
        'timeout',
      ]);
    }
    stop.abort();
    expect(server.requests).toHaveLength(2);
  });

  test('may come after the time to send is over', async () => {
    const server = await serve(({ socket }) => {
      void systemTime.sleep(600).then(() => socket.write(answerText('{}')));
    });
    expect(kindOf(await call(client(), post(server.url), { sendMs: 500 }))).toBe(200);
  });

  test('has its own time, which begins when the request is written', async () => {
    const server = await serve(({ socket, path }) => {
      if (path !== '/first') return void socket.write(answerText('{}'));
      void systemTime.sleep(600).then(() => socket.write(answerText('{}')));
    });
    const http = client({ connections: 1 });
    const first = call(http, post(`${server.url}/first`));
    // It waits for the only socket for longer than its answer may take.
    const second = call(http, post(`${server.url}/second`), { timeoutMs: 100 });
    expect([await first, await second].map(kindOf)).toEqual([200, 200]);
  });
});

describe('a call without a connection', () => {
  test('is not sent where the connection is refused', async () => {
    const port = await freePort(null);
    expect(kindOf(await call(client(), post(`http://127.0.0.1:${port}/`)))).toEqual([
      'notSent',
      'econnrefused',
    ]);
    const either = await call(client(), post(`http://localhost:${port}/`));
    expect(kindOf(either)).toEqual(['notSent', 'econnrefused']);
  });

  test('is not sent where the name is not known', async () => {
    const result = await call(client(), post('http://provider.invalid/orders'));
    expect(result.kind).toBe('notSent');
    // The first where a resolver says so, the second on a machine without one.
    expect(['enotfound', 'eai_again']).toContain(result.kind === 'notSent' && result.code);
  });

  test('is not sent where TLS fails', async () => {
    const plain = createServer(
      (socket) => void socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    );
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    // A server that listens on a TCP port has such an address.
    const { port } = plain.address() as AddressInfo;
    const result = await call(client(), post(`https://127.0.0.1:${port}/orders`));
    plain.close();
    expect(result).toMatchObject({ kind: 'notSent', code: expect.stringMatching(/^err_ssl_[a-z_]+$/) });
  });

  test('is not sent where connecting takes longer than there is to send, nor when it ends after all', async () => {
    // It takes the connection, and is silent where the other side waits for TLS to begin.
    const server = await serve(() => undefined);
    const url = server.url.replace('http:', 'https:');
    expect(kindOf(await call(client(), post(url), { sendMs: 60 }))).toEqual(['notSent', 'send_by']);
    expect(server.requests).toHaveLength(0);
  });
});

describe('a request that cannot be built', () => {
  test.each([
    [
      'a header that breaks the line',
      { method: 'POST' as const, url: 'http://127.0.0.1:9/', headers: { 'x-a': 'b\r\nX-Evil: 1' } },
    ],
    ['a URL that is none', { method: 'POST' as const, url: 'not a url', headers: {} }],
  ])('is a bug or not sent, never unknown: %s', async (_what, request) => {
    const result = await Promise.resolve()
      .then(() => call(client(), request))
      .then(
        (value) => value.kind,
        () => 'thrown',
      );
    expect(['notSent', 'thrown']).toContain(result);
  });
});

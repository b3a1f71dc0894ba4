import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Operator } from '../../src/operator.js';
import { PROBLEMS, type ProblemName, refused } from '../../src/problem.js';
import { type Answer, type Ask, BEARER, type Method, type TestApi, testApi } from './harness.js';

const MIB = 1024 * 1024;
const ORDER = { account: 'a', reference: 'r' };

let api: TestApi;
let thrown: unknown;

const verbs: Partial<Operator> = {
  getOrder: async (id) => {
    if (id === 'throws') throw thrown;
    return refused('not-found', 'There is no such order.');
  },
  getDeadLetter: async () => refused('forbidden', 'Not yours.'),
  submit: async () => refused('reference-taken', 'Another body.'),
  cancel: async () => refused('not-possible', 'Delivered.'),
  correct: async () => refused('already-sent', 'Sent.'),
  discard: async () => refused('already-decided', 'Adopted.'),
  adopt: async () => refused('id-taken', 'Held.'),
  listOrders: async () => refused('bad-request', 'The cursor cannot be read.'),
  updateShipment: async () =>
    refused('invalid', 'Wrong.', [{ pointer: '/shippingAddress/a~1b', code: 'unknown_field', detail: 'no' }]),
};

beforeAll(async () => {
  api = await testApi({ verbs });
});

function expectProblem(answer: Answer, name: ProblemName): Record<string, unknown> {
  const { status, title } = PROBLEMS[name];
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  const body = answer.json();
  expect(body).toMatchObject({ type: `https://packline.dev/problems/${name}`, title, status });
  expect(body).toHaveProperty('detail', expect.stringMatching(/\S/));
  // Just asserted to be an object of this kind.
  return body as Record<string, unknown>;
}

describe('what the operator refuses', () => {
  const refusals: [ProblemName, Method, string, Ask][] = [
    ['not-found', 'GET', '/v1/orders/nothing', {}],
    ['forbidden', 'GET', '/v1/dead-letters/x', {}],
    ['reference-taken', 'POST', '/v1/orders', { body: ORDER }],
    ['not-possible', 'POST', '/v1/orders/x/cancel', {}],
    ['already-sent', 'PUT', '/v1/orders/x', { body: ORDER }],
    ['already-decided', 'POST', '/v1/dead-letters/x/discard', { body: { reason: 'old' } }],
    ['id-taken', 'POST', '/v1/dead-letters/x/adopt', { body: { providerOrderId: 'p' } }],
    ['bad-request', 'GET', '/v1/orders?cursor=garbage', {}],
    ['invalid', 'POST', '/v1/orders/x/shipment', { body: { shippingAddress: {} } }],
  ];

  test.each(refusals)('is answered as %s', async (name, method, path, ask) => {
    expectProblem(await api.asOperator(method, path, ask), name);
  });

  test('keeps its pointers', async () => {
    const answer = await api.asOperator('POST', '/v1/orders/x/shipment', { body: {} });
    expect(answer.json()).toHaveProperty('errors', [
      { pointer: '/shippingAddress/a~1b', code: 'unknown_field', detail: 'no' },
    ]);
  });
});

describe('a body that cannot be read', () => {
  const bodies: [string, string | Buffer][] = [
    ['is cut off', '{"account": '],
    ['is empty', ''],
    ['is text', 'hello'],
    ['reaches for a prototype', '{"account": "a", "__proto__": {"x": 1}}'],
    ['reaches for a constructor’s prototype', '{"constructor": {"prototype": {"x": 1}}}'],
    ['is not UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])],
    ['nests without end', `{"options": ${'['.repeat(101)}${']'.repeat(101)}}`],
  ];

  test.each(bodies)('is a 400 when it %s', async (_how, body) => {
    const headers = { 'content-type': 'application/json' };
    expectProblem(await api.asOperator('POST', '/v1/orders', { headers, body }), 'bad-request');
  });

  test('is not one with many brackets in a string, or side by side', async () => {
    const text = JSON.stringify({
      notes: `\\"${'['.repeat(500)}`,
      list: Array.from({ length: 500 }, () => [{}]),
    });
    expectProblem(await api.asOperator('POST', '/v1/orders', { body: text }), 'reference-taken');
  });

  test('raises no alarm when its sender leaves halfway', async () => {
    const left = once(api.app.server, 'request').then(
      ([request]: IncomingMessage[]) => request && once(request, 'close'),
    );
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    const before = api.log.length;
    socket.write(
      `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"account"',
    );
    await once(api.app.server, 'request');
    socket.destroy();
    // It closes with an error, which is what this is about.
    await left.catch(() => undefined);
    expect(api.log.slice(before).filter(({ level }) => Number(level) > 20)).toEqual([]);
  });
});

describe('a content type other than JSON', () => {
  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense'])(
    '%s is a 415',
    async (type) => {
      const answer = await api.asOperator('POST', '/v1/orders', {
        headers: { 'content-type': type },
        body: '{}',
      });
      expectProblem(answer, 'unsupported-media-type');
    },
  );

  test('JSON with a charset is JSON', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    expectProblem(await api.asOperator('POST', '/v1/orders', { headers, body: '{}' }), 'reference-taken');
  });
});

describe('the size of a body', () => {
  const padded = (bytes: number) => {
    const frame = '{"orders": [], "x": ""}';
    return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
  };

  test.each([
    ['an order of 1 MiB', '/v1/orders', MIB, 'reference-taken'],
    ['an order above 1 MiB', '/v1/orders', MIB + 1, 'too-large'],
    ['an order far above', '/v1/orders', 20 * MIB, 'too-large'],
    ['a batch of 16 MiB', '/v1/orders/batch', 16 * MIB, 'invalid'],
    ['a batch above 16 MiB', '/v1/orders/batch', 16 * MIB + 1, 'too-large'],
  ] as const)('%s is answered on the wire', async (_what, path, bytes, name) => {
    expectProblem(await api.asOperator('POST', path, { body: padded(bytes) }), name);
  });
});

test('a client that sends all of a large body before it reads still reads its 413', async () => {
  const bytes = 20 * MIB;
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  socket.write(
    `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER.authorization}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n`,
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.write(Buffer.alloc(bytes, 'x'), () => resolve());
  });
  const [heard] = await once(socket, 'data');
  socket.destroy();
  expect(String(heard)).toMatch(/^HTTP\/1.1 413 /);
});

describe('a query that cannot be read', () => {
  test.each([
    ['/v1/orders?limit=0', 'limit'],
    ['/v1/orders?limit=501', 'limit'],
    ['/v1/orders?limit=ten', 'limit'],
    ['/v1/orders?status=lost', 'status'],
    ['/v1/orders?colour=red', 'colour'],
    ['/v1/orders?account=a&account=b', 'account'],
    ['/v1/orders?reference=%00', 'reference'],
    ['/v1/dead-letters?state=new', 'state'],
    ['/v1/orders/x/timeline?limit=-1', 'limit'],
  ])('%s is a 400 that names the parameter', async (path, name) => {
    const body = expectProblem(await api.asOperator('GET', path), 'bad-request');
    expect(body.detail).toContain(`${name}:`);
  });

  test('validateOnly takes true and false, and an order is not stored by mistake', async () => {
    for (const value of ['', '1', 'yes', 'TRUE']) {
      const answer = await api.asOperator('POST', `/v1/orders?validateOnly=${value}`, { body: ORDER });
      expectProblem(answer, 'bad-request');
    }
  });
});

describe('small bodies', () => {
  const wrong: [string, string, unknown, { pointer: string; code: string }[]][] = [
    ['pause', '/v1/accounts/a/pause', {}, [{ pointer: '/reason', code: 'required' }]],
    [
      'pause',
      '/v1/accounts/a/pause',
      { reason: 7, until: 'tomorrow', 'a/b~c': 1 },
      [
        { pointer: '/reason', code: 'invalid' },
        { pointer: '/until', code: 'invalid' },
        { pointer: '/a~1b~0c', code: 'unknown_field' },
      ],
    ],
    [
      'pause',
      '/v1/accounts/a/pause',
      { reason: 'zero\u0000byte' },
      [{ pointer: '/reason', code: 'invalid' }],
    ],
    ['pause', '/v1/accounts/a/pause', null, [{ pointer: '', code: 'invalid' }]],
    [
      'adopt',
      '/v1/dead-letters/x/adopt',
      { providerOrderId: '' },
      [{ pointer: '/providerOrderId', code: 'invalid' }],
    ],
    ['discard', '/v1/dead-letters/x/discard', { reason: '' }, [{ pointer: '/reason', code: 'invalid' }]],
    ['replay', '/v1/dead-letters/x/replay', { force: true }, [{ pointer: '/reason', code: 'invalid' }]],
    ['bulk replay', '/v1/dead-letters/replay', { limit: 0 }, [{ pointer: '/limit', code: 'invalid' }]],
    ['bulk replay', '/v1/dead-letters/replay', { ids: ['a', 1] }, [{ pointer: '/ids/1', code: 'invalid' }]],
    ['sync', '/v1/sync', { acount: 'a' }, [{ pointer: '/acount', code: 'unknown_field' }]],
    ['cancel', '/v1/orders/x/cancel', { now: true }, [{ pointer: '/now', code: 'unknown_field' }]],
    ['resume', '/v1/accounts/a/resume', { now: true }, [{ pointer: '/now', code: 'unknown_field' }]],
  ];

  test.each(wrong)('%s at %s refuses %j with all its mistakes', async (_verb, path, body, errors) => {
    const text = JSON.stringify(body);
    const answer = expectProblem(await api.asOperator('POST', path, { body: text }), 'invalid');
    expect(answer.errors).toEqual(errors.map((error) => ({ ...error, detail: expect.stringMatching(/\S/) })));
  });

  test('a missing body is a 400 where one is needed', async () => {
    expectProblem(await api.asOperator('POST', '/v1/accounts/a/pause'), 'bad-request');
  });
});

describe('what is not there', () => {
  test.each([
    ['GET', '/v1/nothing'],
    ['DELETE', '/v1/orders/x'],
    ['PATCH', '/v1/orders'],
    ['POST', '/healthz'],
    ['GET', `/v1/orders/${'x'.repeat(201)}`],
    ['GET', `/v1/orders/${'x'.repeat(5000)}`],
    ['GET', '/v1/orders/%00'],
    ['GET', '/console'],
  ] as const)('%s %s is a 404', async (method, path) => {
    expectProblem(await api.asOperator(method, path), 'not-found');
  });

  test('a path that cannot be decoded is a 400', async () => {
    expectProblem(await api.asOperator('GET', '/v1/orders/%zz'), 'bad-request');
  });
});

describe('an exception', () => {
  const ask = (error: unknown) => {
    thrown = error;
    return api.asOperator('GET', '/v1/orders/throws?limit=1');
  };

  test('is a 500 that tells nothing, and is logged with its stack', async () => {
    const cause = new Error('inner words');
    const error = Object.assign(new TypeError('outer words', { cause }), {
      url: '/x?email=a@b.c',
      statusCode: 404,
    });
    const answer = await ask(error);
    expectProblem(answer, 'internal');
    expect(answer.text).not.toMatch(/words|stack|TypeError/);
    const line = api.log.find(({ msg }) => msg === 'api.failed');
    expect(line).toMatchObject({
      level: 50,
      route: '/v1/orders/:id',
      error: { type: 'TypeError', stack: expect.stringMatching(/outer words.*at .*inner words/s) },
    });
    expect(JSON.stringify(line)).not.toContain('a@b.c');
  });

  test('of no kind is one all the same', async () => {
    expectProblem(await ask('text'), 'internal');
    expectProblem(await ask(null), 'internal');
    expectProblem(await ask(undefined), 'internal');
  });

  test('from a database that does not answer is a 503 with Retry-After', async () => {
    const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    const answer = await ask(new Error('query failed', { cause }));
    expectProblem(answer, 'not-available');
    expect(answer.headers['retry-after']).toBe('5');
    expect(api.log).toContainEqual(expect.objectContaining({ level: 40, msg: 'api.not_available' }));
  });

  test('is what an answer off its schema counts as', async () => {
    const wrong = await testApi({
      // A bug in the operator, which its type forbids.
      verbs: { explainProvider: () => ({ ok: true, value: { provider: 7, rules: [] } }) as never },
    });
    const answer = await wrong.asOperator('GET', '/v1/providers/x/policy');
    expectProblem(answer, 'internal');
  });
});

describe('bytes that are no HTTP', () => {
  const speak = (bytes: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1', () => socket.write(bytes));
      let heard = '';
      socket.on('data', (chunk) => {
        heard += chunk.toString();
      });
      socket.on('end', () => resolve(heard));
      socket.on('error', reject);
    });

  test('are answered with a 400 problem', async () => {
    const heard = await speak('HELLO\r\n\r\n');
    expect(heard).toMatch(/^HTTP\/1.1 400 Bad Request\r\n.*application\/problem\+json.*bad-request/s);
  });

  test('are a 431 problem when the head is too long', async () => {
    const heard = await speak(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(heard).toMatch(/^HTTP\/1.1 431 .*application\/problem\+json.*about:blank/s);
  });
});

import { createServer } from 'node:net';
import { Pool } from 'pg';
import { freePort } from '../../src/database/embedded/processes.js';
import { isUnavailable } from '../../src/database/unavailable.js';

const coded = (code: string) => Object.assign(new Error('failed'), { code });

const unavailable: [string, unknown][] = [
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOTFOUND',
    'EAI_AGAIN',
  ].map((code): [string, unknown] => [`the socket's ${code}`, coded(code)]),
  ...['57P01', '57P02', '57P03', '53100', '53300', '08000', '08006', '08P01'].map(
    (code): [string, unknown] => [`PostgreSQL's ${code}`, coded(code)],
  ),
  ...['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2037'].map((code): [string, unknown] => [
    `Prisma's ${code}`,
    coded(code),
  ]),
  ['a code at the initialisation of Prisma', Object.assign(new Error('no'), { errorCode: 'P1001' })],
  [
    'a code deep in the chain of causes',
    new Error('a', { cause: new Error('b', { cause: coded('08006') }) }),
  ],
  ['one of several errors', new AggregateError([new Error('IPv6'), coded('ECONNREFUSED')])],
  [
    'an adapter’s kind',
    new Error('DatabaseNotReachable', { cause: { kind: 'DatabaseNotReachable', port: 1 } }),
  ],
  ['an adapter’s original code', new Error('x', { cause: { kind: 'postgres', originalCode: '57P01' } })],
  [
    'a raw query’s driver error',
    Object.assign(coded('P2010'), {
      meta: { driverAdapterError: new Error('x', { cause: { originalCode: '57P03' } }) },
    }),
  ],
  ['a connection that ended, without a code', new Error('Connection terminated unexpectedly')],
  ['a pool that waited in vain, without a code', new Error('timeout exceeded when trying to connect')],
];

const loop = new Error('loop');
loop.cause = loop;

const bugs: [string, unknown][] = [
  ['a TypeError', new TypeError('x is not a function')],
  ['a unique violation', coded('23505')],
  ['a syntax error in SQL', coded('42601')],
  ['Prisma’s unique violation', coded('P2002')],
  ['a dropped database', coded('3D000')],
  ['a code that only begins like one', coded('0800')],
  ['a code that is a number', Object.assign(new Error('x'), { code: 8006 })],
  ['a message that mentions a code', new Error('ECONNREFUSED')],
  ['text', 'ECONNREFUSED'],
  ['null', null],
  ['undefined', undefined],
  ['an error that is its own cause', loop],
];

describe('a store that does not answer', () => {
  test.each(unavailable)('is known by %s', (_what, error) => {
    expect(isUnavailable(error)).toBe(true);
  });

  test.each(bugs)('is not %s', (_what, error) => {
    expect(isUnavailable(error)).toBe(false);
  });

  test('is known from what pg really throws when nobody listens', async () => {
    const pool = new Pool({ host: '127.0.0.1', port: await freePort(null), connectionTimeoutMillis: 5_000 });
    const error: unknown = await pool.query('select 1').catch((thrown: unknown) => thrown);
    await pool.end();
    expect(isUnavailable(error)).toBe(true);
  });

  test('is known from what pg really throws when the server hangs up', async () => {
    const server = createServer((socket) => socket.destroy());
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const pool = new Pool({ host: '127.0.0.1', port, connectionTimeoutMillis: 5_000 });
    const error: unknown = await pool.query('select 1').catch((thrown: unknown) => thrown);
    await pool.end();
    server.close();
    expect(isUnavailable(error)).toBe(true);
  });
});

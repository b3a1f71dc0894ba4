import { createRequire } from 'node:module';
import { jest } from '@jest/globals';
import { Queue } from 'bullmq';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { BEARER, KEY, type Method, type TestApi, testApi } from './harness.js';
import { record } from './openapi.js';

const NAME = 'fulfil-gelato-eu';

let redis: TestRedis;
let api: TestApi;
const queues: Queue[] = [];
let changed = () => {};

function addQueue(name: string): Queue {
  const connection = { ...hostAndPort(redis.url), maxRetriesPerRequest: 1 };
  const queue = new Queue(name, { connection, prefix: '{packline}' });
  queues.push(queue);
  return queue;
}

function hostAndPort(url: string) {
  const { hostname, port, pathname } = new URL(url);
  return { host: hostname, port: Number(port), db: Number(pathname.slice(1)) };
}

beforeAll(async () => {
  redis = await startRedis();
  await addQueue(NAME).add('submit', { operationId: 'op-1' }, { jobId: 'submit-op-1-1', delay: 3_600_000 });
  api = await testApi({
    board: {
      queues: () => queues,
      onChange: (callback) => {
        changed = callback;
      },
    },
  });
});

afterAll(async () => {
  for (const queue of queues) await queue.close();
  await redis.stop();
});

const namesOnTheBoard = async () => {
  const { queues: shown } = record((await api.asOperator('GET', '/queues/api/queues')).json());
  return Array.isArray(shown) ? shown.map((queue) => record(queue).name) : [];
};

test('the board shows its page, its assets and the queue, read-only', async () => {
  const page = await api.asOperator('GET', '/queues');
  expect(page.status).toBe(200);
  expect(page.text).toContain('<base href="/queues/" />');
  const [, script] = /src="(static\/js\/main[^"]+)"/.exec(page.text) ?? [];
  expect((await api.asOperator('GET', `/queues/${script}`)).status).toBe(200);

  const board = await api.asOperator('GET', `/queues/api/queues?activeQueue=${NAME}&status=delayed`);
  expect(board.json()).toMatchObject({
    queues: [{ name: NAME, readOnlyMode: true, allowRetries: false, jobs: [{ id: 'submit-op-1-1' }] }],
  });
  expect((await api.asOperator('GET', `/queues/api/queues/${NAME}/submit-op-1-1`)).status).toBe(200);
});

test('the page’s scripts and styles are the ones that its policy allows', async () => {
  const { headers, text } = await api.asOperator('GET', '/queues');
  expect(headers['content-security-policy']).toMatch(/script-src 'self';style-src 'self' 'unsafe-inline'/);
  const inline = [...text.matchAll(/<script(?![^>]*\ssrc=)([^>]*)>/g)].map(([, attributes]) => attributes);
  // A block of JSON is data, not script.
  expect(inline).toEqual([' id="__UI_CONFIG__" type="application/json"']);
});

/** Bull Board's own list of its routes, so that one that a new version brings is tried as well. */
function mutatingCalls(): { method: Method; path: string }[] {
  const { appRoutes }: { appRoutes: { api: { method: string; route: string | string[] }[] } } = createRequire(
    import.meta.url,
  )('@bull-board/api/dist/routes.js');
  return appRoutes.api
    .filter(({ method }) => method !== 'get')
    .flatMap(({ method, route }) =>
      [route].flat().map((pattern) => ({
        // Bull Board writes HTTP's methods in small letters.
        method: method.toUpperCase() as Method,
        path: `/queues${pattern}`
          .replace(':queueName', NAME)
          .replace(':jobId', 'submit-op-1-1')
          .replace(':queueStatus', 'delayed')
          .replace(':schedulerId', 's'),
      })),
    );
}

test('every call that would change something is a 405, by key or by session, and changes nothing', async () => {
  const login = await api.ask('POST', '/login', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `key=${KEY}`,
  });
  const cookie = String(login.headers['set-cookie']).split(';', 1)[0] ?? '';
  const calls = mutatingCalls();
  expect(calls.length).toBeGreaterThan(20);
  for (const { method, path } of calls) {
    for (const headers of [BEARER, { cookie }]) {
      const answer = await api.ask(method, path, { headers, body: {} });
      expect({ method, path, status: answer.status }).toEqual({ method, path, status: 405 });
      expect(answer.headers.allow).toBe('GET, HEAD');
    }
    expect((await api.ask(method, path, { body: {} })).status).toBe(401);
  }
  const [queue] = queues;
  expect(await queue?.isPaused()).toBe(false);
  expect(await queue?.getJobCounts('delayed', 'waiting')).toEqual({ delayed: 1, waiting: 0 });
});

test('queues come and go with the accounts', async () => {
  const added = addQueue('fulfil-wasal');
  expect(await namesOnTheBoard()).toEqual([NAME]);
  changed();
  expect(await namesOnTheBoard()).toEqual([NAME, 'fulfil-wasal']);
  expect((await api.asOperator('PUT', '/queues/api/queues/fulfil-wasal/pause', { body: {} })).status).toBe(
    405,
  );
  queues.pop();
  await added.close();
  changed();
  expect(await namesOnTheBoard()).toEqual([NAME]);
});

test('an error behind the board tells nothing of itself', async () => {
  const [queue] = queues;
  if (queue === undefined) throw new Error('the queue is gone');
  const failing = await testApi({ board: { queues: () => [queue], onChange: () => undefined } });
  const spy = jest.spyOn(queue, 'getJobCounts').mockRejectedValue(new Error('inner words'));
  const answer = await failing.asOperator('GET', '/queues/api/queues');
  spy.mockRestore();
  expect(answer.status).toBe(500);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.text).not.toContain('inner words');
  expect(failing.log).toContainEqual(expect.objectContaining({ msg: 'api.failed' }));
});

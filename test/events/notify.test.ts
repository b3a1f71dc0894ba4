import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { freePort } from '../../src/database/embedded/processes.js';
import { type Alert, alert } from '../../src/events/alerts.js';
import { createNotifier, type Notifier, type NotifierOptions } from '../../src/events/notify.js';
import { createLog } from '../../src/log.js';
import { systemTime } from '../../src/time.js';
import { type FakeTime, fakeTime } from '../helpers/fake-time.js';
import { until } from '../helpers/until.js';

interface Sink {
  url: string;
  received: { method: string | undefined; type: string | undefined; body: unknown }[];
}

let time: FakeTime;
let lines: { event?: string; status?: number; tried?: number; alert?: unknown; level?: string }[];
const closers: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  time = fakeTime();
  lines = [];
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function sink(
  answer: (response: ServerResponse, number: number) => void = (response) => response.end(),
): Promise<Sink> {
  const received: Sink['received'] = [];
  const server: Server = createServer(async (request: IncomingMessage, response) => {
    const body = await json(request);
    received.push({ method: request.method, type: request.headers['content-type'], body });
    answer(response, received.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/hook`,
    received,
  };
}

function notifier(options: Partial<NotifierOptions>): Notifier {
  const log = createLog('info', { write: (line: string) => void lines.push(JSON.parse(line)) });
  return createNotifier({ log, time, ...options });
}

const bug = (reference = 'A-1', more: Partial<Alert> = {}): Alert => ({
  ...alert(
    'bug',
    { account: 'shop', orderId: `order of ${reference}`, reference, message: 'parked' },
    time.clock.now(),
  ),
  ...more,
});

/** Lets one pause of a delivery pass. */
async function passPause(ms: number): Promise<void> {
  await time.whenAsleep();
  time.advance(ms);
}

describe('an alert', () => {
  test('is posted as JSON, with the fields that the contract names, and is a line of the log', async () => {
    const { url, received } = await sink();
    const tell = notifier({ webhookUrl: url });
    tell.tell(bug());
    await tell.close();
    expect(received).toEqual([
      {
        method: 'POST',
        type: 'application/json',
        body: {
          code: 'bug',
          severity: 'critical',
          account: 'shop',
          orderId: 'order of A-1',
          reference: 'A-1',
          message: 'parked',
          at: '2026-01-01T00:00:00.000Z',
          dedupeKey: 'bug:order of A-1',
        },
      },
    ]);
    expect(lines).toMatchObject([
      { level: 'error', event: 'alert.bug', alert: { account: 'shop', code: 'bug' } },
    ]);
  });

  test('about an account names no order', async () => {
    const { url, received } = await sink();
    const tell = notifier({ webhookUrl: url });
    tell.tell(alert('account_paused', { account: 'shop', message: 'auth: refused' }, time.clock.now()));
    await tell.close();
    expect(received[0]?.body).toEqual({
      code: 'account_paused',
      severity: 'critical',
      account: 'shop',
      message: 'auth: refused',
      at: '2026-01-01T00:00:00.000Z',
      dedupeKey: 'account_paused:shop',
    });
  });

  test('is a sentence for Slack, and only there where nothing else is configured', async () => {
    const { url, received } = await sink();
    const tell = notifier({ slackUrl: url });
    tell.tell(bug());
    tell.tell(alert('funds', { account: 'shop', message: 'the wallet is empty' }, time.clock.now()));
    await tell.close();
    const bodies = received.map(({ body }) => JSON.stringify(body));
    expect(bodies.sort()).toEqual([
      '{"text":"[critical] bug shop/A-1: parked"}',
      '{"text":"[error] funds shop: the wallet is empty"}',
    ]);
  });

  test('equal to one of the last minute is neither logged nor posted again; another one is', async () => {
    const { url, received } = await sink();
    const tell = notifier({ webhookUrl: url });
    tell.tell(bug('A-1'));
    time.advance(59_999);
    tell.tell(bug('A-1'));
    tell.tell(bug('A-2'));
    time.advance(1);
    tell.tell(bug('A-1'));
    await tell.close();
    expect(lines).toHaveLength(3);
    const references = received.map(({ body }) => JSON.stringify(body).match(/A-\d/)?.[0]);
    expect(references.sort()).toEqual(['A-1', 'A-1', 'A-2']);
  });
});

describe('a sink that', () => {
  test('answers 500 is tried again, and once it has taken the alert no more', async () => {
    const { url, received } = await sink((response, number) => {
      response.statusCode = number <= 2 ? 500 : 204;
      response.end();
    });
    const tell = notifier({ webhookUrl: url });
    tell.tell(bug());
    await passPause(2_000);
    await passPause(4_000);
    await until('it was taken', () => received.length === 3);
    await tell.close();
    expect(received).toHaveLength(3);
    expect(lines.filter(({ event }) => event === 'alert.refused')).toMatchObject([
      { status: 500, tried: 1 },
      { status: 500, tried: 2 },
    ]);
  });

  test('never takes it is given up after four tries, without a further pause', async () => {
    const { url, received } = await sink((response) => {
      response.statusCode = 500;
      response.end();
    });
    const tell = notifier({ webhookUrl: url });
    tell.tell(bug());
    for (const pause of [2_000, 4_000, 6_000]) await passPause(pause);
    await until(
      'the last try was refused',
      () => lines.filter(({ event }) => event === 'alert.refused').length === 4,
    );
    // Nothing sleeps any more, so that close has nothing to wait for.
    await tell.close();
    expect(received).toHaveLength(4);
  });

  test.each([
    ['is not there', async () => `http://127.0.0.1:${await freePort(null)}/`],
    ['has no address', async () => 'not a url'],
    ['has a name that nobody knows', async () => 'http://sink.invalid/'],
  ])('%s never throws, and the log says so', async (_what, where) => {
    const tell = notifier({ webhookUrl: await where() });
    expect(() => tell.tell(bug())).not.toThrow();
    for (const pause of [2_000, 4_000, 6_000]) await passPause(pause);
    await until(
      'all tries have failed',
      () => lines.filter(({ event }) => event === 'alert.undelivered').length === 4,
    );
    await tell.close();
  });

  test('redirects is not followed', async () => {
    const target = await sink();
    const { url, received } = await sink((response) => {
      response.writeHead(302, { location: target.url });
      response.end();
    });
    const tell = notifier({ webhookUrl: url });
    tell.tell(bug());
    await passPause(2_000);
    await until('it was tried again', () => received.length === 2);
    await passPause(4_000);
    expect(target.received).toEqual([]);
  });

  test('is dead keeps the other one from nothing', async () => {
    const slack = await sink();
    const tell = notifier({ webhookUrl: 'http://127.0.0.1:1/', slackUrl: slack.url });
    tell.tell(bug());
    await until('the other one has it', () => slack.received.length === 1);
  });
});

describe('closing', () => {
  test.each([
    ['never answers', () => undefined],
    [
      'answers without end',
      (response: ServerResponse) => {
        response.write('x');
        const drip = () => {
          if (response.destroyed) return;
          response.write('x');
          void systemTime.sleep(20).then(drip);
        };
        drip();
      },
    ],
  ])('is bounded where a sink %s', async (_what, answer) => {
    const { url, received } = await sink(answer);
    const tell = notifier({ webhookUrl: url });
    tell.tell(bug());
    await until('it has come', () => received.length === 1);
    const start = systemTime.clock.monotonic();
    const closed = tell.close();
    await passPause(2_000);
    await closed;
    expect(systemTime.clock.monotonic() - start).toBeLessThan(3_000);
  });

  test('is immediate where nothing is under way, and leaves no timer behind', async () => {
    const asleep: AbortSignal[] = [];
    const tell = notifier({
      time: {
        ...time,
        sleep: (ms, signal) => {
          if (signal !== undefined) asleep.push(signal);
          return time.sleep(ms, signal);
        },
      },
    });
    await tell.close();
    expect(asleep.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test('gives up a delivery that pauses between two tries', async () => {
    const { url, received } = await sink((response) => {
      response.statusCode = 503;
      response.end();
    });
    const tell = notifier({ webhookUrl: url });
    tell.tell(bug());
    await time.whenAsleep();
    const closed = tell.close();
    await time.whenAsleep(2);
    time.advance(1_999);
    time.advance(1);
    await closed;
    expect(received.length).toBeLessThanOrEqual(2);
  });
});

test('beyond fifty deliveries under way the line in the log has to do', async () => {
  const { url, received } = await sink(() => undefined);
  const tell = notifier({ webhookUrl: url });
  for (let n = 0; n < 60; n += 1) tell.tell(bug(`A-${n}`));
  expect(lines.filter(({ event }) => event === 'alert.bug')).toHaveLength(60);
  await until('fifty have come', () => received.length === 50);
  const closed = tell.close();
  await passPause(2_000);
  await closed;
  expect(received).toHaveLength(50);
});

import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { data, idOf, rig, rows, SANDBOX, stopAll } from './wasal-calls.js';

interface Delivered {
  headers: Record<string, unknown>;
  text: string;
}

interface Receiver {
  url: string;
  /** Resolves to the oldest deliveries that were not taken yet, once there are so many. */
  take(count: number): Promise<Delivered[]>;
  /** How many there are beyond those taken. */
  readonly waiting: number;
  /** How many senders went away without an answer. */
  readonly hangups: number;
  untilHangup(): Promise<void>;
}

const servers: Server[] = [];

afterEach(async () => {
  await stopAll();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A web server that takes webhooks and answers with this status; null: never. */
async function receiver(status: number | null = 200): Promise<Receiver> {
  const delivered: Delivered[] = [];
  let hangups = 0;
  let wake: () => void = () => undefined;
  const until = async (come: () => boolean) => {
    while (!come()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      delivered.push({ headers: request.headers, text });
      if (status !== null) response.writeHead(status).end();
      wake();
    });
    response.on('close', () => {
      if (!response.writableEnded) hangups += 1;
      wake();
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a TCP port has an address of this type (Node.js documentation, "server.address").
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    take: async (count) => {
      await until(() => delivered.length >= count);
      return delivered.splice(0, count);
    },
    get waiting() {
      return delivered.length;
    },
    get hangups() {
      return hangups;
    },
    untilHangup: () => until(() => hangups > 0),
  };
}

/** Event and status of each, in whatever order they arrived. */
function summary(delivered: Delivered[]): string[] {
  return delivered
    .map(({ text }) => {
      const { event, timestamp, data: order } = JSON.parse(text);
      return `${timestamp} ${event} ${order.status}`;
    })
    .sort();
}

describe('webhooks', () => {
  test('are signed over the bytes of their body', async () => {
    const { url, take } = await receiver();
    const { place } = await rig({ webhook: { url }, webhookSecret: 'hook-secret', stepMs: 0 });
    const id = await place('طلب-1');
    const [delivered] = await take(1);
    const { headers, text } = delivered ?? { headers: {}, text: '' };
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-wasal-event': 'order.created',
      'x-wasal-signature': `sha256=${createHmac('sha256', 'hook-secret').update(text).digest('hex')}`,
    });
    expect(JSON.parse(text)).toEqual({
      event: 'order.created',
      timestamp: '2026-01-01T00:00:00.000Z',
      data: {
        orderId: id,
        orderNumber: 'MAIN-000001',
        status: 'pending',
        orderMerchantReferenceNumber: 'طلب-1',
      },
    });
  });

  test('tell of every status that an order passes by itself', async () => {
    const { url, take } = await receiver();
    const { place, time } = await rig({ webhook: { url }, stepMs: 1_000 });
    await place('ref-1');
    await take(1);
    time.advance(1_000);
    expect(summary(await take(1))).toEqual(['2026-01-01T00:00:01.000Z order.status_changed assigned']);
    time.advance(60_000);
    expect(summary(await take(5))).toEqual([
      '2026-01-01T00:00:02.000Z order.status_changed on_way_to_merchant',
      '2026-01-01T00:00:03.000Z order.status_changed picked_up',
      '2026-01-01T00:00:04.000Z order.status_changed in_transit',
      '2026-01-01T00:00:05.000Z order.delivered delivered',
      '2026-01-01T00:00:05.000Z order.status_changed delivered',
    ]);
  });

  test('tell of what is done to an order, and not of what it would have become', async () => {
    const { url, take } = await receiver();
    const { place, cancel, activate, time } = await rig({ webhook: { url }, stepMs: 1_000 });
    const id = await place('ref-1', { draft: true });
    expect(summary(await take(1))).toEqual(['2026-01-01T00:00:00.000Z order.created draft']);
    time.advance(10_000);
    await activate(id);
    time.advance(500);
    await cancel(id);
    expect(summary(await take(3))).toEqual([
      '2026-01-01T00:00:10.000Z order.status_changed pending',
      '2026-01-01T00:00:10.500Z order.cancelled cancelled',
      '2026-01-01T00:00:10.500Z order.status_changed cancelled',
    ]);
    time.advance(10_000);
    await place('ref-2', { draft: true });
    expect(summary(await take(1))).toEqual(['2026-01-01T00:00:20.500Z order.created draft']);
  });

  test('tell nothing of the sandbox', async () => {
    const hook = await receiver();
    const { place, move, time } = await rig({ webhook: { url: hook.url }, stepMs: 1_000 });
    const id = await place('test-1', {}, { key: SANDBOX });
    await move(id, 'delivered');
    time.advance(10_000);
    await place('live-1', { draft: true });
    expect(summary(await hook.take(1))).toEqual(['2026-01-01T00:00:10.000Z order.created draft']);
    expect(hook.waiting).toBe(0);
  });

  test('registered late tell of the orders that exist, and only of the events asked for', async () => {
    const { url, take } = await receiver();
    const { place, control, advance, time } = await rig({ stepMs: 1_000 });
    await place('ref-1');
    time.advance(500);
    await place('ref-2');
    time.advance(1_000);
    const heard = await control({ url, events: ['order.status_changed'] }, '/webhook');
    expect(heard.json()).toEqual({
      webhook: { _id: expect.any(String), url, active: true, events: ['order.status_changed'] },
    });
    time.advance(500);
    expect(summary(await take(1))).toEqual([
      '2026-01-01T00:00:02.000Z order.status_changed on_way_to_merchant',
    ]);
    await advance('ref-1', 'failed');
    await advance('ref-2', 'delivered');
    expect(summary(await take(2))).toEqual([
      '2026-01-01T00:00:02.000Z order.status_changed delivered',
      '2026-01-01T00:00:02.000Z order.status_changed failed',
    ]);
  });

  test('wait 8 seconds for an answer', async () => {
    const slow = await receiver(null);
    const { place, time } = await rig({ webhook: { url: slow.url }, stepMs: 0 });
    await place('ref-1');
    await slow.take(1);
    time.advance(7_999);
    expect(slow.hangups).toBe(0);
    time.advance(1);
    await slow.untilHangup();
    expect(slow.hangups).toBe(1);
  });

  test('are sent once, also where nobody takes them, and keep no answer waiting', async () => {
    const refusing = await receiver(500);
    const { place, control, time } = await rig({ stepMs: 0 });
    await control({ url: refusing.url }, '/webhook');
    await control({ url: 'http://127.0.0.1:9/closed' }, '/webhook');
    await place('ref-1');
    await refusing.take(1);
    time.advance(86_400_000);
    await place('ref-2');
    const [second] = await refusing.take(1);
    expect(JSON.parse(second?.text ?? '')).toMatchObject({ data: { orderMerchantReferenceNumber: 'ref-2' } });
    expect(refusing.waiting).toBe(0);
  });
});

describe('a webhook registered by its operation', () => {
  test('shows its secret once, is listed without it, and is sent a test', async () => {
    const { url, take } = await receiver();
    const { call, place } = await rig({ allowHttpWebhooks: true, stepMs: 0 });
    const registered = await call('POST', '/webhook', { url });
    expect([registered.status, data(registered)]).toEqual([
      201,
      {
        webhook: {
          _id: expect.any(String),
          url,
          active: true,
          events: ['order.created', 'order.status_changed', 'order.delivered', 'order.cancelled'],
          secret: expect.stringMatching(/^whsec_[0-9a-f]{48}$/),
        },
      },
    ]);
    const { secret, ...shown } = Object(data(registered).webhook);
    expect(rows(await call('GET', '/webhook'))).toEqual([shown]);
    expect((await call('POST', `/webhook/${shown._id}/test`)).status).toBe(200);
    const [delivered] = await take(1);
    const { headers, text } = delivered ?? { headers: {}, text: '' };
    expect(headers).toMatchObject({
      'x-wasal-event': 'webhook.test',
      'x-wasal-signature': `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`,
    });
    await place('ref-1');
    expect(summary(await take(1))).toEqual(['2026-01-01T00:00:00.000Z order.created pending']);
  });

  test('is told nothing more once it is deleted', async () => {
    const [gone, kept] = [await receiver(), await receiver()];
    const { call, place } = await rig({ allowHttpWebhooks: true, webhook: { url: kept.url }, stepMs: 0 });
    const id = idOf(await call('POST', '/webhook', { url: gone.url }), 'webhook');
    expect((await call('DELETE', `/webhook/${id}`)).status).toBe(200);
    await place('ref-1');
    await kept.take(1);
    expect(gone.waiting).toBe(0);
    expect((await call('DELETE', `/webhook/${id}`)).status).toBe(404);
  });
});

import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeTime } from '../helpers/fake-time.js';
import { until } from '../helpers/until.js';
import { ACCESS_TOKEN, data, fields, type Rig, rig, rows, shipment, stopAll } from './salla-calls.js';

interface Delivery {
  headers: IncomingHttpHeaders;
  text: string;
  body: { event: string; merchant: number; created_at: string; data: Record<string, unknown> };
  /** By the clock of the test, if the receiver was given one. */
  at: number;
}

interface Receiver {
  url: string;
  deliveries: Delivery[];
  /** Senders that went away without an answer. */
  hangups: number;
  /** Resolves with all deliveries once there are so many. */
  have(count: number): Promise<Delivery[]>;
}

const servers: Server[] = [];

afterEach(async () => {
  await stopAll();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A web server that answers webhooks with these statuses, the last one for ever; null: never. */
async function receiver(...statuses: (number | null)[]): Promise<Receiver & { clock(time: FakeTime): void }> {
  let now = () => 0;
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      const status = statuses[Math.min(made.deliveries.length, statuses.length - 1)];
      made.deliveries.push({ headers: request.headers, text, body: JSON.parse(text), at: now() });
      if (status !== null) response.writeHead(status ?? 200).end();
    });
    response.on('close', () => {
      if (!response.writableEnded) made.hangups += 1;
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a TCP port has an address of this type (Node.js documentation, "server.address").
  const { port } = server.address() as AddressInfo;
  const made = {
    url: `http://127.0.0.1:${port}/hook`,
    deliveries: [] as Delivery[],
    hangups: 0,
    have: (count: number) =>
      until(`${count} deliveries`, () => made.deliveries.length >= count && made.deliveries),
    clock: (time: FakeTime) => {
      now = time.clock.now;
    },
  };
  return made;
}

function events({ deliveries }: Receiver): string[] {
  return deliveries.map(({ body }) => body.event);
}

async function subscribe({ call }: Rig, event: string, url: string, more = {}): Promise<number> {
  const heard = await call('POST', '/webhooks/subscribe', { event, url, ...more });
  expect(heard.status).toBe(200);
  return Number(data(heard, 'id'));
}

describe('an event', () => {
  test('tells of a new order, signed with the bare hex digest of its bytes', async () => {
    const app = await receiver();
    const { place } = await rig({
      stepMs: 0,
      merchantId: 42,
      webhook: { url: app.url },
      webhookSecret: 'top',
    });
    const id = await place('ref-1');
    const [delivery] = await app.have(1);
    expect(delivery?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-salla-security-strategy': 'Signature',
      'x-salla-signature': createHmac('sha256', 'top')
        .update(delivery?.text ?? '')
        .digest('hex'),
    });
    expect(delivery?.body).toMatchObject({
      event: 'order.created',
      merchant: 42,
      created_at: 'Thu Jan 01 2026 03:00:00 GMT+0300',
      data: { id, external_order_id: 'ref-1', status: { slug: 'under_review', name: 'بإنتظار المراجعة' } },
    });
  });

  test('carries the secret itself under the token strategy, and nothing under none', async () => {
    const app = await receiver();
    const token = await rig({
      stepMs: 0,
      webhook: { url: app.url, strategy: 'token' },
      webhookSecret: 'top',
    });
    await token.place('a');
    const [first] = await app.have(1);
    expect(first?.headers).toMatchObject({ authorization: 'top', 'x-salla-security-strategy': 'Token' });
    expect(first?.headers['x-salla-signature']).toBeUndefined();
    const none = await rig({ stepMs: 0, webhook: { url: app.url, strategy: 'none' } });
    await none.place('b');
    const [, second] = await app.have(2);
    expect(Object.keys(second?.headers ?? {}).filter((name) => /salla|authorization/.test(name))).toEqual([]);
  });

  test('tells of each step that an order takes by itself, and no longer of those it would have taken', async () => {
    const app = await receiver();
    const { place, time, advance } = await rig({ stepMs: 1_000, webhook: { url: app.url } });
    await place('a');
    await app.have(1);
    time.advance(1_000);
    await app.have(2);
    time.advance(1_000);
    await app.have(3);
    await advance('a', 'delivering');
    await app.have(4);
    time.advance(1_000);
    const told = await app.have(5);
    time.advance(60_000);
    expect(events(app)).toEqual([
      'order.created',
      ...Array.from({ length: 4 }, () => 'order.status.updated'),
    ]);
    expect(told.map(({ body }) => Object(body.data.status).slug)).toEqual([
      'under_review',
      'in_progress',
      'completed',
      'delivering',
      'delivered',
    ]);
  });

  test('of a cancellation comes beside that of its status, and spells it with two Ls', async () => {
    const app = await receiver();
    const { place, setStatus, call, advance } = await rig({ stepMs: 0, webhook: { url: app.url } });
    const id = await place('a');
    await app.have(1);
    await setStatus(id, { slug: 'canceled' });
    await app.have(3);
    await call('PUT', `/orders/${id}`, {});
    await app.have(4);
    await advance('a', 'restored');
    await app.have(6);
    await advance('a', 'deleted');
    await app.have(7);
    expect(events(app).sort()).toEqual([
      'order.cancelled',
      'order.created',
      'order.deleted',
      'order.refunded',
      'order.status.updated',
      'order.status.updated',
      'order.updated',
    ]);
  });

  test('tells of shipments, with the id of the caller', async () => {
    const app = await receiver();
    const { call, time } = await rig({ stepMs: 1_000, webhook: { url: app.url } });
    const id = data(await call('POST', '/shipments', shipment({ external_id: 'ref-1' })), 'id');
    await app.have(1);
    time.advance(1_000);
    await app.have(2);
    await call('PUT', `/shipments/${id}`, { shipment_number: 'A', status: 'created' });
    await app.have(3);
    await call('PUT', `/shipments/${id}`, { shipment_number: 'A', status: 'delivering' });
    await app.have(4);
    const other = data(await call('POST', '/shipments', shipment()), 'id');
    await app.have(5);
    await call('POST', `/shipments/${other}/cancel`);
    const told = await app.have(6);
    expect(events(app)).toEqual([
      'shipment.creating',
      'shipment.created',
      'shipment.created',
      'shipment.updated',
      'shipment.creating',
      'shipment.cancelled',
    ]);
    expect(told[0]?.body.data).toMatchObject({ id, reference: { external_id: 'ref-1' }, status: 'creating' });
  });

  test('brings the app its new tokens when it is installed again', async () => {
    const app = await receiver();
    const { control } = await rig({ webhook: { url: app.url } });
    await control('/tokens', { revoke: true });
    await app.have(1);
    const { accessToken, refreshToken } = Object((await control('/reinstall', {})).json());
    const [, told] = await app.have(2);
    expect(events(app)).toEqual(['app.uninstalled', 'app.store.authorize']);
    expect(told?.body.data).toEqual({
      token_type: 'bearer',
      access_token: accessToken,
      refresh_token: refreshToken,
      expires: Date.UTC(2026, 0, 15) / 1000,
      scope: expect.any(String),
    });
  });
});

describe('a delivery', () => {
  test('that is not answered by 200 or 201 is repeated three times, five minutes apart, with the same bytes', async () => {
    const app = await receiver(202, 404, 500);
    const { place, time, ledger } = await rig({ stepMs: 0, webhook: { url: app.url } });
    app.clock(time);
    await place('a');
    await app.have(1);
    // One call of the ledger for each ten seconds lets deliveries under way arrive.
    for (let tenSeconds = 0; tenSeconds < 120; tenSeconds += 1) {
      time.advance(10_000);
      await ledger();
    }
    expect(app.deliveries).toHaveLength(4);
    expect(new Set(app.deliveries.map(({ text }) => text)).size).toBe(1);
    const gaps = app.deliveries.slice(1).map(({ at }, index) => at - (app.deliveries[index]?.at ?? 0));
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(300_000);
      expect(gap).toBeLessThan(360_000);
    }
  });

  test('is over with the first success', async () => {
    const app = await receiver(500, 201);
    const { place, time, ledger } = await rig({
      stepMs: 0,
      webhook: { url: app.url },
      webhookSchedule: { timeoutMs: 30_000, retryDelaysMs: [15_000, 10_000] },
    });
    await place('a');
    await app.have(1);
    for (let second = 0; second < 60; second += 1) {
      time.advance(1_000);
      await ledger();
    }
    expect(app.deliveries).toHaveLength(2);
  });

  test('gives up on an answer after half a minute, and never keeps a caller waiting', async () => {
    const app = await receiver(null);
    const { place, time } = await rig({ stepMs: 0, webhook: { url: app.url } });
    await place('a');
    await app.have(1);
    time.advance(29_999);
    expect((await place('b')) > 0).toBe(true);
    expect(app.hangups).toBe(0);
    time.advance(1);
    await until('a hangup', () => app.hangups > 0);
  });
});

describe('a registered webhook', () => {
  test('hears of its event only, with its headers, and of orders from before it', async () => {
    const shop = await receiver();
    const salla = await rig({ stepMs: 1_000, webhookSecret: 'top' });
    await salla.place('a');
    await subscribe(salla, 'order.status.updated', shop.url, {
      name: 'mine',
      headers: [{ key: 'X-Shop', value: 'seven' }],
    });
    await salla.place('b');
    salla.time.advance(1_000);
    const told = await shop.have(2);
    expect(told.map(({ body }) => body.data.external_order_id).sort()).toEqual(['a', 'b']);
    expect(told[0]?.headers).toMatchObject({
      'x-shop': 'seven',
      'x-salla-signature': createHmac('sha256', 'top')
        .update(told[0]?.text ?? '')
        .digest('hex'),
    });
    expect(new Set(events(shop))).toEqual(new Set(['order.status.updated']));
  });

  test('is shown as it was registered, and is no second one when it is registered again', async () => {
    const salla = await rig();
    const url = 'https://shop.example/hook';
    const id = await subscribe(salla, 'order.created', url, { rule: 'total > 100' });
    expect(await subscribe(salla, 'order.created', url, { name: 'again' })).toBe(id);
    await subscribe(salla, 'order.updated', url);
    const heard = await salla.call('GET', '/webhooks');
    expect(heard.json()).toMatchObject({ pagination: { total: 2 } });
    expect(rows(heard)[0]).toEqual({
      id,
      name: 'again',
      event: 'order.created',
      type: 'manual',
      url,
      version: 2,
      rule: null,
      headers: {},
    });
    expect(rows(await salla.call('GET', '/webhooks/events'))).toContainEqual({
      id: expect.any(Number),
      label: expect.any(String),
      event: 'shipment.creating',
    });
    expect((await salla.call('GET', '/webhooks?page=x')).status).toBe(400);
  });

  test('can be changed: its strategy and its secret', async () => {
    const shop = await receiver();
    const salla = await rig({ stepMs: 0 });
    const id = await subscribe(salla, 'order.created', shop.url);
    const heard = await salla.call('PUT', `/webhooks/${id}`, { security_strategy: 'token', secret: 'mine' });
    expect([heard.status, data(heard, 'id')]).toEqual([201, id]);
    await salla.place('a');
    const [told] = await shop.have(1);
    expect(told?.headers.authorization).toBe('mine');
    expect((await salla.call('PUT', '/webhooks/1', {})).status).toBe(404);
  });

  test('is deleted by id or by URL, with the one success that is a 202', async () => {
    const shop = await receiver();
    const salla = await rig({ stepMs: 1_000 });
    const id = await subscribe(salla, 'order.created', shop.url);
    await subscribe(salla, 'order.status.updated', shop.url);
    const heard = await salla.call('DELETE', `/webhooks/unsubscribe?id=${id}`);
    expect([heard.status, heard.json()]).toEqual([
      202,
      { status: 202, success: true, data: { message: expect.any(String), code: 202 } },
    ]);
    const url = encodeURIComponent(shop.url);
    expect((await salla.call('DELETE', `/webhooks/unsubscribe?url=${url}`)).status).toBe(202);
    expect((await salla.call('DELETE', `/webhooks/unsubscribe?url=${url}`)).status).toBe(404);
    expect(fields(await salla.call('DELETE', '/webhooks/unsubscribe'))).toEqual(['id', 'url']);
    await salla.place('a');
    salla.time.advance(5_000);
    expect(shop.deliveries).toEqual([]);
  });

  test('is not registered twice over by nobody listening in between', async () => {
    const shop = await receiver();
    const salla = await rig({ stepMs: 1_000 });
    const id = await subscribe(salla, 'order.status.updated', shop.url);
    await salla.place('a');
    await salla.call('DELETE', `/webhooks/unsubscribe?id=${id}`);
    await subscribe(salla, 'order.status.updated', shop.url);
    salla.time.advance(1_000);
    await shop.have(1);
    await salla.place('b');
    salla.time.advance(1_000);
    const told = await shop.have(3);
    expect(told.map(({ body }) => body.data.external_order_id).sort()).toEqual(['a', 'a', 'b']);
  });

  test('needs a known event and a URL', async () => {
    const { call } = await rig();
    const post = (body: unknown) => call('POST', '/webhooks/subscribe', body);
    expect(fields(await post({}))).toEqual(['event', 'url']);
    const bad = {
      event: 'order.canceled',
      url: 'ftp://x',
      version: 3,
      headers: [{ key: 'A' }],
      security_strategy: 'x',
    };
    expect(fields(await post(bad)).sort()).toEqual([
      'event',
      'headers.0.value',
      'security_strategy',
      'url',
      'version',
    ]);
    const other = await call('POST', '/webhooks/subscribe', bad, { token: `${ACCESS_TOKEN}x` });
    expect(other.status).toBe(401);
  });
});

import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { REWARD } from '../../src/simulator/zupy/catalog.js';
import { until } from '../helpers/until.js';
import { CUSTOMER, OTHER_CUSTOMER, problemOf, type Rig, rig, stopAll } from './zupy-calls.js';

const SECRET = 'whsec_test_9876';
const DAY_MS = 86_400_000;

interface Got {
  headers: IncomingHttpHeaders;
  body: string;
  json: { event: string; webhook_id: string; timestamp: string; data: Record<string, unknown> };
}

interface Partner {
  url: string;
  got: Got[];
  /** What it answers next; undefined: nothing, ever. */
  answers: (number | undefined)[];
}

const servers: Server[] = [];

afterEach(async () => {
  await stopAll();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
});

/** A partner's endpoint: 200, unless it is told other answers. */
async function partner(): Promise<Partner> {
  const made: Partner = { url: '', got: [], answers: [] };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      made.got.push({ headers: request.headers, body, json: JSON.parse(body) });
      const status = made.answers.length === 0 ? 200 : made.answers.shift();
      if (status !== undefined) response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  // A server that listens on TCP has an address of this kind.
  const { port } = server.address() as AddressInfo;
  made.url = `http://127.0.0.1:${port}/hook`;
  return made;
}

interface Listed {
  event: string;
  state: string;
  attempts: { at: string; status: number | null; error: string | null }[];
}

async function deliveries({ control }: Rig): Promise<Listed[]> {
  // The shape that the control route documents.
  return ((await control('/webhooks')).json() as { deliveries: Listed[] }).deliveries;
}

/** Waits until the newest delivery has been tried so often. */
function tried(zupy: Rig, times: number): Promise<unknown> {
  return until(`${times} attempts`, async () => (await deliveries(zupy)).at(-1)?.attempts.length === times);
}

/** Waits until so many have arrived and their answers were heard, so that no alarm for them is left. */
function delivered(zupy: Rig, count: number): Promise<unknown> {
  return until(`${count} deliveries`, async () => {
    const states = (await deliveries(zupy)).map(({ state }) => state);
    return states.length === count && states.every((state) => state === 'delivered');
  });
}

function received(at: Partner, count: number): Promise<unknown> {
  return until(`${count} webhooks`, () => at.got.length >= count);
}

const configure = ({ call }: Rig, body: unknown) => call('PUT', '/integrations/webhooks/', body);

describe('a webhook', () => {
  test('is signed over its raw body, named, and told apart by its id', async () => {
    const at = await partner();
    const zupy = await rig({ webhookUrl: at.url, webhookSecret: SECRET });
    const code = await zupy.issue();
    await received(at, 2);
    const redeemed = at.got.find(({ json }) => json.event === 'reward.redeemed');
    expect(redeemed?.json).toEqual({
      event: 'reward.redeemed',
      webhook_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      timestamp: '2026-01-01T00:00:00.000000+00:00',
      data: {
        customer_id: CUSTOMER,
        coupon_code: code,
        reward_id: REWARD.dessert,
        reward_name: 'Pudim da Casa',
        points_spent: 200,
        valid_until: '2026-01-31T00:00:00.000000+00:00',
      },
    });
    const expected = createHmac('sha256', SECRET)
      .update(redeemed?.body ?? '')
      .digest('hex');
    expect(redeemed?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Zupy-Webhook/1.0',
      'x-webhook-event': 'reward.redeemed',
      'x-webhook-id': redeemed?.json.webhook_id,
      'x-webhook-signature': `sha256=${expected}`,
    });
  });

  test('tells of everything that happens to points, coupons and customers', async () => {
    const at = await partner();
    const zupy = await rig({ webhookUrl: at.url });
    const code = await zupy.issue();
    await zupy.validate(code);
    await zupy.call('POST', `/customers/${CUSTOMER}/points/add/`, { amount: 5 });
    const cancelled = await zupy.issue(OTHER_CUSTOMER, REWARD.gift);
    await zupy.control('/advance', { reference: cancelled, status: 'cancelled' });
    await zupy.control('/customers', { id: CUSTOMER, tier: 'vip' });
    await zupy.control('/customers', { fullName: 'Nova', phone: '+5511911111111' });
    await received(at, 8);
    expect(at.got.map(({ json }) => json.event).sort()).toEqual([
      'coupon.cancelled',
      'coupon.used',
      'customer.enrolled',
      'customer.tier_changed',
      'points.earned',
      'points.spent',
      'reward.redeemed',
      'reward.redeemed',
    ]);
    const dataOf = (event: string) => at.got.find(({ json }) => json.event === event)?.json.data;
    expect(dataOf('points.spent')).toMatchObject({ points_spent: 200, new_balance: 999_800 });
    expect(dataOf('points.earned')).toMatchObject({ points_added: 5, new_balance: 999_805 });
    expect(dataOf('coupon.used')).toMatchObject({ coupon_code: code });
    expect(dataOf('coupon.cancelled')).toMatchObject({ coupon_code: cancelled });
    expect(dataOf('customer.tier_changed')).toMatchObject({ old_tier: 'default', new_tier: 'vip' });
    expect(dataOf('customer.enrolled')).toMatchObject({ name: 'Nova' });
  });

  test('tells by itself of a coupon that is about to expire and of one that has', async () => {
    const at = await partner();
    const zupy = await rig({ webhookUrl: at.url });
    await zupy.issue(CUSTOMER, REWARD.gift);
    await delivered(zupy, 1);
    zupy.time.advance(27 * DAY_MS);
    await delivered(zupy, 2);
    expect(at.got[1]?.json).toMatchObject({ event: 'coupon.expiring', data: { expires_in_days: 3 } });
    zupy.time.advance(3 * DAY_MS);
    await delivered(zupy, 3);
    expect(at.got[2]?.json).toMatchObject({
      event: 'coupon.expired',
      data: { expired_at: '2026-01-31T00:00:00.000000+00:00' },
    });
  });
});

describe('a delivery that fails', () => {
  test('is tried four times in all, after 1, 4 and 16 seconds, with the same id, and then dropped', async () => {
    const at = await partner();
    at.answers = [500, 302, 404, 503];
    const zupy = await rig({ webhookUrl: at.url });
    await zupy.issue(CUSTOMER, REWARD.gift);
    for (const [times, waitMs] of [
      [1, 1_000],
      [2, 4_000],
      [3, 16_000],
    ] as const) {
      await tried(zupy, times);
      zupy.time.advance(waitMs - 1);
      expect((await deliveries(zupy)).at(-1)?.attempts).toHaveLength(times);
      zupy.time.advance(1);
    }
    await tried(zupy, 4);
    expect((await deliveries(zupy)).at(-1)).toEqual({
      event: 'reward.redeemed',
      webhookId: expect.any(String),
      state: 'exhausted',
      attempts: [
        { at: '2026-01-01T00:00:00.000Z', status: 500, error: null },
        { at: '2026-01-01T00:00:01.000Z', status: 302, error: null },
        { at: '2026-01-01T00:00:05.000Z', status: 404, error: null },
        { at: '2026-01-01T00:00:21.000Z', status: 503, error: null },
      ],
    });
    expect(new Set(at.got.map(({ body }) => body)).size).toBe(1);
    expect(new Set(at.got.map(({ headers }) => headers['x-webhook-id'])).size).toBe(1);
  });

  test('counts ten seconds of silence as a failure, and a later 2xx as delivered', async () => {
    const at = await partner();
    at.answers = [undefined, 204];
    const zupy = await rig({ webhookUrl: at.url });
    await zupy.issue(CUSTOMER, REWARD.gift);
    await received(at, 1);
    zupy.time.advance(10_000);
    await tried(zupy, 1);
    zupy.time.advance(1_000);
    await tried(zupy, 2);
    expect((await deliveries(zupy)).at(-1)).toMatchObject({
      state: 'delivered',
      attempts: [
        { status: null, error: expect.any(String) },
        { status: 204, error: null },
      ],
    });
  });

  test('holds up nobody: the redeem has been answered', async () => {
    const zupy = await rig({ webhookUrl: 'http://127.0.0.1:1/nowhere' });
    expect((await zupy.redeem()).status).toBe(200);
    await tried(zupy, 1);
    expect((await deliveries(zupy)).at(-1)).toMatchObject({
      state: 'pending',
      attempts: [{ status: null, error: expect.any(String) }],
    });
  });
});

describe('where webhooks go', () => {
  test('is read and set through the API, with the secret masked', async () => {
    const at = await partner();
    const zupy = await rig({ webhookSecret: SECRET });
    await zupy.issue(CUSTOMER, REWARD.gift);
    const set = await configure(zupy, { webhook_url: at.url, webhook_events: ['coupon.used'] });
    expect(set.json()).toEqual({
      webhook_url: at.url,
      webhook_events: ['coupon.used'],
      webhook_secret: '****9876',
      available_events: expect.arrayContaining(['reward.redeemed', 'coupon.expired']),
    });
    expect((await zupy.call('GET', '/integrations/webhooks/')).json()).toEqual(set.json());
    await zupy.validate(await zupy.issue());
    await received(at, 1);
    expect((await deliveries(zupy)).map(({ event }) => event)).toEqual(['coupon.used']);
    expect((await configure(zupy, { webhook_url: null })).json()).toMatchObject({ webhook_url: null });
    await zupy.validate(await zupy.issue());
    expect(await deliveries(zupy)).toHaveLength(1);
  });

  test.each([
    ['webhook_url', { webhook_url: 'ftp://x.example' }],
    ['webhook_url', { webhook_url: 'nowhere' }],
    ['webhook_events', { webhook_events: ['order.made'] }],
    ['webhook_events', { webhook_events: 'coupon.used' }],
  ])('is refused with a 400 for %p in %p', async (field, body) => {
    const heard = await configure(await rig(), body);
    expect(problemOf(heard)).toEqual([400, 'validation-error']);
    expect(heard.json()).toMatchObject({ errors: [{ field }] });
  });

  test('can be tried out', async () => {
    const at = await partner();
    const zupy = await rig();
    const ping = () => zupy.call('POST', '/integrations/webhooks/test/');
    expect(problemOf(await ping())).toEqual([400, 'validation-error']);
    await configure(zupy, { webhook_url: at.url });
    expect((await ping()).json()).toEqual({ success: true, status_code: 200, error: null });
    at.answers = [500];
    expect((await ping()).json()).toEqual({ success: false, status_code: 500, error: null });
    expect(at.got).toHaveLength(2);
  });
});

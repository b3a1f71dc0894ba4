import { customerId, POOR_CUSTOMER, REWARD } from '../../src/simulator/zupy/catalog.js';
import {
  CUSTOMER,
  dataOf,
  type Heard,
  OTHER_CUSTOMER,
  problemOf,
  type Rig,
  type Row,
  rig,
  stopAll,
} from './zupy-calls.js';

afterEach(stopAll);

interface Listed {
  data: Row[];
  meta: { cursor: string | null; has_next: boolean; count: number };
}

const listed = (heard: Heard) =>
  // The documented shape of a list; each test looks at the fields it needs.
  heard.json() as Listed;

/** Three coupons of two customers and two rewards, the middle one used; their codes. */
async function threeCoupons({ issue, validate }: Rig): Promise<string[]> {
  const codes = [
    await issue(CUSTOMER, REWARD.dessert),
    await issue(CUSTOMER, REWARD.gift),
    await issue(OTHER_CUSTOMER, REWARD.dessert),
  ];
  await validate(codes[1] ?? '');
  return codes;
}

describe('the list of coupons', () => {
  test('shows every documented field', async () => {
    const { issue, validate, call, time } = await rig();
    const code = await issue();
    time.advance(5_000);
    await validate(code);
    expect((await call('GET', '/coupons/issued/')).json()).toEqual({
      data: [
        {
          id: expect.stringMatching(/^[0-9A-Za-z]{27}$/),
          coupon_code: code,
          reward_name: 'Pudim da Casa',
          reward_id: REWARD.dessert,
          customer_id: CUSTOMER,
          customer_name: 'João Conceição 1',
          status: 'used',
          status_display: 'Utilizado',
          points_spent: 200,
          redemption_date: '2026-01-01T00:00:00Z',
          valid_until: '2026-01-31T00:00:00Z',
          remaining_usages: 0,
          total_usages_allowed: 1,
          created_at: '2026-01-01T00:00:00Z',
          usage_date: '2026-01-01T00:00:05Z',
          origin_type: 'loyalty_reward',
        },
      ],
      meta: { cursor: null, has_next: false, count: 1 },
    });
  });

  test('has no filter unless asked for, and each of them works alone and with others', async () => {
    const zupy = await rig();
    const [first, second, third] = await threeCoupons(zupy);
    const found = async (query: string) => (await zupy.coupons(query)).map(({ coupon_code }) => coupon_code);
    expect(await found('')).toEqual([third, second, first]);
    expect(await found(`?customer_id=${CUSTOMER}`)).toEqual([second, first]);
    expect(await found(`?reward_id=${REWARD.dessert}`)).toEqual([third, first]);
    expect(await found(`?customer_id=${CUSTOMER}&reward_id=${REWARD.dessert}`)).toEqual([first]);
    expect(await found('?status=used')).toEqual([second]);
    expect(await found('?status=active&page_size=')).toEqual([third, first]);
    expect(await found('?origin_type=marketing')).toEqual([second]);
    expect(await found(`?code=${third?.toLowerCase()}`)).toEqual([third]);
    expect(await found(`?code=${third}&customer_id=${CUSTOMER}`)).toEqual([]);
    expect(await found(`?code=${third?.slice(0, -1)}`)).toEqual([]);
    expect(await found(`?customer_id=${CUSTOMER.toLowerCase()}`)).toEqual([]);
  });

  test.each(['status=canceled', 'origin_type=loyalty', 'cursor=nonsense'])(
    'refuses %p by name of the field',
    async (query) => {
      const { call } = await rig();
      const heard = await call('GET', `/coupons/issued/?${query}`);
      expect(problemOf(heard)).toEqual([422, 'validation-error']);
      expect(heard.json()).toMatchObject({ errors: [{ field: query.split('=')[0] }] });
    },
  );

  test('is read to its end with cursors, which a new coupon does not shift', async () => {
    const { issue, call } = await rig();
    const codes = [];
    for (let index = 0; index < 5; index += 1) codes.push(await issue());
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Listed = listed(await call('GET', `/coupons/issued/?page_size=2&cursor=${cursor}`));
      expect(page.meta.has_next).toBe(page.meta.cursor !== null);
      seen.push(...page.data.map(({ coupon_code }) => coupon_code));
      if (seen.length === 2) await issue();
      cursor = page.meta.cursor;
    }
    expect(seen).toEqual(codes.toReversed());
  });

  test('has pages of 20 unless asked otherwise, and of 100 at most', async () => {
    const { redeem, call } = await rig();
    await Promise.all(Array.from({ length: 101 }, () => redeem()));
    const sizes = [];
    for (const query of ['', '?page_size=0', '?page_size=x', '?page_size=7', '?page_size=5000']) {
      sizes.push(listed(await call('GET', `/coupons/issued/${query}`)).data.length);
    }
    expect(sizes).toEqual([20, 20, 20, 7, 100]);
    expect(listed(await call('GET', '/coupons/issued/?page_size=1')).meta.count).toBe(101);
  });

  test('can come in the other shape, with the address of the next page', async () => {
    const { redeem, call } = await rig({ envelope: 'results', pageSize: 1 });
    await redeem();
    await redeem();
    const page = (await call('GET', '/coupons/issued/?status=active')).json();
    expect(page).toEqual({
      count: 2,
      next: expect.stringMatching(/^https:.*\/api\/v2\/coupons\/issued\/\?status=active&cursor=\w+$/),
      previous: null,
      results: [expect.objectContaining({ status: 'active' })],
    });
    const { next } = Object(page);
    const last = await call('GET', String(next).split('/api/v2')[1] ?? '');
    expect(last.json()).toMatchObject({ count: 2, next: null, results: [{}] });
  });

  test('is summed up by status and origin, whatever status is asked for', async () => {
    const zupy = await rig();
    await threeCoupons(zupy);
    expect(dataOf(await zupy.call('GET', '/coupons/issued/stats/?status=active'))).toEqual({
      total_issued: 3,
      used: 1,
      usage_rate: 33.33,
      by_status: { active: 2, used: 1, expired: 0, cancelled: 0 },
      by_origin: { loyalty_reward: 2, marketing: 1 },
    });
    expect(dataOf(await zupy.call('GET', '/coupons/issued/stats/?code=CZ-NONE'))).toMatchObject({
      total_issued: 0,
      usage_rate: 0,
    });
  });
});

describe('points', () => {
  test('are added, spent and told with their history', async () => {
    const { call, issue } = await rig();
    const path = `/customers/${CUSTOMER}/points`;
    const added = await call('POST', `${path}/add/`, { amount: 5, reason: 'Aniversário' });
    expect(dataOf(added)).toEqual({
      customer_id: CUSTOMER,
      operation: 'add',
      amount: 5,
      balance_before: 1_000_000,
      balance_after: 1_000_005,
      activity_id: expect.any(String),
      created_at: '2026-01-01T00:00:00Z',
    });
    await issue();
    expect(dataOf(await call('GET', `${path}/`))).toEqual({
      customer_id: CUSTOMER,
      points_balance: 999_805,
      points_earned: 1_000_005,
      points_spent: 200,
      points_name: 'Pontos',
      last_activity_date: '2026-01-01T00:00:00Z',
      tier: 'default',
    });
    expect((await call('GET', `${path}/history/?page_size=2`)).json()).toMatchObject({
      count: 3,
      next: expect.stringContaining('cursor='),
      results: [
        { points_amount: -200, balance_before: 1_000_005, balance_after: 999_805 },
        { points_amount: 5, description: 'Aniversário' },
      ],
    });
  });

  test.each([
    ['amount', {}],
    ['amount', { amount: 0 }],
    ['amount', { amount: 1.5 }],
    ['amount', { amount: '5' }],
    ['reason', { amount: 1, reason: 'x'.repeat(256) }],
  ])('are not added with %p wrong', async (field, body) => {
    const { call, points } = await rig();
    const heard = await call('POST', `/customers/${CUSTOMER}/points/add/`, body);
    expect(problemOf(heard)).toEqual([422, 'validation-error']);
    expect(heard.json()).toMatchObject({ errors: [{ field, detail: expect.any(String) }] });
    expect(await points()).toBe(1_000_000);
  });

  test('of somebody unknown are not found', async () => {
    const { call } = await rig();
    for (const path of ['', 'points/', 'points/history/', 'z-balance/']) {
      expect(problemOf(await call('GET', `/customers/nobody/${path}`))).toEqual([404, 'not-found']);
    }
    const added = await call('POST', '/customers/nobody/points/add/', { amount: 1 });
    expect(problemOf(added)).toEqual([404, 'not-found']);
  });

  test('and Z$ can be set by hand', async () => {
    const { control, points, call } = await rig();
    await control('/customers', { id: CUSTOMER, points: 7, zBalance: '2418.4' });
    expect(await points()).toBe(7);
    expect(dataOf(await call('GET', `/customers/${CUSTOMER}/z-balance/`))).toMatchObject({
      z_balance: '2418.400000',
    });
    expect((await control('/customers', { id: CUSTOMER, points: -1 })).status).toBe(400);
  });
});

describe('Z$', () => {
  test('cannot be read while the chain is slow, which is no error', async () => {
    const { call, settings } = await rig();
    const path = `/customers/${CUSTOMER}/z-balance/`;
    expect(dataOf(await call('GET', path))).toEqual({
      z_balance: '1000.000000',
      wallet_address: expect.any(String),
      has_wallet: true,
      error: null,
    });
    await settings({ solana: 'slow' });
    const slow = await call('GET', path);
    expect(slow.status).toBe(200);
    expect(dataOf(slow)).toMatchObject({ z_balance: null, error: 'timeout' });
    await settings({ solana: 'down' });
    expect(dataOf(await call('GET', path))).toMatchObject({ error: 'unavailable' });
    await settings({ solana: 'up' });
    expect(dataOf(await call('GET', `/customers/${POOR_CUSTOMER}/z-balance/`))).toMatchObject({
      has_wallet: false,
      wallet_address: null,
      z_balance: '0.000000',
    });
  });
});

describe('customers, rewards and the restaurant', () => {
  test('customers are found by every filter', async () => {
    const { call, control } = await rig();
    await control('/customers', { id: OTHER_CUSTOMER, tier: 'gold' });
    const found = async (query: string) =>
      dataOf<{ id: string }[]>(await call('GET', `/customers/?${query}`)).map(({ id }) => id);
    expect(await found('phone=55-11900000001')).toEqual([CUSTOMER]);
    expect(await found('email=CUSTOMER-77@')).toEqual([customerId(77)]);
    expect(await found('name=ningu')).toEqual([POOR_CUSTOMER]);
    expect(await found('search=customer-77')).toEqual([customerId(77)]);
    expect(await found('tier=gold')).toEqual([OTHER_CUSTOMER]);
    expect(await found('segment=vip')).toEqual([]);
    expect(await found('page_size=3')).toEqual([CUSTOMER, OTHER_CUSTOMER, customerId(3)]);
    expect(dataOf(await call('GET', `/customers/${CUSTOMER}/`))).toMatchObject({
      id: CUSTOMER,
      points_balance: 1_000_000,
      zupy_balance: '1000.000000',
    });
  });

  test('a customer can be set up through the control API', async () => {
    const { control, call } = await rig();
    // What the control route documents.
    const { id } = (await control('/customers', { fullName: 'Nova', points: 10 })).json() as { id: string };
    expect(dataOf(await call('GET', `/customers/${id}/`))).toMatchObject({
      full_name: 'Nova',
      points_balance: 10,
    });
  });

  test('rewards say what a customer can have', async () => {
    const { call, issue } = await rig();
    await issue(CUSTOMER, REWARD.gift);
    const ids = async (query: string) =>
      dataOf<{ id: string }[]>(await call('GET', `/rewards/?${query}`)).map(({ id }) => id);
    expect(await ids('')).toHaveLength(5);
    expect(await ids(`redeemable=true&customer_id=${CUSTOMER}`)).toEqual([
      REWARD.dessert,
      REWARD.coffee,
      REWARD.discount,
    ]);
    expect(await ids(`redeemable=true&customer_id=${POOR_CUSTOMER}`)).toEqual([REWARD.gift]);
    expect(problemOf(await call('GET', '/rewards/?redeemable=true'))).toEqual([422, 'validation-error']);
    const all = dataOf<{ id: string; already_redeemed: boolean }[]>(
      await call('GET', `/rewards/?customer_id=${CUSTOMER}`),
    );
    expect(all.filter((reward) => reward.already_redeemed).map(({ id }) => id)).toEqual([REWARD.gift]);
    expect(dataOf(await call('GET', `/rewards/${REWARD.gift}/`))).toMatchObject({
      points_required: 0,
      is_available: true,
      quantity_available: null,
      quantity_redeemed: 1,
      validity_days: 30,
      origin_type: 'marketing',
    });
    expect(problemOf(await call('GET', '/rewards/nothing/'))).toEqual([404, 'not-found']);
  });

  test('company and program can be read, alone and in lists', async () => {
    const { call } = await rig();
    for (const path of ['/companies/', '/loyalty/programs/']) {
      const [entry] = dataOf<{ id: string }[]>(await call('GET', path));
      expect(dataOf(await call('GET', `${path}${entry?.id}/`))).toEqual(entry);
      expect(problemOf(await call('GET', `${path}nothing/`))).toEqual([404, 'not-found']);
    }
  });
});

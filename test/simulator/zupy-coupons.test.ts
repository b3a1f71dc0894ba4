import { POOR_CUSTOMER, REWARD, TOP_UP_CUSTOMER } from '../../src/simulator/zupy/catalog.js';
import { accepting } from '../helpers/faults.js';
import { CUSTOMER, dataOf, OTHER_CUSTOMER, problemOf, type Redeemed, rig, stopAll } from './zupy-calls.js';

afterEach(stopAll);

const DAY_MS = 86_400_000;
const CODE = /^CZ-[A-Z0-9]{8}$/;
const KSUID = /^[0-9A-Za-z]{27}$/;

describe('redeem', () => {
  test('debits the points and answers the documented fields', async () => {
    const { redeem, points } = await rig();
    const heard = await redeem();
    expect(heard.status).toBe(200);
    expect(heard.json()).toEqual({
      data: {
        customer_id: CUSTOMER,
        coupon_code: expect.stringMatching(CODE),
        points_used: 200,
        z_tokens_used: '0.000000',
        new_balance: 999_800,
        new_z_balance: '1000.000000',
        valid_until: '2026-01-31T00:00:00Z',
        created_at: '2026-01-01T00:00:00Z',
      },
      meta: {},
    });
    expect(await points()).toBe(999_800);
  });

  test('issues another coupon for every call, since nothing tells a repetition', async () => {
    const { issue, points, ledger } = await rig();
    const codes = new Set([await issue(), await issue(), await issue()]);
    expect(codes.size).toBe(3);
    expect(await points()).toBe(999_400);
    expect((await ledger()).orders).toMatchObject(
      Array.from({ length: 3 }, () => ({ reference: `${CUSTOMER}/${REWARD.dessert}`, status: 'active' })),
    );
  });

  test('can be refused the second time', async () => {
    const { redeem, points } = await rig({ duplicates: 'reject' });
    expect((await redeem()).status).toBe(200);
    expect(problemOf(await redeem())).toEqual([422, 'validation-error']);
    expect((await redeem(OTHER_CUSTOMER)).status).toBe(200);
    expect(await points()).toBe(999_800);
  });

  test('works without a body, and answers the id or bare fields where told so', async () => {
    const { call } = await rig({ redeemHasId: true, envelope: 'results' });
    const heard = await call('POST', `/customers/${CUSTOMER}/rewards/${REWARD.dessert}/redeem/`);
    expect(heard.json()).toMatchObject({ id: expect.stringMatching(KSUID), coupon_code: expect.any(String) });
  });

  test('of a marketing reward costs nothing and succeeds once for each customer', async () => {
    const { redeem, points } = await rig();
    expect(dataOf<Redeemed>(await redeem(CUSTOMER, REWARD.gift)).points_used).toBe(0);
    const again = await redeem(CUSTOMER, REWARD.gift);
    expect(again.status).toBe(422);
    expect(again.json()).toEqual({
      type: 'https://docs.zupy.com/errors#validation-error',
      title: 'Validation Error',
      status: 422,
      detail: expect.any(String),
      errors: [{ field: 'reward_id', detail: 'Prêmio gratuito já resgatado por este cliente' }],
    });
    expect((await redeem(OTHER_CUSTOMER, REWARD.gift)).status).toBe(200);
    expect(await points()).toBe(1_000_000);
  });

  test('of somebody or something unknown is not found, also under the wrong case', async () => {
    const { redeem, ledger } = await rig();
    expect(problemOf(await redeem('nobody'))).toEqual([404, 'not-found']);
    expect(problemOf(await redeem(CUSTOMER.toLowerCase()))).toEqual([404, 'not-found']);
    expect(problemOf(await redeem(CUSTOMER, 'nothing'))).toEqual([404, 'not-found']);
    expect((await ledger()).orders).toEqual([]);
  });

  test.each([
    ['use_z_tokens', { use_z_tokens: 'yes' }],
    ['non_field_errors', []],
    ['non_field_errors', '"text"'],
  ])('is refused for %p in %p', async (field, body) => {
    const { redeem } = await rig();
    const heard = await redeem(CUSTOMER, REWARD.dessert, body);
    expect(problemOf(heard)).toEqual([422, 'validation-error']);
    expect(heard.json()).toMatchObject({ errors: [{ field, detail: expect.any(String) }] });
  });

  test('is refused for a reward of which none is left or that is switched off', async () => {
    const { redeem, control } = await rig();
    const refusal = { errors: [{ field: 'reward_id', detail: expect.any(String) }] };
    expect((await redeem(CUSTOMER, REWARD.soldOut)).json()).toMatchObject(refusal);
    await control('/rewards', { id: REWARD.dessert, quantity: 1 });
    expect((await redeem()).status).toBe(200);
    expect((await redeem()).json()).toMatchObject(refusal);
    await control('/rewards', { id: REWARD.coffee, active: false });
    expect((await redeem(CUSTOMER, REWARD.coffee)).json()).toMatchObject(refusal);
  });

  test('with too few points has either of the two documented types, and debits nothing', async () => {
    const { redeem, settings, points } = await rig();
    const first = await redeem(POOR_CUSTOMER);
    expect(problemOf(first)).toEqual([422, 'insufficient-balance']);
    expect(first.json()).toMatchObject({ instance: expect.any(String) });
    await settings({ shortageProblem: 'validation-error' });
    const second = await redeem(POOR_CUSTOMER);
    expect(problemOf(second)).toEqual([422, 'validation-error']);
    expect(second.json()).toMatchObject({
      errors: [{ field: 'points', detail: expect.stringContaining('50') }],
    });
    expect(await points(POOR_CUSTOMER)).toBe(50);
  });

  test('pays the gap with Z$ at a markup, as in the document’s example', async () => {
    const { redeem } = await rig();
    expect(dataOf(await redeem(TOP_UP_CUSTOMER, REWARD.discount, { use_z_tokens: true }))).toMatchObject({
      points_used: 450,
      z_tokens_used: '60.000000',
      new_balance: 0,
      new_z_balance: '1090.000000',
    });
  });

  test('with Z$ fails above a fifth of the cost, with too few Z$, and without the chain', async () => {
    const { redeem, settings, control } = await rig();
    const pay = () => redeem(TOP_UP_CUSTOMER, REWARD.discount, { use_z_tokens: true });
    await settings({ solana: 'down' });
    expect(problemOf(await pay())).toEqual([503, 'service-unavailable']);
    await settings({ solana: 'up' });
    await control('/customers', { id: TOP_UP_CUSTOMER, zBalance: '59.999999' });
    expect(problemOf(await pay())).toEqual([422, 'insufficient-balance']);
    await control('/customers', { id: TOP_UP_CUSTOMER, points: 399, zBalance: '5000' });
    expect(problemOf(await pay())).toEqual([422, 'validation-error']);
    await control('/customers', { id: TOP_UP_CUSTOMER, points: 400 });
    expect(dataOf(await pay())).toMatchObject({ points_used: 400, z_tokens_used: '120.000000' });
  });
});

describe('validate', () => {
  test('uses a coupon once, by code in any case or by id, and answers the documented fields', async () => {
    const { issue, validate, coupons } = await rig();
    const code = await issue();
    const heard = await validate(code.toLowerCase());
    expect(heard.json()).toEqual({
      data: {
        customer_id: CUSTOMER,
        coupon_code: code,
        status: 'validated',
        remaining_usages: 0,
        total_usages_allowed: 1,
        validated_at: '2026-01-01T00:00:00Z',
        new_balance: 999_800,
        new_z_balance: '1000.000000',
      },
      meta: {},
    });
    const [row] = await coupons(`?code=${await issue()}`);
    expect((await validate(row?.id.toLowerCase() ?? '')).status).toBe(404);
    expect((await validate(row?.id ?? '')).status).toBe(200);
  });

  test('of a coupon that is used, expired or cancelled is a conflict that says which', async () => {
    const { issue, validate, control, time } = await rig();
    const used = await issue();
    await validate(used);
    const cancelled = await issue();
    await control('/advance', { reference: cancelled, status: 'cancelled' });
    const expired = await issue();
    const odd = await issue();
    await control('/advance', { reference: odd, status: 'blockchain_error' });
    time.advance(30 * DAY_MS);
    for (const [code, word] of [
      [used, 'Used'],
      [cancelled, 'Cancelled'],
      [expired, 'Expired'],
      [odd, 'Blockchain Error'],
    ] as const) {
      const heard = await validate(code);
      expect(problemOf(heard)).toEqual([409, 'conflict']);
      expect(heard.json()).toMatchObject({ detail: `Cupom já ${word}` });
    }
  });

  test('lets one of two calls at once win', async () => {
    const { issue, validate } = await rig();
    const code = await issue();
    const heard = await Promise.all([validate(code), validate(code)]);
    expect(heard.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  test('uses a coupon of several uses up one by one', async () => {
    const { issue, validate, coupons } = await rig();
    const code = await issue(CUSTOMER, REWARD.coffee);
    const seen = [];
    for (let time = 0; time < 3; time += 1) {
      const [row] = await coupons(`?code=${code}`);
      seen.push([row?.status, row?.remaining_usages, (await validate(code)).status]);
    }
    expect(seen).toEqual([
      ['active', 3, 200],
      ['active', 2, 200],
      ['active', 1, 200],
    ]);
    expect(await coupons(`?code=${code}`)).toMatchObject([
      { status: 'used', remaining_usages: 0, total_usages_allowed: 3 },
    ]);
    expect(problemOf(await validate(code))).toEqual([409, 'conflict']);
  });

  test('finds only coupons of the customer in the path', async () => {
    const { issue, validate } = await rig();
    const code = await issue();
    expect(problemOf(await validate(code, OTHER_CUSTOMER))).toEqual([404, 'not-found']);
    expect(problemOf(await validate(code, 'nobody'))).toEqual([404, 'not-found']);
    expect(problemOf(await validate('CZ-00000000'))).toEqual([404, 'not-found']);
  });

  test('takes the old kind of code too', async () => {
    const { control, validate } = await rig();
    const issued = await control('/coupons', {
      customerId: CUSTOMER,
      rewardId: REWARD.dessert,
      code: 'cp-legacy01',
    });
    expect(issued.json()).toEqual({ id: expect.stringMatching(KSUID), code: 'CP-LEGACY01' });
    expect((await validate('cp-Legacy01')).status).toBe(200);
    const taken = { customerId: CUSTOMER, rewardId: REWARD.dessert, code: 'CP-LEGACY01' };
    expect((await control('/coupons', taken)).status).toBe(400);
    expect((await control('/coupons', { ...taken, customerId: 'nobody' })).status).toBe(400);
  });
});

describe('the life of a coupon', () => {
  test('stands still until it expires, unless a step is given', async () => {
    const { issue, coupons, time } = await rig();
    await issue();
    time.advance(30 * DAY_MS - 1);
    expect(await coupons('?status=active')).toHaveLength(1);
    time.advance(1);
    expect(await coupons('?status=active')).toEqual([]);
    expect(await coupons('?status=expired')).toMatchObject([{ status: 'expired', usage_date: null }]);
  });

  test('goes on by itself: pending, active, then its customer uses it elsewhere', async () => {
    const { issue, coupons, time } = await rig({ stepMs: 1_000, firstStatus: 'pending_blockchain' });
    await issue(CUSTOMER, REWARD.coffee);
    const seen = [];
    for (let step = 0; step < 5; step += 1) {
      const [row] = await coupons();
      seen.push([row?.status, row?.remaining_usages]);
      time.advance(1_000);
    }
    expect(seen).toEqual([
      ['pending_blockchain', 3],
      ['active', 3],
      ['active', 2],
      ['active', 1],
      ['used', 0],
    ]);
    expect(await coupons()).toMatchObject([{ usage_date: '2026-01-01T00:00:04Z' }]);
  });

  test('can be set by hand, by code, id or customer and reward', async () => {
    const { issue, coupons, control, ledger } = await rig();
    const code = await issue(CUSTOMER, REWARD.coffee);
    const [row] = await coupons();
    const put = (reference: string, status: string) => control('/advance', { reference, status });
    expect((await put(code, 'pending')).status).toBe(200);
    expect(await coupons('?status=pending')).toHaveLength(1);
    await put(row?.id ?? '', 'failed');
    expect((await ledger()).orders).toMatchObject([{ id: row?.id, code, status: 'failed' }]);
    await put(`${CUSTOMER}/${REWARD.coffee}`, 'used');
    expect(await coupons()).toMatchObject([
      { status: 'used', remaining_usages: 0, usage_date: '2026-01-01T00:00:00Z' },
    ]);
    await put(code, 'active');
    expect(await coupons()).toMatchObject([{ status: 'active', remaining_usages: 1 }]);
    expect((await put('CZ-NOBODY', 'used')).status).toBe(404);
  });
});

describe('a lost answer', () => {
  test('can leave a coupon behind that lists show late, while the points are gone at once', async () => {
    const { redeem, coupons, points, fault, ledger, time } = await rig();
    await fault({
      match: { verb: 'submit', reference: `${CUSTOMER}/${REWARD.dessert}` },
      times: 1,
      do: accepting({ status: 504 }, { hideMs: 3_000 }),
    });
    const heard = await redeem();
    expect([heard.status, heard.headers['content-type']]).toEqual([504, 'text/html; charset=utf-8']);
    expect(await coupons(`?customer_id=${CUSTOMER}`)).toEqual([]);
    expect(await points()).toBe(999_800);
    expect((await ledger()).orders).toHaveLength(1);
    time.advance(3_000);
    expect(await coupons(`?customer_id=${CUSTOMER}&reward_id=${REWARD.dessert}`)).toHaveLength(1);
  });

  test('can be told by nobody for a while where reads lag behind', async () => {
    const { redeem, coupons, points, time } = await rig({ listLagMs: 2_000, pointsLagMs: 2_000 });
    time.advance(5_000);
    await redeem();
    expect([await coupons(), await points()]).toEqual([[], 1_000_000]);
    time.advance(2_000);
    expect([(await coupons()).length, await points()]).toEqual([1, 999_800]);
  });

  test('of a validate may have used the coupon', async () => {
    const { issue, validate, fault, coupons } = await rig();
    const code = await issue(CUSTOMER, REWARD.coffee);
    const [row] = await coupons();
    await fault({ match: { verb: 'activate', reference: row?.id }, times: 1, do: accepting('drop') });
    await expect(validate(code)).rejects.toThrow();
    expect(await coupons()).toMatchObject([{ remaining_usages: 2 }]);
  });
});

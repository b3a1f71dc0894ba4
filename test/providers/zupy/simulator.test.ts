/** Every step of the adapter over real HTTP, against the simulator, which was written from the same documents. */

import type { JsonObject } from '../../../src/json.js';
import type { OrderView } from '../../../src/orders/order.js';
import type { Classified } from '../../../src/policy/classify.js';
import type { Outcome } from '../../../src/policy/outcome.js';
import type { OpenAccount, Work } from '../../../src/providers/provider.js';
import { zupy } from '../../../src/providers/zupy/index.js';
import { POOR_CUSTOMER, REWARD, TOP_UP_CUSTOMER } from '../../../src/simulator/zupy/catalog.js';
import type { ZupySimulatorOptions } from '../../../src/simulator/zupy/index.js';
import { accepting, type Ending } from '../../helpers/faults.js';
import { CUSTOMER, KEY, type Rig, rig, stopAll } from '../../simulator/zupy-calls.js';
import { judge, openAt, stepNamed, workFor } from '../fixtures.js';
import { call, client } from '../http-calls.js';
import { goodBody, orderView } from './fixtures.js';

afterEach(stopAll);

interface Shop {
  sim: Rig;
  account: OpenAccount;
  /** An order of now. */
  order(changes?: { customer?: string; reward?: string; options?: JsonObject }): OrderView;
  /** One step of an order, and what it came to. */
  run(step: string, order?: OrderView, more?: Partial<Work>): Promise<Classified>;
  /** The steps of a submit, until one does not lead on. */
  submit(order: OrderView, more?: Partial<Work>): Promise<Result>;
  /** The steps of an activation, likewise. */
  activate(order: OrderView, more?: Partial<Work>): Promise<Result>;
}

interface Result extends Classified {
  /** Where it ended, and what had been carried there. */
  step: string;
  carry: JsonObject;
}

async function shop(options: Partial<ZupySimulatorOptions> = {}, key = KEY): Promise<Shop> {
  const sim = await rig(options);
  const http = client();
  const { config } = sim.simulator.account('zupy-br');
  const account = openAt(zupy, { id: 'zupy-br', config, credentials: { apiKey: key } });

  const run: Shop['run'] = async (name, order, more = {}) => {
    const step = stepNamed(account, name);
    const work = workFor(order, more);
    const result = await call(http, step.request(work));
    return judge(account, step, work, result);
  };
  const through = async (names: readonly string[], order: OrderView, more: Partial<Work> = {}) => {
    let carry = more.carry ?? {};
    let last: Result | null = null;
    for (const step of names) {
      last = { ...(await run(step, order, { ...more, carry })), step, carry };
      if (last.outcome.kind !== 'done') break;
      carry = { ...carry, ...last.outcome.data };
    }
    if (last === null) throw new Error('there was no step');
    return last;
  };
  return {
    sim,
    account,
    order: ({ customer = CUSTOMER, reward = REWARD.dessert, options: told } = {}) =>
      orderView({
        createdAt: new Date(sim.time.clock.now()),
        body: goodBody({
          customer: { id: customer, phone: '+5511900000001' },
          items: [{ reference: 'line-1', sku: reward, quantity: 1 }],
          ...(told === undefined ? {} : { options: told }),
        }),
      }),
    run,
    submit: (order, more) => through(['points', 'coupons', 'redeem'], order, more),
    activate: async (order, more = {}) => {
      const before = await through(['remaining'], order, more);
      if (before.outcome.kind !== 'done') return before;
      const carry = { ...before.carry, ...before.outcome.data };
      const begin = account.prepare?.begin(
        'activate',
        { order, params: {}, carry },
        { facts: [], openOrders: [] },
      );
      return through([begin?.step ?? 'none'], order, { ...more, carry });
    },
  };
}

/** The order as it stands once its redeem was accepted. */
function issuedBy({ outcome }: { outcome: Outcome }, order: OrderView): OrderView {
  if (outcome.kind !== 'accepted') throw new Error(`the redeem was ${outcome.kind}`);
  return { ...order, providerOrderId: outcome.providerOrderId, providerData: outcome.data ?? {} };
}

/** What the simulator has sent to customers. */
async function codesOf(sim: Rig): Promise<{ identifier: string; code: string; requests: number }[]> {
  // The shape that the control route declares (simulator/zupy/controls.ts).
  const { codes } = (await sim.control('/otp')).json() as { codes: Awaited<ReturnType<typeof codesOf>> };
  return codes;
}

describe('a reward', () => {
  test.each<[string, Partial<ZupySimulatorOptions>]>([
    ['in the usual envelope', {}],
    ["in a guide's envelope, with the id of the prose", { envelope: 'results', redeemHasId: true }],
  ])('is redeemed, read and used once, %s', async (_what, options) => {
    const { sim, account, order, run, submit, activate } = await shop(options);
    expect(await run('probe')).toMatchObject({ outcome: { kind: 'done' } });
    const submitted = await submit(order());
    expect(submitted.outcome).toMatchObject({ kind: 'accepted', status: 'in_progress' });
    expect(submitted.carry).toEqual({ baselinePoints: 1_000_000, baselineCoupons: [], baselineWhole: true });
    const placed = issuedBy(submitted, order());
    expect(submitted.outcome).toMatchObject({
      deliverables: [{ sku: REWARD.dessert, code: placed.providerOrderId, serial: null }],
    });
    expect(await run('get', placed)).toMatchObject({
      outcome: { kind: 'observed', state: { status: 'in_progress', rawStatus: 'active' } },
    });
    const used = await activate(placed);
    expect(used).toMatchObject({
      step: 'validate',
      outcome: { kind: 'observed', state: { status: 'delivered', rawStatus: 'validated' } },
    });
    expect(await run('get', placed)).toMatchObject({
      outcome: { kind: 'observed', state: { status: 'delivered', rawStatus: 'used' } },
    });
    const { orders } = await sim.ledger();
    expect(orders).toHaveLength(1);
    expect(orders[0]).toMatchObject({
      code: placed.providerOrderId,
      reference: account.serialKey?.(placed.body),
    });
  });

  test('is redeemed a second time beside the first, which is then part of the baseline', async () => {
    const { order, submit } = await shop();
    const first = issuedBy(await submit(order()), order());
    const second = await submit(order());
    expect(second.carry).toMatchObject({ baselinePoints: 999_800, baselineWhole: true });
    expect(second.carry.baselineCoupons).toHaveLength(1);
    expect(issuedBy(second, order()).providerOrderId).not.toBe(first.providerOrderId);
  });

  test('of several uses is used once at a time, by the step that may not be repeated', async () => {
    const { order, run, submit, activate } = await shop();
    const coffee = order({ reward: REWARD.coffee });
    const placed = issuedBy(await submit(coffee), coffee);
    for (const left of [2, 1]) {
      expect(await activate(placed)).toMatchObject({
        step: 'validate-multi',
        outcome: { kind: 'observed', state: { status: 'in_progress', data: { remainingUsages: left } } },
      });
    }
    expect(await activate(placed)).toMatchObject({ outcome: { state: { status: 'delivered' } } });
    expect(await activate(placed)).toMatchObject({
      step: 'remaining',
      outcome: { kind: 'rejected', code: 'already_used' },
    });
    expect(await run('get', placed)).toMatchObject({ outcome: { state: { status: 'delivered' } } });
  });

  test('is paid in part with Z$ where the order allows it', async () => {
    const { order, submit } = await shop();
    const topUp = order({
      customer: TOP_UP_CUSTOMER,
      reward: REWARD.discount,
      options: { useZTokens: true },
    });
    expect(await submit(topUp)).toMatchObject({
      outcome: { kind: 'accepted', data: { pointsUsed: 450, zTokensUsed: '60.000000' } },
    });
  });

  test('that is pending at first leaves its order where it was, and cannot be used yet', async () => {
    const { order, run, submit, activate } = await shop({ firstStatus: 'pending_blockchain' });
    const placed = issuedBy(await submit(order()), order());
    expect(await run('get', placed)).toMatchObject({
      outcome: { kind: 'observed', state: { status: null, rawStatus: 'pending_blockchain' } },
    });
    expect(await activate(placed)).toMatchObject({
      step: 'remaining',
      outcome: { kind: 'waiting', reason: 'window', scope: 'order' },
    });
  });
});

describe('a redeem whose answer is lost', () => {
  test.each<Ending>(['drop', { status: 504 }, { status: 502 }, { status: 500 }])(
    'after it was done (%j) is unknown, and the coupon is found',
    async (ending) => {
      const { sim, order, run, submit } = await shop();
      await sim.issue();
      await sim.fault({ match: { verb: 'submit' }, times: 1, do: accepting(ending) });
      const lost = await submit(order());
      expect(lost).toMatchObject({ step: 'redeem', outcome: { kind: 'unknown' } });
      const { outcome } = await run('look', order(), { carry: lost.carry });
      expect(outcome).toMatchObject({
        kind: 'observed',
        state: { status: 'in_progress', sameContent: true },
      });
    },
  );

  test.each([500, 502, 503, 504, 520])(
    'before it was done (%d) is unknown, and is proven absent',
    async (status) => {
      const { sim, order, run, submit } = await shop();
      await sim.issue();
      await sim.fault({ match: { verb: 'submit' }, times: 1, do: { status } });
      const lost = await submit(order());
      expect(lost.outcome.kind).toBe('unknown');
      expect(await run('look', order(), { carry: lost.carry })).toMatchObject({
        outcome: { kind: 'missing', code: 'no_new_coupon' },
      });
      expect(await run('look-points', order(), { carry: lost.carry })).toMatchObject({
        outcome: { kind: 'missing', code: 'points_unchanged' },
      });
    },
  );

  test('is not told apart from that of another till', async () => {
    const { sim, order, run, submit } = await shop();
    await sim.fault({ match: { verb: 'submit' }, times: 1, do: accepting('drop') });
    const lost = await submit(order());
    await sim.issue();
    const { outcome } = await run('look', order(), { carry: lost.carry });
    expect(outcome.kind === 'done' ? outcome.states : []).toHaveLength(2);
  });

  test('is not taken for absent with the key of another company, which sees nothing', async () => {
    const { sim, order, run, submit } = await shop();
    await sim.issue();
    await sim.fault({ match: { verb: 'submit' }, times: 1, do: { status: 504 } });
    const lost = await submit(order());
    await sim.control('/keys', { key: KEY, kind: 'other-company' });
    expect(await run('look', order(), { carry: lost.carry })).toMatchObject({
      outcome: { kind: 'failed', code: 'unreadable_answer' },
    });
  });

  test('is neither found nor absent among more coupons than a page holds', async () => {
    const { sim, order, run, submit } = await shop();
    const reward = REWARD.dessert;
    for (let count = 0; count < 101; count += 1)
      await sim.control('/coupons', { customerId: CUSTOMER, rewardId: reward });
    await sim.fault({ match: { verb: 'submit' }, times: 1, do: accepting('drop') });
    const lost = await submit(order());
    expect(lost.carry).toMatchObject({ baselineCoupons: [], baselineWhole: false });
    expect(await run('look', order(), { carry: lost.carry })).toMatchObject({ outcome: { kind: 'failed' } });
  });

  test('whose points are gone is not taken for absent while a slow list does not show its coupon', async () => {
    const { sim, order, run, submit } = await shop();
    await sim.fault({ match: { verb: 'submit' }, times: 1, do: accepting('drop', { hideMs: 60_000 }) });
    const { carry } = await submit(order());
    expect(await run('look', order(), { carry })).toMatchObject({ outcome: { kind: 'missing' } });
    expect(await run('look-points', order(), { carry })).toMatchObject({
      outcome: { kind: 'failed', code: 'unreadable_answer' },
    });
  });
});

describe('a use whose answer is lost', () => {
  test('may be asked for again where the coupon has one, and the conflict is our own success', async () => {
    const { sim, order, run, submit, activate } = await shop();
    const placed = issuedBy(await submit(order()), order());
    await sim.fault({ match: { verb: 'activate' }, times: 1, do: accepting({ status: 504 }) });
    const lost = await activate(placed);
    expect(lost).toMatchObject({ step: 'validate', outcome: { kind: 'failed' } });
    const again = await run('validate', placed, { carry: lost.carry });
    expect(again).toMatchObject({
      outcome: { kind: 'settled', message: 'Cupom já Used' },
      rule: { id: 'zupy/conflict' },
    });
    const checked = { ...lost.carry, checkedStep: 'validate', checkedCode: 'conflict', checkedMessage: 'x' };
    expect(await run('get', placed, { carry: checked })).toMatchObject({
      outcome: { kind: 'observed', state: { status: 'delivered' } },
    });
  });

  test.each([
    ['done', accepting('drop'), { kind: 'observed', state: { status: 'in_progress' } }],
    ['not done', { status: 502 }, { kind: 'missing', code: 'not_used' }],
  ])('is looked for where the coupon has several: %s', async (_what, fault, found) => {
    const { sim, order, run, submit, activate } = await shop();
    const coffee = order({ reward: REWARD.coffee });
    const placed = issuedBy(await submit(coffee), coffee);
    await sim.fault({ match: { verb: 'activate' }, times: 1, do: fault });
    const lost = await activate(placed);
    expect(lost).toMatchObject({ step: 'validate-multi', outcome: { kind: 'unknown' } });
    expect(await run('look', placed, { carry: lost.carry })).toMatchObject({ outcome: found });
  });
});

describe('a coupon that cannot be used', () => {
  test.each([
    ['expired', 'failed'],
    ['cancelled', 'canceled'],
  ])('because it is %s is told by the coupon and by the conflict', async (status, ours) => {
    const { sim, order, run, submit, activate } = await shop();
    const placed = issuedBy(await submit(order()), order());
    const { outcome: before } = await run('remaining', placed);
    const carry = before.kind === 'done' ? (before.data ?? {}) : {};
    expect(carry).toEqual({ remainingUsages: 1, totalUsages: 1 });
    await sim.control('/advance', { reference: placed.providerOrderId, status });
    expect(await activate(placed)).toMatchObject({
      step: 'remaining',
      outcome: { kind: 'observed', state: { status: ours } },
    });
    expect(await run('validate', placed, { carry })).toMatchObject({
      outcome: { kind: 'settled', message: `Cupom já ${status === 'expired' ? 'Expired' : 'Cancelled'}` },
    });
    const checked = { ...carry, checkedStep: 'validate' };
    expect(await run('get', placed, { carry: checked })).toMatchObject({
      outcome: { kind: 'observed', state: { status: ours } },
    });
  });

  test('because it is nobody’s is missing', async () => {
    const { order, run } = await shop();
    const strange = { ...order(), providerOrderId: 'CZ-NOBODY01' };
    expect(await run('get', strange)).toMatchObject({ outcome: { kind: 'missing', code: 'not_listed' } });
    expect(await run('validate', strange)).toMatchObject({
      outcome: { kind: 'missing', code: 'not-found' },
      rule: { id: 'zupy/not-found' },
    });
  });

  test('because it is another customer’s is not taken for the order’s', async () => {
    const { sim, order, run } = await shop();
    const code = await sim.issue();
    const other = { ...order({ customer: POOR_CUSTOMER }), providerOrderId: code };
    expect(await run('get', other)).toMatchObject({ outcome: { kind: 'missing', code: 'other_coupon' } });
  });
});

describe('a one-time password', () => {
  test.each(['otp-required', 'permission-denied'])(
    'is wanted (%s), sent, checked and good for both calls',
    async (otpProblem) => {
      const { sim, order, run, submit, activate } = await shop({ otpPolicy: 'strict' });
      await sim.settings({ otpProblem });
      expect(await submit(order())).toMatchObject({
        step: 'redeem',
        outcome: { kind: 'waiting', reason: 'otp', scope: 'order' },
      });
      expect(await run('request-otp', order())).toMatchObject({ outcome: { kind: 'done' } });
      const [sent, ...more] = await codesOf(sim);
      expect([sent, more]).toMatchObject([{ identifier: '+5511900000001', requests: 1 }, []]);
      const { code = '' } = sent ?? {};
      const wrong = code === '000000' ? '000001' : '000000';
      expect(await run('verify-otp', order(), { params: { code: wrong } })).toMatchObject({
        outcome: { kind: 'waiting', reason: 'otp' },
        rule: { id: 'zupy/otp-wrong' },
      });
      const { outcome } = await run('verify-otp', order(), { params: { code } });
      const [fact] = outcome.kind === 'done' ? (outcome.facts ?? []) : [];
      expect(fact).toMatchObject({ kind: 'otp-session', key: CUSTOMER, secret: true });
      const session = fact?.value ?? {};
      const placed = issuedBy(await submit(order(), { session }), order());
      expect(await activate(placed)).toMatchObject({ outcome: { kind: 'waiting', reason: 'otp' } });
      expect(await activate(placed, { session })).toMatchObject({ outcome: { kind: 'observed' } });
    },
  );

  test('is answered in every documented way', async () => {
    const { order, run, sim } = await shop({ otpPolicy: 'strict' });
    const verify = async (code: string) => {
      const { outcome, rule } = await run('verify-otp', order(), { params: { code } });
      return [outcome.kind, rule?.id];
    };
    expect(await verify('123456')).toEqual(['waiting', 'zupy/otp-not-requested']);
    await run('request-otp', order());
    expect(await verify('12')).toEqual(['rejected', 'zupy/bad-request']);
    const [sent] = await codesOf(sim);
    const wrong = sent?.code === '000000' ? '000001' : '000000';
    for (let tries = 0; tries < 5; tries += 1) await verify(wrong);
    expect(await verify(wrong)).toEqual(['waiting', 'zupy/otp-attempts']);
    const nobody = { ...order(), body: goodBody({ customer: { id: CUSTOMER } }) };
    expect(await run('request-otp', nobody)).toMatchObject({ outcome: { kind: 'rejected' } });
  });

  test('of another customer opens no session for this order', async () => {
    const { order, run, sim } = await shop({ otpPolicy: 'strict' });
    const other = order({ customer: POOR_CUSTOMER });
    await run('request-otp', other);
    const [sent] = await codesOf(sim);
    const params = { code: sent?.code ?? '' };
    expect(await run('verify-otp', other, { params })).toMatchObject({
      outcome: { kind: 'rejected', code: 'other_customer' },
    });
  });
});

describe('a refusal', () => {
  const gift = { reward: REWARD.gift };

  test.each<[string, string, { customer?: string; reward?: string; options?: JsonObject }, string]>([
    ['an unknown customer', 'missing', { customer: '2SimNobody0000000000000001' }, 'zupy/not-found'],
    ['an unknown reward', 'missing', { reward: '2SimNothing000000000000001' }, 'zupy/not-found'],
    ['too few points', 'waiting', { customer: POOR_CUSTOMER }, 'zupy/insufficient-balance'],
    [
      'more Z$ than may pay',
      'waiting',
      { customer: POOR_CUSTOMER, options: { useZTokens: true } },
      'zupy/points-short',
    ],
    ['a reward that is gone', 'rejected', { reward: REWARD.soldOut }, 'zupy/validation-error'],
  ])('for %s is %s', async (_what, kind, about, rule) => {
    const { order, submit } = await shop();
    expect(await submit(order(about))).toMatchObject({ outcome: { kind }, rule: { id: rule } });
  });

  test('keeps what Zupy says of the fields', async () => {
    const { order, submit } = await shop();
    expect(await submit(order({ reward: REWARD.soldOut }))).toMatchObject({
      outcome: { fields: { reward_id: ['Prêmio indisponível.'] } },
    });
  });

  test('for a free reward that was had is a rejection', async () => {
    const { order, submit } = await shop();
    expect(await submit(order(gift))).toMatchObject({ outcome: { kind: 'accepted' } });
    expect(await submit(order(gift))).toMatchObject({
      outcome: { kind: 'rejected', code: 'validation-error/already-redeemed' },
      rule: { id: 'zupy/already-redeemed' },
    });
  });

  test('for too few points may come as a broken rule, and waits all the same', async () => {
    const { sim, order, submit } = await shop();
    await sim.settings({ shortageProblem: 'validation-error' });
    expect(await submit(order({ customer: POOR_CUSTOMER }))).toMatchObject({
      outcome: { kind: 'waiting', reason: 'funds', scope: 'order' },
      rule: { id: 'zupy/points-short' },
    });
  });

  test.each([
    ['revoked', 'points', 'zupy/authentication-required'],
    ['read-only', 'redeem', 'zupy/permission-denied'],
  ])('of a key that is %s pauses the account', async (kind, step, rule) => {
    const { sim, order, submit } = await shop();
    await sim.control('/keys', { key: KEY, kind });
    expect(await submit(order())).toMatchObject({
      step,
      outcome: { kind: 'blocked', code: 'auth' },
      rule: { id: rule },
    });
  });

  test('of an unknown key pauses the account, under either form of the type', async () => {
    const { order, run } = await shop({ problemTypes: 'path' }, 'zupy_pk_unknown');
    expect(await run('points', order())).toMatchObject({
      outcome: { kind: 'blocked', code: 'auth' },
      rule: { id: 'zupy/authentication-required' },
    });
  });

  test('of a gateway that compares the header with case is avoided', async () => {
    const { run } = await shop({ strictHeaderName: true });
    expect(await run('probe')).toMatchObject({ outcome: { kind: 'done' } });
  });

  test('for want of an integration pauses the account', async () => {
    const { sim, order, submit } = await shop();
    await sim.settings({ integration: false });
    expect(await submit(order())).toMatchObject({
      outcome: { kind: 'blocked', code: 'auth' },
      rule: { id: 'zupy/integration-not-found' },
    });
  });

  test('over the limit is throttled until Retry-After', async () => {
    const { order, run } = await shop({ requestsPerMinute: 1 });
    await run('probe');
    const { outcome, rule } = await run('points', order());
    expect(rule?.id).toBe('zupy/rate-limited');
    expect(outcome).toMatchObject({ kind: 'throttled', code: 'rate-limit-exceeded' });
    expect(outcome.kind === 'throttled' && outcome.retryAt).toBeGreaterThan(0);
  });

  test('of an overloaded application is tried again', async () => {
    const { sim, order, run } = await shop();
    await sim.settings({ overloaded: true });
    expect(await run('points', order())).toMatchObject({
      outcome: { kind: 'failed', code: 'service-unavailable' },
      rule: { id: 'zupy/service-unavailable' },
    });
  });

  test('for want of the blockchain leaves a redeem unknown', async () => {
    const { sim, order, submit } = await shop();
    await sim.settings({ solana: 'down' });
    const topUp = order({
      customer: TOP_UP_CUSTOMER,
      reward: REWARD.discount,
      options: { useZTokens: true },
    });
    expect(await submit(topUp)).toMatchObject({
      outcome: { kind: 'unknown', code: 'service-unavailable' },
      rule: { id: 'zupy/service-unavailable-once' },
    });
  });

  test.each([
    ['wallet-temporarily-unavailable', 503, 'zupy/wallet-unavailable'],
    ['gone', 410, 'zupy/gone'],
  ])('with %s goes by its rule', async (type, status, rule) => {
    const { sim, order, run } = await shop();
    const body = {
      type: `https://docs.zupy.com/errors#${type}`,
      title: 'No',
      status,
      detail: 'Use /api/v2/x/',
    };
    await sim.fault({ match: { verb: 'points' }, times: 1, do: { status, body } });
    expect(await run('points', order())).toMatchObject({ rule: { id: rule } });
  });

  test('of a retired version names its successor', async () => {
    const { sim } = await shop();
    const config = { baseUrl: `${sim.simulator.url}/api/v1` };
    const old = openAt(zupy, { id: 'old', config, credentials: { apiKey: KEY } });
    const { probe } = old.reads;
    const result = await call(client(), probe.request(workFor()));
    expect(judge(old, probe, workFor(), result).outcome).toMatchObject({
      kind: 'gone',
      message: expect.stringContaining('/api/v2/coupons/issued/'),
    });
  });
});

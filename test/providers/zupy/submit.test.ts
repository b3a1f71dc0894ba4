import type { Known } from '../../../src/providers/provider.js';
import { judge, sentBody, stepNamed, workFor } from '../fixtures.js';
import {
  answerOf,
  BASE,
  baseline,
  CODE,
  COUPON_ID,
  CUSTOMER,
  goodBody,
  KEY,
  listOf,
  openAccount,
  orderView,
  problem,
  REWARD,
  row,
} from './fixtures.js';

const account = openAccount();
const [points, coupons, redeem] = ['points', 'coupons', 'redeem'].map((name) => stepNamed(account, name));
if (points === undefined || coupons === undefined || redeem === undefined)
  throw new Error('steps are missing');
const work = workFor(orderView());

describe('points', () => {
  test('are read before anything is redeemed', () => {
    expect(account.verbs.submit.map(({ name }) => name)).toEqual(['points', 'coupons', 'redeem']);
    expect(points.request(work)).toEqual({
      method: 'GET',
      url: `${BASE}/customers/${CUSTOMER}/points/`,
      headers: { Accept: 'application/json', 'X-API-Key': KEY },
    });
  });

  test.each([
    ['in the usual envelope', { data: { customer_id: CUSTOMER, points_balance: 1_450, tier: 'gold' } }],
    ['bare, as in a guide', { customer_id: CUSTOMER, points_balance: 1_450 }],
    ['as a string', { data: { points_balance: '1450' } }],
  ])('are kept for later, %s', (_what, body) => {
    expect(judge(account, points, work, answerOf(200, body)).outcome).toEqual({
      kind: 'done',
      data: { baselinePoints: 1_450 },
    });
  });

  test.each([
    ['without a balance', { data: { customer_id: CUSTOMER } }],
    ['with half a point', { data: { points_balance: 0.5 } }],
    ['of another customer', { data: { customer_id: 'other', points_balance: 1 } }],
    ['of HTML', '<html>maintenance</html>'],
    [
      'that is a problem under 200',
      { type: 'https://docs.zupy.com/errors#not-found', title: 'No', status: 404 },
    ],
  ])('are read again after an answer %s', (_what, body) => {
    expect(judge(account, points, work, answerOf(200, body)).outcome).toMatchObject({
      kind: 'failed',
      code: 'unreadable_answer',
    });
  });

  test('of a customer who is not there are missing, and a 404 that is not of Zupy says nothing', () => {
    expect(judge(account, points, work, problem(404, 'not-found')).outcome).toMatchObject({
      kind: 'missing',
      code: 'not-found',
    });
    expect(judge(account, points, work, answerOf(404, '<h1>404</h1>')).outcome).toMatchObject({
      kind: 'failed',
      code: 'foreign_not_found',
    });
  });
});

describe('coupons', () => {
  test('of the customer and reward are listed', () => {
    expect(coupons.request(work)).toMatchObject({
      method: 'GET',
      url: `${BASE}/coupons/issued/?customer_id=${CUSTOMER}&reward_id=${REWARD}&page_size=100`,
    });
  });

  test.each([
    ['in the usual envelope', listOf(row(), row({ id: 'second', coupon_code: 'CZ-2' }))],
    [
      'in that of a guide',
      {
        count: 2,
        next: null,
        previous: null,
        results: [row(), row({ id: 'second', coupon_code: 'CZ-2' })],
      },
    ],
  ])('are kept by their ids, %s, never by their codes', (_what, body) => {
    expect(judge(account, coupons, work, answerOf(200, body)).outcome).toEqual({
      kind: 'done',
      data: { baselineCoupons: [COUPON_ID, 'second'], baselineWhole: true },
    });
  });

  test('may be none', () => {
    expect(coupons.read(work, answerOf(200, listOf()))).toEqual({
      kind: 'done',
      data: { baselineCoupons: [], baselineWhole: true },
    });
  });

  test('of more than a page are marked as incomplete, and the redeem goes on', () => {
    const page = { data: [row()], meta: { cursor: 'c1', has_next: true, count: 240 } };
    expect(coupons.read(work, answerOf(200, page))).toEqual({
      kind: 'done',
      data: { baselineCoupons: [], baselineWhole: false },
    });
  });

  test.each([
    ["another customer's row: the filter is being ignored", listOf(row({ customer_id: 'other' }))],
    ["another reward's row", listOf(row({ reward_id: 'other' }))],
    ['a row without an id', listOf(row({ id: null }))],
    ['a row without a code', listOf(row({ coupon_code: '' }))],
    ['a row that is none', listOf(row(), null)],
    ['no list', { data: row() }],
    ['HTML', '<html>sign in</html>'],
  ])('are not believed with %s', (_what, body) => {
    expect(judge(account, coupons, work, answerOf(200, body)).outcome).toMatchObject({ kind: 'failed' });
  });
});

describe('redeem', () => {
  const answer = {
    customer_id: CUSTOMER,
    coupon_code: CODE,
    points_used: 200,
    z_tokens_used: '0.000000',
    new_balance: 1_250,
    new_z_balance: '10.500000',
    valid_until: '2026-04-01T11:04:00Z',
    created_at: '2026-03-02T11:04:00Z',
  };

  test('posts to the reward, without points of its own', () => {
    expect(redeem.request(work)).toEqual({
      method: 'POST',
      url: `${BASE}/customers/${CUSTOMER}/rewards/${REWARD}/redeem/`,
      headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'X-API-Key': KEY },
      body: '{"use_z_tokens":false}',
    });
  });

  test('lets Z$ pay where the order says so, and sends the session of the customer', () => {
    const order = orderView({ body: goodBody({ options: { useZTokens: true } }) });
    const withSession = workFor(order, { session: { token: 'sess_1' } });
    expect(sentBody(redeem, withSession)).toEqual({ use_z_tokens: true });
    expect(redeem.request(withSession).headers).toMatchObject({ 'X-OTP-Session': 'sess_1' });
  });

  test.each([[{}], [{ token: 7 }], [{ token: '' }], [{ token: 'a\r\nX-API-Key: b' }]])(
    'sends no header for a session that is none: %j',
    (session) => {
      const headers = redeem.request(workFor(orderView(), { session })).headers;
      expect(headers).not.toHaveProperty('X-OTP-Session');
    },
  );

  test('is accepted with the code, which is also what the customer gets', () => {
    expect(judge(account, redeem, work, answerOf(200, { data: answer, meta: {} })).outcome).toEqual({
      kind: 'accepted',
      providerOrderId: CODE,
      status: 'in_progress',
      data: {
        customerId: CUSTOMER,
        rewardId: REWARD,
        pointsUsed: 200,
        zTokensUsed: '0.000000',
        validUntil: '2026-04-01T11:04:00.000Z',
        takenForActive: true,
      },
      deliverables: [
        { position: 0, sku: REWARD, code: CODE, serial: null, expiresAt: '2026-04-01T11:04:00.000Z' },
      ],
    });
  });

  test('is named by its code in capitals, also where the answer has the id that the prose promises', () => {
    const more = { ...answer, id: COUPON_ID, coupon_code: CODE.toLowerCase() };
    expect(redeem.read(work, answerOf(200, more))).toMatchObject({
      kind: 'accepted',
      providerOrderId: CODE,
      data: { couponId: COUPON_ID },
    });
  });

  test.each([
    ['pending_blockchain', 'submitted'],
    ['active', 'in_progress'],
    ['blockchain_error', 'in_progress'],
  ])('that names the status %s is %s', (status, ours) => {
    expect(redeem.read(work, answerOf(201, { data: { ...answer, status } }))).toMatchObject({
      kind: 'accepted',
      status: ours,
      rawStatus: status,
    });
  });

  test('is accepted with what is readable', () => {
    const poor = { coupon_code: CODE, points_used: 'many', z_tokens_used: 1.5, valid_until: 'soon' };
    expect(redeem.read(work, answerOf(200, poor))).toMatchObject({
      data: { customerId: CUSTOMER, rewardId: REWARD, takenForActive: true },
      deliverables: [{ code: CODE, expiresAt: null }],
    });
  });

  test.each([
    ['without a code', { data: { ...answer, coupon_code: undefined } }],
    ['with an empty code', { data: { ...answer, coupon_code: '' } }],
    ['with a code that no database takes', { data: { ...answer, coupon_code: 'CZ\u0000' } }],
    ['for another customer', { data: { ...answer, customer_id: 'other' } }],
    ['of HTML', '<html>maintenance</html>'],
    [
      'that is a problem under 200',
      { type: 'https://docs.zupy.com/errors#conflict', title: 'No', status: 409 },
    ],
    ['that says success: false', { success: false }],
    ['that is empty', ''],
  ])('does not trust an answer %s: the points may be gone', (_what, body) => {
    expect(judge(account, redeem, work, answerOf(200, body)).outcome).toMatchObject({
      kind: 'unknown',
      code: 'unreadable_answer',
    });
  });

  test.each([
    ['insufficient-balance', {}],
    ['validation-error', { errors: [{ field: 'points', detail: 'insuficientes' }] }],
    [
      'validation-error',
      { errors: [{ field: 'reward', detail: 'customer has 50 pts, reward costs 100 pts' }] },
    ],
    ['validation-error', { errors: [{ field: 'x', detail: 'Pontos insuficientes: saldo 50.' }] }],
    ['validation-error', { detail: 'Not enough points' }],
  ])('waits for points after %s %j', (type, more) => {
    expect(judge(account, redeem, work, problem(422, type, more)).outcome).toMatchObject({
      kind: 'waiting',
      reason: 'funds',
      scope: 'order',
    });
  });

  test('keeps the field messages of a rejection, in the letters that they came in', () => {
    const errors = [
      { field: 'reward_id', detail: 'Prêmio indisponível.' },
      { field: 'reward_id', detail: 'Não há mais.' },
      { field: 'use_z_tokens', detail: 'Deve ser um valor booleano válido.' },
    ];
    expect(judge(account, redeem, work, problem(422, 'validation-error', { errors }))).toMatchObject({
      outcome: {
        kind: 'rejected',
        code: 'validation-error',
        message:
          'reward_id: Prêmio indisponível. Não há mais.; use_z_tokens: Deve ser um valor booleano válido.',
        fields: {
          reward_id: ['Prêmio indisponível.', 'Não há mais.'],
          use_z_tokens: ['Deve ser um valor booleano válido.'],
        },
      },
      rule: { id: 'zupy/validation-error' },
    });
  });

  test('is rejected where a free reward was had before', () => {
    const detail = 'Prêmio gratuito já resgatado por este cliente'.normalize('NFD');
    const errors = [{ field: 'reward_id', detail }];
    expect(judge(account, redeem, work, problem(422, 'validation-error', { errors })).outcome).toMatchObject({
      kind: 'rejected',
      code: 'validation-error/already-redeemed',
      fields: { reward_id: [detail] },
    });
  });
});

describe('a redeem whose answer was lost', () => {
  const look = stepNamed(account, 'look');
  const lost = (...known: string[]) => workFor(orderView(), { carry: baseline(...known) });
  const before = row({ id: 'before', coupon_code: 'CZ-OLD', created_at: '2026-01-01T00:00:00Z' });

  test('is looked for among the coupons of the customer and reward', () => {
    expect(look.request(lost())).toEqual(coupons.request(work));
  });

  test('is found where there is exactly one coupon that was not there before', () => {
    const outcome = judge(account, look, lost('before'), answerOf(200, listOf(row(), before))).outcome;
    expect(outcome).toMatchObject({
      kind: 'observed',
      state: {
        providerOrderId: CODE,
        reference: null,
        status: 'in_progress',
        rawStatus: 'active',
        sameContent: true,
        createdAt: '2026-03-02T11:04:00.000Z',
      },
      deliverables: [{ position: 0, sku: REWARD, code: CODE, serial: null }],
    });
  });

  test('was not done where the whole list holds what was there before and no more', () => {
    expect(judge(account, look, lost('before'), answerOf(200, listOf(before))).outcome).toMatchObject({
      kind: 'missing',
      code: 'no_new_coupon',
    });
    expect(look.read(lost(), answerOf(200, listOf()))).toMatchObject({ kind: 'missing' });
  });

  test('is not a coupon that is older than the order, which a slow list had not shown', () => {
    const older = row({ id: 'older', created_at: '2026-03-02T10:50:00Z' });
    expect(look.read(lost(), answerOf(200, listOf(older)))).toMatchObject({ kind: 'missing' });
    expect(look.read(lost(), answerOf(200, listOf(older, row())))).toMatchObject({ kind: 'observed' });
  });

  test('is one within five minutes before the order, for clocks differ', () => {
    const early = row({ created_at: '2026-03-02T10:56:00Z' });
    expect(look.read(lost(), answerOf(200, listOf(early)))).toMatchObject({ kind: 'observed' });
  });

  test('may be any of several: all are told, and none is taken', () => {
    const rows = [row(), row({ id: 'other', coupon_code: 'CZ-OTHER' })];
    expect(look.read(lost(), answerOf(200, listOf(...rows)))).toMatchObject({
      kind: 'done',
      states: [{ providerOrderId: CODE }, { providerOrderId: 'CZ-OTHER' }],
    });
  });

  test.each([
    ['a list that goes on', lost(), { data: [row()], meta: { has_next: true, cursor: 'c', count: 1 } }],
    ['a list that does not say whether it goes on', lost(), { data: [] }],
    ['a list that counts more than it shows', lost(), { data: [], meta: { has_next: false, count: 3 } }],
    ['a list in the form of a guide that goes on', lost(), { count: 1, next: '/?p=2', results: [row()] }],
    ['a list that lacks what was there before: perhaps of another company', lost('before'), listOf()],
    ['a new coupon without a date', lost(), listOf(row({ created_at: null }))],
    ["another customer's coupon", lost(), listOf(row({ customer_id: 'other' }))],
    ['nothing to compare with', workFor(orderView()), listOf(row())],
    [
      'an incomplete list from before',
      workFor(orderView(), { carry: { baselineCoupons: [], baselineWhole: false } }),
      listOf(row()),
    ],
    ['HTML', lost(), '<html>'],
  ])('is neither proven nor disproven by %s', (_what, lostWork, body) => {
    expect(look.read(lostWork, answerOf(200, body))).toBeNull();
  });

  test('has not been done only if no point is missing either', () => {
    const further = stepNamed(account, 'look-points');
    expect(further.request(lost())).toEqual(points.request(work));
    const has = (balance: unknown, customer = CUSTOMER) =>
      further.read(lost(), answerOf(200, { data: { customer_id: customer, points_balance: balance } }));
    expect(has(1_000)).toMatchObject({ kind: 'missing', code: 'points_unchanged' });
    for (const other of [800, 1_030, null]) expect(has(other)).toBeNull();
    expect(has(1_000, 'other')).toBeNull();
    expect(further.read(workFor(orderView()), answerOf(200, { data: { points_balance: 1 } }))).toBeNull();
    expect(judge(account, further, lost(), problem(404, 'not-found')).outcome).toMatchObject({
      kind: 'failed',
    });
  });

  test('is not disproven by a 404, which hides what is of another company', () => {
    expect(judge(account, look, lost(), problem(404, 'not-found')).outcome).toMatchObject({
      kind: 'failed',
    });
    expect(judge(account, look, lost(), problem(404, 'new-type')).outcome).toMatchObject({ kind: 'failed' });
  });
});

describe('what there was before', () => {
  const begin = (last: Known['last'] = null) =>
    account.prepare?.begin('submit', workFor(orderView(), { carry: baseline('a') }), {
      facts: [],
      openOrders: [],
      last,
    });

  test.each(['waiting', 'throttled', 'blocked'])('is read anew after a redeem that ended as %s', (kind) => {
    expect(begin({ step: 'redeem', kind, code: 'x' })).toEqual({ step: 'points', carry: {} });
  });

  test('stays as it is otherwise', () => {
    expect(begin()).toBeNull();
    for (const kind of ['missing', 'failed', 'notSent', 'unknown'])
      expect(begin({ step: 'redeem', kind, code: 'x' })).toBeNull();
    for (const step of ['points', 'coupons']) expect(begin({ step, kind: 'waiting', code: 'x' })).toBeNull();
  });
});

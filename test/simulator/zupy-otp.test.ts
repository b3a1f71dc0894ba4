import { CUSTOMER, dataOf, OTHER_CUSTOMER, problemOf, type Rig, rig, stopAll } from './zupy-calls.js';

afterEach(stopAll);

const PHONE = '+5511900000001';
const MINUTE_MS = 60_000;

interface Sent {
  identifier: string;
  code: string;
  requests: number;
  failures: number;
}

const requestCode = ({ call }: Rig, identifier: unknown = PHONE) =>
  call('POST', '/auth/request-otp/', { identifier });

const verify = ({ call }: Rig, code: unknown, identifier: unknown = PHONE) =>
  call('POST', '/auth/verify-otp/', { identifier, otp_code: code });

async function codes({ control }: Rig): Promise<Sent[]> {
  // The shape that the control route documents.
  return ((await control('/otp')).json() as { codes: Sent[] }).codes;
}

async function sentCode(zupy: Rig): Promise<string> {
  return (await codes(zupy))[0]?.code ?? '';
}

/** The six digits that are not those. */
function wrong(code: string): string {
  return code === '000000' ? '000001' : '000000';
}

async function openSession(zupy: Rig): Promise<Record<string, string>> {
  await requestCode(zupy);
  const { otp_session } = dataOf<{ otp_session: string }>(await verify(zupy, await sentCode(zupy)));
  return { 'X-OTP-Session': otp_session };
}

describe('a strict merchant', () => {
  test('has redeem and validate refused without a session, and nothing else', async () => {
    const zupy = await rig({ otpPolicy: 'strict' });
    const refused = await zupy.redeem();
    expect(refused.status).toBe(403);
    expect(refused.json()).toEqual({
      type: 'https://docs.zupy.com/errors#otp-required',
      title: 'Permission Denied',
      status: 403,
      detail: 'OTP verification required',
      instance: expect.stringContaining('/redeem/'),
    });
    expect(problemOf(await zupy.validate('CZ-00000000'))).toEqual([403, 'otp-required']);
    expect((await zupy.call('POST', `/customers/${CUSTOMER}/points/add/`, { amount: 1 })).status).toBe(200);
    expect((await zupy.ledger()).orders).toEqual([]);
  });

  test('lets a session of that customer redeem and use for half an hour', async () => {
    const zupy = await rig({ otpPolicy: 'strict' });
    const session = await openSession(zupy);
    const code = dataOf<{ coupon_code: string }>(
      await zupy.redeem(undefined, undefined, {}, session),
    ).coupon_code;
    expect(problemOf(await zupy.redeem(OTHER_CUSTOMER, undefined, {}, session))).toEqual([
      403,
      'otp-required',
    ]);
    zupy.time.advance(30 * MINUTE_MS - 1);
    expect((await zupy.validate(code, CUSTOMER, session)).status).toBe(200);
    zupy.time.advance(1);
    expect(problemOf(await zupy.redeem(undefined, undefined, {}, session))).toEqual([403, 'otp-required']);
  });

  test('is the default, and can be relaxed for either of the two', async () => {
    const zupy = await rig({ otpPolicy: 'strict' });
    await zupy.settings({ requireOtpForRedemption: false });
    const code = await zupy.issue();
    expect(problemOf(await zupy.validate(code))).toEqual([403, 'otp-required']);
    await zupy.settings({ requireOtpForCouponUsage: false });
    expect((await zupy.validate(code)).status).toBe(200);
    expect((await zupy.control('/settings')).json()).toMatchObject({ requireOtpForRedemption: false });
    expect((await zupy.settings({ unheard: true })).status).toBe(400);
  });

  test('can say it as permission-denied too', async () => {
    const zupy = await rig({ otpPolicy: 'strict', settings: { otpProblem: 'permission-denied' } });
    const refused = await zupy.redeem();
    expect(problemOf(refused)).toEqual([403, 'permission-denied']);
    expect(refused.json()).toMatchObject({ detail: expect.stringContaining('OTP') });
  });

  test('can end all sessions before their time', async () => {
    const zupy = await rig({ otpPolicy: 'strict' });
    const session = await openSession(zupy);
    await fetch(`${zupy.simulator.url}/_control/otp`, { method: 'DELETE' });
    expect(problemOf(await zupy.redeem(undefined, undefined, {}, session))).toEqual([403, 'otp-required']);
  });
});

test('without an active integration no policy can be found, even a trusting one', async () => {
  const zupy = await rig();
  await zupy.settings({ integration: false });
  expect(problemOf(await zupy.redeem())).toEqual([403, 'integration-not-found']);
  expect(problemOf(await zupy.validate('CZ-00000000'))).toEqual([403, 'integration-not-found']);
  expect(await zupy.points()).toBe(1_000_000);
});

describe('request', () => {
  test('sends a code of six digits, and counts how often it was asked for', async () => {
    const zupy = await rig();
    expect((await requestCode(zupy)).json()).toEqual({
      data: { status: 'sent', channel: 'whatsapp', expires_in: 300 },
      meta: {},
    });
    await requestCode(zupy, 'customer-2@zupy.example');
    await requestCode(zupy, '+55 (11) 90000-0001');
    expect(await codes(zupy)).toEqual([
      {
        identifier: '+55 (11) 90000-0001',
        code: expect.stringMatching(/^\d{6}$/),
        channel: 'whatsapp',
        sentAt: zupy.time.clock.now(),
        expiresAt: zupy.time.clock.now() + 300_000,
        requests: 2,
        failures: 0,
        isSpent: false,
      },
      expect.objectContaining({ identifier: 'customer-2@zupy.example', channel: 'email', requests: 1 }),
    ]);
    expect((await zupy.ledger()).requests.filter(({ verb }) => verb === 'request-otp')).toHaveLength(3);
  });

  test.each([[undefined], [''], [5]])('is a 400 with identifier %p', async (identifier) => {
    const heard = await requestCode(await rig(), identifier ?? null);
    expect(problemOf(heard)).toEqual([400, 'validation-error']);
    expect(heard.json()).toMatchObject({ errors: [{ field: 'identifier' }] });
  });
});

describe('verify', () => {
  test('answers a session and who the customer is', async () => {
    const zupy = await rig();
    await requestCode(zupy);
    expect((await verify(zupy, await sentCode(zupy))).json()).toEqual({
      data: {
        customer_id: CUSTOMER,
        is_new: false,
        otp_session: expect.stringMatching(/^\w{20,}$/),
        full_name: 'João Conceição 1',
        points_balance: 1_000_000,
        tier: 'default',
      },
      meta: {},
    });
  });

  test('makes a customer of somebody unknown', async () => {
    const zupy = await rig();
    await requestCode(zupy, 'Nova@zupy.example');
    const heard = dataOf<{ customer_id: string; is_new: boolean }>(
      await verify(zupy, await sentCode(zupy), 'nova@ZUPY.example'),
    );
    expect(heard.is_new).toBe(true);
    expect((await zupy.call('GET', `/customers/${heard.customer_id}/`)).status).toBe(200);
  });

  test('finds the customer by CPF too', async () => {
    const zupy = await rig();
    await zupy.control('/customers', { id: OTHER_CUSTOMER, cpf: '123.456.789-09' });
    await requestCode(zupy, '12345678909');
    const heard = await verify(zupy, await sentCode(zupy), '12345678909');
    expect(dataOf(heard)).toMatchObject({ customer_id: OTHER_CUSTOMER });
  });

  test('refuses a wrong code, one that was used, one that was replaced, and one that is too old', async () => {
    const zupy = await rig();
    const refused = [401, 'authentication-required'];
    await requestCode(zupy);
    const first = await sentCode(zupy);
    expect(problemOf(await verify(zupy, wrong(first)))).toEqual(refused);
    await requestCode(zupy);
    expect(problemOf(await verify(zupy, first))).toEqual(refused);
    const second = await sentCode(zupy);
    expect((await verify(zupy, second)).status).toBe(200);
    expect(problemOf(await verify(zupy, second))).toEqual(refused);
    await requestCode(zupy);
    zupy.time.advance(5 * MINUTE_MS);
    expect(problemOf(await verify(zupy, await sentCode(zupy)))).toEqual(refused);
  });

  test('does not count a wrong code against the key: other calls go on', async () => {
    const zupy = await rig();
    await requestCode(zupy);
    await verify(zupy, wrong(await sentCode(zupy)));
    expect(await zupy.points()).toBe(1_000_000);
  });

  test('is not found where nothing was requested', async () => {
    expect(problemOf(await verify(await rig(), '123456'))).toEqual([404, 'not-found']);
  });

  test('stops listening after too many attempts, until a new code', async () => {
    const zupy = await rig();
    await requestCode(zupy);
    const code = await sentCode(zupy);
    for (let time = 0; time < 5; time += 1) await verify(zupy, wrong(code));
    const refused = await verify(zupy, code);
    expect(problemOf(refused)).toEqual([429, 'rate-limit-exceeded']);
    expect(refused.headers['retry-after']).toBeDefined();
    await requestCode(zupy);
    expect((await verify(zupy, await sentCode(zupy))).status).toBe(200);
  });

  test.each([
    ['otp_code', undefined, PHONE],
    ['otp_code', '12345', PHONE],
    ['otp_code', 123_456, PHONE],
    ['identifier', '123456', undefined],
  ])('is a 400 for %p with code %p and identifier %p', async (field, code, identifier) => {
    const heard = await verify(await rig(), code, identifier ?? null);
    expect(problemOf(heard)).toEqual([400, 'validation-error']);
    expect(heard.json()).toMatchObject({ title: 'Bad Request', errors: [{ field }] });
  });
});

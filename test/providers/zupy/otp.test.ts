import type { OneTimePassword } from '../../../src/providers/provider.js';
import { judge, sentBody, stepNamed, workFor } from '../fixtures.js';
import { answerOf, BASE, CUSTOMER, goodBody, openAccount, orderView, problem } from './fixtures.js';

const account = openAccount();
const { request, verify, session }: OneTimePassword = (() => {
  if (account.otp === undefined) throw new Error('there are no one-time passwords');
  return account.otp;
})();
const work = workFor(orderView());
const coded = (code: unknown) =>
  // A caller may pass anything that JSON holds.
  workFor(orderView(), { params: { code: code as string } });

describe('asking for a code', () => {
  test('posts whom to send it to', () => {
    expect(request.request(work)).toMatchObject({ method: 'POST', url: `${BASE}/auth/request-otp/` });
    expect(sentBody(request, work)).toEqual({ identifier: '+5511987654321' });
  });

  test.each([
    [
      'the identifier of the options before all',
      goodBody({ options: { otpIdentifier: 'maria@example.com' } }),
      'maria@example.com',
    ],
    ['the phone number', goodBody(), '+5511987654321'],
    [
      'the e-mail address where there is no phone number',
      goodBody({ customer: { id: CUSTOMER, email: 'joao@example.com' } }),
      'joao@example.com',
    ],
    ['nobody, which Zupy refuses', goodBody({ customer: { id: CUSTOMER } }), ''],
  ])('takes %s', (_what, body, identifier) => {
    expect(sentBody(request, workFor(orderView({ body })))).toEqual({ identifier });
  });

  test('is done by its status', () => {
    const sent = { data: { status: 'sent', channel: 'whatsapp', expires_in: 300 } };
    expect(judge(account, request, work, answerOf(200, sent)).outcome).toEqual({ kind: 'done' });
    expect(request.read(work, answerOf(202, ''))).toEqual({ kind: 'done' });
  });

  test.each([
    ['HTML', '<html>sign in</html>'],
    ['a problem under 200', { type: 'https://docs.zupy.com/errors#gone', title: 'Gone', status: 410 }],
    ['a list', []],
  ])('does not trust %s', (_what, body) => {
    expect(judge(account, request, work, answerOf(200, body)).outcome).toMatchObject({ kind: 'unknown' });
  });

  test('is refused where nobody can be reached', () => {
    const errors = [{ field: 'identifier', detail: 'Este campo é obrigatório.' }];
    expect(judge(account, request, work, problem(400, 'validation-error', { errors })).outcome).toMatchObject(
      {
        kind: 'rejected',
        fields: { identifier: ['Este campo é obrigatório.'] },
      },
    );
  });
});

describe('checking a code', () => {
  const opened = { customer_id: CUSTOMER, is_new: false, otp_session: 'sess_abc', points_balance: 10 };

  test('posts it with whom it was sent to, without the spaces that people put into it', () => {
    expect(verify.request(coded('123 456'))).toMatchObject({
      method: 'POST',
      url: `${BASE}/auth/verify-otp/`,
    });
    expect(sentBody(verify, coded('123 456'))).toEqual({
      identifier: '+5511987654321',
      otp_code: '123456',
    });
    expect(sentBody(verify, coded(123456))).toMatchObject({ otp_code: '' });
  });

  test('brings the session as a secret of the customer, for a little less than its half hour', () => {
    expect(judge(account, verify, coded('123456'), answerOf(200, { data: opened })).outcome).toEqual({
      kind: 'done',
      facts: [
        {
          kind: 'otp-session',
          key: CUSTOMER,
          value: { token: 'sess_abc' },
          ttlMs: 28 * 60_000,
          secret: true,
        },
      ],
    });
    expect(session(work)).toEqual({ kind: 'otp-session', key: CUSTOMER });
  });

  test('takes a bare answer that holds the session only', () => {
    expect(verify.read(coded('1'), answerOf(200, { otp_session: 's' }))).toMatchObject({ kind: 'done' });
  });

  test('refuses a session of another customer', () => {
    const other = { data: { ...opened, customer_id: 'other' } };
    expect(verify.read(coded('1'), answerOf(200, other))).toMatchObject({
      kind: 'rejected',
      code: 'other_customer',
    });
  });

  test.each([
    ['no session', { data: { ...opened, otp_session: undefined } }],
    ['an empty session', { data: { ...opened, otp_session: '' } }],
    ['a session that would break the header', { data: { ...opened, otp_session: 'a\r\nb' } }],
    ['HTML', '<html>'],
  ])('does not trust an answer with %s', (_what, body) => {
    expect(verify.read(coded('1'), answerOf(200, body))).toBeNull();
  });

  test.each([
    [401, 'authentication-required'],
    [401, 'a-new-type'],
    [404, 'not-found'],
    [429, 'rate-limit-exceeded'],
  ])('goes on waiting for a right code after %d %s, and pauses nothing', (status, type) => {
    expect(judge(account, verify, coded('000000'), problem(status, type)).outcome).toMatchObject({
      kind: 'waiting',
      reason: 'otp',
      scope: 'order',
    });
  });

  test('goes on waiting after a 401 without any body', () => {
    expect(judge(account, verify, coded('000000'), answerOf(401, '')).outcome).toMatchObject({
      kind: 'waiting',
    });
  });

  test('is refused where the code has the wrong shape', () => {
    expect(judge(account, verify, coded('1'), problem(400, 'validation-error')).outcome).toMatchObject({
      kind: 'rejected',
    });
  });
});

describe('a call that wants a code', () => {
  test.each([
    ['otp-required', 'OTP verification required'],
    ['permission-denied', 'OTP verification required'],
    ['permission-denied', 'A one-time password is needed'],
  ])('waits for one after %s "%s"', (type, detail) => {
    for (const name of ['redeem', 'validate', 'validate-multi']) {
      const { outcome } = judge(account, stepNamed(account, name), work, problem(403, type, { detail }));
      expect(outcome).toMatchObject({ kind: 'waiting', reason: 'otp', scope: 'order' });
    }
  });

  test('pauses the account where the key may not write at all', () => {
    const answer = problem(403, 'permission-denied', { detail: 'The API key is read-only.' });
    expect(judge(account, stepNamed(account, 'redeem'), work, answer).outcome).toMatchObject({
      kind: 'blocked',
      code: 'auth',
    });
  });
});

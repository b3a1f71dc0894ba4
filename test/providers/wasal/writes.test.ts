import { answerOf, judge, stepNamed } from '../fixtures.js';
import { BASE, ORDER_ID, openAccount, orderView, refusal, success, toldOrder, workFor } from './fixtures.js';

const account = openAccount();
const placed = workFor(orderView({ providerOrderId: ORDER_ID }));
const outcomeOf = (name: string, answer: ReturnType<typeof answerOf>, of = account) =>
  judge(of, stepNamed(of, name), placed, answer).outcome;

describe.each(['activate', 'cancel'])('%s', (name) => {
  const step = stepNamed(account, name);

  test("puts nothing to the order's own path", () => {
    expect(step.request(placed)).toEqual({
      method: 'PUT',
      url: `${BASE}/order/${ORDER_ID}/${name}`,
      headers: { Accept: 'application/json', Authorization: 'Bearer pk_live_abc' },
    });
  });

  test.each([
    ['of the order', { order: toldOrder({ status: name === 'cancel' ? 'cancelled' : 'pending' }) }],
    ['of the order alone', toldOrder({ status: name === 'cancel' ? 'cancelled' : 'assigned' })],
    ['of an order without a status', { order: { _id: ORDER_ID } }],
    ['of nothing', {}],
    ['without data', null],
  ])('is done after a success that tells %s', (_what, data) => {
    expect(outcomeOf(name, success(data))).toEqual({ kind: 'done' });
  });

  test.each([
    ['of another order', success({ order: toldOrder({ _id: 'other' }) })],
    [
      'of an order that stands as before',
      success({ order: toldOrder({ status: name === 'cancel' ? 'pending' : 'draft' }) }),
    ],
    ['of an error under 200', answerOf(200, { success: false, code: 'X', message: 'no' })],
    ['of HTML', answerOf(200, '<html>sign in</html>')],
    ['of nothing at all', answerOf(204, '')],
  ])('is tried again after an answer %s', (_what, answer) => {
    expect(outcomeOf(name, answer)).toMatchObject({ kind: 'failed', code: 'unreadable_answer' });
  });

  test('reads the order where the refusal is about its state, whatever it is called', () => {
    for (const code of ['ORDER_NOT_CANCELLABLE', 'SOMETHING_NEW', 'ORDER_NOT_DRAFT'])
      expect(outcomeOf(name, refusal(400, code)).kind).toBe('settled');
    expect(outcomeOf(name, answerOf(400, 'no')).kind).toBe('settled');
    expect(outcomeOf(name, refusal(404, 'ORDER_NOT_FOUND')).kind).toBe('missing');
  });

  test('does not exist for an order that Wasal does not have', () => {
    expect(() => step.request(workFor(orderView()))).toThrow('an order that Wasal has');
  });
});

test('the path of an activation is configured', () => {
  const step = stepNamed(openAccount({ activatePath: '/drafts/{id}/go' }), 'activate');
  const order = orderView({ providerOrderId: 'a/b $&' });
  expect(step.request(workFor(order)).url).toBe(`${BASE}/drafts/a%2Fb%20%24%26/go`);
});

describe('an activation', () => {
  test('waits for money, with the whole account', () => {
    expect(outcomeOf('activate', refusal(400, 'INSUFFICIENT_WALLET_BALANCE'))).toMatchObject({
      kind: 'waiting',
      reason: 'funds',
      scope: 'account',
    });
  });

  test('waits for the window of the delivery partner, with the whole account', () => {
    expect(outcomeOf('activate', refusal(400, 'ORDER_WINDOW_CLOSED'))).toEqual({
      kind: 'waiting',
      reason: 'window',
      scope: 'account',
      code: 'ORDER_WINDOW_CLOSED',
      message: 'said ORDER_WINDOW_CLOSED',
    });
  });

  test('is told when the window opens, where the hours are configured', () => {
    const hours = { openingHours: { days: { mon: ['09:00', '18:00'] } } };
    const timed = openAccount(hours);
    // A Sunday, 21:00 in Kuwait.
    const receivedAt = Date.parse('2026-03-01T18:00:00Z');
    const closed = { ...refusal(400, 'ORDER_WINDOW_CLOSED'), receivedAt };
    expect(timed.readError(closed)).toMatchObject({ retryAt: Date.parse('2026-03-02T06:00:00Z') });
    expect(timed.readError({ ...refusal(400, 'ORDER_NOT_DRAFT'), receivedAt })).not.toHaveProperty('retryAt');
    expect(account.readError(closed)).not.toHaveProperty('retryAt');
    const opened = { ...closed, receivedAt: Date.parse('2026-03-02T07:00:00Z') };
    expect(timed.readError(opened)).not.toHaveProperty('retryAt');
  });
});

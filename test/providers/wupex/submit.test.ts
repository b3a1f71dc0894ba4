import fc from 'fast-check';
import { answerOf, judge, sentBody, workFor } from '../fixtures.js';
import { goodBody, ORDER_NAME, openAccount, orderView, pulled, refused, SERIALS } from './fixtures.js';

const account = openAccount({ baseUrl: 'https://gateway.example.com/wupex/' });
const [submit] = account.verbs.submit;
const work = workFor(orderView());
const outcomeOf = (body: unknown, status = 200) =>
  judge(account, submit, work, answerOf(status, body)).outcome;

describe('the request', () => {
  test('posts a bare array of lines, with the reference behind the question mark', () => {
    expect(submit.request(work)).toEqual({
      method: 'POST',
      url: 'https://gateway.example.com/wupex/api/order/pull-codes?referenceId=shop%3A1001',
      headers: {
        Accept: 'application/json',
        'Accept-Language': 'en-US',
        'Content-Type': 'application/json',
        'x-api-key': 'the-key',
      },
      body: JSON.stringify([
        { merchant: 'giftwave', sku: 'GIFT-10', quantity: 2 },
        { merchant: 'playhub', sku: 'PLAY-25', quantity: 1 },
      ]),
    });
  });

  test('holds nothing of the shop or its customer, and never the flag for partial orders', () => {
    const body = goodBody({
      customer: { email: 'ann@example.com' },
      metadata: { campaign: 'summer' },
      currency: 'KWD',
      totals: { total: '42.875' },
    });
    const request = submit.request(workFor(orderView({ body })));
    expect(request.url).not.toContain('allowTakeAll');
    expect(request.body).toBe(submit.request(work).body);
  });

  test('tells each generation apart', () => {
    const again = workFor(orderView({ providerReference: 'shop:1001~2', generation: 2 }));
    expect(submit.request(again).url).toContain('?referenceId=shop%3A1001~2');
  });

  test('carries any reference unharmed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (providerReference) => {
        const { url } = submit.request(workFor(orderView({ providerReference })));
        expect([...new URL(url).searchParams]).toEqual([['referenceId', providerReference.toWellFormed()]]);
      }),
    );
  });

  test('is the same each time', () => {
    expect(submit.request(work)).toEqual(submit.request(work));
    expect(sentBody(submit, work)).toHaveLength(2);
  });
});

describe('a success', () => {
  test('with all codes is delivered', () => {
    expect(outcomeOf(pulled())).toEqual({
      kind: 'accepted',
      providerOrderId: ORDER_NAME,
      status: 'delivered',
      data: { totalAmount: '42.875' },
      deliverables: SERIALS.map(({ sku, serialCode, serialNumber }, position) => ({
        position,
        sku,
        code: serialCode,
        serial: serialNumber,
        expiresAt: null,
      })),
    });
  });

  test.each([
    ['no list of serials', { serials: undefined }, []],
    ['null in its place', { serials: null }, []],
    ['something else in its place', { serials: 'soon' }, []],
    ['an empty list', { serials: [] }, []],
    ['some of them', { serials: SERIALS.slice(0, 1) }, [0]],
    ['the last one alone', { serials: SERIALS.slice(2) }, [2]],
    ['a serial without its code', { serials: [SERIALS[0], { ...SERIALS[1], serialCode: null }] }, [0]],
    ['a blank code', { serials: [{ ...SERIALS[0], serialCode: ' ' }, SERIALS[2]] }, [2]],
    ['entries that are none', { serials: [null, 7, 'x', [], SERIALS[2]] }, [2]],
  ])('with %s is in progress, and hands over what is there', (_what, changes, positions) => {
    const outcome = outcomeOf(pulled(changes));
    expect(outcome).toMatchObject({ kind: 'accepted', providerOrderId: ORDER_NAME, status: 'in_progress' });
    expect('deliverables' in outcome && outcome.deliverables?.map(({ position }) => position)).toEqual(
      positions,
    );
  });

  test('with more codes than were ordered is read again before it is delivered', () => {
    expect(outcomeOf(pulled({ serials: [...SERIALS, SERIALS[0]] }))).toMatchObject({ status: 'in_progress' });
  });

  test.each([
    [42.875, { totalAmount: '42.875' }],
    ['42.875', { totalAmount: '42.875' }],
    [0.1, { totalAmount: '0.1' }],
    [35, { totalAmount: '35' }],
    [1e30, undefined],
    ['much', undefined],
    [null, undefined],
  ])('that costs %j has the data %j', (totalAmount, data) => {
    const outcome = outcomeOf(pulled({ totalAmount }));
    expect(outcome.kind === 'accepted' && outcome.data).toEqual(data);
  });

  test('may name the order by a number', () => {
    expect(outcomeOf(pulled({ orderName: 5202 }))).toMatchObject({ providerOrderId: '5202' });
  });
});

describe('an answer that cannot be trusted', () => {
  test.each([
    ['HTML', '<html>Checking your browser</html>'],
    ['nothing', ''],
    ['half of it', JSON.stringify(pulled()).slice(0, 90)],
    ['a list', [pulled()]],
    ['no order name', pulled({ orderName: undefined })],
    ['an empty order name', pulled({ orderName: '' })],
    ['an order name that no database takes', pulled({ orderName: 'A\u0000' })],
    ['no data', { status: true }],
    ['no flag', { data: { orderName: ORDER_NAME, serials: SERIALS } }],
    ['a number for the flag', { status: 200, data: { orderName: ORDER_NAME, serials: SERIALS } }],
    ['a refusal that names an order', { ...pulled(), status: false, error: { code: 'INSUFFICIENT_STOCK' } }],
  ])('with %s leaves it open whether codes were pulled', (_what, body) => {
    expect(outcomeOf(body)).toMatchObject({ kind: 'unknown', code: 'unreadable_answer' });
  });

  test('does not show a code', () => {
    const body = { ...pulled(), status: 'true' };
    expect(JSON.stringify(outcomeOf(body))).not.toContain(SERIALS[0].serialCode);
  });
});

describe('a refusal', () => {
  test('keeps the message, in whatever script', () => {
    const message = 'الكمية يجب أن تكون أكبر من صفر: quantidade inválida';
    expect(judge(account, submit, work, refused(400, 'INVALID_PAYLOAD', message))).toMatchObject({
      outcome: { kind: 'rejected', code: 'INVALID_PAYLOAD', message },
      rule: { id: 'wupex/invalid-payload' },
    });
  });

  test.each([200, 400, 409, 422, 500])('for lack of stock waits for it, under %d too', (status) => {
    const answer = refused(status, 'INSUFFICIENT_STOCK', 'Requested quantity not available.');
    expect(judge(account, submit, work, answer).outcome).toEqual({
      kind: 'waiting',
      reason: 'stock',
      scope: 'order',
      code: 'INSUFFICIENT_STOCK',
      message: 'Requested quantity not available.',
    });
  });

  test.each([200, 400, 402, 403, 422])(
    'for lack of money is the account’s matter, under %d too',
    (status) => {
      const answer = refused(status, 'INSUFFICIENT_BALANCE', 'Top up first.');
      expect(judge(account, submit, work, answer).outcome).toMatchObject({
        kind: 'waiting',
        reason: 'funds',
        scope: 'account',
        message: 'Top up first.',
      });
    },
  );

  test('for lack of money may have any configured code', () => {
    const other = openAccount({ insufficientBalanceCodes: ['NO_CREDIT', 'E-17'] });
    const [step] = other.verbs.submit;
    for (const code of ['NO_CREDIT', 'E-17']) {
      for (const status of [200, 400]) {
        const { outcome } = judge(other, step, work, refused(status, code));
        expect(outcome).toMatchObject({ kind: 'waiting', reason: 'funds', code: 'INSUFFICIENT_BALANCE' });
      }
    }
    expect(judge(account, submit, work, refused(400, 'NO_CREDIT')).outcome).toMatchObject({
      kind: 'rejected',
    });
  });

  test.each([
    ['INVALID_PAYLOAD', 'rejected'],
    ['UNAUTHORIZED', 'blocked'],
    ['FORBIDDEN', 'blocked'],
    ['NOT_FOUND', 'missing'],
    ['TOO_MANY_REQUESTS', 'throttled'],
    ['INTERNAL_ERROR', 'unknown'],
    ['SERVICE_UNAVAILABLE', 'unknown'],
  ])('%s under 200 is what it is under its own status: %s', (code, kind) => {
    expect(judge(account, submit, work, refused(200, code)).outcome).toMatchObject({ kind, message: 'No' });
  });

  test('with a time for coming back is heard under 200 too', () => {
    const answer = {
      ...refused(200, 'TOO_MANY_REQUESTS'),
      headers: { 'retry-after': '7' },
      receivedAt: 1_000,
    };
    expect(judge(account, submit, work, answer).outcome).toMatchObject({ kind: 'throttled', retryAt: 8_000 });
  });

  test.each([
    ['an unknown code', { status: false, error: { code: 'ODD', message: 'Odd.' } }, 'ODD'],
    ['no code', { status: false, message: 'Odd.' }, 'refused'],
    ['nothing else', { status: false }, 'refused'],
    ['an empty code', { status: false, error: { code: ' ', message: 'Odd.' } }, 'refused'],
  ])('with %s under 200 leaves it open whether codes were pulled', (_what, body, code) => {
    expect(outcomeOf(body)).toMatchObject({ kind: 'unknown', code });
  });

  test.each([
    ['Your account is not entitled to GIFT-10', 'misconfigured'],
    ['The merchant giftwave has not invited you', 'misconfigured'],
    ['Product is disabled', 'misconfigured'],
    ['Insufficient permissions', 'auth'],
    ['The API key does not allow orders of products', 'auth'],
    ['Your IP address is not on the list of this merchant', 'auth'],
    ['Your account is suspended', 'auth'],
  ])('with 403 "%s" is a matter of %s', (message, code) => {
    for (const status of [200, 403]) {
      const { outcome } = judge(account, submit, work, refused(status, 'FORBIDDEN', message));
      expect(outcome).toMatchObject({ kind: 'blocked', code, message });
    }
  });

  test('with 403 and a code about a product pauses no account', () => {
    const { outcome } = judge(account, submit, work, refused(403, 'PRODUCT_NOT_ALLOWED'));
    expect(outcome).toMatchObject({ kind: 'blocked', code: 'misconfigured' });
    const { outcome: wall } = judge(account, submit, work, answerOf(403, '<html>product firewall</html>'));
    expect(wall).toMatchObject({ kind: 'blocked', code: 'auth' });
  });
});

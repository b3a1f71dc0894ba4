import { answerOf, existing, judge, sentBody } from '../fixtures.js';
import {
  envelope,
  fixture,
  goodBody,
  openAccount,
  orderView,
  PROVIDER_ORDER_ID,
  workFor,
} from './fixtures.js';

const account = openAccount();
const withDrafts = openAccount({ activateUrl: 'https://api.example.com/v4/orders/{id}' });
const placed = workFor(orderView({ providerOrderId: PROVIDER_ORDER_ID }));

describe('submit', () => {
  const submit = account.verbs.submit[0];
  const work = workFor(orderView());

  test('posts to the submit URL with key and secret in one header', () => {
    expect(submit.request(work)).toMatchObject({
      method: 'POST',
      url: 'https://api.example.com/api/prints/c1/order',
      headers: {
        'X-API-KEY': 'the-key:the:secret',
        'Content-Type': 'application/json',
        Accept: 'application/json',
      },
    });
  });

  test('sends a plain order under the names of the document', () => {
    expect(sentBody(submit, work)).toEqual({
      orderReferenceId: 'shop:1001',
      orderType: 'order',
      currency: 'EUR',
      shippingAddress: {
        country: 'NO',
        firstName: 'Kari',
        lastName: 'Nordmann',
        addressLine1: 'Storgata 1',
        city: 'Oslo',
        postCode: '0155',
        state: '',
        email: 'kari@example.com',
        phone: '+47 22 22 22 22',
      },
      items: [
        {
          itemReferenceId: 'line-1',
          productUid: 'poster_a3_170gsm',
          quantity: 2,
          files: [{ type: 'default', url: 'https://files.example.com/a.pdf' }],
        },
      ],
      preventDuplicate: true,
    });
  });

  test('sends everything that an order can hold', () => {
    const body = goodBody({
      customer: {
        firstName: 'Ann',
        lastName: 'Lee',
        email: 'ann@example.com',
        phone: '+1 (212) 555-0100',
        company: 'Lee Ltd',
        taxId: '12-3456789',
      },
      shippingAddress: {
        line1: '1 Main St',
        line2: 'Suite 2',
        city: 'Albany',
        postCode: '12207',
        state: 'NY',
        country: 'US',
      },
      shippingMethod: 'Express,DHL',
      items: [
        {
          reference: 'line-1',
          quantity: 3,
          unitPrice: '0.1',
          files: [{ type: 'front', url: 'https://files.example.com/f.png' }],
          options: { productName: 'Framed Poster', productVariant: { Frame: 'Oak', Size: 'A3' } },
          metadata: { position: 'A1', priority: 2, fragile: true },
        },
      ],
      totals: { shipping: '6.99' },
      metadata: { campaign: 'summer' },
      options: { retailCurrency: 'GBP', isBusiness: true, stateTaxId: 'NY-1', registrationState: 'NY' },
    });
    expect(sentBody(submit, workFor(orderView({ body })))).toEqual({
      orderReferenceId: 'shop:1001',
      orderType: 'order',
      currency: 'EUR',
      retailCurrency: 'GBP',
      retailShippingPriceInclVat: 6.99,
      shipmentMethodUid: 'Express,DHL',
      shippingAddress: {
        country: 'US',
        firstName: 'Ann',
        lastName: 'Lee',
        addressLine1: '1 Main St',
        addressLine2: 'Suite 2',
        city: 'Albany',
        postCode: '12207',
        state: 'NY',
        email: 'ann@example.com',
        phone: '+1 (212) 555-0100',
        companyName: 'Lee Ltd',
        isBusiness: true,
        federalTaxId: '12-3456789',
        stateTaxId: 'NY-1',
        registrationState: 'NY',
      },
      items: [
        {
          itemReferenceId: 'line-1',
          productName: 'Framed Poster',
          productVariant: { Frame: 'Oak', Size: 'A3' },
          quantity: 3,
          // In floating point 3 × 0.1 would be 0.30000000000000004.
          retailPriceInclVat: 0.3,
          files: [{ type: 'front', url: 'https://files.example.com/f.png' }],
          metadata: [
            { key: 'position', value: 'A1' },
            { key: 'priority', value: '2' },
            { key: 'fragile', value: 'true' },
          ],
        },
      ],
      metadata: [{ key: 'campaign', value: 'summer' }],
      preventDuplicate: true,
    });
  });

  test("tells the provider the reference of the order's generation", () => {
    const order = orderView({ generation: 2, providerReference: 'eu-shop:1001~2' });
    expect(sentBody(submit, workFor(order))).toMatchObject({ orderReferenceId: 'eu-shop:1001~2' });
  });

  test('is a draft only where the shop asks for one and the account can activate it', () => {
    const held = workFor(orderView({ body: goodBody({ activate: false }) }));
    const now = workFor(orderView({ body: goodBody({ activate: true }) }));
    expect(sentBody(withDrafts.verbs.submit[0], held)).toMatchObject({ orderType: 'draft' });
    expect(sentBody(withDrafts.verbs.submit[0], now)).toMatchObject({ orderType: 'order' });
    expect(sentBody(submit, held)).toMatchObject({ orderType: 'order' });
  });

  test('leaves preventDuplicate out where it is switched off, and names the customer where one is configured', () => {
    const step = openAccount({ preventDuplicate: false, customerReferenceId: 'c-9' }).verbs.submit[0];
    expect(sentBody(step, work)).not.toHaveProperty('preventDuplicate');
    expect(step.request(work).headers).toMatchObject({ 'Customer-Reference-ID': 'c-9' });
    expect(submit.request(work).headers).not.toHaveProperty('Customer-Reference-ID');
  });

  test.each([200, 201, 202])('reads %d as accepted, with the id', (status) => {
    expect(judge(account, submit, work, answerOf(status, fixture('submitted'))).outcome).toEqual({
      kind: 'accepted',
      providerOrderId: PROVIDER_ORDER_ID,
      status: 'submitted',
    });
  });

  test('reads an accepted draft as a draft', () => {
    const held = workFor(orderView({ body: goodBody({ activate: false }) }));
    const step = withDrafts.verbs.submit[0];
    expect(step.read(held, answerOf(200, fixture('submitted')))).toMatchObject({ status: 'draft' });
  });

  test.each([
    ['without an id', { orderReferenceId: 'shop:1001' }],
    ['with an empty id', { id: '', orderReferenceId: 'shop:1001' }],
    ['with an id that would leave its place in a URL', { id: '..', orderReferenceId: 'shop:1001' }],
    ['with an id that no database takes', { id: 'a\u0000b', orderReferenceId: 'shop:1001' }],
    ['for another reference', { id: PROVIDER_ORDER_ID, orderReferenceId: 'shop:1002' }],
    ['of HTML', '<html>maintenance</html>'],
    ['that is an error under 200', { code: 400, message: 'Invalid' }],
    ['that is empty', ''],
  ])('does not trust an answer %s: the order may have been placed', (_what, body) => {
    expect(judge(account, submit, work, answerOf(200, body)).outcome).toMatchObject({
      kind: 'unknown',
      code: 'unreadable_answer',
    });
  });

  test('reads the error envelope as the reason of a rejection', () => {
    const message = 'Invalid shipping address: Email is not a valid format';
    expect(judge(account, submit, work, envelope(400, message))).toMatchObject({
      outcome: { kind: 'rejected', code: 'http_400', message },
      rule: { id: 'gelato-connect/bad-request' },
    });
  });

  test.each([400, 409, 422])('looks whose order it is when %d tells of a duplicate', (status) => {
    const { outcome } = judge(
      account,
      submit,
      work,
      envelope(status, 'Duplicate order: orderReferenceId exists'),
    );
    expect(outcome).toMatchObject({ kind: 'settled', code: 'duplicate_reference' });
  });
});

describe('activate', () => {
  const activate = existing(withDrafts.verbs.activate?.[0]);

  test('patches the draft into an order', () => {
    expect(activate.request(placed)).toMatchObject({
      method: 'PATCH',
      url: `https://api.example.com/v4/orders/${PROVIDER_ORDER_ID}`,
    });
    expect(sentBody(activate, placed)).toEqual({ orderType: 'order' });
  });

  test('is done when the provider answers with an order', () => {
    expect(activate.read(placed, answerOf(200, fixture('order')))).toEqual({ kind: 'done' });
    expect(activate.read(placed, answerOf(204, ''))).toEqual({ kind: 'done' });
  });

  test('is tried again when the provider answers with a draft still', () => {
    const draft = { ...fixture('order'), orderType: 'draft', fulfillmentStatus: 'created' };
    expect(judge(withDrafts, activate, placed, answerOf(200, draft)).outcome).toMatchObject({
      kind: 'failed',
    });
  });

  test('reads the order when it is refused, for an earlier try may have done it', () => {
    expect(judge(withDrafts, activate, placed, envelope(400, 'Not a draft')).outcome).toMatchObject({
      kind: 'settled',
    });
  });
});

describe('cancel', () => {
  const cancel = existing(account.verbs.cancel?.[0]);

  test("posts an empty body to the order's own URL", () => {
    const request = cancel.request(placed);
    expect(request).toMatchObject({
      method: 'POST',
      url: `https://api.example.com/api/prints/order/c1/${PROVIDER_ORDER_ID}/cancel`,
    });
    expect(request).not.toHaveProperty('body');
    expect(request.headers).not.toHaveProperty('Content-Type');
  });

  test('names an order by its reference where no id is known, encoded', () => {
    const order = orderView({ providerReference: 'a/b c:ø?{id}' });
    expect(cancel.request(workFor(order)).url).toBe(
      'https://api.example.com/api/prints/order/c1/a%2Fb%20c%3A%C3%B8%3F%7Bid%7D/cancel',
    );
  });

  test('is done by the status, though the body has the shape of an error', () => {
    expect(judge(account, cancel, placed, answerOf(200, { code: 200, message: 'OK' })).outcome).toEqual({
      kind: 'done',
    });
  });

  test("is tried again after a page of somebody else's", () => {
    expect(judge(account, cancel, placed, answerOf(200, '<html>sign in</html>')).outcome).toMatchObject({
      kind: 'failed',
    });
  });

  test.each([400, 409, 422, 423])('reads the order when it is refused with %d', (status) => {
    expect(judge(account, cancel, placed, envelope(status, 'Order was shipped')).outcome).toMatchObject({
      kind: 'settled',
    });
  });
});

describe('update', () => {
  const update = existing(account.verbs.update?.[0]);
  const withParams = (params: Parameters<typeof workFor>[1]) =>
    workFor(
      orderView({ providerOrderId: PROVIDER_ORDER_ID, body: goodBody({ options: { isBusiness: false } }) }),
      params,
    );

  test('puts a new shipping method alone', () => {
    const work = withParams({ shippingMethod: 'Express' });
    expect(update.request(work)).toMatchObject({
      method: 'PUT',
      url: `https://api.example.com/api/prints/order/c1/${PROVIDER_ORDER_ID}/shipment`,
    });
    expect(sentBody(update, work)).toEqual({ shipmentMethodUid: 'Express' });
  });

  test('puts a new address whole, with the recipient of the order', () => {
    const work = withParams({
      shippingAddress: { line1: 'Lillegata 2', city: 'Bergen', postCode: '5003', country: 'NO' },
    });
    expect(sentBody(update, work)).toEqual({
      shippingAddress: {
        country: 'NO',
        firstName: 'Kari',
        lastName: 'Nordmann',
        addressLine1: 'Lillegata 2',
        city: 'Bergen',
        postCode: '5003',
        state: '',
        email: 'kari@example.com',
        phone: '+47 22 22 22 22',
        isBusiness: false,
      },
    });
  });

  test('puts a new recipient with the address of the order', () => {
    expect(sentBody(update, withParams({ customer: { phone: '+4733333333' } }))).toMatchObject({
      shippingAddress: { firstName: 'Kari', addressLine1: 'Storgata 1', phone: '+4733333333' },
    });
  });

  test('is done when the provider answers with the shipment', () => {
    expect(update.read(placed, answerOf(200, fixture('updated')))).toEqual({ kind: 'done' });
  });

  test('is rejected in the words of the provider when the address is at fault', () => {
    const message = 'Invalid shipping address: City is too long';
    expect(judge(account, update, placed, envelope(400, message)).outcome).toMatchObject({
      kind: 'rejected',
      message,
    });
  });

  test.each([
    'Order has been shipped',
    'Cannot change an order in status shipped',
    'Order is already canceled',
  ])('reads the order when the provider says "%s"', (message) => {
    expect(judge(account, update, placed, envelope(400, message)).outcome).toMatchObject({ kind: 'settled' });
  });
});

describe('a name that could leave its place in a URL', () => {
  test.each(['.', '..'])('%s asks for an order that is not there instead of another resource', (name) => {
    const look = account.reads.look;
    const url = look?.request(workFor(orderView({ providerReference: name }))).url ?? '';
    expect(new URL(url).pathname).toBe(`/api/prints/order/${name.replaceAll('.', '%252E')}`);
  });
});

/** Every other step through the real HTTP layer against the simulated Wasal, and every refusal that it gives by itself. */

import type { OrderBody } from '../../../src/orders/body.js';
import { advanceStatus } from '../../../src/providers/wasal/index.js';
import type { WasalSimulatorOptions } from '../../../src/simulator/wasal/index.js';
import { systemTime } from '../../../src/time.js';
import { accepting } from '../../helpers/faults.js';
import { goodBody } from './fixtures.js';
import { run, type World } from './runner.js';
import { newOrder, noAddress, place, type Rig, read, rig } from './simulator-rig.js';

describe('a lost answer to the order itself', () => {
  test.each([
    ['the connection breaks', accepting('drop')],
    ['a 502', accepting({ status: 502 })],
    ['a page of HTML under 200', { status: 200, body: '<html></html>' }],
  ])('is not known to be anything: %s', async (_what, act) => {
    const made = await rig();
    await made.control('', { match: { verb: 'submit' }, times: 1, do: act });
    const { steps, outcome } = await run(made.world, 'submit', newOrder());
    expect(steps).toEqual(['customer', 'address', 'order']);
    expect(outcome.kind).toBe('unknown');
  });

  test('is found by its reference, and said to be the same', async () => {
    const made = await rig();
    await made.control('', { match: { verb: 'submit' }, times: 1, do: accepting('drop') });
    const order = newOrder();
    await run(made.world, 'submit', order);
    expect(await read(made, 'look', order)).toMatchObject({
      kind: 'observed',
      state: { reference: order.reference, status: 'submitted', sameContent: true },
    });
  });

  test('is found in the second lookup of a round where it was cancelled meanwhile', async () => {
    const made = await rig();
    const order = await place(made, newOrder());
    await made.control('/advance', { reference: order.reference, status: 'cancelled' });
    expect(await read(made, 'look', order)).toMatchObject({ kind: 'missing' });
    expect(await read(made, 'look-cancelled', order)).toMatchObject({
      kind: 'observed',
      state: { status: 'canceled' },
    });
  });

  test('is absent where both lookups miss it, also among references that contain it', async () => {
    const made = await rig({ partialReferences: true });
    await place(made, newOrder({ reference: 'ref-12' }));
    const order = newOrder({ reference: 'ref-1' });
    expect(await read(made, 'look', order)).toMatchObject({ kind: 'missing' });
    expect(await read(made, 'look-cancelled', order)).toMatchObject({ kind: 'missing' });
  });

  test('is not chosen from two orders of one reference', async () => {
    const made = await rig();
    const order = newOrder();
    await place(made, order);
    await place(made, order);
    expect(await read(made, 'look', order)).toMatchObject({ kind: 'done', states: [{}, {}] });
  });

  test('is the reference of another order where Wasal takes each once', async () => {
    const made = await rig({ duplicates: 'reject' });
    const order = newOrder();
    await place(made, order);
    expect((await run(made.world, 'submit', order)).outcome).toMatchObject({
      kind: 'settled',
      code: 'DUPLICATE_REFERENCE',
    });
  });
});

describe('a draft', () => {
  test.each(['status', 'draft'])('is asked for by the field %s, and activated', async (draftField) => {
    const made = await rig({}, { draftField });
    const order = await place(made, newOrder({ activate: false }));
    expect(await made.ledger()).toMatchObject([{ status: 'draft' }]);
    expect((await run(made.world, 'activate', order)).outcome).toEqual({ kind: 'done' });
    expect(await read(made, 'get', order)).toMatchObject({ state: { status: 'submitted' } });
  });

  test('that the account makes by itself is seen in the answer', async () => {
    const made = await rig({ createAsDraft: true });
    expect((await run(made.world, 'submit', newOrder())).outcome).toMatchObject({ status: 'draft' });
  });

  test('is activated once; the second time the order is read', async () => {
    const made = await rig({ createAsDraft: true });
    const order = await place(made, newOrder());
    await run(made.world, 'activate', order);
    expect((await run(made.world, 'activate', order)).outcome).toMatchObject({
      kind: 'settled',
      code: 'ORDER_NOT_DRAFT',
    });
  });

  test('waits for the window of the delivery partner', async () => {
    const made = await rig({ createAsDraft: true });
    const order = await place(made, newOrder());
    await made.control('/window', { open: false });
    expect((await run(made.world, 'activate', order)).outcome).toMatchObject({
      kind: 'waiting',
      reason: 'window',
      scope: 'account',
    });
    await made.control('/window', { open: true });
    expect((await run(made.world, 'activate', order)).outcome.kind).toBe('done');
  });

  test('waits for money', async () => {
    const made = await rig({ createAsDraft: true, walletBalance: 0.5 });
    const order = await place(made, newOrder({ totals: undefined, payment: undefined }));
    const { outcome } = await run(made.world, 'activate', order);
    expect(outcome).toMatchObject({ kind: 'waiting', reason: 'funds', scope: 'account' });
    expect(outcome).toHaveProperty('message', expect.stringContaining('(needs 1.250 KWD, holds 0.500 KWD)'));
  });
});

describe('a cancel', () => {
  test('is done, and done again it is too late', async () => {
    const made = await rig();
    const order = await place(made, newOrder());
    expect((await run(made.world, 'cancel', order)).outcome).toEqual({ kind: 'done' });
    expect(await made.ledger()).toMatchObject([{ status: 'cancelled' }]);
    expect((await run(made.world, 'cancel', order)).outcome.kind).toBe('settled');
  });

  test('comes too late after pickup, whatever the refusal is called', async () => {
    const made = await rig({ cancelRefusal: { status: 409, code: 'TOO_LATE' } });
    const order = await place(made, newOrder());
    await made.control('/advance', { reference: order.reference, status: 'picked_up' });
    expect((await run(made.world, 'cancel', order)).outcome).toMatchObject({
      kind: 'settled',
      code: 'TOO_LATE',
    });
    expect(await read(made, 'get', order)).toMatchObject({ state: { status: 'shipped' } });
  });

  test.each(['cancel', 'activate'] as const)('%s of an order that is not there is missing', async (verb) => {
    const made = await rig();
    const order = { ...newOrder(), providerOrderId: 'nobody' };
    expect((await run(made.world, verb, order)).outcome).toMatchObject({
      kind: 'missing',
      code: 'ORDER_NOT_FOUND',
    });
    expect(await read(made, 'get', order)).toMatchObject({ kind: 'missing', code: 'ORDER_NOT_FOUND' });
  });
});

const LONG_AGO = '2000-01-01T00:00:00.000Z';

describe('the list', () => {
  test('tells of many orders in one call, of cancelled ones only singly', async () => {
    const made = await rig();
    const [first, second, third] = [
      await place(made, newOrder()),
      await place(made, newOrder()),
      await place(made, newOrder()),
    ];
    await run(made.world, 'cancel', second);
    const outcome = await read(made, 'list', undefined, { since: LONG_AGO, page: null });
    const listed =
      outcome.kind === 'done' ? (outcome.states ?? []).map((state) => state.providerOrderId) : [];
    expect(listed.sort()).toEqual([first.providerOrderId, third.providerOrderId].sort());
  });

  test('is narrowed to what was made since a time', async () => {
    const made = await rig();
    await place(made, newOrder());
    made.time.advance(3_600_000);
    const since = new Date(made.time.clock.now() - 1_000).toISOString();
    const late = await place(made, newOrder());
    const outcome = await read(made, 'list', undefined, { since, page: null });
    expect(outcome).toMatchObject({ kind: 'done', states: [{ providerOrderId: late.providerOrderId }] });
  });
});

describe('the sandbox', () => {
  test('shows its orders where they are asked for, and moves them by hand', async () => {
    const made = await rig({ environment: 'test', walletBalance: 0 });
    const order = await place(made, newOrder());
    expect(await read(made, 'look', order)).toMatchObject({ kind: 'observed' });
    expect(await read(made, 'probe')).toEqual({ kind: 'done' });
    const id = order.providerOrderId ?? '';
    expect(await read(made, 'list', undefined, { since: LONG_AGO, page: null })).toMatchObject({
      states: [{}],
    });
    const moved = await made.world.send(advanceStatus(made.access, id, 'picked_up'));
    expect(moved).toMatchObject({ status: 200, json: { data: { orderId: id, status: 'picked_up' } } });
    expect(await read(made, 'get', order)).toMatchObject({ state: { status: 'shipped' } });
    const nowhere = await made.world.send(advanceStatus(made.access, id, 'teleported'));
    expect(readError(made, nowhere)).toBe('INVALID_STATUS');
  });

  test('is refused to production keys, of which the account does not hear', async () => {
    const made = await rig();
    const order = await place(made, newOrder());
    const refused = await made.world.send(
      advanceStatus(made.access, order.providerOrderId ?? '', 'delivered'),
    );
    expect(readError(made, refused)).toBe('SANDBOX_ONLY');
  });
});

function readError({ world }: Rig, result: Awaited<ReturnType<World['send']>>): unknown {
  return result.kind === 'answered' ? world.account.readError(result).code : result.code;
}

describe('a refusal', () => {
  test.each(['pk_live_nobody', 'pk_test_nobody'])("of the key %s is the account's matter", async (apiKey) => {
    const made = await rig({}, {}, apiKey);
    expect(await read(made, 'probe')).toMatchObject({ kind: 'blocked', code: 'auth' });
    const { outcome, steps } = await run(made.world, 'submit', newOrder());
    expect([steps, outcome.kind]).toEqual([['customer'], 'blocked']);
  });

  test("of a merchant who is not active is the account's matter", async () => {
    const made = await rig();
    await made.control('/merchant', { active: false });
    expect(await read(made, 'probe')).toMatchObject({ kind: 'blocked', code: 'auth' });
  });

  test('of money makes the account wait, and costs no order', async () => {
    const made = await rig({ walletBalance: 0.5 });
    const order = newOrder();
    expect((await run(made.world, 'submit', order)).outcome).toMatchObject({
      kind: 'waiting',
      reason: 'funds',
      scope: 'account',
    });
    expect(await made.ledger()).toEqual([]);
    await made.control('/wallet', { balance: 10 });
    expect((await run(made.world, 'submit', order)).outcome.kind).toBe('accepted');
  });

  test('of too many calls waits as long as the header says', async () => {
    const made = await rig();
    await made.control('/limit', { remaining: 0, resetSeconds: 417 });
    const outcome = await read(made, 'probe');
    expect(outcome.kind).toBe('throttled');
    const retryAt = outcome.kind === 'throttled' ? (outcome.retryAt ?? 0) : 0;
    expect(Math.abs(retryAt - systemTime.clock.now() - 417_000)).toBeLessThan(5_000);
  });

  test('of too many calls is known by its status where it is plain text', async () => {
    const made = await rig({ plainText429: true, requestsPerWindow: 1 });
    await read(made, 'probe');
    expect(await read(made, 'probe')).toMatchObject({ kind: 'throttled', code: 'http_429' });
  });

  test.each<[string, Partial<OrderBody>, Partial<WasalSimulatorOptions>, unknown]>([
    ['CUSTOMER_NOT_FOUND', { customer: { id: '65f0000000000000000000ff' } }, {}, { kind: 'rejected' }],
    ['CUSTOMER_NO_DELIVERY_ADDRESS', { ...noAddress, shippingAddress: undefined }, {}, { kind: 'rejected' }],
    ['PACKAGE_PHOTO_REQUIRED', {}, { photoRequired: true }, { kind: 'rejected' }],
    [
      'INVALID_PACKAGE_SIDE',
      { options: { ...goodBody().options, packageSide: 'huge' } },
      {},
      { kind: 'rejected' },
    ],
    [
      'VALIDATION_FAILED',
      { options: { ...goodBody().options, branchCode: 'NOWHERE' } },
      {},
      { kind: 'rejected', fields: { branchCode: [expect.any(String)] } },
    ],
    [
      'VALIDATION_FAILED',
      { options: { ...goodBody().options, address: { blockId: 'Block 1' } } },
      {},
      { kind: 'rejected', fields: { blockId: ['Invalid PACI location reference'] } },
    ],
  ])("of the content is the order's: %s", async (code, changes, options, expected) => {
    const made = await rig(options);
    const { outcome } = await run(made.world, 'submit', newOrder(changes));
    expect(outcome).toMatchObject(Object(expected));
    if (outcome.kind === 'rejected') expect(outcome.code).toBe(code);
  });

  test.each<[string, Partial<OrderBody>]>([
    ['SPECIAL_HANDLING_REQUIRED', { options: { ...goodBody().options, specialHandlingTags: [] } }],
    ['INVALID_AMOUNT_TO_COLLECT', { payment: { method: 'cod' } }],
    ['AMOUNT_EXCEEDS_TOTAL', { payment: { method: 'cod', amountToCollect: '99' } }],
    ['CUSTOMER_REQUIRED', { customer: undefined }],
  ])('of %s is told at intake already', async (_code, changes) => {
    const { world } = await rig();
    expect(world.account.validate(goodBody(changes))).not.toEqual([]);
  });
});

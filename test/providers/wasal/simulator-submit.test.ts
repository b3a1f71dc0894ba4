/** From customer to order, through the real HTTP layer against the simulated Wasal. */

import type { OrderView } from '../../../src/orders/order.js';
import { accepting } from '../../helpers/faults.js';
import { run } from './runner.js';
import { addressesOf, atHouse, newOrder, noAddress, place, type Rig, read, rig } from './simulator-rig.js';

describe('an order', () => {
  test('of a new customer takes three calls', async () => {
    const made = await rig();
    const order = newOrder();
    const ran = await run(made.world, 'submit', order);
    expect(ran.steps).toEqual(['customer', 'address', 'order']);
    expect(ran.outcome).toMatchObject({
      kind: 'accepted',
      status: 'submitted',
      rawStatus: 'pending',
      data: { orderNumber: expect.any(String), ...addressesOf(ran.carry) },
    });
    expect(await made.ledger()).toMatchObject([{ reference: order.reference, status: 'pending' }]);
  });

  test('to the same place takes one call, and to another two more', async () => {
    const made = await rig();
    const first = await place(made, newOrder());
    const again = await run(made.world, 'submit', newOrder());
    expect(again.steps).toEqual(['order']);
    expect(again.outcome).toMatchObject({ data: addressesOf(first.providerData) });
    const elsewhere = await run(made.world, 'submit', newOrder(atHouse('9')));
    expect(elsewhere.steps).toEqual(['customer-get', 'address', 'order']);
    expect((await made.ledger()).length).toBe(3);
  });

  test('reuses the address that Wasal holds where nothing is remembered', async () => {
    const made = await rig();
    const first = await place(made, newOrder());
    made.world.facts = [];
    const again = await run(made.world, 'submit', newOrder());
    expect(again.steps).toEqual(['customer', 'order']);
    expect(again.outcome).toMatchObject({ data: addressesOf(first.providerData) });
  });

  test('takes one call where the shop names customer and address', async () => {
    const made = await rig();
    const { providerData } = await place(made, newOrder());
    const named = newOrder({
      customer: { id: String(providerData.customerId) },
      options: {
        branchCode: 'MAIN',
        specialHandlingTags: ['none'],
        customerAddressId: String(providerData.customerAddressId),
      },
    });
    const ran = await run(made.world, 'submit', named);
    expect(ran.steps).toEqual(['order']);
    expect(ran.outcome).toMatchObject({ kind: 'accepted', data: addressesOf(providerData) });
  });

  test('goes to the default address where it wants none of its own', async () => {
    const made = await rig();
    const { providerData } = await place(made, newOrder());
    const ran = await run(made.world, 'submit', newOrder({ ...noAddress, shippingAddress: undefined }));
    expect(ran.steps).toEqual(['order']);
    expect(ran.outcome).toMatchObject({ kind: 'accepted', data: addressesOf(providerData) });
  });

  test('is assigned at once within the window of the delivery partner', async () => {
    const made = await rig();
    await made.control('/window', { open: true });
    expect((await run(made.world, 'submit', newOrder())).outcome).toMatchObject({
      status: 'in_progress',
      rawStatus: 'assigned',
    });
  });

  test('lives, and is read until it is delivered', async () => {
    const made = await rig({ stepMs: 1_000 });
    const order = await place(made, newOrder());
    const seen: unknown[] = [];
    for (let step = 0; step < 6; step += 1) {
      const outcome = await read(made, 'get', order);
      seen.push(outcome.kind === 'observed' ? outcome.state.status : outcome);
      made.time.advance(1_000);
    }
    expect(seen).toEqual(['submitted', 'in_progress', 'in_progress', 'shipped', 'shipped', 'delivered']);
  });

  test.each(['failed', 'returned'])('that %s asks for a person', async (status) => {
    const made = await rig();
    const order = await place(made, newOrder());
    await made.control('/advance', { reference: order.reference, status });
    expect(await read(made, 'get', order)).toMatchObject({
      kind: 'observed',
      state: { status, attention: { code: expect.any(String) } },
    });
  });
});

describe('a customer with five addresses', () => {
  /** Five orders to five places; what each of them left is an open order. */
  async function full(made: Rig): Promise<OrderView[]> {
    const placed: OrderView[] = [];
    for (const house of ['1', '2', '3', '4', '5']) placed.push(await place(made, newOrder(atHouse(house))));
    made.world.openOrders = placed.map(({ providerData }) => providerData);
    return placed;
  }

  test('is refused a sixth while open orders use all of them', async () => {
    const made = await rig();
    await full(made);
    const { steps, outcome } = await run(made.world, 'submit', newOrder(atHouse('6')));
    expect(steps).toEqual(['customer-get', 'address-sixth']);
    expect(outcome).toMatchObject({ kind: 'rejected', code: 'MAX_ADDRESSES_EXCEEDED' });
    expect(await made.ledger()).toHaveLength(5);
  });

  test('has the one replaced that no open order uses, and only that', async () => {
    const made = await rig();
    const placed = await full(made);
    const [, , third] = placed;
    made.world.openOrders = made.world.openOrders.filter((data) => data !== third?.providerData);
    const { steps, outcome } = await run(made.world, 'submit', newOrder(atHouse('6')));
    expect(steps).toEqual(['customer-get', 'address-replace', 'order']);
    expect(outcome).toMatchObject({
      kind: 'accepted',
      data: { customerAddressId: third?.providerData.customerAddressId },
    });
  });

  test('is not sent to a replaced address by what was remembered of it', async () => {
    const made = await rig();
    const placed = await full(made);
    const [, second] = placed;
    made.world.openOrders = made.world.openOrders.filter((data) => data !== second?.providerData);
    await place(made, newOrder(atHouse('6')));
    made.world.openOrders = [];
    const again = await run(made.world, 'submit', newOrder(atHouse('2')));
    expect(again.steps).toEqual(['customer-get', 'address-replace', 'order']);
  });

  test('that was not known to have five is read once more', async () => {
    const made = await rig();
    await full(made);
    made.world.openOrders = [];
    await made.control('', {
      match: { verb: 'customer-get' },
      times: 1,
      do: {
        status: 200,
        body: { success: true, data: { customer: { _id: customerOf(made), addresses: [] } } },
      },
    });
    const { steps, outcome } = await run(made.world, 'submit', newOrder(atHouse('6')));
    expect(steps).toEqual(['customer-get', 'address', 'customer-get', 'address-replace', 'order']);
    expect(outcome.kind).toBe('accepted');
  });
});

function customerOf({ world }: Rig): string {
  return String(world.facts.find(({ kind }) => kind === 'customer')?.value.customerId);
}

describe('a call on the way to the order', () => {
  test('that brings back the e-mail address of another customer is made again without it', async () => {
    const made = await rig();
    await place(made, newOrder());
    const customer = {
      firstName: 'Sara',
      lastName: 'Ali',
      email: 'noura@example.com',
      phone: '+96550009999',
    };
    const ran = await run(made.world, 'submit', newOrder({ customer }));
    expect(ran.steps).toEqual(['customer', 'customer', 'address', 'order']);
    expect(ran.outcome.kind).toBe('accepted');
    // The next order of theirs meets no conflict any more.
    expect((await run(made.world, 'submit', newOrder({ customer }))).steps).toEqual(['order']);
  });

  test('that meets a customer who came into being meanwhile finds it by the second try', async () => {
    const made = await rig();
    await made.control('', {
      match: { verb: 'customer-upsert' },
      times: 1,
      do: { status: 409, body: { success: false, code: 'CUSTOMER_PHONE_DUPLICATE', message: 'exists' } },
    });
    const ran = await run(made.world, 'submit', newOrder());
    expect(ran.steps).toEqual(['customer', 'customer', 'address', 'order']);
    expect(ran.outcome.kind).toBe('accepted');
  });

  test('whose answer was lost leaves one address, not two', async () => {
    const made = await rig();
    await made.control('', {
      match: { verb: 'address-create' },
      times: 1,
      do: accepting('drop'),
    });
    const order = newOrder();
    const ran = await run(made.world, 'submit', order);
    expect(ran.steps).toEqual(['customer', 'address', 'customer-get', 'order']);
    expect(ran.outcome.kind).toBe('accepted');
    const held = await run(made.world, 'submit', newOrder(atHouse('9')));
    expect(held.steps).toEqual(['customer-get', 'address', 'order']);
  });

  test('that replaced an address, and whose answer was lost, is not made twice', async () => {
    const made = await rig();
    for (const house of ['1', '2', '3', '4', '5']) await place(made, newOrder(atHouse(house)));
    await made.control('', {
      match: { verb: 'address-update' },
      times: 1,
      do: accepting('drop'),
    });
    const { steps, outcome } = await run(made.world, 'submit', newOrder(atHouse('6')));
    expect(steps).toEqual(['customer-get', 'address-replace', 'customer-get', 'order']);
    expect(outcome.kind).toBe('accepted');
  });

  test.each(['customer-upsert', 'address-create'])('%s is repeated after server trouble', async (verb) => {
    const made = await rig();
    await made.control('', { match: { verb }, times: 1, do: { status: 503 } });
    expect((await run(made.world, 'submit', newOrder())).outcome.kind).toBe('accepted');
    expect(await made.ledger()).toHaveLength(1);
  });
});

import { stepNamed } from '../fixtures.js';
import { ORDER_ID, openAccount, orderView, success, toldOrder, workFor } from './fixtures.js';

const get = stepNamed(openAccount(), 'get');
const work = workFor(orderView({ providerOrderId: ORDER_ID }));

function stateOf(changes: Record<string, unknown>) {
  const outcome = get.read(work, success({ order: toldOrder(changes) }));
  if (outcome?.kind !== 'observed') throw new Error('the order was not read');
  return outcome.state;
}

describe('the status', () => {
  test.each([
    ['draft', 'draft'],
    ['pending', 'submitted'],
    ['assigned', 'in_progress'],
    ['on_way_to_merchant', 'in_progress'],
    ['picked_up', 'shipped'],
    ['in_transit', 'shipped'],
    ['In Transit', 'shipped'],
    ['delivered', 'delivered'],
    ['cancelled', 'canceled'],
    ['canceled', 'canceled'],
  ])('%s is %s here', (word, status) => {
    const state = stateOf({ status: word });
    expect(state).toMatchObject({ status, rawStatus: word });
    expect(state).not.toHaveProperty('attention');
    expect(state).not.toHaveProperty('failure');
  });

  test('failed is a delivery that failed, on which a person decides', () => {
    expect(stateOf({ status: 'failed' })).toMatchObject({
      status: 'failed',
      failure: { code: 'delivery_failed' },
      attention: { code: 'delivery_failed' },
    });
  });

  test('returned asks for a person', () => {
    expect(stateOf({ status: 'returned' })).toMatchObject({
      status: 'returned',
      attention: { code: 'returned' },
    });
  });

  test.each([['teleported'], [null], [['delivered']], [{}]])('%j is not known and needs a look', (status) => {
    expect(stateOf({ status })).toMatchObject({ status: null, attention: { code: 'unknown_status' } });
  });
});

test('what cannot be a number, a time or a link is left out', () => {
  const state = stateOf({
    orderNumber: '',
    createdAt: 'yesterday',
    customerId: 7.5,
    customerAddressId: '..',
  });
  expect(state).not.toHaveProperty('tracking');
  expect(state).not.toHaveProperty('createdAt');
  expect(state.data).toEqual({});
});

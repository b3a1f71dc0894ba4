import { withoutAdopted } from '../../src/confirm/adopted.js';
import type { ProviderState } from '../../src/orders/order.js';
import type { Outcome } from '../../src/policy/outcome.js';

const state = (providerOrderId: string): ProviderState => ({
  providerOrderId,
  reference: null,
  status: 'submitted',
  rawStatus: 'active',
});
const [a, b] = [state('A'), state('B')];
const held = new Set(['A']);

describe('an order that another one has adopted', () => {
  test.each<[string, Outcome, object]>([
    [
      'is no find: in a whole list there is none then',
      { kind: 'observed', state: a, whole: true },
      { kind: 'missing', code: 'others_only' },
    ],
    [
      'proves nothing where the list may go on',
      { kind: 'observed', state: a },
      { kind: 'failed', code: 'others_only' },
    ],
    [
      'leaves the one that is like it',
      { kind: 'done', states: [a, b], alike: true },
      { kind: 'observed', state: b },
    ],
    ['leaves a mere candidate a candidate', { kind: 'done', states: [a, b] }, { kind: 'done', states: [b] }],
  ])('%s', (_what, outcome, expected) => {
    expect(withoutAdopted(outcome, held)).toMatchObject(expected);
  });
});

test('what nobody holds stays as it is found, and other outcomes stay as they are', () => {
  const found: Outcome = { kind: 'observed', state: b, whole: true };
  expect(withoutAdopted(found, held)).toBe(found);
  const missing: Outcome = { kind: 'missing', code: 'x', message: 'no' };
  expect(withoutAdopted(missing, held)).toBe(missing);
});

import { guaranteeOf } from '../../src/accounts/guarantee.js';
import { gelatoConnect } from '../../src/providers/gelato-connect/index.js';
import type { Capabilities } from '../../src/providers/provider.js';

const nothing: Capabilities = {
  drafts: false,
  lookup: 'none',
  idempotencyKey: false,
  uniqueReference: false,
  lagMs: 5_000,
};
const confirm = { graceMs: 5_000, looks: 4, spacingMs: 30_000 };

describe('guaranteeOf', () => {
  test.each<[string, Partial<Capabilities>, boolean, string, RegExp]>([
    ['an idempotency key', { idempotencyKey: true }, false, 'exactly_once', /idempotency key/],
    ['references taken once', { uniqueReference: true }, false, 'exactly_once', /reference only once/],
    ['a lookup by reference', { lookup: 'reference' }, false, 'exactly_once', /looked up by reference.*5 s/],
    ['correlation among others', { lookup: 'correlation' }, false, 'at_most_once', /exclusive is off/],
    ['correlation alone', { lookup: 'correlation' }, true, 'at_most_once', /nobody else changes/],
    ['no lookup', {}, true, 'at_most_once', /put before a human/],
  ])('with %s', (_what, capabilities, exclusive, level, reason) => {
    const guarantee = guaranteeOf({ ...nothing, ...capabilities }, exclusive, confirm);
    expect(guarantee.level).toBe(level);
    expect(guarantee.reason).toMatch(reason);
  });

  test('a lookup proves nothing where orders may show after the last look', () => {
    const hasty = { ...confirm, looks: 2, spacingMs: 1_000 };
    expect(guaranteeOf({ ...nothing, lookup: 'reference' }, false, hasty)).toEqual({
      level: 'at_most_once',
      reason: expect.stringMatching(/5 s .* 1 s .*confirm\.looks/),
    });
  });

  test('GelatoConnect with the default settings is exactly once', () => {
    const url = 'https://connector.example/orders';
    const open = gelatoConnect.open({
      id: 'gelato-eu',
      config: {
        submitUrl: url,
        getUrl: `${url}/{id}`,
        cancelUrl: `${url}/{id}`,
        updateShipmentUrl: `${url}/{id}`,
        searchUrl: url,
      },
      credentials: { apiKey: 'k', apiSecret: 's' },
      policy: gelatoConnect.policy,
    });
    expect(guaranteeOf(open.capabilities, false, confirm).level).toBe('exactly_once');
  });
});

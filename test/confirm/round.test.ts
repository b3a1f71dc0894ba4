import { advanceRound, type Control, lookRound } from '../../src/confirm/round.js';
import type { JsonObject } from '../../src/json.js';
import type { ProviderState } from '../../src/orders/order.js';
import type { Outcome } from '../../src/policy/outcome.js';
import type { OpenAccount, Step } from '../../src/providers/provider.js';

const step = (name: string): Step => ({
  name,
  writes: false,
  repeatable: true,
  request: () => ({ method: 'GET', url: 'https://api.example.com', headers: {} }),
  read: () => null,
});
const ONE: OpenAccount['reads'] = { get: step('get'), probe: step('probe'), look: step('first') };
const TWO: OpenAccount['reads'] = { ...ONE, furtherLooks: [step('second')] };

const MISSED: Outcome = { kind: 'missing', code: 'x', message: 'not there' };
const CONTROL: Control = { orderId: 'other', providerOrderId: 'P-9' };
const found = (providerOrderId: string): Outcome => {
  const state: ProviderState = { providerOrderId, reference: null, status: 'submitted', rawStatus: 'x' };
  return { kind: 'observed', state };
};

/** Makes lookups one after the other, as claims do; the names of those that were made, and what the last came to. */
function walk(
  reads: OpenAccount['reads'],
  outcomes: readonly Outcome[],
  { counts = true, candidate = null }: { counts?: boolean; candidate?: Control | null } = {},
) {
  let carry: JsonObject = {};
  const made: string[] = [];
  for (const [looks, outcome] of outcomes.entries()) {
    const round = lookRound({ carry, counts, looks }, reads);
    made.push(`${round.step?.name}${round.control === null ? '' : ' for the control'}`);
    const next = advanceRound(round, outcome, round.counts && round.control === null ? candidate : null);
    if (next.kind === 'over') return { made, outcome: next.outcome, counts: round.counts };
    carry = { ...carry, ...next.carry };
  }
  return { made, outcome: null, counts: null };
}

describe('a round', () => {
  test('of one lookup is over with it, where there is nothing to hold it against', () => {
    expect(walk(ONE, [MISSED])).toEqual({ made: ['first'], outcome: MISSED, counts: true });
  });

  test('of several goes on while they miss, and ends where one finds', () => {
    expect(walk(TWO, [MISSED, MISSED])).toMatchObject({ made: ['first', 'second'], outcome: MISSED });
    expect(walk(TWO, [found('P-1')])).toMatchObject({ made: ['first'], outcome: found('P-1') });
    expect(walk(TWO, [MISSED, found('P-1')])).toMatchObject({ outcome: found('P-1') });
  });

  test('is an absence only if the same lookups find an order that is there', () => {
    const { made, outcome, counts } = walk(TWO, [MISSED, MISSED, MISSED, found('P-9')], {
      candidate: CONTROL,
    });
    expect(made).toEqual(['first', 'second', 'first for the control', 'second for the control']);
    expect({ outcome, counts }).toMatchObject({ outcome: { kind: 'missing', code: 'absent' }, counts: true });
  });

  test.each<[string, Outcome]>([
    ['misses it', MISSED],
    ['finds another one', found('P-8')],
    ['fails', { kind: 'failed', code: 'http_500', message: 'trouble' }],
  ])('proves nothing where the control %s', (_what, outcome) => {
    expect(walk(ONE, [MISSED, outcome], { candidate: CONTROL }).outcome).toMatchObject({
      kind: 'failed',
      code: 'control_not_found',
    });
  });

  test('takes the control among several for found', () => {
    const several: Outcome = {
      kind: 'done',
      states: ['P-8', 'P-9'].map((id) => ({
        providerOrderId: id,
        reference: null,
        status: null,
        rawStatus: '',
      })),
    };
    expect(walk(ONE, [MISSED, several], { candidate: CONTROL }).outcome).toMatchObject({ kind: 'missing' });
  });

  test('that began too early does not count, and needs no control', () => {
    expect(walk(TWO, [MISSED, MISSED], { counts: false, candidate: CONTROL })).toEqual({
      made: ['first', 'second'],
      outcome: MISSED,
      counts: false,
    });
  });

  test('begins anew where the looks were counted anew since', () => {
    const round = lookRound({ carry: {}, counts: true, looks: 3 }, TWO);
    const next = advanceRound(round, MISSED, null);
    const carry = next.kind === 'on' ? next.carry : {};
    expect(lookRound({ carry, counts: true, looks: 4 }, TWO).index).toBe(1);
    expect(lookRound({ carry, counts: true, looks: 0 }, TWO)).toMatchObject({ index: 0, control: null });
  });
});

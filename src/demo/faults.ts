/** How the simulated providers misbehave, each in its own dialect, and the same way in every demo. Data. */
import type { RuleInput } from '../simulator/control.js';
import { ledgerName } from './ledger.js';
import type { DemoOrder, Mishap } from './orders/order.js';
import { SHORT } from './orders/zupy.js';

/** A burst of 429: when it comes, in ms after the first order, and what it is like at that moment. */
export interface Burst {
  atMs: number;
  rule(now: number): RuleInput;
}

export interface Faults {
  /** In force from the start. */
  rules: readonly RuleInput[];
  bursts: readonly Burst[];
}

const MISHAPS: Readonly<Record<Mishap, RuleInput['do']>> = {
  // biome-ignore lint/suspicious/noThenProperty: the control API's own word; the object is only sent, never awaited.
  lost: { accept: true, then: 'drop' },
  error: { status: 500 },
  busy: { status: 503 },
};

/** Long enough to hit calls of several workers, and short enough that the next burst is another one. */
const BURST = 4;

/** The end of a rate limit's window as an epoch, in whole seconds as providers write it. */
const epochIn = (now: number, ms: number) => String(Math.ceil((now + ms) / 1_000));

const once = (verb: string, action: RuleInput['do']): RuleInput => ({
  match: { verb },
  times: 1,
  do: action,
});

const FAULTS: Readonly<Record<string, Faults>> = {
  'gelato-connect': {
    rules: [once('search', { status: 503 }), once('cancel', { status: 500 })],
    // No header is documented; one that comes is heeded. Without it each answer would double the wait.
    bursts: [500, 2_500, 5_000].map((atMs) => ({
      atMs,
      rule: () => ({ times: BURST, do: { status: 429, headers: { 'Retry-After': '1' } } }),
    })),
  },
  wasal: {
    rules: [once('customer-upsert', { status: 500 }), once('address-create', MISHAPS.lost)],
    // The reset is a number of seconds.
    bursts: [4_500, 7_000].map((atMs) => ({
      atMs,
      rule: () => ({
        times: 2,
        do: { status: 429, headers: { 'RateLimit-Remaining': '0', 'RateLimit-Reset': '1' } },
      }),
    })),
  },
  wupex: {
    rules: [once('search', { status: 503 })],
    // No header at all: packline finds the time by itself.
    bursts: [700, 2_500].map((atMs) => ({ atMs, rule: () => ({ times: 2, do: { status: 429 } }) })),
  },
  salla: {
    rules: [once('get', { status: 503 }), once('status', { status: 500 })],
    // The reset is an epoch. Of orders only: the token endpoint is another host, with limits of its own.
    bursts: [1_000, 2_500].map((atMs) => ({
      atMs,
      rule: (now) => ({
        match: { verb: 'submit' },
        times: 2,
        do: {
          status: 429,
          headers: { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': epochIn(now, 1_000) },
        },
      }),
    })),
  },
  zupy: {
    rules: [shortOfPoints(), once('points', { status: 502 }), once('activate', MISHAPS.lost)],
    // Both headers; never less than five seconds, so there is one burst only.
    bursts: [
      {
        atMs: 1_500,
        rule: (now) => ({
          times: 2,
          do: {
            status: 429,
            headers: {
              'Retry-After': '5',
              'X-RateLimit-Remaining': '0',
              'X-RateLimit-Reset': epochIn(now, 5_000),
            },
          },
        }),
      },
    ],
  },
};

/**
 * The simulator refuses by itself, but names no time, and without one packline asks again after a quarter of an hour:
 * longer than a demo lasts.
 */
function shortOfPoints(): RuleInput {
  return {
    match: { verb: 'submit', reference: `${SHORT.customer}/${SHORT.reward}` },
    times: 1,
    do: {
      status: 422,
      headers: { 'Retry-After': '5' },
      body: {
        type: 'https://docs.zupy.com/errors#insufficient-balance',
        title: 'Insufficient Balance',
        status: 422,
        detail: 'The customer has fewer points than the reward costs.',
      },
    },
  };
}

/** An empty wallet at Wasal; for the time in it see `shortOfPoints`. It refuses every order as long as it stands. */
export const EMPTY_WALLET: RuleInput = {
  match: { verb: 'submit' },
  probability: 1,
  do: {
    status: 400,
    headers: { 'Retry-After': '3' },
    body: {
      success: false,
      message: 'The wallet does not cover the delivery fee',
      code: 'INSUFFICIENT_WALLET_BALANCE',
      data: { required: 1.25, balance: 0, currency: 'KWD' },
    },
  },
};

/** A provider's faults, with the mishaps of those of the orders that are its own. */
export function faultsOf(provider: string, orders: readonly DemoOrder[]): Faults {
  const { rules, bursts } = FAULTS[provider] ?? { rules: [], bursts: [] };
  const mishaps = orders.flatMap(({ body, mishap }): RuleInput[] =>
    mishap === null
      ? []
      : [
          {
            match: { verb: 'submit', reference: ledgerName(provider, body) },
            times: 1,
            do: MISHAPS[mishap],
          },
        ],
  );
  return { rules: [...mishaps, ...rules], bursts };
}

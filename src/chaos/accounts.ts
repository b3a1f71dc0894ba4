/** The orders and accounts of a chaos run, and how its providers misbehave. Data. */
import { mixedDay } from '../demo/accounts.js';
import { type DemoOrder, seeded } from '../demo/orders/order.js';
import { SHORT } from '../demo/orders/zupy.js';
import type { Stage } from '../demo/stage.js';
import type { RuleInput } from '../simulator/control.js';
import { REWARD } from '../simulator/zupy/catalog.js';

/** A share of the demo's orders is invalid on purpose; so many more are made that enough good ones are left. */
const MADE_PER_ORDER = 1.5;
/** Beside the share, for runs of a few orders. */
const MADE_MORE = 20;

/** Good orders for all providers, the same for the same seed. */
export function chaosOrders(count: number, seed: number): DemoOrder[] {
  return mixedDay(Math.ceil(count * MADE_PER_ORDER) + MADE_MORE, seeded(seed))
    .filter((order) => !order.invalid && !waitsForPoints(order) && !wantsAnotherReward(order))
    .slice(0, count);
}

/** Its customer has too few points, and nobody in a chaos run gives any. */
function waitsForPoints({ body }: DemoOrder): boolean {
  return JSON.stringify(body.customer ?? null).includes(SHORT.customer);
}

/**
 * The demo's regular customer redeems two kinds of reward. While one of them goes on, points that have changed say
 * nothing of a redeem of the other whose answer was lost: it is unconfirmed for a day, and then a human's.
 */
function wantsAnotherReward({ body }: DemoOrder): boolean {
  return JSON.stringify(body.items).includes(REWARD.coffee);
}

/** The least that an account takes is 1 s. A lease ends 15 s after this. */
const REQUEST_TIMEOUT_MS = 2_000;

/** What stands in the accounts file: shorter waits than for real providers, so that a run ends. */
export function chaosEntries(stages: readonly Stage[]): object[] {
  return stages.map(({ account, simulator }) => {
    const entry = simulator.account(account.id);
    return {
      ...entry,
      config: {
        ...entry.config,
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
        confirm: { graceMs: 1_000, looks: 2, spacingMs: 1_000 },
      },
      // So many failures in a row are chance here and say nothing about an order.
      policy: { attempts: 20, backoff: { baseMs: 200, capMs: 2_000, floorMs: 0 } },
      breaker: false,
    };
  });
}

type Action = RuleInput['do'];

const GARBAGE = '<html><body>It works!</body></html>';
// biome-ignore-start lint/suspicious/noThenProperty: the control API's own word; these objects are only sent
const DROPPED: Action = { accept: true, then: 'drop' };
const HANGING: Action = { accept: true, then: 'hang' };
const BROKEN: Action = { accept: true, then: { status: 500 } };
const MUMBLED: Action = { accept: true, then: { status: 200, body: GARBAGE } };
const REFUSED_MUMBLING: Action = { accept: false, then: { status: 200, body: GARBAGE } };
const CUT: Action = { accept: false, then: 'drop' };
// biome-ignore-end lint/suspicious/noThenProperty: see above
const THROTTLED: Action = { status: 429, headers: { 'Retry-After': '1' } };
/** Shorter than the request timeout, ms: the answer comes, only late. */
const SLOW_MS = 400;
const SLOWER_MS = 1_400;

/** With which chance each happens to a call that makes an order. */
const OF_SUBMITS: readonly (readonly [chance: number, action: Action])[] = [
  [0.04, DROPPED],
  [0.03, BROKEN],
  [0.02, MUMBLED],
  [0.01, HANGING],
  [0.02, REFUSED_MUMBLING],
  [0.02, CUT],
  [0.02, { status: 500 }],
  [0.02, { status: 503 }],
  [0.01, THROTTLED],
  [0.08, { delayMs: SLOWER_MS }],
  // A worker that is killed at any moment should have calls in hand.
  [0.4, { delayMs: SLOW_MS }],
];

/** And to any other call. */
const OF_ALL: readonly (readonly [chance: number, action: Action])[] = [
  [0.02, { status: 503 }],
  [0.01, { status: 500 }],
  [0.01, CUT],
  [0.01, REFUSED_MUMBLING],
  [0.005, THROTTLED],
  [0.1, { delayMs: SLOW_MS }],
];

/** The faults of every provider, in force all along. The first rule that hits decides. */
export function chaosRules(seed: number): RuleInput[] {
  const rules = [
    ...OF_SUBMITS.map(([probability, action]) => ({
      match: { verb: 'submit' },
      probability,
      do: action,
    })),
    ...OF_ALL.map(([probability, action]) => ({ probability, do: action })),
  ];
  return rules.map((rule, n) => ({ ...rule, seed: seed + n }));
}

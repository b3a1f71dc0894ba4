/** Points for rewards, for Zupy: its customers and rewards are those of the simulated restaurant. Pure. */
import type { JsonObject } from '../../json.js';
import {
  customerId,
  POOR_CUSTOMER,
  REWARD,
  RICH_CUSTOMERS,
  TOP_UP_CUSTOMER,
} from '../../simulator/zupy/catalog.js';
import type { Random } from '../../time.js';
import {
  type DemoOrder,
  type Fate,
  fatedOrder,
  inTurn,
  type Mistake,
  plainOrder,
  referenceOf,
} from './order.js';

/** One customer who comes often; the others have a number of their own each, below this one. */
const REGULAR = RICH_CUSTOMERS;
const CUSTOMERS = RICH_CUSTOMERS - 1;

/** `used`: the coupon is used at once; `later`: the shop asks for that afterwards. */
type Turn = Extract<Fate, 'plain' | 'invalid' | 'lost' | 'error' | 'busy'> | 'used' | 'later' | 'regular';

const TURNS: readonly [Turn, ...Turn[]] = [
  'used',
  'lost',
  'regular',
  'error',
  'invalid',
  'used',
  'regular',
  'busy',
  'later',
  'regular',
];

/** In the first round two orders of people who have less than they want. */
const SHORT_OF_POINTS = 12;
const PAYS_IN_PART = 18;

const MISTAKES: readonly Mistake[] = [
  (body) => ({ ...body, customer: { firstName: 'Ana' } }),
  (body) => ({ ...body, items: [{ reference: '1', sku: REWARD.dessert, quantity: 2 }] }),
  (body) => ({ ...body, payment: { method: 'cod', amountToCollect: '10.00' } }),
];

/** The customer whose points do not suffice until somebody adds some, and what for. */
export const SHORT = { customer: POOR_CUSTOMER, reward: REWARD.dessert, points: 200 } as const;

/** An order for Zupy. */
export function zupyOrder(account: string, n: number, random: Random): DemoOrder {
  const own = customerId(((n - 1) % CUSTOMERS) + 1);
  const body = (customer: JsonObject, reward: string, more: JsonObject = {}): JsonObject => ({
    account,
    reference: referenceOf(account, n),
    customer,
    items: [{ reference: '1', sku: reward, quantity: 1 }],
    ...more,
  });
  if (n === SHORT_OF_POINTS) return plainOrder(body({ id: SHORT.customer }, SHORT.reward));
  if (n === PAYS_IN_PART)
    return plainOrder(body({ id: TOP_UP_CUSTOMER }, REWARD.discount, { options: { useZTokens: true } }));
  const turn = inTurn(TURNS, n);
  switch (turn) {
    case 'regular':
      return plainOrder(body({ id: customerId(REGULAR) }, n % 2 === 0 ? REWARD.coffee : REWARD.discount));
    case 'used':
      return plainOrder(body({ id: own, email: emailOf(n) }, REWARD.dessert, { activate: true }));
    case 'later':
      return {
        ...plainOrder(body({ id: own, email: emailOf(n) }, REWARD.dessert)),
        activateAfterMs: 2_000 + Math.floor(random() * 2_000),
      };
    default:
      // Beyond the first round of customers two orders share one, and what others redeem hides what is missing.
      return fatedOrder(
        body({ id: own }, REWARD.dessert),
        n > CUSTOMERS && turn !== 'invalid' ? 'plain' : turn,
        MISTAKES,
        random,
      );
  }
}

/** Where the simulated restaurant sends the one-time passwords of the customer of order `n`. */
function emailOf(n: number): string {
  return `customer-${((n - 1) % CUSTOMERS) + 1}@zupy.example`;
}

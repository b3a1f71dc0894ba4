/**
 * The customers and rewards that the simulated restaurant starts with, and how others are described. Whoever
 * needs another customer sets one up with `POST /_control/customers` or through the options.
 */
import { z } from 'zod';
import { ORIGINS, TIERS } from './wire.js';
import { Z_AMOUNT } from './z-dollars.js';

// "KSUID": 27 characters, of which a path takes any.
const KSUID_LENGTH = 27;
const id = z.string().min(1).max(KSUID_LENGTH);
const points = z.number().int().min(0).max(1_000_000_000);

/** A customer, or what is to change about one. `zBalance` null: without a wallet. */
export const customerSchema = z.strictObject({
  id: id.optional(),
  fullName: z.string().optional(),
  email: z.string().optional(),
  phone: z.string().optional(),
  cpf: z.string().optional(),
  tier: z.enum(TIERS).optional(),
  points: points.optional(),
  zBalance: z.string().regex(Z_AMOUNT).nullable().optional(),
});
export type CustomerInput = z.infer<typeof customerSchema>;

/** A reward, or what is to change about one. `quantity` null: any number. */
export const rewardSchema = z.strictObject({
  id: id.optional(),
  name: z.string().optional(),
  points: points.optional(),
  origin: z.enum(ORIGINS).optional(),
  usages: z.number().int().min(1).max(1_000).optional(),
  validityDays: z.number().int().min(0).max(3_650).optional(),
  quantity: z.number().int().min(0).nullable().optional(),
  active: z.boolean().optional(),
});
export type RewardInput = z.infer<typeof rewardSchema>;

/** Rewards by what they are good for in a test or a demo. */
export const REWARD = {
  /** 200 points, used once. */
  dessert: ksuidLike('2SimReward', 1),
  /** 300 points, used three times. */
  coffee: ksuidLike('2SimReward', 2),
  /** 500 points, the cost in the document's example of a payment in part with Z$. */
  discount: ksuidLike('2SimReward', 3),
  /** A marketing reward: no points, once for each customer. */
  gift: ksuidLike('2SimReward', 4),
  /** None left. */
  soldOut: ksuidLike('2SimReward', 5),
} as const;

export const REWARDS: readonly RewardInput[] = [
  { id: REWARD.dessert, name: 'Pudim da Casa', points: 200 },
  { id: REWARD.coffee, name: 'Três Cafés', points: 300, usages: 3, validityDays: 15 },
  { id: REWARD.discount, name: 'Pizza Média', points: 500 },
  { id: REWARD.gift, name: 'Pão de Açúcar', points: 0, origin: 'marketing' },
  { id: REWARD.soldOut, name: 'Feijoada Completa', points: 100, quantity: 0 },
];

/** How many customers there are with more points than a long demo spends. */
export const RICH_CUSTOMERS = 100;
const RICH_POINTS = 1_000_000;

/** A customer with 50 points and no wallet: too few for anything. */
export const POOR_CUSTOMER = ksuidLike('2SimPoor', 1);
/** A customer with 450 points and Z$ 1150, as in the document's example of a payment in part. */
export const TOP_UP_CUSTOMER = ksuidLike('2SimTopUp', 1);

/** The id of a customer with plenty of points; 1 to `RICH_CUSTOMERS`. */
export function customerId(number: number): string {
  return ksuidLike('2SimCustomer', number);
}

const NAMES = ['João Conceição', 'Íris Araújo', 'Antônio Brandão', 'Luíza Peçanha'];

export const CUSTOMERS: readonly CustomerInput[] = [
  ...Array.from({ length: RICH_CUSTOMERS }, (_, index) => ({
    id: customerId(index + 1),
    fullName: `${NAMES[index % NAMES.length]} ${index + 1}`,
    email: `customer-${index + 1}@zupy.example`,
    phone: `+55119${String(index + 1).padStart(8, '0')}`,
    points: RICH_POINTS,
    zBalance: '1000',
  })),
  {
    id: POOR_CUSTOMER,
    fullName: 'Zé Ninguém',
    phone: '+5521900000001',
    points: 50,
    zBalance: null,
  },
  {
    id: TOP_UP_CUSTOMER,
    fullName: 'Márcia Quase Lá',
    phone: '+5521900000002',
    points: 450,
    zBalance: '1150',
  },
];

/** Mixed-case and 27 characters long, as KSUIDs are, but one that can be told from the next. */
function ksuidLike(stem: string, number: number): string {
  return stem + String(number).padStart(KSUID_LENGTH - stem.length, '0');
}

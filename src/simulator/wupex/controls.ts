/** What can be changed by hand while the simulator runs, beside faults and statuses (control.ts). */
import { z } from 'zod';
import { type Read, readWith } from '../control.js';
import type { Answer, ControlRoute } from '../kit.js';
import type { Catalog } from './catalog.js';
import { renderProduct } from './render.js';
import type { Wallet } from './wallet.js';

/** Who is let in. */
export interface Access {
  apiKey: string;
  /**
   * `full`, `read` (pull-codes is refused with 403: the rights of the key do not suffice) or `none` (everything
   * is: the caller's address is not on the key's list).
   */
  permission: 'full' | 'read' | 'none';
}

/** When orders show their serials; holds for orders placed from then on. */
export interface SerialsSwitch {
  /** What the answer of pull-codes holds: all serials, all but the last, none, or no list of serials at all. */
  answer: 'all' | 'some' | 'none' | 'absent';
  /** For how long not even the detail has serials, in milliseconds. */
  lagMs: number;
}

/** What the routes below change. */
export interface Desk {
  access: Access;
  serials: SerialsSwitch;
  wallet: Wallet;
  catalog: Catalog;
}

const DAY_MS = 86_400_000;
const amount = z.number().min(0).max(1e12);
const count = z.number().int().min(0).max(1e12);

const accessSchema = z.strictObject({
  apiKey: z.string().min(1).optional(),
  permission: z.enum(['full', 'read', 'none']).optional(),
});
const balanceSchema = z.strictObject({ balance: amount.optional(), credit: amount.optional() });
const serialsSchema = z.strictObject({
  answer: z.enum(['all', 'some', 'none', 'absent']).optional(),
  lagMs: z.number().int().min(0).max(DAY_MS).optional(),
});
const productSchema = z.strictObject({
  sku: z.string().trim().min(1),
  merchant: z.string().trim().min(1).optional(),
  name: z.string().min(1).optional(),
  price: amount.optional(),
  available: count.optional(),
  limit: count.optional(),
  enabled: z.boolean().optional(),
  currency: z.string().min(1).optional(),
  validDays: count.max(36_500).optional(),
});

/**
 * - `POST /_control/balance {balance?, credit?}`: amounts; answers as the balance call does.
 * - `POST /_control/product {sku, merchant?, name?, price?, available?, limit?, enabled?, currency?, validDays?}`:
 *   creates the product or changes what is given of it (`available`: its stock); answers its row.
 * - `POST /_control/serials {answer?, lagMs?}`: see `SerialsSwitch`.
 * - `POST /_control/access {apiKey?, permission?}`: see `Access`; another key takes the old one's place.
 */
export function controlRoutes(desk: Desk): ControlRoute[] {
  return [
    post('/_control/balance', balanceSchema, (change) => {
      desk.wallet.put(change);
      return desk.wallet.show();
    }),
    post('/_control/product', productSchema, (input) => renderProduct(desk.catalog.put(input))),
    post('/_control/serials', serialsSchema, ({ answer, lagMs }) => {
      desk.serials = { answer: answer ?? desk.serials.answer, lagMs: lagMs ?? desk.serials.lagMs };
      return desk.serials;
    }),
    post('/_control/access', accessSchema, ({ apiKey, permission }) => {
      desk.access = {
        apiKey: apiKey ?? desk.access.apiKey,
        permission: permission ?? desk.access.permission,
      };
      return { permission: desk.access.permission };
    }),
  ];
}

function post<T>(path: string, schema: z.ZodType<T>, change: (input: T) => object): ControlRoute {
  return {
    method: 'POST',
    path,
    handle: (body) => answer(readWith(schema, body), change),
  };
}

function answer<T>(read: Read<T>, change: (input: T) => object): Answer {
  if (!read.ok) return { status: 400, body: { mistakes: read.mistakes } };
  return { status: 200, body: change(read.value) };
}

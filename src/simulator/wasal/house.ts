/** The simulated Wasal as a whole, and how its operations find out who calls. */
import type { Answer, Call } from '../kit.js';
import type { Gate } from './gate.js';
import type { Merchant } from './merchant.js';
import type { StoredOrder } from './orders.js';
import type { OrderWindow } from './window.js';
import type { Environment } from './wire.js';

export interface House {
  merchants: readonly Merchant[];
  gate: Gate;
  window: OrderWindow;
  packageSides: readonly string[];
  packagePhotoField: string;
  duplicates: 'accept' | 'reject';
  cancelRefusal: { status: number; code: string };
  checkAreas: boolean;
  allowHttpWebhooks: boolean;
}

/** "Auth and environments". */
export const PREFIX = '/api/v1/integration/merchant';

/** An operation of whoever has the key of the call. */
export function byMerchant(
  { gate }: House,
  handle: (merchant: Merchant, call: Call, environment: Environment) => Answer,
): (call: Call) => Answer {
  return (call) => {
    const caller = gate.identify(call.headers);
    // Admitted before, but while a fault let the call wait its key may have been replaced.
    if ('status' in caller) return caller;
    return handle(caller.merchant, call, caller.environment);
  };
}

/** Whose order has this id or number or, the oldest of them, this reference; and the order itself. */
export function findOrder(house: House, name: string): [Merchant, StoredOrder] | undefined {
  for (const merchant of house.merchants) {
    const { orders } = merchant;
    const order = orders.find(name) ?? orders.findByNumber(name) ?? orders.withReference(name)[0];
    if (order !== undefined) return [merchant, order];
  }
  return undefined;
}

/** The strings that a body or query, not yet validated, has under a name. */
export function textsIn(source: unknown, name: string): string[] {
  if (typeof source !== 'object' || source === null) return [];
  const value: unknown = Reflect.get(source, name);
  return typeof value === 'string' ? [value] : [];
}

/**
 * What a test or a user can do to the simulated restaurant beside the control API of all simulators:
 *
 * - `GET /_control/otp` → `{codes: [{identifier, code, channel, sentAt, expiresAt, requests, failures,
 *   isSpent}]}`: what customers were sent, and how often; `DELETE /_control/otp` ends all sessions.
 * - `GET` and `POST /_control/settings` (settings.ts): the merchant's policy, and what is broken.
 * - `POST /_control/keys {key, kind}`: `read-write`, `read-only`, `revoked` or `other-company`.
 * - `POST /_control/customers` and `/_control/rewards` (catalog.ts): adds one, or changes the one with this
 *   `id`; answers `{id}`. `points` and `zBalance` set a customer's balances.
 * - `POST /_control/coupons {customerId, rewardId, code?}`: issues a coupon past the API, as another till
 *   does, without points; with a code such as `CP-LEGACY01` if need be. Answers `{id, code}`.
 * - `GET /_control/webhooks` → `{deliveries}` with every attempt.
 */
import { z } from 'zod';
import { readWith } from '../control.js';
import type { Answer, ControlRoute } from '../kit.js';
import { customerSchema, rewardSchema } from './catalog.js';
import { KEY_KINDS } from './keys.js';
import { settingsSchema } from './settings.js';
import type { Webhooks } from './webhooks.js';
import type { World } from './world.js';

const keySchema = z.strictObject({ key: z.string().min(1), kind: z.enum(KEY_KINDS) });
const couponSchema = z.strictObject({
  customerId: z.string(),
  rewardId: z.string(),
  code: z
    .string()
    .regex(/^C[ZP]-[A-Z0-9]+$/i)
    .optional(),
});

export function controls(world: World, webhooks: Webhooks): ControlRoute[] {
  const { own, settings, door } = world;
  return [
    {
      method: 'GET',
      path: '/_control/otp',
      handle: () => ok({ codes: own.otp.codes() }),
    },
    {
      method: 'DELETE',
      path: '/_control/otp',
      handle: () => {
        own.otp.closeSessions();
        return ok({});
      },
    },
    { method: 'GET', path: '/_control/settings', handle: () => ok(settings) },
    post('settings', settingsSchema, (change) => ok(Object.assign(settings, change))),
    post('keys', keySchema, ({ key, kind }) => {
      door.put(key, kind);
      return ok({ key, kind });
    }),
    post('customers', customerSchema, (input) => ok({ id: own.customers.put(input).id })),
    post('rewards', rewardSchema, (input) => ok({ id: own.rewards.put(input).id })),
    post('coupons', couponSchema, (input) => issue(world, input)),
    {
      method: 'GET',
      path: '/_control/webhooks',
      handle: () => ok({ deliveries: webhooks.deliveries() }),
    },
  ];
}

function issue({ own }: World, { customerId, rewardId, code }: z.infer<typeof couponSchema>): Answer {
  const customer = own.customers.find(customerId);
  const reward = own.rewards.find(rewardId);
  if (customer === undefined || reward === undefined) return mistaken(['no such customer or reward']);
  if (code !== undefined && own.coupons.find(code) !== undefined) return mistaken(['code: is taken']);
  const coupon = own.coupons.issue(customer, reward, { pointsSpent: 0, hideMs: 0, code });
  return ok({ id: coupon.id, code: coupon.code });
}

function post<T>(name: string, schema: z.ZodType<T>, handle: (input: T) => Answer): ControlRoute {
  return {
    method: 'POST',
    path: `/_control/${name}`,
    handle: (body) => {
      const read = readWith(schema, body);
      return read.ok ? handle(read.value) : mistaken(read.mistakes);
    },
  };
}

function ok(body: object): Answer {
  return { status: 200, body };
}

function mistaken(mistakes: readonly string[]): Answer {
  return { status: 400, body: { mistakes } };
}

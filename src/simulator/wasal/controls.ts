/**
 * What the simulated Wasal can be told beside the faults of all simulators. All of it is about the merchant
 * that `Simulator.account` gives the key of.
 * - `POST /_control/wallet {balance}`: dinars, with three decimals at most; null: never empty.
 * - `POST /_control/window {open}`: opens or closes the order window; null: by its opening hours again, or no
 *   window where there are none.
 * - `POST /_control/merchant {active?, photoRequired?, createAsDraft?}`: deactivates the account, demands a
 *   photo of each package, makes every new order a draft; or the opposite.
 * - `POST /_control/keys {live?, test?}`: replaces a key; the old one is invalid from then on.
 * - `POST /_control/limit {remaining, resetSeconds?}`: leaves each key so many calls in its window, which ends
 *   after so many seconds; without `resetSeconds` a new window begins.
 * - `POST /_control/webhook {url, events?}`: registers a webhook with the secret that `Simulator.account` tells;
 *   unlike Wasal's own operation, at an `http://` address as well.
 */
import { z } from 'zod';
import { readWith } from '../control.js';
import type { Answer, ControlRoute } from '../kit.js';
import { dinars, fils } from './answers.js';
import { environmentOf } from './gate.js';
import type { House } from './house.js';
import { type Merchant, registerWebhook } from './merchant.js';
import { renderWebhook } from './render.js';
import { type Environment, WEBHOOK_EVENTS } from './wire.js';

const walletSchema = z.strictObject({
  balance: z
    .number()
    .min(0)
    .refine((balance) => fils(balance) !== undefined, 'three decimals at most')
    .nullable(),
});
const windowSchema = z.strictObject({ open: z.boolean().nullable() });
const merchantSchema = z.strictObject({
  active: z.boolean().optional(),
  photoRequired: z.boolean().optional(),
  createAsDraft: z.boolean().optional(),
});
const keysSchema = z.strictObject({ live: z.string().optional(), test: z.string().optional() });
const limitSchema = z.strictObject({
  remaining: z.number().int().min(0),
  resetSeconds: z.number().min(0).optional(),
});
const webhookSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  events: z.array(z.enum(WEBHOOK_EVENTS)).min(1).optional(),
});

/** `windowMs`: the length of a rate-limit window; `secret`: of webhooks registered here. */
export function controlRoutes(
  house: House,
  merchant: Merchant,
  { windowMs, secret }: { windowMs: number; secret: string },
): ControlRoute[] {
  return [
    control('wallet', walletSchema, ({ balance }) => {
      merchant.wallet = balance === null ? Number.POSITIVE_INFINITY : (fils(balance) ?? 0);
      return done({ balance: balance === null ? null : dinars(merchant.wallet) });
    }),
    control('window', windowSchema, ({ open }) => {
      house.window.force(open ?? undefined);
      return done({ open: house.window.isOpen ?? null });
    }),
    control('merchant', merchantSchema, ({ active, photoRequired, createAsDraft }) => {
      merchant.isActive = active ?? merchant.isActive;
      merchant.photoRequired = photoRequired ?? merchant.photoRequired;
      merchant.createAsDraft = createAsDraft ?? merchant.createAsDraft;
      return done({
        active: merchant.isActive,
        photoRequired: merchant.photoRequired,
        createAsDraft: merchant.createAsDraft,
      });
    }),
    control('keys', keysSchema, ({ live, test }) => {
      const mistakes = [
        ...replaceKey(house, merchant, 'live', live),
        ...replaceKey(house, merchant, 'test', test),
      ];
      return mistakes.length > 0 ? { status: 400, body: { mistakes } } : done(merchant.keys);
    }),
    control('limit', limitSchema, ({ remaining, resetSeconds }) => {
      const resetMs = resetSeconds === undefined ? windowMs : resetSeconds * 1_000;
      for (const key of [merchant.keys.live, merchant.keys.test])
        if (key !== undefined) house.gate.setRemaining(key, remaining, resetMs);
      return done({ remaining });
    }),
    control('webhook', webhookSchema, ({ url, events }) => {
      const webhook = registerWebhook(merchant, { url, events: events ?? WEBHOOK_EVENTS }, secret);
      return done({ webhook: renderWebhook(webhook) });
    }),
  ];
}

function control<T>(name: string, schema: z.ZodType<T>, act: (value: T) => Answer): ControlRoute {
  return {
    method: 'POST',
    path: `/_control/${name}`,
    handle: (body) => {
      const read = readWith(schema, body);
      return read.ok ? act(read.value) : { status: 400, body: { mistakes: read.mistakes } };
    },
  };
}

function done(body: object): Answer {
  return { status: 200, body };
}

/** The mistakes that are in the way of it; the other key may have been replaced all the same. */
function replaceKey(
  { gate }: House,
  merchant: Merchant,
  environment: Environment,
  key: string | undefined,
): string[] {
  const old = merchant.keys[environment];
  if (key === undefined || key === old) return [];
  if (environmentOf(key) !== environment)
    return [`${environment}: not a key that begins with pk_${environment}_`];
  if (!gate.issue(key, merchant)) return [`${environment}: this key is taken`];
  if (old !== undefined) gate.revoke(old);
  merchant.keys[environment] = key;
  return [];
}

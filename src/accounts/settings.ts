/**
 * What an account may be told beside its provider's own settings, with the defaults of the contract ("Numbers").
 * Used where an accounts file is read, and again where the stored account is opened.
 */
import { z } from 'zod';
import type { BreakerSettings } from '../gate/breaker.js';
import type { JsonObject } from '../json.js';
import type { ProviderPolicy } from '../policy/policy.js';
import type { Limits } from '../providers/provider.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Settings common to the accounts of every provider; times in ms. */
export const commonConfig = z.object({
  requestTimeoutMs: z.int().min(1_000).max(300_000).default(30_000),
  confirm: z
    .strictObject({
      graceMs: z.int().min(0).max(HOUR_MS).default(5_000),
      looks: z.int().min(1).max(20).default(4),
      // Twenty looks an hour apart still end within the 24 hours after which a human is asked.
      spacingMs: z.int().min(0).max(HOUR_MS).default(30_000),
    })
    .prefault({}),
  // It stands before every reference that the provider sees, and references go into URLs and on labels.
  referencePrefix: z
    .string()
    .min(1)
    .max(50)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters')
    .optional(),
  exclusive: z.boolean().default(false),
});

/** Names of the common settings: the rest of `config` is the provider's. */
export const COMMON_NAMES: ReadonlySet<string> = new Set(Object.keys(commonConfig.shape));

/** Over the provider's documented limits. */
export const limitsOverride = z.strictObject({
  requests: z.int().min(1).max(1_000_000).optional(),
  perMs: z.int().min(1).max(DAY_MS).optional(),
  concurrency: z.int().min(1).max(1_000).optional(),
});
export type LimitsOverride = z.output<typeof limitsOverride>;

const backoffMs = z.int().min(0).max(DAY_MS).optional();

/** Over the provider's documented error handling. */
export const policyOverride = z.strictObject({
  attempts: z.int().min(1).max(100).optional(),
  backoff: z.strictObject({ baseMs: backoffMs, capMs: backoffMs, floorMs: backoffMs }).optional(),
});
export type PolicyOverride = z.output<typeof policyOverride>;

/**
 * When the account's circuit breaker opens: at this ratio of failures among at least so many calls, none of them
 * older than the window; and for how long, the first time and at most. Times in ms.
 */
export const breaker = z.union(
  [
    z.literal(false),
    z.strictObject({
      minCalls: z.int().min(1).max(100_000).default(20),
      ratio: z.number().gt(0).max(1).default(0.8),
      windowMs: z.int().min(1_000).max(DAY_MS).optional(),
      openMs: z.int().min(100).max(HOUR_MS).optional(),
      maxOpenMs: z.int().min(100).max(DAY_MS).optional(),
    }),
  ],
  'must be false, or an object of numbers: minCalls, ratio, windowMs, openMs, maxOpenMs',
);
export type Breaker = z.output<typeof breaker>;

const DEFAULT_BREAKER: BreakerSettings = {
  minCalls: 20,
  ratio: 0.8,
  // So long that an account of two calls at a time, each of which takes its whole 30 s to fail, gets to 20 of them.
  windowMs: 600_000,
  openMs: 30_000,
  maxOpenMs: 300_000,
};

/** What an account's breaker works by; null where it has none. */
export function breakerSettings(configured: Breaker | null): BreakerSettings | null {
  if (configured === false) return null;
  const {
    windowMs = DEFAULT_BREAKER.windowMs,
    openMs = DEFAULT_BREAKER.openMs,
    maxOpenMs = DEFAULT_BREAKER.maxOpenMs,
    ...rest
  } = configured ?? {};
  return { ...DEFAULT_BREAKER, ...rest, windowMs, openMs, maxOpenMs };
}

/** Parts `config` into the common settings and the provider's own. */
export function splitConfig(config: JsonObject): { common: JsonObject; own: JsonObject } {
  const entries = Object.entries(config);
  return {
    common: Object.fromEntries(entries.filter(([name]) => COMMON_NAMES.has(name))),
    own: Object.fromEntries(entries.filter(([name]) => !COMMON_NAMES.has(name))),
  };
}

export function mergeLimits(documented: Limits, over: LimitsOverride): Limits {
  return {
    requests: over.requests ?? documented.requests,
    perMs: over.perMs ?? documented.perMs,
    concurrency: over.concurrency ?? documented.concurrency,
  };
}

/** A pace below one a minute parks work for hours, one above a million a second is no limit: both are slips. */
const SLOWEST_PER_MS = 1 / 60_000;
const FASTEST_PER_MS = 1_000;

/** Whether a pace can be meant. */
export function isPlausible({ requests, perMs }: Limits): boolean {
  const pace = requests / perMs;
  return pace >= SLOWEST_PER_MS && pace <= FASTEST_PER_MS;
}

/** The provider's policy with the account's own figures; the rules stay the document's. */
export function mergePolicy(documented: ProviderPolicy, over: PolicyOverride): ProviderPolicy {
  const { baseMs, capMs, floorMs } = over.backoff ?? {};
  return {
    ...documented,
    attempts: over.attempts ?? documented.attempts,
    backoff: {
      ...documented.backoff,
      baseMs: baseMs ?? documented.backoff.baseMs,
      capMs: capMs ?? documented.backoff.capMs,
      floorMs: floorMs ?? documented.backoff.floorMs,
    },
  };
}

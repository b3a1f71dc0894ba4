/**
 * A provider's documented error handling, as data. Every rule cites its document; `classify` (in
 * classify.ts) finds the rule of an answer, `decide` (in decide.ts) what follows from it.
 */
import type { OutcomeKind } from './outcome.js';
import type { Backoff } from './schedule.js';

/** How well a fact is known: in the provider's published document, found elsewhere in public, or our assumption. */
export type Evidence = 'documented' | 'public' | 'assumed';

/** The outcomes that a rule can name: those of an answer that is not a success. */
export type RuleOutcome = Exclude<OutcomeKind, 'accepted' | 'observed' | 'done' | 'notSent' | 'interrupted'>;

export interface PolicyRule {
  /** Stable name, shown in timelines: `<provider>/<what>`. */
  id: string;
  /** An exact status, or an inclusive range. */
  status: number | readonly [number, number];
  /** The provider's own code, type or slug; compared before the status alone. */
  code?: string;
  /** Names of the steps that the rule is for; all when left out. */
  steps?: readonly string[];
  outcome: RuleOutcome;
  /** For `waiting`: what is waited for, and whose matter it is. */
  wait?: { reason: 'funds' | 'window' | 'stock' | 'otp'; scope: 'account' | 'order' };
  /** For `blocked`. `token` is a refused access token: refreshed once if it is still the current one. */
  block?: 'auth' | 'misconfigured' | 'reinstall' | 'token';
  /** Attempts before a dead letter, where the document differs from the provider's default. */
  attempts?: number;
  backoff?: Backoff;
  /** Tells a human at once, each time. */
  alert?: boolean;
  /** What the rule means, for people. */
  meaning: string;
  /** Document and section. */
  source: string;
  evidence: Evidence;
}

export interface ProviderPolicy {
  /** Attempts that one operation may spend. */
  attempts: number;
  /** Between attempts after a failure that certainly did nothing. */
  backoff: Backoff;
  /** After a 429 that names no time. */
  throttle: Backoff;
  /** How the provider writes the reset time of its limit. */
  resetDialect: 'delta' | 'epoch' | 'auto';
  /** How long an operation waits at most, in ms, before it becomes a dead letter. */
  deadlines: Record<'rate_limited' | 'funds' | 'window' | 'stock' | 'otp', number>;
  rules: readonly PolicyRule[];
}

const HOUR_MS = 3_600_000;

/** The figures that hold where a provider documents none (contract, "Numbers"). */
export const DEFAULT_POLICY: Omit<ProviderPolicy, 'rules'> = {
  attempts: 6,
  backoff: { baseMs: 1_000, capMs: 300_000, floorMs: 0, jitter: 'full' },
  throttle: { baseMs: 1_000, capMs: 300_000, floorMs: 1_000, jitter: 'equal' },
  resetDialect: 'auto',
  deadlines: {
    rate_limited: 24 * HOUR_MS,
    funds: 72 * HOUR_MS,
    window: 72 * HOUR_MS,
    stock: 72 * HOUR_MS,
    otp: 24 * HOUR_MS,
  },
};

/** How far apart scheduled tries of a waiting operation are, in ms, where the answer names no time. */
export const WAIT_INTERVAL_MS: Record<'funds' | 'window' | 'stock' | 'otp', number> = {
  funds: 15 * 60_000,
  window: 15 * 60_000,
  stock: 30 * 60_000,
  otp: 24 * HOUR_MS,
};
